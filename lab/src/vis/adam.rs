//! Adam after Kingma and Ba, 2015, with their constants: a gradient in; parameters updated in place. A step allocates
//! three temporaries.

use tch::{Kind, Tensor};

const MEMORY: f64 = 0.9;
const SQUARE_MEMORY: f64 = 0.999;
const EPSILON: f64 = 1e-8;

/// The state of Adam.
#[derive(Debug)]
pub struct Adam {
    rate: f64,
    step: i32,
    mean: Tensor,
    square: Tensor,
}

impl Adam {
    /// The initial state for parameters of that shape.
    pub fn new(parameters: &Tensor, rate: f64) -> Self {
        let zeros = || Tensor::zeros(parameters.size(), (Kind::Float, parameters.device()));
        Self { rate, step: 0, mean: zeros(), square: zeros() }
    }

    /// Moves `parameters` against `gradient`, both of the shape that this was made for.
    pub fn step(&mut self, parameters: &mut Tensor, gradient: &Tensor) {
        tch::no_grad(|| {
            self.step += 1;
            let _ = self.mean.lerp_(gradient, 1.0 - MEMORY);
            let _ = self.square.lerp_(&gradient.square(), 1.0 - SQUARE_MEMORY);
            // rate · (m / c₁) / (√(v / c₂) + ε), with the corrections c drawn into the scalars.
            let first = 1.0 - MEMORY.powi(self.step);
            let second = (1.0 - SQUARE_MEMORY.powi(self.step)).sqrt();
            let mut by = self.square.sqrt();
            let _ = by.g_add_scalar_(EPSILON * second);
            let mut step = &self.mean / by;
            let _ = step.g_mul_scalar_(self.rate * second / first);
            *parameters -= step;
        });
    }

    /// Keeps only these rows of the first dimension.
    pub fn keep(&mut self, kept: &[i64]) {
        self.mean = rows(&self.mean, kept);
        self.square = rows(&self.square, kept);
    }
}

/// The rows of the first dimension at these places.
pub(super) fn rows(tensor: &Tensor, kept: &[i64]) -> Tensor {
    tch::no_grad(|| tensor.index_select(0, &Tensor::from_slice(kept).to_device(tensor.device())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_steps_are_those_of_the_paper() {
        let mut parameters = Tensor::from_slice(&[1.0f32, -2.0]);
        let mut adam = Adam::new(&parameters, 0.1);
        // The paper's algorithm 1, written out in double precision.
        let (mut x, mut m, mut v) = ([1.0f64, -2.0], [0.0f64; 2], [0.0f64; 2]);
        for (step, gradient) in [[0.5f64, -3.0], [-0.1, 2.0], [0.0, 1e-3]].into_iter().enumerate() {
            adam.step(&mut parameters, &Tensor::from_slice(&gradient.map(|g| g as f32)));
            let t = step as i32 + 1;
            for i in 0..2 {
                m[i] = 0.9 * m[i] + 0.1 * gradient[i];
                v[i] = 0.999 * v[i] + 0.001 * gradient[i] * gradient[i];
                let (m, v) = (m[i] / (1.0 - 0.9f64.powi(t)), v[i] / (1.0 - 0.999f64.powi(t)));
                x[i] -= 0.1 * m / (v.sqrt() + 1e-8);
                let found = parameters.double_value(&[i as i64]);
                assert!((found - x[i]).abs() < 1e-6, "step {t}: {found} for {}", x[i]);
            }
        }
    }
}
