//! The files that a model's weights are in. Input: the path that a user names. Output: one file, or the parts of one
//! model.
//!
//! | named | meant |
//! |---|---|
//! | a file of safetensors, an archive of PyTorch | itself |
//! | an index, such as `model.safetensors.index.json` | the parts that it names, which are beside it |
//! | a folder | the file or index in it that has the usual name, or that is the only one |
//!
//! The digest of one file is that of its bytes. The digest of several is that of their list, sorted by name: of each its
//! name, a zero byte, its digest in hexadecimal, and a line feed. It does not cover the index, which adds nothing to the
//! parts.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};

use serde::Deserialize;

use super::error::{HeaderError, printable};
use super::safetensors::LONGEST as LONGEST_HEADER;
use crate::digest::Digest;
use crate::files::FileDigests;

/// Most bytes of an index: more than that of any model.
const LONGEST: u64 = 16 << 20;
/// Most parts of a model: more than any has.
const PARTS: usize = 256;
/// Usual names of weights in a folder of Hugging Face or open_clip; earlier names take precedence.
const USUAL: [&str; 8] = [
    "model.safetensors",
    "model.safetensors.index.json",
    "open_clip_model.safetensors",
    "open_clip_model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
    "open_clip_pytorch_model.bin",
    "open_clip_pytorch_model.bin.index.json",
];
/// Endings of files of weights.
const ENDINGS: [&str; 6] = [".safetensors", ".pt", ".pth", ".bin", ".ckpt", ".index.json"];

/// The JSON of an index, as Hugging Face writes it.
#[derive(Deserialize)]
struct Index {
    /// The file of each tensor.
    weight_map: BTreeMap<String, String>,
}

/// The parts of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts {
    /// Names and paths of the files, sorted by name.
    pub files: Vec<(String, PathBuf)>,
    /// The name of each tensor in the index, with the number of its file.
    pub tensors: Vec<(String, usize)>,
}

/// The file or index that `path` means: itself, or one in the folder.
///
/// # Errors
/// Fails if a folder has no weights, or if nothing tells which of several are meant.
pub fn locate(path: &Path) -> Result<PathBuf, HeaderError> {
    if !path.is_dir() {
        return Ok(path.to_owned());
    }
    let usual = USUAL.iter().map(|name| path.join(name)).find(|file| file.is_file());
    if let Some(file) = usual {
        return Ok(file);
    }
    let io = |source| HeaderError::Io { path: path.to_owned(), source };
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(path).map_err(io)? {
        let entry = entry.map_err(io)?.path();
        let name = entry.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        if ENDINGS.iter().any(|ending| name.ends_with(ending)) && entry.is_file() {
            found.insert(entry);
        }
    }
    let found: Vec<PathBuf> = found.into_iter().collect();
    // The parts of an index are in its folder.
    let index = |file: &&PathBuf| file.to_string_lossy().to_lowercase().ends_with(".index.json");
    let indices: Vec<&PathBuf> = found.iter().filter(index).collect();
    match (&*indices, &*found) {
        ([only], _) => Ok((*only).clone()),
        (_, [only]) => Ok(only.clone()),
        _ => Err(HeaderError::Folder {
            path: path.to_owned(),
            found: found
                .iter()
                .take(4)
                .map(|file| printable(&file.file_name().unwrap_or_default().to_string_lossy()))
                .collect(),
        }),
    }
}

/// The parts that the file at `path` names; `None` if it is not an index.
///
/// # Errors
/// Fails if the file cannot be read, or if it is an index that cannot be used.
pub fn parts(path: &Path) -> Result<Option<Parts>, HeaderError> {
    let io = |source| HeaderError::Io { path: path.to_owned(), source };
    let wrong = |why: String| HeaderError::Index { path: path.to_owned(), why };
    if path.is_dir() {
        return Ok(None);
    }
    let mut file = crate::file::open(path).map_err(io)?;
    let mut first = [0; 8];
    if file.read_exact(&mut first).is_err() {
        return Ok(None);
    }
    // As a length of safetensors this would be larger than that of any header.
    let json = first.trim_ascii_start().first() == Some(&b'{')
        && u64::from_le_bytes(first) > LONGEST_HEADER;
    if !json {
        return Ok(None);
    }
    let mut text = first.to_vec();
    file.take(LONGEST).read_to_end(&mut text).map_err(io)?;
    if text.len() as u64 > LONGEST {
        return Err(wrong(format!("it is larger than {} MiB", LONGEST >> 20)));
    }
    let index: Index = serde_json::from_slice(&text)
        .map_err(|error| wrong(format!("it is not JSON with a `weight_map`: {error}")))?;
    let names: BTreeSet<&String> = index.weight_map.values().collect();
    if names.is_empty() || names.len() > PARTS {
        return Err(wrong(format!("it names {} files; 1 to {PARTS} are allowed", names.len())));
    }
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut files = Vec::new();
    for name in names {
        let normal = |part| matches!(part, Component::Normal(_));
        if !Path::new(name).components().all(normal) || name.contains('\\') {
            return Err(wrong(format!("its part `{}` is not in the same folder", printable(name))));
        }
        files.push((name.clone(), folder.join(name)));
    }
    let place = |name: &String| files.partition_point(|(file, _)| file < name);
    let tensors = index.weight_map.iter().map(|(tensor, file)| (tensor.clone(), place(file)));
    let tensors = tensors.collect();
    Ok(Some(Parts { files, tensors }))
}

