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

/// Holds out whole groups, so that of each class about a fraction is held out: by chance at first, then groups change sides as
/// long as that brings the classes nearer to it. Each class keeps an image to learn from, and a class has one held out if it
/// has other groups to learn from.
///
/// The distance is the sum over classes of the squared difference between the fraction that is held out and the one asked for.
pub fn by_group_and_class<G: AsRef<str>>(
    groups: &[G],
    classes: &[u32],
    fraction: f64,
    seed: u64,
) -> Split {
    let mut rows: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (row, group) in groups.iter().enumerate() {
        rows.entry(group.as_ref()).or_default().push(row);
    }
    let mut all: Vec<Vec<usize>> = rows.into_values().collect();
    all.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    let counted = |rows: &Vec<usize>| {
        let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
        rows.iter().for_each(|row| *counts.entry(classes[*row]).or_default() += 1);
        counts
    };
    let mut balance = Balance::new(all.iter().map(counted).collect(), fraction);
    // Each move lowers the distance, so they end.
    while (0..all.len()).filter(|group| balance.turn(*group)).count() > 0 {}
    balance.fill();
    let mut held = vec![false; groups.len()];
    for (rows, out) in all.iter().zip(&balance.held_out) {
        rows.iter().for_each(|row| held[*row] = *out);
    }
    Split::of(&held)
}

/// Which groups are held out, and what that leaves of each class.
struct Balance {
    /// The images of each class in each group.
    groups: Vec<BTreeMap<u32, usize>>,
    held_out: Vec<bool>,
    /// The images of each class, and how many of them are held out.
    classes: BTreeMap<u32, (usize, usize)>,
    fraction: f64,
}

impl Balance {
    /// Nothing is held out.
    fn new(groups: Vec<BTreeMap<u32, usize>>, fraction: f64) -> Self {
        let mut classes: BTreeMap<u32, (usize, usize)> = BTreeMap::new();
        for (class, count) in groups.iter().flatten() {
            classes.entry(*class).or_default().0 += count;
        }
        Self { held_out: vec![false; groups.len()], groups, classes, fraction }
    }

    /// How much the distance changes if a group changes sides; `None` if a class would keep no image to learn from.
    fn change(&self, group: usize) -> Option<f64> {
        let away = |held: usize, of: usize| (held as f64 / of as f64 - self.fraction).powi(2);
        let mut sum = 0.0;
        for (class, count) in &self.groups[group] {
            let (of, held) = self.classes[class];
            let then = if self.held_out[group] { held - count } else { held + count };
            if then == of {
                return None;
            }
            sum += away(then, of) - away(held, of);
        }
        Some(sum)
    }

    /// Moves a group to the other side if that lowers the distance; whether it did.
    fn turn(&mut self, group: usize) -> bool {
        let lower = self.change(group).is_some_and(|change| change < -1e-12);
        if lower {
            self.flip(group);
        }
        lower
    }

    fn flip(&mut self, group: usize) {
        for (class, count) in &self.groups[group] {
            let held = &mut self.classes.entry(*class).or_default().1;
            *held = if self.held_out[group] { *held - count } else { *held + count };
        }
        self.held_out[group] = !self.held_out[group];
    }

    /// Of each class without a held-out image, holds out the group that raises the distance least, if one can be.
    fn fill(&mut self) {
        let all: Vec<u32> = self.classes.keys().copied().collect();
        for class in all {
            if self.classes[&class].1 > 0 {
                continue;
            }
            let own = (0..self.groups.len()).filter(|at| self.groups[*at].contains_key(&class));
            let can = own.filter_map(|at| self.change(at).map(|change| (at, change)));
            if let Some((group, _)) = can.min_by(|a, b| a.1.total_cmp(&b.1)) {
                self.flip(group);
            }
        }
    }
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

    /// Things of 1 to 5 images; the rarest of four classes has 4 things, the commonest 100.
    fn things() -> (Vec<String>, Vec<u32>) {
        let (mut groups, mut classes) = (vec![], vec![]);
        for (class, count) in [(0u32, 4), (1, 10), (2, 30), (3, 100)] {
            for thing in 0..count {
                for _ in 0..=thing % 5 {
                    groups.push(format!("thing {thing} of {class}"));
                    classes.push(class);
                }
            }
        }
        (groups, classes)
    }

    #[test]
    fn whole_groups_are_held_out_and_each_class_by_about_the_fraction() {
        let (groups, classes) = things();
        let part = |split: &Split, class: u32| {
            let of = classes.iter().filter(|own| **own == class).count();
            let held = split.held_out.iter().filter(|row| classes[**row] == class).count();
            held as f64 / of as f64
        };
        let (mut worst, mut without) = (0.0f64, 0);
        for seed in 0..20 {
            let split = by_group_and_class(&groups, &classes, 0.3, seed);
            let held: Vec<&String> = split.held_out.iter().map(|row| &groups[*row]).collect();
            assert!(split.train.iter().all(|row| !held.contains(&&groups[*row])), "seed {seed}");
            assert_eq!(split.train.len() + split.held_out.len(), groups.len());
            for class in 0..4 {
                worst = worst.max((part(&split, class) - 0.3).abs());
            }
            // Without regard to classes, the rarest is missing on a side now and then.
            let by_chance = part(&by_group(&groups, 0.3, seed), 0);
            without += u32::from(by_chance == 0.0 || by_chance == 1.0);
        }
        assert!(worst < 0.11, "{worst}");
        assert!(without > 0, "{without}");
        let one = by_group_and_class(&groups, &classes, 0.3, 0);
        assert_eq!(one, by_group_and_class(&groups, &classes, 0.3, 0));
        assert_ne!(one, by_group_and_class(&groups, &classes, 0.3, 1));
    }

    #[test]
    fn a_class_keeps_an_image_to_learn_from_and_has_one_held_out_if_it_can() {
        for seed in 0..20 {
            // Two things of a class, one of another, and one with an image of either.
            let groups = ["a", "a", "b", "c", "d", "d"];
            let classes = [0, 0, 0, 1, 0, 1];
            let split = by_group_and_class(&groups, &classes, 0.9, seed);
            let on = |rows: &[usize], class| rows.iter().any(|row| classes[*row] == class);
            assert!(on(&split.train, 0) && on(&split.train, 1), "seed {seed}: {split:?}");
            assert!(on(&split.held_out, 0) && on(&split.held_out, 1), "seed {seed}: {split:?}");
            let split = by_group_and_class(&groups, &classes, 0.05, seed);
            assert!(on(&split.held_out, 0) && on(&split.held_out, 1), "seed {seed}: {split:?}");
        }
        // A class of one thing stays whole to be learnt from.
        let split = by_group_and_class(&["a", "a", "b", "c"], &[0, 0, 1, 1], 0.5, 3);
        assert!(split.train.starts_with(&[0, 1]) && split.held_out.len() == 1, "{split:?}");
    }
}
