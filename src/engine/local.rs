//! Workers as processes of this machine.
//!
//! Each has a log and a file with its process in the pool's folder of logs, so that a client that is started again finds it.
//! They live on when their client ends: they end by themselves once no work is left. With several GPUs, they get them in turn.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use neuronotes_core::problem::Problem;
use serde::{Deserialize, Serialize};

use super::log::end_of;
use super::{Ending, Engine, Job, NoNews, Place, State, Workers};
use crate::config::Profile;

/// What it is called.
const NAME: &str = "this machine";
/// The environment variable by which a worker knows which job it is.
const JOB: &str = "NEURONOTES_JOB";

/// Workers as processes of this machine.
pub struct Local {
    profile: Profile,
    place: Place,
    /// The workers that this program started and that have not been seen to end.
    children: BTreeMap<String, Child>,
    ended: BTreeMap<String, Ending>,
}

/// A process that a client has started, perhaps another one.
#[derive(Debug, Serialize, Deserialize)]
struct Process {
    host: String,
    pid: u32,
    /// When it was started, in the machine's own units.
    born: Option<u64>,
}

impl Local {
    /// The workers of a pool.
    pub fn new(profile: &Profile, place: Place) -> Self {
        let (children, ended) = (BTreeMap::new(), BTreeMap::new());
        Self { profile: profile.clone(), place, children, ended }
    }

    fn path(&self, job: &str, ending: &str) -> PathBuf {
        self.place.logs.join(format!("{job}.{ending}"))
    }

    /// The device of the worker with this number.
    fn device(&self, number: u32) -> String {
        match (self.profile.device.as_str(), self.profile.gpus) {
            ("auto", Some(gpus @ 2..)) => format!("cuda:{}", number % gpus),
            (device, _) => device.to_owned(),
        }
    }

    fn start(&self, job: &str, number: u32, probe: Option<&str>) -> Result<Child, Problem> {
        let failed = |what: &str, error: std::io::Error| {
            Problem::new(format!("{what} ({error})")).hint(neuronotes_core::file::hint(&error))
        };
        fs::create_dir_all(&self.place.logs)
            .map_err(|error| failed("the pool's folder cannot be made", error))?;
        let log = File::options().create(true).append(true).open(self.path(job, "log"));
        let log = log.map_err(|error| failed("a worker's log cannot be written", error))?;
        let errors = log.try_clone().map_err(|error| failed("a worker has no log", error))?;
        let mut command = Command::new(&self.place.lab);
        command.arg("work").arg("--store").arg(&self.place.store);
        command.args(["--pool", &self.place.pool, "--device", &self.device(number)]);
        command.args(["--idle", &self.profile.idle.as_secs().to_string()]);
        if let Some(time) = self.profile.time {
            command.args(["--minutes", &(time.as_secs() / 60).max(1).to_string()]);
        }
        if let Some(threads) = self.threads() {
            command.args(["--threads", &threads.to_string()]);
        }
        if let Some(probe) = probe {
            command.args(["--probe", probe]);
        }
        command.env(JOB, job).stdin(Stdio::null()).stdout(log).stderr(errors);
        // Ctrl-C is for the client.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        command.spawn().map_err(|error| {
            let what = format!("{} could not be started", self.place.lab.display());
            failed(&what, error)
        })
    }

    /// Threads of a worker: the machine's cores are shared out.
    fn threads(&self) -> Option<u32> {
        let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u32);
        let share = (self.profile.workers > 1).then(|| (cores / self.profile.workers).max(1));
        self.profile.cpus.or(share)
    }

    /// The processes of this machine that clients have started, by job.
    fn processes(&self) -> Vec<(String, Process)> {
        let own = host();
        let entries = fs::read_dir(&self.place.logs).into_iter().flatten().flatten();
        let read = |entry: fs::DirEntry| {
            let name = entry.file_name().into_string().ok()?;
            let job = name.strip_suffix(".pid")?.to_owned();
            let process: Process = serde_json::from_slice(&fs::read(entry.path()).ok()?).ok()?;
            (process.host == own).then_some((job, process))
        };
        entries.filter_map(read).collect()
    }
}

