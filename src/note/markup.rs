//! The syntax tree of notes: CommonMark's events, extended by elements that CommonMark does not have.
//!
//! These are `==highlighted text==`, `%%comments%%`, `#tags`, `[@citations]`, `^anchors`, callouts (`> [!note]`) and
//! block-level embeds (`![[note]]`). They are recognised in text only, never in code, mathematics, addresses or raw
//! HTML. A note's outline and HTML are made from the same events, so the n-th link of one is that of the other.

mod callout;
mod cite;
mod cited;
mod dollar;
mod piece;
mod run;

use std::ops::Range;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use neuronotes_core::cut::Cut as _;

pub use cite::{Citation, CitedKey};
use piece::Placed;
pub(super) use piece::{Callout, Piece};

/// The Markdown dialect of notes: CommonMark with GitHub's extensions, mathematics and wikilinks.
const OPTIONS: Options = Options::ENABLE_TABLES
    .union(Options::ENABLE_FOOTNOTES)
    .union(Options::ENABLE_STRIKETHROUGH)
    .union(Options::ENABLE_TASKLISTS)
    .union(Options::ENABLE_MATH)
    .union(Options::ENABLE_DEFINITION_LIST)
    .union(Options::ENABLE_WIKILINKS);

/// Passes every event of `markdown` with its span to `sink`. Returns the position of an unclosed comment, if any.
pub(super) fn walk<'e>(
    markdown: &'e str,
    sink: &mut dyn FnMut(Piece<'e>, Range<usize>),
) -> Option<Range<usize>> {
    let mut reader = Reader {
        markdown,
        sink,
        held: Vec::new(),
        run: Vec::new(),
        blocks: Vec::new(),
        quotes: Vec::new(),
        are_embeds: false,
        verbatim: 0,
        comment: None,
        fresh_item: false,
    };
    match dollar::masked(markdown, OPTIONS) {
        None => {
            for (event, range) in Parser::new_ext(markdown, OPTIONS).into_offset_iter() {
                reader.event(event, range);
            }
        }
        Some(masked) => {
            for (event, range) in Parser::new_ext(&masked.text, OPTIONS).into_offset_iter() {
                reader.event(masked.restored(event), range);
            }
        }
    }
    reader.end_run(None);
    reader.comment
}

struct Reader<'e, 's> {
    markdown: &'e str,
    sink: &'s mut dyn FnMut(Piece<'e>, Range<usize>),
    /// A paragraph that has just begun, possibly in a block quote: what they are is known after the first line.
    held: Vec<Placed<'e>>,
    /// Inline events since the last block boundary.
    run: Vec<Placed<'e>>,
    /// For each open block, whether its beginning was emitted; otherwise its end is not either.
    blocks: Vec<bool>,
    /// For each open block quote that was emitted, whether it is a callout.
    quotes: Vec<bool>,
    /// Whether embeds replace the open paragraph.
    are_embeds: bool,
    /// Open code and HTML blocks, whose text is not examined.
    verbatim: usize,
    /// Mark of the comment that spans several blocks.
    comment: Option<Range<usize>>,
    /// Whether an item has just begun.
    fresh_item: bool,
}

