//! A workbench: one request in; its inputs, checked against the digests that its key covers, and its record out.
//!
//! Knows no kind: each kind decides which results of other requests it reads.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use neuronotes_core::dataset::{DatasetRef, Samples, ShardRef};
use neuronotes_core::digest::Digest;
use neuronotes_core::kind::Kind;
use neuronotes_core::model::{Architecture, Place};
use neuronotes_core::request::{FileRef, Request};
use neuronotes_core::store::{Record, Store};
use neuronotes_core::suggest;
use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::clip::{BatchNorm, Clip, Loading};
use crate::dataset::Shard;
use crate::failure::Failure;
use crate::kept::{Input, Kept};
use crate::monitor::Monitor;
use crate::opened::Rows;
use crate::picture::Picture;

/// Gives the result of a request: the stored one, or a new one.
pub trait Results {
    /// The record of a request, measured if the store does not have it.
    ///
    /// # Errors
    /// If it cannot be measured, or was cancelled.
    fn record(&self, request: &Request, monitor: &mut dyn Monitor) -> Result<Record, Failure>;
}

/// A result that other measurements can use.
pub trait Used: Sized {
    /// The kind of the result.
    const KIND: &'static Kind;

    /// Reads a stored result for a model; `Ok(None)` if a blob is missing or damaged.
    ///
    /// # Errors
    /// If the result is malformed, or for another model.
    fn read(store: &Store, record: &Record, clip: &Clip) -> Result<Option<Self>, Failure>;
}

/// The inputs and the record of one measurement.
pub struct Workbench<'a> {
    /// What is measured.
    pub request: &'a Request,
    /// Takes the outputs.
    pub record: Record,
    /// Takes progress, and says when to stop.
    pub monitor: &'a mut dyn Monitor,
    store: &'a Store,
    kept: &'a Kept,
    results: &'a dyn Results,
    /// The inputs that were read, to be checked once more at the end.
    read: Vec<(PathBuf, Input, Digest)>,
    /// The same for pieces, each a data set of its own.
    pieces: Vec<DatasetRef>,
    /// The sizes of the model, once they were read.
    architecture: Option<Architecture>,
}

impl<'a> Workbench<'a> {
    /// A workbench with an empty record.
    pub fn new(
        request: &'a Request,
        monitor: &'a mut dyn Monitor,
        store: &'a Store,
        kept: &'a Kept,
        results: &'a dyn Results,
    ) -> Self {
        let (key, canonical) = (request.key(), request.canonical());
        let record = Record::new(key, &request.kind, request.impl_version, canonical);
        Self {
            request,
            record,
            monitor,
            store,
            kept,
            results,
            read: Vec::new(),
            pieces: Vec::new(),
            architecture: None,
        }
    }

