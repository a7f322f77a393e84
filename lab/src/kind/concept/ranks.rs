//! The AUC of every column of a table at once: a table in; ranks, and from them one AUC a column for any labels, out.
//!
//! Ranks do not depend on labels, so that a hundred permutations of these are one matrix product.

use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};
use tch::{Kind, Tensor};

use crate::failure::Failure;

/// The ranks of each column's numbers, from 1; equal ones have their mean rank.
pub(crate) struct Ranks {
    /// `[rows, columns]` in double precision.
    ranks: Tensor,
}

impl Ranks {
    /// Ranks the columns of `[rows, columns]`.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub(crate) fn of(table: &Tensor) -> Result<Self, Failure> {
        let (rows, columns) = table.size2()?;
        let across = table.tr().contiguous(); // a column's numbers side by side
        let numbers = Vec::<f32>::try_from(across.to_kind(Kind::Float).view(-1))?;
        let ranked: Vec<Vec<f64>> = (0..columns as usize)
            .into_par_iter()
            .map(|column| ranked(&numbers[column * rows as usize..][..rows as usize]))
            .collect();
        let ranks = Tensor::from_slice(&ranked.concat()).view([columns, rows]).tr();
        Ok(Self { ranks })
    }

    /// The AUC of each column: labels `[attempts, rows]`, 1 for positive and 0 for negative, to `[attempts, columns]`.
    pub(crate) fn aucs(&self, labels: &Tensor) -> Tensor {
        let labels = labels.to_kind(Kind::Double);
        let rows = labels.size()[1] as f64;
        let positive = labels.sum_dim_intlist([1i64].as_slice(), true, Kind::Double); // [attempts, 1]
        let negative = -&positive + rows;
        // Mann and Whitney's U of the positive rows.
        let least = &positive * (&positive + 1.0) / 2.0;
        (labels.matmul(&self.ranks) - least) / (positive * negative)
    }
}

/// The ranks of numbers.
fn ranked(numbers: &[f32]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..numbers.len()).collect();
    order.sort_unstable_by(|&a, &b| numbers[a].total_cmp(&numbers[b]));
    let mut ranks = vec![0.0; numbers.len()];
    let mut start = 0;
    while start < order.len() {
        let same = |at: &&usize| numbers[**at] == numbers[order[start]];
        let count = order[start..].iter().take_while(same).count().max(1);
        let mean = start as f64 + (count as f64 + 1.0) / 2.0;
        order[start..start + count].iter().for_each(|&at| ranks[at] = mean);
        start += count;
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fit::auc::area;

    #[test]
    fn columns_have_the_areas_that_they_have_alone() {
        let numbers = [0.9f32, 1.0, 0.5, 1.0, 0.3, 1.0, 0.1, 2.0, 0.5, -0.0, 0.7, 0.0];
        let table = Tensor::from_slice(&numbers).view([6, 2]);
        let labels = [[1.0, 1.0, 1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 1.0, 0.0, 1.0f64]];
        let found = Ranks::of(&table).expect("ranks").aucs(&Tensor::from_slice2(&labels));
        for (attempt, labels) in labels.iter().enumerate() {
            for column in 0..2 {
                let of = |label: f64| -> Vec<f64> {
                    let rows = (0..6).filter(|row| labels[*row] == label);
                    rows.map(|row| numbers[row * 2 + column].into()).collect()
                };
                let expected = area(&of(1.0), &of(0.0)).expect("an area");
                let got = found.double_value(&[attempt as i64, column as i64]);
                assert!((got - expected).abs() < 1e-12, "{attempt} {column}: {got} {expected}");
            }
        }
    }
}
