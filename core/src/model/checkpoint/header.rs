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
use std::path::{Path, PathBuf};

use super::error::{HeaderError, printable};
use super::tensor::TensorInfo;
use super::{archive, parts, safetensors};
use crate::sniff;

/// Most tensors of all parts together: more than any model has.
const TENSORS: usize = 1 << 18;

/// Names, types, shapes and places of a model's tensors.
#[derive(Debug, Clone, Default)]
pub struct Header {
    /// Each tensor by its name.
    pub tensors: BTreeMap<String, TensorInfo>,
    /// The files that they are in: one, or the parts of a model in order.
    pub files: Vec<PathBuf>,
}

impl Header {
    /// Reads the header of the weights at `path`, which is a file, an index or a folder. Of each file only some MiB are
    /// read, whatever it claims.
    ///
    /// # Errors
    /// Fails if a file cannot be read or is not a weights file, or if parts do not fit together.
    pub fn read(path: &Path) -> Result<Self, HeaderError> {
        let path = parts::locate(path)?;
        let Some(parts) = parts::parts(&path)? else {
            return Ok(Self { tensors: of_file(&path)?, files: vec![path] });
        };
        let wrong = |why: String| HeaderError::Index { path: path.clone(), why };
        let (mut tensors, mut files) = (BTreeMap::<String, TensorInfo>::new(), Vec::new());
        for (at, (name, file)) in parts.files.into_iter().enumerate() {
            for (tensor, info) in of_file(&file)? {
                let shown = printable(&tensor);
                if tensors.insert(tensor, TensorInfo { file: at, ..info }).is_some() {
                    return Err(wrong(format!(
                        "the tensor `{shown}` is in `{name}` and in an earlier part"
                    )));
                }
            }
            if tensors.len() > TENSORS {
                return Err(wrong(format!("its parts have more than {TENSORS} tensors")));
            }
            files.push(file);
        }
        for (tensor, file) in &parts.tensors {
            if tensors.get(tensor).is_none_or(|info| info.file != *file) {
                let (shown, file) = (printable(tensor), files[*file].display());
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
    if length > safetensors::LONGEST || length > size - 8 {
        // A pickle's first operation names its protocol.
        if first[0] == 0x80 && (2..=5).contains(&first[1]) {
            return Err(HeaderError::Old { path: path.to_owned() });
        }
        return Err(unknown("its first bytes are those of neither".into()));
    }
    let mut json = Vec::new();
    file.take(length).read_to_end(&mut json).map_err(io)?;
    safetensors::read(&json, 8 + length, size)
        .map_err(|why| HeaderError::Safetensors { path: path.to_owned(), why })
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
        assert!(error.contains("does not match its shape"), "{error}");
    }
}
