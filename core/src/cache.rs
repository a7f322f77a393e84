//! The cache folder, shared by all gardens and clones.
//!
//! It contains weights in `models`, and libtorch. `xtask` includes this file unchanged, so it uses only the standard
//! library.

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

/// Environment variable that names the folder.
pub const VARIABLE: &str = "NEURONOTES_CACHE";

/// The environment names no cache folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nowhere;

impl fmt::Display for Nowhere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "neither HOME nor {VARIABLE} is set")
    }
}

impl std::error::Error for Nowhere {}

/// The absolute path of the cache folder: `NEURONOTES_CACHE`, or `neuronotes` in the system's cache folder, which is
/// `XDG_CACHE_HOME`, `~/Library/Caches` on a Mac, or `~/.cache`. It may not exist yet.
///
/// # Errors
/// If the environment names none.
pub fn folder() -> Result<PathBuf, Nowhere> {
    let chosen = choose(|name| env::var_os(name), cfg!(target_os = "macos"))?;
    std::path::absolute(chosen).map_err(|_| Nowhere)
}

/// Chooses the folder from the given environment. An empty variable counts as unset.
fn choose(variable: impl Fn(&str) -> Option<OsString>, mac: bool) -> Result<PathBuf, Nowhere> {
    let path = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(own) = path(VARIABLE) {
        return Ok(own);
    }
    // The XDG rules say that relative paths are to be ignored.
    if let Some(xdg) = path("XDG_CACHE_HOME").filter(|path| path.is_absolute()) {
        return Ok(xdg.join("neuronotes"));
    }
    let caches = Path::new(if mac { "Library/Caches" } else { ".cache" });
    path("HOME").map(|home| home.join(caches).join("neuronotes")).ok_or(Nowhere)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(variables: &[(&str, &str)], mac: bool) -> Option<PathBuf> {
        let find = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, v)| v.into());
        choose(find, mac).ok()
    }

    #[test]
    fn the_most_particular_variable_wins() {
        let own = ("NEURONOTES_CACHE", "/big");
        let xdg = ("XDG_CACHE_HOME", "/x");
        let home = ("HOME", "/home/ada");
        let is = |variables: &[(&str, &str)], mac, path: &str| {
            assert_eq!(chosen(variables, mac).as_deref(), Some(Path::new(path)));
        };
        is(&[own, xdg, home], false, "/big");
        is(&[xdg, home], false, "/x/neuronotes");
        is(&[home], false, "/home/ada/.cache/neuronotes");
        is(&[home], true, "/home/ada/Library/Caches/neuronotes");
        is(&[("XDG_CACHE_HOME", "rel"), home], false, "/home/ada/.cache/neuronotes");
        assert_eq!(chosen(&[], false), None);
    }
}
