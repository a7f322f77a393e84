//! Works that a note cites: marks in its text, and the list below it.

use super::Scene;
use crate::view::SelfCitationView;

/// What came of a note's citations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cited {
    /// HTML of each mark, in the order of the text.
    pub marks: Vec<String>,
    /// List items.
    pub references: Vec<String>,
}

impl Scene<'_> {
    pub(super) fn citations(&self, _index: usize, _page: &str) -> Vec<String> {
        Vec::new()
    }

    pub(super) fn references(&self, _index: usize) -> Vec<String> {
        Vec::new()
    }

    pub(super) fn self_citation(&self, _index: usize) -> Option<SelfCitationView> {
        None
    }
}
