//! Which unit of work a worker takes next: those in the pool in; one that is claimed, or why there is none, out.
//!
//! The most urgent come first, and among those the longest by estimate. One is ready when all that it uses is stored, or is in no
//! other unit of work, so that it must be measured along.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use neuronotes_core::digest::Digest;
use neuronotes_core::pool::{Named, Pool, Unit};
use neuronotes_core::store::{Claim, Claimed, Claims, Store};

use super::time::Time;

/// A unit of work that this worker has claimed.
#[derive(Debug)]
pub struct Taken {
    pub named: Named,
    pub unit: Unit,
    /// Held until it is measured.
    pub claim: Claim,
}

/// What there is to do.
#[derive(Debug)]
pub enum Take {
    Taken(Box<Taken>),
    /// There are units of work, but others measure them, or what they need.
    Others {
        held: usize,
        waiting: usize,
    },
    /// There are units of work, but the time left is too short for each of them.
    TooLong {
        count: usize,
    },
    Nothing,
}

/// The units of work that were read.
#[derive(Debug, Default)]
pub struct Shelf {
    units: BTreeMap<Digest, Unit>,
    /// Results that were found in the store.
    stored: BTreeSet<Digest>,
}

impl Shelf {
    /// Claims the next unit of work.
    ///
    /// # Errors
    /// If the pool cannot be listed: the store is away.
    pub fn take(
        &mut self,
        pool: &Pool,
        store: &Store,
        claims: &Claims,
        time: &Time,
    ) -> io::Result<Take> {
        let listed = listed(pool)?;
        let ids: BTreeSet<Digest> = listed.iter().map(|named| named.id).collect();
        self.units.retain(|id, _| ids.contains(id));
        for named in &listed {
            // One that cannot be read now is read at the next look.
            if !self.units.contains_key(&named.id)
                && let Some(unit) = pool.read_unit(named)
            {
                self.units.insert(named.id, unit);
            }
        }
        let mut order: Vec<(&Named, Option<f64>)> = listed
            .iter()
            .filter_map(|named| Some((named, self.units.get(&named.id)?.seconds)))
            .collect();
        let length = |seconds: &Option<f64>| seconds.unwrap_or(f64::INFINITY);
        order.sort_by(|(a, one), (b, other)| {
            a.rank.cmp(&b.rank).then(length(other).total_cmp(&length(one)))
        });
        let (mut held, mut waiting, mut too_long) = (0, Vec::new(), 0);
        let ready = self.ready(store);
        for (named, seconds) in order {
            if !time.fits(seconds) {
                too_long += 1;
            } else if !ready.contains(&named.id) {
                waiting.push(*named);
            } else {
                match self.claim(pool, claims, named)? {
                    Claiming::Mine(taken) => return Ok(Take::Taken(taken)),
                    Claiming::Theirs => held += 1,
                    Claiming::Gone => {}
                }
            }
        }
        // If nobody is at what these need, they need each other.
        if held == 0 {
            for named in &waiting {
                match self.claim(pool, claims, named)? {
                    Claiming::Mine(taken) => return Ok(Take::Taken(taken)),
                    Claiming::Theirs => held += 1,
                    Claiming::Gone => {}
                }
            }
        }
        Ok(match (held + waiting.len(), too_long) {
            (0, 0) => Take::Nothing,
            (0, count) => Take::TooLong { count },
            _ => Take::Others { held, waiting: waiting.len() },
        })
    }

    /// The units of work that are ready.
    fn ready(&mut self, store: &Store) -> BTreeSet<Digest> {
        let keys = |unit: &Unit| unit.keys().collect::<Vec<_>>();
        let covered: BTreeSet<Digest> = self.units.values().flat_map(keys).collect();
        let (stored, mut missing) = (&mut self.stored, BTreeSet::new());
        let mut is_there = |key: &Digest| {
            if stored.contains(key) {
                return true;
            }
            if missing.contains(key) {
                return false;
            }
            let there = store.record(key).is_some() || {
                store.refresh(key);
                store.record(key).is_some()
            };
            if there {
                stored.insert(*key)
            } else {
                missing.insert(*key)
            };
            there
        };
        let ready = |(_, unit): &(&Digest, &Unit)| {
            unit.needs().iter().all(|key| !covered.contains(key) || is_there(key))
        };
        self.units.iter().filter(ready).map(|(id, _)| *id).collect()
    }

    fn claim(&self, pool: &Pool, claims: &Claims, named: &Named) -> io::Result<Claiming> {
        let Claimed::Mine(claim) = claims.claim(&named.id) else { return Ok(Claiming::Theirs) };
        // Another may have finished it since it was listed, or the client may have renamed or removed it.
        let Some(now) = listed(pool)?.into_iter().find(|now| now.id == named.id) else {
            return Ok(Claiming::Gone);
        };
        let unit = pool.read_unit(&now).or_else(|| self.units.get(&named.id).cloned());
        Ok(match unit {
            Some(unit) => Claiming::Mine(Box::new(Taken { named: now, unit, claim })),
            None => Claiming::Gone,
        })
    }
}

enum Claiming {
    Mine(Box<Taken>),
    Theirs,
    Gone,
}

