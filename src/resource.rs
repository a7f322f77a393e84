//! Weights, data sets and dictionaries by name: resolves names of the configuration to digests and architectures.
//!
//! Each is read once and remembered by its digest; an error is reported at every block that uses the name, and
//! nowhere else. If a site is published from frozen results, no files are read: see [`Facts`].

mod absent;
mod cut;
mod dictionary;
mod facts;
mod fault;
mod font;
mod found;
mod frozen;
mod said;

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use neuronotes_core::canonical::canonical_json;
use neuronotes_core::dataset;
use neuronotes_core::dataset::ledger::Ledger;
use neuronotes_core::dataset::{
    DatasetRef, Format, Labels, Reading, Said, Samples, ShardRef, Table, piece,
};
use neuronotes_core::digest::Digest;
use neuronotes_core::files::FileDigests;
use neuronotes_core::model::ModelRef;
use neuronotes_core::model::{Architecture, Conventions, Header, ModelError, beside, parts};
use neuronotes_core::problem::Problem;
use serde::{Deserialize, Serialize};

use crate::bundled::{self, Bundled};
use crate::config::{Config, DatasetSource, Place, Weights};
use crate::guard;

pub use absent::absent;
pub use facts::{Facts, SCHEMA, Thawed};
pub use font::{draw, shards};
pub use found::{Dataset, Dictionary, Model};

use fault::{absolute, leaves, same_name, unknown, unlisted, unpackable, unreadable};

/// Weights and data sets, read on first use.
#[derive(Debug, Default)]
pub struct Resources {
    models: BTreeMap<String, Result<Model, Problem>>,
    datasets: BTreeMap<String, Result<Dataset, Problem>>,
    dictionaries: BTreeMap<String, Result<Dictionary, Problem>>,
    /// What data sets say of their images, by the digests of their content; `None` for those that cannot be listed.
    said: BTreeMap<Digest, Option<Arc<Said>>>,
    /// Known facts; if set, no files are read.
    thawed: Option<Arc<Thawed>>,
}

impl Resources {
    /// The model with this name.
    ///
    /// # Errors
    /// If the configuration has no such name, or the file is not a usable CLIP.
    pub fn model(
        &mut self,
        config: &Config,
        digests: &mut FileDigests,
        name: &str,
    ) -> Result<Model, Problem> {
        if let Some(known) = self.models.get(name) {
            return known.clone();
        }
        let weights =
            config.model(name).ok_or_else(|| unknown(name, "model", config.model_names()));
        let found = weights.and_then(|weights| {
            if let Some(thawed) = &self.thawed {
                return thawed.model(name, &weights);
            }
            let unusable = |error: ModelError| Problem {
                message: format!("the model `{name}` cannot be used: {error}"),
                hint: error.hint().map(str::to_owned),
            };
            let looked = guard::run("looking at the weights", name, || {
                let path = file(&weights, digests)?;
                let path = parts::locate(&path).map_err(|error| unusable(error.into()))?;
                check(&weights, digests, name, &path)?;
                let header = Header::read(&path).map_err(|error| unusable(error.into()))?;
                let conventions =
                    Conventions::of(&path, &header, &weights.given).map_err(unusable)?;
                let architecture =
                    Architecture::of_header(&header, &conventions).map_err(unusable)?;
                let digest =
                    parts::digest(digests, &path).map_err(|error| unreadable(&path, &error))?;
                let reference = ModelRef { name: name.to_owned(), path, digest, conventions };
                let architecture = Arc::new(architecture);
                Ok(Model { reference, architecture, beside: beside(&header) })
            });
            looked.unwrap_or_else(|panicked| Err(panicked.into()))
        });
        self.models.insert(name.to_owned(), found.clone());
        found
    }

    /// Remarks about usable models, and about dictionaries named like a layer: where their entries are in the configuration,
    /// and the text.
    pub fn notices(&self, config: &Config) -> Vec<(Range<usize>, String)> {
        let notice = |(name, found): (&String, &Result<Model, Problem>)| {
            let beside = found.as_ref().ok()?.beside.as_ref()?;
            let span = config.models.get(name)?.span.clone();
            Some((span, format!("the weights of `{name}` hold more than a CLIP; {beside}")))
        };
        let mut notices: Vec<_> = self.models.iter().filter_map(notice).collect();
        for (name, dictionary) in &config.dictionaries {
            let model = config.model_of(dictionary);
            let Some((model, Ok(found))) = model.and_then(|model| self.models.get_key_value(model))
            else {
                continue;
            };
            if found.architecture.layer(name).is_ok() {
                notices.push((dictionary.span.clone(), same_name(name, model)));
            }
        }
        notices
    }

    /// Forgets everything that was read.
    pub fn forget(&mut self) {
        self.models.clear();
        self.datasets.clear();
        self.said.clear();
    }

