//! Facts about weights and data that planning needs: recorded where the files are, used where a site is only
//! published.
//!
//! Facts about a name whose configuration has changed since are not used.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use neuronotes_core::dataset::{DatasetRef, Draw, Format, Labels, Piece, ShardRef, Table};
use neuronotes_core::digest::Digest;
use neuronotes_core::model::ModelRef;
use neuronotes_core::model::{Architecture, Conventions};
use neuronotes_core::problem::Problem;
use neuronotes_core::request::FileRef;
use neuronotes_core::store::Store;
use serde::{Deserialize, Serialize};

use super::found::Model;
use crate::bundled;
use crate::config::{DatasetSource, DictionarySource, Place, Weights};

/// Version of the file's format.
pub const SCHEMA: u32 = 1;

/// Facts about weights and data by name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Models that notes name.
    pub models: BTreeMap<String, ModelFacts>,
    /// Data sets that notes name.
    pub datasets: BTreeMap<String, DatasetFacts>,
    /// Dictionaries that notes name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub dictionaries: BTreeMap<String, DictionaryFacts>,
    /// Pictures and files of weights that blocks name, by path in the garden.
    pub files: BTreeMap<String, Digest>,
}

/// Facts about a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelFacts {
    /// Its entry in the configuration.
    pub configured: String,
    /// Digest of its file.
    pub digest: Digest,
    /// Its preprocessing and other conventions.
    pub conventions: Conventions,
    /// Its sizes, which determine its layers.
    pub architecture: Architecture,
}

/// Facts about a data set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatasetFacts {
    /// Its entry in the configuration.
    pub configured: String,
    /// Its format.
    pub format: &'static Format,
    /// The source of its labels.
    #[serde(default, skip_serializing_if = "Labels::is_default")]
    pub labels: Labels,
    /// How the rows of a table are read.
    #[serde(default, skip_serializing_if = "Table::is_default")]
    pub table: Table,
    /// How words are drawn, without the paths of fonts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub draw: Option<Draw>,
    /// Digests of its shards, in order.
    pub shards: Vec<Digest>,
    /// Digests of the shards' pictures alone, if they differ; empty if they were frozen before keys used these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pictures: Vec<Option<Digest>>,
    /// The version of the reading rules for each shard; empty if the first version applies to all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<u32>,
    /// Which piece of a shard each is; empty if none is cut.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pieces: Vec<Option<Piece>>,
}

/// Facts about a dictionary.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DictionaryFacts {
    /// Its entry in the configuration.
    pub configured: String,
    /// The digest of its file.
    pub digest: Digest,
    /// Its number of features.
    pub features: u32,
}

/// Facts and the store that they came with.
#[derive(Debug, Clone)]
pub struct Thawed {
    /// The facts.
    pub facts: Facts,
    /// Results, and lists of words as blobs, whose digests are those of the files.
    pub store: Store,
}

const HINT: &str = "run `neuronotes freeze` where the weights and data are to update it";

pub(super) fn stale(message: String) -> Problem {
    Problem { message, hint: Some(HINT.to_owned()) }
}

fn same(what: &str, name: &str, then: &str, now: &str) -> Result<(), Problem> {
    if then == now {
        return Ok(());
    }
    Err(stale(format!(
        "the {what} `{name}` is configured differently than when the results were frozen: {now}, not {then}"
    )))
}

/// A model's entry in the configuration, in one line.
pub(super) fn of_weights(weights: &Weights) -> String {
    let mut entry = serde_json::Map::new();
    match &weights.place {
        Place::File(source) => entry.insert("path".into(), source.written.clone().into()),
        Place::Known(known) => entry.insert("known".into(), known.name.into()),
        Place::Bundled(_) => entry.insert("known".into(), bundled::MODEL.into()),
    };
    let given = &weights.given;
    let others = [
        ("sha256", weights.sha256.map(|digest| digest.to_string().into())),
        ("activation", given.activation.map(|activation| activation.name().into())),
        ("mean", given.mean.map(|mean| serde_json::json!(mean))),
        ("deviation", given.deviation.map(|deviation| serde_json::json!(deviation))),
    ];
    let others = others.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    entry.extend(others);
    neuronotes_core::canonical::canonical_json(&entry.into())
}

/// The placeholder for the entry of a bundled data set.
pub(super) const BUNDLED: &str = "comes with the program";

impl Thawed {
    pub(super) fn model(&self, name: &str, weights: &Weights) -> Result<Model, Problem> {
        let Some(known) = self.facts.models.get(name) else {
            return Err(stale(format!("the model `{name}` is not among the frozen results")));
        };
        same("model", name, &known.configured, &of_weights(weights))?;
        let reference = ModelRef {
            name: name.to_owned(),
            path: PathBuf::new(),
            digest: known.digest,
            conventions: known.conventions.clone(),
        };
        Ok(Model { reference, architecture: Arc::new(known.architecture.clone()), beside: None })
    }

    pub(super) fn dataset(
        &self,
        name: &str,
        source: &DatasetSource,
    ) -> Result<DatasetRef, Problem> {
        self.configured_as(name, &source.written())
    }

    /// A data set that comes with the program.
    pub(super) fn bundled(&self, name: &str) -> Result<DatasetRef, Problem> {
        self.configured_as(name, BUNDLED)
    }

    /// A dictionary's file and its number of features.
    pub(super) fn dictionary(
        &self,
        name: &str,
        source: &DictionarySource,
    ) -> Result<(FileRef, u32), Problem> {
        let Some(known) = self.facts.dictionaries.get(name) else {
            return Err(stale(format!("the dictionary `{name}` is not among the frozen results")));
        };
        same("dictionary", name, &known.configured, &source.written())?;
        let (name, path, digest) = (name.to_owned(), PathBuf::new(), known.digest);
        Ok((FileRef { name, path, digest }, known.features))
    }

    fn configured_as(&self, name: &str, entry: &str) -> Result<DatasetRef, Problem> {
        let Some(known) = self.facts.datasets.get(name) else {
            return Err(stale(format!("the data set `{name}` is not among the frozen results")));
        };
        same("data set", name, &known.configured, entry)?;
        let shard = |(at, digest): (usize, &Digest)| ShardRef {
            path: self.store.blob_path(digest),
            digest: *digest,
            pictures: known.pictures.get(at).copied().flatten(),
            rules: known.rules.get(at).copied().unwrap_or(1),
            piece: known.pieces.get(at).cloned().flatten(),
            count: None,
        };
        let shards = known.shards.iter().enumerate().map(shard).collect();
        let (format, labels, table) = (known.format, known.labels, known.table.clone());
        let (name, draw, captions) = (name.to_owned(), known.draw.clone(), false);
        Ok(DatasetRef { name, format, labels, table, draw, captions, shards })
    }
}
