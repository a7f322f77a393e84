//! A session: requests in, one after the other; committed records out.
//!
//! Holds what is worth keeping between requests: the device, the model that was used last, and digests of
//! files. Knows nothing of how requests arrive.

use std::cell::RefCell;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Instant;

use jiff::{Timestamp, Unit};
use neuronotes::analysis::dataset_examples::Pool;
use neuronotes::analysis::scan;
use neuronotes::digest::{Digest, FileDigests};
use neuronotes::model::Architecture;
use neuronotes::request::{DatasetFormat, DatasetRef, Request};
use neuronotes::store::{Provenance, Record, Store};

use crate::analysis::{Embedded, Measure, Run, Scanned, read_facet};
use crate::clip::{BatchNorm, Clip, Loading};
use crate::dataset::{self, Shard};
use crate::device::{Device, LIBTORCH};
use crate::failure::Failure;
use crate::monitor::Monitor;
use crate::picture::Picture;
use crate::vis::facet::Facet;

/// What is kept between requests.
#[derive(Debug)]
pub struct Session {
    store: Store,
    device: Device,
    digests: RefCell<FileDigests>,
    resident: RefCell<Option<(Digest, Rc<Clip>)>>,
}

impl Session {
    /// A session on a device that commits to a store.
    pub fn new(store: Store, device: Device) -> Self {
        Self { store, device, digests: RefCell::default(), resident: RefCell::default() }
    }

    /// The store that records are committed to.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Measures a request and what it uses, as far as the store does not have them yet.
    ///
    /// # Errors
    /// Where it was cancelled or cannot be measured. No error and no panic below reaches further.
    pub fn measure(&self, request: &Request, monitor: &mut dyn Monitor) -> Result<Record, Failure> {
        self.measure_together(&[request], &mut [monitor], &mut |_, _| {}).remove(0)
    }

    /// The same for requests that keep each other company ([`Measure::company`]), one monitor each. `ended` is told of
    /// each, by its place, as soon as it is known.
    pub fn measure_together(
        &self,
        requests: &[&Request],
        monitors: &mut [&mut dyn Monitor],
        ended: &mut dyn FnMut(usize, &Result<Record, Failure>),
    ) -> Vec<Result<Record, Failure>> {
        let mut results: Vec<Option<Result<Record, Failure>>> =
            requests.iter().map(|_| None).collect();
        let mut ended = |at: usize, result: &Result<Record, Failure>| {
            if result.is_err() {
                // The picture of a state that leads nowhere.
                let _ = fs::remove_file(self.store.partial_path(&requests[at].key()));
            }
            ended(at, result);
        };
        let whole = catch_unwind(AssertUnwindSafe(|| {
            self.ensure_together(requests, monitors, &mut results, &mut ended);
        }));
        let broken = whole.err().map(|panic| Failure::of_panic(panic.as_ref()));
        for (at, result) in results.iter_mut().enumerate().filter(|(_, result)| result.is_none()) {
            let failure = broken.clone().unwrap_or_else(|| Failure::new("nothing was measured"));
            ended(at, result.insert(Err(failure)));
        }
        results.into_iter().flatten().collect()
    }

    /// The stored record, or a new one.
    fn ensure(&self, request: &Request, monitor: &mut dyn Monitor) -> Result<Record, Failure> {
        let mut results = [None];
        self.ensure_together(&[request], &mut [monitor], &mut results, &mut |_, _| {});
        let [result] = results;
        result.unwrap_or_else(|| Err(Failure::new("nothing was measured")))
    }

