//! Bounds the work that one text may cause.

/// Bounds the passes that are made over a text until nothing changes. Each may undo only one layer, so a hostile text such
/// as `&amp;amp;amp;…` would need as many passes as it has layers.
pub struct Budget {
    left: usize,
    depth: usize,
}

/// Passes that every text may have.
const PASSES: usize = 64;

/// Bytes that further passes over a text may look at: enough for all the layers that fit into 5,000 characters.
const CHARACTERS: usize = 1 << 24;

/// How deep mojibake within mojibake is followed. Every layer makes a text about twice as long.
const DEPTH: usize = 64;

impl Budget {
    /// The budget of a text of `length` bytes.
    pub fn new(bytes: usize) -> Self {
        Self { left: bytes.saturating_mul(PASSES).saturating_add(CHARACTERS), depth: 0 }
    }

    /// Deducts the cost of a pass over `length` characters; false if too little is left for it.
    pub fn spend(&mut self, length: usize) -> bool {
        let enough = self.left >= length;
        self.left = self.left.saturating_sub(length.max(1));
        enough
    }

    /// Runs `inner` one layer deeper; `None` if that is too deep.
    pub fn deeper<T>(&mut self, inner: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.depth == DEPTH {
            return None;
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        Some(result)
    }
}
