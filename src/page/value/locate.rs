//! Finds the data that a reference leads to.

use std::ops::Range;
use std::rc::Rc;

use neuronotes_core::kind::{Kind, PROVENANCE};
use neuronotes_core::store::Record;
use neuronotes_core::suggest;
use serde_json::Value;

use super::choice::{Choice, choose};
use super::control::Asked;
use super::tree::Tree;
use super::{Answer, Located, Source, Sources};
use crate::claim::{Reference, Step};
use crate::config::layout::without_ending;
use crate::diagnostic::fault::Fault;
use crate::note::{Block, Head, Note};
use crate::page::settled::Settled;
use crate::plan::{Measurement, Wanted};

impl<'a> Sources<'a> {
    /// Finds the block that a value names.
    pub(super) fn source(&self, index: usize, head: &Head) -> Result<Source<'a>, Fault> {
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
    pub(super) fn answer(&self, source: Source<'a>, asked: &Reference) -> Result<Answer, Fault> {
        Ok(match self.located(source, asked)? {
            Located::Count(count) => Answer::Known {
                value: count.into(),
                from: String::new(),
                counts: Some("measurements: their number in the sweep".to_owned()),
            },
            Located::Found { tree, value, first, steps, from, .. } => {
                let counts = tree.counts(first, steps);
                Answer::Known { value: tree.walk(&value, first, steps)?, from, counts }
            }
            Located::Waiting { key, status } => Answer::Waiting { key, status },
            Located::Failed(message) => Answer::Failed(message),
        })
    }

    /// Where the value is that a reference names.
    pub(super) fn located<'s>(
        &self,
        source: Source<'a>,
        asked: &'s Reference,
    ) -> Result<Located<'s>, Fault>
    where
        'a: 's,
    {
        let (source, asked) = match self.control(source, asked)? {
            Some(control) => control,
            None => (source, Asked::of(asked)),
        };
        match (source.wanted, source.settled) {
            (Wanted::Nothing(problems), _) => {
                let first = problems.first().map_or("it has an error", |problem| &problem.message);
                Ok(Located::Failed(first.to_owned()))
            }
            (Wanted::Measurement(measurement), settled) => {
                self.measured(source.block, measurement, settled, asked.steps, "")
            }
            (Wanted::Sweep(sweep), settled) => {
                let settled: &[Settled] = match settled {
                    Settled::Sweep(cells) => cells,
                    _ => &[],
                };
                let (at, rest) = match choose(&sweep.cells, &asked)? {
                    Choice::Count => return Ok(Located::Count(sweep.cells.len())),
                    Choice::Cell(at, rest) => (at, rest),
                };
                let cell = &sweep.cells[at];
                match settled.get(at) {
                    Some(settled) => {
                        let which = format!(", {}", self.plan.caption(cell));
                        self.measured(source.block, &cell.measurement, settled, rest, &which)
                    }
                    None => Ok(Located::Failed("this was not measured".to_owned())),
                }
            }
        }
    }

    /// Where the value of one measurement is; `which` describes it among several.
    pub(super) fn measured<'s>(
        &self,
        block: &'s Block,
        measurement: &'s Measurement,
        settled: &Settled,
        steps: &'s [(Step, Range<usize>)],
        which: &str,
    ) -> Result<Located<'s>, Fault> {
        let Some(kind) = block.kind else {
            return Ok(Located::Failed("it has no kind".to_owned()));
        };
        let tree = Tree::of(kind, block, measurement);
        let first = tree.first(steps)?;
        let steps = &steps[1..];
        if let Some(asked) = tree.parameter(first) {
            let (value, from) = (asked.clone(), format!("{which}, as requested"));
            return Ok(Located::Found { tree, value, first, steps, from, started: None });
        }
        let record = match settled {
            Settled::Done { record, .. } => record,
            Settled::Waiting { status, .. } => {
                let (key, status) = (measurement.key.hex(), status.clone());
                return Ok(Located::Waiting { key, status });
            }
            Settled::Failed(problem) | Settled::Missing(problem) => {
                return Ok(Located::Failed(problem.message.clone()));
            }
            Settled::Sweep(_) => {
                return Ok(Located::Failed("it is several measurements".to_owned()));
            }
        };
        let known = match PROVENANCE.iter().any(|made| made.path == first) {
            true => Some(Rc::new(provenance(record))),
            false => self.result(kind, record),
        };
        let Some(known) = known else {
            return Ok(Located::Failed("the stored result is missing or damaged".to_owned()));
        };
        let from = format!("{which}, measured on {}", day(record));
        let value = known.get(first).cloned().unwrap_or_default();
        let started = Some(record.provenance.started.clone());
        Ok(Located::Found { tree, value, first, steps, from, started })
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
