//! Measures `unit_quality`: how alike the images are that activate each unit of a layer, by stored scans.

use std::collections::BTreeMap;

use neuronotes_core::kind::unit_quality::{Outcome, Params, Point};
use neuronotes_core::kind::unit_similarity::Tally;
use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};
use tch::{Kind, Tensor};

use super::rows::label;
use super::sheet::Images;
use crate::failure::Failure;
use crate::fit::column::{Column, columns};
use crate::fit::gram::Gram;
use crate::fit::weighted::mean_cosines;
use crate::group::embedding_rows;
use crate::monitor::Progress;
use crate::table::matrix::{Columns, Matrix};
use crate::table::tie;
use crate::workbench::Workbench;

/// The fewest units that vary: a plot of one says nothing of a layer, and it would have no twin.
const FEWEST: usize = 2;

pub(crate) fn run(bench: &mut Workbench<'_>) -> Result<(), Failure> {
    let params: Params = bench.params()?;
    let dataset = bench.dataset()?;
    let mut matrix = Matrix::read(bench, dataset, Columns::Units(&params.layer, params.pool))?;
    matrix.tell(bench, dataset)?;
    let embeddings = embedding_rows(bench, dataset)?; // [images, width]
    let strongest = params.strongest as usize;
    let images = matrix.samples.len();
    if images <= strongest {
        let message = format!("`strongest` is {strongest}, but the data set has {images} images");
        return Err(
            Failure::new(message).hint("set a smaller `strongest`, or use a larger data set")
        );
    }
    let units = matrix.rows.size()[1] as usize;
    let ties = tie::places(&matrix.samples, |sample| &sample.key);
    let all = columns(&matrix.rows, (strongest, &ties), |done| {
        bench.monitor.check()?;
        report(bench, "reading activations", done, units, "unit");
        Ok(())
    })?;
    let (shown, mut left_out): (Vec<usize>, Vec<usize>) =
        (0..units).partition(|unit| all[*unit].varies());
    left_out.retain(|unit| !matrix.is_spoiled(*unit));
    if shown.len() < FEWEST {
        let name = bench.request.inputs.place_name(&params.layer);
        let message = format!("`{name}` has {} units that vary over this data set", shown.len());
        return Err(Failure::new(message).hint("use another layer, or a larger data set"));
    }
    let baseline = mean_of_pairs(&embeddings)?;
    let weighted = mean_cosines(&matrix.rows, &embeddings, |done| {
        bench.monitor.check()?;
        report(bench, "weighting images", done, images, "image");
        Ok(())
    })?;
    let scores = Scores::of(&embeddings, &all, &shown, params.seed)?;
    let mut sheet = Images::default();
    let labels: Vec<Option<(&str, u32)>> =
        shown.iter().map(|unit| label(&matrix, &all[*unit])).collect();
    let tallies = tallied(&labels);
    let points = shown.iter().zip(&scores.0).zip(&labels).map(|((&unit, score), label)| {
        let index = |label: &str| tallies.iter().position(|tally| tally.label == *label);
        Point {
            unit: unit as u32,
            clarity: score.clarity,
            polysemanticity: score.polysemanticity,
            monosemanticity: weighted[unit],
            redundancy: score.redundancy,
            twin: score.twin as u32,
            label: label.and_then(|(label, _)| index(label)).map(|at| at as u32),
            votes: label.map_or(0, |(_, votes)| votes),
            tile: sheet.add(all[unit].largest.first().copied().unwrap_or_default()),
        }
    });
    let points: Vec<Point> = points.collect();
    let outcome = Outcome {
        count: images as u64,
        units: units as u64,
        baseline,
        left_out: left_out.into_iter().map(|unit| unit as u32).collect(),
        spoiled: matrix.spoiled.clone(),
        labels: tallies,
        points,
        sheet: sheet.sheet(bench, &matrix)?,
    };
    bench.record.set_result(bench.store(), &outcome)?;
    Ok(())
}

fn report(bench: &mut Workbench<'_>, stage: &str, step: usize, total: usize, unit: &str) {
    let (step, total) = (step as u64, total as u64);
    bench.monitor.progress(&Progress { stage, step, total, unit, picture: None });
}

/// The labels by the number of their units, the most frequent first.
fn tallied(labels: &[Option<(&str, u32)>]) -> Vec<Tally> {
    let mut units: BTreeMap<&str, u64> = BTreeMap::new();
    for (label, _) in labels.iter().flatten() {
        *units.entry(label).or_default() += 1;
    }
    let tally = |(label, units): (&str, u64)| Tally { label: label.to_owned(), units };
    let mut tallies: Vec<Tally> = units.into_iter().map(tally).collect();
    tallies.sort_by_key(|tally| std::cmp::Reverse(tally.units));
    tallies
}

/// The mean cosine of all pairs of rows of length 1.
fn mean_of_pairs(rows: &Tensor) -> Result<f64, Failure> {
    let count = rows.size()[0] as f64;
    let sum = rows.f_sum_dim_intlist([0i64].as_slice(), false, Kind::Double)?;
    let squares = sum.f_dot(&sum)?.f_double_value(&[])?;
    Ok((squares - count) / (count * (count - 1.0)))
}

