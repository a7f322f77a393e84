//! Measures `attribution`: what each unit of a layer adds to the logit of a picture, and whether the logit loses it without the
//! unit.

use neuronotes_core::kind::attribution::{Contribution, Method, Outcome, Params, Term, Terms};
use neuronotes_core::model::{Layer, Positions};
use neuronotes_core::suggest;
use tch::{Kind, Tensor};

use crate::attribution::exact::{Added, exact};
use crate::attribution::gradient::{
    Attributed, Question, blank_gradient, gradient_activation, integrated, without,
};
use crate::attribution::logit::Logit;
use crate::clip::activations::by_unit;
use crate::clip::preprocess::prepare;
use crate::clip::terms::Part;
use crate::dataset::drawn_words;
use crate::dictionary::Dictionary;
use crate::failure::Failure;
use crate::gallery::Gallery;
use crate::heat;
use crate::monitor::Progress;
use crate::picture::Picture;
use crate::vector::Prompts;
use crate::workbench::Workbench;

/// Draws a heat map over the picture: returns the name of its output.
type Draw<'a> = dyn FnMut(&mut Workbench<'_>, &[f64]) -> Result<String, Failure> + 'a;

/// How many keys of a data set a misspelt one is compared with.
const MOST_COMPARED: usize = 100_000;
/// How many heads have a heat map.
const MOST_HEADS: usize = 8;

pub(crate) fn run(bench: &mut Workbench<'_>) -> Result<(), Failure> {
    let params: Params = bench.params()?;
    let name = params.layer.layer();
    let clip = bench.clip(&[name])?;
    let layer = clip.layer(name)?;
    let dictionary = match bench.dictionary(&params.layer)? {
        None => None,
        Some(file) => Some(Dictionary::with_decoder(&file.path, &layer, clip.device)?),
    };
    let dictionary = dictionary.as_ref();
    let (picture, caption) = shown(bench, &params, clip.architecture.image_size)?;
    let seen = prepare(picture, clip.architecture.image_size)
        .map_err(|why| Failure::new(format!("the picture cannot be shown to the model ({why})")))?;
    let input = clip.input(seen.as_raw(), 1)?;
    let prompts = Prompts { templates: &params.templates, truncate: params.truncate };
    let classes = (&*params.classes, params.class.as_ref());
    let direction = prompts.along(&clip, params.text.as_ref(), classes, bench.monitor)?;
    let logit = Logit::new(&direction, clip.logit_scale(), clip.device);
    let stage = layer.stage;
    let question = Question { clip: &clip, input: &input, stage, dictionary, logit: &logit };
    bench.monitor.progress(&Progress::beginning("attributing the logit"));
    let mut parts = None;
    let found = match params.method {
        Method::GradientActivation => gradient_activation(&question)?,
        Method::BlankGradient => blank_gradient(&question)?,
        Method::IntegratedGradients => {
            integrated(&question, params.nodes as usize, params.baseline, bench.monitor)?
        }
        Method::Exact => {
            let found = exact(&question, &layer)?;
            parts = Some((found.parts, found.gap));
            found.attributed
        }
    };
    bench.monitor.check()?;
    let sums = sums(&found, &layer)?;
    let mut gallery = Gallery::default();
    let stored = gallery.add(bench, Picture::from(seen.clone()))?;
    let mut drawn = |bench: &mut Workbench<'_>, map: &[f64]| {
        let most = map.iter().fold(0.0, |most: f64, number| most.max(number.abs()));
        let picture = Picture::from(heat::draw(&seen, map, most));
        Ok::<_, Failure>(gallery.add(bench, picture)?.picture)
    };
    let units = strongest(&sums, params.top as usize);
    let changed = without(&question, &units, found.absent.as_ref(), bench.monitor)?;
    let found_there = tch::no_grad(|| clip.look(&input, &[layer.stage]))?;
    let active = by_unit(found_there.get(layer.stage)?); // [1, units, positions]
    let active = dictionary.map_or_else(|| active.shallow_clone(), |it| it.encode_all(&active));
    let active = active.mean_dim([2i64].as_slice(), false, Kind::Double);
    let mut strongest = Vec::new();
    for (&unit, changed) in units.iter().zip(changed) {
        let map = map(&found.contributions, unit, layer.positions)?;
        strongest.push(Contribution {
            unit,
            contribution: sums[unit as usize],
            activation: active.double_value(&[0, unit.into()]),
            change: changed - found.logit,
            picture: map.map(|map| drawn(bench, &map)).transpose()?,
        });
    }
    let terms = match parts {
        None => None,
        Some((parts, gap)) => Some(terms(bench, parts, gap, &mut drawn)?),
    };
    let outcome = Outcome {
        picture: stored.picture,
        side: stored.width,
        caption,
        logit: found.logit,
        logit_scale: clip.logit_scale(),
        units: sums.len() as u32,
        sum: sums.iter().sum(),
        size: sums.iter().map(|sum| sum.abs()).sum(),
        promised: found.promised,
        strongest,
        terms,
    };
    bench.record.set_result(bench.store(), &outcome)?;
    Ok(())
}

