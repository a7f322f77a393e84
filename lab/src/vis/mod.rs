//! Feature visualisation: targets in a network and parameters in; pictures that excite them out.
//!
//! As in Lucid, the parts are functions: parameters to an image ([`param`]), an image to a disturbed image
//! ([`transform`]), activations to a number ([`objective`]), a number to a gradient ([`backward`]), a gradient to a
//! step ([`adam`]); [`optimise`] is the loop around them. All random numbers come from a seed, through our own
//! generators, and each image of a batch is computed as it would be alone, so that a result depends on nothing else
//! that runs in the process.

pub mod adam;
pub mod backward;
pub mod facet;
pub mod film;
pub mod job;
pub mod objective;
pub mod optimise;
pub mod param;
pub mod transform;

use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

/// The uses of random numbers. Each has its own stream, so that more draws for one do not change the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The initial noise.
    Noise = 0,
    /// The transforms.
    Transforms = 1,
}

/// The generator of a seed for a purpose.
pub fn chance(seed: u64, purpose: Purpose) -> ChaCha8Rng {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    generator.set_stream(purpose as u64);
    generator
}
