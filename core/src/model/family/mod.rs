//! The registry of model families: for each how it is recognised by its tensors, its sizes, its layers, and their other
//! spellings.
//!
//! A new family is one file here, with a variant of [`Visual`] and an entry in [`FAMILIES`], and one tower in
//! `lab/src/clip/`.

pub mod resnet;
pub mod shapes;
pub mod text;
pub mod transformer;
pub mod vit;

use serde::{Deserialize, Serialize};

use super::error::ModelError;
use super::layer::Layer;
use resnet::ResNetSizes;
use shapes::Shapes;
use vit::VitSizes;

/// How a family's visual tower is recognised and read.
#[derive(Debug)]
pub struct Family {
    /// What it is, with its article, as messages name it.
    pub noun: &'static str,
    /// A tensor that only this family has, by OpenAI's name.
    pub mark: &'static str,
    /// Whether all published models of it use QuickGELU, so that nothing else has to say so.
    pub quick_gelu: bool,
    /// Reads the sizes. The second argument is the number of attention heads, where a configuration says it.
    pub(super) read: fn(&Shapes<'_>, Option<u32>) -> Result<Read, ModelError>,
}

/// Sizes of a visual tower as a family reads them.
#[derive(Debug)]
pub(super) struct Read {
    /// Side of the square input image in pixels.
    pub image_size: u32,
    /// Length of an embedding.
    pub embedding: u32,
    pub visual: Visual,
}

/// Every family.
pub static FAMILIES: [&Family; 2] = [&vit::FAMILY, &resnet::FAMILY];

/// Sizes of a visual tower.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Visual {
    /// CLIP's ModifiedResNet.
    ResNet(ResNetSizes),
    /// A vision transformer.
    Transformer(VitSizes),
}

/// What a family's sizes tell of its visual tower.
pub trait VisualSizes {
    /// One line: the kind of network and its sizes.
    fn summary(&self) -> String;

    /// The layers that can be named, in the order in which a forward pass reaches them; the last is the embedding.
    /// `image_size` is in pixels.
    fn layers(&self, image_size: u32, embedding: u32) -> Vec<Layer>;

    /// Layers spread over the middle of the tower, from the image on, by their canonical spellings: those that a facet
    /// has unless it names others, as in Goh et al. 2021.
    fn middle_layers(&self) -> Vec<String>;

    /// Where the other spelling of its layers comes from, as the head of a column.
    fn other_spelling(&self) -> &'static str;
}

impl Visual {
    /// The sizes of whichever family it is.
    pub fn sizes(&self) -> &dyn VisualSizes {
        match self {
            Self::ResNet(sizes) => sizes,
            Self::Transformer(sizes) => sizes,
        }
    }
}

impl Family {
    /// The family of a file's visual tower.
    pub fn of(has: impl Fn(&str) -> bool) -> Option<&'static Self> {
        FAMILIES.into_iter().find(|family| has(family.mark))
    }

    /// The tensors that tell the families, for messages.
    pub fn marks() -> String {
        let mark = |family: &Self| format!("`{}` ({})", family.mark, family.noun);
        FAMILIES.map(mark).join(" and no ")
    }
}
