//! Draws `attribution`: the units' contributions as bars beside the picture, a heat map of each, what the logit does without
//! them, and the terms of an exact attribution.

use serde_json::{Map, Value};

use neuronotes_core::kind::attribution::{
    self, Agreement, Baseline, Contribution, Method, Outcome, Params, Terms,
};
use neuronotes_core::model::Place;
use neuronotes_core::number::{self, fixed, number, percent, thousands};

use super::context::DrawContext;
use super::drawing::Drawing;
use super::entry::{Figure, typed};
use super::part::{Bar, Bars, Part, bars};
use super::picture::{GridItem, Picture};
use super::table::Table;
use super::unit::UnitRef;

/// Number of terms that are drawn as bars.
const MOST_TERMS: usize = 16;

/// The gap, as a part of what contributions were to add up to, beyond which they are not to be relied on.
const LARGE_GAP: f64 = 0.01;

/// The drawing of `attribution`.
pub(super) static FIGURE: Figure = Figure { kind: &attribution::KIND, height, draw };

/// Bars, a grid of heat maps, and a bar of the check for each unit.
fn height(params: &Map<String, Value>) -> u32 {
    typed(params).map_or(0, |params: Params| params.top.min(100) * 90 + 3 * 160)
}

fn draw(context: &DrawContext<'_>) -> Result<Drawing, String> {
    let outcome: Outcome = context.result()?;
    let params: Params = context.params()?;
    let shown = what(context, &params, &outcome);
    let (units, noun) = (&outcome.strongest, params.layer.noun());
    let rows = bars(units.iter().map(|unit| {
        let number = unit.contribution;
        (UnitRef::plain(&params.layer, unit.unit), number, signed(number))
    }));
    let named = |rows: Vec<Bar>| -> Vec<Bar> {
        let reference = |unit: &Contribution| context.unit(&params.layer, unit.unit);
        let references = units.iter().map(reference);
        rows.into_iter().zip(references).map(|(row, unit)| Bar { unit, ..row }).collect()
    };
    let mut parts = vec![Part::Bars(Bars {
        title: format!("Contributions to the logit of {}", wanted(&params)),
        picture: Some(context.plain(&outcome.picture, (outcome.side, outcome.side), &shown)?),
        head: [noun, "contribution"].map(str::to_owned),
        rows: named(rows),
    })];
    let mut items = Vec::new();
    for unit in units {
        let Some(name) = &unit.picture else { continue };
        let alt = format!("Where {noun} {} contributes to the logit", unit.unit);
        items.push(GridItem {
            picture: map(context, &outcome, name, &alt)?,
            caption: UnitRef::plain(&params.layer, unit.unit),
            value: signed(unit.contribution),
            unit: context.unit(&params.layer, unit.unit),
        });
    }
    if !items.is_empty() {
        parts.push(Part::Pictures { title: format!("Where {noun}s contribute"), items });
    }
    let title = format!("Change of the logit without a {noun}, and a mark where it was predicted");
    parts.push(Part::bars(&title, [noun, "change"], named(checks(&params.layer, units))));
    if let Some(terms) = &outcome.terms {
        parts.extend(of_terms(context, &outcome, terms)?);
    }
    let table = table(&params.layer, &outcome);
    Ok(Drawing::Parts { parts, table, note: note(&params, &outcome, &shown) })
}

/// A part of a logit with its sign, in three decimals.
fn signed(value: f64) -> String {
    let text = fixed(value, 3);
    let zero = text.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    if value > 0.0 && !zero { format!("+{text}") } else { text }
}

/// A gap: in three decimals, or as a power of ten if it is too small for these.
fn small(value: f64) -> String {
    match value.abs() {
        size if size >= 0.01 || size == 0.0 => number(value, 3),
        _ => number::signed(format!("{value:.1e}")),
    }
}

/// What the picture is.
fn what(context: &DrawContext<'_>, params: &Params, outcome: &Outcome) -> String {
    let image = params.image.map(|digest| context.picture_name(&digest.hex()));
    let word = params.word.as_ref().map(|word| format!("the word “{word}”"));
    let sample = || params.sample.clone().unwrap_or_default();
    image.or(word).or_else(|| outcome.caption.clone()).unwrap_or_else(sample)
}

