//! The outline of a note: its headings, links with their sentences, analysis blocks and opening, found in one pass
//! over the syntax tree.

mod anchor;
mod excerpt;
mod fence;
mod formula;
mod link;
mod mention;
mod open;
mod part;
mod table;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, Tag, TagEnd};

use super::escape;
use super::fence::{RawBlock, is_analysis};
use super::inline::{self, InlineValue};
use super::mark::{citation_mark, fill, fill_citations, mark, unmarked};
use super::markup::{self, Citation, Piece};
use super::math::{Formulas, Macros};
use super::raw::Raw;
use crate::diagnostic::{Diagnostic, SourceFile};
use excerpt::Excerpt;
use neuronotes_core::cut::Cut as _;
pub use part::{Anchor, Heading, Link, LinkKind, Mention, Open, Sentence};

/// The result of the pass.
#[derive(Debug, Default)]
pub struct Outline {
    pub headings: Vec<Heading>,
    pub links: Vec<Link>,
    pub anchors: Vec<Anchor>,
    /// Anchors in raw HTML.
    pub marks: Vec<String>,
    pub citations: Vec<Citation>,
    /// Tags in the prose, each once.
    pub tags: Vec<String>,
    /// The prose before the first heading, then that below each heading, with marks for values and citations.
    pub texts: Vec<String>,
    pub blocks: Vec<RawBlock>,
    pub values: Vec<InlineValue>,
    /// The opening, with marks for values and citations.
    pub excerpt: String,
    pub opens_with_heading: bool,
    /// HTML of the formulas, in order.
    pub formulas: Vec<String>,
    /// Ids in raw HTML, each with its attribute's span.
    pub html_ids: Vec<(String, Range<usize>)>,
    pub open: Vec<Open>,
    pub problems: Vec<Diagnostic>,
}

/// Processes the Markdown that begins at `body`. Values are numbered from `values`; `macros` are those of formulas.
pub fn parse(at: SourceFile<'_>, body: usize, values: usize, macros: &Macros) -> Outline {
    outlined(Walk { first_value: values, ..Walk::new(at, macros) }, body)
}

/// Processes a caption, in which citations are plain text.
pub fn caption(at: SourceFile<'_>, values: usize, macros: &Macros) -> Outline {
    outlined(Walk { first_value: values, is_caption: true, ..Walk::new(at, macros) }, 0)
}

fn outlined(mut walk: Walk<'_>, body: usize) -> Outline {
    let at = walk.at;
    walk.out.texts.push(String::new());
    let open = markup::walk(at.text.cut(body..), &mut |piece, range| {
        walk.piece(piece, body + range.start..body + range.end, body);
    });
    if let Some(sign) = open {
        let problem = at.warning(body + sign.start..body + sign.end, "the comment is never closed");
        let hint = "everything after it is hidden; end it with `%%`, or write `\\%%` for literal percent signs";
        walk.out.problems.push(problem.hint(hint.to_owned()));
    }
    walk.flush();
    walk.end_formulas();
    walk.out.excerpt = walk.excerpt.take();
    walk.out
}

struct Walk<'a> {
    at: SourceFile<'a>,
    out: Outline,
    /// The number of the first value.
    first_value: usize,
    is_caption: bool,
    excerpt: Excerpt,
    /// Plain text of the current leaf block, with marks for values.
    flat: String,
    /// Links in it: the index in `out.links` and the span in `flat`.
    here: Vec<(usize, Range<usize>)>,
    open_links: Vec<(usize, usize)>,
    /// Set inside a wikilink without label, whose text is made from its target.
    hide_text: bool,
    heading: Option<(u8, Range<usize>)>,
    /// HTML of the current heading.
    heading_html: String,
    block: Option<RawBlock>,
    in_code: bool,
    seen_anything: bool,
    /// The last top-level block that began.
    last_block: Range<usize>,
    depth: usize,
    in_embeds: bool,
    raw: Raw,
    /// The open inline link of raw HTML: its index in `out.links`, and the start of its text in `flat`.
    raw_link: Option<(usize, usize)>,
    /// The tags in `out.tags`.
    tags: BTreeSet<String>,
    /// Number of open block quotes.
    quotes: usize,
    /// The enclosing state of each open inline footnote.
    notes: Vec<Around>,
    macros: &'a Macros,
    /// The formulas so far, and their positions; `None` before the first.
    formulas: Option<Formulas>,
    formula_places: Vec<Range<usize>>,
    /// The open cited sentence: its name's index, and where it begins in `flat` and in the source.
    cited: Option<(usize, usize, usize)>,
}

/// The state around an inline footnote.
struct Around {
    flat: String,
    here: Vec<(usize, Range<usize>)>,
    html: String,
    raw_link: Option<(usize, usize)>,
}

