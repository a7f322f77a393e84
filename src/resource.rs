//! Weights and data sets by name: the configuration in, digests and architectures out.
//!
//! Each is looked at once and remembered by its digest; what is wrong with one is said at every block that
//! asks for it, and nowhere else. Where a site is published from frozen results, nothing is looked at: see [`Facts`].

mod facts;

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::analysis::ledger::Ledger;
use crate::config::{Config, DatasetSource, Place, Source, Weights};
use crate::dataset;
use crate::digest::{Digest, FileDigests};
use crate::model::{Architecture, Conventions, Header, ModelError};
use crate::request::{DatasetFormat, DatasetRef, Labels, ModelRef, ShardRef};
use crate::suggest;

pub use facts::{DatasetFacts, Facts, ModelFacts, SCHEMA, Thawed};

/// Why a name cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceError {
    /// What is wrong.
    pub message: String,
    /// What to do, where that is known.
    pub hint: Option<String>,
}

/// A model that can be used.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// For requests.
    pub reference: ModelRef,
    /// Its layers.
    pub architecture: Arc<Architecture>,
}

/// A data set that can be used.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// For requests.
    pub reference: DatasetRef,
    /// What was seen in it; nothing where only frozen results are published.
    pub ledger: Arc<Ledger>,
}

/// Weights and data sets, looked at when first asked for.
#[derive(Debug, Default)]
pub struct Resources {
    models: BTreeMap<String, Result<Model, ResourceError>>,
    datasets: BTreeMap<String, Result<Dataset, ResourceError>>,
    /// What is known without looking; then nothing is looked at.
    thawed: Option<Arc<Thawed>>,
}

impl Resources {
    /// The model of that name.
    ///
    /// # Errors
    /// Where the configuration has no such name, or the file is not a CLIP that can be used.
    pub fn model(
        &mut self,
        config: &Config,
        digests: &mut FileDigests,
        name: &str,
    ) -> Result<Model, ResourceError> {
        if let Some(known) = self.models.get(name) {
            return known.clone();
        }
        let found = find(&config.models, name, "model").and_then(|weights| {
            if let Some(thawed) = &self.thawed {
                return thawed.model(name, weights);
            }
            let path = file(weights)?;
            check(weights, digests, name, &path)?;
            let unusable = |error: ModelError| ResourceError {
                message: format!("the model `{name}` cannot be used: {error}"),
                hint: error.hint().map(str::to_owned),
            };
            let header = Header::read(&path).map_err(|error| unusable(error.into()))?;
            let conventions = Conventions::of(&path, &header, &weights.given).map_err(unusable)?;
            let architecture = Architecture::of_header(&header, &conventions).map_err(unusable)?;
            let digest = digest(digests, &path)?;
            let reference = ModelRef { name: name.to_owned(), path, digest, conventions };
            Ok(Model { reference, architecture: Arc::new(architecture) })
        });
        self.models.insert(name.to_owned(), found.clone());
        found
    }

    /// Looks at all again that was asked for before. Says whether any is another now, or cannot be used any more, or can.
    pub fn look_again(&mut self, config: &Config, digests: &mut FileDigests) -> bool {
        let models = std::mem::take(&mut self.models);
        let datasets = std::mem::take(&mut self.datasets);
        let mut changed = false;
        for (name, before) in models {
            changed |= self.model(config, digests, &name) != before;
        }
        for (name, before) in datasets {
            let now = self.looked_at(config, digests, &name);
            changed |= now != before;
        }
        changed
    }

    /// The data set of that name.
    ///
    /// # Errors
    /// Where the configuration has no such name, or nothing that can be read lies there.
    pub fn dataset(
        &mut self,
        config: &Config,
        digests: &mut FileDigests,
        name: &str,
    ) -> Result<DatasetRef, ResourceError> {
        self.looked_at(config, digests, name).map(|dataset| dataset.reference)
    }

    /// The same with what was seen in it.
    ///
    /// # Errors
    /// Likewise.
    pub fn looked_at(
        &mut self,
        config: &Config,
        digests: &mut FileDigests,
        name: &str,
    ) -> Result<Dataset, ResourceError> {
        if let Some(known) = self.datasets.get(name) {
            return known.clone();
        }
        let found = find(&config.datasets, name, "dataset").and_then(|source| {
            if let Some(thawed) = &self.thawed {
                let reference = thawed.dataset(name, source)?;
                return Ok(Dataset { reference, ledger: Arc::default() });
            }
            look_at(name, source, digests)
        });
        self.datasets.insert(name.to_owned(), found.clone());
        found
    }

    /// The files of a data set that was asked for and can be used.
    pub fn shards(&self, name: &str) -> impl Iterator<Item = &Path> {
        let found = self.datasets.get(name).and_then(|found| found.as_ref().ok());
        found.into_iter().flat_map(|found| &found.reference.shards).map(|shard| &*shard.path)
    }

