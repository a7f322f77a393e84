//! What is read of each picture: activations of a pass in; a number for each row out.

use neuronotes_core::model::Stage;
use tch::{Device, Kind, Tensor};

use crate::attribution::logit::Logit;
use crate::clip::activations::{Activations, by_unit};
use crate::failure::Failure;
use crate::vector::Row;

/// What is read.
#[derive(Debug)]
pub(super) enum Reading {
    /// 1 if the picture's own class is nearest, else 0; a unit vector for each class: `[classes, embedding]`.
    Accuracy(Tensor),
    /// A logit.
    Logit(Logit),
    /// The activation of a unit, averaged over positions.
    Unit(Stage, u32),
}

impl Reading {
    /// The accuracy over classes with these unit vectors.
    pub(super) fn accuracy(classes: &[Row], device: Device) -> Self {
        let flat = Tensor::from_slice(&classes.concat()).view([classes.len() as i64, -1]);
        Self::Accuracy(flat.to_device(device))
    }

    /// Where it is read.
    pub(super) fn stage(&self) -> Stage {
        match self {
            Self::Accuracy(_) | Self::Logit(_) => Stage::Embedding,
            Self::Unit(stage, _) => *stage,
        }
    }

    /// A number for each row. `truths` has the class of each picture; a row is of the picture at its place modulo their number.
    pub(super) fn numbers(&self, found: &Activations, truths: &[u32]) -> Result<Vec<f64>, Failure> {
        let found = found.get(self.stage())?;
        let numbers = match self {
            Self::Accuracy(classes) => {
                let rows = found.f_to_kind(Kind::Double)?; // [rows, embedding]
                // The length of an embedding makes no difference to which class is nearest.
                let best = rows.f_matmul(&classes.tr())?.f_argmax(1, false)?; // [rows]
                let odd = rows.f_isfinite()?.f_logical_not()?.any().int64_value(&[]) == 1;
                if odd {
                    return Err(not_finite("an embedding"));
                }
                let best: Vec<i64> = Vec::try_from(best)?;
                let right =
                    |(class, truth): (i64, &u32)| f64::from(u8::from(class == i64::from(*truth)));
                return Ok(best.into_iter().zip(truths.iter().cycle()).map(right).collect());
            }
            Self::Logit(logit) => logit.of(found),
            Self::Unit(_, unit) => {
                let unit = by_unit(found).f_select(1, (*unit).into())?; // [rows, positions]
                unit.f_mean_dim([1i64].as_slice(), false, Kind::Double)?
            }
        };
        let numbers: Vec<f64> = Vec::try_from(numbers.f_to_kind(Kind::Double)?)?;
        match numbers.iter().all(|number| number.is_finite()) {
            true => Ok(numbers),
            false => Err(not_finite("what is read")),
        }
    }
}

fn not_finite(what: &str) -> Failure {
    Failure::new(format!("{what} is not finite after the change"))
        .hint("change less, or use `precision: f32`")
}
