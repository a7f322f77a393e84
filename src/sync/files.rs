//! Mutable files: failures, and what clients and workers tell each other in pools.
//!
//! Each file of a pool has one writer. A client writes units of work and probes; a worker writes its status, journal and
//! check-up, and removes units of work that are done. Failures are anybody's.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use neuronotes_core::digest::Digest;
use neuronotes_core::pool::{self, Checkup, Entry, Probe};
use neuronotes_core::problem::Problem;
use neuronotes_core::protocol::Event;
use neuronotes_core::{file, place};

use super::memory::{Known, Memory, Stamp};
use super::pair::{Pair, Side, TOGETHER};
use super::parallel::each;
use super::remote::Object;

/// Most bytes of a mutable file.
const LONGEST: u64 = 512 << 20;
/// The folders of a pool that are moved, each with its writer.
const FOLDERS: [(&str, Side); 5] = [
    ("units", Side::Client),
    ("probes", Side::Client),
    ("workers", Side::Worker),
    ("journals", Side::Worker),
    ("checkups", Side::Worker),
];

/// The mutable files of a store and of an object store.
#[derive(Debug)]
pub(super) struct Files<'a> {
    pub sync: &'a Pair<'a>,
    pub side: Side,
    pub memory: Memory,
}

/// What is to be told to the other side, as it was at one moment: a journal may name only results that are pushed before it.
#[derive(Debug, Default)]
pub(super) struct Snapshot {
    files: Vec<(String, Stamp, Vec<u8>)>,
    /// All files that are here.
    here: BTreeSet<String>,
}

impl<'a> Files<'a> {
    pub(super) fn open(sync: &'a Pair<'a>, side: Side) -> Result<Self, Problem> {
        Ok(Self { sync, side, memory: Memory::open(sync.store, &sync.remote.url) })
    }

    pub(super) fn remember(&self) -> Result<(), Problem> {
        self.memory.save()
    }

    /// Who writes a file; `None` for one of everybody's. Outer `None`: not a file that is moved.
    fn writer(path: &str) -> Option<Option<Side>> {
        let parts: Vec<&str> = path.split('/').collect();
        match parts.as_slice() {
            ["v1", "failures", name] => {
                let key = name.strip_suffix(".json")?;
                key.parse::<Digest>().is_ok().then_some(None)
            }
            ["v1", "pools", pool, folder, name] if pool::is_name(pool) => {
                let allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
                let usual = !name.starts_with('.')
                    && name.chars().all(allowed)
                    && (name.ends_with(".json") || name.ends_with(".jsonl"));
                let (_, side) = FOLDERS.iter().find(|(known, _)| known == folder)?;
                usual.then_some(Some(*side))
            }
            _ => None,
        }
    }

    /// The unit of work that a file is.
    pub(super) fn unit(path: &str) -> Option<Digest> {
        let (folder, name) = path.rsplit_once('/')?;
        folder.ends_with("/units").then_some(())?;
        name.strip_suffix(".json")?.split_once('-')?.1.parse().ok()
    }

    pub(super) fn local(&self, path: &str) -> PathBuf {
        self.sync.store.folder().join(path)
    }

    /// The mutable files that are here.
    pub(super) fn here(&self) -> Result<BTreeSet<String>, Problem> {
        let mut all = BTreeSet::new();
        let mut list = |folder: String| -> Result<(), Problem> {
            for name in names(&self.local(&folder))? {
                let path = format!("{folder}/{name}");
                if !file::is_temporary(&name) && Self::writer(&path).is_some() {
                    all.insert(path);
                }
            }
            Ok(())
        };
        list("v1/failures".to_owned())?;
        for pool in names(&self.local("v1/pools"))? {
            for (folder, _) in FOLDERS {
                list(format!("v1/pools/{pool}/{folder}"))?;
            }
        }
        Ok(all)
    }

    /// The mutable files that are there.
    pub(super) fn there(&self) -> Result<BTreeMap<String, Object>, Problem> {
        let mut all = self.sync.remote.list("v1/pools")?;
        all.extend(self.sync.remote.list("v1/failures")?);
        all.retain(|object| Self::writer(&object.path).is_some());
        Ok(all.into_iter().map(|object| (object.path.clone(), object)).collect())
    }

