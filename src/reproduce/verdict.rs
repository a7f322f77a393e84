//! What came of measuring a result again, in one word.

use serde::Serialize;

/// What came of measuring a result again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// All outputs have the same bytes.
    Same,
    /// What differs is within the rule of its kind.
    Noise,
    /// Something else differs.
    Different,
    /// The store has no result to compare with.
    NotStored,
    /// It could not be measured again.
    Failed,
}

impl Verdict {
    /// In words.
    pub fn said(self) -> &'static str {
        match self {
            Self::Same => "the same bytes",
            Self::Noise => "within its own noise",
            Self::Different => "different",
            Self::NotStored => "not stored",
            Self::Failed => "failed",
        }
    }
}
