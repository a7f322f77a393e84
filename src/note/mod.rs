//! One note: parses its bytes to a [`Note`] with source positions and diagnostics.
//!
//! Nothing here knows other notes, the configuration or results. An error affects only its own element.
//!
//! Incremental: a note is a function of its path and bytes, so an unchanged file is never parsed twice.

mod amount;
mod block;
mod cites;
mod code;
mod complete;
mod earlier;
mod escape;
mod fence;
mod format;
mod front;
mod heading;
mod html;
mod inline;
mod mark;
mod markup;
mod math;
mod numeral;
mod outline;
mod places;
mod raw;
mod reach;
mod remote;
mod sentence;
mod slug;
mod sweep;
mod wiki;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::{Arc, OnceLock};

pub use block::{Block, Fields, points};
pub use complete::{complete, fenced};
pub use escape::escape;
pub use format::Format;
pub use front::{FrontMatter, UnitName};
pub use html::{
    BlockHtml, Body, ClaimShown, HeadingShown, Parts, ResolvedLink, ShownValue, body, render,
    render_inline,
};
pub use inline::{Expected, Head, InlineValue, Query};
pub use mark::{fill, fill_citations, has_citations, marked};
pub use markup::{Citation, CitedKey};
pub use math::{Macros, MathError, mathml};
pub use numeral::Numeral;
pub use outline::{Anchor, Heading, Link, LinkKind, Mention, Open, Sentence};
pub use raw::plain as without_tags;
pub use reach::{Reached, of_markdown as reaches};
pub use remote::{Reach, shown as shown_address};
pub use sentence::sentences;
pub use slug::{Slugger, file_slug, slug};
pub use sweep::Axis;

use neuronotes_core::cut::Cut as _;
use neuronotes_core::digest::Digest;
use places::{Named, Places};

use crate::diagnostic::{Diagnostic, Lines, SourceFile};

/// One parsed note.
#[derive(Debug, Clone)]
pub struct Note {
    /// Path relative to the notes folder, with `/`: `people/lady-gaga.md`.
    pub path: String,
    /// Path relative to the garden, with `/`, for diagnostics.
    pub file: String,
    /// The whole text.
    pub source: Arc<str>,
    /// Digest of the whole text.
    pub digest: Digest,
    /// Lines of the whole text.
    pub lines: Lines,
    /// The front matter between the `---` lines.
    pub front: FrontMatter,
    /// Offset of the Markdown.
    pub body: usize,
    /// Title: from front matter, or else the first heading of level 1, or else the file name.
    pub title: String,
    /// Whether the body begins with the title as a heading, which the page does not repeat.
    pub title_in_body: bool,
    /// The beginning of the prose as plain text, with marks for values and citations that [`fill`] and
    /// [`fill_citations`] replace.
    pub excerpt: String,
    /// Headings, in order.
    pub headings: Vec<Heading>,
    /// Links and images, in order.
    pub links: Vec<Link>,
    /// Analysis blocks, in order.
    pub blocks: Vec<Block>,
    /// Blocks named by `^id`.
    pub anchors: Vec<Anchor>,
    /// Anchors in raw HTML: `<a name="here">`, `<div id="here">`.
    pub marks: Vec<String>,
    /// Citations, in order.
    pub citations: Vec<Citation>,
    /// HTML of the formulas, in order, as for [`Parts::formulas`].
    pub formulas: Vec<String>,
    /// The garden's macros.
    pub macros: Macros,
    /// Ids of raw HTML that are unique.
    pub html_ids: BTreeSet<String>,
    /// Tags of the front matter, then those of the prose, each once.
    pub tags: Vec<String>,
    /// The prose before the first heading, then that below each heading: plain text with marks for values and
    /// citations.
    pub texts: Vec<String>,
    /// Questions and tasks in callouts, in order.
    pub open: Vec<Open>,
    /// Values: those of the prose in order, then those of each block's caption.
    pub values: Vec<InlineValue>,
    /// What its Markdown and HTML would load from other hosts or run as scripts.
    pub reaches: Vec<Reached>,
    /// Problems of the note itself; problems of blocks are in the blocks.
    pub problems: Vec<Diagnostic>,
    /// Anchors by name; collected on first use.
    places: OnceLock<Places>,
}

impl Note {
    /// Parses a note. Never fails: errors are in the note.
    pub fn parse(path: &str, file: &str, source: &str) -> Self {
        Self::parse_with(path, file, source, source, &Macros::default())
    }

