//! A bench: one request in; its inputs, checked against the digests that its key names, and its record out.
//!
//! Knows nothing of what is measured on it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use neuronotes_core::dataset::Sample;
use neuronotes_core::dataset::ShardError;
use neuronotes_core::dataset::{DatasetRef, Samples};
use neuronotes_core::digest::Digest;
use neuronotes_core::kind::scan::Pool;
use neuronotes_core::kind::{Kind, Origin, scan};
use neuronotes_core::model::{Architecture, parts};
use neuronotes_core::request::Request;
use neuronotes_core::store::{Record, Store};

use crate::clip::{BatchNorm, Clip, Loading};
use crate::dataset::{self, Shard};
use crate::failure::Failure;
use crate::monitor::{Monitor, Progress};
use crate::picture::Picture;
use crate::session::{Input, Session};
use crate::table::{Embedded, Scanned};

/// A result that other measurements can use.
pub trait Used: Sized {
    /// What it is a result of.
    const KIND: &'static Kind;

    /// Reads a stored result for a model; `Ok(None)` where a blob is gone or damaged.
    ///
    /// # Errors
    /// Where it is of another form, or for another model.
    fn read(store: &Store, record: &Record, clip: &Clip) -> Result<Option<Self>, Failure>;
}

/// What one measurement works with. Inputs are read through it, so that their digests are checked.
pub struct Workbench<'a> {
    /// What is measured.
    pub request: &'a Request,
    /// Takes the outputs.
    pub record: Record,
    /// Watches.
    pub monitor: &'a mut dyn Monitor,
    session: &'a Session,
    read: Vec<(PathBuf, Input, Digest)>,
}

impl<'a> Workbench<'a> {
    /// For a request, with an empty record.
    pub(crate) fn new(
        request: &'a Request,
        monitor: &'a mut dyn Monitor,
        session: &'a Session,
    ) -> Self {
        let (key, canonical) = (request.key(), request.canonical());
        let record = Record::new(key, &request.kind, request.impl_version, canonical);
        Self { request, record, monitor, session, read: Vec::new() }
    }

    /// The store that takes the outputs.
    pub fn store(&self) -> Store {
        // A store is no more than a path.
        self.session.store().clone()
    }

    /// The model, on the session's device; read only where it is not there any more.
    ///
    /// # Errors
    /// Where the file is missing, not the one asked for, or no CLIP.
    pub fn clip(&mut self) -> Result<Rc<Clip>, Failure> {
        let model = &self.request.model;
        self.check_input(&model.path, Input::Weights, model.digest)?;
        let layer = self.request.params.get("layer").and_then(|layer| layer.as_str());
        let layer = layer.and_then(|layer| self.architecture().ok()?.layer(layer).ok());
        let loading = Loading {
            precision: self.request.precision,
            norm: match layer.is_some_and(|layer| layer.stage.splits_norm()) {
                true => BatchNorm::Apart,
                false => BatchNorm::Folded,
            },
            ..Loading::new(self.session.device.torch, model.conventions.clone())
        };
        let mut residents = self.session.residents.borrow_mut();
        if let Some(clip) = residents.get(model.digest, &loading) {
            return Ok(clip);
        }
        self.monitor.progress(&Progress::beginning(&format!("loading {}", model.name)));
        // Before it is loaded, since two at once might not fit. A file is about as large as what is in it.
        residents.make_room(parts::size(&model.path));
        let clip = Rc::new(Clip::load(&model.path, loading)?);
        residents.add(model.digest, &clip);
        Ok(clip)
    }

    /// The sizes of the model, whose file has been checked.
    fn architecture(&self) -> Result<Architecture, Failure> {
        let model = &self.request.model;
        Architecture::of_file(&model.path, &model.conventions)
            .map_err(|error| Failure::outside(error.to_string()))
    }

