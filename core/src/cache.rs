//! Where things are kept that all gardens and clones share: the environment in, one folder out.
//!
//! Weights lie in its `models`, and libtorch beside them. This file is the rule for `xtask` too, which
//! includes it as it is; so it knows nothing but the standard library.

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

/// The environment variable that names the folder.
pub const VARIABLE: &str = "NEURONOTES_CACHE";

/// The environment names no folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nowhere;

impl fmt::Display for Nowhere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "neither HOME nor {VARIABLE} is set")
    }
}

impl std::error::Error for Nowhere {}

/// The cache folder, absolute: `NEURONOTES_CACHE`, or `neuronotes` in the system's folder for caches,
/// which is `XDG_CACHE_HOME`, `~/Library/Caches` on a Mac, or `~/.cache`. It need not exist yet.
///
/// # Errors
/// Where the environment names none.
pub fn folder() -> Result<PathBuf, Nowhere> {
    let chosen = choose(|name| env::var_os(name), cfg!(target_os = "macos"))?;
    std::path::absolute(chosen).map_err(|_| Nowhere)
}

/// The choice, with the environment given. A variable set to nothing counts as not set.
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
