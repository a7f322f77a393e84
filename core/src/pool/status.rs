//! What a worker is doing, as it says itself.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// What a worker is doing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Its name in the pool: no two workers ever have the same.
    pub worker: String,
    /// The name of its machine.
    pub host: String,
    /// Its process there.
    pub pid: u32,
    /// The engine's job that it is, such as `33_4`; `None` if no engine started it.
    pub job: Option<String>,
    /// How often the engine has started this job again.
    #[serde(default)]
    pub restarts: u32,
    /// When it was started, RFC 3339, UTC, by its machine's clock.
    pub started: String,
    /// When its time is over, by the same clock; `None` if it has no limit.
    #[serde(default)]
    pub ends: Option<String>,
    /// Version of the program.
    pub version: String,
    /// `cpu` or `cuda:N` and the device's name, once its lab is ready.
    #[serde(default)]
    pub device: Option<(String, String)>,
    /// What it is at.
    pub phase: Phase,
    /// The requests that it measures now.
    #[serde(default)]
    pub at: Vec<At>,
    /// How many requests it has measured.
    #[serde(default)]
    pub done: u64,
    /// How many have failed.
    #[serde(default)]
    pub failed: u64,
}

/// What a worker is at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "snake_case")]
pub enum Phase {
    /// It starts, or its lab does.
    Starting,
    /// It checks its machine for the client.
    Checking {
        /// What is being checked, for people.
        what: String,
    },
    /// It measures a unit of work.
    Working {
        /// Its [`Unit::id`](super::Unit::id).
        unit: Digest,
    },
    /// It waits.
    Idle {
        /// For what, for people: `no unit of work is left`, `everything left needs what other workers measure`.
        why: String,
    },
    /// It ends.
    Leaving {
        /// Why, for people: `its time is over`, `the engine asked it to`.
        why: String,
    },
}

/// How far a request is; see [`Event::Progress`](crate::protocol::Event::Progress).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct At {
    /// The request key.
    pub key: Digest,
    /// The current stage, for people.
    pub stage: String,
    /// Finished steps of this stage.
    pub step: u64,
    /// Total steps of this stage.
    pub total: u64,
    /// The unit of steps: `step` or `image`.
    pub unit: String,
    /// Estimated seconds left in this stage.
    pub seconds_left: Option<f64>,
    /// Whether the store has a picture of the current state.
    #[serde(default)]
    pub picture: bool,
}

/// A worker's status as it was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// What it says.
    pub status: Status,
    /// How long ago it said so, by the file system's clock.
    pub age: Duration,
}

impl Seen {
    /// How often a worker says what it is doing.
    pub const EVERY: Duration = Duration::from_secs(2);
    /// A worker that has said nothing for this long is taken for lost. Network file systems may show a change a minute late.
    const LOST: Duration = Duration::from_secs(90);

    /// Whether the worker is probably alive.
    pub fn is_alive(&self) -> bool {
        self.age < Self::LOST
    }
}
