//! Draws `category_response`: the median of each category as a bar, with the quartiles as its interval, and all numbers as a table.

use serde_json::{Map, Value};

use neuronotes_core::kind::category_response::{self, From, Outcome, Params, Response};
use neuronotes_core::kind::scan::Pool;
use neuronotes_core::number::{number, thousands};
use neuronotes_core::statistics::deviations;

use super::context::DrawContext;
use super::drawing::Drawing;
use super::entry::{Figure, typed};
use super::part::{Bar, Part};
use super::rating::{self, images};
use super::table::Table;
use crate::field::direction_line;

/// The drawing of `category_response`.
pub(super) static FIGURE: Figure = Figure { kind: &category_response::KIND, height, draw };

/// A title, and a bar for each category, of which about ten are expected where the block does not list them.
fn height(params: &Map<String, Value>) -> u32 {
    let listed = typed(params).and_then(|params: Params| params.categories);
    40 + 28 * listed.map_or(10, |categories| categories.len().min(24) as u32)
}

fn draw(context: &DrawContext<'_>) -> Result<Drawing, String> {
    let outcome: Outcome = context.result()?;
    let params: Params = context.params()?;
    let (from_mean, origin) = match context.option("from") {
        Some(word) if word == From::Mean.word() => (true, outcome.mean),
        _ => (false, 0.0),
    };
    // Of a unit that is the same for all images, activations are shown as they are.
    let has_spread = outcome.sd > 0.0;
    let scaled = |value: f64| deviations(value, origin, outcome.sd).unwrap_or(value - origin);
    let most = context.count("most").unwrap_or(24).max(2);
    let (shown, hidden) = ends(&outcome.categories, most);
    let of = match (&params.direction, params.pool) {
        (Some(terms), _) => format!("activation of {}", direction_line(terms, context.inputs)),
        (None, Pool::Mean) => "activation, mean over positions".to_owned(),
        (None, Pool::Max) => "activation, maximum over positions".to_owned(),
    };
    let axis = match (has_spread, from_mean) {
        (true, false) => "in standard deviations from zero",
        (true, true) => "in standard deviations from the mean",
        (false, false) => "as it is, because it is the same for all images",
        (false, true) => "less the mean, because it is the same for all images",
    };
    let title = format!("Median {of}, {axis}; the lines span the quartiles");
    let bars = bars(&shown, scaled);
    let row = |response: &Response| {
        let Response { name, count, low, median, high } = response;
        let mut row = vec![name.clone(), thousands(*count)];
        row.extend([*low, *median, *high].map(|value| number(scaled(value), 3)));
        row.push(number(*median, 5));
        row
    };
    let rows = outcome.categories.iter().map(row).collect();
    let head = ["category", "images", "first quartile", "median", "third quartile", "activation"];
    Ok(Drawing::Parts {
        parts: vec![Part::bars(&title, ["category", "median"], bars)],
        table: Table::new(&head, rows),
        note: note(&outcome, &params, hidden),
    })
}

/// The categories to show, highest median first, and the number of those in the middle that are not.
fn ends(all: &[Response], most: usize) -> (Vec<&Response>, usize) {
    if all.len() <= most {
        return (all.iter().collect(), 0);
    }
    let low = most / 2;
    let high = most - low;
    (all[..high].iter().chain(&all[all.len() - low..]).collect(), all.len() - most)
}

fn bars(shown: &[&Response], scaled: impl Fn(f64) -> f64) -> Vec<Bar> {
    let all = || shown.iter().flat_map(|r| [r.low, r.median, r.high]).map(&scaled);
    let (low, high) = (all().fold(0.0, f64::min), all().fold(0.0, f64::max));
    let span = if high > low { high - low } else { 1.0 };
    let place = |value: f64| ((value - low) / span).clamp(0.0, 1.0);
    let bar = |response: &&Response| {
        let median = scaled(response.median);
        let count = response.count;
        Bar {
            label: response.name.clone(),
            value: format!("{} ({})", number(median, 2), images(count)),
            from: place(median.min(0.0)),
            to: place(median.max(0.0)),
            below: median < 0.0,
            // One image has no quartiles.
            interval: (count > 1)
                .then(|| (place(scaled(response.low)), place(scaled(response.high)))),
            dots: Vec::new(),
            unit: None,
        }
    };
    shown.iter().map(bar).collect()
}

fn note(outcome: &Outcome, params: &Params, hidden: usize) -> String {
    let mut note = format!(
        "{} of {} images have a category",
        thousands(outcome.labelled),
        thousands(outcome.count)
    );
    if hidden > 0 {
        note += &format!("; {hidden} categories between the highest and the lowest are not shown");
    }
    let alone = outcome.categories.iter().filter(|response| response.count == 1).count();
    if alone > 0 {
        let categories = if alone == 1 { "category has" } else { "categories have" };
        note += &format!("; {alone} {categories} one image, and no quartiles");
    }
    note + &rating::end(outcome.agreement.as_ref(), params.decide)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::figure::tests::Stored;

    fn stored(outcome: &Outcome) -> Stored {
        let params = json!({
            "layer": "visual.layer4.0.add", "unit": 3, "by": "label", "decide": "majority", "pool": "mean",
        });
        Stored::new(&category_response::KIND, params, outcome)
    }

    #[test]
    fn medians_are_bars_from_zero_with_quartiles() {
        insta::assert_json_snapshot!(stored(&category_response::sample(3.0)).drawn());
    }

    #[test]
    fn the_highest_and_the_lowest_are_shown_if_there_are_many() {
        let outcome = category_response::sample(3.0);
        let response = &outcome.categories[0];
        let all: Vec<Response> =
            (0..9).map(|at| Response { name: at.to_string(), ..response.clone() }).collect();
        let (shown, hidden) = ends(&all, 5);
        let names: Vec<&str> = shown.iter().map(|response| &*response.name).collect();
        assert_eq!((names, hidden), (vec!["0", "1", "2", "7", "8"], 4));
        assert_eq!(ends(&all, 9).1, 0);
    }

    #[test]
    fn a_unit_without_spread_is_shown_as_it_is() {
        let same = Outcome { sd: 0.0, ..category_response::sample(3.0) };
        let Drawing::Parts { parts, .. } = stored(&same).drawn() else { panic!("parts") };
        let Part::Bars(bars) = &parts[0] else { panic!("bars") };
        assert!(bars.title.contains("as it is"), "{}", bars.title);
        assert_eq!(bars.rows[0].value, "3.00 (8 images)");
    }
}
