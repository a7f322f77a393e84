//! Options of a build by the workers of a pool.

use clap::Args;

/// The workers of a pool.
#[derive(Debug, Args)]
pub(super) struct Pool {
    /// Measure with the workers of this profile under `run` in neuronotes.yaml, such as `slurm`
    ///
    /// Workers are submitted to the profile's engine; a first one checks that everything is there. If the command is
    /// interrupted or fails, the same command finds its workers again; no second set is submitted. Ctrl-C asks whether to leave
    /// the workers at it or to cancel them. `local` is the lab of this machine, as without `--on`.
    #[arg(long, value_name = "PROFILE", conflicts_with = "frozen")]
    pub(super) on: Option<String>,
    /// Only print what would be measured, how long it would take by estimate, and the bytes that scans would take
    ///
    /// Estimates come from similar figures in the store, by the device that measured last. Nothing is measured, written or submitted.
    #[arg(long, conflicts_with = "frozen")]
    pub(super) dry_run: bool,
    /// Refuse to measure more than this many GPU-hours by estimate
    ///
    /// A worker counts once for each of its GPUs (`gpus` in the profile), and once if it has none. What has no estimate is not
    /// counted; if nothing has one, the build is refused.
    #[arg(long, value_name = "HOURS", conflicts_with = "frozen", value_parser = hours)]
    pub(super) limit: Option<f64>,
}

/// A number of hours.
fn hours(text: &str) -> Result<f64, String> {
    let hours = text.parse::<f64>().ok().filter(|hours| hours.is_finite() && *hours >= 0.0);
    hours.ok_or_else(|| "expected a number of hours, such as 50".to_owned())
}
