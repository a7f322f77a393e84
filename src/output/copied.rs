//! A file that is copied into a site: where it lies in, its bytes out, which are checked where they are the program's own.

use std::fs;
use std::io;
use std::path::Path;

use neuronotes_core::digest::Digest;
use neuronotes_core::file;
use neuronotes_core::store::Store;

use super::Fault;
use crate::picture::LARGEST_FILE;

/// The bytes of a file that is copied: checked, where it comes out of the store or the cache.
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
                hint: Some("`neuronotes freeze`, where it is measured, writes it anew".to_owned()),
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
            message: "a kept copy of a picture was damaged and has been removed".to_owned(),
            hint: Some("build again to make it anew".to_owned()),
            full: false,
        });
    }
    Ok(bytes)
}
