//! Warnings about data sets: what was skipped in those that blocks name, at their entries in the configuration; and
//! missing labels that a block needs.

use std::collections::BTreeMap;
use std::sync::Arc;

use neuronotes_core::dataset::ledger::Ledger;

use super::fault::at;
use crate::config;
use crate::diagnostic::{Diagnostic, Lines, Severity, SourceFile};
use crate::note::{Block, Note};
use crate::page;
use crate::plan::{Plan, Wanted};
use crate::workspace::Workspace;

/// A warning for each reason for which something in a data set was skipped.
pub fn problems(workspace: &Workspace, plan: &Plan) -> Vec<Diagnostic> {
    let text = workspace.config_text.as_str();
    let lines = Lines::of(text);
    let file = SourceFile { file: config::FILE, text, lines: &lines };
    let mut problems = page::footer_problems(&workspace.config);
    for (name, ledger) in &plan.ledgers {
        let Some(source) = workspace.config.datasets.get(name) else { continue };
        for warning in ledger.warnings() {
            let message = format!("data set `{name}`: {warning}");
            let hint =
                format!("`neuronotes dataset info {name}` lists everything that was skipped");
            problems.push(file.warning(source.span.clone(), message).hint(hint));
        }
    }
    problems
}

/// The error that a block needs labels or captions, but its data set has none.
pub fn unlabelled(
    note: &Note,
    block: &Block,
    wanted: &Wanted,
    ledgers: &BTreeMap<String, Arc<Ledger>>,
) -> Option<Diagnostic> {
    let request = &wanted.measurements().first()?.request;
    let name = &request.dataset.as_ref()?.name;
    let ledger = ledgers.get(name).filter(|ledger| ledger.pictures > 0)?;
    let (what, count) = match request.params.get("truth")?.as_str()? {
        "label" => ("label", ledger.labels),
        "caption" => ("caption", ledger.captions),
        _ => return None,
    };
    if count > 0 {
        return None;
    }
    let message = format!("no picture of the data set `{name}` has a {what} to compare with");
    let hint = match what {
        "label" if ledger.folders > 0 => format!(
            "its pictures are in folders: set `labels: folders` at `{name}` in {} to use the folders' names as labels",
            config::FILE
        ),
        "label" if ledger.captions > 0 => {
            "its pictures have captions: use `truth: caption` to compare with these".to_owned()
        }
        "caption" if ledger.labels > 0 => {
            "its pictures have labels: use `truth: label` to compare with these".to_owned()
        }
        _ => format!("write each {what} into a file beside its picture, or use `truth: none`"),
    };
    let problem = match block.fields.get("truth") {
        Some(value) => note.at().error(value.span.clone(), message),
        None => at(note, block, message),
    };
    Some(Diagnostic { severity: Severity::Warning, ..problem }.hint(hint))
}
