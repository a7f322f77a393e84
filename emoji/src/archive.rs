//! Reads wanted files from the bytes of a package's `.tgz`, without unpacking it to disk.

use std::collections::BTreeMap;
use std::io::Read;

use anyhow::{Context, Result};
use flate2::read::GzDecoder;

/// The wanted files by their path in the package.
pub fn files(tgz: &[u8], wanted: impl Fn(&str) -> bool) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut found = BTreeMap::new();
    let mut archive = tar::Archive::new(GzDecoder::new(tgz));
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = entry.path()?.to_string_lossy().into_owned();
        // npm puts everything into one folder.
        let Some((_, path)) = path.split_once('/') else { continue };
        if wanted(path) {
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes)?;
            found.insert(path.to_owned(), bytes);
        }
    }
    Ok(found)
}

/// One file.
pub fn file(tgz: &[u8], path: &str) -> Result<Vec<u8>> {
    files(tgz, |found| found == path)?.remove(path).with_context(|| format!("there is no {path}"))
}
