//! Neuronotes turns a folder of Markdown research notes into a linked static site whose figures are
//! measured, not pasted.

// What is printed goes through `say`: a stream that is closed or full ends nothing.
#![deny(clippy::print_stdout, clippy::print_stderr)]
// A wrong offset must end nothing: see `cut`.
#![cfg_attr(not(test), deny(clippy::string_slice))]

pub mod analysis;
pub mod bibliography;
pub mod build;
pub mod bundled;
pub mod cache;
pub mod card;
pub mod catalogue;
pub mod cli;
pub mod config;
pub mod cut;
pub mod dataset;
pub mod dates;
pub mod diagnostic;
pub mod digest;
pub mod document;
pub mod encoding;
pub mod explain;
pub mod fetch;
pub mod figure;
pub mod file;
pub mod freeze;
pub mod garden;
pub mod guard;
pub mod handles;
pub mod input;
pub mod jekyll;
pub mod lab;
pub mod language;
pub mod layout;
pub mod library;
pub mod measure;
pub mod model;
pub mod note;
pub mod output;
pub mod page;
pub mod picture;
pub mod place;
pub mod plan;
pub mod preview;
pub mod progress;
pub mod protocol;
pub mod render;
pub mod request;
pub mod resource;
pub mod say;
pub mod scaffold;
pub mod schedule;
pub mod seal;
pub mod search;
pub mod sha256;
pub mod site;
pub mod sniff;
pub mod store;
pub mod suggest;
pub mod tex;
pub mod tokenizer;
pub mod view;
pub mod watch;
pub mod workspace;
pub mod yaml;
