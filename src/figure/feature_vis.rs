//! Draws `feature_vis`: its pictures, the activations during the optimisation, and their comparison with real images.

use serde_json::{Map, Value};

use neuronotes_core::kind::feature_vis::{
    self, Made, Objective, Outcome, Params, Sign, Start, film, label, picture, web,
};
use neuronotes_core::number::{number, thousands, tick};
use neuronotes_core::statistics::deviations;

use super::context::DrawContext;
use super::curve::{self, Curve};
use super::drawing::Drawing;
use super::entry::{Figure, typed};
use super::picture::{GridItem, Picture};
use crate::field::direction_line;

/// The drawing of `feature_vis`.
pub(super) static FIGURE: Figure = Figure { kind: &feature_vis::KIND, height, draw };

/// The height in the theme, which enlarges a picture by an integer factor to at most 320 pixels and arranges several
/// in rows.
fn height(params: &Map<String, Value>) -> u32 {
    let Some(Params { images, size, .. }) = typed(params) else { return 320 };
    match images {
        0 | 1 => (size * (320 / size.max(1)).max(1)).min(640),
        _ => images.div_ceil(4) * 190,
    }
}

fn draw(context: &DrawContext<'_>) -> Result<Drawing, String> {
    let outcome: Outcome = context.result()?;
    let params: Params = context.params()?;
    let alt = described(context, &params);
    let what = measured(&params);
    let value = |made: &Made| number(made.activation, 2);
    let mut pictures = Vec::new();
    for index in 0..outcome.images.len() {
        pictures.push(shown(context, &outcome, index, &alt)?);
    }
    let note = note(context, &params, &outcome);
    match (pictures.as_slice(), outcome.images.as_slice()) {
        ([], _) => Err("the stored result has no picture".to_owned()),
        ([picture], [made]) => Ok(Drawing::Picture {
            picture: picture.clone(),
            value: format!("{what} {}", value(made)),
            note,
            curve: curve(&what, &outcome)?,
        }),
        _ => {
            let item = |(index, (picture, made)): (usize, (Picture, &Made))| GridItem {
                picture: Picture { alt: format!("{alt} {}", label(index, made)), ..picture },
                caption: label(index, made),
                value: value(made),
                unit: None,
            };
            let items = pictures.into_iter().zip(&outcome.images).enumerate().map(item).collect();
            Ok(Drawing::Grid { items, note, curve: curve(&what, &outcome)?, table: None })
        }
    }
}

/// One picture: its web-sized variant if there is one, with the full size behind it, and its film.
fn shown(
    context: &DrawContext<'_>,
    outcome: &Outcome,
    index: usize,
    alt: &str,
) -> Result<Picture, String> {
    let full = context.picture(&picture(index), outcome.size, outcome.size)?;
    let small = outcome.web.map(|side| context.picture(&web(index), side, side)).transpose()?;
    let film = outcome.film.map(|side| context.picture(&film(index), side, side)).transpose()?;
    let (image, full) = match small {
        Some(small) => (small, Some(full)),
        None => (full, None),
    };
    Ok(Picture { synthetic: true, full, film, ..Picture::plain(image, alt) })
}

fn curve(what: &str, outcome: &Outcome) -> Result<Option<Curve>, String> {
    let single = outcome.images.len() == 1;
    let name = |index, made| if single { String::new() } else { label(index, made) };
    let made = outcome.images.iter().enumerate();
    let lines: Vec<(String, &[(u32, f64)])> =
        made.map(|(index, made)| (name(index, made), &*made.curve)).collect();
    curve::draw(what, &lines)
}

/// The name of the objective's value.
fn measured(params: &Params) -> String {
    let of = |unit: &str, direction: &str| match params.unit {
        Some(_) => unit.to_owned(),
        None => direction.to_owned(),
    };
    let before = params.layer.dictionary().map_or("", |_| " before the ReLU");
    let of = |unit: &str, direction: &str| of(unit, direction) + before;
    match params.objective {
        Objective::Channel => of("mean activation", "mean dot product with the direction"),
        Objective::Neuron => {
            of("activation at the centre", "dot product with the direction at the centre")
        }
        Objective::Layer => "mean square of the layer".to_owned(),
        Objective::Caricature => "dot product with the picture's activations".to_owned(),
    }
}

