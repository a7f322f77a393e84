//! Draws `controls`: the drawn images under headings, those of other units with the units' names, and all numbers as a
//! table.

use serde_json::{Map, Value};

use neuronotes_core::kind::controls::{self, Outcome, Params};
use neuronotes_core::kind::dataset_examples::Example;
use neuronotes_core::number::{decimals, number, thousands};
use neuronotes_core::statistics::deviations;

use super::context::DrawContext;
use super::drawing::Drawing;
use super::entry::{Figure, typed};
use super::part::Part;
use super::picture::GridItem;
use super::table::Table;

/// The drawing of `controls`.
pub(super) static FIGURE: Figure = Figure { kind: &controls::KIND, height, draw };

/// Four or five pictures per row.
fn height(params: &Map<String, Value>) -> u32 {
    let rows = |params: Params| {
        let lists = 2 * params.random.div_ceil(4) + params.bands.div_ceil(5) + params.others;
        lists * 180
    };
    typed::<Params>(params).map_or(0, rows)
}

fn draw(context: &DrawContext<'_>) -> Result<Drawing, String> {
    let outcome: Outcome = context.result()?;
    let params: Params = context.params()?;
    let digits = digits(&params, outcome.sd);
    let items = |examples: &[Example], digits: usize| -> Result<Vec<GridItem>, String> {
        examples.iter().map(|example| item(context, example, digits)).collect()
    };
    let mut parts = Vec::new();
    let mut add = |title: &str, items: Vec<GridItem>| {
        if !items.is_empty() {
            parts.push(Part::Pictures { title: title.to_owned(), items });
        }
    };
    add("Drawn at random", items(&outcome.random, digits)?);
    let mut banded = Vec::new();
    for band in &outcome.bands {
        if let Some(example) = &band.drawn {
            let item = item(context, example, digits)?;
            let value = format!("{} · 1 of {}", item.value, thousands(band.images));
            banded.push(GridItem { value, ..item });
        }
    }
    let title = match outcome.bands.len() {
        1 => "Drawn from the whole range of activation".to_owned(),
        all => format!("One from each of {all} bands of activation, the greatest first"),
    };
    add(&title, banded);
    add("Weakest", items(&outcome.weakest, digits)?);
    let noun = params.layer.noun();
    for other in &outcome.others {
        let title = format!("Strongest for {noun} {}, drawn at random", other.unit);
        add(&title, items(&other.top, self::digits(&params, other.sd))?);
    }
    Ok(Drawing::Parts { parts, table: tabulate(&outcome, noun), note: note(&outcome, &params) })
}

/// Decimals of activations, as under the strongest images.
fn digits(params: &Params, sd: f64) -> usize {
    match params.direction {
        None => 2,
        Some(_) => decimals(sd).clamp(2, 5),
    }
}

fn item(context: &DrawContext<'_>, example: &Example, digits: usize) -> Result<GridItem, String> {
    let caption = example.caption.as_ref().unwrap_or(&example.key).clone();
    let picture = context.plain(&example.picture, (example.width, example.height), &caption)?;
    Ok(GridItem { picture, caption, value: number(example.activation, digits), unit: None })
}

/// How everything was drawn, and what could not be.
fn note(outcome: &Outcome, params: &Params) -> String {
    let mut note = format!(
        "drawn from {} images by a digest of the {}, with seed {}: nobody chose them",
        thousands(outcome.count),
        if params.direction.is_some() { "direction" } else { params.layer.noun() },
        params.seed,
    );
    let mut add = |more: String| note.push_str(&format!("; {more}"));
    let fewer = outcome.count < u64::from(params.random);
    if fewer {
        add(format!("the data set has fewer than {} images", params.random));
    }
    let empty = outcome.bands.iter().filter(|band| band.drawn.is_none()).count();
    match (outcome.bands.len(), empty) {
        (0, _) if params.bands > 0 => {
            add("all images have the same activation, so that there are no bands".to_owned());
        }
        (_, 0) => {}
        (all, 1) => add(format!("1 of the {all} bands is empty")),
        (all, empty) => add(format!("{empty} of the {all} bands are empty")),
    }
    if outcome.others.len() < params.others as usize {
        let (count, noun) = (outcome.others.len(), params.layer.noun());
        let whole = if params.layer.dictionary().is_some() { "dictionary" } else { "layer" };
        let units =
            if count == 1 { format!("{noun} that varies") } else { format!("{noun}s that vary") };
        add(format!("the {whole} has only {count} other {units} over the data set"));
    } else if outcome.passed > 0 {
        let (count, noun) = (outcome.passed, params.layer.noun());
        add(match count {
            1 => format!("1 {noun} that does not vary over the data set was passed over"),
            _ => format!("{count} {noun}s that do not vary over the data set were passed over"),
        });
    }
    note
}

fn tabulate(outcome: &Outcome, noun: &str) -> Table {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let row = |list: String, example: &Example, mean: f64, sd: f64| {
        vec![
            list,
            example.key.clone(),
            text(&example.caption),
            text(&example.label),
            number(example.activation, 5),
            deviations(example.activation, mean, sd)
                .map(|away| number(away, 2))
                .unwrap_or_default(),
        ]
    };
    let own =
        |list: &str, example: &Example| row(list.to_owned(), example, outcome.mean, outcome.sd);
    let mut rows: Vec<Vec<String>> =
        outcome.random.iter().map(|example| own("at random", example)).collect();
    for band in &outcome.bands {
        let list = format!(
            "{} to {} ({} images)",
            number(band.from, 3),
            number(band.to, 3),
            thousands(band.images)
        );
        match &band.drawn {
            Some(example) => rows.push(own(&list, example)),
            None => rows.push([&*list, "", "", "", "", ""].map(str::to_owned).to_vec()),
        }
    }
    rows.extend(outcome.weakest.iter().map(|example| own("weakest", example)));
    for other in &outcome.others {
        let list = format!("{noun} {}", other.unit);
        rows.extend(other.top.iter().map(|it| row(list.clone(), it, other.mean, other.sd)));
    }
    let head =
        ["list", "key", "caption", "label", "activation", "standard deviations from the mean"];
    Table::new(&head, rows)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::figure::tests::Stored;

    fn drawn(outcome: &Outcome) -> Drawing {
        let params = json!({
            "layer": "visual.layer4.0.add", "unit": 3, "pool": "mean", "random": 1, "bands": 3, "others": 1, "seed": 0,
        });
        let mut stored = Stored::new(&controls::KIND, params, outcome);
        for number in 1..=5 {
            let name = format!("{number:03}.png");
            stored = stored.output(&name, "image/png", name.as_bytes());
        }
        stored.drawn()
    }

    #[test]
    fn every_list_has_a_heading_and_what_could_not_be_drawn_is_said() {
        insta::assert_json_snapshot!(drawn(&controls::sample(1.5)));
        let silent = Outcome { bands: vec![], others: vec![], count: 0, ..controls::sample(0.0) };
        let Drawing::Parts { note, parts, .. } = drawn(&silent) else { panic!("parts") };
        assert_eq!(parts.len(), 2);
        for said in ["fewer than 1 images", "there are no bands", "only 0 other units"] {
            assert!(note.contains(said), "{note}");
        }
    }
}
