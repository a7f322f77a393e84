//! Splits of images into those that a probe learns from and those that it is judged by: a class or a group for each image and a
//! seed in; two lists of rows out.

use std::collections::BTreeMap;

use rand::SeedableRng as _;
use rand::seq::SliceRandom as _;
use rand_chacha::ChaCha8Rng;

/// Rows to learn from and rows to judge by, each in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// Rows of the images that are learnt from.
    pub train: Vec<usize>,
    /// Rows of the images that are held out.
    pub held_out: Vec<usize>,
}

/// Holds out a fraction of each class, rounded, by chance. Each class keeps at least one image to learn from, and a class of
/// two or more also has at least one held out.
pub fn by_class(classes: &[u32], fraction: f64, seed: u64) -> Split {
    let mut rows: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (row, class) in classes.iter().enumerate() {
        rows.entry(*class).or_default().push(row);
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut held = vec![false; classes.len()];
    for rows in rows.values_mut() {
        rows.shuffle(&mut rng);
        let count = (rows.len() as f64 * fraction).round() as usize;
        let count = count.clamp(usize::from(rows.len() > 1), rows.len() - 1);
        rows.iter().take(count).for_each(|row| held[*row] = true);
    }
    Split::of(&held)
}

/// Holds out whole groups, by chance, until at least a fraction of the images is held out; the last group is always kept to
/// learn from. Classes play no part: one may have no image on a side.
pub fn by_group<G: AsRef<str>>(groups: &[G], fraction: f64, seed: u64) -> Split {
    let mut rows: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (row, group) in groups.iter().enumerate() {
        rows.entry(group.as_ref()).or_default().push(row);
    }
    let mut all: Vec<Vec<usize>> = rows.into_values().collect();
    all.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    all.pop();
    let wanted = (groups.len() as f64 * fraction).round() as usize;
    let mut held = vec![false; groups.len()];
    let mut count = 0;
    for rows in all {
        if count >= wanted {
            break;
        }
        count += rows.len();
        rows.iter().for_each(|row| held[*row] = true);
    }
    Split::of(&held)
}

impl Split {
    fn of(held: &[bool]) -> Self {
        let (held_out, train) = (0..held.len()).partition(|row| held[*row]);
        Self { train, held_out }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_class_is_on_both_sides_and_every_image_on_one() {
        let classes: Vec<u32> = (0..100).map(|row| if row < 4 { row / 2 } else { 2 }).collect();
        let split = by_class(&classes, 0.25, 3);
        let mut all = [split.train.clone(), split.held_out.clone()].concat();
        all.sort_unstable();
        assert!(all.iter().copied().eq(0..100));
        let held = |class: u32| split.held_out.iter().filter(|row| classes[**row] == class).count();
        assert_eq!([held(0), held(1), held(2)], [1, 1, 24]);
        assert_eq!(split, by_class(&classes, 0.25, 3));
        assert_ne!(split, by_class(&classes, 0.25, 4));
        // A class of one image is learnt from.
        assert_eq!(by_class(&[0, 1, 1], 0.9, 0).train.len(), 2);
    }

    #[test]
    fn images_of_a_group_stay_together() {
        let groups: Vec<String> = (0..90).map(|row| format!("thing {}", row / 3)).collect();
        let split = by_group(&groups, 0.3, 1);
        assert_eq!(split.held_out.len(), 27);
        for rows in split.held_out.chunks(3) {
            assert!(rows.iter().all(|row| groups[*row] == groups[rows[0]]), "{rows:?}");
        }
        // One group cannot be split.
        assert!(by_group(&["a", "a"], 0.5, 0).held_out.is_empty());
    }
}