/// Whose logit it is.
fn wanted(params: &Params) -> String {
    match (&params.text, &params.class) {
        (Some(text), _) => format!("“{text}”"),
        (None, Some(class)) => {
            let others = params.classes.iter().map(|class| &*class.label);
            let others: Vec<&str> = others.filter(|label| label != class).collect();
            match others[..] {
                [other] => format!("“{class}” against “{other}”"),
                _ => format!("“{class}” against {} other classes", others.len()),
            }
        }
        (None, None) => "a text".to_owned(),
    }
}

/// A heat map, with the picture below it.
fn map(
    context: &DrawContext<'_>,
    outcome: &Outcome,
    name: &str,
    alt: &str,
) -> Result<Picture, String> {
    let image = |name: &str| context.picture(name, outcome.side, outcome.side);
    let under = Some(image(&outcome.picture)?);
    Ok(Picture { under, ..Picture::plain(image(name)?, alt) })
}

/// For each unit, the measured change as a bar and the predicted one as a mark, on one scale.
fn checks(place: &Place, units: &[Contribution]) -> Vec<Bar> {
    let measured = units.iter().map(|unit| {
        let both = [unit.change, -unit.contribution].map(signed);
        (UnitRef::plain(place, unit.unit), unit.change, format!("{} ({})", both[0], both[1]))
    });
    let predicted = units.iter().map(|unit| (String::new(), -unit.contribution, String::new()));
    let mut rows = bars(measured.chain(predicted));
    let marks = rows.split_off(units.len());
    for (row, mark) in rows.iter_mut().zip(marks) {
        let place = if mark.below { mark.from } else { mark.to };
        row.interval = Some((place, place));
    }
    rows
}

/// The strongest terms as bars, and heat maps of all heads together and of the strongest.
fn of_terms(
    context: &DrawContext<'_>,
    outcome: &Outcome,
    terms: &Terms,
) -> Result<[Part; 2], String> {
    let mut order: Vec<usize> = (0..terms.all.len()).collect();
    let size = |at: usize| terms.all[at].contribution.abs();
    order.sort_by(|&a, &b| size(b).total_cmp(&size(a)));
    let strongest = || order.iter().map(|&at| &terms.all[at]);
    let rows = strongest().take(MOST_TERMS);
    let rows = rows.map(|term| (term.name.clone(), term.contribution, signed(term.contribution)));
    let mut items = vec![GridItem {
        picture: map(context, outcome, &terms.picture, "Where all heads together contribute")?,
        caption: "all heads".to_owned(),
        value: String::new(),
        unit: None,
    }];
    for term in strongest() {
        let Some(name) = &term.picture else { continue };
        let alt = format!("Where {} contributes to the logit", term.name);
        items.push(GridItem {
            picture: map(context, outcome, name, &alt)?,
            caption: term.name.clone(),
            value: signed(term.contribution),
            unit: None,
        });
    }
    let count = terms.all.len();
    let title = match count > MOST_TERMS {
        true => format!("The {MOST_TERMS} largest of the {count} terms of the embedding"),
        false => format!("The {count} terms of the embedding"),
    };
    let bars = Part::bars(&title, ["term", "contribution"], bars(rows));
    Ok([bars, Part::Pictures { title: "Where heads contribute".to_owned(), items }])
}

fn table(place: &Place, outcome: &Outcome) -> Table {
    let units = outcome.strongest.iter().map(|unit| {
        let numbers = [unit.contribution, unit.activation, -unit.contribution, unit.change];
        std::iter::once(UnitRef::plain(place, unit.unit))
            .chain(numbers.map(|n| fixed(n, 5)))
            .collect()
    });
    let terms = outcome.terms.iter().flat_map(|terms| &terms.all);
    let terms = terms.map(|term| {
        let mut row = vec![term.name.clone(), number(term.contribution, 5)];
        row.resize(5, String::new());
        row
    });
    let first = format!("{} or term", place.noun());
    let head = [&*first, "contribution", "mean activation", "predicted change", "measured change"];
    Table::new(&head, units.chain(terms).collect())
}

