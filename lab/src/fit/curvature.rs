//! The curvature of a class's loss in some of its weights: standardised columns and the variance of each image's prediction in;
//! a square matrix out.
//!
//! It is `Σ v x xᵀ / images`, x being an image's numbers and 1 for the bias. Of many images some thousands are enough, since
//! only the length and the direction of a step depend on it, not where the steps end: they are drawn with chances in proportion
//! to v, at even distances of the running sum of v.

use tch::{Kind, Tensor};

use super::view::dot;
use crate::failure::Failure;

/// Images that the matrix is computed from, at most.
const DRAWN: usize = 4096;
/// The golden ratio's fractional part, whose multiples lie evenly between 0 and 1.
const GOLDEN: f64 = 0.618_033_988_749_894_9;

/// The matrix of these units and, last, the bias, row by row: from all images, on any device and in any precision. `columns`
/// are `[units, images]`, `variance` is `[images]`.
///
/// # Errors
/// If memory runs out.
pub(super) fn exact(
    columns: &Tensor,
    units: &[u32],
    variance: &Tensor,
) -> Result<Vec<f64>, Failure> {
    let images = variance.size1()?;
    let places: Vec<i64> = units.iter().map(|unit| i64::from(*unit)).collect();
    let places = Tensor::from_slice(&places).f_to_device(columns.device())?;
    let own = columns.f_index_select(0, &places)?;
    let own = Tensor::f_cat(&[own, variance.f_ones_like()?.f_unsqueeze(0)?], 0)?;
    let found = own.f_mul(variance)?.f_matmul(&own.f_transpose(0, 1)?)?;
    let found = found.f_to_kind(Kind::Double)?.f_div_scalar(images as f64)?;
    Ok(Vec::try_from(found.f_contiguous()?.f_view([-1])?)?)
}

/// The same from at most [`DRAWN`] images.
pub(super) fn drawn(columns: &[f32], units: &[u32], variance: &[f32]) -> Vec<f64> {
    let images = variance.len();
    let draws = draws(variance);
    let width = draws.len();
    let roots: Vec<f32> = draws.iter().map(|(_, share)| share.sqrt() as f32).collect();
    let mut rows: Vec<f32> = Vec::with_capacity((units.len() + 1) * width);
    for unit in units {
        let column = &columns[*unit as usize * images..(*unit as usize + 1) * images];
        rows.extend(draws.iter().zip(&roots).map(|((image, _), root)| column[*image] * root));
    }
    rows.extend(&roots);
    let size = units.len() + 1;
    let row = |at: usize| &rows[at * width..(at + 1) * width];
    let mut all = vec![0.0; size * size];
    for a in 0..size {
        for b in 0..=a {
            let product = dot(row(a), row(b)) / images as f64;
            (all[a * size + b], all[b * size + a]) = (product, product);
        }
    }
    all
}

/// Images and how much each counts; the sum of that is the sum of the variances.
fn draws(variance: &[f32]) -> Vec<(usize, f64)> {
    if variance.len() <= DRAWN {
        return variance.iter().map(|one| f64::from(*one)).enumerate().collect();
    }
    let whole: f64 = variance.iter().map(|one| f64::from(*one)).sum();
    let share = whole / DRAWN as f64;
    let mut found = Vec::with_capacity(DRAWN);
    let (mut sum, mut next) = (0.0, 0u32);
    for (image, one) in variance.iter().enumerate() {
        sum += f64::from(*one);
        let mut times = 0u32;
        // The draw lies somewhere in its stretch, so that no period of the images is in step with them.
        while (f64::from(next) + (f64::from(next) * GOLDEN).fract()) * share < sum {
            (times, next) = (times + 1, next + 1);
        }
        if times > 0 {
            found.push((image, f64::from(times) * share));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use tch::Device;

    use super::super::view::numbers;
    use super::*;

    /// How far the drawn matrix is from the exact one, relative to it (Frobenius), for so many images.
    fn apart(images: i64) -> f64 {
        tch::manual_seed(3);
        let columns = Tensor::randn([6, images], (Kind::Float, Device::Cpu));
        // A part of the images, in the order of their class, has most of the variance.
        let variance = Tensor::arange(images, (Kind::Float, Device::Cpu)) / images as f64;
        let variance = (variance * 6.0).exp() * 1e-3;
        let units = [0, 2, 5];
        let exact = exact(&columns, &units, &variance).expect("a matrix");
        let seen = |tensor: &Tensor| numbers(tensor).expect("numbers").to_vec();
        let drawn = drawn(&seen(&columns), &units, &seen(&variance));
        assert_eq!((exact.len(), drawn.len()), (16, 16));
        let square = |of: Vec<f64>| of.iter().map(|x| x * x).sum::<f64>();
        let differences = exact.iter().zip(&drawn).map(|(a, b)| a - b).collect();
        (square(differences) / square(exact)).sqrt()
    }

    #[test]
    fn the_curvature_of_few_images_is_exact_and_that_of_many_nearly() {
        assert!(apart(4000) < 1e-5, "{}", apart(4000));
        assert!(apart(40_000) < 0.05, "{}", apart(40_000));
    }

    #[test]
    fn draws_count_as_much_as_the_variances_and_none_is_left_out() {
        let variance: Vec<f32> =
            (0..20_000).map(|at| if at % 100 == 0 { 50.0 } else { 0.1 }).collect();
        let draws = draws(&variance);
        let (whole, drawn): (f64, f64) =
            (variance.iter().map(|x| f64::from(*x)).sum(), draws.iter().map(|(_, x)| x).sum());
        assert!((drawn / whole - 1.0).abs() < 1e-3, "{drawn} {whole}");
        // Those with a large variance are all drawn, and count about as much as it is.
        let large: Vec<f64> =
            draws.iter().filter(|(at, _)| at % 100 == 0).map(|(_, share)| *share).collect();
        assert_eq!(large.len(), 200);
        assert!(large.iter().all(|share| (share - 50.0).abs() < 6.0), "{large:?}");
    }
}
