//! Determines the outcome of each block from the store and the state of measurements: a drawing, waiting, or a
//! failure, with its problems.
//!
//! Incremental: drawings are cached by everything that decides them ([`Drawn`]), so settling a note again costs one
//! look-up per block.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use neuronotes_core::digest::Digest;
use neuronotes_core::kind::activation_histogram::MARK;
use neuronotes_core::kind::{feature_vis, scan};
use neuronotes_core::number;
use neuronotes_core::store::Store;

use super::data;
use super::fault::{FREEZE, at, left_out};
use crate::diagnostic::{Diagnostic, Severity};
use crate::figure::{self, Baseline, DrawContext, Drawing};
use crate::guard;
use crate::note::{Block, Note};
use crate::page::{Scanned, Settled};
use crate::plan::{Cell, Control, Measurement, NATURAL, Plan, Wanted};

/// The state of measurements, in addition to the store.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    /// The progress of running and waiting requests, in words.
    pub running: BTreeMap<Digest, String>,
    /// Failed requests with message and hint.
    pub failed: BTreeMap<Digest, (String, Option<String>)>,
    /// The last drawings of blocks, by note and block id, and by caption for measurements of a sweep.
    pub stale: HashMap<(String, String, String), Arc<Drawing>>,
    /// Results over the scanned part of a data set, by the request for the whole.
    pub partial: BTreeMap<Digest, Partial>,
    /// Requests that a build was told not to measure.
    pub left_out: BTreeSet<Digest>,
    /// Whether this is for the preview, where missing results are waited for and are not errors.
    pub preview: bool,
}

/// A result over the part of a data set that is scanned so far.
#[derive(Debug, Clone, PartialEq)]
pub struct Partial {
    /// The key of its record.
    pub record: Digest,
    /// Number of images of that part.
    pub images: u64,
    /// Number of shards of that part.
    pub shards: usize,
}

/// Drawings so far, by everything that decides them.
#[derive(Debug, Default)]
pub struct Drawn(RefCell<HashMap<Digest, Settled>>);

/// Determines the outcomes of blocks.
#[derive(Debug, Clone, Copy)]
pub struct Settler<'a> {
    /// The store of results.
    pub store: &'a Store,
    /// The plan.
    pub plan: &'a Plan,
    /// The state of measurements.
    pub progress: &'a Progress,
    /// Earlier drawings.
    pub drawn: &'a Drawn,
}

