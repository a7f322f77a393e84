//! Claims decide which of several processes measures a request.
//!
//! A claim is a file that names its holder. It is advisory: a process that cannot make one measures anyway, and if
//! two hold one, both measure, with equally good results. The holder writes to its claim every few seconds. A claim is
//! stale, and another process may take it over, if nobody wrote to it for a while, or at once if its holder was a process
//! of this machine that has ended. Clocks are never compared: ages come from the store's file system.
//!
//! A claim is written completely before it gets its name, so a full disk or a kill leaves no claim that cannot be read.
//! If one cannot be read nevertheless, others wait only a moment.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use serde::{Deserialize, Serialize};

use super::disk::Store;
use crate::digest::Digest;
use crate::place;

/// How often a holder writes to its claims.
const BEAT: Duration = Duration::from_secs(3);
/// A claim that nobody wrote to for this long is stale.
const STALE: Duration = Duration::from_secs(15);
/// The same for a claim that cannot be read: an earlier version may be writing it.
const MOMENT: Duration = Duration::from_secs(1);
/// Most bytes of a claim.
const LONGEST: u64 = 64 << 10;

/// Who holds a claim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Holder {
    /// The boot of the machine and the space of its process numbers, if they are known.
    host: Option<String>,
    pid: u32,
    /// When the process was started, in the machine's own units.
    born: Option<u64>,
    /// Tells holders in one process apart, and a holder's successive claims.
    mark: String,
}

/// The claims of one holder.
#[derive(Debug)]
pub struct Claims {
    store: Store,
    held: Arc<Mutex<BTreeMap<PathBuf, Vec<u8>>>>,
    /// Others' claims as they were seen: when each was last written to, and when that was first seen.
    seen: Mutex<BTreeMap<Digest, (SystemTime, Instant)>>,
    holder: Holder,
    count: Mutex<u64>,
    /// Closing this ends the thread that writes to the claims.
    _beating: Sender<()>,
}

/// The outcome of claiming a key.
#[derive(Debug)]
pub enum Claimed {
    /// This holder has it until the claim is dropped.
    Mine(Claim),
    /// Another holder has it.
    Theirs,
}

/// A claim that is held.
#[derive(Debug)]
pub struct Claim {
    path: PathBuf,
    held: Arc<Mutex<BTreeMap<PathBuf, Vec<u8>>>>,
}

impl Claims {
    /// A holder of claims in a store, with none so far.
    pub fn new(store: &Store) -> Self {
        let held = Arc::default();
        let (beating, end) = channel();
        let beats = Arc::clone(&held);
        thread::spawn(move || beat(&beats, &end));
        let pid = std::process::id();
        let holder = Holder { host: host(), pid, born: born(pid), mark: String::new() };
        let (seen, count) = (Mutex::default(), Mutex::default());
        Self { store: store.clone(), held, seen, holder, count, _beating: beating }
    }

