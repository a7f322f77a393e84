//! The one reader of stored scans: the scans that a request uses in; the activations of one unit or along one direction, or all
//! embeddings, over a whole data set out. `matrix` reads all units of a place at once, `by_unit` one after the other; `layout` says how a scan lies in the store.

pub(crate) mod by_unit;
pub mod keys;
pub mod layout;
pub(crate) mod matrix;
pub(crate) mod stored;
pub(crate) mod tie;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use neuronotes_core::dataset::{DatasetRef, Sample};
use neuronotes_core::digest::Digest;
use neuronotes_core::kind::scan::{self, Pool};
use neuronotes_core::kind::spoiled::{Odd, Spoiled};
use neuronotes_core::model::Place;
use neuronotes_core::request::Request;
use neuronotes_core::store::{Record, Store};
use rayon::iter::{IndexedParallelIterator as _, IntoParallelIterator as _, ParallelIterator as _};

use crate::dataset::Shard;
use crate::failure::Failure;
use crate::table::keys::Keys;
use crate::table::stored::Stored;
use crate::workbench::Workbench;

/// One unit over a data set, a [`Scanned`] for each shard.
///
/// # Errors
/// If the request does not use the scans of that place and data set, or there is no such unit.
pub fn scans(
    bench: &mut Workbench<'_>,
    dataset: &DatasetRef,
    place: &Place,
    unit: u32,
    pool: Pool,
) -> Result<Vec<Scanned>, Failure> {
    let Request { model, inputs, precision, .. } = bench.request;
    let wanted = scan::requests(model, dataset, place, inputs, *precision);
    let name = inputs.place_name(place);
    let used: HashSet<Digest> = bench.request.uses.iter().map(Request::key).collect();
    if !wanted.iter().all(|scan| used.contains(&scan.key())) {
        return Err(Failure::new("the request does not use the scans of its layer and data set"));
    }
    let wanted: Vec<&Request> = wanted.iter().collect();
    bench.results(&wanted, |store, record| Scanned::read(store, record, name, unit, pool))
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
    let table = if place.is_some() { "mean" } else { "embedding" };
    let used = used_scans(bench, dataset, place)?;
    bench.results(&used, |store, record| Embedded::read(store, record, table))
}

/// The activations along a unit vector over a data set, a [`Scanned`] for each shard: the product of the vector with
/// the activations of the place's units, averaged over positions. `is_cosine`: these are scaled to length 1 first.
///
/// # Errors
/// If the request uses no scans of that place, or an activation is not finite.
pub(crate) fn along(
    bench: &mut Workbench<'_>,
    dataset: &DatasetRef,
    place: &Place,
    direction: &[f64],
    is_cosine: bool,
) -> Result<Vec<Scanned>, Failure> {
    let used = used_scans(bench, dataset, Some(place))?;
    bench.results(&used, |store, record| Scanned::along(store, record, direction, is_cosine))
}

/// The scans of a data set's shards that the request uses, or figures that it uses: of a place, or of any if it is not said which.
fn used_scans<'a>(
    bench: &Workbench<'a>,
    dataset: &DatasetRef,
    place: Option<&Place>,
) -> Result<Vec<&'a Request>, Failure> {
    let request = bench.request;
    let further = request.uses.iter().flat_map(|used| &used.uses);
    let mut of_content: HashMap<Digest, &Request> = HashMap::new();
    for used in request.uses.iter().chain(further).filter(|used| used.kind == scan::NAME) {
        let there = place.is_none_or(|place| Place::of(&used.params).as_ref() == Some(place));
        if let (true, Some(own)) = (there, &used.dataset) {
            of_content.entry(own.content()).or_insert(used);
        }
    }
    let mut one = DatasetRef { shards: Vec::new(), ..dataset.pictures() };
    let mut found = Vec::new();
    for shard in &dataset.shards {
        one.shards = vec![shard.clone()];
        let none = || Failure::new("the request does not use the scans of its data set");
        found.push(*of_content.get(&one.content()).ok_or_else(none)?);
    }
    Ok(found)
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
    let shard = bench.shard(dataset, index)?;
    let listed = shard.samples();
    let give = |sample: &mut Sample, at: usize| sample.clone_from(&listed[at]);
    matched(listed, samples, |sample| sample.key.as_str(), give);
    Ok(())
}

