//! Collection: deletes results that no garden uses, while other processes may be reading, measuring and collecting.
//!
//! **What stays.** Marking begins at the roots: every request that a garden asks for, and the last results of every
//! block. From there it follows the requests that a record used. Anything younger than a day stays, and so does
//! everything it used: a garden may be about to use it. A blob stays as long as any record has it. Drawings stay as long
//! as they are looked at; they can be made again in milliseconds. Deleting too much costs time, never correctness.
//!
//! **The order.** A record is deleted before its blobs: a kill in between leaves blobs without a record, which the next
//! collection deletes, and never a record without its blobs.
//!
//! **The race.** Another process stores a blob that exists already, and so writes nothing; then the blob is deleted
//! here, and then that process commits its record. Therefore [`Store::put_blob`] touches such a blob and then checks
//! that it still exists, and collection first renames a file and only then looks at its age for the last time:
//!
//! * if the blob was touched before the rename, collection sees that it is young and puts it back;
//! * if it was touched or looked for after the rename, it is not found and is written anew.
//!
//! The same holds for a record that is committed under a key whose record is being deleted. [`Store::commit`] touches
//! all blobs of the record before it writes it, and checks afterwards that they exist. A kill between renaming a file and
//! putting it back leaves it in `tmp/` under a name that the next collection knows.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::Serialize;

use super::disk::{LONGEST, POOLS, Store, UNITS, modified};
use super::error::{StoreError, io_error};
use super::record::Record;
use super::survey::Found;
use crate::digest::Digest;
use crate::place;

/// The least age of what is deleted.
pub const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// How long a drawing that nobody looks at stays, or an index that nobody uses.
const DRAWING: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// How long the root of a garden stays after its folder is gone.
const GONE: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// Prefix of files in `tmp/` that are being deleted.
const TAKEN: &str = "gc-";

/// What to collect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Nothing younger than this is deleted; at least a day.
    pub older_than: Duration,
    /// Whether only to report what would be deleted.
    pub dry_run: bool,
}

/// A number of files and their size.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// How many files.
    pub count: u64,
    /// Bytes of all together.
    pub bytes: u64,
}

impl Tally {
    /// Counts one more file.
    pub fn add(&mut self, bytes: u64) {
        self.count += 1;
        self.bytes += bytes;
    }
}

/// What was deleted, or would be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Collected {
    /// Results that no garden uses.
    pub records: Tally,
    /// Their outputs.
    pub blobs: Tally,
    /// Drawings that were not looked at for long.
    pub drawings: Tally,
    /// Indexes of shards that were not used for long.
    pub indexes: Tally,
    /// Failures of requests that no garden makes.
    pub failures: Tally,
    /// Old claims, pictures of unfinished measurements, what pools of workers left behind, temporary and damaged files.
    pub leftovers: Tally,
    /// Gardens that are gone, so that their results are no longer used.
    pub gardens: Vec<PathBuf>,
    /// Records that stay.
    pub kept: u64,
}

impl Collected {
    /// Bytes of everything that was deleted.
    pub fn bytes(&self) -> u64 {
        let all = [self.records, self.blobs, self.drawings, self.indexes];
        let rest = [self.failures, self.leftovers];
        all.iter().chain(&rest).map(|tally| tally.bytes).sum()
    }
}

/// What a record refers to.
struct Links {
    uses: Vec<Digest>,
    blobs: Vec<Digest>,
}

struct Collection<'a> {
    store: &'a Store,
    /// Files written after this are young.
    limit: SystemTime,
    dry_run: bool,
}

impl Store {
    /// Deletes what no garden uses.
    ///
    /// # Errors
    /// Fails if the file system reports an error, or if a root is damaged, because it is then unknown what is used.
    pub fn collect(&self, options: Options) -> Result<Collected, StoreError> {
        let age = options.older_than.max(DAY);
        let limit = SystemTime::now().checked_sub(age).unwrap_or(SystemTime::UNIX_EPOCH);
        Collection { store: self, limit, dry_run: options.dry_run }.run()
    }
}

