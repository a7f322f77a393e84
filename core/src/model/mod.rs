//! CLIP models as their weights files describe them: sizes and layers, read from the header alone, and the conventions
//! that shapes do not show.

mod architecture;
mod checkpoint;
mod convention;
mod describe;
mod dictionary;
mod error;
pub mod family;
mod heads;
mod layer;
mod naming;
mod place;
mod reference;
mod source;

pub use architecture::Architecture;
pub use checkpoint::{Header, HeaderError, TensorInfo, parts};
pub use convention::{Activation, Conventions, Given};
pub use describe::{beside, describe};
pub use dictionary::{Dictionary, DictionaryError};
pub use error::ModelError;
pub use family::Visual;
pub use family::resnet::ResNetSizes;
pub use family::text::TextArchitecture;
pub use family::transformer::TransformerSizes;
pub use family::vit::VitSizes;
pub use heads::Heads;
pub use layer::{BlockTap, Layer, LayerName, Positions, Stage, StemTap, Tap};
pub use naming::{Names, Style};
pub use place::Place;
pub use reference::{ModelRef, Precision};
pub use source::Source;
