//! Names of layers: PyTorch's, and those of the article or of Hugging Face.
//!
//! | ResNet | in the article's graph | what it is |
//! |---|---|---|
//! | `visual.conv1`, `.bn1`, `.relu1` … `3` | | the stem's three convolutions |
//! | `visual.avgpool` | | the stem's output |
//! | `visual.layer4.5.conv1`, `.bn1`, `.conv2`, … | | inside a bottleneck |
//! | `visual.layer4.5.relu1`, `.relu2` | `image_block_4/5/Relu`, `Relu_1` | the same |
//! | `visual.layer4.5.add` | `image_block_4/5/Add_6` | the residual sum, before the last ReLU |
//! | `visual.layer4.5` | `image_block_4/5/Relu_2` | the block's output |
//! | `visual.attnpool` | | the image's embedding, not normalised |
//!
//! | transformer | in Hugging Face's | what it is |
//! |---|---|---|
//! | `visual.conv1` | `vision_model.embeddings.patch_embedding` | the patches |
//! | `visual.ln_pre` | `vision_model.pre_layrnorm` | the residual stream where it begins |
//! | `visual.transformer.resblocks.5.attn` | `vision_model.encoder.layers.5.self_attn` | the attention's output |
//! | `visual.transformer.resblocks.5.resid_mid` | | the residual stream between attention and MLP |
//! | `visual.transformer.resblocks.5.mlp.gelu` | `vision_model.encoder.layers.5.mlp.activation_fn` | the MLP's hidden units |
//! | `visual.transformer.resblocks.5` | `vision_model.encoder.layers.5` | the residual stream after the block |
//! | `visual.proj` | `visual_projection` | the image's embedding, not normalised |
//!
//! The text tower is a transformer too: `transformer.resblocks.5.attn` and so on.

use super::naming::block_part;
use super::{Architecture, ResNetSizes, TextArchitecture, TransformerSizes, Visual};

/// A layer of a model: its names and the shape of its activations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// All spellings.
    pub name: LayerName,
    /// Where in its tower it stands.
    pub stage: Stage,
    /// Channels.
    pub units: u32,
    /// Where each unit answers, at the model's own input size.
    pub positions: Positions,
}

/// Where a layer's units answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Positions {
    /// Once an image or text: activations are `[n, units]`.
    One,
    /// At each point of a square map of that side: `[n, units, side, side]`.
    Map(u32),
    /// At each of so many tokens: `[n, tokens, units]`. Of an image, the class token is the first, and the
    /// patches follow row by row.
    Tokens(u32),
}

/// A layer's spellings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerName {
    /// As PyTorch's module tree spells it; the one in keys.
    pub canonical: String,
    /// As the article's graph spells it, where it has the layer.
    pub article: Option<String>,
    /// As Hugging Face's module tree spells it, where it has the layer.
    pub hugging_face: Option<String>,
}

/// Where in its tower a layer stands, deepest last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// The stem's convolution 1, 2 or 3, in a ResNet.
    Stem(u32, StemTap),
    /// The stem's output.
    StemOutput,
    /// In a bottleneck of a ResNet.
    Bottleneck {
        /// 1 to 4.
        stage: u32,
        /// From 0.
        block: u32,
        /// Which of its activations.
        tap: Tap,
    },
    /// The patches of a vision transformer, or the tokens of a text before their positions are added.
    Input,
    /// The residual stream where it begins.
    Stream,
    /// In a block of a transformer.
    Residual {
        /// From 0.
        block: u32,
        /// Which of its activations.
        tap: BlockTap,
    },
    /// After the last LayerNorm: of an image's class token, or of all tokens of a text.
    Final,
    /// The embedding of the image or the text, not normalised.
    Embedding,
}

/// An activation of the stem, in the order they are reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StemTap {
    /// Before BatchNorm.
    Conv,
    /// After BatchNorm.
    Norm,
    /// After the ReLU.
    Relu,
}

/// An activation inside a bottleneck, in the order they are reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tap {
    /// The first convolution, before its BatchNorm.
    Conv1,
    /// After its BatchNorm.
    Norm1,
    /// After its ReLU.
    Relu1,
    /// The second convolution, before its BatchNorm.
    Conv2,
    /// After its BatchNorm.
    Norm2,
    /// After its ReLU, before the pooling.
    Relu2,
    /// After the pooling.
    Pool,
    /// The third convolution, before its BatchNorm.
    Conv3,
    /// After its BatchNorm.
    Norm3,
    /// The shortcut's convolution, before its BatchNorm.
    ShortcutConv,
    /// The shortcut, where it is not the block's input.
    Shortcut,
    /// The residual sum, before the last ReLU.
    Add,
    /// The block's output.
    Output,
}

