//! The explanation of a block: its results, and how each differs from the last one.

use std::fmt::Write as _;

use neuronotes_core::digest::Digest;
use neuronotes_core::request::Request;
use neuronotes_core::store::{Record, Root, Store};
use serde::Serialize;
use serde_json::Value;

use super::covers::{Covers, LISTED};
use super::short::short;
use crate::measure::progress::describe;
use crate::note::{Block, Note};
use crate::plan::{Cell, Measurement, Plan, Wanted};

/// The explanation of a block.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explained {
    /// `note.md#id`.
    pub block: String,
    /// Its location, such as `notes/note.md:12:1`.
    pub place: String,
    /// Its kind; empty if it has none.
    pub kind: String,
    /// Its results: one, or one for each value of a sweep.
    pub results: Vec<Explanation>,
    /// The block's error, if it has one.
    pub problems: Vec<String>,
}

/// The explanation of one result.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// Its values in the sweep.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// The request key.
    pub key: Digest,
    /// The fields that the key covers.
    pub covers: Covers,
    /// Its provenance, if it is stored.
    pub stored: Option<Made>,
    /// The block's last result, if it differs.
    pub last: Option<Made>,
    /// What changed since the last result.
    pub changes: Vec<Change>,
}

/// The provenance of a result.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Made {
    /// Its request key.
    pub key: Digest,
    /// Time of the start, as RFC 3339.
    pub started: String,
    /// `cpu` or `cuda:N`.
    pub device: String,
    /// The device's name as given by its vendor.
    pub device_name: String,
    /// The vector instructions of a processor that were used, if known.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub instructions: String,
    /// Duration in seconds.
    pub seconds: f64,
    /// The version of the program that measured it.
    pub lab: String,
    /// The version of libtorch that it used.
    pub libtorch: String,
}

/// A field that the key covers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// Its path, such as `params.steps`.
    pub field: String,
    /// The old value, if any.
    pub old: Option<Value>,
    /// The new value, if any.
    pub new: Option<Value>,
    /// The changes in the request with this key, if the field is one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub because: Vec<Change>,
}

pub(super) fn of_block(
    (plan, note, block): (&Plan, &Note, &Block),
    wanted: &Wanted,
    store: &Store,
    root: Option<&Root>,
) -> Explained {
    let name = format!("{}#{}", note.path, block.id);
    let last = root.and_then(|root| root.blocks.get(&name)).map_or(&[][..], Vec::as_slice);
    let of = |at: Option<String>, measurement: &Measurement| {
        of_measurement(at, measurement, store, last)
    };
    let (results, problems) = match wanted {
        Wanted::Measurement(measurement) => (vec![of(None, measurement)], vec![]),
        Wanted::Sweep(sweep) => {
            let cell = |cell: &Cell| of(Some(plan.caption(cell)), &cell.measurement);
            (sweep.cells.iter().map(cell).collect(), vec![])
        }
        Wanted::Nothing(problems) => (vec![], problems.iter().map(|p| p.to_string()).collect()),
    };
    Explained {
        block: name,
        place: note.at().error(block.span.clone(), "").place(),
        kind: block.kind.map_or("", |kind| kind.name).to_owned(),
        results,
        problems,
    }
}

fn of_measurement(
    at: Option<String>,
    measurement: &Measurement,
    store: &Store,
    last: &[Digest],
) -> Explanation {
    let key = measurement.key;
    let stored = store.record(&key).map(|record| Made::of(&record));
    let covers = Covers::of(&measurement.request);
    let mut explanation = Explanation { at, key, covers, stored, last: None, changes: vec![] };
    if !last.contains(&key) {
        let before = last.iter().filter_map(|key| store.record_alone(key));
        let compared = before.map(|record| (changes(&record, &measurement.request, store), record));
        // Of a sweep's results, the one that this one differs least from.
        if let Some((changes, record)) = compared.min_by_key(|(changes, _)| weight(changes)) {
            explanation.last = Some(Made::of(&record));
            explanation.changes = changes;
        }
    }
    explanation
}

pub(super) fn weight(changes: &[Change]) -> usize {
    changes.iter().map(|change| 1 + weight(&change.because)).sum()
}

/// The differences between the fields that a request's key and a result's key cover, including those of used
/// requests.
fn changes(before: &Record, now: &Request, store: &Store) -> Vec<Change> {
    let mut found = Vec::new();
    let (mut old, mut new) = (before.request.clone(), now.canonical());
    for request in [&mut old, &mut new] {
        request.as_object_mut().map(|fields| fields.remove("uses"));
    }
    compare("", &old, &new, &mut found);
    let mut gone: Vec<Digest> = before.uses().collect();
    let mut came = Vec::new();
    for used in &now.uses {
        let key = used.key();
        match gone.iter().position(|old| *old == key) {
            Some(at) => drop(gone.remove(at)),
            None => came.push((key, used)),
        }
    }
    for (key, used) in came {
        let alike = |(at, old): (usize, &Digest)| {
            let record = store.record_alone(old).filter(|record| record.kind == used.kind)?;
            Some((changes(&record, used, store), at))
        };
        let nearest = gone.iter().enumerate().filter_map(alike);
        let nearest = nearest.min_by_key(|(changes, _)| weight(changes));
        let (because, old) = match nearest {
            Some((because, at)) => (because, Some(gone.remove(at))),
            None => (vec![], None),
        };
        let (old, new) = (old.map(|key| key.hex().into()), Some(key.hex().into()));
        found.push(Change { field: format!("uses: {}", describe(used)), old, new, because });
    }
    for key in gone {
        let kind =
            store.record_alone(&key).map_or("a result that is no longer stored".into(), |r| r.kind);
        let (field, old) = (format!("uses: {kind}"), Some(key.hex().into()));
        found.push(Change { field, old, new: None, because: vec![] });
    }
    found
}

