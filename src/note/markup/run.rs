//! Finds highlights, comments, tags, citations and anchors in the inline events of a block.

use std::ops::Range;

use pulldown_cmark::{CowStr, Event, Tag, TagEnd};

use super::cite;
use super::cited;
use super::piece::{Piece, Placed};
use crate::note::wiki::is_wiki;

use neuronotes_core::cut::Cut as _;

/// Whether a block's source certainly contains no extended syntax.
pub(super) fn is_plain(source: &str) -> bool {
    !source.bytes().any(|byte| matches!(byte, b'=' | b'%' | b'#' | b'^' | b'@'))
}

/// Whether events are only embeds.
pub(super) fn are_embeds(run: &[Placed<'_>]) -> bool {
    let mut depth = 0;
    run.iter().all(|(event, _)| match event {
        Event::Start(Tag::Image { link_type, .. }) => {
            depth += 1;
            depth > 1 || is_wiki(*link_type)
        }
        Event::End(TagEnd::Image) => {
            depth -= 1;
            true
        }
        Event::SoftBreak | Event::HardBreak => true,
        _ => depth > 0,
    })
}

/// States of tasks other than done or open: in progress, cancelled, deferred, in question and the like.
const TASKS: &[u8] = b"/-><?!*\"+~";

/// The state of the task at the start of a source: `[/] half`.
pub(super) fn task(source: &str) -> Option<char> {
    let [b'[', sign, b']', b' ' | b'\t', ..] = source.as_bytes() else { return None };
    TASKS.contains(sign).then(|| char::from(*sign))
}

/// Drops white space and line breaks at the beginning.
pub(super) fn trim_start(run: &mut Vec<Placed<'_>>) {
    let blank = |event: &Event<'_>| match event {
        Event::SoftBreak | Event::HardBreak => true,
        Event::Text(text) => text.trim().is_empty(),
        _ => false,
    };
    let count = run.iter().take_while(|(event, _)| blank(event)).count();
    run.drain(..count);
    if let Some((event @ Event::Text(_), range)) = run.first_mut()
        && let Event::Text(text) = &*event
        && text.len() == range.len()
    {
        let trimmed = text.trim_start().to_owned();
        range.start = range.end - trimmed.len();
        *event = Event::Text(trimmed.into());
    }
}

/// Whether an event shows nothing.
pub(super) fn is_blank((piece, _): &(Piece<'_>, Range<usize>)) -> bool {
    match piece {
        Piece::Plain(Event::SoftBreak | Event::HardBreak) => true,
        Piece::Plain(Event::Text(text)) => text.trim().is_empty(),
        _ => false,
    }
}

/// Drops events of `run` before a position in the source.
pub(super) fn cut_before<'e>(run: &mut Vec<Placed<'e>>, place: usize) {
    run.retain_mut(|(event, range)| {
        if range.end <= place {
            return false;
        }
        if let Event::Text(text) = event
            && range.start < place
            && text.len() == range.len()
        {
            let rest = text.get(place - range.start..).unwrap_or("").to_owned();
            *text = CowStr::from(rest);
            range.start = place;
        }
        true
    });
    if let Some((Event::Text(text), range)) = run.first_mut() {
        let trimmed = text.trim_start();
        range.start += text.len() - trimmed.len();
        *text = CowStr::from(trimmed.to_owned());
    }
}

/// Splits off the name at the end of a block: ` ^name`.
pub(super) fn anchor<'e>(run: &mut Vec<Placed<'e>>, markdown: &'e str) -> Option<&'e str> {
    let (Event::Text(_), range) = run.last()? else { return None };
    let (kept, id) = cited::name_at_end(markdown, range)?;
    let begins_line = || {
        let before = run.iter().rev().nth(1);
        before.is_none_or(|(event, _)| matches!(event, Event::SoftBreak | Event::HardBreak))
    };
    if markdown.cut(range.clone()).starts_with('^') && !begins_line() {
        return None;
    }
    if kept.is_empty() {
        run.pop();
        if matches!(run.last(), Some((Event::SoftBreak | Event::HardBreak, _))) {
            run.pop();
        }
    } else if let Some((event, range)) = run.last_mut() {
        *event = Event::Text(markdown.cut(kept.clone()).into());
        *range = kept;
    }
    Some(id)
}

