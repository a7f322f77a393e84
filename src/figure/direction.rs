//! Draws `direction`: how well it tells its groups apart, its largest units, what was projected out, and its pictures.

use serde_json::{Map, Value};

use neuronotes_core::kind::dataset_examples::Example;
use neuronotes_core::kind::direction::{self, Groups, Method, Outcome, Params, Shown, Weight};
use neuronotes_core::number::{decimals, number, thousands};
use neuronotes_core::statistics::deviations;

use super::context::DrawContext;
use super::drawing::Drawing;
use super::entry::{Figure, typed};
use super::part::{Bar, Part, bars, share};
use super::picture::GridItem;
use super::spoiled;
use super::table::Table;
use super::unit::UnitRef;
use crate::field::{direction_line, group_line};

/// The drawing of `direction`.
pub(super) static FIGURE: Figure = Figure { kind: &direction::KIND, height, draw };

/// A bar a unit, two of the AUC, and two rows of pictures.
fn height(params: &Map<String, Value>) -> u32 {
    let Some(params) = typed::<Params>(params) else { return 300 };
    let judged = params.positive.is_some() || params.probe.is_some();
    let groups = if judged { 100 } else { 0 };
    params.largest * 28 + 50 + groups + params.pictures.div_ceil(4) * 2 * 180
}

fn draw(context: &DrawContext<'_>) -> Result<Drawing, String> {
    let outcome: Outcome = context.result()?;
    let params: Params = context.params()?;
    let mut parts = Vec::new();
    let mut rows = Vec::new();
    let mut row = |what: String, of: String, value: f64, away: Option<f64>| {
        let away = away.map(|away| number(away, 2)).unwrap_or_default();
        rows.push(vec![what, of, number(value, 5), away]);
    };
    if let Some(groups) = &outcome.groups {
        parts.push(Part::bars(
            &format!("{} (AUC; 0.5 is chance)", against(&params)),
            ["pictures", "area under the ROC curve"],
            aucs(groups),
        ));
        row("AUC".to_owned(), "training pictures".to_owned(), groups.auc_train, None);
        if let Some(auc) = groups.auc {
            row("AUC".to_owned(), "held-out pictures".to_owned(), auc, None);
        }
        if let Some((low, high)) = groups.interval {
            for (end, bound) in [("lower", low), ("upper", high)] {
                let of = format!("held-out pictures, {end} end of the 95 % interval");
                row("AUC".to_owned(), of, bound, None);
            }
        }
    }
    // A direction of few units has no others to list.
    let largest = || outcome.largest.iter().filter(|unit| unit.weight != 0.0);
    let weights = largest().map(|Weight { unit, weight }| {
        (UnitRef::plain(&params.layer, *unit), *weight, number(*weight, 3))
    });
    let mut weights = bars(weights);
    for (bar, Weight { unit, .. }) in weights.iter_mut().zip(largest()) {
        bar.unit = context.unit(&params.layer, *unit);
    }
    parts.push(Part::bars("Largest units", ["unit", "weight"], weights));
    for Weight { unit, weight } in largest() {
        row("weight".to_owned(), UnitRef::plain(&params.layer, *unit), *weight, None);
    }
    let without = params.without.iter().flatten();
    let without = without.map(|terms| direction_line(terms, context.inputs));
    let cosines: Vec<(String, f64)> = without.zip(outcome.cosines.iter().copied()).collect();
    if !cosines.is_empty() {
        let one = |(name, cosine): &(String, f64)| (name.clone(), *cosine, number(*cosine, 3));
        let title = "Cosine with what was projected out, before that";
        let cosines = bars(cosines.iter().map(one));
        parts.push(Part::bars(title, ["direction", "cosine"], cosines));
    }
    for (name, cosine) in &cosines {
        row("cosine".to_owned(), name.clone(), *cosine, None);
    }
    if let Some(data) = &outcome.data {
        for (end, title, examples) in [
            ("strongest", "Strongest pictures", &data.strongest),
            ("weakest", "Weakest pictures", &data.weakest),
        ] {
            for example in examples {
                let away = deviations(example.activation, data.mean, data.sd);
                row(end.to_owned(), example.key.clone(), example.activation, away);
            }
            if !examples.is_empty() {
                let items = examples.iter().map(|example| picture(context, data, example));
                let items = items.collect::<Result<Vec<_>, String>>()?;
                parts.push(Part::Pictures { title: title.to_owned(), items });
            }
        }
    }
    let head = ["number", "of", "value", "standard deviations from the mean"];
    Ok(Drawing::Parts {
        parts,
        table: Table::new(&head, rows),
        note: note(context, &params, &outcome),
    })
}

