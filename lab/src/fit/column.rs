//! Statistics of columns: a matrix of samples and variables in; for each variable its moments and its largest values out.

use std::cmp::Ordering;

use rayon::iter::{IntoParallelIterator as _, ParallelExtend as _, ParallelIterator as _};
use rayon::slice::ParallelSlice as _;
use tch::{Kind, Tensor};

use crate::failure::Failure;

/// Columns that are copied out at once.
const AT_ONCE: i64 = 64;

/// A column of a matrix.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Column {
    /// Its mean.
    pub mean: f64,
    /// Its standard deviation, of the population; exactly 0 if all its values are equal.
    pub sd: f64,
    /// Its excess kurtosis; 0 if all its values are equal.
    pub kurtosis: f64,
    /// Its largest value.
    pub max: f64,
    /// The rows with its largest values, the largest first; of equal ones that with the smaller tie-breaker goes first.
    pub largest: Vec<usize>,
}

impl Column {
    /// The statistics of a column and its `count` largest values; all zero if it has no values. `ties` says which row goes first of
    /// two with equal values: the one with the smaller number.
    pub(crate) fn of(values: &[f32], count: usize, ties: &[u32]) -> Self {
        let number = |value: &f32| f64::from(*value);
        let rows = values.len().max(1) as f64;
        let mean = values.iter().map(number).sum::<f64>() / rows;
        let power = |n| values.iter().map(|x| (number(x) - mean).powi(n)).sum::<f64>() / rows;
        let largest = largest(values, count, ties);
        let max = largest.first().map_or(0.0, |&row| number(&values[row]));
        // Rounding leaves a mean of equal values a little beside them.
        let varies = values.iter().any(|value| value != &values[0]);
        let sd = if varies { power(2).sqrt() } else { 0.0 };
        let kurtosis = if sd > 0.0 { power(4) / sd.powi(4) - 3.0 } else { 0.0 };
        Self { mean, sd, kurtosis, max, largest }
    }

    /// Whether its values differ.
    pub(crate) fn varies(&self) -> bool {
        self.sd > 0.0
    }
}

/// The rows of the `count` largest values, the largest first; of equal ones that with the smaller number of `ties` goes first.
fn largest(values: &[f32], count: usize, ties: &[u32]) -> Vec<usize> {
    let order = |a: &usize, b: &usize| -> Ordering {
        // -0 equals 0.
        (values[*b] + 0.0).total_cmp(&(values[*a] + 0.0)).then(ties[*a].cmp(&ties[*b]))
    };
    let mut rows: Vec<usize> = (0..values.len()).collect();
    if count < rows.len() {
        rows.select_nth_unstable_by(count, order);
        rows.truncate(count);
    }
    rows.sort_unstable_by(order);
    rows
}

/// The statistics of each column of `[rows, columns]` in single precision on the processor, and the rows of its `count`
/// largest values; of equal ones, that with the smaller number of `ties` goes first, one for each row. `watch` is told how many
/// columns are done.
///
/// # Errors
/// If memory runs out, or `watch` fails.
pub(crate) fn columns(
    matrix: &Tensor,
    (count, ties): (usize, &[u32]),
    mut watch: impl FnMut(usize) -> Result<(), Failure>,
) -> Result<Vec<Column>, Failure> {
    let (rows, all) = matrix.size2()?;
    let mut found: Vec<Column> = Vec::new();
    for start in (0..all).step_by(AT_ONCE as usize) {
        watch(found.len())?;
        let part = matrix.f_narrow(1, start, AT_ONCE.min(all - start))?;
        let part = part.f_transpose(0, 1)?.f_to_kind(Kind::Float)?.f_contiguous()?;
        let values = Vec::<f32>::try_from(part.f_view(-1)?)?;
        let some = values.par_chunks_exact((rows as usize).max(1));
        found.par_extend(some.map(|column| Column::of(column, count, ties)));
    }
    Ok(found)
}

/// The Pearson correlation of each column of `[rows, columns]` with a variable of as many values; `None` where one of the two is
/// constant.
///
/// # Errors
/// If memory runs out.
pub(crate) fn correlations_with(
    matrix: &Tensor,
    columns: &[Column],
    variable: &[f64],
) -> Result<Vec<Option<f64>>, Failure> {
    let rows = variable.len().max(1) as f64;
    let mean = variable.iter().sum::<f64>() / rows;
    let sd = (variable.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / rows).sqrt();
    let varies = sd > 0.0 && variable.iter().any(|x| x != &variable[0]);
    let centred: Vec<f64> = variable.iter().map(|x| x - mean).collect();
    let mut products = vec![0.0; columns.len()];
    for (start, part) in blocks(matrix)? {
        let weights = &centred[start..start + part.size()[0] as usize];
        let weights = Tensor::from_slice(weights).unsqueeze(0); // [1, rows of the block]
        let of_block = weights.f_matmul(&part.f_to_kind(Kind::Double)?)?; // [1, columns]
        let of_block = Vec::<f64>::try_from(of_block.f_view(-1)?)?;
        products.iter_mut().zip(of_block).for_each(|(sum, more)| *sum += more);
    }
    let one = |(product, column): (f64, &Column)| {
        let found = product / (rows * sd * column.sd);
        (varies && column.varies()).then(|| found.clamp(-1.0, 1.0))
    };
    Ok(products.into_iter().zip(columns).map(one).collect())
}

