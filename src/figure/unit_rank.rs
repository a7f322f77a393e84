//! Draws `unit_rank`: for each measure, the fraction of the layer's units that the unit exceeds, as bars.

use neuronotes_core::kind::unit_rank::{self, Outcome, Params, Rank};
use neuronotes_core::number::{number, percent, thousands, tick};
use neuronotes_core::statistics::part;

use super::context::DrawContext;
use super::drawing::Drawing;
use super::entry::Figure;
use super::part::{Part, share};
use super::table::Table;

/// The drawing of `unit_rank`: five bars.
pub(super) static FIGURE: Figure = Figure { kind: &unit_rank::KIND, height: |_| 210, draw };

fn draw(context: &DrawContext<'_>) -> Result<Drawing, String> {
    let outcome: Outcome = context.result()?;
    let params: Params = context.params()?;
    let all = outcome.units + 1;
    let noun = params.layer.noun();
    let whole = if params.layer.dictionary().is_some() { "dictionary" } else { "layer" };
    let bar = |rank: &Rank| {
        let label = named(rank, &params);
        match rank.rank() {
            Some(at) => {
                let below = outcome.units - (rank.greater + rank.equal).min(outcome.units);
                let value = format!("{} of {}", thousands(at), thousands(all));
                share(&label, value, part(below, outcome.units))
            }
            None => share(&label, "none".to_owned(), 0.0),
        }
    };
    let title = format!("Fraction of the {whole}'s other {noun}s with a smaller number, and rank");
    let bars = outcome.ranks.iter().map(bar).collect();
    let s = if outcome.units == 1 { "" } else { "s" };
    let mut note = format!(
        "compared with {} other {noun}{s} over {} images",
        thousands(outcome.units),
        thousands(outcome.count),
    );
    match outcome.left_out {
        0 => {}
        1 => note += "; 1 that does not vary is left out",
        count => note += &format!("; {} that do not vary are left out", thousands(count)),
    }
    if outcome.ranks.iter().any(|rank| rank.value.is_none()) {
        note += "; the activation is the same for all images, so that it has no rank by its shape";
    }
    let optional = |value: Option<f64>| value.map(|value| number(value, 5)).unwrap_or_default();
    let row = |rank: &Rank| {
        vec![
            named(rank, &params),
            optional(rank.value),
            rank.rank().map(thousands).unwrap_or_default(),
            thousands(all),
            optional(rank.median),
        ]
    };
    let head = ["measure", "value", "rank", "of", "median of the others"];
    let rows = outcome.ranks.iter().map(row).collect();
    Ok(Drawing::Parts {
        parts: vec![Part::bars(&title, ["measure", "rank"], bars)],
        table: Table::new(&head, rows),
        note,
    })
}

/// A measure for readers.
fn named(rank: &Rank, params: &Params) -> String {
    match rank.measure.as_str() {
        "sd" => "standard deviation".to_owned(),
        "kurtosis" => "excess kurtosis".to_owned(),
        "peak" => "greatest, in standard deviations".to_owned(),
        "above" => {
            let share = rank.value.map(|value| format!(" ({})", percent(value)));
            let beyond = tick(params.deviations, 2);
            format!("images above {beyond} deviations{}", share.unwrap_or_default())
        }
        measure => measure.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::figure::tests::Stored;

    fn drawn(outcome: &Outcome) -> Drawing {
        let params =
            json!({ "layer": "visual.layer4.0.add", "unit": 3, "pool": "mean", "deviations": 3.0 });
        Stored::new(&unit_rank::KIND, params, outcome).drawn()
    }

    #[test]
    fn ranks_are_bars_and_a_silent_unit_has_none_by_its_shape() {
        insta::assert_json_snapshot!(drawn(&unit_rank::sample(12.5)));
        let mut silent = unit_rank::sample(0.0);
        silent.ranks[2].value = None;
        let Drawing::Parts { note, table, .. } = drawn(&silent) else { panic!("parts") };
        assert!(note.ends_with("no rank by its shape"), "{note}");
        assert_eq!(table.rows[2][1..3], ["", ""]);
    }
}
