//! WebDataset: a tar archive in; the samples that its file names form out.
//!
//! Files whose paths agree up to the first dot of the last part are one sample, and what follows that dot
//! says what they are. Nothing is unpacked: the archive's headers are read once, and a picture is read from
//! where it lies.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use neuronotes::analysis::scan::Sample;

use super::{Shard, ShardError, is_picture, sidecar};
use crate::picture::{LARGEST_FILE, Picture};

/// An archive that has been looked through.
#[derive(Debug)]
pub struct Archive {
    file: File,
    samples: Vec<Sample>,
    places: Vec<Place>,
}

/// Where a picture lies.
#[derive(Debug, Clone, Copy)]
struct Place {
    offset: u64,
    bytes: u64,
}

impl Archive {
    /// Reads the archive's headers and the small files beside its pictures.
    ///
    /// # Errors
    /// Where it cannot be read, is compressed, damaged or cut short.
    pub fn open(path: &Path) -> Result<Self, ShardError> {
        let io = |source| ShardError::Io { path: path.to_owned(), source };
        let malformed = |why: String| ShardError::Malformed {
            path: path.to_owned(),
            format: "a tar archive",
            why,
        };
        let file = File::open(path).map_err(io)?;
        let length = file.metadata().map_err(io)?.len();
        let mut magic = [0; 4];
        if file.read_exact_at(&mut magic, 0).is_ok()
            && (magic.starts_with(&[0x1f, 0x8b]) || magic == [0x28, 0xb5, 0x2f, 0xfd])
        {
            return Err(malformed("it is compressed; unpack it to a plain .tar first".into()));
        }
        let mut found = Found::default();
        let mut archive = ::tar::Archive::new(&file);
        for entry in archive.entries_with_seek().map_err(io)? {
            let damaged = |error: std::io::Error| {
                malformed(format!("damaged after {} pictures: {error}", found.samples.len()))
            };
            let entry = entry.map_err(damaged)?;
            let name = entry.path().map_err(damaged)?.into_owned();
            let place = Place { offset: entry.raw_file_position(), bytes: entry.size() };
            if !entry.header().entry_type().is_file() {
                continue;
            }
            if place.offset.saturating_add(place.bytes) > length {
                let pictures = found.samples.len();
                return Err(malformed(format!("cut short after {pictures} pictures")));
            }
            found.add(&name, place, &file).map_err(io)?;
        }
        let (samples, places) = found.finish(path);
        Ok(Self { file, samples, places })
    }
}

/// Samples as they are found; files of one need not follow each other.
#[derive(Debug, Default)]
struct Found {
    samples: Vec<(String, Place)>,
    known: HashSet<String>,
    beside: Vec<(String, String, Vec<u8>)>,
}

impl Found {
    fn add(&mut self, name: &Path, place: Place, file: &File) -> std::io::Result<()> {
        let Some(last) = name.file_name().map(|last| last.to_string_lossy()) else {
            return Ok(());
        };
        // A dot at the very start hides a file, as macOS does with its own.
        let Some((stem, ending)) = last.split_once('.').filter(|(stem, _)| !stem.is_empty()) else {
            return Ok(());
        };
        let key = name.with_file_name(stem).to_string_lossy().into_owned();
        let ending = ending.to_lowercase();
        if is_picture(&ending) {
            if self.known.insert(key.clone()) {
                self.samples.push((key, place));
            }
        } else if sidecar::is_sidecar(&ending) && place.bytes <= sidecar::LARGEST {
            let mut bytes = vec![0; place.bytes as usize];
            file.read_exact_at(&mut bytes, place.offset)?;
            self.beside.push((key, ending, bytes));
        }
        Ok(())
    }

    fn finish(self, path: &Path) -> (Vec<Sample>, Vec<Place>) {
        let (mut samples, mut places) = (Vec::new(), Vec::new());
        let mut rows = HashMap::new();
        for (key, place) in self.samples {
            rows.insert(key.clone(), samples.len());
            samples.push(Sample { key, caption: None, label: None });
            places.push(place);
        }
        for (key, ending, bytes) in self.beside {
            if let Some(&row) = rows.get(&key)
                && let Err(why) = sidecar::read(&mut samples[row], &ending, &bytes)
            {
                eprintln!("neuronotes-lab: {}: {key}.{ending} is left out ({why})", path.display());
            }
        }
        (samples, places)
    }
}