impl Settler<'_> {
    /// The outcome of each block of the note at `index`.
    pub fn note(self, index: usize, note: &Note) -> Vec<Settled> {
        let wanted = self.plan.wanted(index);
        note.blocks
            .iter()
            .zip(wanted)
            .map(|(block, wanted)| {
                let name = format!("{}#{}", note.path, block.id);
                let done =
                    guard::run("drawing the figure", &name, || self.block(note, block, wanted, ""));
                done.unwrap_or_else(|panicked| {
                    let problem = at(note, block, panicked.to_string());
                    Settled::Failed(problem.hint(guard::HINT.to_owned()))
                })
            })
            .collect()
    }

    /// The outcome of each control of each block of the note at `index`.
    pub fn controls(self, index: usize, note: &Note, settled: &[Settled]) -> Vec<Vec<Settled>> {
        let one = |control: &Control, of: Option<&Settled>| {
            let name = format!("the controls of {}#{}", note.path, control.block.id);
            let marked = of.and_then(|of| self.marked(control, of));
            let block = marked.as_ref().unwrap_or(&control.block);
            let done = guard::run("drawing", &name, || {
                let which = format!("controls {}, ", control.name);
                self.block(note, block, &control.wanted, &which)
            });
            let settled = done.unwrap_or_else(|panicked| {
                let problem = at(note, &control.block, panicked.to_string());
                Settled::Failed(problem.hint(guard::HINT.to_owned()))
            });
            of_control(settled)
        };
        let all = self.plan.controls(index).iter().enumerate();
        all.map(|(at, all)| all.iter().map(|control| one(control, settled.get(at))).collect())
            .collect()
    }

    /// The block of a control with the activation that the figure reaches, if its plot marks that.
    fn marked(self, control: &Control, of: &Settled) -> Option<Block> {
        let Settled::Done { record, .. } = of else { return None };
        let kind = control.block.kind.filter(|_| control.name == NATURAL)?;
        let outcome: feature_vis::Outcome = record.result(self.store)?;
        let reached = outcome.images.first()?.activation;
        Some(control.block.turned(kind, [(MARK, reached.into())]))
    }

    /// The problems of the blocks of the note at `index` with these outcomes.
    pub fn problems(
        self,
        index: usize,
        note: &Note,
        settled: &[Settled],
        controls: &[Vec<Settled>],
    ) -> Vec<Diagnostic> {
        let mut own = Vec::new();
        for ((block, all), settled) in note.blocks.iter().zip(controls).zip(settled) {
            // What a figure fails of, its controls fail of too.
            if settled.problem().is_some() {
                continue;
            }
            for control in all {
                match control {
                    Settled::Failed(problem) | Settled::Missing(problem) => {
                        own.push(problem.clone());
                    }
                    Settled::Sweep(cells) => own.extend(of_cells(note, block, cells)),
                    Settled::Done { .. } | Settled::Waiting { .. } => {}
                }
            }
        }
        for ((block, settled), wanted) in
            note.blocks.iter().zip(settled).zip(self.plan.wanted(index))
        {
            own.extend(data::unlabelled(note, block, wanted, &self.plan.ledgers));
            match (settled, wanted) {
                // Reported in addition to other problems of the block.
                (Settled::Failed(problem), _) if problem.hint.as_deref() == Some(guard::HINT) => {
                    own.push(problem.clone());
                }
                (_, Wanted::Nothing(problems)) => own.extend(problems.iter().cloned()),
                (Settled::Failed(problem) | Settled::Missing(problem), _) => {
                    own.push(problem.clone());
                }
                (Settled::Sweep(cells), _) => {
                    own.extend(of_cells(note, block, cells));
                    own.extend(cells.iter().find_map(|cell| self.warned(note, block, cell)));
                }
                (Settled::Done { scanned, .. }, _) => {
                    own.extend(scanned.as_ref().and_then(|scanned| unread(note, block, scanned)));
                    own.extend(self.warned(note, block, settled));
                }
                (Settled::Waiting { .. }, _) => {}
            }
        }
        own
    }

    /// What the block's kind warns of in its result, at the field concerned.
    fn warned(self, note: &Note, block: &Block, settled: &Settled) -> Option<Diagnostic> {
        let Settled::Done { record, .. } = settled else { return None };
        let warns = block.kind?.warns?;
        let fault = warns(record.result(self.store)?).ok()??;
        let problem = match block.fields.get(fault.field) {
            Some(value) => note.at().error(value.span.clone(), fault.message),
            None => at(note, block, fault.message),
        };
        let hint = fault.hint.to_owned();
        Some(Diagnostic { severity: Severity::Warning, ..problem }.hint(hint))
    }

    /// The outcome of a block, or of a control, which `which` tells apart from the block.
    fn block(self, note: &Note, block: &Block, wanted: &Wanted, which: &str) -> Settled {
        match wanted {
            Wanted::Nothing(problems) => {
                let first = problems.first().cloned();
                let problem =
                    first.unwrap_or_else(|| at(note, block, "the block has an error".into()));
                Settled::Failed(problem)
            }
            Wanted::Measurement(measurement) => self.measured(note, block, measurement, which),
            Wanted::Sweep(sweep) => {
                let measured = |cell: &Cell| {
                    let which = format!("{which}{}", self.plan.caption(cell));
                    self.measured(note, block, &cell.measurement, &which)
                };
                let cell = |cell: &Cell| {
                    measured(cell).with_problem(|mut problem| {
                        if self.store.is_frozen() {
                            // Missing results are reported one by one.
                            problem.message =
                                format!("{} at {}", problem.message, self.plan.caption(cell));
                        }
                        let at = note.at().error(cell.span.clone(), problem.message);
                        Diagnostic { hint: problem.hint, ..at }
                    })
                };
                Settled::Sweep(sweep.cells.iter().map(cell).collect())
            }
        }
    }

    /// The outcome of one measurement; `which` describes it among several of its block.
    fn measured(
        self,
        note: &Note,
        block: &Block,
        measurement: &Measurement,
        which: &str,
    ) -> Settled {
        if let Some(done) = self.drawn(note, block, measurement) {
            return done;
        }
        let key = &measurement.key;
        if self.store.is_frozen() {
            let kind = &measurement.request.kind;
            let message = format!("the frozen results lack `{}` ({kind})", block.id);
            return Settled::Missing(at(note, block, message).hint(FREEZE.to_owned()));
        }
        if let Some((message, hint)) = self.progress.failed.get(key) {
            return Settled::Failed(at(note, block, message.clone()).hint(hint.clone()));
        }
        if self.progress.left_out.contains(key) {
            return Settled::Missing(left_out(note, block));
        }
        if !self.progress.preview {
            return Settled::Missing(at(note, block, "this was not measured".into()));
        }
        let status = self.progress.running.get(key).cloned().unwrap_or_else(|| "queued".to_owned());
        if let Some((drawing, so_far)) = self.partial(block, measurement) {
            return Settled::Waiting { status, stale: Some(drawing), so_far: Some(so_far) };
        }
        let place = (note.path.clone(), block.id.clone(), which.to_owned());
        let stale = self.progress.stale.get(&place).cloned();
        Settled::Waiting { status, stale, so_far: None }
    }

    /// The drawing of a measurement over the scanned part of its data set, and which part that is.
    fn partial(self, block: &Block, measurement: &Measurement) -> Option<(Arc<Drawing>, String)> {
        let partial = self.progress.partial.get(&measurement.key)?;
        let dataset = measurement.request.dataset.as_ref()?;
        let record = self.store.record(&partial.record)?;
        let baseline = self.baseline(measurement);
        let context = DrawContext {
            store: self.store,
            record: &record,
            presentation: &block.presentation(),
            layer_shown: measurement.layer_shown(),
            inputs: &measurement.request.inputs,
            baseline: baseline.as_ref(),
        };
        let drawing = figure::drawing(block.kind?, &context).ok()?;
        let images = number::thousands(partial.images);
        let ledger = self.plan.ledgers.get(&dataset.name);
        let total = ledger.map(|ledger| ledger.pictures).filter(|total| *total > partial.images);
        let so_far = match total {
            Some(total) => format!("of {images} of {} images", number::thousands(total)),
            None => {
                let all = dataset.shards.len();
                format!("of {images} images, in {} of {all} shards", partial.shards)
            }
        };
        Some((Arc::new(drawing), so_far))
    }

    /// The numbers that a measurement's drawing compares it with, if they are stored.
    fn baseline(self, measurement: &Measurement) -> Option<Baseline> {
        let (dataset, key) = self.plan.baseline(measurement)?;
        let moments = self.store.record(&key)?.outputs.get(scan::MOMENTS)?.digest;
        Some(Baseline { dataset, moments })
    }

    fn drawn(self, note: &Note, block: &Block, measurement: &Measurement) -> Option<Settled> {
        let kind = block.kind?;
        let presentation = block.presentation();
        let baseline = self.baseline(measurement);
        let decided = (&measurement.key, &presentation, measurement.layer_shown());
        let inputs = &measurement.request.inputs;
        let decided = serde_json::to_vec(&(decided, &baseline, inputs)).ok()?;
        let decided = Digest::of(&decided);
        if let Some(known) = self.drawn.0.borrow().get(&decided) {
            return Some(known.clone());
        }
        let record = self.store.record(&measurement.key)?;
        let context = DrawContext {
            store: self.store,
            record: &record,
            presentation: &presentation,
            layer_shown: measurement.layer_shown(),
            inputs,
            baseline: baseline.as_ref(),
        };
        let drawing = match figure::drawing(kind, &context) {
            Ok(drawing) => drawing,
            Err(message) => {
                if message == figure::damaged(self.store) {
                    self.give_up(measurement, &context);
                }
                return Some(self.undrawn(note, block, &message));
            }
        };
        // The drawing may be stored although its numbers, which pages link to, are not.
        let is_whole = record.result::<serde_json::Value>(self.store).is_some();
        let Some(scanned) = self.scanned(measurement).ok().filter(|_| is_whole) else {
            self.give_up(measurement, &context);
            return Some(self.undrawn(note, block, figure::damaged(self.store)));
        };
        let done = Settled::Done { record: Arc::new(record), drawing: Arc::new(drawing), scanned };
        self.drawn.0.borrow_mut().insert(decided, done.clone());
        Some(done)
    }

    /// A result that cannot be drawn or described counts as never measured from now on, whichever part is damaged.
    fn give_up(self, measurement: &Measurement, context: &DrawContext<'_>) {
        let mut others = Vec::new();
        if let (Some(baseline), Some((_, key))) =
            (context.baseline, self.plan.baseline(measurement))
            && context.moments(baseline).is_none()
        {
            others.push(key);
        }
        let unreadable = |key: &&Digest| {
            let record = self.store.record_alone(key);
            record.is_some_and(|record| record.result::<scan::Outcome>(self.store).is_none())
        };
        others.extend(measurement.scans.iter().filter(unreadable));
        match others.is_empty() {
            true => self.store.discard(&measurement.key),
            false => others.iter().for_each(|key| self.store.discard(key)),
        }
    }

    /// The description of the scans that a measurement uses; `None` if it uses none.
    ///
    /// # Errors
    /// If one of them is damaged.
    fn scanned(self, measurement: &Measurement) -> Result<Option<Scanned>, ()> {
        let mut scanned: Option<Scanned> = None;
        for key in &measurement.scans {
            let Some(record) = self.store.record(key) else { continue };
            let outcome = record.result::<scan::Outcome>(self.store).ok_or(())?;
            let all = scanned.get_or_insert_default();
            all.seconds += record.provenance.seconds;
            all.skipped.extend(outcome.skipped);
            if let Some(ledger) = outcome.ledger {
                all.ledger.get_or_insert_default().merge(&ledger);
            }
        }
        Ok(scanned)
    }

    /// The failure of a result that cannot be drawn, with a hint if it is damaged.
    fn undrawn(self, note: &Note, block: &Block, message: &str) -> Settled {
        let hint = if self.store.is_frozen() { FREEZE } else { "build again to measure it" };
        let hint = (message == figure::damaged(self.store)).then(|| hint.to_owned());
        Settled::Failed(at(note, block, message.to_owned()).hint(hint))
    }
}

