//! Draws `ablate`: what is read before and after a change, the change with its interval, and that of each control as a dot; and,
//! for an accuracy, the classes that change most.

mod words;

use serde_json::{Map, Value};

use neuronotes_core::kind::ablate::{self, ClassChange, Estimate, Outcome, Params};
use neuronotes_core::number::{number, percent, thousands};

use super::context::DrawContext;
use super::drawing::Drawing;
use super::entry::Figure;
use super::part::{Bar, Part};
use super::table::Table;
use super::unit::UnitRef;
use words::{Form, counted, note, subject, what};

/// Number of classes that are drawn as bars.
const MOST_CLASSES: usize = 12;
/// The drawing of `ablate`.
pub(super) static FIGURE: Figure = Figure { kind: &ablate::KIND, height, draw };

fn height(params: &Map<String, Value>) -> u32 {
    let classes = params.get("classes").and_then(Value::as_array).map_or(0, Vec::len);
    260 + classes.min(MOST_CLASSES) as u32 * 28
}

fn draw(context: &DrawContext<'_>) -> Result<Drawing, String> {
    let outcome: Outcome = context.result()?;
    let params: Params = context.params()?;
    let form = Form::of(&params, &outcome);
    let mut parts =
        vec![levels(&params, &outcome, &form), changes(context, &params, &outcome, &form)];
    parts.extend(classes(&outcome, &form));
    let table = table(&params, &outcome, &form);
    Ok(Drawing::Parts { parts, table, note: note(context, &params, &outcome, &form) })
}

/// A scale that holds these numbers and zero.
struct Scale {
    low: f64,
    high: f64,
}

impl Scale {
    fn of(numbers: impl Iterator<Item = f64>) -> Self {
        let (low, high) = numbers
            .filter(|number| number.is_finite())
            .fold((0.0, 0.0), |(low, high): (f64, f64), number| {
                (low.min(number), high.max(number))
            });
        Self { low, high }
    }

    fn place(&self, number: f64) -> f64 {
        let span = if self.high > self.low { self.high - self.low } else { 1.0 };
        let place = (number.clamp(self.low, self.high) - self.low) / span;
        if place.is_finite() { place } else { 0.0 }
    }

    fn bar(&self, label: &str, estimate: &Estimate, value: String) -> Bar {
        let Estimate { value: number, low, high } = *estimate;
        Bar {
            label: label.to_owned(),
            value,
            from: self.place(number.min(0.0)),
            to: self.place(number.max(0.0)),
            below: number < 0.0,
            interval: Some((self.place(low), self.place(high))),
            dots: Vec::new(),
            unit: None,
        }
    }

    fn dots(&self, label: &str, numbers: &[f64], value: String) -> Bar {
        let zero = self.place(0.0);
        Bar {
            label: label.to_owned(),
            value,
            from: zero,
            to: zero,
            below: false,
            interval: None,
            dots: numbers.iter().map(|number| self.place(*number)).collect(),
            unit: None,
        }
    }
}

fn bounds(numbers: &[f64]) -> (f64, f64) {
    let fold = |start, pick: fn(f64, f64) -> f64| numbers.iter().copied().fold(start, pick);
    (fold(f64::INFINITY, f64::min), fold(f64::NEG_INFINITY, f64::max))
}

/// Before, after, and after each control.
fn levels(params: &Params, outcome: &Outcome, form: &Form) -> Part {
    let controls: Vec<f64> =
        outcome.controls.iter().map(|one| outcome.before.value + one.change).collect();
    let ends = [&outcome.before, &outcome.after].map(|one| [one.low, one.value, one.high]);
    let all = ends.into_iter().flatten().chain(controls.iter().copied());
    let scale = match form.percent {
        true => Scale { low: 0.0, high: 1.0 },
        false => Scale::of(all),
    };
    let bar = |label, one| scale.bar(label, one, form.interval(one, |x| form.level(x)));
    let mut rows = vec![bar("before", &outcome.before), bar("after", &outcome.after)];
    if !controls.is_empty() {
        let (low, high) = bounds(&controls);
        let value = format!("{} to {}", form.level(low), form.level(high));
        rows.push(scale.dots("after controls", &controls, value));
    }
    let title = format!("{}, with 95 % intervals", what(params));
    Part::bars(&title, ["when", "value"], rows)
}

