//! Sentences that read differently though nobody edited them: their inline values moved.

use std::collections::BTreeMap;

use serde::Serialize;

use super::pair::Pair;
use super::side::Sides;
use crate::note::{self, Note};
use crate::site::Site;

/// What stands for a value that is not measured yet.
const WAITING: &str = "…";

/// A sentence whose values moved.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SentenceChange {
    /// The note's path.
    pub note: String,
    /// Its file and line in the later state, such as `notes/a.md:12`.
    pub place: String,
    /// The sentence as it read.
    pub before: String,
    /// The sentence as it reads.
    pub after: String,
    /// The values that moved.
    pub values: Vec<ValueChange>,
}

/// An inline value that moved.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ValueChange {
    /// The expression, such as `vis.activation | .1f`.
    pub value: String,
    /// What it showed.
    pub before: String,
    /// What it shows.
    pub after: String,
}

/// A sentence with values: as written, as it reads, and the numbers of its values.
struct Read {
    written: String,
    reads: String,
    values: Vec<usize>,
}

/// The sentences of a pair of notes that were not edited and read differently.
pub fn compare(sides: &Sides, pair: Pair) -> Vec<SentenceChange> {
    let (Some(a), Some(b)) = (pair.a, pair.b) else { return Vec::new() };
    let (a, b) = (Side { site: &sides.a.site, at: a }, Side { site: &sides.b.site, at: b });
    if a.note().values.is_empty() || b.note().values.is_empty() {
        return Vec::new();
    }
    let mut before: BTreeMap<String, Vec<Read>> = BTreeMap::new();
    for read in a.sentences() {
        before.entry(read.written.clone()).or_default().push(read);
    }
    before.values_mut().for_each(|all| all.reverse());
    let mut changes = Vec::new();
    for now in b.sentences() {
        let Some(old) = before.get_mut(&now.written).and_then(Vec::pop) else { continue };
        if old.reads == now.reads {
            continue;
        }
        let moved = old.values.iter().zip(&now.values).filter_map(|(old, new)| {
            let (before, after) = (a.shown(*old), b.shown(*new));
            let value = b.note().values.get(*new)?.text.clone();
            // What is not measured on a side has not moved: it is among the missing results.
            let is_known = before != WAITING && after != WAITING;
            (before != after && is_known).then_some(ValueChange { value, before, after })
        });
        let values: Vec<ValueChange> = moved.collect();
        if values.is_empty() {
            continue;
        }
        let note = b.note();
        let line = now.values.first().and_then(|at| note.values.get(*at));
        let line =
            line.map_or(1, |value| note.at().lines.position(&note.source, value.span.start).0);
        changes.push(SentenceChange {
            note: note.path.clone(),
            place: format!("{}:{line}", note.file),
            before: old.reads,
            after: now.reads,
            values,
        });
    }
    changes
}

struct Side<'a> {
    site: &'a Site,
    at: usize,
}

impl<'a> Side<'a> {
    fn note(&self) -> &'a Note {
        &self.site.read_notes()[self.at]
    }

    fn shown(&self, number: usize) -> String {
        let shown = self.site.values(self.at).shown.get(number);
        shown.map_or(WAITING, |shown| shown.text.as_str()).to_owned()
    }

    /// All sentences with values, of headings, prose and captions.
    fn sentences(&self) -> Vec<Read> {
        let note = self.note();
        let headings = note.headings.iter().map(|heading| heading.shown.as_str());
        let texts = note.texts.iter().map(String::as_str);
        let captions = note.blocks.iter().map(|block| block.caption_text.as_str());
        let all = headings.chain(texts).chain(captions);
        all.flat_map(note::sentences).filter_map(|sentence| self.read(sentence)).collect()
    }

    fn read(&self, sentence: &str) -> Option<Read> {
        let values = note::marked(sentence);
        if values.is_empty() {
            return None;
        }
        let shown = &self.site.values(self.at).shown;
        let silent = |text: &str| note::fill_citations(text, |_| None);
        let written = |number: usize| Some(self.note().values.get(number)?.text.as_str());
        Some(Read {
            written: silent(&note::fill(sentence, written)).trim().to_owned(),
            reads: silent(&note::fill(sentence, |n| Some(shown.get(n)?.text.as_str())))
                .trim()
                .to_owned(),
            values,
        })
    }
}
