//! Renders a note's Markdown as HTML with resolved links and figures.
//!
//! This is the second pass over the syntax tree: the n-th link and block are those of the outline, so resolved links
//! are looked up by number. Code, mathematics and YAML are never rewritten, because links are found in the tree, not
//! in the text.

mod anchor;
mod block;
mod callout;
mod claim;
mod closed;
mod direction;
mod element;
mod footnote;
mod image;
mod link;
pub(super) mod parts;
mod renderer;
mod written;

use std::collections::BTreeSet;
use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, CowStr, Event, Tag, TagEnd, html};

pub use parts::{ClaimShown, HeadingShown, Parts, ResolvedLink, ShownValue};
pub use written::{BlockHtml, Body};

use super::escape;
use super::fence::is_analysis;
use super::inline;
use super::markup::{self, Piece};
use super::raw::Raw;
use callout::Callouts;
use footnote::Footnotes;
use renderer::Renderer;

use neuronotes_core::cut::Cut as _;

/// Renders a note's Markdown.
pub fn render(markdown: &str, parts: Parts<'_>) -> String {
    body(markdown, parts).html
}

/// The same with its blocks.
pub fn body(markdown: &str, parts: Parts<'_>) -> Body {
    let closed = parts.closed;
    let mut renderer = Renderer::new(markdown, parts);
    markup::walk(markdown, &mut |piece, range| renderer.piece(piece, range));
    let body = renderer.finish();
    if closed { closed::closed(body) } else { body }
}

/// Renders a caption or a configured line: Markdown with links and values resolved, without an enclosing paragraph.
pub fn render_inline(markdown: &str, parts: Parts<'_>) -> String {
    let html = render(markdown, parts);
    let trimmed = html.trim();
    match trimmed.strip_prefix("<p>").and_then(|rest| rest.strip_suffix("</p>")) {
        Some(inner) if !inner.contains("<p>") => inner.to_owned(),
        _ => trimmed.to_owned(),
    }
}

impl<'p, 'e> Renderer<'p, 'e> {
    fn new(markdown: &'e str, parts: Parts<'p>) -> Self {
        let footnotes = Footnotes::new(parts.prefix);
        Self {
            markdown,
            parts,
            done: Body { html: String::with_capacity(markdown.len() * 3 / 2), ..Body::default() },
            out: Vec::new(),
            depth: 0,
            begun: Vec::new(),
            block: 0..0,
            block_heading: None,
            block_figures: 0,
            headings: 0,
            links: 0,
            figures: 0,
            formulas: 0,
            values: 0,
            citations: 0,
            notes: 0,
            open_notes: 0,
            ends: Vec::new(),
            hide_text: false,
            in_analysis: false,
            title: None,
            used: BTreeSet::new(),
            anchored: Vec::new(),
            cited: None,
            code: None,
            image: None,
            embeds: false,
            footnotes,
            callouts: Callouts::default(),
            found: Raw::default(),
        }
    }

    fn finish(mut self) -> Body {
        self.end_outermost();
        let footnotes = std::mem::take(&mut self.footnotes);
        footnotes.write(&mut self.done.html, &mut self.done.blocks);
        self.direct(self.done.blocks.last().map_or(0, |block| block.place.end));
        self.done
    }

    /// Writes the events of an outermost block.
    fn end_outermost(&mut self) {
        let start = self.done.html.len();
        html::push_html(&mut self.done.html, self.out.drain(..));
        self.direct(start);
        let figures = std::mem::replace(&mut self.block_figures, self.figures)..self.figures;
        let heading = self.block_heading.take();
        let place = start..self.done.html.len();
        if !place.is_empty() {
            self.done.blocks.push(BlockHtml { place, heading, figures, span: self.block.clone() });
        }
    }

    fn raw(&mut self, html: impl Into<CowStr<'e>>) {
        self.out.push(Event::InlineHtml(html.into()));
    }

    /// An id of the note with this page's prefix.
    fn id(&self, id: &str) -> String {
        format!("{}{}", escape(self.parts.prefix), escape(id))
    }

    /// Whether a place of the source is outside the part that is shown.
    fn is_outside(&self, range: &Range<usize>) -> bool {
        let inside = |part: &Range<usize>| part.start <= range.start && range.end <= part.end;
        self.parts.part.as_ref().is_some_and(|part| !inside(part)) && !self.footnotes.is_open()
    }

    fn piece(&mut self, piece: Piece<'e>, range: Range<usize>) {
        let opens = match &piece {
            Piece::Plain(event @ Event::Start(_)) => !markup::is_inline(event),
            Piece::Callout(_) | Piece::Embeds => true,
            _ => false,
        };
        let closes = match &piece {
            Piece::Plain(event @ Event::End(_)) => !markup::is_inline(event),
            Piece::CalloutEnd | Piece::EmbedsEnd => true,
            _ => false,
        };
        if opens {
            if self.depth == 0 {
                self.block = range.clone();
            }
            self.begin();
            self.depth += 1;
        }
        self.placed(piece, range);
        if closes {
            self.depth = self.depth.saturating_sub(1);
        }
        if self.depth == 0 && !self.out.is_empty() {
            self.end_outermost();
        }
    }

