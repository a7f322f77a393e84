//! Draws results: turns a stored result into a [`Drawing`], which templates turn into HTML.
//!
//! A kind has a file here, under its name, and a line in [`FIGURES`].

mod ablate;
mod activation_histogram;
mod attack;
mod attribution;
pub mod axis;
pub mod behind;
mod category_response;
pub mod composed;
mod composition;
mod concept;
mod conditional;
mod context;
mod controls;
pub mod curve;
mod dataset_examples;
mod direction;
mod drawing;
mod drawn_words;
mod entry;
mod facet;
mod feature_vis;
mod labels;
pub mod lines;
mod map;
pub mod part;
pub mod picture;
mod plot;
mod probe;
mod quiz;
mod rating;
mod selectivity;
pub mod sheet;
mod sparse_code;
mod spoiled;
mod stacked;
mod stroop;
pub mod table;
mod text_rank;
mod text_span;
mod unit;
mod unit_quality;
mod unit_rank;
mod unit_search;
mod unit_similarity;
mod unit_summary;
mod zero_shot;

use neuronotes_core::canonical::canonical_json;
use neuronotes_core::digest::Digest;
use neuronotes_core::kind::Kind;

pub use context::{Baseline, DrawContext, damaged};
pub use drawing::Drawing;
pub use entry::Figure;
pub use picture::{Image, Picture};
pub use unit::UnitRef;

/// Bump when the same result and presentation give a different drawing.
pub const RENDERER_VERSION: u32 = 8;

/// One entry per kind, in the order of [`KINDS`](neuronotes_core::kind::KINDS).
pub static FIGURES: &[&Figure] = &[
    &feature_vis::FIGURE,
    &dataset_examples::FIGURE,
    &controls::FIGURE,
    &activation_histogram::FIGURE,
    &unit_rank::FIGURE,
    &unit_summary::FIGURE,
    &category_response::FIGURE,
    &conditional::FIGURE,
    &selectivity::FIGURE,
    &quiz::FIGURE,
    &drawn_words::FIGURE,
    &zero_shot::FIGURE,
    &text_rank::FIGURE,
    &direction::FIGURE,
    &concept::FIGURE,
    &facet::FIGURE,
    &sparse_code::FIGURE,
    &unit_search::FIGURE,
    &labels::FIGURE,
    &unit_quality::FIGURE,
    &unit_similarity::FIGURE,
    &attack::FIGURE,
    &stroop::FIGURE,
    &probe::FIGURE,
    &composition::FIGURE,
    &attribution::FIGURE,
    &text_span::FIGURE,
    &ablate::FIGURE,
];

impl Figure {
    /// The entry of that kind.
    pub fn of(kind: &Kind) -> Option<&'static Self> {
        FIGURES.iter().copied().find(|figure| figure.kind.name == kind.name)
    }
}

/// The drawing with its figure key, from the store if it was drawn before.
///
/// The figure key covers the result and its parameters, the presentation, the names that are drawn, and the renderer's version.
///
/// # Errors
/// If the stored result cannot be drawn.
pub fn drawing(kind: &Kind, context: &DrawContext<'_>) -> Result<Drawing, String> {
    let mut inputs = serde_json::json!({
        "result": context.record.result_digest(),
        // Different parameters may give equal numbers with a different meaning.
        "params": context.record.request["params"],
        "presentation": context.presentation,
        "layer": context.layer_shown,
        "kind": kind.name,
        "baseline": context.baseline,
        // The name that a legend may have for it.
        "dataset": context.record.provenance.dataset,
        "renderer": RENDERER_VERSION,
    });
    if !context.inputs.is_empty() {
        let pictures = context.inputs.pictures.iter().map(|p| (&*p.name, p.digest));
        let datasets = context.inputs.datasets.iter().map(|d| (&*d.name, d.content()));
        let files = context.inputs.files.iter().map(|f| (&*f.name, f.digest));
        let names = pictures.chain(files).chain(datasets);
        inputs["blocks"] = serde_json::json!(context.inputs.blocks);
        inputs["names"] = serde_json::json!(names.collect::<Vec<_>>());
    }
    let key = Digest::of(canonical_json(&inputs).as_bytes());
    if let Some(drawing) = context.store.figure(&key) {
        return Ok(drawing);
    }
    // Without the numbers for comparison, the drawing would not be the one of this key.
    if context.baseline.is_some_and(|baseline| context.moments(baseline).is_none()) {
        return Err(damaged(context.store).to_owned());
    }
    let figure = Figure::of(kind).ok_or_else(|| format!("`{}` has no figure", kind.name))?;
    let drawing = (figure.draw)(context)?;
    // If the drawing cannot be stored, it is drawn again next time; the page is correct anyway.
    let _ = context.store.put_figure(&key, &drawing);
    Ok(drawing)
}

#[cfg(test)]
mod tests;
