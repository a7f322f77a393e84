//! The lab as a child process: finds, starts, commands and stops it.
//!
//! Nothing here knows libtorch. Everything that happens to the lab reaches the owner as a [`LabEvent`]; a lab that
//! dies takes nothing else with it. No function blocks its caller: slow work is on threads.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use shared_child::SharedChild;

use neuronotes_core::protocol::{Cause, Command, Event};

/// Environment variable with the path of the lab's program.
pub const VARIABLE: &str = "NEURONOTES_LAB";
/// Environment variable that overrides the configured device.
pub const DEVICE: &str = "NEURONOTES_DEVICE";
/// OpenMP's wait policy for the lab's threads.
const WAITING: &str = "OMP_WAIT_POLICY";
const PROGRAM: &str = if cfg!(windows) { "neuronotes-lab.exe" } else { "neuronotes-lab" };
/// Maximum length of the lab's log that is kept to explain its end.
const LOG_LINES: usize = 12;
/// Time that a lab may take to end once its input is closed.
const PATIENCE: Duration = Duration::from_secs(5);
/// Time to wait for the end of its output after the lab has ended: a process that it started may hold the output
/// open.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// An event from the lab.
#[derive(Debug)]
pub enum LabEvent {
    /// A protocol message.
    Said(Event),
    /// The lab has ended, and why.
    Gone(LabError),
}

/// Why there is no lab.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct LabError {
    /// The message.
    pub message: String,
    /// What to do, if known.
    pub hint: Option<String>,
    /// Whether repeating the request would end the lab again.
    pub cause: Cause,
}

impl LabError {
    /// A failure that no request caused.
    fn outside(message: String, hint: Option<String>) -> Self {
        Self { message, hint, cause: Cause::Environment }
    }
}

/// A running lab. On drop its input is closed, so that it ends at its next step; if it does not end, it is killed.
#[derive(Debug)]
pub struct Lab {
    child: Arc<SharedChild>,
    commands: Option<Sender<Command>>,
    gone: Arc<Gone>,
}

/// Whether the lab's process has ended.
#[derive(Debug, Default)]
struct Gone(Mutex<bool>, Condvar);

impl Gone {
    fn say(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.1.notify_all();
    }

    /// Waits for its end; returns whether it came in time.
    fn within(&self, time: Duration) -> bool {
        let gone = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.1.wait_timeout_while(gone, time, |gone| !*gone);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

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

impl Lab {
    /// Starts the lab `program`, as returned by [`find`]. `hear` is called with its events, the last one being its
    /// end.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start(
        program: &Path,
        store: &Path,
        device: &str,
        hear: impl Fn(LabEvent) + Send + 'static,
    ) -> Result<Self, LabError> {
        let device = std::env::var(DEVICE).ok().filter(|d| !d.is_empty()).unwrap_or(device.into());
        let mut command = std::process::Command::new(program);
        if std::env::var_os(WAITING).is_none() {
            // The lab would set this itself and restart; if it is set here, it need not.
            command.env(WAITING, "passive");
        }
        command.args(["serve", "--device", &device, "--store"]).arg(store);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = SharedChild::spawn(&mut command).map_err(|error| {
            let message = format!("{} could not be started ({error})", program.display());
            LabError::outside(message, None)
        })?;
        let (Some(input), Some(output), Some(errors)) =
            (child.take_stdin(), child.take_stdout(), child.take_stderr())
        else {
            return Err(LabError::outside("the lab has no pipes".into(), None));
        };
        let (commands, to_write) = mpsc::channel();
        thread::spawn(move || write(input, &to_write));
        let log = Arc::new(Mutex::new(VecDeque::new()));
        let (child, gone) = (Arc::new(child), Arc::new(Gone::default()));
        let (ended, end) = mpsc::channel::<()>();
        let (kept, reading) = (Arc::clone(&log), ended.clone());
        thread::spawn(move || {
            for line in BufReader::new(errors).lines().map_while(Result::ok) {
                let mut log = kept.lock().unwrap_or_else(PoisonError::into_inner);
                log.push_back(line);
                if log.len() > LOG_LINES {
                    log.pop_front();
                }
            }
            drop(reading);
        });
        let (said, events) = mpsc::channel();
        let last = said.clone();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                // Lines that are not events are output of libraries, and are ignored.
                if let Ok(event) = serde_json::from_str(&line)
                    && said.send(LabEvent::Said(event)).is_err()
                {
                    return;
                }
            }
            drop(ended);
        });
        let (waiting, is_gone) = (Arc::clone(&child), Arc::clone(&gone));
        thread::spawn(move || {
            let status = waiting.wait().ok();
            is_gone.say();
            // Disconnected when both have read everything.
            let _ = end.recv_timeout(LAST_WORDS);
            let log = log.lock().unwrap_or_else(PoisonError::into_inner);
            let log: Vec<String> = log.iter().cloned().collect();
            let _ = last.send(LabEvent::Gone(death(status, &log)));
        });
        thread::spawn(move || {
            for event in events {
                let last = matches!(event, LabEvent::Gone(_));
                hear(event);
                if last {
                    return;
                }
            }
        });
        Ok(Self { child, commands: Some(commands), gone })
    }

    /// Sends a command. If the lab has ended, this does nothing: its end was already reported.
    pub fn say(&self, command: Command) {
        if let Some(commands) = &self.commands {
            let _ = commands.send(command);
        }
    }

    /// Kills it.
    pub fn kill(&self) {
        let _ = self.child.kill();
    }
}

