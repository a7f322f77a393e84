//! Keeps a store and an object store equal: results, failures, and what clients and workers of a cluster tell each other.
//!
//! ```text
//! URL/v1/blobs/ab/<digest>      as in a store's folder, byte for byte
//!        records/ab/<key>.json  written after all its blobs, on either side
//!        failures/<key>.json
//!        pools/<name>/...       see `neuronotes_core::pool`
//!        claims/<id>.json       which worker's store has taken a unit of work
//! ```
//!
//! Results are named by their content: none is ever overwritten, and they may be moved by several programs at once. What is
//! mutable has one writer, who pushes it. Interrupted at any moment, nothing is broken, and the next run goes on. What arrives
//! is compared with its digest or checksum; a damaged object is told and not taken.
//!
//! Knows nothing of gardens and terminals: it gets a store, a URL and the keys that are wanted.

mod claims;
mod files;
mod follow;
mod http;
mod memory;
mod once;
mod pair;
mod parallel;
mod pull;
mod push;
mod remote;
mod take;

pub use follow::{News, follow};
pub use once::{once, resolve};
pub use pair::{Moved, Options, Report, Side, Step, Wanted};
pub use remote::Remote;
