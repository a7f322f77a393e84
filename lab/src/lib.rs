//! The lab of Neuronotes: measures requests and commits records to the store.
//!
//! It is the only code that uses libtorch, and knows nothing of notes, pages or figures.

// Output goes through `say`, so that a closed or full stream does not end the program.
#![deny(clippy::print_stdout, clippy::print_stderr)]

pub mod attribution;
pub mod batch;
pub mod cli;
pub mod clip;
pub mod dataset;
pub mod device;
pub mod dictionary;
mod early;
pub mod encode;
pub mod export;
pub mod failure;
pub mod feed;
pub mod fit;
mod gallery;
mod group;
mod heat;
pub mod kept;
pub mod kind;
mod listed;
pub mod monitor;
pub mod opened;
pub mod pass;
pub mod picture;
pub mod queue;
pub mod readout;
pub mod report;
pub mod resident;
pub mod scans;
pub mod serve;
pub mod session;
pub mod table;
pub mod threads;
pub mod train;
mod vector;
pub mod vis;
pub mod work;
pub mod workbench;
