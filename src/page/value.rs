//! Inline values: the replacements of values in a note's prose, and their problems.
//!
//! A value whose figure has failed or is not measured yet has no error of its own: the error is reported once, at the
//! figure.
//!
//! Incremental: a value is a function of its text, of all notes' names, and of the request and record of the block
//! that it names ([`Note::quoted_blocks`]).

mod choice;
mod near;
mod tree;

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use serde_json::Value;

use super::settled::Settled;
use crate::config::layout::without_ending;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::fault::Fault;
use crate::garden::Garden;
use crate::note::{self, Block, Head, InlineValue, Note, Query, Step};
use crate::plan::{Measurement, Plan, Wanted};
use choice::{Choice, choose};
use neuronotes_core::digest::Digest;
use neuronotes_core::kind::{Kind, PROVENANCE};
use neuronotes_core::store::{Record, Store};
use neuronotes_core::suggest;
use tree::Tree;

/// The values of a note.
#[derive(Debug, Default)]
pub struct Quoted {
    /// Their replacements.
    pub shown: Vec<Shown>,
    /// Their problems.
    pub problems: Vec<Diagnostic>,
}

/// The replacement of a value, on any page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Plain text.
    pub text: String,
    /// `text`, escaped for HTML.
    pub escaped: String,
    /// An HTML element.
    pub html: String,
    /// Its figure: note and block id.
    pub figure: Option<(usize, String)>,
}

impl Shown {
    fn new(text: String, html: String, figure: Option<(usize, String)>) -> Self {
        Self { escaped: note::escape(&text), text, html, figure }
    }
}

/// The source of values.
pub struct Sources<'a> {
    notes: &'a [&'a Note],
    garden: &'a Garden,
    plan: &'a Plan,
    figures: &'a [Arc<[Settled]>],
    store: &'a Store,
    /// Results read so far by request key, since prose often quotes the same one several times.
    results: RefCell<BTreeMap<Digest, Option<Rc<Value>>>>,
    /// For each id, the first note with a figure of that id.
    homes: OnceCell<BTreeMap<&'a str, usize>>,
}

/// The outcome of a value.
enum Answer {
    /// The value, with a short description of its source.
    Known { value: Value, from: String },
    /// It is being measured under this key, or waits for that.
    Waiting { key: String, status: String },
    /// Its figure has failed.
    Failed(String),
}

/// A block and its outcome.
#[derive(Clone, Copy)]
struct Source<'a> {
    note: usize,
    block: &'a Block,
    wanted: &'a Wanted,
    settled: &'a Settled,
}

