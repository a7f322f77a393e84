//! Draws `conditional`: the shares of the categories as a column for each bucket, and the labelling sheet as a link.

use serde_json::{Map, Value};

use neuronotes_core::kind::conditional::{self, Bucket, Outcome, Params, SHEET};
use neuronotes_core::kind::scan::Pool;
use neuronotes_core::number::{decimals, number, percent, thousands};
use neuronotes_core::statistics::{deviations, part};

use super::axis::Axis;
use super::context::DrawContext;
use super::drawing::Drawing;
use super::entry::Figure;
use super::part::{Part, share};
use super::rating::{self, images};
use super::sheet::SheetLink;
use super::stacked::{Chart, Column, MOST};
use super::table::Table;
use crate::field::direction_line;

/// The drawing of `conditional`.
pub(super) static FIGURE: Figure = Figure { kind: &conditional::KIND, height, draw };

fn height(params: &Map<String, Value>) -> u32 {
    if params.contains_key("labels") { 430 } else { 390 }
}

/// What has no colour of its own.
const REST: &str = "other";

fn draw(context: &DrawContext<'_>) -> Result<Drawing, String> {
    let outcome: Outcome = context.result()?;
    let params: Params = context.params()?;
    let names = outcome.categories.len();
    if outcome.buckets.iter().any(|bucket| bucket.counts.len() != names) {
        return Err("the stored buckets do not fit their categories".to_owned());
    }
    let drawn: u64 = outcome.buckets.iter().map(|bucket| bucket.drawn).sum();
    let labelled: u64 = outcome.buckets.iter().map(Bucket::labelled).sum();
    let least = context.count("least").unwrap_or(5) as u64;
    let most = context.count("most").unwrap_or(MOST).clamp(1, MOST);
    let scaled = |value: f64| deviations(value, 0.0, outcome.scale).unwrap_or(value);
    let mut parts = Vec::new();
    if labelled > 0 {
        let of = match (&params.direction, params.pool) {
            (Some(_), _) => "activation of the direction",
            (None, Pool::Mean) => "mean activation",
            (None, Pool::Max) => "greatest activation",
        };
        let unit = if outcome.scale > 0.0 { ", standard deviations from zero" } else { "" };
        let shown = coloured(&outcome, most);
        let rest = if shown.len() < names { REST } else { "" };
        let column = |bucket: &Bucket| {
            let all = bucket.labelled();
            let count = |at: usize| part(bucket.counts[at], all);
            let mut shares: Vec<f64> = shown.iter().map(|at| count(*at)).collect();
            if !rest.is_empty() {
                shares.push((0..names).filter(|at| !shown.contains(at)).map(count).sum());
            }
            let span = (scaled(bucket.from), scaled(bucket.to));
            Column { span, shares, count: thousands(all), thin: all < least }
        };
        let chart = Chart {
            across: Axis::linear(&format!("{of}{unit}")),
            up: "share of each category",
            counted: "labelled images",
            names: shown.iter().map(|at| outcome.categories[*at].clone()).collect(),
            rest,
            columns: outcome.buckets.iter().map(column).collect(),
        };
        parts.push(chart.part()?);
    } else {
        let most = outcome.buckets.iter().map(|bucket| bucket.drawn).max().unwrap_or(0);
        let bar = |bucket: &Bucket| {
            let [from, to] = [bucket.from, bucket.to].map(|value| number(scaled(value), 1));
            let value = format!("{} ({} in all)", bucket.drawn, thousands(bucket.images));
            share(&format!("{from} to {to}"), value, part(bucket.drawn, most))
        };
        let bars = outcome.buckets.iter().map(bar).collect();
        let title = "Images to label in each bucket of activations, in standard deviations";
        parts.push(Part::bars(title, ["activation", "images"], bars));
    }
    if let Some(sheet) = context.record.outputs.get(SHEET) {
        let note = match labelled {
            0 => format!("{}, without their activations", images(drawn)),
            _ => format!("the {} that raters saw", images(drawn)),
        };
        parts.push(Part::Sheet(SheetLink::to(sheet.digest, "Labelling sheet", note)));
    }
    Ok(Drawing::Parts {
        parts,
        table: table(&outcome, scaled),
        note: note(context, &outcome, &params, (drawn, labelled), least),
    })
}

