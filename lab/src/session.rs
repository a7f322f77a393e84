//! A session: requests in, one after the other; committed records out.
//!
//! Holds what is worth keeping between requests: the device, the model that was used last, and digests of
//! files. Knows nothing of how requests arrive.

use std::fs;
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Instant;

use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder as _};
use jiff::{Timestamp, Unit};
use neuronotes::analysis::dataset_examples::Pool;
use neuronotes::analysis::scan;
use neuronotes::digest::{Digest, FileDigests};
use neuronotes::model::Architecture;
use neuronotes::request::{DatasetFormat, DatasetRef, Request};
use neuronotes::store::{Provenance, Record, Store};

use crate::analysis::{Embedded, Measure, Scanned};
use crate::clip::{BatchNorm, Clip, Loading};
use crate::dataset::{self, Shard};
use crate::device::{Device, LIBTORCH};
use crate::failure::Failure;
use crate::monitor::Monitor;
use crate::picture::Picture;

/// What is kept between requests.
#[derive(Debug)]
pub struct Session {
    store: Store,
    device: Device,
    digests: FileDigests,
    resident: Option<(Digest, Rc<Clip>)>,
}

impl Session {
    /// A session on a device that commits to a store.
    pub fn new(store: Store, device: Device) -> Self {
        Self { store, device, digests: FileDigests::default(), resident: None }
    }

    /// The store that records are committed to.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Measures a request and what it uses, as far as the store does not have them yet.
    ///
    /// # Errors
    /// Where it was cancelled or cannot be measured. No error and no panic below reaches further.
    pub fn measure(
        &mut self,
        request: &Request,
        monitor: &mut dyn Monitor,
    ) -> Result<Record, Failure> {
        let key = request.key();
        let result = catch_unwind(AssertUnwindSafe(|| self.ensure(request, monitor)));
        let result = result.unwrap_or_else(|panic| Err(Failure::of_panic(panic.as_ref())));
        if result.is_err() {
            // The picture of a state that leads nowhere.
            let _ = fs::remove_file(self.store.partial_path(&key));
        }
        result
    }

    /// The stored record, or a new one.
    fn ensure(&mut self, request: &Request, monitor: &mut dyn Monitor) -> Result<Record, Failure> {
        let key = request.key();
        if let Some(record) = self.store.record(&key) {
            return Ok(record);
        }
        let measure = Measure::of(&request.kind, request.impl_version)?;
        for used in &request.uses {
            self.ensure(used, monitor)?;
        }
        monitor.check()?;
        let started = Timestamp::now().round(Unit::Second).unwrap_or_default();
        let clock = Instant::now();
        let canonical = request.canonical();
        let mut record = Record::new(key, &request.kind, request.impl_version, canonical);
        let mut bench =
            Bench { request, record: &mut record, monitor, session: self, read: Vec::new() };
        (measure.run)(&mut bench)?;
        bench.check_unchanged()?;
        record.provenance = Provenance {
            device: self.device.label.clone(),
            device_name: self.device.name.clone(),
            threads: tch::get_num_threads().try_into().unwrap_or(0),
            libtorch: LIBTORCH.to_owned(),
            lab: env!("CARGO_PKG_VERSION").to_owned(),
            started: started.to_string(),
            seconds: clock.elapsed().as_secs_f64(),
            model: request.model.name.clone(),
            dataset: request.dataset.as_ref().map(|dataset| dataset.name.clone()),
        };
        self.store.commit(&record)?;
        Ok(record)
    }

    /// The digest of a file, or of a folder's files.
    fn digest(&mut self, path: &Path) -> Result<Digest, Failure> {
        let digest = match path.is_dir() {
            true => self.digests.folder(path),
            false => self.digests.digest(path),
        };
        digest.map_err(|error| Failure::new(format!("{} cannot be read ({error})", path.display())))
    }
}

/// What one measurement works with. Inputs are read through it, so that their digests are checked.
pub struct Bench<'a> {
    /// What is measured.
    pub request: &'a Request,
    /// Takes the outputs.
    pub record: &'a mut Record,
    /// Watches.
    pub monitor: &'a mut dyn Monitor,
    session: &'a mut Session,
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
        match &self.session.resident {
            Some((digest, clip)) if *digest == model.digest && *clip.loading() == loading => {
                return Ok(Rc::clone(clip));
            }
            // Two models at once may not fit into the device's memory.
            _ => self.session.resident = None,
        }
        let clip = Rc::new(Clip::load(&model.path, loading)?);
        self.session.resident = Some((model.digest, Rc::clone(&clip)));
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
        let dataset = self.dataset()?;
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

    /// The embeddings of a data set's images, an [`Embedded`] a shard, out of the scans that the request uses.
    ///
    /// # Errors
    /// Where the request uses no scans of that data set.
    pub fn embeddings(&mut self, dataset: &DatasetRef) -> Result<Vec<Embedded>, Failure> {
        let used = &self.request.uses;
        (0..dataset.shards.len())
            .map(|index| {
                let shard = dataset.shard(index).content();
                let of_shard = |request: &&Request| {
                    let own = request.dataset.as_ref().map(DatasetRef::content);
                    request.kind == scan::NAME && own == Some(shard)
                };
                let request = used.iter().find(of_shard).ok_or_else(|| {
                    Failure::new("the request does not use the scans of its data set")
                })?;
                self.stored(request, Embedded::read)
            })
            .collect()
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

/// Encodes 8-bit RGB, row by row, as PNG.
///
/// # Errors
/// Where `pixels` is not `width * height * 3` long.
pub fn png(pixels: &[u8], width: u32, height: u32) -> Result<Vec<u8>, Failure> {
    let mut bytes = Cursor::new(Vec::new());
    PngEncoder::new(&mut bytes)
        .write_image(pixels, width, height, ExtendedColorType::Rgb8)
        .map_err(|error| Failure::new(format!("the picture cannot be written ({error})")))?;
    Ok(bytes.into_inner())
}
