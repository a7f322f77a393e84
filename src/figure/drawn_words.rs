//! Draws `words`: the words at both ends as bars from the mean of all, with whiskers of their drawings' spread, below pictures
//! of the first of them.

use serde_json::{Map, Value};

use neuronotes_core::kind::drawn_words::{self, MOST_SHOWN, Moved, Outcome, Params};
use neuronotes_core::number::{decimals, number, percent, thousands};
use neuronotes_core::statistics::deviations;

use super::context::DrawContext;
use super::drawing::Drawing;
use super::entry::{Figure, typed};
use super::part::{Bar, Part, bars};
use super::picture::GridItem;
use super::table::Table;

/// The drawing of `words`.
pub(super) static FIGURE: Figure = Figure { kind: &drawn_words::KIND, height, draw };

const RAISE: &str = "Words that raise it most, in standard deviations from the mean (activation ± standard deviation)";
const LOWER: &str = "Words that lower it most";

/// Two rows of pictures, and one bar per word.
fn height(params: &Map<String, Value>) -> u32 {
    let top = typed(params).map_or(10, |params: Params| params.top);
    2 * (top * 28 + 56) + 2 * 150
}

fn draw(context: &DrawContext<'_>) -> Result<Drawing, String> {
    let outcome: Outcome = context.result()?;
    let Outcome { up, down, .. } = &outcome;
    let mut rows = rows(&outcome);
    let lower = rows.split_off(up.len());
    let head = ["word", "standard deviations from the mean"];
    let mut parts = Vec::new();
    for (title, list, bars) in [(RAISE, up, rows), (LOWER, down, lower)] {
        parts.push(Part::bars(title, head, bars));
        let items = list.iter().take(MOST_SHOWN).map(|moved| picture(context, moved));
        let items: Vec<_> = items.collect::<Result<Vec<_>, String>>()?;
        let items: Vec<GridItem> = items.into_iter().flatten().collect();
        if !items.is_empty() {
            parts.push(Part::Pictures { title: String::new(), items });
        }
    }
    Ok(Drawing::Parts { parts, table: table(&outcome), note: note(&outcome) })
}

/// A bar for each word, those of the upper end first, all on one scale that includes the whiskers.
fn rows(outcome: &Outcome) -> Vec<Bar> {
    let all: Vec<&Moved> = outcome.up.iter().chain(&outcome.down).collect();
    let digits = digits(outcome);
    let away = |value: f64| deviations(value, outcome.mean, outcome.sd).unwrap_or(0.0);
    let value = |moved: &Moved| {
        let spread = moved.sd.map(|sd| format!(" ± {}", number(sd, digits)));
        let mean = number(moved.mean, digits);
        format!("{} ({mean}{})", number(away(moved.mean), 2), spread.unwrap_or_default())
    };
    let middle = all.iter().map(|moved| (moved.word.clone(), away(moved.mean), value(moved)));
    // Bars for the ends of the whiskers, so that these are on the scale too.
    let end = |moved: &Moved, sign: f64| {
        let at = away(moved.mean + sign * moved.sd.unwrap_or(0.0));
        (String::new(), at, String::new())
    };
    let ends = all.iter().flat_map(|moved| [end(moved, -1.0), end(moved, 1.0)]);
    let mut rows = bars(middle.chain(ends));
    let place = |bar: &Bar| if bar.below { bar.from } else { bar.to };
    let ends = rows.split_off(all.len());
    for ((row, ends), moved) in rows.iter_mut().zip(ends.chunks_exact(2)).zip(&all) {
        row.interval = moved.sd.map(|_| (place(&ends[0]), place(&ends[1])));
    }
    rows
}

fn picture(context: &DrawContext<'_>, moved: &Moved) -> Result<Option<GridItem>, String> {
    let Some(shown) = &moved.shown else { return Ok(None) };
    let picture = context.plain(&shown.picture, (shown.width, shown.height), &shown.key)?;
    // The word can be read in the picture.
    let style = shown.key.strip_prefix(&*moved.word).map(|rest| rest.trim_matches([' ', '(', ')']));
    let caption = style.filter(|style| !style.is_empty()).unwrap_or(&moved.word).to_owned();
    let value = number(shown.activation, 2);
    Ok(Some(GridItem { picture, caption, value, unit: None }))
}