/// The groups that the AUC compares.
fn against(params: &Params) -> String {
    match (&params.class, &params.against) {
        (Some(class), Some(other)) => format!("Pictures of {class} against those of {other}"),
        (Some(class), None) => format!("Pictures of {class} against those of other classes"),
        (None, _) => "Positive against negative pictures".to_owned(),
    }
}

/// The AUC of held-out pictures with its interval, and that of the others.
fn aucs(groups: &Groups) -> Vec<Bar> {
    let held_out = groups.auc.map(|auc| {
        let range = groups.interval.map(|(low, high)| format!(" ({})", range(low, high)));
        let value = format!("{}{}", number(auc, 3), range.unwrap_or_default());
        Bar { interval: groups.interval, ..share("held-out pictures", value, auc) }
    });
    let training = share("training pictures", number(groups.auc_train, 3), groups.auc_train);
    held_out.into_iter().chain([training]).collect()
}

fn range(low: f64, high: f64) -> String {
    format!("{} to {}", number(low, 3), number(high, 3))
}

fn picture(context: &DrawContext<'_>, data: &Shown, example: &Example) -> Result<GridItem, String> {
    let caption = example.caption.as_ref().unwrap_or(&example.key).clone();
    let size = (example.width, example.height);
    Ok(GridItem {
        picture: context.plain(&example.picture, size, &caption)?,
        caption,
        value: number(example.activation, decimals(data.sd).clamp(2, 5)),
        unit: None,
    })
}

fn note(context: &DrawContext<'_>, params: &Params, outcome: &Outcome) -> String {
    let mut note = made_of(context, params, outcome);
    // A unit and a single term have the length 1 from the start.
    if params.positive.is_some() || params.direction.as_ref().is_some_and(|terms| terms.len() > 1) {
        note += &format!("; length {} before scaling to 1", number(outcome.norm, 3));
    }
    if let Some(left) = outcome.left {
        note += &format!("; {} of the length is left after projecting out", number(left, 3));
    }
    if let Some(data) = &outcome.data {
        let digits = decimals(data.sd).clamp(2, 5);
        note += &format!(
            "; over {} images its mean is {}, its standard deviation {}",
            thousands(data.count),
            number(data.mean, digits),
            number(data.sd, digits)
        );
    }
    note + &spoiled::note(&outcome.spoiled, params.layer.noun())
}

/// What it was made of, in a few words.
fn made_of(context: &DrawContext<'_>, params: &Params, outcome: &Outcome) -> String {
    let counted = |(made, held): (u64, u64)| match held {
        0 => thousands(made),
        held => format!("{}, and {} held out", thousands(made), thousands(held)),
    };
    let other = params.against.as_deref();
    if let Some((class, groups)) = params.class.as_ref().zip(outcome.groups.as_ref()) {
        let probe = context.used("probe").next().map_or("a probe", |known| &known.name);
        let (line, others) = match other {
            Some(other) => (format!("{class} less that of {other}"), other),
            None => (class.clone(), "the other classes"),
        };
        return format!(
            "line of the probe {probe} for {line}; pictures of {class} ({}) and of {others} ({})",
            counted(groups.positive),
            counted(groups.negative),
        );
    }
    let Some((positive, groups)) = params.positive.as_ref().zip(outcome.groups.as_ref()) else {
        let terms = params.direction.as_ref().map(|terms| direction_line(terms, context.inputs));
        let unit = params.unit.map(|unit| UnitRef::plain(&params.layer, unit));
        return terms.or(unit).unwrap_or_default();
    };
    let negative = params.negative.as_ref().map(|group| group_line(group, context.inputs));
    let method = match params.method {
        Some(Method::Logistic) => "logistic regression",
        Some(Method::MeanDifference) | None => "difference of means",
    };
    let steps = groups.steps.map(|steps| format!(" in {steps} steps"));
    format!(
        "{method}{} of {} ({}) and {} ({})",
        steps.unwrap_or_default(),
        group_line(positive, context.inputs),
        counted(groups.positive),
        negative.unwrap_or_else(|| "all other pictures".to_owned()),
        counted(groups.negative),
    )
}

