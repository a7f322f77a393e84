//! Journals: what workers have finished. Each worker appends to one file; a client reads what is new in all of them.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};

use serde::{Deserialize, Serialize};

use super::folder::Pool;
use crate::protocol::Event;

/// Most bytes that are read from one journal at a time.
const MOST: u64 = 16 << 20;
/// The ending of journals.
pub(super) const ENDING: &str = ".jsonl";

/// Something that a worker has finished.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// [`Event::Done`] or [`Event::Failed`].
    pub event: Event,
    /// The worker's machine.
    pub host: String,
    /// The engine's job.
    #[serde(default)]
    pub job: Option<String>,
    /// For a failure, the last lines of the lab's log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,
}

/// A worker's journal, open for appending.
#[derive(Debug)]
pub struct Journal {
    file: File,
    /// Whether the last line may be cut off.
    torn: bool,
}

impl Journal {
    /// Opens the journal of a worker, whose name is new.
    ///
    /// # Errors
    /// Errors of the file system.
    pub fn open(pool: &Pool, worker: &str) -> io::Result<Self> {
        let path = pool.path("journals").join(format!("{worker}{ENDING}"));
        let file = File::options().create(true).append(true).open(path)?;
        Ok(Self { file, torn: false })
    }

    /// Appends an entry and waits until it is on disk.
    ///
    /// # Errors
    /// Errors of the file system. What was written of the entry is then no line; it may be appended again.
    pub fn append(&mut self, entry: &Entry) -> io::Result<()> {
        let mut line = Vec::new();
        if self.torn {
            line.push(b'\n');
        }
        serde_json::to_writer(&mut line, entry)?;
        line.push(b'\n');
        self.torn = true;
        self.file.write_all(&line)?;
        self.file.sync_data()?;
        self.torn = false;
        Ok(())
    }
}

/// Reads what is appended to a pool's journals.
#[derive(Debug, Default)]
pub struct Tail {
    /// How many bytes of each journal have been read.
    read: BTreeMap<String, u64>,
}

impl Tail {
    /// A reader that skips what is there already.
    ///
    /// # Errors
    /// If the folder cannot be listed.
    pub fn at_end(pool: &Pool) -> io::Result<Self> {
        let mut read = BTreeMap::new();
        for name in pool.names("journals")? {
            let path = pool.path("journals").join(&name);
            read.insert(name, path.metadata().map_or(0, |meta| meta.len()));
        }
        Ok(Self { read })
    }

    /// The entries that were appended since, of each journal in its order. A line that is not complete yet is read next time, and a
    /// line that cannot be understood is skipped.
    ///
    /// # Errors
    /// If the folder cannot be listed. A journal that cannot be read now is read next time.
    pub fn read(&mut self, pool: &Pool) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for name in pool.names("journals")? {
            let from = self.read.get(&name).copied().unwrap_or(0);
            let Ok(bytes) = rest(pool, &name, from) else { continue };
            let Some(end) = bytes.iter().rposition(|byte| *byte == b'\n') else { continue };
            let lines = bytes[..end].split(|byte| *byte == b'\n');
            entries.extend(lines.filter_map(|line| serde_json::from_slice(line).ok()));
            self.read.insert(name, from + end as u64 + 1);
        }
        Ok(entries)
    }
}

/// What a journal has from a byte on.
fn rest(pool: &Pool, name: &str, from: u64) -> io::Result<Vec<u8>> {
    let mut file = File::open(pool.path("journals").join(name))?;
    let mut bytes = Vec::new();
    if file.metadata()?.len() > from {
        file.seek(SeekFrom::Start(from))?;
        file.take(MOST).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::store::Store;

    fn entry(seconds: f64) -> Entry {
        let event = Event::Done { key: Digest::of(b"key"), seconds };
        Entry { event, host: "gpu-07".into(), job: Some("33_4".into()), log: None }
    }

    #[test]
    fn what_is_appended_is_read_once_and_a_line_only_when_it_is_complete() {
        let dir = tempfile::tempdir().expect("a folder");
        let store = Store::open(dir.path()).expect("a store");
        let pool = Pool::open(&store, "p").expect("a pool");
        let mut one = Journal::open(&pool, "one").expect("a journal");
        one.append(&entry(1.0)).expect("appended");
        let mut late = Tail::at_end(&pool).expect("a reader");
        let mut all = Tail::default();
        assert_eq!(all.read(&pool).expect("entries"), [entry(1.0)]);
        one.append(&entry(2.0)).expect("appended");
        Journal::open(&pool, "two").expect("a journal").append(&entry(3.0)).expect("appended");
        for tail in [&mut all, &mut late] {
            assert_eq!(tail.read(&pool).expect("entries"), [entry(2.0), entry(3.0)]);
            assert_eq!(tail.read(&pool).expect("entries"), []);
        }
        let path = pool.path("journals").join("one.jsonl");
        let line = serde_json::to_string(&entry(4.0)).expect("a line");
        let (first, rest) = line.split_at(20);
        let append = |text: &str| {
            let file = File::options().append(true).open(&path);
            file.and_then(|mut file| file.write_all(text.as_bytes())).expect("written");
        };
        append(first);
        assert_eq!(all.read(&pool).expect("entries"), []);
        append(&format!("{rest}\nnonsense\n"));
        assert_eq!(all.read(&pool).expect("entries"), [entry(4.0)]);
    }
}
