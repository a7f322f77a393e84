//! Reads archives of `torch.save` and of TorchScript. Input: a file. Output: names, types, shapes and places of the
//! tensors.
//!
//! | entry | what it is |
//! |---|---|
//! | `<root>/data.pkl` | a state dict, or the tree of a TorchScript's modules |
//! | `<root>/data/<key>` | a storage, which tensors are views of; never compressed |
//! | `<root>/byteorder` | `little`; optional |
//! | `<root>/code/…`, `constants.pkl`, … | what a TorchScript computes; never read |
//!
//! Knows nothing of networks.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::ops::Range;

use zip::CompressionMethod;
use zip::read::ZipArchive;

use super::error::printable;
use super::pickle::{self, Heap, PickleError};
use super::tensor::{TensorInfo, width};
use super::tree::{TreeError, names};

/// First bytes of every zip archive that has entries.
pub const MAGIC: &[u8] = b"PK\x03\x04";

/// Most bytes that are read of an archive: more than the directory of any checkpoint, its pickle and its storages' own
/// headers.
const MOST_READ: u64 = 64 << 20;
/// Most bytes of a pickle: more than any checkpoint's.
const LONGEST_PICKLE: u64 = 16 << 20;

/// Why an archive is refused.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    #[error("it is not a complete zip archive: {0}")]
    Zip(#[from] zip::result::ZipError),
    #[error("{0}")]
    Read(#[from] io::Error),
    #[error("it has no data.pkl, so PyTorch did not write it")]
    NoPickle,
    #[error("its data.pkl is larger than {} MiB", LONGEST_PICKLE >> 20)]
    LargePickle,
    #[error("{0}")]
    Pickle(#[from] PickleError),
    #[error("its numbers are big-endian; save it again on a little-endian machine")]
    BigEndian,
    #[error("its entry `{0}` is missing")]
    NoEntry(String),
    #[error("its entry `{0}` is compressed or encrypted, which PyTorch's are not")]
    Packed(String),
    #[error("its entry `{0}` reaches beyond the end of the file")]
    Beyond(String),
    #[error("the tensor `{name}` reaches beyond the end of its storage `{key}`")]
    Overrun { name: String, key: String },
    #[error(
        "the tensor `{0}` is not contiguous; save it again after .contiguous(), or convert the file to safetensors"
    )]
    Strided(String),
    #[error(transparent)]
    Tree(#[from] TreeError),
}

/// Reads where the tensors of an archive are. `size` is the file's length in bytes.
///
/// # Errors
/// Fails if it is not an archive of PyTorch, or if its tensors are not within it.
pub fn read(file: File, size: u64) -> Result<BTreeMap<String, TensorInfo>, ArchiveError> {
    let metered = Metered { file: file.try_clone()?, left: MOST_READ };
    // A small buffer, since every seek discards its content.
    let mut entries = Entries {
        archive: ZipArchive::new(BufReader::with_capacity(512, metered))?,
        file,
        size,
        root: String::new(),
        storages: HashMap::new(),
    };
    let root = entries.archive.file_names_raw().find_map(|name| {
        let root = std::str::from_utf8(name).ok()?.strip_suffix("data.pkl")?;
        (root.ends_with('/') && root.matches('/').count() == 1).then(|| root.to_owned())
    });
    entries.root = root.ok_or(ArchiveError::NoPickle)?;
    if let Ok(order) = entries.place("byteorder")
        && entries.bytes(order, 16)? != b"little"
    {
        return Err(ArchiveError::BigEndian);
    }
    let place = entries.place("data.pkl")?;
    if place.end - place.start > LONGEST_PICKLE {
        return Err(ArchiveError::LargePickle);
    }
    let bytes = entries.bytes(place, LONGEST_PICKLE)?;
    let (value, heap) = pickle::read(&bytes)?;
    let names = names(value, &heap)?;
    let mut tensors = BTreeMap::new();
    for (name, tensor) in names {
        let info = entries.locate(&name, tensor, &heap)?;
        tensors.insert(name, info);
    }
    Ok(tensors)
}

/// The archive's entries, by their place in the file.
struct Entries {
    archive: ZipArchive<BufReader<Metered>>,
    /// Shares its position with the archive's reader, which seeks before it reads.
    file: File,
    size: u64,
    root: String,
    /// Places of storages, by key: many tensors may share one.
    storages: HashMap<String, Range<u64>>,
}

impl Entries {
    /// Where an entry's bytes are in the file.
    fn place(&mut self, name: &str) -> Result<Range<u64>, ArchiveError> {
        let name = format!("{}{name}", self.root);
        let Some(index) = self.archive.index_for_name_raw(name.as_bytes()) else {
            return Err(ArchiveError::NoEntry(printable(&name)));
        };
        let entry = self.archive.by_index_raw(index)?;
        if entry.compression() != CompressionMethod::Stored || entry.encrypted() {
            return Err(ArchiveError::Packed(printable(&name)));
        }
        let end = entry.data_start().and_then(|start| {
            let end = start.checked_add(entry.compressed_size())?;
            (end <= self.size).then_some(start..end)
        });
        end.ok_or_else(|| ArchiveError::Beyond(printable(&name)))
    }

    /// At most `most` bytes of an entry.
    fn bytes(&mut self, place: Range<u64>, most: u64) -> Result<Vec<u8>, ArchiveError> {
        self.file.seek(SeekFrom::Start(place.start))?;
        let mut bytes = Vec::new();
        (&self.file).take((place.end - place.start).min(most)).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// A tensor's type, shape and place, checked to be within its storage.
    fn locate(
        &mut self,
        name: &str,
        tensor: usize,
        heap: &Heap,
    ) -> Result<TensorInfo, ArchiveError> {
        let tensor = &heap.tensors[tensor];
        let storage = &heap.storages[tensor.storage];
        if !contiguous(&tensor.shape, &tensor.strides) {
            return Err(ArchiveError::Strided(name.to_owned()));
        }
        let place = match self.storages.get(storage.key) {
            Some(place) => place.clone(),
            None => {
                let place = self.place(&format!("data/{}", storage.key))?;
                self.storages.insert(storage.key.to_owned(), place.clone());
                place
            }
        };
        let data = width(storage.element).and_then(|width| {
            let elements =
                tensor.shape.iter().try_fold(1u64, |all, &size| all.checked_mul(size))?;
            let start = place.start.checked_add(tensor.offset.checked_mul(width)?)?;
            let end = start.checked_add(elements.checked_mul(width)?)?;
            (end <= place.end).then_some(start..end)
        });
        let data = data.ok_or_else(|| ArchiveError::Overrun {
            name: name.to_owned(),
            key: printable(storage.key),
        })?;
        let dtype = storage.element.to_owned();
        Ok(TensorInfo { dtype, shape: tensor.shape.clone(), file: 0, data })
    }
}

/// A file of which no more than `left` bytes are read, whatever an archive claims.
struct Metered {
    file: File,
    left: u64,
}

impl Read for Metered {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.left = self.left.checked_sub(read as u64).ok_or_else(|| {
            io::Error::other("its directory is larger than that of any weights file")
        })?;
        Ok(read)
    }
}

impl Seek for Metered {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.file.seek(position)
    }
}

/// Whether elements follow row by row without a gap. The stride of a dimension of size 1 does not matter.
fn contiguous(shape: &[u64], strides: &[u64]) -> bool {
    let mut step = 1u64;
    shape.len() == strides.len()
        && shape.iter().zip(strides).rev().all(|(&size, &stride)| {
            let right = size == 1 || stride == step;
            step = step.saturating_mul(size.max(1));
            right
        })
}
