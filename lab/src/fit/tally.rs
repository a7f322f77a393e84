//! Numbers of two groups, counted: numbers in, each with its group; every different number in rising order, with how often either
//! group has it, out.
//!
//! Scans are stored in half precision, of which there are few numbers: these are counted in a table without being sorted, which is
//! what makes a search of all units of a layer fast. Other numbers are sorted.

use super::rank::key;

/// The bits of a number in single precision that a half does not have.
const BELOW: u32 = (1 << 13) - 1;
/// The bits of the smallest half above zero, and of the largest, in single precision, without those.
const HALVES: (u32, u32) = (0x3380_0000 >> 13, 0x477f_e000 >> 13);
/// The place of zero in the table.
const ZERO: usize = (HALVES.1 - HALVES.0 + 1) as usize;

/// How often either group has a number.
pub(super) type Count = [u32; 2];

/// A table that is used for one column after the other.
pub(super) struct Tally {
    /// A count for each half, all zero between two columns.
    table: Vec<Count>,
    runs: Vec<(f64, Count)>,
}

impl Tally {
    pub(super) fn new() -> Self {
        Self { table: vec![[0; 2]; 2 * ZERO + 1], runs: Vec::new() }
    }

    /// Every different number in rising order. A group is 0 or 1; no number is NaN, and -0 equals 0.
    pub(super) fn runs(
        &mut self,
        numbers: impl Iterator<Item = (f32, usize)> + Clone,
    ) -> &[(f64, Count)] {
        self.runs.clear();
        let (mut low, mut high, mut halves) = (usize::MAX, 0, true);
        for (number, group) in numbers.clone() {
            let Some(place) = place(number) else {
                halves = false;
                break;
            };
            self.table[place][group] += 1;
            (low, high) = (low.min(place), high.max(place));
        }
        for place in low..=high {
            let count = std::mem::take(&mut self.table[place]);
            if count != [0; 2] {
                self.runs.push((number(place), count));
            }
        }
        if !halves {
            self.sorted(numbers);
        }
        &self.runs
    }

    fn sorted(&mut self, numbers: impl Iterator<Item = (f32, usize)>) {
        self.runs.clear();
        let mut all: Vec<(u32, f32, usize)> =
            numbers.map(|(number, group)| (key(number), number, group)).collect();
        all.sort_unstable_by_key(|(key, ..)| *key);
        for run in all.chunk_by(|a, b| a.0 == b.0) {
            let mut count = [0; 2];
            run.iter().for_each(|(.., group)| count[*group] += 1);
            self.runs.push((f64::from(run[0].1), count));
        }
    }
}

/// The place of a half in the table; `None` if the number is none.
fn place(number: f32) -> Option<usize> {
    let bits = number.to_bits();
    let size = (bits & !(1 << 31)) >> 13;
    match () {
        () if bits & BELOW != 0 => None,
        () if size == 0 => Some(ZERO),
        () if !(HALVES.0..=HALVES.1).contains(&size) => None,
        () if bits >> 31 == 1 => Some(ZERO - (size - HALVES.0 + 1) as usize),
        () => Some(ZERO + (size - HALVES.0 + 1) as usize),
    }
}

/// The number at a place.
fn number(place: usize) -> f64 {
    let size = |away: usize| f32::from_bits((away as u32 - 1 + HALVES.0) << 13);
    match place {
        ZERO => 0.0,
        place if place > ZERO => size(place - ZERO).into(),
        place => -f64::from(size(ZERO - place)),
    }
}

#[cfg(test)]
mod tests {
    use half::f16;

    use super::*;

    #[test]
    fn every_half_has_a_place_of_its_own_and_they_are_in_order() {
        let mut places = Vec::new();
        for bits in 0..=u16::MAX {
            let half = f16::from_bits(bits);
            if !half.is_finite() {
                assert!(place(half.to_f32()).is_none(), "{half}");
                continue;
            }
            let at = place(half.to_f32()).expect("a place");
            assert!(number(at) == half.to_f64(), "{half} {}", number(at));
            places.push((half.to_f64(), at));
        }
        places.sort_by(|a, b| a.0.total_cmp(&b.0));
        assert!(places.windows(2).all(|two| two[0].1 < two[1].1 || two[1].0 == 0.0));
        for other in [0.1f32, 70_000.0, 1e-9, f32::MIN_POSITIVE] {
            assert!(place(other).is_none(), "{other}");
        }
    }

    #[test]
    fn halves_and_other_numbers_are_counted_alike() {
        let mut tally = Tally::new();
        let of = |tally: &mut Tally, numbers: &[(f32, usize)]| {
            tally.runs(numbers.iter().copied()).to_vec()
        };
        let halves = [(1.5, 0), (-2.0, 1), (0.0, 0), (-0.0, 1), (1.5, 1), (1.5, 0)];
        let known = [(-2.0, [0, 1]), (0.0, [1, 1]), (1.5, [2, 1])];
        assert_eq!(of(&mut tally, &halves), known);
        let mut others = halves.to_vec();
        others.push((0.1, 1));
        let mut with = known.to_vec();
        with.insert(2, (f64::from(0.1f32), [0, 1]));
        assert_eq!(of(&mut tally, &others), with);
        assert_eq!(of(&mut tally, &halves), known, "nothing is left of the column before");
        assert_eq!(of(&mut tally, &[]), []);
    }
}