    fn is_own(&self, path: &str) -> bool {
        Self::writer(path).is_some_and(|writer| writer.is_none_or(|writer| writer == self.side))
    }

    /// Reads what has changed here since it was pushed.
    pub(super) fn snapshot(&self) -> Result<Snapshot, Problem> {
        let mut snapshot = Snapshot { here: self.here()?, files: Vec::new() };
        for path in &snapshot.here {
            let local = self.local(path);
            // Before the bytes: what is appended meanwhile is pushed next time.
            let Some(stamp) = Stamp::of(&local).filter(|_| self.is_own(path)) else { continue };
            if self.memory.files.get(path).is_some_and(|known| known.here == stamp) {
                continue;
            }
            match place::read(&local, LONGEST) {
                Ok(bytes) => snapshot.files.push((path.clone(), stamp, bytes)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(unreadable(&local, &error)),
            }
        }
        Ok(snapshot)
    }

    /// Tells the other side what has changed, and removes there what its owner has removed here.
    pub(super) fn push(&mut self, told: Snapshot, dry_run: bool) -> Result<(), Problem> {
        let there = self.there()?;
        for (path, stamp, bytes) in told.files {
            let known = self.memory.files.get(&path);
            // A worker has removed a unit of work: it is done.
            if known.is_some() && !there.contains_key(&path) && Self::unit(&path).is_some() {
                continue;
            }
            let length = bytes.len() as u64;
            if let Some(blob) = blob_of(&path, &bytes).filter(|_| !dry_run) {
                self.sync.push_named(&blob)?;
            }
            let tag = match dry_run {
                true => String::new(),
                false => self.sync.remote.put(&path, bytes)?,
            };
            self.memory.files.insert(path, Known { here: stamp, there: tag });
            let pushed = &mut self.sync.report().pushed;
            pushed.files += 1;
            pushed.bytes += length;
        }
        let removed: Vec<String> = self.memory.files.keys().cloned().collect();
        for path in removed.into_iter().filter(|path| !told.here.contains(path)) {
            let done = self.side == Side::Worker && Self::unit(&path).is_some();
            if dry_run || Stamp::of(&self.local(&path)).is_some() || !(self.is_own(&path) || done) {
                continue;
            }
            self.sync.remote.remove(&path)?;
            self.memory.files.remove(&path);
        }
        Ok(())
    }

    /// Takes what the other side has written, and removes here what its owner has removed there. Units of work are taken by
    /// claims only, see `take`.
    pub(super) fn pull(&mut self, shown: bool, dry_run: bool) -> Result<(), Problem> {
        let there = self.there()?;
        self.pull_from(&there, shown, dry_run)
    }

    pub(super) fn pull_from(
        &mut self,
        there: &BTreeMap<String, Object>,
        shown: bool,
        dry_run: bool,
    ) -> Result<(), Problem> {
        let wanted: Vec<&Object> = there.values().filter(|object| self.is_wanted(object)).collect();
        if dry_run {
            let pulled = &mut self.sync.report().pulled;
            pulled.files += wanted.len() as u64;
            pulled.bytes += wanted.iter().map(|object| object.bytes).sum::<u64>();
            return Ok(());
        }
        let arrived = Mutex::new(Vec::new());
        each(&wanted, TOGETHER, |object| {
            if let Some(bytes) = self.sync.remote.get(&object.path)? {
                if let Some(blob) = blob_of(&object.path, &bytes) {
                    self.sync.pull_named(&blob)?;
                }
                arrived.lock().unwrap_or_else(PoisonError::into_inner).push((*object, bytes));
            }
            Ok(())
        })?;
        let arrived = arrived.into_inner().unwrap_or_else(PoisonError::into_inner);
        // A client that reads in a journal that a result is there looks for it at once.
        let mut named = BTreeSet::new();
        for (object, bytes) in arrived.iter().filter(|(o, _)| o.path.contains("/journals/")) {
            let before = self.memory.files.get(&object.path).map_or(0, |known| known.here.bytes);
            named.extend(keys_in(
                bytes.get(usize::try_from(before).unwrap_or(0)..).unwrap_or(bytes),
            ));
        }
        self.sync.pull_keys(&named, shown, false, &|_, _, _| {})?;
        for (object, bytes) in arrived {
            let known = self.write(&object.path, &bytes, &object.tag)?;
            self.memory.files.insert(object.path.clone(), known);
            let pulled = &mut self.sync.report().pulled;
            pulled.files += 1;
            pulled.bytes += bytes.len() as u64;
        }
        let gone: Vec<String> =
            self.memory.files.keys().filter(|path| !there.contains_key(*path)).cloned().collect();
        for path in gone {
            let done = self.side == Side::Client && Self::unit(&path).is_some();
            let changed = Stamp::of(&self.local(&path))
                .is_some_and(|now| self.memory.files.get(&path).is_some_and(|k| k.here != now));
            let failure = path.starts_with("v1/failures/");
            if !self.is_own(&path) || done || (failure && !changed) {
                self.discard(&path)?;
            }
        }
        Ok(())
    }

    /// Whether an object is to be taken: another's, and changed since it was last looked at.
    fn is_wanted(&self, object: &Object) -> bool {
        let path = &object.path;
        let known = self.memory.files.get(path);
        if object.bytes > LONGEST || known.is_some_and(|known| known.there == object.tag) {
            return false;
        }
        match Self::writer(path) {
            // What was measured here after all has not failed.
            Some(None) => match known {
                None => Stamp::of(&self.local(path)).is_none() && !self.is_measured(path),
                Some(known) => Stamp::of(&self.local(path)) == Some(known.here),
            },
            Some(Some(writer)) => writer != self.side && Self::unit(path).is_none(),
            None => false,
        }
    }

    fn is_measured(&self, failure: &str) -> bool {
        let name = failure.rsplit('/').next().and_then(|name| name.strip_suffix(".json"));
        let key = name.and_then(|name| name.parse::<Digest>().ok());
        key.is_some_and(|key| self.sync.store.record(&key).is_some())
    }

    /// Writes a file that has arrived.
    pub(super) fn write(&self, path: &str, bytes: &[u8], tag: &str) -> Result<Known, Problem> {
        let local = self.local(path);
        let unwritable = |error: io::Error| {
            let message = format!("{} cannot be written ({error})", local.display());
            Problem::new(message).hint(file::hint(&error))
        };
        let root = self.sync.store.folder();
        place::unlinked(root, path).map_err(unwritable)?;
        if let Some(folder) = local.parent() {
            fs::create_dir_all(folder).map_err(unwritable)?;
        }
        file::replace(&self.local("v1/tmp"), &local, bytes).map_err(unwritable)?;
        let here = Stamp::of(&local).unwrap_or(Stamp { bytes: bytes.len() as u64, modified: 0 });
        Ok(Known { here, there: tag.to_owned() })
    }

    /// Removes a file here, and forgets it.
    pub(super) fn discard(&mut self, path: &str) -> Result<(), Problem> {
        let local = self.local(path);
        match fs::remove_file(&local) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                let message = format!("{} cannot be removed ({error})", local.display());
                return Err(Problem::new(message).hint(file::hint(&error)));
            }
            _ => {}
        }
        self.memory.files.remove(path);
        Ok(())
    }
}

