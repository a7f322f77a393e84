//! Draws `composition`: an equation for each class, the graph of units and classes, and all terms as a table.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use neuronotes_core::kind::composition::{self, Composed, Outcome, Params, SHOWN_CLASSES, Unit};
use neuronotes_core::number::{decimals, number, percent, thousands};

use super::composed::{Equation, Equations, Graph, Term, UnitNode};
use super::context::DrawContext;
use super::drawing::Drawing;
use super::entry::{Figure, typed};
use super::part::Part;
use super::table::Table;
use super::unit::UnitRef;

/// Decimals of weights in the table.
const EXACT: usize = 4;

/// The drawing of `composition`.
pub(super) static FIGURE: Figure = Figure { kind: &composition::KIND, height, draw };

/// An equation and a row of the graph for each class; about as many units as there are classes.
fn height(params: &Map<String, Value>) -> u32 {
    let classes = typed::<Params>(params).and_then(|params| params.classes);
    let classes = classes.map_or(SHOWN_CLASSES, |classes| classes.len());
    u32::try_from(classes).map_or(300, |classes| classes.min(100) * 94 + 40)
}

/// The number of decimals that show one digit of a weight that is not zero.
fn one_digit(weight: f64) -> usize {
    match weight == 0.0 || !weight.is_finite() {
        true => 0,
        false => (-weight.abs().log10().floor()).max(0.0) as usize,
    }
}

fn draw(context: &DrawContext<'_>) -> Result<Drawing, String> {
    let outcome: Outcome = context.result()?;
    let weights = outcome.classes.iter().flat_map(|class| &class.terms);
    let largest = weights.fold(0.0, |most: f64, term| term.weight.abs().max(most));
    let two_digits = decimals(largest).saturating_sub(1);
    let round = context.count("round");
    let digits =
        |weight: f64| round.unwrap_or_else(|| two_digits.max(one_digit(weight))).min(EXACT);
    let nodes = outcome.units.iter().map(|unit| node(context, &outcome, unit));
    let nodes = nodes.collect::<Result<Vec<UnitNode>, String>>()?;
    let places = outcome.units.iter().enumerate().map(|(at, unit)| (unit.unit, at));
    let places: BTreeMap<u32, usize> = places.collect();
    let mut equations = Vec::new();
    let mut weights = Vec::new();
    let mut rows = Vec::new();
    let mut units = Vec::new();
    for (index, class) in outcome.classes.iter().enumerate() {
        let mut terms = Vec::new();
        for term in &class.terms {
            let at = *places
                .get(&term.unit)
                .ok_or_else(|| format!("the stored result does not show its unit {}", term.unit))?;
            let (node, shown) = (&nodes[at], &outcome.units[at]);
            terms.push(Term::of(term.weight, digits(term.weight), node.clone()));
            weights.push((at, index, term.weight));
            rows.push(vec![
                class.name.clone(),
                node.label.clone(),
                number(term.weight, EXACT),
                shown.caption.clone().unwrap_or_else(|| shown.key.clone()),
                number(shown.activation, 2),
            ]);
            units.push(node.unit.clone());
        }
        let more = usize::try_from(class.nonzero).unwrap_or(0).saturating_sub(terms.len());
        equations.push(Equation { name: class.name.clone(), terms, more });
    }
    let names = outcome.classes.iter().map(|class| class.name.clone()).collect();
    let graph = Graph::of("", nodes, names, &weights, &digits);
    let columns = ["class", "unit", "weight", "strongest image", "its activation"];
    Ok(Drawing::Parts {
        parts: vec![
            Part::Equations(Equations { title: String::new(), rows: equations }),
            Part::Graph(graph),
        ],
        table: Table::new(&columns, rows).of_units(1, units),
        note: note(&outcome),
    })
}

fn node(context: &DrawContext<'_>, outcome: &Outcome, unit: &Unit) -> Result<UnitNode, String> {
    let what = unit.caption.as_ref().unwrap_or(&unit.key);
    let label = UnitRef::plain(&outcome.layer, unit.unit);
    let alt = format!("{what}, the image that activates {label} most");
    let picture = context.plain(&unit.picture, (unit.width, unit.height), &alt)?;
    Ok(UnitNode { label, unit: context.unit(&outcome.layer, unit.unit), picture: Some(picture) })
}

fn note(outcome: &Outcome) -> String {
    let shown = outcome.classes.len() as u64;
    let which = match outcome.of {
        all if all == shown => format!("{} classes", thousands(all)),
        all => format!("{} of {} classes", thousands(shown), thousands(all)),
    };
    let filled = || outcome.classes.iter().filter(|class| class.nonzero > 0);
    let least = filled().min_by(|a, b| a.share.total_cmp(&b.share));
    let mut text = format!(
        "{which}; a weight is the change of the class's logit for one standard deviation of the unit"
    );
    if let Some(Composed { name, share, .. }) = least {
        let share = percent(*share);
        text += &format!(
            "; the terms shown are at least {share} of a class's weights by size, the least those of {name}"
        );
    }
    match outcome.classes.len() - filled().count() {
        0 => {}
        1 => text += "; one class has no weights",
        count => text += &format!("; {count} classes have no weights"),
    }
    text
}

#[cfg(test)]
mod tests {
    use neuronotes_core::digest::Digest;
    use serde_json::json;

    use super::*;
    use crate::figure::tests::Stored;

    fn drawn(outcome: &Outcome) -> Result<Drawing, String> {
        let params = json!({ "probe": "key", "terms": 2 });
        let mut stored = Stored::new(&composition::KIND, params, outcome);
        stored.record.request["model"] = Digest::of(b"weights").hex().into();
        let stored = (1..=3)
            .map(|at| format!("{at:03}.png"))
            .fold(stored, |stored, name| stored.output(&name, "image/png", name.as_bytes()));
        draw(&stored.context())
    }

    #[test]
    fn classes_are_equations_and_a_graph_of_what_they_share() {
        insta::assert_json_snapshot!(drawn(&composition::sample(2.5)).expect("a drawing"));
    }

    #[test]
    fn a_term_of_an_unknown_unit_is_an_error() {
        let mut outcome = composition::sample(2.5);
        outcome.units.pop();
        let error = drawn(&outcome).expect_err("unit 9 is not shown");
        assert_eq!(error, "the stored result does not show its unit 9");
    }

    #[test]
    fn weights_have_two_digits_however_small_they_are() {
        let Drawing::Parts { parts, .. } = drawn(&composition::sample(0.0123)).expect("a drawing")
        else {
            panic!("parts")
        };
        let Part::Equations(equations) = &parts[0] else { panic!("equations") };
        let first = |digits: &[Equation]| digits[0].terms[0].value.clone();
        assert_eq!(first(&equations.rows), "0.01", "the largest weight is 2.5");
        let mut outcome = composition::sample(0.0123);
        outcome.classes.truncate(1);
        outcome.classes[0].terms.truncate(1);
        let Drawing::Parts { parts, .. } = drawn(&outcome).expect("a drawing") else {
            panic!("parts")
        };
        let Part::Equations(equations) = &parts[0] else { panic!("equations") };
        assert_eq!(first(&equations.rows), "0.012");
        let Drawing::Parts { parts, .. } = drawn(&composition::sample(300.0)).expect("a drawing")
        else {
            panic!("parts")
        };
        let Part::Equations(equations) = &parts[0] else { panic!("equations") };
        let values = equations.rows.iter().flat_map(|row| &row.terms);
        let values: Vec<&str> = values.map(|term| &*term.value).collect();
        assert_eq!(values, ["300", "1", "2", "0.2"], "none is rounded to nothing");
    }
}
