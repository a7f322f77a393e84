//! Names of layers, in PyTorch's spelling and in the article's.
//!
//! | here | in the article's graph | what it is |
//! |---|---|---|
//! | `visual.relu1` … `visual.relu3` | | the stem's three convolutions |
//! | `visual.avgpool` | | the stem's output |
//! | `visual.layer4.5.relu1`, `.relu2` | `image_block_4/5/Relu`, `Relu_1` | inside a bottleneck |
//! | `visual.layer4.5.add` | `image_block_4/5/Add_6` | the residual sum, before the last ReLU |
//! | `visual.layer4.5` | `image_block_4/5/Relu_2` | the block's output |
//! | `visual.attnpool` | | the image's embedding, not normalised |

use super::Architecture;

/// A layer of a model: its names and the shape of its activations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// Both spellings.
    pub name: LayerName,
    /// Where in the network it stands.
    pub stage: Stage,
    /// Channels.
    pub units: u32,
    /// Side of the activation map at the model's own input size; `None` for a vector.
    pub side: Option<u32>,
}

/// A layer's spellings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerName {
    /// As PyTorch's module tree spells it; the one in keys.
    pub canonical: String,
    /// As the article's graph spells it, where it has the layer.
    pub article: Option<String>,
}

/// Where in the network a layer stands, deepest last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// After the ReLU of the stem's convolution 1, 2 or 3.
    Stem(u32),
    /// The stem's output.
    StemOutput,
    /// In a bottleneck.
    Block {
        /// 1 to 4.
        stage: u32,
        /// From 0.
        block: u32,
        /// Which of its activations.
        tap: Tap,
    },
    /// The image's embedding.
    Embedding,
}

/// An activation inside a bottleneck, in the order they are reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tap {
    /// After the first convolution.
    Relu1,
    /// After the second convolution, before its pooling.
    Relu2,
    /// The residual sum, before the last ReLU.
    Add,
    /// The block's output.
    Output,
}

impl LayerName {
    /// Whether `name` is one of the spellings.
    pub fn is(&self, name: &str) -> bool {
        self.canonical == name || self.article.as_deref() == Some(name)
    }

    /// All spellings, the canonical one first.
    pub fn spellings(&self) -> Vec<String> {
        std::iter::once(self.canonical.clone()).chain(self.article.clone()).collect()
    }

    /// The article's spelling where there is one: what a reader of the article expects to see.
    pub fn shown(&self) -> &str {
        self.article.as_deref().unwrap_or(&self.canonical)
    }
}

impl Layer {
    pub(super) fn all(architecture: &Architecture) -> Vec<Self> {
        let Architecture { image_size, width, blocks, embedding, .. } = *architecture;
        let mut layers = Vec::new();
        for conv in 1..=3 {
            layers.push(Self {
                name: LayerName { canonical: format!("visual.relu{conv}"), article: None },
                stage: Stage::Stem(conv),
                units: if conv == 3 { width } else { width / 2 },
                side: Some(image_size / 2),
            });
        }
        layers.push(Self {
            name: LayerName { canonical: "visual.avgpool".into(), article: None },
            stage: Stage::StemOutput,
            units: width,
            side: Some(image_size / 4),
        });
        for stage in 1..=4u32 {
            let planes = width << (stage - 1);
            let side = image_size / (4 << (stage - 1));
            for block in 0..blocks[stage as usize - 1] {
                let inside = if block == 0 && stage > 1 { side * 2 } else { side };
                for (tap, module, article, units, side) in [
                    (Tap::Relu1, ".relu1", "Relu", planes, inside),
                    (Tap::Relu2, ".relu2", "Relu_1", planes, inside),
                    (Tap::Add, ".add", "Add_6", planes * 4, side),
                    (Tap::Output, "", "Relu_2", planes * 4, side),
                ] {
                    layers.push(Self {
                        name: LayerName {
                            canonical: format!("visual.layer{stage}.{block}{module}"),
                            article: Some(format!("image_block_{stage}/{block}/{article}")),
                        },
                        stage: Stage::Block { stage, block, tap },
                        units,
                        side: Some(side),
                    });
                }
            }
        }
        layers.push(Self {
            name: LayerName { canonical: "visual.attnpool".into(), article: None },
            stage: Stage::Embedding,
            units: embedding,
            side: None,
        });
        layers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_come_in_the_order_in_which_a_forward_pass_reaches_them() {
        let architecture = Architecture {
            image_size: 96,
            width: 32,
            blocks: [1, 1, 1, 1],
            embedding: 128,
            pool_heads: 16,
            text: None,
        };
        let layers = architecture.layers();
        assert!(layers.is_sorted_by_key(|layer| layer.stage));
        let names: Vec<_> = layers
            .iter()
            .map(|l| {
                format!(
                    "{} {} {}x{}",
                    l.name.canonical,
                    l.name.shown(),
                    l.units,
                    l.side.unwrap_or(1)
                )
            })
            .collect();
        insta::assert_snapshot!(names.join("\n"));
    }
}
