//! Numbers of two groups, counted: numbers in, each with its group; every different number in rising order, with how often either
//! group has it, out.
//!
//! Scans are stored in half precision, of which there are few numbers: these are counted in a table without being sorted, or being
//! turned into other numbers, which is what makes a search of all units of a layer fast. Other numbers are sorted.

use half::f16;

use super::rank::key;

/// Places of halves in their order: of −∞, −0, 0 and ∞. Those outside are NaN.
const LEAST: u16 = place(0xfc00);
const ZEROS: [u16; 2] = [place(0x8000), place(0)];
const MOST: u16 = place(0x7c00);

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
        Self { table: vec![[0; 2]; 1 << 16], runs: Vec::new() }
    }

    /// Every different number in rising order, of numbers in half precision by their bits. `group` is 0 or 1, or another number
    /// for one that is in neither. -0 equals 0.
    ///
    /// # Errors
    /// If one is NaN or infinite: the place of the first.
    pub(super) fn halves(
        &mut self,
        halves: &[u16],
        groups: &[u8],
    ) -> Result<&[(f64, Count)], usize> {
        self.runs.clear();
        let (mut low, mut high) = (u16::MAX, 0);
        for bits in halves {
            let at = place(*bits);
            (low, high) = (low.min(at), high.max(at));
        }
        if !halves.is_empty() && (low <= LEAST || high >= MOST) {
            let odd = |bits: &u16| !(LEAST + 1..MOST).contains(&place(*bits));
            return Err(halves.iter().position(odd).unwrap_or_default());
        }
        for (bits, group) in halves.iter().zip(groups) {
            if *group < 2 {
                self.table[usize::from(place(*bits))][usize::from(*group)] += 1;
            }
        }
        for at in low..=high {
            let count = std::mem::take(&mut self.table[usize::from(at)]);
            if count == [0; 2] {
                continue;
            }
            match self.runs.last_mut().filter(|(number, _)| *number == 0.0) {
                Some((_, zeros)) if at == ZEROS[1] => {
                    zeros.iter_mut().zip(count).for_each(|(sum, more)| *sum += more);
                }
                _ => self.runs.push((number(at), count)),
            }
        }
        Ok(&self.runs)
    }

    /// The same of numbers in single precision, each with its group, which is 0 or 1. No number is NaN.
    pub(super) fn runs(
        &mut self,
        numbers: impl Iterator<Item = (f32, usize)> + Clone,
    ) -> &[(f64, Count)] {
        let each = |(number, group): (f32, usize)| Some((exact(number)?, group as u8));
        match numbers.clone().map(each).collect::<Option<(Vec<u16>, Vec<u8>)>>() {
            // None of these is infinite.
            Some((halves, groups)) => drop(self.halves(&halves, &groups)),
            None => self.sorted(numbers),
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

/// The bits of a number's half; `None` if it is none, or infinite.
fn exact(number: f32) -> Option<u16> {
    let half = f16::from_f32(number);
    (half.is_finite() && half.to_f32() == number).then(|| half.to_bits())
}

/// Number of places of halves.
pub(super) const PLACES: usize = 1 << 16;

/// The place of a number among all halves in rising order, that of 0 for -0; `None` if it is no half, or infinite.
pub(super) fn place_of(number: f32) -> Option<usize> {
    // The sum of -0 and 0 is 0.
    exact(number + 0.0).map(|bits| usize::from(place(bits)))
}

/// The place of a half among all of them in rising order, by its bits.
const fn place(bits: u16) -> u16 {
    match bits >> 15 {
        0 => bits | 1 << 15,
        _ => !bits,
    }
}

/// The number at a place; −0 is 0.
fn number(place: u16) -> f64 {
    let bits = if place >> 15 == 1 { place & !(1 << 15) } else { !place };
    f16::from_bits(bits).to_f64() + 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_half_has_a_place_of_its_own_and_they_are_in_order() {
        let finite = (0..=u16::MAX).filter(|bits| f16::from_bits(*bits).is_finite());
        let mut places: Vec<(f64, u16)> =
            finite.map(|bits| (f16::from_bits(bits).to_f64(), place(bits))).collect();
        places.sort_by(|a, b| a.0.total_cmp(&b.0));
        assert!(places.windows(2).all(|two| two[0].1 < two[1].1));
        assert!(places.iter().all(|(half, at)| number(*at) == *half));
        assert!(number(ZEROS[0]).is_sign_positive());
        assert!(places.iter().all(|(_, at)| (LEAST + 1..MOST).contains(at)));
        assert_eq!(places.len(), usize::from(MOST - LEAST - 1));
    }

    #[test]
    fn halves_and_other_numbers_are_counted_alike() {
        let mut tally = Tally::new();
        let numbers = [(1.5, 0), (-2.0, 1), (0.0, 0), (7.0, 2), (-0.0, 1), (1.5, 1), (1.5, 0)];
        let halves = |numbers: &[(f32, u8)]| -> (Vec<u16>, Vec<u8>) {
            numbers.iter().map(|(x, group)| (f16::from_f32(*x).to_bits(), *group)).unzip()
        };
        let (bits, groups) = halves(&numbers);
        let known = [(-2.0, [0, 1]), (0.0, [1, 1]), (1.5, [2, 1])];
        assert_eq!(tally.halves(&bits, &groups), Ok(known.as_slice()));
        let own = || numbers.iter().filter(|(_, group)| *group < 2);
        let others = own().map(|(number, group)| (*number, usize::from(*group)));
        assert_eq!(tally.runs(others), known);
        // What cannot be counted is named, and nothing is left of the column before.
        for odd in [f16::NAN, -f16::NAN, f16::INFINITY, f16::NEG_INFINITY] {
            let mut bits = bits.clone();
            bits[3] = odd.to_bits();
            assert_eq!(tally.halves(&bits, &groups), Err(3), "{odd}");
        }
        let (bits, groups) = halves(&[(-0.0, 1), (65504.0, 0), (-65504.0, 1)]);
        let known = [(-65504.0, [0, 1]), (0.0, [0, 1]), (65504.0, [1, 0])];
        assert_eq!(tally.halves(&bits, &groups), Ok(known.as_slice()));
        assert_eq!(tally.halves(&[], &[]), Ok([].as_slice()));
        let others = [(0.1f32, 0), (-0.0, 1), (0.0, 0), (f32::MAX, 1), (0.1, 1)];
        let tenth = (f64::from(0.1f32), [1, 1]);
        let known = [(0.0, [1, 1]), tenth, (f64::from(f32::MAX), [0, 1])];
        assert_eq!(tally.runs(others.into_iter()), known);
    }
}
