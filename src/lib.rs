//! Neuronotes turns a folder of Markdown research notes into a linked static site whose figures are
//! measured, not pasted.

// Output goes through `say`, so that a closed or full stream does not end the program.
#![deny(clippy::print_stdout, clippy::print_stderr)]
// A wrong offset must not end the program: see `cut`.
#![cfg_attr(not(test), deny(clippy::string_slice))]

mod archive;
mod author;
pub mod bibliography;
mod build;
mod bundled;
pub mod claim;
pub mod cli;
pub mod config;
mod cost;
pub mod diagnostic;
mod diff;
pub mod engine;
mod field;
mod figure;
mod freeze;
pub mod garden;
mod git;
pub mod guard;
mod handles;
pub mod jekyll;
mod language;
mod measure;
pub mod note;
mod output;
mod page;
pub mod picture;
pub mod plan;
mod preview;
mod render;
mod reproduce;
mod resource;
mod review;
mod scaffold;
mod search;
pub mod site;
pub mod sync;
pub mod tex;
mod tls;
pub mod view;
mod watch;
pub mod weights;
pub mod workspace;
pub mod yaml;
