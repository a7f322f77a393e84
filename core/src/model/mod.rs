//! A CLIP model as its weights file describes it: sizes and layers, read from the header alone.
//!
//! The header of a weights file, of safetensors or of PyTorch, names every tensor with its shape, and every
//! size of a CLIP follows from those, as in `build_model` of openai/CLIP. So a note's layer and unit can be checked without
//! libtorch and without reading a weight.

mod archive;
mod convention;
mod describe;
mod header;
mod layer;
mod naming;
pub mod parts;
mod pickle;
mod reference;
mod tree;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use convention::{Activation, Conventions, Given};
pub use describe::{beside, describe};
pub use header::{Header, HeaderError, TensorInfo};
pub use layer::{BlockTap, Layer, LayerName, Positions, Stage, StemTap, Tap};
pub use naming::{Names, Source, Style};
pub use reference::{ModelRef, Precision};

/// Sides of images that a model may look at, in pixels; RN50x64 has 448.
const LARGEST_IMAGE: u64 = 4096;
/// Channels that a layer may have; RN50x64 has 4096.
const WIDEST: u64 = 1 << 20;

/// Sizes of a CLIP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Architecture {
    /// Side of the square input image, in pixels.
    pub image_size: u32,
    /// Length of an image's or a text's embedding.
    pub embedding: u32,
    /// What looks at images.
    pub visual: Visual,
    /// What reads texts, where the file has it.
    pub text: Option<TextArchitecture>,
}

/// Sizes of a visual tower.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Visual {
    /// CLIP's ModifiedResNet.
    ResNet(ResNetSizes),
    /// A vision transformer.
    Transformer {
        /// Side of a patch, in pixels.
        patch: u32,
        /// Its blocks.
        sizes: TransformerSizes,
    },
}

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

/// Sizes of the text tower.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextArchitecture {
    /// Tokens in a text.
    pub context: u32,
    /// Tokens known.
    pub vocabulary: u32,
    /// Its blocks.
    pub sizes: TransformerSizes,
}

/// Why a weights file is not a CLIP that can be used here.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The file cannot be read, or is no weights file.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// These are weights of something else.
    #[error(
        "these are not a CLIP's weights: neither `visual.layer1.0.conv1.weight` (a ResNet) nor \
         `visual.class_embedding` (a vision transformer) is among the {count} tensors{}",
        if .some.is_empty() { String::new() } else { format!(", which are {}", .some) }
    )]
    Other {
        /// How many tensors there are.
        count: usize,
        /// The names of a few.
        some: String,
    },
    /// Several CLIPs are in one file.
    #[error("the weights are of several models ({}), and nothing says which is meant", .0.join(", "))]
    Several(Vec<String>),
    /// A tensor that every such CLIP has is missing.
    #[error("the weights have no tensor `{0}`, which every such CLIP has")]
    Missing(String),
    /// A tensor has a shape that no CLIP has.
    #[error("the tensor `{name}` has the shape {shape:?}, but {expected} is expected")]
    Misshapen {
        /// The tensor, by OpenAI's name.
        name: String,
        /// Its shape.
        shape: Vec<u64>,
        /// What was expected.
        expected: String,
    },
    /// Nothing says which nonlinearity the MLPs have.
    #[error("the weights do not say whether their MLPs use GELU or QuickGELU")]
    Activation,
    /// A file beside the weights cannot be followed.
    #[error("{}, which lies beside the weights, cannot be followed ({why})", path.display())]
    Beside {
        /// The file.
        path: PathBuf,
        /// Why not.
        why: String,
    },
}

impl ModelError {
    /// What to do about it, where that is known.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Activation => Some(
                "say `activation: gelu` or `activation: quick_gelu` beside the model's path in neuronotes.yaml \
                 (OpenAI's have quick_gelu, most of open_clip's gelu); or put the model's open_clip_config.json, or \
                 Hugging Face's config.json, beside the weights",
            ),
            Self::Several(_) => Some("save the state_dict() of the one that is meant by itself"),
            Self::Header(error) => error.hint(),
            _ => None,
        }
    }
}

/// A header, looked at by OpenAI's names.
struct Shapes<'a> {
    header: &'a Header,
    names: Names,
}

