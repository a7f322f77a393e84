//! The index of a shard: a listing in; bytes out, from which it is opened again without reading around every picture. Listing
//! an archive of some thousand pictures takes tens of milliseconds, or seconds on a slow disk; opening its index takes one.
//!
//! Only archives that are read in place have one. Everything but the places of pictures is as the listing has it.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::format::Format;
use super::format::tar;
use super::ledger::Ledger;
use super::listing::{Listing, RULES};
use super::reading::Reading;
use super::sample::Sample;
use crate::digest::Digest;

/// Bump when the same listing has another index.
const VERSION: u32 = 1;
/// The length of a text that is not there.
const NONE: u32 = u32::MAX;

/// What stands before the samples, as JSON.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    /// Number of samples.
    count: usize,
    rules: u32,
    ledger: Ledger,
}

/// The key of the index of a shard, by the digest of everything that is in it and how it is read; `None` if shards of its
/// format have no index.
pub fn key(format: &Format, reading: &Reading, digest: &Digest) -> Option<Digest> {
    let of_archive = *format == tar::FORMAT;
    let labels = serde_json::to_string(&reading.labels).ok().filter(|_| of_archive)?;
    let name = format!("index {VERSION}\0{}\0{RULES}\0{labels}\0{digest}", format.name);
    Some(Digest::of(name.as_bytes()))
}

/// The index of a shard; `None` if it has none.
///
/// After the length of the header and the header itself, each number little-endian: the lengths of all keys, captions and
/// labels in 4 bytes each; these texts; and offset and length of each picture, in 8 bytes each.
pub fn written(listing: &Listing) -> Option<Vec<u8>> {
    let places = listing.pictures.places()?;
    let Listing { samples, ledger, rules, .. } = listing;
    let header = Header { count: samples.len(), rules: *rules, ledger: ledger.clone() };
    let header = serde_json::to_vec(&header).ok()?;
    let mut bytes = u32::try_from(header.len()).ok()?.to_le_bytes().to_vec();
    bytes.extend(header);
    let key = |sample: &'_ Sample| Some(sample.key.len());
    let length = |text: &Option<String>| text.as_ref().map(String::len);
    let lengths = samples.iter().map(key);
    let lengths = lengths.chain(samples.iter().map(|sample| length(&sample.caption)));
    for length in lengths.chain(samples.iter().map(|sample| length(&sample.label))) {
        let length = length.map_or(Ok(NONE), u32::try_from).ok()?;
        bytes.extend(length.to_le_bytes());
    }
    samples.iter().for_each(|sample| bytes.extend(sample.key.as_bytes()));
    let texts = samples.iter().filter_map(|sample| sample.caption.as_ref());
    for text in texts.chain(samples.iter().filter_map(|sample| sample.label.as_ref())) {
        bytes.extend(text.as_bytes());
    }
    for (offset, length) in places {
        bytes.extend(offset.to_le_bytes());
        bytes.extend(length.to_le_bytes());
    }
    Some(bytes)
}

/// Opens a shard whose index this is; `None` if the index is malformed, or the shard cannot be opened.
pub fn open(path: &Path, bytes: &[u8]) -> Option<Listing> {
    let (length, rest) = bytes.split_first_chunk()?;
    let (header, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    let Header { count, rules, ledger } = serde_json::from_slice(header).ok()?;
    let (lengths, rest) = rest.split_at_checked(count.checked_mul(12)?)?;
    let (texts, places) = rest.split_at_checked(rest.len().checked_sub(count.checked_mul(16)?)?)?;
    let (lengths, _) = lengths.as_chunks::<4>();
    let lengths: Vec<u32> = lengths.iter().map(|length| u32::from_le_bytes(*length)).collect();
    let mut texts = Texts(std::str::from_utf8(texts).ok()?);
    let mut samples = Vec::with_capacity(count);
    for length in lengths.get(..count)? {
        samples.push(Sample { key: texts.next(*length)??, caption: None, label: None });
    }
    for (sample, length) in samples.iter_mut().zip(lengths.get(count..)?) {
        sample.caption = texts.next(*length)?;
    }
    for (sample, length) in samples.iter_mut().zip(lengths.get(count * 2..)?) {
        sample.label = texts.next(*length)?;
    }
    let (numbers, _) = places.as_chunks::<8>();
    let (places, _) = numbers.as_chunks::<2>();
    let places = places.iter().map(|place| {
        let [offset, length] = place.map(u64::from_le_bytes);
        (offset, length)
    });
    texts.0.is_empty().then(|| tar::indexed(path, samples, ledger, rules, places.collect()))?
}

/// Texts one behind the other.
struct Texts<'a>(&'a str);

