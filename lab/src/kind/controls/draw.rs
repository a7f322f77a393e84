//! Draws that nobody chooses: a target and a seed in; an order of images and of other units by digests, and bands of
//! activations, out.

use neuronotes_core::canonical::canonical_json;
use neuronotes_core::digest::Digest;
use neuronotes_core::kind::controls::Params;

use crate::failure::Failure;

/// The lots of one target: what is drawn first has the smallest digest.
pub(super) struct Lots {
    /// The place, the unit or the direction, and the seed.
    of: String,
}

impl Lots {
    /// The lots of a request's target and seed.
    ///
    /// # Errors
    /// If its direction cannot be written.
    pub(super) fn of(params: &Params) -> Result<Self, Failure> {
        let Params { layer, unit, direction, seed, .. } = params;
        let target = serde_json::json!([layer, unit, direction, seed]);
        Ok(Self { of: canonical_json(&target) })
    }

    /// The lot of something that has a name, in one of several draws.
    fn lot(&self, draw: &str, name: &str) -> Digest {
        Digest::of(format!("controls\n{draw}\n{}\n{name}", self.of).as_bytes())
    }

    /// The other units of a place in the order of their lots.
    pub(super) fn units(&self, units: usize, own: Option<u32>) -> Vec<u32> {
        let mut all: Vec<u32> = (0..units as u32).filter(|unit| Some(*unit) != own).collect();
        all.sort_by_cached_key(|unit| self.lot("unit", &unit.to_string()));
        all
    }
}

/// At most `count` of the rows: those whose names have the smallest lots, in that order; of equal names, the earlier row.
pub(super) fn first<'n>(
    lots: &Lots,
    draw: &str,
    rows: Vec<usize>,
    count: usize,
    name: impl Fn(usize) -> &'n str,
) -> Vec<usize> {
    let mut all: Vec<(Digest, usize)> =
        rows.into_iter().map(|row| (lots.lot(draw, name(row)), row)).collect();
    if count < all.len() {
        all.select_nth_unstable(count);
        all.truncate(count);
    }
    all.sort_unstable();
    all.into_iter().map(|(_, row)| row).collect()
}

/// Sorts rows by a number, the least first; equal ones by the digests of their names, then by row. -0 equals 0.
pub(super) fn ranked<'n>(
    rows: &mut [usize],
    number: impl Fn(usize) -> f64,
    name: impl Fn(usize) -> &'n str,
) {
    let digest = |row: usize| Digest::of(name(row).as_bytes());
    rows.sort_by(|&a, &b| {
        let numbers = (number(a) + 0.0).total_cmp(&(number(b) + 0.0));
        numbers.then_with(|| (digest(a), a).cmp(&(digest(b), b)))
    });
}

/// A band of activations, and the rows in it.
#[derive(Debug, PartialEq)]
pub(super) struct Rows {
    pub from: f64,
    pub to: f64,
    pub rows: Vec<usize>,
}

