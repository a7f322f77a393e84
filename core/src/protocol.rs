//! The protocol between `neuronotes` and the lab: one JSON value per line.
//!
//! The lab is started as `neuronotes-lab serve --store DIR --device auto|cpu|cuda:N`, reads [`Command`]s from
//! standard input, and writes [`Event`]s to standard output. Standard error is its log. At the end of its input it
//! exits without finishing anything.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::request::Request;

/// The stage of a request that another process is measuring.
pub const ELSEWHERE: &str = "another process is measuring this";

/// A command to the lab.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Command {
    /// Measure this and commit it to the store. The lab may measure several requests together, so that their events
    /// alternate. A request that is already waiting or running is not started again.
    Run {
        /// The request.
        request: Box<Request>,
        /// Whether to use half the usual batch size, because memory ran out the first time. The result is the same.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        halve: bool,
    },
    /// From now on, start waiting requests in this order, including later ones. Requests that are not listed come
    /// after it, in the order in which they were sent. Running requests continue.
    Order {
        /// Request keys, the most urgent group first. On a CPU, where measuring together takes longer, only requests
        /// of one group are measured together.
        groups: Vec<Vec<Digest>>,
    },
    /// Cancel this request: remove it from the queue, or stop it at its next step.
    Cancel {
        /// The request key.
        key: Digest,
    },
    /// From now on, while a data set is scanned, also answer requests about it from the shards that are scanned so far:
    /// see [`Event::Partial`].
    Partial,
}

/// Whether a failure would recur.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Memory ran out: the request may succeed with a smaller batch.
    Resource,
    /// The request itself fails, until something changes that its key covers.
    Deterministic,
    /// Something outside the request failed, such as an unreadable file or a full disk.
    #[default]
    Environment,
}

/// An event from the lab.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// First line: the lab is ready and has its device.
    Ready {
        /// `cpu` or `cuda:N`.
        device: String,
        /// The device's name as given by its vendor.
        device_name: String,
        /// Version of libtorch.
        libtorch: String,
        /// Version of the lab.
        version: String,
    },
    /// First line instead, if the lab cannot work at all; it exits afterwards.
    Unusable {
        /// The message.
        message: String,
        /// What to do, if known.
        hint: Option<String>,
    },
    /// A request has begun or progressed.
    Progress {
        /// The request key.
        key: Digest,
        /// The current stage, for people: `scanning emoji`, `optimising`.
        stage: String,
        /// Finished steps of this stage.
        step: u64,
        /// Total steps of this stage.
        total: u64,
        /// The unit of steps: `step` or `image`.
        unit: String,
        /// Estimated seconds left in this stage.
        seconds_left: Option<f64>,
        /// A PNG of the current state, in the store's `partial/`; replaced by renaming.
        picture: Option<PathBuf>,
    },
    /// Requests that wait need the scan that is being measured for another one, or scans that share its pass: they are measured along.
    /// Sent when such a pass begins; it counts until the other request ends.
    Along {
        /// The key of the request that is being measured.
        key: Digest,
        /// The keys of those that wait.
        waiting: Vec<Digest>,
    },
    /// Of the data set that a request is about, some shards are scanned. The same request over these shards alone has
    /// been measured, and its result is committed to the store.
    Partial {
        /// The request key.
        key: Digest,
        /// The key of the result over these shards.
        part: Digest,
        /// Number of images of these shards that were read.
        images: u64,
        /// Number of these shards.
        shards: usize,
    },
    /// The result is committed to the store: its record is under `key`.
    Done {
        /// The request key.
        key: Digest,
        /// Seconds that it took.
        seconds: f64,
    },
    /// The request failed; others are not affected.
    Failed {
        /// The request key.
        key: Digest,
        /// The message.
        message: String,
        /// What to do, if known.
        hint: Option<String>,
        /// Whether it would fail again.
        #[serde(default)]
        cause: Cause,
    },
    /// The request was stopped because of [`Command::Cancel`].
    Cancelled {
        /// The request key.
        key: Digest,
    },
}