/// The picture's description for readers who cannot see it.
fn described(context: &DrawContext<'_>, params: &Params) -> String {
    let layer = context.layer_shown;
    let what = match (params.objective, params.unit, &params.direction) {
        (Objective::Caricature, ..) => {
            let image = params.image.as_deref().unwrap_or_default();
            format!("Caricature of {} by {layer}", context.picture_name(image))
        }
        (Objective::Layer, ..) => format!("Feature visualisation of the whole layer {layer}"),
        (_, Some(unit), _) => {
            let noun = params.layer.noun();
            format!("Feature visualisation of {noun} {unit} of {layer}")
        }
        (_, None, Some(terms)) => {
            let terms = direction_line(terms, context.inputs);
            format!("Feature visualisation of the direction {terms} at {layer}")
        }
        (_, None, None) => format!("Feature visualisation of {layer}"),
    };
    let sign = match params.sign {
        Sign::Positive => "",
        Sign::Negative => ", minimised",
    };
    let facet = context.used("facet").next();
    let facet = facet.map(|block| format!(", with the facet {}", block.name));
    format!("{what}{sign}{}.", facet.unwrap_or_default())
}

fn note(context: &DrawContext<'_>, params: &Params, outcome: &Outcome) -> String {
    let numbers = || outcome.images.iter().map(|made| made.activation);
    let low = numbers().fold(f64::INFINITY, f64::min);
    let high = numbers().fold(f64::NEG_INFINITY, f64::max);
    let best = if params.sign == Sign::Negative { low } else { high };
    let reached = match outcome.images.len() {
        1 => number(best, 2),
        _ => format!("{} to {}", number(low, 2), number(high, 2)),
    };
    let start = outcome.images.last().map_or(0.0, |made| made.activation_at_start);
    let begun = match params.start {
        Start::Noise => "on noise",
        Start::Image => "on the initial picture",
    };
    let mut note = format!("{} {reached}, from {} {begun}", measured(params), number(start, 2));
    if let Some(rate) = outcome.restarted_with {
        note += &format!("; diverged once; restarted with learning rate {}", tick(rate, 6));
    }
    if unmoved(outcome) {
        return note
            + ": the activation was the same at every step, so the picture says nothing about it";
    }
    note + &beside_images(context, params, best).unwrap_or_default()
}

/// Whether no step changed the activation, as for a unit that is always silent.
fn unmoved(outcome: &Outcome) -> bool {
    outcome.images.iter().all(|made| {
        let first = made.activation_at_start;
        made.curve.len() > 1
            && made.activation == first
            && made.curve.iter().all(|(_, value)| *value == first)
    })
}

/// Compares an activation with those of a data set's images.
fn beside_images(context: &DrawContext<'_>, params: &Params, activation: f64) -> Option<String> {
    // Images activate the trained network, not one with shuffled weights.
    let baseline = context.baseline.filter(|_| params.shuffle.is_none())?;
    let unit = usize::try_from(params.unit?).ok()?;
    let moments = context.moments(baseline)?;
    let distribution = match params.objective {
        Objective::Channel => &moments.mean,
        Objective::Neuron => &moments.max,
        Objective::Layer | Objective::Caricature => return None,
    };
    let (mean, sd) = (*distribution.mean.get(unit)?, *distribution.sd.get(unit)?);
    let away = deviations(activation, mean, sd).filter(|away| away.is_finite())?;
    let side = if away < 0.0 { "below" } else { "above" };
    Some(format!(
        " — {} standard deviations {side} the mean of {}'s {} images",
        number(away.abs(), 1),
        baseline.dataset,
        thousands(moments.count)
    ))
}

#[cfg(test)]
mod tests;
