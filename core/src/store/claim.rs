//! Claims decide which of several processes, on one machine or many, measures a request.
//!
//! A claim is a file that names its holder. It is advisory: a process that cannot make one measures anyway, and if
//! two hold one, both measure, with equally good results. The holder writes to its claim every few seconds. A claim is
//! stale, and another process may take it over, if nobody wrote to it for a while (see `look`), or at once if its holder was a
//! process of this machine that has ended (see `holder`).
//!
//! A claim is written completely before it gets its name, by a second link to the file: of several processes exactly one
//! succeeds, over NFS too. So a full disk or a kill leaves no claim that cannot be read. If one cannot be read nevertheless, others wait only a
//! moment. A holder that asks again for what it holds does not get it.
//!
//! Whoever takes a stale claim over holds a second claim meanwhile, in `tmp/`, and looks once more before it replaces the file.
//! So nobody replaces what another has just taken over.

mod holder;
mod look;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use tempfile::TempPath;

use super::disk::Store;
use crate::digest::Digest;
use crate::file;
use holder::Holder;
use look::{BEAT, Found, Looks, STALE};

pub use holder::{job, name as host_name, restarts};

/// How often a claim is tried to be made while others make and free it.
const TRIES: usize = 4;

/// The claims of one holder.
#[derive(Debug)]
pub struct Claims {
    store: Store,
    held: Arc<Mutex<Held>>,
    looks: Mutex<Looks>,
    holder: Holder,
    count: Mutex<u64>,
    /// Closing this ends the thread that writes to the claims.
    _beating: Sender<()>,
}

/// The text of each claim that is held, and when it was last written.
type Held = BTreeMap<PathBuf, (Vec<u8>, Instant)>;

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
    temporary: PathBuf,
    held: Arc<Mutex<Held>>,
}

impl Claims {
    /// A holder of claims in a store, with none so far.
    pub fn new(store: &Store) -> Self {
        let held = Arc::default();
        let (beating, end) = channel();
        let beats = Arc::clone(&held);
        thread::spawn(move || beat(&beats, &end));
        let (looks, count) = (Mutex::default(), Mutex::default());
        Self { store: store.clone(), held, looks, holder: Holder::here(), count, _beating: beating }
    }

    /// Claims a key.
    pub fn claim(&self, key: &Digest) -> Claimed {
        let path = self.store.claim_path(key);
        let claim =
            |path| Claim { path, temporary: self.temporary(), held: Arc::clone(&self.held) };
        let mut watched = locked(&self.looks).watched.contains_key(&path);
        for _ in 0..TRIES {
            let text = self.text();
            // One that was held before is looked at first, which is cheaper.
            let made = if watched { Ok(false) } else { self.create(&path, &text) };
            watched = false;
            let made = match made {
                Ok(false) => match Found::at(&path) {
                    Err(error) if error.kind() == ErrorKind::NotFound => continue,
                    Ok(found) if self.is_stale(&path, &found) => {
                        self.take_over(key, &path, &found, &text)
                    }
                    _ => return Claimed::Theirs,
                },
                made => made,
            };
            match made {
                Ok(true) => {
                    locked(&self.held).insert(path.clone(), (text, Instant::now()));
                    locked(&self.looks).forget(&path);
                    return Claimed::Mine(claim(path));
                }
                Ok(false) => return Claimed::Theirs,
                // If no claim can be made, the request is measured without one.
                Err(_) => return Claimed::Mine(claim(path)),
            }
        }
        Claimed::Theirs
    }

    /// Who holds a key at the moment, in words.
    pub fn holder(&self, key: &Digest) -> Option<String> {
        let found = Found::at(&self.store.claim_path(key)).ok()?;
        found.holder().map(|holder| holder.to_string())
    }

    fn temporary(&self) -> PathBuf {
        self.store.root.join("tmp")
    }

    fn text(&self) -> Vec<u8> {
        let mut count = locked(&self.count);
        *count += 1;
        let mark = format!("{}-{count}", self.holder.mark);
        let holder = Holder { mark, ..self.holder.clone() };
        serde_json::to_vec(&holder).expect("a holder is plain data")
    }

    fn is_stale(&self, path: &Path, found: &Found) -> bool {
        locked(&self.looks).is_stale(path, found, &self.holder, &self.temporary())
    }

    /// Makes the file of a claim, complete from its first moment; returns whether it was made rather than there.
    fn create(&self, path: &Path, text: &[u8]) -> io::Result<bool> {
        link(file::unique(&self.temporary(), text)?, path)
    }

