//! Measures `controls`: draws images and other units by digests, from stored scans.

mod draw;

use std::collections::HashMap;

use neuronotes_core::kind::controls::{Band, OF_EACH, Other, Outcome, Params};
use neuronotes_core::kind::dataset_examples::Example;

use self::draw::{Lots, bands, first, ranked};
use super::target::Target;
use crate::failure::Failure;
use crate::gallery::Gallery;
use crate::table::by_unit::{ByUnit, Unread};
use crate::table::{Scanned, nothing_read, scans, summary};
use crate::workbench::Workbench;

pub(crate) fn run(bench: &mut Workbench<'_>) -> Result<(), Failure> {
    let params: Params = bench.params()?;
    let about = (params.unit, params.direction.as_deref());
    let target = Target::of(bench, &params.layer, about, params.pool)?;
    let scanned = target.scans(bench)?;
    let values: Vec<f64> = scanned.iter().flat_map(|scan| scan.activations.clone()).collect();
    if values.is_empty() {
        return Err(nothing_read(bench));
    }
    let of_shard = |(shard, scan): (usize, &Scanned)| {
        scan.keys.iter().map(|key| (shard, key.to_owned())).collect::<Vec<_>>()
    };
    let keys: Vec<(usize, String)> = scanned.iter().enumerate().flat_map(of_shard).collect();
    let lots = Lots::of(&params)?;
    let mut shown = Shown { keys, gallery: Gallery::default(), known: HashMap::new() };
    let own = |row: usize| values[row];
    let name = |row: usize| shown.keys[row].1.as_str();
    let all: Vec<usize> = (0..values.len()).collect();
    let count = params.random as usize;
    let mut random = first(&lots, "random", all.clone(), count, name);
    ranked(&mut random, |row| -values[row], name);
    let mut weakest = all;
    ranked(&mut weakest, own, name);
    weakest.truncate(count);
    let drawn = bands(&values, params.bands as usize).into_iter().map(|band| {
        let row = first(&lots, "band", band.rows.clone(), 1, name).pop();
        (band, row)
    });
    let drawn: Vec<_> = drawn.collect();
    let of_random = shown.all(bench, &random, own)?;
    let of_weakest = shown.all(bench, &weakest, own)?;
    let mut of_bands = Vec::new();
    for (band, row) in drawn {
        let drawn = row.map(|row| shown.one(bench, row, values[row])).transpose()?;
        let images = band.rows.len() as u64;
        of_bands.push(Band { from: band.from, to: band.to, images, drawn });
    }
    let (others, passed) = others(bench, &params, &lots, &mut shown)?;
    let summary = summary(&values);
    let outcome = Outcome {
        count: values.len() as u64,
        mean: summary.mean,
        sd: summary.sd,
        random: of_random,
        bands: of_bands,
        weakest: of_weakest,
        others,
        passed,
    };
    bench.record.set_result(bench.store(), &outcome)?;
    Ok(())
}

/// The first units of the layer, in the order of their lots, that vary over the data set, and how many were passed over.
fn others(
    bench: &mut Workbench<'_>,
    params: &Params,
    lots: &Lots,
    shown: &mut Shown,
) -> Result<(Vec<Other>, u64), Failure> {
    let count = params.others as usize;
    if count == 0 {
        return Ok((vec![], 0));
    }
    let dataset = bench.dataset()?;
    let scan = ByUnit::open(bench, dataset, &params.layer, params.pool)?;
    let (mut found, mut passed, mut pending) = (Vec::new(), 0, 0);
    for unit in lots.units(scan.units, params.unit) {
        if found.len() == count {
            break;
        }
        bench.monitor.check()?;
        let column = match scan.unit(bench.store(), unit as usize) {
            Ok(column) => column.ok(),
            Err(Unread::Failed(failure)) => return Err(failure),
            // It is measured again.
            Err(Unread::Damaged) => {
                let again = scans(bench, dataset, &params.layer, unit, params.pool)?;
                let all = again.into_iter().flat_map(|scan| scan.activations);
                Some(all.map(|value| value as f32).collect())
            }
        };
        let varies = |column: &Vec<f32>| column.iter().any(|value| *value != column[0]);
        let Some(column) = column.filter(varies) else {
            pending += 1;
            continue;
        };
        passed += std::mem::take(&mut pending);
        let column: Vec<f64> = column.into_iter().map(f64::from).collect();
        let mut rows: Vec<usize> = (0..column.len()).collect();
        ranked(&mut rows, |row| -column[row], |row| shown.keys[row].1.as_str());
        rows.truncate(OF_EACH);
        let summary = summary(&column);
        let top = shown.all(bench, &rows, |row| column[row])?;
        found.push(Other { unit, mean: summary.mean, sd: summary.sd, top });
    }
    if found.len() < count {
        passed += pending;
    }
    Ok((found, passed))
}

/// The images that the record shows, each stored once.
struct Shown {
    /// The shard and the key of each row.
    keys: Vec<(usize, String)>,
    gallery: Gallery,
    known: HashMap<usize, Example>,
}

impl Shown {
    /// An image with this activation.
    fn one(
        &mut self,
        bench: &mut Workbench<'_>,
        row: usize,
        activation: f64,
    ) -> Result<Example, Failure> {
        if let Some(known) = self.known.get(&row) {
            return Ok(Example { activation, ..known.clone() });
        }
        bench.monitor.check()?;
        let (shard, key) = &self.keys[row];
        let (stored, sample) = self.gallery.add_sample(bench, *shard, key)?;
        let example = Example {
            key: sample.key,
            caption: sample.caption,
            label: sample.label,
            activation,
            picture: stored.picture,
            width: stored.width,
            height: stored.height,
            ..Example::default()
        };
        self.known.insert(row, example.clone());
        Ok(example)
    }

    fn all(
        &mut self,
        bench: &mut Workbench<'_>,
        rows: &[usize],
        activation: impl Fn(usize) -> f64,
    ) -> Result<Vec<Example>, Failure> {
        rows.iter().map(|&row| self.one(bench, row, activation(row))).collect()
    }
}
