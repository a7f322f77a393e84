//! The lab as a child process: found, started, fed with requests, listened to, stopped.
//!
//! Nothing here knows libtorch. Whatever happens to the lab reaches its user as a [`LabEvent`]; a lab that
//! dies takes nothing with it.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::digest::Digest;
use crate::protocol::{Command, Event};
use crate::request::Request;

/// The environment variable that names the lab's program.
pub const VARIABLE: &str = "NEURONOTES_LAB";
/// The environment variable that overrides the configured device.
pub const DEVICE: &str = "NEURONOTES_DEVICE";
/// How the lab's threads wait for each other.
const WAITING: &str = "OMP_WAIT_POLICY";
const PROGRAM: &str = if cfg!(windows) { "neuronotes-lab.exe" } else { "neuronotes-lab" };
/// How much of the lab's log is kept to explain its end.
const LOG_LINES: usize = 12;

/// What comes out of the lab.
#[derive(Debug)]
pub enum LabEvent {
    /// It said something.
    Said(Event),
    /// It is gone, and this is why.
    Gone(LabError),
}

/// Why there is no lab.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct LabError {
    /// What is wrong.
    pub message: String,
    /// What to do, where that is known.
    pub hint: Option<String>,
}

/// A running lab.
#[derive(Debug)]
pub struct Lab {
    child: Arc<Mutex<Child>>,
    input: Option<ChildStdin>,
}

/// The lab's program: named by `NEURONOTES_LAB`, else beside this program, else on the path.
///
/// # Errors
/// Where it is nowhere.
pub fn find() -> Result<PathBuf, LabError> {
    if let Some(path) = std::env::var_os(VARIABLE).filter(|value| !value.is_empty()) {
        let path = PathBuf::from(path);
        return if path.is_file() {
            Ok(path)
        } else {
            Err(LabError {
                message: format!("{VARIABLE} names {}, which is not there", path.display()),
                hint: Some(
                    "`cargo xtask setup` and `cargo build -p neuronotes-lab` make one".into(),
                ),
            })
        };
    }
    let beside = std::env::current_exe().ok().and_then(|exe| Some(exe.parent()?.join(PROGRAM)));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|folder| folder.join(PROGRAM));
    beside.into_iter().chain(on_path).find(|path| path.is_file()).ok_or_else(|| LabError {
        message: format!("there is no lab to measure with (`{PROGRAM}`)"),
        hint: Some(format!(
            "build it with `cargo xtask site`, put it beside `neuronotes` or on the PATH, or name it in {VARIABLE}"
        )),
    })
}

impl Lab {
    /// Starts the lab `program`, as [`find`] gives it; what it says comes through `events`, as `wrap`
    /// makes of it.
    ///
    /// # Errors
    /// Where it cannot be started.
    pub fn start<T: Send + 'static>(
        program: &Path,
        store: &Path,
        device: &str,
        events: Sender<T>,
        wrap: impl Fn(LabEvent) -> T + Send + 'static,
    ) -> Result<Self, LabError> {
        let device = std::env::var(DEVICE).ok().filter(|d| !d.is_empty()).unwrap_or(device.into());
        let failed = |error: std::io::Error| LabError {
            message: format!("{} cannot be started ({error})", program.display()),
            hint: None,
        };
        let mut command = std::process::Command::new(program);
        if std::env::var_os(WAITING).is_none() {
            // The lab would set this itself and start over; set here, it need not.
            command.env(WAITING, "passive");
        }
        let mut child = command
            .args(["serve", "--device", &device, "--store"])
            .arg(store)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        let (Some(input), Some(output), Some(errors)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(LabError { message: "the lab has no pipes".into(), hint: None });
        };
        let log = Arc::new(Mutex::new(VecDeque::new()));
        let kept = Arc::clone(&log);
        let logger = thread::spawn(move || {
            for line in BufReader::new(errors).lines().map_while(Result::ok) {
                let Ok(mut log) = kept.lock() else { return };
                log.push_back(line);
                if log.len() > LOG_LINES {
                    log.pop_front();
                }
            }
        });
        let child = Arc::new(Mutex::new(child));
        let waiting = Arc::clone(&child);
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                // A line that is no event is a library's chatter, and concerns nobody.
                if let Ok(event) = serde_json::from_str(&line)
                    && events.send(wrap(LabEvent::Said(event))).is_err()
                {
                    return;
                }
            }
            let _ = logger.join();
            let status = waiting.lock().ok().and_then(|mut child| child.wait().ok());
            let log: Vec<String> =
                log.lock().map(|log| log.iter().cloned().collect()).unwrap_or_default();
            let _ = events.send(wrap(LabEvent::Gone(death(status, &log))));
        });
        Ok(Self { child, input: Some(input) })
    }

    /// Asks for a measurement. A lab that is gone has said so already.
    pub fn run(&mut self, request: &Request) {
        self.say(&Command::Run { request: Box::new(request.clone()) });
    }

    /// Says that nobody wants this key any more.
    pub fn cancel(&mut self, key: Digest) {
        self.say(&Command::Cancel { key });
    }

    fn say(&mut self, command: &Command) {
        if let (Some(input), Ok(mut line)) = (&mut self.input, serde_json::to_vec(command)) {
            line.push(b'\n');
            if input.write_all(&line).and_then(|()| input.flush()).is_err() {
                self.input = None;
            }
        }
    }
}

impl Drop for Lab {
    /// Closes the lab's input, which ends it at its next step; kills it where it does not end.
    fn drop(&mut self) {
        self.input = None;
        let deadline = Instant::now() + Duration::from_secs(5);
        while Instant::now() < deadline {
            match self.child.try_lock() {
                Ok(mut child) => match child.try_wait() {
                    Ok(None) => {}
                    _ => return,
                },
                // It is being waited for by the thread that read its last word.
                Err(_) => return,
            }
            thread::sleep(Duration::from_millis(10));
        }
        if let Ok(mut child) = self.child.try_lock() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Says how the lab ended, with the end of its log.
fn death(status: Option<std::process::ExitStatus>, log: &[String]) -> LabError {
    #[cfg(unix)]
    let signal = status.and_then(|s| std::os::unix::process::ExitStatusExt::signal(&s));
    #[cfg(not(unix))]
    let signal: Option<i32> = None;
    let (how, hint) = match (signal, status.and_then(|s| s.code())) {
        (Some(9), _) => (
            "was killed".to_owned(),
            Some(
                "the system kills programs that take too much memory; try a smaller `size`".into(),
            ),
        ),
        (Some(signal), _) => (format!("crashed (signal {signal})"), None),
        (None, Some(0)) => ("ended".to_owned(), None),
        (None, Some(127)) => (
            "could not be loaded".to_owned(),
            Some("its libtorch is missing: `cargo xtask setup` brings it back".into()),
        ),
        (None, code) => (format!("failed (exit code {})", code.unwrap_or(-1)), None),
    };
    let log = match log {
        [] => String::new(),
        lines => format!("; its log ends:\n{}", lines.join("\n")),
    };
    LabError { message: format!("the lab {how}{log}"), hint }
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
        let lab = Lab::start(&program, dir.path(), "cpu", sender, |event| event).expect("a lab");
        let events = receiver.iter().map(|event| format!("{event:?}")).collect();
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
        let killed = dying("kill -9 $$");
        assert!(killed[0].contains("was killed"), "{killed:?}");
        let ready =
            dying(r#"echo '{"type":"unusable","message":"no device","hint":null}'; exit 1"#);
        assert_eq!(ready.len(), 2, "{ready:?}");
        assert!(ready[0].contains("no device"), "{ready:?}");
    }
}