/// The outcome of a control, whose problem says that it is one's.
fn of_control(settled: Settled) -> Settled {
    match settled {
        Settled::Sweep(cells) => Settled::Sweep(cells.into_iter().map(of_control).collect()),
        settled => settled.with_problem(|problem| Diagnostic {
            message: format!("a control: {}", problem.message),
            ..problem
        }),
    }
}

/// The problems of a sweep's measurements: at each value, or once if all have the same.
fn of_cells(note: &Note, block: &Block, cells: &[Settled]) -> Vec<Diagnostic> {
    let failed: Vec<&Diagnostic> = cells.iter().filter_map(Settled::problem).collect();
    let unread = cells.iter().find_map(|cell| match cell {
        Settled::Done { scanned: Some(scanned), .. } => unread(note, block, scanned),
        _ => None,
    });
    let alike = failed.iter().all(|problem| problem.message == failed[0].message);
    let mut own = match failed.as_slice() {
        [first, _, ..] if alike => {
            let count = failed.len();
            let message =
                format!("{count} of {} were not measured: {}", cells.len(), first.message);
            vec![at(note, block, message).hint(first.hint.clone())]
        }
        failed => failed.iter().map(|problem| (*problem).clone()).collect(),
    };
    own.extend(unread);
    own
}

/// A warning about images of a block's data sets that could not be read.
fn unread(note: &Note, block: &Block, scanned: &Scanned) -> Option<Diagnostic> {
    let (count, which) = (scanned.skipped.len(), scanned.unread()?);
    let s = if count == 1 { "" } else { "s" };
    let message = format!("{count} image{s} of the data set cannot be read: {which}");
    let hint = "the figure was measured without them; fix or remove their files".to_owned();
    Some(Diagnostic { severity: Severity::Warning, ..at(note, block, message) }.hint(hint))
}
