//! Ray: one submitted job a worker, through the HTTP interface of its jobs.
//!
//! A profile and a pool in; jobs of Ray out. A job is called `JOBS-SUBMISSION-INDEX`, so that a call whose answer was lost can be
//! made again: Ray then says that the job exists. Ray never starts a submitted job again. If its node is lost, the job is reported
//! as lost, and its program may live on there; what such a program still measures is as good as anybody's.
//!
//! Ray itself writes a job's output on the node that runs it, and answers for it only while that node is there. So a worker's output
//! goes to the pool's folder for logs where the job can write to it, and to Ray where it cannot.

mod answer;
mod entrypoint;
mod http;
mod resources;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use neuronotes_core::problem::Problem;
use serde_json::json;

use self::answer::{Listed, Status, Version};
use self::http::{Fault, Http};
use self::resources::{Cluster, Wants};
use super::log::end_of;
use super::{Engine, Job, NoNews, Place, Workers};
use crate::config::Profile;

/// Where `ray start --head` listens if nothing else is said.
const ADDRESS: &str = "http://127.0.0.1:8265";
/// How many jobs are submitted or stopped at a time.
const AT_ONCE: usize = 8;
/// How long [`Engine::cancel`] waits for jobs to end, so that Ray can forget them.
const PATIENCE: Duration = Duration::from_secs(8);
/// Most lines of a job's output that are shown.
const LINES: usize = 20;

/// Ray's jobs of one pool.
pub struct Ray {
    profile: Profile,
    place: Place,
    http: Result<Http, Problem>,
    /// The names of nodes by their ids.
    nodes: BTreeMap<String, String>,
    /// Whether the last call had no answer.
    is_away: AtomicBool,
}

impl Ray {
    /// An engine that has not asked Ray anything so far. The token is in the environment variable that the profile names.
    pub fn new(profile: &Profile, place: Place) -> Self {
        match token(profile.token.as_deref()) {
            Ok(token) => Self::with_token(profile, place, token),
            Err(problem) => Self { http: Err(problem), ..Self::with_token(profile, place, None) },
        }
    }

    /// The same with a token from elsewhere.
    pub fn with_token(profile: &Profile, place: Place, token: Option<String>) -> Self {
        let http = Ok(Http::new(profile.address.as_deref().unwrap_or(ADDRESS), token));
        let (nodes, is_away) = (BTreeMap::new(), AtomicBool::new(false));
        Self { profile: profile.clone(), place, http, nodes, is_away }
    }

    /// Notes whether a fault is that there was no answer.
    fn noted(&self, fault: Fault) -> Fault {
        self.is_away.store(fault.is_silence(), Ordering::Relaxed);
        fault
    }

    fn http(&self) -> Result<&Http, Problem> {
        self.http.as_ref().map_err(Clone::clone)
    }

    /// All jobs of this pool, as Ray lists them.
    fn listed(&self) -> Result<Vec<Listed>, Fault> {
        let http = self.http.as_ref().map_err(|problem| Fault::Refused(problem.clone()))?;
        let mut jobs: Vec<Listed> = http.get("/api/jobs/")?;
        let prefix = format!("{}-", self.place.jobs);
        jobs.retain(|job| job.id().strip_prefix(&prefix).is_some_and(is_number_pair));
        Ok(jobs)
    }

    /// The nodes, whose names are then known.
    fn cluster(&mut self) -> Result<Cluster, Fault> {
        let http = self.http.as_ref().map_err(|problem| Fault::Refused(problem.clone()))?;
        let nodes: answer::Nodes = http.get("/api/v0/nodes?limit=10000")?;
        let nodes = nodes.all();
        for node in &nodes {
            self.nodes.insert(node.id.clone(), node.name.clone());
        }
        // Another Ray may answer in another form: then nothing is known of nodes that may come.
        let status = http.get::<answer::ClusterStatus>("/api/cluster_status");
        Ok(Cluster::new(nodes, status.is_ok_and(|status| status.is_fixed())))
    }

    /// Whether this program, or another one, has stopped a job that still waits: Ray goes on listing it as waiting.
    fn is_stopped(&self, id: &str) -> bool {
        self.stopped(id).exists()
    }

    fn stopped(&self, id: &str) -> PathBuf {
        self.place.logs.join(format!("{id}.stopped"))
    }

