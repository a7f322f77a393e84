//! A scan: the pooled activations of all units of a layer over one shard of a data set, a record of its
//! own that other kinds read. No note asks for one by name.
//!
//! Outputs: `activations.safetensors` with `mean` and `max`, each `[images, units]` f16, and `embedding`,
//! `[images, embedding]` f16, not normalised; `samples.json`, a [`Sample`] a row; `moments.json`, [`Moments`].

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ledger::Ledger;
use crate::request::{DatasetRef, Inputs, ModelRef, Precision, Request};

/// The name in requests and records.
pub const NAME: &str = "scan";
/// Raised when the same parameters give another result.
pub const IMPL_VERSION: u32 = 2;
/// The output with the numbers.
pub const ACTIVATIONS: &str = "activations.safetensors";
/// The output with a [`Sample`] a row.
pub const SAMPLES: &str = "samples.json";

/// The output with [`Moments`].
pub const MOMENTS: &str = "moments.json";

/// What decides a scan, beside the weights and the shard.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Canonical spelling.
    pub layer: String,
}

/// What is known of one row of a scan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// Its key in the shard.
    pub key: String,
    /// Its caption.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caption: Option<String>,
    /// Its label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

/// What one says of every unit's distribution over the rows: small, so that a page can read it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moments {
    /// Rows.
    pub count: u64,
    /// Of the mean over positions.
    pub mean: Distribution,
    /// Of the greatest over positions.
    pub max: Distribution,
}

/// Means and standard deviations (of the population), one a unit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Distribution {
    /// Mean over rows.
    pub mean: Vec<f64>,
    /// Standard deviation over rows.
    pub sd: Vec<f64>,
}

/// What came out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Rows.
    pub count: u64,
    /// Images that could not be decoded, with the reason; they have no row.
    pub skipped: Vec<(String, String)>,
    /// What was seen in the shard; none of those that were measured before ledgers were kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<Ledger>,
}

/// The scans that a question about `layer` over `dataset` rests on, one a shard.
pub fn requests(
    model: &ModelRef,
    dataset: &DatasetRef,
    layer: &str,
    precision: Precision,
) -> Vec<Request> {
    let params = serde_json::to_value(Params { layer: layer.to_owned() });
    let Ok(Value::Object(params)) = params else { unreachable!("a struct is an object") };
    (0..dataset.shards.len())
        .map(|index| Request {
            kind: NAME.to_owned(),
            impl_version: IMPL_VERSION,
            params: params.clone(),
            model: model.clone(),
            dataset: Some(dataset.shard(index)),
            inputs: Inputs::default(),
            uses: Vec::new(),
            precision,
        })
        .collect()
}
