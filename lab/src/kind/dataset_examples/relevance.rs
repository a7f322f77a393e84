//! Relevance: the images with the greatest activation in; what the unit adds to the logit of each, and their order, out.

use std::collections::HashMap;

use neuronotes_core::kind::dataset_examples::Order;
use neuronotes_core::model::Place as Layer;
use tch::Kind;

use super::list::{List, Place};
use super::rank::{Ordered, by_digest, equal, ranked};
use crate::attribution::gradient::{Question, products};
use crate::attribution::logit::Logit;
use crate::clip::Clip;
use crate::dictionary::Dictionary;
use crate::failure::Failure;
use crate::gallery::Gallery;
use crate::pass::Pass;
use crate::vector::Prompts;
use crate::workbench::Workbench;

/// The candidates by relevance, and how many there are.
pub(super) fn ordered(
    bench: &mut Workbench<'_>,
    list: &List<'_>,
    gallery: &mut Gallery,
) -> Result<(Ordered, usize), Failure> {
    let mut places = ranked(list.scans, Order::Strongest);
    let most = list.params.candidates.map_or(usize::MAX, |most| most as usize);
    // Of equal activations, some of which are candidates, those are whose digests are the smallest.
    let last = equal(list.scans, &places, Order::Strongest, most).pop();
    if let Some(last) = last.filter(|last| last.end > most) {
        let count = most - last.start;
        by_digest(list, &mut places[last], count);
    }
    places.truncate(most);
    let count = places.len();
    let mut all = places.clone();
    all.sort_unstable();
    let relevance: HashMap<Place, f64> =
        all.iter().copied().zip(of(bench, list, &all, gallery)?).collect();
    by_digest(list, &mut places, count);
    let value = |place: &Place| relevance.get(place).copied().unwrap_or_default();
    places.sort_by(|a, b| list.params.order.compare(value(a), value(b)));
    Ok((Ordered { places, relevance }, count))
}

/// The relevance of images.
fn of(
    bench: &mut Workbench<'_>,
    list: &List<'_>,
    places: &[Place],
    gallery: &mut Gallery,
) -> Result<Vec<f64>, Failure> {
    let params = list.params;
    let clip = bench.clip(&[params.layer.layer()])?;
    let layer = clip.layer(params.layer.layer())?;
    let dictionary = dictionary(bench, &clip, &params.layer)?;
    let prompts = Prompts { templates: &params.templates, truncate: params.truncate };
    let classes = (&*params.classes, params.class.as_ref());
    let along = prompts.along(&clip, params.text.as_ref(), classes, bench.monitor)?;
    let logit = Logit::new(&along, clip.logit_scale(), clip.device);
    let samples: Vec<(usize, &str)> =
        places.iter().map(|&place| (place.0, list.key(place))).collect();
    let pictures = gallery.find(bench, &samples)?;
    let mut found = Vec::with_capacity(places.len());
    let stages = [layer.stage];
    let pass = Pass::new(&clip, &stages, "computing the relevance of images");
    let skipped = pass.inputs(&pictures[..], bench.monitor, |_, input| {
        let (stage, dictionary) = (layer.stage, dictionary.as_ref());
        let question = Question { clip: &clip, input, stage, dictionary, logit: &logit };
        let [active, gradient] = products(&question)?; // [n, units, positions]
        let products = list.target.part(&active) * list.target.part(&gradient);
        let sums = products.f_sum_dim_intlist([1i64].as_slice(), false, Kind::Double)?;
        found.extend(Vec::<f64>::try_from(sums)?);
        Ok(())
    })?;
    if let Some(first) = skipped.first() {
        let key = list.key(places[first.at]);
        return Err(Failure::new(format!("`{key}` cannot be read ({})", first.why)));
    }
    if let Some(odd) = found.iter().position(|number| !number.is_finite()) {
        let key = list.key(places[odd]);
        return Err(Failure::new(format!("the relevance of `{key}` is not finite"))
            .hint("check the weights, or use `precision: f32`"));
    }
    Ok(found)
}

/// The dictionary that the place is, with its decoder.
fn dictionary(
    bench: &mut Workbench<'_>,
    clip: &Clip,
    place: &Layer,
) -> Result<Option<Dictionary>, Failure> {
    let layer = clip.layer(place.layer())?;
    let Some(file) = bench.dictionary(place)? else { return Ok(None) };
    Ok(Some(Dictionary::with_decoder(&file.path, &layer, clip.device)?))
}