fn note(params: &Params, outcome: &Outcome, shown: &str) -> String {
    let scale = if outcome.logit_scale == 0.0 { 1.0 } else { outcome.logit_scale };
    let mut note = format!(
        "the logit of {} for {shown} is {} ({} times {} {})",
        wanted(params),
        number(outcome.logit, 3),
        number(scale, 1),
        if params.text.is_some() { "the cosine" } else { "a difference of cosines of" },
        fixed(outcome.logit / scale, 4),
    );
    let method = match (params.method, params.baseline) {
        (Method::GradientActivation, _) => "activation times gradient".to_owned(),
        (Method::BlankGradient, _) => "activation times the gradient on a blank picture".to_owned(),
        (Method::Exact, _) => "the terms of the embedding with attention as it is".to_owned(),
        (Method::IntegratedGradients, baseline) => format!(
            "gradients integrated from {} by {} nodes",
            match baseline {
                Baseline::Zero => "zero",
                Baseline::Blank => "a blank picture",
            },
            params.nodes
        ),
    };
    let count = outcome.strongest.len();
    let part: f64 = outcome.strongest.iter().map(|unit| unit.contribution.abs()).sum();
    note += &format!(
        "; {method}; the {count} of {} {}s shown have {} of all contributions by size",
        thousands(outcome.units.into()),
        params.layer.noun(),
        percent(if outcome.size > 0.0 { part / outcome.size } else { 0.0 }),
    );
    note += &added_up(params, outcome);
    note += &agreement(params.layer.noun(), outcome);
    note + "; in heat maps orange adds to the logit and blue takes away, each up to its own largest value"
}

/// What the contributions add up to, what they were to add up to, and the gap between the two.
fn added_up(params: &Params, outcome: &Outcome) -> String {
    let mut note = format!("; contributions add up to {}", number(outcome.sum, 3));
    let Some(promised) = outcome.promised else { return note };
    let (rest, noun) = (number(outcome.logit - promised, 3), params.layer.noun());
    let what = match (params.method, params.baseline) {
        (Method::Exact, _) => format!("the part of it that does not depend on the {noun}s"),
        (_, Baseline::Zero) => format!("its value if all {noun}s are zero"),
        (_, Baseline::Blank) => "its value for a blank picture".to_owned(),
    };
    let (gap, whole) = (outcome.sum - promised, number(promised, 3));
    note += &format!(", and the logit minus {what} ({rest}) is {whole}: a gap of {}", small(gap));
    if gap.abs() > LARGE_GAP * promised.abs().max(LARGE_GAP * outcome.size) {
        note += ", too large to rely on the contributions";
        if params.method == Method::IntegratedGradients {
            note += ": give more `nodes`";
        }
    }
    if let Some(terms) = &outcome.terms {
        note += &format!("; the sum of the terms misses the embedding by {}", small(terms.gap));
    }
    note
}

/// How far the changes that were measured are those that were predicted.
fn agreement(noun: &str, outcome: &Outcome) -> String {
    let Some(Agreement { same, of, correlation }) = outcome.agreement() else {
        return String::new();
    };
    let mut note = format!(
        "; removing a {noun} moves the logit in the predicted direction for {same} of {of}"
    );
    if let Some(correlation) = correlation {
        note += &format!(
            ", and measured and predicted changes have a correlation of {}",
            fixed(correlation, 2)
        );
    }
    note
}

#[cfg(test)]
mod tests {
    use neuronotes_core::digest::Digest;
    use serde_json::json;

    use super::*;
    use crate::figure::tests::Stored;

