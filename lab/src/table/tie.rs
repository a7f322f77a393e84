//! The order of images whose numbers are equal: their keys in; an order by the digests of these out, which nobody chose and which
//! does not depend on how the data set is listed.

use neuronotes_core::digest::Digest;
use rayon::iter::{
    IndexedParallelIterator as _, IntoParallelRefIterator as _, ParallelIterator as _,
};
use rayon::slice::ParallelSliceMut as _;

/// The place of each image among all, by the digest of its key; of equal keys the earlier image goes first.
pub(crate) fn places<T: Sync>(images: &[T], key: impl Fn(&T) -> &str + Sync) -> Vec<u32> {
    let of = |(row, image): (usize, &T)| (Digest::of(key(image).as_bytes()), row as u32);
    let mut order: Vec<(Digest, u32)> = images.par_iter().enumerate().map(of).collect();
    order.par_sort_unstable();
    let mut places = vec![0; order.len()];
    for (place, (_, row)) in (0u32..).zip(&order) {
        places[*row as usize] = place;
    }
    places
}

/// The image with the greatest number; of equal ones that with the smallest digest of its key. `None` without images.
pub(crate) fn greatest<'k>(numbers: &[f32], key: impl Fn(usize) -> &'k str) -> Option<usize> {
    // -0 equals 0.
    let most = numbers.iter().map(|number| number + 0.0).max_by(f32::total_cmp)?;
    let equal = (0..numbers.len()).filter(|row| (numbers[*row] + 0.0).total_cmp(&most).is_eq());
    equal.min_by_key(|row| (Digest::of(key(*row).as_bytes()), *row))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_numbers_are_in_the_order_of_digests_however_images_are_listed() {
        let keys: Vec<String> = (0..50).map(|at| format!("image-{}", at % 40)).collect();
        let numbers: Vec<f32> = (0..50).map(|at| ((at * 7) % 5) as f32 - 4.0).collect();
        let numbers: Vec<f32> = numbers.iter().map(|x| if *x == 0.0 { -x } else { *x }).collect();
        // By brute force.
        let digest = |row: usize| Digest::of(keys[row].as_bytes());
        let mut expected: Vec<usize> = (0..50).collect();
        expected.sort_by(|a, b| digest(*a).cmp(&digest(*b)).then(a.cmp(b)));
        let found = places(&keys, |key| key);
        for (place, row) in expected.iter().enumerate() {
            assert_eq!(found[*row] as usize, place);
        }
        let first = expected.iter().copied().find(|row| numbers[*row] == 0.0).expect("some");
        assert_eq!(greatest(&numbers, |row| &keys[row]), Some(first));
        assert_ne!(first, numbers.iter().position(|number| *number == 0.0).expect("some"));
        assert_eq!(greatest(&[], |_| ""), None);
    }
}