    /// The same for a text that was generated from the file's text `written`: diagnostics refer to its lines.
    /// Formulas may use `macros`.
    pub fn parse_with(
        path: &str,
        file: &str,
        source: &str,
        written: &str,
        macros: &Macros,
    ) -> Self {
        let lines = Lines::made_of(source, written);
        let at = SourceFile { file, text: source, lines: &lines };
        let (front, body, mut problems) = front::parse(at);
        let outline = outline::parse(at, body, 0, macros);
        problems.extend(outline.problems);
        let mut values = outline.values;
        let mut blocks: Vec<Block> = outline
            .blocks
            .into_iter()
            .enumerate()
            .map(|(index, raw)| block::parse(at, raw, index + 1, &mut values, macros))
            .collect();
        name_blocks(at, &mut blocks);
        for block in &mut blocks {
            problems.append(&mut block.claim_problems);
        }
        let mut headings = outline.headings;
        let anchors = cites::named(at, outline.anchors, &mut blocks, &mut problems);
        let html_ids = html_ids(at, outline.html_ids, &blocks, &mut problems);
        anchor_headings(&mut headings, &blocks, &html_ids);
        let stem = file_stem(path);
        let first = headings.first().filter(|h| h.level == 1 && !h.quoted);
        let title = match (&front.title, first) {
            (Some(title), _) => title.clone(),
            (None, Some(heading)) => {
                problems.extend(titled_by_value(at, heading, &values, &blocks));
                one_line(&heading.text)
            }
            (None, None) => stem.replace(['-', '_'], " "),
        };
        let reaches = reach::of(at, body, &blocks);
        let mut tags = front.tags.clone();
        tags.extend(outline.tags);
        let mut known = BTreeSet::new();
        tags.retain(|tag| known.insert(tag.to_lowercase()));
        let title_in_body =
            first.is_some_and(|h| one_line(&h.text) == title && outline.opens_with_heading);
        Self {
            path: path.to_owned(),
            file: file.to_owned(),
            source: source.into(),
            digest: Digest::of(source.as_bytes()),
            front,
            body,
            title,
            title_in_body,
            excerpt: outline.excerpt,
            headings,
            links: outline.links,
            blocks,
            anchors,
            html_ids,
            marks: outline.marks,
            citations: outline.citations,
            formulas: outline.formulas,
            macros: macros.clone(),
            tags,
            texts: outline.texts,
            values,
            reaches,
            open: outline.open,
            problems,
            places: OnceLock::new(),
            lines,
        }
    }

    /// The names that its values and claims refer to: a note's name, or `None` for this one, and a block's id. In claims the
    /// latter may also be a value of the block itself or a list of the garden.
    pub fn quoted_blocks(&self) -> impl Iterator<Item = (Option<&str>, &str)> {
        let claims = self.blocks.iter().flat_map(|block| &block.claims);
        let claimed = claims.flat_map(|claim| claim.expression.references());
        let heads = self.values.iter().map(|value| &value.head);
        let asked = self.values.iter().flat_map(InlineValue::references);
        heads
            .map(|head| (head.note.as_deref(), head.id.as_str()))
            .chain(asked.chain(claimed).map(|of| (of.note.as_deref(), of.name.as_str())))
    }

    /// Whether what its page shows depends on results by more than its figures: values in prose, or claims.
    pub fn quotes(&self) -> bool {
        !self.values.is_empty() || self.claims()
    }

    /// Whether one of its blocks has claims.
    pub fn claims(&self) -> bool {
        self.blocks.iter().any(|block| !block.claims.is_empty())
    }

    /// Numerals in its prose that neither a value nor a claim covers, in order.
    pub fn typed_numerals(&self) -> Vec<Numeral> {
        numeral::typed(&self.source, self.body, &self.blocks, &self.anchors)
    }

    /// The source, for diagnostics about this note.
    pub fn at(&self) -> SourceFile<'_> {
        SourceFile { file: &self.file, text: &self.source, lines: &self.lines }
    }

    /// The Markdown without front matter.
    pub fn markdown(&self) -> &str {
        self.source.cut(self.body..)
    }

    /// The file name without folder and extension.
    pub fn stem(&self) -> &str {
        file_stem(&self.path)
    }

    /// Problems of the note and of its blocks.
    pub fn all_problems(&self) -> impl Iterator<Item = &Diagnostic> {
        self.problems.iter().chain(self.blocks.iter().flat_map(|block| &block.problems))
    }

    /// The anchor that `fragment` refers to: a heading by its text, anchor or source, a block by its id or `^id`, or
    /// an anchor in HTML.
    pub fn anchor(&self, fragment: &str) -> Option<String> {
        let named = || Named {
            source: &self.source,
            headings: &self.headings,
            blocks: &self.blocks,
            anchors: &self.anchors,
            marks: &self.marks,
            earlier: &self.front.anchors,
        };
        self.places.get_or_init(|| Places::of(&named())).anchor(&self.headings, fragment)
    }

    /// The part of the Markdown that an anchor refers to: a section or a block; all of it without an anchor.
    pub fn part(&self, anchor: Option<&str>) -> Option<Range<usize>> {
        let Some(anchor) = anchor else { return Some(0..self.source.len() - self.body) };
        let span = if let Some(id) = anchor.strip_prefix('^') {
            self.anchors.iter().find(|known| known.id == id)?.span.clone()
        } else if let Some(block) = self.blocks.iter().find(|block| block.id == anchor) {
            block.span.clone()
        } else {
            let at = self.headings.iter().position(|heading| heading.id == anchor)?;
            let heading = &self.headings[at];
            let ends = |other: &&Heading| {
                other.level <= heading.level && (heading.quoted || !other.quoted)
            };
            let next = self.headings[at + 1..].iter().find(ends);
            heading.span.start..next.map_or(self.source.len(), |next| next.span.start)
        };
        Some(span.start.saturating_sub(self.body)..span.end.saturating_sub(self.body))
    }
}

