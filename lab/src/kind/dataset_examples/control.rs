//! Images drawn at random, the same ones for every unit: the scans in; places out.

use neuronotes_core::digest::Digest;

use super::list::Place;
use crate::table::Scanned;

/// `count` images of the data set, or all if it has fewer: those whose keys have the smallest digests.
pub(super) fn drawn(scans: &[Scanned], count: usize) -> Vec<Place> {
    let mut all: Vec<(Digest, Place)> = Vec::new();
    for (shard, scan) in scans.iter().enumerate() {
        for (row, sample) in scan.samples.iter().enumerate() {
            all.push((Digest::of(format!("control\n{}", sample.key).as_bytes()), (shard, row)));
        }
    }
    if count < all.len() {
        all.select_nth_unstable(count);
        all.truncate(count);
    }
    all.sort_unstable();
    all.into_iter().map(|(_, place)| place).collect()
}

#[cfg(test)]
mod tests {
    use neuronotes_core::dataset::Sample;

    use super::*;

    fn scan(keys: &[&str]) -> Scanned {
        let sample = |key: &&str| Sample { key: (*key).to_owned(), caption: None, label: None };
        Scanned { activations: vec![0.0; keys.len()], samples: keys.iter().map(sample).collect() }
    }

    #[test]
    fn the_draw_is_the_same_in_any_division_into_shards_and_grows_by_its_end() {
        let keys = ["a", "b", "c", "d", "e", "f", "g"];
        let name = |scans: &[Scanned], count| -> Vec<String> {
            let of = |(shard, row): Place| scans[shard].samples[row].key.clone();
            drawn(scans, count).into_iter().map(of).collect()
        };
        let whole = [scan(&keys)];
        let parts = [scan(&keys[3..]), scan(&keys[..3])];
        let three = name(&whole, 3);
        assert_eq!(three, name(&parts, 3));
        assert_eq!(three, name(&whole, 5)[..3]);
        assert_eq!(name(&whole, 9).len(), 7);
        assert_ne!(name(&whole, 7), keys, "not the order of the data set");
    }
}
