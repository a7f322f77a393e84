//! The npm packages that everything is made from: downloaded by the user's npm, kept, and verified.
//!
//! `packages.json` has each package's version and digest. Complete archives are kept, so an interrupted run resumes
//! where it stopped.
//!
//! Only packages are used whose licences allow data and weights to be published as ours are. OpenMoji and the first
//! EmojiOne draw as many emoji, but are share-alike (CC-BY-SA).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use serde::Deserialize;
use sha2::{Digest, Sha512};

use crate::failure::failure;

/// The recorded packages.
const RECORDED: &str = include_str!("../packages.json");

/// A package at one version.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Package {
    /// npm's name for it: `@iconify-json/noto`.
    pub name: String,
    /// Its exact version.
    pub version: String,
    /// What it is used for.
    #[serde(flatten)]
    pub content: Content,
    /// Its authors' name for the content: `Noto Emoji`.
    pub title: String,
    /// Its authors.
    pub author: String,
    /// Its licence, as an SPDX expression.
    pub licence: String,
    /// The digest of its archive, in hexadecimal.
    pub sha512: String,
}

/// What a package is used for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "use", rename_all = "lowercase")]
pub enum Content {
    /// Names, groups and keywords of emoji.
    Names,
    /// Drawn emoji.
    Pictures {
        /// The style's name in the sets.
        style: String,
    },
    /// A family of fonts.
    Words {
        /// Folders of the font faces to use: `400Regular`.
        faces: Vec<String>,
        /// Whether words in it are held out from training.
        held_out: bool,
    },
}

impl Package {
    /// Name and version in npm's syntax.
    pub fn wanted(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }

    /// The file's name in the folder of packages.
    fn file(&self) -> String {
        format!("{}-{}.tgz", self.name.trim_start_matches('@').replace('/', "-"), self.version)
    }
}

/// The packages that are recorded in `packages.json`.
pub fn recorded() -> Result<Vec<Package>> {
    serde_json::from_str(RECORDED).context("emoji/packages.json could not be read")
}

/// A source of archives; tests use one that needs no network.
pub trait Source {
    /// Downloads a package's archive into an existing, empty folder.
    fn pack(&self, wanted: &str, into: &Path) -> Result<()>;
}

/// The user's npm, with the user's registry, proxy and certificates.
pub struct Npm {
    /// The program.
    pub program: PathBuf,
}

impl Default for Npm {
    fn default() -> Self {
        // On Windows it is a script, which is found only by its whole name.
        Self { program: if cfg!(windows) { "npm.cmd" } else { "npm" }.into() }
    }
}

impl Source for Npm {
    fn pack(&self, wanted: &str, into: &Path) -> Result<()> {
        let mut npm = Command::new(&self.program);
        npm.args(["pack", "--silent", "--ignore-scripts", wanted]).current_dir(into);
        let output = npm.stdin(Stdio::null()).output().map_err(|error| {
            failure(
                format!("{} did not start ({error})", self.program.display()),
                "the emoji and fonts come as npm packages: install Node.js with npm (Debian: apt-get install npm)",
            )
        })?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(failure(
            format!("npm failed to download {wanted} ({}): {}", output.status, said.trim()),
            "after fixing it, run the same command again to resume",
        ))
    }
}

/// A folder of packages.
pub struct Packages<'a> {
    folder: PathBuf,
    source: &'a dyn Source,
}

impl<'a> Packages<'a> {
    /// The folder, which is created if necessary.
    pub fn new(folder: impl Into<PathBuf>, source: &'a dyn Source) -> Result<Self> {
        let folder = folder.into();
        fs::create_dir_all(&folder)
            .with_context(|| format!("{} could not be created", folder.display()))?;
        Ok(Self { folder, source })
    }

    /// The bytes of a package's archive, downloaded if they are missing.
    pub fn bytes(&self, package: &Package) -> Result<Vec<u8>> {
        let kept = self.folder.join(package.file());
        if let Ok(bytes) = fs::read(&kept)
            && digest(&bytes) == package.sha512
        {
            return Ok(bytes);
        }
        let brought = tempfile::tempdir_in(&self.folder)
            .with_context(|| format!("{} could not be written", self.folder.display()))?;
        self.source.pack(&package.wanted(), brought.path())?;
        let archive = only_file(brought.path(), package)?;
        let bytes = fs::read(&archive)
            .with_context(|| format!("{} could not be read", archive.display()))?;
        let found = digest(&bytes);
        if found != package.sha512 {
            return Err(failure(
                format!(
                    "{} is not the recorded archive: its SHA-512 begins with {}, not {}",
                    package.wanted(),
                    &found[..16],
                    package.sha512.get(..16).unwrap_or(&package.sha512),
                ),
                "npm's registry or a mirror serves different content under that version; it was not used",
            ));
        }
        // Under its final name there is only ever a whole archive.
        fs::rename(&archive, &kept)
            .with_context(|| format!("{} could not be written", kept.display()))?;
        Ok(bytes)
    }
}

