//! The one reader of stored scans: the scans that a request uses in; one unit's activations, or all embeddings, over a whole
//! data set out. `matrix` reads all units of a place.

pub(crate) mod matrix;

use std::collections::HashMap;

use half::f16;
use neuronotes_core::dataset::{DatasetRef, Sample};
use neuronotes_core::kind::scan::{self, ACTIVATIONS, Pool, SAMPLES};
use neuronotes_core::model::Place;
use neuronotes_core::request::Request;
use neuronotes_core::store::{Record, Store};
use safetensors::SafeTensors;

use crate::failure::Failure;
use crate::workbench::Workbench;

/// One unit over the request's data set, a [`Scanned`] for each shard.
///
/// # Errors
/// If the request does not use the scans of that place, or there is no such unit.
pub fn scans(
    bench: &mut Workbench<'_>,
    place: &Place,
    unit: u32,
    pool: Pool,
) -> Result<Vec<Scanned>, Failure> {
    let Request { model, inputs, precision, .. } = bench.request;
    let wanted = scan::requests(model, bench.dataset()?, place, inputs, *precision);
    let name = inputs.place_name(place);
    wanted
        .iter()
        .map(|scan| {
            if bench.using(scan.key()).is_none() {
                let why = "the request does not use the scans of its layer and data set";
                return Err(Failure::new(why));
            }
            bench.result(scan, |store, record| Scanned::read(store, record, name, unit, pool))
        })
        .collect()
}

/// The embeddings of a data set's images, an [`Embedded`] for each shard; or, if a place is named, the activations of its units,
/// averaged over positions.
///
/// # Errors
/// If the request uses no scans of that data set.
pub fn embeddings(
    bench: &mut Workbench<'_>,
    dataset: &DatasetRef,
    place: Option<&Place>,
) -> Result<Vec<Embedded>, Failure> {
    (0..dataset.shards.len())
        .map(|index| {
            let request = used_scan(bench, dataset, index, place)?;
            let table = if place.is_some() { "mean" } else { "embedding" };
            bench.result(request, |store, record| Embedded::read(store, record, table))
        })
        .collect()
}

/// The scan of a shard that the request uses, or a figure that it uses: of a place, or of any if it is not said which.
fn used_scan<'a>(
    bench: &Workbench<'a>,
    dataset: &DatasetRef,
    index: usize,
    place: Option<&Place>,
) -> Result<&'a Request, Failure> {
    let request = bench.request;
    let shard = dataset.pictures().shard(index).content();
    let of_shard = |request: &&Request| {
        let own = request.dataset.as_ref().map(DatasetRef::content);
        let there = place.is_none_or(|place| Place::of(&request.params).as_ref() == Some(place));
        request.kind == scan::NAME && own == Some(shard) && there
    };
    let further = request.uses.iter().flat_map(|used| &used.uses);
    let found = request.uses.iter().chain(further).find(of_shard);
    found.ok_or_else(|| Failure::new("the request does not use the scans of its data set"))
}

/// Gives samples of a shard's scan, which has keys only, the captions and labels that the data set has for them.
///
/// # Errors
/// If the shard is missing, or has changed since the request was made.
pub(crate) fn said(
    bench: &mut Workbench<'_>,
    dataset: &DatasetRef,
    index: usize,
    samples: &mut [Sample],
) -> Result<(), Failure> {
    let listed = bench.shard(dataset, index)?;
    let listed: HashMap<&str, &Sample> =
        listed.samples().iter().map(|sample| (sample.key.as_str(), sample)).collect();
    for sample in samples {
        if let Some(known) = listed.get(sample.key.as_str()) {
            sample.clone_from(known);
        }
    }
    Ok(())
}

/// The failure that no picture of the data set could be read, with the reasons that its scans list.
pub(crate) fn nothing_read(bench: &Workbench<'_>) -> Failure {
    let mut why = Vec::new();
    for used in bench.request.uses.iter().filter(|used| used.kind == scan::NAME) {
        let record = bench.store().record(&used.key());
        let outcome: Option<scan::Outcome> = record.and_then(|record| record.result(bench.store()));
        why.extend(outcome.into_iter().flat_map(|outcome| outcome.skipped));
    }
    let failure = Failure::new("no picture of the data set can be read");
    match why.first() {
        Some((key, first)) => failure.hint(format!("the first of {} is {key}: {first}", why.len())),
        None => failure,
    }
}

/// One unit over one shard.
#[derive(Debug, Clone, PartialEq)]
pub struct Scanned {
    /// The pooled activation of each row.
    pub activations: Vec<f64>,
    /// The key of each row.
    pub samples: Vec<Sample>,
}

