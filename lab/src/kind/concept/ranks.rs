//! The AUC of every column of a table at once, for any number of labels: a table and labels in; one AUC for each labelling and
//! column out.
//!
//! Ranks do not depend on labels: each column is sorted once, and a hundred permutations of the labels are one matrix product.

use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};
use tch::{Kind, Tensor};

use crate::failure::Failure;
use crate::fit::rank::ranked;

/// Called between steps.
pub(crate) type Check<'a> = dyn FnMut() -> Result<(), Failure> + 'a;

/// Columns that are ranked before their matrix product.
const BLOCK: i64 = 128;

/// The AUC of each column of `[rows, columns]`: labels `[attempts, rows]`, 1 for positive and 0 for negative, to
/// `[attempts, columns]` in double precision. `check` is asked now and then.
///
/// # Errors
/// If the table cannot be read, or `check` says so.
pub(super) fn aucs(
    table: &Tensor,
    labels: &Tensor,
    check: &mut Check<'_>,
) -> Result<Tensor, Failure> {
    let (rows, columns) = table.size2()?;
    let labels = labels.to_kind(Kind::Double);
    let positive = labels.sum_dim_intlist([1i64].as_slice(), true, Kind::Double); // [attempts, 1]
    let negative = -&positive + rows as f64;
    // Mann and Whitney's U of the positive rows.
    let least = &positive * (&positive + 1.0) / 2.0;
    let pairs = positive * negative;
    let mut all = Vec::new();
    for start in (0..columns).step_by(BLOCK as usize) {
        check()?;
        let count = BLOCK.min(columns - start);
        let ranks = ranks(&table.narrow(1, start, count))?;
        all.push((labels.matmul(&ranks) - &least) / &pairs);
    }
    Ok(Tensor::cat(&all, 1))
}

/// The ranks of each column's numbers, from 1; equal ones have their mean rank. `[rows, columns]` to the same in double
/// precision.
fn ranks(table: &Tensor) -> Result<Tensor, Failure> {
    let (rows, columns) = table.size2()?;
    let across = table.tr().contiguous().to_kind(Kind::Float); // a column's numbers side by side
    let numbers = Vec::<f32>::try_from(across.view(-1))?;
    let ranked: Vec<Vec<f64>> = (0..columns as usize)
        .into_par_iter()
        .map(|column| ranked(&numbers[column * rows as usize..][..rows as usize]))
        .collect();
    Ok(Tensor::from_slice(&ranked.concat()).view([columns, rows]).tr())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fit::auc::area;

    /// A table of more columns than a block, with many equal numbers and both zeros.
    fn table() -> Tensor {
        let number = |at: i64| match at % 7 {
            0 => -0.0f32,
            1 => 0.0,
            n => ((at * 37 + n) % 19) as f32 - 9.5,
        };
        let numbers: Vec<f32> = (0..9 * (BLOCK + 5)).map(number).collect();
        Tensor::from_slice(&numbers).view([9, BLOCK + 5])
    }

    #[test]
    fn columns_have_the_areas_that_they_have_alone() {
        let table = table();
        let labels: [[f64; 9]; 2] =
            [[1., 1., 1., 0., 0., 0., 0., 1., 0.], [0., 1., 0., 1., 0., 1., 0., 0., 0.]];
        let found = aucs(&table, &Tensor::from_slice2(&labels), &mut || Ok(())).expect("areas");
        assert_eq!(found.size(), [2, BLOCK + 5]);
        for (attempt, labels) in labels.iter().enumerate() {
            for column in 0..BLOCK + 5 {
                let of = |label: f64| -> Vec<f64> {
                    let rows = (0..9).filter(|row| labels[*row as usize] == label);
                    rows.map(|row| table.double_value(&[row, column])).collect()
                };
                let expected = area(&of(1.0), &of(0.0)).expect("an area");
                let got = found.double_value(&[attempt as i64, column]);
                assert!((got - expected).abs() < 1e-12, "{attempt} {column}: {got} {expected}");
            }
        }
        let stopped = aucs(&table, &Tensor::from_slice2(&labels), &mut || Err(Failure::new("no")));
        assert!(stopped.is_err());
    }
}
