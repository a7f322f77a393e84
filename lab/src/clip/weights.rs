//! Weights: a file, or tensors in memory, in; tensors of one type on a device out, each taken by OpenAI's name and its
//! shape.
//!
//! The places and names of tensors are read by `neuronotes_core::model`, whatever the file's format. The file is mapped into
//! memory, and nothing in it is executed. Every tensor must be taken: one left over means that the network built here is not
//! the one that was trained, as when BatchNorm's running statistics are overlooked. Tensors that belong to a loss or an
//! optimizer are ignored. Tensors in memory are handed out so that gradients reach them. Knows nothing of what tensors are
//! for.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use memmap2::Mmap;
use neuronotes_core::model::{Header, HeaderError, Names, Source};
use tch::{Device, Kind, Tensor};

use super::shuffle::shuffled;

/// Why a weights file cannot be used. Each list holds names, with shapes where they matter.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// The file is not a weights file.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// The file cannot be read.
    #[error("{} cannot be read ({why})", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// The file's tensors are not those of the network.
    #[error("{whose} does not hold the network's weights ({})", .problems.join("; "))]
    Unfit {
        /// The file.
        whose: String,
        /// `missing …`, `surplus …`, or what is wrong with a tensor.
        problems: Vec<String>,
    },
}

/// Weights that are being handed out.
#[derive(Debug)]
pub struct Weights {
    origin: Origin,
    device: Device,
    kind: Kind,
    only_check: bool,
    shuffle: Option<u64>,
    bytes: u64,
    left: BTreeSet<String>,
    missing: Vec<String>,
    wrong: Vec<String>,
}

/// Where they come from.
#[derive(Debug)]
enum Origin {
    File {
        path: PathBuf,
        /// Of the header's files, in order.
        maps: Vec<Mmap>,
        header: Header,
        names: Names,
    },
    /// Tensors by OpenAI's names.
    Memory(BTreeMap<String, Tensor>),
}

impl Weights {
    /// Maps a file, or the parts of an index or a folder, whose tensors become `kind` on `device`.
    ///
    /// # Errors
    /// If it cannot be read or is not a weights file.
    pub fn open(path: &Path, device: Device, kind: Kind) -> Result<Self, WeightsError> {
        let header = Header::read(path)?;
        let map = |path: &PathBuf| {
            let unreadable = |why: String| WeightsError::Unreadable { path: path.clone(), why };
            let file =
                neuronotes_core::file::open(path).map_err(|error| unreadable(error.to_string()))?;
            // SAFETY: a file that shrinks while it is mapped would end the process; the digest taken before
            // and after notices one that changes, and weights are replaced by a rename, not in place.
            unsafe { Mmap::map(&file) }.map_err(|error| unreadable(error.to_string()))
        };
        let maps = header.files.iter().map(map).collect::<Result<Vec<_>, _>>()?;
        let left = header.tensors.keys().cloned().collect();
        let names = Names::of(&header);
        let origin = Origin::File { path: path.to_owned(), maps, header, names };
        Ok(Self::from(origin, left, device, kind))
    }

    /// Tensors in memory by OpenAI's names, to be handed out as `kind` on the device where they are. Gradients of
    /// results with respect to the tensors handed out reach these; a tensor that already has the type is handed out
    /// itself, not as a copy.
    pub fn of(tensors: &BTreeMap<String, Tensor>, device: Device, kind: Kind) -> Self {
        let tensors: BTreeMap<_, _> =
            tensors.iter().map(|(name, tensor)| (name.clone(), tensor.shallow_clone())).collect();
        let left = tensors.keys().cloned().collect();
        Self::from(Origin::Memory(tensors), left, device, kind)
    }

    fn from(origin: Origin, left: BTreeSet<String>, device: Device, kind: Kind) -> Self {
        let (missing, wrong) = (Vec::new(), Vec::new());
        let (only_check, shuffle) = (false, None);
        Self { origin, device, kind, only_check, shuffle, bytes: 0, left, missing, wrong }
    }

    /// The header of the file, if the tensors come from a file.
    pub fn header(&self) -> Option<&Header> {
        match &self.origin {
            Origin::File { header, .. } => Some(header),
            Origin::Memory(_) => None,
        }
    }

    /// The type that tensors are handed out in.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Bytes of the tensors taken so far, whether they were read or only checked.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Runs `what` without reading any tensor: names and shapes are checked, and zeros that take no memory are handed
    /// out.
    pub fn only_checking<T>(&mut self, what: impl FnOnce(&mut Self) -> T) -> T {
        self.only_check = true;
        let done = what(self);
        self.only_check = false;
        done
    }

