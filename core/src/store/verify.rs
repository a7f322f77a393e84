//! Verification: reads every byte of a store, compares it with its digest or checksum, and sets damaged files aside.
//!
//! Foreign files are named and left alone.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use super::disk::{LONGEST, Store};
use super::drawing::{self, Kept};
use super::error::StoreError;
use super::index::{self, LONGEST_INDEX};
use super::record::Record;
use crate::digest::Digest;
use crate::place;
use crate::seal::{self, Opened};

/// What verification found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// Records that are right, with all their outputs.
    pub records: u64,
    /// Of those, how many an earlier version wrote, without a checksum.
    pub unsealed: u64,
    /// Outputs that are right.
    pub blobs: u64,
    /// Drawings that are right.
    pub drawings: u64,
    /// Indexes of shards that are right.
    pub indexes: u64,
    /// Bytes that were read.
    pub bytes: u64,
    /// Damaged files, which were set aside.
    pub wrong: Vec<Wrong>,
    /// Files that the store did not make, within it.
    pub foreign: Vec<String>,
}

/// A damaged file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Wrong {
    /// Its path in the store.
    pub file: String,
    /// What is wrong with it, and the consequence.
    pub message: String,
}

struct Verification<'a> {
    store: &'a Store,
    report: Verified,
    /// Outputs that were read, each with its length if it is right.
    blobs: BTreeMap<Digest, Option<u64>>,
    step: &'a mut dyn FnMut(u64, u64),
    total: u64,
}

impl Store {
    /// Reads everything. `step` gets the number of bytes done and of all bytes.
    ///
    /// # Errors
    /// Fails if a folder cannot be read.
    pub fn verify(&self, step: &mut dyn FnMut(u64, u64)) -> Result<Verified, StoreError> {
        let report = Verified::default();
        let mut all = Verification { store: self, report, blobs: BTreeMap::new(), step, total: 0 };
        all.run()?;
        let mut report = all.report;
        report.wrong.sort_by(|a, b| a.file.cmp(&b.file));
        report.foreign.sort();
        Ok(report)
    }
}