/// The categories with a colour, in the order of the outcome: those with the most images.
fn coloured(outcome: &Outcome, most: usize) -> Vec<usize> {
    let count = |at: &usize| outcome.buckets.iter().map(|bucket| bucket.counts[*at]).sum::<u64>();
    let mut all: Vec<usize> = (0..outcome.categories.len()).collect();
    all.sort_by_key(|at| std::cmp::Reverse(count(at)));
    all.truncate(most);
    all.sort_unstable();
    all
}

fn table(outcome: &Outcome, scaled: impl Fn(f64) -> f64) -> Table {
    let mut head =
        vec!["from", "to", "activation from", "activation to", "images", "drawn", "labelled"];
    head.extend(outcome.categories.iter().map(String::as_str));
    let row = |bucket: &Bucket| {
        let digits = decimals(bucket.to - bucket.from);
        let mut row = Vec::new();
        row.extend([bucket.from, bucket.to].map(|value| number(scaled(value), 2)));
        row.extend([bucket.from, bucket.to].map(|value| number(value, digits)));
        row.extend([bucket.images, bucket.drawn, bucket.labelled()].map(thousands));
        row.extend(bucket.counts.iter().copied().map(thousands));
        row
    };
    Table::new(&head, outcome.buckets.iter().map(row).collect())
}

fn note(
    context: &DrawContext<'_>,
    outcome: &Outcome,
    params: &Params,
    (drawn, labelled): (u64, u64),
    least: u64,
) -> String {
    let direction = params.direction.as_ref();
    let direction = direction.map(|terms| format!("{}: ", direction_line(terms, context.inputs)));
    let mut note = direction.unwrap_or_default();
    note += &match labelled {
        0 => format!("{} drawn, none labelled yet", images(drawn)),
        _ => format!("{} labelled of {} drawn", images(labelled), thousands(drawn)),
    };
    note += &format!(
        ", at most {} from each bucket of the {}",
        thousands(params.sample.into()),
        images(outcome.count)
    );
    let (below, above) = outcome.outside;
    if below + above > 0 {
        note += &format!(
            "; {} below the first bucket, {} above the last",
            thousands(below),
            thousands(above)
        );
    }
    let thin = outcome.buckets.iter().filter(|bucket| bucket.labelled() < least).count();
    if labelled > 0 && thin > 0 {
        note += &format!("; hatched: fewer than {least} labelled images");
    }
    if outcome.published {
        note += "; the buckets are those of the article";
    }
    if outcome.scale > 0.0 && outcome.scale != outcome.sd {
        note += &format!(
            ", whose standard deviation is {} (here {})",
            number(outcome.scale, 2),
            number(outcome.sd, 2)
        );
    }
    if let Some(first) = outcome.buckets.last().filter(|last| last.labelled() > 0) {
        let counts = first.counts.iter().zip(&outcome.categories);
        if let Some((count, name)) = counts.max_by_key(|(count, _)| **count) {
            let share = percent(part(*count, first.labelled()));
            note += &format!("; in the last bucket {share} are “{name}”");
        }
    }
    note + &rating::end(outcome.agreement.as_ref(), params.decide)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::figure::tests::Stored;

    fn drawn(outcome: &Outcome) -> Drawing {
        let params = json!({
            "layer": "visual.layer4.0.add", "unit": 3, "by": "label", "decide": "majority", "pool": "mean",
            "sample": 10, "seed": 0,
        });
        Stored::new(&conditional::KIND, params, outcome).drawn()
    }

    #[test]
    fn shares_are_columns_and_thin_buckets_are_hatched() {
        insta::assert_json_snapshot!(drawn(&conditional::sample(4.0)));
    }

    #[test]
    fn what_has_no_colour_is_the_rest() {
        let mut outcome = conditional::sample(4.0);
        assert_eq!(coloured(&outcome, 1), [1], "11 faces, 9 hearts");
        assert_eq!(coloured(&outcome, 2), [0, 1]);
        outcome.categories.push("bell".to_owned());
        for bucket in &mut outcome.buckets {
            bucket.counts.push(20);
        }
        assert_eq!(coloured(&outcome, 2), [1, 2]);
    }

    #[test]
    fn without_labels_the_sample_is_shown() {
        let mut outcome = conditional::sample(4.0);
        outcome.buckets.iter_mut().for_each(|bucket| bucket.counts.fill(0));
        let Drawing::Parts { parts, note, .. } = drawn(&outcome) else { panic!("parts") };
        assert!(matches!(&parts[0], Part::Bars(bars) if bars.rows.len() == 3), "{parts:?}");
        assert!(note.starts_with("21 images drawn, none labelled yet"), "{note}");
    }
}
