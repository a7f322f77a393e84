//! Draws `concept`: the verdict, the AUC against the number of units, the AUC of everything that is compared, and what the best
//! unit and the direction respond to.

mod bars;
mod causal;
mod looks;

use serde_json::{Map, Value};

use neuronotes_core::kind::concept::{self, MARGIN, Outcome, Params, Verdict};
use neuronotes_core::number::{number, thousands};

use self::bars::{bar, row};
use self::looks::responses;
use super::axis::Axis;
use super::context::DrawContext;
use super::drawing::Drawing;
use super::entry::{Figure, typed};
use super::lines::{Chart, Line, Mark, Point};
use super::part::{Bar, Part, share};
use super::spoiled;
use super::table::Table;
use crate::field::{direction_line, group_line};

/// The drawing of `concept`.
pub(super) static FIGURE: Figure = Figure { kind: &concept::KIND, height, draw };

/// The curve and the bars; a row of two visualisations, and the pictures of each in rows of four.
fn height(params: &Map<String, Value>) -> u32 {
    let params = typed::<Params>(params);
    let of = |params: Params| {
        let rows = params.pictures.map_or(0, |pictures| pictures.div_ceil(4) * 2);
        let causal = if params.name.is_some() { 340 } else { 0 };
        (rows + u32::from(params.visualise.is_some())) * 180 + causal
    };
    760 + params.map_or(0, of)
}

fn draw(context: &DrawContext<'_>) -> Result<Drawing, String> {
    let outcome: Outcome = context.result()?;
    let params: Params = context.params()?;
    let chart = chart(&outcome);
    let mut compared = vec![
        (format!("unit {}", outcome.unit.unit), &outcome.unit.auc),
        ("difference of means".to_owned(), &outcome.means),
        ("logistic regression".to_owned(), &outcome.logistic),
        ("curved boundary".to_owned(), &outcome.curved),
    ];
    if let Some(left) = &outcome.controlled {
        compared.push(("without the controls".to_owned(), left));
    }
    let chance = [
        ("best unit, labels permuted", outcome.chance.unit),
        ("means, labels permuted", outcome.chance.direction),
        ("random directions", outcome.chance.random),
    ];
    let head = ["compared", "area under the ROC curve"];
    let mut held_out: Vec<Bar> = compared.iter().map(|(name, auc)| bar(name, auc)).collect();
    held_out[0].unit = context.unit(&params.layer, outcome.unit.unit);
    let by_chance = chance.iter().map(|(name, area)| share(name, number(*area, 3), *area));
    let mut parts =
        vec![chart.part()?, Part::bars("Held-out pictures (AUC; 0.5 is chance)", head, held_out)];
    if let Some(looks) = &outcome.looks {
        parts.extend(responses(context, &params, &outcome, looks)?);
    }
    let title = "By chance (AUC that 95 % do not exceed)";
    parts.push(Part::bars(title, head, by_chance.collect()));
    let mut rows: Vec<Vec<String>> = compared.iter().map(|(name, auc)| row(name, auc)).collect();
    for (at, sum) in outcome.sums.iter().enumerate() {
        rows.push(row(&format!("{} units, with unit {}", at + 1, sum.unit), &sum.auc));
    }
    rows.extend(chance.iter().map(|(name, area)| {
        vec![(*name).to_owned(), number(*area, 5), String::new(), String::new()]
    }));
    if let Some(written) = &outcome.written {
        let both = [
            (format!("unit {}", outcome.unit.unit), &written.unit),
            ("logistic regression".to_owned(), &written.direction),
        ];
        let title = "Pictures in another form, which nothing was trained on";
        let drawn = both.iter().map(|(name, auc)| bar(name, auc)).collect();
        parts.push(Part::bars(title, head, drawn));
        rows.extend(both.iter().map(|(name, auc)| row(&format!("{name}, in another form"), auc)));
    }
    let name = params.name.as_deref().unwrap_or_default();
    let unit = format!("unit {}", outcome.unit.unit);
    if let Some(causal) = &outcome.causal {
        parts.extend(causal::parts(causal, name, &unit));
        rows.extend(causal::rows(causal, &unit));
    }
    let controls = params.controls.iter().flatten();
    let controls = controls.map(|terms| direction_line(terms, context.inputs));
    let cosines: Vec<_> = controls
        .zip(&outcome.cosines)
        .map(|(name, cosine)| (name, *cosine, number(*cosine, 3)))
        .collect();
    if !cosines.is_empty() {
        let title = "Cosine of the logistic regression with each control";
        parts.push(Part::bars(title, ["control", "cosine"], super::part::bars(cosines)));
    }
    let head = ["compared", "AUC", "from", "to"];
    let note = note(context, &params, &outcome);
    Ok(Drawing::Parts { parts, table: Table::new(&head, rows), note })
}

fn chart(outcome: &Outcome) -> Chart {
    let point = |(at, sum): (usize, &concept::Sum)| Point {
        x: (at + 1) as f64,
        y: sum.auc.area,
        interval: Some((sum.auc.low, sum.auc.high)),
    };
    Chart {
        title: String::new(),
        across: Axis::linear("units in the sum"),
        up: Axis::linear("AUC of held-out pictures").covering(0.5, 1.0),
        lines: vec![Line {
            name: String::new(),
            points: outcome.sums.iter().enumerate().map(point).collect(),
            markers: true,
        }],
        mark: None,
        level: Some(Mark { at: outcome.linear().area, label: "direction".to_owned() }),
    }
}

