//! `neuronotes kinds`: the kinds' documentation, for the terminal, with examples that fit the current garden.

use neuronotes_core::kind::{KINDS, Kind};
use neuronotes_core::{say, suggest};

use super::garden::root;
use crate::bundled;
use crate::field::document::{self, Local, wrapped};
use crate::field::schema;
use crate::resource::Resources;
use crate::workspace::Workspace;

/// Maximum width of the text.
const WIDEST: usize = 100;
/// Layer used in the kinds' examples; the bundled model has it.
const LAYER: &str = "image_block_4/0/Add_6";
/// Unit used in the kinds' examples.
const UNIT: u32 = 42;

/// Prints all kinds, one kind with its fields, or the schema of blocks.
///
/// # Errors
/// Fails if there is no such kind.
pub(super) fn run(kind: Option<&str>, schema: bool) -> anyhow::Result<()> {
    match (kind, schema) {
        (_, true) => say::out(&format!("{:#}\n", schema::schema())),
        (None, false) => say::out(&shown(&document::overview())),
        (Some(name), false) => match Kind::named(name) {
            Some(kind) => say::out(&shown(&document::kind(kind, &local()))),
            None => {
                let hint = suggest::hint(name, KINDS.iter().map(|kind| kind.name));
                anyhow::bail!("unknown kind `{name}`\nhint: {}", hint.unwrap_or_default())
            }
        },
    }
    Ok(())
}

/// Text wrapped to the terminal's width.
fn shown(markdown: &str) -> String {
    let width = terminal_size::terminal_size().map_or(WIDEST, |(width, _)| usize::from(width.0));
    wrapped(markdown, width.clamp(40, WIDEST))
}

/// Names used in examples: those of the current garden, or else those of a new garden.
fn local() -> Local {
    let opened = root(None).ok().and_then(|root| Workspace::open(&root).ok());
    let Some(mut workspace) = opened else { return Local::default() };
    let config = workspace.config.clone();
    let mut local = Local {
        names_model: config.defaults.model.is_none(),
        names_dataset: config.defaults.dataset.is_none(),
        ..Local::default()
    };
    let model = config.defaults.model.as_deref().unwrap_or(bundled::MODEL);
    let found = Resources::default().model(&config, &mut workspace.digests, model);
    if let Ok(model) = found
        && model.architecture.layer(LAYER).is_err()
    {
        let last = model.architecture.layers().into_iter().rfind(|layer| layer.units > UNIT);
        local.layer = last.map(|layer| layer.name.canonical);
    }
    local
}
