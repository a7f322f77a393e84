//! Profiles: how workers are started on other machines (`run:` in the configuration).

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

/// What starts workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EngineName {
    /// Processes of this machine.
    Local,
    /// Slurm, through its commands.
    Slurm,
    /// Ray, through its jobs' HTTP interface.
    Ray,
}

/// How workers are started.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// What starts them.
    pub engine: EngineName,
    /// How many workers, at least 1.
    pub workers: u32,
    /// How many of them at once; `None` for as many as the engine starts.
    pub concurrency: Option<u32>,
    /// The device of each worker: `auto`, `cpu` or `cuda:N`.
    pub device: String,
    /// The time that a worker has.
    pub time: Option<Duration>,
    /// GPUs of a worker.
    pub gpus: Option<u32>,
    /// Processor cores of a worker.
    pub cpus: Option<u32>,
    /// Memory of a worker, in the engine's notation: `32G`.
    pub memory: Option<String>,
    /// How long a worker without work stays.
    pub idle: Duration,
    /// Slurm's partition.
    pub partition: Option<String>,
    /// Slurm's account.
    pub account: Option<String>,
    /// Options for the engine's command, passed on as they are.
    pub options: Vec<String>,
    /// Lines at the start of a job, such as `module load cuda`.
    pub head: Option<String>,
    /// Ray's address: `http://127.0.0.1:8265`.
    pub address: Option<String>,
    /// The environment variable that holds Ray's token.
    pub token: Option<String>,
    /// Ray's own resources that a worker needs.
    pub resources: BTreeMap<String, f64>,
    /// The worker's program on its machine; `None` for the path that it has here.
    pub lab: Option<PathBuf>,
    /// The store's folder on the worker's machine; `None` for the path that it has here.
    pub store: Option<PathBuf>,
    /// Span of the name in the configuration.
    pub span: Range<usize>,
}

impl Profile {
    /// A profile with everything left to the engine.
    pub fn new(engine: EngineName, span: Range<usize>) -> Self {
        Self {
            engine,
            workers: 1,
            concurrency: None,
            device: "auto".into(),
            time: None,
            gpus: None,
            cpus: None,
            memory: None,
            idle: Duration::from_secs(60),
            partition: None,
            account: None,
            options: Vec::new(),
            head: None,
            address: None,
            token: None,
            resources: BTreeMap::new(),
            lab: None,
            store: None,
            span,
        }
    }
}

/// All of them.
pub(super) const ENGINES: [EngineName; 3] = [EngineName::Local, EngineName::Slurm, EngineName::Ray];
/// The fields, and whether Local, Slurm and Ray have them.
const FIELDS: [(&str, [bool; 3]); 18] = [
    ("engine", [true, true, true]),
    ("workers", [true, true, true]),
    ("concurrency", [false, true, false]),
    ("device", [true, true, true]),
    ("time", [true, true, true]),
    ("gpus", [true, true, true]),
    ("cpus", [true, true, true]),
    ("memory", [false, true, true]),
    ("idle", [true, true, true]),
    ("partition", [false, true, false]),
    ("account", [false, true, false]),
    ("options", [false, true, false]),
    ("head", [false, true, true]),
    ("address", [false, false, true]),
    ("token", [false, false, true]),
    ("resources", [false, false, true]),
    ("lab", [true, true, true]),
    ("store", [false, true, true]),
];
impl EngineName {
    /// As it is written.
    pub fn written(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Slurm => "slurm",
            Self::Ray => "ray",
        }
    }

    /// The one that is written so.
    pub(super) fn named(text: &str) -> Option<Self> {
        ENGINES.into_iter().find(|engine| engine.written() == text)
    }

    /// The fields of its profiles.
    pub(super) fn fields(self) -> Vec<&'static str> {
        let has = |(_, engines): &&(&str, [bool; 3])| engines[self as usize];
        FIELDS.iter().filter(has).map(|(field, _)| *field).collect()
    }

    /// The engines whose profiles have this field.
    pub(super) fn with(field: &str) -> Vec<&'static str> {
        let engines = FIELDS.iter().find(|(name, _)| *name == field).map(|(_, engines)| engines);
        let has = |engine: &Self| engines.is_some_and(|engines| engines[*engine as usize]);
        ENGINES.into_iter().filter(has).map(Self::written).collect()
    }
}
