//! What a session keeps from one request to the next: the device in; loaded models and digests of files out.
//!
//! A model stays loaded as long as memory allows ([`Residents`]); a file is hashed again only if it has changed. Knows
//! nothing of requests.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;

use neuronotes_core::dataset::{DatasetRef, Format, ShardRef, Table};
use neuronotes_core::digest::Digest;
use neuronotes_core::files::FileDigests;
use neuronotes_core::model::{ModelRef, parts};

use crate::clip::{Clip, Loading};
use crate::dataset::Shard;
use crate::device::Device;
use crate::failure::Failure;
use crate::monitor::{Monitor, Progress};
use crate::opened::{Opened, Rows};
use crate::resident::Residents;

/// The device, loaded models, and digests of files.
#[derive(Debug)]
pub struct Kept {
    /// The device that measures.
    pub device: Device,
    models: RefCell<Residents>,
    digests: RefCell<FileDigests>,
    opened: RefCell<Opened>,
}

/// The type of an input, which decides what its digest covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Weights: a file, or all parts of an index.
    Weights,
    /// One file.
    File,
    /// A shard of a data set.
    Shard(&'static Format, Table),
    /// The pictures of a shard, without their captions and labels.
    Pictures(&'static Format, Table),
}

impl Kept {
    /// Nothing yet, on a device.
    pub fn on(device: Device) -> Self {
        let models = RefCell::new(Residents::on(&device));
        Self { device, models, digests: RefCell::default(), opened: RefCell::default() }
    }

    /// Sets the memory for loaded models, in bytes.
    pub fn with_memory(self, budget: u64) -> Self {
        Self { models: RefCell::new(Residents::within(budget)), ..self }
    }

    /// A model whose weights file has been checked, loaded in that way.
    ///
    /// # Errors
    /// If the file cannot be read or holds no CLIP.
    pub fn model(
        &self,
        model: &ModelRef,
        loading: Loading,
        monitor: &mut dyn Monitor,
    ) -> Result<Rc<Clip>, Failure> {
        let mut models = self.models.borrow_mut();
        if let Some(clip) = models.get(model.digest, &loading) {
            return Ok(clip);
        }
        monitor.progress(&Progress::beginning(&format!("loading {}", model.name)));
        // Before it is loaded, since two at once might not fit. A file is about as large as what is in it.
        models.make_room(parts::size(&model.path));
        let clip = Rc::new(Clip::load(&model.path, loading)?);
        models.add(model.digest, &clip);
        Ok(clip)
    }

    /// Unloads all models, because memory ran out.
    pub fn unload(&self) {
        self.models.borrow_mut().clear();
    }

    /// The rows of a data set's shard that is a piece; `None` if there is no such piece any more.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn piece(&self, dataset: &DatasetRef, shard: &ShardRef) -> Result<Option<Rows>, Failure> {
        let Some(piece) = &shard.piece else { return Ok(None) };
        self.opened.borrow_mut().piece(&mut self.digests.borrow_mut(), dataset, shard, piece)
    }

    /// A data set's shard that is not a piece, and whose digest with captions and labels has just been compared.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn shard(
        &self,
        dataset: &DatasetRef,
        shard: &ShardRef,
        side: u32,
    ) -> Result<Box<dyn Shard>, Failure> {
        self.opened.borrow_mut().small(dataset, shard, side)
    }

    /// Opens several such shards on all cores.
    pub fn shards(&self, dataset: &DatasetRef, shards: &[&ShardRef], side: u32) {
        self.opened.borrow_mut().prepare(dataset, shards, side);
    }

    /// The digest of a file or folder as it is now.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn digest(&self, path: &Path, read_as: &Input) -> Result<Digest, Failure> {
        let mut digests = self.digests.borrow_mut();
        let digest = match read_as {
            Input::Weights => parts::digest(&mut digests, path),
            Input::File => digests.digest(path),
            Input::Shard(format, table) => (format.digest)(&mut digests, path, table),
            Input::Pictures(format, table) => {
                (format.pictures.unwrap_or(format.digest))(&mut digests, path, table)
            }
        };
        digest.map_err(|error| Failure::unreadable(path, &error))
    }
}
