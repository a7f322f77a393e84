//! Neuronotes turns a folder of Markdown research notes into a linked static site whose figures are
//! measured, not pasted.

pub mod analysis;
pub mod digest;
pub mod figure;
pub mod model;
pub mod protocol;
pub mod render;
pub mod request;
pub mod store;
pub mod suggest;
pub mod view;