impl<'a> Walk<'a> {
    fn new(at: SourceFile<'a>, macros: &'a Macros) -> Self {
        Self {
            at,
            out: Outline::default(),
            first_value: 0,
            is_caption: false,
            excerpt: Excerpt::default(),
            flat: String::new(),
            here: Vec::new(),
            open_links: Vec::new(),
            hide_text: false,
            heading: None,
            heading_html: String::new(),
            block: None,
            in_code: false,
            seen_anything: false,
            last_block: 0..0,
            depth: 0,
            in_embeds: false,
            raw: Raw::default(),
            raw_link: None,
            tags: BTreeSet::new(),
            quotes: 0,
            notes: Vec::new(),
            macros,
            formulas: None,
            formula_places: Vec::new(),
            cited: None,
        }
    }

    fn piece(&mut self, piece: Piece<'_>, range: Range<usize>, body: usize) {
        match piece {
            Piece::Plain(event) => self.event(event, range),
            Piece::Tag(name) => {
                self.text(&format!("#{name}"));
                if self.tags.insert(name.to_string()) {
                    self.out.tags.push(name.into_string());
                }
            }
            Piece::Cite(citation) => {
                let moved = |span: &Range<usize>| body + span.start..body + span.end;
                let mut keys = citation.keys;
                for key in &mut keys {
                    key.span = moved(&key.span);
                }
                if self.is_caption {
                    self.text(&citation.text);
                } else if !self.hide_text {
                    let mark = citation_mark(self.out.citations.len());
                    self.flat.push_str(&mark);
                    self.element(&mark);
                }
                let span = moved(&citation.span);
                self.out.citations.push(Citation { keys, span, ..citation });
            }
            Piece::Anchor(id) => self.anchor(id, range),
            Piece::Cited(id) => self.cited(id, range.start),
            Piece::CitedEnd => self.cited_end(range.end),
            Piece::Callout(callout) => {
                self.flush();
                self.opened(&callout, &range);
                self.quotes += 1;
            }
            Piece::CalloutTitleEnd => self.flush(),
            Piece::CalloutEnd => {
                self.flush();
                self.quotes = self.quotes.saturating_sub(1);
            }
            Piece::Embeds => {
                self.flush();
                self.in_embeds = true;
            }
            Piece::EmbedsEnd => {
                self.flush();
                self.in_embeds = false;
            }
            Piece::Note => {
                let flat = std::mem::take(&mut self.flat);
                let here = std::mem::take(&mut self.here);
                let html = std::mem::take(&mut self.heading_html);
                self.raw.enter();
                self.notes.push(Around { flat, here, html, raw_link: self.raw_link.take() });
            }
            Piece::NoteEnd => self.end_note(),
            Piece::Mark | Piece::MarkEnd | Piece::Task(_) => {}
        }
        self.seen_anything = true;
    }

    fn event(&mut self, event: Event<'_>, range: Range<usize>) {
        match event {
            Event::Start(tag) => self.start(tag, range),
            Event::End(tag) => self.end(tag, range),
            Event::Text(text) if self.in_code => {
                if let Some(block) = &mut self.block {
                    block.pieces.push((block.text.len(), range.start));
                    block.text.push_str(&text);
                } else {
                    self.flat.push_str(&unmarked(&text));
                }
            }
            Event::Code(text) => self.code(&text, range),
            Event::Text(text) => self.text(&text),
            Event::InlineMath(tex) => self.math(&tex, false, range),
            Event::DisplayMath(tex) => self.math(&tex, true, range),
            Event::SoftBreak | Event::HardBreak => self.text(" "),
            Event::Html(html) => self.raw_links(&html, range, false),
            Event::InlineHtml(html) => {
                if html.get(..3).is_some_and(|tag| tag.eq_ignore_ascii_case("<br")) {
                    self.text(" ");
                }
                self.raw_links(&html, range, true);
            }
            _ => {}
        }
    }

    /// A footnote's text is not part of the surrounding sentence.
    fn end_note(&mut self) {
        self.raw.leave();
        self.end_raw_link();
        self.settle_links();
        let note = std::mem::take(&mut self.flat);
        if let Some(text) = self.out.texts.last_mut() {
            text.push_str(note.trim());
            text.push(' ');
        }
        if let Some(around) = self.notes.pop() {
            (self.flat, self.here) = (around.flat, around.here);
            (self.heading_html, self.raw_link) = (around.html, around.raw_link);
        }
    }

    fn text(&mut self, text: &str) {
        if !self.hide_text {
            self.flat.push_str(&unmarked(text));
            if self.heading.is_some() {
                self.heading_html.push_str(&escape(&unmarked(text)));
            }
        }
    }

