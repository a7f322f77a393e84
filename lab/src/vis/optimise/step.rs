//! The gradient of one step: parameters of some targets' pictures in; the gradient of the loss, and the targets' values,
//! out.

use neuronotes_core::kind::feature_vis::Params;
use neuronotes_core::model::Stage;
use tch::{Kind, Tensor};

use crate::clip::Clip;
use crate::clip::activations::Activations;
use crate::failure::Failure;
use crate::vis::backward::redirected;
use crate::vis::facet::{self, Facet};
use crate::vis::job::Job;
use crate::vis::objective::{Aim, likeness};
use crate::vis::param::Canvas;
use crate::vis::transform::Draws;

const GREY: f64 = 0.5;

/// The loss, as far as all steps share it.
#[derive(Debug)]
pub struct Slope<'a> {
    /// The network.
    clip: &'a Clip,
    /// The parametrisation of the pictures.
    canvas: &'a Canvas,
    /// The random transforms.
    draws: &'a Draws,
    /// The facet, if any.
    facet: Option<&'a Facet>,
    /// The weights of the loss's terms.
    params: &'a Params,
    /// The facet's weight in each of a target's pictures, on the device: `[k]`.
    strengths: Tensor,
}

impl<'a> Slope<'a> {
    /// Copies the values that all steps share to the device.
    pub fn new(
        clip: &'a Clip,
        (canvas, draws): (&'a Canvas, &'a Draws),
        facet: Option<&'a Facet>,
        params: &'a Params,
    ) -> Self {
        let strengths: Vec<f32> = params.strengths().iter().map(|&s| s as f32).collect();
        let strengths = Tensor::from_slice(&strengths).to_device(clip.device);
        Self { clip, canvas, draws, facet, params, strengths }
    }

    /// The gradient at `rows`, the parameters `[jobs * k, …]`, and the targets' values, `[jobs * k]`, with the transforms
    /// drawn for that step.
    ///
    /// # Errors
    /// If memory runs out, or a facet does not fit the network.
    pub fn of(&self, step: u32, rows: &Tensor, jobs: &[&Job]) -> Result<(Tensor, Tensor), Failure> {
        let Some(stage) = jobs.first().map(|job| job.target.stage) else {
            return Err(Failure::new("a batch has no target"));
        };
        let leaf = rows.detach().set_requires_grad(true);
        let seen = self.draws.apply(step as usize, &self.canvas.image(&leaf)); // [jobs * k, 3, s, s]
        let input = prepared(self.clip, stage, seen.shallow_clone());
        let mut wanted = vec![stage];
        wanted.extend(self.facet.into_iter().flat_map(Facet::stages));
        let found = match step < self.params.redirect {
            true => self.clip.look_cutting(&input, &wanted)?,
            false => self.clip.look(&input, &wanted)?,
        };
        let layer = found.get(stage)?;
        let (falling, values) = self.objective(step, layer, jobs)?;
        let mut terms = vec![falling.shallow_clone()];
        if self.params.penalty != 0.0 {
            let far = (&seen - GREY).square().mean_dim([1i64, 2, 3].as_slice(), false, Kind::Float);
            terms.push(far.sum(Kind::Float) * self.params.penalty);
        }
        if self.params.images > 1 && self.facet.is_none() && self.params.diversity != 0.0 {
            let k = i64::from(self.params.images);
            for at in 0..jobs.len() as i64 {
                terms.push(likeness(&layer.narrow(0, at * k, k)) * self.params.diversity);
            }
        }
        let loss = sum(&terms);
        let gradient = match found.cuts() {
            [] => self.plain(&falling, loss, &found, &leaf, jobs.len()),
            _ => self.cut(&falling, &loss, &found, &leaf, jobs.len()),
        }?;
        Ok((gradient, values))
    }

