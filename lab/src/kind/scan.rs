//! Measures `scan`: the pooled activations of all units of a layer, or of a dictionary over it, over one shard, and the
//! embeddings.
//!
//! Scans of several layers over the same shard share one pass over its pictures. Each has its own record, and one that
//! fails or is cancelled leaves the others theirs.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use half::f16;
use neuronotes_core::canonical::canonical_json;
use neuronotes_core::digest::Digest;
use neuronotes_core::kind::scan::{
    ACTIVATIONS, DIGESTS, Distribution, KEYS, MOMENTS, Moments, Outcome, Params,
};
use neuronotes_core::model::Stage;
use neuronotes_core::request::Request;
use serde_json::{Value, json};
use tch::{Device, Kind, Tensor};

use crate::clip::Clip;
use crate::clip::activations::{Activations, by_unit};
use crate::dataset::Shard;
use crate::failure::Failure;
use crate::feed::Skipped;
use crate::monitor::{Monitor, Together};
use crate::pass::Pass;
use crate::readout::Readout;
use crate::table::layout::Rows;
use crate::workbench::Workbench;

/// Equal for scans that can share a pass: of one model, shard and precision.
pub(crate) fn batch_key(request: &Request) -> Digest {
    let mut shared = request.canonical();
    shared["params"] = Value::Null;
    let shards = request.dataset.iter().flat_map(|dataset| &dataset.shards);
    let paths: Vec<_> = shards.map(|shard| shard.path.to_string_lossy()).collect();
    shared["paths"] = json!([request.model.path.to_string_lossy(), paths]);
    Digest::of(canonical_json(&shared).as_bytes())
}

/// A scan that is ready to be measured.
struct Asked {
    clip: Rc<Clip>,
    readout: Readout,
    shard: Box<dyn Shard>,
    title: String,
}

