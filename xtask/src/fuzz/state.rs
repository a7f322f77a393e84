//! Reads a target's state file: the number of executions and the last input.

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::Path;

/// The file's contents, as `neuronotes-fuzz` writes them.
#[derive(Debug, PartialEq, Eq)]
pub struct State {
    /// Number of executions that were started.
    pub executions: u64,
    /// The current or last input.
    pub input: Vec<u8>,
}

impl State {
    /// Reads it; `None` before the process has written it.
    pub fn read(path: &Path) -> Option<Self> {
        Self::of(&fs::read(path).ok()?)
    }

    fn of(bytes: &[u8]) -> Option<Self> {
        let (executions, rest) = bytes.split_first_chunk()?;
        let (length, rest) = rest.split_first_chunk()?;
        let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
        let input = rest.get(..length)?.to_vec();
        Some(Self { executions: u64::from_le_bytes(*executions), input })
    }

    /// A file name for an input, derived from its bytes.
    pub fn name(&self) -> String {
        let mut hasher = DefaultHasher::new();
        self.input.hash(&mut hasher);
        format!("{:016x}", hasher.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executions_and_the_last_input_are_read() {
        let bytes = [&7_u64.to_le_bytes()[..], &3_u64.to_le_bytes(), b"abc and more"].concat();
        let state = State::of(&bytes).expect("a state");
        assert_eq!(state, State { executions: 7, input: b"abc".to_vec() });
        assert_eq!(State::of(&bytes[..18]), None);
        assert_eq!(state.name().len(), 16);
    }
}