impl Shapes<'_> {
    fn has(&self, name: &str) -> bool {
        self.names.shape(self.header, name).is_some()
    }

    fn of<const RANK: usize>(&self, name: &str) -> Result<[u64; RANK], ModelError> {
        let found = self.names.shape(self.header, name);
        let shape = found
            .ok_or_else(|| ModelError::Missing(self.names.source(name).names().join("`, `")))?;
        <[u64; RANK]>::try_from(shape).map_err(|shape| ModelError::Misshapen {
            name: name.into(),
            shape,
            expected: format!("a tensor of {RANK} dimensions"),
        })
    }

    /// How many of `names` follow each other from 0.
    fn count(&self, name: impl Fn(u32) -> String) -> u32 {
        (0..).take_while(|i| self.has(&name(*i))).count() as u32
    }

    fn transformer(
        &self,
        prefix: &str,
        heads: Option<u32>,
    ) -> Result<TransformerSizes, ModelError> {
        let block = |i: u32, part: &str| format!("{prefix}transformer.resblocks.{i}.{part}");
        let [hidden, width] = self.of(&block(0, "mlp.c_fc.weight"))?;
        let layers = self.count(|i| block(i, "mlp.c_fc.weight"));
        let sizes = TransformerSizes {
            width: narrow(width),
            layers,
            heads: heads.unwrap_or_else(|| usual_heads(narrow(width))),
            hidden: narrow(hidden),
        };
        if sizes.heads == 0 || !sizes.width.is_multiple_of(sizes.heads) {
            return Err(ModelError::Misshapen {
                name: block(0, "mlp.c_fc.weight"),
                shape: vec![hidden, width],
                expected: format!("a width that {} heads can share", sizes.heads),
            });
        }
        Ok(sizes)
    }
}

/// Heads have 64 channels in all of OpenAI's models; open_clip's ViT-H, -g and -bigG have 16 heads, of 80, 88 and 104.
fn usual_heads(width: u32) -> u32 {
    match width {
        1280 | 1408 | 1664 => 16,
        _ => (width / 64).max(1),
    }
}

impl Architecture {
    /// Reads a weights file's header and infers every size.
    ///
    /// # Errors
    /// Where the file cannot be read, or is not a CLIP.
    pub fn of_file(path: &Path, conventions: &Conventions) -> Result<Self, ModelError> {
        Self::of_header(&Header::read(path)?, conventions)
    }

    /// Infers every size from the tensors' shapes, and from the conventions what shapes do not show.
    ///
    /// # Errors
    /// Where a tensor is missing or misshapen.
    pub fn of_header(header: &Header, conventions: &Conventions) -> Result<Self, ModelError> {
        let shapes = Shapes { header, names: Names::of(header) };
        if !shapes.names.rivals().is_empty() {
            let prefix = shapes.names.prefix();
            let all = std::iter::once(prefix).chain(shapes.names.rivals().iter().map(|s| &**s));
            let shown = all.take(4).map(|prefix| format!("`{}`", archive::printable(prefix)));
            return Err(ModelError::Several(shown.collect()));
        }
        let (image_size, embedding, visual) = if shapes.has("visual.class_embedding") {
            transformer(&shapes, conventions)?
        } else if shapes.has("visual.layer1.0.conv1.weight") {
            resnet(&shapes)?
        } else {
            let some: Vec<_> = header.tensors.keys().take(3).map(|n| format!("`{n}`")).collect();
            let dots = if header.tensors.len() > 3 { ", …" } else { "" };
            return Err(ModelError::Other {
                count: header.tensors.len(),
                some: some.join(", ") + dots,
            });
        };
        let text = match shapes.has("token_embedding.weight") {
            false => None,
            true => {
                let [vocabulary, width] = shapes.of("token_embedding.weight")?;
                let [context, _] = shapes.of("positional_embedding")?;
                // The visual tower's rule for wide ones does not hold here: heads have 64 channels.
                let heads = conventions.text_heads.unwrap_or((narrow(width) / 64).max(1));
                Some(TextArchitecture {
                    context: narrow(context),
                    vocabulary: narrow(vocabulary),
                    sizes: shapes.transformer("", Some(heads))?,
                })
            }
        };
        Ok(Self { image_size, embedding, visual, text })
    }

