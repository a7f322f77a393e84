//! The ledger: what a client has submitted to the engine, so that one that is started again finds its workers.

use serde::{Deserialize, Serialize};

/// What was submitted to the engine.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Ledger {
    /// The engine's name, such as `Slurm`.
    pub engine: String,
    /// Every submission that may still have jobs, the oldest first.
    pub submitted: Vec<Submitted>,
    /// How many submissions there were: the number of the next one.
    pub count: u64,
}

/// One submission.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Submitted {
    /// The engine's ids.
    pub jobs: Vec<String>,
    /// How many workers.
    pub workers: u32,
    /// When, RFC 3339, UTC, by the client's clock.
    pub time: String,
    /// The name of the probe that its worker checks first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<String>,
}
