//! What other parts of the garden ask of a note: its headings, its links with the sentences around them,
//! its analysis blocks and its opening, found in one pass over the syntax tree.

mod link;
mod mention;
mod table;

use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, Tag, TagEnd};

use super::block::RawBlock;
use super::inline::{self, InlineValue, fill, mark, unmarked};
use super::markup::{self, Citation, Piece};
use super::raw::Raw;
use super::{escape, math};
use crate::diagnostic::{Diagnostic, SourceFile};
pub(super) use link::wiki_label;
use mention::{mention, shorten};

/// The info string of an analysis block.
pub(super) fn is_analysis(info: &str) -> bool {
    let mut words = info.split_whitespace();
    matches!(words.next(), Some("yaml" | "yml"))
        && words.next() == Some("analysis")
        && words.next().is_none()
}

/// A heading.
#[derive(Debug, Clone, PartialEq)]
pub struct Heading {
    /// 1 to 6.
    pub level: u8,
    /// Its anchor, unique in the note.
    pub id: String,
    /// Plain text; a value as it is asked for, so that no measurement moves an anchor.
    pub text: String,
    /// The same with marks for values, which [`fill`] replaces.
    pub shown: String,
    /// The same as HTML: code, mathematics and emphasis, no links.
    pub html: String,
    /// In the source.
    pub span: Range<usize>,
}

/// A link or an image.
#[derive(Debug, Clone, PartialEq)]
pub struct Link {
    /// How it is written.
    pub kind: LinkKind,
    /// What it points to, without the fragment.
    pub target: String,
    /// What follows the first `#`.
    pub fragment: Option<String>,
    /// In the source, brackets included.
    pub span: Range<usize>,
    /// The sentence it stands in.
    pub mention: Mention,
    /// The anchor of the heading that it stands under.
    pub section: Option<usize>,
}

/// A block that is named by `^id`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    /// Without the sign.
    pub id: String,
    /// The block in the source.
    pub span: Range<usize>,
}

/// How a link is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkKind {
    /// `[[target]]`
    Wiki,
    /// `![[target]]` that stands by itself.
    Embed,
    /// `[text](target)` and its kin.
    Markdown,
    /// `![text](target)`
    Image,
}

/// The sentence around a link, in plain text. Where a value stands in it there is a mark, which [`fill`] replaces.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mention {
    /// Up to the link.
    pub before: String,
    /// The link's own text.
    pub text: String,
    /// After the link.
    pub after: String,
}

/// What one pass finds.
#[derive(Debug, Default)]
pub struct Outline {
    pub headings: Vec<Heading>,
    pub links: Vec<Link>,
    pub anchors: Vec<Anchor>,
    /// Places that are named in HTML.
    pub marks: Vec<String>,
    pub citations: Vec<Citation>,
    /// Written in the prose, each once.
    pub tags: Vec<String>,
    /// The prose before the first heading, then that below each heading, with marks for values.
    pub texts: Vec<String>,
    pub blocks: Vec<RawBlock>,
    pub values: Vec<InlineValue>,
    /// With marks for values.
    pub excerpt: String,
    pub opens_with_heading: bool,
    pub problems: Vec<Diagnostic>,
}

/// Walks the Markdown that begins at `body`. Values count on from `values`.
pub fn parse(at: SourceFile<'_>, body: usize, values: usize) -> Outline {
    let mut walk = Walk { first_value: values, ..Walk::new(at) };
    walk.out.texts.push(String::new());
    markup::walk(&at.text[body..], &mut |piece, range| {
        walk.piece(piece, body + range.start..body + range.end, body);
    });
    walk.flush();
    walk.out
}

struct Walk<'a> {
    at: SourceFile<'a>,
    out: Outline,
    /// The number of the first value.
    first_value: usize,
    /// Plain text of the leaf block that is being read, with marks for values.
    flat: String,
    /// Links in it: the index in `out.links`, and their place in `flat`.
    here: Vec<(usize, Range<usize>)>,
    open_links: Vec<(usize, usize)>,
    /// Set inside a wikilink without label, whose text is made from its target.
    hide_text: bool,
    heading: Option<(u8, Range<usize>)>,
    /// HTML of the heading that is being read.
    heading_html: String,
    block: Option<RawBlock>,
    in_code: bool,
    seen_anything: bool,
    in_paragraph: bool,
    /// The last block that began at the top.
    last_block: Range<usize>,
    depth: usize,
    in_embeds: bool,
    raw: Raw,
    /// The open link of raw HTML within a line: its index in `out.links`, and where its text begins in `flat`.
    raw_link: Option<(usize, usize)>,
}

impl<'a> Walk<'a> {
    fn new(at: SourceFile<'a>) -> Self {
        Self {
            at,
            out: Outline::default(),
            first_value: 0,
            flat: String::new(),
            here: Vec::new(),
            open_links: Vec::new(),
            hide_text: false,
            heading: None,
            heading_html: String::new(),
            block: None,
            in_code: false,
            seen_anything: false,
            in_paragraph: false,
            last_block: 0..0,
            depth: 0,
            in_embeds: false,
            raw: Raw::default(),
            raw_link: None,
        }
    }