    /// One job; a call whose answer was lost is made again.
    fn submit_one(&self, http: &Http, id: &str, probe: Option<&str>) -> Result<(), Fault> {
        let wants = Wants::of(&self.profile).map_err(Fault::Refused)?;
        let entrypoint = entrypoint::write(&self.profile, &self.place, id, probe);
        // Ray sets the token of its cluster in the environment of jobs by itself.
        let body = json!({
            "submission_id": id,
            "entrypoint": entrypoint,
            "entrypoint_num_cpus": wants.cpus(),
            "entrypoint_num_gpus": wants.gpus(),
            "entrypoint_memory": wants.memory(),
            "entrypoint_resources": wants.others(),
            "runtime_env": { "env_vars": entrypoint::environment(id) },
            "metadata": { resources::METADATA: wants.text() },
        });
        let mut last = None;
        for _ in 0..3 {
            match http.post::<serde_json::Value>("/api/jobs/", Some(&body)) {
                Ok(_) => return Ok(()),
                Err(fault) if fault.says("already exists") => return Ok(()),
                Err(fault @ (Fault::Broken(_) | Fault::Silent(_))) => last = Some(fault),
                Err(fault) => return Err(fault),
            }
        }
        Err(last.unwrap_or_else(|| Fault::Broken("no answer".into())))
    }
}

impl Engine for Ray {
    fn name(&self) -> &'static str {
        "Ray"
    }

    fn find(&mut self) -> Result<String, Problem> {
        self.is_away.store(false, Ordering::Relaxed);
        let http = self.http()?;
        Wants::of(&self.profile)?;
        let version: Version = http
            .get("/api/version")
            .map_err(|fault| self.noted(fault).of_finding(http.address()))?;
        version.check(http.address())
    }

    fn submit(&mut self, workers: &Workers) -> Result<Vec<String>, Problem> {
        self.is_away.store(false, Ordering::Relaxed);
        let http = self.http()?;
        let ids: Vec<String> = (0..workers.count)
            .map(|index| format!("{}-{}-{index}", self.place.jobs, workers.submission))
            .collect();
        let probe = workers.probe.as_deref();
        let submitted = each(&ids, |id| self.submit_one(http, id, probe));
        let mut refusal = None;
        let mut accepted = Vec::new();
        for (id, outcome) in ids.into_iter().zip(submitted) {
            match outcome {
                Ok(()) => accepted.push(id),
                Err(fault) => refusal = refusal.or(Some(fault)),
            }
        }
        match refusal {
            // Those that were accepted are at work; whoever wants more asks again, and is then told why not.
            Some(fault) if accepted.is_empty() => {
                Err(self.noted(fault).of_submitting(http.address()))
            }
            _ => Ok(accepted),
        }
    }

    fn jobs(&mut self) -> Result<Vec<Job>, NoNews> {
        self.is_away.store(false, Ordering::Relaxed);
        let listed = self.listed().map_err(|fault| NoNews(self.noted(fault).to_string()))?;
        let unknown = |job: &Listed| {
            job.driver_node_id.as_ref().is_some_and(|id| !self.nodes.contains_key(id))
        };
        let waits = listed.iter().any(|job| job.status == Status::Pending);
        let asks = waits || listed.iter().any(unknown);
        let cluster = if asks { self.cluster().ok() } else { None };
        let job = |listed: &Listed| {
            let stopped = listed.status == Status::Pending && self.is_stopped(listed.id());
            let node = listed.driver_node_id.as_ref().and_then(|id| self.nodes.get(id));
            let lack = match (&cluster, listed.status) {
                (Some(cluster), Status::Pending) => cluster.lack(&listed.wants()),
                _ => None,
            };
            listed.job(stopped, node.cloned(), lack)
        };
        Ok(listed.iter().map(job).collect())
    }

    fn cancel(&mut self) -> Result<(), Problem> {
        self.is_away.store(false, Ordering::Relaxed);
        let http = self.http()?;
        let failed = |fault: Fault| self.noted(fault).of_cancelling(http.address());
        let jobs = self.listed().map_err(failed)?;
        let alive: Vec<String> = jobs
            .iter()
            .filter(|job| matches!(job.status, Status::Pending | Status::Running))
            .map(|job| job.id().to_owned())
            .collect();
        let stop = |id: &String| match http
            .post::<serde_json::Value>(&format!("/api/jobs/{id}/stop"), None)
        {
            // It has ended and was forgotten meanwhile.
            Err(fault) if fault.status() == Some(404) => Ok(()),
            answer => answer.map(|_| ()),
        };
        each(&alive, stop).into_iter().collect::<Result<(), Fault>>().map_err(failed)?;
        for job in jobs.iter().filter(|job| job.status == Status::Pending) {
            let _ = fs::write(self.stopped(job.id()), "");
        }
        self.forget_ended().map_err(failed)
    }

    fn log(&mut self, job: &str) -> Option<String> {
        if !job.strip_prefix(&format!("{}-", self.place.jobs)).is_some_and(is_number_pair) {
            return None;
        }
        let own = end_of(&self.place.logs.join(format!("{job}.log")));
        own.or_else(|| self.log_of_ray(job))
    }

    fn interval(&self) -> Duration {
        Duration::from_secs(15)
    }

    fn is_away(&self) -> bool {
        self.is_away.load(Ordering::Relaxed)
    }
}

