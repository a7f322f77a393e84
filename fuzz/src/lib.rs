//! Hostile inputs for every reader of Neuronotes. A target panics if a reader breaks its promise.
//!
//! Each [`Target`] is a function of bytes that checks the invariants of what a reader returns. The tests replay the
//! inputs in `corpus/` and a few thousand derived from them; `cargo xtask fuzz` searches for others by code coverage.

mod check;
mod corpus;
mod dice;
mod ids;
mod mutate;
mod target;
mod watch;

pub use corpus::{folder, inputs};
pub use dice::Dice;
pub use mutate::Mutator;
pub use target::{TARGETS, Target};
pub use watch::{Watched, watch};
