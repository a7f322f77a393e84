//! Runs a program and measures its time, processor time and peak memory.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde::Serialize;

/// What a run used.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Taken {
    /// Time from start to end.
    pub seconds: f64,
    /// Processor time of all cores, including the system's work.
    pub processor_seconds: f64,
    /// Peak memory of the program or of its largest child.
    pub peak_bytes: u64,
}

/// The run with the median time.
pub fn median(rounds: &[Taken]) -> Taken {
    let mut sorted = rounds.to_vec();
    sorted.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

/// Runs a program to its end and writes its output to a file.
///
/// # Errors
/// If it does not start, or if it fails: with the end of its output.
pub fn run(command: &mut Command, log: &Path) -> Result<Taken> {
    let program = command.get_program().to_owned();
    let said = File::create(log).with_context(|| format!("{}", log.display()))?;
    command.stdin(Stdio::null()).stdout(said.try_clone()?).stderr(said);
    let begun = Instant::now();
    let child = command.spawn().with_context(|| format!("{} did not start", program.display()))?;
    let (success, mut taken) = wait(child)?;
    taken.seconds = begun.elapsed().as_secs_f64();
    if !success {
        let text = fs::read_to_string(log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let end = lines[lines.len().saturating_sub(12)..].join("\n");
        bail!("{} failed; its output ended with:\n{end}", program.display());
    }
    Ok(taken)
}

/// Waits for a child. Its own children count too if it waited for them.
#[cfg(unix)]
fn wait(child: std::process::Child) -> Result<(bool, Taken)> {
    let mut status = 0;
    let pid = i32::try_from(child.id())?;
    // Safety: the system fills in both; zeros are a valid value of each.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // Safety: both point to memory of ours that outlives the call.
    while unsafe { libc::wait4(pid, &raw mut status, 0, &raw mut usage) } < 0 {
        let error = std::io::Error::last_os_error();
        if error.kind() != std::io::ErrorKind::Interrupted {
            return Err(error).context("waiting for a program");
        }
    }
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    // Linux counts in kilobytes, macOS in bytes.
    let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
    let taken = Taken {
        seconds: 0.0,
        processor_seconds: seconds(usage.ru_utime) + seconds(usage.ru_stime),
        peak_bytes: usage.ru_maxrss.unsigned_abs() * unit,
    };
    Ok((libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0, taken))
}

/// Without `wait4`, only the time is measured.
#[cfg(not(unix))]
fn wait(mut child: std::process::Child) -> Result<(bool, Taken)> {
    Ok((child.wait()?.success(), Taken::default()))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn time_memory_and_failure_are_noticed() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let log = folder.path().join("log");
        let shell = |script: &str| {
            let mut command = Command::new("sh");
            command.args(["-c", script]);
            command
        };
        let taken = run(&mut shell("sleep 0.2"), &log)?;
        assert!(taken.seconds >= 0.2 && taken.processor_seconds < 0.2, "{taken:?}");
        assert!(taken.peak_bytes > 100_000, "{taken:?}");
        let error = run(&mut shell("echo no room; exit 3"), &log).expect_err("it failed");
        assert!(error.to_string().contains("no room"), "{error}");
        Ok(())
    }
}