    /// Every layer of the visual tower that can be named, from the image to the embedding.
    pub fn layers(&self) -> Vec<Layer> {
        Layer::of_images(self)
    }

    /// Every layer of the text tower, from the tokens to the embedding.
    pub fn text_layers(&self) -> Vec<Layer> {
        let text = self.text.as_ref();
        text.map_or_else(Vec::new, |text| Layer::of_texts(text, self.embedding))
    }

    /// The layer that holds an image's embedding.
    pub fn embedding_layer(&self) -> Layer {
        let last = self.layers().pop();
        last.unwrap_or_else(|| unreachable!("every tower ends in an embedding"))
    }

    /// The layer of the visual tower of that name, in any spelling.
    ///
    /// # Errors
    /// The nearest names that the model has.
    pub fn layer(&self, name: &str) -> Result<Layer, Vec<String>> {
        find(self.layers(), name)
    }

    /// The layer of the text tower of that name, likewise.
    ///
    /// # Errors
    /// The nearest names that the text tower has.
    pub fn text_layer(&self, name: &str) -> Result<Layer, Vec<String>> {
        find(self.text_layers(), name)
    }
}

fn find(layers: Vec<Layer>, name: &str) -> Result<Layer, Vec<String>> {
    if let Some(layer) = layers.iter().find(|layer| layer.name.is(name)) {
        return Ok(layer.clone());
    }
    let names = layers.iter().flat_map(|layer| layer.name.spellings());
    Err(crate::suggest::nearest(name, names, 3))
}

/// Image size, length of the embedding, and the rest.
type Tower = (u32, u32, Visual);

fn resnet(shapes: &Shapes<'_>) -> Result<Tower, ModelError> {
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
    let image_size = side.map(|side| side.saturating_mul(32)).filter(|&size| size <= LARGEST_IMAGE);
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
    let sizes = ResNetSizes { width, blocks, pool_heads };
    Ok((narrow(image_size), narrow(embedding), Visual::ResNet(sizes)))
}

fn transformer(shapes: &Shapes<'_>, conventions: &Conventions) -> Result<Tower, ModelError> {
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
    let sizes = shapes.transformer("visual.", conventions.heads)?;
    let visual = Visual::Transformer { patch: narrow(patch), sizes };
    Ok((narrow(image_size), narrow(embedding), visual))
}

/// The side of a square of so many positions, a class token or a mean apart.
fn square(positions: u64) -> Option<u64> {
    let points = positions.checked_sub(1)?;
    let side = points.isqrt();
    (side > 0 && side * side == points).then_some(side)
}

