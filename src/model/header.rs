//! The header of a safetensors file: names, types and shapes of its tensors.
//!
//! Format: 8 bytes little-endian length, then that much JSON, then the data.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// A larger header than any CLIP's; what claims more is no safetensors file.
const LONGEST: u64 = 16 << 20;

/// Names, types and shapes of a file's tensors.
#[derive(Debug, Clone, Default)]
pub struct Header {
    /// By name.
    pub tensors: BTreeMap<String, TensorInfo>,
}

/// One tensor's type and shape.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct TensorInfo {
    /// As the format spells it: `F16`, `F32`, …
    pub dtype: String,
    /// Its sizes.
    pub shape: Vec<u64>,
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
    #[error("{} is not a safetensors file ({why})", path.display())]
    NotSafetensors {
        /// The file.
        path: PathBuf,
        /// What gave it away.
        why: String,
    },
}

impl Header {
    /// Reads the header of the file at `path`; never more than 16 MiB, whatever the file claims.
    ///
    /// # Errors
    /// Where the file cannot be read or is no safetensors file.
    pub fn read(path: &Path) -> Result<Self, HeaderError> {
        let io = |source| HeaderError::Io { path: path.to_owned(), source };
        let bad = |why: String| HeaderError::NotSafetensors { path: path.to_owned(), why };
        let mut file = File::open(path).map_err(io)?;
        let size = file.metadata().map_err(io)?.len();
        if size < 8 {
            return Err(bad(format!("it has {size} bytes")));
        }
        let mut length = [0; 8];
        file.read_exact(&mut length).map_err(io)?;
        let length = u64::from_le_bytes(length);
        if length > LONGEST || length > size - 8 {
            return Err(bad("its first bytes are not a header's length".into()));
        }
        let mut json = Vec::new();
        file.take(length).read_to_end(&mut json).map_err(io)?;
        let mut entries: BTreeMap<String, serde_json::Value> = serde_json::from_slice(&json)
            .map_err(|error| bad(format!("its header is not JSON: {error}")))?;
        entries.remove("__metadata__");
        let mut tensors = BTreeMap::new();
        for (name, value) in entries {
            let info = serde_json::from_value(value)
                .map_err(|error| bad(format!("its entry `{name}` is malformed: {error}")))?;
            tensors.insert(name, info);
        }
        Ok(Self { tensors })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_file_and_a_huge_claim_are_refused() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = dir.path().join("w.safetensors");
        for bytes in [&b"hello"[..], b"hello, this is text", &[0xff; 64], b"\x02\0\0\0\0\0\0\0[]"] {
            std::fs::write(&path, bytes).expect("write");
            let error = Header::read(&path).expect_err("not safetensors");
            assert!(error.to_string().contains("is not a safetensors file"), "{error}");
        }
    }

    #[test]
    fn tensors_are_read_and_metadata_is_not_one() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = dir.path().join("w.safetensors");
        let json = br#"{"__metadata__":{"format":"pt"},"a":{"dtype":"F16","shape":[2,3],"data_offsets":[0,12]}}"#;
        let mut bytes = (json.len() as u64).to_le_bytes().to_vec();
        bytes.extend_from_slice(json);
        bytes.extend_from_slice(&[0; 12]);
        std::fs::write(&path, bytes).expect("write");
        let header = Header::read(&path).expect("a header");
        assert_eq!(header.tensors.len(), 1);
        assert_eq!(header.tensors["a"].shape, [2, 3]);
    }
}