    /// Reads everything again that was used before. Returns whether anything has changed, become unusable or become
    /// usable.
    pub fn look_again(&mut self, config: &Config, digests: &mut FileDigests) -> bool {
        let models = std::mem::take(&mut self.models);
        let datasets = std::mem::take(&mut self.datasets);
        let dictionaries = std::mem::take(&mut self.dictionaries);
        self.said.clear();
        let mut changed = false;
        for (name, before) in models {
            changed |= self.model(config, digests, &name) != before;
        }
        for (name, before) in datasets {
            let now = self.looked_at(config, digests, &name);
            changed |= now != before;
        }
        for (name, before) in dictionaries {
            changed |= self.dictionary(config, digests, &name) != before;
        }
        changed
    }

    /// The data set with this name.
    ///
    /// # Errors
    /// If the configuration has no such name, or nothing readable is at its path.
    pub fn dataset(
        &mut self,
        config: &Config,
        digests: &mut FileDigests,
        name: &str,
    ) -> Result<DatasetRef, Problem> {
        self.looked_at(config, digests, name).map(|dataset| dataset.reference)
    }

    /// The same with its ledger.
    ///
    /// # Errors
    /// As for the data set alone.
    pub fn looked_at(
        &mut self,
        config: &Config,
        digests: &mut FileDigests,
        name: &str,
    ) -> Result<Dataset, Problem> {
        if let Some(known) = self.datasets.get(name) {
            return known.clone();
        }
        let named = match (config.datasets.get(name), bundled::dataset(name)) {
            (Some(source), _) => Ok(source),
            (None, Some(bundled)) => {
                let found = self.bundled(digests, name, bundled);
                self.datasets.insert(name.to_owned(), found.clone());
                return found;
            }
            (None, None) => Err(unknown(name, "dataset", config.dataset_names())),
        };
        let found = named.and_then(|source| {
            if let Some(thawed) = &self.thawed {
                let reference = thawed.dataset(name, source)?;
                return Ok(Dataset { reference, ledger: Arc::default() });
            }
            let doing = "looking through the data set";
            let looked = guard::run(doing, name, || look_at(name, source, digests));
            looked.unwrap_or_else(|panicked| Err(panicked.into()))
        });
        self.datasets.insert(name.to_owned(), found.clone());
        found
    }

    /// A bundled data set.
    fn bundled(
        &self,
        digests: &mut FileDigests,
        name: &str,
        bundled: &Bundled,
    ) -> Result<Dataset, Problem> {
        if let Some(thawed) = &self.thawed {
            let reference = thawed.bundled(name)?;
            return Ok(Dataset { reference, ledger: Arc::default() });
        }
        let path = bundled.unpacked(digests).map_err(|error| unpackable(&error))?;
        look_at(name, &DatasetSource::of_file(&path), digests)
    }

    /// The files of a data set that was used, if it is usable.
    pub fn shards(&self, name: &str) -> impl Iterator<Item = &Path> {
        let found = self.datasets.get(name).and_then(|found| found.as_ref().ok());
        found.into_iter().flat_map(|found| &found.reference.shards).map(|shard| &*shard.path)
    }

    /// The ledgers of usable data sets that were used, by name.
    pub fn ledgers(&self) -> BTreeMap<String, Arc<Ledger>> {
        let ledger = |(name, found): (&String, &Result<Dataset, Problem>)| {
            Some((name.clone(), Arc::clone(&found.as_ref().ok()?.ledger)))
        };
        self.datasets.iter().filter_map(ledger).collect()
    }
}

/// The listing of a shard.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Seen {
    ledger: Ledger,
    rules: u32,
}