    /// Claims a key.
    pub fn claim(&self, key: &Digest) -> Claimed {
        let path = self.store.claim_path(key);
        // Another's may be stale, and once more another may be faster.
        for _ in 0..2 {
            let text = self.text();
            match self.create(&path, &text) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    if !self.is_stale(key, &path) {
                        return Claimed::Theirs;
                    }
                    match fs::remove_file(&path) {
                        Err(error) if error.kind() != ErrorKind::NotFound => {
                            return Claimed::Mine(Claim { path, held: Arc::clone(&self.held) });
                        }
                        _ => {}
                    }
                }
                // If no claim can be made, the request is measured without one.
                result => {
                    if result.is_ok() {
                        locked(&self.held).insert(path.clone(), text);
                    }
                    return Claimed::Mine(Claim { path, held: Arc::clone(&self.held) });
                }
            }
        }
        Claimed::Theirs
    }

    /// Makes the file of a claim, complete from its first moment.
    fn create(&self, path: &Path, text: &[u8]) -> io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(self.store.root.join("tmp"))?;
        file.write_all(text)?;
        file.persist_noclobber(path).map(|_| ()).map_err(|error| error.error)
    }

    fn text(&self) -> Vec<u8> {
        let mut count = locked(&self.count);
        *count += 1;
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_nanos();
        let holder = Holder { mark: format!("{now:x}-{count}"), ..self.holder.clone() };
        serde_json::to_vec(&holder).expect("a holder is plain data")
    }

    fn is_stale(&self, key: &Digest, path: &Path) -> bool {
        let Ok(written) = fs::symlink_metadata(path).and_then(|meta| meta.modified()) else {
            // It is gone, so there is nothing to wait for.
            return true;
        };
        let holder = place::read(path, LONGEST).ok();
        let holder = holder.and_then(|bytes| serde_json::from_slice::<Holder>(&bytes).ok());
        if holder.as_ref().is_some_and(|holder| self.is_gone(holder)) {
            return true;
        }
        let patience = if holder.is_some() { STALE } else { MOMENT };
        let mut seen = locked(&self.seen);
        match seen.get(key) {
            Some((before, since)) if *before == written => since.elapsed() >= patience,
            _ => {
                seen.insert(*key, (written, Instant::now()));
                self.age(written).is_some_and(|age| age >= patience)
            }
        }
    }

    /// Whether the holder was a process of this machine that has ended.
    fn is_gone(&self, holder: &Holder) -> bool {
        holder.host.is_some() && holder.host == self.holder.host && holder.born != born(holder.pid)
    }

    /// How long ago a time was, by the clock of the store's file system.
    fn age(&self, written: SystemTime) -> Option<Duration> {
        let probe = tempfile::NamedTempFile::new_in(self.store.root.join("tmp")).ok()?;
        let now = probe.as_file().metadata().and_then(|meta| meta.modified()).ok()?;
        now.duration_since(written).ok()
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let text = locked(&self.held).remove(&self.path);
        // If another holder has taken it over meanwhile, it stays.
        if text
            .is_some_and(|text| place::read(&self.path, LONGEST).is_ok_and(|found| found == text))
        {
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl Store {
    fn claim_path(&self, key: &Digest) -> PathBuf {
        self.root.join("claims").join(format!("{key}.json"))
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Rewrites the claims that are held, which gives them a new time by the file system's clock.
fn beat(held: &Mutex<BTreeMap<PathBuf, Vec<u8>>>, end: &Receiver<()>) {
    while end.recv_timeout(BEAT) == Err(RecvTimeoutError::Timeout) {
        for (path, text) in &*locked(held) {
            if place::read(path, LONGEST).is_ok_and(|found| found == *text) {
                let file = File::options().write(true).open(path);
                let _ = file.and_then(|mut file| file.write_all(text));
            }
        }
    }
}

/// The boot of the machine, with the space of its process numbers: each container on a machine has its own.
fn host() -> Option<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let space = fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{} {}", boot.trim(), space.display()))
}

/// When a process of this machine was started; `None` if there is no process with that number.
fn born(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut words = stat.rsplit_once(')')?.1.split_whitespace();
    // One that has ended and was not waited for yet holds nothing any more.
    let ended = words.next().is_some_and(|state| state == "Z" || state == "X");
    if ended { None } else { words.nth(18)?.parse().ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> (tempfile::TempDir, Store) {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let store = Store::open(dir.path()).expect("a store");
        (dir, store)
    }

    fn is_mine(claimed: &Claimed) -> bool {
        matches!(claimed, Claimed::Mine(_))
    }

    #[test]
    fn one_holds_a_claim_until_it_is_dropped() {
        let (_dir, store) = store();
        let (one, other) = (Claims::new(&store), Claims::new(&store));
        let (key, another) = (Digest::of(b"key"), Digest::of(b"another"));
        let held = one.claim(&key);
        assert!(is_mine(&held) && !is_mine(&other.claim(&key)));
        assert!(is_mine(&other.claim(&another)), "another key is another claim");
        drop(held);
        assert!(!store.claim_path(&key).exists());
        assert!(is_mine(&other.claim(&key)));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_claim_of_a_process_that_is_gone_is_taken_over_at_once() {
        let (_dir, store) = store();
        let claims = Claims::new(&store);
        let key = Digest::of(b"key");
        let mut child = std::process::Command::new("sleep").arg("60").spawn().expect("a process");
        let holder =
            Holder { host: host(), pid: child.id(), born: born(child.id()), mark: "a".into() };
        let text = serde_json::to_vec(&holder).expect("plain data");
        fs::write(store.claim_path(&key), &text).expect("written");
        assert!(!is_mine(&claims.claim(&key)), "it is alive");
        child.kill().expect("killed");
        // Not waited for yet, it is there as a zombie.
        while born(child.id()).is_some() {
            thread::sleep(Duration::from_millis(5));
        }
        let mine = claims.claim(&key);
        assert!(is_mine(&mine));
        child.wait().expect("an end");
        // The text of the first holder has been replaced.
        assert_ne!(fs::read(store.claim_path(&key)).expect("a claim"), text);

        // Another process that has its number now is not the holder.
        let reborn = Holder { pid: std::process::id(), born: Some(1), ..holder };
        let other = Digest::of(b"other");
        let text = serde_json::to_vec(&reborn).expect("plain data");
        fs::write(store.claim_path(&other), text).expect("written");
        assert!(is_mine(&claims.claim(&other)));
    }

    #[test]
    fn a_claim_of_another_machine_is_stale_once_nobody_writes_to_it() {
        let (_dir, store) = store();
        let claims = Claims::new(&store);
        let key = Digest::of(b"key");
        let elsewhere =
            Holder { host: Some("elsewhere".into()), pid: 1, born: Some(1), mark: "a".into() };
        let path = store.claim_path(&key);
        fs::write(&path, serde_json::to_vec(&elsewhere).expect("plain data")).expect("written");
        assert!(!is_mine(&claims.claim(&key)));
        // The clock of that machine may be wrong: all that counts is that the time of the claim no longer changes.
        locked(&claims.seen).get_mut(&key).expect("seen").1 -= STALE;
        assert!(is_mine(&claims.claim(&key)));
    }

    #[test]
    fn a_claim_that_nobody_can_read_is_waited_for_but_a_moment() {
        let (_dir, store) = store();
        let key = Digest::of(b"key");
        let path = store.claim_path(&key);
        for text in ["", "{\"host\": nu", "\u{0}\u{0}"] {
            fs::write(&path, text).expect("a file");
            let claims = Claims::new(&store);
            assert!(!is_mine(&claims.claim(&key)), "it may be being written");
            locked(&claims.seen).get_mut(&key).expect("seen").1 -= MOMENT;
            assert!(is_mine(&claims.claim(&key)), "{text}");
            // An older claim that cannot be read is not waited for at all.
            let file = File::create(&path).expect("a file");
            file.set_modified(SystemTime::now() - MOMENT * 2).expect("a time");
            assert!(is_mine(&Claims::new(&store).claim(&key)), "{text}");
        }
        // Something other than a file is not opened.
        fs::create_dir(&path).expect("a folder");
        let claims = Claims::new(&store);
        assert!(!is_mine(&claims.claim(&key)));
        locked(&claims.seen).get_mut(&key).expect("seen").1 -= MOMENT;
        assert!(is_mine(&claims.claim(&key)), "measured without a claim");
    }

    #[test]
    fn a_claim_is_whole_from_its_first_moment_and_leaves_nothing_beside_it() {
        let (dir, store) = store();
        let claims = Claims::new(&store);
        let key = Digest::of(b"key");
        let held = claims.claim(&key);
        let text = fs::read(store.claim_path(&key)).expect("a claim");
        assert!(serde_json::from_slice::<Holder>(&text).is_ok());
        assert_eq!(fs::read_dir(dir.path().join("v1/tmp")).expect("a folder").count(), 0);
        drop(held);
    }

    #[test]
    fn where_nothing_can_be_claimed_it_is_measured_all_the_same() {
        let (dir, store) = store();
        fs::remove_dir(dir.path().join("v1/claims")).expect("removed");
        let claims = Claims::new(&store);
        assert!(is_mine(&claims.claim(&Digest::of(b"key"))));
    }
}