/// The change, and that of each control.
fn changes(context: &DrawContext<'_>, params: &Params, outcome: &Outcome, form: &Form) -> Part {
    let change = &outcome.change;
    let controls: Vec<f64> = outcome.controls.iter().map(|one| one.change).collect();
    let all = [change.low, change.value, change.high].into_iter().chain(controls.iter().copied());
    let scale = Scale::of(all);
    let value = form.interval(change, |x| form.change(x));
    let label = match (&params.units[..], &params.heads[..]) {
        ([unit], _) => UnitRef::plain(&params.layer, *unit),
        ([], []) if params.directions.len() == 1 => "the direction".to_owned(),
        ([], []) => "the directions".to_owned(),
        _ => subject(context, params),
    };
    let unit = match params.units[..] {
        [unit] => context.unit(&params.layer, unit),
        _ => None,
    };
    let mut rows = vec![Bar { unit, ..scale.bar(&label, change, value) }];
    if !controls.is_empty() {
        let (low, high) = bounds(&controls);
        let value = format!("{} to {}", form.change(low), form.change(high));
        rows.push(scale.dots(&counted(controls.len(), "control"), &controls, value));
    }
    let title = match form.percent {
        true => "Change in percentage points; each dot is a control",
        false => "Change; each dot is a control",
    };
    let title = if controls.is_empty() { title.split(';').next().unwrap_or(title) } else { title };
    Part::bars(title, ["changed", "change"], rows)
}

/// The classes that change most; none if none changes.
fn classes(outcome: &Outcome, form: &Form) -> Option<Part> {
    let size = |class: &ClassChange| class.change.value.abs();
    let mut order: Vec<&ClassChange> =
        outcome.classes.iter().filter(|class| size(class) > 0.0).collect();
    order.sort_by(|a, b| size(b).total_cmp(&size(a)));
    let changed = order.len();
    order.truncate(MOST_CLASSES);
    let all = order.iter().flat_map(|class| {
        let change = &class.change;
        [change.low, change.high].into_iter().chain(class.controls.iter().copied())
    });
    let scale = Scale::of(all);
    let row = |class: &&ClassChange| {
        let [before, after] = class.accuracy();
        let value = format!(
            "{} ({} → {})",
            form.change(class.change.value),
            percent(before),
            percent(after)
        );
        let dots = scale.dots("", &class.controls, String::new()).dots;
        Bar { dots, ..scale.bar(&class.label, &class.change, value) }
    };
    let rows: Vec<Bar> = order.iter().map(row).collect();
    let title = match changed > rows.len() {
        true => format!("The {} of {changed} classes that change most", rows.len()),
        false => "Classes whose accuracy changes".to_owned(),
    };
    (!rows.is_empty()).then(|| Part::bars(&title, ["class", "change"], rows))
}

fn table(params: &Params, outcome: &Outcome, form: &Form) -> Table {
    let head = [
        "pictures",
        "images",
        "before",
        "after",
        "change",
        "from",
        "to",
        "mean of controls",
        "norm of the change",
    ];
    let mean = |all: &[f64]| match all.len() {
        0 => String::new(),
        count => form.change(all.iter().sum::<f64>() / count as f64),
    };
    let interval = |one: &Estimate| [one.value, one.low, one.high].map(|x| form.change(x));
    let controls: Vec<f64> = outcome.controls.iter().map(|one| one.change).collect();
    let all = params.class.clone().unwrap_or_else(|| "all".to_owned());
    let [change, from, to] = interval(&outcome.change);
    let levels = [&outcome.before, &outcome.after].map(|one| form.level(one.value));
    let [before, after] = levels;
    let images = thousands(outcome.images);
    let norm = number(outcome.norm, 4);
    let mut rows = vec![vec![all, images, before, after, change, from, to, mean(&controls), norm]];
    rows.extend(outcome.classes.iter().map(|class| {
        let [before, after] = class.accuracy().map(percent);
        let [change, from, to] = interval(&class.change);
        let (images, controls) = (thousands(class.of), mean(&class.controls));
        let label = class.label.clone();
        vec![label, images, before, after, change, from, to, controls, String::new()]
    }));
    let noun = if params.heads.is_empty() { "unit" } else { "head" };
    rows.extend(outcome.controls.iter().enumerate().map(|(at, control)| {
        let name = match &control.of[..] {
            [] => format!("control {}: a random direction", at + 1),
            of => {
                let of: Vec<String> = of.iter().map(u32::to_string).collect();
                format!("control {}: {noun} {}", at + 1, of.join(", "))
            }
        };
        let after = form.level(outcome.before.value + control.change);
        let empty = String::new;
        let change = form.change(control.change);
        let before = form.level(outcome.before.value);
        let norm = number(control.norm, 4);
        vec![
            name,
            thousands(outcome.images),
            before,
            after,
            change,
            empty(),
            empty(),
            empty(),
            norm,
        ]
    }));
    Table::new(&head, rows)
}

#[cfg(test)]
mod tests;
