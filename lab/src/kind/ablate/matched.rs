//! Controls of units and of heads: how large each one's change is in; sets of others whose changes are nearest in size out.

use rand::SeedableRng as _;
use rand::seq::{IndexedRandom as _, SliceRandom as _};
use rand_chacha::ChaCha8Rng;

/// How many times as many others as controls a changed one's are drawn from.
const NEAREST: usize = 2;
/// How many sets are drawn at most for each control, since those that were drawn before are left out.
const ATTEMPTS: usize = 50;

/// Sets of others, each with one for each of `changed`, drawn by chance from the twice as many as `count` whose size is nearest
/// by ratio. Each set is another one, and has none twice. There are fewer than `count` if there are not so many; a change of
/// nothing is no control, unless the change itself is one.
pub(super) fn matched(changed: &[u32], sizes: &[f64], count: usize, seed: u64) -> Vec<Vec<u32>> {
    let size = |unit: u32| sizes.get(unit as usize).copied().unwrap_or_default();
    let dead = changed.iter().all(|unit| size(*unit) == 0.0);
    let others: Vec<u32> = (0..sizes.len() as u32)
        .filter(|unit| !changed.contains(unit) && (dead || size(*unit) > 0.0))
        .collect();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let pools: Vec<Vec<u32>> = changed
        .iter()
        .map(|unit| {
            let own = size(*unit);
            let far = |other: u32| match own > 0.0 {
                true => (size(other) / own).ln().abs(),
                false => size(other),
            };
            let mut order = others.clone();
            order.sort_by(|a, b| far(*a).total_cmp(&far(*b)));
            order.truncate(NEAREST * count.max(1));
            order
        })
        .collect();
    if let [pool] = &mut pools.clone()[..] {
        pool.shuffle(&mut rng);
        return pool.iter().take(count).map(|other| vec![*other]).collect();
    }
    let mut sets: Vec<Vec<u32>> = Vec::new();
    let mut known: Vec<Vec<u32>> = Vec::new();
    for _ in 0..ATTEMPTS * count {
        if sets.len() == count {
            break;
        }
        let mut set: Vec<u32> = Vec::new();
        for pool in &pools {
            let free: Vec<u32> = pool.iter().copied().filter(|unit| !set.contains(unit)).collect();
            set.extend(free.choose(&mut rng));
        }
        let mut sorted = set.clone();
        sorted.sort_unstable();
        if set.len() == changed.len() && !known.contains(&sorted) {
            known.push(sorted);
            sets.push(set);
        }
    }
    sets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_are_others_of_nearly_the_same_size() {
        let sizes: Vec<f64> = (0..100).map(|n| f64::from(n) * 0.1).collect();
        let sets = matched(&[50], &sizes, 10, 7);
        assert_eq!(sets.len(), 10);
        let mut all = sets.concat();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 10, "each once");
        assert!(all.iter().all(|unit| *unit != 50 && (40..=61).contains(unit)), "{all:?}");
        assert_eq!(sets, matched(&[50], &sizes, 10, 7));
        assert_ne!(sets, matched(&[50], &sizes, 10, 8));
    }

    #[test]
    fn each_of_several_is_replaced_by_one_of_its_own_size() {
        let sizes: Vec<f64> = (0..100).map(|n| f64::from(n + 1)).collect();
        for set in matched(&[10, 90, 91], &sizes, 20, 0) {
            let [small, large, other] = set[..] else { panic!("three") };
            assert!(small < 50 && large > 50 && other > 50 && large != other, "{set:?}");
        }
    }

    #[test]
    fn a_few_others_are_all_controls_and_none_are_none() {
        let mut few: Vec<Vec<u32>> = matched(&[1], &[1.0; 4], 20, 0);
        few.sort_unstable();
        assert_eq!(few, [[0], [2], [3]]);
        assert_eq!(matched(&[0, 1], &[1.0; 3], 20, 0), Vec::<Vec<u32>>::new());
        assert_eq!(matched(&[0, 1], &[1.0; 4], 20, 0).len(), 1, "the only other pair");
        assert!(matched(&[0], &[1.0], 20, 0).is_empty());
        // Silent units change nothing.
        assert_eq!(matched(&[0], &[1.0, 0.0, 2.0], 20, 0), [[2]]);
        assert_eq!(matched(&[1], &[1.0, 0.0, 2.0], 20, 0).len(), 2);
    }
}
