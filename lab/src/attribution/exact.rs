//! Exact attribution: the terms of an embedding in; what each adds to a logit, and by how much their sum misses the embedding,
//! out.

use neuronotes_core::model::{Layer, Stage, Tap};
use tch::{Device, Kind, Tensor};

use super::gradient::{Attributed, Question};
use crate::clip::terms::{Part, Term};
use crate::failure::Failure;

/// The terms of a logit.
#[derive(Debug)]
pub struct Exact {
    /// What the units of the layer add; the sum ought to be the logit less what does not depend on them.
    pub attributed: Attributed,
    /// What each part of the network adds, in its order.
    pub parts: Vec<Added>,
    /// The greatest difference between a coordinate of the terms' sum and of the embedding, both divided by the embedding's
    /// length.
    pub gap: f64,
}

/// What one part of the network adds to a logit.
#[derive(Debug)]
pub struct Added {
    /// The part.
    pub part: Part,
    /// What it adds.
    pub contribution: f64,
    /// What it adds from each position, without the class token or the mean; only of heads.
    pub map: Option<Vec<f64>>,
}

/// Decomposes the logit of one image; `layer` is the one to whose units it is attributed.
///
/// # Errors
/// If between that layer and the embedding there is more than a sum.
pub fn exact(question: &Question<'_>, layer: &Layer) -> Result<Exact, Failure> {
    let Question { clip, input, logit, .. } = *question;
    if question.dictionary.is_some() {
        let message = "an attribution to the features of a dictionary is not exact";
        return Err(Failure::new(message).hint("use another `method`, or a layer"));
    }
    tch::no_grad(|| {
        let along = logit.direction().to_kind(Kind::Float);
        let found = clip.terms(input, &along)?;
        if !is_below(layer.stage, found.stage) {
            let layers = clip.architecture.layers();
            let fitting = layers.iter().find(|layer| layer.stage == found.stage);
            let hint = fitting.map_or_else(String::new, |layer| {
                format!("use `layer: {}`, or another `method`", layer.name.shown())
            });
            let message = format!(
                "`{}` has more above it than a sum, so that no attribution to its units is exact",
                layer.name.shown()
            );
            return Err(Failure::new(message).hint(hint));
        }
        let embedding = clip.encode_images(input)?; // [1, e]
        let length = embedding.norm().double_value(&[]);
        let vectors: Vec<&Tensor> = found.terms.iter().map(|term| &term.vector).collect();
        let sum = Tensor::f_stack(&vectors, 0)?.f_sum_dim_intlist(
            [0i64].as_slice(),
            false,
            Kind::Float,
        )?;
        let gap = (sum - &embedding).abs().max().double_value(&[]) / length;
        let wide = along.to_kind(Kind::Double);
        let parts = found.terms.iter().map(|term| added(term, &wide, length));
        let parts = parts.collect::<Result<Vec<_>, Failure>>()?;
        let contributions = numbers(&found.units, length)?.squeeze_dim(0);
        let whole = logit.of(&embedding).double_value(&[0]);
        let rest = found.rest.double_value(&[0]) / length;
        let promised = Some(whole - rest);
        let attributed = Attributed { contributions, logit: whole, promised, absent: None };
        Ok(Exact { attributed, parts, gap })
    })
}

/// Whether only the terms are above a layer: a ReLU may lie between, since it does nothing to a unit that is active.
fn is_below(layer: Stage, terms: Stage) -> bool {
    match (layer, terms) {
        (
            Stage::Bottleneck { stage, block, tap: Tap::Add },
            Stage::Bottleneck { stage: last, block: end, tap: Tap::Output },
        ) => (stage, block) == (last, end),
        _ => layer == terms,
    }
}

/// A term of one image, as part of the logit along a direction, `[e]`.
fn added(term: &Term, along: &Tensor, length: f64) -> Result<Added, Failure> {
    let vector = term.vector.f_to_kind(Kind::Double)?.f_squeeze_dim(0)?;
    let contribution = vector.f_dot(along)?.double_value(&[]) / length;
    let map = match &term.positions {
        None => None,
        Some(positions) => {
            let all: Vec<f64> = Vec::try_from(numbers(positions, length)?.f_view(-1)?)?;
            Some(all.get(1..).unwrap_or_default().to_vec())
        }
    };
    Ok(Added { part: term.part, contribution, map })
}

/// Divided by the length of the embedding, in double precision, on the processor.
fn numbers(tensor: &Tensor, length: f64) -> Result<Tensor, Failure> {
    let wide = tensor.f_to_kind(Kind::Double)?.f_to_device(Device::Cpu)?;
    Ok((wide / length).f_contiguous()?)
}
