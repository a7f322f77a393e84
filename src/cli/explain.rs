//! `neuronotes explain`: why a figure will be measured, or measured again.

use std::path::Path;

use neuronotes_core::say;

use super::format::Format;
use crate::plan::explain;
use crate::site;
use crate::workspace::Workspace;

pub(super) fn run(root: &Path, block: &str, format: Format) -> anyhow::Result<()> {
    let mut workspace = Workspace::open(root)?;
    let plan = site::wishes(&mut workspace).plan;
    workspace.save_digests();
    let shared = workspace.notes();
    let notes: Vec<_> = shared.iter().map(|note| &**note).collect();
    let kept = workspace.store.root(&workspace.root);
    for one in explain::explain(&notes, &plan, &workspace.store, kept.as_ref(), block)? {
        match format {
            Format::Human => say::out(&one.text()),
            Format::Json => say::json(&serde_json::to_string(&one)?),
        }
    }
    Ok(())
}
