//! Hostile inputs for every reader of Neuronotes: bytes in; a panic where what a reader promises does not hold.
//!
//! Each [`Target`] is a function of bytes that says what must hold of whatever is read out of them. The tests replay the inputs in
//! `corpus/` and a few thousand that are made of these; `cargo xtask fuzz` looks for others by the code that they reach.

mod check;
mod corpus;
mod dice;
mod mutate;
mod target;
mod watch;

pub use corpus::{folder, inputs};
pub use dice::Dice;
pub use mutate::Mutator;
pub use target::{TARGETS, Target};
pub use watch::{Watched, watch};
