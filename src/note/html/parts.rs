//! What a page inserts into a note, as plain data: resolved links, figures, values, citations and anchors.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::note::escape;

/// A resolved link.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub enum ResolvedLink {
    /// A note or a place in one.
    Internal {
        /// Address relative to the page.
        href: String,
        /// Anchor of the link itself, for backlinks.
        id: Option<String>,
        /// Text of the link if the author gave none: `Figure 2`.
        label: Option<String>,
        /// Whether it leads to a claim that does not hold.
        fails: bool,
    },
    /// An image or another file that is copied to the site.
    File {
        /// Address relative to the page.
        href: String,
        /// Width and height in pixels, for an image.
        size: Option<(u32, u32)>,
        /// Smaller copies of an image, by width.
        variants: Vec<(u32, String)>,
    },
    /// A part of another note, shown here.
    Embed {
        /// Index in [`Parts::embeds`].
        number: usize,
    },
    /// Another site.
    External,
    /// An unresolved link.
    Unresolved,
}

/// What replaces an inline value on a page.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ShownValue {
    /// Plain text, for sentences and images' alternative texts.
    pub text: String,
    /// HTML.
    pub html: String,
    /// Address of its figure relative to the page, if any.
    pub href: Option<String>,
    /// Whether it does not meet what the note expects of it.
    pub fails: bool,
}

impl ShownValue {
    /// The HTML linked to its figure.
    pub(super) fn linked(&self) -> String {
        match &self.href {
            Some(href) => {
                format!("<a class=\"quoted\" href=\"{}\">{}</a>", escape(href), self.html)
            }
            None => self.html.clone(),
        }
    }
}

/// A claim that does not hold, about the sentence or block with a name.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ClaimShown {
    /// The name, without the sign.
    pub id: String,
    /// What was expected and what was measured, in plain text.
    pub says: String,
    /// Address of its figure relative to the page.
    pub href: String,
}

/// A heading on a page.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct HeadingShown {
    /// Its anchor.
    pub id: String,
    /// Earlier anchors, which still work.
    pub moved: Vec<String>,
    /// HTML below it: its backlinks.
    pub after_html: String,
}

/// Everything that the page inserts into the note.
#[derive(Clone, Default)]
pub struct Parts<'a> {
    /// One entry per heading.
    pub headings: &'a [HeadingShown],
    /// The resolved links, one per link.
    pub links: &'a [ResolvedLink],
    /// HTML of the figures, one per block.
    pub figures: &'a [String],
    /// HTML of other notes, for embeds.
    pub embeds: &'a [String],
    /// Replacements of values; those of the prose come first.
    pub values: &'a [ShownValue],
    /// HTML of formulas; missing ones are converted without macros.
    pub formulas: &'a [String],
    /// HTML of citations; missing ones stay as written.
    pub citations: &'a [String],
    /// Address of a tag's page; without one, tags are plain text.
    pub tags: Option<&'a (dyn Fn(&str) -> String + Sync)>,
    /// Ids of raw HTML that belong to the note; all of them if `None`.
    pub html_ids: Option<&'a BTreeSet<String>>,
    /// Whether the first heading is the title, which the page shows itself: [`Body::title`](super::Body::title).
    pub skip_title: bool,
    /// The claims about this note that do not hold.
    pub claims: &'a [ClaimShown],
    /// For a caption, the prefix of blocks' names, and the names that it has.
    pub names: Option<(&'a str, &'a [&'a str])>,
    /// Prefix of every id, which keeps those of an embedded note distinct.
    pub prefix: &'a str,
    /// The part of the Markdown to show; all of it if `None`.
    pub part: Option<Range<usize>>,
    /// Whether links to other sites open in a new tab.
    pub new_tab: bool,
    /// Whether nothing is loaded from other hosts and no scripts of notes run.
    pub closed: bool,
    /// Whether each paragraph, list and cell has the direction of its own text.
    pub directed: bool,
}

/// Tooltip of an unresolved link.
pub(in crate::note) const NO_NOTE: &str = "This note does not exist.";
