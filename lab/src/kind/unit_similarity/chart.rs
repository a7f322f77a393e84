//! A map: the units of a layer on a plane, similar ones close.

use std::collections::BTreeMap;

use neuronotes_core::kind::unit_similarity::{
    Chart, FEWEST, LEAST_PERPLEXITY, Method, NEAREST, Params, Point, Tally,
};
use tch::Tensor;

use super::super::rows::label;
use super::super::sheet::Images;
use super::groups;
use crate::failure::Failure;
use crate::fit::cluster::clusters;
use crate::fit::column::{Column, correlations, nearest};
use crate::fit::pca::components;
use crate::fit::tsne::{Things, layout};
use crate::monitor::Progress;
use crate::table::matrix::Matrix;
use crate::workbench::Workbench;

/// Measures the map.
///
/// # Errors
/// If too few units vary, or t-SNE diverges.
pub(super) fn measure(
    bench: &mut Workbench<'_>,
    params: &Params,
    all: &Matrix,
    columns: &[Column],
) -> Result<Chart, Failure> {
    let name = bench.request.inputs.place_name(&params.layer);
    let (shown, mut left_out) = varying(columns, name)?;
    left_out.retain(|unit| !all.is_spoiled(*unit));
    let products = products(bench, all, columns, &shown)?;
    let placed = Placed::of(bench, params, &products)?;
    let mut images = Images::default();
    let labels: Vec<Option<(&str, u32)>> =
        shown.iter().map(|unit| label(all, &columns[*unit])).collect();
    let mut units: BTreeMap<&str, u64> = BTreeMap::new();
    for (label, _) in labels.iter().flatten() {
        *units.entry(label).or_default() += 1;
    }
    let tally = |(label, units): (&str, u64)| Tally { label: label.to_owned(), units };
    let mut tallies: Vec<Tally> = units.into_iter().map(tally).collect();
    tallies.sort_by_key(|tally| std::cmp::Reverse(tally.units));
    let mut points = Vec::new();
    for ((&unit, place), label) in shown.iter().zip(&placed.places).zip(&labels) {
        let column = &columns[unit];
        let index = |label: &str| tallies.iter().position(|tally| tally.label == *label);
        let strongest = column.largest.first().copied().unwrap_or_default();
        points.push(Point {
            unit: unit as u32,
            x: place[0],
            y: place[1],
            kurtosis: column.kurtosis,
            deviations: (column.max - column.mean) / column.sd,
            label: label.and_then(|(label, _)| index(label)).map(|at| at as u32),
            votes: label.map_or(0, |(_, votes)| votes),
            group: None,
            tile: images.add(strongest),
        });
    }
    let sheet = images.sheet(bench, all)?;
    let groups = match params.groups {
        None => Vec::new(),
        Some(count) => {
            bench.monitor.progress(&Progress::beginning("grouping units"));
            let found = grouped(&products, count as usize, name)?;
            groups::named(&found, &tallies, &sheet, &mut points)
        }
    };
    Ok(Chart {
        method: placed.method,
        perplexity: placed.perplexity,
        divergence: placed.divergence,
        settled: placed.settled,
        explained: placed.explained,
        kept: kept(&products, &placed.places),
        left_out: left_out.into_iter().map(|unit| unit as u32).collect(),
        labels: tallies,
        groups,
        points,
        sheet,
    })
}

/// The units with more than one activation, and the others.
///
/// # Errors
/// If there are too few for a map.
fn varying(columns: &[Column], place: &str) -> Result<(Vec<usize>, Vec<usize>), Failure> {
    let (shown, left_out): (Vec<usize>, Vec<usize>) =
        (0..columns.len()).partition(|unit| columns[*unit].varies());
    if shown.len() < FEWEST {
        let message = format!(
            "a map needs at least {FEWEST} units with more than one activation, and `{place}` has {} over this data set",
            shown.len()
        );
        return Err(Failure::new(message).hint("use another layer, or a larger data set"));
    }
    Ok((shown, left_out))
}

/// The group of each unit, the largest group first.
///
/// # Errors
/// If there are fewer units than groups.
fn grouped(products: &Products, count: usize, place: &str) -> Result<Vec<usize>, Failure> {
    if count > products.count {
        let message = format!(
            "`{place}` has {} units with more than one activation, too few for {count} groups",
            products.count
        );
        return Err(Failure::new(message).hint("ask for fewer `groups`, or use another layer"));
    }
    Ok(clusters(products.count, count, |a, b| products.distance(a, b)))
}

/// The correlations of the units that are shown.
struct Products {
    count: usize,
    /// `[count, count]`, row by row.
    flat: Vec<f64>,
}

impl Products {
    fn of(matrix: &Tensor) -> Result<Self, Failure> {
        let count = matrix.size()[0] as usize;
        let flat = Vec::try_from(matrix.f_contiguous()?.f_view(-1)?)?;
        Ok(Self { count, flat })
    }

    fn matrix(&self) -> Tensor {
        Tensor::from_slice(&self.flat).view([self.count as i64; 2])
    }

    /// The distance of two units' standardised activations, divided by the root of the number of images.
    fn distance(&self, a: usize, b: usize) -> f64 {
        (2.0 - 2.0 * self.flat[a * self.count + b]).max(0.0).sqrt()
    }
}

fn products(
    bench: &mut Workbench<'_>,
    all: &Matrix,
    columns: &[Column],
    shown: &[usize],
) -> Result<Products, Failure> {
    let count = all.samples.len();
    let found = correlations(&all.rows, columns, |done| {
        bench.monitor.check()?;
        bench.monitor.progress(&progress("correlating units", done, count, "image"));
        Ok(())
    })?;
    let shown: Vec<i64> = shown.iter().map(|&unit| unit as i64).collect();
    let shown = Tensor::from_slice(&shown);
    Products::of(&found.f_index_select(0, &shown)?.f_index_select(1, &shown)?)
}

