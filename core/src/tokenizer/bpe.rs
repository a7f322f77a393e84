//! CLIP's vocabulary and its byte-pair encoding. Input: the bytes of a word. Output: tokens. Knows nothing of where words
//! end in a text.
//!
//! A token is a byte (0–255), a byte that ends a word (256–511), the merger of two earlier tokens (512–49405)
//! or one of the two marks.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// The mark before a text.
pub const START: u32 = 49_406;
/// The mark after a text.
pub const END: u32 = 49_407;

/// The first token that is a merger.
const MERGED: u32 = 512;

/// For every merger the two tokens that it merges, as 16-bit little-endian numbers, in the order in which
/// they were learnt: from OpenAI's `bpe_simple_vocab_16e6.txt.gz` (MIT), by `tests/reference/tokens.py`.
const MERGES: &[u8] = include_bytes!("merges.bin");

/// The vocabulary, in a form in which pairs are found quickly.
pub struct Vocabulary {
    /// The tokens that each merger merges.
    parts: Vec<(u16, u16)>,
    /// For each left token the index in `pairs` where its pairs begin; the last entry is the end of all.
    from: Vec<u32>,
    /// Right tokens with their mergers, in order, one left token after the other.
    pairs: Vec<(u16, u16)>,
    /// The token of each byte.
    bytes: [u16; 256],
}

/// A part of a word during merging. Parts are linked, since mergers leave gaps.
struct Part {
    token: u16,
    previous: u32,
    next: u32,
}

const NONE: u32 = u32::MAX;

impl Vocabulary {
    /// The vocabulary of OpenAI's CLIP.
    pub fn clip() -> Self {
        let number = |two: &[u8]| u16::from_le_bytes([two[0], two[1]]);
        let parts: Vec<(u16, u16)> =
            MERGES.chunks_exact(4).map(|m| (number(&m[..2]), number(&m[2..]))).collect();
        let mut from = vec![0_u32; END as usize + 2];
        for (left, _) in &parts {
            from[usize::from(*left) + 1] += 1;
        }
        for at in 1..from.len() {
            from[at] += from[at - 1];
        }
        let mut free = from.clone();
        let mut pairs = vec![(0, 0); parts.len()];
        for ((left, right), merger) in parts.iter().zip(MERGED..) {
            let place = &mut free[usize::from(*left)];
            pairs[*place as usize] = (*right, merger as u16);
            *place += 1;
        }
        for own in from.windows(2) {
            pairs[own[0] as usize..own[1] as usize].sort_unstable();
        }
        // Bytes that print stand first, then all others, each in order.
        let prints = |b: &u8| matches!(b, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff);
        let printing = (0..=255).filter(|b| prints(b));
        let order = printing.chain((0..=255).filter(|b| !prints(b)));
        let mut bytes = [0; 256];
        for (byte, token) in order.zip(0..) {
            bytes[usize::from(byte)] = token;
        }
        Self { parts, from, pairs, bytes }
    }

    /// The merger of two tokens. Earlier mergers have smaller numbers and take precedence.
    fn merger(&self, left: u16, right: u16) -> Option<u16> {
        let left = usize::from(left);
        let own = &self.pairs[self.from[left] as usize..self.from[left + 1] as usize];
        let at = own.binary_search_by_key(&right, |pair| pair.0).ok()?;
        Some(own[at].1)
    }

    /// Passes the tokens of a word to `take`, in order. The time grows as n·log n with the word's length.
    pub fn encode(&self, word: &[u8], take: &mut impl FnMut(u32)) {
        let last = word.len().wrapping_sub(1);
        let token = |(at, byte): (usize, &u8)| {
            self.bytes[usize::from(*byte)] + if at == last { 256 } else { 0 }
        };
        let mut parts: Vec<Part> = word
            .iter()
            .enumerate()
            .map(|(at, byte)| Part {
                token: token((at, byte)),
                previous: if at == 0 { NONE } else { at as u32 - 1 },
                next: if at == last { NONE } else { at as u32 + 1 },
            })
            .collect();
        self.merge(&mut parts);
        let mut at = if parts.is_empty() { NONE } else { 0 };
        while at != NONE {
            take(u32::from(parts[at as usize].token));
            at = parts[at as usize].next;
        }
    }

