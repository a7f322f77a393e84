//! The header of a weights file: names, types, shapes and places of its tensors.
//!
//! | first bytes | what it is |
//! |---|---|
//! | `PK\x03\x04` | an archive of PyTorch, see [`super::archive`] |
//! | a length, 8 bytes little-endian | safetensors: that much JSON follows, then the data |
//! | `{` | an index: weights in several files, see [`super::parts`] |
//!
//! The ending of the file's name decides nothing.

use std::collections::BTreeMap;
use std::io::{Read as _, Seek as _};
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{archive, parts};
use crate::sniff::{self, Found};

/// A larger header than any CLIP's; what claims more is no safetensors file.
pub(super) const LONGEST: u64 = 16 << 20;

/// More tensors than the parts of any model have.
const TENSORS: usize = 1 << 18;

/// Names, types, shapes and places of a model's tensors.
#[derive(Debug, Clone, Default)]
pub struct Header {
    /// By name.
    pub tensors: BTreeMap<String, TensorInfo>,
    /// The files that they lie in: one, or the parts of a model in order.
    pub files: Vec<PathBuf>,
}

/// One tensor's type, shape and place.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TensorInfo {
    /// As safetensors spells it: `F16`, `F32`, …
    pub dtype: String,
    /// Its sizes.
    pub shape: Vec<u64>,
    /// Which of [`Header::files`] it lies in.
    pub file: usize,
    /// Which of the file's bytes are its elements, row by row and little-endian; within the file, and as
    /// many as type and shape ask for.
    pub data: Range<u64>,
}

/// Why a file's header cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum HeaderError {
    /// The file system refused.
    #[error("{} cannot be read ({source})", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// Something else lies there.
    #[error("{} is not a weights file, neither of safetensors nor of PyTorch ({why})", path.display())]
    Unknown {
        /// The file.
        path: PathBuf,
        /// What gave it away.
        why: String,
    },
    /// A safetensors file that is damaged.
    #[error("{} is not a whole safetensors file ({why})", path.display())]
    Safetensors {
        /// The file.
        path: PathBuf,
        /// What gave it away.
        why: String,
    },
    /// An archive that is damaged, or holds more than tensors.
    #[error("{} cannot be used as an archive of PyTorch ({why})", path.display())]
    Archive {
        /// The file.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// An index of weights in several files that cannot be followed.
    #[error("{} is no index of weights that can be followed ({why})", path.display())]
    Index {
        /// The file.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// A folder of which nothing says what in it is meant.
    #[error(
        "{} {}", path.display(),
        match &**found {
            [] => "has no weights in it, as `model.safetensors` would be".to_owned(),
            some => format!("has several weights in it (`{}`); name one of these files", some.join("`, `")),
        }
    )]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Some of the weights in it.
        found: Vec<String>,
    },
    /// Something stands in for it.
    #[error("{} is {}, not a weights file", path.display(), found.what)]
    Instead {
        /// The file.
        path: PathBuf,
        /// What it is.
        found: Found,
    },
    /// A pickle that is in no archive.
    #[error(
        "{} was saved by an old PyTorch; save it again with a newer one, or convert it to safetensors",
        path.display()
    )]
    Old {
        /// The file.
        path: PathBuf,
    },
}

impl HeaderError {
    /// What to do about it, where that is known.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Instead { found, .. } => found.hint,
            _ => None,
        }
    }
}

impl Header {
    /// Reads the header of the weights at `path`, a file, an index or a folder; no more than some MiB of each file,
    /// whatever it claims.
    ///
    /// # Errors
    /// Where a file cannot be read or is no weights file, or parts do not fit together.
    pub fn read(path: &Path) -> Result<Self, HeaderError> {
        let path = parts::locate(path)?;
        let Some(parts) = parts::parts(&path)? else {
            return Ok(Self { tensors: of_file(&path)?, files: vec![path] });
        };
        let wrong = |why: String| HeaderError::Index { path: path.clone(), why };
        let (mut tensors, mut files) = (BTreeMap::<String, TensorInfo>::new(), Vec::new());
        for (at, (name, file)) in parts.files.into_iter().enumerate() {
            for (tensor, info) in of_file(&file)? {
                let shown = archive::printable(&tensor);
                if tensors.insert(tensor, TensorInfo { file: at, ..info }).is_some() {
                    return Err(wrong(format!("the tensor `{shown}` is in `{name}` and before")));
                }
            }
            if tensors.len() > TENSORS {
                return Err(wrong(format!("its parts have more than {TENSORS} tensors")));
            }
            files.push(file);
        }
        for (tensor, file) in &parts.tensors {
            if tensors.get(tensor).is_none_or(|info| info.file != *file) {
                let (shown, file) = (archive::printable(tensor), files[*file].display());
                return Err(wrong(format!("the tensor `{shown}` is not in {file}")));
            }
        }
        Ok(Self { tensors, files })
    }
}