fn narrow(size: u64) -> u32 {
    u32::try_from(size).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(tensors: &[(String, Vec<u64>)]) -> Header {
        let mut header = Header::default();
        for (name, shape) in tensors {
            let info = TensorInfo { shape: shape.clone(), ..TensorInfo::default() };
            header.tensors.insert(name.clone(), info);
        }
        header
    }

    /// The shapes of RN50x4, from openai/CLIP: width 80, blocks 4, 6, 10, 6, 288 pixels.
    fn rn50x4() -> Header {
        let mut tensors = vec![("visual.conv1.weight".to_owned(), vec![40, 3, 3, 3])];
        for (stage, blocks) in [(1, 4), (2, 6), (3, 10), (4, 6)] {
            for block in 0..blocks {
                tensors.push((
                    format!("visual.layer{stage}.{block}.conv1.weight"),
                    vec![80 << (stage - 1), 80, 1, 1],
                ));
            }
        }
        tensors.push(("visual.attnpool.positional_embedding".into(), vec![82, 2560]));
        tensors.push(("visual.attnpool.c_proj.weight".into(), vec![640, 2560]));
        header(&tensors)
    }

    /// The shapes of ViT-L/14@336px, from openai/CLIP, as far as sizes are read off them.
    fn vit_l14_336() -> Header {
        let mut tensors = vec![
            ("visual.class_embedding".to_owned(), vec![1024]),
            ("visual.conv1.weight".into(), vec![1024, 3, 14, 14]),
            ("visual.positional_embedding".into(), vec![577, 1024]),
            ("visual.proj".into(), vec![1024, 768]),
            ("token_embedding.weight".into(), vec![49408, 768]),
            ("positional_embedding".into(), vec![77, 768]),
        ];
        for (prefix, layers, width) in [("visual.", 24, 1024u64), ("", 12, 768)] {
            for i in 0..layers {
                let name = format!("{prefix}transformer.resblocks.{i}.mlp.c_fc.weight");
                tensors.push((name, vec![width * 4, width]));
            }
        }
        header(&tensors)
    }

    fn inferred(header: &Header) -> Result<Architecture, ModelError> {
        Architecture::of_header(header, &Conventions::default())
    }

    #[test]
    fn the_articles_layer_has_its_2560_units_at_9_by_9() {
        let architecture = inferred(&rn50x4()).expect("an architecture");
        assert_eq!((architecture.image_size, architecture.embedding), (288, 640));
        let sizes = ResNetSizes { width: 80, blocks: [4, 6, 10, 6], pool_heads: 40 };
        assert_eq!(architecture.visual, Visual::ResNet(sizes));
        let paper = architecture.layer("image_block_4/5/Add_6").expect("the article's layer");
        assert_eq!((paper.units, paper.positions), (2560, Positions::Map(9)));
        assert_eq!(architecture.layer("visual.layer4.5.add"), Ok(paper));
    }

    #[test]
    fn a_transformers_sizes_are_read_off_its_shapes() {
        let architecture = inferred(&vit_l14_336()).expect("an architecture");
        assert_eq!((architecture.image_size, architecture.embedding), (336, 768));
        let sizes = TransformerSizes { width: 1024, layers: 24, heads: 16, hidden: 4096 };
        assert_eq!(architecture.visual, Visual::Transformer { patch: 14, sizes });
        let text = TransformerSizes { width: 768, layers: 12, heads: 12, hidden: 3072 };
        let text = TextArchitecture { context: 77, vocabulary: 49408, sizes: text };
        assert_eq!(architecture.text, Some(text));
        let hidden = architecture.layer("vision_model.encoder.layers.23.mlp.activation_fn");
        let hidden = hidden.expect("a layer");
        assert_eq!((hidden.units, hidden.positions), (4096, Positions::Tokens(577)));
        assert_eq!(architecture.layer("visual.transformer.resblocks.23.mlp.gelu"), Ok(hidden));
        assert!(architecture.layer("ln_final").is_err(), "a layer of the text tower");
        assert!(architecture.text_layer("ln_final").is_ok());
    }

    #[test]
    fn wide_heads_are_known_or_said() {
        assert_eq!([768, 1024, 1280, 1408, 1664].map(usual_heads), [12, 16, 16, 16, 16]);
        let conventions = Conventions { heads: Some(8), ..Conventions::default() };
        let said = Architecture::of_header(&vit_l14_336(), &conventions).expect("sizes");
        let Visual::Transformer { sizes, .. } = said.visual else { panic!("a transformer") };
        assert_eq!(sizes.heads, 8);
        let odd = Conventions { heads: Some(7), ..Conventions::default() };
        assert!(Architecture::of_header(&vit_l14_336(), &odd).is_err());
    }

    #[test]
    fn an_unknown_layer_names_its_neighbours() {
        let architecture = inferred(&rn50x4()).expect("an architecture");
        let nearest = architecture.layer("image_block_4/6/Add_6").expect_err("no such block");
        assert!(nearest.contains(&"image_block_4/5/Add_6".to_owned()), "{nearest:?}");
    }

    #[test]
    fn other_weights_are_refused_by_what_they_are() {
        let error = inferred(&Header::default()).expect_err("nothing in it");
        assert!(error.to_string().contains("visual.layer1.0.conv1.weight"), "{error}");
        let other = header(&[("conv1.weight".into(), vec![64, 3, 7, 7])]);
        let error = inferred(&other).expect_err("another network").to_string();
        assert!(error.contains("1 tensors, which are `conv1.weight`"), "{error}");
        let mut huge = rn50x4();
        let positions = huge.tensors.get_mut("visual.attnpool.positional_embedding");
        positions.expect("a tensor").shape = vec![1 + (1 << 40), 2560];
        assert!(matches!(inferred(&huge), Err(ModelError::Misshapen { .. })));
    }
}
