//! The page of all notes by trouble.

use serde::Serialize;

use super::part::LinkView;
use super::site::{HeadView, SiteView};

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