/// The scores of a unit that follow from its strongest images.
#[derive(Debug, Clone, PartialEq)]
struct Score {
    clarity: f64,
    polysemanticity: f64,
    redundancy: f64,
    twin: usize,
}

#[derive(Debug)]
struct Scores(Vec<Score>);

impl Scores {
    /// Of some units, given the strongest images of all.
    fn of(
        embeddings: &Tensor,
        columns: &[Column],
        units: &[usize],
        seed: u64,
    ) -> Result<Self, Failure> {
        let mut grams = Vec::new();
        let mut means = Vec::new();
        for unit in units {
            let rows: Vec<i64> = columns[*unit].largest.iter().map(|row| *row as i64).collect();
            let vectors = embeddings.f_index_select(0, &Tensor::from_slice(&rows))?;
            let vectors = vectors.f_to_kind(Kind::Double)?; // [strongest, width]
            let products = vectors.f_matmul(&vectors.f_transpose(0, 1)?)?;
            grams.push(Vec::<f64>::try_from(products.f_view(-1)?)?);
            means.push(vectors.f_sum_dim_intlist([0i64].as_slice(), false, Kind::Double)?);
        }
        let means = Tensor::f_stack(&means, 0)?; // [units, width]
        let lengths = means.norm_scalaropt_dim(2, [1i64].as_slice(), true);
        let means = means.f_div(&lengths.f_clamp_min(1e-12)?)?;
        let mut cosines = means.f_matmul(&means.f_transpose(0, 1)?)?;
        // A unit is not its own twin.
        let (nearest, twins) = cosines.f_fill_diagonal_(-2.0, false)?.f_max_dim(1, false)?;
        let (nearest, twins) = (Vec::<f64>::try_from(nearest)?, Vec::<i64>::try_from(twins)?);
        let count = columns[units[0]].largest.len();
        let from_gram = |products: &Vec<f64>| {
            let gram = Gram::of(count, products)?;
            Some((gram.clarity(), gram.polysemanticity(seed)))
        };
        let found: Option<Vec<(f64, f64)>> = grams.par_iter().map(from_gram).collect();
        let found = found.ok_or_else(|| Failure::new("there are too few images to compare"))?;
        let with = found.into_iter().zip(nearest.into_iter().zip(twins));
        let score = |((clarity, polysemanticity), (redundancy, twin)): ((f64, f64), (f64, i64))| {
            Score { clarity, polysemanticity, redundancy, twin: units[twin as usize] }
        };
        Ok(Self(with.map(score).collect()))
    }
}

#[cfg(test)]
mod tests {
    use rand::{Rng as _, SeedableRng as _};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn a_unit_of_one_thing_is_clear_one_of_two_is_not_and_twins_are_found() {
        const WIDTH: usize = 12;
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        // Images of two things, 0 to 9 and 10 to 19, and of anything.
        let mut numbers = Vec::new();
        for image in 0..60 {
            for at in 0..WIDTH {
                let noise = 0.1 * rng.sample::<f64, _>(rand_distr::StandardNormal);
                let thing = usize::from(image < 10 && at == 0)
                    + usize::from((10..20).contains(&image) && at == 1);
                let anything = if image >= 20 && at == image % WIDTH { 1.0 } else { 0.0 };
                numbers.push((noise + thing as f64 + anything) as f32);
            }
        }
        let rows = Tensor::from_slice(&numbers).view([60, WIDTH as i64]);
        let rows = &rows / rows.norm_scalaropt_dim(2, [1i64].as_slice(), true);
        let column =
            |largest: Vec<usize>| Column { mean: 0.0, sd: 1.0, kurtosis: 0.0, max: 1.0, largest };
        let columns = [
            column((0..8).collect()),
            column((0..8).map(|at| at + 6).collect()),
            column((2..10).collect()),
            column((20..28).collect()),
        ];
        let found = Scores::of(&rows, &columns, &[0, 1, 2, 3], 0).expect("scores").0;
        assert!(found[0].clarity > 0.8 && found[2].clarity > 0.8, "{found:?}");
        assert!(found[1].clarity < 0.6 && found[1].polysemanticity > 0.7, "{found:?}");
        assert!(found[0].polysemanticity < 0.2, "{found:?}");
        assert_eq!((found[0].twin, found[2].twin), (2, 0));
        assert!(found[0].redundancy > 0.98 && found[3].redundancy < 0.5, "{found:?}");
        // Only some of the units are of the plot, and twins are named by their own numbers.
        let some = Scores::of(&rows, &columns, &[0, 2], 0).expect("scores").0;
        assert_eq!((some[0].twin, some[1].twin), (2, 0));
        let all = mean_of_pairs(&rows).expect("a mean");
        assert!(all < found[1].clarity && all > -0.1, "{all}");
    }
}
