//! Measures `scan`: the pooled activations of all units of a layer, or of a dictionary over it, over one shard, and the
//! embeddings.

use half::f16;
use neuronotes_core::kind::scan::{
    ACTIVATIONS, DIGESTS, Distribution, KEYS, MOMENTS, Moments, Outcome, Params,
};
use neuronotes_core::model::Stage;
use tch::{Device, Kind, Tensor};

use crate::clip::activations::{Activations, by_unit};
use crate::dataset::Shard;
use crate::failure::Failure;
use crate::feed::Skipped;
use crate::pass::Pass;
use crate::readout::Readout;
use crate::table::layout::Rows;
use crate::workbench::Workbench;

pub(crate) fn run(bench: &mut Workbench<'_>) -> Result<(), Failure> {
    let params: Params = bench.params()?;
    let clip = bench.clip(&[params.layer.layer()])?;
    let readout = Readout::of(bench, &clip, &params.layer)?;
    let dataset = bench.dataset()?;
    if dataset.shards.len() != 1 {
        let count = dataset.shards.len();
        return Err(Failure::new(format!("a scan takes one shard, but was given {count}")));
    }
    let shard = bench.shard(dataset, 0)?;
    let samples = shard.samples();
    let rows: Vec<(&dyn Shard, usize)> =
        (0..samples.len()).map(|row| (shard.as_ref(), row)).collect();
    let mut scan = Scan::default();
    let title = format!("scanning {}", dataset.name);
    let stages = [readout.layer.stage, Stage::Embedding];
    let pass = Pass { steady: true, ..Pass::new(&clip, &stages, &title) };
    let skipped = pass.run(&rows[..], bench.monitor, |rows, activations| {
        scan.add(activations, &readout)?;
        // Captions and labels are read when they are shown.
        scan.keys.extend(rows.iter().map(|&row| samples[row].key.clone()));
        Ok(())
    })?;
    let key = |Skipped { at, why }| (samples[at].key.clone(), why);
    let outcome = Outcome {
        count: scan.keys.len() as u64,
        skipped: skipped.into_iter().map(key).collect(),
        ledger: Some(shard.ledger().clone()),
    };
    scan.write(bench, &outcome, readout.units(), clip.architecture.embedding as usize)
}

/// The rows of the tables.
#[derive(Debug, Default)]
struct Scan {
    mean: Vec<u8>,      // f16 [images, units]
    max: Vec<u8>,       // f16 [images, units]
    embedding: Vec<u8>, // f16 [images, embedding]
    keys: Vec<String>,
}

impl Scan {
    /// Adds a row for each picture of a batch; adds nothing if memory runs out.
    fn add(&mut self, activations: &Activations, readout: &Readout) -> Result<(), Failure> {
        let layer = by_unit(activations.get(readout.layer.stage)?); // [n, channels, positions]
        let (mean, max) = readout.pooled(&layer); // [n, units]
        let (mean, max) = (half(&mean)?, half(&max)?);
        let embedding = half(activations.get(Stage::Embedding)?)?; // [n, embedding]
        self.mean.extend(mean);
        self.max.extend(max);
        self.embedding.extend(embedding);
        Ok(())
    }

    fn write(
        &self,
        bench: &mut Workbench<'_>,
        outcome: &Outcome,
        units: usize,
        embedding: usize,
    ) -> Result<(), Failure> {
        let images = self.keys.len();
        let broken = |error: &dyn std::fmt::Display| {
            Failure::new(format!("the activations cannot be written ({error})"))
        };
        let rows = Rows { mean: &self.mean, max: &self.max, embedding: &self.embedding };
        let laid = rows.laid(images, units, embedding);
        let (activations, digests) = laid.map_err(|error| broken(&error))?;
        let moments = Moments {
            count: images as u64,
            mean: distribution(&self.mean, units),
            max: distribution(&self.max, units),
        };
        let moments = serde_json::to_vec(&moments).map_err(|error| broken(&error))?;
        let keys = serde_json::to_vec(&self.keys).map_err(|error| broken(&error))?;
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

/// `[n, columns]` as f16, little-endian. NaN stays NaN, and what is too large becomes infinite: a figure that reads that unit,
/// or that picture's embedding, fails and names it, and no other figure does.
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
