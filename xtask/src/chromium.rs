//! A Chromium for the tests that open pages: named, found, or installed.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Result;

use crate::apt;
use crate::failure::failure;
use crate::say::say;
use crate::torch::on_path;

/// The names under which it is installed.
const NAMES: [&str; 6] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
];

/// Where macOS keeps it.
const MAC: [&str; 2] = [
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/// What to do where there is none.
const HINT: &str = "install Chromium (Debian: apt-get install chromium), name one in CHROMIUM, \
                    or leave those tests out with --no-browser";

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
        say("there is no Chromium for the tests that open pages; apt-get installs one");
        apt::install(&["chromium"], HINT)?;
        if let Some(found) = find() {
            return Ok(found);
        }
    }
    Err(failure("some tests open pages in Chromium, and there is none", HINT))
}

fn find() -> Option<PathBuf> {
    let on_path = NAMES.iter().filter_map(|name| on_path(Path::new(name)));
    on_path.chain(MAC.iter().map(PathBuf::from)).find(|program| starts(program))
}

/// Ubuntu's package leaves a program that only says what to install instead; so a name alone proves nothing.
fn starts(program: &Path) -> bool {
    let mut command = Command::new(program);
    command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
