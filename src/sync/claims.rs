//! Claims of units of work in an object store: which worker's store has taken one.
//!
//! A claim is an object that can be made once. Its holder changes it every few seconds; one that stays the same for a minute is
//! stale, and another may take it over. Only this machine's own passing of time counts, no clock is compared. Two that hold a
//! claim both measure, which is a waste and never a fault.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use neuronotes_core::digest::Digest;
use neuronotes_core::problem::Problem;
use serde::{Deserialize, Serialize};

use super::remote::Remote;

/// How often a holder changes a claim.
const BEAT: Duration = Duration::from_secs(15);
/// A claim that does not change for this long is stale.
const STALE: Duration = Duration::from_secs(60);

/// What a claim says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Claim {
    holder: String,
    /// Grows with every change.
    count: u64,
}

/// The claims of one store.
#[derive(Debug)]
pub(super) struct Claims {
    holder: String,
    held: BTreeMap<Digest, (Instant, u64)>,
    /// Others' claims as they were seen, and since when they are like this.
    seen: BTreeMap<Digest, (Vec<u8>, Instant)>,
    stale: Duration,
}

impl Claims {
    pub(super) fn new(holder: &str) -> Self {
        let (held, seen) = (BTreeMap::new(), BTreeMap::new());
        Self { holder: holder.to_owned(), held, seen, stale: STALE }
    }

    fn path(id: &Digest) -> String {
        format!("v1/claims/{id}.json")
    }

    fn text(&self, count: u64) -> Vec<u8> {
        let claim = Claim { holder: self.holder.clone(), count };
        serde_json::to_vec(&claim).unwrap_or_default()
    }

    pub(super) fn holds(&self, id: &Digest) -> bool {
        self.held.contains_key(id)
    }

    /// The units of work that are claimed.
    pub(super) fn held(&self) -> Vec<Digest> {
        self.held.keys().copied().collect()
    }

    /// Claims a unit of work; false if another has it.
    pub(super) fn claim(&mut self, remote: &Remote, id: &Digest) -> Result<bool, Problem> {
        let path = Self::path(id);
        // Another's may be stale, and once more another may be faster.
        for _ in 0..2 {
            if remote.create(&path, self.text(0))? {
                self.seen.remove(id);
                self.held.insert(*id, (Instant::now(), 0));
                return Ok(true);
            }
            let Some(found) = remote.get(&path)? else { continue };
            let count = self.own(&found);
            if let Some(count) = count {
                // It is from before this program was started again.
                self.held.insert(*id, (Instant::now(), count));
                return Ok(true);
            }
            match self.seen.get(id) {
                Some((before, since)) if *before == found && since.elapsed() >= self.stale => {
                    remote.remove(&path)?;
                    self.seen.remove(id);
                }
                Some((before, _)) if *before == found => return Ok(false),
                _ => {
                    self.seen.insert(*id, (found, Instant::now()));
                    return Ok(false);
                }
            }
        }
        Ok(false)
    }

    /// The count of a claim of this holder.
    fn own(&self, bytes: &[u8]) -> Option<u64> {
        let claim: Claim = serde_json::from_slice(bytes).ok()?;
        (claim.holder == self.holder).then_some(claim.count)
    }

    /// Changes the claims that are due; returns those that another has taken over.
    pub(super) fn renew(&mut self, remote: &Remote) -> Result<Vec<Digest>, Problem> {
        let due = self.held.iter().filter(|(_, (at, _))| at.elapsed() >= BEAT);
        let due: Vec<Digest> = due.map(|(id, _)| *id).collect();
        let mut lost = Vec::new();
        for id in due {
            let path = Self::path(&id);
            match remote.get(&path)?.map(|found| self.own(&found)) {
                Some(None) => {
                    self.held.remove(&id);
                    lost.push(id);
                }
                Some(Some(count)) => {
                    remote.put(&path, self.text(count + 1))?;
                    self.held.insert(id, (Instant::now(), count + 1));
                }
                None => {
                    remote.create(&path, self.text(0))?;
                    self.held.insert(id, (Instant::now(), 0));
                }
            }
        }
        Ok(lost)
    }

    /// Frees a claim.
    pub(super) fn free(&mut self, remote: &Remote, id: &Digest) -> Result<(), Problem> {
        let path = Self::path(id);
        if self.held.remove(id).is_some()
            && remote.get(&path)?.is_some_and(|found| self.own(&found).is_some())
        {
            remote.remove(&path)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_store_has_a_unit_of_work_until_it_frees_it_or_falls_silent() {
        let dir = tempfile::tempdir().expect("a folder");
        let remote = Remote::open(&format!("file://{}", dir.path().display())).expect("a folder");
        let (mut one, mut two) = (Claims::new("one"), Claims::new("two"));
        let id = Digest::of(b"unit");
        assert!(one.claim(&remote, &id).expect("no error"));
        assert!(!two.claim(&remote, &id).expect("no error"));
        // Started again, it has what it had.
        let mut one_again = Claims::new("one");
        assert!(one_again.claim(&remote, &id).expect("no error"));
        one.free(&remote, &id).expect("no error");
        assert!(two.claim(&remote, &id).expect("no error"));
        // Silence counts from the moment from which it was seen to be the same.
        one.stale = Duration::ZERO;
        assert!(!one.claim(&remote, &id).expect("no error"), "seen for the first time");
        assert!(one.claim(&remote, &id).expect("no error"));
        // The one that was silent notices.
        two.held.get_mut(&id).expect("held").0 -= BEAT;
        assert_eq!(two.renew(&remote).expect("no error"), [id]);
        assert!(!two.holds(&id) && one.holds(&id));
        // A claim that changes is not stale, however often it is looked at.
        for count in 1..4 {
            one.held.get_mut(&id).expect("held").0 -= BEAT;
            assert_eq!(one.renew(&remote).expect("no error"), []);
            assert_eq!(one.held[&id].1, count);
            two.stale = Duration::ZERO;
            assert!(!two.claim(&remote, &id).expect("no error"));
        }
    }
}