#[cfg(test)]
mod tests {
    use neuronotes_core::digest::Digest;
    use neuronotes_core::request::BlockRef;
    use serde_json::json;

    use super::*;
    use crate::figure::tests::Stored;

    fn drawn(params: Value, outcome: &Outcome) -> Drawing {
        let block = |role: &str, name: &str| BlockRef {
            role: role.to_owned(),
            name: name.to_owned(),
            note: "a.md".to_owned(),
            id: name.to_owned(),
            which: String::new(),
            key: Digest::of(name.as_bytes()),
        };
        let mut stored = Stored::new(&direction::KIND, params, outcome)
            .output("001.png", "image/png", b"001.png")
            .output("002.png", "image/png", b"002.png");
        stored.inputs.blocks = vec![block("without", "word"), block("probe", "groups")];
        draw(&stored.context()).expect("a drawing")
    }

    #[test]
    fn a_direction_is_drawn_with_its_auc_its_units_and_both_its_ends() {
        let word = Digest::of(b"word").hex();
        let params = json!({
            "layer": "visual.layer4.0.add", "positive": { "captions": ["cat"] },
            "method": "logistic", "regularisation": 0.01, "held_out": 0.25, "seed": 0,
            "without": [[{ "weight": 1.0, "of": { "target": word } }]],
            "largest": 2, "pictures": 1,
        });
        insta::assert_json_snapshot!(drawn(params, &direction::sample(0.875)));
    }

    #[test]
    fn a_line_of_a_probe_says_which_probe_and_which_classes() {
        let line = |more: Value| {
            let mut params = json!({
                "layer": "visual.layer4.0.add", "probe": "a key", "class": "food",
                "largest": 2, "pictures": 0,
            });
            params.as_object_mut().expect("fields").extend(more.as_object().expect("more").clone());
            let outcome = Outcome { left: None, cosines: vec![], ..direction::sample(0.875) };
            let Drawing::Parts { parts, note, .. } = drawn(params, &outcome) else {
                panic!("parts")
            };
            (serde_json::to_value(&parts[0]).expect("JSON").to_string(), note)
        };
        let (title, note) = line(json!({}));
        assert!(title.contains("Pictures of food against those of other classes (AUC"), "{title}");
        let begins = "line of the probe groups for food; pictures of food (6, and 2 held out) and of \
                      the other classes (18, and 6 held out); over 32 images";
        assert!(note.starts_with(begins), "{note}");
        let (title, note) = line(json!({ "against": "animal" }));
        assert!(title.contains("Pictures of food against those of animal (AUC"), "{title}");
        assert!(
            note.starts_with("line of the probe groups for food less that of animal; "),
            "{note}"
        );
    }

    #[test]
    fn a_direction_of_terms_has_no_auc_and_needs_no_pictures() {
        let params = json!({
            "layer": "visual.embedding", "largest": 2, "pictures": 6,
            "direction": [{ "weight": 1.0, "of": { "text": "a cat" } }],
        });
        let outcome = Outcome {
            left: None,
            cosines: vec![],
            groups: None,
            data: None,
            spoiled: vec![],
            ..direction::sample(0.5)
        };
        let Drawing::Parts { parts, note, .. } = drawn(params, &outcome) else { panic!("parts") };
        assert_eq!(parts.len(), 1);
        assert_eq!(note, "“a cat”", "a single term has the length 1");
    }

    #[test]
    fn a_direction_of_two_units_lists_no_others() {
        let params = json!({
            "layer": "visual.layer4.0.add", "largest": 4, "pictures": 0,
            "direction": [{ "weight": 1.0, "of": { "units": [[12, 1.0], [3, -0.5]] } }],
        });
        let largest = vec![(12, 0.75).into(), (3, -0.5).into(), (0, 0.0).into(), (1, 0.0).into()];
        let outcome = Outcome {
            left: None,
            cosines: vec![],
            groups: None,
            data: None,
            spoiled: vec![],
            largest,
            ..direction::sample(0.5)
        };
        let Drawing::Parts { parts, table, note } = drawn(params, &outcome) else {
            panic!("parts")
        };
        let [Part::Bars(bars)] = &parts[..] else { panic!("{parts:?}") };
        assert_eq!(bars.rows.len(), 2);
        assert_eq!(table.rows.len(), 2);
        assert_eq!(note, "unit 12 − 0.5 × unit 3");
    }
}
