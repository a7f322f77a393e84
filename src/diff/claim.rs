//! Claims that changed sides: conditions that held and do not hold any more, or the reverse.

use serde::Serialize;

use super::pair::Pair;
use super::side::Sides;
use crate::note::Note;
use crate::site::Site;

/// A claim whose verdict differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClaimChange {
    /// The note's path.
    pub note: String,
    /// The id of the block that states it.
    pub id: String,
    /// Its file and line in the later state, or in the earlier one if it is gone.
    pub place: String,
    /// The condition as written.
    pub claim: String,
    /// `holds`, `fails`, `unknown`, or `not stated`, before.
    pub before: &'static str,
    /// The same after.
    pub after: &'static str,
    /// What was measured, before and after.
    pub measured: [String; 2],
}

/// A claim on one side.
struct Known {
    id: String,
    cell: Option<usize>,
    claim: String,
    place: String,
    verdict: &'static str,
    measured: String,
}

/// The claims of a pair of notes whose verdicts differ; those that fail now come first.
pub fn compare(sides: &Sides, pair: Pair) -> Vec<ClaimChange> {
    let mut before = pair.a.map(|at| known(&sides.a.site, at)).unwrap_or_default();
    let after = pair.b.map(|at| known(&sides.b.site, at)).unwrap_or_default();
    let note = |site: &Site, at: usize| site.read_notes()[at].path.clone();
    let path = pair.b.map(|at| note(&sides.b.site, at));
    let path = path.or(pair.a.map(|at| note(&sides.a.site, at))).unwrap_or_default();
    const NONE: &str = "not stated";
    let mut changes = Vec::new();
    let mut put = |old: Option<Known>, new: Option<Known>| {
        let verdict = |side: &Option<Known>| side.as_ref().map_or(NONE, |known| known.verdict);
        let measured = |side: &Option<Known>| {
            side.as_ref().map(|known| known.measured.clone()).unwrap_or_default()
        };
        let (verdicts, measured) =
            ([verdict(&old), verdict(&new)], [measured(&old), measured(&new)]);
        let Some(Known { id, claim, place, .. }) = new.or(old) else { return };
        let [before, after] = verdicts;
        // A claim that is new or gone has changed no side, unless it fails.
        let is_judged = before != NONE && after != NONE;
        if before != after && (is_judged || before == "fails" || after == "fails") {
            let note = path.clone();
            changes.push(ClaimChange { note, id, place, claim, before, after, measured });
        }
    };
    for new in after {
        let same = |old: &Known| old.id == new.id && old.claim == new.claim && old.cell == new.cell;
        let old = before.iter().position(same).map(|at| before.remove(at));
        put(old, Some(new));
    }
    before.into_iter().for_each(|old| put(Some(old), None));
    changes.sort_by_key(|change| change.after != "fails");
    changes
}

fn known(site: &Site, at: usize) -> Vec<Known> {
    let note: &Note = &site.read_notes()[at];
    let judged = &site.values(at).claims;
    let one = |judged: &crate::page::value::Judged| {
        let block = note.blocks.get(judged.block)?;
        let claim = block.claims.get(judged.claim)?;
        let line = note.at().lines.position(&note.source, claim.span.start).0;
        Some(Known {
            id: block.id.clone(),
            cell: judged.cell,
            claim: claim.text.clone(),
            place: format!("{}:{line}", note.file),
            verdict: judged.judgement.verdict.name(),
            measured: judged.judgement.measured.clone(),
        })
    };
    judged.iter().filter_map(one).collect()
}
