//! A forward hook: the activation at one stage in; the activation that the rest of the forward pass sees instead out.
//!
//! The replacement may have several times as many rows: each variant of an activation is a whole batch, one after the other,
//! and all variants share one pass below the stage. Knows nothing of what the variants are for.

use std::fmt;

use neuronotes_core::model::Stage;
use tch::Tensor;

use crate::failure::Failure;

/// Takes the activation at a stage, of `n` images, and returns its replacement: `m · n` rows of the same shape, where the
/// first `n` are the first variant of all images. A replacement that requires gradients, or depends on tensors that do, has
/// gradients from everything above.
pub type Replace<'a> = dyn FnMut(&Tensor) -> Result<Tensor, Failure> + 'a;

/// A stage and what replaces its activation.
pub(super) struct Hook<'a> {
    pub stage: Stage,
    pub replace: &'a mut Replace<'a>,
    /// Whether the forward pass has reached the stage.
    pub reached: bool,
}

impl fmt::Debug for Hook<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Hook({:?})", self.stage)
    }
}

impl Hook<'_> {
    /// The replacement of `x`, in the precision of `x`.
    ///
    /// # Errors
    /// If there is none, or it has another shape.
    pub fn replaced(&mut self, x: &Tensor) -> Result<Tensor, Failure> {
        self.reached = true;
        let new = (self.replace)(x)?;
        let (old, size) = (x.size(), new.size());
        let alike = size.len() == old.len() && size[1..] == old[1..];
        if !alike || old[0] == 0 || size[0] == 0 || size[0] % old[0] != 0 {
            return Err(Failure::new(format!(
                "an activation of shape {old:?} cannot be replaced by one of shape {size:?}"
            )));
        }
        Ok(new.f_to_kind(x.kind())?)
    }
}

/// `x`, `[n, …]`, repeated until it has as many rows as `other`, as variants of a replacement are; `x` itself if it has.
pub(super) fn tiled(x: &Tensor, other: &Tensor) -> Tensor {
    let (mut size, rows) = (x.size(), other.size()[0]);
    match size[0] {
        n if n >= rows => x.shallow_clone(),
        1 => {
            size[0] = rows;
            x.expand(&size, false)
        }
        n => {
            let mut times = vec![1; size.len()];
            times[0] = rows / n;
            x.repeat(&times)
        }
    }
}

/// The sum of two activations, of which one may have more variants.
pub(super) fn sum(a: &Tensor, b: &Tensor) -> Tensor {
    tiled(a, b) + tiled(b, a)
}

/// A copy of an activation in which a unit has this value at all positions: `[n, c, h, w]`, `[n, t, c]` or `[n, c]` to the
/// same.
///
/// # Errors
/// If it has no such unit.
pub fn with_unit(activation: &Tensor, unit: u32, value: f64) -> Result<Tensor, Failure> {
    let copy = copied(activation)?;
    let _ = copy.f_select(units_dim(activation), unit.into())?.f_fill_(value)?;
    Ok(copy)
}

/// The same with the values that the unit has in `other`, an activation with one row or as many.
///
/// # Errors
/// If one of them has no such unit, or they have other positions.
pub fn with_unit_of(activation: &Tensor, unit: u32, other: &Tensor) -> Result<Tensor, Failure> {
    let (copy, dim) = (copied(activation)?, units_dim(activation));
    copy.f_select(dim, unit.into())?.f_copy_(&other.f_select(dim, unit.into())?)?;
    Ok(copy)
}

fn copied(activation: &Tensor) -> Result<Tensor, Failure> {
    let mut copy = activation.f_empty_like()?;
    copy.f_copy_(activation)?;
    Ok(copy)
}

/// The dimension of an activation that counts its units: the last on tokens, and else the second.
pub(super) fn units_dim(activation: &Tensor) -> i64 {
    if activation.dim() == 3 { 2 } else { 1 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::{Device, Kind};

    fn count(shape: &[i64]) -> Tensor {
        let all: i64 = shape.iter().product();
        Tensor::arange(all, (Kind::Float, Device::Cpu)).view(shape)
    }

    #[test]
    fn a_unit_is_set_at_all_positions_and_nothing_else_is() {
        for (shape, at) in [(&[2, 3, 2, 2][..], 1), (&[2, 4, 3], 2), (&[2, 3], 1)] {
            let before = count(shape);
            let after = with_unit(&before, 1, 7.5).expect("a unit");
            assert!(after.select(at, 1).eq(7.5).all().int64_value(&[]) == 1, "{shape:?}");
            for other in [0, 2] {
                assert_eq!(after.select(at, other), before.select(at, other), "{shape:?}");
            }
            assert_eq!(before, count(shape), "the activation itself is as it was");
            assert!(with_unit(&before, 3, 0.0).is_err(), "{shape:?} has three units");
            let of = with_unit_of(&before, 1, &after).expect("a unit");
            assert_eq!(of, after);
        }
    }

    #[test]
    fn variants_are_whole_batches_one_after_the_other() {
        let (few, many) = (count(&[2, 1]), count(&[6, 1]) * 10.0);
        let expected = Tensor::from_slice(&[0.0f32, 11.0, 20.0, 31.0, 40.0, 51.0]).view([6, 1]);
        assert_eq!(sum(&few, &many), expected);
        assert_eq!(sum(&many, &few), expected);
        assert_eq!(sum(&few.narrow(0, 1, 1), &many), &many + 1.0);
        assert_eq!(sum(&few, &few), &few * 2.0);
    }

    #[test]
    fn a_replacement_of_another_shape_is_refused() {
        let x = count(&[2, 3]);
        for (shape, fits) in [
            (&[2, 3][..], true),
            (&[4, 3], true),
            (&[3, 3], false),
            (&[2, 4], false),
            (&[2, 3, 1], false),
            (&[0, 3], false),
        ] {
            let mut replace = |_: &Tensor| Ok(count(shape));
            let mut hook = Hook { stage: Stage::Final, replace: &mut replace, reached: false };
            assert_eq!(hook.replaced(&x).is_ok(), fits, "{shape:?}");
            assert!(hook.reached);
        }
    }
}
