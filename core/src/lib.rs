//! What the two programs of Neuronotes share: requests and their keys, kinds of analysis, the result store, models'
//! sizes and layers, data sets, and the tokenizer. Knows no Markdown, no HTTP, no templates and no libtorch.

// Output goes through `say`, so that a closed or full stream does not end the program.
#![deny(clippy::print_stdout, clippy::print_stderr)]
// A wrong offset must not end the program: see `cut`.
#![cfg_attr(not(test), deny(clippy::string_slice))]

pub mod cache;
pub mod canonical;
pub mod cut;
pub mod dataset;
pub mod digest;
pub mod encoding;
pub mod file;
pub mod files;
pub mod kind;
pub mod lab;
pub mod labelling;
pub mod lettering;
pub mod model;
pub mod number;
pub mod place;
pub mod pool;
pub mod problem;
pub mod protocol;
pub mod request;
pub mod say;
pub mod seal;
pub mod sha256;
pub mod sniff;
pub mod statistics;
pub mod store;
pub mod suggest;
pub mod suspect;
pub mod tokenizer;