/// The tensors of one file.
fn of_file(path: &Path) -> Result<BTreeMap<String, TensorInfo>, HeaderError> {
    let io = |source| HeaderError::Io { path: path.to_owned(), source };
    let unknown = |why: String| HeaderError::Unknown { path: path.to_owned(), why };
    let mut file = crate::file::open(path).map_err(io)?;
    let size = file.metadata().map_err(io)?.len();
    if let Some(found) = sniff::stand_in(&sniff::start_of(path)) {
        return Err(HeaderError::Instead { path: path.to_owned(), found });
    }
    if size < 8 {
        return Err(unknown(format!("it has {size} bytes")));
    }
    let mut first = [0; 8];
    file.read_exact(&mut first).map_err(io)?;
    if first.starts_with(archive::MAGIC) {
        file.rewind().map_err(io)?;
        return archive::read(file, size).map_err(|error| HeaderError::Archive {
            path: path.to_owned(),
            why: error.to_string(),
        });
    }
    let length = u64::from_le_bytes(first);
    if length > LONGEST || length > size - 8 {
        // A pickle's first operation names its protocol.
        if first[0] == 0x80 && (2..=5).contains(&first[1]) {
            return Err(HeaderError::Old { path: path.to_owned() });
        }
        return Err(unknown("its first bytes are those of neither".into()));
    }
    let mut json = Vec::new();
    file.take(length).read_to_end(&mut json).map_err(io)?;
    safetensors(&json, 8 + length, size)
        .map_err(|why| HeaderError::Safetensors { path: path.to_owned(), why })
}

/// An entry of a safetensors header.
#[derive(Deserialize)]
struct Entry {
    dtype: String,
    shape: Vec<u64>,
    /// Counted from the end of the header.
    data_offsets: [u64; 2],
}

/// The tensors of a safetensors file of `size` bytes whose data begin at `start`.
fn safetensors(json: &[u8], start: u64, size: u64) -> Result<BTreeMap<String, TensorInfo>, String> {
    let mut entries: BTreeMap<String, serde_json::Value> =
        serde_json::from_slice(json).map_err(|error| format!("its header is not JSON: {error}"))?;
    entries.remove("__metadata__");
    let mut tensors = BTreeMap::new();
    for (name, value) in entries {
        let entry: Entry = serde_json::from_value(value)
            .map_err(|error| format!("its entry `{name}` is malformed: {error}"))?;
        let [from, to] = entry.data_offsets.map(|offset| offset.checked_add(start));
        let data = match (from, to) {
            (Some(from), Some(to)) if from <= to && to <= size => from..to,
            _ => return Err(format!("its tensor `{name}` reaches beyond the end of the file")),
        };
        if let Some(width) = width(&entry.dtype) {
            let bytes = entry.shape.iter().try_fold(width, |all, &size| all.checked_mul(size));
            if bytes != Some(data.end - data.start) {
                return Err(format!("its tensor `{name}` has not as many bytes as its shape"));
            }
        }
        tensors.insert(name, TensorInfo { dtype: entry.dtype, shape: entry.shape, file: 0, data });
    }
    Ok(tensors)
}

/// Bytes of an element, for types that are known.
pub(super) fn width(dtype: &str) -> Option<u64> {
    match dtype {
        "F64" | "I64" | "U64" => Some(8),
        "F32" | "I32" | "U32" => Some(4),
        "F16" | "BF16" | "I16" | "U16" => Some(2),
        "I8" | "U8" | "BOOL" => Some(1),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_file_and_a_huge_claim_are_refused() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = dir.path().join("w.safetensors");
        for bytes in [&b"hello"[..], b"hello, this is text", &[0xff; 64]] {
            std::fs::write(&path, bytes).expect("write");
            let error = Header::read(&path).expect_err("not weights");
            assert!(error.to_string().contains("is not a weights file"), "{error}");
        }
        for (bytes, what, hint) in [
            (&b"<!DOCTYPE html>\n<html>"[..], "is an HTML page", "download it again"),
            (b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer", "git lfs pull"),
        ] {
            std::fs::write(&path, bytes).expect("write");
            let error = Header::read(&path).expect_err("not weights");
            assert!(error.to_string().contains(what), "{error}");
            assert!(error.hint().is_some_and(|known| known.contains(hint)), "{error}");
        }
        std::fs::write(&path, b"\x02\0\0\0\0\0\0\0[]").expect("write");
        let error = Header::read(&path).expect_err("a list");
        assert!(error.to_string().contains("is not a whole safetensors file"), "{error}");
        std::fs::write(&path, b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.").expect("write");
        let error = Header::read(&path).expect_err("a pickle");
        assert!(error.to_string().contains("was saved by an old PyTorch"), "{error}");
    }

    #[test]
    fn tensors_are_read_and_metadata_is_not_one() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = dir.path().join("w.safetensors");
        let json = br#"{"__metadata__":{"format":"pt"},"a":{"dtype":"F16","shape":[2,3],"data_offsets":[0,12]}}"#;
        let mut bytes = (json.len() as u64).to_le_bytes().to_vec();
        bytes.extend_from_slice(json);
        bytes.extend_from_slice(&[0; 12]);
        std::fs::write(&path, &bytes).expect("write");
        let header = Header::read(&path).expect("a header");
        assert_eq!(header.tensors.len(), 1);
        assert_eq!(header.tensors["a"].shape, [2, 3]);
        assert_eq!(header.tensors["a"].data, bytes.len() as u64 - 12..bytes.len() as u64);
        // Cut in its data, and with data of another length than the shape's.
        std::fs::write(&path, &bytes[..bytes.len() - 1]).expect("write");
        let error = Header::read(&path).expect_err("cut").to_string();
        assert!(error.contains("`a` reaches beyond the end"), "{error}");
        let text = String::from_utf8_lossy(&bytes).replace("[2,3]", "[2,2]");
        std::fs::write(&path, text).expect("write");
        let error = Header::read(&path).expect_err("short").to_string();
        assert!(error.contains("not as many bytes"), "{error}");
    }
}
