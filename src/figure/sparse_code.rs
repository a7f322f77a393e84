//! Draws `sparse_code`: for each text its equations as found and cleaned, for each picture its terms as bars beside it, and all
//! equations as a table.

use serde_json::{Map, Value};

use neuronotes_core::kind::sparse_code::{
    self, Coded, Method, Objective, Outcome, Params, Weighed, digits, equation,
};
use neuronotes_core::model::Place;
use neuronotes_core::number::{decimals, number, thousands};

use super::composed::{Equation, Equations, Term};
use super::context::DrawContext;
use super::drawing::Drawing;
use super::entry::{Figure, typed};
use super::part::{Bars, Part, bars};
use super::picture::Picture;
use super::table::Table;

/// The drawing of `sparse_code`.
pub(super) static FIGURE: Figure = Figure { kind: &sparse_code::KIND, height, draw };

/// Texts or pictures that are drawn; the table has all.
const MOST_DRAWN: usize = 12;

/// A title and two lines for each text, a picture with bars for each picture.
fn height(params: &Map<String, Value>) -> u32 {
    let Some(params) = typed::<Params>(params) else { return 24 };
    let pictures = params.images.len() + params.words.len() + params.figures.len();
    let drawn = |count: usize| u32::try_from(count.min(MOST_DRAWN)).unwrap_or_default();
    drawn(params.texts.len()) * 90 + drawn(pictures) * 240 + 24
}

fn draw(context: &DrawContext<'_>) -> Result<Drawing, String> {
    let outcome: Outcome = context.result()?;
    let params: Params = context.params()?;
    let names: Vec<String> = outcome.items.iter().map(|coded| name(context, coded)).collect();
    let layer = params.layer.as_ref();
    let mut parts = Vec::new();
    for (coded, name) in outcome.items.iter().zip(&names).take(MOST_DRAWN) {
        let title = format!("{name}: {}", fitted(&params, coded));
        let line = |name: &str, terms| sum(context, layer, name, terms);
        let cleaned = coded.cleaned.as_deref().map(|terms| line("cleaned", terms));
        let equations = |title, rows| Part::Equations(Equations { title, rows });
        match &coded.picture {
            Some(shown) => {
                let size = (shown.width, shown.height);
                let picture = context.plain(&shown.picture, size, name)?;
                parts.push(group(context, layer, title, picture, &coded.terms));
                parts.extend(cleaned.map(|row| equations(String::new(), vec![row])));
            }
            None => {
                let found = if cleaned.is_some() { "as found" } else { name.as_str() };
                let found = line(found, &coded.terms);
                parts.push(equations(title, std::iter::once(found).chain(cleaned).collect()));
            }
        }
    }
    let rows = outcome.items.iter().zip(&names).map(|(coded, name)| row(coded, name)).collect();
    let cosine = if is_contrast(&params) { "correlation" } else { "cosine" };
    let mut head = vec!["", "terms", "as found", "cleaned", cosine, "for the mean alone"];
    if outcome.items.iter().any(|coded| coded.chance.is_some()) {
        head.extend(["for random terms: mean", "from", "to"]);
    }
    head.extend(["residual", "λ", "duality gap"]);
    Ok(Drawing::Parts {
        parts,
        table: Table::new(&head, rows),
        note: note(context, &params, &outcome),
    })
}

fn is_contrast(params: &Params) -> bool {
    params.objective() == Objective::Contrast
}

/// The text, or what the note calls the picture.
fn name(context: &DrawContext<'_>, coded: &Coded) -> String {
    let of_picture = || {
        let shown = coded.picture.as_ref()?;
        let file = shown.digest.map(|digest| context.picture_name(&digest.hex()));
        file.or_else(|| shown.origin.as_ref().map(|origin| context.origin_name(origin)))
    };
    coded.text.clone().or_else(of_picture).unwrap_or_default()
}

/// How well a sum fits, in a few words.
fn fitted(params: &Params, coded: &Coded) -> String {
    let count = match coded.terms.len() {
        1 => "1 term".to_owned(),
        count => format!("{count} terms"),
    };
    let word = if is_contrast(params) { "correlation" } else { "cosine" };
    let beside = [
        coded.alone.map(|alone| format!("{} for the mean alone", number(alone, 2))),
        coded.chance.map(|chance| format!("{} for random terms", number(chance.mean, 2))),
    ];
    let beside: Vec<String> = beside.into_iter().flatten().collect();
    let beside = match beside.is_empty() {
        true => String::new(),
        false => format!(" ({})", beside.join(", ")),
    };
    format!(
        "{count}, {word} {}{beside}, residual {}",
        number(coded.cosine, 2),
        number(coded.residual, 2),
    )
}

/// One sum as an equation; units have the names that notes give them.
fn sum(
    context: &DrawContext<'_>,
    layer: Option<&Place>,
    name: &str,
    terms: &[Weighed],
) -> Equation {
    let digits = digits(terms);
    let term = |term: &Weighed| Term {
        value: number(term.coefficient.abs(), digits),
        below: term.coefficient < 0.0,
        label: term.name(),
        unit: layer.zip(term.unit).and_then(|(place, unit)| context.unit(place, unit)),
        picture: None,
    };
    Equation { name: name.to_owned(), terms: terms.iter().map(term).collect(), more: 0 }
}

