//! A sparse regression at one penalty: its weights and how exact they are, and the scores that these give to images.

use std::collections::BTreeSet;

use rayon::iter::{
    IndexedParallelIterator as _, IntoParallelRefIterator as _, ParallelIterator as _,
};
use rayon::slice::ParallelSliceMut as _;
use tch::Tensor;

use super::view::{add, numbers};
use crate::failure::Failure;

/// Images whose scores are computed at once, so that they stay in the cache.
const IMAGES: usize = 4096;

/// A class's weights other than zero, by unit.
pub type Sparse = Vec<(u32, f64)>;

/// The regression at one penalty.
#[derive(Debug, Clone)]
pub struct Point {
    /// The penalty, λ.
    pub strength: f64,
    /// Each class's weights other than zero: unit and weight in standardised units, by unit.
    pub weights: Vec<Sparse>,
    /// Each class's bias.
    pub biases: Vec<f64>,
    /// The objective.
    pub value: f64,
    /// The duality gap relative to the loss without weights.
    pub gap: f64,
    /// Steps.
    pub steps: u32,
    /// Whether the gap is within the tolerance.
    pub converged: bool,
}

impl Point {
    /// The number of weights other than zero, for each class on average.
    pub fn terms(&self) -> f64 {
        self.weights.iter().map(Vec::len).sum::<usize>() as f64 / self.weights.len().max(1) as f64
    }

    /// The scores, `[classes, images]`, of standardised columns, `[units, images]`.
    ///
    /// # Errors
    /// If memory runs out.
    pub fn scores(&self, columns: &Tensor) -> Result<Tensor, Failure> {
        scores(columns, &self.weights, &self.biases)
    }
}

/// The scores, `[classes, images]`, of standardised columns, `[units, images]`, for weights and a bias of each class.
///
/// # Errors
/// If memory runs out.
pub(super) fn scores(
    columns: &Tensor,
    weights: &[Sparse],
    biases: &[f64],
) -> Result<Tensor, Failure> {
    let (_, images) = columns.size2()?;
    let Some(columns) = numbers(columns) else { return dense(columns, weights, biases) };
    let width = images as usize;
    let mut all = vec![0.0f32; weights.len() * width];
    all.par_chunks_mut(width).zip(weights.par_iter().zip(biases)).for_each(
        |(own, (weights, bias))| {
            own.fill(*bias as f32);
            for (block, own) in own.chunks_mut(IMAGES).enumerate() {
                let images = own.len();
                let row = |unit: u32| {
                    let start = unit as usize * width + block * IMAGES;
                    &columns[start..start + images]
                };
                for some in weights.chunks(4) {
                    // The last ones are filled up by weights of zero.
                    let of = |at: usize| some.get(at).map_or((some[0].0, 0.0), |one| *one);
                    let four = [of(0), of(1), of(2), of(3)];
                    add(
                        own,
                        four.map(|(unit, _)| row(unit)),
                        four.map(|(_, weight)| weight as f32),
                    );
                }
            }
        },
    );
    Ok(Tensor::from_slice(&all).f_view([weights.len() as i64, images])?)
}

/// The same by a product of matrices of the units that are used, on any device and in any precision.
fn dense(columns: &Tensor, weights: &[Sparse], biases: &[f64]) -> Result<Tensor, Failure> {
    let used: BTreeSet<u32> = weights.iter().flatten().map(|(unit, _)| *unit).collect();
    let used: Vec<u32> = used.into_iter().collect();
    let mut all = vec![0.0; weights.len() * used.len()];
    for (class, own) in weights.iter().enumerate() {
        for (unit, weight) in own {
            let at = used.binary_search(unit).unwrap_or_default();
            all[class * used.len() + at] = *weight;
        }
    }
    let place = |tensor: Tensor| tensor.f_to_device(columns.device());
    let like = |tensor: Tensor| place(tensor)?.f_to_kind(columns.kind());
    let all = Tensor::from_slice(&all).f_view([weights.len() as i64, used.len() as i64])?;
    let used: Vec<i64> = used.into_iter().map(i64::from).collect();
    let columns = columns.f_index_select(0, &place(Tensor::from_slice(&used))?)?;
    let biases = like(Tensor::from_slice(biases).f_unsqueeze(1)?)?;
    Ok(like(all)?.f_matmul(&columns)?.f_add(&biases)?)
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind};

    use super::*;

    #[test]
    fn scores_are_the_same_in_either_precision() {
        tch::manual_seed(1);
        let columns = Tensor::randn([9, 5000], (Kind::Double, Device::Cpu));
        let weights =
            vec![vec![(0, 1.0), (2, -0.5), (3, 2.0), (7, 0.25), (8, -1.5)], vec![], vec![(5, 3.0)]];
        let biases = [0.5, -1.0, 0.0];
        let exact = scores(&columns, &weights, &biases).expect("scores");
        let one = (columns.get(5) * 3.0 - exact.get(2)).abs().max().double_value(&[]);
        let constant = (exact.get(1) + 1.0).abs().max().double_value(&[]);
        assert!(one < 1e-12 && constant < 1e-12, "{one} {constant}");
        let found = scores(&columns.to_kind(Kind::Float), &weights, &biases).expect("scores");
        assert_eq!(found.size(), [3, 5000]);
        let apart = (found.to_kind(Kind::Double) - exact).abs().max().double_value(&[]);
        assert!(apart < 1e-5, "{apart}");
    }
}
