//! The number that is attributed: a direction of embeddings in; the logit of embeddings along it, with gradients, out.

use tch::{Device, Kind, Tensor};

/// `scale · e/|e| · direction`, of an embedding e. With the unit vector of a text this is CLIP's logit; with the difference
/// of two such vectors, the difference of two logits.
#[derive(Debug)]
pub struct Logit {
    direction: Tensor, // [embedding], double precision
    scale: f64,
}

impl Logit {
    /// The logit along a direction, of embeddings on `device`.
    pub fn new(direction: &[f64], scale: f64, device: Device) -> Self {
        Self { direction: Tensor::from_slice(direction).to_device(device), scale }
    }

    /// The logits of embeddings: `[n, embedding]` to `[n]` in double precision.
    pub fn of(&self, embeddings: &Tensor) -> Tensor {
        let embeddings = embeddings.to_kind(Kind::Double);
        (unit(&embeddings)).matmul(&self.direction) * self.scale
    }

    /// The direction, such that the logit of a unit vector is its inner product with this: `[embedding]`.
    pub fn direction(&self) -> Tensor {
        &self.direction * self.scale
    }
}

/// Rows scaled to length 1: `[n, embedding]` to the same.
fn unit(rows: &Tensor) -> Tensor {
    rows / rows.norm_scalaropt_dim(2, [-1i64].as_slice(), true).clamp_min(1e-12)
}

/// The direction of one class against the others: its own minus the mean of theirs. Unit vectors in; no unit vector out.
pub fn against(own: &[f64], others: &[&[f64]]) -> Vec<f64> {
    let share = 1.0 / others.len().max(1) as f64;
    let other = |at: usize| others.iter().map(|row| row[at]).sum::<f64>() * share;
    own.iter().enumerate().map(|(at, own)| own - other(at)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logit_is_of_the_direction_of_an_embedding_alone() {
        let logit = Logit::new(&[0.6, 0.8], 10.0, Device::Cpu);
        let rows = Tensor::from_slice(&[3.0f32, 4.0, 0.0, 7.0]).view([2, 2]);
        let found: Vec<f64> = Vec::try_from(logit.of(&rows)).expect("numbers");
        assert!((found[0] - 10.0).abs() < 1e-12 && (found[1] - 8.0).abs() < 1e-12, "{found:?}");
    }

    #[test]
    fn one_class_against_others_is_its_logit_less_the_mean_of_theirs() {
        let [own, one, two] = [vec![1.0, 0.0], vec![0.0, 1.0], vec![0.6, 0.8]];
        let found = against(&own, &[&one[..], &two[..]]);
        for (found, expected) in found.into_iter().zip([1.0 - 0.3, -0.9]) {
            assert!((found - expected).abs() < 1e-12);
        }
    }
}
