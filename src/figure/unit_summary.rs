//! Draws `unit_summary`: the range of activations as bars, the fraction of zeros, and all numbers as a table.

use neuronotes_core::kind::scan::Pool;
use neuronotes_core::kind::unit_summary::{self, Outcome, Params};
use neuronotes_core::number::{decimals, number, percent, thousands};
use neuronotes_core::statistics::part;

use super::context::DrawContext;
use super::drawing::Drawing;
use super::entry::Figure;
use super::part::{Part, bars, share};
use super::table::Table;
use crate::field::direction_line;

/// The drawing of `unit_summary`: six bars under two headings.
pub(super) static FIGURE: Figure = Figure { kind: &unit_summary::KIND, height: |_| 250, draw };

fn draw(context: &DrawContext<'_>) -> Result<Drawing, String> {
    let outcome: Outcome = context.result()?;
    let params: Params = context.params()?;
    let digits = decimals(outcome.max - outcome.min);
    let Outcome { count, mean, sd, min, max, .. } = outcome;
    let range = [
        ("least", min),
        ("mean − standard deviation", mean - sd),
        ("mean", mean),
        ("mean + standard deviation", mean + sd),
        ("greatest", max),
    ];
    let title = match (&params.direction, params.pool) {
        (Some(terms), _) => format!("Activation of {}", direction_line(terms, context.inputs)),
        (None, Pool::Mean) => "Activation, mean over positions".to_owned(),
        (None, Pool::Max) => "Activation, maximum over positions".to_owned(),
    };
    let range = bars(range.map(|(name, value)| (name.to_owned(), value, number(value, digits))));
    let zero = part(outcome.zeros, count);
    let zeros = format!("{} ({} of {})", percent(zero), thousands(outcome.zeros), thousands(count));
    let kurtosis = outcome.kurtosis.map(|kurtosis| number(kurtosis, 2));
    let note = format!(
        "{} images; mean {}, standard deviation {}, {}",
        thousands(count),
        number(mean, digits),
        number(sd, digits),
        match &kurtosis {
            Some(kurtosis) => format!("excess kurtosis {kurtosis}"),
            None => "no kurtosis because all activations are equal".to_owned(),
        },
    );
    let row = |name: &str, value: f64| vec![name.to_owned(), number(value, 5)];
    let rows = vec![
        vec!["images".to_owned(), thousands(count)],
        row("mean", mean),
        row("standard deviation", sd),
        vec![
            "excess kurtosis".to_owned(),
            outcome.kurtosis.map(|kurtosis| number(kurtosis, 5)).unwrap_or_default(),
        ],
        vec!["zeros".to_owned(), thousands(outcome.zeros)],
        row("fraction of zeros", zero),
        row("least", min),
        row("greatest", max),
    ];
    Ok(Drawing::Parts {
        parts: vec![
            Part::bars(&title, ["of all images", "activation"], range),
            Part::bars(
                "Images with an activation of zero",
                ["activation", "images"],
                vec![share("exactly zero", zeros, zero)],
            ),
        ],
        table: Table::new(&["statistic", "value"], rows),
        note,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::figure::tests::Stored;

    fn drawn(outcome: &Outcome) -> Drawing {
        let params = json!({ "layer": "visual.layer4.0.add", "unit": 3, "pool": "mean" });
        Stored::new(&unit_summary::KIND, params, outcome).drawn()
    }

    #[test]
    fn a_summary_is_bars_of_the_range_and_of_zeros() {
        insta::assert_json_snapshot!(drawn(&unit_summary::sample(3.25)));
        let same =
            Outcome { kurtosis: None, sd: 0.0, min: 0.5, max: 0.5, ..unit_summary::sample(0.5) };
        let Drawing::Parts { note, .. } = drawn(&same) else { panic!("parts") };
        assert!(note.ends_with("no kurtosis because all activations are equal"), "{note}");
    }
}
