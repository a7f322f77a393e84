//! Draws `text_span`: how much of each head's variance its texts explain beside what random texts do, and for each head its
//! texts as bars with the images to which it adds most along them.

use serde_json::{Map, Value};

use neuronotes_core::kind::text_span::{self, Chosen, Draws, Example, Head, Outcome, Params};
use neuronotes_core::number::{self, number, percent, thousands};

use super::context::DrawContext;
use super::drawing::Drawing;
use super::entry::{Figure, typed};
use super::part::{Bar, Part, bars, share};
use super::picture::GridItem;
use super::table::Table;

/// Number of heads that are drawn; the table has all.
const MOST_DRAWN: usize = 12;

/// The drawing of `text_span`.
pub(super) static FIGURE: Figure = Figure { kind: &text_span::KIND, height, draw };

/// A bar for each head, and for each that is drawn bars and rows of pictures.
fn height(params: &Map<String, Value>) -> u32 {
    typed(params).map_or(0, |params: Params| {
        let heads = u32::try_from(params.heads.len()).unwrap_or_default();
        let pictures = (params.top * params.examples).div_ceil(4) * 200;
        heads * 28 + heads.min(MOST_DRAWN as u32) * (params.top * 28 + 40 + pictures) + 24
    })
}

fn draw(context: &DrawContext<'_>) -> Result<Drawing, String> {
    let outcome: Outcome = context.result()?;
    let params: Params = context.params()?;
    let mut parts = Vec::new();
    if outcome.heads.len() > 1 {
        let title = format!(
            "Fraction of each head's variance along its {}, and the range of as many random texts",
            texts(params.top as usize)
        );
        let rows = outcome.heads.iter().map(whole).collect();
        parts.push(Part::bars(&title, ["head", "explained"], rows));
    }
    for head in outcome.heads.iter().take(MOST_DRAWN) {
        parts.extend(of_head(context, head)?);
    }
    Ok(Drawing::Parts { parts, table: table(&outcome), note: note(context, &params, &outcome) })
}

/// So many texts.
fn texts(count: usize) -> String {
    if count == 1 { "1 text".to_owned() } else { format!("{count} texts") }
}

/// What a head's texts explain together, with the range of random texts.
fn whole(head: &Head) -> Bar {
    let Draws { low, high, .. } = head.random_texts;
    let value = percent(head.explained());
    let interval = Some((low.clamp(0.0, 1.0), high.clamp(0.0, 1.0)));
    Bar { interval, ..share(&format!("head {}", head.head), value, head.explained()) }
}

/// The texts of a head as bars, and the images of all of them.
fn of_head(context: &DrawContext<'_>, head: &Head) -> Result<Vec<Part>, String> {
    let title = match head.texts.len() {
        0 => format!("Head {} adds the same to all images", head.head),
        count => format!(
            "Head {}: {} of its variance along {} (principal components {}, random directions {}, random texts {})",
            head.head,
            percent(head.explained()),
            texts(count),
            percent(head.components),
            percent(head.random_directions.mean),
            percent(head.random_texts.mean),
        ),
    };
    let row = |chosen: &Chosen| (chosen.text.clone(), chosen.explained, percent(chosen.explained));
    let rows = bars(head.texts.iter().map(row));
    let mut parts = vec![Part::bars(&title, ["text", "variance along it"], rows)];
    let examples = head
        .texts
        .iter()
        .flat_map(|chosen| chosen.examples.iter().map(move |example| (chosen, example)));
    let item = |(chosen, example): (&Chosen, &Example)| {
        let seen = example.caption.as_deref().unwrap_or(&example.key);
        let alt = format!("{seen}, to which head {} adds along “{}”", head.head, chosen.text);
        let size = (example.width, example.height);
        Ok::<_, String>(GridItem {
            picture: context.plain(&example.picture, size, &alt)?,
            caption: chosen.text.clone(),
            value: format!("{} SD", signed(example.deviations)),
            unit: None,
        })
    };
    let items = examples.map(item).collect::<Result<Vec<_>, _>>()?;
    if !items.is_empty() {
        let title = format!("Images to which head {} adds most along each text", head.head);
        parts.push(Part::Pictures { title, items });
    }
    Ok(parts)
}

