//! One run of the lab as the entities of a Process Run Crate: the action, its instrument, and what it was given.

use jiff::{SignedDuration, Timestamp};
use neuronotes_core::dataset::DatasetRef;
use neuronotes_core::digest::Digest;
use neuronotes_core::model::ModelRef;
use neuronotes_core::request::FileRef;
use neuronotes_core::store::{Provenance, Record};
use serde_json::{Value, json};

/// The name of a record for readers: `feature_vis of unit 545 in visual.layer4.1.add`.
pub(super) fn named(record: &Record) -> String {
    let params = &record.request["params"];
    let unit = params.get("unit").map(|unit| format!(" of unit {unit}"));
    let layer = params.get("layer").and_then(Value::as_str).map(|layer| format!(" in {layer}"));
    format!("{}{}{}", record.kind, unit.unwrap_or_default(), layer.unwrap_or_default())
}

/// The identifier of the run with this key.
pub(super) fn of(key: &Digest) -> String {
    format!("#run-{}", key.hex())
}

/// A moment as the profile wants it: whole seconds, with an offset.
fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string()
}

/// The program that measured.
pub(super) fn lab(made: &Provenance) -> Value {
    json!({
        "@id": format!("#neuronotes-lab-{}-libtorch-{}", made.lab, made.libtorch),
        "@type": "SoftwareApplication",
        "name": "neuronotes-lab",
        "version": made.lab,
        "softwareRequirements": format!("libtorch {}", made.libtorch),
    })
}

/// The weights, which the crate does not contain.
pub(super) fn model(model: &ModelRef) -> Value {
    json!({
        "@id": format!("#weights-{}", model.digest.hex()),
        "@type": "CreativeWork",
        "name": format!("Weights of the model {}", model.name),
        "identifier": format!("blake3:{}", model.digest.hex()),
    })
}

/// A data set, which the crate does not contain.
pub(super) fn dataset(dataset: &DatasetRef) -> Value {
    let digest = dataset.content().hex();
    json!({
        "@id": format!("#data-{digest}"),
        "@type": "CreativeWork",
        "name": format!("Data set {}", dataset.name),
        "identifier": format!("blake3:{digest}"),
    })
}

/// A file that a parameter names, which the crate does not contain.
pub(super) fn input(file: &FileRef) -> Value {
    json!({
        "@id": format!("#file-{}", file.digest.hex()),
        "@type": "CreativeWork",
        "name": file.name,
        "identifier": format!("blake3:{}", file.digest.hex()),
    })
}

/// A parameter of a run.
pub(super) fn parameter(key: &Digest, name: &str, value: &Value) -> Value {
    let value = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    json!({
        "@id": format!("{}-{name}", of(key)),
        "@type": "PropertyValue",
        "name": name,
        "value": value,
    })
}

/// The action. Who ran it is not known, and so not stated.
pub(super) fn action(
    record: &Record,
    instrument: Value,
    objects: Vec<Value>,
    results: Vec<Value>,
) -> Value {
    let made = &record.provenance;
    let device = if made.device_name.is_empty() { &made.device } else { &made.device_name };
    let mut action = json!({
        "@id": of(&record.key),
        "@type": "CreateAction",
        "name": named(record),
        "description": format!(
            "Measured on {device} with {} threads; version {} of the kind {}. The request key is {}.",
            made.threads, record.impl_version, record.kind, record.key.hex()
        ),
        "instrument": instrument,
        "object": objects,
        "result": results,
        "actionStatus": "http://schema.org/CompletedActionStatus",
    });
    if let Ok(started) = made.started.parse::<Timestamp>() {
        let ended = SignedDuration::try_from_secs_f64(made.seconds.max(0.0))
            .ok()
            .and_then(|took| started.checked_add(took).ok());
        action["startTime"] = moment(started).into();
        action["endTime"] = moment(ended.unwrap_or(started)).into();
    }
    action
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_ends_after_the_seconds_that_it_took() {
        let mut record = Record::new(Digest::of(b"a"), "feature_vis", 3, json!({ "params": {} }));
        record.provenance.started = "2026-11-28T16:22:21.75Z".to_owned();
        record.provenance.seconds = 61.5;
        let run = action(&record, json!({}), vec![], vec![]);
        assert_eq!(run["startTime"], "2026-11-28T16:22:21+00:00");
        assert_eq!(run["endTime"], "2026-11-28T16:23:23+00:00");
        record.provenance.started = "yesterday".to_owned();
        let run = action(&record, json!({}), vec![], vec![]);
        assert_eq!((run.get("startTime"), run.get("endTime")), (None, None));
    }
}
