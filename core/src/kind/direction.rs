//! `direction`: a named direction in the space of a layer's units, for other blocks to take as their `target`.

mod fault;
mod kind;
mod outcome;
mod params;

use super::field::{Kinds, Takes};

pub use fault::pooled;
pub use kind::KIND;
pub use outcome::{Groups, Outcome, Shown, Weight, sample};
pub use params::{GroupBy, Method, Params};

/// A direction, as other blocks use it.
pub const TAKEN: Takes =
    Takes { kinds: Kinds::Named(&["direction"]), same_model: true, before: false, here: true };
/// The output with the f32 tensor [`VECTOR`].
pub const FILE: &str = "direction.safetensors";
/// The name of the tensor: `[units]`, of length 1.
pub const VECTOR: &str = "direction";
/// Minimum number of pictures of a group for training, and for testing if any are held out.
pub const LEAST: usize = 2;
