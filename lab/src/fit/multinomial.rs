//! What both multinomial regressions share: rows and classes in; standardised columns, and the loss and its slope at given
//! scores, out.
//!
//! Tensors stand with units and classes first, `[units, images]` and `[classes, images]`, so that one unit or one class is
//! contiguous.

use tch::{Kind, Tensor};

use crate::failure::Failure;

/// A unit whose deviation is less than this part of its greatest absolute value is constant: what varies is rounding.
const CONSTANT: f64 = 1e-5;

/// What a regression is fitted to.
#[derive(Debug)]
pub struct Sample {
    /// `[units, images]`: each unit less its mean and divided by its deviation; zero where it is constant.
    pub columns: Tensor,
    /// One-hot, `[classes, images]`, of the same kind.
    pub truth: Tensor,
    /// The mean of each unit.
    pub mean: Vec<f64>,
    /// The standard deviation of each unit (of the population); 0 where it is constant.
    pub sd: Vec<f64>,
    /// The images of each class.
    pub counts: Vec<u64>,
}

impl Sample {
    /// Standardises rows, `[images, units]`, of images of these classes, counted from 0 to `classes`.
    ///
    /// # Errors
    /// If there are fewer than two classes, or one of them has no image.
    pub fn of(rows: &Tensor, truth: &[u32], classes: usize) -> Result<Self, Failure> {
        let mut counts = vec![0; classes];
        for class in truth {
            let count = counts.get_mut(*class as usize);
            *count.ok_or_else(|| Failure::new("an image is of an unknown class"))? += 1;
        }
        if classes < 2 {
            return Err(Failure::new("a probe needs images of at least two classes"));
        }
        if let Some(class) = counts.iter().position(|count| *count == 0) {
            return Err(Failure::new(format!("class {class} has no image to learn from")));
        }
        let columns = rows.f_transpose(0, 1)?.f_contiguous()?; // [units, images]
        let along = [1i64];
        let mean = columns.f_mean_dim(along.as_slice(), true, Kind::Double)?; // [units, 1]
        let mut columns = columns.f_sub(&mean.f_to_kind(columns.kind())?)?;
        // The rounding of the mean leaves a remainder, which is the mean of what is left.
        let rest = columns.f_mean_dim(along.as_slice(), true, Kind::Double)?;
        let _ = columns.f_sub_(&rest.f_to_kind(columns.kind())?)?;
        let sd = columns.f_square()?.f_mean_dim(along.as_slice(), true, Kind::Double)?.f_sqrt()?;
        let most = columns.f_abs()?.f_amax(along.as_slice(), true)?.f_to_kind(Kind::Double)?;
        let most = most.f_maximum(&mean.f_abs()?)?;
        let varies = sd.f_gt_tensor(&(most * CONSTANT))?.f_to_kind(Kind::Double)?;
        let sd = sd.f_mul(&varies)?; // [units, 1]
        let scale = varies.f_div(&sd.f_add(&(varies.ones_like() - &varies))?)?;
        let _ = columns.f_mul_(&scale.f_to_kind(columns.kind())?)?;
        let places: Vec<i64> = truth.iter().map(|class| i64::from(*class)).collect();
        let places = Tensor::from_slice(&places).f_unsqueeze(0)?; // [1, images]
        let mut one_hot = Tensor::f_zeros(
            [classes as i64, truth.len() as i64],
            (columns.kind(), columns.device()),
        )?;
        let _ = one_hot.f_scatter_value_(0, &places, 1.0)?;
        Ok(Self {
            truth: one_hot,
            mean: Vec::try_from((mean + rest).f_view([-1])?)?,
            sd: Vec::try_from(sd.f_view([-1])?)?,
            columns,
            counts,
        })
    }

    /// Other rows, `[images, units]`, in the same units: `[units, images]`.
    pub fn standardised(&self, rows: &Tensor) -> Result<Tensor, Failure> {
        let column = |numbers: &[f64]| -> Result<Tensor, Failure> {
            Ok(Tensor::from_slice(numbers).f_unsqueeze(1)?.f_to_kind(rows.kind())?)
        };
        let scale: Vec<f64> =
            self.sd.iter().map(|sd| if *sd > 0.0 { sd.recip() } else { 0.0 }).collect();
        let columns = rows.f_transpose(0, 1)?.f_sub(&column(&self.mean)?)?;
        Ok(columns.f_mul(&column(&scale)?)?.f_contiguous()?)
    }

    /// How many images there are.
    pub fn images(&self) -> usize {
        self.counts.iter().sum::<u64>() as usize
    }