/// What a data set says of the images of a shard's scan.
#[derive(Debug)]
pub(crate) struct Told {
    shard: Box<dyn Shard>,
    /// The shard's row for each row of the scan.
    rows: Vec<Option<u32>>,
}

impl Told {
    /// Key, caption and label of a row of the scan; `None` if the shard does not have it.
    pub(crate) fn sample(&self, row: usize) -> Option<&Sample> {
        self.shard.samples().get((*self.rows.get(row)?)? as usize)
    }

    /// The same of all rows.
    pub(crate) fn samples(&self) -> impl Iterator<Item = Option<&Sample>> {
        let samples = self.shard.samples();
        self.rows.iter().map(|row| samples.get((*row)? as usize))
    }
}

/// The captions and labels that a data set has for the images of its scans, a [`Told`] for each shard.
///
/// # Errors
/// If a shard is missing, or has changed since the request was made.
pub(crate) fn told(
    bench: &mut Workbench<'_>,
    dataset: &DatasetRef,
    scans: &[Scanned],
) -> Result<Vec<Told>, Failure> {
    bench.open_shards(dataset)?;
    let open = |index| bench.shard(dataset, index);
    let shards = (0..scans.len()).map(open).collect::<Result<Vec<_>, _>>()?;
    let of_shard = |(shard, scan): (Box<dyn Shard>, &Scanned)| {
        let listed = shard.samples();
        let mut rows: Vec<(&str, Option<u32>)> = scan.keys.iter().map(|key| (key, None)).collect();
        matched(listed, &mut rows, |(key, _)| *key, |(_, row), at| *row = u32::try_from(at).ok());
        let rows = rows.into_iter().map(|(_, row)| row).collect();
        Told { shard, rows }
    };
    Ok(shards.into_par_iter().zip(scans).map(of_shard).collect())
}

/// Hands each of the scanned to `give` together with the place of what is listed under its key. They are in the same order, except that
/// images which cannot be read are not among the scanned.
fn matched<T>(
    listed: &[Sample],
    scanned: &mut [T],
    key: impl Fn(&T) -> &str,
    give: impl Fn(&mut T, usize),
) {
    let mut rest = listed.iter().enumerate();
    for at in 0..scanned.len() {
        let own = rest.find(|(_, known)| known.key == key(&scanned[at]));
        match own {
            Some((place, _)) => give(&mut scanned[at], place),
            None => {
                // They are in another order after all.
                let by_key: HashMap<&str, usize> =
                    listed.iter().zip(0..).map(|(sample, at)| (sample.key.as_str(), at)).collect();
                for one in &mut scanned[at..] {
                    if let Some(place) = by_key.get(key(one)).copied() {
                        give(one, place);
                    }
                }
                return;
            }
        }
    }
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
    pub keys: Arc<Keys>,
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
        let Some(table) = Stored::open(store, record, name)? else { return Ok(None) };
        check_unit(place, table.columns, unit)?;
        let Some(column) = table.column(store, unit as usize) else { return Ok(None) };
        if let Some(row) = column.iter().position(|number| !number.is_finite()) {
            let what = format!("unit {unit} of `{place}`");
            return Err(not_finite(&what, table.keys.key(row), column[row].into()));
        }
        let activations = column.into_iter().map(f64::from).collect();
        Ok(Some(Self { activations, keys: table.keys }))
    }

    /// Reads the activations along a direction; `Ok(None)` if a blob of the scan is missing or damaged.
    ///
    /// # Errors
    /// If the scan is malformed or of another place, or an activation is not finite.
    fn along(
        store: &Store,
        record: &Record,
        direction: &[f64],
        is_cosine: bool,
    ) -> Result<Option<Self>, Failure> {
        let Some(table) = Stored::open(store, record, "mean")? else { return Ok(None) };
        if table.columns != direction.len() {
            let (units, numbers) = (table.columns, direction.len());
            let why = format!("the scan has {units} units, and the direction {numbers} numbers");
            return Err(Failure::new(why));
        }
        let Some(products) = table.products(store, direction) else { return Ok(None) };
        let activation = |[product, square]: [f64; 2]| match is_cosine {
            true => product / square.sqrt(),
            false => product,
        };
        let activations: Vec<f64> = products.iter().copied().map(activation).collect();
        if let Some(row) = activations.iter().position(|number| !number.is_finite()) {
            let key = table.keys.key(row);
            // Units without weight have a part in the length alone.
            let part = |unit: &usize| is_cosine || direction[*unit] != 0.0;
            for unit in (0..table.columns).filter(part) {
                let Some(column) = table.column(store, unit) else { return Ok(None) };
                if !column[row].is_finite() {
                    let what = unit_of(record, unit);
                    return Err(not_finite(&what, key, column[row].into()));
                }
            }
            return Err(not_finite("the activation of the direction", key, activations[row]));
        }
        Ok(Some(Self { activations, keys: table.keys }))
    }
}

