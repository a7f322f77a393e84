//! The loop: a model, a target and a recipe in; a picture and the way there out.
//!
//! Adam follows the gradient of the target with respect to the spectrum of the picture. Knows nothing of
//! requests, files or the store.

use neuronotes::analysis::feature_vis::Transforms;
use rand_chacha::ChaCha8Rng;
use tch::{Kind, Tensor};

use super::objective::Target;
use super::param::{Spectrum, to_bytes};
use super::transform::Draw;
use super::{Purpose, chance};
use crate::clip::Clip;
use crate::failure::Failure;

/// How a picture is made.
#[derive(Debug, Clone, PartialEq)]
pub struct Recipe {
    /// Side of the picture, in pixels.
    pub size: u32,
    /// Steps of Adam.
    pub steps: u32,
    /// Adam's learning rate.
    pub learning_rate: f64,
    /// Disturbances before each step.
    pub transforms: Transforms,
    /// Of the noise and the transforms.
    pub seed: u64,
}

/// A picture, and the way there.
#[derive(Debug, Clone, PartialEq)]
pub struct Optimised {
    /// 8-bit RGB, `size` x `size`, row by row.
    pub pixels: Vec<u8>,
    /// The target on that picture.
    pub activation: f64,
    /// The target on the noise it began from.
    pub activation_at_start: f64,
    /// The target on the disturbed picture before each step.
    pub values: Vec<f64>,
}

/// The state between two steps.
#[derive(Debug)]
pub struct Step<'a> {
    /// Steps done.
    pub done: u32,
    /// The target on the disturbed picture before this step.
    pub value: f64,
    spectrum: &'a Spectrum,
}

impl Step<'_> {
    /// The picture as it stands: 8-bit RGB, row by row.
    pub fn pixels(&self) -> Vec<u8> {
        rendered(self.spectrum)
    }
}

/// Makes the picture. `watch` sees each step, and may end the work by an error.
///
/// # Errors
/// What `watch` gives, or where the objective is no longer a number.
pub fn optimise(
    clip: &Clip,
    target: &Target,
    recipe: &Recipe,
    mut watch: impl FnMut(&Step<'_>) -> Result<(), Failure>,
) -> Result<Optimised, Failure> {
    let mut noise = chance(recipe.seed, Purpose::Noise);
    let mut draws = chance(recipe.seed, Purpose::Transforms);
    let spectrum = Spectrum::noise(recipe.size, clip.device, &mut noise);
    let activation_at_start = on_picture(clip, target, recipe.size, &rendered(&spectrum))?;
    let mut adam = Adam::new(&spectrum.coefficients, recipe.learning_rate);
    let mut values = Vec::with_capacity(recipe.steps as usize);
    for step in 0..recipe.steps {
        let image = disturb(spectrum.image(), recipe.transforms, &mut draws); // [1, 3, s, s]
        let activations = clip.look(&prepared(clip, target, image), &[target.stage])?;
        let value = target.value(&activations)?;
        let ascent = target.ascent(&activations, &value)?;
        let gradient = Tensor::f_run_backward(&[-ascent], &[&spectrum.coefficients], false, false)?;
        adam.step(&spectrum.coefficients, &gradient[0]);
        let value = value.double_value(&[]);
        if !value.is_finite() {
            return Err(Failure::new(format!(
                "the objective is not a number any more after {step} steps"
            ))
            .hint("try a smaller `learning_rate`"));
        }
        values.push(value);
        watch(&Step { done: step + 1, value, spectrum: &spectrum })?;
    }
    let pixels = rendered(&spectrum);
    let activation = on_picture(clip, target, recipe.size, &pixels)?;
    if spectrum.coefficients.isfinite().all().int64_value(&[]) == 0 {
        return Err(Failure::new("the picture holds values that are not numbers")
            .hint("try a smaller `learning_rate`"));
    }
    Ok(Optimised { pixels, activation, activation_at_start, values })
}

fn rendered(spectrum: &Spectrum) -> Vec<u8> {
    tch::no_grad(|| to_bytes(&spectrum.image()))
}

/// The target on an 8-bit picture: what anybody finds who shows the network the file.
fn on_picture(clip: &Clip, target: &Target, size: u32, pixels: &[u8]) -> Result<f64, Failure> {
    let size = i64::from(size);
    tch::no_grad(|| {
        let image = Tensor::f_from_data_size(pixels, &[1, size, size, 3], Kind::Uint8)?
            .to_device(clip.device)
            .permute([0, 3, 1, 2]) // [1, 3, size, size]
            .to_kind(Kind::Float)
            / 255.0;
        let activations = clip.look(&prepared(clip, target, image), &[target.stage])?;
        Ok(target.value(&activations)?.double_value(&[]))
    })
}

fn disturb(image: Tensor, transforms: Transforms, draws: &mut ChaCha8Rng) -> Tensor {
    match transforms {
        Transforms::Lucid => Draw::random(draws).apply(&image),
        Transforms::None => image,
    }
}

/// The network's input. Where positions are learned, as in an attention pool and all of a vision transformer, they
/// fix its size, and the image is resized.
fn prepared(clip: &Clip, target: &Target, image: Tensor) -> Tensor {
    let side = i64::from(clip.architecture.image_size);
    let image = match clip.fixes_size(target.stage) && image.size()[3] != side {
        true => image.internal_upsample_bilinear2d_aa([side, side], false, None, None), // [1, 3, side, side]
        false => image,
    };
    clip.normalise(&image)
}

/// Adam after Kingma and Ba, 2015, with their constants.
#[derive(Debug)]
struct Adam {
    rate: f64,
    step: i32,
    mean: Tensor,
    square: Tensor,
}

impl Adam {
    const MEMORY: f64 = 0.9;
    const SQUARE_MEMORY: f64 = 0.999;
    const EPSILON: f64 = 1e-8;

    fn new(parameter: &Tensor, rate: f64) -> Self {
        let zeros = || Tensor::zeros(parameter.size(), (Kind::Float, parameter.device()));
        Self { rate, step: 0, mean: zeros(), square: zeros() }
    }

    fn step(&mut self, parameter: &Tensor, gradient: &Tensor) {
        tch::no_grad(|| {
            self.step += 1;
            let _ = self.mean.lerp_(gradient, 1.0 - Self::MEMORY);
            let _ = self.square.g_mul_scalar_(Self::SQUARE_MEMORY);
            self.square += gradient * gradient * (1.0 - Self::SQUARE_MEMORY);
            let mean = &self.mean / (1.0 - Self::MEMORY.powi(self.step));
            let square = &self.square / (1.0 - Self::SQUARE_MEMORY.powi(self.step));
            let mut parameter = parameter.shallow_clone();
            parameter -= mean / (square.sqrt() + Self::EPSILON) * self.rate;
        });
    }
}