    /// The scores, `[classes, images]`, of weights, `[classes, units]`, and biases, `[classes, 1]`.
    pub fn scores(&self, weights: &Tensor, biases: &Tensor) -> Result<Tensor, Failure> {
        Ok(weights.f_matmul(&self.columns)?.f_add(biases)?)
    }

    /// The slope of the loss, `[classes, units]`, for residuals, `[classes, images]`.
    pub fn slope(&self, residual: &Tensor) -> Result<Tensor, Failure> {
        let columns = self.columns.f_transpose(0, 1)?;
        Ok(residual.f_matmul(&columns)?.f_div_scalar(self.images() as f64)?)
    }

    /// The biases of a regression without weights: each class as probable as it is frequent.
    pub fn biases(&self) -> Vec<f64> {
        let images = self.images() as f64;
        self.counts.iter().map(|count| (*count as f64 / images).ln()).collect()
    }
}

/// The loss at some scores.
#[derive(Debug)]
pub struct Fit {
    /// The mean over images of −log p(class of the image).
    pub loss: f64,
    /// The probability of each class, `[classes, images]`.
    pub probabilities: Tensor,
}

impl Fit {
    /// The loss at scores, `[classes, images]`.
    pub fn at(scores: &Tensor, truth: &Tensor) -> Result<Self, Failure> {
        let log = scores.f_log_softmax(0, None::<Kind>)?;
        let own = log.f_mul(truth)?.f_sum_dim_intlist([0i64].as_slice(), false, Kind::Double)?;
        let loss = -own.f_mean(Kind::Double)?.double_value(&[]);
        if !loss.is_finite() {
            return Err(Failure::new("the loss of the probe is not a number"));
        }
        Ok(Self { loss, probabilities: log.f_exp()? })
    }

    /// How far the probabilities are from the truth: the slope of each image's loss, `[classes, images]`.
    pub fn residual(&self, truth: &Tensor) -> Result<Tensor, Failure> {
        Ok(self.probabilities.f_sub(truth)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_have_mean_zero_and_deviation_one_and_constant_ones_are_zero() {
        let numbers = [1000.0f32, 3.0, 7.0, 1001.0, 3.0, 9.0, 1002.0, 3.0, 11.0];
        let rows = Tensor::from_slice(&numbers).view([3, 3]);
        let sample = Sample::of(&rows, &[0, 1, 1], 2).expect("a sample");
        let found: Vec<f32> = Vec::try_from(sample.columns.contiguous().view(-1)).expect("numbers");
        let side = 1.5f32.sqrt();
        let expected = [-side, 0.0, side, 0.0, 0.0, 0.0, -side, 0.0, side];
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-5), "{found:?}");
        assert_eq!((sample.mean[0], sample.sd[1], &sample.counts), (1001.0, 0.0, &vec![1, 2]));
        assert!((sample.sd[2] - (8.0f64 / 3.0).sqrt()).abs() < 1e-6);
        let again: Vec<f32> =
            Vec::try_from(sample.standardised(&rows).expect("columns").view(-1)).expect("numbers");
        assert!(found.iter().zip(again).all(|(a, b)| (a - b).abs() < 1e-5));
        let truth: Vec<f32> = Vec::try_from(sample.truth.view(-1)).expect("numbers");
        assert_eq!(truth, [1.0, 0.0, 0.0, 0.0, 1.0, 1.0]);
    }

    #[test]
    fn classes_without_images_are_an_error() {
        let rows = Tensor::from_slice(&[1.0f32, 2.0]).view([2, 1]);
        for (truth, classes) in [([0, 0], 1), ([0, 0], 2), ([0, 2], 2)] {
            assert!(Sample::of(&rows, &truth, classes).is_err(), "{truth:?}");
        }
    }

    #[test]
    fn the_loss_is_the_mean_surprise() {
        let scores = Tensor::from_slice(&[0.0f64, 3f64.ln(), 0.0, 0.0]).view([2, 2]);
        let truth = Tensor::from_slice(&[1.0f64, 1.0, 0.0, 0.0]).view([2, 2]);
        let fit = Fit::at(&scores, &truth).expect("a loss");
        assert!((fit.loss - (2f64.ln() - 0.75f64.ln()) / 2.0).abs() < 1e-12, "{}", fit.loss);
        let residual: Vec<f64> =
            Vec::try_from(fit.residual(&truth).expect("a residual").view(-1)).expect("numbers");
        let expected = [-0.5, -0.25, 0.5, 0.25];
        assert!(residual.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12));
    }
}
