//! Workers on a real Slurm.

mod crew;
mod engine;
mod jobs;
mod site;
