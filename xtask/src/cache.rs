//! Where libtorch is kept: a folder of the user's, shared by all clones, that `cargo clean` does not reach.

use std::path::PathBuf;

use anyhow::Result;

use crate::failure::failure;

// The rule is the program's own, which keeps weights in the same folder.
#[path = "../../core/src/cache.rs"]
mod rule;

/// The cache folder: `NEURONOTES_CACHE`, or `neuronotes` in the system's folder for caches.
pub fn folder() -> Result<PathBuf> {
    rule::folder().map_err(|nowhere| {
        failure(
            format!("there is no folder to keep libtorch in: {nowhere}"),
            "set NEURONOTES_CACHE to a folder with 1.1 GB of room",
        )
    })
}
