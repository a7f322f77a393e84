//! AdamW (Loshchilov and Hutter 2019).

use tch::{Kind, Tensor};

/// Decay rates of the means of gradients and of their squares.
const BETAS: [f64; 2] = [0.9, 0.98];
/// Guard against division by zero; CLIP's value.
const EPSILON: f64 = 1e-6;

/// The optimiser's state for a flat tensor of weights.
#[derive(Debug)]
pub struct AdamW {
    /// Mean of the gradients, `[count]`.
    pub mean: Tensor,
    /// Mean of their squares, `[count]`.
    pub square: Tensor,
    /// Number of steps.
    pub steps: u64,
}

impl AdamW {
    /// The initial state.
    pub fn new(weights: &Tensor) -> Self {
        let zeros = || weights.zeros_like().to_kind(Kind::Float);
        Self { mean: zeros(), square: zeros(), steps: 0 }
    }

    /// Updates `weights` with `gradient`, both `[count]`; the first `decaying` of them also shrink by `decay` times
    /// the rate.
    pub fn step(
        &mut self,
        weights: &mut Tensor,
        gradient: &Tensor,
        rate: f64,
        decay: f64,
        decaying: i64,
    ) {
        self.steps += 1;
        let [slow, slower] = BETAS;
        let correction = |beta: f64| 1.0 - beta.powi(i32::try_from(self.steps).unwrap_or(i32::MAX));
        tch::no_grad(|| {
            let _ = weights.narrow(0, 0, decaying).g_mul_scalar_(1.0 - rate * decay);
            let _ = self.mean.lerp_(gradient, 1.0 - slow);
            let _ = self
                .square
                .g_mul_scalar_(slower)
                .g_add_(&gradient.square().g_mul_scalar_(1.0 - slower));
            let scale = (&self.square / correction(slower)).sqrt_().g_add_scalar_(EPSILON);
            let step = (&self.mean / scale).g_mul_scalar_(-rate / correction(slow));
            let _ = weights.g_add_(&step);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand, from the paper's algorithm 2, in f64.
    #[test]
    fn steps_are_the_papers() {
        let (rate, decay) = (0.1, 0.05);
        let gradients = [[0.3, -2.0], [0.1, 4.0], [-0.5, 0.0]];
        let (mut expected, mut mean, mut square) = ([1.0f64, -1.0], [0.0f64; 2], [0.0f64; 2]);
        let mut weights = Tensor::from_slice(&[1.0f32, -1.0]);
        let mut optimiser = AdamW::new(&weights);
        for (t, gradient) in (1..).zip(gradients) {
            for i in 0..2 {
                if i == 0 {
                    expected[i] *= 1.0 - rate * decay;
                }
                mean[i] = 0.9 * mean[i] + 0.1 * gradient[i];
                square[i] = 0.98 * square[i] + 0.02 * gradient[i] * gradient[i];
                let unbiased =
                    [mean[i] / (1.0 - 0.9f64.powi(t)), square[i] / (1.0 - 0.98f64.powi(t))];
                expected[i] -= rate * unbiased[0] / (unbiased[1].sqrt() + 1e-6);
            }
            let gradient = Tensor::from_slice(&gradient.map(|value| value as f32));
            optimiser.step(&mut weights, &gradient, rate, decay, 1);
        }
        for (i, expected) in expected.iter().enumerate() {
            let found = weights.double_value(&[i as i64]);
            assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        }
    }
}