    /// Runs `what` with tensors that are shuffled: with a seed, the numbers of each tensor of at least two dimensions are
    /// permuted, by the seed and OpenAI's name of the tensor.
    pub fn shuffling<T>(&mut self, seed: Option<u64>, what: impl FnOnce(&mut Self) -> T) -> T {
        self.shuffle = seed;
        let done = what(self);
        self.shuffle = None;
        done
    }

    /// The tensor that OpenAI's checkpoints call `name`. If it is missing or misshapen, zeros of the right
    /// shape are used until [`Weights::finish`] names all such tensors at once.
    pub fn take(&mut self, name: &str, shape: &[i64]) -> Tensor {
        self.take_as(self.kind, name, shape)
    }

    /// Like [`Weights::take`], but always in single precision.
    pub fn take_single(&mut self, name: &str, shape: &[i64]) -> Tensor {
        self.take_as(Kind::Float, name, shape)
    }

    fn take_as(&mut self, kind: Kind, name: &str, shape: &[i64]) -> Tensor {
        let seed = self.shuffle.filter(|_| shape.len() > 1);
        let source = self.source(name);
        let missing = self.missing.len();
        for name in source.names() {
            self.left.remove(name);
            if !self.origin.has(name) {
                self.missing.push(name.clone());
            }
        }
        if self.missing.len() > missing {
            return self.zeros(kind, shape);
        }
        let found = self.origin.shape(&source);
        let called = name;
        let name = source.names().join("`, `");
        if found != shape {
            self.wrong.push(format!("`{name}` has the shape {found:?}, but {shape:?} is expected"));
            return self.zeros(kind, shape);
        }
        let only_check = self.only_check;
        let each = kind.elt_size_in_bytes() as u64;
        self.bytes += shape.iter().product::<i64>().unsigned_abs() * each;
        let parts: Result<Vec<Tensor>, String> =
            source.names().iter().map(|name| self.origin.read(name, only_check)).collect();
        let tensor = parts.and_then(|parts| {
            if only_check {
                return Ok(self.zeros(kind, shape));
            }
            let whole = match &source {
                Source::Whole(_) => parts[0].shallow_clone(),
                Source::Transposed(_) => parts[0].tr(),
                Source::Stacked(_) => Tensor::cat(&parts, 0),
            };
            let whole = match seed {
                None => Ok(whole),
                Some(seed) => shuffled(&whole, seed, called),
            };
            let whole = whole.map_err(|error| format!("`{name}` cannot be shuffled: {error}"))?;
            let tensor = whole.f_to_kind(kind).and_then(|tensor| tensor.f_to_device(self.device));
            let tensor = tensor.and_then(|tensor| tensor.f_contiguous());
            tensor.map_err(|error| format!("`{name}` cannot be read: {error}"))
        });
        tensor.unwrap_or_else(|why| {
            self.wrong.push(why);
            self.zeros(kind, shape)
        })
    }

    /// The names under which the origin has what OpenAI's checkpoints call `name`.
    fn source(&self, name: &str) -> Source {
        match &self.origin {
            Origin::File { names, .. } => names.source(name),
            Origin::Memory(_) => Source::Whole(name.to_owned()),
        }
    }

    /// Zeros that take no memory.
    fn zeros(&self, kind: Kind, shape: &[i64]) -> Tensor {
        Tensor::zeros([1], (kind, self.device)).expand(shape, false)
    }

    /// Checks that the file had all tensors that were taken, and no others that a network would need.
    ///
    /// # Errors
    /// All missing, surplus and misshapen tensors, by name.
    pub fn finish(self) -> Result<(), WeightsError> {
        let is_surplus = |name: &&String| match &self.origin {
            // Tensors beside the model are not part of its network.
            Origin::File { names, .. } => !names.is_foreign(name) && !belongs(names.bare(name)),
            Origin::Memory(_) => !belongs(name),
        };
        let surplus = self.left.iter().filter(is_surplus).cloned().collect();
        self.verdict(surplus)
    }

    /// Checks that the file had all tensors that were taken.
    ///
    /// # Errors
    /// All missing and misshapen tensors, by name.
    pub fn finish_part(self) -> Result<(), WeightsError> {
        self.verdict(Vec::new())
    }

    fn verdict(self, surplus: Vec<String>) -> Result<(), WeightsError> {
        let mut problems = self.wrong;
        if !self.missing.is_empty() {
            problems.push(format!("missing: {}", self.missing.join(", ")));
        }
        if !surplus.is_empty() {
            problems.push(format!("surplus: {}", surplus.join(", ")));
        }
        match problems.is_empty() {
            true => Ok(()),
            false => Err(WeightsError::Unfit { whose: self.origin.name(), problems }),
        }
    }
}

impl Origin {
    /// Its name in messages.
    fn name(&self) -> String {
        match self {
            Self::File { path, .. } => path.display().to_string(),
            Self::Memory(_) => "memory".to_owned(),
        }
    }

