//! The transformer of both towers: its sizes, the layers of its blocks, and their names in Hugging Face's files.

use serde::{Deserialize, Serialize};

use super::shapes::{Shapes, narrow};
use crate::model::error::ModelError;
use crate::model::layer::{BlockTap, Layer, LayerName, Positions, Stage};
use crate::model::source::Source;

/// Sizes of a transformer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransformerSizes {
    /// Channels of the residual stream.
    pub width: u32,
    /// Blocks.
    pub layers: u32,
    /// Attention heads of each.
    pub heads: u32,
    /// Hidden units of each MLP.
    pub hidden: u32,
}

impl TransformerSizes {
    /// Reads the sizes. `prefix` is what the tensors' names begin with; `heads` gives the number of heads for a width.
    ///
    /// # Errors
    /// Fails if a tensor is missing or misshapen, or if the heads cannot share the width.
    pub fn read(
        shapes: &Shapes<'_>,
        prefix: &str,
        heads: impl Fn(u32) -> u32,
    ) -> Result<Self, ModelError> {
        let block = |i: u32, part: &str| format!("{prefix}transformer.resblocks.{i}.{part}");
        let [hidden, width] = shapes.of(&block(0, "mlp.c_fc.weight"))?;
        let layers = shapes.count(|i| block(i, "mlp.c_fc.weight"));
        let heads = heads(narrow(width));
        let sizes = Self { width: narrow(width), layers, heads, hidden: narrow(hidden) };
        if sizes.heads == 0 || !sizes.width.is_multiple_of(sizes.heads) {
            return Err(ModelError::Misshapen {
                name: block(0, "mlp.c_fc.weight"),
                shape: vec![hidden, width],
                expected: format!("a width that {} heads can share", sizes.heads),
            });
        }
        Ok(sizes)
    }

    /// The sizes in words.
    pub fn summary(&self) -> String {
        let Self { width, layers, heads, hidden } = self;
        let s = if *layers == 1 { "" } else { "s" };
        format!("{layers} block{s}, width {width}, {heads} heads, {hidden} hidden units")
    }

    /// Adds the layers of all blocks. `prefix` is what the modules' names begin with, `tower` what they begin with in
    /// Hugging Face's files.
    pub fn add_layers(
        &self,
        layers: &mut Vec<Layer>,
        prefix: &str,
        tower: &str,
        tokens: Positions,
    ) {
        for block in 0..self.layers {
            for (tap, part, units) in [
                (BlockTap::Norm1, "ln_1", self.width),
                (BlockTap::Attention, "attn", self.width),
                (BlockTap::Middle, "resid_mid", self.width),
                (BlockTap::Norm2, "ln_2", self.width),
                (BlockTap::HiddenInput, "mlp.c_fc", self.hidden),
                (BlockTap::Hidden, "mlp.gelu", self.hidden),
                (BlockTap::Mlp, "mlp.c_proj", self.width),
                (BlockTap::Output, "", self.width),
            ] {
                let dot = if part.is_empty() { "" } else { "." };
                let name =
                    LayerName::plain(format!("{prefix}transformer.resblocks.{block}{dot}{part}"));
                let name = match tap {
                    BlockTap::Middle => name,
                    _ => name.in_hugging_face(format!(
                        "{tower}.encoder.layers.{block}{dot}{}",
                        block_part(part)
                    )),
                };
                layers.push(Layer::new(name, Stage::Residual { block, tap }, units, tokens));
            }
        }
    }
}

/// The place of a block's tensor in a Hugging Face file, after `convert_clip_original_pytorch_to_hf.py` of
/// transformers. `name` is the tensor's name without the part that names its tower in OpenAI's files; `None` if the
/// tensor does not belong to a block.
pub fn in_hugging_face(tower: &str, name: &str) -> Option<Source> {
    let (block, part) = name.strip_prefix("transformer.resblocks.")?.split_once('.')?;
    let key = format!("{tower}.encoder.layers.{block}");
    let stacked = |kind: &str| {
        Source::Stacked(["q", "k", "v"].map(|of| format!("{key}.self_attn.{of}_proj.{kind}")))
    };
    Some(match part {
        "attn.in_proj_weight" => stacked("weight"),
        "attn.in_proj_bias" => stacked("bias"),
        _ => Source::Whole(format!("{key}.{}", block_part(part))),
    })
}

/// A part of a block, module or tensor, in Hugging Face's spelling.
fn block_part(part: &str) -> String {
    let pairs = [
        ("ln_1", "layer_norm1"),
        ("ln_2", "layer_norm2"),
        ("attn", "self_attn"),
        ("mlp.c_fc", "mlp.fc1"),
        ("mlp.gelu", "mlp.activation_fn"),
        ("mlp.c_proj", "mlp.fc2"),
    ];
    exchange(part, &pairs)
}

/// `text` with the module that it begins with renamed.
pub fn exchange(text: &str, pairs: &[(&str, &str)]) -> String {
    for (from, to) in pairs {
        match text.strip_prefix(from) {
            Some("") => return (*to).to_owned(),
            Some(rest) if rest.starts_with('.') => return format!("{to}{rest}"),
            _ => {}
        }
    }
    text.to_owned()
}
