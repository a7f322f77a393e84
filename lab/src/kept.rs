//! What a session keeps from one request to the next: the device and the store in; loaded models, open shards and digests of files
//! out.
//!
//! A model stays loaded as long as memory allows ([`Residents`]); a file is hashed again only if it has changed, also
//! by the next process. Knows nothing of requests.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use neuronotes_core::dataset::{DatasetRef, Format, ShardRef, Table};
use neuronotes_core::digest::Digest;
use neuronotes_core::files::FileDigests;
use neuronotes_core::model::{ModelRef, parts};
use neuronotes_core::store::Store;

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
    store: Store,
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

/// Most files whose digests are saved: with more, saving takes longer than it saves.
const MOST_SAVED: usize = 20_000;

/// Where the lab's digests of files are.
fn beside(store: &Store) -> PathBuf {
    store.folder().join("digests.json")
}

impl Kept {
    /// No model yet, on a device. Digests of files are those that earlier processes left beside the store.
    pub fn on(device: Device, store: Store) -> Self {
        let models = RefCell::new(Residents::on(&device));
        let digests = RefCell::new(FileDigests::load(&beside(&store)));
        Self { device, store, models, digests, opened: RefCell::default() }
    }

    /// Leaves the digests of files to later processes, unless there are very many of them.
    pub fn save(&self) {
        let mut digests = self.digests.borrow_mut();
        if digests.count() <= MOST_SAVED {
            // They are only a cache: where it cannot be written, files are hashed again.
            let _ = digests.save(&beside(&self.store));
        }
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
        let kept = (&self.store, &mut *self.digests.borrow_mut());
        self.opened.borrow_mut().piece(kept, dataset, shard, piece)
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
        let kept = (&self.store, &mut *self.digests.borrow_mut());
        self.opened.borrow_mut().small(kept, dataset, shard, side)
    }

    /// Opens several such shards on all cores.
    pub fn shards(&self, dataset: &DatasetRef, shards: &[&ShardRef], side: u32) {
        let kept = (&self.store, &mut *self.digests.borrow_mut());
        self.opened.borrow_mut().prepare(kept, dataset, shards, side);
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
