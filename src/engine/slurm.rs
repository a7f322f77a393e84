//! Slurm: workers as jobs, through `sbatch`, `squeue` and `scancel`.
//!
//! A profile and a pool in; jobs of Slurm out. Workers are identical, so several are one array, and none waits for another. All jobs
//! of a pool have its name, by which they are listed and cancelled, whoever submitted them. One `squeue` in 15 to 30 seconds is all
//! that the controller is asked; a controller that does not answer is no news.

mod call;
mod queue;
mod reason;
mod submission;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use neuronotes_core::problem::Problem;

use self::call::{Caller, Fault, plain};
use super::log::end_of;
use super::{Engine, Job, NoNews, Place, State, Workers};
use crate::config::Profile;

/// How long a command may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long `sbatch` may take: of one that was killed nobody knows whether there is a job.
const LONGER: Duration = Duration::from_secs(30);
/// The least time between two listings, and that while nothing changes.
const OFTEN: Duration = Duration::from_secs(15);
const SELDOM: Duration = Duration::from_secs(30);
/// So many listings without a change are nothing new.
const UNCHANGED: u32 = 4;
/// The longest array if the configuration does not say it: Slurm's own default.
const ARRAY: u32 = 1001;

/// Slurm's jobs of one pool.
pub struct Slurm {
    profile: Profile,
    place: Place,
    caller: Caller,
    /// The longest array, once it is known.
    longest: Option<u32>,
    /// Jobs that have been seen running.
    have_run: BTreeSet<String>,
    /// The last listing, and how often it was the same.
    last: (Vec<Job>, u32),
    is_away: Cell<bool>,
}

impl Slurm {
    /// An engine that has not asked Slurm anything so far.
    pub fn new(profile: &Profile, place: Place) -> Self {
        Self {
            profile: profile.clone(),
            place,
            caller: Caller::default(),
            longest: None,
            have_run: BTreeSet::new(),
            last: (Vec::new(), 0),
            is_away: Cell::new(false),
        }
    }

    /// The same for the Slurm of this slurm.conf, whichever the environment names.
    #[must_use]
    pub fn of(mut self, conf: PathBuf) -> Self {
        self.caller.conf = Some(conf);
        self
    }

    /// The longest array that this Slurm takes.
    fn longest(&mut self) -> Result<u32, Fault> {
        if let Some(longest) = self.longest {
            return Ok(longest);
        }
        let shown = self.caller.call("scontrol", &["show", "config"], "", PATIENCE)?;
        let longest = setting(&shown, "MaxArraySize").and_then(|value| value.parse().ok());
        Ok(*self.longest.insert(longest.unwrap_or(ARRAY)))
    }

    fn problem(&self, fault: Fault, what: &str) -> Problem {
        self.is_away.set(matches!(fault, Fault::Silent(_)));
        match fault {
            Fault::Absent => Problem::new("Slurm was not found: there is no `sbatch` on the PATH").hint(
                "run this on a machine from which jobs are submitted, or load Slurm there (`module load slurm`)",
            ),
            Fault::Silent(said) => Problem::new(format!("Slurm does not answer: {said}"))
                .hint("nothing is lost; `scontrol ping` shows whether its controller is there"),
            Fault::Refused(said) => {
                let hint = reason::hint(&said);
                Problem::new(format!("Slurm refused {what}: {}", plain(&said))).hint(hint)
            }
        }
    }

    fn submit_all(&mut self, workers: &Workers) -> Result<Vec<String>, (Vec<String>, Fault)> {
        let none = |fault| (Vec::new(), fault);
        let longest = match workers.count {
            0 => return Ok(Vec::new()),
            1 => 1,
            _ => self.longest().map_err(none)?,
        };
        let script = submission::script(&self.profile, &self.place, workers);
        let mut ids = Vec::new();
        for batch in submission::batches(workers.count, longest, self.profile.concurrency) {
            let options = submission::options(&self.profile, &self.place, batch);
            let said = match self.caller.call("sbatch", &options, &script, LONGER) {
                Ok(said) => said,
                Err(fault) => return Err((ids, fault)),
            };
            // A wrapper of the site may print more; the cluster's name may follow.
            let id = said.lines().rev().find_map(|line| {
                let id = line.trim().split(';').next().unwrap_or_default();
                let is_id = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
                is_id.then_some(id)
            });
            match id {
                Some(id) => ids.extend(batch.ids(id)),
                None => {
                    return Err((
                        ids,
                        Fault::Refused(format!("no job's number in `{}`", said.trim())),
                    ));
                }
            }
        }
        Ok(ids)
    }
}

