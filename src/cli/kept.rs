//! A garden's store as commands use it, and how they print what they found in it.

use indicatif::DecimalBytes;
use neuronotes_core::say;
use neuronotes_core::store::{Store, StoreError};

use super::format::Format;
use crate::build;
use crate::site;
use crate::workspace::Workspace;

/// A store with an up-to-date list of the results that the garden uses, or the error that prevented it.
pub(super) struct Kept {
    pub(super) store: Store,
    pub(super) error: Option<StoreError>,
}

pub(super) fn remember(mut workspace: Workspace) -> Kept {
    let wishes = site::wishes(&mut workspace);
    let error = build::remember(
        &workspace,
        &wishes.plan,
        &wishes.missing.iter().map(|(key, _)| *key).collect(),
    )
    .err();
    workspace.save_digests();
    Kept { store: workspace.store, error }
}

pub(super) fn explained(error: StoreError) -> anyhow::Error {
    let hint = error.hint().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
    anyhow::anyhow!("{error}{hint}")
}

pub(super) fn say(format: Format, value: &impl serde::Serialize, text: &str) {
    match format {
        Format::Human => say::out(text),
        Format::Json => say::json(&serde_json::to_string(value).unwrap_or_default()),
    }
}

pub(super) fn size(bytes: u64) -> String {
    DecimalBytes(bytes).to_string()
}
