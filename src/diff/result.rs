//! What differs between two stored results of a kind: numbers, texts, lists, histograms and pictures.

use std::collections::BTreeSet;

use neuronotes_core::kind::Kind;
use neuronotes_core::store::{Record, Store};
use serde::Serialize;
use serde_json::Value;

use super::histogram::{self, Histogram, HistogramChange};
use super::list::{self, ListChange};
use super::number::{self, NumberChange, WordChange};
use super::picture::{self, PictureChange};
use crate::figure::Drawing;

/// What differs between two results.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ResultChange {
    /// Numbers, those that prose can show first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub numbers: Vec<NumberChange>,
    /// Texts, such as the predicted class.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<WordChange>,
    /// Lists.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lists: Vec<ListChange>,
    /// Histograms.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub histograms: Vec<HistogramChange>,
    /// Pictures.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pictures: Vec<PictureChange>,
}

/// A result with its drawing and its store.
#[derive(Clone, Copy)]
pub struct Measured<'a> {
    /// Its record.
    pub record: &'a Record,
    /// Its drawing.
    pub drawing: &'a Drawing,
    /// The store that both are from.
    pub store: &'a Store,
}

/// Whether two results have the same bytes, as far as pages show them.
pub fn is_same(before: &Record, after: &Record) -> bool {
    let shown = |record: &Record| {
        let all = record.outputs.iter().filter(|(name, output)| output.is_shown(name));
        all.map(|(name, output)| (name.clone(), output.digest)).collect::<BTreeSet<_>>()
    };
    before.kind == after.kind && shown(before) == shown(after)
}

/// What differs between two results of a kind.
pub fn compare(kind: &Kind, before: Measured<'_>, after: Measured<'_>) -> ResultChange {
    let mut change = ResultChange::default();
    let raw = |measured: Measured<'_>| measured.record.result::<Value>(measured.store);
    let (old, new) = (raw(before), raw(after));
    let tree = |value: &Option<Value>| kind.values.tree(value.clone()?).ok();
    if let (Some(old), Some(new)) = (tree(&old), tree(&new)) {
        change.walk("", Some(&old), Some(&new));
    }
    if let (Some(old), Some(new)) = (&old, &new) {
        change.overlay("", old, new);
    }
    // What the drawn histograms show.
    let shown = |histogram: &HistogramChange| {
        let dot = if histogram.path.is_empty() { "" } else { "." };
        ["edges[", "images_in_bucket["].map(|name| format!("{}{dot}{name}", histogram.path))
    };
    let shown: Vec<String> = change.histograms.iter().flat_map(shown).collect();
    change.numbers.retain(|one| !shown.iter().any(|start| one.path.starts_with(start.as_str())));
    change.pictures =
        picture::compare((before.drawing, before.store), (after.drawing, after.store));
    change
}

impl ResultChange {
    /// How large the change is, from 0 to 1.
    pub fn size(&self) -> f64 {
        let numbers = self.numbers.iter().map(NumberChange::size);
        let words = self.words.iter().map(|_| 1.0);
        let lists = self.lists.iter().map(ListChange::size);
        let histograms = self.histograms.iter().map(|change| change.moved.unwrap_or(1.0));
        let pictures = self.pictures.iter().map(PictureChange::size);
        numbers.chain(words).chain(lists).chain(histograms).chain(pictures).fold(0.0, f64::max)
    }

    fn walk(&mut self, path: &str, before: Option<&Value>, after: Option<&Value>) {
        if before == after {
            return;
        }
        match (before, after) {
            (Some(Value::Object(old)), Some(Value::Object(new))) => {
                let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
                for name in names {
                    let dot = if path.is_empty() { "" } else { "." };
                    self.walk(&format!("{path}{dot}{name}"), old.get(name), new.get(name));
                }
            }
            (Some(Value::Array(old)), Some(Value::Array(new))) => self.items(path, old, new),
            _ => number::compare(path, before, after, &mut self.numbers, &mut self.words),
        }
    }

    fn items(&mut self, path: &str, old: &[Value], new: &[Value]) {
        if let Some(by) = list::key(old, new) {
            let (change, both) = list::compare(path, &by, old, new);
            if !change.is_empty() {
                self.lists.push(change);
            }
            for (from, to) in both {
                let at = format!("{path}[{to}]");
                self.walk(&at, old.get(from), new.get(to));
            }
            return;
        }
        for at in 0..old.len().max(new.len()) {
            self.walk(&format!("{path}[{at}]"), old.get(at), new.get(at));
        }
    }

    /// Finds histograms, which are known by their edges and counts.
    fn overlay(&mut self, path: &str, old: &Value, new: &Value) {
        if let (Some(before), Some(after)) = (Histogram::read(old), Histogram::read(new)) {
            self.histograms.extend(histogram::compare(path, before, after));
        }
        if let (Value::Object(old), Value::Object(new)) = (old, new) {
            for (name, old) in old {
                let dot = if path.is_empty() { "" } else { "." };
                if let Some(new) = new.get(name) {
                    self.overlay(&format!("{path}{dot}{name}"), old, new);
                }
            }
        }
    }
}