/// `count` bands of equal width between the least and the greatest activation, the uppermost first; none if all activations
/// are equal. A band includes its lower edge, the uppermost its upper edge too.
pub(super) fn bands(values: &[f64], count: usize) -> Vec<Rows> {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let greatest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if least >= greatest {
        return vec![];
    }
    let edge = |at: usize| match at == count {
        true => greatest,
        false => least + (greatest - least) * at as f64 / count as f64,
    };
    let edges: Vec<f64> = (0..=count).map(edge).collect();
    let mut bands: Vec<Rows> = edges
        .windows(2)
        .map(|edges| Rows { from: edges[0], to: edges[1], rows: Vec::new() })
        .collect();
    for (row, value) in values.iter().enumerate() {
        let at = edges.partition_point(|edge| edge <= value).saturating_sub(1);
        if let Some(last) = bands.len().checked_sub(1) {
            bands[at.min(last)].rows.push(row);
        }
    }
    bands.reverse();
    bands
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn params(unit: u32, seed: u64) -> Params {
        serde_json::from_value(json!({
            "layer": "a", "unit": unit, "pool": "mean", "random": 9, "bands": 10, "others": 3, "seed": seed,
        }))
        .expect("parameters")
    }

    fn lots(unit: u32, seed: u64) -> Lots {
        Lots::of(&params(unit, seed)).expect("lots")
    }

    /// Numbers without a pattern, many of them equal.
    fn numbers(count: usize) -> Vec<f64> {
        let number = |at: usize| {
            let bytes = Digest::of(format!("number {at}").as_bytes()).hex();
            f64::from(u32::from_str_radix(bytes.get(..3).unwrap_or("0"), 16).unwrap_or(0) % 40)
                / 8.0
                - 2.0
        };
        (0..count).map(number).collect()
    }

    fn names(count: usize) -> Vec<String> {
        (0..count).map(|at| format!("image-{at}")).collect()
    }

    #[test]
    fn a_draw_is_the_images_with_the_smallest_lots_and_another_unit_or_seed_has_another() {
        let names = names(50);
        let drawn = |lots: &Lots, rows: Vec<usize>, count| {
            first(lots, "random", rows, count, |row| names[row].as_str())
        };
        let own = lots(3, 0);
        let all: Vec<usize> = (0..50).collect();
        // By brute force: no image that was left out has a smaller lot than one that was drawn.
        let nine = drawn(&own, all.clone(), 9);
        let lot = |row: &usize| own.lot("random", &names[*row]);
        assert!(nine.is_sorted_by_key(lot));
        let greatest = nine.iter().map(lot).max().expect("nine");
        for row in all.iter().filter(|row| !nine.contains(row)) {
            assert!(lot(row) > greatest);
        }
        // The order of the data set does not matter, and a larger draw begins with the smaller one.
        assert_eq!(drawn(&own, all.iter().rev().copied().collect(), 9), nine);
        assert_eq!(drawn(&own, all.clone(), 20)[..9], nine);
        assert_eq!(drawn(&own, all.clone(), 90).len(), 50);
        assert_ne!(drawn(&lots(4, 0), all.clone(), 9), nine);
        assert_ne!(drawn(&lots(3, 1), all.clone(), 9), nine);
        assert_ne!(first(&own, "band", all, 9, |row| names[row].as_str()), nine);
    }

    #[test]
    fn every_image_is_in_the_band_whose_edges_it_is_between() {
        for count in [1, 2, 3, 10, 50] {
            let values = numbers(200);
            let found = bands(&values, count);
            assert_eq!(found.len(), count);
            assert!(found.is_sorted_by(|a, b| a.from > b.from));
            let top = found[0].to;
            let mut seen = 0;
            for band in &found {
                for (row, value) in values.iter().enumerate() {
                    let within = *value >= band.from && (*value < band.to || band.to == top);
                    assert_eq!(band.rows.contains(&row), within, "{value} {band:?}");
                }
                seen += band.rows.len();
            }
            assert_eq!(seen, values.len(), "each image once");
        }
        assert_eq!(bands(&[0.0, -0.0, 0.0], 10), [], "a unit that is silent has no bands");
        assert_eq!(bands(&[1.0], 10), []);
        assert_eq!(bands(&[1.0, 2.0], 0), []);
        let two = bands(&[1.0, 2.0], 10);
        assert_eq!((&two[0].rows[..], &two[9].rows[..]), (&[1][..], &[0][..]));
        assert!(two[1..9].iter().all(|band| band.rows.is_empty()));
    }

    #[test]
    fn equal_numbers_are_in_the_order_of_their_names_digests() {
        let (values, names) = (numbers(60), names(60));
        let mut rows: Vec<usize> = (0..60).collect();
        ranked(&mut rows, |row| values[row], |row| names[row].as_str());
        for pair in rows.windows(2) {
            let digest = |row: usize| Digest::of(names[row].as_bytes());
            let [a, b] = [pair[0], pair[1]];
            let after = values[a] < values[b] || (values[a] == values[b] && digest(a) < digest(b));
            assert!(after, "{a} {b}");
        }
        let mut zeros = vec![0, 1];
        ranked(&mut zeros, |row| [0.0, -0.0][row], |row| ["b", "b"][row]);
        assert_eq!(zeros, [0, 1], "0 equals -0, and equal names stay in order");
    }

    #[test]
    fn other_units_are_all_units_but_the_own_in_an_order_of_their_own() {
        let mut all = lots(3, 0).units(20, Some(3));
        assert!(!all.is_sorted());
        assert_ne!(all, lots(3, 7).units(20, Some(3)));
        all.sort_unstable();
        assert_eq!(all, (0..20).filter(|unit| *unit != 3).collect::<Vec<u32>>());
        assert_eq!(lots(0, 0).units(20, None).len(), 20, "a direction is none of them");
        assert!(lots(0, 0).units(1, Some(0)).is_empty(), "a layer of one unit has no others");
    }
}
