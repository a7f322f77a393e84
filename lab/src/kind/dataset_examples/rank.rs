//! Rankings: a unit's activations in; the places of images in order out.

use std::collections::HashMap;
use std::ops::Range;

use neuronotes_core::digest::Digest;
use neuronotes_core::kind::dataset_examples::{By, Order};
use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};
use rayon::slice::ParallelSliceMut as _;

use super::list::{Kept, List, Place};
use crate::failure::Failure;
use crate::gallery::Gallery;
use crate::pass::Pass;
use crate::readout::Readout;
use crate::table::Scanned;
use crate::workbench::Workbench;

/// The most images with an equal activation on which the network is run again. If there are more, the unit is inactive on
/// them.
const MOST_EQUAL: usize = 256;

/// Images in order.
#[derive(Debug, Default)]
pub(super) struct Ordered {
    pub places: Vec<Place>,
    /// The relevance of each, and of others, if it was computed.
    pub relevance: HashMap<Place, f64>,
}

/// Images by activation, all for quantiles, else the first `needed` and those equal to the last of them; where it matters,
/// equal ones by full precision, and what is still equal by the digests of their keys.
pub(super) fn by_activation(
    bench: &mut Workbench<'_>,
    list: &List<'_>,
    needed: usize,
    gallery: &mut Gallery,
) -> Result<Ordered, Failure> {
    let order = list.params.order;
    if order == Order::Quantiles {
        let places = ranked(list.scans, order);
        return Ok(Ordered { places, ..Ordered::default() });
    }
    let mut places = first(list.scans, order, needed);
    for equal in equal(list.scans, &places, order, needed) {
        let count = if equal.len() > MOST_EQUAL { needed - equal.start } else { equal.len() };
        by_digest(list, &mut places[equal.clone()], count);
        if equal.len() > MOST_EQUAL {
            continue;
        }
        let exact = exact(bench, list, &places[equal.clone()], gallery)?;
        let mut all: Vec<(f64, Place)> =
            exact.into_iter().zip(places[equal.clone()].iter().copied()).collect();
        // A stable sort, so that what is still equal is in the order of digests.
        all.sort_by(|a, b| order.compare(a.0, b.0));
        for (place, (_, found)) in places[equal].iter_mut().zip(all) {
            *place = found;
        }
    }
    Ok(Ordered { places, ..Ordered::default() })
}

/// Shard and row of all samples, sorted by activation; of equal ones the earlier row goes first.
pub(super) fn ranked(scans: &[Scanned], order: Order) -> Vec<Place> {
    let mut all = valued(scans);
    // -0 equals 0.
    all.par_sort_unstable_by(|a, b| order.compare(a.0, b.0).then(a.1.cmp(&b.1)));
    all.into_iter().map(|(_, place)| place).collect()
}

/// The first `count` of [`ranked`], and all whose activations equal that of the last of them.
fn first(scans: &[Scanned], order: Order, count: usize) -> Vec<Place> {
    let mut all = valued(scans);
    let Some(last) = count.checked_sub(1) else { return Vec::new() };
    if last < all.len() {
        let (_, (last, _), _) = all.select_nth_unstable_by(last, |a, b| order.compare(a.0, b.0));
        let last = *last;
        all.retain(|(value, _)| order.compare(*value, last).is_le());
    }
    all.sort_unstable_by(|a, b| order.compare(a.0, b.0).then(a.1.cmp(&b.1)));
    all.into_iter().map(|(_, place)| place).collect()
}

/// Every activation with its shard and row, in the data set's order.
fn valued(scans: &[Scanned]) -> Vec<(f64, Place)> {
    let mut all = Vec::with_capacity(scans.iter().map(|scan| scan.activations.len()).sum());
    for (shard, scan) in scans.iter().enumerate() {
        all.extend((0..).zip(&scan.activations).map(|(row, value)| (*value, (shard, row))));
    }
    all
}

/// The ranges of at least two equal activations among sorted places that decide which are the first `top`, or their order.
pub(super) fn equal(
    scans: &[Scanned],
    places: &[Place],
    order: Order,
    top: usize,
) -> Vec<Range<usize>> {
    let value = |at: usize| scans[places[at].0].activations[places[at].1];
    let mut found = Vec::new();
    let mut start = 0;
    while start < top.min(places.len()) {
        let same = |at: &usize| order.compare(value(*at), value(start)).is_eq();
        let equal = (start..places.len()).take_while(same).count();
        if equal > 1 {
            found.push(start..start + equal);
        }
        start += equal.max(1);
    }
    found
}

/// Puts the `count` images first whose keys have the smallest digests, in that order; those of equal keys in the order of the
/// data set.
pub(super) fn by_digest(list: &List<'_>, places: &mut [Place], count: usize) {
    let of = |&place: &Place| (Digest::of(list.key(place).as_bytes()), place);
    let mut all: Vec<(Digest, Place)> = places.par_iter().map(of).collect();
    if count < all.len() {
        all.select_nth_unstable(count);
    }
    let first = count.min(all.len());
    all[..first].sort_unstable();
    places.iter_mut().zip(all).for_each(|(place, (_, found))| *place = found);
}

/// The images at `count` quantiles of equal distance among images sorted by activation or relevance, the greatest first.
pub(super) fn at_quantiles(
    bench: &mut Workbench<'_>,
    list: &List<'_>,
    mut places: Vec<Place>,
    count: usize,
    gallery: &mut Gallery,
) -> Result<Vec<Kept>, Failure> {
    let picks = quantiles(places.len(), count);
    if list.params.by == By::Activation {
        // Only the runs that a pick is in: there may be a million images.
        let value = |place: Place| list.activation(place) + 0.0;
        let mut done = 0;
        for &(_, at) in &picks {
            if at < done {
                continue;
            }
            let own = value(places[at]);
            let start = places.partition_point(|&place| value(place) > own);
            let end = places.partition_point(|&place| value(place) >= own);
            by_digest(list, &mut places[start..end], end - start);
            done = end;
        }
    }
    let mut found = Vec::new();
    for (quantile, at) in picks {
        let kept = Kept::of(bench, list, places[at], gallery)?;
        found.push(Kept { quantile: Some(quantile), ..kept });
    }
    Ok(found)
}

