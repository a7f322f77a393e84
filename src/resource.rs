//! Weights and data sets by name: the configuration in, digests and architectures out.
//!
//! Each is looked at once and remembered by its digest; what is wrong with one is said at every block that
//! asks for it, and nowhere else. Where a site is published from frozen results, nothing is looked at: see [`Facts`].

mod absent;
mod facts;

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use walkdir::WalkDir;

use crate::bundled::{self, Bundled, Unpackable};
use crate::config::{Config, Place, Source, Weights};
use crate::digest::{Digest, FileDigests};
use crate::model::{Architecture, Conventions, Header, ModelError};
use crate::request::{DatasetFormat, DatasetRef, ModelRef, ShardRef};
use crate::suggest;

pub use absent::absent;
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

/// Weights and data sets, looked at when first asked for.
#[derive(Debug, Default)]
pub struct Resources {
    models: BTreeMap<String, Result<Model, ResourceError>>,
    datasets: BTreeMap<String, Result<DatasetRef, ResourceError>>,
    /// What is known without looking; then nothing is looked at.
    thawed: Option<Arc<Thawed>>,
}

/// Endings of files that a folder of pictures is made of.
const PICTURES: [&str; 6] = ["png", "jpg", "jpeg", "webp", "gif", "bmp"];

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
        let weights =
            config.model(name).ok_or_else(|| unknown(name, "model", config.model_names()));
        let found = weights.and_then(|weights| {
            if let Some(thawed) = &self.thawed {
                return thawed.model(name, &weights);
            }
            let path = file(&weights, digests)?;
            check(&weights, digests, name, &path)?;
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
            changed |= self.dataset(config, digests, &name) != before;
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
                return thawed.dataset(name, source);
            }
            let path = absolute(source)?;
            let (format, digest) = if path.is_dir() {
                (DatasetFormat::Folder, folder_digest(digests, &path)?)
            } else {
                (format_of(&path)?, digest(digests, &path)?)
            };
            let shards = vec![ShardRef { path, digest }];
            Ok(DatasetRef { name: name.to_owned(), format, shards })
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
    ) -> Result<DatasetRef, ResourceError> {
        if let Some(thawed) = &self.thawed {
            return thawed.bundled(name);
        }
        let path = bundled.unpacked(digests).map_err(|error| unpackable(&error))?;
        let shards = vec![ShardRef { path, digest: bundled.digest }];
        let format = if bundled.is_list() { DatasetFormat::Words } else { DatasetFormat::Tar };
        Ok(DatasetRef { name: name.to_owned(), format, shards })
    }
}

/// A name that is neither in the configuration nor known without it.
fn unknown(name: &str, what: &str, known: Vec<&str>) -> ResourceError {
    ResourceError {
        message: format!("the configuration has no {what} `{name}`"),
        hint: suggest::hint(name, known)
            .or_else(|| Some(format!("add it to `{what}s` in {}", crate::config::FILE))),
    }
}

fn unpackable(error: &Unpackable) -> ResourceError {
    ResourceError { message: error.to_string(), hint: Some(error.hint()) }
}

/// The file of a model's weights, which is there.
fn file(weights: &Weights, digests: &mut FileDigests) -> Result<PathBuf, ResourceError> {
    let known = match &weights.place {
        Place::File(source) => return absolute(source),
        Place::Bundled(bundled) => {
            return bundled.unpacked(digests).map_err(|error| unpackable(&error));
        }
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

fn format_of(path: &Path) -> Result<DatasetFormat, ResourceError> {
    match path.extension().and_then(|e| e.to_str()) {
        Some("tar") => Ok(DatasetFormat::Tar),
        Some("txt") => Ok(DatasetFormat::Words),
        _ => Err(ResourceError {
            message: format!("{} is not a data set", path.display()),
            hint: Some(
                "known: a folder of pictures, a WebDataset `.tar`, a `.txt` list of words".into(),
            ),
        }),
    }
}

/// The digest of a folder of pictures.
///
/// # Errors
/// Where a file cannot be read, or there is no picture.
fn folder_digest(digests: &mut FileDigests, folder: &Path) -> Result<Digest, ResourceError> {
    let is_picture = |entry: walkdir::DirEntry| {
        let ending = entry.path().extension().and_then(|e| e.to_str()).map(str::to_lowercase);
        ending.is_some_and(|ending| PICTURES.contains(&ending.as_str()))
    };
    if !WalkDir::new(folder).into_iter().filter_map(Result::ok).any(is_picture) {
        return Err(ResourceError {
            message: format!("{} has no pictures", folder.display()),
            hint: Some(format!("files that count end in {}", PICTURES.join(", "))),
        });
    }
    digests.folder(folder).map_err(|error| ResourceError {
        message: format!("{} cannot be read ({error})", folder.display()),
        hint: None,
    })
}
