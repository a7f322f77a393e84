//! Weights: a file in; tensors in single precision on a device out, each asked for by name and shape.
//!
//! Where each tensor lies is read by `neuronotes::model`, whatever the file's format. The file is mapped
//! into memory, and nothing in it is executed. Every tensor of the visual tower has to
//! be asked for: one left over means that the network built here is not the one that was trained, as
//! when BatchNorm's running statistics are overlooked. Knows nothing of what the tensors are for.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};

use memmap2::Mmap;
use neuronotes::model::{Header, HeaderError};
use tch::{Device, Kind, Tensor};

/// Why a weights file cannot be used. Each list holds names, with shapes where they matter.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// The file is no weights file.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// The file system refused.
    #[error("{} cannot be read ({why})", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// The file's tensors are not those of the network.
    #[error("{} does not hold the network's weights ({})", path.display(), .problems.join("; "))]
    Unfit {
        /// The file.
        path: PathBuf,
        /// `missing …`, `surplus …`, or what is wrong with a tensor.
        problems: Vec<String>,
    },
}

/// A weights file that is being read.
#[derive(Debug)]
pub struct Weights {
    path: PathBuf,
    map: Mmap,
    header: Header,
    device: Device,
    left: BTreeSet<String>,
    missing: Vec<String>,
    wrong: Vec<String>,
}

impl Weights {
    /// Maps a file.
    ///
    /// # Errors
    /// Where it cannot be read or is no weights file.
    pub fn open(path: &Path, device: Device) -> Result<Self, WeightsError> {
        let unreadable = |why: String| WeightsError::Unreadable { path: path.to_owned(), why };
        let file = File::open(path).map_err(|error| unreadable(error.to_string()))?;
        // SAFETY: a file that shrinks while it is mapped would end the process; the digest taken before
        // and after notices one that changes, and weights are replaced by a rename, not in place.
        let map = unsafe { Mmap::map(&file) }.map_err(|error| unreadable(error.to_string()))?;
        let header = Header::read(path)?;
        Ok(Self {
            path: path.to_owned(),
            map,
            device,
            left: header.tensors.keys().cloned().collect(),
            header,
            missing: Vec::new(),
            wrong: Vec::new(),
        })
    }

    /// The file's tensors.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The tensor of that name, in single precision. Where it is missing or misshapen, zeros of the right
    /// shape stand in until [`Weights::finish`] names all such tensors at once.
    pub fn take(&mut self, name: &str, shape: &[i64]) -> Tensor {
        let zeros = || Tensor::zeros(shape, (Kind::Float, self.device));
        self.left.remove(name);
        let Some(info) = self.header.tensors.get(name) else {
            self.missing.push(name.to_owned());
            return zeros();
        };
        let found: Vec<i64> = info.shape.iter().map(|&size| size as i64).collect();
        let kind = match info.dtype.as_str() {
            "F16" => Some(Kind::Half),
            "BF16" => Some(Kind::BFloat16),
            "F32" => Some(Kind::Float),
            "F64" => Some(Kind::Double),
            _ => None,
        };
        let Some(kind) = kind else {
            let why = format!("`{name}` is of type {}, not a float", info.dtype);
            self.wrong.push(why);
            return zeros();
        };
        if found != shape {
            let why = format!("`{name}` has the shape {found:?}, but {shape:?} is expected");
            self.wrong.push(why);
            return zeros();
        }
        // None of it where the file shrank since its header was read.
        let range = info.data.start as usize..info.data.end as usize;
        let data = self.map.get(range).unwrap_or_default();
        let tensor = Tensor::f_from_data_size(data, shape, kind)
            .and_then(|tensor| tensor.f_to_kind(Kind::Float))
            .and_then(|tensor| tensor.f_to_device(self.device));
        match tensor {
            Ok(tensor) => tensor,
            Err(error) => {
                self.wrong.push(format!("`{name}` cannot be read: {error}"));
                zeros()
            }
        }
    }

    /// Checks that the file held what was asked for and, of the visual tower, nothing else.
    ///
    /// # Errors
    /// All missing, surplus and misshapen tensors, by name.
    pub fn finish(self) -> Result<(), WeightsError> {
        let surplus: Vec<_> = self.left.iter().filter(|name| !belongs(name)).collect();
        let mut problems = self.wrong;
        if !self.missing.is_empty() {
            problems.push(format!("missing: {}", self.missing.join(", ")));
        }
        if !surplus.is_empty() {
            let names: Vec<_> = surplus.iter().map(|name| name.as_str()).collect();
            problems.push(format!("surplus: {}", names.join(", ")));
        }
        match problems.is_empty() {
            true => Ok(()),
            false => Err(WeightsError::Unfit { path: self.path, problems }),
        }
    }
}

/// Whether a tensor that nobody asked for may be there: the text tower, the logits' scale, sizes that
/// OpenAI's files carry as tensors, PyTorch's counter of training batches, and the text tower's causal mask,
/// which open_clip's archives carry although it is no weight.
fn belongs(name: &str) -> bool {
    let text = [
        "token_embedding.weight",
        "positional_embedding",
        "text_projection",
        "logit_scale",
        "input_resolution",
        "context_length",
        "vocab_size",
    ];
    text.contains(&name)
        || name.starts_with("transformer.")
        || name.starts_with("ln_final.")
        || name.ends_with(".num_batches_tracked")
        || name == "attn_mask"
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
                ("transformer.resblocks.0.ln_1.bias", &[2]),
                ("visual.bn1.num_batches_tracked", &[1]),
                ("attn_mask", &[2, 2]),
            ],
        );
        let mut weights = Weights::open(&path, Device::Cpu).expect("a file");
        let _ = weights.take("visual.conv1.weight", &[4, 5]);
        let _ = weights.take("visual.bn1.weight", &[4]);
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
        assert!(Weights::open(&path, Device::Cpu).is_err());
    }
}
