//! Workers of one pool on a private Slurm, of which a script is the program.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use neuronotes::config::{EngineName, Profile};
use neuronotes::engine::slurm::Slurm;
use neuronotes::engine::{Engine as _, Job, Place, State, Workers};
use neuronotes_core::problem::Problem;

use super::site::Site;

/// A worker that says how it was called and waits until it is told to end.
pub const WAITS: &str = "#!/bin/bash\n\
                         trap 'echo told; exit 0' USR1 TERM\n\
                         printf '<%s> ' \"$@\"\n\
                         echo \"restart ${SLURM_RESTART_COUNT:-0} gpus ${CUDA_VISIBLE_DEVICES:-none}\"\n\
                         while :; do sleep 0.1; done\n";

/// Workers of one pool.
pub struct Crew<'s> {
    site: &'s Site,
    place: Place,
    pub engine: Slurm,
}

impl<'s> Crew<'s> {
    /// Without workers so far. Its folder has a space and a quote in its name.
    pub fn new(site: &'s Site, name: &str, script: &str, profile: &Profile) -> Self {
        let folder = site.path(&format!("it's {name}"));
        let logs = folder.join("100% logs");
        fs::create_dir_all(&logs).expect("a folder");
        let place = Place {
            pool: name.to_owned(),
            jobs: format!("nn-0123456789-{name}"),
            store: folder.join("my store"),
            logs: logs.clone(),
            logs_there: logs,
            lab: folder.join("the lab"),
        };
        Self::at(site, place, script, profile)
    }

    /// The same at this place; its program is written there.
    pub fn at(site: &'s Site, place: Place, script: &str, profile: &Profile) -> Self {
        fs::write(&place.lab, script).expect("a script");
        fs::set_permissions(&place.lab, fs::Permissions::from_mode(0o755)).expect("a mode");
        let engine = Slurm::new(profile, place.clone()).of(site.conf());
        Self { site, place, engine }
    }

    /// The same workers as another client finds them.
    pub fn again(&self) -> Slurm {
        Slurm::new(&profile(), self.place.clone()).of(self.site.conf())
    }

    pub fn submit(&mut self, count: u32) -> Vec<String> {
        self.tried(count).expect("submitted")
    }

    pub fn tried(&mut self, count: u32) -> Result<Vec<String>, Problem> {
        self.engine.submit(&Workers { count, submission: 0, probe: None })
    }

    pub fn jobs(&mut self) -> Vec<Job> {
        self.engine.jobs().expect("a list")
    }

    /// Waits until this is so of the only job, and returns it.
    pub fn until(&mut self, what: &str, is_so: impl Fn(&Job) -> bool) -> Job {
        let mut found = None;
        let site = self.site;
        site.wait_until(what, || {
            let jobs = self.jobs();
            found = jobs.first().cloned();
            jobs.len() == 1 && is_so(&jobs[0])
        });
        found.expect("a job")
    }

    pub fn running(&mut self) -> Job {
        let job = self.until("it runs", |job| job.state == State::Running);
        let path = self.log_of(&job.id);
        self.site.wait_until("it says something", || {
            fs::read_to_string(&path).is_ok_and(|text| text.contains("restart"))
        });
        job
    }

    pub fn log_of(&self, id: &str) -> PathBuf {
        self.place.logs.join(format!("{id}.log"))
    }

    pub fn place(&self) -> &Place {
        &self.place
    }
}

impl Drop for Crew<'_> {
    fn drop(&mut self) {
        // What is left must not take others' processors.
        let _ = self.engine.cancel();
    }
}

/// A profile that asks for nothing.
pub fn profile() -> Profile {
    Profile::new(EngineName::Slurm, 0..0)
}
