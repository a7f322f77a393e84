//! What differs between two states of a garden, as data.

use serde::Serialize;

use super::claim::ClaimChange;
use super::figure::FigureChange;
use super::link::LinkChange;
use super::missing::Missing;
use super::sentence::SentenceChange;
use super::side::Label;
use super::text::TextChange;

/// The version of the JSON.
pub const SCHEMA: u32 = 1;

/// What differs between two states of a garden.
#[derive(Debug, Serialize)]
pub struct Difference {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The earlier state.
    pub a: Label,
    /// The later state.
    pub b: Label,
    /// Claims whose verdict differs, in the order of the notes; those that fail now come first in their note.
    pub claims: Vec<ClaimChange>,
    /// Sentences that read differently though nobody edited them, in the order of the notes.
    pub sentences: Vec<SentenceChange>,
    /// Why figures changed, and which; those of most figures first.
    pub causes: Vec<Group>,
    /// Figures that differ, the largest change first.
    pub figures: Vec<FigureChange>,
    /// Figures whose results are missing on a side.
    pub missing: Vec<Missing>,
    /// Notes that are new, gone, renamed, or have another text.
    pub notes: Vec<TextChange>,
    /// Links that were gained, lost, broken or mended.
    pub links: Vec<LinkChange>,
    /// Remarks about the sides, such as data that git does not have.
    pub remarks: Vec<String>,
    /// Counts of what is the same.
    pub same: Same,
}

/// Figures that changed for the same reasons.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Group {
    /// The reasons in words.
    pub causes: Vec<String>,
    /// The figures, as `note.md#id`.
    pub figures: Vec<String>,
}

/// Counts of what is the same on both sides.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Same {
    /// Notes with the same text.
    pub notes: usize,
    /// Figures with the same bytes, or the same request.
    pub figures: usize,
    /// Figures among these whose request differs and whose bytes do not.
    pub same_bytes: usize,
}

impl Difference {
    /// Whether nothing differs and nothing is missing.
    pub fn is_empty(&self) -> bool {
        self.claims.is_empty()
            && self.sentences.is_empty()
            && self.figures.is_empty()
            && self.missing.is_empty()
            && self.notes.is_empty()
            && self.links.is_empty()
    }
}
