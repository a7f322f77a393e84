//! Tests of labels on images held out: units with their labels in; for each the area under the ROC curve, how far the means are
//! apart, and how likely that is by chance, out.

use neuronotes_core::kind::labels::{Label, Row, Test};
use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};
use tch::{Kind, Tensor};

use super::chosen::{AT_ONCE, Chosen, What};
use crate::failure::Failure;
use crate::fit::formula::Shown;
use crate::fit::rank::Ranks;
use crate::fit::ranksum::{adjusted, chances, interval};
use crate::monitor::Progress;
use crate::workbench::Workbench;

/// The images held out.
pub(super) struct Judge<'a> {
    /// `[images, units]`.
    pub table: &'a Tensor,
    /// Which words they show.
    pub shown: &'a Shown,
}

/// The numbers of some columns of a table.
pub(super) fn columns_of(table: &Tensor, columns: &[usize]) -> Result<Vec<Vec<f32>>, Failure> {
    let rows = table.size()[0] as usize;
    let columns: Vec<i64> = columns.iter().map(|column| *column as i64).collect();
    let some = table.f_index_select(1, &Tensor::from_slice(&columns))?;
    let some = some.f_transpose(0, 1)?.f_to_kind(Kind::Float)?.f_contiguous()?.f_view(-1)?;
    let flat = Vec::<f32>::try_from(some)?;
    Ok(flat.chunks_exact(rows.max(1)).map(<[f32]>::to_vec).collect())
}

/// All labels, tested.
pub(super) fn judged(
    bench: &mut Workbench<'_>,
    judge: &Judge<'_>,
    texts: &[String],
    chosen: &[Chosen],
) -> Result<Vec<Row>, Failure> {
    let shown = judge.shown;
    let mut tests: Vec<Vec<Option<Found>>> = Vec::new();
    for some in chosen.chunks(AT_ONCE) {
        bench.monitor.check()?;
        bench.monitor.progress(&Progress {
            stage: "testing labels",
            step: tests.len() as u64,
            total: chosen.len() as u64,
            unit: "unit",
            picture: None,
        });
        let units: Vec<usize> = some.iter().map(|chosen| chosen.unit).collect();
        let numbers = columns_of(judge.table, &units)?;
        let pairs: Vec<(&Chosen, Vec<f32>)> = some.iter().zip(numbers).collect();
        let found = pairs.into_par_iter().map(|(chosen, numbers)| {
            let ranks = Ranks::of(&numbers);
            let test = |(what, _): &(What, f64)| Found::of(shown, what, &ranks, &numbers);
            chosen.labels.iter().map(test).collect::<Vec<_>>()
        });
        tests.extend(found.collect::<Vec<_>>());
    }
    let distances: Vec<f64> = tests.iter().flatten().flatten().map(|found| found.z).collect();
    let p = chances(&distances)?;
    let mut with = p.iter().copied().zip(adjusted(&p));
    let rows = chosen.iter().zip(tests).map(|(chosen, tests)| {
        let labels = chosen.labels.iter().zip(tests).map(|((what, score), found)| Label {
            label: what.text(texts),
            score: *score,
            test: found.and_then(|found| Some(found.test(judge.shown.count(), with.next()?))),
        });
        Row { unit: chosen.unit as u32, labels: labels.collect() }
    });
    Ok(rows.collect())
}

/// A test before its p-value is known.
struct Found {
    images: usize,
    area: f64,
    z: f64,
    mad: Option<f64>,
}

impl Found {
    fn test(&self, all: usize, (p, q): (f64, f64)) -> Test {
        let (low, high) = interval(self.area, self.images, all - self.images);
        Test { images: self.images as u64, auc: self.area, low, high, mad: self.mad, p, q }
    }
}

impl Found {
    /// The test of a label by the images of `shown`.
    fn of(shown: &Shown, what: &What, ranks: &Ranks, numbers: &[f32]) -> Option<Self> {
        let of_formula;
        let images = match what {
            What::Word(word) => shown.images(*word),
            What::Formula(formula) => {
                of_formula = shown.holds(formula);
                &of_formula
            }
        };
        let (area, z) = ranks.told(images)?;
        Some(Self { images: images.len(), area, z, mad: apart(images, numbers) })
    }
}

/// The mean for some images less that for the others, in standard deviations of the others (of the population).
fn apart(images: &[u32], numbers: &[f32]) -> Option<f64> {
    let number = |at: usize| f64::from(numbers[at]);
    let own: f64 = images.iter().map(|image| number(*image as usize)).sum();
    let mut others = vec![true; numbers.len()];
    images.iter().for_each(|image| others[*image as usize] = false);
    let others: Vec<f64> = (0..numbers.len()).filter(|at| others[*at]).map(number).collect();
    let found = crate::table::summary(&others);
    (found.sd > 0.0).then(|| (own / images.len() as f64 - found.mean) / found.sd)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_are_apart_in_deviations_of_the_others() {
        // The others are 0, 2 and 4: mean 2, deviation √(8/3).
        let found = apart(&[1, 3], &[0.0, 5.0, 2.0, 7.0, 4.0]).expect("they vary");
        assert!((found - 4.0 / (8.0f64 / 3.0).sqrt()).abs() < 1e-12, "{found}");
        assert_eq!(apart(&[0], &[1.0, 2.0, 2.0]), None);
    }

    #[test]
    fn a_word_that_a_unit_was_made_for_passes_and_one_of_chance_does_not() {
        let count = 60u32;
        let own: Vec<u32> = (0..count).filter(|image| image % 5 == 0).collect();
        let chance: Vec<u32> = (0..count).filter(|image| image % 7 == 3).collect();
        let shown = Shown::of(vec![own.clone(), chance, vec![]], count as usize);
        let numbers: Vec<f32> = (0..count)
            .map(|image| {
                let noise = ((image * 37) % 11) as f32;
                if own.contains(&image) { noise + 8.0 } else { noise }
            })
            .collect();
        let table = Tensor::from_slice(&numbers).view([-1, 1]);
        let ranks = Ranks::of(&numbers);
        let test = |word| Found::of(&shown, &What::Word(word), &ranks, &numbers);
        let own = test(0).expect("a test");
        assert!(own.area > 0.9 && own.z > 4.0 && own.mad.expect("apart") > 1.5);
        assert!(test(1).expect("a test").z < 2.0);
        assert!(test(2).is_none(), "no image shows it");
        let columns = columns_of(&table, &[0]).expect("a column");
        assert_eq!(columns, [numbers]);
    }
}