/// The terms of one sum as bars beside the picture that they are of.
fn group(
    context: &DrawContext<'_>,
    layer: Option<&Place>,
    title: String,
    picture: Picture,
    terms: &[Weighed],
) -> Part {
    let digits = digits(terms);
    let row = |term: &Weighed| (term.name(), term.coefficient, number(term.coefficient, digits));
    let head = ["term", "coefficient"].map(str::to_owned);
    let mut rows = bars(terms.iter().map(row));
    for (row, term) in rows.iter_mut().zip(terms) {
        row.unit = layer.zip(term.unit).and_then(|(place, unit)| context.unit(place, unit));
    }
    Part::Bars(Bars { title, picture: Some(picture), head, rows })
}

/// A row of the table.
fn row(coded: &Coded, name: &str) -> Vec<String> {
    let small =
        |value: Option<f64>| value.map(|value| number(value, decimals(value))).unwrap_or_default();
    let mut cells = vec![
        name.to_owned(),
        coded.terms.len().to_string(),
        equation(&coded.terms),
        coded.cleaned.as_deref().map(equation).unwrap_or_default(),
        number(coded.cosine, 4),
        coded.alone.map(|alone| number(alone, 4)).unwrap_or_default(),
    ];
    if let Some(chance) = coded.chance {
        cells.extend([chance.mean, chance.low, chance.high].map(|one| number(one, 4)));
    }
    cells.extend([number(coded.residual, 4), small(coded.penalty), small(coded.gap)]);
    cells
}

/// What was fitted to what, and what the drawing leaves out.
fn note(context: &DrawContext<'_>, params: &Params, outcome: &Outcome) -> String {
    let columns = thousands(outcome.columns);
    let terms = match &params.layer {
        Some(_) => format!("the {columns} units of {}", context.layer_shown),
        None => format!("{columns} words"),
    };
    let method = match params.method {
        Method::Lasso => "lasso",
        Method::Pursuit => "orthogonal matching pursuit",
    };
    let aim = match params.objective() {
        Objective::Contrast => format!(
            "{method} on attribution vectors of {} prompts or pictures, to tell each of {} apart",
            thousands(outcome.rows),
            outcome.items.len()
        ),
        Objective::Rebuild => format!("{method} to the embedding"),
    };
    let dropped = match params.drop.as_slice() {
        [] => String::new(),
        [unit] => format!("; cleaned equations leave out unit {unit}"),
        units => {
            let units: Vec<String> = units.iter().map(u32::to_string).collect();
            format!("; cleaned equations leave out units {}", units.join(", "))
        }
    };
    let random = match params.random {
        None => String::new(),
        Some(1) => "; random terms are from one dictionary of random vectors".to_owned(),
        Some(count) => format!("; random terms are from {count} dictionaries of random vectors"),
    };
    let hidden = match outcome.items.len() {
        count if count > MOST_DRAWN => {
            format!("; the first {MOST_DRAWN} of {count} are drawn, the table has all")
        }
        _ => String::new(),
    };
    format!("sums of {terms}; {aim}{dropped}{random}{hidden}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::figure::tests::Stored;

    fn drawn(params: Value, outcome: &Outcome) -> Drawing {
        let mut stored = Stored::new(&sparse_code::KIND, params, outcome);
        stored.layer_shown = "image_block_4/1/Add_6";
        stored.output("001.png", "image/png", b"a picture").drawn()
    }

    fn of_units() -> Value {
        json!({
            "texts": ["heart", "star"], "layer": "visual.layer4.1.add", "templates": ["{}"],
            "truncate": false, "method": "lasso", "center": true, "drop": [7], "random": 20,
        })
    }

    #[test]
    fn a_text_has_its_equation_as_found_and_cleaned() {
        insta::assert_json_snapshot!(drawn(of_units(), &sparse_code::sample(2.0, false)));
    }

    #[test]
    fn what_is_not_drawn_is_counted_and_in_the_table() {
        let mut outcome = sparse_code::sample(2.0, false);
        outcome.items = vec![outcome.items[0].clone(); 13];
        let Drawing::Parts { parts, table, note } = drawn(of_units(), &outcome) else {
            panic!("parts");
        };
        assert_eq!((parts.len(), table.rows.len()), (12, 13));
        assert!(note.ends_with("the first 12 of 13 are drawn, the table has all"), "{note}");
    }

    #[test]
    fn a_sum_of_words_stands_beside_its_picture() {
        let params = json!({
            "words": ["heart"], "vocabulary": ["red", "blue"], "templates": ["{}"],
            "truncate": false, "method": "lasso", "center": true,
        });
        let mut outcome = sparse_code::sample(2.0, true);
        outcome.items.truncate(1);
        outcome.items[0].terms = vec![Weighed::word("red", 0.5)];
        outcome.items[0].cleaned = None;
        outcome.items[0].chance = None;
        let Drawing::Parts { parts, note, .. } = drawn(params, &outcome) else { panic!("parts") };
        let [Part::Bars(bars)] = parts.as_slice() else { panic!("bars") };
        assert!(bars.picture.is_some() && bars.rows[0].label == "red", "{bars:?}");
        assert_eq!(
            bars.title,
            "heart: 1 term, cosine 0.75 (0.50 for the mean alone), residual 0.62"
        );
        assert_eq!(note, "sums of 768 words; lasso to the embedding");
    }
}
