//! SoftWPMI: the strongest images of each unit, and embeddings of images and texts, in; a score of each text for each unit out.
//!
//! Oikarinen and Weng, *CLIP-Dissect*, 2023, as in their code: of the unit's n strongest images the i-th (from 0) belongs to it with
//! p_i = 0.998 − (i / n) (0.998 − 0.97); P(text | image) is the softmax over texts of 10 times the cosine; log p(text | unit) is the
//! sum over images of log(1 + p_i (P − 1) + 1e-7), and the score is that less the logarithm of the mean of p(text | unit) over all units.
//!
//! A sum of logarithms is the logarithm of a product, and a hundred factors of at least 0.002 are no smaller than the smallest
//! double: so there is one multiplication for each image, unit and text, and a logarithm for each hundred.

use rayon::iter::{
    IndexedParallelIterator as _, IntoParallelRefIterator as _, IntoParallelRefMutIterator as _,
    ParallelIterator as _,
};
use tch::{Kind, Tensor};

use crate::failure::Failure;

/// What cosines are multiplied by.
const SCALE: f64 = 10.0;
/// The probability that the strongest image belongs to the unit, and the one that the last would be followed by.
const BELONGS: (f64, f64) = (0.998, 0.97);
/// What keeps a factor above zero.
const LEAST: f64 = 1e-7;
/// The most factors of a product.
const FACTORS: usize = 100;
/// The most numbers of a block of images and texts: 256 MiB.
const BLOCK: usize = 1 << 26;

/// Scores, `[units][texts]`. `strongest` has rows of `images` for each unit, the strongest first; `images` is `[images, width]` and
/// `texts` is `[texts, width]`, both of unit length. `watch` is told how many images are done, of how many.
///
/// # Errors
/// If memory runs out, or `watch` fails.
pub(crate) fn soft_wpmi(
    strongest: &[Vec<usize>],
    images: &Tensor,
    texts: &Tensor,
    mut watch: impl FnMut(usize, usize) -> Result<(), Failure>,
) -> Result<Vec<Vec<f32>>, Failure> {
    let width = texts.size()[0] as usize;
    // Each image once, however many units it is of.
    let mut needed: Vec<usize> = strongest.iter().flatten().copied().collect();
    needed.sort_unstable();
    needed.dedup();
    let mut logs = vec![vec![0.0f32; width]; strongest.len()];
    let at_once = (BLOCK / width.max(1)).max(1);
    let across = texts.f_transpose(0, 1)?;
    for (index, block) in needed.chunks(at_once).enumerate() {
        watch(index * at_once, needed.len())?;
        let rows: Vec<i64> = block.iter().map(|row| *row as i64).collect();
        let rows = images.f_index_select(0, &Tensor::from_slice(&rows))?;
        let chances = (rows.f_matmul(&across)? * SCALE).f_softmax(1, Kind::Float)?; // [block, texts]
        let chances = Vec::<f32>::try_from(chances.f_contiguous()?.f_view(-1)?)?;
        logs.par_iter_mut().zip(strongest.par_iter()).for_each(|(logs, strongest)| {
            add(logs, strongest, block, &chances);
        });
    }
    against_all(&mut logs);
    Ok(logs)
}

/// Adds to a unit's logarithms what the images of a block say.
fn add(logs: &mut [f32], strongest: &[usize], block: &[usize], chances: &[f32]) {
    let width = logs.len();
    let mut product = vec![1.0f64; width];
    let mut factors = 0;
    let settle = |product: &mut [f64], logs: &mut [f32]| {
        for (product, log) in product.iter_mut().zip(logs) {
            *log += product.ln() as f32;
            *product = 1.0;
        }
    };
    for (place, image) in strongest.iter().enumerate() {
        let Ok(row) = block.binary_search(image) else { continue };
        let (first, last) = BELONGS;
        let p = first - place as f64 / strongest.len() as f64 * (first - last);
        let base = 1.0 - p + LEAST;
        for (product, chance) in product.iter_mut().zip(&chances[row * width..][..width]) {
            *product *= base + p * f64::from(*chance);
        }
        factors += 1;
        if factors == FACTORS {
            settle(&mut product, logs);
            factors = 0;
        }
    }
    if factors > 0 {
        settle(&mut product, logs);
    }
}

/// Subtracts from each logarithm that of the mean of p(text | unit) over all units.
fn against_all(logs: &mut [Vec<f32>]) {
    let Some(width) = logs.first().map(Vec::len) else { return };
    let mut most = vec![f32::NEG_INFINITY; width];
    for row in &*logs {
        most.iter_mut().zip(row).for_each(|(most, log)| *most = most.max(*log));
    }
    let mut sums = vec![0.0f64; width];
    for row in &*logs {
        for ((sum, log), most) in sums.iter_mut().zip(row).zip(&most) {
            *sum += f64::from(log - most).exp();
        }
    }
    let count = logs.len() as f64;
    let mean = most.iter().zip(&sums).map(|(most, sum)| f64::from(*most) + (sum / count).ln());
    let mean: Vec<f32> = mean.map(|log| log as f32).collect();
    logs.par_iter_mut().for_each(|row| {
        row.iter_mut().zip(&mean).for_each(|(log, mean)| *log -= mean);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fit::golden::{golden_of, numbers};

    fn golden(name: &str) -> Tensor {
        golden_of("labels.safetensors", name)
    }

    #[test]
    fn scores_are_those_of_numpy() {
        let [images, texts] = ["images", "texts"].map(|name| golden(name).to_kind(Kind::Float));
        let strongest = golden("strongest");
        let count = strongest.size()[1] as usize;
        let places: Vec<usize> = numbers(&strongest).into_iter().map(|at| at as usize).collect();
        let strongest: Vec<Vec<usize>> = places.chunks(count).map(<[usize]>::to_vec).collect();
        let mut seen = 0;
        let found = soft_wpmi(&strongest, &images, &texts, |_, all| {
            seen = all;
            Ok(())
        });
        let found = found.expect("scores");
        assert!(seen > 0);
        let known = numbers(&golden("scores"));
        assert_eq!(found.len() * found[0].len(), known.len());
        for (found, known) in found.iter().flatten().zip(known) {
            // Of sums of 120 logarithms in single precision.
            assert!(
                (f64::from(*found) - known).abs() < 2e-4 * known.abs().max(1.0),
                "{found} {known}"
            );
        }
    }

    #[test]
    fn more_factors_than_a_product_holds_are_no_zero() {
        let images = Tensor::from_slice(&[1.0f32, 0.0]).view([1, 2]).repeat([700, 1]);
        let texts = Tensor::from_slice(&[1.0f32, 0.0, -1.0, 0.0, 0.0, 1.0]).view([3, 2]);
        let strongest = vec![(0..700).collect(), vec![0]];
        let found = soft_wpmi(&strongest, &images, &texts, |_, _| Ok(())).expect("scores");
        assert!(found.iter().flatten().all(|score| score.is_finite()), "{found:?}");
    }
}
