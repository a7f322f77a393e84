//! Attribution by gradients: an image, a layer and a logit in; what each unit adds to the logit at each position out.
//!
//! All passes go through a forward hook, so that the interpolations of an integral share what lies below the layer. With a
//! dictionary over the layer, its features take the place of units: the layer's activation is what the decoder makes of them and
//! a rest, which stays as it is. They are kept as a map of one column, `[n, features, positions, 1]`.

use neuronotes_core::kind::attribution::Baseline;
use neuronotes_core::model::Stage;
use tch::{Device, Kind, Tensor};

use super::logit::Logit;
use super::nodes::gauss_legendre;
use crate::batch::Batch;
use crate::clip::Clip;
use crate::clip::activations::{arranged, by_unit};
use crate::clip::hook::{with_unit, with_unit_of};
use crate::dictionary::Dictionary;
use crate::failure::Failure;
use crate::monitor::{Monitor, Progress};

/// What is attributed, and to where.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The model.
    pub clip: &'a Clip,
    /// One image: `[1, 3, side, side]`, normalised; several for [`products`] only.
    pub input: &'a Tensor,
    /// The layer to whose units the logit is attributed.
    pub stage: Stage,
    /// A dictionary over it with its decoder, if the logit is attributed to features.
    pub dictionary: Option<&'a Dictionary>,
    /// What is attributed.
    pub logit: &'a Logit,
}

/// What units add to a logit.
#[derive(Debug)]
pub struct Attributed {
    /// What each unit adds at each position: `[units, positions]`, double precision, on the processor.
    pub contributions: Tensor,
    /// The logit of the image.
    pub logit: f64,
    /// What the contributions ought to sum up to, for methods that promise it: the logit less that of the baseline.
    pub promised: Option<f64>,
    /// The activation that stands for the absence of each unit, as the layer has it; none where it is zero.
    pub absent: Option<Tensor>,
}

/// Gradient x activation: the first-order estimate of what the logit loses without a unit.
pub fn gradient_activation(question: &Question<'_>) -> Result<Attributed, Failure> {
    let found = question.gradients(question.input, &mut |x| Ok(x.shallow_clone()))?;
    Ok(Attributed {
        contributions: flat(&(found.at.detach() * found.gradient))?,
        logit: found.logits.double_value(&[0]),
        promised: None,
        absent: None,
    })
}

/// The activations of the units for each of several images and the gradients of its logit with respect to them, both
/// `[n, units, positions]` in single precision.
pub fn products(question: &Question<'_>) -> Result<[Tensor; 2], Failure> {
    let found = question.gradients(question.input, &mut |x| Ok(x.shallow_clone()))?;
    Ok([by_unit(&found.at.detach()), by_unit(&found.gradient)])
}

/// Integrated gradients (Sundararajan et al. 2017) from a baseline to the activation, along a straight line, by so many
/// Gauss–Legendre nodes.
pub fn integrated(
    question: &Question<'_>,
    nodes: usize,
    baseline: Baseline,
    monitor: &mut dyn Monitor,
) -> Result<Attributed, Failure> {
    let Question { clip, input, .. } = *question;
    let x = tch::no_grad(|| question.activation(input))?;
    let absent = match baseline {
        Baseline::Zero => None,
        Baseline::Blank => Some(tch::no_grad(|| question.activation(&input.zeros_like()))?),
    };
    let start = absent.as_ref().map_or_else(|| x.zeros_like(), Tensor::shallow_clone);
    let ends = Tensor::cat(&[&x, &start], 0);
    let ends = question.logits(&mut |_| Ok(ends.shallow_clone()))?;
    let way = &x - &start;
    let rule = gauss_legendre(nodes);
    let mut sum = way.zeros_like().f_to_kind(Kind::Double)?;
    Batch::on(clip.device).halved(monitor.halves()).run(nodes, |range| {
        monitor.check()?;
        let end = range.end as u64;
        let rule = &rule[range];
        let found = question.gradients(input, &mut |_| {
            let between = |(node, _): &(f64, f64)| &start + &way * *node;
            Ok(Tensor::f_cat(&rule.iter().map(between).collect::<Vec<_>>(), 0)?)
        })?;
        let weights: Vec<f64> = rule.iter().map(|(_, weight)| *weight).collect();
        let mut shape = vec![1; way.dim()];
        shape[0] = -1;
        let weights = Tensor::from_slice(&weights).f_to_device(clip.device)?.f_view(&*shape)?;
        let part = (found.gradient.f_to_kind(Kind::Double)? * weights).f_sum_dim_intlist(
            [0i64].as_slice(),
            true,
            Kind::Double,
        )?;
        sum = &sum + part;
        let progress = Progress {
            stage: "integrating gradients",
            step: end,
            total: nodes as u64,
            unit: "step",
            picture: None,
        };
        monitor.progress(&progress);
        Ok(())
    })?;
    Ok(Attributed {
        contributions: flat(&(way * sum))?,
        logit: ends[0],
        promised: Some(ends[0] - ends[1]),
        absent,
    })
}