impl Scanned {
    /// Reads one unit of a scan; `Ok(None)` if a blob of the scan is missing or damaged.
    ///
    /// # Errors
    /// If there is no such unit, an activation is not finite, or the scan is malformed.
    pub fn read(
        store: &Store,
        record: &Record,
        place: &str,
        unit: u32,
        pool: Pool,
    ) -> Result<Option<Self>, Failure> {
        let name = match pool {
            Pool::Mean => "mean",
            Pool::Max => "max",
        };
        let Some(table) = Table::read(store, record, name)? else { return Ok(None) };
        check_unit(place, table.columns, unit)?;
        let (columns, column) = (table.columns, unit as usize);
        let activations: Vec<f64> = (0..table.samples.len())
            .map(|row| table.number(row * columns + column).into())
            .collect();
        if let Some(row) = activations.iter().position(|number| !number.is_finite()) {
            let what = format!("unit {unit} of `{place}`");
            return Err(not_finite(&what, &table.samples[row].key, activations[row]));
        }
        Ok(Some(Self { activations, samples: table.samples }))
    }
}

/// The embeddings of one shard's images, or their activations at a layer.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedded {
    /// The key of each row.
    pub samples: Vec<Sample>,
    /// The length of a row.
    pub columns: usize,
    /// `[images, columns]`, not normalised.
    pub embeddings: Vec<f32>,
}

impl Embedded {
    /// Reads a table of a scan, such as `embedding`; `Ok(None)` if a blob of the scan is missing or damaged.
    ///
    /// # Errors
    /// If the scan is malformed, or holds a number that is not finite.
    pub fn read(store: &Store, record: &Record, name: &str) -> Result<Option<Self>, Failure> {
        let Some(table) = Table::read(store, record, name)? else { return Ok(None) };
        let count = table.samples.len() * table.columns;
        let embeddings: Vec<f32> = (0..count).map(|at| table.number(at)).collect();
        if let Some(at) = embeddings.iter().position(|number| !number.is_finite()) {
            let unit = at % table.columns.max(1);
            let place = record.request["params"].as_object().and_then(Place::of);
            let what = match (name, &place) {
                ("embedding", _) | (_, None) => "the embedding".to_owned(),
                (_, Some(place)) => format!("unit {unit} at `{}`", place.layer()),
            };
            let key = &table.samples[at / table.columns.max(1)].key;
            return Err(not_finite(&what, key, embeddings[at].into()));
        }
        Ok(Some(Self { samples: table.samples, columns: table.columns, embeddings }))
    }
}

/// The failure that an activation is NaN or infinite.
pub(crate) fn not_finite(what: &str, picture: &str, found: f64) -> Failure {
    let why = match found.is_nan() {
        true => "is not a number",
        false => "is too large for half precision (65504)",
    };
    Failure::new(format!("{what} {why} for the picture `{picture}`"))
        .hint("check that picture and the weights; figures of other units are not affected")
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
            Failure::new(format!("the stored scan {} is malformed ({why})", record.key.short()))
        };
        let samples: Vec<Sample> = serde_json::from_slice(&samples).map_err(|e| other(&e))?;
        let tensors = SafeTensors::deserialize(&bytes).map_err(|e| other(&e))?;
        let view = tensors.tensor(name).map_err(|e| other(&e))?;
        let &[rows, columns] = view.shape() else {
            return Err(other(&"it is not a table"));
        };
        if rows != samples.len() || view.data().len() != rows * columns * 2 {
            return Err(other(&"it does not have a row for each sample"));
        }
        Ok(Some(Self { samples, columns, bytes: view.data().to_vec() }))
    }

    fn number(&self, at: usize) -> f32 {
        f16::from_le_bytes([self.bytes[at * 2], self.bytes[at * 2 + 1]]).to_f32()
    }
}

/// Mean and deviation of a distribution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// Mean.
    pub mean: f64,
    /// Standard deviation of the population.
    pub sd: f64,
}

/// Summarises activations; zeros if there are none.
pub fn summary(values: &[f64]) -> Summary {
    let count = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / count;
    let square = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
    Summary { mean, sd: square.sqrt() }
}

/// Checks that a layer or a dictionary with `units` units has this one.
pub(crate) fn check_unit(place: &str, units: usize, unit: u32) -> Result<(), Failure> {
    if (unit as usize) < units {
        return Ok(());
    }
    Err(Failure::new(format!("`{place}` has no unit {unit}; its {units} units are counted from 0")))
}
