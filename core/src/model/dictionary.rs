//! A dictionary over a layer: the header of its file in; its sizes out, checked against the layer.
//!
//! A dictionary is a matrix over the units of a layer, as the encoder of a sparse autoencoder. Its features are
//! `relu(encoder · (x − decoder_bias) + encoder_bias)` for the activations `x` of the layer's units at one position.
//!
//! | tensor | shape | |
//! |---|---|---|
//! | `encoder` | `[features, units]` | required |
//! | `encoder_bias` | `[features]` | zero if missing |
//! | `decoder` | `[units, features]` | optional; `attribution` needs it |
//! | `decoder_bias` | `[units]` | zero if missing |

use std::path::{Path, PathBuf};

use super::checkpoint::{Header, HeaderError, printable};
use super::layer::Layer;
use crate::sniff;

/// Most features: a scan keeps a number for each of them and each picture.
const MOST_FEATURES: u64 = 1 << 17;
/// How an archive of PyTorch begins.
const ARCHIVE: &[u8] = b"PK\x03\x04";
/// The types that are read.
const TYPES: [&str; 4] = ["F32", "F16", "BF16", "F64"];

/// The sizes of a dictionary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dictionary {
    /// Its features.
    pub features: u32,
}

/// Why a file is not a dictionary that can be used.
#[derive(Debug, thiserror::Error)]
pub enum DictionaryError {
    /// The file cannot be read, or is not a safetensors file.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// The file is a pickle, or an archive of one.
    #[error("{} was saved by PyTorch; a dictionary is read from a safetensors file only", .0.display())]
    Pickled(PathBuf),
    /// The path leads to something other than a file.
    #[error("{} is not a file; a dictionary is one safetensors file", .0.display())]
    NotAFile(PathBuf),
    /// A required tensor is missing.
    #[error("{} has no tensor `encoder`{}", path.display(), listed(found))]
    Missing {
        /// The file.
        path: PathBuf,
        /// The names of a few of its tensors.
        found: Vec<String>,
    },
    /// A tensor with a name that dictionaries do not have.
    #[error(
        "{} has the tensor `{tensor}`; a dictionary has `encoder`, `encoder_bias`, `decoder` and `decoder_bias`",
        path.display()
    )]
    Unknown {
        /// The file.
        path: PathBuf,
        /// The tensor.
        tensor: String,
    },
    /// A tensor has another shape.
    #[error("the tensor `{tensor}` of {} has the shape {found:?}, but {expected} is expected", path.display())]
    Shape {
        /// The file.
        path: PathBuf,
        /// The tensor.
        tensor: &'static str,
        /// Its shape.
        found: Vec<u64>,
        /// The shape that was expected, with what its numbers mean.
        expected: String,
    },
    /// A tensor has another type.
    #[error("the tensor `{tensor}` of {} has the type {found}; F32, F16, BF16 and F64 are read", path.display())]
    Type {
        /// The file.
        path: PathBuf,
        /// The tensor.
        tensor: &'static str,
        /// Its type.
        found: String,
    },
    /// There are too many features, or none.
    #[error("{} has {features} features; from 1 to {MOST_FEATURES} are read", path.display())]
    Features {
        /// The file.
        path: PathBuf,
        /// How many there are.
        features: u64,
    },
}

fn listed(found: &[String]) -> String {
    match found {
        [] => "; it has no tensors".to_owned(),
        some => format!("; it has `{}`", some.join("`, `")),
    }
}

impl DictionaryError {
    /// What to do, if that is known.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Header(error) => error.hint(),
            Self::Pickled(_) => Some("save its tensors with `safetensors.torch.save_file`"),
            Self::Missing { found, .. } if found.iter().any(|name| name == "W_enc") => Some(
                "save `W_enc` transposed as `encoder`, `b_enc` as `encoder_bias`, `W_dec` transposed as `decoder` and, \
                 if it is subtracted before encoding, `b_dec` as `decoder_bias`",
            ),
            Self::Shape { tensor: "encoder", .. } => {
                Some("`encoder` has a row for each feature and a column for each unit of the layer")
            }
            _ => None,
        }
    }
}

impl Dictionary {
    /// Reads the header of a dictionary over a layer. Numbers are not read.
    ///
    /// # Errors
    /// Fails if the file cannot be read, is not a safetensors file, or has other tensors than a dictionary over that layer.
    pub fn read(path: &Path, layer: &Layer) -> Result<Self, DictionaryError> {
        if path.exists() && !path.is_file() {
            return Err(DictionaryError::NotAFile(path.to_owned()));
        }
        if sniff::start_of(path).starts_with(ARCHIVE) {
            return Err(DictionaryError::Pickled(path.to_owned()));
        }
        let header = Header::read(path).map_err(|error| match error {
            HeaderError::Old { path } => DictionaryError::Pickled(path),
            error => error.into(),
        })?;
        Self::of_header(&header, path, layer)
    }

