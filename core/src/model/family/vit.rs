//! CLIP's vision transformer: its sizes, its layers, and their names in Hugging Face's files.
//!
//! | layer | in Hugging Face's | what it is |
//! |---|---|---|
//! | `visual.conv1` | `vision_model.embeddings.patch_embedding` | the patches |
//! | `visual.ln_pre` | `vision_model.pre_layrnorm` | the residual stream where it begins |
//! | `visual.transformer.resblocks.5.attn` | `vision_model.encoder.layers.5.self_attn` | the attention's output |
//! | `visual.transformer.resblocks.5.resid_mid` | | the residual stream between attention and MLP |
//! | `visual.transformer.resblocks.5.mlp.gelu` | `vision_model.encoder.layers.5.mlp.activation_fn` | the MLP's hidden units |
//! | `visual.transformer.resblocks.5` | `vision_model.encoder.layers.5` | the residual stream after the block |
//! | `visual.proj` | `visual_projection` | the image's embedding, not normalised |

use serde::{Deserialize, Serialize};

use super::shapes::{LARGEST_IMAGE, Shapes, narrow, square};
use super::sizes::{Read, Recognised, VisualSizes};
use super::transformer::{self, TransformerSizes, exchange};
use crate::model::error::ModelError;
use crate::model::layer::{BlockTap, Layer, LayerName, Positions, Stage};
use crate::model::source::Source;

/// Sizes of a vision transformer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VitSizes {
    /// Side of a patch in pixels.
    pub patch: u32,
    /// Sizes of its blocks.
    pub sizes: TransformerSizes,
}

impl Recognised for VitSizes {
    const NOUN: &'static str = "a vision transformer";
    const MARK: &'static str = "visual.class_embedding";
    const QUICK_GELU: bool = false;

    fn read(shapes: &Shapes<'_>, heads: Option<u32>) -> Result<Read<Self>, ModelError> {
        let [width, _, patch, _] = shapes.of("visual.conv1.weight")?;
        let name = "visual.positional_embedding";
        let positions: [u64; 2] = shapes.of(name)?;
        let side = square(positions[0]).filter(|_| positions[1] == width);
        let image_size =
            side.map(|side| side.saturating_mul(patch)).filter(|&size| size <= LARGEST_IMAGE);
        let Some(image_size) = image_size.filter(|_| patch > 0) else {
            return Err(ModelError::Misshapen {
                name: name.into(),
                shape: positions.to_vec(),
                expected: format!("[side² + 1, {width}]"),
            });
        };
        let [_, embedding] = shapes.of("visual.proj")?;
        let heads = |width| heads.unwrap_or_else(|| usual_heads(width));
        let sizes = TransformerSizes::read(shapes, "visual.", heads)?;
        let visual = Self { patch: narrow(patch), sizes };
        Ok(Read { image_size: narrow(image_size), embedding: narrow(embedding), visual })
    }
}

/// Attention heads of a tower of that width. Heads have 64 channels in all of OpenAI's models; open_clip's ViT-H, -g and
/// -bigG have 16 heads, of 80, 88 and 104.
fn usual_heads(width: u32) -> u32 {
    match width {
        1280 | 1408 | 1664 => 16,
        _ => (width / 64).max(1),
    }
}

impl VisualSizes for VitSizes {
    fn summary(&self) -> String {
        let Self { patch, sizes } = self;
        format!("vision transformer of {}, patches of {patch} x {patch} pixels", sizes.summary())
    }

    fn layers(&self, image_size: u32, embedding: u32) -> Vec<Layer> {
        let (side, width) = (image_size / self.patch, self.sizes.width);
        let input = LayerName::plain("visual.conv1")
            .in_hugging_face("vision_model.embeddings.patch_embedding");
        let stream = LayerName::plain("visual.ln_pre").in_hugging_face("vision_model.pre_layrnorm");
        let tokens = Positions::Tokens(side * side + 1);
        let mut layers = vec![
            Layer::new(input, Stage::Input, width, Positions::Map(side)),
            Layer::new(stream, Stage::Stream, width, tokens),
        ];
        self.sizes.add_layers(&mut layers, "visual.", "vision_model", tokens);
        let last =
            LayerName::plain("visual.ln_post").in_hugging_face("vision_model.post_layernorm");
        layers.push(Layer::new(last, Stage::Final, width, Positions::One));
        let name = LayerName::plain("visual.proj").in_hugging_face("visual_projection");
        layers.push(Layer::new(name, Stage::Embedding, embedding, Positions::One));
        layers
    }

    /// The outputs of every other block of the middle third.
    fn middle_layers(&self) -> Vec<String> {
        let count = self.sizes.layers;
        let third = count / 3..(2 * count / 3).max(count / 3 + 1);
        let blocks = (0..count).filter(|block| third.contains(block)).step_by(2);
        blocks.map(|block| format!("visual.transformer.resblocks.{block}")).collect()
    }

    /// Those of a block, where its attention adds to the stream.
    fn heads(&self, stage: Stage) -> Option<u32> {
        let adds = matches!(stage, Stage::Residual { tap: BlockTap::Attention, .. });
        adds.then_some(self.sizes.heads)
    }

    fn other_spelling(&self) -> &'static str {
        "in Hugging Face's"
    }
}

/// The place of a tensor of the tower in a Hugging Face file; `name` is without `visual.`.
pub fn in_hugging_face(name: &str) -> Source {
    if name == "proj" {
        return Source::Transposed("visual_projection.weight".into());
    }
    let tower = "vision_model";
    if let Some(source) = transformer::in_hugging_face(tower, name) {
        return source;
    }
    let rest = match name {
        "class_embedding" => "embeddings.class_embedding".to_owned(),
        "positional_embedding" => "embeddings.position_embedding.weight".to_owned(),
        "conv1.weight" => "embeddings.patch_embedding.weight".to_owned(),
        // `pre_layrnorm` is spelled like that there.
        _ => exchange(name, &[("ln_pre", "pre_layrnorm"), ("ln_post", "post_layernorm")]),
    };
    Source::Whole(format!("{tower}.{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_towers_have_sixteen_heads() {
        assert_eq!([768, 1024, 1280, 1408, 1664].map(usual_heads), [12, 16, 16, 16, 16]);
    }
}
