//! The mean cosine of pairs of images, weighted by a unit's activations: activations and embeddings in; a score of each unit out.
//!
//! Pach et al., *Sparse Autoencoders Learn Monosemantic Features in Vision-Language Models*, 2025: with activations a scaled to [0, 1]
//! and embeddings e of length 1, the sum over pairs i < j of a_i a_j cos(e_i, e_j), divided by that of a_i a_j. Both sums follow from
//! sums over images: ‖Σ a e‖² − Σ a² and (Σ a)² − Σ a².

use tch::{Kind, Tensor};

use crate::failure::Failure;

/// Images at a time.
const ROWS: i64 = 4096;

/// The score of each column of `[images, units]`, given embeddings `[images, width]` of length 1; `None` for a unit whose
/// activations are all equal, or of which a single image has all the weight. `watch` is told how many images are done.
///
/// # Errors
/// If memory runs out, or `watch` fails.
pub(crate) fn mean_cosines(
    table: &Tensor,
    embeddings: &Tensor,
    mut watch: impl FnMut(usize) -> Result<(), Failure>,
) -> Result<Vec<Option<f64>>, Failure> {
    let (images, units) = table.size2()?;
    let width = embeddings.size()[1];
    let on = (Kind::Double, tch::Device::Cpu);
    let least = table.f_amin([0i64].as_slice(), false)?; // [units]
    let span = table.f_amax([0i64].as_slice(), false)?.f_sub(&least)?;
    let divisor = span.f_clamp_min(f64::from(f32::MIN_POSITIVE))?;
    let mut along = Tensor::f_zeros([units, width], on)?;
    let (mut sums, mut squares) = (Tensor::f_zeros([units], on)?, Tensor::f_zeros([units], on)?);
    for start in (0..images).step_by(ROWS as usize) {
        watch(start as usize)?;
        let count = ROWS.min(images - start);
        let weights = table.f_narrow(0, start, count)?.f_sub(&least)?.f_div(&divisor)?;
        let part = embeddings.f_narrow(0, start, count)?;
        along += weights.f_transpose(0, 1)?.f_matmul(&part)?.f_to_kind(Kind::Double)?;
        sums += weights.f_sum_dim_intlist([0i64].as_slice(), false, Kind::Double)?;
        squares += weights.f_square()?.f_sum_dim_intlist([0i64].as_slice(), false, Kind::Double)?;
    }
    let pairs = along.f_square()?.f_sum_dim_intlist([1i64].as_slice(), false, Kind::Double)?;
    let [pairs, sums, squares, span] =
        [pairs, sums, squares, span.f_to_kind(Kind::Double)?].map(Vec::<f64>::try_from);
    let (pairs, sums, squares, span) = (pairs?, sums?, squares?, span?);
    let score = |at: usize| {
        let all = sums[at] * sums[at] - squares[at];
        let enough = span[at] > 0.0 && all > 1e-9 * squares[at];
        enough.then(|| ((pairs[at] - squares[at]) / all).clamp(-1.0, 1.0))
    };
    Ok((0..units as usize).map(score).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fit::golden::{golden_of, numbers};

    #[test]
    fn scores_are_those_of_all_pairs() {
        let [table, embeddings] = ["activations", "embeddings"]
            .map(|name| golden_of("quality.safetensors", name).to_kind(Kind::Float));
        let found = mean_cosines(&table, &embeddings, |_| Ok(())).expect("scores");
        let known = numbers(&golden_of("quality.safetensors", "monosemanticity"));
        assert_eq!(found.len(), known.len());
        for (found, known) in found.into_iter().zip(known) {
            match found {
                Some(found) => assert!((found - known).abs() < 1e-5, "{found} {known}"),
                None => assert!(known.is_nan()),
            }
        }
    }

    #[test]
    fn one_image_makes_no_pair() {
        let table = Tensor::from_slice(&[0.0f32, 1.0, 5.0, 1.0, 0.0, 1.0]).view([3, 2]);
        let embeddings = Tensor::eye(3, (Kind::Float, tch::Device::Cpu));
        let found = mean_cosines(&table, &embeddings, |_| Ok(())).expect("scores");
        assert_eq!(found, [None, None]);
    }
}