fn only_file(folder: &Path, package: &Package) -> Result<PathBuf> {
    let files = fs::read_dir(folder)?.collect::<std::io::Result<Vec<_>>>()?;
    match files.as_slice() {
        [file] => Ok(file.path()),
        files => Err(failure(
            format!("`npm pack {}` left {} files instead of one", package.wanted(), files.len()),
            "try it by hand in an empty folder",
        )),
    }
}

/// SHA-512 in hexadecimal.
pub fn digest(bytes: &[u8]) -> String {
    Sha512::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::collections::BTreeSet;

    /// Serves the same bytes for every request, and records the requests.
    struct Fake {
        bytes: &'static [u8],
        asked: RefCell<Vec<String>>,
    }

    impl Source for Fake {
        fn pack(&self, wanted: &str, into: &Path) -> Result<()> {
            self.asked.borrow_mut().push(wanted.to_owned());
            Ok(fs::write(into.join("some.tgz"), self.bytes)?)
        }
    }

    fn fake(bytes: &'static [u8]) -> Fake {
        Fake { bytes, asked: RefCell::default() }
    }

    fn package(of: &[u8]) -> Package {
        Package {
            name: "@set/drawn".to_owned(),
            version: "1.2.3".to_owned(),
            content: Content::Names,
            title: String::new(),
            author: String::new(),
            licence: String::new(),
            sha512: digest(of),
        }
    }

    #[test]
    fn an_archive_is_brought_once() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let source = fake(b"archive");
        let packages = Packages::new(folder.path(), &source)?;
        for _ in 0..2 {
            assert_eq!(packages.bytes(&package(b"archive"))?, b"archive");
        }
        assert_eq!(*source.asked.borrow(), ["@set/drawn@1.2.3"]);
        assert!(folder.path().join("set-drawn-1.2.3.tgz").exists());
        Ok(())
    }

    #[test]
    fn a_kept_archive_that_has_changed_is_brought_again() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let kept = folder.path().join("set-drawn-1.2.3.tgz");
        fs::write(&kept, "archi")?;
        let source = fake(b"archive");
        Packages::new(folder.path(), &source)?.bytes(&package(b"archive"))?;
        assert_eq!(source.asked.borrow().len(), 1);
        assert_eq!(fs::read(kept)?, b"archive");
        Ok(())
    }

    #[test]
    fn a_wrong_digest_is_refused_by_name_and_nothing_is_kept() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let source = fake(b"another");
        let packages = Packages::new(folder.path(), &source)?;
        let error = packages.bytes(&package(b"archive")).expect_err("another's bytes");
        let text = crate::failure::report(&error);
        assert!(text.contains("@set/drawn@1.2.3") && text.contains("SHA-512"), "{text}");
        assert!(text.contains("hint: "), "{text}");
        assert_eq!(fs::read_dir(folder.path())?.count(), 0);
        Ok(())
    }

    #[test]
    fn without_npm_one_is_told_what_to_install() {
        let npm = Npm { program: "/nowhere/npm".into() };
        let error = npm.pack("a@1", Path::new("/")).expect_err("there is none");
        let text = crate::failure::report(&error);
        assert!(text.contains("install Node.js"), "{text}");
    }

    #[test]
    fn what_is_recorded_is_complete() -> Result<()> {
        let packages = recorded()?;
        let names: BTreeSet<&str> = packages.iter().map(|package| package.name.as_str()).collect();
        assert_eq!(names.len(), packages.len());
        for package in &packages {
            let Package { name, version, title, author, licence, sha512, .. } = package;
            assert!(version.split('.').all(|part| part.parse::<u32>().is_ok()), "{name}");
            assert!(sha512.len() == 128 && sha512.chars().all(|c| c.is_ascii_hexdigit()), "{name}");
            assert!(![title, author, licence].iter().any(|text| text.is_empty()), "{name}");
            assert!(!licence.contains("SA"), "{name} is shared alike");
        }
        let styles: Vec<&str> = packages
            .iter()
            .filter_map(|package| match &package.content {
                Content::Pictures { style } => Some(style.as_str()),
                _ => None,
            })
            .collect();
        for style in crate::matching::REQUIRED.iter().chain(&crate::demo::STYLES) {
            assert!(styles.contains(style), "{style}");
        }
        Ok(())
    }
}