/// Lists a data set, shard by shard; listings are cached by digest.
fn look_at(
    name: &str,
    source: &DatasetSource,
    digests: &mut FileDigests,
) -> Result<Dataset, Problem> {
    if let Some(written) = source.leaving() {
        return Err(leaves(written));
    }
    let found = font::shards(source)?;
    let (format, labels, mut ledger) = (found.format, source.labels, found.ledger);
    let mut reading = source.reading();
    suits(name, format, &reading)?;
    reading.draw = font::draw(name, source, format, digests)?;
    let mut shards = Vec::new();
    for path in found.paths {
        let digest = (format.digest)(digests, &path, &reading.table).map_err(|error| Problem {
            message: format!("{} cannot be read ({error})", path.display()),
            hint: None,
        })?;
        let rules = dataset::RULES;
        let columns = match reading.table.names_no_column() {
            true => String::new(),
            false => format!("/{}", canonical_json(&reading.table.canonical())),
        };
        let drawn = reading.draw.as_ref().map(|draw| format!("/{}", draw.digest().hex()));
        let drawn = drawn.unwrap_or_default();
        let fact = format!("{}/{}/{labels:?}/{rules}{columns}{drawn}", digest.hex(), format.name);
        let mut listing = None;
        let seen = match digests.fact::<Seen>(&fact) {
            Some(seen) => seen,
            None => {
                let listed = dataset::list(&path, format, &reading).map_err(unlisted)?;
                let seen = Seen { ledger: listed.ledger.clone(), rules: listed.rules };
                digests.remember(fact.clone(), &seen);
                listing = Some(listed);
                seen
            }
        };
        ledger.merge(&seen.ledger);
        let whole = ShardRef { rules: seen.rules, ..ShardRef::new(path, digest) };
        let count = seen.ledger.pictures;
        if format.samples == Samples::Pictures && count > piece::LARGEST as u64 {
            let list = || {
                let list = || dataset::list(&whole.path, format, &reading).map_err(unlisted);
                listing.map_or_else(list, Ok)
            };
            shards.extend(cut::pieces(&whole, &fact, list, digests)?);
            continue;
        }
        let pictures = pictures(digests, format, &whole.path, &reading.table, &digest)?;
        shards.push(ShardRef { pictures, count: Some(count), ..whole });
    }
    if ledger.pictures == 0 {
        let (what, empty) = match (format.samples, format.has_columns) {
            (Samples::Words, _) => ("word", "write one word or phrase per line"),
            (Samples::Pictures, true) => ("readable picture", "the table has no row"),
            (Samples::Pictures, false) => ("readable picture", "there is no file in it"),
        };
        let hint = ledger.left_out().into_iter().next();
        return Err(Problem {
            message: format!("the data set `{name}` has no {what}"),
            hint: hint.or_else(|| Some(empty.to_owned())),
        });
    }
    let reference = DatasetRef {
        name: name.to_owned(),
        format,
        labels,
        table: reading.table,
        draw: reading.draw,
        captions: false,
        shards,
    };
    Ok(Dataset { reference, ledger: Arc::new(ledger) })
}

/// Checks that a data set's entry says nothing that shards of its format do not have.
fn suits(name: &str, format: &Format, reading: &Reading) -> Result<(), Problem> {
    let remove = |field: &str| Some(format!("remove `{field}` in {}", crate::config::FILE));
    if format.samples == Samples::Words && reading.labels == Labels::Folders {
        return Err(Problem {
            message: format!("`{name}` is a list of words, which are not in folders"),
            hint: remove("labels"),
        });
    }
    if !format.has_columns && !reading.table.is_default() {
        let field = if reading.table.names_no_column() { "root" } else { "columns" };
        return Err(Problem {
            message: format!("`{name}` is {}, for which `{field}` has no meaning", format.noun),
            hint: remove(field),
        });
    }
    Ok(())
}

/// The file of a model's weights, which exists.
fn file(weights: &Weights, digests: &mut FileDigests) -> Result<PathBuf, Problem> {
    let known = match &weights.place {
        Place::File(source) => return absolute(source),
        Place::Bundled(bundled) => {
            return bundled.unpacked(digests).map_err(|error| unpackable(&error));
        }
        Place::Known(known) => known,
    };
    let path = known.path().map_err(|nowhere| Problem {
        message: format!("no folder for weights: {nowhere}"),
        hint: Some(format!("set {} to a folder", neuronotes_core::cache::VARIABLE)),
    })?;
    path.canonicalize().map_err(|error| Problem {
        message: match error.kind() {
            ErrorKind::NotFound => {
                format!("the weights of {} were not found: {}", known.name, path.display())
            }
            _ => format!("{} cannot be read ({error})", path.display()),
        },
        hint: Some(format!("`neuronotes model fetch {}` fetches its weights", known.name)),
    })
}

/// Compares a file with the configured digest, if there is one.
fn check(
    weights: &Weights,
    digests: &mut FileDigests,
    name: &str,
    path: &Path,
) -> Result<(), Problem> {
    let Some(expected) = weights.sha256 else { return Ok(()) };
    if let Ok(Some(parts)) = parts::parts(path) {
        let count = parts.files.len();
        return Err(Problem {
            message: format!(
                "the weights of `{name}` are {count} files, but a sha256 is for one file"
            ),
            hint: Some(
                "remove `sha256`; `neuronotes model info` shows the digest of all files".into(),
            ),
        });
    }
    let found = digests.sha256(path).map_err(|error| unreadable(path, &error))?;
    if found == expected {
        return Ok(());
    }
    let file = path.display();
    Err(Problem {
        message: format!(
            "the weights of `{name}` do not match the configured sha256: the sha256 of {file} is {found}, not {expected}"
        ),
        hint: Some(format!("use the right file, or correct `sha256` in {}", crate::config::FILE)),
    })
}

/// The digest of what decides a shard's pixels; `None` if that is the whole shard.
fn pictures(
    digests: &mut FileDigests,
    format: &Format,
    path: &Path,
    table: &Table,
    whole: &Digest,
) -> Result<Option<Digest>, Problem> {
    let Some(digest_of) = format.pictures else { return Ok(None) };
    let pictures = digest_of(digests, path, table).map_err(|error| unreadable(path, &error))?;
    Ok(Some(pictures).filter(|pictures| pictures != whole))
}