    fn piece(&mut self, piece: Piece<'_>, range: Range<usize>, body: usize) {
        match piece {
            Piece::Plain(event) => self.event(event, range),
            Piece::Tag(name) => {
                self.text(&format!("#{name}"));
                if !self.out.tags.iter().any(|known| **known == *name) {
                    self.out.tags.push(name.into_string());
                }
            }
            Piece::Cite(citation) => {
                let moved = |span: &Range<usize>| body + span.start..body + span.end;
                let mut keys = citation.keys;
                for key in &mut keys {
                    key.span = moved(&key.span);
                }
                if citation.bare {
                    self.text(&citation.text);
                }
                let span = moved(&citation.span);
                self.out.citations.push(Citation { keys, span, ..citation });
            }
            Piece::Anchor(id) => {
                // By itself it names the block before it.
                let alone = self.at.text[range.clone()].trim() == format!("^{id}");
                let span = if alone { self.last_block.clone() } else { range };
                self.out.anchors.push(Anchor { id: id.to_owned(), span });
            }
            Piece::Callout(_) | Piece::CalloutTitleEnd | Piece::CalloutEnd => self.flush(),
            Piece::Embeds => {
                self.flush();
                self.in_embeds = true;
            }
            Piece::EmbedsEnd => {
                self.flush();
                self.in_embeds = false;
            }
            Piece::Mark | Piece::MarkEnd => {}
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
            Event::InlineMath(tex) | Event::DisplayMath(tex) => self.math(&tex, &range),
            Event::SoftBreak | Event::HardBreak => self.text(" "),
            Event::Html(html) => self.raw_links(&html, range, false),
            Event::InlineHtml(html) => self.raw_links(&html, range, true),
            _ => {}
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

    fn math(&mut self, tex: &str, range: &Range<usize>) {
        if !self.hide_text {
            self.flat.push_str(&unmarked(tex));
        }
        let html = math::mathml(tex, false).unwrap_or_else(|fault| {
            let source = &self.at.text[range.clone()];
            let start = range.start + source.find(tex).unwrap_or(0);
            let span = start + fault.span.start..start + fault.span.end.max(fault.span.start + 1);
            let span = span.start.min(range.end)..span.end.min(range.end);
            let problem =
                self.at.error(span, format!("the formula cannot be read: {}", fault.message));
            let hint = "mathematics stands between dollar signs; `\\$` is a dollar sign".to_owned();
            self.out.problems.push(problem.hint(hint));
            format!("<code>{}</code>", escape(tex))
        });
        self.element(&html);
    }

    /// Code within a line, which may be a value.
    fn code(&mut self, text: &str, range: Range<usize>) {
        let (shown, html) = match inline::of_code(&self.at.text[range.clone()], text) {
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

    /// A part of a heading that has a meaning of its own.
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
            Tag::Table(_) => self.out.problems.extend(table::cut_links(self.at, range)),
            tag => self.in_paragraph = matches!(tag, Tag::Paragraph),
        }
    }

    fn end(&mut self, tag: TagEnd, range: Range<usize>) {
        match tag {
            TagEnd::Link | TagEnd::Image => {
                self.hide_text = false;
                if let Some((index, start)) = self.open_links.pop() {
                    self.here.push((index, start..self.flat.len()));
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
            TagEnd::CodeBlock => {
                self.in_code = false;
                if let Some(block) = self.block.take() {
                    self.unclosed(&block);
                    self.out.blocks.push(block);
                }
            }
            TagEnd::Heading(_) => {
                if let Some((level, _)) = self.heading.take() {
                    let shown = self.flat.trim().to_owned();
                    let first = self.first_value;
                    let values = &self.out.values;
                    let asked = |n: usize| values.get(n.checked_sub(first)?).map(|v| &*v.text);
                    let text = fill(&shown, asked);
                    let id = String::new();
                    let html = std::mem::take(&mut self.heading_html).trim().to_owned();
                    self.settle_links();
                    self.flat.clear();
                    self.out.headings.push(Heading { level, id, text, shown, html, span: range });
                    self.out.texts.push(String::new());
                }
                self.in_paragraph = false;
            }
            _ => {}
        }
        self.flush();
    }

    /// CommonMark closes an open fence at the end of the document; here that swallows the rest of a note.
    fn unclosed(&mut self, block: &RawBlock) {
        let text = self.at.text[block.span.clone()].trim_end();
        let fence = if text.starts_with('~') { '~' } else { '`' };
        let last = text.lines().last().unwrap_or("").trim();
        let closed =
            text.lines().count() > 1 && last.len() >= 3 && last.chars().all(|c| c == fence);
        if !closed {
            let line = text.lines().next().unwrap_or("").len();
            let span = block.span.start..block.span.start + line;
            let problem = self.at.error(span, "the analysis block is never closed");
            self.out
                .problems
                .push(problem.hint(format!("end it with a line {}", fence.to_string().repeat(3))));
        }
    }

    /// Ends a leaf block: gives its links their sentences.
    fn flush(&mut self) {
        self.end_raw_link();
        if self.in_paragraph && self.out.excerpt.is_empty() && !self.flat.trim().is_empty() {
            self.out.excerpt = shorten(self.flat.trim(), 220);
        }
        self.in_paragraph = false;
        self.settle_links();
        if let Some(text) = self.out.texts.last_mut().filter(|_| !self.flat.is_empty()) {
            text.push_str(self.flat.trim());
            text.push(' ');
        }
        self.flat.clear();
    }

    fn settle_links(&mut self) {
        for (index, place) in std::mem::take(&mut self.here) {
            self.out.links[index].mention = mention(&self.flat, place);
        }
    }
}
