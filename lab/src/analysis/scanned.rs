//! Stored scans: records of a layer's scans in; one unit's activations over the whole data set out.

use half::f16;
use neuronotes::analysis::dataset_examples::Pool;
use neuronotes::analysis::scan::{ACTIVATIONS, SAMPLES, Sample};
use neuronotes::store::{Record, Store};
use safetensors::SafeTensors;

use super::check_unit;
use crate::failure::Failure;

/// One unit over one shard.
#[derive(Debug, Clone, PartialEq)]
pub struct Scanned {
    /// A row's pooled activation.
    pub activations: Vec<f64>,
    /// What is known of each row.
    pub samples: Vec<Sample>,
}

impl Scanned {
    /// Reads one unit of a scan; `Ok(None)` where a blob of the scan is gone or damaged.
    ///
    /// # Errors
    /// Where the layer has no such unit, or the scan is of another form.
    pub fn read(
        store: &Store,
        record: &Record,
        layer: &str,
        unit: u32,
        pool: Pool,
    ) -> Result<Option<Self>, Failure> {
        let blob = |name: &str| store.blob(&record.outputs.get(name)?.digest);
        let (Some(bytes), Some(samples)) = (blob(ACTIVATIONS), blob(SAMPLES)) else {
            return Ok(None);
        };
        let other = |why: &dyn std::fmt::Display| {
            Failure::new(format!(
                "the stored scan {} is of another form ({why})",
                record.key.short()
            ))
        };
        let samples: Vec<Sample> = serde_json::from_slice(&samples).map_err(|e| other(&e))?;
        let tensors = SafeTensors::deserialize(&bytes).map_err(|e| other(&e))?;
        let name = match pool {
            Pool::Mean => "mean",
            Pool::Max => "max",
        };
        let view = tensors.tensor(name).map_err(|e| other(&e))?;
        let &[rows, units] = view.shape() else {
            return Err(other(&"it is not a table"));
        };
        if rows != samples.len() || view.data().len() != rows * units * 2 {
            return Err(other(&"its rows are not its samples"));
        }
        check_unit(layer, units, unit)?;
        let activations = (0..rows)
            .map(|row| {
                let at = (row * units + unit as usize) * 2;
                f16::from_le_bytes([view.data()[at], view.data()[at + 1]]).to_f64()
            })
            .collect();
        Ok(Some(Self { activations, samples }))
    }
}

/// What one says of a distribution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// Mean.
    pub mean: f64,
    /// Standard deviation of the population.
    pub sd: f64,
}

/// Summarises activations; zeros where there are none.
pub fn summary(values: &[f64]) -> Summary {
    let count = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / count;
    let square = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
    Summary { mean, sd: square.sqrt() }
}
