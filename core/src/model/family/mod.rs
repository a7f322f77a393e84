//! The registry of model families: for each how it is recognised by its tensors, its sizes, its layers, and their other
//! spellings.
//!
//! A new family is one file here, with a variant of [`Visual`] and an entry in [`FAMILIES`], and one tower in
//! `lab/src/clip/`.

pub mod resnet;
pub mod shapes;
mod sizes;
pub mod text;
pub mod transformer;
pub mod vit;

use serde::{Deserialize, Serialize};

use super::error::ModelError;
use resnet::ResNetSizes;
use shapes::Shapes;
use sizes::Recognised;
pub use sizes::{Read, VisualSizes};
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
    /// Reads the sizes. The second argument is the number of attention heads, if a configuration gives it.
    pub(super) read: fn(&Shapes<'_>, Option<u32>) -> Result<Read<Visual>, ModelError>,
}

/// Every family.
pub static FAMILIES: [Family; 2] = [Family::with::<VitSizes>(), Family::with::<ResNetSizes>()];

/// Sizes of a visual tower.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Visual {
    /// CLIP's ModifiedResNet.
    ResNet(ResNetSizes),
    /// A vision transformer.
    Transformer(VitSizes),
}

impl From<ResNetSizes> for Visual {
    fn from(sizes: ResNetSizes) -> Self {
        Self::ResNet(sizes)
    }
}

impl From<VitSizes> for Visual {
    fn from(sizes: VitSizes) -> Self {
        Self::Transformer(sizes)
    }
}

impl Visual {
    /// The sizes, whatever the family.
    pub fn sizes(&self) -> &dyn VisualSizes {
        match self {
            Self::ResNet(sizes) => sizes,
            Self::Transformer(sizes) => sizes,
        }
    }
}

impl Family {
    /// The family whose visual tower has these sizes.
    const fn with<S: Recognised + Into<Visual>>() -> Self {
        Self {
            noun: S::NOUN,
            mark: S::MARK,
            quick_gelu: S::QUICK_GELU,
            read: |shapes, heads| Ok(S::read(shapes, heads)?.map(Into::into)),
        }
    }

    /// The family of a file's visual tower.
    pub fn of(has: impl Fn(&str) -> bool) -> Option<&'static Self> {
        FAMILIES.iter().find(|family| has(family.mark))
    }

    /// The tensors that identify the families, for messages.
    pub fn marks() -> String {
        let mark = |family: &Self| format!("`{}` ({})", family.mark, family.noun);
        FAMILIES.each_ref().map(mark).join(" and no ")
    }
}