    fn ensure_together(
        &self,
        requests: &[&Request],
        monitors: &mut [&mut dyn Monitor],
        results: &mut [Option<Result<Record, Failure>>],
        ended: &mut dyn FnMut(usize, &Result<Record, Failure>),
    ) {
        let mut begun = Vec::new();
        let mut measure = None;
        for (at, (request, monitor)) in requests.iter().zip(&mut *monitors).enumerate() {
            match self.begin(request, *monitor) {
                Ok(Begun::Stored(record)) => ended(at, results[at].insert(Ok(*record))),
                Ok(Begun::Wanted(how)) => {
                    measure = Some(how);
                    begun.push(at);
                }
                Err(failure) => ended(at, results[at].insert(Err(failure))),
            }
        }
        let Some(measure) = measure else { return };
        let started = Timestamp::now().round(Unit::Second).unwrap_or_default();
        let clock = Instant::now();
        let count = begun.len() as f64;
        let chosen = requests.iter().zip(monitors).enumerate().filter(|(at, _)| begun.contains(at));
        let mut benches: Vec<Bench<'_>> = chosen
            .map(|(_, (request, monitor))| Bench {
                request,
                record: Record::new(
                    request.key(),
                    &request.kind,
                    request.impl_version,
                    request.canonical(),
                ),
                monitor: &mut **monitor,
                session: self,
                read: Vec::new(),
            })
            .collect();
        let measured = match measure.run {
            Run::Alone(run) => benches.iter_mut().map(run).collect(),
            Run::Together { run, .. } => run(&mut benches),
        };
        for ((at, bench), result) in begun.into_iter().zip(benches).zip(measured) {
            let seconds = clock.elapsed().as_secs_f64() / count;
            let result = result.and_then(|()| self.commit(bench, started, seconds));
            ended(at, results[at].insert(result));
        }
    }

    /// Sees whether a request has to be measured, and measures what it uses.
    fn begin(&self, request: &Request, monitor: &mut dyn Monitor) -> Result<Begun, Failure> {
        if let Some(record) = self.store.record(&request.key()) {
            return Ok(Begun::Stored(Box::new(record)));
        }
        let measure = Measure::of(&request.kind, request.impl_version)?;
        for used in &request.uses {
            self.ensure(used, monitor)?;
        }
        monitor.check()?;
        Ok(Begun::Wanted(measure))
    }

    fn commit(
        &self,
        mut bench: Bench<'_>,
        started: Timestamp,
        seconds: f64,
    ) -> Result<Record, Failure> {
        bench.check_unchanged()?;
        let (request, mut record) = (bench.request, bench.record);
        record.provenance = Provenance {
            device: self.device.label.clone(),
            device_name: self.device.name.clone(),
            threads: tch::get_num_threads().try_into().unwrap_or(0),
            libtorch: LIBTORCH.to_owned(),
            lab: env!("CARGO_PKG_VERSION").to_owned(),
            started: started.to_string(),
            seconds,
            model: request.model.name.clone(),
            dataset: request.dataset.as_ref().map(|dataset| dataset.name.clone()),
        };
        self.store.commit(&record)?;
        Ok(record)
    }

    /// The digest of a file, or of a folder's files.
    fn digest(&self, path: &Path) -> Result<Digest, Failure> {
        let mut digests = self.digests.borrow_mut();
        let digest = match path.is_dir() {
            true => digests.folder(path),
            false => digests.digest(path),
        };
        digest.map_err(|error| Failure::new(format!("{} cannot be read ({error})", path.display())))
    }
}

/// What is to be done about a request.
enum Begun {
    /// Nothing: this is stored.
    Stored(Box<Record>),
    /// It is to be measured in this way; what it uses is there.
    Wanted(&'static Measure),
}

/// What one measurement works with. Inputs are read through it, so that their digests are checked.
pub struct Bench<'a> {
    /// What is measured.
    pub request: &'a Request,
    /// Takes the outputs.
    pub record: Record,
    /// Watches.
    pub monitor: &'a mut dyn Monitor,
    session: &'a Session,
    read: Vec<(PathBuf, Digest)>,
}

impl<'a> Bench<'a> {
    /// The store that takes the outputs.
    pub fn store(&self) -> Store {
        // A store is no more than a path.
        self.session.store.clone()
    }