impl<'a> Sources<'a> {
    /// Takes all notes, their requests, and the outcome of each of their blocks.
    pub fn new(
        notes: &'a [&'a Note],
        garden: &'a Garden,
        plan: &'a Plan,
        figures: &'a [Arc<[Settled]>],
        store: &'a Store,
    ) -> Self {
        Self {
            notes,
            garden,
            plan,
            figures,
            store,
            results: RefCell::default(),
            homes: OnceCell::new(),
        }
    }

    /// The values of the note `index`.
    pub fn quoted(&self, index: usize) -> Quoted {
        let mut out = Quoted::default();
        let note = self.notes[index];
        for value in &note.values {
            let shown = match self.source(index, &value.head) {
                Ok(source) => value
                    .asked
                    .as_ref()
                    .map_err(Fault::clone)
                    .and_then(|query| self.shown(index, value, query, source)),
                // Code that names no figure is ordinary code.
                Err(fault) => {
                    if self.is_nearly(index, value) {
                        let said = fault.problem;
                        let message = format!("this is shown as code: {}", said.message);
                        let problem = note.at().warning(value.place(&fault.span), message);
                        out.problems.push(problem.hint(said.hint));
                    }
                    Ok(code(value))
                }
            };
            out.shown.push(shown.unwrap_or_else(|fault| {
                let said = fault.problem;
                let problem = note.at().error(value.place(&fault.span), said.message.clone());
                out.problems.push(problem.hint(said.hint));
                failed(value, &said.message, None)
            }));
        }
        out
    }

    fn shown(
        &self,
        index: usize,
        value: &InlineValue,
        query: &Query,
        source: Source<'a>,
    ) -> Result<Shown, Fault> {
        let place = Some((source.note, source.block.id.clone()));
        match self.answer(source, query)? {
            Answer::Known { value: found, from } => {
                let text = written(&found, query)?;
                let mut whose = figure(source.block);
                if source.note != index {
                    whose.push_str(&format!(" of “{}”", self.notes[source.note].title));
                }
                let raw = raw(&found);
                let exactly = if raw == text { String::new() } else { format!(": {raw}") };
                let html = format!(
                    "<data class=\"value\" value=\"{}\" title=\"{}\">{}</data>",
                    note::escape(&raw),
                    note::escape(&format!("{whose}{from}{exactly}")),
                    note::escape(&text),
                );
                Ok(Shown::new(text, html, place))
            }
            Answer::Waiting { key, status } => {
                let html = format!(
                    "<span class=\"value waiting\" data-key=\"{key}\" aria-busy=\"true\" title=\"{}\">…</span>",
                    note::escape(&format!("{}: {status}", figure(source.block))),
                );
                Ok(Shown::new("…".to_owned(), html, place))
            }
            Answer::Failed(message) => {
                let message = format!("{}: {message}", figure(source.block));
                Ok(failed(value, &message, place))
            }
        }
    }

    /// Finds the block that a value names.
    fn source(&self, index: usize, head: &Head) -> Result<Source<'a>, Fault> {
        let wrong = |message: String, hint: Option<String>| {
            Fault::new(head.place.clone(), message).hint(hint)
        };
        let at = match &head.note {
            None => index,
            Some(name) => match self.garden.names().note(name, &self.notes[index].path) {
                Some(found) if found.others.is_empty() => found.best,
                None => {
                    let known = self.notes.iter().flat_map(|n| [n.title.as_str(), n.stem()]);
                    let near = suggest::nearest(name, known, 3);
                    let hint = match near.is_empty() {
                        true => "name a note by its title, file name or path".to_owned(),
                        false => format!("did you mean {}?", suggest::quoted(&near, "or")),
                    };
                    return Err(wrong(format!("there is no note `{name}`"), Some(hint)));
                }
                // A number from the wrong figure would go unnoticed.
                Some(found) => {
                    let all = std::iter::once(&found.best).chain(&found.others);
                    let path = |at: &usize| without_ending(&self.notes[*at].path).to_owned();
                    let paths: Vec<String> = all.map(path).collect();
                    let message = format!(
                        "`{name}` is ambiguous: it could mean {}",
                        suggest::quoted(&paths, "or")
                    );
                    let hint = format!("write the path: `{}#{}`", paths[0], head.id);
                    return Err(wrong(message, Some(hint)));
                }
            },
        };
        let note = self.notes[at];
        let blocks = note.blocks.iter().zip(self.plan.wanted(at)).zip(&*self.figures[at]);
        let found =
            blocks.map(|((block, wanted), settled)| Source { note: at, block, wanted, settled });
        let mut found = found.filter(|source| source.block.id == head.id);
        found.next().ok_or_else(|| {
            let id = &head.id;
            let message = match at == index {
                true => format!("this note has no figure `{id}`"),
                false => format!("“{}” has no figure `{id}`", note.title),
            };
            wrong(message, Some(self.other_figures(note, id)))
        })
    }

    /// The hint if a note has no figure with that id.
    fn other_figures(&self, note: &Note, id: &str) -> String {
        let own = note.blocks.iter().map(|block| block.id.as_str());
        let elsewhere = self.homes().get(id).map(|home| self.notes[*home]);
        match (elsewhere, suggest::hint(id, own)) {
            (Some(other), _) => format!("“{}” has one: write `{}#{id}`", other.title, other.stem()),
            (None, Some(hint)) => hint,
            (None, None) => "give a block an `id`, and refer to it by that".to_owned(),
        }
    }

    /// The data that a value refers to.
    fn answer(&self, source: Source<'a>, query: &Query) -> Result<Answer, Fault> {
        match (source.wanted, source.settled) {
            (Wanted::Nothing(problems), _) => {
                let first = problems.first().map_or("it has an error", |problem| &problem.message);
                Ok(Answer::Failed(first.to_owned()))
            }
            (Wanted::Measurement(measurement), settled) => {
                self.measured(source.block, measurement, settled, &query.steps, "")
            }
            (Wanted::Sweep(sweep), settled) => {
                let settled: &[Settled] = match settled {
                    Settled::Sweep(cells) => cells,
                    _ => &[],
                };
                let (at, rest) = match choose(&sweep.cells, query)? {
                    Choice::Count => {
                        let value = sweep.cells.len().into();
                        return Ok(Answer::Known { value, from: String::new() });
                    }
                    Choice::Cell(at, rest) => (at, rest),
                };
                let cell = &sweep.cells[at];
                match settled.get(at) {
                    Some(settled) => {
                        let which = format!(", {}", self.plan.caption(cell));
                        self.measured(source.block, &cell.measurement, settled, rest, &which)
                    }
                    None => Ok(Answer::Failed("this was not measured".to_owned())),
                }
            }
        }
    }

    /// The data of one measurement; `which` describes it among several.
    fn measured(
        &self,
        block: &Block,
        measurement: &Measurement,
        settled: &Settled,
        steps: &[(Step, Range<usize>)],
        which: &str,
    ) -> Result<Answer, Fault> {
        let Some(kind) = block.kind else {
            return Ok(Answer::Failed("it has no kind".to_owned()));
        };
        let tree = Tree::of(kind, block, measurement);
        let first = tree.first(steps)?;
        if let Some(asked) = tree.asked.get(first) {
            let from = format!("{which}, as requested");
            return Ok(Answer::Known { value: tree.walk(asked, first, &steps[1..])?, from });
        }
        let record = match settled {
            Settled::Done { record, .. } => record,
            Settled::Waiting { status, .. } => {
                let (key, status) = (measurement.key.hex(), status.clone());
                return Ok(Answer::Waiting { key, status });
            }
            Settled::Failed(problem) => return Ok(Answer::Failed(problem.message.clone())),
            Settled::Sweep(_) => {
                return Ok(Answer::Failed("it is several measurements".to_owned()));
            }
        };
        let known = match PROVENANCE.iter().any(|made| made.path == first) {
            true => Some(Rc::new(provenance(record))),
            false => self.result(kind, record),
        };
        let Some(known) = known else {
            return Ok(Answer::Failed("the stored result is missing or damaged".to_owned()));
        };
        let from = format!("{which}, measured on {}", day(record));
        let value = known.get(first).cloned().unwrap_or_default();
        Ok(Answer::Known { value: tree.walk(&value, first, &steps[1..])?, from })
    }
}

