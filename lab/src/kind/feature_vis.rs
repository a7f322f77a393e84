//! Measures `feature_vis`: images optimised to maximise the activation of a unit, a direction or a layer.
//!
//! Requests that differ only in their target are measured together.

use std::rc::Rc;
use std::time::Duration;

use neuronotes_core::canonical::canonical_json;
use neuronotes_core::digest::Digest;
use neuronotes_core::kind::OF_TARGET;
use neuronotes_core::kind::feature_vis::{self, Made, Objective, Outcome, Params, Sign, Start};
use neuronotes_core::model::Stage;
use neuronotes_core::request::Request;
use serde_json::Value;
use tch::{Device, Kind, Tensor};

use super::term::of_terms;
use crate::clip::Clip;
use crate::clip::preprocess::prepare;
use crate::encode::{png, png_with_text, webp};
use crate::failure::Failure;
use crate::monitor::{Progress, Timer};
use crate::readout::Readout;
use crate::vis::facet::Facet;
use crate::vis::film::{film, smaller};
use crate::vis::job::Job;
use crate::vis::objective::{Aim, Place, Target};
use crate::vis::optimise::step::prepared;
use crate::vis::optimise::{Optimised, Step, optimise};
use crate::vis::param::of_bytes;
use crate::workbench::Workbench;

/// The most points of a curve.
const POINTS: usize = 64;
/// The largest side of a picture that pages show at full size, in pixels.
const WEB: u32 = 640;
/// WebP quality of the pictures for pages, from 0 to 100.
const WEB_QUALITY: f32 = 90.0;

/// Equal for requests that differ only in their target.
pub(crate) fn batch_key(request: &Request) -> Digest {
    let mut shared = request.canonical();
    if let Some(params) = shared["params"].as_object_mut() {
        OF_TARGET.iter().for_each(|name| drop(params.remove(*name)));
    }
    // The results that a direction is made of; a facet is among the parameters.
    shared["uses"] = Value::Null;
    shared["path"] = request.model.path.to_string_lossy().into();
    Digest::of(canonical_json(&shared).as_bytes())
}

/// A request, ready to be optimised.
struct Asked {
    params: Params,
    clip: Rc<Clip>,
    job: Job,
    facet: Option<Facet>,
}

pub(crate) fn run(benches: &mut [Workbench<'_>]) -> Vec<Result<(), Failure>> {
    let mut results = Vec::new();
    let mut asked = Vec::new();
    for (at, bench) in benches.iter_mut().enumerate() {
        match ask(bench) {
            Ok(one) => {
                asked.push((at, one));
                results.push(Ok(()));
            }
            Err(failure) => results.push(Err(failure)),
        }
    }
    let Some((_, first)) = asked.first() else { return results };
    let (params, clip) = (first.params.clone(), Rc::clone(&first.clip));
    let halve = benches.iter().any(|bench| bench.monitor.halves());
    let mut facet = None;
    let (mut places, mut jobs) = (Vec::new(), Vec::new());
    for (at, one) in asked {
        places.push(at);
        jobs.push(one.job);
        facet = facet.or(one.facet);
    }
    // Each step transforms the picture to another size, so that trying algorithms would never pay.
    tch::Cuda::cudnn_set_benchmark(false);
    let mut due: Vec<Timer> = jobs
        .iter()
        .map(|_| Timer::new(Duration::from_millis(100), Duration::from_secs(1)))
        .collect();
    for &place in &places {
        benches[place].monitor.progress(&Progress {
            stage: "optimising",
            step: 0,
            total: params.steps.into(),
            unit: "step",
            picture: None,
        });
    }
    let mut watch = |job: usize, step: &Step<'_>| {
        let monitor = &mut *benches[places[job]].monitor;
        monitor.check()?;
        let picture = match due[job].due() {
            true => Some(png(&step.pixels(), params.size, params.size)?),
            false => None,
        };
        monitor.progress(&Progress {
            stage: "optimising",
            step: step.done.into(),
            total: params.steps.into(),
            unit: "step",
            picture: picture.as_deref(),
        });
        Ok(())
    };
    let made = optimise(&clip, &jobs, facet.as_ref(), &params, halve, &mut watch);
    for (at, made) in places.into_iter().zip(made) {
        results[at] = made.and_then(|made| write(&mut benches[at], &clip, &made));
    }
    results
}

