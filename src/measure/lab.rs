//! The lab of this machine: finds its program and starts it; [`Lab`] commands and stops it.

use std::path::{Path, PathBuf};
use std::process::Command;

pub use neuronotes_core::lab::{Lab, LabError, LabEvent};

/// Environment variable with the path of the lab's program.
pub const VARIABLE: &str = "NEURONOTES_LAB";
/// Environment variable that overrides the configured device.
pub const DEVICE: &str = "NEURONOTES_DEVICE";
const PROGRAM: &str = if cfg!(windows) { "neuronotes-lab.exe" } else { "neuronotes-lab" };

/// The path of the lab's program: from `NEURONOTES_LAB`, or else beside this program, or else on PATH.
///
/// # Errors
/// If it is not found.
pub fn find() -> Result<PathBuf, LabError> {
    if let Some(path) = std::env::var_os(VARIABLE).filter(|value| !value.is_empty()) {
        let path = PathBuf::from(path);
        return if path.is_file() {
            Ok(path)
        } else {
            let message = format!("{VARIABLE} is set to {}, which does not exist", path.display());
            let hint = "build a lab with `cargo xtask setup` and `cargo build -p neuronotes-lab`";
            Err(LabError::outside(message, Some(hint.into())))
        };
    }
    let beside = std::env::current_exe().ok().and_then(|exe| Some(exe.parent()?.join(PROGRAM)));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|folder| folder.join(PROGRAM));
    beside.into_iter().chain(on_path).find(|path| path.is_file()).ok_or_else(|| {
        let message = format!("the lab, which measures figures, was not found (`{PROGRAM}`)");
        let hint = format!(
            "build it with `cargo xtask site`, put it beside `neuronotes` or on PATH, or set {VARIABLE} to its path"
        );
        LabError::outside(message, Some(hint))
    })
}

/// Starts the lab `program`, as returned by [`find`]. `hear` is called with its events, the last one being its end.
///
/// # Errors
/// If it cannot be started.
pub fn start(
    program: &Path,
    store: &Path,
    device: &str,
    hear: impl Fn(LabEvent) + Send + 'static,
) -> Result<Lab, LabError> {
    let device = std::env::var(DEVICE).ok().filter(|d| !d.is_empty()).unwrap_or(device.into());
    let mut command = Command::new(program);
    command.args(["serve", "--device", &device, "--store"]).arg(store);
    Lab::start(command, |_| {}, hear)
}

#[cfg(all(test, unix))]
pub(crate) mod tests {
    use super::*;

    /// Makes a script that can be started. A process of its own writes it: while this one has it open for writing, a
    /// program that another test's thread starts inherits that, and the script would be busy.
    pub(crate) fn write_script(path: &Path, text: &str) {
        let write = r#"printf %s "$2" > "$1" && chmod 755 "$1""#;
        let status =
            std::process::Command::new("sh").args(["-c", write, "sh"]).arg(path).arg(text).status();
        assert!(status.is_ok_and(|status| status.success()), "{} is not written", path.display());
    }

    /// A program in the lab's place that speaks its protocol and then dies in a given way.
    fn dying(script: &str) -> Vec<String> {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let program = dir.path().join("lab");
        write_script(&program, &format!("#!/bin/sh\n{script}\n"));
        let (sender, receiver) = std::sync::mpsc::channel();
        let hear = move |event| drop(sender.send(event));
        let lab = start(&program, dir.path(), "cpu", hear).expect("a lab");
        let events = receiver.iter().map(|event: LabEvent| format!("{event:?}")).collect();
        drop(lab);
        events
    }

    #[test]
    fn a_lab_that_dies_says_how_with_the_end_of_its_log() {
        let events = dying("echo chatter; echo oh no >&2; exit 3");
        assert_eq!(events.len(), 1, "{events:?}");
        assert!(
            events[0].contains("failed (exit code 3)") && events[0].contains("oh no"),
            "{events:?}"
        );
        for (how, words, cause) in [
            ("kill -9 $$", "was killed", "Resource"),
            ("echo memory allocation of 9 bytes failed >&2; kill -ABRT $$", "memory", "Resource"),
            ("kill -ABRT $$", "crashed (signal 6)", "Deterministic"),
            ("kill -TERM $$", "was ended", "Environment"),
            ("exit 127", "could not be loaded", "Environment"),
            // A process that it leaves behind holds its output open.
            ("sleep 30 & exit 0", "ended", "Environment"),
        ] {
            let ended = dying(how);
            assert!(ended[0].contains(words) && ended[0].contains(cause), "{ended:?}");
        }
        let ready =
            dying(r#"echo '{"type":"unusable","message":"no device","hint":null}'; exit 1"#);
        assert_eq!(ready.len(), 2, "{ready:?}");
        assert!(ready[0].contains("no device"), "{ready:?}");
    }
}
