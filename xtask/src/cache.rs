//! The cache folder for libtorch, shared by all clones, which `cargo clean` leaves alone.

use std::path::PathBuf;

use anyhow::Result;

use crate::failure::failure;

// The rule is the program's own, which keeps weights in the same folder.
#[path = "../../core/src/cache.rs"]
mod rule;

/// The cache folder: `NEURONOTES_CACHE`, or `neuronotes` in the system's cache folder.
pub fn folder() -> Result<PathBuf> {
    rule::folder().map_err(|nowhere| {
        failure(
            format!("no cache folder for libtorch: {nowhere}"),
            "set NEURONOTES_CACHE to a folder with 1.1 GB of free space",
        )
    })
}