fn progress<'a>(stage: &'a str, step: usize, total: usize, unit: &'a str) -> Progress<'a> {
    Progress { stage, step: step as u64, total: total as u64, unit, picture: None }
}

/// Places on a plane, and how good they are.
struct Placed {
    method: Method,
    places: Vec<[f64; 2]>,
    perplexity: Option<f64>,
    divergence: Option<f64>,
    settled: Option<f64>,
    explained: Option<[f64; 2]>,
}

impl Placed {
    fn of(
        bench: &mut Workbench<'_>,
        params: &Params,
        products: &Products,
    ) -> Result<Self, Failure> {
        bench.monitor.progress(&Progress::beginning("looking for principal components"));
        let components = components(&products.matrix()).map_err(|failure| {
            failure.hint("all units have the same activations, up to their scale")
        })?;
        let perplexity = perplexity(params.perplexity, products.count);
        let Some(perplexity) = perplexity.filter(|_| params.method == Method::Tsne) else {
            return Ok(Self {
                method: Method::Pca,
                places: components.places,
                perplexity: None,
                divergence: None,
                settled: None,
                explained: Some(components.explained),
            });
        };
        let most = ((3.0 * perplexity) as usize).min(products.count - 1);
        let near = nearest(products.count, most, |a, b| products.distance(a, b));
        let neighbours: Vec<Vec<(usize, f64)>> = near
            .into_iter()
            .enumerate()
            .map(|(own, some)| {
                some.into_iter().map(|other| (other, products.distance(own, other))).collect()
            })
            .collect();
        let things = Things {
            neighbours: &neighbours,
            start: &components.places,
            perplexity,
            steps: params.steps as usize,
        };
        let layout = layout(things, |step| {
            bench.monitor.check()?;
            let total = params.steps as usize;
            bench.monitor.progress(&progress("laying out units", step, total, "step"));
            Ok(())
        })?;
        Ok(Self {
            method: Method::Tsne,
            places: layout.places,
            perplexity: Some(perplexity),
            divergence: Some(layout.divergence),
            settled: Some(layout.settled),
            explained: None,
        })
    }
}

/// The perplexity for that many units: a third of the others at most; `None` if that is less than t-SNE can do with.
fn perplexity(wanted: f64, units: usize) -> Option<f64> {
    let most = (units.saturating_sub(1) / 3) as f64;
    (most >= LEAST_PERPLEXITY).then(|| wanted.min(most))
}

/// The mean fraction of each unit's nearest by correlation that are among as many nearest on the map.
fn kept(products: &Products, places: &[[f64; 2]]) -> f64 {
    let most = NEAREST.min(products.count.saturating_sub(1));
    let apart =
        |a: usize, b: usize| (places[a][0] - places[b][0]).hypot(places[a][1] - places[b][1]);
    let before = nearest(products.count, most, |a, b| products.distance(a, b));
    let after = nearest(products.count, most, apart);
    let both = before
        .iter()
        .zip(&after)
        .map(|(before, after)| before.iter().filter(|unit| after.contains(unit)).count());
    both.sum::<usize>() as f64 / (products.count * most).max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constant_units_are_left_out_and_a_map_of_two_is_an_error() {
        let column = |values: [f32; 3]| Column::of(&values, 1, &[0, 1, 2]);
        let mut all = vec![column([1.0, 2.0, 3.0]), column([1.0; 3]), column([2.0, 0.0, 1.0])];
        let Failure::Failed { message, hint, .. } = varying(&all, "the layer").expect_err("two")
        else {
            panic!("a failure");
        };
        assert!(message.contains("`the layer` has 2") && hint.is_some(), "{message}");
        all.push(column([0.0, 0.0, 1.0]));
        assert_eq!(varying(&all, "the layer").expect("three"), (vec![0, 2, 3], vec![1]));
        let products = Products { count: 3, flat: vec![1.0; 9] };
        let failure = grouped(&products, 4, "the layer").expect_err("four groups of three");
        let Failure::Failed { message, hint, .. } = failure else { panic!("a failure") };
        assert!(message.contains("`the layer` has 3") && hint.is_some(), "{message}");
    }

    #[test]
    fn few_units_have_a_lower_perplexity_and_very_few_have_none() {
        assert_eq!(perplexity(30.0, 2560), Some(30.0));
        assert_eq!(perplexity(30.0, 31), Some(10.0));
        assert_eq!(perplexity(30.0, 7), Some(2.0));
        assert_eq!([perplexity(30.0, 6), perplexity(30.0, 3), perplexity(30.0, 0)], [None; 3]);
    }

    #[test]
    fn a_map_that_keeps_neighbours_keeps_all_of_them_and_one_that_mixes_them_does_not() {
        // Twenty-four units on a half circle: neighbours are correlated most.
        let angle = |unit: usize| unit as f64 * std::f64::consts::PI / 24.0;
        let r = |a: usize, b: usize| (angle(a) - angle(b)).cos();
        let flat: Vec<f64> = (0..24 * 24).map(|at| r(at / 24, at % 24)).collect();
        let products = Products::of(&Tensor::from_slice(&flat).view([24, 24])).expect("a matrix");
        let circle: Vec<[f64; 2]> =
            (0..24).map(|unit| [angle(unit).cos(), angle(unit).sin()]).collect();
        assert!(kept(&products, &circle) > 0.999);
        let mixed: Vec<[f64; 2]> = (0..24).map(|unit| [((unit * 7) % 24) as f64, 0.0]).collect();
        let share = kept(&products, &mixed);
        assert!((0.2..0.7).contains(&share), "{share}");
    }
}
