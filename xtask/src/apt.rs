//! Installs Debian packages for the tests, if the machine runs Debian and the user is root.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Result;

use crate::failure::failure;
use crate::run::run;
use crate::torch::on_path;

/// Whether packages can be installed here.
pub fn is_usable() -> bool {
    Path::new("/etc/debian_version").exists()
        && on_path(Path::new("apt-get")).is_some()
        && is_root()
}

/// Installs packages. Containers often lack package lists, so these are updated first.
pub fn install(packages: &[&str], hint: &str) -> Result<()> {
    let install = ["install", "-qq", "-y", "--no-install-recommends"];
    for arguments in [vec!["update", "-qq"], [&install[..], packages].concat()] {
        let mut apt = Command::new("apt-get");
        apt.args(&arguments).env("DEBIAN_FRONTEND", "noninteractive").stdout(Stdio::null());
        let code = run(&format!("apt-get {}", arguments.join(" ")), &mut apt)?;
        // If updating the lists fails, the packages may still be available.
        if code != 0 && arguments[0] == "install" {
            return Err(failure(
                format!("apt-get failed to install {}", packages.join(", ")),
                hint,
            ));
        }
    }
    Ok(())
}

#[cfg(unix)]
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

#[cfg(not(unix))]
fn is_root() -> bool {
    false
}
