//! Finds or installs the engines of clusters for the tests that start them: Slurm, and Ray in a virtual environment.
//!
//! A machine on which they cannot be installed still runs all other tests: those that need them then say that they are not tested.

use std::env;
use std::path::Path;

use anyhow::Result;

use crate::apt;
use crate::failure::report;
use crate::say::say;
use crate::torch::on_path;
use crate::venv;

/// Environment variable with the virtual environment that has Ray.
pub const RAY: &str = "NEURONOTES_RAY";
/// Environment variable that leaves out the tests that start engines.
pub const NONE: &str = "NEURONOTES_NO_CLUSTER";

/// Slurm's programs and their Debian packages.
const SLURM: [(&str, &str); 3] =
    [("slurmctld", "slurm-wlm"), ("slurmd", "slurm-wlm"), ("munged", "munge")];

/// The variables that tell the tests where the engines are.
pub fn find_or_install(repository: &Path) -> Vec<(&'static str, Option<String>)> {
    if let Err(why) = slurm() {
        say(format_args!("the tests with Slurm will not run: {why}"));
    }
    let ray = match env::var_os(RAY).filter(|value| !value.is_empty()) {
        Some(own) => Some(own.to_string_lossy().into_owned()),
        None => match ray(repository) {
            Ok(folder) => Some(folder),
            Err(error) => {
                say(format_args!("the tests with Ray will not run: {}", report(&error)));
                None
            }
        },
    };
    vec![(NONE, None), (RAY, ray)]
}

/// Makes sure that Slurm's programs are there; or says why they are not.
fn slurm() -> Result<(), String> {
    let missing = || {
        let found = |program: &str| on_path(Path::new(program)).is_some();
        let missing = SLURM.into_iter().filter(|(program, _)| !found(program));
        let mut packages: Vec<&str> = missing.map(|(_, package)| package).collect();
        packages.dedup();
        packages
    };
    let packages = missing();
    if packages.is_empty() {
        return Ok(());
    }
    let all = packages.join(" ");
    if !apt::is_usable() {
        return Err(format!("it is not installed (Debian: apt-get install {all})"));
    }
    say(format_args!("some tests start Slurm; installing {all} with apt-get"));
    apt::install(&packages, "--no-cluster skips those tests").map_err(|error| report(&error))?;
    match missing().as_slice() {
        [] => Ok(()),
        missing => Err(format!("{} did not bring its programs", missing.join(" "))),
    }
}

/// The virtual environment with Ray, set up if necessary.
fn ray(repository: &Path) -> Result<String> {
    let python = venv::ray(repository)?;
    let folder = python.parent().and_then(Path::parent).unwrap_or(&python);
    Ok(folder.display().to_string())
}
