//! axe-core, which checks pages for accessibility problems: taken from AXE, from the cache, or fetched by npm.
//!
//! The result is the path of a script that the tests load into pages. It is published by Deque under MPL-2.0, and is
//! part neither of the programs nor of any site.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use flate2::read::GzDecoder;
use sha2::{Digest, Sha512};

use crate::apt;
use crate::cache;
use crate::failure::failure;
use crate::run::run;
use crate::say::say;
use crate::torch::on_path;

/// The exact version, and the SHA-512 digests of npm's archive of it and of the script in it.
const VERSION: &str = "4.14.1";
const ARCHIVE: &str = "1477dafa598d8d065f273d6af302aa203c02e83131707b7fa648cd41bd3d6b734f8c22a0dab86ee6a6f64b8afbe804b214d36db85a2826965edfb3a0b9d546b5";
const SCRIPT: &str = "e63e659f9806d7ae5bd40899043b0871a5062c5442b01b3f1a3edf5eaf50bf5c3a7104a72463293b4ad1b77c661a0d4e40e850dec89de9d6ece70a8c13a9af17";

/// The script's name in the archive, and in the cache folder.
const NAME: &str = "axe.min.js";

/// Hint if it cannot be fetched.
const HINT: &str = "install Node.js with npm (Debian: apt-get install npm), set AXE to axe-core's axe.min.js, or skip the tests that open pages with --no-browser";

/// The path of the script.
pub fn find_or_fetch() -> Result<PathBuf> {
    if let Some(named) = env::var_os("AXE").filter(|value| !value.is_empty()) {
        let named = PathBuf::from(named);
        return match named.is_file() {
            true => Ok(std::path::absolute(named)?),
            false => Err(failure(format!("AXE={} is not a file", named.display()), HINT)),
        };
    }
    let folder = cache::folder()?.join(format!("axe-core-{VERSION}"));
    let script = folder.join(NAME);
    if is_recorded(&script) {
        return Ok(script);
    }
    fs::create_dir_all(&folder)
        .with_context(|| format!("{} could not be created", folder.display()))?;
    let brought = tempfile::tempdir_in(&folder)?;
    let archive = pack(brought.path())?;
    let bytes = script_of(&archive)?;
    let part = brought.path().join(NAME);
    let put = fs::write(&part, bytes).and_then(|()| fs::rename(part, &script));
    put.with_context(|| format!("{} could not be written", script.display()))?;
    Ok(script)
}

fn is_recorded(script: &Path) -> bool {
    fs::read(script).is_ok_and(|bytes| digest(&bytes) == SCRIPT)
}

/// Downloads npm's archive of the package with the user's own npm, registry and proxy.
fn pack(into: &Path) -> Result<Vec<u8>> {
    let program = if cfg!(windows) { "npm.cmd" } else { "npm" };
    if on_path(Path::new(program)).is_none() && apt::is_usable() {
        say("the tests that open pages need axe-core, an npm package; installing npm with apt-get");
        apt::install(&["npm"], HINT)?;
    }
    let wanted = format!("axe-core@{VERSION}");
    let mut npm = Command::new(program);
    npm.args(["pack", "--silent", "--ignore-scripts", &wanted]).current_dir(into);
    npm.stdin(Stdio::null()).stdout(Stdio::null());
    let code = run(&format!("npm pack {wanted}"), &mut npm)
        .map_err(|error| failure(format!("{error:#}"), HINT))?;
    if code != 0 {
        return Err(failure(format!("npm failed to download {wanted}"), HINT));
    }
    let archive = into.join(format!("axe-core-{VERSION}.tgz"));
    fs::read(&archive).with_context(|| format!("{} could not be read", archive.display()))
}

/// Extracts the script from the verified archive.
fn script_of(archive: &[u8]) -> Result<Vec<u8>> {
    let found = digest(archive);
    if found != ARCHIVE {
        return Err(failure(
            format!(
                "axe-core@{VERSION} is not the recorded archive: its SHA-512 begins with {}",
                &found[..16]
            ),
            "npm's registry or a mirror serves different content under that version; it was not used",
        ));
    }
    let mut archive = tar::Archive::new(GzDecoder::new(archive));
    for entry in archive.entries()? {
        let mut entry = entry?;
        if entry.path()?.as_ref() == Path::new("package").join(NAME) {
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut entry, &mut bytes)?;
            return Ok(bytes);
        }
    }
    anyhow::bail!("axe-core@{VERSION} has no {NAME}")
}

/// SHA-512 in hexadecimal.
fn digest(bytes: &[u8]) -> String {
    Sha512::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_archive_is_refused_and_nothing_of_it_is_used() {
        let error = script_of(b"something else").expect_err("it is another");
        let text = crate::failure::report(&error);
        assert!(text.contains("axe-core@") && text.contains("hint: "), "{text}");
    }

    #[test]
    fn only_the_recorded_script_counts_as_kept() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let script = folder.path().join(NAME);
        assert!(!is_recorded(&script));
        fs::write(&script, "alert()")?;
        assert!(!is_recorded(&script));
        assert!([ARCHIVE, SCRIPT].iter().all(|text| text.len() == 128));
        Ok(())
    }
}