/// Finds extended syntax in the text of events.
pub(super) fn pieces<'e>(
    run: Vec<Placed<'e>>,
    markdown: &'e str,
) -> Vec<(Piece<'e>, Range<usize>)> {
    let mut finder = Finder {
        markdown,
        out: Vec::with_capacity(run.len() + 4),
        depth: 0,
        links: 0,
        mark: None,
        comment: None,
        notes: Vec::new(),
    };
    for (event, range) in joined(run, markdown) {
        match event {
            Event::Text(text) if text.len() == range.len() => finder.text(range),
            Event::Start(tag) => {
                finder.depth += 1;
                finder.links += usize::from(matches!(tag, Tag::Link { .. } | Tag::Image { .. }));
                finder.out.push((Piece::Plain(Event::Start(tag)), range));
            }
            Event::End(tag) => {
                // Of a task in a list with a term, the end may come without its beginning.
                finder.depth = finder.depth.saturating_sub(1);
                let is_link = matches!(tag, TagEnd::Link | TagEnd::Image);
                finder.links = finder.links.saturating_sub(usize::from(is_link));
                finder.out.push((Piece::Plain(Event::End(tag)), range));
            }
            event => finder.out.push((Piece::Plain(event), range)),
        }
    }
    finder.finish()
}

/// Joins texts that are adjacent in the source; brackets come as separate events.
fn joined<'e>(run: Vec<Placed<'e>>, markdown: &'e str) -> Vec<Placed<'e>> {
    let mut out: Vec<Placed<'e>> = Vec::with_capacity(run.len());
    for (event, range) in run {
        if let Event::Text(text) = &event
            && text.len() == range.len()
            && let Some((Event::Text(before), known)) = out.last_mut()
            && known.end == range.start
            && before.len() == known.len()
        {
            known.end = range.end;
            *before = markdown.cut(known.clone()).into();
            continue;
        }
        out.push((event, range));
    }
    out
}

struct Finder<'e> {
    markdown: &'e str,
    out: Vec<(Piece<'e>, Range<usize>)>,
    /// Number of open elements.
    depth: usize,
    /// Number of open links and images.
    links: usize,
    /// Possible beginning of a highlight.
    mark: Option<Open>,
    /// Possible beginning of a comment.
    comment: Option<Open>,
    /// Possible beginnings of inline footnotes, each with its number of open brackets.
    notes: Vec<(Open, usize)>,
}

/// A possible beginning: the position in `out`, and the depth of elements and inline footnotes.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Open {
    at: usize,
    depth: usize,
    notes: usize,
}

impl<'e> Finder<'e> {
    /// Text that is in the source verbatim.
    fn text(&mut self, range: Range<usize>) {
        let bytes = self.markdown.as_bytes();
        let mut from = range.start;
        let mut at = range.start;
        while at < range.end {
            let rest = self.markdown.cut(at..range.end);
            let found = match bytes[at] {
                b'=' if rest.starts_with("==") => self.mark(at, &range),
                b'%' if rest.starts_with("%%") => Some((2, self.comment_sign())),
                b'^' if rest.starts_with("^[") && self.links == 0 && !self.is_escaped(at) => {
                    Some((2, Sign::Open(Kind::Note)))
                }
                b']' if !self.is_escaped(at) && self.closes_note() => {
                    Some((1, Sign::Close(Kind::Note)))
                }
                b'#' if self.links == 0 => self.tag(at, rest),
                b'[' if self.links == 0 => cite::group(rest, at)
                    .map(|(length, citation)| (length, Sign::Piece(Piece::Cite(citation)))),
                b'@' | b'-' if self.links == 0 && self.may_cite(at, &range) => cite::bare(rest, at)
                    .map(|(length, citation)| (length, Sign::Piece(Piece::Cite(citation)))),
                _ => None,
            };
            let Some((length, sign)) = found else {
                if bytes[at] == b'[' && !self.is_escaped(at) {
                    self.open_bracket();
                }
                at += rest.chars().next().map_or(1, char::len_utf8);
                continue;
            };
            self.plain(from..at);
            let place = at..at + length;
            match sign {
                Sign::Piece(piece) => self.out.push((piece, place)),
                Sign::Open(kind) => {
                    let notes = self.notes.len();
                    let open = Open { at: self.out.len(), depth: self.depth, notes };
                    match kind {
                        Kind::Mark => self.mark = Some(open),
                        Kind::Comment => self.comment = Some(open),
                        Kind::Note => self.notes.push((open, 0)),
                    }
                    // If nothing closes it, it stays as written.
                    self.plain(place);
                }
                Sign::Close(Kind::Mark) => {
                    if let Some(open) = self.mark.take() {
                        self.out[open.at].0 = Piece::Mark;
                        self.out.push((Piece::MarkEnd, place));
                    }
                }
                Sign::Close(Kind::Comment) => {
                    if let Some(open) = self.comment.take() {
                        self.out.truncate(open.at);
                        self.mark = self.mark.filter(|mark| mark.at < open.at);
                        self.notes.retain(|(note, _)| note.at < open.at);
                    }
                }
                Sign::Close(Kind::Note) => {
                    if let Some((open, _)) = self.notes.pop() {
                        self.out[open.at].0 = Piece::Note;
                        self.out.push((Piece::NoteEnd, place));
                        let outside = |inner: &Open| inner.notes <= open.notes;
                        self.mark = self.mark.filter(outside);
                        self.comment = self.comment.filter(outside);
                    }
                }
            }
            at += length;
            from = at;
        }
        self.plain(from..range.end);
    }

