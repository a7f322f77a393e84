//! The resources that a job asks for, and whether any node of Ray has them.

use std::collections::{BTreeMap, BTreeSet};

use neuronotes_core::problem::Problem;

use crate::config::Profile;

/// The name in a job's metadata under which its resources are kept.
pub(super) const METADATA: &str = "neuronotes-resources";
const CPU: &str = "CPU";
const GPU: &str = "GPU";
const MEMORY: &str = "memory";

/// Resources that a job asks for, by Ray's names; memory in bytes.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Wants(BTreeMap<String, f64>);

impl Wants {
    /// What a profile asks for. A job that asks for nothing runs on the head, as all others do: so each asks for one processor.
    pub(super) fn of(profile: &Profile) -> Result<Self, Problem> {
        let mut wants = BTreeMap::from([(CPU.to_owned(), f64::from(profile.cpus.unwrap_or(1)))]);
        if let Some(gpus) = profile.gpus.filter(|gpus| *gpus > 0) {
            wants.insert(GPU.to_owned(), f64::from(gpus));
        }
        if let Some(memory) = &profile.memory {
            wants.insert(MEMORY.to_owned(), bytes(memory)? as f64);
        }
        wants.extend(profile.resources.clone());
        Ok(Self(wants))
    }

    /// Reads what [`Wants::text`] has written.
    pub(super) fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok().map(Self)
    }

    pub(super) fn text(&self) -> String {
        serde_json::json!(self.0).to_string()
    }

    pub(super) fn cpus(&self) -> Option<f64> {
        self.0.get(CPU).copied()
    }

    pub(super) fn gpus(&self) -> Option<f64> {
        self.0.get(GPU).copied()
    }

    /// Bytes.
    pub(super) fn memory(&self) -> Option<u64> {
        self.0.get(MEMORY).map(|bytes| *bytes as u64)
    }

    /// Those that Ray has no field of its own for.
    pub(super) fn others(&self) -> BTreeMap<&str, f64> {
        let own = |name: &str| [CPU, GPU, MEMORY].contains(&name);
        self.0.iter().filter(|(name, _)| !own(name)).map(|(name, n)| (name.as_str(), *n)).collect()
    }
}

/// Resources that a waiting job asks for and no node has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lack {
    /// What there is not, and what there is.
    pub(super) what: String,
    /// Whether nothing adds nodes.
    pub(super) lasting: bool,
}

/// A node of Ray.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) alive: bool,
    pub(super) resources: BTreeMap<String, f64>,
}

/// The nodes of Ray.
#[derive(Debug)]
pub(super) struct Cluster {
    nodes: Vec<Node>,
    fixed: bool,
}

impl Cluster {
    /// `fixed` says whether nothing adds nodes.
    pub(super) fn new(mut nodes: Vec<Node>, fixed: bool) -> Self {
        nodes.retain(|node| node.alive);
        Self { nodes, fixed }
    }

    /// What a job waits for, if no node has it even when nothing else runs.
    pub(super) fn lack(&self, wants: &Wants) -> Option<Lack> {
        let has = |node: &Node, name: &str, wanted: f64| {
            node.resources.get(name).copied().unwrap_or(0.0) >= wanted
        };
        let fits = |node: &Node| wants.0.iter().all(|(name, wanted)| has(node, name, *wanted));
        if self.nodes.is_empty() || self.nodes.iter().any(fits) {
            return None;
        }
        let nowhere: BTreeMap<&str, f64> = wants
            .0
            .iter()
            .filter(|(name, wanted)| !self.nodes.iter().any(|node| has(node, name, **wanted)))
            .map(|(name, wanted)| (name.as_str(), *wanted))
            .collect();
        let (wanted, together) = if nowhere.is_empty() {
            (wants.0.iter().map(|(name, wanted)| (name.as_str(), *wanted)).collect(), " together")
        } else {
            (nowhere, "")
        };
        let all: Vec<String> = wanted.iter().map(|(name, n)| amount(name, *n)).collect();
        let what = format!(
            "no node of Ray has {}{together} (there {})",
            all.join(" and "),
            self.shown(wants)
        );
        Some(Lack { what, lasting: self.fixed })
    }

    /// What the nodes have of what is wanted, equal nodes once.
    fn shown(&self, wants: &Wants) -> String {
        let of = |node: &Node| {
            let parts: Vec<String> = wants
                .0
                .keys()
                .map(|name| amount(name, node.resources.get(name).copied().unwrap_or(0.0)))
                .collect();
            parts.join(", ")
        };
        let kinds: BTreeSet<String> = self.nodes.iter().map(of).collect();
        let count = self.nodes.len();
        let most = 4;
        let more = if kinds.len() > most { " and others" } else { "" };
        let kinds: Vec<&str> = kinds.iter().map(String::as_str).take(most).collect();
        let (are, nodes) = if count == 1 { ("is", "node") } else { ("are", "nodes") };
        format!("{are} {count} {nodes}, with {}{more}", kinds.join("; "))
    }
}

