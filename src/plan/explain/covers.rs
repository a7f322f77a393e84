//! What a request key covers, in a readable form.

use std::fmt::Write as _;

use neuronotes_core::dataset::DatasetRef;
use neuronotes_core::digest::Digest;
use neuronotes_core::kind::term::DIRECTION;
use neuronotes_core::model::Precision;
use neuronotes_core::request::Request;
use serde::Serialize;
use serde_json::{Map, Value};

use super::short::short;
use crate::field::direction_shown;
use crate::measure::progress::describe;

/// How many used requests, or changes, are listed as text.
pub(super) const LISTED: usize = 20;

/// What a request key covers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Covers {
    /// The version of the kind's computation.
    pub impl_version: u32,
    /// Every parameter, defaults filled in.
    pub params: Map<String, Value>,
    /// The direction among them in words, with the names of other blocks.
    #[serde(skip)]
    pub direction: Option<String>,
    /// The model's name.
    pub model: String,
    /// Digest of its weights.
    pub weights: Digest,
    /// The data set's name and the digests of its shards, if it uses one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dataset: Option<(String, Vec<Digest>)>,
    /// The number of pieces that each shard is cut into, if one is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pieces: Vec<usize>,
    /// The dictionary that its place is, and the digest of its file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dictionary: Option<(String, Digest)>,
    /// Precision of the forward pass.
    pub precision: Precision,
    /// The requests that it uses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub uses: Vec<(String, Digest)>,
}

impl Covers {
    pub(super) fn of(request: &Request) -> Self {
        let shards = |dataset: &DatasetRef| {
            // A request for one piece names it whatever its number.
            let all: Vec<Digest> = dataset.files().iter().map(|(shard, _)| shard.digest).collect();
            if all.is_empty() { dataset.shards.iter().map(|s| s.digest).collect() } else { all }
        };
        let dataset = request.dataset.as_ref();
        let pieces = dataset.map(|dataset| dataset.files().iter().map(|(_, of)| *of).collect());
        let pieces = pieces.filter(|all: &Vec<usize>| all.iter().any(|of| *of > 1));
        Self {
            impl_version: request.impl_version,
            params: request.params.clone(),
            direction: request
                .params
                .get(DIRECTION)
                .map(|terms| direction_shown(terms, &request.inputs)),
            model: request.model.name.clone(),
            weights: request.model.digest,
            dataset: dataset.map(|dataset| (dataset.name.clone(), shards(dataset))),
            pieces: pieces.unwrap_or_default(),
            dictionary: request
                .inputs
                .dictionaries
                .first()
                .map(|file| (file.name.clone(), file.digest)),
            precision: request.precision,
            uses: request.uses.iter().map(|used| (describe(used), used.key())).collect(),
        }
    }

    pub(super) fn write(&self, out: &mut String) {
        let _ = writeln!(out, "  model   {} {}", self.model, self.weights);
        if let Some((name, shards)) = &self.dataset {
            for (at, digest) in shards.iter().enumerate() {
                let pieces = self.pieces.get(at).filter(|pieces| **pieces > 1);
                let pieces = pieces.map(|of| format!(" in {of} pieces")).unwrap_or_default();
                let _ = writeln!(out, "  data    {name} {digest}{pieces}");
            }
        }
        if let Some((name, digest)) = &self.dictionary {
            let _ = writeln!(out, "  dictionary {name} {digest}");
        }
        for (what, key) in self.uses.iter().take(LISTED) {
            let _ = writeln!(out, "  uses    {what} {key}");
        }
        if let more @ 1.. = self.uses.len().saturating_sub(LISTED) {
            let _ = writeln!(out, "  uses    {more} more, which `--format json` lists");
        }
        let _ = writeln!(out, "  params  precision: {}", self.precision.name());
        for (name, value) in &self.params {
            let words = self.direction.as_ref().filter(|_| name == DIRECTION);
            let shown = words.cloned().unwrap_or_else(|| short(value));
            let _ = writeln!(out, "          {name}: {shown}");
        }
    }
}
