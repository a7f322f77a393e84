//! The text of a bibliography in, its entries out, and what is wrong with the others.

use std::collections::BTreeMap;
use std::ops::Range;

use biblatex::{ParseErrorKind, RawBibliography};
use hayagriva::Entry;

/// Most entries that are left out because of each other, one at a time, before all is.
const MOST_ROUNDS: usize = 50;

/// Something wrong in a bibliography.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Bytes of the text.
    pub span: Range<usize>,
    /// Lower case.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

/// All entries that can be read, by their keys.
pub(super) fn entries(text: &str) -> (BTreeMap<String, Entry>, Vec<Fault>) {
    let mut faults = Vec::new();
    let mut rest = text.to_owned();
    let pieces = pieces(text);
    for piece in &pieces {
        if let Err(wrong) = RawBibliography::parse(&text[piece.clone()]) {
            let span = piece.start + wrong.span.start..piece.start + wrong.span.end;
            faults.push(unread(text, piece, span, &wrong.kind));
            blank(&mut rest, piece.clone());
        }
    }
    let mut bibliography = biblatex::Bibliography::parse(&rest);
    for _ in 0..MOST_ROUNDS {
        let Err(wrong) = &bibliography else { break };
        let holds = |piece: &&Range<usize>| piece.contains(&wrong.span.start);
        let piece = pieces.iter().rfind(holds).cloned().unwrap_or(0..rest.len());
        faults.push(unread(text, &piece, wrong.span.clone(), &wrong.kind));
        blank(&mut rest, piece);
        bibliography = biblatex::Bibliography::parse(&rest);
    }
    let read = bibliography.map(biblatex::Bibliography::into_vec);
    let read = read.unwrap_or_else(|wrong| {
        faults.push(unread(text, &(0..text.len()), wrong.span, &wrong.kind));
        Vec::new()
    });
    let entries = read.into_iter().filter_map(|entry| converted(text, entry, &mut faults));
    let entries = entries.map(|entry| (entry.key().to_owned(), entry)).collect();
    faults.sort_by_key(|fault| fault.span.start);
    (entries, faults)
}

/// From each `@` that begins a line to the next.
fn pieces(text: &str) -> Vec<Range<usize>> {
    let mut starts = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if line.trim_start().starts_with('@') {
            starts.push(at);
        }
        at += line.len();
    }
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    starts.iter().zip(ends).map(|(start, end)| *start..end).collect()
}

/// Takes a piece out without moving the others.
fn blank(text: &mut String, piece: Range<usize>) {
    text.replace_range(piece.clone(), &" ".repeat(piece.len()));
}

fn unread(text: &str, piece: &Range<usize>, span: Range<usize>, kind: &ParseErrorKind) -> Fault {
    let hint = match kind {
        ParseErrorKind::UnexpectedEof => {
            Some("look for a brace or quotation mark that is not closed")
        }
        ParseErrorKind::UnknownAbbreviation(_) => Some("put a text between braces"),
        ParseErrorKind::DuplicateKey(_) => Some("each work needs a key of its own"),
        _ => None,
    };
    let name = key(&text[piece.clone()]);
    let what = name.map_or("an entry".to_owned(), |key| format!("the entry `{key}`"));
    let message = format!("{what} cannot be read ({kind})");
    Fault { span: within(text, span), message, hint: hint.map(str::to_owned) }
}

/// `goh2021` of `@article{goh2021, …`.
fn key(piece: &str) -> Option<&str> {
    let key = piece.split_once('{')?.1.split([',', '\n', '}']).next()?.trim();
    (!key.is_empty()).then_some(key)
}

/// A span of whole characters inside the text.
fn within(text: &str, span: Range<usize>) -> Range<usize> {
    let whole = |at: usize| (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    let start = whole(span.start).unwrap_or(0);
    start..whole(span.end).unwrap_or(0).max(start)
}

/// An entry without the fields that say nothing.
fn converted(text: &str, mut entry: biblatex::Entry, faults: &mut Vec<Fault>) -> Option<Entry> {
    loop {
        let wrong = match Entry::try_from(&entry) {
            Ok(entry) => return Some(entry),
            Err(wrong) => wrong,
        };
        let span = within(text, wrong.span.clone());
        let holds = |chunks: &biblatex::Chunks| {
            let start = chunks.first().map(|chunk| chunk.span.start);
            let end = chunks.last().map(|chunk| chunk.span.end);
            start
                .zip(end)
                .is_some_and(|(start, end)| start <= wrong.span.start && wrong.span.end <= end)
        };
        let field = entry.fields.iter().find(|(_, chunks)| holds(chunks));
        let field = field.map(|(name, _)| name.clone());
        let key = &entry.key;
        let (message, hint) = match &field {
            Some(field) => (
                format!("`{field}` of `{key}` is left out ({})", wrong.kind),
                (field == "year" || field == "date")
                    .then(|| "a date is `2021` or `2021-03-04`".to_owned()),
            ),
            None => (format!("the entry `{key}` cannot be read ({})", wrong.kind), None),
        };
        faults.push(Fault { span, message, hint });
        entry.fields.remove(&field?);
    }
}
