//! Workers on a real Slurm.

mod chaos;
mod crew;
mod engine;
mod jobs;
mod site;
mod whole;
