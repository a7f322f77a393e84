//! The properties of a family: how it is recognised by its tensors, how its sizes are read, and what these tell of its
//! visual tower. Knows none of the families.

use super::shapes::Shapes;
use crate::model::error::ModelError;
use crate::model::layer::{Layer, Stage};

/// Properties of a visual tower that follow from its sizes.
pub trait VisualSizes {
    /// One line: the kind of network and its sizes.
    fn summary(&self) -> String;

    /// The layers that can be named, in the order in which a forward pass reaches them; the last is the embedding.
    /// `image_size` is in pixels.
    fn layers(&self, image_size: u32, embedding: u32) -> Vec<Layer>;

    /// Layers spread over the middle of the tower, from the image on, by their canonical spellings: the default layers
    /// of a facet, as in Goh et al. 2021.
    fn middle_layers(&self) -> Vec<String>;

    /// The number of attention heads that write into the embedding at a stage, each its own sum; `None` if there are none.
    fn heads(&self, stage: Stage) -> Option<u32>;

    /// The source of the other spelling of its layers, as a column heading.
    fn other_spelling(&self) -> &'static str;
}

/// How a visual tower with these sizes is recognised and read.
pub trait Recognised: VisualSizes + Sized {
    /// What it is, with its article, as messages name it.
    const NOUN: &'static str;
    /// A tensor that only this family has, by OpenAI's name.
    const MARK: &'static str;
    /// Whether all published models of it use QuickGELU, so that nothing else has to say so.
    const QUICK_GELU: bool;

    /// Reads the sizes. `heads` is the number of attention heads, where a configuration says it.
    ///
    /// # Errors
    /// Fails if a tensor is missing or misshapen.
    fn read(shapes: &Shapes<'_>, heads: Option<u32>) -> Result<Read<Self>, ModelError>;
}

/// Sizes of a model as its family reads them.
#[derive(Debug)]
pub struct Read<S> {
    /// Side of the square input image in pixels.
    pub image_size: u32,
    /// Length of an embedding.
    pub embedding: u32,
    /// The sizes of its visual tower.
    pub visual: S,
}

impl<S> Read<S> {
    /// The same with the tower's sizes as `into` makes them.
    pub(super) fn map<T>(self, into: impl FnOnce(S) -> T) -> Read<T> {
        Read { image_size: self.image_size, embedding: self.embedding, visual: into(self.visual) }
    }
}