    /// The loss, a scalar, and each picture's value, `[jobs * k]`.
    fn objective(
        &self,
        step: u32,
        layer: &Tensor,
        jobs: &[&Job],
    ) -> Result<(Tensor, Tensor), Failure> {
        let (mut falling, mut values) = (Vec::new(), Vec::new());
        for (at, job) in jobs.iter().enumerate() {
            let reference = match &job.target.aim {
                // Transformed like the picture, so that the two can be compared position by position.
                Aim::Image(image) => Some(tch::no_grad(|| {
                    let seen = self.draws.apply(step as usize, image);
                    let input = prepared(self.clip, job.target.stage, seen);
                    let found = self.clip.look(&input, &[job.target.stage])?;
                    Ok::<_, Failure>(found.get(job.target.stage)?.shallow_clone())
                })?),
                _ => None,
            };
            for image in 0..self.params.images as usize {
                let place = (at * self.params.images as usize + image) as i64;
                let value = job.target.value(&layer.narrow(0, place, 1), reference.as_ref());
                falling.push(&value * -job.target.sign);
                values.push(value.detach());
            }
        }
        Ok((sum(&falling), Tensor::stack(&values, 0)))
    }

    fn plain(
        &self,
        falling: &Tensor,
        mut loss: Tensor,
        found: &Activations,
        leaf: &Tensor,
        jobs: usize,
    ) -> Result<Tensor, Failure> {
        if let Some(facet) = self.facet {
            let layers = facet.activations(found)?;
            let down = Tensor::f_run_backward(&[falling], &layers, true, false)?;
            let rising: Vec<Tensor> = down.iter().map(|gradient| -gradient).collect();
            let pulls = facet.pulls(&rising, &self.strengths.repeat([jobs as i64]));
            if let Some(pulled) = facet::value(&pulls, found)? {
                loss = sum(&[loss, -pulled]);
            }
        }
        Ok(Tensor::f_run_backward(&[loss], &[leaf], false, false)?.remove(0))
    }

    fn cut(
        &self,
        falling: &Tensor,
        loss: &Tensor,
        found: &Activations,
        leaf: &Tensor,
        jobs: usize,
    ) -> Result<Tensor, Failure> {
        let cuts = found.cuts();
        let mut extra = Vec::new();
        if let Some(facet) = self.facet {
            let layers = facet.activations(found)?;
            let places: Option<Vec<usize>> = layers
                .iter()
                .map(|layer| cuts.iter().position(|cut| cut.after.data_ptr() == layer.data_ptr()))
                .collect();
            let places = places.ok_or_else(|| {
                Failure::new("a facet's layer is not the output of a ReLU")
                    .hint("name outputs of blocks for its `layers`, or set `redirect: 0`")
            })?;
            let down = redirected(falling, cuts, &[], leaf)?;
            let rising: Vec<Tensor> = places
                .iter()
                .zip(&layers)
                .map(|(&place, layer)| match &down.after[place] {
                    Some(gradient) => -gradient,
                    None => layer.zeros_like(),
                })
                .collect();
            let pulls = facet.pulls(&rising, &self.strengths.repeat([jobs as i64]));
            extra.extend(places.into_iter().zip(pulls).map(|(place, pull)| (place, -pull.pull)));
        }
        Ok(redirected(loss, cuts, &extra, leaf)?.input)
    }
}

/// The sum of scalars.
fn sum(terms: &[Tensor]) -> Tensor {
    Tensor::stack(terms, 0).sum(Kind::Float)
}

/// The network's input. Images are resized if learned positions fix its size, as in an attention pool and everywhere in a
/// vision transformer.
pub(crate) fn prepared(clip: &Clip, stage: Stage, images: Tensor) -> Tensor {
    let side = i64::from(clip.architecture.image_size);
    let images = match clip.fixes_size(stage) && images.size()[3] != side {
        true => images.internal_upsample_bilinear2d_aa([side, side], false, None, None), // [n, 3, side, side]
        false => images,
    };
    clip.normalise(&images)
}