/// An amount for people: `1 GPU`, `32 GB of memory`, `1 n7`.
fn amount(name: &str, number: f64) -> String {
    match name {
        MEMORY => format!("{} of memory", sized(number)),
        _ => format!("{number} {name}"),
    }
}

fn sized(bytes: f64) -> String {
    let units = [("TB", 1e12), ("GB", 1e9), ("MB", 1e6)];
    let found = units.iter().find(|(_, size)| bytes >= *size);
    match found {
        Some((unit, size)) => {
            let number = format!("{:.1}", bytes / size);
            format!("{} {unit}", number.trim_end_matches(".0"))
        }
        None => format!("{bytes} bytes"),
    }
}

/// The bytes of `32G`, `500M` or `1.5 TiB`. Letters alone are binary, as Slurm's are.
fn bytes(text: &str) -> Result<u64, Problem> {
    let wrong = || {
        Problem::new(format!("`memory: {text}` is no amount of memory"))
            .hint("write it as `memory: 32G`")
    };
    let text = text.trim();
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let number: f64 = number.parse().map_err(|_| wrong())?;
    let power = |base: f64, exponent: i32| base.powi(exponent);
    let factor = match unit.trim().to_ascii_lowercase().as_str() {
        // As Slurm reads a number alone.
        "" | "m" | "mib" => power(1024.0, 2),
        "b" => 1.0,
        "k" | "kib" => 1024.0,
        "g" | "gib" => power(1024.0, 3),
        "t" | "tib" => power(1024.0, 4),
        "kb" => 1e3,
        "mb" => 1e6,
        "gb" => 1e9,
        "tb" => 1e12,
        _ => return Err(wrong()),
    };
    let bytes = (number * factor).round();
    if (1.0..1e18).contains(&bytes) { Ok(bytes as u64) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::EngineName;

    fn node(resources: &[(&str, f64)]) -> Node {
        let resources = resources.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect();
        Node { id: "i".into(), name: "n".into(), alive: true, resources }
    }

    fn profile() -> Profile {
        Profile::new(EngineName::Ray, 0..0)
    }

    #[test]
    fn a_job_asks_for_a_processor_at_least() {
        let wants = Wants::of(&profile()).expect("resources");
        assert_eq!((wants.cpus(), wants.gpus(), wants.memory()), (Some(1.0), None, None));
        let mut all = profile();
        all.cpus = Some(8);
        all.gpus = Some(2);
        all.memory = Some("32G".into());
        all.resources.insert("n1".into(), 0.5);
        let wants = Wants::of(&all).expect("resources");
        assert_eq!(
            (wants.cpus(), wants.gpus(), wants.memory()),
            (Some(8.0), Some(2.0), Some(32 << 30))
        );
        assert_eq!(wants.others(), BTreeMap::from([("n1", 0.5)]));
        assert_eq!(Wants::read(&wants.text()), Some(wants));
        all.memory = Some("much".into());
        assert!(Wants::of(&all).is_err());
    }

    #[test]
    fn memory_is_read_as_slurm_reads_it() {
        for (text, expected) in [
            ("32G", 32 << 30),
            ("500", 500 << 20),
            ("1.5 TiB", 3 << 39),
            ("2GB", 2_000_000_000),
            ("7b", 7),
        ] {
            assert_eq!(bytes(text), Ok(expected), "{text}");
        }
        for wrong in ["", "G", "-1G", "32Q", "0", "1e9", "nan", "99999999999T"] {
            assert!(bytes(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_no_node_has_is_named() {
        let nodes =
            vec![node(&[("CPU", 4.0), ("memory", 8e9)]), node(&[("CPU", 2.0), ("GPU", 1.0)])];
        let cluster = Cluster::new(nodes, true);
        let lack = |wants: &[(&str, f64)]| {
            let wants = wants.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect();
            cluster.lack(&Wants(wants)).map(|lack| lack.what)
        };
        assert_eq!(lack(&[("CPU", 4.0)]), None);
        assert_eq!(lack(&[("CPU", 2.0), ("GPU", 1.0)]), None);
        let said = lack(&[("CPU", 2.0), ("GPU", 2.0)]);
        let expected =
            "no node of Ray has 2 GPU (there are 2 nodes, with 2 CPU, 1 GPU; 4 CPU, 0 GPU)";
        assert_eq!(said.as_deref(), Some(expected));
        let said = lack(&[("CPU", 4.0), ("GPU", 1.0)]).unwrap_or_default();
        assert!(said.starts_with("no node of Ray has 4 CPU and 1 GPU together"), "{said}");
        let said = lack(&[("memory", 9.5e9)]).unwrap_or_default();
        assert!(said.starts_with("no node of Ray has 9.5 GB of memory"), "{said}");
        // Nodes that are gone have nothing, and before the first one is there nothing is known.
        let gone = Node { alive: false, ..node(&[("n7", 1.0)]) };
        let wants = Wants(BTreeMap::from([("n7".to_owned(), 1.0)]));
        assert!(Cluster::new(vec![gone.clone(), node(&[])], false).lack(&wants).is_some());
        assert_eq!(Cluster::new(vec![gone], true).lack(&wants), None);
    }
}