    fn of_header(header: &Header, path: &Path, layer: &Layer) -> Result<Self, DictionaryError> {
        let path = || path.to_owned();
        let Some(encoder) = header.tensors.get("encoder") else {
            let found = header.tensors.keys().take(6).map(|name| printable(name)).collect();
            return Err(DictionaryError::Missing { path: path(), found });
        };
        let (name, units) = (layer.name.shown(), u64::from(layer.units));
        let features = match encoder.shape.as_slice() {
            &[features, columns] if columns == units => features,
            found => {
                let expected = format!("[features, {units}], with the {units} units of `{name}`,");
                let found = found.to_vec();
                return Err(DictionaryError::Shape {
                    path: path(),
                    tensor: "encoder",
                    found,
                    expected,
                });
            }
        };
        if !(1..=MOST_FEATURES).contains(&features) {
            return Err(DictionaryError::Features { path: path(), features });
        }
        let shapes = [
            ("encoder", vec![features, units]),
            ("encoder_bias", vec![features]),
            ("decoder", vec![units, features]),
            ("decoder_bias", vec![units]),
        ];
        for (tensor, info) in &header.tensors {
            let Some((tensor, shape)) = shapes.iter().find(|(known, _)| known == tensor) else {
                let tensor = printable(tensor);
                return Err(DictionaryError::Unknown { path: path(), tensor });
            };
            if info.shape != *shape {
                let what = match *tensor {
                    "encoder_bias" => "[features]",
                    "decoder" => "[units, features]",
                    _ => "[units]",
                };
                let expected = format!("{shape:?} = {what}");
                let found = info.shape.clone();
                return Err(DictionaryError::Shape { path: path(), tensor, found, expected });
            }
            if !TYPES.contains(&info.dtype.as_str()) {
                let found = printable(&info.dtype);
                return Err(DictionaryError::Type { path: path(), tensor, found });
            }
        }
        let features = u32::try_from(features).unwrap_or(u32::MAX);
        Ok(Self { features })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{LayerName, Positions, Stage};

    fn layer() -> Layer {
        let canonical = "visual.layer4.0".to_owned();
        let name = LayerName { canonical, article: None, hugging_face: None };
        Layer { name, stage: Stage::Embedding, units: 4, positions: Positions::One }
    }

    /// A safetensors file of zeros.
    fn file(tensors: &[(&str, &str, &[usize])]) -> Vec<u8> {
        let mut entries = serde_json::Map::new();
        let mut end = 0;
        for (name, dtype, shape) in tensors {
            let width = if *dtype == "F16" { 2 } else { 4 };
            let bytes = shape.iter().product::<usize>() * width;
            let entry = serde_json::json!({ "dtype": dtype, "shape": shape, "data_offsets": [end, end + bytes] });
            entries.insert((*name).to_owned(), entry);
            end += bytes;
        }
        let json = serde_json::to_vec(&entries).expect("JSON");
        let mut bytes = (json.len() as u64).to_le_bytes().to_vec();
        bytes.extend(json);
        bytes.resize(bytes.len() + end, 0);
        bytes
    }

    fn read(bytes: &[u8]) -> Result<Dictionary, String> {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("d.safetensors");
        std::fs::write(&path, bytes).expect("a file");
        Dictionary::read(&path, &layer()).map_err(|error| {
            let hint = error.hint().map(|hint| format!("\n  hint: {hint}")).unwrap_or_default();
            format!("{error}{hint}").replace(&path.display().to_string(), "d.safetensors")
        })
    }

    #[test]
    fn an_encoder_alone_is_a_dictionary() {
        let encoder: (&str, &str, &[usize]) = ("encoder", "F32", &[3, 4]);
        assert_eq!(read(&file(&[encoder])), Ok(Dictionary { features: 3 }));
        let all: [(&str, &str, &[usize]); 4] = [
            ("encoder", "F16", &[3, 4]),
            ("encoder_bias", "F32", &[3]),
            ("decoder", "F32", &[4, 3]),
            ("decoder_bias", "F32", &[4]),
        ];
        assert_eq!(read(&file(&all)), Ok(Dictionary { features: 3 }));
    }

    #[test]
    fn what_is_wrong_with_a_file_names_the_tensor_and_what_was_expected() {
        let encoder: (&str, &str, &[usize]) = ("encoder", "F32", &[3, 4]);
        let wrong = [
            file(&[("encoder", "F32", &[4, 3])]),
            file(&[("encoder", "F32", &[12])]),
            file(&[("encoder", "F32", &[0, 4])]),
            file(&[encoder, ("encoder_bias", "F32", &[4])]),
            file(&[encoder, ("decoder", "F32", &[3, 4])]),
            file(&[encoder, ("decoder_bias", "F32", &[3])]),
            file(&[encoder, ("threshold", "F32", &[3])]),
            file(&[("encoder", "I32", &[3, 4])]),
            file(&[("W_dec", "F32", &[3, 4]), ("W_enc", "F32", &[4, 3])]),
            file(&[]),
            b"PK\x03\x04 an archive".to_vec(),
            b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.".to_vec(),
            b"hello, this is text".to_vec(),
        ];
        let found: Vec<String> =
            wrong.iter().map(|bytes| read(bytes).expect_err("wrong")).collect();
        insta::assert_snapshot!(found.join("\n"));
    }

    #[test]
    fn a_folder_is_not_a_dictionary() {
        let dir = tempfile::tempdir().expect("a folder");
        let error = Dictionary::read(dir.path(), &layer()).expect_err("a folder").to_string();
        assert!(error.contains("is not a file"), "{error}");
    }
}