impl Engine for Slurm {
    fn name(&self) -> &'static str {
        "Slurm"
    }

    fn find(&mut self) -> Result<String, Problem> {
        let said = self.caller.call("sbatch", &["--version"], "", PATIENCE);
        let said = said.map_err(|fault| self.problem(fault, "to say its version"))?;
        Ok(said.split_whitespace().last().unwrap_or_default().to_owned())
    }

    fn submit(&mut self, workers: &Workers) -> Result<Vec<String>, Problem> {
        self.last = (Vec::new(), 0);
        self.is_away.set(false);
        match self.submit_all(workers) {
            Ok(ids) => Ok(ids),
            // Those that it took are workers; the next submission says why there are no more.
            Err((ids, _)) if !ids.is_empty() => Ok(ids),
            Err((_, fault)) => Err(self.problem(fault, "the job")),
        }
    }

    fn jobs(&mut self) -> Result<Vec<Job>, NoNews> {
        let name = self.place.jobs.as_str();
        let options = ["--me", "-h", "-r", "-t", "all", "-n", name, "-o", queue::COLUMNS];
        let listed = self.caller.call("squeue", &options, "", PATIENCE).map_err(|fault| {
            let problem = self.problem(fault, "to list its jobs");
            NoNews(problem.message)
        })?;
        self.is_away.set(false);
        // A job that waits and has written something has been running: perhaps another client saw it.
        let logs = &self.place.logs;
        let has_run =
            |id: &str| self.have_run.contains(id) || logs.join(format!("{id}.log")).exists();
        let jobs = queue::jobs(&listed, has_run);
        let running = jobs.iter().filter(|job| matches!(job.state, State::Running));
        self.have_run = running
            .map(|job| job.id.clone())
            .chain(self.have_run.iter().filter(|id| jobs.iter().any(|job| job.id == **id)).cloned())
            .collect();
        let same = if jobs == self.last.0 { self.last.1 + 1 } else { 0 };
        self.last = (jobs.clone(), same);
        Ok(jobs)
    }

    fn cancel(&mut self) -> Result<(), Problem> {
        let option = format!("--name={}", self.place.jobs);
        let cancelled = self.caller.call("scancel", &[option], "", PATIENCE);
        cancelled.map(drop).map_err(|fault| self.problem(fault, "to cancel the jobs"))
    }

    fn log(&mut self, job: &str) -> Option<String> {
        let is_id = job.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
        end_of(&self.place.logs.join(format!("{job}.log"))).filter(|_| is_id)
    }

    fn interval(&self) -> Duration {
        if self.is_away.get() || self.last.1 >= UNCHANGED { SELDOM } else { OFTEN }
    }

    fn is_away(&self) -> bool {
        self.is_away.get()
    }
}

/// A value of `scontrol show config`: `MaxArraySize            = 1001`.
fn setting<'t>(shown: &'t str, name: &str) -> Option<&'t str> {
    let of_line = |line: &'t str| {
        let (key, value) = line.split_once('=')?;
        (key.trim() == name).then_some(value.trim())
    };
    shown.lines().find_map(of_line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::EngineName;

    #[test]
    fn settings_are_read_by_their_whole_names() {
        let shown = "MaxArrayTasks           = 7\nMaxArraySize            = 1001\nX = a = b\n";
        assert_eq!(setting(shown, "MaxArraySize"), Some("1001"));
        assert_eq!(setting(shown, "X"), Some("a = b"));
        assert_eq!(setting(shown, "Max"), None);
    }

    #[test]
    fn a_log_is_found_by_its_job_and_nothing_else_is_read() {
        let dir = tempfile::tempdir().expect("a folder");
        let logs = dir.path().join("logs");
        std::fs::create_dir(&logs).expect("a folder");
        std::fs::write(logs.join("33_4.log"), "a\nb\n").expect("written");
        std::fs::write(dir.path().join("other.log"), "secret").expect("written");
        let place = Place {
            pool: "p".into(),
            jobs: "nn-p".into(),
            store: dir.path().into(),
            logs: logs.clone(),
            logs_there: logs,
            lab: "/lab".into(),
        };
        let mut slurm = Slurm::new(&Profile::new(EngineName::Slurm, 0..0), place);
        assert_eq!(slurm.log("33_4").as_deref(), Some("a\nb"));
        assert_eq!(slurm.log("33_5"), None);
        assert_eq!(slurm.log("../other"), None);
    }
}