    /// Inline code, which may be a value.
    fn code(&mut self, text: &str, range: Range<usize>) {
        let (shown, html) = match inline::of_code(self.at.text.cut(range.clone()), text) {
            Some(asked) => {
                let number = self.first_value + self.out.values.len();
                self.out.values.push(InlineValue::parse(self.at.text, range, asked));
                (mark(number), mark(number))
            }
            None => (unmarked(text), format!("<code>{}</code>", escape(&unmarked(text)))),
        };
        if !self.hide_text {
            self.flat.push_str(&shown);
            if self.heading.is_some() {
                self.heading_html.push_str(&html);
            }
        }
    }

    /// A part of a heading with special meaning.
    fn element(&mut self, tag: &str) {
        if self.heading.is_some() {
            self.heading_html.push_str(tag);
        }
    }

    fn start(&mut self, tag: Tag<'_>, range: Range<usize>) {
        match tag {
            Tag::Emphasis => return self.element("<em>"),
            Tag::Strong => return self.element("<strong>"),
            Tag::Strikethrough => return self.element("<del>"),
            Tag::Link { link_type, dest_url, .. } => {
                return self.link(link_type, &dest_url, range, false);
            }
            Tag::Image { link_type, dest_url, .. } => {
                return self.link(link_type, &dest_url, range, true);
            }
            _ => self.flush(),
        }
        if self.depth == 0 {
            self.last_block = range.clone();
        }
        self.depth += 1;
        self.excerpt.begin(&tag);
        self.quotes += usize::from(matches!(tag, Tag::BlockQuote(_)));
        match tag {
            Tag::Heading { level, .. } => {
                self.out.opens_with_heading |= !self.seen_anything;
                self.heading_html.clear();
                self.heading = Some((level as u8, range));
            }
            Tag::CodeBlock(kind) => {
                self.in_code = true;
                if let CodeBlockKind::Fenced(info) = &kind
                    && is_analysis(info)
                {
                    let block = RawBlock { span: range, text: String::new(), pieces: vec![] };
                    self.block = Some(block);
                }
            }
            Tag::FootnoteDefinition(_) => self.raw.enter(),
            Tag::Table(_) => self.out.problems.extend(table::cut_links(self.at, range)),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd, range: Range<usize>) {
        match tag {
            TagEnd::Link | TagEnd::Image => {
                self.hide_text = false;
                if let Some((index, start)) = self.open_links.pop() {
                    self.here.push((index, start..self.flat.len()));
                    self.excerpt.link(&self.out.links[index], start..self.flat.len());
                }
            }
            TagEnd::Emphasis => self.element("</em>"),
            TagEnd::Strong => self.element("</strong>"),
            TagEnd::Strikethrough => self.element("</del>"),
            tag => self.end_block(tag, range),
        }
    }

    fn end_block(&mut self, tag: TagEnd, range: Range<usize>) {
        self.depth = self.depth.saturating_sub(1);
        match tag {
            TagEnd::FootnoteDefinition => self.raw.leave(),
            TagEnd::BlockQuote(_) => self.quotes = self.quotes.saturating_sub(1),
            TagEnd::CodeBlock => {
                self.in_code = false;
                match self.block.take() {
                    Some(mut block) => {
                        self.unclosed(&mut block);
                        self.out.blocks.push(block);
                    }
                    None => self.unasked(&range),
                }
            }
            TagEnd::Heading(_) => {
                if let Some((level, _)) = self.heading.take() {
                    self.end_raw_link();
                    let shown = self.flat.trim().to_owned();
                    let first = self.first_value;
                    let values = &self.out.values;
                    let asked = |n: usize| values.get(n.checked_sub(first)?).map(|v| &*v.text);
                    let cited = |n: usize| {
                        let citation = self.out.citations.get(n)?;
                        citation.bare.then_some(Cow::Borrowed(citation.text.as_str()))
                    };
                    let text = fill(&fill_citations(&shown, cited), asked);
                    let id = String::new();
                    let quoted = self.quotes > 0;
                    let html = std::mem::take(&mut self.heading_html).trim().to_owned();
                    self.settle_links();
                    self.flat.clear();
                    self.out.headings.push(Heading {
                        level,
                        id,
                        text,
                        shown,
                        html,
                        quoted,
                        span: range,
                    });
                    self.out.texts.push(String::new());
                }
            }
            _ => {}
        }
        self.flush();
        self.excerpt.end(tag);
    }

    /// Ends a leaf block: sets the sentences of its links.
    fn flush(&mut self) {
        self.end_raw_link();
        self.excerpt.leaf(&self.flat);
        self.settle_links();
        if let Some(text) = self.out.texts.last_mut().filter(|_| !self.flat.is_empty()) {
            text.push_str(self.flat.trim());
            text.push(' ');
        }
        self.flat.clear();
    }
}
