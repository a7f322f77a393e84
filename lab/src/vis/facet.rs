//! Facets: activations at some layers and the objective's gradient there in; the part of them that belongs to the facet
//! out.
//!
//! After Goh et al. 2021 and openai/CLIP-featurevis: at each layer l, w ⊙ a ⊙ relu(∂f/∂a), summed, w being a linear
//! probe's weights, a the activations and f the objective; times 5/L for L layers, and times the strength. The gradient
//! is taken as it is: it is not itself differentiated.

use neuronotes_core::kind::facet::{Outcome, WEIGHTS};
use neuronotes_core::model::Stage;
use neuronotes_core::store::{Record, Store};
use safetensors::{Dtype, SafeTensors};
use tch::{Kind, Tensor};

use crate::clip::Clip;
use crate::clip::activations::Activations;
use crate::failure::Failure;

/// CLIP-featurevis's factor over all layers.
const FACTOR: f64 = 5.0;

/// A facet: a probe for each layer.
#[derive(Debug)]
pub struct Facet {
    /// Layers and weights, `[1, c, h, w]` in single precision on the model's device.
    pub probes: Vec<(Stage, Tensor)>,
}

/// A facet's gradient at one layer: its value there is `(a ⊙ pull).sum()`.
#[derive(Debug)]
pub struct Pull {
    /// The layer.
    pub stage: Stage,
    /// `[n, c, h, w]`.
    pub pull: Tensor,
}

impl Facet {
    /// The stages of its layers.
    pub fn stages(&self) -> impl Iterator<Item = Stage> + '_ {
        self.probes.iter().map(|(stage, _)| *stage)
    }

    /// The activations of its layers.
    ///
    /// # Errors
    /// If they were not collected.
    pub fn activations<'a>(&self, found: &'a Activations) -> Result<Vec<&'a Tensor>, Failure> {
        self.stages().map(|stage| found.get(stage)).collect()
    }

    /// The facet's gradient at its layers: `rising` are the gradients of the objective there, `[n, c, h, w]` each, and
    /// `strengths` has one for each picture. Probes are resized if the maps have another size.
    pub fn pulls(&self, rising: &[Tensor], strengths: &Tensor) -> Vec<Pull> {
        let share = FACTOR / self.probes.len() as f64;
        let strengths = (strengths * share).view([-1, 1, 1, 1]); // [n, 1, 1, 1]
        let layers = self.probes.iter().zip(rising);
        let pull = |((stage, probe), rising): (&(Stage, Tensor), &Tensor)| {
            let size = &rising.size()[2..];
            let probe = match &probe.size()[2..] == size {
                true => probe.shallow_clone(),
                false => probe.upsample_bilinear2d([size[0], size[1]], false, None, None),
            }; // [1, c, h, w]
            let pull = rising.to_kind(Kind::Float).relu() * probe * &strengths;
            Pull { stage: *stage, pull: pull.detach() }
        };
        layers.map(pull).collect()
    }
}

/// The sum of what facets pull at, over all pictures.
///
/// # Errors
/// If an activation is not there.
pub fn value(pulls: &[Pull], found: &Activations) -> Result<Option<Tensor>, Failure> {
    let mut sum: Option<Tensor> = None;
    for Pull { stage, pull } in pulls {
        let term = (found.get(*stage)?.to_kind(Kind::Float) * pull).sum(Kind::Float);
        sum = Some(match sum {
            Some(sum) => sum + term,
            None => term,
        });
    }
    Ok(sum)
}

/// The weights of a stored facet on a model's device; `Ok(None)` if a blob is missing or damaged.
///
/// # Errors
/// If it has another form, or is for another model.
pub fn read_facet(store: &Store, record: &Record, clip: &Clip) -> Result<Option<Facet>, Failure> {
    let bytes = record.outputs.get(WEIGHTS).and_then(|output| store.blob(&output.digest));
    let (Some(bytes), Some(outcome)) = (bytes, record.result::<Outcome>(store)) else {
        return Ok(None);
    };
    let other = |why: &dyn std::fmt::Display| {
        Failure::new(format!("the stored facet {} is malformed ({why})", record.key.short()))
    };
    let tensors = SafeTensors::deserialize(&bytes).map_err(|error| other(&error))?;
    let mut probes = Vec::new();
    for probe in &outcome.layers {
        let of = clip.layer(&probe.layer)?;
        let view = tensors.tensor(&probe.layer).map_err(|error| other(&error))?;
        let shape: Vec<i64> = view.shape().iter().map(|&n| n as i64).collect();
        if view.dtype() != Dtype::F32 || shape.len() != 3 {
            return Err(other(&"its weights are not a map"));
        }
        let numbers: Vec<f32> = view
            .data()
            .chunks_exact(4)
            .map(|bytes| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
            .collect();
        let weights = Tensor::from_slice(&numbers).view(shape.as_slice()).unsqueeze(0);
        probes.push((of.stage, weights.to_device(clip.device)));
    }
    match probes.is_empty() {
        true => Err(other(&"it has no layer")),
        false => Ok(Some(Facet { probes })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use neuronotes_core::model::Tap;
    use tch::Device;

    #[test]
    fn pulls_are_the_published_product() {
        let stage = Stage::Bottleneck { stage: 3, block: 0, tap: Tap::Output };
        let probe = Tensor::from_slice(&[1.0f32, -2.0, 3.0, 4.0]).view([1, 1, 2, 2]);
        let facet = Facet { probes: vec![(stage, probe)] };
        let rising = Tensor::from_slice(&[1.0f32, 1.0, -1.0, 0.5, 2.0, 0.0, 1.0, -3.0]);
        let strengths = Tensor::from_slice(&[1.0f32, 2.0]);
        let pulls = facet.pulls(&[rising.view([2, 1, 2, 2])], &strengths);
        let expected: [f32; 8] = [5.0, -10.0, 0.0, 10.0, 20.0, 0.0, 30.0, 0.0];
        assert_eq!(pulls[0].pull.view(-1), Tensor::from_slice(&expected));
        // A probe for a larger map keeps its meaning on a smaller one.
        let one = facet.pulls(
            &[Tensor::ones([1, 1, 1, 1], (Kind::Float, Device::Cpu))],
            &strengths.narrow(0, 0, 1),
        );
        assert!((one[0].pull.double_value(&[0, 0, 0, 0]) - 5.0 * 1.5).abs() < 1e-6);
    }
}
