//! A kind's own noise: how far a result may lie from an earlier one of the same request, measured by another processor or
//! program, and still say the same.

use super::value::Values;

/// How results of one request are compared. Paths are those of the stored result, with `[n]` for any item of a list.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Noise {
    /// Numbers with a fraction may differ by this part of the largest of the same name.
    pub relative: f64,
    /// Values with an interval of their own, which may move within it: the value, its lower and its upper bound. The bounds
    /// themselves are not compared.
    pub intervals: &'static [(&'static str, &'static str, &'static str)],
    /// Counts that may differ by [`COUNTS`] of the largest of the same name.
    pub counts: &'static [&'static str],
    /// Values that say how a fit went, and not what came out; they are not compared.
    pub aside: &'static [&'static str],
    /// Whether its pictures are optimised: they may be as far apart as the seed's pictures are from those of the next seed, by
    /// the cosine of their embeddings.
    pub seeds: bool,
}

/// Half of the step from 1 to the next number in half precision, for each of two numbers that were rounded: scans store
/// activations so.
const HALF: f64 = 1.0 / 1024.0;
/// A fit ends when it no longer gains much, so that its weights have few digits.
const FIT: f64 = 0.01;
/// The part by which counts of pictures may differ.
pub const COUNTS: f64 = 0.01;

impl Noise {
    /// Of numbers that are computed from activations.
    pub const ACTIVATIONS: Self =
        Self { relative: HALF, intervals: &[], counts: &[], aside: &[], seeds: false };

    /// Of numbers that are fitted.
    pub const FITTED: Self = Self { relative: FIT, ..Self::ACTIVATIONS };

    /// The rule in words, for the documentation of the kind with these values.
    pub fn said(&self, values: &Values) -> String {
        let list = |paths: &mut dyn Iterator<Item = &&str>| {
            paths.map(|path| format!("`{}`", values.name_of(path))).collect::<Vec<_>>().join(", ")
        };
        let mut out = format!(
            "Numbers with a fraction may differ by {} of the largest number of the same name.",
            match self.relative == HALF {
                true => "1/1024 (the precision in which activations are stored)".to_owned(),
                false => format!("{}%", self.relative * 100.0),
            }
        );
        if !self.intervals.is_empty() {
            let values = list(&mut self.intervals.iter().map(|(value, ..)| value));
            out.push_str(&format!(" {values} may differ within the interval beside it."));
        }
        if !self.counts.is_empty() {
            let counts = list(&mut self.counts.iter());
            out.push_str(&format!(
                " Counts ({counts}) may differ by {}% of the largest of the same name.",
                COUNTS * 100.0
            ));
        }
        if !self.aside.is_empty() {
            out.push_str(&format!(
                " {} say how a fit went and are not compared.",
                list(&mut self.aside.iter())
            ));
        }
        if self.seeds {
            out.push_str(
                " Its pictures and their activations may differ by as much as a picture from another seed does: \
                 the distance of a picture from its earlier version (1 minus the cosine of the model's embeddings) is divided by its \
                 distance from the picture of the next seed, and the quotient must be at most 1.",
            );
        } else {
            out.push_str(" Pictures may differ by one of 255 levels on average.");
        }
        out.push_str(
            " Items of a list may change places if the numbers at their places agree. Anything else that differs, such as a text, a \
             class or a unit, makes the result a different one.",
        );
        out
    }
}