/// A text on one line; for example, a formula in a heading may have several.
fn one_line(text: &str) -> String {
    match text.contains(['\n', '\r']) {
        true => text.split_whitespace().collect::<Vec<_>>().join(" "),
        false => text.to_owned(),
    }
}

fn file_stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    crate::config::layout::without_ending(name)
}

/// A title is also a name for links, so it cannot contain a measured value.
fn titled_by_value(
    at: SourceFile<'_>,
    heading: &Heading,
    values: &[InlineValue],
    blocks: &[Block],
) -> Option<Diagnostic> {
    // Code that names no figure is ordinary code.
    let names = |value: &InlineValue| match &value.head.note {
        Some(_) => value.asked.is_ok(),
        None => blocks.iter().any(|block| block.id == value.head.id),
    };
    let within = |value: &&InlineValue| {
        names(value) && heading.span.start <= value.span.start && value.span.end <= heading.span.end
    };
    let value = values.iter().find(within)?;
    let problem = at.error(value.span.clone(), "a title cannot contain a value");
    Some(problem.hint("give the note a `title` in its front matter".to_owned()))
}

/// Gives an id to every block without one, and reports duplicate ids.
fn name_blocks(at: SourceFile<'_>, blocks: &mut [Block]) {
    let mut seen: BTreeMap<String, Range<usize>> = BTreeMap::new();
    for block in blocks.iter_mut().filter(|block| block.given_id.is_some()) {
        let (id, span) = block.given_id.clone().unwrap_or_default();
        if slug::is_of_page(&id) {
            let problem = at.error(span.clone(), format!("the id `{id}` is reserved for pages"));
            block.problems.push(problem.hint("give the block another `id`".to_owned()));
            continue;
        }
        if let Some(first) = seen.get(&id) {
            let (line, _) = at.lines.position(at.text, first.start);
            block.problems.push(
                at.error(
                    span,
                    format!("the id `{id}` is already used by the block on line {line}"),
                )
                .hint("ids must be unique within a note".to_owned()),
            );
        } else {
            block.id.clone_from(&id);
            seen.insert(id, span);
        }
    }
    for block in blocks.iter_mut().filter(|block| block.id.is_empty()) {
        let mut id = format!("figure-{}", block.number);
        while seen.contains_key(&id) {
            id.push('x');
        }
        seen.insert(id.clone(), block.span.clone());
        block.id = id;
    }
}

/// Ids of raw HTML, without duplicates and those of figures and the page itself.
fn html_ids(
    at: SourceFile<'_>,
    written: Vec<(String, Range<usize>)>,
    blocks: &[Block],
    problems: &mut Vec<Diagnostic>,
) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    for (id, span) in written {
        let is_of_figure = blocks.iter().any(|block| block.id == id);
        let usable = !(id.is_empty() || id.contains(char::is_whitespace));
        if usable
            && !is_of_figure
            && !slug::is_of_page(&id)
            && !id.starts_with('^')
            && ids.insert(id.clone())
        {
            continue;
        }
        let message = format!("the id `{id}` is left out: it is already in use on the page");
        let problem = at.warning(span, message);
        problems.push(
            problem.hint("ids must be unique on a page; give this element another id".to_owned()),
        );
    }
    ids
}

/// Anchors as GitHub makes them, distinct from each other, from blocks' ids and from ids in raw HTML.
fn anchor_headings(headings: &mut [Heading], blocks: &[Block], html_ids: &BTreeSet<String>) {
    let mut slugger = Slugger::default();
    for id in html_ids {
        slugger.reserve(id);
    }
    for block in blocks {
        slugger.reserve(&block.id);
    }
    for heading in headings {
        heading.id = slugger.slug(&heading.text);
    }
}

#[cfg(test)]
mod tests;