/// The picture, and its caption if it is a sample of the data set that has one. Words are drawn as large as the model's input.
fn shown(
    bench: &mut Workbench<'_>,
    params: &Params,
    side: u32,
) -> Result<(Picture, Option<String>), Failure> {
    if let Some(digest) = params.image {
        return Ok((bench.picture(digest)?, None));
    }
    if let Some(word) = &params.word {
        let drawn = drawn_words(std::slice::from_ref(word), side).picture(0);
        return Ok((drawn.map_err(|why| Failure::undrawn(word, why))?, None));
    }
    let Some(key) = &params.sample else { return Err(Failure::new("the block has no picture")) };
    let dataset = bench.dataset()?;
    let mut keys: Vec<String> = Vec::new();
    for index in 0..dataset.shards.len() {
        let shard = bench.shard(dataset, index)?;
        let Some(row) = shard.samples().iter().position(|sample| sample.key == *key) else {
            let more = MOST_COMPARED.saturating_sub(keys.len());
            keys.extend(shard.samples().iter().take(more).map(|sample| sample.key.clone()));
            continue;
        };
        let cannot = |why| Failure::new(format!("`{key}` cannot be read ({why})"));
        let caption = shard.samples()[row].caption.clone();
        return Ok((shard.picture(row).map_err(cannot)?, caption));
    }
    Err(unknown_key(&dataset.name, key, &keys))
}

/// The failure that a data set with these keys does not have this one.
fn unknown_key(dataset: &str, key: &str, keys: &[String]) -> Failure {
    let near = suggest::nearest(key, keys, 3);
    let hint = match near.is_empty() {
        true => "`sample` is a key, as the table of a `dataset_examples` shows it".to_owned(),
        false => format!("did you mean {}?", suggest::quoted(&near, "or")),
    };
    Failure::new(format!("the data set `{dataset}` has no picture `{key}`")).hint(hint)
}

/// The contribution of each unit, over all positions.
fn sums(found: &Attributed, layer: &Layer) -> Result<Vec<f64>, Failure> {
    let sums = found.contributions.f_sum_dim_intlist([1i64].as_slice(), false, Kind::Double)?;
    let sums: Vec<f64> = Vec::try_from(sums)?;
    match sums.iter().all(|sum| sum.is_finite()) && found.logit.is_finite() {
        true => Ok(sums),
        false => {
            let message = format!("contributions of `{}` are not finite", layer.name.canonical);
            Err(Failure::new(message).hint("check the weights, or use `precision: f32`"))
        }
    }
}

/// The units that contribute most by absolute value; of equal ones the first.
fn strongest(sums: &[f64], top: usize) -> Vec<u32> {
    let mut order: Vec<u32> = (0..).take(sums.len()).collect();
    let size = |unit: u32| sums[unit as usize].abs();
    order.sort_by(|&a, &b| size(b).total_cmp(&size(a)));
    order.truncate(top);
    order
}

/// What a unit adds at each point of a square grid over the picture; `None` if the layer has no such grid.
fn map(
    contributions: &Tensor,
    unit: u32,
    positions: Positions,
) -> Result<Option<Vec<f64>>, Failure> {
    let row = || Ok::<_, Failure>(Vec::try_from(contributions.f_get(unit.into())?)?);
    Ok(match positions {
        Positions::One => None,
        Positions::Map(_) => Some(row()?),
        // The class token is nowhere in the picture.
        Positions::Tokens(_) => Some(row()?.split_off(1)),
    })
}

/// The terms as they are stored: all of them, heat maps of the strongest heads, and one of all heads together.
fn terms(
    bench: &mut Workbench<'_>,
    parts: Vec<Added>,
    gap: f64,
    drawn: &mut Draw<'_>,
) -> Result<Terms, Failure> {
    let mut whole: Vec<f64> = Vec::new();
    let mut heads: Vec<usize> = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        let Some(map) = &part.map else { continue };
        whole.resize(map.len(), 0.0);
        whole.iter_mut().zip(map).for_each(|(sum, number)| *sum += number);
        heads.push(at);
    }
    let size = |at: usize| parts[at].contribution.abs();
    heads.sort_by(|&a, &b| size(b).total_cmp(&size(a)));
    heads.truncate(MOST_HEADS);
    let picture = drawn(bench, &whole)?;
    let mut all = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        let map = part.map.as_ref().filter(|_| heads.contains(&at));
        let picture = map.map(|map| drawn(bench, map)).transpose()?;
        all.push(Term { name: named(part.part), contribution: part.contribution, picture });
    }
    Ok(Terms { gap, all, picture })
}

fn named(part: Part) -> String {
    match part {
        Part::Start => "start".to_owned(),
        Part::PoolHead(head) => format!("head {head}"),
        Part::Head { block, head } => format!("block {block}, head {head}"),
        Part::Mlp(block) => format!("block {block}, MLP"),
        Part::Bias => "bias".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strongest_are_those_of_either_sign_and_of_equals_the_first() {
        assert_eq!(strongest(&[0.5, -2.0, 0.0, 2.0, 1.0], 3), [1, 3, 4]);
        assert_eq!(strongest(&[0.5], 3), [0]);
    }

    #[test]
    fn a_misspelt_key_is_answered_by_near_ones() {
        let keys = ["airplane--noto", "cat--noto"].map(str::to_owned);
        let hint = |key: &str| match unknown_key("emoji", key, &keys) {
            Failure::Failed { hint, .. } => hint.unwrap_or_default(),
            other => panic!("{other:?}"),
        };
        assert_eq!(hint("airplan--noto"), "did you mean `airplane--noto`?");
        assert!(hint("zzz").starts_with("`sample` is a key"));
    }

    #[test]
    fn a_class_token_is_nowhere_in_the_picture() {
        let numbers = Tensor::from_slice(&[9.0f64, 1.0, 2.0, 3.0, 4.0]).view([1, 5]);
        let tokens = map(&numbers, 0, Positions::Tokens(5)).expect("numbers");
        assert_eq!(tokens, Some(vec![1.0, 2.0, 3.0, 4.0]));
        let grid = map(&numbers.narrow(1, 1, 4), 0, Positions::Map(2)).expect("numbers");
        assert_eq!(grid, tokens);
        assert_eq!(map(&numbers, 0, Positions::One).expect("numbers"), None);
        assert!(map(&numbers, 1, Positions::Map(2)).is_err());
    }
}
