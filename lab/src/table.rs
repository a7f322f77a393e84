//! Stored scans: records of a layer's scans in; one unit's activations, or the embeddings, over the whole data
//! set out.

use half::f16;
use neuronotes_core::dataset::Sample;
use neuronotes_core::kind::scan::Pool;
use neuronotes_core::kind::scan::{ACTIVATIONS, SAMPLES};
use neuronotes_core::store::{Record, Store};
use safetensors::SafeTensors;

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
    /// Where the layer has no such unit or it has no number for a picture, or the scan is of another form.
    pub fn read(
        store: &Store,
        record: &Record,
        layer: &str,
        unit: u32,
        pool: Pool,
    ) -> Result<Option<Self>, Failure> {
        let name = match pool {
            Pool::Mean => "mean",
            Pool::Max => "max",
        };
        let Some(table) = Table::read(store, record, name)? else { return Ok(None) };
        check_unit(layer, table.columns, unit)?;
        let (columns, place) = (table.columns, unit as usize);
        let activations: Vec<f64> = (0..table.samples.len())
            .map(|row| table.number(row * columns + place).into())
            .collect();
        if let Some(row) = activations.iter().position(|number| !number.is_finite()) {
            let what = format!("unit {unit} of `{layer}`");
            return Err(no_number(&what, &table.samples[row].key, activations[row]));
        }
        Ok(Some(Self { activations, samples: table.samples }))
    }
}

/// The embeddings of one shard's images, or their activations at a layer.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedded {
    /// What is known of each row.
    pub samples: Vec<Sample>,
    /// Length of an embedding.
    pub columns: usize,
    /// `[images, columns]`, not normalised.
    pub embeddings: Vec<f32>,
}

impl Embedded {
    /// Reads a table of a scan, such as `embedding`; `Ok(None)` where a blob of the scan is gone or damaged.
    ///
    /// # Errors
    /// Where the scan is of another form, or holds what is no number.
    pub fn read(store: &Store, record: &Record, name: &str) -> Result<Option<Self>, Failure> {
        let Some(table) = Table::read(store, record, name)? else { return Ok(None) };
        let count = table.samples.len() * table.columns;
        let embeddings: Vec<f32> = (0..count).map(|at| table.number(at)).collect();
        if let Some(at) = embeddings.iter().position(|number| !number.is_finite()) {
            let unit = at % table.columns.max(1);
            let layer = record.request["params"]["layer"].as_str().unwrap_or_default();
            let what = match name {
                "embedding" => "the embedding".to_owned(),
                _ => format!("unit {unit} of `{layer}`"),
            };
            let key = &table.samples[at / table.columns.max(1)].key;
            return Err(no_number(&what, key, embeddings[at].into()));
        }
        Ok(Some(Self { samples: table.samples, columns: table.columns, embeddings }))
    }
}

/// Why what rests on an answer that is no number cannot be made.
pub(crate) fn no_number(what: &str, picture: &str, found: f64) -> Failure {
    let why = match found.is_nan() {
        true => "is not a number",
        false => "is too large for half precision (65504)",
    };
    Failure::new(format!("{what} {why} for the picture `{picture}`"))
        .hint("look at that picture and at the weights; figures of other units are not touched")
}

/// One tensor of a scan.
struct Table {
    samples: Vec<Sample>,
    columns: usize,
    bytes: Vec<u8>, // f16 [samples, columns]
}

impl Table {
    fn read(store: &Store, record: &Record, name: &str) -> Result<Option<Self>, Failure> {
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
        let view = tensors.tensor(name).map_err(|e| other(&e))?;
        let &[rows, columns] = view.shape() else {
            return Err(other(&"it is not a table"));
        };
        if rows != samples.len() || view.data().len() != rows * columns * 2 {
            return Err(other(&"its rows are not its samples"));
        }
        Ok(Some(Self { samples, columns, bytes: view.data().to_vec() }))
    }

    fn number(&self, at: usize) -> f32 {
        f16::from_le_bytes([self.bytes[at * 2], self.bytes[at * 2 + 1]]).to_f32()
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

/// Checks that a layer with so many units has this one.
pub(crate) fn check_unit(layer: &str, units: usize, unit: u32) -> Result<(), Failure> {
    if (unit as usize) < units {
        return Ok(());
    }
    Err(Failure::new(format!("`{layer}` has no unit {unit}; its {units} units are counted from 0")))
}
