//! A pool's folder: how its files are written, listed, read and removed.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::checkup::{Checkup, Probe};
use super::ledger::Ledger;
use super::status::{Seen, Status};
use super::unit::Unit;
use crate::cut::Cut as _;
use crate::digest::Digest;
use crate::store::{POOLS, Store, UNITS};
use crate::{file, place};

/// The folders of a pool.
const FOLDERS: [&str; 6] = [UNITS, "workers", "journals", "probes", "checkups", "logs"];
/// The ending of files that are one JSON value.
const ENDING: &str = ".json";
/// Most bytes of one of these.
const LONGEST: u64 = 64 << 20;
/// The file with the store's own name, beside the pools.
const IDENTITY: &str = "identity.txt";
/// The least urgent rank.
const LAST: u32 = 999;

/// The folder of a pool.
#[derive(Debug, Clone)]
pub struct Pool {
    name: String,
    folder: PathBuf,
    temporary: PathBuf,
}

/// A unit of work that is in the folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Named {
    /// Its urgency: 0 comes first.
    pub rank: u32,
    /// Its [`Unit::id`].
    pub id: Digest,
}

impl Named {
    fn file(&self) -> String {
        format!("{:03}-{}{ENDING}", self.rank.min(LAST), self.id)
    }

    fn of(file: &str) -> Option<Self> {
        let (rank, id) = file.strip_suffix(ENDING)?.split_once('-')?;
        Some(Self { rank: rank.parse().ok()?, id: id.parse().ok()? })
    }
}

/// Whether a pool may have this name: small letters, digits and hyphens, as every engine allows.
pub fn is_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=40).contains(&name.len()) && name.chars().all(allowed)
}

