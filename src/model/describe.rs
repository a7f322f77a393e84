//! A model as text: its sizes and every layer that a note can name.

use std::fmt::Write as _;

use super::{Architecture, Header};
use crate::digest::Digest;

/// What `neuronotes model info` prints of a model.
pub fn describe(
    name: &str,
    file: &str,
    digest: Digest,
    header: &Header,
    sizes: &Architecture,
) -> String {
    let blocks = sizes.blocks.map(|n| n.to_string()).join(", ");
    let count = |prefix: &str| -> u64 {
        let tensors = header.tensors.iter().filter(|(name, _)| {
            let visual = name.starts_with("visual.");
            // Counted by training, or noted beside the weights; not learned.
            let learned = ![
                "running_mean",
                "running_var",
                "num_batches_tracked",
                "attn_mask",
                "input_resolution",
                "context_length",
                "vocab_size",
            ]
            .iter()
            .any(|number| name.ends_with(number));
            learned && visual == (prefix == "visual")
        });
        tensors.map(|(_, info)| info.shape.iter().product::<u64>()).sum()
    };
    let mut out = format!("{name}: {file}\ndigest: {digest}\n");
    let _ = writeln!(
        out,
        "pictures: ModifiedResNet of width {}, blocks {blocks}, {size} x {size} pixels, {} parameters",
        sizes.width,
        count("visual"),
        size = sizes.image_size,
    );
    if let Some(text) = &sizes.text {
        let _ = writeln!(
            out,
            "texts: {} blocks of width {}, {} heads, {} tokens out of {}, {} parameters",
            text.layers,
            text.width,
            text.heads,
            text.context,
            text.vocabulary,
            count("text"),
        );
    }
    let _ = writeln!(out, "embedding: {}\n", sizes.embedding);
    let layers = sizes.layers();
    let width = |name: fn(&super::Layer) -> &str| {
        layers.iter().map(|layer| name(layer).len()).max().unwrap_or(0)
    };
    let article = |layer: &super::Layer| layer.name.article.clone().unwrap_or_default();
    let (first, second) = (width(|l| &l.name.canonical), width(|l| l.name.shown()));
    let _ = writeln!(out, "{:first$}  {:second$}  units  map", "layer", "in the article");
    for layer in &layers {
        let map = layer.side.map_or_else(|| "-".to_owned(), |side| format!("{side} x {side}"));
        let (canonical, article) = (&layer.name.canonical, article(layer));
        let _ = writeln!(out, "{canonical:first$}  {article:second$}  {:>5}  {map}", layer.units);
    }
    out
}