/// The quantiles from 1 to 0, and the place of each among `images` sorted from the greatest to the least; each place once.
fn quantiles(images: usize, count: usize) -> Vec<(f64, usize)> {
    let last = images.saturating_sub(1);
    let quantile = |n: usize| match count {
        1 => 0.5,
        _ => 1.0 - n as f64 / (count - 1) as f64,
    };
    let at = |quantile: f64| last - (quantile * last as f64).round() as usize;
    let mut picks: Vec<(f64, usize)> = (0..count).map(quantile).map(|q| (q, at(q))).collect();
    picks.dedup_by_key(|(_, at)| *at);
    picks
}

/// A target's activations for these samples in the network's precision.
fn exact(
    bench: &mut Workbench<'_>,
    list: &List<'_>,
    places: &[Place],
    gallery: &mut Gallery,
) -> Result<Vec<f64>, Failure> {
    let layer = &list.params.layer;
    let clip = bench.clip(&[layer.layer()])?;
    let readout = Readout::of(bench, &clip, layer)?;
    let stage = readout.layer.stage;
    let samples: Vec<(usize, &str)> =
        places.iter().map(|&place| (place.0, list.key(place))).collect();
    let pictures = gallery.find(bench, &samples)?;
    let mut found = Vec::new();
    let stages = [stage];
    let pass = Pass::new(&clip, &stages, "comparing equal activations");
    pass.run_all(&pictures[..], bench.monitor, |_, activations| {
        found.extend(list.target.pooled(&clip, &readout, activations.get(stage)?)?);
        Ok(())
    })?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn scan(activations: &[f64]) -> Scanned {
        Scanned { activations: activations.to_vec(), keys: Arc::default() }
    }

    #[test]
    fn shards_are_merged_and_ties_keep_the_order_of_the_data_set() {
        let scans = [scan(&[1.0, 3.0, -0.0]), scan(&[]), scan(&[3.0, 0.0, 5.0])];
        let strongest = ranked(&scans, Order::Strongest);
        assert_eq!(strongest[..4], [(2, 2), (0, 1), (2, 0), (0, 0)]);
        let weakest = ranked(&scans, Order::Weakest);
        assert_eq!(weakest[..3], [(0, 2), (2, 1), (0, 0)]);
        assert_eq!(weakest.len(), 6);
        let scans = [scan(&[-2.0, 0.5, 1.0, -0.25])];
        assert_eq!(ranked(&scans, Order::NearestZero), [(0, 3), (0, 1), (0, 2), (0, 0)]);
    }

    #[test]
    fn the_first_are_those_of_all_with_those_that_equal_the_last() {
        let number = |at: usize| f64::from((at * 7_919 % 101) as u32) / 4.0 - 12.0;
        let values: Vec<f64> =
            (0..700).map(|at| if at % 9 == 0 { -0.0 } else { number(at) }).collect();
        let scans = [scan(&values[..300]), scan(&[]), scan(&values[300..])];
        let value = |&(shard, row): &Place| scans[shard].activations[row];
        for order in [Order::Strongest, Order::Weakest, Order::NearestZero] {
            let all = ranked(&scans, order);
            assert_eq!((all.len(), first(&scans, order, 0).len()), (700, 0));
            for count in [1, 2, 9, 60, 699, 700, 800] {
                let found = first(&scans, order, count);
                let last = value(&all[count.min(700) - 1]);
                let equal = |place: &&Place| order.compare(value(place), last).is_le();
                let expected: Vec<Place> = all.iter().take_while(equal).copied().collect();
                assert_eq!(found, expected, "{order:?} {count}");
                assert!(found.len() >= count.min(700));
            }
        }
    }

    #[test]
    fn equal_activations_matter_where_they_are_shown_or_just_missed() {
        let scans = [scan(&[5.0, 3.0, 3.0, 2.0, 2.0, 2.0, 1.0, 1.0])];
        let places = ranked(&scans, Order::Strongest);
        let equal = |top| equal(&scans, &places, Order::Strongest, top);
        assert!(equal(1).is_empty());
        assert_eq!(equal(2).first(), Some(&(1..3)));
        assert_eq!(equal(4), [1..3, 3..6]);
        assert_eq!(equal(100), [1..3, 3..6, 6..8]);
        assert!(super::equal(&[], &[], Order::Strongest, 3).is_empty());
        // As far from zero on either side is equally near.
        let scans = [scan(&[0.5, -0.5, 2.0])];
        let places = ranked(&scans, Order::NearestZero);
        assert_eq!(super::equal(&scans, &places, Order::NearestZero, 1).first(), Some(&(0..2)));
    }

    #[test]
    fn quantiles_go_from_the_greatest_to_the_least_and_no_image_is_there_twice() {
        assert_eq!(quantiles(5, 3), [(1.0, 0), (0.5, 2), (0.0, 4)]);
        assert_eq!(quantiles(9, 5).iter().map(|(_, at)| *at).collect::<Vec<_>>(), [0, 2, 4, 6, 8]);
        assert_eq!(quantiles(8, 1), [(0.5, 3)]);
        assert_eq!(quantiles(2, 5).iter().map(|(_, at)| *at).collect::<Vec<_>>(), [0, 1]);
        assert_eq!(quantiles(1, 4), [(1.0, 0)]);
    }
}