    fn has(&self, name: &str) -> bool {
        match self {
            Self::File { header, .. } => header.tensors.contains_key(name),
            Self::Memory(tensors) => tensors.contains_key(name),
        }
    }

    /// The shape in OpenAI's form; empty if the tensor is missing.
    fn shape(&self, source: &Source) -> Vec<i64> {
        let of_file = |header: &Header| {
            let shape = source.shape(header).into_iter().flatten();
            shape.map(|size| i64::try_from(size).unwrap_or(i64::MAX)).collect()
        };
        match self {
            Self::File { header, .. } => of_file(header),
            Self::Memory(tensors) => {
                let first = source.names().first().and_then(|name| tensors.get(name));
                first.map(Tensor::size).unwrap_or_default()
            }
        }
    }

    /// One tensor by its name in the file, without conversion; if tensors are only checked, a scalar instead.
    fn read(&self, name: &str, only_check: bool) -> Result<Tensor, String> {
        let missing = || format!("`{name}` is missing");
        let (maps, header) = match self {
            Self::Memory(tensors) => {
                return tensors.get(name).map(Tensor::shallow_clone).ok_or_else(missing);
            }
            Self::File { maps, header, .. } => (maps, header),
        };
        let info = header.tensors.get(name).ok_or_else(missing)?;
        let kind = match info.dtype.as_str() {
            "F16" => Kind::Half,
            "BF16" => Kind::BFloat16,
            "F32" => Kind::Float,
            "F64" => Kind::Double,
            other => return Err(format!("`{name}` is of type {other}, not a float")),
        };
        if only_check {
            return Ok(Tensor::zeros([1], (kind, Device::Cpu)));
        }
        let shape: Vec<i64> = info.shape.iter().map(|&size| size as i64).collect();
        // `None` if the file shrank after its header was read.
        let range = info.data.start as usize..info.data.end as usize;
        let data = maps.get(info.file).and_then(|map| map.get(range)).unwrap_or_default();
        Tensor::f_from_data_size(data, &shape, kind)
            .map_err(|error| format!("`{name}` cannot be read: {error}"))
    }
}

/// Whether a tensor that was not taken may be in the file. None of these is a weight: sizes that OpenAI's files
/// carry as tensors, PyTorch's counter of training batches, the text tower's causal mask, which open_clip's archives
/// carry, and the positions' numbers, which old files of Hugging Face's do.
fn belongs(name: &str) -> bool {
    let text = ["logit_scale", "input_resolution", "context_length", "vocab_size"];
    text.contains(&name)
        || name.ends_with(".num_batches_tracked")
        || name.ends_with("attn_mask")
        || name.ends_with(".position_ids")
}

#[cfg(test)]
mod tests {
    use super::*;
    use safetensors::Dtype;
    use safetensors::tensor::TensorView;

    fn file(dir: &Path, tensors: &[(&str, &[usize])]) -> PathBuf {
        let path = dir.join("w.safetensors");
        let bytes = vec![0u8; 4096];
        let views: Vec<_> = tensors
            .iter()
            .map(|(name, shape)| {
                let length = shape.iter().product::<usize>() * 4;
                let view = TensorView::new(Dtype::F32, shape.to_vec(), &bytes[..length]);
                (name.to_string(), view.expect("a view"))
            })
            .collect();
        let bytes = safetensors::serialize(views, None).expect("a file");
        std::fs::write(&path, bytes).expect("write");
        path
    }

    #[test]
    fn all_that_is_missing_surplus_or_misshapen_is_named_at_once() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = file(
            dir.path(),
            &[
                ("visual.bn1.running_mean", &[4]),
                ("visual.conv1.weight", &[4, 3]),
                ("logit_scale", &[]),
                ("visual.bn1.num_batches_tracked", &[1]),
                ("attn_mask", &[2, 2]),
            ],
        );
        let mut weights = Weights::open(&path, Device::Cpu, Kind::Float).expect("a file");
        let _ = weights.take("visual.conv1.weight", &[4, 5]);
        let _ = weights.only_checking(|weights| weights.take("visual.bn1.weight", &[4]));
        let error = weights.finish().expect_err("unfit").to_string();
        assert!(
            error.contains("`visual.conv1.weight` has the shape [4, 3], but [4, 5]"),
            "{error}"
        );
        assert!(error.contains("missing: visual.bn1.weight"), "{error}");
        assert!(error.contains("surplus: visual.bn1.running_mean)"), "{error}");
    }

    #[test]
    fn a_file_of_another_kind_is_refused() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("w.safetensors");
        std::fs::write(&path, b"PK\x03\x04 and so on, as in a .pt file").expect("write");
        assert!(Weights::open(&path, Device::Cpu, Kind::Float).is_err());
    }
}