    /// Merges again and again all pairs of the earliest merger that applies, from left to right.
    fn merge(&self, parts: &mut [Part]) {
        let merger = |parts: &[Part], at: u32| {
            let part = &parts[at as usize];
            let next = parts.get(part.next as usize)?;
            Some((self.merger(part.token, next.token)?, at))
        };
        let first = (0..parts.len() as u32).filter_map(|at| merger(parts, at)).map(Reverse);
        let mut waiting: BinaryHeap<_> = first.collect();
        let mut touched = Vec::new();
        while let Some(&Reverse((now, _))) = waiting.peek() {
            // A pair that arises meanwhile has to wait, even for an earlier merger.
            while let Some(&Reverse((rank, at))) = waiting.peek()
                && rank == now
            {
                waiting.pop();
                // Since it was noted, the pair may have become part of another.
                if merger(parts, at) != Some((now, at)) {
                    continue;
                }
                let gone = parts[at as usize].next;
                let next = parts[gone as usize].next;
                parts[gone as usize].next = NONE;
                parts[at as usize].token = now;
                parts[at as usize].next = next;
                if let Some(after) = parts.get_mut(next as usize) {
                    after.previous = at;
                }
                touched.push(at);
            }
            for at in touched.drain(..) {
                waiting.extend(merger(parts, at).map(Reverse));
                let previous = parts[at as usize].previous;
                if previous != NONE {
                    waiting.extend(merger(parts, previous).map(Reverse));
                }
            }
        }
    }

    /// The bytes of a token, and whether it ends a word; `None` if it is a mark or not a token.
    pub fn bytes(&self, token: u32) -> Option<(Vec<u8>, bool)> {
        let mut bytes = Vec::new();
        let mut ends = false;
        let mut open = vec![token];
        while let Some(token) = open.pop() {
            if let Some(merger) = token.checked_sub(MERGED) {
                let (left, right) = *self.parts.get(merger as usize)?;
                open.extend([u32::from(right), u32::from(left)]);
            } else {
                ends |= token >= 256;
                let byte = self.bytes.iter().position(|own| u32::from(*own) == token % 256)?;
                bytes.push(byte as u8);
            }
        }
        Some((bytes, ends))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_token_merges_earlier_ones_and_is_unlike_all_others() {
        let vocabulary = Vocabulary::clip();
        assert_eq!(vocabulary.parts.len() + MERGED as usize, START as usize);
        let mut all = std::collections::HashSet::new();
        for (at, (left, right)) in vocabulary.parts.iter().enumerate() {
            assert!(usize::from(*left.max(right)) < at + MERGED as usize);
            assert!(all.insert(vocabulary.bytes(at as u32 + MERGED)), "{at}");
        }
        assert_eq!(vocabulary.bytes(START), None);
    }

    #[test]
    fn a_word_of_a_megabyte_is_no_harm() {
        let vocabulary = Vocabulary::clip();
        for (pattern, bytes) in [("a", 1 << 20), ("the", 1 << 17), ("!", 1 << 17), ("é", 1 << 17)]
        {
            let word = pattern.repeat(bytes / pattern.len());
            let mut tokens = Vec::new();
            let start = std::time::Instant::now();
            vocabulary.encode(word.as_bytes(), &mut |token| tokens.push(token));
            assert!(start.elapsed().as_secs() < 60, "{pattern}");
            let all: Vec<u8> = tokens
                .iter()
                .flat_map(|token| vocabulary.bytes(*token).expect("a token").0)
                .collect();
            assert!(all == word.as_bytes(), "{pattern}");
        }
    }
}