/// The blob that a check-up reads or has written, to see whether the stores are equal.
fn blob_of(path: &str, bytes: &[u8]) -> Option<Digest> {
    match path.rsplit('/').nth(1)? {
        "probes" => serde_json::from_slice::<Probe>(bytes).ok().map(|probe| probe.blob),
        "checkups" => serde_json::from_slice::<Checkup>(bytes).ok()?.blob,
        _ => None,
    }
}

/// The keys of requests in lines of a journal.
fn keys_in(journal: &[u8]) -> BTreeSet<Digest> {
    let lines = journal.split(|byte| *byte == b'\n');
    let entries = lines.filter_map(|line| serde_json::from_slice::<Entry>(line).ok());
    let done = entries.filter_map(|entry| match entry.event {
        Event::Done { key, .. } => Some(key),
        _ => None,
    });
    done.collect()
}

/// The names in a folder; none if there is no such folder.
fn names(folder: &std::path::Path) -> Result<Vec<String>, Problem> {
    if !place::is_folder(folder) {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(folder).map_err(|error| unreadable(folder, &error))?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    Ok(names.collect())
}

fn unreadable(path: &std::path::Path, error: &io::Error) -> Problem {
    let message = format!("{} cannot be read ({error})", path.display());
    Problem::new(message).hint(file::hint(error))
}