/// What a unit of a scan is called in a failure.
fn unit_of(record: &Record, unit: usize) -> String {
    match record.request["params"].as_object().and_then(Place::of) {
        Some(place) => format!("unit {unit} at `{}`", place.layer()),
        None => format!("unit {unit}"),
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
        let Some(table) = Stored::open(store, record, name)? else { return Ok(None) };
        let Some(embeddings) = table.rows(store) else { return Ok(None) };
        if let Some(at) = embeddings.iter().position(|number| !number.is_finite()) {
            let (row, unit) = (at / table.columns.max(1), at % table.columns.max(1));
            let what = match name {
                "embedding" => "the embedding".to_owned(),
                _ => unit_of(record, unit),
            };
            return Err(not_finite(&what, table.keys.key(row), embeddings[at].into()));
        }
        let samples = table.keys.samples().collect();
        Ok(Some(Self { samples, columns: table.columns, embeddings }))
    }
}

/// A unit that is NaN or infinite for a picture.
pub(crate) fn spoiled(unit: usize, picture: &str, found: f32) -> Spoiled {
    Spoiled { unit: unit as u32, key: picture.to_owned(), is: Odd::of(found.into()) }
}

/// The failure of a figure that is about one of these units.
///
/// # Errors
/// If it is among them: names it, and the picture.
pub(crate) fn check_sound(place: &str, spoiled: &[Spoiled], unit: u32) -> Result<(), Failure> {
    match spoiled.iter().find(|spoiled| spoiled.unit == unit) {
        None => Ok(()),
        Some(spoiled) => Err(unsound(place, spoiled)),
    }
}

/// The failure that a unit cannot be used.
pub(crate) fn unsound(place: &str, spoiled: &Spoiled) -> Failure {
    let what = format!("unit {} of `{place}`", spoiled.unit);
    let found = if spoiled.is == Some(Odd::Nan) { f64::NAN } else { f64::INFINITY };
    not_finite(&what, &spoiled.key, found)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_data_set_says_of_images_is_found_in_any_order_and_past_those_that_are_missing() {
        let sample = |key: &str| Sample {
            key: key.to_owned(),
            caption: Some(format!("of {key}")),
            label: None,
        };
        let listed = ["a", "b", "c", "d"].map(sample);
        for keys in [&["a", "b", "d"][..], &["d", "a", "x", "b"], &["x", "c"], &[]] {
            let mut found: Vec<(&str, String)> =
                keys.iter().map(|key| (*key, String::new())).collect();
            matched(
                &listed,
                &mut found,
                |(key, _)| key,
                |(_, text), at| text.clone_from(listed[at].caption.as_ref().expect("a caption")),
            );
            for (key, text) in found {
                assert_eq!(text, if key == "x" { String::new() } else { format!("of {key}") });
            }
        }
    }
}
