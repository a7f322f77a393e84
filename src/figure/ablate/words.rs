//! What a drawing of `ablate` says in words: numbers, what is changed and how, and the line below the figure.

use neuronotes_core::kind::ablate::{By, Estimate, Outcome, Params, Read};
use neuronotes_core::number::{decimals, number, percent, thousands, tick};

use super::super::context::DrawContext;
use crate::field::direction_line;

/// Number of units or heads that are named.
const MOST_NAMED: usize = 6;

/// How numbers are written: in percent, or with so many decimals.
pub(super) struct Form {
    pub percent: bool,
    decimals: usize,
}

impl Form {
    pub fn of(params: &Params, outcome: &Outcome) -> Self {
        let Estimate { low, high, .. } = outcome.change;
        let span = (high - low).max(outcome.change.value.abs());
        Self { percent: params.read == Read::Accuracy, decimals: decimals(span).clamp(1, 6) }
    }

    pub fn level(&self, value: f64) -> String {
        if self.percent { percent(value) } else { number(value, self.decimals) }
    }

    /// A difference, with its sign.
    pub fn change(&self, value: f64) -> String {
        let text = self.plain(value);
        // A zero in so many decimals has no sign.
        match value > 0.0 && text.bytes().any(|byte| (b'1'..=b'9').contains(&byte)) {
            true => format!("+{text}"),
            false => text,
        }
    }

    /// The same without a plus.
    fn plain(&self, value: f64) -> String {
        if self.percent { number(value * 100.0, 1) } else { number(value, self.decimals) }
    }

    /// What follows a difference.
    pub fn points(&self) -> &'static str {
        if self.percent { " points" } else { "" }
    }

    pub fn interval(&self, estimate: &Estimate, written: impl Fn(f64) -> String) -> String {
        let [value, low, high] = [estimate.value, estimate.low, estimate.high].map(written);
        format!("{value} ({low} to {high})")
    }
}

/// What is read, in a few words.
pub(super) fn what(params: &Params) -> String {
    match (params.read, &params.class, &params.text, &params.read_unit) {
        (Read::Accuracy, Some(class), ..) => format!("Zero-shot accuracy for “{class}”"),
        (Read::Accuracy, None, ..) => "Zero-shot accuracy".to_owned(),
        (Read::Logit, _, Some(text), _) => format!("Logit of “{text}”"),
        (Read::Logit, Some(class), None, _) => {
            format!("Logit of “{class}” minus the mean of the others")
        }
        (Read::Unit, _, _, Some(read)) => format!("Unit {} of {}", read.unit, read.layer),
        _ => "What is read".to_owned(),
    }
}

/// What is changed, in a few words.
pub(super) fn subject(context: &DrawContext<'_>, params: &Params) -> String {
    let listed = |noun: &str, all: &[u32]| match all {
        [one] => format!("{noun} {one}"),
        all if all.len() > MOST_NAMED => format!("{} {noun}s", all.len()),
        all => {
            let all: Vec<String> = all.iter().map(u32::to_string).collect();
            format!("{noun}s {}", all.join(", "))
        }
    };
    match (&params.units[..], &params.heads[..]) {
        ([], []) => {
            let line = |terms: &Vec<_>| direction_line(terms, context.inputs);
            match &params.directions[..] {
                [one] => format!("the direction {}", line(one)),
                all => {
                    format!(
                        "the directions {}",
                        all.iter().map(line).collect::<Vec<_>>().join("; ")
                    )
                }
            }
        }
        ([], heads) => listed("head", heads),
        (units, _) => listed("unit", units),
    }
}

