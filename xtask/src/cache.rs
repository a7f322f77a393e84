//! Where libtorch is kept: a folder of the user's, shared by all clones, that `cargo clean` does not reach.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::failure::failure;

/// The cache folder: `NEURONOTES_CACHE`, or `neuronotes` in the system's folder for caches.
pub fn folder() -> Result<PathBuf> {
    let chosen = choose(|name| env::var_os(name), cfg!(target_os = "macos"))?;
    Ok(std::path::absolute(chosen)?)
}

/// The choice, with the environment given. A variable set to nothing counts as not set.
fn choose(variable: impl Fn(&str) -> Option<OsString>, mac: bool) -> Result<PathBuf> {
    let path = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(own) = path("NEURONOTES_CACHE") {
        return Ok(own);
    }
    // The XDG rules say that relative paths are to be ignored.
    if let Some(xdg) = path("XDG_CACHE_HOME").filter(|path| path.is_absolute()) {
        return Ok(xdg.join("neuronotes"));
    }
    let caches = Path::new(if mac { "Library/Caches" } else { ".cache" });
    path("HOME").map(|home| home.join(caches).join("neuronotes")).ok_or_else(|| {
        failure(
            "there is no folder to keep libtorch in: HOME is not set",
            "set NEURONOTES_CACHE to a folder with 1.1 GB of room",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(variables: &[(&str, &str)], mac: bool) -> Result<PathBuf> {
        let find = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, v)| v.into());
        choose(find, mac)
    }

    #[test]
    fn the_most_particular_variable_wins() -> Result<()> {
        let own = ("NEURONOTES_CACHE", "/big");
        let xdg = ("XDG_CACHE_HOME", "/x");
        let home = ("HOME", "/home/ada");
        assert_eq!(chosen(&[own, xdg, home], false)?, Path::new("/big"));
        assert_eq!(chosen(&[xdg, home], false)?, Path::new("/x/neuronotes"));
        assert_eq!(chosen(&[home], false)?, Path::new("/home/ada/.cache/neuronotes"));
        assert_eq!(chosen(&[home], true)?, Path::new("/home/ada/Library/Caches/neuronotes"));
        assert_eq!(
            chosen(&[("XDG_CACHE_HOME", "rel"), home], false)?,
            Path::new("/home/ada/.cache/neuronotes")
        );
        assert!(chosen(&[], false).is_err());
        Ok(())
    }
}
