//! What is chosen to describe a unit, before it is tested.

use crate::fit::formula::Formula;

/// Units that are worked on before the monitor is asked again.
pub(super) const AT_ONCE: usize = 64;

/// A unit and what was chosen for it, each with its score, the best first.
pub(super) struct Chosen {
    pub unit: usize,
    pub labels: Vec<(What, f64)>,
}

/// What describes a unit.
pub(super) enum What {
    /// A word, by its place among all.
    Word(usize),
    /// A formula of words.
    Formula(Formula),
}

impl What {
    /// The word or the formula as it is read.
    pub(super) fn text(&self, words: &[String]) -> String {
        match self {
            Self::Word(word) => words[*word].clone(),
            Self::Formula(formula) => formula.text(words),
        }
    }
}
