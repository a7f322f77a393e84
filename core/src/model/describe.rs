//! Describes a model as text: its sizes and every layer that a note can name.

use std::fmt::Write as _;

use super::architecture::Architecture;
use super::checkpoint::{Header, printable};
use super::layer::{Layer, Positions};
use super::naming::Names;
use super::reference::ModelRef;

/// The text that `neuronotes model info` prints about a model.
pub fn describe(
    file: &str,
    model: &ModelRef,
    header: &Header,
    architecture: &Architecture,
) -> String {
    let (visual, text) = parameters(header);
    let mut out = format!("{}: {file}\ndigest: {}\n", model.name, model.digest);
    if header.files.len() > 1 {
        let _ = writeln!(out, "parts: {} files", header.files.len());
    }
    if let Some(beside) = beside(header) {
        let _ = writeln!(out, "{beside}");
    }
    let size = architecture.image_size;
    let visual_sizes = architecture.visual.sizes();
    let tower = visual_sizes.summary();
    let _ = writeln!(out, "images: {tower}, {size} x {size} pixels, {visual} parameters");
    if let Some(sizes) = &architecture.text {
        let _ = writeln!(
            out,
            "texts: transformer of {}, {} tokens out of {}, {text} parameters",
            sizes.sizes.summary(),
            sizes.context,
            sizes.vocabulary,
        );
    }
    let conventions = &model.conventions;
    let _ = writeln!(out, "embedding: {}", architecture.embedding);
    let _ = writeln!(out, "activation: {}", conventions.activation.name());
    let colour = |values: [f64; 3]| values.map(|value| value.to_string()).join(", ");
    let (mean, deviation) = (colour(conventions.mean), colour(conventions.deviation));
    let _ = writeln!(out, "colours: mean {mean}; standard deviation {deviation}\n");
    table(&mut out, "layer of images", visual_sizes.other_spelling(), &architecture.layers());
    if architecture.text.is_some() {
        out.push('\n');
        table(&mut out, "layer of texts", "in Hugging Face's", &architecture.text_layers());
    }
    out
}

/// A sentence about the tensors of a file that do not belong to the model and are not used; `None` if there are none.
pub fn beside(header: &Header) -> Option<String> {
    let names = Names::of(header);
    let foreign: Vec<&str> = names.foreign(header).collect();
    if foreign.is_empty() {
        return None;
    }
    let shown: Vec<String> =
        foreign.iter().take(3).map(|name| format!("`{}`", printable(name))).collect();
    let more = match foreign.len() - shown.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Some(format!("beside the model, not used: {}{more}", shown.join(", ")))
}

fn table(out: &mut String, head: &str, other: &str, layers: &[Layer]) {
    let column = |head: &str, name: fn(&Layer) -> &str| {
        layers.iter().map(|layer| name(layer).len()).chain([head.len()]).max().unwrap_or(0)
    };
    let first = column(head, |layer| &layer.name.canonical);
    let second = column(other, |layer| layer.name.other().unwrap_or(""));
    let _ = writeln!(out, "{head:first$}  {other:second$}  units  positions");
    for layer in layers {
        let positions = match layer.positions {
            Positions::One => "1".to_owned(),
            Positions::Map(side) => format!("{side} x {side}"),
            Positions::Tokens(count) => format!("{count} tokens"),
        };
        let other = layer.name.other().unwrap_or("");
        let canonical = &layer.name.canonical;
        let _ =
            writeln!(out, "{canonical:first$}  {other:second$}  {:>5}  {positions}", layer.units);
    }
}

/// Learned numbers of the visual tower, and of the text tower with the logits' scale.
fn parameters(header: &Header) -> (u64, u64) {
    let names = Names::of(header);
    // Not learned: counters of training, or constants stored with the weights.
    let kept = [
        "running_mean",
        "running_var",
        "num_batches_tracked",
        "attn_mask",
        "position_ids",
        "input_resolution",
        "context_length",
        "vocab_size",
    ];
    let (mut visual, mut text) = (0u64, 0u64);
    for (name, info) in &header.tensors {
        if kept.iter().any(|number| name.ends_with(number)) || names.is_foreign(name) {
            continue;
        }
        let name = names.bare(name);
        let of_images =
            ["visual.", "vision_model.", "visual_projection"].iter().any(|p| name.starts_with(p));
        let size = info.shape.iter().fold(1u64, |product, &n| product.saturating_mul(n));
        *(if of_images { &mut visual } else { &mut text }) += size;
    }
    (visual, text)
}
