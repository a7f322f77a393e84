//! The narrow door: what `neuronotes` says to the lab and what the lab answers, one JSON value a line.
//!
//! The lab is started as `neuronotes-lab serve --store DIR --device auto|cpu|cuda:N`, reads [`Command`]s
//! from its standard input, and writes [`Event`]s to its standard output. Standard error is its log. At the
//! end of its input it finishes nothing more and exits.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::request::Request;

/// The stage of a request that another process is at: it has not begun here.
pub const ELSEWHERE: &str = "another process is measuring this";

/// To the lab.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Command {
    /// Measure this and commit it to the store. Those that can be measured together may be, so that the news of several
    /// come in turns. One that waits or runs already is not begun a second time.
    Run {
        /// What to measure.
        request: Box<Request>,
        /// With half as much at once as usual, since memory ran out the first time. The result is the same.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        halve: bool,
    },
    /// From now on, begin what waits in this order, whether it was asked for already or will be; what is not named comes
    /// after, in the order in which it was asked for. What runs goes on.
    Order {
        /// Request keys, the most urgent group first. On a processor, where company costs time, only requests of one
        /// group are measured together.
        groups: Vec<Vec<Digest>>,
    },
    /// Nobody wants this key any more: drop it from the queue, or stop it at its next step.
    Cancel {
        /// The request key.
        key: Digest,
    },
}

/// Whether what failed would fail again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Memory ran out: it may do with less at once.
    Resource,
    /// The request itself: again and again, until something changes that its key covers.
    Deterministic,
    /// Something outside the request, such as a file that cannot be read or a full disk.
    #[default]
    Environment,
}

/// From the lab.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// First line: the lab is up and has its device.
    Ready {
        /// `cpu` or `cuda:N`.
        device: String,
        /// The device as its maker calls it.
        device_name: String,
        /// libtorch's version.
        libtorch: String,
        /// The lab's own version.
        version: String,
    },
    /// First line instead, where the lab cannot work at all; it exits after it.
    Unusable {
        /// What is wrong.
        message: String,
        /// What to do, where known.
        hint: Option<String>,
    },
    /// A request has begun, or has gone a step further.
    Progress {
        /// The request key.
        key: Digest,
        /// What is being done, for a person: `scanning emoji`, `optimising`.
        stage: String,
        /// Steps done of this stage.
        step: u64,
        /// Steps of this stage in all.
        total: u64,
        /// What a step is: `step` or `image`.
        unit: String,
        /// Estimated time left of this stage.
        seconds_left: Option<f64>,
        /// A PNG that shows the state so far, in the store's `partial/`; replaced by a rename.
        picture: Option<PathBuf>,
    },
    /// The result is committed to the store, where the record lies under `key`.
    Done {
        /// The request key.
        key: Digest,
        /// Time taken.
        seconds: f64,
    },
    /// The request failed, alone.
    Failed {
        /// The request key.
        key: Digest,
        /// What is wrong.
        message: String,
        /// What to do, where known.
        hint: Option<String>,
        /// Whether it would fail again.
        #[serde(default)]
        cause: Cause,
    },
    /// The request was given up because of [`Command::Cancel`].
    Cancelled {
        /// The request key.
        key: Digest,
    },
}
