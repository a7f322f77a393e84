//! Measures `composition`: the largest weights of a probe's classes, and for each of their units the image of the probe's data
//! set that activates it most.

use std::collections::{BTreeMap, BTreeSet};

use neuronotes_core::dataset::DatasetRef;
use neuronotes_core::kind::composition::{Composed, Outcome, Params, SHOWN_CLASSES, Term, Unit};
use neuronotes_core::kind::probe::{self, Line, WEIGHTS};
use neuronotes_core::store::{Record, Store};
use neuronotes_core::suggest;
use safetensors::SafeTensors;

use crate::failure::Failure;
use crate::gallery::Gallery;
use crate::monitor::Progress;
use crate::table::matrix::{Columns, Matrix};
use crate::workbench::Workbench;

pub(crate) fn run(bench: &mut Workbench<'_>) -> Result<(), Failure> {
    let params: Params = bench.params()?;
    let used = bench.request.used("probe").next();
    let used = used.ok_or_else(|| Failure::new("the request does not use its probe"))?;
    if used.kind != probe::KIND.name {
        return Err(Failure::new(format!("`probe` names a `{}`", used.kind)));
    }
    let of: probe::Params = probe::KIND.params(&used.params).map_err(Failure::new)?;
    let dataset = used.dataset.as_ref();
    let dataset = dataset.ok_or_else(|| Failure::new("the probe names no data set"))?;
    let lines = bench.result(used, read)?;
    let classes = chosen(&lines, params.classes.as_deref())?;
    let classes: Vec<Composed> =
        classes.into_iter().map(|line| composed(line, params.terms as usize)).collect();
    let units = classes.iter().flat_map(|class| &class.terms).map(|term| term.unit).collect();
    let units = strongest(bench, dataset, &of, units)?;
    let outcome = Outcome { layer: of.layer, classes, of: lines.len() as u64, units };
    bench.record.set_result(bench.store(), &outcome)?;
    Ok(())
}

/// A class of the probe, and the sum of the sizes of all its weights.
type Sized = (Line, f64);

/// Reads the classes of a probe; `Ok(None)` if a blob is missing or damaged.
fn read(store: &Store, record: &Record) -> Result<Option<Vec<Sized>>, Failure> {
    let file = record.outputs.get(WEIGHTS);
    let file = file.ok_or_else(|| Failure::new(format!("the probe has no `{WEIGHTS}`")))?;
    let outcome: Option<probe::Outcome> = record.result(store);
    let (Some(outcome), Some(file)) = (outcome, store.blob(&file.digest)) else { return Ok(None) };
    let malformed =
        |why: String| Failure::new(format!("the probe's weights are malformed ({why})"));
    let tensors = SafeTensors::deserialize(&file).map_err(|why| malformed(why.to_string()))?;
    let weights = tensors.tensor("weights").map_err(|why| malformed(why.to_string()))?;
    let (numbers, _) = weights.data().as_chunks::<4>();
    let numbers: Vec<f64> =
        numbers.iter().map(|bytes| f32::from_le_bytes(*bytes).abs().into()).collect();
    let count = outcome.classes.len();
    if count == 0 || weights.shape().first() != Some(&count) || !numbers.len().is_multiple_of(count)
    {
        return Err(malformed(format!("{:?} for {count} classes", weights.shape())));
    }
    let columns = (numbers.len() / count).max(1);
    let sizes = numbers.chunks(columns).map(|row| row.iter().sum::<f64>());
    Ok(Some(outcome.classes.into_iter().zip(sizes).collect()))
}

/// The classes of those names, in their order; or the first ones.
fn chosen<'l>(lines: &'l [Sized], names: Option<&[String]>) -> Result<Vec<&'l Sized>, Failure> {
    let Some(names) = names else { return Ok(lines.iter().take(SHOWN_CLASSES).collect()) };
    let find = |name: &String| {
        let same = |(line, _): &&Sized| line.label == *name;
        let alike = |(line, _): &&Sized| line.label.to_lowercase() == name.to_lowercase();
        let found = lines.iter().find(same).or_else(|| lines.iter().find(alike));
        found.ok_or_else(|| {
            let failure = Failure::new(format!("the probe has no class `{name}`"));
            match suggest::hint(name, lines.iter().map(|(line, _)| &line.label)) {
                Some(hint) => failure.hint(hint),
                None => failure,
            }
        })
    };
    names.iter().map(find).collect()
}