    /// Replaces a stale claim by this holder's; returns whether it did, since another may be doing the same.
    fn take_over(&self, key: &Digest, path: &Path, stale: &Found, text: &[u8]) -> io::Result<bool> {
        let lock = self.temporary().join(format!("over-{key}"));
        let mark = self.text();
        if !self.create(&lock, &mark)? {
            // Left by one that was killed in the middle of this.
            let left = Found::at(&lock).ok().filter(|found| self.is_stale(&lock, found));
            if let Some(text) = left.and_then(|found| found.text) {
                remove(&lock, &text, &self.temporary());
            }
            return Ok(false);
        }
        let replaced = match Found::at(path) {
            Ok(found) if found == *stale => {
                let new = file::unique(&self.temporary(), text)?;
                new.persist(path).map(|()| true).map_err(|error| error.error)
            }
            Ok(_) => Ok(false),
            Err(_) => self.create(path, text),
        };
        remove(&lock, &mark, &self.temporary());
        replaced
    }
}

impl Claim {
    /// Who holds the key now, if it is no longer this holder: others take a claim over if its holder does not write to it
    /// for a while, because it was stopped or its file system was away. `None` as well if that cannot be found out, or if
    /// no claim could be made in the first place.
    pub fn taken_by(&self) -> Option<String> {
        let (text, _) = locked(&self.held).get(&self.path).cloned()?;
        match Found::at(&self.path) {
            Ok(found) if found.text.as_ref() == Some(&text) => None,
            Ok(found) => {
                found.text.as_ref()?;
                let holder = found.holder().map(|holder| holder.to_string());
                Some(holder.unwrap_or_else(|| "an unknown process".to_owned()))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Some("nobody".to_owned()),
            Err(_) => None,
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let Some((text, written)) = locked(&self.held).remove(&self.path) else { return };
        // If another holder has taken it over meanwhile, it stays.
        if Found::at(&self.path).is_ok_and(|found| found.text.as_ref() == Some(&text)) {
            if written.elapsed() < STALE {
                let _ = fs::remove_file(&self.path);
            } else {
                // Another may be about to take it over.
                remove(&self.path, &text, &self.temporary);
            }
        }
    }
}

impl Store {
    pub(super) fn claim_path(&self, key: &Digest) -> PathBuf {
        self.root.join("claims").join(format!("{key}.json"))
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Gives a file the name `path`, if nothing has it; returns whether it did.
fn link(unique: TempPath, path: &Path) -> io::Result<bool> {
    match fs::hard_link(&unique, path) {
        Ok(()) => Ok(true),
        // Over NFS the answer may have been lost, and the second try then finds the name taken: by this file.
        Err(_) if links(&unique).is_some_and(|links| links > 1) => Ok(true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        // Not every file system has links.
        Err(_) => match unique.persist_noclobber(path) {
            Ok(()) => Ok(true),
            Err(error) if error.error.kind() == ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error.error),
        },
    }
}

/// How many names a file has. It is opened, so that a network file system asks its server.
#[cfg(unix)]
fn links(path: &Path) -> Option<u64> {
    let meta = File::open(path).and_then(|file| file.metadata()).ok()?;
    Some(std::os::unix::fs::MetadataExt::nlink(&meta))
}

#[cfg(not(unix))]
fn links(_: &Path) -> Option<u64> {
    None
}

/// Removes a file if it has this text: it is renamed first, so that one that replaced it meanwhile is put back.
fn remove(path: &Path, text: &[u8], temporary: &Path) {
    let Ok(aside) = file::unique(temporary, &[]) else { return };
    if fs::rename(path, &aside).is_ok()
        && Found::at(&aside).is_ok_and(|found| found.text.as_deref() != Some(text))
    {
        // If a third has made one by now, the one that was taken away learns it before it commits.
        let _ = link(aside, path);
    }
}

/// Rewrites the claims that are held, which gives them a new time.
fn beat(held: &Mutex<Held>, end: &Receiver<()>) {
    while end.recv_timeout(BEAT) == Err(RecvTimeoutError::Timeout) {
        // Not locked meanwhile: the file system may be away.
        let texts: Vec<(PathBuf, Vec<u8>)> =
            locked(held).iter().map(|(path, (text, _))| (path.clone(), text.clone())).collect();
        for (path, text) in texts {
            if renew(&path, &text).is_ok_and(|own| own)
                && let Some((now, written)) = locked(held).get_mut(&path)
                && *now == text
            {
                *written = Instant::now();
            }
        }
    }
}

/// Writes a claim's text once more; returns whether the claim still had it.
fn renew(path: &Path, text: &[u8]) -> io::Result<bool> {
    // It is compared and written through one handle, so that it is not another's file that is written to.
    let mut file = File::options().read(true).write(true).open(path)?;
    let mut found = Vec::with_capacity(text.len());
    (&mut file).take(text.len() as u64 + 1).read_to_end(&mut found)?;
    if found != text {
        return Ok(false);
    }
    file.rewind()?;
    file.write_all(text)?;
    Ok(true)
}

#[cfg(test)]
mod tests;
