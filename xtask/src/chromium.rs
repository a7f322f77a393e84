//! Finds Chromium for the tests that open pages: in CHROMIUM, on PATH, or installed by apt-get.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Result;

use crate::apt;
use crate::failure::failure;
use crate::say::say;
use crate::torch::on_path;

/// Names of its program.
const NAMES: [&str; 6] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
];

/// Its path on macOS.
const MAC: [&str; 2] = [
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/// Hint if none is found.
const HINT: &str = "install Chromium (Debian: apt-get install chromium), set CHROMIUM to its path, or skip those tests with --no-browser";

/// The program to start.
pub fn find_or_install() -> Result<PathBuf> {
    if let Some(named) = env::var_os("CHROMIUM").filter(|value| !value.is_empty()) {
        let named = on_path(Path::new(&named)).unwrap_or_else(|| named.into());
        return if starts(&named) {
            Ok(named)
        } else {
            Err(failure(format!("CHROMIUM={} does not start", named.display()), HINT))
        };
    }
    if let Some(found) = find() {
        return Ok(found);
    }
    if apt::is_usable() {
        say("the tests that open pages need Chromium; installing it with apt-get");
        apt::install(&["chromium"], HINT)?;
        if let Some(found) = find() {
            return Ok(found);
        }
    }
    Err(failure("Chromium, which some tests need, was not found", HINT))
}

fn find() -> Option<PathBuf> {
    let on_path = NAMES.iter().filter_map(|name| on_path(Path::new(name)));
    on_path.chain(MAC.iter().map(PathBuf::from)).find(|program| starts(program))
}

/// Ubuntu has a placeholder of this name that only says what to install, so the program is started to find out.
fn starts(program: &Path) -> bool {
    let mut command = Command::new(program);
    command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