    /// What was seen in the data sets that were asked for and can be used, by name.
    pub fn ledgers(&self) -> BTreeMap<String, Arc<Ledger>> {
        let ledger = |(name, found): (&String, &Result<Dataset, ResourceError>)| {
            Some((name.clone(), Arc::clone(&found.as_ref().ok()?.ledger)))
        };
        self.datasets.iter().filter_map(ledger).collect()
    }
}

/// What was found in a shard by listing it.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Seen {
    ledger: Ledger,
    rules: u32,
}

/// Looks through a data set, shard by shard; what was seen in one is remembered by its content.
fn look_at(
    name: &str,
    source: &DatasetSource,
    digests: &mut FileDigests,
) -> Result<Dataset, ResourceError> {
    let found = dataset::shards(&source.root, &source.paths)
        .map_err(|error| ResourceError { message: error.message, hint: error.hint })?;
    let (format, labels, mut ledger) = (found.format, source.labels, found.ledger);
    if format == DatasetFormat::Words && labels == Labels::Folders {
        return Err(ResourceError {
            message: format!("`{name}` is a list of words, which lie in no folders"),
            hint: Some(format!("leave out `labels` in {}", crate::config::FILE)),
        });
    }
    let mut shards = Vec::new();
    for path in found.paths {
        let digest = match format {
            DatasetFormat::Folder => digests.folder(&path),
            DatasetFormat::Tar | DatasetFormat::Words => digests.digest(&path),
        };
        let digest = digest.map_err(|error| ResourceError {
            message: format!("{} cannot be read ({error})", path.display()),
            hint: None,
        })?;
        let rules = dataset::RULES;
        let fact = format!("{}/{format:?}/{labels:?}/{rules}", digest.hex());
        let seen = match digests.fact::<Seen>(&fact) {
            Some(seen) => seen,
            None => {
                let listed = dataset::list(&path, format, labels).map_err(|error| {
                    let hint = error.hint().map(str::to_owned);
                    ResourceError { message: error.to_string(), hint }
                })?;
                let seen = Seen { ledger: listed.ledger, rules: listed.rules };
                digests.remember(fact, &seen);
                seen
            }
        };
        ledger.merge(&seen.ledger);
        shards.push(ShardRef { rules: seen.rules, ..ShardRef::new(path, digest) });
    }
    if ledger.pictures == 0 {
        let what = if format == DatasetFormat::Words { "word" } else { "picture that can be read" };
        return Err(ResourceError {
            message: format!("the data set `{name}` has no {what}"),
            hint: ledger.left_out().into_iter().next(),
        });
    }
    let reference = DatasetRef { name: name.to_owned(), format, labels, shards };
    Ok(Dataset { reference, ledger: Arc::new(ledger) })
}

fn find<'a, T>(
    sources: &'a BTreeMap<String, T>,
    name: &str,
    what: &str,
) -> Result<&'a T, ResourceError> {
    sources.get(name).ok_or_else(|| ResourceError {
        message: format!("the configuration has no {what} `{name}`"),
        hint: suggest::hint(name, sources.keys())
            .or_else(|| Some(format!("add it to `{what}s` in {}", crate::config::FILE))),
    })
}

/// The file of a model's weights, which is there.
fn file(weights: &Weights) -> Result<PathBuf, ResourceError> {
    let known = match &weights.place {
        Place::File(source) => return absolute(source),
        Place::Known(known) => known,
    };
    let path = known.path().map_err(|nowhere| ResourceError {
        message: format!("there is no folder of weights: {nowhere}"),
        hint: Some(format!("set {} to a folder", crate::cache::VARIABLE)),
    })?;
    path.canonicalize().map_err(|error| ResourceError {
        message: match error.kind() {
            ErrorKind::NotFound => {
                format!("the weights of {} are not there: {}", known.name, path.display())
            }
            _ => format!("{} cannot be read ({error})", path.display()),
        },
        hint: Some(format!("`neuronotes model fetch {}` brings its weights", known.name)),
    })
}

/// Compares a file with the digest that the configuration may have for it.
fn check(
    weights: &Weights,
    digests: &mut FileDigests,
    name: &str,
    path: &Path,
) -> Result<(), ResourceError> {
    let Some(expected) = weights.sha256 else { return Ok(()) };
    let found = digests.sha256(path).map_err(|error| ResourceError {
        message: format!("{} cannot be read ({error})", path.display()),
        hint: None,
    })?;
    if found == expected {
        return Ok(());
    }
    let file = path.display();
    Err(ResourceError {
        message: format!(
            "the weights of `{name}` are others than those configured: the sha256 of {file} is {found}, not {expected}"
        ),
        hint: Some(format!("bring the right file, or correct `sha256` in {}", crate::config::FILE)),
    })
}

fn absolute(source: &Source) -> Result<PathBuf, ResourceError> {
    source.path.canonicalize().map_err(|error| ResourceError {
        message: format!("`{}` cannot be read ({error})", source.written),
        hint: Some(format!("the path stands in {}", crate::config::FILE)),
    })
}

fn digest(digests: &mut FileDigests, path: &Path) -> Result<Digest, ResourceError> {
    digests.digest(path).map_err(|error| ResourceError {
        message: format!("{} cannot be read ({error})", path.display()),
        hint: None,
    })
}
