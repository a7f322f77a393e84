//! Runs a program with a garden's folder on a small disk with a given amount of free space.
//!
//! The folder is meanwhile on an in-memory file system of its own, visible to that program only (`unshare`). Its
//! contents are copied back at the end.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// Mounts a small disk with the folder's contents, and leaves so many KiB free.
const SCRIPT: &str = r#"
folder=$1; aside=$2; room=$3; time=$4; shift 4
cp -a "$folder/." "$aside" && mount -t tmpfs none "$folder" && cp -a "$aside/." "$folder" || exit 99
used=$(df -k --output=used "$folder" | tail -1)
mount -o remount,size=$((used + room))k "$folder" || exit 99
timeout -s KILL "$time" "$@"
code=$?
rm -rf "$aside" && cp -a "$folder" "$aside" || exit 98
exit $code
"#;

/// Longest time that a program may run without being killed.
const PATIENCE: &str = "120";

/// Whether this machine can make such disks.
pub fn can_be_made() -> bool {
    let script = "mount -t tmpfs none \"$1\"";
    let Ok(folder) = tempfile::tempdir() else { return false };
    let mut command = Command::new("unshare");
    command.args(["-r", "-m", "sh", "-c", script, "sh"]).arg(folder.path());
    let made = command.stdin(Stdio::null()).stderr(Stdio::null()).status();
    made.is_ok_and(|status| status.success())
}

/// Runs a program while `room` KiB are left in `folder`, and kills it after the given milliseconds, if any. Returns
/// whether it ended by itself.
pub fn run(program: &Command, folder: &Path, room: u64, killed: Option<u64>) -> Result<bool> {
    fs::create_dir_all(folder)?;
    let around = tempfile::tempdir()?;
    let aside = around.path().join("aside");
    fs::create_dir(&aside)?;
    let time = killed.map_or(PATIENCE.to_owned(), |ms| format!("{:.3}", ms as f64 / 1000.0));
    let mut command = Command::new("unshare");
    command.args(["-r", "-m", "sh", "-c", SCRIPT, "sh"]).arg(folder).arg(&aside);
    command.arg(room.to_string()).arg(time).arg(program.get_program()).args(program.get_args());
    for (name, value) in program.get_envs() {
        if let Some(value) = value {
            command.env(name, value);
        }
    }
    command.stdin(Stdio::null());
    let output = command.output().context("unshare did not start")?;
    let text = || String::from_utf8_lossy(&output.stderr).into_owned();
    let ended = match output.status.code() {
        Some(98 | 99) => bail!("the small disk failed: {}", text()),
        // 1: something is missing from the site; 2: it could not work at all.
        Some(0..=2) => true,
        Some(137) if killed.is_some() => false,
        Some(137) => bail!("it hangs on a full disk"),
        _ => bail!("it ended with {} on a full disk:\n{}", output.status, text()),
    };
    fs::remove_dir_all(folder)?;
    copy(&aside, folder)?;
    Ok(ended)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    let status = Command::new("cp").arg("-a").args([from, to]).status()?;
    if !status.success() {
        bail!("{} cannot be copied", from.display());
    }
    Ok(())
}
