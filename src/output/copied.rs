//! Files that are copied into a site; those from the store or cache are verified.

use std::fs;
use std::io;
use std::path::Path;

use neuronotes_core::digest::Digest;
use neuronotes_core::file;
use neuronotes_core::store::Store;

use super::Fault;
use crate::picture::LARGEST_FILE;

/// The bytes of a file to copy, verified if it comes from the store or the cache.
pub(super) fn copied(
    from: &Path,
    digest: &Digest,
    store: &Store,
    cache: Option<&Path>,
) -> Result<Vec<u8>, Fault> {
    if from == store.blob_path(digest) {
        return store.blob(digest).ok_or_else(|| match store.is_frozen() {
            false => Fault {
                message: "a stored picture was damaged and has been set aside".to_owned(),
                hint: Some("build again to measure it".to_owned()),
                full: false,
            },
            true => Fault {
                message: format!("a frozen picture is damaged: {}", from.display()),
                hint: Some(
                    "run `neuronotes freeze` again on a machine that has it measured".to_owned(),
                ),
                full: false,
            },
        });
    }
    let unreadable = |error: io::Error| Fault {
        message: format!("{} cannot be read ({error})", from.display()),
        hint: None,
        full: false,
    };
    let bytes = file::read(from, LARGEST_FILE).map_err(unreadable)?;
    if cache.is_some_and(|cache| from.starts_with(cache)) && Digest::of(&bytes) != *digest {
        let _ = fs::remove_file(from);
        store.met_damage();
        return Err(Fault {
            message: "a cached copy of a picture was damaged and has been removed".to_owned(),
            hint: Some("build again to recreate it".to_owned()),
            full: false,
        });
    }
    Ok(bytes)
}
