//! Reviews on a note's page, and where readers write about it.

use serde::Serialize;

use super::part::{DateView, LinkView};

/// A review of a note, or of one of its figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReviewView {
    /// The reviewer.
    pub by: String,
    /// The day.
    pub on: DateView,
    /// `agree`, `minor` or `disagree`.
    pub verdict: &'static str,
    /// `agrees`.
    pub shown: &'static str,
    /// The figure, if only that was reviewed.
    pub figure: Option<LinkView>,
    /// The reviewer's remark.
    pub message: Option<String>,
    /// What has changed since, each with a link to the difference or to the place.
    pub changes: Vec<LinkView>,
    /// The command that shows what has changed, where no page can; may be empty.
    pub command: String,
    /// The day on which it is to be reviewed again, if the note or the garden says so.
    pub due: Option<DateView>,
}

/// Where readers write about a note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DiscussView {
    /// The address for a remark on the whole.
    pub whole: String,
    /// The same for a sentence, which the script writes in place of `%7Bquote%7D`.
    pub quoting: String,
}