/// An activation inside a transformer's block, in the order they are reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BlockTap {
    /// After the first LayerNorm.
    Norm1,
    /// What the attention adds to the residual stream.
    Attention,
    /// The residual stream between attention and MLP.
    Middle,
    /// After the second LayerNorm.
    Norm2,
    /// The MLP's hidden units before their nonlinearity.
    HiddenInput,
    /// The MLP's hidden units.
    Hidden,
    /// What the MLP adds to the residual stream.
    Mlp,
    /// The residual stream after the block.
    Output,
}

impl Stage {
    /// Whether it lies between a convolution and its BatchNorm, which are computed as one unless it is asked for.
    pub fn splits_norm(self) -> bool {
        match self {
            Self::Stem(_, tap) => tap == StemTap::Conv,
            Self::Bottleneck { tap, .. } => {
                matches!(tap, Tap::Conv1 | Tap::Conv2 | Tap::Conv3 | Tap::ShortcutConv)
            }
            _ => false,
        }
    }
}

impl LayerName {
    fn plain(canonical: impl Into<String>) -> Self {
        Self { canonical: canonical.into(), article: None, hugging_face: None }
    }

    fn in_article(self, article: impl Into<String>) -> Self {
        Self { article: Some(article.into()), ..self }
    }

    fn in_hugging_face(self, name: impl Into<String>) -> Self {
        Self { hugging_face: Some(name.into()), ..self }
    }

    /// Whether `name` is one of the spellings.
    pub fn is(&self, name: &str) -> bool {
        self.canonical == name || self.other() == Some(name)
    }

    /// The spelling that is not the canonical one. No layer has two of those.
    pub fn other(&self) -> Option<&str> {
        self.article.as_deref().or(self.hugging_face.as_deref())
    }

    /// All spellings, the canonical one first.
    pub fn spellings(&self) -> Vec<String> {
        std::iter::once(self.canonical.clone()).chain(self.other().map(str::to_owned)).collect()
    }

    /// The article's spelling where there is one: what a reader of the article expects to see.
    pub fn shown(&self) -> &str {
        self.article.as_deref().unwrap_or(&self.canonical)
    }
}

impl Layer {
    /// The layers of the visual tower, in the order in which a forward pass reaches them.
    pub(super) fn of_images(architecture: &Architecture) -> Vec<Self> {
        let image_size = architecture.image_size;
        let mut layers = match &architecture.visual {
            Visual::ResNet(sizes) => resnet(image_size, sizes),
            Visual::Transformer { patch, sizes } => {
                let side = image_size / patch;
                let input = LayerName::plain("visual.conv1")
                    .in_hugging_face("vision_model.embeddings.patch_embedding");
                let stream =
                    LayerName::plain("visual.ln_pre").in_hugging_face("vision_model.pre_layrnorm");
                let tokens = Positions::Tokens(side * side + 1);
                let mut layers = vec![
                    Self::new(input, Stage::Input, sizes.width, Positions::Map(side)),
                    Self::new(stream, Stage::Stream, sizes.width, tokens),
                ];
                blocks(&mut layers, "visual.", "vision_model", sizes, tokens);
                let last = LayerName::plain("visual.ln_post")
                    .in_hugging_face("vision_model.post_layernorm");
                layers.push(Self::new(last, Stage::Final, sizes.width, Positions::One));
                layers
            }
        };
        let name = match architecture.visual {
            Visual::ResNet(_) => LayerName::plain("visual.attnpool"),
            Visual::Transformer { .. } => {
                LayerName::plain("visual.proj").in_hugging_face("visual_projection")
            }
        };
        layers.push(Self::new(name, Stage::Embedding, architecture.embedding, Positions::One));
        layers
    }

    /// The layers of the text tower, likewise.
    pub(super) fn of_texts(text: &TextArchitecture, embedding: u32) -> Vec<Self> {
        let (width, tokens) = (text.sizes.width, Positions::Tokens(text.context));
        let input = LayerName::plain("token_embedding")
            .in_hugging_face("text_model.embeddings.token_embedding");
        let stream =
            LayerName::plain("transformer.resid_pre").in_hugging_face("text_model.embeddings");
        let mut layers = vec![
            Self::new(input, Stage::Input, width, tokens),
            Self::new(stream, Stage::Stream, width, tokens),
        ];
        blocks(&mut layers, "", "text_model", &text.sizes, tokens);
        let last = LayerName::plain("ln_final").in_hugging_face("text_model.final_layer_norm");
        layers.push(Self::new(last, Stage::Final, width, tokens));
        let name = LayerName::plain("text_projection");
        layers.push(Self::new(name, Stage::Embedding, embedding, Positions::One));
        layers
    }

    fn new(name: LayerName, stage: Stage, units: u32, positions: Positions) -> Self {
        Self { name, stage, units, positions }
    }
}

