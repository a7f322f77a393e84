//! Derives inputs from seeds and a target's words.
//!
//! It mutates as libFuzzer does, but without coverage: pieces are removed, duplicated, swapped and joined, bytes are
//! changed, words of the format are inserted. Text stays text, so that readers of text are not only tested with
//! invalid bytes.

use crate::dice::Dice;

/// Maximum length of an input.
const LONGEST: usize = 6 << 10;

/// Makes inputs.
#[derive(Debug)]
pub struct Mutator<'a> {
    seeds: &'a [Vec<u8>],
    words: &'a [&'a str],
    dice: Dice,
}

impl<'a> Mutator<'a> {
    /// Uses these seeds and words; the same random seed gives the same inputs.
    pub fn new(seeds: &'a [Vec<u8>], words: &'a [&'a str], seed: u64) -> Self {
        Self { seeds, words, dice: Dice::new(seed) }
    }

    /// The next input.
    pub fn next_input(&mut self) -> Vec<u8> {
        let mut input = self.dice.pick(self.seeds).cloned().unwrap_or_default();
        for _ in 0..1 + self.dice.below(6) {
            self.change(&mut input);
        }
        input.truncate(LONGEST);
        input
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        let range = self.range(input);
        match self.dice.below(9) {
            0 => drop(input.drain(range)),
            1 => {
                let piece = input[range].to_vec();
                let times = 1 + self.dice.below(if piece.len() < 16 { 40 } else { 3 });
                self.insert(input, &piece.repeat(times));
            }
            2 => {
                let piece: Vec<u8> = input.drain(range).collect();
                self.insert(input, &piece);
            }
            3 => {
                let other = self.dice.pick(self.seeds).cloned().unwrap_or_default();
                let range = self.range(&other);
                self.insert(input, &other[range]);
            }
            4 if !input.is_empty() => {
                let at = self.dice.below(input.len());
                input[at] ^= 1 << self.dice.below(8);
            }
            5 if !input.is_empty() => {
                const TELLING: &[u8] = &[0, 1, 9, 10, 13, 32, 0x22, 0x27, 0x5c, 0x7f, 0x80, 0xff];
                let at = self.dice.below(input.len());
                input[at] = self.dice.pick(TELLING).copied().unwrap_or_default();
            }
            6 if input.len() >= 8 => {
                const NUMBERS: &[u64] =
                    &[0, 1, 0xff, 0xffff, 1 << 31, u32::MAX as u64, 1 << 62, u64::MAX];
                let number = self.dice.pick(NUMBERS).copied().unwrap_or_default().to_le_bytes();
                let width = 1 << self.dice.below(4);
                let at = self.dice.below(input.len() - width + 1);
                input[at..at + width].copy_from_slice(&number[..width]);
            }
            7 => {
                let at = self.dice.below(input.len() + 1);
                input.truncate(at);
            }
            _ => {
                let word = self.dice.pick(self.words).copied().unwrap_or("\u{fffd}");
                self.insert(input, word.as_bytes());
            }
        }
    }

    /// A piece of an input, usually a short one or a whole line.
    fn range(&mut self, of: &[u8]) -> std::ops::Range<usize> {
        let from = self.dice.below(of.len() + 1);
        let line =
            || of[from..].iter().position(|byte| *byte == b'\n').map_or(of.len(), |n| from + n + 1);
        let to = match self.dice.below(4) {
            0 => line(),
            1 => from + self.dice.below(of.len() - from + 1),
            _ => from + self.dice.below(12),
        };
        from..to.min(of.len())
    }

    fn insert(&mut self, into: &mut Vec<u8>, piece: &[u8]) {
        if into.len() + piece.len() <= LONGEST {
            let at = self.dice.below(into.len() + 1);
            into.splice(at..at, piece.iter().copied());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_inputs_and_mostly_others() {
        let seeds = vec![b"# A heading\n\nText.\n".to_vec(), b"- [ ] to do\n".to_vec()];
        let make = |seed| {
            let mut mutator = Mutator::new(&seeds, &["**", "[["], seed);
            (0..200).map(|_| mutator.next_input()).collect::<Vec<_>>()
        };
        assert_eq!(make(3), make(3));
        let mut distinct = make(3);
        distinct.sort();
        distinct.dedup();
        assert!(distinct.len() > 150, "{}", distinct.len());
        assert!(distinct.iter().all(|input| input.len() <= LONGEST));
    }
}