impl Texts<'_> {
    /// The next one, which may not be there; `None` if there are not so many bytes.
    fn next(&mut self, length: u32) -> Option<Option<String>> {
        if length == NONE {
            return Some(None);
        }
        let (text, rest) = self.0.split_at_checked(length as usize)?;
        self.0 = rest;
        Some(Some(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};

    use super::*;
    use crate::dataset::{Labels, format, list};

    fn archive(path: &Path, files: &[(&str, &[u8])]) {
        let mut builder = ::tar::Builder::new(File::create(path).expect("a file"));
        for (name, bytes) in files {
            let mut header = ::tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            builder.append_data(&mut header, name, *bytes).expect("an entry");
        }
        builder.finish().expect("an archive");
    }

    #[test]
    fn an_index_holds_all_that_a_listing_says() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("a.tar");
        let files: [(&str, &[u8]); 7] = [
            ("in/a.png", b"first"),
            ("in/a.txt", "caption — ü".as_bytes()),
            ("b.png", b"second"),
            ("b.cls", b"7"),
            ("c.jpg", b""),
            ("d.avif", b"not read"),
            ("README", b"text"),
        ];
        archive(&path, &files);
        for labels in [Labels::Files, Labels::Folders] {
            let listing = list(&path, &format::tar::FORMAT, &labels.into()).expect("a listing");
            let bytes = written(&listing).expect("an index");
            let again = open(&path, &bytes).expect("a listing");
            assert_eq!(again.samples, listing.samples);
            assert_eq!((&again.ledger, again.rules), (&listing.ledger, listing.rules));
            for row in 0..listing.samples.len() {
                assert_eq!(again.picture(row), listing.picture(row));
            }
            assert_eq!(written(&again).as_ref(), Some(&bytes));
            for end in 0..bytes.len() {
                assert!(open(&path, &bytes[..end]).is_none(), "{end}");
            }
            assert!(open(&dir.path().join("b.tar"), &bytes).is_none());
        }
        let reading = Reading::from(Labels::Files);
        let digest = Digest::of(b"archive");
        let own = key(&format::tar::FORMAT, &reading, &digest);
        assert!(own.is_some());
        assert_ne!(own, key(&format::tar::FORMAT, &Labels::Folders.into(), &digest));
        assert_ne!(own, key(&format::tar::FORMAT, &reading, &Digest::of(b"other")));
        assert_eq!(key(&format::folder::FORMAT, &reading, &digest), None);
    }

    #[test]
    fn an_archive_that_is_unpacked_and_a_folder_have_none() {
        let dir = tempfile::tempdir().expect("a folder");
        let (path, packed) = (dir.path().join("a.tar"), dir.path().join("packed.tar"));
        archive(&path, &[("a.png", b"first")]);
        let mut gzip = flate2::write::GzEncoder::new(
            File::create(&packed).expect("a file"),
            flate2::Compression::fast(),
        );
        std::io::Write::write_all(&mut gzip, &fs::read(&path).expect("bytes")).expect("written");
        gzip.finish().expect("written");
        let reading = Labels::Files.into();
        let indexed = |path: &Path| {
            let listing = list(path, &format::tar::FORMAT, &reading).expect("a listing");
            written(&listing).is_some()
        };
        assert!(indexed(&path) && !indexed(&packed));
        fs::remove_file(&path).expect("removed");
        fs::remove_file(&packed).expect("removed");
        fs::write(dir.path().join("a.png"), "first").expect("written");
        let listing = list(dir.path(), &format::folder::FORMAT, &reading).expect("a listing");
        assert!(written(&listing).is_none());
    }
}
