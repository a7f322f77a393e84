//! Where the workers of a pool find what they need, and what their jobs are called.

use std::path::PathBuf;

use neuronotes_core::file;
use neuronotes_core::pool::Pool;
use neuronotes_core::problem::Problem;
use neuronotes_core::store::Store;

use crate::config::Profile;

/// Where workers find what they need, and what their jobs are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The pool's name, which is the profile's.
    pub pool: String,
    /// The name of its jobs, unique to this store: only a-z, 0-9 and `-`.
    pub jobs: String,
    /// The store's folder as workers see it.
    pub store: PathBuf,
    /// The pool's folder for output of jobs, as this machine sees it.
    pub logs: PathBuf,
    /// The same folder as workers see it.
    pub logs_there: PathBuf,
    /// The worker's program, as workers see it.
    pub lab: PathBuf,
}

impl Place {
    /// The place of the workers of the profile of this name at a store. `lab` finds the worker's program on this machine, which
    /// is used if the profile names none.
    ///
    /// # Errors
    /// If the pool's folder cannot be made, or there is no program.
    pub fn of(
        store: &Store,
        name: &str,
        profile: &Profile,
        lab: impl FnOnce() -> Result<PathBuf, Problem>,
    ) -> Result<Self, Problem> {
        let folder = std::path::absolute(store.folder()).unwrap_or(store.folder().to_owned());
        let failed = |error: std::io::Error| Problem {
            message: format!("the pool `{name}` in {} cannot be used ({error})", folder.display()),
            hint: file::hint(&error).map(str::to_owned),
        };
        let pool = Pool::open(store, name).map_err(failed)?;
        let jobs = pool.job_name().map_err(failed)?;
        let lab = match &profile.lab {
            Some(lab) => lab.clone(),
            None => lab()?,
        };
        let there = profile.store.clone().unwrap_or_else(|| folder.clone());
        let logs = pool.path("logs");
        let logs = std::path::absolute(&logs).unwrap_or(logs);
        let logs_there = match logs.strip_prefix(&folder) {
            Ok(rest) => there.join(rest),
            Err(_) => logs.clone(),
        };
        Ok(Self { pool: name.to_owned(), jobs, store: there, logs, logs_there, lab })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::EngineName;

    #[test]
    fn jobs_have_the_name_of_their_store_and_profile() {
        let dir = tempfile::tempdir().expect("a folder");
        let store = Store::open(dir.path()).expect("a store");
        let mut profile = Profile::new(EngineName::Slurm, 0..0);
        let of = |profile: &Profile| Place::of(&store, "big", profile, || Ok("/bin/lab".into()));
        let first = of(&profile).expect("a place");
        assert_eq!(of(&profile), Ok(first.clone()), "its name stays");
        assert_eq!(Pool::all(&store), ["big"]);
        assert!(first.jobs.starts_with("nn-") && first.jobs.ends_with("-big"), "{}", first.jobs);
        assert_eq!((first.store.as_path(), first.lab.to_str()), (dir.path(), Some("/bin/lab")));
        assert_eq!(first.logs, first.logs_there);
        profile.store = Some("/scratch/store".into());
        profile.lab = Some("/there/lab".into());
        let other =
            Place::of(&store, "big", &profile, || Err(Problem::new("no lab"))).expect("one");
        assert_eq!(other.logs, first.logs);
        assert_eq!(other.logs_there, PathBuf::from("/scratch/store/v1/pools/big/logs"));
        assert_eq!(other.store, PathBuf::from("/scratch/store"));
        profile.lab = None;
        let none = Place::of(&store, "big", &profile, || Err(Problem::new("no lab")));
        assert_eq!(none, Err(Problem::new("no lab")));
    }
}