    fn placed(&mut self, piece: Piece<'e>, range: Range<usize>) {
        let outside = self.is_outside(&range);
        match piece {
            Piece::Plain(event) if outside => self.pass(event, range),
            Piece::Plain(event) => self.event(event, range),
            Piece::Cite(citation) => {
                self.citations += 1;
                let shown = self.parts.citations.get(self.citations - 1);
                let html = shown.cloned().unwrap_or_else(|| escape(&citation.text));
                if let Some(image) = &mut self.image {
                    image.alt.push_str(&citation.text);
                } else if !outside && !self.hidden() {
                    self.raw(html);
                }
            }
            _ if outside => {}
            Piece::Tag(name) => self.tag(&name),
            Piece::Anchor(id) if !self.used.insert(format!("^{id}")) => {}
            Piece::Anchor(id) => self.anchor(id, range),
            Piece::Cited(id) => self.cited(id),
            Piece::CitedEnd => self.cited_end(),
            Piece::Mark if self.image.is_none() && !self.hidden() => self.raw("<mark>"),
            Piece::MarkEnd if self.image.is_none() && !self.hidden() => self.raw("</mark>"),
            Piece::Mark | Piece::MarkEnd => {}
            Piece::Callout(callout) => {
                let html = self.callouts.begin(&callout);
                self.out.push(Event::Html(html.into()));
            }
            Piece::CalloutTitleEnd => {
                let html = self.callouts.title_end();
                self.out.push(Event::Html(html.into()));
            }
            Piece::CalloutEnd => {
                let html = self.callouts.end();
                self.out.push(Event::Html(html.into()));
            }
            Piece::Task(sign) => self.raw(element::task(sign)),
            Piece::Note if !self.hidden() => {
                self.notes += 1;
                // No label of a footnote has such a character.
                let name = format!("\u{1}{}", self.notes);
                let mark = self.footnotes.cite(&name);
                self.raw(mark);
                self.found.enter();
                self.footnotes.begin(&name, std::mem::take(&mut self.out));
                self.out.push(Event::Start(Tag::Paragraph));
                self.open_notes += 1;
            }
            Piece::NoteEnd if self.open_notes > 0 => {
                self.open_notes -= 1;
                self.found.leave();
                self.out.push(Event::End(TagEnd::Paragraph));
                self.out = self.footnotes.end(std::mem::take(&mut self.out));
            }
            Piece::Note | Piece::NoteEnd => {}
            Piece::Embeds => {
                let next = self.parts.links.get(self.links);
                self.embeds = matches!(next, Some(ResolvedLink::Embed { .. }));
                if !self.embeds {
                    self.out.push(Event::Start(Tag::Paragraph));
                }
            }
            Piece::EmbedsEnd => {
                if !std::mem::take(&mut self.embeds) {
                    self.out.push(Event::End(TagEnd::Paragraph));
                }
            }
        }
    }

    /// Hidden parts are counted nevertheless.
    fn pass(&mut self, event: Event<'e>, range: Range<usize>) {
        match event {
            Event::Code(text) => drop(self.value(&text, range)),
            Event::InlineMath(_) | Event::DisplayMath(_) => self.formulas += 1,
            Event::Start(Tag::Link { .. } | Tag::Image { .. }) => self.links += 1,
            Event::Html(html) | Event::InlineHtml(html) => {
                self.links += self.found.find(&html).len()
            }
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) if is_analysis(&info) => {
                self.figures += 1;
            }
            Event::End(TagEnd::Heading(_)) => self.headings += 1,
            // A footnote is shown wherever it is cited.
            Event::Start(Tag::FootnoteDefinition(name)) => {
                self.found.enter();
                self.footnotes.begin(&name, std::mem::take(&mut self.out));
            }
            _ => {}
        }
    }

    fn event(&mut self, event: Event<'e>, range: Range<usize>) {
        let event = match event {
            Event::Code(text) => match self.value(&text, range) {
                // The outline counts values everywhere, so they are counted here too.
                Some(value) if self.image.is_some() => Event::Text(value.text.clone().into()),
                // Links cannot be nested.
                Some(value) if !self.ends.is_empty() => {
                    Event::InlineHtml(value.html.clone().into())
                }
                Some(value) => Event::InlineHtml(value.linked().into()),
                None => Event::Code(text),
            },
            Event::Html(html) => Event::Html(self.raw_links(html)),
            Event::InlineHtml(html) => Event::InlineHtml(self.raw_links(html)),
            event => event,
        };
        if self.image.is_some() {
            return self.alternative_text(event);
        }
        if let (Some((_, code)), Event::Text(text)) = (&mut self.code, &event) {
            code.push_str(text);
            return;
        }
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::InlineMath(tex) => self.math(&tex, false),
            Event::DisplayMath(tex) => self.math(&tex, true),
            _ if self.hidden() => {}
            Event::FootnoteReference(name) => {
                let mark = self.footnotes.cite(&name);
                self.raw(mark);
            }
            // A check box has no label of its own: it is part of its item, and cannot be ticked here.
            Event::TaskListMarker(done) => {
                let checked = if done { " checked" } else { "" };
                let state = if done { "done" } else { "to do" };
                self.raw(format!(
                    "<input type=\"checkbox\" disabled aria-label=\"{state}\"{checked}> "
                ));
            }
            event => self.out.push(event),
        }
    }

    /// The HTML for code that is a value.
    fn value(&mut self, text: &str, range: Range<usize>) -> Option<&'p ShownValue> {
        inline::of_code(self.markdown.cut(range), text)?;
        self.values += 1;
        self.parts.values.get(self.values - 1)
    }

    fn hidden(&self) -> bool {
        self.hide_text || self.in_analysis
    }
}
