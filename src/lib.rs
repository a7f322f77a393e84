//! Neuronotes turns a folder of Markdown research notes into a linked static site whose figures are
//! measured, not pasted.

pub mod analysis;
pub mod config;
pub mod dates;
pub mod diagnostic;
pub mod digest;
pub mod figure;
pub mod garden;
pub mod lab;
pub mod model;
pub mod note;
pub mod plan;
pub mod protocol;
pub mod render;
pub mod request;
pub mod resource;
pub mod store;
pub mod suggest;
pub mod view;
pub mod yaml;