/// The units of work in a pool.
///
/// # Errors
/// If they cannot be listed. A folder that is not there is an error here: the client has made it.
pub fn listed(pool: &Pool) -> io::Result<Vec<Named>> {
    let units = pool.units()?;
    if units.is_empty() {
        std::fs::read_dir(pool.path("units"))?;
    }
    Ok(units)
}

#[cfg(test)]
mod tests {
    use neuronotes_core::model::Conventions;
    use neuronotes_core::request::Request;
    use serde_json::json;

    use super::*;

    fn request(number: u32, uses: Vec<Request>) -> Request {
        let request = json!({
            "kind": "feature_vis", "impl_version": 2, "params": { "unit": number },
            "model": {
                "name": "m", "path": "/m", "digest": Digest::of(b"m"), "conventions": Conventions::default(),
            },
            "precision": "f32",
        });
        let request: Request = serde_json::from_value(request).expect("a request");
        Request { uses, ..request }
    }

    struct Place {
        _dir: tempfile::TempDir,
        store: Store,
        pool: Pool,
        claims: Claims,
        shelf: Shelf,
    }

    impl Place {
        fn new() -> Self {
            let dir = tempfile::tempdir().expect("a folder");
            let store = Store::open(dir.path()).expect("a store");
            let pool = Pool::open(&store, "p").expect("a pool");
            let claims = Claims::new(&store);
            Self { _dir: dir, store, pool, claims, shelf: Shelf::default() }
        }

        fn put(&self, requests: Vec<Request>, seconds: Option<f64>, rank: u32) -> Digest {
            let unit = Unit { requests, seconds, halve: false };
            self.pool.put_unit(&unit, rank).expect("put").id
        }

        fn take(&mut self, time: &Time) -> Take {
            self.shelf.take(&self.pool, &self.store, &self.claims, time).expect("listed")
        }

        fn taken(&mut self) -> Box<Taken> {
            match self.take(&Time::new(None)) {
                Take::Taken(taken) => taken,
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn the_most_urgent_comes_first_then_the_longest_and_each_is_given_once() {
        let mut place = Place::new();
        assert!(matches!(place.take(&Time::new(None)), Take::Nothing));
        let short = place.put(vec![request(1, vec![])], Some(1.0), 2);
        let long = place.put(vec![request(2, vec![])], Some(9.0), 2);
        let unknown = place.put(vec![request(3, vec![])], None, 2);
        let urgent = place.put(vec![request(4, vec![])], Some(1.0), 0);
        let all: Vec<_> = (0..4).map(|_| place.taken()).collect();
        let order: Vec<Digest> = all.iter().map(|taken| taken.named.id).collect();
        assert_eq!(order, [urgent, unknown, long, short]);
        assert!(matches!(place.take(&Time::new(None)), Take::Others { held: 4, waiting: 0 }));
        // Freed, it is given again; renamed, it is the same; removed, it is gone.
        drop(all);
        assert_eq!(place.taken().named.id, urgent);
        let named = place.pool.units().expect("listed").into_iter().find(|one| one.id == unknown);
        place.pool.promote(&named.expect("there"), 0).expect("renamed");
        assert_eq!(place.taken().named.id, unknown);
        place.pool.remove_unit(&unknown).expect("removed");
        assert_eq!(place.taken().named.id, urgent);
    }

    #[test]
    fn what_uses_others_waits_for_them_unless_nobody_measures_them() {
        let mut place = Place::new();
        let used = request(1, vec![]);
        let asks = place.put(vec![request(2, vec![used.clone()])], Some(9.0), 0);
        // In no other unit of work, it is measured along.
        assert_eq!(place.taken().named.id, asks);
        let first = place.put(vec![used], Some(1.0), 5);
        let held = place.taken();
        assert_eq!(held.named.id, first);
        assert!(matches!(place.take(&Time::new(None)), Take::Others { held: 1, waiting: 1 }));
        place.pool.remove_unit(&first).expect("removed");
        drop(held);
        assert_eq!(place.taken().named.id, asks);

        // Two that need each other do not wait for ever.
        let mut place = Place::new();
        let [a, b] = [request(1, vec![]), request(2, vec![])];
        place.put(vec![a.clone(), request(3, vec![b.clone()])], None, 0);
        place.put(vec![b, request(4, vec![a])], None, 0);
        assert_eq!(place.taken().unit.requests.len(), 2);
    }

    #[test]
    fn what_does_not_fit_into_the_time_left_is_left_to_others() {
        let mut place = Place::new();
        place.put(vec![request(1, vec![])], Some(600.0), 0);
        let minute = Time::new(Some(1.0));
        assert!(matches!(place.take(&minute), Take::TooLong { count: 1 }));
        let fitting = place.put(vec![request(2, vec![])], Some(5.0), 9);
        let Take::Taken(taken) = place.take(&minute) else { panic!("it fits") };
        assert_eq!(taken.named.id, fitting);
        assert!(matches!(place.take(&minute), Take::Others { held: 1, waiting: 0 }));
    }

    #[test]
    fn a_folder_that_is_gone_is_not_an_empty_one() {
        let mut place = Place::new();
        std::fs::remove_dir(place.pool.path("units")).expect("removed");
        let time = Time::new(None);
        let Place { pool, store, claims, shelf, .. } = &mut place;
        assert!(shelf.take(pool, store, claims, &time).is_err());
    }
}
