//! A CLIP model as its weights file describes it: sizes and layers, read from the header alone.
//!
//! The header of a weights file, of safetensors or of PyTorch, names every tensor with its shape, and every
//! size of a CLIP follows from those, as in `build_model` of openai/CLIP. So a note's layer and unit can be checked without
//! libtorch and without reading a weight.

mod archive;
mod describe;
mod header;
mod layer;
mod pickle;

use std::path::Path;

pub use describe::describe;
pub use header::{Header, HeaderError, TensorInfo};
pub use layer::{Layer, LayerName, Stage, Tap};

/// Sizes of a CLIP whose visual tower is a ModifiedResNet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Architecture {
    /// Side of the square input image, in pixels.
    pub image_size: u32,
    /// Channels after the stem; the stages have `width` · 4, 8, 16 and 32.
    pub width: u32,
    /// Bottleneck blocks in each of the four stages.
    pub blocks: [u32; 4],
    /// Length of an image's or a text's embedding.
    pub embedding: u32,
    /// Heads of the attention pool.
    pub pool_heads: u32,
    /// The text tower, where the file has one.
    pub text: Option<TextArchitecture>,
}

/// Sizes of the text tower.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextArchitecture {
    /// Tokens in a text.
    pub context: u32,
    /// Tokens known.
    pub vocabulary: u32,
    /// Channels of the residual stream.
    pub width: u32,
    /// Attention heads.
    pub heads: u32,
    /// Transformer blocks.
    pub layers: u32,
}

/// Why a weights file is not a CLIP that can be used here.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The file cannot be read, or is no weights file.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// A tensor that every CLIP ResNet has is missing.
    #[error("the weights have no tensor `{0}`, which every CLIP with a ResNet has")]
    Missing(String),
    /// A tensor has a shape that no CLIP ResNet has.
    #[error("the tensor `{name}` has the shape {shape:?}, but {expected} is expected")]
    Misshapen {
        /// The tensor.
        name: String,
        /// Its shape.
        shape: Vec<u64>,
        /// What was expected.
        expected: String,
    },
    /// The visual tower is a vision transformer.
    #[error(
        "the visual tower is a vision transformer (it has `{0}`); only CLIP's ResNets can be used as yet"
    )]
    Transformer(String),
}

impl Architecture {
    /// Reads a weights file's header and infers every size.
    ///
    /// # Errors
    /// Where the file cannot be read, or is not a CLIP ResNet.
    pub fn of_file(path: &Path) -> Result<Self, ModelError> {
        Self::of_header(&Header::read(path)?)
    }

    /// Infers every size from the tensors' shapes.
    ///
    /// # Errors
    /// Where a tensor is missing or misshapen.
    pub fn of_header(header: &Header) -> Result<Self, ModelError> {
        let shape = |name: &str, rank: usize| -> Result<&[u64], ModelError> {
            let info = header.tensors.get(name).ok_or_else(|| ModelError::Missing(name.into()))?;
            if info.shape.len() != rank {
                return Err(ModelError::Misshapen {
                    name: name.into(),
                    shape: info.shape.clone(),
                    expected: format!("a tensor of {rank} dimensions"),
                });
            }
            Ok(&info.shape)
        };
        if header.tensors.contains_key("visual.proj") {
            return Err(ModelError::Transformer("visual.proj".into()));
        }
        let width = narrow(shape("visual.layer1.0.conv1.weight", 4)?[0]);
        let blocks = [1, 2, 3, 4].map(|stage| {
            (0..)
                .take_while(|block| {
                    header
                        .tensors
                        .contains_key(&format!("visual.layer{stage}.{block}.conv1.weight"))
                })
                .count() as u32
        });
        if let Some(stage) = blocks.iter().position(|&n| n == 0) {
            let name = format!("visual.layer{}.0.conv1.weight", stage + 1);
            return Err(ModelError::Missing(name));
        }
        let positions = shape("visual.attnpool.positional_embedding", 2)?;
        let side = (positions[0].saturating_sub(1)).isqrt();
        if side == 0 || side * side + 1 != positions[0] || positions[1] != u64::from(width) * 32 {
            return Err(ModelError::Misshapen {
                name: "visual.attnpool.positional_embedding".into(),
                shape: positions.to_vec(),
                expected: format!("[side² + 1, {}]", u64::from(width) * 32),
            });
        }
        let embedding = narrow(shape("visual.attnpool.c_proj.weight", 2)?[0]);
        let text = match header.tensors.contains_key("token_embedding.weight") {
            false => None,
            true => {
                let tokens = shape("token_embedding.weight", 2)?;
                let context = narrow(shape("positional_embedding", 2)?[0]);
                let layers = (0..)
                    .take_while(|i| {
                        header
                            .tensors
                            .contains_key(&format!("transformer.resblocks.{i}.ln_1.weight"))
                    })
                    .count() as u32;
                Some(TextArchitecture {
                    context,
                    vocabulary: narrow(tokens[0]),
                    width: narrow(tokens[1]),
                    heads: (narrow(tokens[1]) / 64).max(1),
                    layers,
                })
            }
        };
        Ok(Self {
            image_size: narrow(side) * 32,
            width,
            blocks,
            embedding,
            pool_heads: (width * 32 / 64).max(1),
            text,
        })
    }