/// The verdict, and how it was reached.
fn said(outcome: &Outcome) -> String {
    let linear = number(outcome.linear().area, 3);
    let of = |k: usize| outcome.sums.get(k.saturating_sub(1)).map_or(0.0, |sum| sum.auc.area);
    match (outcome.verdict(), outcome.terms()) {
        (Verdict::Absent, _) => "absent: nothing is better than chance".to_owned(),
        (Verdict::NotLinear, _) => format!(
            "not linear: a curved boundary has an AUC of {}, the better direction {linear}",
            number(outcome.curved.area, 3)
        ),
        (Verdict::Unit, _) => format!(
            "unit {}: its AUC is {}, that of the better direction {linear}",
            outcome.unit.unit,
            number(of(1), 3)
        ),
        (Verdict::Sum, Some(terms)) => format!(
            "a sum of {terms} units: its AUC is {}, with one unit less {}, that of the better direction {linear}",
            number(of(terms), 3),
            number(of(terms - 1), 3)
        ),
        _ => format!(
            "a direction: its AUC is {linear}, and no sum of up to {} units comes within {MARGIN} of it (the last has {})",
            outcome.sums.len(),
            number(of(outcome.sums.len()), 3)
        ),
    }
}

fn note(context: &DrawContext<'_>, params: &Params, outcome: &Outcome) -> String {
    let counted = |(train, held): (u64, u64)| {
        format!("{} and {} held out", thousands(train), thousands(held))
    };
    let negative = params.negative.as_ref().map(|group| group_line(group, context.inputs));
    let controls = params.controls.as_deref().unwrap_or_default();
    let contained = outcome.contained().and_then(|(at, own)| {
        let all = outcome.positive.0 + outcome.positive.1;
        let name = direction_line(controls.get(at)?, context.inputs);
        Some(format!(
            "; warning: the control {name} contains the concept, since {} of its {} pictures are among those that it points to",
            thousands(own),
            thousands(all)
        ))
    });
    let gone = outcome.exhausted().then(|| {
        "; warning: the controls contain the concept, since nothing is left of the logistic regression without them"
            .to_owned()
    });
    let name = params.name.as_deref().unwrap_or_default();
    let unit = format!("unit {}", outcome.unit.unit);
    let causal = outcome.causal.as_ref().map(|causal| causal::said(causal, name, &unit));
    format!(
        "{}; {} ({}) against {} ({}){}{}{}",
        said(outcome),
        group_line(&params.positive, context.inputs),
        counted(outcome.positive),
        negative.unwrap_or_else(|| "all other pictures".to_owned()),
        counted(outcome.negative),
        causal.map(|causal| format!("; {causal}")).unwrap_or_default(),
        contained.or(gone).unwrap_or_default(),
        spoiled::note(&outcome.spoiled, params.layer.noun()),
    )
}

#[cfg(test)]
mod tests {
    use neuronotes_core::kind::concept::Auc;
    use serde_json::json;

    use super::*;
    use crate::figure::tests::Stored;

    fn drawn(outcome: &Outcome) -> Drawing {
        let params = json!({
            "layer": "visual.layer4.0.add", "positive": { "captions": ["cat"] },
            "controls": [[{ "weight": 1.0, "of": { "units": [[3, 1.0]] } }]],
            "regularisation": 0.01, "held_out": 0.3, "seed": 0, "pictures": 1, "visualise": "draft", "name": "cat",
        });
        let stored = Stored::new(&concept::KIND, params, outcome);
        let pictures = ["unit.png", "001.png", "direction.png", "002.png"];
        let with = |stored: Stored, name: &&str| stored.output(name, "image/png", name.as_bytes());
        let stored = pictures.iter().fold(stored, with);
        draw(&stored.context()).expect("a drawing")
    }

    #[test]
    fn a_concept_is_drawn_with_its_verdict_and_all_that_it_follows_from() {
        let Drawing::Parts { parts, table, note } = drawn(&concept::sample(0.9)) else {
            panic!("parts")
        };
        assert_eq!(parts.len(), 10);
        let rows: Vec<String> = table.rows.iter().map(|row| row.join(" | ")).collect();
        let texts: Vec<&str> = parts.iter().flat_map(Part::texts).collect();
        insta::assert_snapshot!(format!("{note}\n\n{}\n\n{}", rows.join("\n"), texts.join("\n")));
    }

    #[test]
    fn each_verdict_is_said_with_the_numbers_that_it_follows_from() {
        let auc = |area: f64| Auc { area, low: area - 0.01, high: area + 0.01 };
        let all = concept::sample(0.9);
        let said = |outcome: &Outcome| said(outcome);
        assert!(
            said(&all).starts_with("a sum of 3 units: its AUC is 0.900, with one unit less 0.800")
        );
        let curved = Outcome { curved: auc(0.99), ..all.clone() };
        assert!(said(&curved).starts_with("not linear: a curved boundary has an AUC of 0.990"));
        let direction = Outcome { logistic: auc(0.95), ..all.clone() };
        assert!(said(&direction).contains("no sum of up to 3 units comes within 0.01 of it"));
        let absent = [Outcome { means: auc(0.5), logistic: auc(0.5), curved: auc(0.5), ..all }];
        assert_eq!(said(&absent[0]), "absent: nothing is better than chance");
    }
}
