//! Draws `stroop`: how often the ink and the word are answered, and a table of all words in all inks.

use serde_json::{Map, Value};

use neuronotes_core::kind::stroop::{self, Cell, Outcome, Params};
use neuronotes_core::number::{fixed, number, percent};

use super::context::DrawContext;
use super::drawing::Drawing;
use super::entry::{Figure, typed};
use super::part::{Crossed, Crossing, Part, accuracy};
use super::table::Table;

/// The drawing of `stroop`.
pub(super) static FIGURE: Figure = Figure { kind: &stroop::KIND, height, draw };

/// A row for each ink below the bars.
fn height(params: &Map<String, Value>) -> u32 {
    typed(params).map_or(0, |params: Params| 240 + params.inks.len().min(20) as u32 * 90)
}

fn draw(context: &DrawContext<'_>) -> Result<Drawing, String> {
    let outcome: Outcome = context.result()?;
    let params: Params = context.params()?;
    let inks = outcome.inks.len();
    let fits = |cell: &Cell| cell.probabilities.len() == inks && (cell.ink as usize) < inks;
    if outcome.cells.len() != inks * params.words.len() || !outcome.cells.iter().all(fits) {
        return Err("the stored result does not fit its words and inks".to_owned());
    }
    let counts = outcome.counts();
    let bars = [
        ("incongruent → ink", counts.ink, counts.incongruent),
        ("incongruent → word", counts.word, counts.incongruent),
        ("incongruent → neither", counts.other, counts.incongruent),
        ("congruent → ink", counts.congruent_ink, counts.congruent),
        ("control → ink", counts.control_ink, counts.control),
    ];
    let bars = bars.into_iter().filter(|(_, _, of)| *of > 0);
    let bars = bars.map(|(label, hits, of)| accuracy(label, hits, of)).collect();
    let title = "Sort of word → answer, with 95 % intervals";
    let crossing = |cell: &Cell| {
        let answer = cell.answer();
        let (ink, answered) = (&outcome.inks[cell.ink as usize], &outcome.inks[answer]);
        let alt = format!("the word {} in {ink}", cell.word);
        Ok(Crossing {
            picture: context.plain(&cell.picture, (cell.side, cell.side), &alt)?,
            text: answered.clone(),
            value: percent(cell.probabilities[answer]),
            marked: answer == cell.ink as usize,
        })
    };
    let cells = outcome.cells.iter().map(crossing).collect::<Result<Vec<_>, String>>()?;
    let crossed = Crossed {
        title: "What the model answers; framed if it is the ink".to_owned(),
        down: "ink".to_owned(),
        across: "word".to_owned(),
        rows: outcome.inks.clone(),
        columns: params.words.clone(),
        cells: cells.chunks(params.words.len().max(1)).map(<[Crossing]>::to_vec).collect(),
    };
    let note = format!(
        "{} words in {inks} inks; over words that name another ink, the mean probability of the ink is {}, and of the word {}; by chance {}",
        params.words.len(),
        number(counts.mean_ink, 3),
        number(counts.mean_word, 3),
        percent(1.0 / inks.max(1) as f64),
    );
    let head: Vec<&str> =
        ["ink", "word"].into_iter().chain(outcome.inks.iter().map(String::as_str)).collect();
    let row = |cell: &Cell| {
        let probabilities = cell.probabilities.iter().map(|p| fixed(*p, 4));
        [outcome.inks[cell.ink as usize].clone(), cell.word.clone()]
            .into_iter()
            .chain(probabilities)
            .collect()
    };
    Ok(Drawing::Parts {
        parts: vec![Part::bars(title, ["word", "answers"], bars), Part::Crossed(crossed)],
        table: Table::new(&head, outcome.cells.iter().map(row).collect()),
        note,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::figure::tests::Stored;

    fn drawn(outcome: &Outcome) -> Result<Drawing, String> {
        let params = json!({
            "inks": ["black", "red"], "words": ["example", "black", "red"], "templates": ["{}"], "truncate": false,
        });
        let stored = Stored::new(&stroop::KIND, params, outcome);
        let stored = outcome
            .cells
            .iter()
            .fold(stored, |stored, cell| stored.output(&cell.picture, "image/png", b"picture"));
        draw(&stored.context())
    }

    #[test]
    fn a_stroop_table_has_a_row_for_each_ink_and_bars_for_each_sort_of_word() {
        insta::assert_json_snapshot!(drawn(&stroop::sample(0.75)).expect("a drawing"));
        let mut damaged = stroop::sample(0.75);
        damaged.cells.pop();
        assert!(drawn(&damaged).is_err());
    }
}
