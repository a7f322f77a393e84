//! Terms of a sum: units or words with coefficients; and the sum in one line.

use serde::{Deserialize, Serialize};

use crate::number::{decimals, number};

/// A term of a sum: a unit or a word.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weighed {
    /// The unit, if it is one.
    pub unit: Option<u32>,
    /// The word, if it is one.
    pub word: Option<String>,
    /// Its coefficient.
    pub coefficient: f64,
}

impl Weighed {
    /// A unit with its coefficient.
    pub fn unit(unit: u32, coefficient: f64) -> Self {
        Self { unit: Some(unit), word: None, coefficient }
    }

    /// A word with its coefficient.
    pub fn word(word: &str, coefficient: f64) -> Self {
        Self { unit: None, word: Some(word.to_owned()), coefficient }
    }

    /// The unit or the word for readers.
    pub fn name(&self) -> String {
        match (self.unit, &self.word) {
            (Some(unit), _) => format!("unit {unit}"),
            (None, word) => word.clone().unwrap_or_default(),
        }
    }
}

/// A sum in one line: `1.00 · unit 223 − 0.31 · unit 5`; `0` if it has no terms.
pub fn equation(terms: &[Weighed]) -> String {
    let digits = digits(terms);
    let mut out = String::new();
    for term in terms {
        let sign = match (out.is_empty(), term.coefficient < 0.0) {
            (true, true) => "−",
            (true, false) => "",
            (false, true) => " − ",
            (false, false) => " + ",
        };
        let size = number(term.coefficient.abs(), digits);
        out.push_str(&format!("{sign}{size} · {}", term.name()));
    }
    if out.is_empty() { "0".to_owned() } else { out }
}

/// Number of decimals for the coefficients of a sum; two if the largest is 1.
pub fn digits(terms: &[Weighed]) -> usize {
    let largest = terms.iter().fold(0.0_f64, |most, term| most.max(term.coefficient.abs()));
    decimals(largest)
}
