//! A job as its engine describes it.

/// A job, which is a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its id, such as `33_4`: the same that the worker says in its status.
    pub id: String,
    /// Its state.
    pub state: State,
    /// Why it is in that state, in the engine's words: `Priority`.
    pub reason: Option<String>,
    /// Why it will never start as things are, and what to do, for people; `None` if it may.
    pub hopeless: Option<String>,
    /// The node that it is on.
    pub node: Option<String>,
}

/// The state of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It waits for its first start.
    Waiting,
    /// It waits to be started again, since it was preempted or its node was lost.
    WaitingAgain,
    /// It is running.
    Running,
    /// It is ending.
    Stopping,
    /// It has ended.
    Ended(Ending),
    /// The engine knows it, in a state of this name.
    Other(String),
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// By itself, without an error.
    Completed,
    /// By itself, with an error, in the engine's words.
    Failed(String),
    /// It was cancelled.
    Cancelled,
    /// Its time was over.
    OutOfTime,
    /// It needed more memory than it had.
    OutOfMemory,
    /// Its node was lost, or it was preempted and will not be started again.
    Lost,
}

impl Job {
    /// Whether a worker is there, or will be.
    pub fn is_alive(&self) -> bool {
        !matches!(self.state, State::Ended(_) | State::Stopping)
    }
}