    /// The model, on the session's device; read only where it is another one than last time.
    ///
    /// # Errors
    /// Where the file is missing, not the one asked for, or no CLIP.
    pub fn clip(&mut self) -> Result<Rc<Clip>, Failure> {
        let model = &self.request.model;
        self.check_input(&model.path, model.digest)?;
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
        let mut resident = self.session.resident.borrow_mut();
        match &*resident {
            Some((digest, clip)) if *digest == model.digest && *clip.loading() == loading => {
                return Ok(Rc::clone(clip));
            }
            // Two models at once may not fit into the device's memory.
            _ => *resident = None,
        }
        let clip = Rc::new(Clip::load(&model.path, loading)?);
        *resident = Some((model.digest, Rc::clone(&clip)));
        Ok(clip)
    }

    /// The sizes of the model, whose file has been checked.
    fn architecture(&self) -> Result<Architecture, Failure> {
        let model = &self.request.model;
        Architecture::of_file(&model.path, &model.conventions)
            .map_err(|error| Failure::new(error.to_string()))
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
        self.check_input(&shard.path, shard.digest)?;
        let side = match dataset.format {
            // Words are drawn as large as the model looks at them.
            DatasetFormat::Words => {
                let model = &self.request.model;
                self.check_input(&model.path, model.digest)?;
                self.architecture()?.image_size
            }
            DatasetFormat::Tar | DatasetFormat::Folder => 0,
        };
        dataset::open(&shard.path, dataset.format, side)
            .map_err(|error| Failure::new(error.to_string()))
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
                let shard = dataset.shard(index).content();
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

    /// The facet that the request uses under this key.
    ///
    /// # Errors
    /// Where it uses none.
    pub fn facet(&mut self, key: &str, clip: &Clip) -> Result<Facet, Failure> {
        let request = self.request.uses.iter().find(|request| request.key().hex() == key);
        let request = request
            .ok_or_else(|| Failure::new("the request does not use the facet that it names"))?;
        self.stored(request, |store, record| read_facet(store, record, clip))
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
            if let Some(found) = read(&self.session.store, &record)? {
                return Ok(found);
            }
        }
        Err(Failure::new("the store loses what is written to it"))
    }

    /// A data set that a parameter names by its digest.
    ///
    /// # Errors
    /// Where the request does not say where it is.
    pub fn named_dataset(&self, digest: &str) -> Result<&'a DatasetRef, Failure> {
        let mut known = self.request.inputs.datasets.iter();
        known
            .find(|dataset| dataset.content().hex() == digest)
            .ok_or_else(|| Failure::new("the request does not say where its data set is"))
    }

    /// A picture that a parameter names by its digest, decoded.
    ///
    /// # Errors
    /// Where it is missing, not the one asked for, or cannot be decoded.
    pub fn picture(&mut self, digest: Digest) -> Result<Picture, Failure> {
        let known = self.request.inputs.pictures.iter().find(|known| known.digest == digest);
        let known =
            known.ok_or_else(|| Failure::new("the request does not say where its picture is"))?;
        self.check_input(&known.path, digest)?;
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
            known.ok_or_else(|| Failure::new("the request does not say where its file is"))?;
        self.check_input(&known.path, digest)?;
        Ok(known.path.clone())
    }

    /// Checks that an input is the one that the key names, and remembers to check again at the end.
    fn check_input(&mut self, path: &Path, digest: Digest) -> Result<(), Failure> {
        if self.read.iter().any(|(known, _)| known == path) {
            return Ok(());
        }
        let found = self.session.digest(path)?;
        if found != digest {
            let message = format!("{} is not the file that was asked for any more", path.display());
            return Err(
                Failure::new(message).hint("save the note again to measure the file as it is now")
            );
        }
        self.read.push((path.to_owned(), digest));
        Ok(())
    }

    fn check_unchanged(&mut self) -> Result<(), Failure> {
        for (path, digest) in std::mem::take(&mut self.read) {
            if self.session.digest(&path)? != digest {
                let message = format!("{} changed while it was being measured", path.display());
                return Err(
                    Failure::new(message).hint("save the note again once the file is complete")
                );
            }
        }
        Ok(())
    }
}
