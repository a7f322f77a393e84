//! Measures `dataset_examples`: the images of a data set with the strongest, or weakest, activations of a unit.
//!
//! A scan stores activations in half precision, in which different ones may be equal. If that decides which images are
//! shown, or in what order, the network is run again on the images with equal activations.

use std::ops::Range;

use neuronotes_core::kind::dataset_examples::{Example, Order, Outcome, Params};
use neuronotes_core::model::Place;

use super::target::Target;
use crate::failure::Failure;
use crate::gallery::Gallery;
use crate::pass::Pass;
use crate::readout::Readout;
use crate::table::{Scanned, nothing_read, summary};
use crate::workbench::Workbench;

/// The most images with an equal activation on which the network is run again. If there are more, the unit is inactive on
/// them.
const MOST_EQUAL: usize = 256;

pub(crate) fn run(bench: &mut Workbench<'_>) -> Result<(), Failure> {
    let params: Params = bench.params()?;
    let about = (params.unit, params.direction.as_deref());
    let target = Target::of(bench, &params.layer, about, params.pool)?;
    let scans = target.scans(bench)?;
    let values: Vec<f64> = scans.iter().flat_map(|scan| scan.activations.clone()).collect();
    if values.is_empty() {
        return Err(nothing_read(bench));
    }
    let summary = summary(&values);
    let mut places = ranked(&scans, params.order);
    let mut gallery = Gallery::default();
    for equal in ties(&scans, &places, params.top as usize) {
        let exact =
            exact(bench, &params.layer, &target, &scans, &places[equal.clone()], &mut gallery)?;
        let mut order: Vec<(f64, (usize, usize))> =
            exact.into_iter().zip(places[equal.clone()].iter().copied()).collect();
        order.sort_by(|a, b| params.order.compare(a.0, b.0));
        for (place, (_, found)) in places[equal].iter_mut().zip(order) {
            *place = found;
        }
    }
    places.truncate(params.top as usize);
    let mut top = Vec::new();
    for &(shard, row) in &places {
        bench.monitor.check()?;
        let sample = &scans[shard].samples[row];
        let (stored, said) = gallery.add_sample(bench, shard, &sample.key)?;
        top.push(Example {
            key: sample.key.clone(),
            caption: said.caption,
            label: said.label,
            activation: scans[shard].activations[row],
            picture: stored.picture,
            width: stored.width,
            height: stored.height,
        });
    }
    let outcome = Outcome { count: values.len() as u64, mean: summary.mean, sd: summary.sd, top };
    bench.record.set_result(bench.store(), &outcome)?;
    Ok(())
}

/// Shard and row of all samples, sorted by activation; of equal ones the earlier row goes first.
fn ranked(scans: &[Scanned], order: Order) -> Vec<(usize, usize)> {
    let mut places: Vec<(usize, usize)> = scans
        .iter()
        .enumerate()
        .flat_map(|(shard, scan)| (0..scan.activations.len()).map(move |row| (shard, row)))
        .collect();
    let value = |&(shard, row): &(usize, usize)| scans[shard].activations[row];
    // A stable sort, so that equal values keep the data set's order. -0 equals 0.
    places.sort_by(|a, b| order.compare(value(a), value(b)));
    places
}

/// The ranges of equal activations among sorted places that decide which are the first `top`, or their order; without ranges
/// longer than [`MOST_EQUAL`].
fn ties(scans: &[Scanned], places: &[(usize, usize)], top: usize) -> Vec<Range<usize>> {
    let value = |at: usize| scans[places[at].0].activations[places[at].1];
    let mut found = Vec::new();
    let mut start = 0;
    while start < top.min(places.len()) {
        let equal = (start..places.len()).take_while(|at| value(*at) == value(start)).count();
        if (2..=MOST_EQUAL).contains(&equal) {
            found.push(start..start + equal);
        }
        start += equal.max(1);
    }
    found
}

/// A target's activations for these samples in the network's precision.
fn exact(
    bench: &mut Workbench<'_>,
    place: &Place,
    target: &Target,
    scans: &[Scanned],
    places: &[(usize, usize)],
    gallery: &mut Gallery,
) -> Result<Vec<f64>, Failure> {
    let clip = bench.clip(&[place.layer()])?;
    let readout = Readout::of(bench, &clip, place)?;
    let stage = readout.layer.stage;
    let key = |&(shard, row): &(usize, usize)| (shard, scans[shard].samples[row].key.as_str());
    let samples: Vec<(usize, &str)> = places.iter().map(key).collect();
    let pictures = gallery.find(bench, &samples)?;
    let mut found = Vec::new();
    let stages = [stage];
    let pass = Pass::new(&clip, &stages, "comparing equal activations");
    pass.run_all(&pictures[..], bench.monitor, |_, activations| {
        found.extend(target.pooled(&clip, &readout, activations.get(stage)?)?);
        Ok(())
    })?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(activations: &[f64]) -> Scanned {
        Scanned { activations: activations.to_vec(), samples: Vec::new() }
    }

    #[test]
    fn shards_are_merged_and_ties_keep_the_order_of_the_data_set() {
        let scans = [scan(&[1.0, 3.0, -0.0]), scan(&[]), scan(&[3.0, 0.0, 5.0])];
        let strongest = ranked(&scans, Order::Strongest);
        assert_eq!(strongest[..4], [(2, 2), (0, 1), (2, 0), (0, 0)]);
        let weakest = ranked(&scans, Order::Weakest);
        assert_eq!(weakest[..3], [(0, 2), (2, 1), (0, 0)]);
        assert_eq!(weakest.len(), 6);
    }

    #[test]
    fn equal_activations_matter_where_they_are_shown_or_just_missed() {
        let scans = [scan(&[5.0, 3.0, 3.0, 2.0, 2.0, 2.0, 1.0, 1.0])];
        let places = ranked(&scans, Order::Strongest);
        assert!(ties(&scans, &places, 1).is_empty());
        let found = ties(&scans, &places, 2);
        assert_eq!((found.len(), found.first()), (1, Some(&(1..3))));
        assert_eq!(ties(&scans, &places, 4), [1..3, 3..6]);
        assert_eq!(ties(&scans, &places, 100), [1..3, 3..6, 6..8]);
        assert!(ties(&[], &[], 3).is_empty());
        // Of a unit that is silent nothing tells images apart.
        let silent = [scan(&vec![0.0; MOST_EQUAL + 1])];
        assert!(ties(&silent, &ranked(&silent, Order::Strongest), 9).is_empty());
    }
}
