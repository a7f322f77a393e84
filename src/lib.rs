//! Neuronotes turns a folder of Markdown research notes into a linked static site whose figures are
//! measured, not pasted.

pub mod analysis;
pub mod build;
pub mod cli;
pub mod config;
pub mod dates;
pub mod diagnostic;
pub mod digest;
pub mod document;
pub mod figure;
pub mod file;
pub mod garden;
pub mod input;
pub mod lab;
pub mod measure;
pub mod model;
pub mod note;
pub mod output;
pub mod page;
pub mod plan;
pub mod preview;
pub mod progress;
pub mod protocol;
pub mod render;
pub mod request;
pub mod resource;
pub mod scaffold;
pub mod site;
pub mod store;
pub mod suggest;
pub mod tokenizer;
pub mod view;
pub mod watch;
pub mod workspace;
pub mod yaml;
