//! The worker's lab: started when it is needed, kept for the next unit of work, ended with the worker.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::process::Command as Process;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use neuronotes_core::lab::{Lab, LabError, LabEvent};
use neuronotes_core::protocol::{Command, Event};
use neuronotes_core::say;

/// Time that the lab may take to stop at its next step; it is killed afterwards.
const PATIENCE: Duration = Duration::from_secs(5);
/// Time to wait for its end once it is killed.
const KILLED: Duration = Duration::from_secs(2);
/// Number of labs in a row that may end without finishing anything.
const GIVE_UP: u32 = 3;
/// First pause before another lab is started; it doubles.
const PAUSE: Duration = Duration::from_millis(500);
/// Number of lines of the log that are kept for the journal.
const LINES: usize = 12;
/// The environment variable with the path of another lab than this program, for trying out how labs fail. It is not the one by
/// which `neuronotes` finds its lab: engines hand that on from machines where other paths hold.
const VARIABLE: &str = "NEURONOTES_WORKER_LAB";

type News = (u64, LabEvent);

/// The lab of a worker.
#[derive(Debug)]
pub struct Child {
    arguments: Vec<String>,
    lab: Option<Lab>,
    /// Its number among those that were started.
    number: u64,
    /// Its first message, once it is ready.
    ready: Option<Ready>,
    /// Whether it has finished anything.
    useful: bool,
    /// Labs in a row that finished nothing, and when the next one may start.
    fruitless: u32,
    not_before: Option<Instant>,
    unusable: Option<LabError>,
    log: Arc<Mutex<VecDeque<String>>>,
    sender: Sender<News>,
    news: Receiver<News>,
}

/// What a lab says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ready {
    pub device: String,
    pub device_name: String,
    pub libtorch: String,
    pub version: String,
}

/// What happened to the lab.
#[derive(Debug)]
pub enum Heard {
    /// It is ready to work.
    Ready(Ready),
    /// It said something about a request.
    Said(Event),
    /// It has ended.
    Gone {
        /// Why.
        cause: LabError,
        /// Whether it had been ready.
        ready: bool,
        /// Whether the next one would probably end in the same way, unless that was the fault of a request that had begun.
        hopeless: bool,
    },
}

impl Child {
    /// A lab that will be started as `serve` with these arguments.
    pub fn new(arguments: Vec<String>) -> Self {
        let (sender, news) = mpsc::channel();
        Self {
            arguments,
            lab: None,
            number: 0,
            ready: None,
            useful: false,
            fruitless: 0,
            not_before: None,
            unusable: None,
            log: Arc::default(),
            sender,
            news,
        }
    }

    /// Starts the lab if there is none and it is not too early for one. It must always be called by the same thread, since the
    /// lab ends with the thread that started it.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start(&mut self) -> Result<(), LabError> {
        if self.lab.is_some() || self.not_before.is_some_and(|at| at > Instant::now()) {
            return Ok(());
        }
        self.number += 1;
        let (number, sender) = (self.number, self.sender.clone());
        let hear = move |event| drop(sender.send((number, event)));
        let kept = Arc::clone(&self.log);
        let log = move |line: &str| {
            say::err(line);
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.push_back(line.to_owned());
            if kept.len() > LINES {
                kept.pop_front();
            }
        };
        let mut command = Process::new(program());
        command.arg("serve").args(&self.arguments);
        end_with_this_process(&mut command);
        self.lab = Some(Lab::start(command, log, hear)?);
        (self.ready, self.useful, self.unusable) = (None, false, None);
        Ok(())
    }

    /// What the running lab said when it was ready.
    pub fn ready(&self) -> Option<&Ready> {
        self.ready.as_ref()
    }

    /// Sends a command; nothing happens if no lab is running.
    pub fn say(&self, command: Command) {
        if let Some(lab) = &self.lab {
            lab.say(command);
        }
    }

    /// The last lines of the log, which are forgotten by it.
    pub fn take_log(&self) -> Option<String> {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        let lines: Vec<String> = log.drain(..).collect();
        (!lines.is_empty()).then(|| lines.join("\n"))
    }

    /// Waits for news for at most this long.
    pub fn hear(&mut self, time: Duration) -> Option<Heard> {
        let until = Instant::now() + time;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.news.recv_timeout(left) {
                Ok((number, event)) if number == self.number => {
                    if let Some(heard) = self.heard(event) {
                        return Some(heard);
                    }
                }
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return None,
            }
        }
    }

    fn heard(&mut self, event: LabEvent) -> Option<Heard> {
        match event {
            LabEvent::Said(Event::Ready { device, device_name, libtorch, version }) => {
                let ready = Ready { device, device_name, libtorch, version };
                self.ready = Some(ready.clone());
                Some(Heard::Ready(ready))
            }
            LabEvent::Said(Event::Unusable { message, hint }) => {
                self.unusable = Some(LabError::outside(message, hint));
                None
            }
            LabEvent::Said(event) => {
                if matches!(event, Event::Done { .. } | Event::Failed { .. }) {
                    self.useful = true;
                    self.fruitless = 0;
                }
                Some(Heard::Said(event))
            }
            LabEvent::Gone(cause) => {
                self.lab = None;
                let ready = self.ready.take().is_some();
                if !self.useful {
                    let pause = PAUSE.saturating_mul(1 << self.fruitless.min(6));
                    self.not_before = Some(Instant::now() + pause);
                    self.fruitless += 1;
                }
                let unusable = self.unusable.take();
                let hopeless = unusable.is_some() || self.fruitless >= GIVE_UP;
                Some(Heard::Gone { cause: unusable.unwrap_or(cause), ready, hopeless })
            }
        }
    }

    /// Ends the lab: its input is closed, so that it stops at its next step, and after a while it is killed.
    pub fn stop(&mut self) {
        let Some(mut lab) = self.lab.take() else { return };
        lab.close();
        if !self.is_gone_within(PATIENCE) {
            lab.kill();
            self.is_gone_within(KILLED);
        }
        self.ready = None;
    }

    fn is_gone_within(&self, time: Duration) -> bool {
        let until = Instant::now() + time;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.news.recv_timeout(left) {
                Ok((number, LabEvent::Gone(_))) if number == self.number => return true,
                Ok(_) => {}
                Err(_) => return false,
            }
        }
    }
}

/// The lab's program.
fn program() -> PathBuf {
    let named = std::env::var_os(VARIABLE).filter(|value| !value.is_empty()).map(PathBuf::from);
    // A program that was replaced while it runs is still there under this name.
    let own = || std::env::current_exe().ok().filter(|path| path.exists());
    named.or_else(own).unwrap_or_else(|| PathBuf::from("/proc/self/exe"))
}

/// Lets the system kill the lab if this process is killed, so that it does not go on beside the next one.
#[cfg(target_os = "linux")]
fn end_with_this_process(command: &mut Process) {
    use std::os::unix::process::CommandExt as _;
    let parent = libc::pid_t::try_from(std::process::id()).unwrap_or(0);
    let bind = move || {
        // SAFETY: both are system calls without pointers.
        let (bound, now) =
            unsafe { (libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL), libc::getppid()) };
        match (bound, now == parent) {
            (0, true) => Ok(()),
            (0, false) => Err(std::io::Error::from_raw_os_error(libc::ESRCH)),
            _ => Err(std::io::Error::last_os_error()),
        }
    };
    // SAFETY: between `fork` and `exec` only these system calls are made.
    unsafe { command.pre_exec(bind) };
}

#[cfg(not(target_os = "linux"))]
fn end_with_this_process(_: &mut Process) {}
