//! Units of work for the workers of a store: claimed in the object store, then brought here with the results that they need.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use neuronotes_core::digest::Digest;
use neuronotes_core::pool::{Pool, Unit};
use neuronotes_core::problem::Problem;

use super::claims::Claims;
use super::files::Files;
use super::pair::record_path;
use super::remote::Object;

/// A unit of work that was not ready is not looked at again before this.
const UNREADY: Duration = Duration::from_secs(10);

/// What a store takes for its workers.
#[derive(Debug)]
pub(super) struct Taking {
    claims: Claims,
    unready: BTreeMap<Digest, Instant>,
}

impl Taking {
    pub(super) fn new(holder: &str) -> Self {
        Self { claims: Claims::new(holder), unready: BTreeMap::new() }
    }

    /// Renews, frees and makes claims, so that each worker has a unit of work and there is one more.
    pub(super) fn round(
        &mut self,
        files: &mut Files<'_>,
        there: &BTreeMap<String, Object>,
    ) -> Result<(), Problem> {
        let remote = files.sync.remote;
        for id in self.claims.renew(remote)? {
            for path in taken(files, &id) {
                files.discard(&path)?;
            }
        }
        for name in Pool::all(files.sync.store) {
            let folder = format!("v1/pools/{name}/units/");
            let listed = there.values().filter(|object| object.path.starts_with(&folder));
            let units: Vec<(Digest, &Object)> =
                listed.filter_map(|object| Some((Files::unit(&object.path)?, object))).collect();
            let live = live(files, &name);
            let mut here = 0;
            // Taken already: by this program, or before it was started again. Its rank may have changed.
            for (id, object) in &units {
                let own = self.claims.holds(id) || !taken(files, id).is_empty();
                if !own {
                    continue;
                }
                if live == 0 {
                    // Nobody measures here: others may.
                    for path in taken(files, id) {
                        files.discard(&path)?;
                    }
                    self.claims.free(remote, id)?;
                } else if self.claims.holds(id) || self.claims.claim(remote, id)? {
                    here += 1;
                    if !files.memory.files.contains_key(&object.path) {
                        self.bring(files, object)?;
                    }
                } else {
                    for path in taken(files, id) {
                        files.discard(&path)?;
                    }
                }
            }
            for (id, object) in &units {
                if here > live || live == 0 {
                    break;
                }
                let wait = self.unready.get(id).is_some_and(|since| since.elapsed() < UNREADY);
                if self.claims.holds(id) || wait {
                    continue;
                }
                match self.ready(files, object)? {
                    true if self.claims.claim(remote, id)? => {
                        if self.bring(files, object)? {
                            here += 1;
                        } else {
                            self.claims.free(remote, id)?;
                        }
                    }
                    true => {}
                    false => drop(self.unready.insert(*id, Instant::now())),
                }
            }
            // What is done is removed there, and needs no claim.
            let gone: Vec<Digest> = self.claims.held();
            for id in gone.iter().filter(|id| taken(files, id).is_empty()) {
                self.claims.free(remote, id)?;
            }
        }
        Ok(())
    }

    /// Whether everything that a unit of work needs is in one of the stores.
    fn ready(&self, files: &Files<'_>, object: &Object) -> Result<bool, Problem> {
        let Some(unit) = read(files, object)?.map(|(unit, _)| unit) else { return Ok(false) };
        for key in unit.needs() {
            let here = files.sync.store.record(&key).is_some();
            if !here && files.sync.remote.length(&record_path(&key))?.is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Brings a unit of work after what it needs; false if that is not to be had.
    fn bring(&self, files: &mut Files<'_>, object: &Object) -> Result<bool, Problem> {
        let Some((unit, bytes)) = read(files, object)? else { return Ok(false) };
        let needs = unit.needs();
        files.sync.pull_keys(&needs.iter().copied().collect(), false, false, &|_, _, _| {})?;
        if needs.iter().any(|key| files.sync.store.record(key).is_none()) {
            return Ok(false);
        }
        let known = files.write(&object.path, &bytes, &object.tag)?;
        files.memory.files.insert(object.path.clone(), known);
        let pulled = &mut files.sync.report().pulled;
        pulled.files += 1;
        pulled.bytes += bytes.len() as u64;
        Ok(true)
    }
}

fn read(files: &Files<'_>, object: &Object) -> Result<Option<(Unit, Vec<u8>)>, Problem> {
    let Some(bytes) = files.sync.remote.get(&object.path)? else { return Ok(None) };
    Ok(serde_json::from_slice(&bytes).ok().map(|unit| (unit, bytes)))
}

/// The files of a unit of work that were taken and are here: more than one while its rank changes.
fn taken(files: &Files<'_>, id: &Digest) -> Vec<String> {
    let paths = files.memory.files.keys();
    paths.filter(|path| Files::unit(path) == Some(*id)).cloned().collect()
}

/// How many workers of a pool are at work here.
fn live(files: &Files<'_>, pool: &str) -> usize {
    let workers = Pool::open(files.sync.store, pool).and_then(|pool| pool.workers());
    workers.map_or(0, |all| all.iter().filter(|seen| seen.is_alive()).count())
}
