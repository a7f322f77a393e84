//! Engines: what starts workers on other machines. A profile and a pool in; an engine that submits, lists and cancels its jobs out.
//!
//! We schedule nothing: the engine places jobs, starts them again and ends them. Whether a figure is measured is known from the
//! store alone; what an engine says only explains why something waits, or that nobody is left to measure it. An engine knows
//! nothing of requests and figures.

mod job;
mod local;
mod log;
pub mod open;
mod place;
mod ray;
pub mod slurm;

use std::time::Duration;

pub use job::{Ending, Job, State};
use neuronotes_core::problem::Problem;
pub use place::Place;
pub use ray::Ray;

/// Workers to be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workers {
    /// How many.
    pub count: u32,
    /// The number of this submission in its pool; no two have the same.
    pub submission: u64,
    /// The name of the probe that the worker checks first.
    pub probe: Option<String>,
}

/// The engine gave no answer in time, or one that says nothing about jobs. That is no news about them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoNews(pub String);

/// Starts workers, lists them and ends them.
///
/// Calls may take seconds, but never longer than about ten: they are made by a thread of their own.
pub trait Engine: Send {
    /// What it is called: `Slurm`.
    fn name(&self) -> &'static str;

    /// Looks for it, and returns its version.
    ///
    /// # Errors
    /// If it cannot be used: why, in its own words where it has any, and what to do.
    fn find(&mut self) -> Result<String, Problem>;

    /// Submits jobs, one a worker, and returns their ids, or one id for all of them.
    ///
    /// # Errors
    /// If it refuses: why, in its own words, and what to do if that is known.
    fn submit(&mut self, workers: &Workers) -> Result<Vec<String>, Problem>;

    /// All jobs of the pool that it knows, in one call. One that is not listed has ended.
    ///
    /// # Errors
    /// If it does not answer.
    fn jobs(&mut self) -> Result<Vec<Job>, NoNews>;

    /// Ends all jobs of the pool, waiting and running ones.
    ///
    /// # Errors
    /// If it refuses, or does not answer.
    fn cancel(&mut self) -> Result<(), Problem>;

    /// The end of a job's output, at most some twenty lines; `None` if there is none.
    fn log(&mut self, job: &str) -> Option<String>;

    /// The least time between two calls of [`Engine::jobs`].
    fn interval(&self) -> Duration;

    /// Whether the last call failed because there was no answer, rather than by a decision: it may succeed later, and nothing has
    /// to fail. Of jobs that were being submitted then, [`Engine::jobs`] says whether there are any.
    fn is_away(&self) -> bool {
        false
    }
}