    /// Every layer that can be named, from the image to the embedding.
    pub fn layers(&self) -> Vec<Layer> {
        Layer::all(self)
    }

    /// The layer of that name, in either spelling.
    ///
    /// # Errors
    /// The nearest names that the model has.
    pub fn layer(&self, name: &str) -> Result<Layer, Vec<String>> {
        let layers = self.layers();
        if let Some(layer) = layers.iter().find(|layer| layer.name.is(name)) {
            return Ok(layer.clone());
        }
        let names = layers.iter().flat_map(|layer| layer.name.spellings());
        Err(crate::suggest::nearest(name, names, 3))
    }
}

fn narrow(size: u64) -> u32 {
    u32::try_from(size).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The shapes of RN50x4, from openai/CLIP: width 80, blocks 4, 6, 10, 6, 288 pixels.
    fn rn50x4() -> Header {
        let mut header = Header::default();
        let mut add = |name: String, shape: &[u64]| {
            header
                .tensors
                .insert(name, TensorInfo { shape: shape.to_vec(), ..TensorInfo::default() });
        };
        add("visual.conv1.weight".into(), &[40, 3, 3, 3]);
        for (stage, blocks) in [(1, 4), (2, 6), (3, 10), (4, 6)] {
            for block in 0..blocks {
                add(
                    format!("visual.layer{stage}.{block}.conv1.weight"),
                    &[80 << (stage - 1), 80, 1, 1],
                );
            }
        }
        add("visual.attnpool.positional_embedding".into(), &[82, 2560]);
        add("visual.attnpool.c_proj.weight".into(), &[640, 2560]);
        header
    }

    #[test]
    fn the_articles_layer_has_its_2560_units_at_9_by_9() {
        let architecture = Architecture::of_header(&rn50x4()).expect("an architecture");
        assert_eq!(architecture.image_size, 288);
        assert_eq!(architecture.blocks, [4, 6, 10, 6]);
        assert_eq!(architecture.embedding, 640);
        assert_eq!(architecture.pool_heads, 40);
        let paper = architecture.layer("image_block_4/5/Add_6").expect("the article's layer");
        assert_eq!((paper.units, paper.side), (2560, Some(9)));
        assert_eq!(architecture.layer("visual.layer4.5.add"), Ok(paper));
    }

    #[test]
    fn an_unknown_layer_names_its_neighbours() {
        let architecture = Architecture::of_header(&rn50x4()).expect("an architecture");
        let nearest = architecture.layer("image_block_4/6/Add_6").expect_err("no such block");
        assert!(nearest.contains(&"image_block_4/5/Add_6".to_owned()), "{nearest:?}");
    }

    #[test]
    fn other_weights_are_refused_by_what_they_lack() {
        let error = Architecture::of_header(&Header::default()).expect_err("nothing in it");
        assert!(error.to_string().contains("visual.layer1.0.conv1.weight"), "{error}");
        let mut transformer = Header::default();
        transformer.tensors.insert(
            "visual.proj".into(),
            TensorInfo { shape: vec![768, 512], ..TensorInfo::default() },
        );
        assert!(matches!(Architecture::of_header(&transformer), Err(ModelError::Transformer(_))));
    }
}
