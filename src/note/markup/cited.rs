//! Encloses the sentences that claims can cite: each that is followed by a name, `^id`, at the end of its line.
//!
//! At the end of a block, such a name is the block's, and cites its last sentence.

use std::ops::Range;

use pulldown_cmark::{CowStr, Event};

use super::piece::{Piece, Placed};
use crate::note::sentence;

use neuronotes_core::cut::Cut as _;

/// A piece with its span.
type Spanned<'e> = (Piece<'e>, Range<usize>);

/// A name in the text of an event that ends a line, split off: where the text before it ends, and the name.
pub(super) fn name_at_end<'e>(
    markdown: &'e str,
    range: &Range<usize>,
) -> Option<(Range<usize>, &'e str)> {
    let source = markdown.cut(range.clone()).trim_end();
    let at = source.rfind('^')?;
    let id = source.cut(at + 1..);
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let named = !id.is_empty() && id.bytes().all(is_part);
    let before = source.cut(..at);
    let kept = range.start..range.start + before.trim_end().len();
    (named && (before.is_empty() || before.ends_with([' ', '\t']))).then_some((kept, id))
}

/// Splits off the names after sentences at the ends of lines within a block. Returns each with the position where its
/// sentence ends.
pub(super) fn names<'e>(run: &mut [Placed<'e>], markdown: &'e str) -> Vec<(usize, &'e str)> {
    let mut names = Vec::new();
    let mut depth = 0_usize;
    for at in 0..run.len().saturating_sub(1) {
        let ends_line = matches!(run[at + 1].0, Event::SoftBreak | Event::HardBreak);
        let (event, range) = &mut run[at];
        match event {
            Event::Start(_) => depth += 1,
            Event::End(_) => depth = depth.saturating_sub(1),
            Event::Text(_) if ends_line && depth == 0 => {
                let found = name_at_end(markdown, range)
                    .filter(|(kept, _)| ends_sentence(markdown.cut(..kept.end)));
                if let Some((kept, id)) = found {
                    *event = Event::Text(markdown.cut(kept.clone()).into());
                    names.push((kept.end, id));
                    *range = kept;
                }
            }
            _ => {}
        }
    }
    names
}

/// Whether a sentence ends at the end of a text, possibly with signs that close an element, or with footnotes after it.
fn ends_sentence(text: &str) -> bool {
    let closes = ['*', '_', '`', '~', '=', ')', ']', '"', '\'', '”', '’', '»'];
    let mut text = text.trim_end();
    while let Some(before) = before_footnote(text) {
        text = before.trim_end();
    }
    text.trim_end_matches(closes).ends_with(['.', '!', '?', '…', ':', '。'])
}

/// A text without the reference to a footnote, `[^1]`, at its end.
fn before_footnote(text: &str) -> Option<&str> {
    let (before, name) = text.strip_suffix(']')?.rsplit_once("[^")?;
    (!name.is_empty() && !name.contains(['[', ']', '\n'])).then_some(before)
}

/// Encloses, in a block's inline pieces, the sentences that end where the names within it are, and its last one if
/// the block has a name itself. `block` is its span.
///
/// If a sentence begins within an element, such as emphasis, the whole element is part of it; in a block with raw HTML,
/// everything before the name is.
pub(super) fn enclosed<'e>(
    mut pieces: Vec<Spanned<'e>>,
    names: &[(usize, &'e str)],
    own: Option<&'e str>,
    block: &Range<usize>,
) -> Vec<Spanned<'e>> {
    let mut from = 0;
    for (end, id) in names {
        from = after_break(&pieces, from);
        let before = pieces[from..].iter().take_while(|(_, range)| range.start < *end).count();
        let start = enclose(&mut pieces, from..from + before, id);
        // The names within a block are where their sentences begin.
        if let Some((start, last)) = start {
            pieces.insert(start, (Piece::Anchor(id), block.clone()));
            from = last + 1;
        }
    }
    if let Some(id) = own {
        let all = after_break(&pieces, from)..pieces.len();
        enclose(&mut pieces, all, id);
    }
    pieces
}

