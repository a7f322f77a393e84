//! What is known while HTML is written.

use std::collections::BTreeSet;
use std::ops::Range;

use pulldown_cmark::Event;

use super::callout::Callouts;
use super::footnote::Footnotes;
use super::image::OpenImage;
use super::parts::Parts;
use super::written::Body;
use crate::note::raw::Raw;

/// Writes the HTML of a note, event by event.
pub(super) struct Renderer<'p, 'e> {
    pub(super) markdown: &'e str,
    pub(super) parts: Parts<'p>,
    pub(super) done: Body,
    /// Events of the outermost block that is being read, and of footnotes.
    pub(super) out: Vec<Event<'e>>,
    /// Depth of open blocks.
    pub(super) depth: usize,
    /// Start of the last block at each depth in `out`.
    pub(super) begun: Vec<Option<usize>>,
    /// Span of the open outermost block in the source.
    pub(super) block: Range<usize>,
    /// The heading that it is.
    pub(super) block_heading: Option<usize>,
    pub(super) block_figures: usize,
    pub(super) headings: usize,
    pub(super) links: usize,
    pub(super) figures: usize,
    pub(super) formulas: usize,
    pub(super) values: usize,
    pub(super) citations: usize,
    /// Number of inline footnotes, and of those open.
    pub(super) notes: usize,
    pub(super) open_notes: usize,
    /// Closing tags of open links.
    pub(super) ends: Vec<&'static str>,
    pub(super) hide_text: bool,
    pub(super) in_analysis: bool,
    /// The enclosing events while the title's heading is read.
    pub(super) title: Option<Vec<Event<'e>>>,
    /// Ids of raw HTML and names of blocks that are already on the page.
    pub(super) used: BTreeSet<String>,
    /// Names whose sentences are still to come.
    pub(super) anchored: Vec<String>,
    /// The name that cites the open sentence, if its claim fails.
    pub(super) cited: Option<String>,
    /// The open code block: its language and its text so far.
    pub(super) code: Option<(String, String)>,
    /// The open image, whose text becomes its alternative text.
    pub(super) image: Option<OpenImage>,
    /// Whether embeds replace a paragraph.
    pub(super) embeds: bool,
    pub(super) footnotes: Footnotes<'e>,
    pub(super) callouts: Callouts,
    /// State of open raw HTML.
    pub(super) found: Raw,
}
