//! CLIP's ModifiedResNet: its sizes and layers.
//!
//! | layer | in the article's graph | what it is |
//! |---|---|---|
//! | `visual.conv1`, `.bn1`, `.relu1` … `3` | | the stem's three convolutions |
//! | `visual.avgpool` | | the stem's output |
//! | `visual.layer4.5.conv1`, `.bn1`, `.conv2`, … | | inside a bottleneck |
//! | `visual.layer4.5.relu1`, `.relu2` | `image_block_4/5/Relu`, `Relu_1` | the same |
//! | `visual.layer4.5.add` | `image_block_4/5/Add_6` | the residual sum, before the last ReLU |
//! | `visual.layer4.5` | `image_block_4/5/Relu_2` | the block's output |
//! | `visual.attnpool` | | the image's embedding, not normalised |

use serde::{Deserialize, Serialize};

use super::shapes::{LARGEST_IMAGE, Shapes, narrow, square};
use super::sizes::{Read, Recognised, VisualSizes};
use crate::model::error::ModelError;
use crate::model::layer::{Layer, LayerName, Positions, Stage, StemTap, Tap};

/// Most channels of a layer; RN50x64 has 4096.
const WIDEST: u64 = 1 << 20;

/// Sizes of a ModifiedResNet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResNetSizes {
    /// Channels after the stem; the stages have `width` · 4, 8, 16 and 32.
    pub width: u32,
    /// Bottleneck blocks in each of the four stages.
    pub blocks: [u32; 4],
    /// Heads of the attention pool.
    pub pool_heads: u32,
}

impl Recognised for ResNetSizes {
    const NOUN: &'static str = "a ResNet";
    const MARK: &'static str = "visual.layer1.0.conv1.weight";
    // A ResNet has MLPs only in its text tower.
    const QUICK_GELU: bool = true;

    fn read(shapes: &Shapes<'_>, _: Option<u32>) -> Result<Read<Self>, ModelError> {
        let [width, ..] = shapes.of::<4>("visual.layer1.0.conv1.weight")?;
        let blocks = [1, 2, 3, 4]
            .map(|stage| shapes.count(|block| format!("visual.layer{stage}.{block}.conv1.weight")));
        if let Some(stage) = blocks.iter().position(|&n| n == 0) {
            return Err(ModelError::Missing(format!("visual.layer{}.0.conv1.weight", stage + 1)));
        }
        let name = "visual.attnpool.positional_embedding";
        let positions: [u64; 2] = shapes.of(name)?;
        let channels = width.saturating_mul(32);
        let fits = positions[1] == channels && channels <= WIDEST;
        let side = square(positions[0]).filter(|_| fits);
        let image_size =
            side.map(|side| side.saturating_mul(32)).filter(|&size| size <= LARGEST_IMAGE);
        let Some(image_size) = image_size else {
            return Err(ModelError::Misshapen {
                name: name.into(),
                shape: positions.to_vec(),
                expected: format!("[side² + 1, {channels}]"),
            });
        };
        let [embedding, _] = shapes.of("visual.attnpool.c_proj.weight")?;
        let width = narrow(width);
        let pool_heads = (narrow(channels) / 64).max(1);
        let visual = Self { width, blocks, pool_heads };
        Ok(Read { image_size: narrow(image_size), embedding: narrow(embedding), visual })
    }
}

impl VisualSizes for ResNetSizes {
    fn summary(&self) -> String {
        let blocks = self.blocks.map(|n| n.to_string()).join(", ");
        format!("ModifiedResNet of width {}, blocks {blocks}", self.width)
    }

    fn layers(&self, image_size: u32, embedding: u32) -> Vec<Layer> {
        let Self { width, blocks, .. } = *self;
        let mut layers = Vec::new();
        for conv in 1..=3 {
            for (tap, module) in
                [(StemTap::Conv, "conv"), (StemTap::Norm, "bn"), (StemTap::Relu, "relu")]
            {
                let units = if conv == 3 { width } else { width / 2 };
                let name = LayerName::plain(format!("visual.{module}{conv}"));
                let map = Positions::Map(image_size / 2);
                layers.push(Layer::new(name, Stage::Stem(conv, tap), units, map));
            }
        }
        let name = LayerName::plain("visual.avgpool");
        layers.push(Layer::new(name, Stage::StemOutput, width, Positions::Map(image_size / 4)));
        for stage in 1..=4u32 {
            let planes = width << (stage - 1);
            let side = image_size / (4 << (stage - 1));
            for block in 0..blocks[stage as usize - 1] {
                let inside = if block == 0 && stage > 1 { side * 2 } else { side };
                let taps = [
                    (Tap::Conv1, ".conv1", None, planes, inside),
                    (Tap::Norm1, ".bn1", None, planes, inside),
                    (Tap::Relu1, ".relu1", Some("Relu"), planes, inside),
                    (Tap::Conv2, ".conv2", None, planes, inside),
                    (Tap::Norm2, ".bn2", None, planes, inside),
                    (Tap::Relu2, ".relu2", Some("Relu_1"), planes, inside),
                    (Tap::Pool, ".avgpool", None, planes, side),
                    (Tap::Conv3, ".conv3", None, planes * 4, side),
                    (Tap::Norm3, ".bn3", None, planes * 4, side),
                    (Tap::ShortcutConv, ".downsample.0", None, planes * 4, side),
                    (Tap::Shortcut, ".downsample", None, planes * 4, side),
                    (Tap::Add, ".add", Some("Add_6"), planes * 4, side),
                    (Tap::Output, "", Some("Relu_2"), planes * 4, side),
                ];
                for (tap, module, article, units, side) in taps {
                    let is_shortcut = matches!(tap, Tap::ShortcutConv | Tap::Shortcut);
                    // The first block of a stage changes the number of channels.
                    if is_shortcut && block > 0 {
                        continue;
                    }
                    let mut name = LayerName::plain(format!("visual.layer{stage}.{block}{module}"));
                    if let Some(article) = article {
                        name = name.in_article(format!("image_block_{stage}/{block}/{article}"));
                    }
                    let place = Stage::Bottleneck { stage, block, tap };
                    layers.push(Layer::new(name, place, units, Positions::Map(side)));
                }
            }
        }
        let name = LayerName::plain("visual.attnpool");
        layers.push(Layer::new(name, Stage::Embedding, embedding, Positions::One));
        layers
    }

    /// The outputs of every other block of the third stage; of all its blocks if it has fewer than four.
    fn middle_layers(&self) -> Vec<String> {
        let count = self.blocks[2];
        let step = if count < 4 { 1 } else { 2 };
        (0..count).step_by(step).map(|block| format!("visual.layer3.{block}")).collect()
    }

    /// Those of the attention pool, at the embedding.
    fn heads(&self, stage: Stage) -> Option<u32> {
        (stage == Stage::Embedding).then_some(self.pool_heads)
    }

    fn other_spelling(&self) -> &'static str {
        "in the article"
    }
}
