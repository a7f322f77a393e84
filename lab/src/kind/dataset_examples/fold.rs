//! Near-duplicates: a ranking in; its first images that are different, each with how many are folded into it, out.

use super::list::{Kept, List, Place};
use crate::failure::Failure;
use crate::gallery::Gallery;
use crate::picture::alike;
use crate::workbench::Workbench;

/// The most images of a ranking that are compared for `top` different ones.
pub(super) fn most(top: usize) -> usize {
    8 * top + 64
}

/// The first images of a ranking; without near-duplicates, if the block folds them: then also how many were compared.
pub(super) fn fold(
    bench: &mut Workbench<'_>,
    list: &List<'_>,
    places: &[Place],
    top: usize,
    gallery: &mut Gallery,
) -> Result<(Vec<Kept>, Option<u64>), Failure> {
    let Some(apart) = list.params.alike else {
        let first = places.iter().take(top);
        let kept = first.map(|&place| Kept::of(bench, list, place, gallery));
        return Ok((kept.collect::<Result<_, _>>()?, None));
    };
    let mut folded = Folded { apart, hashes: Vec::new(), counts: Vec::new() };
    let mut kept: Vec<Kept> = Vec::new();
    let mut compared = 0;
    for &place in places.iter().take(most(top)) {
        let image = Kept::of(bench, list, place, gallery)?;
        let cannot =
            |why| Failure::new(format!("`{}` cannot be compared ({why})", image.sample.key));
        let hash = alike::hash(&image.picture).map_err(cannot)?;
        // Those that follow the last one are looked at until one is different, so that its count is one of its own.
        if kept.len() == top && folded.like(hash).is_none() {
            break;
        }
        compared += 1;
        if folded.add(hash) {
            kept.push(image);
        }
    }
    for (kept, count) in kept.iter_mut().zip(folded.counts) {
        kept.alike = Some(count);
    }
    Ok((kept, Some(compared)))
}

/// Hashes of images that are different, and how many others are like each.
struct Folded {
    /// The greatest number of different bits of what is alike.
    apart: u32,
    hashes: Vec<u64>,
    counts: Vec<u64>,
}

impl Folded {
    /// The nearest of the hashes that are alike, the first of equally near ones.
    fn like(&self, hash: u64) -> Option<usize> {
        let apart = |at: &usize| (self.hashes[*at] ^ hash).count_ones();
        let alike = (0..self.hashes.len()).filter(|at| apart(at) <= self.apart);
        alike.min_by_key(apart)
    }

    /// Adds an image; whether it is like none before.
    fn add(&mut self, hash: u64) -> bool {
        match self.like(hash) {
            Some(at) => {
                self.counts[at] += 1;
                false
            }
            None => {
                self.hashes.push(hash);
                self.counts.push(0);
                true
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_folded_into_the_nearest_that_is_alike() {
        let mut folded = Folded { apart: 2, hashes: Vec::new(), counts: Vec::new() };
        let added = [0b0000, 0b1111, 0b0001, 0b0111, 0b0011, 0b1111_0000];
        assert_eq!(added.map(|hash| folded.add(hash)), [true, true, false, false, false, true]);
        // Three bits apart is alike to neither; 0b0011 is as near to the first as to the second.
        assert_eq!(folded.counts, [2, 1, 0]);
        let mut exact = Folded { apart: 0, ..folded };
        assert!(exact.add(0b0001) && !exact.add(0b0001));
    }
}
