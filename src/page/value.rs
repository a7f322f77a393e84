//! Inline values: the replacements of values in a note's prose, and their problems.
//!
//! A value whose figure has failed or is not measured yet has no error of its own: the error is reported once, at the
//! figure.
//!
//! Incremental: a value is a function of its text, of all notes' names, and of the request and record of the block
//! that it names ([`Note::quoted_blocks`]).

mod choice;
mod computed;
mod control;
mod former;
mod judge;
mod locate;
mod near;
mod place;
mod shown;
mod tree;

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use serde_json::Value;

pub use shown::Shown;

use super::settled::Settled;
use crate::claim::{Expression, Judgement, Reference, Step};
use crate::config::List;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::fault::Fault;
use crate::garden::Garden;
use crate::garden::commits::Commits;
use crate::note::{Block, Head, InlineValue, Note, Query};
use crate::plan::{Plan, Wanted};
use neuronotes_core::digest::Digest;
use neuronotes_core::store::Store;
use shown::{code, data, failed, figure, raw, waiting, written};
use tree::Tree;

/// The values of a note.
#[derive(Debug, Default)]
pub struct Quoted {
    /// Their replacements.
    pub shown: Vec<Shown>,
    /// The outcomes of its blocks' claims, in order.
    pub claims: Vec<Judged>,
    /// Problems of both.
    pub problems: Vec<Diagnostic>,
}

/// A claim of a block with its outcome.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// The block's index in the note.
    pub block: usize,
    /// The claim's index in the block.
    pub claim: usize,
    /// If it is judged for each measurement of a sweep, the index of this one.
    pub cell: Option<usize>,
    /// The outcome.
    pub judgement: Judgement,
}

/// For each note, the outcome of each of its blocks, and for each of these the outcomes of its controls.
type Outcomes<'a> = (&'a [Arc<[Settled]>], &'a [Arc<[Vec<Settled>]>]);

/// The source of values.
pub struct Sources<'a> {
    notes: &'a [&'a Note],
    garden: &'a Garden,
    plan: &'a Plan,
    figures: &'a [Arc<[Settled]>],
    controls: &'a [Arc<[Vec<Settled>]>],
    store: &'a Store,
    /// The garden's lists.
    lists: &'a BTreeMap<String, List>,
    /// When claims were committed.
    commits: &'a Commits,
    /// Results read so far by request key, since prose often quotes the same one several times.
    results: RefCell<BTreeMap<Digest, Option<Rc<Value>>>>,
    /// For each id, the first note with a figure of that id.
    homes: OnceCell<BTreeMap<&'a str, usize>>,
}

/// The outcome of a value.
enum Answer {
    /// The value, with a short description of its source, and of what it counts or is measured in, if it is a number of
    /// something.
    Known { value: Value, from: String, counts: Option<String> },
    /// It is being measured under this key, or waits for that.
    Waiting { key: String, status: String },
    /// Its figure has failed.
    Failed(String),
}

/// Where a value is.
enum Located<'s> {
    /// The number of a sweep's measurements.
    Count(usize),
    /// In the data of a measurement, below `value`, which has the name `first`.
    Found {
        tree: Tree<'s>,
        value: Value,
        first: &'s str,
        /// The path from there.
        steps: &'s [(Step, Range<usize>)],
        /// A short description of its source.
        from: String,
        /// When the measurement began; `None` for a parameter.
        started: Option<String>,
    },
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
    /// Takes all notes, their requests, and the outcomes of each of their blocks and of its controls.
    pub fn new(
        notes: &'a [&'a Note],
        garden: &'a Garden,
        plan: &'a Plan,
        (figures, controls): Outcomes<'a>,
        store: &'a Store,
        lists: &'a BTreeMap<String, List>,
        commits: &'a Commits,
    ) -> Self {
        Self {
            notes,
            garden,
            plan,
            figures,
            controls,
            store,
            lists,
            commits,
            results: RefCell::default(),
            homes: OnceCell::new(),
        }
    }

    /// The values of the note `index`, and the outcomes of its claims.
    pub fn quoted(&self, index: usize) -> Quoted {
        let mut out = Quoted::default();
        let note = self.notes[index];
        for value in &note.values {
            let shown = match self.heading(index, value) {
                Ok(()) => value
                    .asked
                    .as_ref()
                    .map_err(Fault::clone)
                    .and_then(|query| self.shown(index, value, query)),
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
            let mut shown = shown.unwrap_or_else(|fault| {
                let said = fault.problem;
                let problem = note.at().error(value.place(&fault.span), said.message.clone());
                out.problems.push(problem.hint(said.hint));
                failed(value, &said.message, None)
            });
            self.expected(index, value, &mut shown, &mut out.problems);
            if let (Ok(query), true) = (&value.asked, shown.figure.is_some()) {
                let whole = query.test.as_ref().map_or(&query.expression, |test| &test.condition);
                for fault in self.former(index, whole, None) {
                    let problem =
                        note.at().warning(value.place(&fault.span), fault.problem.message);
                    out.problems.push(problem.hint(fault.problem.hint));
                }
            }
            out.shown.push(shown);
        }
        self.judge_all(index, &mut out);
        out
    }

    /// Checks that one of the figures that a value names exists.
    fn heading(&self, index: usize, value: &InlineValue) -> Result<(), Fault> {
        let first = match self.source(index, &value.head) {
            Ok(_) => return Ok(()),
            Err(fault) => fault,
        };
        let of = |reference: &Reference| {
            let (note, id) = (reference.note.clone(), reference.name.clone());
            self.source(index, &Head { note, id, place: reference.place.clone() }).is_ok()
        };
        if value.references().any(of) { Ok(()) } else { Err(first) }
    }

    fn shown(&self, index: usize, value: &InlineValue, query: &Query) -> Result<Shown, Fault> {
        match &query.expression {
            Expression::Value(reference) => self.shown_value(index, value, query, reference),
            _ => self.shown_computed(index, value, query),
        }
    }

    fn shown_value(
        &self,
        index: usize,
        value: &InlineValue,
        query: &Query,
        reference: &Reference,
    ) -> Result<Shown, Fault> {
        let source = self.source_of(index, reference)?;
        let place = Some((source.note, source.block.id.clone()));
        match self.answer(source, reference)? {
            Answer::Known { value: found, from, counts } => {
                let text = written(&found, query)?;
                let mut whose = figure(source.block);
                if source.note != index {
                    whose.push_str(&format!(" of “{}”", self.notes[source.note].title));
                }
                let raw = raw(&found);
                let exactly = if raw == text { String::new() } else { format!(": {raw}") };
                let counts = counts.map(|counts| format!("; {counts}")).unwrap_or_default();
                Ok(Shown::new(
                    text.clone(),
                    data(&raw, &format!("{whose}{from}{exactly}{counts}"), &text),
                    place,
                ))
            }
            Answer::Waiting { key, status } => {
                Ok(waiting(&key, &format!("{}: {status}", figure(source.block)), place))
            }
            Answer::Failed(message) => {
                let message = format!("{}: {message}", figure(source.block));
                Ok(failed(value, &message, place))
            }
        }
    }

    /// Finds the block that a reference names.
    fn source_of(&self, index: usize, reference: &Reference) -> Result<Source<'a>, Fault> {
        let (note, id) = (reference.note.clone(), reference.name.clone());
        self.source(index, &Head { note, id, place: reference.place.clone() })
    }
}