    /// The drawing of a made-up outcome with these parameters.
    fn drawn(change: Value, outcome: &Outcome) -> (Vec<Part>, String) {
        let mut params = json!({
            "layer": "visual.layer4.0.add", "templates": ["{}"], "truncate": false,
            "method": "exact", "nodes": 50, "baseline": "zero", "top": 2,
        });
        for (name, value) in change.as_object().expect("a map") {
            params[name] = value.clone();
        }
        let mut stored = Stored::new(&attribution::KIND, params, outcome);
        for name in 1..=5 {
            let name = format!("{name:03}.png");
            stored = stored.output(&name, "image/png", name.as_bytes());
        }
        match stored.drawn() {
            Drawing::Parts { parts, note, .. } => (parts, note),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn contributions_stand_beside_the_picture_and_over_it_and_are_checked() {
        let params = json!({ "word": "red apple", "text": "apple" });
        insta::assert_json_snapshot!(drawn(params, &attribution::sample(1.5)));
    }

    #[test]
    fn a_layer_without_positions_has_no_heat_maps_and_an_estimate_promises_nothing() {
        let params = json!({
            "sample": "a", "class": "cat", "method": "gradient_activation",
            "classes": [{ "label": "cat", "names": ["cat"] }, { "label": "dog", "names": ["dog"] }],
        });
        let mut outcome = attribution::sample(-0.5);
        outcome.strongest.iter_mut().for_each(|unit| unit.picture = None);
        (outcome.promised, outcome.terms) = (None, None);
        let (parts, note) = drawn(params, &outcome);
        assert_eq!(parts.iter().flat_map(Part::pictures).count(), 1, "only the picture itself");
        assert_eq!(parts.len(), 2);
        assert!(note.contains("“cat” against “dog” for apple"), "{note}");
        assert!(!note.contains("gap"), "{note}");
        assert!(note.contains("times a difference of cosines of"), "{note}");
    }

    #[test]
    fn a_large_gap_is_a_warning_and_a_small_one_is_not() {
        let params = json!({ "word": "apple", "text": "apple", "method": "integrated_gradients" });
        let mut outcome = attribution::sample(2.0);
        (outcome.logit, outcome.promised, outcome.sum) = (5.0, Some(4.0), 4.0 + 3e-7);
        let (_, note) = drawn(params.clone(), &outcome);
        let said = "add up to 4.000, and the logit minus its value if all units are zero (1.000) is 4.000: a gap of 3.0e-7;";
        assert!(note.contains(said), "{note}");
        outcome.sum = 3.5;
        let (_, note) = drawn(params, &outcome);
        assert!(note.contains("a gap of −0.500, too large to rely on"), "{note}");
        assert!(note.contains("give more `nodes`"), "{note}");
    }

    #[test]
    fn the_check_says_how_often_and_how_well_a_change_was_predicted() {
        let unit = |contribution: f64, change: f64| {
            let unit = attribution::sample(1.0).strongest.remove(0);
            Contribution { contribution, change, ..unit }
        };
        let units = [unit(1.0, -0.5), unit(-1.0, 0.5), unit(0.5, 1e-9)];
        let mut outcome = attribution::sample(1.0);
        outcome.strongest = units.to_vec();
        let said = agreement("unit", &outcome);
        assert!(said.contains("predicted direction for 2 of 3, and measured and"), "{said}");
        assert_eq!(signed(1e-7), "0.000");
        outcome.strongest.clear();
        assert_eq!(agreement("unit", &outcome), "");
    }

    #[test]
    fn features_of_a_dictionary_are_called_that() {
        let params = json!({
            "word": "apple", "text": "apple", "method": "integrated_gradients",
            "layer": { "layer": "visual.layer4.0", "dictionary": Digest::of(b"parts").hex() },
        });
        let mut outcome = attribution::sample(1.5);
        outcome.terms = None;
        let (parts, note) = drawn(params, &outcome);
        assert!(parts[0].texts().contains(&"feature 3"), "{:?}", parts[0].texts());
        assert_eq!(parts[1].texts()[0], "Where features contribute");
        assert!(note.contains("2 of 4 features shown"), "{note}");
    }

    #[test]
    fn every_heat_map_has_the_picture_under_it() {
        let params = json!({ "word": "apple", "text": "apple" });
        let (parts, _) = drawn(params, &attribution::sample(1.5));
        let plain = parts[0].pictures().next().expect("the picture").image.digest;
        let maps: Vec<&Picture> = parts[1..].iter().flat_map(Part::pictures).collect();
        assert_eq!(maps.len(), 2 + 1 + 2);
        assert!(maps.iter().all(|map| map.under.as_ref().is_some_and(|u| u.digest == plain)));
        assert!(maps.iter().all(|map| map.image.digest != plain));
    }

    #[test]
    fn what_was_predicted_is_a_mark_on_the_scale_of_what_was_measured() {
        let mut unit = attribution::sample(2.0).strongest.remove(0);
        unit.change = -1.0;
        let [row] = &checks(&Place::Layer("visual.layer4.0.add".to_owned()), &[unit])[..] else {
            panic!("one bar")
        };
        assert_eq!((row.from, row.to, row.interval), (0.5, 1.0, Some((0.0, 0.0))));
        assert_eq!(row.value, "−1.000 (−2.000)");
    }
}