    /// The data set that the request names.
    ///
    /// # Errors
    /// Where it names none.
    pub fn dataset(&self) -> Result<&'a DatasetRef, Failure> {
        let dataset = self.request.dataset.as_ref();
        dataset.ok_or_else(|| Failure::new("the request names no data set"))
    }

    /// Opens a shard of the request's data set.
    ///
    /// # Errors
    /// Where it is missing, not the one asked for, or cannot be read at all.
    pub fn shard(&mut self, index: usize) -> Result<Box<dyn Shard>, Failure> {
        self.shard_of(self.dataset()?, index)
    }

    /// Opens a shard of a data set that the request names.
    ///
    /// # Errors
    /// Likewise.
    pub fn shard_of(
        &mut self,
        dataset: &DatasetRef,
        index: usize,
    ) -> Result<Box<dyn Shard>, Failure> {
        let Some(shard) = dataset.shards.get(index) else {
            return Err(Failure::new(format!("the data set has no shard {index}")));
        };
        let format = dataset.format;
        let (input, digest) = match shard.pictures {
            Some(pictures) if !dataset.captions => (Input::Pictures(format), pictures),
            _ => (Input::Shard(format), shard.digest),
        };
        self.check_input(&shard.path, input, digest)?;
        let side = match format.samples {
            // Words are drawn as large as the model's input.
            Samples::Words => {
                let model = &self.request.model;
                self.check_input(&model.path, Input::Weights, model.digest)?;
                self.architecture()?.image_size
            }
            Samples::Pictures => 0,
        };
        dataset::open(&shard.path, format, dataset.labels, side).map_err(|error| {
            let hint = error.hint();
            let failure = match error {
                ShardError::Io { .. } => Failure::outside(error.to_string()),
                ShardError::Malformed { .. } | ShardError::Instead { .. } => {
                    Failure::new(error.to_string())
                }
            };
            match hint {
                Some(hint) => failure.hint(hint),
                None => failure,
            }
        })
    }

    /// What is said of each picture of a shard of the request's data set, by the picture's key.
    ///
    /// # Errors
    /// As [`Workbench::shard`].
    pub fn said(&mut self, index: usize) -> Result<HashMap<String, Sample>, Failure> {
        let shard = self.shard(index)?;
        let samples = shard.samples().iter();
        Ok(samples.map(|sample| (sample.key.clone(), sample.clone())).collect())
    }

    /// One unit over the whole data set, a [`Scanned`] a shard, out of the scans that the request uses.
    ///
    /// # Errors
    /// Where the request does not use the scans of its layer, or the layer has no such unit.
    pub fn scans(&mut self, layer: &str, unit: u32, pool: Pool) -> Result<Vec<Scanned>, Failure> {
        let wanted =
            scan::requests(&self.request.model, self.dataset()?, layer, self.request.precision);
        let used = &self.request.uses;
        wanted
            .iter()
            .map(|request| {
                let key = request.key();
                if !used.iter().any(|used| used.key() == key) {
                    let why = "the request does not use the scans of its layer and data set";
                    return Err(Failure::new(why));
                }
                self.stored(request, |store, record| {
                    Scanned::read(store, record, layer, unit, pool)
                })
            })
            .collect()
    }

    /// The embeddings of a data set's images, an [`Embedded`] a shard, out of the scans that the request uses; or, where
    /// a layer is named, the activations there, averaged over positions.
    ///
    /// # Errors
    /// Where the request uses no scans of that data set.
    pub fn embeddings(
        &mut self,
        dataset: &DatasetRef,
        layer: Option<&str>,
    ) -> Result<Vec<Embedded>, Failure> {
        let used = &self.request.uses;
        (0..dataset.shards.len())
            .map(|index| {
                let shard = dataset.pictures().shard(index).content();
                let of_shard = |request: &&Request| {
                    let own = request.dataset.as_ref().map(DatasetRef::content);
                    let its = request.params.get("layer").and_then(|layer| layer.as_str());
                    let right = layer.is_none_or(|layer| its == Some(layer));
                    request.kind == scan::NAME && own == Some(shard) && right
                };
                let request = used.iter().find(of_shard).ok_or_else(|| {
                    Failure::new("the request does not use the scans of its data set")
                })?;
                let table = if layer.is_some() { "mean" } else { "embedding" };
                self.stored(request, |store, record| Embedded::read(store, record, table))
            })
            .collect()
    }

    /// The results of other blocks that the request uses by a field, in the order in which the block names them.
    ///
    /// # Errors
    /// Where one is of another kind, or of another form.
    pub fn used<K: Used>(&mut self, field: &str, clip: &Clip) -> Result<Vec<K>, Failure> {
        let request = self.request;
        let one = |used: &Request| {
            if used.kind != K::KIND.name {
                let (its, name) = (&used.kind, K::KIND.name);
                return Err(Failure::new(format!("`{field}` names a `{its}`, not a `{name}`")));
            }
            self.stored(used, |store, record| K::read(store, record, clip))
        };
        request.used(field).map(one).collect()
    }

    /// The pictures of a figure that the request uses under this key, each with where it is from.
    ///
    /// # Errors
    /// Where it uses none, or that has no pictures.
    pub fn figure(&mut self, key: Digest) -> Result<Vec<(Origin, Picture)>, Failure> {
        let request = self
            .using(&key.hex())
            .ok_or_else(|| Failure::new("the request does not use the figure that it names"))?;
        let pictures = Kind::named(&request.kind).and_then(|kind| kind.pictures);
        let pictures = pictures
            .ok_or_else(|| Failure::new(format!("a `{}` has no pictures", request.kind)))?;
        self.stored(request, |store, record| {
            let Some(result) = record.result(store) else { return Ok(None) };
            let malformed = |why| Failure::new(format!("the used result is malformed ({why})"));
            let mut found = Vec::new();
            for exhibit in pictures(result).map_err(malformed)? {
                let output = record.outputs.get(&exhibit.output).ok_or_else(|| {
                    Failure::new(format!("the used result has no `{}`", exhibit.output))
                })?;
                let Some(bytes) = store.blob(&output.digest) else { return Ok(None) };
                let picture = Picture::decode(&bytes).map_err(|why| {
                    Failure::new(format!(
                        "the used picture `{}` cannot be read ({why})",
                        exhibit.output
                    ))
                })?;
                found.push((Origin { figure: key, label: exhibit.label }, picture));
            }
            Ok(Some(found))
        })
    }

    /// The request of that key among those that this one uses.
    fn using(&self, key: &str) -> Option<&'a Request> {
        self.request.uses.iter().find(|request| request.key().hex() == key)
    }

    /// That nothing of the data set could be read, with the reasons of its scans.
    pub fn nothing_read(&self) -> Failure {
        let mut why = Vec::new();
        for used in self.request.uses.iter().filter(|used| used.kind == scan::NAME) {
            let record = self.session.store().record(&used.key());
            let outcome: Option<scan::Outcome> =
                record.and_then(|record| record.result(self.session.store()));
            why.extend(outcome.into_iter().flat_map(|outcome| outcome.skipped));
        }
        let failure = Failure::new("the data set has no picture that can be read");
        match why.first() {
            Some((key, first)) => {
                failure.hint(format!("of {} the first is {key}: {first}", why.len()))
            }
            None => failure,
        }
    }

    /// What a request that this one uses left in the store.
    fn stored<T>(
        &mut self,
        request: &Request,
        read: impl Fn(&Store, &Record) -> Result<Option<T>, Failure>,
    ) -> Result<T, Failure> {
        // A blob may turn out damaged when it is read; it is set aside then, and measured again.
        for _ in 0..2 {
            let record = self.session.ensure(request, self.monitor)?;
            if let Some(found) = read(self.session.store(), &record)? {
                return Ok(found);
            }
        }
        Err(Failure::outside("the store loses what is written to it"))
    }

    /// A data set that a parameter names by its digest.
    ///
    /// # Errors
    /// Where the request does not say where it is.
    pub fn named_dataset(&self, digest: &str) -> Result<&'a DatasetRef, Failure> {
        let mut known = self.request.inputs.datasets.iter();
        known
            .find(|dataset| dataset.content().hex() == digest)
            .ok_or_else(|| Failure::outside("the request does not say where its data set is"))
    }

    /// A picture that a parameter names by its digest, decoded.
    ///
    /// # Errors
    /// Where it is missing, not the one asked for, or cannot be decoded.
    pub fn picture(&mut self, digest: Digest) -> Result<Picture, Failure> {
        let known = self.request.inputs.pictures.iter().find(|known| known.digest == digest);
        let known = known
            .ok_or_else(|| Failure::outside("the request does not say where its picture is"))?;
        self.check_input(&known.path, Input::File, digest)?;
        Picture::open(&known.path).map_err(|why| {
            Failure::new(format!("the picture `{}` cannot be read ({why})", known.name))
        })
    }

    /// A file of weights that a parameter names by its digest.
    ///
    /// # Errors
    /// Where it is missing, or not the one asked for.
    pub fn file(&mut self, digest: Digest) -> Result<PathBuf, Failure> {
        let known = self.request.inputs.files.iter().find(|known| known.digest == digest);
        let known =
            known.ok_or_else(|| Failure::outside("the request does not say where its file is"))?;
        self.check_input(&known.path, Input::File, digest)?;
        Ok(known.path.clone())
    }

    /// Checks that an input is the one that the key names, and remembers to check again at the end.
    fn check_input(&mut self, path: &Path, sort: Input, digest: Digest) -> Result<(), Failure> {
        if self.read.iter().any(|(known, as_what, _)| known == path && *as_what == sort) {
            return Ok(());
        }
        let found = self.session.digest(path, sort)?;
        if found != digest {
            let message = format!("{} is not the file that was asked for any more", path.display());
            return Err(Failure::outside(message)
                .hint("save the note again to measure the file as it is now"));
        }
        self.read.push((path.to_owned(), sort, digest));
        Ok(())
    }

    pub(crate) fn check_unchanged(&mut self) -> Result<(), Failure> {
        for (path, sort, digest) in std::mem::take(&mut self.read) {
            if self.session.digest(&path, sort)? != digest {
                let message = format!("{} changed while it was being measured", path.display());
                return Err(
                    Failure::outside(message).hint("save the note again once the file is complete")
                );
            }
        }
        Ok(())
    }
}
