//! How much work one text may cause: what a pass would cost goes in, whether it may be made comes out.

/// Passes over a text until nothing changes any more, each of which may undo one layer only, are bounded: a
/// text made for it, such as `&amp;amp;amp;…`, would take as many of them as it has layers.
pub struct Budget {
    left: usize,
    depth: usize,
}

/// Every text may be gone over this many times.
const PASSES: usize = 64;

/// A text may besides be gone over until this many bytes were looked at: enough for all the layers for which
/// 5,000 characters have room.
const CHARACTERS: usize = 1 << 24;

/// How deep mojibake within mojibake is followed. Every layer makes a text about twice as long.
const DEPTH: usize = 64;

impl Budget {
    /// The budget of a text of so many bytes.
    pub fn new(bytes: usize) -> Self {
        Self { left: bytes.saturating_mul(PASSES).saturating_add(CHARACTERS), depth: 0 }
    }

    /// Takes the cost of a pass over `length` characters; false where too little is left for another.
    pub fn spend(&mut self, length: usize) -> bool {
        let enough = self.left >= length;
        self.left = self.left.saturating_sub(length.max(1));
        enough
    }

    /// Goes one layer down, does `inner`, and comes back; `None` where that is too deep.
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