impl Pool {
    /// Opens the pool of this name in a store, and makes its folders.
    ///
    /// # Errors
    /// If the name is not allowed ([`is_name`]), or a folder cannot be made.
    pub fn open(store: &Store, name: &str) -> io::Result<Self> {
        if !is_name(name) {
            let message = format!("`{name}` is no name of a pool: use a-z, 0-9 and `-`");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        let root = store.folder().join("v1");
        place::unlinked(&root, Path::new(POOLS).join(name))?;
        let folder = root.join(POOLS).join(name);
        for kind in FOLDERS {
            fs::create_dir_all(folder.join(kind))?;
        }
        Ok(Self { name: name.to_owned(), folder, temporary: root.join("tmp") })
    }

    /// The names of all pools in a store.
    pub fn all(store: &Store) -> Vec<String> {
        let listed = list(&store.folder().join("v1").join(POOLS)).unwrap_or_default();
        listed.into_iter().filter(|name| is_name(name)).collect()
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name of its jobs: `nn-`, ten digits that no other store has, and the pool's name.
    ///
    /// # Errors
    /// Errors of the file system.
    pub fn job_name(&self) -> io::Result<String> {
        let path = self.folder.with_file_name(IDENTITY);
        let known =
            |path: &Path| place::read(path, 64).ok().and_then(|b| String::from_utf8(b).ok());
        let is_whole = |id: &String| id.len() == 10 && is_name(id);
        if known(&path).filter(is_whole).is_none() {
            let since = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_nanos();
            let new = format!("{since} {} {}", std::process::id(), path.display());
            let new = Digest::of(new.as_bytes()).hex();
            let mut file = tempfile::NamedTempFile::new_in(&self.temporary)?;
            file.write_all(new.cut(..10).as_bytes())?;
            match file.persist_noclobber(&path).map_err(|error| error.error) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
        }
        let id = known(&path)
            .filter(is_whole)
            .ok_or_else(|| io::Error::other(format!("{} is damaged: remove it", path.display())))?;
        Ok(format!("nn-{id}-{}", self.name))
    }

    /// The path of one of its folders: `units`, `workers`, `journals`, `probes`, `checkups` or `logs`.
    pub fn path(&self, kind: &str) -> PathBuf {
        self.folder.join(kind)
    }

    /// The names of the files in one of its folders, sorted. Temporary files are left out.
    ///
    /// # Errors
    /// If it cannot be listed. A folder that is not there has no files.
    pub fn names(&self, kind: &str) -> io::Result<Vec<String>> {
        list(&self.path(kind))
    }

    /// Puts a unit of work; one with the same requests is replaced, whatever its rank.
    ///
    /// # Errors
    /// Errors of the file system.
    pub fn put_unit(&self, unit: &Unit, rank: u32) -> io::Result<Named> {
        let named = Named { rank: rank.min(LAST), id: unit.id() };
        self.write(UNITS, &named.file(), unit)?;
        for other in self.units()?.into_iter().filter(|other| other.id == named.id) {
            if other != named {
                gone(fs::remove_file(self.path(UNITS).join(other.file())))?;
            }
        }
        Ok(named)
    }

    /// The units of work that wait or run, the most urgent first. Reads names only.
    ///
    /// # Errors
    /// If the folder cannot be listed.
    pub fn units(&self) -> io::Result<Vec<Named>> {
        let mut units: Vec<Named> =
            self.names(UNITS)?.iter().filter_map(|name| Named::of(name)).collect();
        units.sort_unstable();
        units.dedup_by_key(|named| named.id);
        Ok(units)
    }

    /// Reads a unit of work; `None` if it is gone, or cannot be read for now.
    pub fn read_unit(&self, named: &Named) -> Option<Unit> {
        self.read(UNITS, &named.file())
    }

    /// Whether a unit of work is there with this rank; over NFS it may still seem so for a minute after it was removed.
    pub fn has_unit(&self, named: &Named) -> bool {
        self.path(UNITS).join(named.file()).exists()
    }

    /// Removes a unit of work, whatever its rank has become.
    ///
    /// # Errors
    /// Errors of the file system. One that is gone is no error.
    pub fn remove_unit(&self, id: &Digest) -> io::Result<()> {
        for named in self.units()?.iter().filter(|named| named.id == *id) {
            gone(fs::remove_file(self.path(UNITS).join(named.file())))?;
        }
        Ok(())
    }

    /// Gives a unit of work another rank.
    ///
    /// # Errors
    /// Errors of the file system. One that is gone is no error.
    pub fn promote(&self, named: &Named, rank: u32) -> io::Result<Named> {
        let to = Named { rank: rank.min(LAST), ..*named };
        let path = |named: &Named| self.path(UNITS).join(named.file());
        gone(fs::rename(path(named), path(&to)))?;
        Ok(to)
    }

    /// Replaces a worker's status.
    ///
    /// # Errors
    /// Errors of the file system.
    pub fn write_status(&self, status: &Status) -> io::Result<()> {
        self.write("workers", &format!("{}{ENDING}", status.worker), status)
    }

    /// Removes a worker's status, because it ends.
    ///
    /// # Errors
    /// Errors of the file system. One that is gone is no error.
    pub fn remove_status(&self, worker: &str) -> io::Result<()> {
        gone(fs::remove_file(self.path("workers").join(format!("{worker}{ENDING}"))))
    }

    /// What the workers say that they are doing, those that are lost among them.
    ///
    /// # Errors
    /// If the folder cannot be listed. A status that cannot be read for now is left out.
    pub fn workers(&self) -> io::Result<Vec<Seen>> {
        let names = self.names("workers")?;
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let now = self.now()?;
        let seen = |name: &String| {
            let path = self.path("workers").join(name);
            let written = fs::metadata(&path).and_then(|meta| meta.modified()).ok()?;
            let age = now.duration_since(written).unwrap_or(Duration::ZERO);
            Some(Seen { status: self.read("workers", name)?, age })
        };
        Ok(names.iter().filter_map(seen).collect())
    }

    /// The time by the clock of the store's file system.
    ///
    /// # Errors
    /// If no file can be made in the store.
    pub fn now(&self) -> io::Result<SystemTime> {
        tempfile::NamedTempFile::new_in(&self.temporary)?.as_file().metadata()?.modified()
    }

    /// Puts a probe.
    ///
    /// # Errors
    /// Errors of the file system.
    pub fn put_probe(&self, probe: &Probe) -> io::Result<()> {
        self.write("probes", &format!("{}{ENDING}", probe.nonce), probe)
    }

    /// The probe of this name; `None` if it is not there, or cannot be read for now.
    pub fn probe(&self, nonce: &str) -> Option<Probe> {
        self.read("probes", &format!("{nonce}{ENDING}"))
    }

    /// Puts the report of a check-up.
    ///
    /// # Errors
    /// Errors of the file system.
    pub fn put_checkup(&self, checkup: &Checkup) -> io::Result<()> {
        self.write("checkups", &format!("{}{ENDING}", checkup.nonce), checkup)
    }

    /// The report of a check-up; `None` if it is not there, or cannot be read for now.
    pub fn checkup(&self, nonce: &str) -> Option<Checkup> {
        self.read("checkups", &format!("{nonce}{ENDING}"))
    }

    /// What was submitted; nothing if that is not known.
    pub fn ledger(&self) -> Ledger {
        self.read("", "ledger.json").unwrap_or_default()
    }

    /// Replaces the ledger.
    ///
    /// # Errors
    /// Errors of the file system.
    pub fn put_ledger(&self, ledger: &Ledger) -> io::Result<()> {
        self.write("", "ledger.json", ledger)
    }

    /// Writes a file completely before it gets its name.
    fn write(&self, kind: &str, name: &str, value: &impl Serialize) -> io::Result<()> {
        let bytes = serde_json::to_vec(value)?;
        file::replace(&self.temporary, &self.path(kind).join(name), &bytes)
    }

    /// Reads a file by listing nothing; `None` if it is not there, is cut off, or says something else.
    fn read<T: DeserializeOwned>(&self, kind: &str, name: &str) -> Option<T> {
        let bytes = place::read(&self.path(kind).join(name), LONGEST).ok()?;
        serde_json::from_slice(&bytes).ok()
    }
}

/// The names of the files in a folder, sorted, without temporary ones.
fn list(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if is_gone(&error) => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut names = Vec::new();
    for entry in entries {
        match entry {
            // It was removed while the folder was listed.
            Err(error) if is_gone(&error) => {}
            entry => names.extend(entry?.file_name().into_string().ok()),
        }
    }
    names.retain(|name| !file::is_temporary(name));
    names.sort_unstable();
    Ok(names)
}

/// Whether a file is not there. Network file systems report a file that another machine has removed as a stale handle.
fn is_gone(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::StaleNetworkFileHandle)
}

fn gone(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if is_gone(&error) => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::Conventions;
    use crate::pool::Phase;
    use crate::request::Request;

    fn request(number: u32, uses: Vec<Request>) -> Request {
        let request = json!({
            "kind": "feature_vis", "impl_version": 2, "params": { "unit": number },
            "model": {
                "name": "m", "path": "/m", "digest": Digest::of(b"m"), "conventions": Conventions::default(),
            },
            "precision": "f32",
        });
        let mut request: Request = serde_json::from_value(request).expect("a request");
        request.uses = uses;
        request
    }

    fn unit(numbers: &[u32]) -> Unit {
        let requests = numbers.iter().map(|number| request(*number, Vec::new())).collect();
        Unit { requests, seconds: Some(2.5), halve: false }
    }

    fn pool() -> (tempfile::TempDir, Pool) {
        let dir = tempfile::tempdir().expect("a folder");
        let store = Store::open(dir.path()).expect("a store");
        let pool = Pool::open(&store, "cluster-1").expect("a pool");
        assert_eq!(Pool::all(&store), ["cluster-1"]);
        (dir, pool)
    }

    #[test]
    fn a_unit_of_work_is_the_same_whatever_its_rank_and_order() {
        let (_dir, pool) = pool();
        assert_eq!(unit(&[1, 2]).id(), unit(&[2, 1]).id());
        assert_ne!(unit(&[1, 2]).id(), unit(&[1]).id());
        let last = pool.put_unit(&unit(&[1, 2]), 5).expect("put");
        let first = pool.put_unit(&unit(&[3]), 2).expect("put");
        assert_eq!(pool.units().expect("units"), [first, last]);
        assert_eq!(pool.read_unit(&last), Some(unit(&[1, 2])));
        // Put again with another rank, or promoted, it is there once.
        let again = pool.put_unit(&unit(&[1, 2]), 1).expect("put");
        assert_eq!(pool.units().expect("units"), [again, first]);
        let promoted = pool.promote(&first, 0).expect("promoted");
        assert_eq!(pool.units().expect("units"), [promoted, again]);
        assert_eq!(pool.read_unit(&first), None, "it has another name now");
        pool.remove_unit(&again.id).expect("removed");
        pool.remove_unit(&again.id).expect("a second time does nothing");
        pool.promote(&again, 3).expect("one that is gone stays gone");
        assert_eq!(pool.units().expect("units"), [promoted]);
    }

    #[test]
    fn a_unit_of_work_needs_what_its_requests_use_but_not_each_other() {
        let (one, other) = (request(1, Vec::new()), request(2, Vec::new()));
        let asks = request(3, vec![one.clone(), other.clone()]);
        let requests = vec![one, asks];
        let unit = Unit { requests, seconds: None, halve: false };
        assert_eq!(unit.needs(), [other.key()]);
    }

    #[test]
    fn other_names_and_half_files_do_no_harm() {
        let (dir, pool) = pool();
        let named = pool.put_unit(&unit(&[1]), 0).expect("put");
        for name in ["x.json", "000-12.json", ".new-abc", "000.json", "readme"] {
            fs::write(pool.path(UNITS).join(name), "{").expect("a file");
        }
        assert_eq!(pool.units().expect("units"), [named]);
        fs::write(pool.path(UNITS).join(named.file()), "{\"requests\": [").expect("cut off");
        assert_eq!(pool.read_unit(&named), None);
        let store = Store::open(dir.path()).expect("a store");
        let name = pool.job_name().expect("a name");
        assert!(
            name.len() == 23 && name.starts_with("nn-") && name.ends_with("-cluster-1"),
            "{name}"
        );
        assert_eq!(
            Pool::open(&store, "b").expect("a pool").job_name().expect("a name")[..13],
            name[..13]
        );
        for name in ["", "../x", "A", "a b", "a/b", &"a".repeat(41)] {
            assert!(Pool::open(&store, name).is_err(), "{name}");
        }
    }

    #[test]
    fn a_worker_that_says_nothing_any_more_is_lost() {
        let (_dir, pool) = pool();
        let status = Status {
            worker: "33_4-0-abc".into(),
            host: "gpu-07".into(),
            pid: 7,
            job: Some("33_4".into()),
            restarts: 0,
            started: "2026-01-01T00:00:00Z".into(),
            ends: None,
            version: "0.1.0".into(),
            device: None,
            phase: Phase::Working { unit: unit(&[1]).id() },
            at: Vec::new(),
            done: 3,
            failed: 0,
        };
        pool.write_status(&status).expect("written");
        let seen = pool.workers().expect("workers");
        assert_eq!(seen[0].status, status);
        assert!(seen[0].is_alive());
        let path = pool.path("workers").join("33_4-0-abc.json");
        let past = SystemTime::now() - Duration::from_secs(600);
        fs::File::open(&path).and_then(|file| file.set_modified(past)).expect("a time");
        assert!(!pool.workers().expect("workers")[0].is_alive());
        pool.remove_status("33_4-0-abc").expect("removed");
        pool.remove_status("33_4-0-abc").expect("a second time does nothing");
        assert_eq!(pool.workers().expect("workers"), []);
    }
}