pub(crate) fn run(benches: &mut [Workbench<'_>]) -> Vec<Result<(), Failure>> {
    let mut results = Vec::new();
    let mut open = Vec::new();
    for (at, bench) in benches.iter_mut().enumerate() {
        let asked = ask(bench);
        results.push(asked.as_ref().map(|_| ()).map_err(Failure::clone));
        open.extend(asked.ok().map(|asked| (at, asked)));
    }
    // A layer in front of a normalisation needs the model in another form than the others.
    while let Some((_, first)) = open.first() {
        let clip = Rc::clone(&first.clip);
        let is_same = |(_, asked): &(usize, Asked)| Rc::ptr_eq(&asked.clip, &clip);
        let (now, later) = open.into_iter().partition(is_same);
        open = later;
        pass(benches, now, &mut results);
    }
    results
}

fn ask(bench: &mut Workbench<'_>) -> Result<Asked, Failure> {
    let params: Params = bench.params()?;
    let clip = bench.clip(&[params.layer.layer()])?;
    let readout = Readout::of(bench, &clip, &params.layer)?;
    let dataset = bench.dataset()?;
    if dataset.shards.len() != 1 {
        let count = dataset.shards.len();
        return Err(Failure::new(format!("a scan takes one shard, but was given {count}")));
    }
    let shard = bench.shard(dataset, 0)?;
    Ok(Asked { clip, readout, shard, title: format!("scanning {}", dataset.name) })
}

/// Shows the pictures to the model once for all of these scans.
fn pass(
    benches: &mut [Workbench<'_>],
    asked: Vec<(usize, Asked)>,
    results: &mut [Result<(), Failure>],
) {
    let Some((_, Asked { clip, shard, title, .. })) = asked.first() else { return };
    let samples = shard.samples();
    let rows: Vec<(&dyn Shard, usize)> =
        (0..samples.len()).map(|row| (shard.as_ref(), row)).collect();
    let mut stages = Vec::new();
    for stage in asked.iter().map(|(_, one)| one.readout.layer.stage).chain([Stage::Embedding]) {
        if !stages.contains(&stage) {
            stages.push(stage);
        }
    }
    let is_asked = |at: usize| asked.iter().any(|(other, _)| *other == at);
    let watching = benches.iter_mut().enumerate().filter(|(at, _)| is_asked(*at));
    let mut monitor =
        Together::of(watching.map(|(_, bench)| &mut *bench.monitor as &mut dyn Monitor).collect());
    let mut scans: Vec<Result<Scan, Failure>> = asked.iter().map(|_| Ok(Scan::default())).collect();
    let mut shown = Shown::default();
    let pass = Pass { steady: true, ..Pass::new(clip, &stages, title) };
    let skipped = pass.run(&rows[..], &mut monitor, |rows, activations| {
        let embedding = half(activations.get(Stage::Embedding)?)?; // [n, embedding]
        let mut batch = Vec::new();
        for (scan, (_, asked)) in scans.iter().zip(&asked) {
            let read = || pooled(activations, &asked.readout);
            let pooled = scan.is_ok().then(|| {
                let caught = catch_unwind(AssertUnwindSafe(read));
                caught.unwrap_or_else(|panic| Err(Failure::of_panic(panic.as_ref())))
            });
            match pooled {
                Some(Err(failure)) if failure.is_of_memory() => return Err(failure),
                pooled => batch.push(pooled),
            }
        }
        // Nothing fails from here on: if memory ran out, nothing has been added.
        for (scan, pooled) in scans.iter_mut().zip(batch) {
            match (scan, pooled) {
                (Ok(scan), Some(Ok((mean, max)))) => {
                    scan.mean.extend(mean);
                    scan.max.extend(max);
                }
                (scan, Some(Err(failure))) => *scan = Err(failure),
                _ => {}
            }
        }
        shown.embedding.extend(embedding);
        // Captions and labels are read when they are shown.
        shown.keys.extend(rows.iter().map(|&row| samples[row].key.clone()));
        Ok(())
    });
    let skipped = match skipped {
        Ok(skipped) => skipped,
        Err(failure) => {
            asked.iter().for_each(|(at, _)| results[*at] = Err(failure.clone()));
            return;
        }
    };
    let key = |Skipped { at, why }| (samples[at].key.clone(), why);
    let outcome = Outcome {
        count: shown.keys.len() as u64,
        skipped: skipped.into_iter().map(key).collect(),
        ledger: Some(shard.ledger().clone()),
    };
    let embedding = clip.architecture.embedding as usize;
    for ((at, asked), scan) in asked.iter().zip(scans) {
        results[*at] = scan.and_then(|scan| {
            scan.write(&mut benches[*at], &shown, &outcome, asked.readout.units(), embedding)
        });
    }
}

/// What all scans of a pass have in common.
#[derive(Debug, Default)]
struct Shown {
    embedding: Vec<u8>, // f16 [images, embedding]
    keys: Vec<String>,
}

/// The rows of a scan's own tables.
#[derive(Debug, Default)]
struct Scan {
    mean: Vec<u8>, // f16 [images, units]
    max: Vec<u8>,  // f16 [images, units]
}

/// A layer's units for each picture of a batch, over all positions: their means and maxima, `[n, units]` f16 each.
fn pooled(activations: &Activations, readout: &Readout) -> Result<(Vec<u8>, Vec<u8>), Failure> {
    let layer = by_unit(activations.get(readout.layer.stage)?); // [n, channels, positions]
    let (mean, max) = readout.pooled(&layer); // [n, units]
    Ok((half(&mean)?, half(&max)?))
}

impl Scan {
    fn write(
        &self,
        bench: &mut Workbench<'_>,
        shown: &Shown,
        outcome: &Outcome,
        units: usize,
        embedding: usize,
    ) -> Result<(), Failure> {
        let images = shown.keys.len();
        let broken = |error: &dyn std::fmt::Display| {
            Failure::new(format!("the activations cannot be written ({error})"))
        };
        let rows = Rows { mean: &self.mean, max: &self.max, embedding: &shown.embedding };
        let laid = rows.laid(images, units, embedding);
        let (activations, digests) = laid.map_err(|error| broken(&error))?;
        let moments = Moments {
            count: images as u64,
            mean: distribution(&self.mean, units),
            max: distribution(&self.max, units),
        };
        let moments = serde_json::to_vec(&moments).map_err(|error| broken(&error))?;
        let keys = serde_json::to_vec(&shown.keys).map_err(|error| broken(&error))?;
        let store = bench.store();
        let record = &mut bench.record;
        record.add_output(store, ACTIVATIONS, "application/octet-stream", &activations)?;
        record.add_output(store, DIGESTS, "application/octet-stream", &digests)?;
        record.add_output(store, KEYS, "application/json", &keys)?;
        record.add_output(store, MOMENTS, "application/json", &moments)?;
        record.set_result(store, outcome)?;
        Ok(())
    }
}

/// Mean and standard deviation of each column of `[rows, columns]`, f16, little-endian.
fn distribution(bytes: &[u8], columns: usize) -> Distribution {
    let rows = (bytes.len() / 2 / columns.max(1)).max(1) as f64;
    let number = |pair: &[u8]| f64::from(f16::from_le_bytes([pair[0], pair[1]]).to_f32());
    let mut mean = vec![0.0; columns];
    for (at, pair) in bytes.chunks_exact(2).enumerate() {
        mean[at % columns] += number(pair) / rows;
    }
    // A second pass, because a difference of large sums would lose digits.
    let mut square = vec![0.0; columns];
    for (at, pair) in bytes.chunks_exact(2).enumerate() {
        square[at % columns] += (number(pair) - mean[at % columns]).powi(2) / rows;
    }
    Distribution { mean, sd: square.into_iter().map(f64::sqrt).collect() }
}

/// `[n, columns]` as f16, little-endian. NaN stays NaN, and what is too large becomes infinite: a figure of that unit, or
/// of that picture's embedding, fails and names it; one of all units leaves it out.
fn half(rows: &Tensor) -> Result<Vec<u8>, Failure> {
    let rows = rows.to_kind(Kind::Half).to_device(Device::Cpu).contiguous();
    let mut bytes = vec![0; rows.numel() * 2];
    rows.f_copy_data_u8(&mut bytes, rows.numel())?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distribution_is_a_columns() {
        let numbers = [1.0f32, 10.0, 2.0, 10.0, 6.0, 10.0];
        let bytes: Vec<u8> = numbers.iter().flat_map(|&x| f16::from_f32(x).to_le_bytes()).collect();
        let found = distribution(&bytes, 2);
        assert_eq!(found.mean, [3.0, 10.0]);
        assert!((found.sd[0] - (14.0f64 / 3.0).sqrt()).abs() < 1e-12 && found.sd[1] == 0.0);
        assert_eq!(distribution(&[], 2).sd, [0.0, 0.0]);
    }
}