fn ask(bench: &mut Workbench<'_>) -> Result<Asked, Failure> {
    let params: Params = bench.params()?;
    let clip = bench.clip_with(&[params.layer.layer()], params.shuffle)?;
    let readout = Readout::of(bench, &clip, &params.layer)?;
    let layer = &readout.layer;
    let is_layer = params.layer.dictionary().is_none();
    let mut image = || -> Result<Tensor, Failure> {
        let digest = params.image.as_deref().ok_or_else(|| Failure::new("there is no `image`"))?;
        let picture = bench.picture(digest.parse().map_err(Failure::new)?)?;
        let pixels = prepare(picture, params.size).map_err(Failure::new)?;
        Ok(of_bytes(pixels.as_raw(), params.size, clip.device))
    };
    let start = match params.start {
        Start::Image => Some(image()?),
        Start::Noise => None,
    };
    let place = Place::of(params.objective);
    let aim = match (params.objective, params.unit, &params.direction) {
        (Objective::Channel | Objective::Neuron, Some(unit), None) => readout.aim(unit, place)?,
        (Objective::Channel | Objective::Neuron, None, Some(terms)) => {
            let direction = of_terms(bench, &clip, &readout, terms)?;
            readout.aim_along(&direction, place, clip.device)?
        }
        (Objective::Layer, None, None) if is_layer => Aim::Layer,
        (Objective::Caricature, None, None) if is_layer => Aim::Image(image()?),
        _ => {
            let message =
                "a visualisation needs a target: a unit, a direction, a picture, or a whole layer";
            return Err(Failure::new(message));
        }
    };
    let facet = match &params.facet {
        Some(_) => {
            let missing = || Failure::outside("the request does not use the facet that it names");
            Some(bench.used::<Facet>("facet", &clip)?.pop().ok_or_else(missing)?)
        }
        None => None,
    };
    let sign = match params.sign {
        Sign::Positive => 1.0,
        Sign::Negative => -1.0,
    };
    let target = Target { stage: layer.stage, aim, sign, cosine_power: params.cosine_power };
    Ok(Asked { params, clip, job: Job { target, start }, facet })
}

fn write(bench: &mut Workbench<'_>, clip: &Clip, made: &Optimised) -> Result<(), Failure> {
    let size = bench.request.params.get("size").and_then(Value::as_u64);
    let size = size.and_then(|size| u32::try_from(size).ok()).unwrap_or_default();
    let (mut web, mut film_side) = (None, None);
    let store = bench.store();
    let recipe = canonical_json(&bench.request.canonical());
    for (at, picture) in made.pictures.iter().enumerate() {
        let full = png_with_text(&picture.pixels, size, "neuronotes", &recipe)?;
        bench.record.add_output(store, &feature_vis::picture(at), "image/png", &full)?;
        if let Some((pixels, side)) = smaller(&picture.pixels, size, WEB) {
            web = Some(side);
            let still = webp(&pixels, side, WEB_QUALITY)?;
            bench.record.add_output(store, &feature_vis::web(at), "image/webp", &still)?;
        }
        if let Some(frame) = picture.frames.first() {
            film_side = Some(frame.side());
            let film = film(&picture.frames)?;
            bench.record.add_output(store, &feature_vis::film(at), "image/webp", &film)?;
        }
    }
    let images = made.pictures.iter().map(|picture| {
        Ok(Made {
            activation: picture.activation,
            activation_at_start: picture.activation_at_start,
            strength: picture.strength,
            curve: thin(&picture.values),
            embedding: embedding(clip, &picture.pixels, size)?,
        })
    });
    let images = images.collect::<Result<Vec<_>, Failure>>()?;
    let outcome =
        Outcome { size, web, film: film_side, images, restarted_with: made.restarted_with };
    bench.record.set_result(store, &outcome)?;
    Ok(())
}

/// The embedding of a finished picture, scaled to length 1.
fn embedding(clip: &Clip, pixels: &[u8], size: u32) -> Result<Vec<f32>, Failure> {
    tch::no_grad(|| {
        let image = of_bytes(pixels, size, clip.device);
        let input = prepared(clip, Stage::Embedding, image);
        let found = clip.look_steadily(&input, &[Stage::Embedding])?;
        let embedding = found.get(Stage::Embedding)?.to_kind(Kind::Double).view(-1);
        let numbers = Vec::<f64>::try_from(embedding.to_device(Device::Cpu))?;
        let length = numbers.iter().map(|x| x * x).sum::<f64>().sqrt();
        if !(length.is_finite() && length > 0.0) {
            return Ok(Vec::new());
        }
        Ok(numbers.iter().map(|x| ((x / length * 1e4).round() / 1e4) as f32).collect())
    })
}

/// At most [`POINTS`] of the values with their steps, counted from 0, including the first and the last.
fn thin(values: &[f64]) -> Vec<(u32, f64)> {
    let last = values.len().saturating_sub(1);
    let points = values.len().min(POINTS);
    (0..points)
        .map(|i| {
            let at = if points > 1 { (i * last + (points - 1) / 2) / (points - 1) } else { 0 };
            (at as u32, values[at])
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_keeps_its_ends_and_never_more_than_64_points() {
        for count in [1usize, 2, 3, 63, 64, 65, 512, 4096] {
            let values: Vec<_> = (0..count).map(|i| i as f64).collect();
            let curve = thin(&values);
            assert_eq!(curve.len(), count.min(64));
            assert_eq!(curve.first(), Some(&(0, 0.0)));
            assert_eq!(curve.last(), Some(&(count as u32 - 1, count as f64 - 1.0)));
            assert!(curve.is_sorted_by(|a, b| a.0 < b.0));
        }
    }
}