impl Shard for Archive {
    fn samples(&self) -> &[Sample] {
        &self.samples
    }

    fn picture(&self, row: usize) -> Result<Picture, String> {
        let place = self.places.get(row).ok_or("there is no such row")?;
        if place.bytes > LARGEST_FILE {
            return Err(format!("it has {} bytes, more than 64 MiB", place.bytes));
        }
        let mut bytes = vec![0; place.bytes as usize];
        self.file.read_exact_at(&mut bytes, place.offset).map_err(|error| error.to_string())?;
        Picture::decode(&bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use image::{ImageFormat, Rgb, RgbImage};

    fn png(colour: [u8; 3]) -> Vec<u8> {
        let mut bytes = std::io::Cursor::new(Vec::new());
        RgbImage::from_pixel(4, 3, Rgb(colour))
            .write_to(&mut bytes, ImageFormat::Png)
            .expect("a PNG");
        bytes.into_inner()
    }

    fn archive(dir: &Path, files: &[(&str, &[u8])]) -> PathBuf {
        let path = dir.join("shard.tar");
        let mut builder = ::tar::Builder::new(File::create(&path).expect("a file"));
        for (name, bytes) in files {
            let mut header = ::tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            builder.append_data(&mut header, name, *bytes).expect("an entry");
        }
        builder.finish().expect("an archive");
        path
    }

    #[test]
    fn files_that_share_a_key_are_one_sample() {
        let dir = tempfile::tempdir().expect("a folder");
        let long = format!("{}/x.png", "folder".repeat(30));
        let path = archive(
            dir.path(),
            &[
                ("b.json", br#"{"caption": "a red thing", "group": "reds", "label": 7}"#),
                ("b.png", &png([255, 0, 0])),
                ("in/a.txt", b" green \n"),
                ("in/a.PNG", &png([0, 255, 0])),
                ("in/a.seg.png", &png([9, 9, 9])),
                ("c.json", b"{ broken"),
                ("c.jpg", b"not a picture"),
                ("notes", b"nothing"),
                ("._b.png", b"of macOS"),
                (&long, &png([0, 0, 255])),
            ],
        );
        let shard = Archive::open(&path).expect("an archive");
        let keys: Vec<_> = shard.samples().iter().map(|s| s.key.as_str()).collect();
        assert_eq!(keys, ["b", "in/a", "c", &long[..long.len() - 4]]);
        assert_eq!(shard.samples()[0].caption.as_deref(), Some("a red thing"));
        assert_eq!(shard.samples()[0].label.as_deref(), Some("7"));
        assert_eq!(shard.samples()[1].caption.as_deref(), Some("green"));
        assert_eq!(shard.picture(1).expect("green").pixels()[..3], [0, 255, 0]);
        assert!(shard.picture(2).is_err());
        assert_eq!(shard.picture(3).expect("blue").dimensions(), (4, 3));
        assert!(shard.picture(4).is_err());
    }

    #[test]
    fn a_damaged_archive_says_where() {
        let dir = tempfile::tempdir().expect("a folder");
        let picture = png([1, 2, 3]);
        let path = archive(dir.path(), &[("a.png", &picture), ("b.png", &picture)]);
        let whole = std::fs::read(&path).expect("read");
        // The second header begins at 1024; its picture at 1536.
        std::fs::write(&path, &whole[..1540]).expect("cut");
        let error = Archive::open(&path).expect_err("cut short").to_string();
        assert!(error.contains("after 1 pictures"), "{error}");
        let mut garbled = whole.clone();
        garbled[1024 + 130] ^= 0x55;
        std::fs::write(&path, &garbled).expect("garble");
        let error = Archive::open(&path).expect_err("damaged").to_string();
        assert!(error.contains("damaged after 1"), "{error}");
        std::fs::write(&path, [0x1f, 0x8b, 8, 0, 0]).expect("gzip");
        let error = Archive::open(&path).expect_err("compressed").to_string();
        assert!(error.contains("compressed"), "{error}");
    }
}