/// The index after the end of a line.
fn after_break(pieces: &[Spanned<'_>], from: usize) -> usize {
    let is_break =
        |piece: &Spanned<'_>| matches!(piece.0, Piece::Plain(Event::SoftBreak | Event::HardBreak));
    from + pieces[from.min(pieces.len())..].iter().take_while(|piece| is_break(piece)).count()
}

/// Encloses the last sentence of some of the pieces. Returns the range of pieces that it has now, if there is any.
fn enclose<'e>(
    pieces: &mut Vec<Spanned<'e>>,
    part: Range<usize>,
    id: &'e str,
) -> Option<(usize, usize)> {
    let own = pieces.get(part.clone())?;
    let (mut start, end) = (own.first()?.1.start, own.last()?.1.end);
    let (mut at, mut to) = (part.start, part.end);
    if let Some((found, offset)) = last_sentence(own) {
        at += found;
        start = pieces[at].1.start;
        if offset > 0
            && let Some((Piece::Plain(Event::Text(text)), range)) = pieces.get_mut(at)
        {
            let (before, after) = (text.cut(..offset).to_owned(), text.cut(offset..).to_owned());
            // Text with entities is longer in the source, and what they mean is not there letter by letter.
            let cut = if text.len() == range.len() { range.start + offset } else { range.end };
            let rest = (Piece::Plain(Event::Text(CowStr::from(after))), cut..range.end);
            *text = CowStr::from(before);
            range.end = cut;
            (start, at, to) = (cut, at + 1, to + 1);
            pieces.insert(at, rest);
        }
    }
    pieces.insert(to, (Piece::CitedEnd, end..end));
    pieces.insert(at, (Piece::Cited(id), start..start));
    Some((at, to + 2))
}

/// Where the last sentence begins: the index of a piece outside all elements, and an offset in its text.
fn last_sentence(pieces: &[Spanned<'_>]) -> Option<(usize, usize)> {
    let mut flat = String::new();
    // For each piece, where it begins in the text, and the piece at which the element around it begins.
    let mut places = Vec::with_capacity(pieces.len());
    let (mut depth, mut outer) = (0_usize, 0);
    for (at, (piece, _)) in pieces.iter().enumerate() {
        let closes = closes(piece);
        depth -= usize::from(closes && depth > 0);
        if depth == 0 && !closes {
            outer = at;
        }
        places.push((flat.len(), outer));
        match piece {
            Piece::Plain(Event::Text(text)) => flat.push_str(text),
            Piece::Plain(Event::SoftBreak | Event::HardBreak) => flat.push(' '),
            Piece::Plain(Event::InlineHtml(tag)) if is_break(tag) => flat.push(' '),
            Piece::Plain(Event::InlineHtml(_) | Event::Html(_)) => return None,
            // A word, whatever dots are in it.
            Piece::Plain(Event::Code(_) | Event::InlineMath(_) | Event::DisplayMath(_))
            | Piece::Tag(_) => flat.push('X'),
            Piece::Cite(citation) if citation.bare => flat.push('X'),
            _ => {}
        }
        depth += usize::from(opens(piece));
    }
    let start = sentence::bounds(flat.trim_end()).last().copied()?;
    let at = places.partition_point(|(from, _)| *from <= start).checked_sub(1)?;
    let (from, outer) = places[at];
    let is_outside = outer == at && !opens(&pieces[at].0);
    Some((outer, if is_outside { start - from } else { 0 }))
}

fn is_break(tag: &str) -> bool {
    tag.get(..3).is_some_and(|tag| tag.eq_ignore_ascii_case("<br"))
}

fn opens(piece: &Piece<'_>) -> bool {
    matches!(piece, Piece::Plain(Event::Start(_)) | Piece::Mark | Piece::Note)
}

fn closes(piece: &Piece<'_>) -> bool {
    matches!(piece, Piece::Plain(Event::End(_)) | Piece::MarkEnd | Piece::NoteEnd)
}