impl Sources<'_> {
    /// A stored result with the names of its kind's values; `None` if it is missing, damaged or of an unknown format.
    fn result(&self, kind: &Kind, record: &Record) -> Option<Rc<Value>> {
        let read = || {
            let result = record.result(self.store)?;
            kind.values.tree(result).ok().map(Rc::new)
        };
        self.results.borrow_mut().entry(record.key).or_insert_with(read).clone()
    }
}

/// A result's provenance, with the names in [`PROVENANCE`].
fn provenance(record: &Record) -> Value {
    let made = &record.provenance;
    let device = if made.device_name.is_empty() { &made.device } else { &made.device_name };
    serde_json::json!({ "seconds": made.seconds, "device": device, "measured": day(record) })
}

fn day(record: &Record) -> &str {
    let started = &record.provenance.started;
    started.get(..10).unwrap_or(started)
}

/// A page's name for a figure.
fn figure(block: &Block) -> String {
    format!("Figure {}", block.number)
}

/// A code span that only looks like a value.
fn code(value: &InlineValue) -> Shown {
    let text = format!("= {}", value.text);
    let html = format!("<code>{}</code>", note::escape(&text));
    Shown { escaped: html.clone(), html, text, figure: None }
}

/// The mark of a value that cannot be shown.
fn failed(value: &InlineValue, message: &str, figure: Option<(usize, String)>) -> Shown {
    let text = format!("[{}]", value.text);
    let html = format!(
        "<span class=\"value failed\" title=\"{}\">{}</span>",
        note::escape(message),
        note::escape(&text)
    );
    Shown::new(text, html, figure)
}

/// A value as in JSON and HTML attributes.
fn raw(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(raw).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// A value formatted for readers.
fn written(value: &Value, query: &Query) -> Result<String, Fault> {
    let one = |value: &Value| match (value, &query.format) {
        (Value::Number(number), format) => {
            let format = format.as_ref().map(|(format, _)| *format).unwrap_or_default();
            Ok(match (number.as_i64(), number.as_u64()) {
                (Some(whole), _) => format.whole(whole.into()),
                (None, Some(whole)) => format.whole(whole.into()),
                _ => format.number(number.as_f64().unwrap_or(f64::NAN)),
            })
        }
        (value, Some((_, place))) => {
            let what = if value.is_boolean() { "true or false" } else { "text" };
            let message = format!("formats are for numbers, but this is {what}: {}", raw(value));
            let hint = "remove the `|` and everything after it";
            Err(Fault::new(place.clone(), message).hint(hint))
        }
        (value, None) => Ok(raw(value)),
    };
    match value {
        Value::Array(items) if items.is_empty() => Ok("none".to_owned()),
        Value::Array(items) => Ok(items.iter().map(one).collect::<Result<Vec<_>, _>>()?.join(", ")),
        value => one(value),
    }
}
