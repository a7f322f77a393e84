//! What a page puts into a note: resolved links, figures, values, citations and anchors, as plain data.

use std::collections::BTreeSet;
use std::ops::Range;

use super::escape;

/// What the garden made of a link.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub enum ResolvedLink {
    /// A note, or a place in one.
    Internal {
        /// Relative to the page.
        href: String,
        /// The anchor of the link itself, so that backlinks can point to it.
        id: Option<String>,
        /// What the link shows where the author gave it no words: `Figure 2`.
        label: Option<String>,
    },
    /// An image or another file that is copied.
    File {
        /// Relative to the page.
        href: String,
        /// Pixels across and down, for an image.
        size: Option<(u32, u32)>,
        /// Smaller ones of an image, by their widths.
        variants: Vec<(u32, String)>,
    },
    /// A part of another note, which stands here.
    Embed {
        /// Among [`Parts::embeds`].
        number: usize,
    },
    /// Another site.
    External,
    /// Nothing that the garden has.
    Unresolved,
}

/// What stands on a page in the place of an inline value.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ShownValue {
    /// Plain text, for sentences and for images' alternative texts.
    pub text: String,
    /// An element.
    pub html: String,
    /// Of the figure that it is out of, relative to the page, where there is one.
    pub href: Option<String>,
}

impl ShownValue {
    /// The element, linked to its figure.
    pub(super) fn linked(&self) -> String {
        match &self.href {
            Some(href) => {
                format!("<a class=\"quoted\" href=\"{}\">{}</a>", escape(href), self.html)
            }
            None => self.html.clone(),
        }
    }
}

/// A heading on a page.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct HeadingShown {
    /// Its anchor.
    pub id: String,
    /// Anchors that it had before, and still answers to.
    pub moved: Vec<String>,
    /// What stands below it: who mentions it.
    pub after_html: String,
}

/// What the page puts into a note.
#[derive(Clone, Default)]
pub struct Parts<'a> {
    /// Each heading.
    pub headings: &'a [HeadingShown],
    /// A link's resolution each.
    pub links: &'a [ResolvedLink],
    /// A figure's HTML each.
    pub figures: &'a [String],
    /// HTML of other notes, for links that are embeds.
    pub embeds: &'a [String],
    /// What is shown for each value; those of the prose come first.
    pub values: &'a [ShownValue],
    /// HTML of each formula; one that is not there is converted by itself, without macros.
    pub formulas: &'a [String],
    /// HTML of each citation; one that is not there stays as it is written.
    pub citations: &'a [String],
    /// The address of a tag's page; tags are plain text where it is not known.
    pub tags: Option<&'a (dyn Fn(&str) -> String + Sync)>,
    /// Ids of raw HTML that are the note's own; all of them where this is not said.
    pub html_ids: Option<&'a BTreeSet<String>>,
    /// Whether the first heading is the title, which the page shows in its own place: [`Body::title`](super::Body::title).
    pub skip_title: bool,
    /// What stands before every id, so that those of an embedded note are others.
    pub prefix: &'a str,
    /// The part of the Markdown that is shown; all of it where none is named.
    pub part: Option<Range<usize>>,
    /// Whether links to other sites open in a new tab.
    pub new_tab: bool,
    /// Whether nothing is loaded from other hosts, and no script of a note runs.
    pub closed: bool,
    /// Whether each paragraph, list and cell goes the way of its own letters.
    pub directed: bool,
}