impl Collection<'_> {
    fn run(&self) -> Result<Collected, StoreError> {
        let mut done = Collected::default();
        self.put_back()?;
        let mut marked = self.wanted(&mut done)?;
        let (records, links) = self.records()?;
        self.follow(&mut marked, &records, &links);
        let mut stays = BTreeSet::new();
        for found in &records {
            if marked.contains(&found.digest) || !self.take("records", found)? {
                stays.insert(found.digest);
            } else {
                done.records.add(found.bytes);
            }
        }
        done.kept = stays.len() as u64;
        self.blobs(&mut done, &stays, &links)?;
        self.rest(&mut done, &marked)?;
        Ok(done)
    }

    /// The keys that gardens ask for.
    fn wanted(&self, done: &mut Collected) -> Result<BTreeSet<Digest>, StoreError> {
        let roots = self.store.roots()?;
        if let Some(wrong) = roots.wrong.into_iter().next() {
            return Err(StoreError::DamagedRoot(wrong.path));
        }
        let mut marked = BTreeSet::new();
        for (path, root) in roots.found {
            let written =
                fs::metadata(&path).map_or(SystemTime::UNIX_EPOCH, |meta| modified(&meta));
            let old = written.elapsed().is_ok_and(|age| age >= GONE);
            // It may be a folder of another machine that shares this store, and builds now and then.
            if old && !root.garden.exists() {
                done.gardens.push(root.garden);
                if !self.dry_run {
                    let _ = fs::remove_file(&path);
                }
                continue;
            }
            marked.extend(root.requests);
            marked.extend(root.blocks.into_values().flatten());
        }
        Ok(marked)
    }

    /// Every record and what it refers to. A damaged one refers to nothing: it counts as never measured.
    fn records(&self) -> Result<(Vec<Found>, BTreeMap<Digest, Links>), StoreError> {
        let records = self.store.list("records", ".json")?.found;
        let links = records.iter().filter_map(|found| {
            let record = Record::read(&place::read(&found.path, LONGEST).ok()?).ok()?;
            let blobs = record.outputs.values().map(|output| output.digest).collect();
            Some((found.digest, Links { uses: record.uses().collect(), blobs }))
        });
        let links = links.collect();
        Ok((records, links))
    }

    /// Marks what marked and young records used.
    fn follow(
        &self,
        marked: &mut BTreeSet<Digest>,
        records: &[Found],
        links: &BTreeMap<Digest, Links>,
    ) {
        marked
            .extend(records.iter().filter(|found| self.is_young(found)).map(|found| found.digest));
        let mut open: Vec<Digest> = marked.iter().copied().collect();
        while let Some(key) = open.pop() {
            for used in links.get(&key).into_iter().flat_map(|links| &links.uses) {
                if marked.insert(*used) {
                    open.push(*used);
                }
            }
        }
    }

    fn blobs(
        &self,
        done: &mut Collected,
        stays: &BTreeSet<Digest>,
        known: &BTreeMap<Digest, Links>,
    ) -> Result<(), StoreError> {
        // Looked at again, since records may have been committed meanwhile.
        let (records, links) = self.records()?;
        let live = records.iter().filter(|found| {
            stays.contains(&found.digest) || !known.contains_key(&found.digest) || !self.dry_run
        });
        let live = live.filter_map(|found| links.get(&found.digest));
        let kept: BTreeSet<Digest> = live.flat_map(|links| links.blobs.iter().copied()).collect();
        for found in self.store.list("blobs", "")?.found {
            if !kept.contains(&found.digest) && self.take("blobs", &found)? {
                done.blobs.add(found.bytes);
            }
        }
        Ok(())
    }

    /// Deletes what costs only space: drawings, indexes, failures and leftovers.
    fn rest(&self, done: &mut Collected, marked: &BTreeSet<Digest>) -> Result<(), StoreError> {
        let long_ago = SystemTime::now().checked_sub(DRAWING).unwrap_or(SystemTime::UNIX_EPOCH);
        for (tally, kind, ending) in
            [(&mut done.drawings, "figures", ".json"), (&mut done.indexes, "indexes", "")]
        {
            for found in self.store.list(kind, ending)?.found {
                if found.modified < long_ago.min(self.limit) && self.remove(&found.path)? {
                    tally.add(found.bytes);
                }
            }
        }
        for found in self.store.list("failures", ".json")?.found {
            let wanted = marked.contains(&found.digest);
            if !wanted && !self.is_young(&found) && self.remove(&found.path)? {
                done.failures.add(found.bytes);
            }
        }
        for kind in ["claims", "partial", "tmp"] {
            for (path, meta) in self.store.all(kind)? {
                if modified(&meta) < self.limit && self.remove(&path)? {
                    done.leftovers.add(meta.len());
                }
            }
        }
        self.pools(&mut done.leftovers)
    }

    /// Removes old journals, reports, logs and statuses of workers that are gone, and units of work that nobody has asked for in
    /// a long time.
    fn pools(&self, leftovers: &mut Tally) -> Result<(), StoreError> {
        let long_ago = SystemTime::now().checked_sub(GONE).unwrap_or(SystemTime::UNIX_EPOCH);
        for pool in self.store.folders(POOLS)? {
            let pool = format!("{POOLS}/{pool}");
            for kind in self.store.folders(&pool)? {
                let limit = if kind == UNITS { long_ago.min(self.limit) } else { self.limit };
                for (path, meta) in self.store.all(&format!("{pool}/{kind}"))? {
                    if modified(&meta) < limit && self.remove(&path)? {
                        leftovers.add(meta.len());
                    }
                }
            }
        }
        Ok(())
    }

    fn is_young(&self, found: &Found) -> bool {
        found.modified >= self.limit
    }

    /// Deletes a file unless it is young or has become so.
    fn take(&self, kind: &str, found: &Found) -> Result<bool, StoreError> {
        let old = |path: &Path| fs::metadata(path).is_ok_and(|meta| modified(&meta) < self.limit);
        if self.is_young(found) || self.dry_run {
            return Ok(!self.is_young(found));
        }
        if !old(&found.path) {
            return Ok(false);
        }
        let name = found.path.file_name().unwrap_or_default().to_string_lossy();
        let taken = self.store.root.join("tmp").join(format!("{TAKEN}{kind}-{name}"));
        match fs::rename(&found.path, &taken) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            renamed => renamed.map_err(io_error("take away", &found.path))?,
        }
        if old(&taken) {
            return self.remove(&taken);
        }
        restore(&taken, &found.path);
        Ok(false)
    }

    /// Removes a file for which no race matters; returns whether it existed.
    fn remove(&self, path: &Path) -> Result<bool, StoreError> {
        if self.dry_run {
            return Ok(true);
        }
        match fs::remove_file(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            removed => removed.map(|()| true).map_err(io_error("remove", path)),
        }
    }

    /// Puts back young files that a killed collection had renamed.
    fn put_back(&self) -> Result<(), StoreError> {
        if self.dry_run {
            return Ok(());
        }
        for (path, meta) in self.store.all("tmp")? {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let place = name.strip_prefix(TAKEN).and_then(|name| self.place(name));
            if let Some(place) = place.filter(|_| modified(&meta) >= self.limit) {
                restore(&path, &place);
            }
        }
        Ok(())
    }

    /// The original path of a file that was renamed to this name.
    fn place(&self, name: &str) -> Option<PathBuf> {
        let (kind, file) = name.split_once('-')?;
        let ending = match kind {
            "records" => ".json",
            "blobs" => "",
            _ => return None,
        };
        let digest: Digest = file.strip_suffix(ending)?.parse().ok()?;
        Some(self.store.sharded(kind, &digest, ending))
    }
}

/// Puts a file back unless there is another one by now, which is younger and as good.
fn restore(taken: &Path, place: &Path) {
    let linked = fs::hard_link(taken, place);
    let exists = |error: &std::io::Error| error.kind() == std::io::ErrorKind::AlreadyExists;
    match linked {
        Err(error) if !exists(&error) => drop(fs::rename(taken, place)),
        _ => drop(fs::remove_file(taken)),
    }
}

#[cfg(test)]
mod tests;
