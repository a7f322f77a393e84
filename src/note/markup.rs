//! The syntax tree that notes are read from: CommonMark's events in; the same, with what CommonMark does not know as
//! pieces of their own, out.
//!
//! These are `==marked words==`, `%%comments%%`, `#tags`, `[@citations]`, `^anchors`, callouts (`> [!note]`) and embeds
//! (`![[note]]`) that stand alone. They are looked for in text only, never in code, mathematics, addresses or raw HTML.
//! The outline and the HTML of a note are made from the same pieces, so that the n-th link of one is that of the other.

mod cite;
mod run;

use std::ops::Range;

use pulldown_cmark::{CowStr, Event, LinkType, Options, Parser, Tag, TagEnd};

pub use cite::{Citation, CitedKey};

/// The Markdown that notes are written in: CommonMark with GitHub's extensions, mathematics and wikilinks.
const OPTIONS: Options = Options::ENABLE_TABLES
    .union(Options::ENABLE_FOOTNOTES)
    .union(Options::ENABLE_STRIKETHROUGH)
    .union(Options::ENABLE_TASKLISTS)
    .union(Options::ENABLE_MATH)
    .union(Options::ENABLE_DEFINITION_LIST)
    .union(Options::ENABLE_WIKILINKS);

/// A piece of a note.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Piece<'e> {
    /// As CommonMark has it.
    Plain(Event<'e>),
    /// Marked words begin.
    Mark,
    /// Marked words end.
    MarkEnd,
    /// `#tag`, without the sign.
    Tag(CowStr<'e>),
    /// `[@key]` or `@key`.
    Cite(Citation),
    /// `^id`: the name of the block that begins here, or of the one before it.
    Anchor(&'e str),
    /// A callout begins, with its title.
    Callout(Callout<'e>),
    /// A callout's title ends.
    CalloutTitleEnd,
    /// A callout ends.
    CalloutEnd,
    /// Embeds, and nothing else, stand here in the place of a paragraph.
    Embeds,
    /// They end.
    EmbedsEnd,
}

/// A block quote that is more: `> [!kind]- title`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Callout<'e> {
    /// As written.
    pub(super) kind: &'e str,
    /// Whether it has a title of its own.
    pub(super) titled: bool,
    /// Whether it can be folded, and if so, whether it is open at first.
    pub(super) open: Option<bool>,
}

/// Gives `sink` every piece of `markdown` with its place.
pub(super) fn walk<'e>(markdown: &'e str, sink: &mut dyn FnMut(Piece<'e>, Range<usize>)) {
    let mut reader = Reader {
        markdown,
        sink,
        held: Vec::new(),
        run: Vec::new(),
        quotes: Vec::new(),
        is_paragraph_gone: false,
        are_embeds: false,
        verbatim: 0,
        commenting: false,
    };
    for (event, range) in Parser::new_ext(markdown, OPTIONS).into_offset_iter() {
        reader.event(event, range);
    }
    reader.end_run(None);
}

type Placed<'e> = (Event<'e>, Range<usize>);

struct Reader<'e, 's> {
    markdown: &'e str,
    sink: &'s mut dyn FnMut(Piece<'e>, Range<usize>),
    /// A paragraph, perhaps in a block quote, that has just begun: what they are is known after its first line.
    held: Vec<Placed<'e>>,
    /// Inline events since the last block began or ended.
    run: Vec<Placed<'e>>,
    /// For each open block quote, whether it is a callout.
    quotes: Vec<bool>,
    /// Whether the end of the open paragraph is to be left out.
    is_paragraph_gone: bool,
    /// Whether embeds stand in the place of the open paragraph.
    are_embeds: bool,
    /// Open code and HTML blocks, whose text is not looked at.
    verbatim: usize,
    /// Whether a comment goes on over several blocks.
    commenting: bool,
}