    fn plain(&mut self, range: Range<usize>) {
        if !range.is_empty() {
            let text = self.markdown.cut(range.clone()).into();
            self.out.push((Piece::Plain(Event::Text(text)), range));
        }
    }

    /// `==` opens before a word and closes after one, at the same depth.
    fn mark(&self, at: usize, range: &Range<usize>) -> Option<(usize, Sign<'e>)> {
        let before = self.markdown.cut(..at).chars().next_back();
        let after = self.markdown.cut(at + 2..range.end.max(at + 2)).chars().next();
        if before == Some('=') || after == Some('=') {
            return None;
        }
        let beside = |c: Option<char>| c.is_some_and(|c| !c.is_whitespace());
        match self.mark {
            Some(open) if self.is_beside(open) && beside(before) => {
                Some((2, Sign::Close(Kind::Mark)))
            }
            None => {
                let next = self.markdown.cut(at + 2..).chars().next();
                beside(next).then_some((2, Sign::Open(Kind::Mark)))
            }
            Some(_) => None,
        }
    }

    fn comment_sign(&self) -> Sign<'e> {
        match self.comment {
            Some(open) if self.is_beside(open) => Sign::Close(Kind::Comment),
            _ => Sign::Open(Kind::Comment),
        }
    }

    /// Whether an element that began at `open` may end here.
    fn is_beside(&self, open: Open) -> bool {
        open.depth == self.depth && open.notes == self.notes.len()
    }

    fn is_escaped(&self, at: usize) -> bool {
        at > 0 && self.markdown.as_bytes()[at - 1] == b'\\'
    }

    /// Counts a bracket in an inline footnote.
    fn open_bracket(&mut self) {
        let depth = self.depth;
        if let Some((_, brackets)) = self.notes.last_mut().filter(|(open, _)| open.depth == depth) {
            *brackets += 1;
        }
    }

    /// Whether this bracket ends an inline footnote.
    fn closes_note(&mut self) -> bool {
        let depth = self.depth;
        // A footnote that began in an element that has ended is never closed.
        while self.notes.last().is_some_and(|(open, _)| open.depth > depth) {
            self.notes.pop();
        }
        match self.notes.last_mut() {
            Some((open, brackets)) if open.depth == depth => {
                let closes = *brackets == 0;
                *brackets = brackets.saturating_sub(1);
                closes
            }
            _ => false,
        }
    }

    /// Whether the preceding character allows a new element, rather than being part of a word.
    fn is_apart(&self, at: usize) -> bool {
        let before = self.markdown.cut(..at).chars().next_back();
        before.is_none_or(|c| c.is_whitespace() || matches!(c, '(' | '“' | '"' | '—' | '–' | '>'))
    }

    /// Whether a key may begin at a position of a text; after a sign that begins emphasis it may.
    fn may_cite(&self, at: usize, range: &Range<usize>) -> bool {
        match self.markdown.cut(..at).chars().next_back() {
            Some('*' | '_' | '~') if at == range.start => true,
            _ => cite::is_apart(self.markdown.cut(..at)),
        }
    }

    /// `#tag` begins with a letter; `\#tag`, `x#tag` and colours such as `#ff0044` are not tags.
    fn tag(&self, at: usize, rest: &'e str) -> Option<(usize, Sign<'e>)> {
        if !self.is_apart(at) {
            return None;
        }
        let is_part = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '/');
        let name = rest.cut(1..);
        let length = name.find(|c| !is_part(c)).unwrap_or(name.len());
        let name = name.cut(..length).trim_end_matches(['/', '-']);
        let is_colour = matches!(name.len(), 3 | 6 | 8)
            && name.bytes().all(|b| b.is_ascii_hexdigit())
            && name.bytes().any(|b| b.is_ascii_digit());
        let is_tag = name.chars().any(char::is_alphabetic)
            && !name.starts_with(|c: char| c.is_ascii_digit() || c == '/')
            && !is_colour;
        is_tag.then(|| (1 + name.len(), Sign::Piece(Piece::Tag(name.into()))))
    }

    fn finish(self) -> Vec<(Piece<'e>, Range<usize>)> {
        self.out
    }
}

enum Sign<'e> {
    Piece(Piece<'e>),
    Open(Kind),
    Close(Kind),
}

#[derive(Clone, Copy)]
enum Kind {
    Mark,
    Comment,
    Note,
}