/// A class with the terms of greatest size: positive ones in falling order, then negative ones.
fn composed((line, all): &Sized, most: usize) -> Composed {
    let weights = line.weights.iter().filter(|one| one.weight != 0.0);
    let mut terms: Vec<Term> =
        weights.map(|one| Term { unit: one.unit, weight: one.weight }).collect();
    terms.sort_by(|a, b| b.weight.abs().total_cmp(&a.weight.abs()));
    terms.truncate(most);
    // A stable sort: both parts stay in falling order.
    terms.sort_by_key(|term| term.weight < 0.0);
    let shown: f64 = terms.iter().map(|term| term.weight.abs()).sum();
    let share = if *all > 0.0 { (shown / all).min(1.0) } else { 0.0 };
    Composed { name: line.label.clone(), terms, nonzero: line.terms, share }
}

/// For each unit the image that activates it most; of equal ones the first.
fn strongest(
    bench: &mut Workbench<'_>,
    dataset: &DatasetRef,
    of: &probe::Params,
    units: BTreeSet<u32>,
) -> Result<Vec<Unit>, Failure> {
    if units.is_empty() {
        return Ok(vec![]);
    }
    let mut matrix = Matrix::read(bench, dataset, Columns::Units(&of.layer, of.pool))?;
    matrix.tell(bench, dataset)?;
    let columns = matrix.rows.size()[1];
    let mut gallery = Gallery::default();
    let mut shards = BTreeMap::new();
    let mut shown = Vec::new();
    let count = units.len();
    for (at, unit) in units.into_iter().enumerate() {
        bench.monitor.check()?;
        let (step, total) = (at as u64, count as u64);
        bench.monitor.progress(&Progress {
            step,
            total,
            ..Progress::beginning("strongest images")
        });
        if i64::from(unit) >= columns {
            return Err(Failure::new(format!(
                "the probe has a weight of unit {unit} of {columns}"
            )));
        }
        let column = matrix.rows.f_select(1, unit.into())?.f_contiguous()?;
        let (row, activation) = greatest(&Vec::<f32>::try_from(column)?);
        let (shard, sample) = (matrix.shards[row], &matrix.samples[row]);
        if let std::collections::btree_map::Entry::Vacant(new) = shards.entry(shard) {
            let open = bench.shard(dataset, shard)?;
            let keys = open.samples().iter().map(|sample| sample.key.clone());
            let places: BTreeMap<String, usize> = keys.zip(0..).collect();
            new.insert((open, places));
        }
        let (open, places) = &shards[&shard];
        let cannot =
            |why: String| Failure::new(format!("`{}` cannot be shown ({why})", sample.key));
        let place = places.get(&sample.key);
        let place = *place.ok_or_else(|| cannot("it is not in the shard".to_owned()))?;
        let stored = gallery.add(bench, open.picture(place).map_err(cannot)?)?;
        shown.push(Unit {
            unit,
            key: sample.key.clone(),
            caption: sample.caption.clone(),
            activation: activation.into(),
            picture: stored.picture,
            width: stored.width,
            height: stored.height,
        });
    }
    Ok(shown)
}

/// The place of the greatest number, and the number; of equal ones the first.
fn greatest(numbers: &[f32]) -> (usize, f32) {
    let start = (0, f32::NEG_INFINITY);
    let all = numbers.iter().copied().enumerate();
    all.fold(start, |best, one| if one.1 > best.1 { one } else { best })
}

#[cfg(test)]
mod tests {
    use neuronotes_core::kind::probe::Weight;

    use super::*;

