//! The formatted citations of a note.

/// A note's formatted citations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cited {
    /// HTML of each mark, in the order of the text.
    pub marks: Vec<String>,
    /// Plain text of each mark.
    pub spoken: Vec<String>,
    /// HTML list items of the references.
    pub references: Vec<String>,
    /// Key and plain text of each reference.
    pub plain: Vec<(String, String)>,
}
