//! A folder of pictures in; its samples, sorted by path, out. Hidden files are passed over; links to
//! folders are not followed.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use neuronotes::analysis::scan::Sample;
use walkdir::WalkDir;

use super::{Shard, ShardError, is_picture, sidecar};
use crate::picture::Picture;

/// A folder that has been looked through.
#[derive(Debug)]
pub struct Folder {
    samples: Vec<Sample>,
    paths: Vec<PathBuf>,
}

impl Folder {
    /// Walks the folder and reads the small files beside its pictures.
    ///
    /// # Errors
    /// Where the folder, or one in it, cannot be read.
    pub fn open(path: &Path) -> Result<Self, ShardError> {
        let io = |path: &Path, source| ShardError::Io { path: path.to_owned(), source };
        let (mut samples, mut paths) = (Vec::new(), Vec::new());
        // Other than the root, whatever it is called.
        let hidden = |entry: &walkdir::DirEntry| {
            entry.depth() > 0 && entry.file_name().to_string_lossy().starts_with('.')
        };
        let mut files = Vec::new();
        for entry in WalkDir::new(path).into_iter().filter_entry(|entry| !hidden(entry)) {
            let entry = entry.map_err(|error| {
                let at = error.path().unwrap_or(path).to_owned();
                io(&at, error.into())
            })?;
            if !entry.file_type().is_dir() {
                files.push(entry.into_path());
            }
        }
        files.retain(|file| is_picture(&ending(file)));
        files.sort();
        let mut known = HashSet::new();
        for file in files {
            let relative = file.strip_prefix(path).unwrap_or(&file);
            let name = |path: &Path| path.to_string_lossy().replace('\\', "/");
            let mut key = name(&relative.with_extension(""));
            // `cat.jpg` and `cat.png` are two pictures: the second one keeps its ending.
            if known.contains(&key) {
                key = name(relative);
            }
            known.insert(key.clone());
            let mut sample = Sample { key, caption: None, label: None };
            for kind in ["json", "txt"] {
                let beside = file.with_extension(kind);
                if fs::metadata(&beside).is_ok_and(|meta| meta.len() <= sidecar::LARGEST) {
                    let read = fs::read(&beside).map_err(|error| error.to_string());
                    let read = read.and_then(|bytes| sidecar::read(&mut sample, kind, &bytes));
                    if let Err(why) = read {
                        eprintln!("neuronotes-lab: {} is left out ({why})", beside.display());
                    }
                }
            }
            samples.push(sample);
            paths.push(file);
        }
        Ok(Self { samples, paths })
    }
}

fn ending(path: &Path) -> String {
    path.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default()
}

impl Shard for Folder {
    fn samples(&self) -> &[Sample] {
        &self.samples
    }

    fn picture(&self, row: usize) -> Result<Picture, String> {
        let path = self.paths.get(row).ok_or("there is no such row")?;
        Picture::open(path)
    }
}

#[cfg(test)]
mod tests {
    use image::RgbImage;

    use super::*;

    #[test]
    fn pictures_come_in_the_order_of_their_paths_with_what_lies_beside_them() {
        let dir = tempfile::tempdir().expect("a folder");
        let root = dir.path();
        fs::create_dir_all(root.join("b")).expect("a folder");
        fs::create_dir_all(root.join(".git")).expect("a folder");
        for name in ["c.png", "b/x.y.png", "a.png", "a.jpg"] {
            RgbImage::new(5, 6).save(root.join(name)).expect("a picture");
        }
        RgbImage::new(5, 6).save(root.join(".git/z.png")).expect("a picture");
        fs::write(root.join("a.json"), r#"{"label": "first"}"#).expect("write");
        fs::write(root.join("a.txt"), "the caption").expect("write");
        fs::write(root.join("d.webp"), "broken").expect("write");
        let shard = Folder::open(root).expect("a folder");
        let keys: Vec<_> = shard.samples().iter().map(|s| s.key.as_str()).collect();
        assert_eq!(keys, ["a", "a.png", "b/x.y", "c", "d"]);
        assert_eq!(shard.samples()[0].caption.as_deref(), Some("the caption"));
        assert_eq!(shard.samples()[0].label.as_deref(), Some("first"));
        assert_eq!(shard.picture(2).expect("a picture").dimensions(), (5, 6));
        assert!(shard.picture(4).is_err());
        assert!(Folder::open(&root.join("nowhere")).is_err());
    }
}