/// The blocks of a transformer whose modules' names begin with `prefix`.
fn blocks(
    layers: &mut Vec<Layer>,
    prefix: &str,
    tower: &str,
    sizes: &TransformerSizes,
    tokens: Positions,
) {
    for block in 0..sizes.layers {
        for (tap, part, units) in [
            (BlockTap::Norm1, "ln_1", sizes.width),
            (BlockTap::Attention, "attn", sizes.width),
            (BlockTap::Middle, "resid_mid", sizes.width),
            (BlockTap::Norm2, "ln_2", sizes.width),
            (BlockTap::HiddenInput, "mlp.c_fc", sizes.hidden),
            (BlockTap::Hidden, "mlp.gelu", sizes.hidden),
            (BlockTap::Mlp, "mlp.c_proj", sizes.width),
            (BlockTap::Output, "", sizes.width),
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

fn resnet(image_size: u32, sizes: &ResNetSizes) -> Vec<Layer> {
    let ResNetSizes { width, blocks, .. } = *sizes;
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
    layers
}

impl Architecture {
    /// Layers spread over the middle of the visual tower, which a facet has unless it names others: canonical spellings,
    /// from the image on. As in Goh et al. 2021: of a ResNet the outputs of every other block of the third stage, of all
    /// where it has fewer than four; of a transformer every other block of the middle third.
    pub fn middle_layers(&self) -> Vec<String> {
        let all = self.layers();
        let blocks: Vec<(u32, String)> = all
            .into_iter()
            .filter_map(|layer| match layer.stage {
                Stage::Bottleneck { stage: 3, block, tap: Tap::Output } => {
                    Some((block, layer.name.canonical))
                }
                Stage::Residual { block, tap: BlockTap::Output } => {
                    Some((block, layer.name.canonical))
                }
                _ => None,
            })
            .collect();
        let count = blocks.len();
        let residual = blocks.first().is_some_and(|(_, name)| name.contains("resblocks"));
        let (range, step) = match (residual, count) {
            (true, _) => (count / 3..(2 * count / 3).max(count / 3 + 1), 2),
            (false, ..4) => (0..count, 1),
            (false, _) => (0..count, 2),
        };
        let chosen = blocks.into_iter().skip(range.start).take(range.len()).step_by(step);
        chosen.map(|(_, name)| name).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(layers: &[Layer]) -> String {
        assert!(layers.is_sorted_by_key(|layer| layer.stage));
        let line = |layer: &Layer| {
            let positions = match layer.positions {
                Positions::One => "1".to_owned(),
                Positions::Map(side) => format!("{side}x{side}"),
                Positions::Tokens(count) => format!("{count} tokens"),
            };
            let other = layer.name.other().unwrap_or("-");
            format!("{} {other} {} at {positions}", layer.name.canonical, layer.units)
        };
        layers.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn layers_come_in_the_order_in_which_a_forward_pass_reaches_them() {
        let sizes = ResNetSizes { width: 32, blocks: [1, 1, 1, 2], pool_heads: 16 };
        let architecture = Architecture {
            image_size: 96,
            embedding: 128,
            visual: Visual::ResNet(sizes),
            text: None,
        };
        insta::assert_snapshot!(listed(&architecture.layers()));
    }

    #[test]
    fn a_transformers_layers_have_hugging_faces_spelling_too() {
        let sizes = TransformerSizes { width: 768, layers: 1, heads: 12, hidden: 3072 };
        let text = TransformerSizes { width: 512, layers: 1, heads: 8, hidden: 2048 };
        let architecture = Architecture {
            image_size: 224,
            embedding: 512,
            visual: Visual::Transformer { patch: 32, sizes },
            text: Some(TextArchitecture { context: 77, vocabulary: 49408, sizes: text }),
        };
        let mut layers = listed(&architecture.layers());
        layers.push('\n');
        layers.push_str(&listed(&architecture.text_layers()));
        insta::assert_snapshot!(layers);
    }

    fn layers(visual: Visual) -> Vec<String> {
        let text = None;
        Architecture { image_size: 224, embedding: 512, visual, text }.middle_layers()
    }

    #[test]
    fn the_middle_layers_are_in_the_middle_of_the_tower() {
        let resnet = |third| {
            layers(Visual::ResNet(ResNetSizes {
                width: 64,
                blocks: [3, 4, third, 3],
                pool_heads: 32,
            }))
        };
        assert_eq!(resnet(6), ["visual.layer3.0", "visual.layer3.2", "visual.layer3.4"]);
        assert_eq!(resnet(2), ["visual.layer3.0", "visual.layer3.1"]);
        let vit = |count| {
            let sizes = TransformerSizes { width: 768, layers: count, heads: 12, hidden: 3072 };
            layers(Visual::Transformer { patch: 32, sizes })
        };
        let block = |n: u32| format!("visual.transformer.resblocks.{n}");
        assert_eq!(vit(12), [block(4), block(6)]);
        assert_eq!(vit(24), [block(8), block(10), block(12), block(14)]);
        assert_eq!(vit(1), [block(0)]);
    }
}
