//! What a scheduler tells its owner.

use std::path::PathBuf;

use neuronotes_core::digest::Digest;

/// What the owner is told.
#[derive(Debug, Clone, PartialEq)]
pub enum Update {
    /// The lab is up. What had failed for want of one waits again.
    Ready {
        /// `cpu` or `cuda:N`.
        device: String,
        /// The device as its maker calls it.
        device_name: String,
    },
    /// A request has begun or has gone a step further.
    Progress {
        /// The request key.
        key: Digest,
        /// For a person, as [`Scheduler::status`](super::Scheduler::status) says it.
        status: String,
        /// The part of the present stage that is done, 0…1.
        fraction: f64,
        /// A picture of the state so far, where it is a new one.
        picture: Option<PathBuf>,
    },
    /// The result is in the store.
    Done {
        /// The request key.
        key: Digest,
        /// Time taken.
        seconds: f64,
    },
    /// It failed, as [`Scheduler::failed`](super::Scheduler::failed) says.
    Failed {
        /// The request key.
        key: Digest,
    },
}