/// All parts in which two values differ.
pub(super) fn compare(field: &str, old: &Value, new: &Value, found: &mut Vec<Change>) {
    match (old, new) {
        _ if old == new => {}
        (Value::Object(before), Value::Object(now)) => {
            let names = before.keys().chain(now.keys().filter(|name| !before.contains_key(*name)));
            for name in names {
                let inner = if field.is_empty() { name.clone() } else { format!("{field}.{name}") };
                match (before.get(name), now.get(name)) {
                    (Some(old), Some(new)) => compare(&inner, old, new, found),
                    (old, new) => {
                        let (old, new) = (old.cloned(), new.cloned());
                        found.push(Change { field: inner, old, new, because: vec![] });
                    }
                }
            }
        }
        (Value::Array(before), Value::Array(now)) if before.len() == now.len() => {
            for (index, (old, new)) in before.iter().zip(now).enumerate() {
                compare(&format!("{field}[{index}]"), old, new, found);
            }
        }
        _ => found.push(Change {
            field: field.to_owned(),
            old: Some(old.clone()),
            new: Some(new.clone()),
            because: vec![],
        }),
    }
}

impl Explained {
    /// Text for a terminal.
    pub fn text(&self) -> String {
        let mut out = format!("{} ({}): {}\n", self.block, self.kind, self.place);
        for problem in &self.problems {
            let _ = writeln!(out, "  error: {problem}");
        }
        for result in &self.results {
            if let Some(at) = &result.at {
                let _ = writeln!(out, "  {at}");
            }
            let _ = writeln!(out, "  key     {}", result.key);
            result.covers.write(&mut out);
            match (&result.stored, &result.last) {
                (Some(made), _) => drop(writeln!(out, "  stored  {}", made.text())),
                (None, Some(_)) => out.push_str("  not measured yet\n"),
                (None, None) => out.push_str("  never measured\n"),
            }
            if let Some(last) = &result.last {
                let _ = writeln!(out, "  before  {} ({})", last.text(), last.key.short());
                out.push_str("  changed since then:\n");
                list(&mut out, &result.changes, 4);
            }
        }
        let _ = writeln!(out, "  by      neuronotes {}", env!("CARGO_PKG_VERSION"));
        out
    }
}

impl Made {
    /// That of a record.
    pub fn of(record: &Record) -> Self {
        let how = &record.provenance;
        Self {
            key: record.key,
            started: how.started.clone(),
            device: how.device.clone(),
            device_name: how.device_name.clone(),
            instructions: how.instructions.clone(),
            seconds: how.seconds,
            lab: how.lab.clone(),
            libtorch: how.libtorch.clone(),
        }
    }

    fn text(&self) -> String {
        let name = match self.device_name.as_str() {
            "" => String::new(),
            name if self.instructions.is_empty() => format!(" ({name})"),
            name => format!(" ({name}, {})", self.instructions),
        };
        let mut by = String::new();
        if !self.lab.is_empty() {
            by = format!(", by neuronotes-lab {} with libtorch {}", self.lab, self.libtorch);
        }
        format!("{} on {}{name}, {:.1} s{by}", self.started, self.device, self.seconds)
    }
}

fn list(out: &mut String, changes: &[Change], indent: usize) {
    for change in changes.iter().take(LISTED) {
        let side = |value: &Option<Value>| value.as_ref().map_or("nothing".to_owned(), short);
        let meaning = meaning(&change.field).map(|text| format!(" ({text})")).unwrap_or_default();
        let (old, new) = (side(&change.old), side(&change.new));
        let _ = writeln!(out, "{:indent$}{}: {old} → {new}{meaning}", "", change.field);
        list(out, &change.because, indent + 2);
    }
    if let more @ 1.. = changes.len().saturating_sub(LISTED) {
        let _ = writeln!(out, "{:indent$}{more} more, which `--format json` lists", "");
    }
}

/// The meaning of a field other than a parameter.
fn meaning(field: &str) -> Option<&'static str> {
    match field {
        "schema" => Some("the format of requests changed"),
        "impl_version" => Some("the analysis changed"),
        "model" => Some("the weights"),
        "precision" => Some("the precision"),
        _ if field.starts_with("conventions") => Some("the model's conventions"),
        _ if field.starts_with("dataset.shards") => Some("the data"),
        _ if field.starts_with("dataset.draw") => Some("how words are drawn"),
        _ => None,
    }
}