impl Ray {
    /// Makes Ray forget the jobs that have ended, and those that end within a few seconds.
    fn forget_ended(&self) -> Result<(), Fault> {
        let http = self.http.as_ref().map_err(|problem| Fault::Refused(problem.clone()))?;
        let begun = Instant::now();
        loop {
            let jobs = self.listed()?;
            let running = jobs.iter().any(|job| job.status == Status::Running);
            if running && begun.elapsed() < PATIENCE {
                thread::sleep(Duration::from_millis(300));
                continue;
            }
            let ended: Vec<String> = jobs
                .iter()
                .filter(|job| !matches!(job.status, Status::Pending | Status::Running))
                .map(|job| job.id().to_owned())
                .collect();
            // One that cannot be deleted stays listed as ended.
            each(&ended, |id| http.delete(&format!("/api/jobs/{id}")));
            for id in &ended {
                let _ = fs::remove_file(self.stopped(id));
            }
            return Ok(());
        }
    }

    /// The end of a job's output as Ray has it: the node's own file, or what it says of a job that has failed.
    fn log_of_ray(&self, job: &str) -> Option<String> {
        let http = self.http.as_ref().ok()?;
        let listed: Listed = http.get(&format!("/api/jobs/{job}")).ok()?;
        let of_node = listed.driver_node_id.as_ref().and_then(|node| {
            let file = format!("job-driver-{job}.log");
            http.text(&format!(
                "/api/v0/logs/file?node_id={node}&filename={file}&lines={LINES}&format=text"
            ))
            .ok()
        });
        let said = || listed.message.clone().filter(|_| listed.status == Status::Failed);
        last_lines(&of_node.filter(|text| !text.trim().is_empty()).or_else(said)?)
    }
}

/// The value of the environment variable that holds the token.
fn token(variable: Option<&str>) -> Result<Option<String>, Problem> {
    let Some(name) = variable else { return Ok(None) };
    match env::var(name) {
        Ok(value)
            if !value.trim().is_empty() && value.trim().bytes().all(|b| b.is_ascii_graphic()) =>
        {
            Ok(Some(value.trim().to_owned()))
        }
        Ok(value) if !value.trim().is_empty() => {
            Err(Problem::new(format!("the environment variable {name} holds no token of Ray"))
                .hint("a token has no spaces and no letters beyond ASCII"))
        }
        _ => Err(Problem::new(format!(
            "the environment variable {name}, which `token` names, is not set"
        ))
        .hint(format!("set {name} to the token with which Ray was started (its RAY_AUTH_TOKEN)"))),
    }
}

/// Whether this is `SUBMISSION-INDEX`. The name of one pool may be the beginning of another's.
fn is_number_pair(text: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.split_once('-').is_some_and(|(one, other)| is_number(one) && is_number(other))
}

/// Does something for each of these, several at a time, and returns the outcomes in their order.
fn each<T: Send>(ids: &[String], work: impl Fn(&String) -> T + Sync) -> Vec<T> {
    let part = ids.len().div_ceil(AT_ONCE).max(1);
    thread::scope(|scope| {
        let parts: Vec<_> = ids
            .chunks(part)
            .map(|ids| {
                let work = &work;
                scope.spawn(move || ids.iter().map(work).collect::<Vec<T>>())
            })
            .collect();
        parts
            .into_iter()
            .flat_map(|part| part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}

/// The last lines of a text; `None` if there are none.
fn last_lines(text: &str) -> Option<String> {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    let last = &lines[lines.len().saturating_sub(LINES)..];
    (!last.is_empty()).then(|| last.join("\n"))
}
