//! Measures `scan`: the pooled activations of all units of a layer over one shard, and the embeddings.
//!
//! Pictures are decoded by all cores, a few batches ahead; this thread alone owns the device.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::sync_channel;
use std::thread;

use half::f16;
use neuronotes_core::dataset::Sample;
use neuronotes_core::dataset::ledger::Ledger;
use neuronotes_core::kind::scan::{
    ACTIVATIONS, Distribution, MOMENTS, Moments, Outcome, Params, SAMPLES,
};
use neuronotes_core::model::Stage;
use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use serde_json::Value;
use tch::{Device, Kind, Tensor};

use crate::batch::Batch;
use crate::clip::Clip;
use crate::clip::activations::by_unit;
use crate::clip::preprocess::prepare;
use crate::dataset::Shard;
use crate::failure::Failure;
use crate::monitor::{Monitor, Progress};
use crate::workbench::Workbench;

/// Batches decoded ahead.
const AHEAD: usize = 2;

pub(super) fn run(bench: &mut Workbench<'_>) -> Result<(), Failure> {
    let params = Value::Object(bench.request.params.clone());
    let params: Params = serde_json::from_value(params)
        .map_err(|error| Failure::new(format!("the parameters are malformed ({error})")))?;
    let clip = bench.clip()?;
    let layer = clip.layer(&params.layer)?;
    let dataset = bench.dataset()?;
    if dataset.shards.len() != 1 {
        let count = dataset.shards.len();
        return Err(Failure::new(format!("a scan is of one shard, and was given {count}")));
    }
    let stage = format!("scanning {}", dataset.name);
    let shard = bench.shard(0)?;
    let mut scan = Scan { ledger: shard.ledger().clone(), ..Scan::default() };
    scan.run(&clip, layer.stage, shard.as_ref(), &stage, bench.monitor)?;
    scan.write(bench, layer.units as usize, clip.architecture.embedding as usize)
}

/// Rows as they come.
#[derive(Debug, Default)]
struct Scan {
    mean: Vec<u8>,      // f16 [images, units]
    max: Vec<u8>,       // f16 [images, units]
    embedding: Vec<u8>, // f16 [images, embedding]
    samples: Vec<Sample>,
    skipped: Vec<(String, String)>,
    ledger: Ledger,
}

impl Scan {
    fn run(
        &mut self,
        clip: &Clip,
        stage: Stage,
        shard: &dyn Shard,
        what: &str,
        monitor: &mut dyn Monitor,
    ) -> Result<(), Failure> {
        let samples = shard.samples();
        let side = clip.architecture.image_size;
        let mut batch = Batch::on(clip.device).halved(monitor.halves());
        let chunk = batch.size();
        if clip.device != Device::Cpu {
            // All batches but the last have one shape: worth trying which algorithm is fastest.
            tch::Cuda::cudnn_set_benchmark(true);
        }
        let mut progress = Progress {
            stage: what,
            step: 0,
            total: samples.len() as u64,
            unit: "image",
            picture: None,
        };
        monitor.progress(&progress);
        thread::scope(|scope| {
            let (send, receive) = sync_channel(AHEAD);
            scope.spawn(move || {
                for start in (0..samples.len()).step_by(chunk) {
                    let rows = start..(start + chunk).min(samples.len());
                    let pixels: Vec<_> =
                        rows.clone().into_par_iter().map(|row| pixels(shard, row, side)).collect();
                    // Where nobody receives any more, the scan was given up.
                    if send.send((rows, pixels)).is_err() {
                        return;
                    }
                }
            });
            for (rows, pixels) in receive {
                monitor.check()?;
                progress.step = rows.end as u64;
                let mut good = Vec::new();
                for (row, pixels) in rows.zip(pixels) {
                    match pixels {
                        Ok(pixels) => {
                            good.extend_from_slice(&pixels);
                            // What is said of it is read by whoever shows it.
                            let key = samples[row].key.clone();
                            self.samples.push(Sample { key, caption: None, label: None });
                        }
                        Err(why) => self.skipped.push((samples[row].key.clone(), why)),
                    }
                }
                let picture = side as usize * side as usize * 3;
                batch.run(good.len() / picture, |rows| {
                    let pixels = &good[rows.start * picture..rows.end * picture];
                    tch::no_grad(|| self.add(clip, stage, pixels, rows.len()))
                })?;
                monitor.progress(&progress);
            }
            Ok(())
        })
    }