/// Activation x the gradient on a blank image: the linear map that the network above the layer is near zero (Goh et al. 2021,
/// *Multimodal Neurons in Artificial Neural Networks*).
pub fn blank_gradient(question: &Question<'_>) -> Result<Attributed, Failure> {
    let x = tch::no_grad(|| question.activation(question.input))?;
    let blank = question.input.zeros_like();
    let found = question.gradients(&blank, &mut |x| Ok(x.shallow_clone()))?;
    let logit = question.logits(&mut |x| Ok(x.shallow_clone()))?;
    Ok(Attributed {
        contributions: flat(&(x * found.gradient))?,
        logit: logit[0],
        promised: None,
        absent: None,
    })
}

/// The logits of the image without each of these units: each is set, at all positions, to what `absent` has there, or to zero.
pub fn without(
    question: &Question<'_>,
    units: &[u32],
    absent: Option<&Tensor>,
    monitor: &mut dyn Monitor,
) -> Result<Vec<f64>, Failure> {
    let mut all = Vec::new();
    Batch::on(question.clip.device).halved(monitor.halves()).run(units.len(), |range| {
        monitor.check()?;
        let found = question.logits(&mut |x| {
            let variant = |&unit: &u32| match absent {
                None => with_unit(x, unit, 0.0),
                Some(absent) => with_unit_of(x, unit, absent),
            };
            let variants = units[range.clone()].iter().map(variant);
            Ok(Tensor::f_cat(&variants.collect::<Result<Vec<_>, Failure>>()?, 0)?)
        })?;
        all.extend(found);
        Ok(())
    })?;
    Ok(all)
}

/// Logits of variants of an activation, and their gradients.
struct Gradients {
    /// The variants: `[m, …]`.
    at: Tensor,
    /// `[m]`.
    logits: Tensor,
    /// Of each logit with respect to its variant: `[m, …]`.
    gradient: Tensor,
}

impl Question<'_> {
    /// The units' activation for an image: `[1, …]`.
    fn activation(&self, input: &Tensor) -> Result<Tensor, Failure> {
        self.units(self.clip.look(input, &[self.stage])?.get(self.stage)?)
    }

    /// The activation of the units, given the layer's: the same, unless they are features.
    fn units(&self, layer: &Tensor) -> Result<Tensor, Failure> {
        match self.dictionary {
            None => Ok(layer.shallow_clone()),
            Some(dictionary) => Ok(dictionary.encode_all(&by_unit(layer)).f_unsqueeze(-1)?),
        }
    }

    /// The layer's activation if that of the units is another: `layer` is `[1, …]`, `units` are `[m, …]`.
    fn layer(&self, layer: &Tensor, units: &Tensor) -> Result<Tensor, Failure> {
        let Some(dictionary) = self.dictionary else { return Ok(units.shallow_clone()) };
        let own = tch::no_grad(|| self.units(layer))?;
        let change = dictionary.decode(&(units - own).f_squeeze_dim(-1)?)?; // [m, units, positions]
        let change = match *layer.size() {
            [_, c, h, w] => change.f_view([-1, c, h, w])?,
            [_, _, _] => change.f_transpose(1, 2)?,
            _ => change.f_squeeze_dim(-1)?,
        };
        Ok(layer + change)
    }

    /// The logits where `variants` make several activations of the units.
    fn logits(
        &self,
        variants: &mut dyn FnMut(&Tensor) -> Result<Tensor, Failure>,
    ) -> Result<Vec<f64>, Failure> {
        tch::no_grad(|| {
            let wanted = [Stage::Embedding];
            let mut replace = |x: &Tensor| self.layer(x, &variants(&self.units(x)?)?);
            let found = self.clip.look_replacing(self.input, &wanted, self.stage, &mut replace)?;
            Ok(Vec::try_from(self.logit.of(found.get(Stage::Embedding)?))?)
        })
    }

    /// The same for another image, with gradients.
    fn gradients(
        &self,
        input: &Tensor,
        variants: &mut dyn FnMut(&Tensor) -> Result<Tensor, Failure>,
    ) -> Result<Gradients, Failure> {
        let mut leaf = None;
        let mut replace = |x: &Tensor| {
            let units = variants(&self.units(x)?)?.f_detach()?.set_requires_grad(true);
            leaf = Some(units.shallow_clone());
            self.layer(x, &units)
        };
        let wanted = [Stage::Embedding];
        let found = self.clip.look_replacing(input, &wanted, self.stage, &mut replace)?;
        let at = leaf.ok_or_else(|| Failure::new("the pass did not reach its layer"))?;
        let logits = self.logit.of(found.get(Stage::Embedding)?);
        let gradient =
            Tensor::f_run_backward(&[logits.f_sum(Kind::Double)?], &[&at], false, false)?.remove(0);
        // The embedding depends on no unit at all.
        let gradient = if gradient.defined() { gradient } else { at.zeros_like() };
        Ok(Gradients { at, logits: logits.detach(), gradient })
    }
}

/// `[1, …]` as `[units, positions]` in double precision on the processor.
fn flat(activation: &Tensor) -> Result<Tensor, Failure> {
    let wide = activation.detach().f_to_kind(Kind::Double)?.f_to_device(Device::Cpu)?;
    Ok(arranged(&wide).squeeze_dim(0))
}