impl<'e> Reader<'e, '_> {
    fn event(&mut self, event: Event<'e>, range: Range<usize>) {
        if self.verbatim == 0 && is_inline(&event) {
            if self.comment.is_some() {
                self.end_comment(&event, range);
            } else {
                self.run.push((event, range));
            }
            return;
        }
        self.end_run(Some(&event));
        match &event {
            Event::Start(tag) => {
                let outside = self.comment.is_some();
                let bereft = is_part(tag) && self.blocks.last() == Some(&false);
                self.blocks.push(!(outside || bereft));
                self.verbatim += usize::from(is_verbatim(tag.to_end()));
                self.fresh_item =
                    matches!(tag, Tag::Item) || (self.fresh_item && matches!(tag, Tag::Paragraph));
                if outside || bereft {
                    return;
                }
            }
            Event::End(tag) => {
                self.fresh_item = false;
                self.verbatim -= usize::from(is_verbatim(*tag));
                if !self.blocks.pop().unwrap_or(true) {
                    return;
                }
            }
            _ if self.comment.is_some() => return,
            _ => self.fresh_item = false,
        }
        match &event {
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
            }
            _ => {}
        }
        self.flush_held();
        self.give(Piece::Plain(event), range);
    }

    /// Ends the open comment if its mark is in the text; what follows is shown.
    fn end_comment(&mut self, event: &Event<'e>, range: Range<usize>) {
        let Event::Text(text) = event else { return };
        let Some(at) = text.find("%%").filter(|_| text.len() == range.len()) else { return };
        self.comment = None;
        let rest = range.start + at + 2..range.end;
        if !rest.is_empty() {
            self.run.push((Event::Text(self.markdown.cut(rest.clone()).into()), rest));
        }
    }

    /// Drops the end of the open block, whose beginning was dropped.
    fn leave_out_block(&mut self) {
        if let Some(given) = self.blocks.last_mut() {
            *given = false;
        }
    }

    fn give(&mut self, piece: Piece<'e>, range: Range<usize>) {
        (self.sink)(piece, range);
    }

    fn flush_held(&mut self) {
        for (event, range) in std::mem::take(&mut self.held) {
            self.give(Piece::Plain(event), range);
        }
    }

    /// The inline events of a block up to here, or up to its first inner block, are complete.
    fn end_run(&mut self, next: Option<&Event<'e>>) {
        if self.run.is_empty() {
            return;
        }
        let mut run = std::mem::take(&mut self.run);
        let bare = self.blocks.last() == Some(&false);
        if bare {
            // Behind a comment, in a block that began in it.
            run::trim_start(&mut run);
            if run.is_empty() {
                return;
            }
        }
        let whole = run[0].1.start..run.iter().map(|(_, range)| range.end).max().unwrap_or(0);
        let source = self.markdown.cut(whole.clone());
        if bare {
            self.give(Piece::Plain(Event::Start(Tag::Paragraph)), whole.clone());
        }
        self.inline(run, whole.clone(), source, next);
        if bare {
            self.give(Piece::Plain(Event::End(TagEnd::Paragraph)), whole);
        }
    }

    /// Processes the inline events of a block, or up to its first inner block.
    fn inline(
        &mut self,
        mut run: Vec<Placed<'e>>,
        whole: Range<usize>,
        source: &'e str,
        next: Option<&Event<'e>>,
    ) {
        let in_paragraph = matches!(self.held.last(), Some((Event::Start(Tag::Paragraph), _)));
        if in_paragraph && source.starts_with("%%") && !source.cut(2..).contains("%%") {
            self.held.pop();
            self.flush_held();
            self.leave_out_block();
            self.comment = Some(whole.start..whole.start + 2);
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
        let task = run::task(source).filter(|_| self.fresh_item);
        if task.is_some() {
            run::cut_before(&mut run, whole.start + 3);
        }
        let plain = run::is_plain(source);
        let is_named = !plain && !is_heading;
        let anchor = is_named.then(|| run::anchor(&mut run, self.markdown)).flatten();
        if anchor.is_some()
            && run.is_empty()
            && matches!(self.held.last(), Some((Event::Start(Tag::Paragraph), _)))
        {
            // It names the block before it and is not a paragraph.
            self.held.pop();
            self.leave_out_block();
        }
        if plain {
            self.flush_held();
            self.give_task(task, &whole);
            for (event, range) in run {
                self.give(Piece::Plain(event), range);
            }
        } else {
            let names = match is_heading || are_embeds {
                true => Vec::new(),
                false => cited::names(&mut run, self.markdown),
            };
            let mut pieces = run::pieces(run, self.markdown);
            let only_comment = source.starts_with("%%") && pieces.iter().all(run::is_blank);
            if only_comment && in_paragraph && anchor.is_none() {
                // A paragraph that is only a comment is dropped.
                self.held.pop();
                self.flush_held();
                return self.leave_out_block();
            }
            self.flush_held();
            if let Some(id) = anchor {
                self.give(Piece::Anchor(id), block.clone());
            }
            if !are_embeds && (anchor.is_some() || !names.is_empty()) {
                pieces = cited::enclosed(pieces, &names, anchor, &block);
            }
            self.give_task(task, &whole);
            for (piece, range) in pieces {
                self.give(piece, range);
            }
        }
        if fences {
            self.give(Piece::EmbedsEnd, whole);
        }
    }

    fn give_task(&mut self, task: Option<char>, whole: &Range<usize>) {
        if let Some(sign) = task {
            self.give(Piece::Task(sign), whole.start..whole.start + 3);
        }
    }
}

/// Whether a block exists only inside its parent.
fn is_part(tag: &Tag<'_>) -> bool {
    matches!(
        tag,
        Tag::Item
            | Tag::TableHead
            | Tag::TableRow
            | Tag::TableCell
            | Tag::DefinitionListTitle
            | Tag::DefinitionListDefinition
    )
}

fn is_verbatim(tag: TagEnd) -> bool {
    matches!(tag, TagEnd::CodeBlock | TagEnd::HtmlBlock)
}

/// Whether an event is inline.
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
