//! Events that a scheduler reports to its owner.

use std::path::PathBuf;

use neuronotes_core::digest::Digest;

/// An event for the owner.
#[derive(Debug, Clone, PartialEq)]
pub enum Update {
    /// The lab is ready. Requests that failed because no lab could run wait again.
    Ready {
        /// `cpu` or `cuda:N`.
        device: String,
        /// The device's name as given by its vendor.
        device_name: String,
    },
    /// Something happened that is not about one request, in words: workers were submitted.
    Said(String),
    /// A request has begun or progressed.
    Progress {
        /// The request key.
        key: Digest,
        /// Progress in words, as in [`Scheduler::status`](super::Scheduler::status).
        status: String,
        /// The finished part of the current stage, from 0 to 1.
        fraction: f64,
        /// A new picture of the current state, if there is one.
        picture: Option<PathBuf>,
    },
    /// Of the data set that a request is about, some shards are scanned, and the result over these is in the store.
    Partial {
        /// The request key.
        key: Digest,
        /// The key of the result over the scanned shards.
        part: Digest,
        /// Number of images of these shards.
        images: u64,
        /// Number of these shards.
        shards: usize,
    },
    /// The result is in the store.
    Done {
        /// The request key.
        key: Digest,
        /// Seconds that it took.
        seconds: f64,
    },
    /// The request failed; [`Scheduler::failed`](super::Scheduler::failed) says why.
    Failed {
        /// The request key.
        key: Digest,
    },
}
