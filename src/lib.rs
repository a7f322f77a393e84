//! Neuronotes turns a folder of Markdown research notes into a linked static site whose figures are
//! measured, not pasted.

// What is printed goes through `say`: a stream that is closed or full ends nothing.
#![deny(clippy::print_stdout, clippy::print_stderr)]
// A wrong offset must end nothing: see `cut`.
#![cfg_attr(not(test), deny(clippy::string_slice))]

pub mod bibliography;
pub mod build;
pub mod bundled;
pub mod cli;
pub mod config;
pub mod diagnostic;
pub mod field;
pub mod figure;
pub mod freeze;
pub mod garden;
pub mod guard;
pub mod handles;
pub mod jekyll;
pub mod language;
pub mod measure;
pub mod note;
pub mod output;
pub mod page;
pub mod picture;
pub mod plan;
pub mod preview;
pub mod render;
pub mod resource;
pub mod scaffold;
pub mod search;
pub mod site;
pub mod tex;
pub mod view;
pub mod watch;
pub mod weights;
pub mod workspace;
pub mod yaml;
