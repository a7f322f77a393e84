//! The units of work in a pool: those that are there, those that this client puts, renames and removes.

use std::collections::BTreeSet;

use neuronotes_core::digest::Digest;

use super::group::{self, Open};
use super::keeper::{Keeper, Known};
use crate::measure::schedule::Rank;

/// Looks at the pool before a request whose unit of work is gone is put again: another machine's files may be seen late.
const LOOKS: u32 = 3;

impl Keeper {
    /// Lists the units of work, and reads those that are new; `None` if the folder cannot be read now.
    pub(super) fn list(&mut self) -> Option<()> {
        let listed = match self.pool.units() {
            Ok(listed) => listed,
            Err(error) => {
                self.trouble = Some(format!("the store cannot be read for now ({error})"));
                return None;
            }
        };
        self.trouble = None;
        let there: BTreeSet<Digest> = listed.iter().map(|named| named.id).collect();
        self.units.retain(|id, _| there.contains(id));
        self.begun.retain(|id, _| there.contains(id));
        for named in listed {
            if let Some(known) = self.units.get_mut(&named.id) {
                known.named = named;
                continue;
            }
            let Some(unit) = self.pool.read_unit(&named) else { continue };
            let store = &self.store;
            let needs =
                unit.needs().into_iter().filter(|key| store.record(key).is_none()).collect();
            let keys: Vec<Digest> = unit.keys().collect();
            if keys.iter().all(|key| self.open.contains_key(key)) {
                // From this client before it was started again, or from another that wants the same, which puts it again if
                // this one removes it.
                self.mine.insert(named.id);
            }
            self.units.insert(named.id, Known { named, keys, needs });
        }
        Some(())
    }

    /// Removes this client's units of work of which nothing is open, or that wait for something that has failed.
    pub(super) fn drop_unwanted(&mut self) {
        let (open, failures) = (&self.open, &self.failures);
        let is_dead = |unit: &Known| {
            !unit.keys.iter().any(|key| open.contains_key(key))
                || unit.needs.iter().any(|need| failures.get(need).is_some())
        };
        let gone: Vec<Digest> = self
            .mine
            .iter()
            .filter(|id| self.units.get(id).is_some_and(is_dead))
            .copied()
            .collect();
        for id in gone {
            if self.pool.remove_unit(&id).is_ok() {
                self.units.remove(&id);
                self.mine.remove(&id);
                self.begun.remove(&id);
            }
        }
        self.mine.retain(|id| self.units.contains_key(id));
    }

    /// Puts open requests that no unit of work has, at once or after some looks, and follows changes of urgency.
    pub(super) fn put_uncovered(&mut self, at_once: bool) {
        let covered: BTreeSet<Digest> =
            self.units.values().flat_map(|unit| unit.keys.clone()).collect();
        let is_due =
            |key: &Digest| at_once || self.uncovered.get(key).is_some_and(|looks| *looks >= LOOKS);
        let due =
            self.open.values().filter(|open| !covered.contains(&open.key) && is_due(&open.key));
        let mut due: Vec<Open> = due.cloned().collect();
        due.sort_by_key(|open| self.order.get(&open.key));
        for piece in group::pieces(due, self.most) {
            let mut unit = piece.unit;
            let keys: Vec<Digest> = unit.keys().collect();
            unit.requests = unit.requests.iter().map(|one| self.paths.there(one)).collect();
            match self.pool.put_unit(&unit, number(piece.rank)) {
                Ok(named) => {
                    keys.iter().for_each(|key| _ = self.uncovered.remove(key));
                    let needs = keys.iter().filter_map(|key| self.open.get(key));
                    let needs = needs.flat_map(|open| open.needs.clone());
                    let needs = needs.filter(|need| !keys.contains(need)).collect();
                    self.mine.insert(named.id);
                    self.units.insert(named.id, Known { named, keys, needs });
                }
                Err(error) => {
                    self.trouble =
                        Some(format!("the store cannot be written to for now ({error})"));
                    keys.into_iter().for_each(|key| _ = self.uncovered.insert(key, LOOKS));
                }
            }
        }
        self.promote();
    }

    /// Renames units of work whose requests have become more urgent, and this client's own that have become less so.
    fn promote(&mut self) {
        for unit in self.units.values_mut() {
            let ranks = unit.keys.iter().filter_map(|key| self.open.get(key)).map(|open| open.rank);
            let Some(rank) = ranks.min().map(number) else { continue };
            let is_mine = self.mine.contains(&unit.named.id);
            if (rank < unit.named.rank || (is_mine && rank != unit.named.rank))
                && let Ok(named) = self.pool.promote(&unit.named, rank)
            {
                unit.named = named;
            }
        }
    }
}

/// A rank in a pool.
fn number(rank: Rank) -> u32 {
    match rank {
        Rank::Visible => 0,
        Rank::Saved => 1,
        Rank::Rest => 2,
    }
}
