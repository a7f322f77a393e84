//! Files that are copied into a site; those from the store or cache are verified.

use std::fs;
use std::io;
use std::path::Path;

use neuronotes_core::digest::Digest;
use neuronotes_core::file;
use neuronotes_core::problem::Problem;
use neuronotes_core::store::Store;

use crate::picture::smaller::LARGEST_FILE;

/// The bytes of a file to copy, verified if it comes from the store or the cache.
pub(super) fn copied(
    from: &Path,
    digest: &Digest,
    store: &Store,
    cache: Option<&Path>,
) -> Result<Vec<u8>, Problem> {
    if from == store.blob_path(digest) {
        return store.blob(digest).ok_or_else(|| match store.is_frozen() {
            false => Problem::new("a stored picture was damaged and has been set aside")
                .hint("build again to measure it"),
            true => Problem::new(format!("a frozen picture is damaged: {}", from.display()))
                .hint("run `neuronotes freeze` again on a machine that has it measured"),
        });
    }
    let unreadable =
        |error: io::Error| Problem::new(format!("{} cannot be read ({error})", from.display()));
    let bytes = file::read(from, LARGEST_FILE).map_err(unreadable)?;
    if cache.is_some_and(|cache| from.starts_with(cache)) && Digest::of(&bytes) != *digest {
        let _ = fs::remove_file(from);
        store.met_damage();
        let problem = Problem::new("a cached copy of a picture was damaged and has been removed");
        return Err(problem.hint("build again to recreate it"));
    }
    Ok(bytes)
}