/// The Pearson correlations of the columns of `[rows, columns]` with each other: `[columns, columns]` in double precision. Those
/// of a constant column are 0. `watch` is told how many rows are done.
///
/// # Errors
/// If memory runs out, or `watch` fails.
pub(crate) fn correlations(
    matrix: &Tensor,
    columns: &[Column],
    mut watch: impl FnMut(usize) -> Result<(), Failure>,
) -> Result<Tensor, Failure> {
    let rows = matrix.size()[0];
    let means: Vec<f64> = columns.iter().map(|column| column.mean).collect();
    let scale = |column: &Column| if column.varies() { column.sd.recip() } else { 0.0 };
    let scales: Vec<f64> = columns.iter().map(scale).collect();
    let (means, scales) = (Tensor::from_slice(&means), Tensor::from_slice(&scales)); // [columns]
    let count = columns.len() as i64;
    let mut sum = Tensor::f_zeros([count, count], (Kind::Double, matrix.device()))?;
    for (start, part) in blocks(matrix)? {
        watch(start)?;
        let part = (part.f_to_kind(Kind::Double)? - &means) * &scales;
        sum = sum.f_addmm_(&part.f_transpose(0, 1)?, &part)?;
    }
    Ok((sum / rows.max(1) as f64).f_clamp_(-1.0, 1.0)?)
}

/// Rows of a matrix, some at a time, each with the number of its first.
fn blocks(matrix: &Tensor) -> Result<Vec<(usize, Tensor)>, Failure> {
    const ROWS: i64 = 4096;
    let all = matrix.size()[0];
    let block =
        |start: i64| Ok((start as usize, matrix.f_narrow(0, start, ROWS.min(all - start))?));
    (0..all).step_by(ROWS as usize).map(block).collect()
}

/// For each of `count` things, the `most` nearest others by a distance, the nearest first; of equal ones the earlier goes
/// first.
pub(crate) fn nearest(
    count: usize,
    most: usize,
    distance: impl Fn(usize, usize) -> f64 + Sync,
) -> Vec<Vec<usize>> {
    let of_one = |own: usize| {
        let mut others: Vec<(f64, usize)> = (0..count)
            .filter(|other| *other != own)
            .map(|other| (distance(own, other), other))
            .collect();
        let order = |a: &(f64, usize), b: &(f64, usize)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
        if most < others.len() {
            others.select_nth_unstable_by(most, order);
            others.truncate(most);
        }
        others.sort_unstable_by(order);
        others.into_iter().map(|(_, other)| other).collect()
    };
    (0..count).into_par_iter().map(of_one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_has_the_moments_computed_by_hand() {
        // Distances from the mean, 1, are −1 three times, and 3.
        let column = Column::of(&[0.0, 4.0, -0.0, 0.0], 3, &[1, 3, 0, 2]);
        assert_eq!((column.mean, column.max), (1.0, 4.0));
        assert!((column.sd - 3f64.sqrt()).abs() < 1e-12);
        assert!((column.kurtosis + 2.0 / 3.0).abs() < 1e-12, "{}", column.kurtosis);
        assert_eq!(column.largest, [1, 2, 0], "equal values are in the order of their ties");
        let constant = Column::of(&[0.1; 7], 2, &[0; 7]);
        assert_eq!((constant.sd, constant.kurtosis, constant.varies()), (0.0, 0.0, false));
        assert_eq!(Column::of(&[], 2, &[]).largest, [0usize; 0]);
    }

    #[test]
    fn correlations_are_those_of_pairs_and_constant_columns_have_none() {
        let values = [1.0f32, 2.0, 5.0, 2.0, 4.0, 5.0, 3.0, 1.0, 5.0, 4.0, 3.0, 5.0];
        let matrix = Tensor::from_slice(&values).view([4, 3]);
        let columns = columns(&matrix, (1, &[0; 4]), |_| Ok(())).expect("columns");
        let found = correlations(&matrix, &columns, |_| Ok(())).expect("correlations");
        // Of (1, 2, 3, 4) and (2, 4, 1, 3): the sum of products of distances is 0, by hand.
        assert!((found.double_value(&[0, 1])).abs() < 1e-12);
        assert!((found.double_value(&[0, 0]) - 1.0).abs() < 1e-12);
        assert_eq!(found.double_value(&[2, 2]), 0.0);
        let with = correlations_with(&matrix, &columns, &[2.0, 4.0, 6.0, 9.0]).expect("numbers");
        // Sums of products of distances: 11.5, and 5 and 26.75 of squares.
        let expected = 11.5 / (5.0f64 * 26.75).sqrt();
        assert!((with[0].expect("a number") - expected).abs() < 1e-12, "{with:?}");
        assert_eq!(with[2], None);
        let constant = correlations_with(&matrix, &columns, &[1.0; 4]).expect("numbers");
        assert_eq!(constant, [None; 3]);
    }

    #[test]
    fn the_nearest_come_first_and_equal_ones_in_their_order() {
        let at = [0.0f64, 1.0, 3.0, -1.0];
        let found = nearest(4, 2, |a, b| (at[a] - at[b]).abs());
        assert_eq!(found, [vec![1, 3], vec![0, 2], vec![1, 0], vec![0, 1]]);
    }
}