impl Engine for Local {
    fn name(&self) -> &'static str {
        NAME
    }

    fn find(&mut self) -> Result<String, Problem> {
        // Where nothing is to be started, nothing is looked for.
        if self.place.lab.is_file() || self.place.lab.as_os_str().is_empty() {
            return Ok(env!("CARGO_PKG_VERSION").to_owned());
        }
        let message = format!("the worker's program {} was not found", self.place.lab.display());
        Err(Problem::new(message).hint("set `lab:` in the profile to its path"))
    }

    fn submit(&mut self, workers: &Workers) -> Result<Vec<String>, Problem> {
        let mut jobs = Vec::new();
        for number in 0..workers.count {
            let job = format!("local-{}-{number}", workers.submission);
            let at = self.children.len() as u32;
            let child = match self.start(&job, at, workers.probe.as_deref()) {
                Ok(child) => child,
                // The others are there.
                Err(_) if !jobs.is_empty() => break,
                Err(problem) => return Err(problem),
            };
            let (host, pid) = (host(), child.id());
            let process = Process { host, pid, born: born(pid) };
            // Without it, only another client does not find this worker.
            if let Ok(json) = serde_json::to_vec(&process) {
                let _ = fs::write(self.path(&job, "pid"), json);
            }
            self.children.insert(job.clone(), child);
            jobs.push(job);
        }
        Ok(jobs)
    }

    fn jobs(&mut self) -> Result<Vec<Job>, NoNews> {
        let mut over = Vec::new();
        for (job, child) in &mut self.children {
            if let Ok(Some(status)) = child.try_wait() {
                over.push((job.clone(), ending(status)));
            }
        }
        for (job, ending) in over {
            self.children.remove(&job);
            let _ = fs::remove_file(self.path(&job, "pid"));
            self.ended.insert(job, ending);
        }
        let of = |(id, state): (&String, State)| Job {
            id: id.clone(),
            state,
            reason: None,
            hopeless: None,
            node: Some(host()),
        };
        let running = self.children.keys().map(|id| (id, State::Running));
        let ended = self.ended.iter().map(|(id, how)| (id, State::Ended(how.clone())));
        let mut jobs: Vec<Job> = running.chain(ended).map(of).collect();
        for (job, process) in self.processes() {
            if self.children.contains_key(&job) || self.ended.contains_key(&job) {
                continue;
            }
            if is_alive(&process) {
                jobs.push(of((&job, State::Running)));
            } else {
                let _ = fs::remove_file(self.path(&job, "pid"));
            }
        }
        Ok(jobs)
    }

    fn cancel(&mut self) -> Result<(), Problem> {
        for (_, process) in self.processes() {
            if is_alive(&process) {
                end(process.pid);
            }
        }
        Ok(())
    }

    fn log(&mut self, job: &str) -> Option<String> {
        end_of(&self.path(job, "log"))
    }

    fn interval(&self) -> Duration {
        Duration::from_secs(1)
    }
}

fn ending(status: ExitStatus) -> Ending {
    match status.code() {
        Some(0) => Ending::Completed,
        Some(code) => Ending::Failed(format!("exit code {code}")),
        None => Ending::Failed("it was killed".to_owned()),
    }
}

/// The machine's name.
fn host() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    if name.is_empty() { "here".to_owned() } else { name.to_owned() }
}

/// The state of a process, and when it was started; `None` if there is none, or the system does not say.
fn stat(pid: u32) -> Option<(String, u64)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // Its name, in brackets, may have spaces.
    let mut words = stat.rsplit(')').next()?.split_whitespace();
    let state = words.next()?.to_owned();
    Some((state, words.nth(18)?.parse().ok()?))
}

fn born(pid: u32) -> Option<u64> {
    stat(pid).map(|(_, born)| born)
}

#[cfg(target_os = "linux")]
fn is_alive(process: &Process) -> bool {
    stat(process.pid).is_some_and(|(state, born)| state != "Z" && Some(born) == process.born)
}

#[cfg(all(unix, not(target_os = "linux")))]
fn is_alive(process: &Process) -> bool {
    let pid = i32::try_from(process.pid).ok().and_then(rustix::process::Pid::from_raw);
    pid.is_some_and(|pid| rustix::process::test_kill_process(pid).is_ok())
}

#[cfg(not(unix))]
fn is_alive(_: &Process) -> bool {
    false
}

#[cfg(unix)]
fn end(pid: u32) {
    use rustix::process::{Pid, Signal, kill_process};
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, Signal::TERM);
    }
}

#[cfg(not(unix))]
fn end(_: u32) {}

#[cfg(all(test, target_os = "linux"))]
mod tests;
