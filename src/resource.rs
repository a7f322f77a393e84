//! Weights and data sets by name: the configuration in, digests and architectures out.
//!
//! Each is looked at once and remembered by its digest; what is wrong with one is said at every block that
//! asks for it, and nowhere else. Where a site is published from frozen results, nothing is looked at: see [`Facts`].

mod absent;
mod facts;

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use neuronotes_core::dataset;
use neuronotes_core::dataset::ledger::Ledger;
use neuronotes_core::dataset::{DatasetRef, Format, Labels, Samples, ShardRef};
use neuronotes_core::digest::Digest;
use neuronotes_core::files::FileDigests;
use neuronotes_core::model::ModelRef;
use neuronotes_core::model::{Architecture, Conventions, Header, ModelError, beside, parts};
use neuronotes_core::problem::Problem;
use neuronotes_core::suggest;
use serde::{Deserialize, Serialize};

use crate::bundled::{self, Bundled, Unpackable};
use crate::config::{Config, DatasetSource, Place, Source, Weights};
use crate::guard;

pub use absent::absent;
pub use facts::{DatasetFacts, Facts, ModelFacts, SCHEMA, Thawed};

/// A model that can be used.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// For requests.
    pub reference: ModelRef,
    /// Its layers.
    pub architecture: Arc<Architecture>,
    /// What its files have beside it, for a reader; none where that is nothing, or where they are not at hand.
    pub beside: Option<String>,
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
    models: BTreeMap<String, Result<Model, Problem>>,
    datasets: BTreeMap<String, Result<Dataset, Problem>>,
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

    /// What is to be said of models that can be used: where their entries stand in the configuration, and what.
    pub fn notices(&self, config: &Config) -> Vec<(Range<usize>, String)> {
        let notice = |(name, found): (&String, &Result<Model, Problem>)| {
            let beside = found.as_ref().ok()?.beside.as_ref()?;
            let span = config.models.get(name)?.span.clone();
            Some((span, format!("the weights of `{name}` hold more than a CLIP; {beside}")))
        };
        self.models.iter().filter_map(notice).collect()
    }

    /// Forgets all that was looked at.
    pub fn forget(&mut self) {
        self.models.clear();
        self.datasets.clear();
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
    ) -> Result<DatasetRef, Problem> {
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

    /// A data set that comes with the program.
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
        let source = DatasetSource {
            paths: vec![path.display().to_string()],
            root: PathBuf::new(),
            labels: Labels::Files,
            span: 0..0,
        };
        look_at(name, &source, digests)
    }

    /// The files of a data set that was asked for and can be used.
    pub fn shards(&self, name: &str) -> impl Iterator<Item = &Path> {
        let found = self.datasets.get(name).and_then(|found| found.as_ref().ok());
        found.into_iter().flat_map(|found| &found.reference.shards).map(|shard| &*shard.path)
    }

    /// What was seen in the data sets that were asked for and can be used, by name.
    pub fn ledgers(&self) -> BTreeMap<String, Arc<Ledger>> {
        let ledger = |(name, found): (&String, &Result<Dataset, Problem>)| {
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
) -> Result<Dataset, Problem> {
    if let Some(written) = source.leaving() {
        return Err(leaves(written));
    }
    let found = dataset::shards(&source.root, &source.paths)
        .map_err(|error| Problem { message: error.message, hint: error.hint })?;
    let (format, labels, mut ledger) = (found.format, source.labels, found.ledger);
    if format.samples == Samples::Words && labels == Labels::Folders {
        return Err(Problem {
            message: format!("`{name}` is a list of words, which lie in no folders"),
            hint: Some(format!("leave out `labels` in {}", crate::config::FILE)),
        });
    }
    let mut shards = Vec::new();
    for path in found.paths {
        let digest = (format.digest)(digests, &path).map_err(|error| Problem {
            message: format!("{} cannot be read ({error})", path.display()),
            hint: None,
        })?;
        let rules = dataset::RULES;
        let fact = format!("{}/{}/{labels:?}/{rules}", digest.hex(), format.name);
        let seen = match digests.fact::<Seen>(&fact) {
            Some(seen) => seen,
            None => {
                let listed = dataset::list(&path, format, labels).map_err(|error| {
                    let hint = error.hint().map(str::to_owned);
                    Problem { message: error.to_string(), hint }
                })?;
                let seen = Seen { ledger: listed.ledger, rules: listed.rules };
                digests.remember(fact, &seen);
                seen
            }
        };
        ledger.merge(&seen.ledger);
        let pictures = pictures(digests, format, &path, &digest)?;
        shards.push(ShardRef { path, digest, pictures, rules: seen.rules });
    }
    if ledger.pictures == 0 {
        let what = match format.samples {
            Samples::Words => "word",
            Samples::Pictures => "picture that can be read",
        };
        return Err(Problem {
            message: format!("the data set `{name}` has no {what}"),
            hint: ledger.left_out().into_iter().next(),
        });
    }
    let reference = DatasetRef { name: name.to_owned(), format, labels, captions: false, shards };
    Ok(Dataset { reference, ledger: Arc::new(ledger) })
}

/// A name that is neither in the configuration nor known without it.
fn unknown(name: &str, what: &str, known: Vec<&str>) -> Problem {
    Problem {
        message: format!("the configuration has no {what} `{name}`"),
        hint: suggest::hint(name, known)
            .or_else(|| Some(format!("add it to `{what}s` in {}", crate::config::FILE))),
    }
}

fn unpackable(error: &Unpackable) -> Problem {
    Problem { message: error.to_string(), hint: Some(error.hint()) }
}

/// The file of a model's weights, which is there.
fn file(weights: &Weights, digests: &mut FileDigests) -> Result<PathBuf, Problem> {
    let known = match &weights.place {
        Place::File(source) => return absolute(source),
        Place::Bundled(bundled) => {
            return bundled.unpacked(digests).map_err(|error| unpackable(&error));
        }
        Place::Known(known) => known,
    };
    let path = known.path().map_err(|nowhere| Problem {
        message: format!("there is no folder of weights: {nowhere}"),
        hint: Some(format!("set {} to a folder", neuronotes_core::cache::VARIABLE)),
    })?;
    path.canonicalize().map_err(|error| Problem {
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
) -> Result<(), Problem> {
    let Some(expected) = weights.sha256 else { return Ok(()) };
    if let Ok(Some(parts)) = parts::parts(path) {
        let count = parts.files.len();
        return Err(Problem {
            message: format!(
                "the weights of `{name}` are {count} files, and a sha256 is one file's"
            ),
            hint: Some(
                "take `sha256` away; `neuronotes model info` shows the digest of all".into(),
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
            "the weights of `{name}` are others than those configured: the sha256 of {file} is {found}, not {expected}"
        ),
        hint: Some(format!("bring the right file, or correct `sha256` in {}", crate::config::FILE)),
    })
}

fn absolute(source: &Source) -> Result<PathBuf, Problem> {
    if source.leaves() {
        return Err(leaves(&source.written));
    }
    source.path.canonicalize().map_err(|error| Problem {
        message: format!("`{}` cannot be read ({error})", source.written),
        hint: Some(format!("the path stands in {}", crate::config::FILE)),
    })
}

/// That a path of the configuration climbs out of the garden.
fn leaves(written: &str) -> Problem {
    let message = format!("`{written}` leaves the garden");
    Problem { message, hint: Some(crate::config::INSIDE.to_owned()) }
}

fn unreadable(path: &Path, error: &std::io::Error) -> Problem {
    Problem { message: format!("{} cannot be read ({error})", path.display()), hint: None }
}

/// The digest of what decides a shard's pixels; `None` if that is the whole shard.
fn pictures(
    digests: &mut FileDigests,
    format: &Format,
    path: &Path,
    whole: &Digest,
) -> Result<Option<Digest>, Problem> {
    let Some(digest_of) = format.pictures else { return Ok(None) };
    let pictures = digest_of(digests, path).map_err(|error| unreadable(path, &error))?;
    Ok(Some(pictures).filter(|pictures| pictures != whole))
}
