//! Measures `composition`: the largest weights of a probe's classes, and for each of their units the image of the probe's data
//! set that activates it most.

use std::collections::{BTreeMap, BTreeSet};

use neuronotes_core::dataset::DatasetRef;
use neuronotes_core::kind::composition::{Composed, Outcome, Params, SHOWN_CLASSES, Term, Unit};
use neuronotes_core::kind::probe;

use super::line::{Lines, Probe};
use crate::failure::Failure;
use crate::gallery::Gallery;
use crate::monitor::Progress;
use crate::table::matrix::{Columns, Matrix};
use crate::table::tie;
use crate::workbench::Workbench;

pub(crate) fn run(bench: &mut Workbench<'_>) -> Result<(), Failure> {
    let params: Params = bench.params()?;
    let probe = Probe::of(bench)?;
    let classes = chosen(&probe.lines, params.classes.as_deref())?;
    let classes: Vec<Composed> =
        classes.into_iter().map(|at| composed(&probe.lines, at, params.terms as usize)).collect();
    let units = classes.iter().flat_map(|class| &class.terms).map(|term| term.unit).collect();
    let units = strongest(bench, probe.dataset, &probe.params, units)?;
    let of = probe.lines.classes.len() as u64;
    let outcome = Outcome { layer: probe.params.layer, classes, of, units };
    bench.record.set_result(bench.store(), &outcome)?;
    Ok(())
}

/// The places of the classes of those names, in their order; or of the first ones.
fn chosen(lines: &Lines, names: Option<&[String]>) -> Result<Vec<usize>, Failure> {
    match names {
        Some(names) => names.iter().map(|name| lines.class(name)).collect(),
        None => Ok((0..lines.classes.len().min(SHOWN_CLASSES)).collect()),
    }
}

/// A class with the terms of greatest size: positive ones in falling order, then negative ones.
fn composed(lines: &Lines, class: usize, most: usize) -> Composed {
    let line = &lines.classes[class];
    let weights = line.weights.iter().filter(|one| one.weight != 0.0);
    let mut terms: Vec<Term> =
        weights.map(|one| Term { unit: one.unit, weight: one.weight }).collect();
    terms.sort_by(|a, b| b.weight.abs().total_cmp(&a.weight.abs()));
    terms.truncate(most);
    // A stable sort: both parts stay in falling order.
    terms.sort_by_key(|term| term.weight < 0.0);
    let all: f64 = lines.weights[class].iter().map(|weight| weight.abs()).sum();
    let shown: f64 = terms.iter().map(|term| term.weight.abs()).sum();
    let share = if all > 0.0 { (shown / all).min(1.0) } else { 0.0 };
    Composed { name: line.label.clone(), terms, nonzero: line.terms, share }
}

/// For each unit the image that activates it most; of equal ones that with the smallest digest of its key.
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
        let column = Vec::<f32>::try_from(column)?;
        let row = tie::greatest(&column, |row| &matrix.samples[row].key).unwrap_or_default();
        let activation = column[row];
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

#[cfg(test)]
mod tests {
    use neuronotes_core::kind::probe::{Line, Weight};

    use super::*;

    fn lines(classes: &[(&str, &[(u32, f64)])]) -> Lines {
        let line = |(label, weights): &(&str, &[(u32, f64)])| Line {
            label: (*label).to_owned(),
            train: 3,
            of: 1,
            right: 1,
            bias: 0.0,
            terms: weights.len() as u64,
            weights: weights.iter().map(|&(unit, weight)| Weight { unit, weight }).collect(),
        };
        let dense = |(_, weights): &(&str, &[(u32, f64)])| {
            let units = weights.iter().map(|(unit, _)| *unit as usize + 1).max();
            let mut row = vec![0.0; units.unwrap_or(1)];
            weights.iter().for_each(|(unit, weight)| row[*unit as usize] = *weight);
            row
        };
        Lines {
            classes: classes.iter().map(line).collect(),
            weights: classes.iter().map(dense).collect(),
            bias: vec![0.0; classes.len()],
            mean: vec![0.0; 10],
            sd: vec![1.0; 10],
        }
    }

    #[test]
    fn an_equation_has_the_greatest_weights_and_the_positive_ones_first() {
        let weights = [(3, 0.5), (1, -2.0), (7, 1.0), (9, -0.25), (4, 0.25)];
        let lines = lines(&[("piggy bank", &weights), ("nothing", &[])]);
        let first = composed(&lines, 0, 3);
        let terms: Vec<_> = first.terms.iter().map(|term| (term.unit, term.weight)).collect();
        assert_eq!(terms, [(7, 1.0), (3, 0.5), (1, -2.0)]);
        assert_eq!((first.nonzero, first.share), (5, 3.5 / 4.0));
        let empty = composed(&lines, 1, 3);
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
            let mut lines = lines(&[("a class", &own)]);
            lines.classes[0].terms = weights.iter().filter(|weight| **weight != 0.0).count() as u64;
            let found = composed(&lines, 0, golden.terms);
            let terms: Vec<_> = found.terms.iter().map(|term| (term.unit, term.weight)).collect();
            assert_eq!((terms, found.nonzero), (expected.terms.clone(), expected.nonzero));
            assert!((found.share - expected.share).abs() < 1e-12, "{found:?}");
        }
        for (unit, row) in golden.strongest.into_iter().enumerate() {
            let column: Vec<f32> = golden.activations.iter().map(|image| image[unit]).collect();
            assert_eq!(tie::greatest(&column, |_| ""), Some(row), "unit {unit}");
        }
    }

    #[test]
    fn the_classes_are_those_named_or_the_first_ones() {
        let few = lines(&[("castle", &[]), ("Cat", &[]), ("cat", &[])]);
        let named = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            chosen(&few, Some(&names))
        };
        assert_eq!(named(&["cat", "CASTLE"]).expect("both"), [2, 0]);
        let error = named(&["castel"]).expect_err("unknown");
        assert!(format!("{error:?}").contains("`castle`"), "{error:?}");
        let names: Vec<String> = (0..20).map(|n| n.to_string()).collect();
        let many: Vec<(&str, &[(u32, f64)])> =
            names.iter().map(|name| (&**name, &[][..])).collect();
        assert_eq!(chosen(&lines(&many), None).expect("some").len(), SHOWN_CLASSES);
    }
}
