//! The architecture of a CLIP: its sizes and layers, inferred from the header of its weights.
//!
//! The header names every tensor with its shape, and every size of a CLIP follows from those, as in `build_model` of
//! openai/CLIP. So a note's layer and unit can be checked without libtorch and without reading a weight.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::checkpoint::{Header, printable};
use super::convention::Conventions;
use super::error::ModelError;
use super::family::shapes::Shapes;
use super::family::text::{self, TextArchitecture};
use super::family::{Family, Read, Visual};
use super::layer::Layer;
use super::naming::Names;

/// Sizes of a CLIP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Architecture {
    /// Side of the square input image, in pixels.
    pub image_size: u32,
    /// Length of an image's or a text's embedding.
    pub embedding: u32,
    /// The visual tower.
    pub visual: Visual,
    /// The text tower, if the file has one.
    pub text: Option<TextArchitecture>,
}

impl Architecture {
    /// Reads a weights file's header and infers every size.
    ///
    /// # Errors
    /// Fails if the file cannot be read, or is not a CLIP.
    pub fn of_file(path: &Path, conventions: &Conventions) -> Result<Self, ModelError> {
        Self::of_header(&Header::read(path)?, conventions)
    }

    /// Infers every size from the tensors' shapes, and from the conventions those that shapes do not show.
    ///
    /// # Errors
    /// Fails if a tensor is missing or misshapen.
    pub fn of_header(header: &Header, conventions: &Conventions) -> Result<Self, ModelError> {
        let names = Names::of(header);
        if !names.rivals().is_empty() {
            let all = std::iter::once(names.prefix()).chain(names.rivals().iter().map(|s| &**s));
            let shown = all.take(4).map(|prefix| format!("`{}`", printable(prefix)));
            return Err(ModelError::Several(shown.collect()));
        }
        let shape = |name: &str| names.shape(header, name);
        let written = |name: &str| names.source(name).names().join("`, `");
        let shapes = Shapes { shape: &shape, written: &written };
        let Some(family) = Family::of(|name| shapes.has(name)) else {
            let some: Vec<_> = header.tensors.keys().take(3).map(|n| format!("`{n}`")).collect();
            let dots = if header.tensors.len() > 3 { ", …" } else { "" };
            return Err(ModelError::Other {
                marks: Family::marks(),
                count: header.tensors.len(),
                some: some.join(", ") + dots,
            });
        };
        let Read { image_size, embedding, visual } = (family.read)(&shapes, conventions.heads)?;
        let text = match shapes.has(text::MARK) {
            true => Some(TextArchitecture::read(&shapes, conventions.text_heads)?),
            false => None,
        };
        Ok(Self { image_size, embedding, visual, text })
    }

    /// Every layer of the visual tower that can be named, from the image to the embedding.
    pub fn layers(&self) -> Vec<Layer> {
        self.visual.sizes().layers(self.image_size, self.embedding)
    }

    /// Every layer of the text tower, from the tokens to the embedding.
    pub fn text_layers(&self) -> Vec<Layer> {
        let text = self.text.as_ref();
        text.map_or_else(Vec::new, |text| text.layers(self.embedding))
    }

    /// Layers spread over the middle of the visual tower, the default layers of a facet: canonical spellings, from the
    /// image on.
    pub fn middle_layers(&self) -> Vec<String> {
        self.visual.sizes().middle_layers()
    }

    /// The layers of the visual tower at which attention heads write into the embedding, each with its number of heads.
    pub fn heads(&self) -> Vec<(Layer, u32)> {
        let sizes = self.visual.sizes();
        let of = |layer: Layer| sizes.heads(layer.stage).map(|heads| (layer, heads));
        self.layers().into_iter().filter_map(of).collect()
    }

    /// The layer that holds an image's embedding.
    pub fn embedding_layer(&self) -> Layer {
        let last = self.layers().pop();
        last.unwrap_or_else(|| unreachable!("every tower ends in an embedding"))
    }

    /// The layer of the visual tower of that name, in any spelling.
    ///
    /// # Errors
    /// Returns the nearest names that the model has.
    pub fn layer(&self, name: &str) -> Result<Layer, Vec<String>> {
        find(self.layers(), name)
    }

    /// The layer of the text tower of that name, in any spelling.
    ///
    /// # Errors
    /// Returns the nearest names that the text tower has.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::checkpoint::TensorInfo;
    use crate::model::family::resnet::ResNetSizes;
    use crate::model::family::transformer::TransformerSizes;
    use crate::model::family::vit::VitSizes;
    use crate::model::layer::Positions;

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
        assert_eq!(architecture.visual, Visual::Transformer(VitSizes { patch: 14, sizes }));
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
    fn heads_may_be_configured() {
        let conventions = Conventions { heads: Some(8), ..Conventions::default() };
        let said = Architecture::of_header(&vit_l14_336(), &conventions).expect("sizes");
        let Visual::Transformer(VitSizes { sizes, .. }) = said.visual else {
            panic!("a transformer")
        };
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
            visual: Visual::Transformer(VitSizes { patch: 32, sizes }),
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
            layers(Visual::Transformer(VitSizes { patch: 32, sizes }))
        };
        let block = |n: u32| format!("visual.transformer.resblocks.{n}");
        assert_eq!(vit(12), [block(4), block(6)]);
        assert_eq!(vit(24), [block(8), block(10), block(12), block(14)]);
        assert_eq!(vit(1), [block(0)]);
    }
}