/// A number with its sign, in one digit after the point.
fn signed(value: f64) -> String {
    let text = number(value, 1);
    if value > 0.0 { format!("+{text}") } else { text }
}

fn table(outcome: &Outcome) -> Table {
    let head = ["head", "text", "variance along it", "of the head so far", "strongest images"];
    let rows = outcome.heads.iter().flat_map(|head| {
        let mut sum = 0.0;
        head.texts.iter().map(move |chosen| {
            sum += chosen.explained;
            let seen =
                |example: &Example| example.caption.clone().unwrap_or_else(|| example.key.clone());
            let examples: Vec<String> = chosen.examples.iter().map(seen).collect();
            let fractions = [chosen.explained, sum].map(|fraction| number(fraction, 4));
            let [explained, so_far] = fractions;
            vec![head.head.to_string(), chosen.text.clone(), explained, so_far, examples.join(", ")]
        })
    });
    Table::new(&head, rows.collect())
}

fn note(context: &DrawContext<'_>, params: &Params, outcome: &Outcome) -> String {
    let shares: Vec<f64> = outcome.heads.iter().filter_map(|head| outcome.share(head)).collect();
    let variance = match (&shares[..], outcome.shares()) {
        ([share], _) => {
            format!("; the head's variance is {} of that of the embeddings", percent(*share))
        }
        ([_, _, ..], Some(sum)) => format!(
            "; the variances of the {} heads are {} to {} of that of the embeddings, {} together",
            shares.len(),
            percent(shares.iter().copied().fold(f64::INFINITY, f64::min)),
            percent(shares.iter().copied().fold(0.0, f64::max)),
            percent(sum)
        ),
        _ => String::new(),
    };
    let mut note = format!(
        "what heads at {} add to {} images, by {} of {} texts each{variance}; random directions are chosen from as many as there are texts, means of {} draws; the sum of all terms misses the embedding by {}",
        context.layer_shown,
        thousands(outcome.count),
        params.top,
        thousands(params.texts.len() as u64),
        text_span::DRAWS,
        number::signed(format!("{:.1e}", outcome.gap)),
    );
    if outcome.heads.len() > MOST_DRAWN {
        note += &format!(
            "; the first {MOST_DRAWN} of {} heads are drawn, the table has all",
            outcome.heads.len()
        );
    }
    if outcome.skipped > 0 {
        let images = if outcome.skipped == 1 { "image" } else { "images" };
        note += &format!("; {} {images} could not be read", thousands(outcome.skipped));
    }
    note
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::figure::tests::Stored;

    fn drawn(outcome: &Outcome) -> (Vec<Part>, String) {
        let params = json!({
            "layer": "visual.attnpool", "heads": [0, 3], "texts": ["red", "green", "blue"],
            "templates": ["{}"], "truncate": false, "top": 2, "rank": 80, "examples": 2, "seed": 0,
        });
        let mut stored = Stored::new(&text_span::KIND, params, outcome);
        for name in ["001.png", "002.png"] {
            stored = stored.output(name, "image/png", name.as_bytes());
        }
        match stored.drawn() {
            Drawing::Parts { parts, note, .. } => (parts, note),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn heads_are_compared_with_random_texts_and_told_by_their_texts_and_images() {
        insta::assert_json_snapshot!(drawn(&text_span::sample(0.25)));
    }

    #[test]
    fn a_head_without_variance_says_so_and_many_heads_are_cut() {
        let mut outcome = text_span::sample(0.25);
        outcome.heads[1].texts.clear();
        let (parts, note) = drawn(&outcome);
        let titles: Vec<&str> =
            parts.iter().filter_map(|part| part.texts().first().copied()).collect();
        assert_eq!(titles.last(), Some(&"Head 3 adds the same to all images"));
        assert!(note.contains("1 image could not be read"), "{note}");
        assert!(!note.contains("the table has all"), "{note}");
        let head = outcome.heads[1].clone();
        outcome.heads = (0..20).map(|at| Head { head: at, ..head.clone() }).collect();
        let (parts, note) = drawn(&outcome);
        assert_eq!(parts.len(), 1 + MOST_DRAWN);
        assert!(note.contains("the first 12 of 20 heads are drawn"), "{note}");
    }
}
