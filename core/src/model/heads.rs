//! Attention heads: a layer in; how many heads read there, and where in the forward pass, out.

use super::architecture::Architecture;
use super::family::Visual;
use super::layer::{BlockTap, Layer, Stage};

/// The heads of an attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heads {
    /// Where what they read is side by side, before it is projected.
    pub stage: Stage,
    /// How many there are.
    pub count: u32,
    /// How many units each has there.
    pub width: u32,
}

impl Architecture {
    /// The heads of a layer that is the output of an attention: a ResNet's attention pool, whose output is the embedding, or the
    /// attention of a transformer's block.
    pub fn heads_of(&self, layer: &Layer) -> Option<Heads> {
        match (&self.visual, layer.stage) {
            (Visual::ResNet(sizes), Stage::Embedding) => {
                let (count, width) = (sizes.pool_heads, sizes.width * 32);
                Some(Heads { stage: Stage::Pooled, count, width: width / count.max(1) })
            }
            (Visual::Transformer(sizes), Stage::Residual { block, tap: BlockTap::Attention }) => {
                let (count, width) = (sizes.sizes.heads, sizes.sizes.width);
                let stage = Stage::Residual { block, tap: BlockTap::Heads };
                Some(Heads { stage, count, width: width / count.max(1) })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ResNetSizes, TransformerSizes, VitSizes};

    fn of(visual: Visual) -> Vec<(String, Heads)> {
        let all = Architecture { image_size: 64, embedding: 24, visual, text: None };
        let with = |layer: Layer| Some((layer.name.canonical.clone(), all.heads_of(&layer)?));
        let found: Vec<(String, Heads)> = all.layers().into_iter().filter_map(with).collect();
        let counted: Vec<(String, u32)> =
            all.heads().into_iter().map(|(layer, count)| (layer.name.canonical, count)).collect();
        let counts = found.iter().map(|(name, heads)| (name.clone(), heads.count));
        assert_eq!(counts.collect::<Vec<_>>(), counted, "the layers that note fields take");
        found
    }

    #[test]
    fn heads_are_those_of_the_pool_or_of_every_block() {
        let resnet = ResNetSizes { width: 8, blocks: [1, 2, 1, 1], pool_heads: 4 };
        let pool = Heads { stage: Stage::Pooled, count: 4, width: 64 };
        assert_eq!(of(resnet.into()), [("visual.attnpool".to_owned(), pool)]);
        let sizes = TransformerSizes { width: 128, layers: 2, heads: 2, hidden: 192 };
        let blocks = of(VitSizes { patch: 8, sizes }.into());
        assert_eq!(blocks.len(), 2);
        let (name, heads) = &blocks[1];
        assert_eq!(name, "visual.transformer.resblocks.1.attn");
        let stage = Stage::Residual { block: 1, tap: BlockTap::Heads };
        assert_eq!(*heads, Heads { stage, count: 2, width: 64 });
    }
}
