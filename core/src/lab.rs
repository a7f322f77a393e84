//! A lab as a child process: starts, commands and stops it.
//!
//! Nothing here knows libtorch, or where the lab's program is. Everything that happens to the lab reaches the owner as a
//! [`LabEvent`]; a lab that dies takes nothing else with it. No function blocks its caller: slow work is on threads.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{ChildStdin, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use shared_child::SharedChild;

use crate::protocol::{Cause, Command, Event};

/// OpenMP's wait policy for the lab's threads.
const WAITING: &str = "OMP_WAIT_POLICY";
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
    pub fn outside(message: String, hint: Option<String>) -> Self {
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

impl Lab {
    /// Starts the lab by `command`, which names the program and its arguments. `hear` is called with its events, the last one
    /// being its end; `log` with each line of its log.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start(
        mut command: std::process::Command,
        log: impl Fn(&str) + Send + 'static,
        hear: impl Fn(LabEvent) + Send + 'static,
    ) -> Result<Self, LabError> {
        if std::env::var_os(WAITING).is_none() {
            // The lab would set this itself and restart; if it is set here, it need not.
            command.env(WAITING, "passive");
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = SharedChild::spawn(&mut command).map_err(|error| {
            let program = command.get_program().to_string_lossy().into_owned();
            let message = format!("{program} could not be started ({error})");
            LabError::outside(message, None)
        })?;
        let (Some(input), Some(output), Some(errors)) =
            (child.take_stdin(), child.take_stdout(), child.take_stderr())
        else {
            return Err(LabError::outside("the lab has no pipes".into(), None));
        };
        let (commands, to_write) = mpsc::channel();
        thread::spawn(move || write(input, &to_write));
        let last_lines = Arc::new(Mutex::new(VecDeque::new()));
        let (child, gone) = (Arc::new(child), Arc::new(Gone::default()));
        let (ended, end) = mpsc::channel::<()>();
        let (kept, reading) = (Arc::clone(&last_lines), ended.clone());
        thread::spawn(move || {
            for line in BufReader::new(errors).lines().map_while(Result::ok) {
                log(&line);
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                kept.push_back(line);
                if kept.len() > LOG_LINES {
                    kept.pop_front();
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
            let lines = last_lines.lock().unwrap_or_else(PoisonError::into_inner);
            let log: Vec<String> = lines.iter().cloned().collect();
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

    /// Closes its input, so that it ends at its next step.
    pub fn close(&mut self) {
        self.commands = None;
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
