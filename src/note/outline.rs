//! What other parts of the garden ask of a note: its headings, its links with the sentences around them,
//! its analysis blocks and its opening, found in one pass over the syntax tree.

use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, LinkType, Options, Parser, Tag, TagEnd};
use unicode_segmentation::UnicodeSegmentation as _;

use super::block::RawBlock;
use super::inline::{self, InlineValue, fill, mark, unmarked};
use super::raw::{Form, Raw, plain};
use crate::diagnostic::{Diagnostic, SourceFile};

/// The Markdown that notes are written in: CommonMark with GitHub's extensions and wikilinks.
pub(super) const OPTIONS: Options = Options::ENABLE_TABLES
    .union(Options::ENABLE_FOOTNOTES)
    .union(Options::ENABLE_STRIKETHROUGH)
    .union(Options::ENABLE_TASKLISTS)
    .union(Options::ENABLE_WIKILINKS);

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

/// How a link is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkKind {
    /// `[[target]]`
    Wiki,
    /// `![[target]]`
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
    pub blocks: Vec<RawBlock>,
    pub values: Vec<InlineValue>,
    /// With marks for values.
    pub excerpt: String,
    pub opens_with_heading: bool,
    pub problems: Vec<Diagnostic>,
}

/// The words that a wikilink without a label shows.
pub(super) fn wiki_label(dest: &str) -> String {
    match dest.split_once('#') {
        None => dest.trim().to_owned(),
        Some((target, fragment)) => {
            let fragment = fragment.trim_start_matches('^').trim();
            match target.trim() {
                "" => fragment.to_owned(),
                target => format!("{target} › {fragment}"),
            }
        }
    }
}

