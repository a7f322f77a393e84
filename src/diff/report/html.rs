//! A difference as a folder of HTML that works from `file://`: one page, one script, one style, and the pictures.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use neuronotes_core::store::Store;

use super::page;
use crate::diff::difference::Difference;
use crate::diff::picture::Shot;

/// The script of the page.
pub const SCRIPT: &str = include_str!("../../../templates/diff.js");
/// The style of the page.
pub const STYLE: &str = include_str!("../../../templates/diff.css");

/// Writes the folder. Pictures are taken from the first of the stores that has them.
///
/// # Errors
/// If a file cannot be written, or the folder contains something else.
pub fn write(difference: &Difference, stores: &[&Store], folder: &Path) -> io::Result<usize> {
    let occupied = fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
    if occupied && !folder.join("diff.js").is_file() {
        let message = "the folder is not empty and contains no difference; use another one";
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, message));
    }
    fs::create_dir_all(folder.join("figures"))?;
    let mut written = 0;
    for (file, shot) in shots(difference) {
        let bytes = stores.iter().find_map(|store| store.blob(&shot.digest));
        if let Some(bytes) = bytes {
            fs::write(folder.join(file), bytes)?;
            written += 1;
        }
    }
    fs::write(folder.join("diff.css"), STYLE)?;
    fs::write(folder.join("diff.js"), SCRIPT)?;
    fs::write(folder.join("index.html"), page::page(difference))?;
    Ok(written)
}

/// The pictures that the page shows, by file.
pub fn shots(difference: &Difference) -> BTreeMap<&str, &Shot> {
    let pictures = difference.figures.iter().flat_map(|figure| &figure.change.pictures);
    let shots = pictures.flat_map(|picture| picture.before.iter().chain(&picture.after));
    shots.map(|shot| (shot.file.as_str(), shot)).collect()
}
