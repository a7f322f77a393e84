//! All claims of a site with their outcomes, one record each, for other programs.

use serde::Serialize;

use super::Site;
use crate::claim::{Judgement, Verdict};
use crate::diagnostic::Severity;
use crate::note::Note;
use crate::page::value::Judged;
use crate::plan::Wanted;

/// A claim with its outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stated {
    /// The note's file.
    pub file: String,
    /// The line of the condition, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// The condition, with the value that it is about.
    pub claim: String,
    /// `holds`, `fails` or `unknown`.
    pub verdict: &'static str,
    /// The condition as written; of a value in prose, what follows `?`.
    pub expected: String,
    /// What was measured; empty if nothing was.
    pub measured: String,
    /// Why it is unknown.
    pub reason: Option<String>,
    /// The id of the block that states it; `None` for a value in prose.
    pub figure: Option<String>,
    /// The measurement of the block's sweep that it is judged for.
    pub at: Option<String>,
    /// The name of the sentence that rests on it, as in `claim: ^eight`, without the sign.
    pub sentence: Option<String>,
    /// Why it is expected.
    pub because: Option<String>,
    /// What it is if it does not hold: `error`, `warning` or `note`.
    pub severity: Severity,
    /// If it was committed before its result was measured, when.
    pub predicted: Option<PredictedOn>,
}

/// The days of a prediction, such as `2026-11-24`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PredictedOn {
    /// The day of the commit.
    pub committed: String,
    /// The day of the measurement.
    pub measured: String,
}

impl Site {
    /// All claims and conditions of values in prose, note by note and in the order of the text.
    pub fn claims(&mut self) -> Vec<Stated> {
        self.settle_all();
        let of_note = |(index, note): (usize, &Note)| {
            let of_blocks = self.quoted[index].claims.iter();
            let of_blocks = of_blocks.filter_map(|judged| self.of_block(index, note, judged));
            let in_prose = note.values.iter().zip(&self.quoted[index].shown);
            let in_prose = in_prose.filter_map(|(value, shown)| {
                let test = value.asked.as_ref().ok()?.test.as_ref()?;
                let judgement = shown.judgement.as_ref()?;
                let at = value.place(&test.place).start;
                let claim = test.condition.to_string();
                Some(stated(note, at, claim, judgement, Severity::Warning))
            });
            let mut all: Vec<Stated> = of_blocks.chain(in_prose).collect();
            all.sort_by_key(|one| (one.line, one.column));
            all
        };
        let notes = self.notes.iter().map(|note| &**note).enumerate();
        notes.flat_map(of_note).collect()
    }

    fn of_block(&self, index: usize, note: &Note, judged: &Judged) -> Option<Stated> {
        let block = note.blocks.get(judged.block)?;
        let claim = block.claims.get(judged.claim)?;
        let cell =
            judged.cell.and_then(|cell| match self.plan.wanted(index).get(judged.block)? {
                Wanted::Sweep(sweep) => sweep.cells.get(cell),
                _ => None,
            });
        let text = claim.text.clone();
        Some(Stated {
            figure: Some(block.id.clone()),
            at: cell.map(|cell| self.plan.caption(cell)),
            sentence: claim.cites.as_ref().map(|(name, _)| name.clone()),
            because: claim.because.clone(),
            ..stated(note, claim.span.start, text, &judged.judgement, claim.severity)
        })
    }
}

fn stated(
    note: &Note,
    at: usize,
    claim: String,
    judgement: &Judgement,
    severity: Severity,
) -> Stated {
    let (line, column) = note.lines.position(&note.source, at);
    let predicted = judgement.predicted.as_ref().map(|found| PredictedOn {
        committed: found.claimed.clone(),
        measured: found.measured.clone(),
    });
    Stated {
        file: note.file.clone(),
        line,
        column,
        claim,
        verdict: judgement.verdict.name(),
        expected: judgement.expected.clone(),
        measured: judgement.measured.clone(),
        reason: judgement.reason.clone().filter(|_| judgement.verdict == Verdict::Unknown),
        figure: None,
        at: None,
        sentence: None,
        because: None,
        severity,
        predicted,
    }
}
