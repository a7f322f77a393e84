//! Reviews on a note's page, and the page of all notes by trouble.

use serde::Serialize;

use super::part::{DateView, LinkView};
use super::site::{HeadView, SiteView};

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

/// All notes by trouble, for `review.html`.
#[derive(Debug, Clone, Serialize)]
pub struct TroublesView {
    /// What every page shares.
    pub site: SiteView,
    /// Metadata.
    pub head: HeadView,
    /// Number of notes.
    pub count: usize,
    /// Number of notes that somebody reviewed as they are now.
    pub current: usize,
    /// The kinds of trouble, the worst first; those that no note has are left out.
    pub groups: Vec<TroubleGroupView>,
}

/// The notes with one kind of trouble.
#[derive(Debug, Clone, Serialize)]
pub struct TroubleGroupView {
    /// Its name in addresses and in JSON: `stale`.
    pub id: &'static str,
    /// `Changed since reviewed`.
    pub title: &'static str,
    /// What that means, and what to do.
    pub intro: &'static str,
    /// The notes.
    pub notes: Vec<TroubledView>,
    /// Number of notes that are not listed.
    pub more: usize,
}

/// A note in trouble.
#[derive(Debug, Clone, Serialize)]
pub struct TroubledView {
    /// The note.
    pub note: LinkView,
    /// Its anchor on the page, if other pages link to it here; else empty.
    pub anchor: String,
    /// The single troubles, each with its place.
    pub items: Vec<LinkView>,
    /// Number of items that are not listed.
    pub more: usize,
    /// A command that shows or settles it; may be empty.
    pub command: String,
}
