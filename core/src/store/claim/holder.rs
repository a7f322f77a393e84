//! Who holds a claim: which process, on which machine, started by which job.
//!
//! A process number alone names nobody: it is given out again, each container counts from one, and a job that a cluster
//! started again has the same job id as its first run, which may live on.

use std::env;
use std::fs;
use std::hash::{BuildHasher as _, RandomState};

use serde::{Deserialize, Serialize};

/// Who holds a claim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The boot of the machine and the space of its process numbers, if they are known.
    pub host: Option<String>,
    pub pid: u32,
    /// When the process was started, in the machine's own units.
    pub born: Option<u64>,
    /// Tells holders in one process apart, and a holder's successive claims.
    pub mark: String,
    /// The machine's name, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The job of Slurm, Ray or another engine that the process belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// How often that job was started again.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub restarts: u32,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// A process, seen from this one.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    /// It is there, and was started then.
    Alive(u64),
    /// It is there; the system does not tell others when it was started.
    Hidden,
    Gone,
}

impl Holder {
    /// This process.
    pub fn here() -> Self {
        let pid = std::process::id();
        let born = match seen(pid) {
            Seen::Alive(born) => Some(born),
            Seen::Hidden | Seen::Gone => None,
        };
        Self {
            host: host(),
            pid,
            born,
            mark: format!("{:016x}", RandomState::new().hash_one(pid)),
            name: name(),
            job: job(),
            restarts: restarts(),
        }
    }

    /// Whether it was a process of this machine that has ended.
    pub fn is_gone(&self, here: &Self) -> bool {
        self.host.is_some()
            && self.host == here.host
            && match seen(self.pid) {
                Seen::Alive(born) => self.born != Some(born),
                Seen::Hidden => false,
                Seen::Gone => true,
            }
    }
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "process {}", self.pid)?;
        if let Some(name) = &self.name {
            write!(f, " on {name}")?;
        }
        if let Some(job) = &self.job {
            write!(f, " (job {job}")?;
            match self.restarts {
                0 => {}
                1 => write!(f, ", restarted once")?,
                times => write!(f, ", restarted {times} times")?,
            }
            write!(f, ")")?;
        }
        Ok(())
    }
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// The job of the engine that started this process: `33_4` is the fifth task of the array 33.
pub fn job() -> Option<String> {
    let task = || {
        Some(format!("{}_{}", variable("SLURM_ARRAY_JOB_ID")?, variable("SLURM_ARRAY_TASK_ID")?))
    };
    variable("NEURONOTES_JOB").or_else(task).or_else(|| variable("SLURM_JOB_ID"))
}

/// How often the engine has started this job again.
pub fn restarts() -> u32 {
    variable("SLURM_RESTART_COUNT").and_then(|count| count.parse().ok()).unwrap_or(0)
}

/// The machine's name.
pub fn name() -> Option<String> {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    Some(name.trim().to_owned()).filter(|name| !name.is_empty())
}

/// The boot of the machine, with the space of its process numbers: each container on a machine has its own.
fn host() -> Option<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let space = fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{} {}", boot.trim(), space.display()))
}

/// Looks for the process with this number on this machine.
fn seen(pid: u32) -> Seen {
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else {
        return if is_hidden(pid) { Seen::Hidden } else { Seen::Gone };
    };
    let born = || {
        let mut words = stat.rsplit_once(')')?.1.split_whitespace();
        // One that has ended and was not waited for yet holds nothing any more.
        let ended = words.next().is_some_and(|state| state == "Z" || state == "X");
        if ended { None } else { words.nth(18)?.parse().ok() }
    };
    born().map_or(Seen::Gone, Seen::Alive)
}

/// Whether there is a process of another user with this number: some machines list to users only their own.
#[cfg(unix)]
fn is_hidden(pid: u32) -> bool {
    let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw);
    let asked = pid.map(rustix::process::test_kill_process);
    asked.is_some_and(|asked| asked.is_ok() || asked == Err(rustix::io::Errno::PERM))
}

#[cfg(not(unix))]
fn is_hidden(_: u32) -> bool {
    false
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// The holder that another living process of this machine would be.
    pub fn process(pid: u32) -> Holder {
        let born = match seen(pid) {
            Seen::Alive(born) => Some(born),
            _ => None,
        };
        Holder { pid, born, mark: "a".into(), ..Holder::here() }
    }

    /// Whether a process has ended, waited for or not.
    pub fn has_ended(pid: u32) -> bool {
        seen(pid) == Seen::Gone
    }

    #[test]
    fn a_holder_is_named_by_its_machine_and_job() {
        let mut holder = Holder { job: None, restarts: 0, ..Holder::here() };
        holder.pid = 7;
        holder.name = Some("gpu-07".into());
        assert_eq!(holder.to_string(), "process 7 on gpu-07");
        holder.job = Some("33_4".into());
        assert_eq!(holder.to_string(), "process 7 on gpu-07 (job 33_4)");
        holder.restarts = 2;
        assert_eq!(holder.to_string(), "process 7 on gpu-07 (job 33_4, restarted 2 times)");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_process_is_gone_only_where_it_would_be_seen() {
        let here = Holder::here();
        assert!(!here.is_gone(&here));
        assert!(Holder { born: Some(1), ..here.clone() }.is_gone(&here), "its number was reused");
        assert!(!Holder { born: Some(1), host: None, ..here.clone() }.is_gone(&here));
        let elsewhere = Some("elsewhere".to_owned());
        assert!(!Holder { born: Some(1), host: elsewhere, ..here.clone() }.is_gone(&here));
        assert_ne!(Holder::here().mark, here.mark);
    }

    #[test]
    fn claims_of_earlier_versions_are_read() {
        let old = r#"{"host":"a b","pid":1,"born":2,"mark":"c"}"#;
        let holder: Holder = serde_json::from_str(old).expect("a holder");
        assert_eq!((holder.restarts, holder.to_string().as_str()), (0, "process 1"));
        assert_eq!(serde_json::to_string(&holder).expect("plain data"), old);
    }
}
