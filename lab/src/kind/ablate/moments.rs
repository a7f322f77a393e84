//! The activations of a stage over a data set: the mean at each position, and how large units, or heads, are.

use tch::{Kind, Tensor};

use crate::clip::activations::arranged;
use crate::failure::Failure;

/// Sums over pictures, in double precision.
#[derive(Debug, Default)]
pub(super) struct Moments {
    /// How many pictures were added.
    count: u64,
    /// `[positions, units]`.
    sum: Option<Tensor>,
    /// Of squares, over pictures and positions: `[units]`.
    squares: Option<Tensor>,
}

impl Moments {
    /// Adds the activations of pictures: `[n, c, h, w]`, `[n, t, c]` or `[n, c]`. Adds nothing if memory runs out.
    pub(super) fn add(&mut self, activation: &Tensor) -> Result<(), Failure> {
        let rows = arranged(activation).f_transpose(1, 2)?.f_to_kind(Kind::Double)?; // [n, p, c]
        let sum = rows.f_sum_dim_intlist([0i64].as_slice(), false, Kind::Double)?;
        let squares =
            rows.f_square()?.f_sum_dim_intlist([0i64, 1].as_slice(), false, Kind::Double)?;
        let plus = |before: &Option<Tensor>, more: Tensor| -> Result<Tensor, Failure> {
            Ok(match before {
                Some(before) => before.f_add(&more)?,
                None => more,
            })
        };
        let (sum, squares) = (plus(&self.sum, sum)?, plus(&self.squares, squares)?);
        self.count += rows.size()[0] as u64;
        (self.sum, self.squares) = (Some(sum), Some(squares));
        Ok(())
    }

    fn sums(&self) -> Result<(&Tensor, &Tensor), Failure> {
        let none = || Failure::new("no picture of the data set can be read");
        self.sum.as_ref().zip(self.squares.as_ref()).ok_or_else(none)
    }

    /// The mean at each position, `[positions, units]`, in single precision.
    pub(super) fn mean(&self) -> Result<Tensor, Failure> {
        Ok((self.sums()?.0 / self.count as f64).to_kind(Kind::Float))
    }

    /// The root mean square, over pictures and positions, of the norm of each group of `width` units side by side.
    pub(super) fn sizes(&self, width: u32) -> Result<Vec<f64>, Failure> {
        let (sum, squares) = self.sums()?;
        grouped(squares / (self.count as f64 * sum.size()[0] as f64), width)
    }

    /// The same of what is left when the mean at each position is subtracted.
    pub(super) fn centred(&self, width: u32) -> Result<Vec<f64>, Failure> {
        let (sum, squares) = self.sums()?;
        let (count, positions) = (self.count as f64, sum.size()[0] as f64);
        let mean = (sum / count).f_square()?.f_mean_dim([0i64].as_slice(), false, Kind::Double)?;
        grouped(squares / (count * positions) - mean, width)
    }

    /// The root mean square of each unit, over pictures and positions, after this is subtracted everywhere.
    pub(super) fn around(&self, middle: &[f64]) -> Result<Vec<f64>, Failure> {
        let (sum, squares) = self.sums()?;
        let (count, positions) = (self.count as f64, sum.size()[0] as f64);
        let mean = sum.f_mean_dim([0i64].as_slice(), false, Kind::Double)? / count;
        let middle = Tensor::from_slice(middle).to_device(sum.device());
        let left = squares / (count * positions) - &middle * mean * 2.0 + middle.f_square()?;
        grouped(left, 1)
    }
}

/// The roots of the sums of `width` squares side by side: `[units]`.
fn grouped(squares: Tensor, width: u32) -> Result<Vec<f64>, Failure> {
    let squares = squares.f_view([-1, i64::from(width)])?;
    let all = squares.f_sum_dim_intlist([1i64].as_slice(), false, Kind::Double)?;
    // Rounding may leave less than nothing.
    Ok(Vec::try_from(all.clamp_min(0.0).f_sqrt()?)?)
}

#[cfg(test)]
mod tests {
    use tch::Device;

    use super::*;

    #[test]
    fn means_are_of_positions_and_sizes_of_units_or_of_several_together() {
        let mut moments = Moments::default();
        assert!(moments.mean().is_err());
        let rows = Tensor::from_slice(&[
            1.0f32, 0.0, 3.0, 4.0, 0.0, 2.0, 3.0, 4.0, // the first picture, two positions
            3.0, 0.0, 3.0, 4.0, 0.0, 4.0, 3.0, 4.0,
        ])
        .view([2, 2, 4]);
        moments.add(&rows.narrow(0, 0, 1)).expect("a picture");
        moments.add(&rows.narrow(0, 1, 1)).expect("a picture");
        let mean = Tensor::from_slice(&[2.0f32, 0.0, 3.0, 4.0, 0.0, 3.0, 3.0, 4.0]).view([2, 4]);
        assert_eq!(moments.mean().expect("means").to_device(Device::Cpu), mean);
        let sizes = moments.sizes(2).expect("sizes");
        assert!(
            (sizes[0] - (30.0f64 / 4.0).sqrt()).abs() < 1e-12 && (sizes[1] - 5.0).abs() < 1e-12
        );
        let centred = moments.centred(2).expect("sizes");
        assert!((centred[0] - 1.0).abs() < 1e-12 && centred[1] == 0.0, "{centred:?}");
        let each = moments.around(&[1.0, 0.0, 3.0, 0.0]).expect("sizes");
        for (found, square) in each.iter().zip([(0.0 + 1.0 + 4.0 + 1.0) / 4.0, 5.0, 0.0, 16.0]) {
            assert!((found * found - square).abs() < 1e-12, "{each:?}");
        }
    }
}
