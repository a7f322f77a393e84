//! PyTorch's archives, of `torch.save` and of TorchScript: a file in; names, types, shapes and places of
//! the tensors out.
//!
//! | entry | what it is |
//! |---|---|
//! | `<root>/data.pkl` | a state dict, or the tree of a TorchScript's modules |
//! | `<root>/data/<key>` | a storage, which tensors are views of; never compressed |
//! | `<root>/byteorder` | `little`, where it is there |
//! | `<root>/code/…`, `constants.pkl`, … | what a TorchScript computes; never looked at |
//!
//! Knows nothing of networks.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::ops::Range;

use zip::CompressionMethod;
use zip::read::ZipArchive;

use super::header::{TensorInfo, width};
use super::pickle::{self, Heap, PickleError, Value};

/// Opens every zip archive that has entries.
pub const MAGIC: &[u8] = b"PK\x03\x04";

/// More than the directory of any checkpoint, the pickle and the storages' own headers; what asks for
/// more is no checkpoint.
const MOST_READ: u64 = 64 << 20;
/// A larger pickle than any checkpoint's.
const LONGEST_PICKLE: u64 = 16 << 20;
/// More tensors than any checkpoint has.
const TENSORS: usize = 1 << 16;
/// More attributes than the modules of any network have.
const ATTRIBUTES: usize = 1 << 20;
/// Modules in modules.
const DEPTH: usize = 32;
/// A longer name than any tensor's.
const LONGEST_NAME: usize = 512;

/// Why an archive is refused.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    #[error("it is no complete zip archive: {0}")]
    Zip(#[from] zip::result::ZipError),
    #[error("{0}")]
    Read(#[from] io::Error),
    #[error("it holds no data.pkl, so PyTorch did not write it")]
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
    #[error("it holds no tensors by name; save the model's state_dict() or a TorchScript archive")]
    NoTensors,
    #[error("it holds more than {TENSORS} tensors, or names longer than {LONGEST_NAME} bytes")]
    ManyTensors,
    #[error("its modules lie too deep in each other, or are too many")]
    Tangled,
}

/// Reads where the tensors of an archive lie. `size` is the file's.
///
/// # Errors
/// Where it is no archive of PyTorch's, or its tensors do not lie within it.
pub fn read(file: File, size: u64) -> Result<BTreeMap<String, TensorInfo>, ArchiveError> {
    let metered = Metered { file: file.try_clone()?, left: MOST_READ };
    // Small: every seek throws away what is in it.
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
    /// By key: many tensors may share one.
    storages: HashMap<String, Range<u64>>,
}

impl Entries {
    /// Where an entry's bytes lie in the file.
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

    /// An entry's bytes, `most` of them.
    fn bytes(&mut self, place: Range<u64>, most: u64) -> Result<Vec<u8>, ArchiveError> {
        self.file.seek(SeekFrom::Start(place.start))?;
        let mut bytes = Vec::new();
        (&self.file).take((place.end - place.start).min(most)).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// A tensor's type, shape and place, which is checked to lie in its storage.
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
        Ok(TensorInfo { dtype: storage.element.to_owned(), shape: tensor.shape.clone(), data })
    }
}

/// The tensors by name, each an index into the heap: a state dict's own, or a module's and those of the
/// modules in it.
fn names(root: Value, heap: &Heap) -> Result<BTreeMap<String, usize>, ArchiveError> {
    let mut walk = Walk { heap, found: BTreeMap::new(), attributes: 0 };
    match root {
        Value::Dict(dict) => {
            let nested = heap.dicts[dict].iter().find_map(|pair| match *pair {
                (Value::Text("state_dict"), Value::Dict(nested)) => Some(nested),
                _ => None,
            });
            for (key, value) in &heap.dicts[nested.unwrap_or(dict)] {
                if let (Value::Text(name), Value::Tensor(tensor)) = (*key, *value) {
                    walk.add(String::new(), name, tensor)?;
                }
            }
        }
        Value::Object(object) => walk.module("", object, 0)?,
        _ => {}
    }
    if walk.found.is_empty() {
        return Err(ArchiveError::NoTensors);
    }
    // What a model that was trained on several devices is wrapped into.
    match walk.found.keys().all(|name| name.starts_with("module.")) {
        true => Ok(walk
            .found
            .into_iter()
            .map(|(name, at)| (name["module.".len()..].into(), at))
            .collect()),
        false => Ok(walk.found),
    }
}

/// On the way through a TorchScript's modules. The same module may be found in several places, so what
/// is small in the file may be large here: everything is counted.
struct Walk<'a> {
    heap: &'a Heap<'a>,
    found: BTreeMap<String, usize>,
    attributes: usize,
}

impl Walk<'_> {
    fn module(&mut self, path: &str, object: usize, depth: usize) -> Result<(), ArchiveError> {
        let heap = self.heap;
        let Value::Dict(state) = heap.objects[object] else { return Ok(()) };
        if depth > DEPTH {
            return Err(ArchiveError::Tangled);
        }
        for (key, value) in &heap.dicts[state] {
            self.attributes += 1;
            if self.attributes > ATTRIBUTES {
                return Err(ArchiveError::Tangled);
            }
            let Value::Text(name) = *key else { continue };
            match *value {
                Value::Tensor(tensor) => self.add(path.to_owned(), name, tensor)?,
                Value::Object(inner) => {
                    if path.len() + name.len() > LONGEST_NAME {
                        return Err(ArchiveError::ManyTensors);
                    }
                    self.module(&format!("{path}{name}."), inner, depth + 1)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn add(&mut self, path: String, name: &str, tensor: usize) -> Result<(), ArchiveError> {
        if self.found.len() >= TENSORS || path.len() + name.len() > LONGEST_NAME {
            return Err(ArchiveError::ManyTensors);
        }
        self.found.insert(path + name, tensor);
        Ok(())
    }
}

/// A file that gives no more than so many bytes: whatever an archive claims, no more is read of it.
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

/// Whether elements lie row by row without a gap. A size of 1 is never stepped over.
fn contiguous(shape: &[u64], strides: &[u64]) -> bool {
    let mut step = 1u64;
    shape.len() == strides.len()
        && shape.iter().zip(strides).rev().all(|(&size, &stride)| {
            let right = size == 1 || stride == step;
            step = step.saturating_mul(size.max(1));
            right
        })
}

/// What a file may put into a message: short, and nothing that a terminal would obey.
fn printable(name: &str) -> String {
    name.chars().take(80).flat_map(char::escape_debug).collect()
}