/// Walks the Markdown that begins at `body`. Values count on from `values`.
pub fn parse(at: SourceFile<'_>, body: usize, values: usize) -> Outline {
    let mut walk = Walk { first_value: values, ..Walk::new(at) };
    for (event, range) in Parser::new_ext(&at.text[body..], OPTIONS).into_offset_iter() {
        walk.event(event, body + range.start..body + range.end);
    }
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
    block: Option<RawBlock>,
    in_code: bool,
    seen_anything: bool,
    in_paragraph: bool,
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
            block: None,
            in_code: false,
            seen_anything: false,
            in_paragraph: false,
            raw: Raw::default(),
            raw_link: None,
        }
    }

    fn event(&mut self, event: Event<'_>, range: Range<usize>) {
        match event {
            Event::Start(tag) => self.start(tag, range),
            Event::End(tag) => self.end(tag, range),
            Event::Text(text) if self.in_code => {
                if let Some(block) = &mut self.block {
                    block.pieces.push((block.text.len(), range.start));
                    block.text.push_str(&text);
                }
            }
            Event::Code(text) => self.code(&text, range),
            Event::Text(text) if !self.hide_text => self.flat.push_str(&unmarked(&text)),
            Event::SoftBreak | Event::HardBreak => self.flat.push(' '),
            Event::Html(html) => self.raw_links(&html, range, false),
            Event::InlineHtml(html) => self.raw_links(&html, range, true),
            _ => {}
        }
    }

    /// Links in raw HTML, which stands within a line of prose or for itself.
    fn raw_links(&mut self, html: &str, range: Range<usize>, within_line: bool) {
        if within_line && html.to_ascii_lowercase().starts_with("</a") {
            self.end_raw_link();
        }
        for found in self.raw.find(html) {
            let (target, fragment) = match found.target.split_once('#') {
                Some((target, fragment)) => (target, Some(fragment.to_owned())),
                None => (&*found.target, None),
            };
            let text = match (found.form, found.label.as_str()) {
                (Form::Wiki, "") => wiki_label(&found.target),
                (_, label) => label.to_owned(),
            };
            if within_line && found.form == Form::Href {
                self.end_raw_link();
                self.raw_link = Some((self.out.links.len(), self.flat.len()));
            }
            let before = plain(&html[..found.range.start]);
            let spaced = if before.is_empty() { before } else { format!("{before} ") };
            self.out.links.push(Link {
                kind: match found.form {
                    Form::Wiki => LinkKind::Wiki,
                    Form::Href => LinkKind::Markdown,
                    Form::Src => LinkKind::Image,
                },
                target: target.to_owned(),
                fragment,
                span: range.start + found.range.start..range.start + found.range.end,
                mention: Mention { before: spaced, text, after: String::new() },
                section: self.out.headings.len().checked_sub(1),
            });
        }
    }

    fn end_raw_link(&mut self) {
        if let Some((index, start)) = self.raw_link.take() {
            self.here.push((index, start..self.flat.len()));
        }
    }

    /// Code within a line, which may be a value.
    fn code(&mut self, text: &str, range: Range<usize>) {
        let shown = match inline::of_code(&self.at.text[range.clone()], text) {
            Some(asked) => {
                let number = self.first_value + self.out.values.len();
                self.out.values.push(InlineValue::parse(self.at.text, range, asked));
                mark(number)
            }
            None => unmarked(text),
        };
        if !self.hide_text {
            self.flat.push_str(&shown);
        }
    }

    fn start(&mut self, tag: Tag<'_>, range: Range<usize>) {
        match tag {
            Tag::Heading { level, .. } => {
                self.flush();
                self.out.opens_with_heading |= !self.seen_anything;
                self.heading = Some((level as u8, range));
            }
            Tag::CodeBlock(kind) => {
                self.flush();
                self.in_code = true;
                if let CodeBlockKind::Fenced(info) = &kind
                    && is_analysis(info)
                {
                    let block = RawBlock { span: range, text: String::new(), pieces: vec![] };
                    self.block = Some(block);
                }
            }
            Tag::Link { link_type, dest_url, .. } => self.link(link_type, &dest_url, range, false),
            Tag::Image { link_type, dest_url, .. } => self.link(link_type, &dest_url, range, true),
            Tag::Emphasis | Tag::Strong | Tag::Strikethrough => {}
            tag => {
                self.flush();
                self.in_paragraph = matches!(tag, Tag::Paragraph);
            }
        }
        self.seen_anything = true;
    }

    fn link(&mut self, link_type: LinkType, dest: &str, range: Range<usize>, image: bool) {
        let wiki = matches!(link_type, LinkType::WikiLink { .. });
        let kind = match (wiki, image) {
            (true, false) => LinkKind::Wiki,
            (true, true) => LinkKind::Embed,
            (false, false) => LinkKind::Markdown,
            (false, true) => LinkKind::Image,
        };
        // In a table the bar before a label is written `\|`, of which the backslash reaches us.
        let dest = if wiki { dest.strip_suffix('\\').unwrap_or(dest) } else { dest };
        let (target, fragment) = match dest.split_once('#') {
            Some((target, fragment)) => (target, Some(fragment.to_owned())),
            None => (dest, None),
        };
        let email = link_type == LinkType::Email;
        let start = self.flat.len();
        if link_type == (LinkType::WikiLink { has_pothole: false }) {
            self.flat.push_str(&wiki_label(dest));
            self.hide_text = true;
        }
        self.open_links.push((self.out.links.len(), start));
        self.out.links.push(Link {
            kind,
            target: if email { format!("mailto:{target}") } else { target.trim().to_owned() },
            fragment,
            span: range,
            mention: Mention::default(),
            section: self.out.headings.len().checked_sub(1),
        });
    }

    fn end(&mut self, tag: TagEnd, range: Range<usize>) {
        match tag {
            TagEnd::Link | TagEnd::Image => {
                self.hide_text = false;
                if let Some((index, start)) = self.open_links.pop() {
                    self.here.push((index, start..self.flat.len()));
                }
            }
            TagEnd::CodeBlock => {
                self.in_code = false;
                if let Some(block) = self.block.take() {
                    self.unclosed(&block);
                    self.out.blocks.push(block);
                }
            }
            TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough => {}
            TagEnd::Heading(_) => {
                if let Some((level, _)) = self.heading.take() {
                    let shown = self.flat.trim().to_owned();
                    let first = self.first_value;
                    let values = &self.out.values;
                    let asked = |n: usize| values.get(n.checked_sub(first)?).map(|v| &*v.text);
                    let text = fill(&shown, asked);
                    let id = String::new();
                    self.out.headings.push(Heading { level, id, text, shown, span: range });
                }
                self.in_paragraph = false;
                self.flush();
            }
            _ => self.flush(),
        }
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
        for (index, place) in std::mem::take(&mut self.here) {
            self.out.links[index].mention = mention(&self.flat, place);
        }
        self.flat.clear();
    }
}

/// The sentence of `text` around `place`, by Unicode's rules, cut at word boundaries where it is long.
fn mention(text: &str, place: Range<usize>) -> Mention {
    let (mut start, mut end) = (0, text.len());
    for (offset, sentence) in text.split_sentence_bound_indices() {
        if offset <= place.start {
            start = offset;
        }
        if offset + sentence.len() >= place.end {
            end = offset + sentence.len();
            break;
        }
    }
    let before = text[start..place.start].trim_start();
    let after = text[place.end..end.max(place.end)].trim_end();
    let cut = |text: &str| text.chars().count() > 200;
    Mention {
        before: if cut(before) {
            format!("… {}", last_words(before, 180))
        } else {
            before.into()
        },
        text: text[place].to_owned(),
        after: if cut(after) { shorten(after, 180) } else { after.into() },
    }
}

fn last_words(text: &str, characters: usize) -> &str {
    let skip = text.chars().count().saturating_sub(characters);
    let from = text.char_indices().nth(skip).map_or(0, |(i, _)| i);
    text[from..].find(' ').map_or(&text[from..], |i| &text[from + i + 1..])
}

/// Cut after at most so many characters, at a word's end, with an ellipsis.
fn shorten(text: &str, characters: usize) -> String {
    let Some((end, _)) = text.char_indices().nth(characters) else {
        return text.to_owned();
    };
    let end = text[..end].rfind(' ').unwrap_or(end);
    format!("{}…", text[..end].trim_end_matches([',', ';', ':', ' ']))
}