/// The digest of the weights at `path`, which is a file or an index.
///
/// # Errors
/// Fails if a file cannot be read, or if an index cannot be used.
pub fn digest(digests: &mut FileDigests, path: &Path) -> io::Result<Digest> {
    let Some(parts) = parts(path).map_err(|error| io::Error::other(error.to_string()))? else {
        return digests.digest(path);
    };
    let mut list = Vec::new();
    for (name, file) in &parts.files {
        list.extend_from_slice(name.as_bytes());
        list.extend_from_slice(format!("\0{}\n", digests.digest(file)?).as_bytes());
    }
    Ok(Digest::of(&list))
}

/// The size of the weights at `path` in bytes, all parts together; files that cannot be read count as 0.
pub fn size(path: &Path) -> u64 {
    let size = |path: &Path| fs::metadata(path).map_or(0, |meta| meta.len());
    match locate(path).and_then(|path| Ok((parts(&path)?, path))) {
        Ok((Some(parts), _)) => parts.files.iter().map(|(_, path)| size(path)).sum(),
        Ok((None, path)) => size(&path),
        Err(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_means_the_weights_that_have_the_usual_name_or_are_the_only_ones() {
        let dir = tempfile::tempdir().expect("a folder");
        let file = |name: &str| {
            fs::write(dir.path().join(name), "").expect("write");
            dir.path().join(name)
        };
        let found = || locate(dir.path());
        let nothing = found().expect_err("nothing").to_string();
        assert!(nothing.contains("contains no weights"), "{nothing}");
        file("config.json");
        let own = file("mine.pt");
        assert_eq!(found().expect("the only one"), own);
        file("other.safetensors");
        let two = found().expect_err("two").to_string();
        assert!(two.contains("`mine.pt`, `other.safetensors`"), "{two}");
        let usual = file("pytorch_model.bin");
        assert_eq!(found().expect("the usual"), usual);
        let first = file("model.safetensors");
        assert_eq!(found().expect("before it"), first);
        assert_eq!(locate(&own).expect("a file is itself"), own);
    }

    #[test]
    fn parts_lie_beside_their_index_and_are_digested_with_their_names() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("model.safetensors.index.json");
        let write = |text: &str| fs::write(&path, text).expect("write");
        fs::write(dir.path().join("b"), "two").expect("write");
        fs::write(dir.path().join("a"), "one").expect("write");
        write(r#"{"metadata": {}, "weight_map": {"y": "a", "x": "b", "z": "a"}}"#);
        let found = parts(&path).expect("an index").expect("parts");
        let names: Vec<&str> = found.files.iter().map(|(name, _)| &**name).collect();
        assert_eq!(names, ["a", "b"]);
        assert_eq!(found.tensors, [("x".into(), 1), ("y".into(), 0), ("z".into(), 0)]);
        let digest = || digest(&mut FileDigests::default(), &path).expect("a digest");
        let list = format!("a\0{}\nb\0{}\n", Digest::of(b"one"), Digest::of(b"two"));
        assert_eq!(digest(), Digest::of(list.as_bytes()));
        assert_eq!(size(dir.path()), 6);
        // Different tensors in the index change nothing; a different part does.
        let before = digest();
        write(r#"{"weight_map": {"y": "b", "x": "a"}}"#);
        assert_eq!(digest(), before);
        fs::write(dir.path().join("b"), "three").expect("write");
        assert_ne!(digest(), before);
        for (text, why) in [
            (r#"{"weight_map": {"x": "../a"}}"#, "`../a` is not in the same folder"),
            (r#"{"weight_map": {"x": "/etc/passwd"}}"#, "is not in the same folder"),
            (r#"{"weight_map": {}}"#, "names 0 files"),
            (r#"{"weights": []}     "#, "not JSON with a `weight_map`"),
            ("{ torn and no JSON", "not JSON with a `weight_map`"),
        ] {
            write(text);
            let error = parts(&path).expect_err(text).to_string();
            assert!(error.contains(why), "{error}");
        }
        assert_eq!(parts(&dir.path().join("b")).expect("a file"), None);
    }
}
