//! Reads the version of a libtorch from its files, since importing torch in Python would take seconds.

use std::fs;
use std::path::Path;

/// The release of libtorch that tch, and so the lab, needs.
pub const WANTED: &str = "2.11.0";

/// The version of the libtorch in a folder (the one that contains `include` and `lib`), without what follows a plus
/// sign; `None` if no file contains it.
pub fn of(folder: &Path) -> Option<String> {
    let read = |file: &str| fs::read_to_string(folder.join(file)).ok();
    let found = read("build-version")
        .or_else(|| read("include/torch/headeronly/version.h").and_then(|text| from_header(&text)))
        .or_else(|| {
            read("include/torch/csrc/api/include/torch/version.h").and_then(|t| from_header(&t))
        })
        .or_else(|| read("version.py").and_then(|text| from_python(&text)))?;
    Some(release(&found).to_owned())
}

/// `2.11.0+cu130` → `2.11.0`.
fn release(version: &str) -> &str {
    let version = version.trim();
    version.split_once('+').map_or(version, |(release, _)| release)
}

/// The three numbers of torch's `version.h`.
fn from_header(text: &str) -> Option<String> {
    let number = |part: &str| {
        text.lines().find_map(|line| {
            let mut words = line.split_whitespace();
            (words.next() == Some("#define") && words.next() == Some(part))
                .then(|| words.next().and_then(|n| n.parse::<u32>().ok()))
                .flatten()
        })
    };
    let major = number("TORCH_VERSION_MAJOR")?;
    let minor = number("TORCH_VERSION_MINOR")?;
    let patch = number("TORCH_VERSION_PATCH")?;
    Some(format!("{major}.{minor}.{patch}"))
}

/// `__version__ = '2.11.0+cu130'` in torch's `version.py`.
fn from_python(text: &str) -> Option<String> {
    let value = text.lines().find_map(|line| line.strip_prefix("__version__ = "))?;
    Some(value.trim().trim_matches(['\'', '"']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "#pragma once\n\n/// Indicates the major version of LibTorch.\n\
        #define TORCH_VERSION_MAJOR 2\n#define TORCH_VERSION_MINOR 9\n#define TORCH_VERSION_PATCH 1\n\
        #define TORCH_VERSION_ABI_TAG 0\n#define TORCH_VERSION \\\n  \"2.9.1\"\n";

    #[test]
    fn every_file_that_names_a_version_is_understood() -> std::io::Result<()> {
        for (file, text, version) in [
            ("build-version", "2.11.0+cpu\n", "2.11.0"),
            ("include/torch/headeronly/version.h", HEADER, "2.9.1"),
            ("include/torch/csrc/api/include/torch/version.h", HEADER, "2.9.1"),
            ("version.py", "from typing import Optional\n__version__ = '2.8.0+cu130'\n", "2.8.0"),
        ] {
            let folder = tempfile::tempdir()?;
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().expect("files lie in folders"))?;
            fs::write(path, text)?;
            assert_eq!(of(folder.path()).as_deref(), Some(version), "{file}");
        }
        Ok(())
    }

    #[test]
    fn a_folder_that_says_nothing_has_no_version() -> std::io::Result<()> {
        assert_eq!(of(tempfile::tempdir()?.path()), None);
        Ok(())
    }

    /// tch refuses any other release of libtorch, so an update of tch must update this too.
    #[test]
    fn the_wanted_release_is_that_of_the_locked_tch() {
        let lock = include_str!("../../../Cargo.lock");
        let tch = lock.split("\n\n").find(|package| package.contains("name = \"torch-sys\""));
        assert!(
            tch.is_some_and(|package| package.contains("version = \"0.24.")),
            "Cargo.lock has another torch-sys: set WANTED to the libtorch that it needs"
        );
    }
}