    /// Runs a batch of pictures through the network. Where memory runs out nothing is added.
    fn add(&mut self, clip: &Clip, stage: Stage, pixels: &[u8], n: usize) -> Result<(), Failure> {
        let input = clip.input(pixels, n)?; // [n, 3, side, side]
        let activations = clip.look(&input, &[stage, Stage::Embedding])?;
        let layer = by_unit(activations.get(stage)?); // [n, units, positions]
        let mean = half(&layer.mean_dim([2i64].as_slice(), false, Kind::Float))?; // [n, units]
        let max = half(&layer.amax([2i64].as_slice(), false))?; // [n, units]
        let embedding = half(activations.get(Stage::Embedding)?)?; // [n, embedding]
        self.mean.extend(mean);
        self.max.extend(max);
        self.embedding.extend(embedding);
        Ok(())
    }

    fn write(
        self,
        bench: &mut Workbench<'_>,
        units: usize,
        embedding: usize,
    ) -> Result<(), Failure> {
        let rows = self.samples.len();
        let broken = |error: &dyn std::fmt::Display| {
            Failure::new(format!("the activations cannot be written ({error})"))
        };
        let mut views = Vec::new();
        for (name, bytes, columns) in [
            ("mean", &self.mean, units),
            ("max", &self.max, units),
            ("embedding", &self.embedding, embedding),
        ] {
            let view = TensorView::new(Dtype::F16, vec![rows, columns], bytes);
            views.push((name, view.map_err(|error| broken(&error))?));
        }
        let bytes = safetensors::serialize(views, None).map_err(|error| broken(&error))?;
        let moments = Moments {
            count: rows as u64,
            mean: distribution(&self.mean, units),
            max: distribution(&self.max, units),
        };
        let moments = serde_json::to_vec(&moments).map_err(|error| broken(&error))?;
        let samples = serde_json::to_vec(&self.samples).map_err(|error| broken(&error))?;
        let outcome =
            Outcome { count: rows as u64, skipped: self.skipped, ledger: Some(self.ledger) };
        let store = &bench.store();
        let record = &mut bench.record;
        record.add_output(store, ACTIVATIONS, "application/octet-stream", &bytes)?;
        record.add_output(store, SAMPLES, "application/json", &samples)?;
        record.add_output(store, MOMENTS, "application/json", &moments)?;
        record.set_result(store, &outcome)?;
        Ok(())
    }
}

/// Mean and standard deviation of each column of f16 numbers, little-endian, `[rows, columns]`.
fn distribution(bytes: &[u8], columns: usize) -> Distribution {
    let rows = (bytes.len() / 2 / columns.max(1)).max(1) as f64;
    let number = |pair: &[u8]| f64::from(f16::from_le_bytes([pair[0], pair[1]]).to_f32());
    let mut mean = vec![0.0; columns];
    for (at, pair) in bytes.chunks_exact(2).enumerate() {
        mean[at % columns] += number(pair) / rows;
    }
    // A second pass, since the difference of large sums would lose digits.
    let mut square = vec![0.0; columns];
    for (at, pair) in bytes.chunks_exact(2).enumerate() {
        square[at % columns] += (number(pair) - mean[at % columns]).powi(2) / rows;
    }
    Distribution { mean, sd: square.into_iter().map(f64::sqrt).collect() }
}

/// What the network is shown of a row: `side * side * 3` bytes.
fn pixels(shard: &dyn Shard, row: usize, side: u32) -> Result<Vec<u8>, String> {
    // A decoder that breaks down over a damaged picture is an error about that picture too.
    catch_unwind(AssertUnwindSafe(|| Ok(prepare(shard.picture(row)?, side)?.into_raw())))
        .unwrap_or_else(|_| Err("its decoder broke down".into()))
}

/// `[n, columns]` as f16, little-endian. What is no number stays none, and what is too large is infinite: whoever reads
/// that unit, or that picture's embedding, fails by its name, and all others do not.
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