impl<'e> Reader<'e, '_> {
    fn event(&mut self, event: Event<'e>, range: Range<usize>) {
        if self.verbatim == 0 && is_inline(&event) {
            self.run.push((event, range));
            return;
        }
        self.end_run(Some(&event));
        match &event {
            Event::Start(Tag::CodeBlock(_) | Tag::HtmlBlock) => self.verbatim += 1,
            Event::End(TagEnd::CodeBlock | TagEnd::HtmlBlock) => self.verbatim -= 1,
            Event::Start(Tag::BlockQuote(_)) => {
                self.flush_held();
                self.quotes.push(false);
                self.held.push((event, range));
                return;
            }
            Event::Start(Tag::Paragraph) => {
                self.held.push((event, range));
                return;
            }
            Event::End(TagEnd::BlockQuote(_)) => {
                self.flush_held();
                return match self.quotes.pop() {
                    Some(true) => self.give(Piece::CalloutEnd, range),
                    _ => self.give(Piece::Plain(event), range),
                };
            }
            Event::End(TagEnd::Paragraph) => {
                self.flush_held();
                if std::mem::take(&mut self.are_embeds) {
                    return self.give(Piece::EmbedsEnd, range);
                }
                if std::mem::take(&mut self.is_paragraph_gone) {
                    return;
                }
            }
            _ => {}
        }
        self.flush_held();
        self.give(Piece::Plain(event), range);
    }

    fn give(&mut self, piece: Piece<'e>, range: Range<usize>) {
        if !self.commenting {
            (self.sink)(piece, range);
        }
    }

    fn flush_held(&mut self) {
        for (event, range) in std::mem::take(&mut self.held) {
            self.give(Piece::Plain(event), range);
        }
    }

    /// The inline events up to here are all that there are in their block, or up to its first inner block.
    fn end_run(&mut self, next: Option<&Event<'e>>) {
        if self.run.is_empty() {
            return;
        }
        let mut run = std::mem::take(&mut self.run);
        let whole = run[0].1.start..run.iter().map(|(_, range)| range.end).max().unwrap_or(0);
        let source = &self.markdown[whole.clone()];
        if self.commenting {
            // The block comment ends with the paragraph that has its sign.
            self.held.clear();
            if source.trim_end().ends_with("%%") {
                self.commenting = false;
                self.is_paragraph_gone = true;
            }
            return;
        }
        let in_paragraph = matches!(self.held.last(), Some((Event::Start(Tag::Paragraph), _)));
        if in_paragraph && source.starts_with("%%") && !source[2..].contains("%%") {
            // The paragraph's own end is left out by the comment.
            self.held.pop();
            self.flush_held();
            self.commenting = true;
            return;
        }
        self.callout(&mut run, source);
        let are_embeds = source.starts_with("![[") && run::are_embeds(&run);
        let fences = are_embeds && !in_paragraph;
        if are_embeds && in_paragraph {
            let range = self.held.pop().map_or(whole.clone(), |(_, range)| range);
            self.flush_held();
            self.are_embeds = true;
            self.give(Piece::Embeds, range);
        } else if fences {
            self.give(Piece::Embeds, whole.clone());
        }
        let is_heading = matches!(next, Some(Event::End(TagEnd::Heading(_))));
        let mut block = self.held.last().map_or(whole.clone(), |(_, range)| range.clone());
        block.start = block.start.min(whole.start);
        let plain = run::is_plain(source);
        let is_named = !plain && !is_heading;
        let anchor = is_named.then(|| run::anchor(&mut run, self.markdown)).flatten();
        if anchor.is_some()
            && run.is_empty()
            && matches!(self.held.last(), Some((Event::Start(Tag::Paragraph), _)))
        {
            // It names what stands before it, and is no paragraph.
            self.held.pop();
            self.is_paragraph_gone = true;
        }
        self.flush_held();
        if plain {
            for (event, range) in run {
                self.give(Piece::Plain(event), range);
            }
        } else {
            if let Some(id) = anchor {
                self.give(Piece::Anchor(id), block);
            }
            for (piece, range) in run::pieces(run, self.markdown) {
                self.give(piece, range);
            }
        }
        if fences {
            self.give(Piece::EmbedsEnd, whole);
        }
    }

    /// Where the run begins a callout: gives its head and leaves the rest of the run.
    fn callout(&mut self, run: &mut Vec<Placed<'e>>, source: &'e str) {
        let opens = matches!(
            &self.held[..],
            [.., (Event::Start(Tag::BlockQuote(_)), _), (Event::Start(Tag::Paragraph), _)]
        );
        let Some((kind, after)) =
            source.strip_prefix("[!").filter(|_| opens).and_then(|rest| rest.split_once(']'))
        else {
            return;
        };
        let is_kind = !kind.is_empty()
            && kind.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | ' ' | '|'));
        if !is_kind {
            return;
        }
        let line = after.lines().next().unwrap_or("");
        let (open, title) = match line.as_bytes().first() {
            Some(b'-') => (Some(false), &line[1..]),
            Some(b'+') => (Some(true), &line[1..]),
            _ => (None, line),
        };
        let place = run[0].1.start;
        let title_at = place + source.len() - after.len() + (line.len() - title.len());
        let line_end = place + source.len() - after.len() + line.len();
        let titled = !title.trim().is_empty();
        let paragraph = self.held.pop();
        let quote = self.held.pop();
        self.flush_held();
        if let Some(open) = self.quotes.last_mut() {
            *open = true;
        }
        let range = quote.map_or(place..line_end, |(_, range)| range);
        self.give(Piece::Callout(Callout { kind: kind.trim(), titled, open }), range.clone());
        let end = run.iter().position(|(event, range)| {
            range.start >= line_end && matches!(event, Event::SoftBreak | Event::HardBreak)
        });
        let rest = end.map(|at| run.split_off(at)).unwrap_or_default();
        let mut head = std::mem::replace(run, rest);
        run::cut_before(&mut head, title_at);
        for (piece, range) in run::pieces(head, self.markdown) {
            self.give(piece, range);
        }
        self.give(Piece::CalloutTitleEnd, range);
        if !run.is_empty() {
            run.remove(0);
        }
        match paragraph.filter(|_| !run.is_empty()) {
            Some(paragraph) => self.held.push(paragraph),
            None => self.is_paragraph_gone = true,
        }
    }
}

/// Whether an event is part of a line.
pub(super) fn is_inline(event: &Event<'_>) -> bool {
    match event {
        Event::Start(tag) => matches!(
            tag,
            Tag::Emphasis
                | Tag::Strong
                | Tag::Strikethrough
                | Tag::Superscript
                | Tag::Subscript
                | Tag::Link { .. }
                | Tag::Image { .. }
        ),
        Event::End(tag) => matches!(
            tag,
            TagEnd::Emphasis
                | TagEnd::Strong
                | TagEnd::Strikethrough
                | TagEnd::Superscript
                | TagEnd::Subscript
                | TagEnd::Link
                | TagEnd::Image
        ),
        Event::Html(_) | Event::Rule => false,
        _ => true,
    }
}

/// Whether a link is written in double brackets.
pub(super) fn is_wiki(link: LinkType) -> bool {
    matches!(link, LinkType::WikiLink { .. })
}
