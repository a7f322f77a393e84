//! Parts that pages and figures share: dates, cards, mentions, problems, pictures.

use serde::Serialize;

use crate::diagnostic::{Diagnostic, Severity};

/// A note in a list.
#[derive(Debug, Clone, Serialize)]
pub struct CardView {
    /// The note's title.
    pub title: String,
    /// The address of its page.
    pub href: String,
    /// Date of the last change, or else of creation.
    pub date: Option<DateView>,
    /// The first sentences, plain text.
    pub excerpt: String,
    /// The note's first picture.
    pub picture: Option<ThumbnailView>,
    /// Its first tags, in the note's order.
    pub tags: Vec<LinkView>,
    /// Number of further tags.
    pub more_tags: usize,
}

/// A day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DateView {
    /// `2025-04-22`.
    pub iso: String,
    /// `April 22, 2025`.
    pub shown: String,
}

/// An entry of the contents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ContentsView {
    /// The heading's anchor.
    pub id: String,
    /// The heading with its code and mathematics, without its links.
    pub title_html: String,
    /// Headings below it.
    pub children: Vec<ContentsView>,
}

/// A note that mentions this one.
#[derive(Debug, Clone, Serialize)]
pub struct BacklinkView {
    /// Its title.
    pub title: String,
    /// The address of its page.
    pub href: String,
    /// The sentences that mention it.
    pub mentions: Vec<MentionView>,
}

/// Where a unit that a note declares is used in other notes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UsedView {
    /// Its name, and the address of its page.
    pub unit: LinkView,
    /// The figures that are about it or name it.
    pub figures: Vec<LinkView>,
    /// Number of further ones.
    pub more: usize,
}

/// One sentence that mentions this note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MentionView {
    /// The address of the sentence.
    pub href: String,
    /// The sentence, with the link as `<mark>`.
    pub sentence_html: String,
    /// The section or figure of this note that it mentions, if any.
    pub place: Option<LinkView>,
    /// What is wrong with the claim that it is or cites, in words; empty if nothing is.
    pub claim: &'static str,
}

/// An error or warning at its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProblemView {
    /// `error` or `warning`.
    pub severity: &'static str,
    /// `notes/piggy-bank.md:12:5`.
    pub place: String,
    /// The message.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl From<&Diagnostic> for ProblemView {
    fn from(problem: &Diagnostic) -> Self {
        Self {
            severity: match problem.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Note => "note",
            },
            place: problem.place(),
            message: problem.message.clone(),
            hint: problem.hint.clone(),
        }
    }
}

/// A picture in a list of notes or units.
#[derive(Debug, Clone, Serialize)]
pub struct ThumbnailView {
    /// Its file, relative to the site's root.
    pub file: String,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Whether enlarging must keep its pixels sharp.
    pub synthetic: bool,
}

/// A link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LinkView {
    /// Plain text.
    pub title: String,
    /// Address relative to the page.
    pub href: String,
}
