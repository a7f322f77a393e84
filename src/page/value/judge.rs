//! The outcomes of a note's claims, and their problems.
//!
//! A name in a claim is, in this order: a value of the claim's own block, a block of the note, or a list of the garden. In the
//! block of a sweep, a claim on its own values is judged for each measurement.

use std::cell::RefCell;
use std::ops::Range;

use jiff::Timestamp;
use neuronotes_core::kind::Kind;
use neuronotes_core::kind::controlled::FIELD as CONTROLS;
use neuronotes_core::suggest;

use super::shown::Shown;
use super::tree::Tree;
use super::{Judged, Located, Quoted, Source, Sources};
use crate::claim::{self, Claim, Judgement, Lookup, Missing, Predicted, Reference, Step, Verdict};
use crate::diagnostic::fault::Fault;
use crate::diagnostic::{Diagnostic, Severity};
use crate::note::{Expected, InlineValue};
use crate::page::settled::Settled;
use crate::plan::{Measurement, Wanted};

/// Number of measurements of a sweep that a message names.
const NAMED: usize = 4;

/// Knows the values that an expression in a note names.
pub(super) struct Asker<'s, 'a> {
    sources: &'s Sources<'a>,
    /// The note.
    index: usize,
    /// The block whose claim it is, with the measurement of its sweep.
    own: Option<(Source<'a>, Option<usize>)>,
    used: RefCell<Used>,
}

/// What an expression used.
#[derive(Debug, Default)]
pub(super) struct Used {
    /// When measurements began whose results it used.
    started: Vec<String>,
    /// Lists of the garden.
    lists: Vec<String>,
    /// Figures: note and block id.
    pub(super) figures: Vec<(usize, String)>,
    /// A request that it waits for.
    waits: bool,
}

impl<'s, 'a> Asker<'s, 'a> {
    pub(super) fn of_note(sources: &'s Sources<'a>, index: usize) -> Self {
        Self { sources, index, own: None, used: RefCell::default() }
    }

    pub(super) fn used(self) -> Used {
        self.used.into_inner()
    }

    fn found(&self, source: Source<'_>, located: Located<'_>) -> Result<claim::Value, Fault> {
        let mut used = self.used.borrow_mut();
        used.figures.push((source.note, source.block.id.clone()));
        Ok(match located {
            Located::Count(count) => claim::Value::Number(count as f64),
            Located::Found { tree, value, first, steps, started, .. } => {
                used.started.extend(started);
                tree.find(&value, first, steps)?
            }
            Located::Waiting { key, status } => {
                used.waits = true;
                claim::Value::Missing(Missing::Waiting { key, status })
            }
            Located::Failed(message) => claim::Value::Missing(Missing::Failed(message)),
        })
    }

