//! Why a result is another: what differs between two requests, in words by which figures are grouped.

use std::collections::BTreeSet;

use neuronotes_core::request::{FileRef, Request};
use neuronotes_core::store::Record;
use serde_json::Value;

use crate::config::{Config, DatasetSource, Place};
use crate::plan::explain::{Change, between, short::short};

/// One side of a comparison: its configuration and a request.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// The request.
    pub request: &'a Request,
}

/// The reasons for which two results may differ, each once, in the order of the alphabet.
pub fn causes(before: Asked<'_>, after: Asked<'_>) -> Vec<String> {
    let mut found = BTreeSet::new();
    collect(&between(before.request, after.request), before, after, &mut found);
    found.into_iter().collect()
}

fn collect(changes: &[Change], before: Asked<'_>, after: Asked<'_>, found: &mut BTreeSet<String>) {
    for change in changes {
        let field = change.field.as_str();
        let side = |value: &Option<Value>| value.as_ref().map_or("nothing".to_owned(), short);
        if field.starts_with("uses: ") {
            // What it uses is another measurement because of something else, which is the reason.
            match change.because.is_empty() {
                true => drop(found.insert("another measurement that it uses".to_owned())),
                false => collect(&change.because, before, after, found),
            }
        } else if field.starts_with("dataset") {
            found.insert(data(before, after));
        } else if field == "model" {
            found.insert(weights(after));
        } else if field.starts_with("conventions") {
            found.insert(format!("the conventions of `{}`", after.request.model.name));
        } else if field == "impl_version" || field == "schema" {
            found.insert(format!("the program: `{}` is computed differently", after.request.kind));
        } else if field == "kind" {
            found.insert(format!("the kind: {} → {}", side(&change.old), side(&change.new)));
        } else if let Some(file) = file(change, before, after) {
            found.insert(file);
        } else {
            let name = field.strip_prefix("params.").unwrap_or(field);
            let name = name.split(['.', '[']).next().unwrap_or(name);
            let values = format!("{} → {}", side(&change.old), side(&change.new));
            found.insert(format!("`{name}`: {values}"));
        }
    }
}

/// The data set's paths as written.
fn data(before: Asked<'_>, after: Asked<'_>) -> String {
    let written = |asked: Asked<'_>| {
        let set = asked.request.dataset.as_ref().or(asked.request.inputs.datasets.first());
        // A block without a data set of its own may use one by another measurement.
        let set = set.or_else(|| asked.request.uses.iter().find_map(|used| used.dataset.as_ref()));
        let name = set.map_or_else(|| "data".to_owned(), |set| set.name.clone());
        asked.config.datasets.get(&name).map(DatasetSource::written).unwrap_or(name)
    };
    let (old, new) = (written(before), written(after));
    if old == new { format!("`{new}`") } else { format!("the data set: `{old}` → `{new}`") }
}

fn weights(after: Asked<'_>) -> String {
    let name = &after.request.model.name;
    let file = after.config.models.get(name).and_then(|weights| match &weights.place {
        Place::File(source) => Some(format!("`{}`", source.written)),
        _ => None,
    });
    file.unwrap_or_else(|| format!("the weights of `{name}`"))
}

/// A file that a parameter names by its digest.
fn file(change: &Change, before: Asked<'_>, after: Asked<'_>) -> Option<String> {
    let named = |asked: Asked<'_>, value: &Option<Value>| {
        let digest = value.as_ref()?.as_str()?.to_owned();
        let inputs = &asked.request.inputs;
        let files = inputs.pictures.iter().chain(&inputs.files).chain(&inputs.dictionaries);
        let found = |file: &&FileRef| file.digest.hex() == digest;
        let file = files.into_iter().find(found).map(|file| file.name.clone());
        let set = || inputs.datasets.iter().find(|set| set.content().hex() == digest);
        file.or_else(|| set().map(|set| set.name.clone()))
    };
    match (named(before, &change.old), named(after, &change.new)) {
        (Some(old), Some(new)) if old == new => Some(format!("`{new}`")),
        (Some(old), Some(new)) => Some(format!("the file: `{old}` → `{new}`")),
        _ => None,
    }
}

/// Why two measurements of the same request have other bytes: where and by what each was made.
pub fn measured_again(before: &Record, after: &Record) -> Vec<String> {
    let (old, new) = (&before.provenance, &after.provenance);
    let device = |made: &neuronotes_core::store::Provenance| {
        if made.device_name.is_empty() { made.device.clone() } else { made.device_name.clone() }
    };
    let mut why = Vec::new();
    let mut put = |what: &str, old: String, new: String| {
        if old != new {
            why.push(format!("measured again with another {what}: {old} → {new}"));
        }
    };
    put("device", device(old), device(new));
    put("libtorch", old.libtorch.clone(), new.libtorch.clone());
    put("lab", old.lab.clone(), new.lab.clone());
    put("number of threads", old.threads.to_string(), new.threads.to_string());
    if why.is_empty() {
        why.push("measured again".to_owned());
    }
    why
}