fn digits(outcome: &Outcome) -> usize {
    let ends = outcome.up.iter().chain(&outcome.down).map(|moved| moved.mean);
    let (low, high) = ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), mean| {
        (low.min(mean), high.max(mean))
    });
    decimals(high - low)
}

fn table(outcome: &Outcome) -> Table {
    let row = |end: &'static str| {
        move |moved: &Moved| {
            let away = deviations(moved.mean, outcome.mean, outcome.sd);
            let optional = |value: Option<f64>, digits| {
                value.map(|value| number(value, digits)).unwrap_or_default()
            };
            vec![
                moved.word.clone(),
                end.to_owned(),
                optional(away, 2),
                number(moved.mean, 5),
                optional(moved.sd, 5),
                number(moved.min, 5),
                number(moved.max, 5),
                thousands(moved.drawings),
            ]
        }
    };
    let rows = outcome.up.iter().map(row("up")).chain(outcome.down.iter().map(row("down")));
    let head = [
        "word",
        "end",
        "standard deviations from the mean",
        "mean",
        "standard deviation over drawings",
        "least",
        "greatest",
        "drawings",
    ];
    Table::new(&head, rows.collect())
}

fn note(outcome: &Outcome) -> String {
    let digits = digits(outcome);
    let shown = |value| number(value, digits);
    let drawings = match outcome.drawings == outcome.words {
        true => "each drawn once, so that there is no spread".to_owned(),
        false => format!("{} drawings", thousands(outcome.drawings)),
    };
    let mut text = format!(
        "{} words, {drawings}; mean {}, standard deviation {}, median of the words {}",
        thousands(outcome.words),
        shown(outcome.mean),
        shown(outcome.sd),
        shown(outcome.median),
    );
    if let Some(explained) = outcome.explained {
        text += &format!(
            "; {} of the variance lies between words, the rest in how they are drawn",
            percent(explained)
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::figure::tests::Stored;

    fn drawn(outcome: &Outcome) -> Drawing {
        let params = json!({ "layer": "visual.layer4.0.add", "unit": 3, "pool": "mean", "top": 2 });
        let stored = Stored::new(&drawn_words::KIND, params, outcome);
        let stored = stored.output("001.png", "image/png", b"a picture");
        stored.output("002.png", "image/png", b"another picture").drawn()
    }

    #[test]
    fn words_are_bars_with_whiskers_at_both_ends() {
        insta::assert_json_snapshot!(drawn(&drawn_words::sample(3.0)));
    }

    #[test]
    fn whiskers_are_on_the_scale_of_the_bars() {
        let outcome = drawn_words::sample(3.0);
        let rows = rows(&outcome);
        // From −2 to 3.5, so from −2 to 2.4 standard deviations away from 0.5.
        let [bank, _, castle, _] = &rows[..] else { panic!("four words") };
        let (low, high) = bank.interval.expect("whiskers");
        assert!((high - 1.0).abs() < 1e-9 && low < bank.to && bank.to < high);
        let (low, high) = castle.interval.expect("whiskers");
        assert!(low.abs() < 1e-9 && low < castle.from && castle.from < high);
        let zero = bank.from;
        assert!((zero - 2.0 / 4.4).abs() < 1e-9, "{zero}");
    }

    #[test]
    fn one_drawing_has_no_whiskers_and_the_note_says_so() {
        let mut outcome = drawn_words::sample(3.0);
        (outcome.drawings, outcome.explained) = (3, None);
        outcome.up.iter_mut().chain(&mut outcome.down).for_each(|moved| moved.sd = None);
        assert!(rows(&outcome).iter().all(|row| row.interval.is_none()));
        let Drawing::Parts { note, .. } = drawn(&outcome) else { panic!("parts") };
        assert!(note.starts_with("3 words, each drawn once, so that there is no spread"), "{note}");
    }
}