/// Writes commands on a thread: a lab that is starting or hanging does not read them, and its pipe could fill up.
/// Dropping the sender closes the lab's input.
fn write(mut input: ChildStdin, commands: &Receiver<Command>) {
    for command in commands {
        let Ok(mut line) = serde_json::to_vec(&command) else { continue };
        line.push(b'\n');
        if input.write_all(&line).and_then(|()| input.flush()).is_err() {
            return;
        }
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.commands = None;
        let (child, gone) = (Arc::clone(&self.child), Arc::clone(&self.gone));
        thread::spawn(move || {
            if !gone.within(PATIENCE) {
                let _ = child.kill();
            }
        });
    }
}

/// Signals with which a person or the system ends a program: hang-up, interrupt, termination.
const POLITE: [i32; 3] = [1, 2, 15];
/// What Rust and C++ print before they abort for lack of memory.
const SIGNS: [&str; 2] = ["memory allocation of", "std::bad_alloc"];

/// Describes how the lab ended, with the end of its log.
fn death(status: Option<ExitStatus>, log: &[String]) -> LabError {
    #[cfg(unix)]
    let signal = status.and_then(|s| std::os::unix::process::ExitStatusExt::signal(&s));
    #[cfg(not(unix))]
    let signal: Option<i32> = None;
    let (how, hint, cause) = match (signal, status.and_then(|s| s.code())) {
        (Some(9), _) => {
            let hint = "the system kills programs that use too much memory; try a smaller `size`";
            ("was killed".to_owned(), Some(hint), Cause::Resource)
        }
        // A program that does not expect a lack of memory aborts.
        (Some(6), _) if log.iter().any(|line| SIGNS.iter().any(|sign| line.contains(sign))) => {
            ("ran out of memory".to_owned(), Some("try a smaller `size`"), Cause::Resource)
        }
        (Some(signal), _) if POLITE.contains(&signal) => {
            (format!("was ended (signal {signal})"), None, Cause::Environment)
        }
        (Some(signal), _) => (format!("crashed (signal {signal})"), None, Cause::Deterministic),
        (None, Some(0)) => ("ended".to_owned(), None, Cause::Environment),
        (None, Some(127)) => {
            let hint = "its libtorch is missing; `cargo xtask setup` fetches it again";
            ("could not be loaded".to_owned(), Some(hint), Cause::Environment)
        }
        (None, code) => {
            let how = format!("failed (exit code {})", code.unwrap_or(-1));
            (how, None, Cause::Deterministic)
        }
    };
    let log = match log {
        [] => String::new(),
        lines => format!("; its log ends:\n{}", lines.join("\n")),
    };
    LabError { message: format!("the lab {how}{log}"), hint: hint.map(str::to_owned), cause }
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
        let lab = Lab::start(&program, dir.path(), "cpu", hear).expect("a lab");
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
