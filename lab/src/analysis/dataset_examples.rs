//! Measures `dataset_examples`: the images of a data set that excite a unit most, or least.

use neuronotes::analysis::dataset_examples::{Example, KIND, Order, Outcome, Params};

use super::gallery::Gallery;
use super::{Scanned, params, summary};
use crate::bench::Bench;
use crate::failure::Failure;

pub(super) fn run(bench: &mut Bench<'_>) -> Result<(), Failure> {
    let params: Params = params(&bench.request.params, Some(&KIND))?;
    let scans = bench.scans(&params.layer, params.unit, params.pool)?;
    let values: Vec<f64> = scans.iter().flat_map(|scan| scan.activations.clone()).collect();
    if values.is_empty() {
        return Err(bench.nothing_read());
    }
    let summary = summary(&values);
    let places = ranked(&scans, params.order, params.top as usize);
    let mut gallery = Gallery::default();
    let mut top = Vec::new();
    for &(shard, row) in &places {
        bench.monitor.check()?;
        let sample = &scans[shard].samples[row];
        let hung = gallery.add_sample(bench, shard, &sample.key)?;
        top.push(Example {
            key: sample.key.clone(),
            caption: sample.caption.clone(),
            label: sample.label.clone(),
            activation: scans[shard].activations[row],
            picture: hung.picture,
            width: hung.width,
            height: hung.height,
        });
    }
    let outcome = Outcome { count: values.len() as u64, mean: summary.mean, sd: summary.sd, top };
    let store = &bench.store();
    bench.record.set_result(store, &outcome)?;
    Ok(())
}

/// Shard and row of the first `top` samples in order; of equal activations the earlier row goes first.
fn ranked(scans: &[Scanned], order: Order, top: usize) -> Vec<(usize, usize)> {
    let mut places: Vec<(usize, usize)> = scans
        .iter()
        .enumerate()
        .flat_map(|(shard, scan)| (0..scan.activations.len()).map(move |row| (shard, row)))
        .collect();
    let value = |&(shard, row): &(usize, usize)| scans[shard].activations[row];
    // A stable sort, so that equal values keep the data set's order. -0 equals 0.
    places.sort_by(|a, b| {
        let (a, b) = (value(a) + 0.0, value(b) + 0.0);
        match order {
            Order::Strongest => b.total_cmp(&a),
            Order::Weakest => a.total_cmp(&b),
        }
    });
    places.truncate(top);
    places
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
        let strongest = ranked(&scans, Order::Strongest, 4);
        assert_eq!(strongest, [(2, 2), (0, 1), (2, 0), (0, 0)]);
        let weakest = ranked(&scans, Order::Weakest, 3);
        assert_eq!(weakest, [(0, 2), (2, 1), (0, 0)]);
        assert_eq!(ranked(&scans, Order::Weakest, 100).len(), 6);
    }
}
