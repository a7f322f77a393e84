//! What the terms of a sum are chosen from: a vector of the embedding for each unit or word in; the columns of the regression out,
//! of these vectors or of random ones in their place.

use rand::Rng as _;
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use tch::{Device, Kind, Tensor};

use crate::failure::Failure;
use crate::fit::lasso::Columns;

/// A vector for each unit or word.
pub(super) struct Dictionary {
    rows: Tensor, // [terms, embedding], double precision, on the CPU
    /// If the columns are attributions: the embeddings that are attributed, `[samples, embedding]`.
    samples: Option<Tensor>,
}

impl Dictionary {
    /// Of rows, `[terms, embedding]`, and, for a contrast, the samples, `[samples, embedding]` in double precision.
    pub(super) fn new(rows: &Tensor, samples: Option<Tensor>) -> Result<Self, Failure> {
        let rows = rows.f_to_device(Device::Cpu)?.f_to_kind(Kind::Double)?;
        Ok(Self { rows, samples })
    }

    /// The columns of the regression.
    pub(super) fn columns(&self) -> Result<Columns, Failure> {
        self.read(&self.rows)
    }

    /// The same with vectors of the same lengths and random directions.
    pub(super) fn random(&self, rng: &mut ChaCha8Rng) -> Result<Columns, Failure> {
        let (terms, width) = self.rows.size2()?;
        let numbers: Vec<f64> = (0..terms * width).map(|_| rng.sample(StandardNormal)).collect();
        let drawn = Tensor::from_slice(&numbers).f_view([terms, width])?;
        let length = |rows: &Tensor| {
            rows.f_square()?.f_sum_dim_intlist([1i64].as_slice(), true, Kind::Double)?.f_sqrt()
        };
        let scale = length(&self.rows)?.f_div(&length(&drawn)?)?; // [terms, 1]
        self.read(&drawn.f_mul(&scale)?)
    }

    /// The columns of such rows: the rows themselves, or their products with the samples, centred.
    fn read(&self, rows: &Tensor) -> Result<Columns, Failure> {
        let Some(samples) = &self.samples else { return Columns::new(&rows.tr()) };
        let attributions = samples.f_matmul(&rows.tr())?; // [samples, terms]
        let mean = attributions.f_mean_dim([0i64].as_slice(), true, Kind::Double)?;
        Columns::new(&attributions.f_sub(&mean)?)
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;

    use super::*;

    fn rows() -> Tensor {
        Tensor::from_slice(&[3.0f64, 4.0, 0.0, 0.0, 0.0, 2.0]).view([2, 3])
    }

    #[test]
    fn random_vectors_are_as_long_as_those_that_they_replace() {
        let dictionary = Dictionary::new(&rows(), None).expect("a dictionary");
        let own = dictionary.columns().expect("columns");
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let first = dictionary.random(&mut rng).expect("columns");
        let second = dictionary.random(&mut rng).expect("columns");
        let length = |columns: &Columns, at: usize| {
            columns.column(at).expect("a column").iter().map(|x| x * x).sum::<f64>().sqrt()
        };
        for at in 0..2 {
            assert!((length(&first, at) - length(&own, at)).abs() < 1e-12);
            assert_ne!(first.column(at).expect("one"), own.column(at).expect("one"));
            assert_ne!(first.column(at).expect("one"), second.column(at).expect("one"));
        }
        let again = dictionary.random(&mut ChaCha8Rng::seed_from_u64(0)).expect("columns");
        assert_eq!(again.column(1).expect("one"), first.column(1).expect("one"));
    }

    #[test]
    fn attributions_are_centred_products_with_the_samples() {
        let samples = Tensor::from_slice(&[1.0f64, 0.0, 0.0, 0.0, 1.0, 1.0]).view([2, 3]);
        let columns = Dictionary::new(&rows(), Some(samples)).expect("a dictionary").columns();
        let columns = columns.expect("columns");
        // Products: 3 and 4 with the first row, 0 and 2 with the second.
        assert_eq!(columns.column(0).expect("one"), [-0.5, 0.5]);
        assert_eq!(columns.column(1).expect("one"), [-1.0, 1.0]);
    }
}
