//! The wanted requests in the order of measurement, and their groups for the lab.

use std::collections::BTreeMap;

use neuronotes_core::digest::Digest;
use neuronotes_core::request::Request;

/// Urgency of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rank {
    /// Its block is visible in a browser.
    Visible,
    /// It belongs to the note that was just saved.
    Saved,
    /// All others.
    Rest,
}

/// A wanted request.
#[derive(Debug, Clone, PartialEq)]
pub struct Wish {
    /// The request key.
    pub key: Digest,
    /// The request.
    pub request: Request,
    /// Its urgency.
    pub rank: Rank,
}

/// The wanted requests, each once, the most urgent first.
#[derive(Debug, Default)]
pub struct Queue {
    wishes: Vec<Wish>,
    places: BTreeMap<Digest, usize>,
}

impl Queue {
    /// Replaces the wanted requests. The order within a rank is kept; of two entries for one key, the more urgent
    /// counts.
    pub fn replace(&mut self, mut wishes: Vec<Wish>) {
        wishes.sort_by_key(|wish| wish.rank);
        self.places.clear();
        self.wishes.clear();
        for wish in wishes {
            if let std::collections::btree_map::Entry::Vacant(place) = self.places.entry(wish.key) {
                place.insert(self.wishes.len());
                self.wishes.push(wish);
            }
        }
    }

    /// Whether a key is wanted.
    pub fn wants(&self, key: &Digest) -> bool {
        self.places.contains_key(key)
    }

    /// The entry for a key.
    pub fn get(&self, key: &Digest) -> Option<&Wish> {
        self.wishes.get(*self.places.get(key)?)
    }

    /// Removes a key.
    pub fn remove(&mut self, key: &Digest) -> Option<Wish> {
        let place = self.places.remove(key)?;
        let wish = self.wishes.remove(place);
        self.places.values_mut().filter(|at| **at > place).for_each(|at| *at -= 1);
        Some(wish)
    }

    /// All entries, most urgent first.
    pub fn iter(&self) -> impl Iterator<Item = &Wish> {
        self.wishes.iter()
    }

    /// The keys that `waits` accepts, in one group per rank.
    pub fn groups(&self, waits: impl Fn(&Digest) -> bool) -> Vec<Vec<Digest>> {
        let waiting: Vec<&Wish> = self.wishes.iter().filter(|wish| waits(&wish.key)).collect();
        waiting
            .chunk_by(|a, b| a.rank == b.rank)
            .map(|group| group.iter().map(|wish| wish.key).collect())
            .collect()
    }
}

/// Whether an order is the rest of another one: the same groups in the same order, without requests that have begun
/// or ended.
pub fn follows(groups: &[Vec<Digest>], before: &[Vec<Digest>]) -> bool {
    let mut before = before.iter();
    groups.iter().all(|group| {
        before.any(|other| {
            let mut rest = other.iter();
            group.iter().all(|key| rest.any(|other| other == key))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_of_an_order_is_no_other_order() {
        let [a, b, c, d] = [b"a", b"b", b"c", b"d"].map(|name| Digest::of(name));
        let before = [vec![a, b], vec![c]];
        assert!(follows(&[], &before));
        assert!(follows(&[vec![b], vec![c]], &before) && follows(&[vec![c]], &before));
        for other in [vec![vec![b, a]], vec![vec![c], vec![a]], vec![vec![a, c]], vec![vec![d]]] {
            assert!(!follows(&other, &before), "{other:?}");
        }
    }
}
