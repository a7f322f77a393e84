//! What Ray answers: its version, its jobs and its nodes.

use std::collections::BTreeMap;

use neuronotes_core::problem::Problem;
use serde::Deserialize;

use super::resources::{Lack, METADATA, Node, Wants};
use crate::engine::{Ending, Job, State};

/// The oldest version whose jobs can ask for memory.
const OLDEST: (u32, u32) = (2, 9);

/// What `/api/version` answers.
#[derive(Debug, Deserialize)]
pub(super) struct Version {
    ray_version: String,
}

impl Version {
    /// The version, unless it is too old.
    pub(super) fn check(self, address: &str) -> Result<String, Problem> {
        let mut numbers = self.ray_version.split('.').map(|part| part.parse::<u32>().ok());
        let (major, minor) = (numbers.next().flatten(), numbers.next().flatten());
        match major.zip(minor) {
            // A version without numbers is somebody's own.
            Some(version) if version < OLDEST => Err(Problem::new(format!(
                "Ray {} at {address} is too old: its jobs cannot ask for memory",
                self.ray_version
            ))
            .hint(format!("install Ray {}.{} or newer", OLDEST.0, OLDEST.1))),
            _ => Ok(self.ray_version),
        }
    }
}

/// The state of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Status {
    Pending,
    Running,
    Stopped,
    Succeeded,
    Failed,
    #[serde(other)]
    Other,
}

/// A job as Ray lists it. Programs that use Ray themselves are listed too; they have no submission id.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Listed {
    #[serde(default)]
    submission_id: Option<String>,
    pub(super) status: Status,
    #[serde(default)]
    pub(super) message: Option<String>,
    #[serde(default)]
    error_type: Option<String>,
    #[serde(default)]
    metadata: Option<BTreeMap<String, String>>,
    #[serde(default)]
    pub(super) driver_node_id: Option<String>,
    #[serde(default)]
    driver_exit_code: Option<i64>,
}

impl Listed {
    /// Its id; empty if it was not submitted.
    pub(super) fn id(&self) -> &str {
        self.submission_id.as_deref().unwrap_or_default()
    }

    /// The resources that it was submitted with.
    pub(super) fn wants(&self) -> Wants {
        let written = self.metadata.as_ref().and_then(|metadata| metadata.get(METADATA));
        written.and_then(|text| Wants::read(text)).unwrap_or_default()
    }

    /// The job for those who know nothing of Ray. `stopped` says whether it was stopped while it waited; `lack` which resources
    /// it waits for, and whether they will ever come.
    pub(super) fn job(&self, stopped: bool, node: Option<String>, lack: Option<Lack>) -> Job {
        let mut job = Job {
            id: self.id().to_owned(),
            state: State::Waiting,
            reason: None,
            hopeless: None,
            node,
        };
        job.state = match self.status {
            Status::Pending if stopped => State::Ended(Ending::Cancelled),
            Status::Pending => {
                job.reason = Some(match lack {
                    Some(Lack { what, lasting }) => {
                        job.hopeless = lasting.then(|| {
                            format!(
                                "{what}; change `gpus`, `cpus`, `memory` or `resources` of the profile, or add a node to Ray"
                            )
                        });
                        what
                    }
                    None => "waiting for resources".to_owned(),
                });
                State::Waiting
            }
            Status::Running => State::Running,
            Status::Stopped => State::Ended(Ending::Cancelled),
            Status::Succeeded => State::Ended(Ending::Completed),
            Status::Failed => {
                let ending = self.ending();
                job.reason = match &ending {
                    Ending::Failed(why) => Some(why.clone()),
                    _ => self.error_type.clone(),
                };
                State::Ended(ending)
            }
            Status::Other => State::Other("unknown to this version".to_owned()),
        };
        job
    }

    /// How a job that has failed ended.
    fn ending(&self) -> Ending {
        let message = self.message.as_deref().unwrap_or_default();
        match self.error_type.as_deref() {
            Some("JOB_SUPERVISOR_ACTOR_DIED") if message.contains("running low on memory") => {
                Ending::OutOfMemory
            }
            Some("JOB_SUPERVISOR_ACTOR_DIED") => Ending::Lost,
            // The shell says 128 and the signal; Python the signal, negative.
            _ if matches!(self.driver_exit_code, Some(137 | -9)) => {
                Ending::Failed("its program was killed (signal 9), perhaps for its memory".into())
            }
            _ => match self.driver_exit_code {
                Some(code) => Ending::Failed(format!("its program ended with exit code {code}")),
                None => Ending::Failed(first_line(message, self.error_type.as_deref())),
            },
        }
    }
}

fn first_line(message: &str, kind: Option<&str>) -> String {
    let line = message.lines().map(str::trim).find(|line| !line.is_empty());
    let line = line.or(kind).unwrap_or("no reason is given");
    line.chars().take(300).collect()
}

/// What `/api/v0/nodes` answers.
#[derive(Debug, Deserialize)]
pub(super) struct Nodes {
    data: NodesData,
}

#[derive(Debug, Deserialize)]
struct NodesData {
    result: NodesResult,
}

#[derive(Debug, Deserialize)]
struct NodesResult {
    result: Vec<RayNode>,
}

#[derive(Debug, Deserialize)]
struct RayNode {
    node_id: String,
    #[serde(default)]
    node_name: Option<String>,
    #[serde(default)]
    node_ip: Option<String>,
    state: String,
    #[serde(default)]
    resources_total: BTreeMap<String, f64>,
}

impl Nodes {
    /// All nodes, those that are gone among them.
    pub(super) fn all(self) -> Vec<Node> {
        let node = |node: RayNode| Node {
            name: node.node_name.or(node.node_ip).unwrap_or_else(|| node.node_id.clone()),
            id: node.node_id,
            alive: node.state == "ALIVE",
            resources: node.resources_total,
        };
        self.data.result.result.into_iter().map(node).collect()
    }
}

/// What `/api/cluster_status` answers, as far as it tells whether something adds nodes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ClusterStatus {
    data: ClusterData,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClusterData {
    cluster_status: Option<Cluster>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cluster {
    autoscaler_report: Option<Report>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    node_type_mapping: Option<BTreeMap<String, String>>,
}

impl ClusterStatus {
    /// Whether nothing adds nodes: a Ray without an autoscaler calls the type of each node after the node itself.
    pub(super) fn is_fixed(&self) -> bool {
        let report = self.data.cluster_status.as_ref().and_then(|s| s.autoscaler_report.as_ref());
        let types = report.and_then(|report| report.node_type_mapping.as_ref());
        types.is_some_and(|types| {
            !types.is_empty() && types.iter().all(|(id, kind)| *kind == format!("node_{id}"))
        })
    }
}