/// What becomes of it.
fn how(params: &Params, outcome: &Outcome) -> String {
    let several = params.units.len() + params.heads.len() + params.directions.len() > 1;
    let each = |pick: fn(&(f64, f64)) -> f64| {
        let all: Vec<String> =
            outcome.spread.iter().take(MOST_NAMED).map(|one| tick(pick(one), 3)).collect();
        let dots = if outcome.spread.len() > MOST_NAMED { ", …" } else { "" };
        format!("{}{dots}", all.join(", "))
    };
    match (params.by, params.directions.is_empty()) {
        (By::Zero | By::ProjectOut, true) => "set to zero".to_owned(),
        (By::Zero | By::ProjectOut, false) => "projected out".to_owned(),
        (By::Mean, _) if outcome.spread.is_empty() => {
            "set to the mean over the data set at each position".to_owned()
        }
        (By::Mean, _) => {
            let noun = if several { "means" } else { "mean" };
            format!("set to the {noun} over the data set, {}", each(|one| one.0))
        }
        (By::Shift, _) => {
            let sd = tick(params.sd.unwrap_or_default(), 3);
            let noun = if several { "each by its own, " } else { "" };
            format!("shifted by {sd} standard deviations ({noun}{})", each(|one| one.1))
        }
    }
}

/// A number of things.
pub(super) fn counted(count: usize, noun: &str) -> String {
    format!("{} {noun}{}", thousands(count as u64), if count == 1 { "" } else { "s" })
}

/// The line below the figure.
pub(super) fn note(
    context: &DrawContext<'_>,
    params: &Params,
    outcome: &Outcome,
    form: &Form,
) -> String {
    let change = &outcome.change;
    let mut note = format!(
        "{} of {} {}; {}: {} before and {} after, on {}; a change of {}{} (95 % interval {} to {})",
        subject(context, params),
        context.layer_shown,
        how(params, outcome),
        small(&what(params)),
        form.level(outcome.before.value),
        form.level(outcome.after.value),
        counted(outcome.images as usize, "image"),
        form.change(change.value),
        form.points(),
        form.change(change.low),
        form.change(change.high),
    );
    if let Some(flips) = &outcome.flips {
        note += &format!(
            "; {} no longer classified correctly, {} only now",
            thousands(flips.lost),
            thousands(flips.gained)
        );
    }
    note += &format!(
        "; the norm of the change is {}, that of the activation {}",
        tick(outcome.norm, 3),
        tick(outcome.whole, 3)
    );
    note += &controls(params, outcome);
    for (count, why) in [
        (outcome.outside, "left out, because their true class is unknown or not among the classes"),
        (outcome.skipped, "could not be read"),
    ] {
        if count > 0 {
            note += &format!("; {} {why}", counted(count as usize, "image"));
        }
    }
    note
}

/// A text within a sentence.
fn small(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

/// What the controls are, and how many have as large an effect.
fn controls(params: &Params, outcome: &Outcome) -> String {
    let count = outcome.controls.len();
    let (noun, several) = match (params.heads.is_empty(), params.directions.is_empty()) {
        (false, _) => ("head", params.heads.len()),
        (_, false) => ("direction", params.directions.len()),
        _ => ("unit", params.units.len()),
    };
    if params.controls == 0 {
        return "; no controls".to_owned();
    }
    if count == 0 {
        return format!("; no controls: the layer has no other {noun}s to change");
    }
    let norms = outcome.controls.iter().map(|one| one.norm);
    let (low, high) =
        (norms.clone().fold(f64::INFINITY, f64::min), norms.fold(f64::NEG_INFINITY, f64::max));
    let sets = if several > 1 { counted(count, "set") + " of " } else { String::new() };
    let number = if several > 1 { String::new() } else { format!("{count} ") };
    let plural = if several > 1 || count > 1 { "s" } else { "" };
    let mut text = match noun {
        "direction" => format!(
            "; controls: exactly as much added along {sets}{number}random direction{plural} in which pictures differ"
        ),
        _ => {
            let (low, high) = (tick(low, 3), tick(high, 3));
            let norms = if low == high { low } else { format!("{low} to {high}") };
            format!(
                "; controls: the same done to {sets}{number}other {noun}{plural} whose change is nearest in size (norm {norms})"
            )
        }
    };
    if (count as u32) < params.controls {
        text += &format!(", since the layer has no more than {count} to draw");
    }
    let large = outcome.as_large();
    let (subject, verb) = match large {
        0 => (format!("none of {count}"), "has"),
        1 => (format!("1 of {count}"), "has"),
        _ => (format!("{large} of {count}"), "have"),
    };
    let p = outcome.p().map_or_else(String::new, |p| format!(" (p = {})", tick(p, 3)));
    text + &format!("; {subject} {verb} as large an effect{p}")
}