    /// The store that takes the outputs.
    pub fn store(&self) -> &'a Store {
        self.store
    }

    /// The request's parameters, checked against the fields of its kind.
    ///
    /// # Errors
    /// If a number is out of bounds, or the parameters have another form.
    pub fn params<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        let params = &self.request.params;
        match Kind::named(&self.request.kind) {
            Some(kind) => kind.params(params).map_err(Failure::new),
            None => serde_json::from_value(Value::Object(params.clone()))
                .map_err(|error| Failure::new(format!("the parameters are malformed ({error})"))),
        }
    }

    /// The model on the session's device, loaded so that these layers can be looked at.
    ///
    /// # Errors
    /// If the file is missing, has changed since the request was made, or holds no CLIP.
    pub fn clip(&mut self, layers: &[&str]) -> Result<Rc<Clip>, Failure> {
        self.clip_with(layers, None)
    }

    /// The same; with a seed, the weights of its visual tower are shuffled.
    ///
    /// # Errors
    /// As for [`Workbench::clip`].
    pub fn clip_with(
        &mut self,
        layers: &[&str],
        shuffled: Option<u64>,
    ) -> Result<Rc<Clip>, Failure> {
        let model = &self.request.model;
        self.check_input(&model.path, Input::Weights, model.digest)?;
        let splits = |architecture: Architecture| {
            let mut layers = layers.iter().filter_map(|layer| architecture.layer(layer).ok());
            layers.any(|layer| layer.stage.splits_norm())
        };
        let loading = Loading {
            precision: self.request.precision,
            norm: match !layers.is_empty() && self.architecture().is_ok_and(splits) {
                true => BatchNorm::Apart,
                false => BatchNorm::Folded,
            },
            shuffled,
            ..Loading::new(self.kept.device.torch, model.conventions.clone())
        };
        self.kept.model(model, loading, self.monitor)
    }

    /// The sizes of the model.
    ///
    /// # Errors
    /// If the file is missing, has changed since the request was made, or holds no CLIP.
    pub fn architecture(&mut self) -> Result<Architecture, Failure> {
        if let Some(known) = &self.architecture {
            return Ok(known.clone());
        }
        let model = &self.request.model;
        self.check_input(&model.path, Input::Weights, model.digest)?;
        let found = Architecture::of_file(&model.path, &model.conventions)
            .map_err(|error| Failure::outside(error.to_string()))?;
        Ok(self.architecture.insert(found).clone())
    }

    /// The data set that the request names.
    ///
    /// # Errors
    /// If it names none.
    pub fn dataset(&self) -> Result<&'a DatasetRef, Failure> {
        let dataset = self.request.dataset.as_ref();
        dataset.ok_or_else(|| Failure::new("the request names no data set"))
    }

    /// The data set that a parameter names by its digest.
    ///
    /// # Errors
    /// If the request does not say where it is.
    pub fn named_dataset(&self, digest: &str) -> Result<&'a DatasetRef, Failure> {
        let mut known = self.request.inputs.datasets.iter();
        known
            .find(|dataset| dataset.content().hex() == digest)
            .ok_or_else(|| Failure::outside("the request does not say where its data set is"))
    }

    /// Opens a shard of a data set that the request names.
    ///
    /// # Errors
    /// If it is missing, has changed since the request was made, or cannot be read at all.
    pub fn shard(&mut self, dataset: &DatasetRef, index: usize) -> Result<Box<dyn Shard>, Failure> {
        let Some(shard) = dataset.shards.get(index) else {
            return Err(Failure::new(format!("the data set has no shard {index}")));
        };
        if shard.piece.is_some() {
            return Ok(Box::new(self.piece(dataset, shard)?));
        }
        let (format, table) = (dataset.format, dataset.table.clone());
        let (input, digest) = match shard.pictures {
            Some(pictures) if !dataset.captions => (Input::Pictures(format, table), pictures),
            _ => (Input::Shard(format, table), shard.digest),
        };
        self.check_input(&shard.path, input, digest)?;
        let side = self.side(dataset)?;
        let whole = match dataset.captions {
            // The digest covers all that a listing says.
            true => shard.digest,
            false => self.kept.digest(&shard.path, &Input::Shard(format, dataset.table.clone()))?,
        };
        self.kept.shard(dataset, &ShardRef { digest: whole, ..shard.clone() }, side)
    }

    /// The side of drawn pictures of a data set, whose fonts are checked; 0 if its pictures are not drawn.
    fn side(&mut self, dataset: &DatasetRef) -> Result<u32, Failure> {
        for font in dataset.draw.iter().flat_map(|draw| &draw.fonts) {
            if let Some(path) = &font.path {
                self.check_input(path, Input::File, font.digest)?;
            }
        }
        Ok(match dataset.format.samples {
            // Words are drawn as large as the model's input.
            Samples::Words => self.architecture()?.image_size,
            Samples::Pictures => 0,
        })
    }

    /// Opens the shards of a data set on all cores, if there are several, so that each is there when it is asked for.
    ///
    /// # Errors
    /// If one is missing, or has changed since the request was made.
    pub fn open_shards(&mut self, dataset: &DatasetRef) -> Result<(), Failure> {
        let small: Vec<&ShardRef> =
            dataset.shards.iter().filter(|shard| shard.piece.is_none()).collect();
        if small.len() < 2 || !dataset.captions {
            return Ok(());
        }
        for shard in &small {
            self.monitor.check()?;
            let input = Input::Shard(dataset.format, dataset.table.clone());
            self.check_input(&shard.path, input, shard.digest)?;
        }
        let side = self.side(dataset)?;
        self.kept.shards(dataset, &small, side);
        Ok(())
    }

    /// Opens a piece of a shard.
    fn piece(&mut self, dataset: &DatasetRef, shard: &ShardRef) -> Result<Rows, Failure> {
        if dataset.captions {
            // What is said of pictures is not part of a piece's digest: the whole shard must be what it was.
            let input = Input::Shard(dataset.format, dataset.table.clone());
            self.check_input(&shard.path, input, shard.digest)?;
        }
        let rows = self.kept.piece(dataset, shard)?.ok_or_else(|| changed(&shard.path))?;
        if !dataset.captions {
            let own = DatasetRef { shards: vec![shard.clone()], ..dataset.clone() };
            self.pieces.push(own);
        }
        Ok(rows)
    }

    /// The picture that a parameter names by its digest, decoded.
    ///
    /// # Errors
    /// If it is missing, has changed since the request was made, or cannot be decoded.
    pub fn picture(&mut self, digest: Digest) -> Result<Picture, Failure> {
        let known = self.request.inputs.pictures.iter().find(|known| known.digest == digest);
        let known = known
            .ok_or_else(|| Failure::outside("the request does not say where its picture is"))?;
        self.check_input(&known.path, Input::File, digest)?;
        Picture::open(&known.path).map_err(|why| {
            Failure::new(format!("the picture `{}` cannot be read ({why})", known.name))
        })
    }

    /// The file of weights that a parameter names by its digest.
    ///
    /// # Errors
    /// If it is missing, or has changed since the request was made.
    pub fn file(&mut self, digest: Digest) -> Result<PathBuf, Failure> {
        let known = self.request.inputs.files.iter().find(|known| known.digest == digest);
        let known =
            known.ok_or_else(|| Failure::outside("the request does not say where its file is"))?;
        self.check_input(&known.path, Input::File, digest)?;
        Ok(known.path.clone())
    }

    /// The results of other blocks that the request uses by a field, in the order in which the block names them.
    ///
    /// # Errors
    /// If one is of another kind, malformed, or for another model.
    pub fn used<K: Used>(&mut self, field: &str, clip: &Clip) -> Result<Vec<K>, Failure> {
        let request = self.request;
        request.used(field).map(|used| self.result_of(used, clip)).collect()
    }

    /// The result of another block that a parameter names by its request key.
    ///
    /// # Errors
    /// If the request does not use it, or it is of another kind, malformed, or for another model.
    pub fn used_by_key<K: Used>(&mut self, key: Digest, clip: &Clip) -> Result<K, Failure> {
        let used = self.using(key);
        let used = used.ok_or_else(|| {
            Failure::new(format!("the request does not use the `{}` that it names", K::KIND.name))
        })?;
        self.result_of(used, clip)
    }

    /// The result of a request that this one uses, which must be of a kind.
    fn result_of<K: Used>(&mut self, used: &Request, clip: &Clip) -> Result<K, Failure> {
        if used.kind != K::KIND.name {
            let [its, needed] = [&*used.kind, K::KIND.name]
                .map(|kind| format!("{} `{kind}`", suggest::article(kind)));
            return Err(Failure::new(format!("the request uses {its}, not {needed}")));
        }
        self.result(used, |store, record| K::read(store, record, clip))
    }

    /// The file of the dictionary that a place is; `None` if it is a layer.
    ///
    /// # Errors
    /// If the request does not say where it is, or it is missing or has changed since the request was made.
    pub fn dictionary(&mut self, place: &Place) -> Result<Option<&'a FileRef>, Failure> {
        let Some(digest) = place.dictionary() else { return Ok(None) };
        let known =
            self.request.inputs.dictionary(place).ok_or_else(|| {
                Failure::outside("the request does not say where its dictionary is")
            })?;
        self.check_input(&known.path, Input::File, digest)?;
        Ok(Some(known))
    }

    /// The request of that key among those whose results this one uses.
    pub fn using(&self, key: Digest) -> Option<&'a Request> {
        self.request.uses.iter().find(|request| request.key() == key)
    }

    /// Reads the result of a request that this one uses; `read` returns `None` if a blob is missing or damaged.
    ///
    /// # Errors
    /// If the result cannot be measured or read.
    pub fn result<T>(
        &mut self,
        request: &Request,
        read: impl Fn(&Store, &Record) -> Result<Option<T>, Failure>,
    ) -> Result<T, Failure> {
        // A blob may turn out damaged when it is read; it is set aside then, and measured again.
        for _ in 0..2 {
            let record = self.results.record(request, self.monitor)?;
            if let Some(found) = read(self.store, &record)? {
                return Ok(found);
            }
        }
        Err(Failure::outside("the store loses results that were just written"))
    }

    /// Reads the results of several such requests on all cores.
    ///
    /// # Errors
    /// As for [`Workbench::result`]; that of the first that fails.
    pub fn results<T: Send>(
        &mut self,
        requests: &[&Request],
        read: impl Fn(&Store, &Record) -> Result<Option<T>, Failure> + Sync,
    ) -> Result<Vec<T>, Failure> {
        let mut records = Vec::new();
        for request in requests {
            records.push(self.results.record(request, self.monitor)?);
        }
        let store = self.store;
        let found: Vec<_> = records.par_iter().map(|record| read(store, record)).collect();
        let mut all = Vec::new();
        for (request, found) in requests.iter().zip(found) {
            all.push(match found? {
                Some(found) => found,
                // A blob was damaged.
                None => self.result(request, &read)?,
            });
        }
        Ok(all)
    }

    /// Checks that an input is the one that the key covers, and remembers to check again at the end.
    fn check_input(&mut self, path: &Path, read_as: Input, digest: Digest) -> Result<(), Failure> {
        if self.read.iter().any(|(known, as_what, _)| known == path && *as_what == read_as) {
            return Ok(());
        }
        if self.kept.digest(path, &read_as)? != digest {
            return Err(changed(path));
        }
        self.read.push((path.to_owned(), read_as, digest));
        Ok(())
    }

    /// Checks that no input has changed since it was read.
    ///
    /// # Errors
    /// If one has, or cannot be read any more.
    pub fn check_unchanged(&self) -> Result<(), Failure> {
        let meanwhile = |path: &Path| {
            let message = format!("{} changed while it was being measured", path.display());
            Failure::outside(message).hint("build again once the file is complete; an open page of the preview follows by itself")
        };
        for (path, read_as, digest) in &self.read {
            if self.kept.digest(path, read_as)? != *digest {
                return Err(meanwhile(path));
            }
        }
        for own in &self.pieces {
            for shard in &own.shards {
                if self.kept.piece(own, shard)?.is_none() {
                    return Err(meanwhile(&shard.path));
                }
            }
        }
        Ok(())
    }
}

/// The failure that an input is not the one that the key covers.
fn changed(path: &Path) -> Failure {
    let message = format!("{} has changed since the request was made", path.display());
    Failure::outside(message).hint("build again to measure the file as it is now; an open page of the preview follows by itself")
}