    fn line(label: &str, weights: &[(u32, f64)]) -> Sized {
        let weight = |&(unit, weight): &(u32, f64)| Weight { unit, weight };
        let line = Line {
            label: label.to_owned(),
            train: 3,
            of: 1,
            right: 1,
            bias: 0.0,
            terms: weights.len() as u64,
            weights: weights.iter().map(weight).collect(),
        };
        (line, weights.iter().map(|(_, weight)| weight.abs()).sum())
    }

    #[test]
    fn an_equation_has_the_greatest_weights_and_the_positive_ones_first() {
        let class = line("piggy bank", &[(3, 0.5), (1, -2.0), (7, 1.0), (9, -0.25), (4, 0.25)]);
        let composed = composed(&class, 3);
        let terms: Vec<_> = composed.terms.iter().map(|term| (term.unit, term.weight)).collect();
        assert_eq!(terms, [(7, 1.0), (3, 0.5), (1, -2.0)]);
        assert_eq!((composed.nonzero, composed.share), (5, 3.5 / 4.0));
        let empty = super::composed(&line("nothing", &[]), 3);
        assert_eq!((empty.terms, empty.share), (vec![], 0.0));
    }

    #[test]
    fn equations_and_strongest_images_are_those_of_numpy() {
        #[derive(serde::Deserialize)]
        struct Golden {
            terms: usize,
            weights: Vec<Vec<f64>>,
            activations: Vec<Vec<f32>>,
            equations: Vec<Equation>,
            strongest: Vec<usize>,
        }
        #[derive(serde::Deserialize)]
        struct Equation {
            terms: Vec<(u32, f64)>,
            nonzero: u64,
            share: f64,
        }
        // tests/reference/composition.py wrote it.
        let golden = include_bytes!("../../tests/golden/composition.json");
        let golden: Golden = serde_json::from_slice(golden).expect("JSON");
        assert_eq!((golden.weights.len(), golden.equations.len()), (6, 6));
        for (weights, expected) in golden.weights.iter().zip(&golden.equations) {
            let own: Vec<(u32, f64)> = (0..).zip(weights.iter().copied()).collect();
            let (mut class, size) = line("a class", &own);
            class.terms = weights.iter().filter(|weight| **weight != 0.0).count() as u64;
            let found = composed(&(class, size), golden.terms);
            let terms: Vec<_> = found.terms.iter().map(|term| (term.unit, term.weight)).collect();
            assert_eq!((terms, found.nonzero), (expected.terms.clone(), expected.nonzero));
            assert!((found.share - expected.share).abs() < 1e-12, "{found:?}");
        }
        for (unit, row) in golden.strongest.into_iter().enumerate() {
            let column: Vec<f32> = golden.activations.iter().map(|image| image[unit]).collect();
            assert_eq!(greatest(&column), (row, column[row]), "unit {unit}");
        }
    }

    #[test]
    fn classes_are_found_by_name_and_an_unknown_one_is_an_error_with_the_nearest() {
        let lines = [line("castle", &[]), line("Cat", &[]), line("cat", &[])];
        let names = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            let found = chosen(&lines, Some(&names));
            found.map(|found| found.iter().map(|(line, _)| line.label.clone()).collect::<Vec<_>>())
        };
        assert_eq!(names(&["cat", "CASTLE"]).expect("both"), ["cat", "castle"]);
        let error = names(&["castel"]).expect_err("unknown");
        assert_eq!(error.to_string(), "the probe has no class `castel`");
        assert!(format!("{error:?}").contains("`castle`"), "{error:?}");
        let many: Vec<Sized> = (0..20).map(|n| line(&n.to_string(), &[])).collect();
        assert_eq!(chosen(&many, None).expect("some").len(), SHOWN_CLASSES);
    }

    #[test]
    fn of_equal_activations_the_first_image_is_shown() {
        assert_eq!(greatest(&[-3.0, 2.0, 5.0, 5.0]), (2, 5.0));
        assert_eq!(greatest(&[-3.0, -4.0]), (0, -3.0));
    }
}