    /// A value of the claim's own block.
    fn own(
        &self,
        (source, cell): (Source<'a>, Option<usize>),
        reference: &Reference,
    ) -> Result<claim::Value, Fault> {
        let first = (Step::Field(reference.name.clone()), reference.place.clone());
        let mut steps: Vec<(Step, Range<usize>)> = vec![first];
        steps.extend(reference.steps.iter().cloned());
        let cell = match (source.wanted, cell) {
            // The controls of all measurements are one.
            _ if is_control(source, reference) => None,
            (Wanted::Sweep(sweep), Some(at)) => sweep.cells.get(at).map(|cell| (cell, at)),
            _ => None,
        };
        let Some((cell, at)) = cell else {
            let (name, place) = (source.block.id.clone(), reference.place.clone());
            let asked = Reference { note: None, is_block: true, name, steps, place };
            return self.found(source, self.sources.located(source, &asked)?);
        };
        let settled = match source.settled {
            Settled::Sweep(cells) => cells.get(at),
            _ => None,
        };
        let located = match settled {
            Some(settled) => {
                self.sources.measured(source.block, &cell.measurement, settled, &steps, "")?
            }
            None => Located::Failed("this was not measured".to_owned()),
        };
        self.found(source, located)
    }

    /// The error about a name that nothing has.
    fn unknown(&self, reference: &Reference) -> Fault {
        let name = &reference.name;
        let blocks = self.sources.notes[self.index].blocks.iter().map(|block| block.id.clone());
        let lists = self.sources.lists.keys().cloned();
        let own = self.own.and_then(|(source, _)| tree(source)).map(|tree| tree.all_names());
        let known: Vec<String> = own.into_iter().flatten().chain(blocks).chain(lists).collect();
        let near = suggest::nearest(name, &known, 3);
        let hint = match near.is_empty() {
            true => {
                "put a text in quotes; a list is defined by `lists:` in neuronotes.yaml".to_owned()
            }
            false => {
                format!("did you mean {}? (a text stands in quotes)", suggest::quoted(&near, "or"))
            }
        };
        let message = format!("there is no value, figure or list `{name}`");
        Fault::new(reference.place.clone(), message).hint(hint)
    }
}

impl Lookup for Asker<'_, '_> {
    fn look_up(&self, reference: &Reference) -> Result<claim::Value, Fault> {
        if !reference.is_block {
            if let Some(own) = self.own.filter(|(source, _)| is_own(*source, reference)) {
                return self.own(own, reference);
            }
            let blocks = &self.sources.notes[self.index].blocks;
            let is_block = blocks.iter().any(|block| block.id == reference.name);
            let list = self.sources.lists.get(&reference.name).filter(|_| !is_block);
            if let Some(list) = list {
                if let Some((_, place)) = reference.steps.first() {
                    let message =
                        format!("`{}` is a list of the garden, and has no path", reference.name);
                    return Err(Fault::new(place.clone(), message).hint("use the whole list"));
                }
                self.used.borrow_mut().lists.push(reference.name.clone());
                let items = list.items.iter().map(|item| claim::Value::Text(item.clone()));
                return Ok(claim::Value::List(items.collect()));
            }
            if !is_block && (self.own.is_some() || reference.steps.is_empty()) {
                return Err(self.unknown(reference));
            }
        }
        let source = self.sources.source_of(self.index, reference)?;
        self.found(source, self.sources.located(source, reference)?)
    }
}

/// The values of a block, whichever of its measurements it is.
fn tree(source: Source<'_>) -> Option<Tree<'_>> {
    let kind = source.block.kind?;
    let first: Option<&Measurement> = source.wanted.measurements().into_iter().next();
    Some(match first {
        Some(measurement) => Tree::of(kind, source.block, measurement),
        None => Tree::unasked(kind),
    })
}

/// Whether a reference is to the controls of the block itself.
fn is_control(source: Source<'_>, reference: &Reference) -> bool {
    reference.name == CONTROLS && source.block.kind.is_some_and(Kind::has_controls)
}

/// Whether a reference is to a value of the block itself.
pub(super) fn is_own(source: Source<'_>, reference: &Reference) -> bool {
    let cells = matches!(source.wanted, Wanted::Sweep(_)) && reference.name == "cells";
    let own = cells || is_control(source, reference);
    !reference.is_block && (own || tree(source).is_some_and(|tree| tree.has(&reference.name)))
}

impl<'a> Sources<'a> {
    /// Judges the claims of the note `index`.
    pub(super) fn judge_all(&self, index: usize, out: &mut Quoted) {
        let note = self.notes[index];
        if !note.claims() {
            return;
        }
        let blocks = note.blocks.iter().zip(self.plan.wanted(index)).zip(&*self.figures[index]);
        for (at, ((block, wanted), settled)) in blocks.enumerate() {
            let source = Source { note: index, block, wanted, settled };
            for (number, claim) in block.claims.iter().enumerate() {
                let judged: Vec<Judged> = self
                    .cells(source, claim)
                    .into_iter()
                    .map(|cell| Judged {
                        block: at,
                        claim: number,
                        cell,
                        judgement: self.judge(index, Some((source, cell)), claim),
                    })
                    .collect();
                out.problems.extend(self.problem(source, claim, &judged));
                for fault in self.former(index, &claim.expression, Some(source)) {
                    let problem =
                        note.at().warning(claim.place(&fault.span), fault.problem.message);
                    out.problems.push(problem.hint(fault.problem.hint));
                }
                out.claims.extend(judged);
            }
        }
    }

    /// The measurements of its block for which a claim is judged one by one; `None` for the block as a whole.
    fn cells(&self, source: Source<'_>, claim: &Claim) -> Vec<Option<usize>> {
        let Wanted::Sweep(sweep) = source.wanted else { return vec![None] };
        let of_cell =
            |reference: &&Reference| reference.name != "cells" && is_own(source, reference);
        match claim.expression.references().iter().any(of_cell) {
            true => (0..sweep.cells.len()).map(Some).collect(),
            false => vec![None],
        }
    }

    fn judge(
        &self,
        index: usize,
        own: Option<(Source<'a>, Option<usize>)>,
        claim: &Claim,
    ) -> Judgement {
        let asker = Asker { own, ..Asker::of_note(self, index) };
        let mut judgement = claim::judge(&claim.expression, &claim.text, &asker);
        if judgement.verdict != Verdict::Unknown {
            judgement.predicted = self.predicted(index, &claim.span, &asker.used());
        }
        judgement
    }

    /// When a condition was committed, if that was before all results that it used.
    fn predicted(&self, index: usize, span: &Range<usize>, used: &Used) -> Option<Predicted> {
        let started = used.started.iter().map(|at| at.parse::<Timestamp>());
        let first = started.collect::<Result<Vec<_>, _>>().ok()?.into_iter().min()?;
        let note = self.notes[index];
        let from = note.lines.start_of(span.start);
        let text = note.source.get(from..span.end)?;
        let rest = note.source.get(span.end..)?.lines().next().unwrap_or_default();
        // What a list contains decides as well.
        let whole = format!("{text}{rest}");
        let lines = whole.lines().map(|line| line.trim_start_matches(['>', ' ']));
        let mut since = self.commits.since(&note.file, lines)?;
        for list in used.lists.iter().filter_map(|name| self.lists.get(name)) {
            let lines = list.lines.iter().map(String::as_str);
            since = since.max(self.commits.since(crate::config::FILE, lines)?);
        }
        let claimed = Timestamp::from_second(since).ok()?;
        let day = |at: Timestamp| at.strftime("%F").to_string();
        (claimed < first).then(|| Predicted { claimed: day(claimed), measured: day(first) })
    }

    /// What is to be reported of a claim with these outcomes.
    fn problem(&self, source: Source<'_>, claim: &Claim, judged: &[Judged]) -> Option<Diagnostic> {
        let at = self.notes[source.note].at();
        if let Some(fault) = judged.iter().find_map(|one| one.judgement.fault.clone()) {
            let problem = at.error(claim.place(&fault.span), fault.problem.message);
            return Some(problem.hint(fault.problem.hint));
        }
        let is_bad = |one: &&Judged| one.judgement.is_bad();
        let bad: Vec<&Judged> = judged.iter().filter(is_bad).collect();
        let first = bad.first()?;
        let message = match (first.cell, bad.len()) {
            (None, _) => said(claim, &first.judgement),
            (Some(_), count) => {
                let each = bad.iter().take(NAMED).map(|one| {
                    let cell = one.cell.and_then(|at| match source.wanted {
                        Wanted::Sweep(sweep) => sweep.cells.get(at),
                        _ => None,
                    });
                    let which = cell.map(|cell| self.plan.caption(cell)).unwrap_or_default();
                    format!("{which}: {}", why(&one.judgement))
                });
                let each: Vec<String> = each.collect();
                let more = if count > NAMED {
                    format!("; and {} more", count - NAMED)
                } else {
                    String::new()
                };
                let (text, of) = (&claim.text, judged.len());
                format!(
                    "`{text}` does not hold for {count} of {of} measurements: {}{more}",
                    each.join("; ")
                )
            }
        };
        let problem = at.error(claim.span.clone(), message);
        Some(Diagnostic { severity: claim.severity, ..problem }.hint(advice(claim)))
    }

    /// Judges the condition of a value in prose, and marks the value if it fails.
    pub(super) fn expected(
        &self,
        index: usize,
        value: &InlineValue,
        shown: &mut Shown,
        problems: &mut Vec<Diagnostic>,
    ) {
        let Ok(query) = &value.asked else { return };
        let Some(Expected { condition, written, place }) = &query.test else { return };
        // Code that names no figure, and values with an error, which is reported already.
        if shown.figure.is_none() {
            return;
        }
        let asker = Asker::of_note(self, index);
        let mut judgement = claim::judge(condition, written, &asker);
        let at = self.notes[index].at();
        if let Some(fault) = judgement.fault.take() {
            let problem = at.error(value.place(&fault.span), fault.problem.message);
            problems.push(problem.hint(fault.problem.hint));
        } else if judgement.is_bad() {
            let verb =
                if judgement.verdict == Verdict::Fails { "does not hold" } else { "is unknown" };
            let message = format!("`{condition}` {verb}: {}", why(&judgement));
            let hint = "correct the sentence or its condition";
            problems.push(at.warning(value.place(place), message).hint(hint));
        }
        shown.judged(judgement);
    }
}

impl Judgement {
    /// Whether it is to be reported: it fails, or there is no such value although all is measured.
    fn is_bad(&self) -> bool {
        self.verdict == Verdict::Fails || matches!(self.missing, Some(Missing::Absent(_)))
    }
}

/// What was measured, or why nothing was.
fn why(judgement: &Judgement) -> String {
    judgement.reason.clone().unwrap_or_else(|| judgement.measured.clone())
}

fn said(claim: &Claim, judgement: &Judgement) -> String {
    let verb = match judgement.verdict {
        Verdict::Unknown => "is unknown",
        _ => "does not hold",
    };
    format!("`{}` {verb}: {}", claim.text, why(judgement))
}

/// What to do about a claim that does not hold.
fn advice(claim: &Claim) -> String {
    let mut advice = match &claim.cites {
        Some((id, _)) => format!("the sentence `^{id}` rests on it: correct one of the two"),
        None => "correct what is expected, or what is measured".to_owned(),
    };
    if let Some(because) = &claim.because {
        advice.push_str(&format!("; expected because: {because}"));
    }
    if claim.severity == Severity::Note {
        advice.push_str("; `else: warn`, so `--strict` does not count it");
    }
    advice
}
