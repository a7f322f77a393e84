//! Shapes of a model's tensors, from which a family reads its sizes.

use crate::model::error::ModelError;

/// The tensors of a file by OpenAI's names, even if the file names them differently.
pub struct Shapes<'a> {
    /// The shape of a tensor, in OpenAI's form; `None` if the file lacks it.
    pub shape: &'a dyn Fn(&str) -> Option<Vec<u64>>,
    /// A tensor's name in the file, for messages.
    pub written: &'a dyn Fn(&str) -> String,
}

impl Shapes<'_> {
    /// Whether the file has a tensor.
    pub fn has(&self, name: &str) -> bool {
        (self.shape)(name).is_some()
    }

    /// The shape of a tensor that every such model has.
    ///
    /// # Errors
    /// Fails if the tensor is missing or has another number of dimensions.
    pub fn of<const RANK: usize>(&self, name: &str) -> Result<[u64; RANK], ModelError> {
        let shape = (self.shape)(name).ok_or_else(|| ModelError::Missing((self.written)(name)))?;
        <[u64; RANK]>::try_from(shape).map_err(|shape| ModelError::Misshapen {
            name: name.into(),
            shape,
            expected: format!("a tensor of {RANK} dimensions"),
        })
    }

    /// How many tensors there are whose names follow each other from 0.
    pub fn count(&self, name: impl Fn(u32) -> String) -> u32 {
        (0..).take_while(|i| self.has(&name(*i))).count() as u32
    }
}

/// Largest side of a model's input image in pixels; RN50x64 has 448.
pub const LARGEST_IMAGE: u64 = 4096;

/// The side of a square of `positions - 1` points: one position is that of a class token or a mean.
pub fn square(positions: u64) -> Option<u64> {
    let points = positions.checked_sub(1)?;
    let side = points.isqrt();
    (side > 0 && side * side == points).then_some(side)
}

/// A size as `u32`. One that is too large becomes `u32::MAX`, which no other size matches, so later checks fail.
pub fn narrow(size: u64) -> u32 {
    u32::try_from(size).unwrap_or(u32::MAX)
}
