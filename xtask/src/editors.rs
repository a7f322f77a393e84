//! Finds or installs the programs that the preview's tests save notes with.

use std::path::Path;

use anyhow::Result;

use crate::apt;
use crate::failure::failure;
use crate::say::say;
use crate::torch::on_path;

/// Each program and its Debian package. vim-tiny does not install a program named `vim`.
const PROGRAMS: &[(&str, &str)] = &[
    ("vim", "vim"),
    ("emacs", "emacs-nox"),
    ("nano", "nano"),
    ("rsync", "rsync"),
    ("git", "git"),
    // Provides the terminal that nano needs.
    ("script", "bsdutils"),
    // A file system without events. Only on Linux does the program ask for a folder's file system.
    #[cfg(target_os = "linux")]
    ("bindfs", "bindfs"),
];

/// Makes sure that each program is there.
pub fn find_or_install() -> Result<()> {
    let missing = missing();
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = missing.iter().map(|(program, _)| *program).collect();
    let packages: Vec<&str> = missing.iter().map(|(_, package)| *package).collect();
    let hint = format!(
        "install them (Debian: apt-get install {}), or skip those tests with --no-editors",
        packages.join(" ")
    );
    if apt::is_usable() {
        say(format_args!(
            "the preview's tests need {}; installing with apt-get",
            packages.join(", ")
        ));
        apt::install(&packages, &hint)?;
        if self::missing().is_empty() {
            return Ok(());
        }
    }
    let names = names.join(", ");
    Err(failure(format!("programs that some tests save notes with were not found: {names}"), hint))
}

fn missing() -> Vec<(&'static str, &'static str)> {
    let found = |program: &str| on_path(Path::new(program)).is_some();
    PROGRAMS.iter().copied().filter(|(program, _)| !found(program)).collect()
}
