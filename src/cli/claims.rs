//! What commands say of claims: their outcomes, how many hold, and which numerals in prose nothing covers.

use std::sync::Arc;

use neuronotes_core::say;

use super::format::count;
use crate::claim::Verdict;
use crate::diagnostic::{Diagnostic, Severity};
use crate::note::Note;
use crate::site::Site;
use crate::workspace::Workspace;

/// Numerals in prose that nothing covers, as notes.
pub(super) fn typed(workspace: &Workspace) -> Vec<Diagnostic> {
    let notes = workspace.notes();
    let of_note = |note: &Arc<Note>| {
        let numerals = note.typed_numerals().into_iter().map(|numeral| {
            let message = format!("`{}` is typed: neither a value nor a claim covers it", numeral.text);
            let problem = note.at().warning(numeral.span, message);
            let hint = "show it as a value, `= id.path`; or end the sentence with ` ^name`, and let an expectation that names the number cite it: `claim: ^name`";
            Diagnostic { severity: Severity::Note, ..problem }.hint(hint)
        });
        numerals.collect::<Vec<_>>()
    };
    notes.iter().flat_map(of_note).collect()
}

/// Prints all claims with their outcomes, one object a line.
pub(super) fn list(site: &mut Site) -> anyhow::Result<()> {
    for claim in site.claims() {
        say::json(&serde_json::to_string(&claim)?);
    }
    Ok(())
}

/// How many expectations hold, if there are any.
pub(super) fn expected(site: &Site) -> Option<String> {
    let outcomes: Vec<Verdict> = site.verdicts().collect();
    let of = |verdict| outcomes.iter().filter(|one| **one == verdict).count();
    let parts = [(Verdict::Holds, "hold"), (Verdict::Fails, "fail"), (Verdict::Unknown, "unknown")];
    let parts = parts.map(|(verdict, what)| (of(verdict), what));
    let parts = parts.into_iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}"));
    let parts: Vec<String> = parts.collect();
    (!parts.is_empty())
        .then(|| format!("{}: {}", count(outcomes.len(), "expectation"), parts.join(", ")))
}