impl Verification<'_> {
    fn run(&mut self) -> Result<(), StoreError> {
        let blobs = self.store.list("blobs", "")?;
        let records = self.store.list("records", ".json")?;
        let drawings = self.store.list("figures", ".json")?;
        let indexes = self.store.list("indexes", "")?;
        let all = [&blobs, &records, &drawings, &indexes];
        self.total = all.iter().flat_map(|list| &list.found).map(|found| found.bytes).sum();
        for list in all {
            self.foreign(&list.foreign);
        }
        for (kind, ending) in
            [("roots", ".json"), ("claims", ".json"), ("failures", ".json"), ("partial", ".png")]
        {
            let list = self.store.list(kind, ending)?;
            self.foreign(&list.foreign);
        }
        let strangers = self.store.strangers()?;
        self.foreign(&strangers);
        for found in &blobs.found {
            if self.blob(&found.digest, &found.path) == Some(found.bytes) {
                self.report.blobs += 1;
            }
            self.read(found.bytes);
        }
        for found in &records.found {
            self.record(&found.digest, &found.path);
            self.read(found.bytes);
        }
        for found in &drawings.found {
            let kept = place::read(&found.path, LONGEST)
                .map(|bytes| drawing::read::<Value>(&found.digest, &bytes));
            match kept {
                // An earlier version's is drawn again when it is wanted.
                Ok(Kept::Drawing(_) | Kept::Old) => self.report.drawings += 1,
                // Another process removed it meanwhile.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Ok(Kept::Swapped) => {
                    let message = "the drawing is that of another figure; it will be drawn again";
                    self.wrong(&found.path, message);
                }
                Ok(Kept::Damaged) | Err(_) => {
                    self.wrong(&found.path, "the drawing is damaged; it will be drawn again");
                }
            }
            self.read(found.bytes);
        }
        for found in &indexes.found {
            let whole = place::read(&found.path, LONGEST_INDEX)
                .map(|bytes| index::read(&found.digest, bytes).is_some());
            match whole {
                Ok(true) => self.report.indexes += 1,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Ok(false) | Err(_) => {
                    let message = "the index of a shard is damaged; it will be made again";
                    self.wrong(&found.path, message);
                }
            }
            self.read(found.bytes);
        }
        for wrong in self.store.roots()?.wrong {
            let message = format!(
                "the list of results that a garden uses is damaged: {}; build the garden before you collect",
                wrong.message
            );
            self.wrong(&wrong.path, &message);
        }
        Ok(())
    }

    fn read(&mut self, bytes: u64) {
        self.report.bytes += bytes;
        (self.step)(self.report.bytes, self.total.max(self.report.bytes));
    }

    fn foreign(&mut self, paths: &[std::path::PathBuf]) {
        self.report.foreign.extend(paths.iter().map(|path| self.store.shown(path)));
    }

    fn wrong(&mut self, path: &Path, message: &str) {
        let (file, message) = (self.store.shown(path), message.to_owned());
        self.report.wrong.push(Wrong { file, message });
        self.store.set_aside(path);
    }

    /// The length of a blob if it is right; otherwise it is set aside.
    fn blob(&mut self, digest: &Digest, path: &Path) -> Option<u64> {
        if let Some(known) = self.blobs.get(digest) {
            return *known;
        }
        let regular = || match fs::symlink_metadata(path)? {
            meta if meta.is_file() => Ok(meta),
            _ => Err(std::io::Error::other("it is not a regular file")),
        };
        let length = match (regular().and_then(|_| Digest::of_file(path)), regular()) {
            (Ok(found), Ok(meta)) if found == *digest => Some(meta.len()),
            (Err(error), _) if error.kind() == std::io::ErrorKind::NotFound => None,
            (Err(error), _) => {
                self.wrong(path, &format!("the output cannot be read ({error})"));
                None
            }
            _ => {
                self.wrong(path, "the output is damaged: its bytes do not match its digest");
                None
            }
        };
        self.blobs.insert(*digest, length);
        length
    }

    fn record(&mut self, key: &Digest, path: &Path) {
        let bytes = match place::read(path, LONGEST) {
            Ok(bytes) => bytes,
            // Another process removed it meanwhile.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return,
            Err(error) => return self.wrong(path, &format!("it cannot be read ({error})")),
        };
        let record = match Record::read(&bytes) {
            Ok(record) => record,
            Err(why) => return self.wrong(path, &format!("{why}; it will be measured again")),
        };
        let what = format!("the {}", record.kind);
        if record.key != *key || !record.names_its_request() {
            let message =
                format!("{what} is stored under the key of another request; it is never used");
            return self.wrong(path, &message);
        }
        for (name, output) in &record.outputs {
            let blob = self.store.blob_path(&output.digest);
            let message = match self.blob(&output.digest, &blob) {
                Some(length) if length == output.bytes => continue,
                // Left out when it was brought here.
                None if self.store.shown_only && !output.is_shown(name) => continue,
                Some(_) => format!("{what} states another length for its output `{name}`"),
                None => format!("{what} has lost its output `{name}`"),
            };
            return self.wrong(path, &format!("{message}; it will be measured again"));
        }
        self.report.records += 1;
        self.report.unsealed += u64::from(seal::open(&bytes) == Opened::Bare);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_damaged_is_named_and_set_aside_and_what_is_foreign_left_alone() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let store = Store::open(dir.path()).expect("a store");
        let put = |name: &str, text: &[u8]| {
            let request = serde_json::json!({ "kind": name, "impl_version": 1, "uses": [] });
            let key = Digest::of(crate::canonical::canonical_json(&request).as_bytes());
            let mut record = Record::new(key, name, 1, request);
            record.add_output(&store, "result.json", "application/json", text).expect("an output");
            store.commit(&record).expect("committed");
            (store.record_path(&key), store.blob_path(&record.outputs["result.json"].digest))
        };
        let verify = || store.verify(&mut |_, _| {}).expect("verified");
        put("sound", b"sound");
        store.put_figure(&Digest::of(b"figure"), &5).expect("a drawing");
        let sound = verify();
        assert_eq!((sound.records, sound.blobs, sound.drawings), (1, 1, 1));
        assert!(sound.wrong.is_empty() && sound.foreign.is_empty(), "{sound:?}");

        let (flipped, _) = put("flipped", b"one");
        let text =
            fs::read_to_string(&flipped).expect("a record").replace("\"bytes\": 3", "\"bytes\": 4");
        fs::write(&flipped, text).expect("damage");
        let (_, cut) = put("cut", b"two");
        fs::write(&cut, b"tw").expect("damage");
        let (_, gone) = put("gone", b"three");
        fs::remove_file(&gone).expect("removed");
        let (moved, _) = put("moved", b"four");
        let elsewhere = store.record_path(&Digest::of(b"another key"));
        fs::create_dir_all(elsewhere.parent().expect("a folder")).expect("a folder");
        fs::rename(&moved, &elsewhere).expect("moved");
        let drawn = |name: &[u8]| store.sharded("figures", &Digest::of(name), ".json");
        store.put_figure(&Digest::of(b"other"), &6).expect("a drawing");
        fs::create_dir_all(drawn(b"third").parent().expect("a folder")).expect("a folder");
        fs::rename(drawn(b"other"), drawn(b"third")).expect("moved");
        let garden = Path::new("/garden");
        store.put_root(garden, &super::super::Root::default()).expect("a root");
        fs::write(store.root_path(garden), "{}").expect("damage");
        for name in ["blobs/notes.txt", "records/zz", "tmp/x", "partial/me", "README", "blobs/ab"] {
            let _ = fs::create_dir_all(dir.path().join("v1/blobs/ab"));
            if name != "blobs/ab" {
                fs::write(dir.path().join("v1").join(name), "mine").expect("a file");
            }
        }
        fs::write(dir.path().join("v1/blobs/ab/mine"), "mine").expect("a file");
        let found = verify();
        let kinds = found.wrong.iter().map(|wrong| wrong.message.as_str());
        let said = kinds.collect::<Vec<_>>().join("\n");
        for wanted in [
            "its checksum is wrong; it will be measured again",
            "the output is damaged: its bytes do not match its digest",
            "the cut has lost its output `result.json`",
            "the gone has lost its output `result.json`",
            "the moved is stored under the key of another request",
            "the list of results that a garden uses is damaged",
            "the drawing is that of another figure; it will be drawn again",
        ] {
            assert!(said.contains(wanted), "{wanted}\n{said}");
        }
        assert_eq!(found.wrong.len(), 7, "{said}");
        assert_eq!(
            found.foreign,
            ["README", "blobs/ab/mine", "blobs/notes.txt", "partial/me", "records/zz"]
        );
        let again = verify();
        assert!(again.wrong.is_empty(), "{again:?}");
        assert_eq!((again.records, again.foreign.len()), (1, 5));
    }
}
