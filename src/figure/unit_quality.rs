//! Draws `unit_quality`: two scores of all units of a layer as a plot, in which a unit is a point with its strongest image.

use serde_json::{Map as Json, Value};

use neuronotes_core::kind::unit_quality::{self, Outcome, Params, Point, SCORES};
use neuronotes_core::number::{number, thousands};

use super::axis::Axis;
use super::context::DrawContext;
use super::drawing::Drawing;
use super::entry::Figure;
use super::map::{Content, Map, Thing};
use super::part::Part;
use super::spoiled;
use super::table::Table;
use super::unit::UnitRef;

/// Maximum number of rows of the table.
const MOST_ROWS: usize = 3_000;
/// Labels that have a colour of their own.
const COLOURS: usize = 8;
/// Steps of a score, each of which has a colour.
const STEPS: usize = 5;

/// The drawing of `unit_quality`.
pub(super) static FIGURE: Figure = Figure { kind: &unit_quality::KIND, height, draw };

fn height(_: &Json<String, Value>) -> u32 {
    620
}

fn draw(context: &DrawContext<'_>) -> Result<Drawing, String> {
    let outcome: Outcome = context.result()?;
    let params: Params = context.params()?;
    let labels = outcome.labels.len();
    if outcome.points.iter().any(|p| p.label.is_some_and(|label| label as usize >= labels)) {
        return Err("the stored plot does not fit its labels".to_owned());
    }
    let [across, up] = [("across", "clarity"), ("up", "monosemanticity")]
        .map(|(field, default)| context.option(field).unwrap_or(default));
    let wanted = context.option("colour").unwrap_or("label");
    let colouring = Colouring::of(wanted, &outcome);
    let placed = |point: &&Point| point.score(across).is_some() && point.score(up).is_some();
    let points: Vec<&Point> = outcome.points.iter().filter(placed).collect();
    if points.is_empty() {
        return Err(format!("no unit has both a {across} and a {up}"));
    }
    let place = |point: &Point, name| point.score(name).unwrap_or_default();
    let things = points.iter().map(|point| Thing {
        unit: point.unit,
        says: says(point, &params, &outcome),
        place: [place(point, across), place(point, up)],
        group: (colouring.group)(point),
        tile: point.tile as usize,
        // Where there is not room for all, the clearest are shown.
        weight: point.clarity,
    });
    let noun = params.layer.noun();
    let count = thousands(points.len() as u64);
    let sheet = &outcome.sheet;
    let content = Content {
        title: "",
        alt: format!(
            "Plot of {count} {noun}s by their {across} (from left to right) and {up}, each as a point or as its strongest image."
        ),
        key: &colouring.key,
        noun: params.layer.noun(),
        groups: colouring.groups.clone(),
        things: things.collect(),
        axes: Some([Axis::linear(across), Axis::linear(up)]),
        sheet: (context.picture(&sheet.picture, sheet.side, sheet.side)?, sheet.tile),
        units: points.iter().filter_map(|p| context.unit(&params.layer, p.unit)).collect(),
        captions: sheet.tiles.iter().map(|tile| tile.caption.as_str()).collect(),
    };
    let map = Map::of(content)?;
    Ok(Drawing::Parts {
        parts: vec![Part::Map(map)],
        table: table(context, &params, &outcome),
        note: note(context, &params, &outcome, points.len()),
    })
}

fn label<'o>(point: &Point, outcome: &'o Outcome) -> Option<&'o str> {
    Some(&outcome.labels.get(point.label? as usize)?.label)
}

fn caption<'o>(point: &Point, outcome: &'o Outcome) -> &'o str {
    outcome.sheet.tiles.get(point.tile as usize).map_or("", |tile| &tile.caption)
}

/// What is said of a unit that is pointed at.
fn says(point: &Point, params: &Params, outcome: &Outcome) -> String {
    let label = label(point, outcome).map(|label| format!("; {label}")).unwrap_or_default();
    let scores = SCORES
        .iter()
        .filter_map(|name| point.score(name).map(|score| format!("{name} {}", number(score, 2))));
    format!(
        "{}{label}; {}; twin {}",
        caption(point, outcome),
        scores.collect::<Vec<_>>().join(", "),
        UnitRef::plain(&params.layer, point.twin)
    )
}

/// Groups of units by colour.
struct Colouring<'a> {
    key: String,
    groups: Vec<(String, u32)>,
    group: Box<dyn Fn(&Point) -> usize + 'a>,
}

impl<'a> Colouring<'a> {
    fn of(wanted: &'a str, outcome: &'a Outcome) -> Self {
        match wanted {
            "label" if !outcome.labels.is_empty() => Self::labels(outcome),
            "label" => Self::steps("polysemanticity", outcome),
            score => Self::steps(score, outcome),
        }
    }

    /// The most frequent labels, and a group of all others.
    fn labels(outcome: &'a Outcome) -> Self {
        let own = outcome.labels.len().min(COLOURS);
        let named = outcome.labels.iter().take(own).zip(1..);
        let mut groups: Vec<(String, u32)> =
            named.map(|(tally, colour)| (tally.label.clone(), colour)).collect();
        let rest = |point: &Point| point.label.is_none_or(|label| label as usize >= own);
        if outcome.points.iter().any(rest) {
            groups.push(("other".to_owned(), 0));
        }
        let group = move |point: &Point| point.label.map_or(own, |label| (label as usize).min(own));
        Self {
            key: "label of most of the strongest images".to_owned(),
            groups,
            group: Box::new(group),
        }
    }

    /// Fifths of the units by a score, and a group of those without.
    fn steps(name: &'a str, outcome: &'a Outcome) -> Self {
        let mut sorted: Vec<f64> = outcome.points.iter().filter_map(|p| p.score(name)).collect();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().saturating_sub(1);
        let at = |step: usize| sorted.get(last * step / STEPS).copied().unwrap_or_default();
        let bounds: Vec<f64> = (0..=STEPS).map(at).collect();
        let range = |step: usize| {
            let [low, high] = [bounds[step], bounds[step + 1]].map(|bound| number(bound, 2));
            (format!("{low} to {high}"), 11 + step as u32)
        };
        let mut groups: Vec<(String, u32)> = (0..STEPS).map(range).collect();
        if outcome.points.iter().any(|point| point.score(name).is_none()) {
            groups.push(("none".to_owned(), 0));
        }
        let inner = bounds[1..STEPS].to_vec();
        let group = move |point: &Point| match point.score(name) {
            Some(score) => inner.iter().filter(|bound| score > **bound).count(),
            None => STEPS,
        };
        Self { key: name.to_owned(), groups, group: Box::new(group) }
    }
}

fn table(context: &DrawContext<'_>, params: &Params, outcome: &Outcome) -> Table {
    let mut head = vec!["unit"];
    head.extend(SCORES);
    head.extend(["twin", "label", "strongest image"]);
    let row = |point: &Point| {
        let mut cells = vec![point.unit.to_string()];
        let score = |name: &&str| point.score(name).map(|score| number(score, 4));
        cells.extend(SCORES.iter().map(|name| score(name).unwrap_or_default()));
        cells.push(point.twin.to_string());
        cells.push(label(point, outcome).unwrap_or_default().to_owned());
        cells.push(caption(point, outcome).to_owned());
        cells
    };
    let units = outcome.points.iter().map(|point| context.unit(&params.layer, point.unit));
    let rows = outcome.points.iter().take(MOST_ROWS).map(row).collect();
    Table::new(&head, rows).of_units(0, units.take(MOST_ROWS).collect())
}

fn note(context: &DrawContext<'_>, params: &Params, outcome: &Outcome, placed: usize) -> String {
    let noun = params.layer.noun();
    let means = SCORES
        .iter()
        .filter_map(|name| outcome.mean(name).map(|mean| format!("{name} {}", number(mean, 3))));
    let mut note = format!(
        "{} {noun}s by the {} strongest of {} images; means: {}; the mean cosine of all pairs of images is {}",
        thousands(outcome.points.len() as u64),
        params.strongest,
        thousands(outcome.count),
        means.collect::<Vec<_>>().join(", "),
        number(outcome.baseline, 3),
    );
    let left_out = outcome.left_out.len();
    if left_out > 0 {
        let which = match left_out {
            1 => format!("1 {noun} has"),
            count => format!("{} {noun}s have", thousands(count as u64)),
        };
        note += &format!("; {which} the same activation for every image and so no scores");
    }
    note += &spoiled::note(&outcome.spoiled, noun);
    let without = outcome.points.len() - placed;
    if without > 0 {
        note += &format!(
            "; {} of them {} on the plot, because a single image has all the weight",
            thousands(without as u64),
            if without == 1 { "is not" } else { "are not" }
        );
    }
    let clear = |a: &&Point, b: &&Point| a.clarity.total_cmp(&b.clarity);
    if let Some(first) = outcome.points.iter().max_by(clear) {
        note += &format!(
            "; `neuronotes new note --unit {}/{}` starts a note about the clearest",
            context.layer_shown, first.unit
        );
    }
    note
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::figure::tests::Stored;

    fn drawn(presentation: &[(&str, &str)], outcome: &Outcome) -> Drawing {
        let params =
            json!({ "layer": "visual.layer4.1.add", "pool": "mean", "strongest": 4, "seed": 0 });
        let stored = Stored::new(&unit_quality::KIND, params, outcome);
        let mut stored = stored.output("sheet.webp", "image/webp", b"a picture");
        stored.layer_shown = "image_block_4/1/Add_6";
        for (name, value) in presentation {
            stored.presentation.insert((*name).to_owned(), json!(value));
        }
        stored.drawn()
    }

    #[test]
    fn a_unit_is_a_point_of_two_scores() {
        insta::assert_json_snapshot!(drawn(&[], &unit_quality::sample(0.875)));
    }

    #[test]
    fn other_scores_and_colours_can_be_asked_for() {
        let outcome = unit_quality::sample(0.875);
        let plain = Outcome {
            labels: vec![],
            points: outcome.points.iter().map(|p| Point { label: None, ..p.clone() }).collect(),
            ..outcome.clone()
        };
        let map = |presentation: &[(&str, &str)], outcome: &Outcome| {
            let Drawing::Parts { mut parts, .. } = drawn(presentation, outcome) else {
                panic!("parts")
            };
            let Some(Part::Map(map)) = parts.pop() else { panic!("a map") };
            map
        };
        let other = map(
            &[("across", "redundancy"), ("up", "polysemanticity"), ("colour", "clarity")],
            &outcome,
        );
        let rulers = other.rulers.expect("rulers");
        assert_eq!((&*rulers[0].label, &*rulers[1].label), ("redundancy", "polysemanticity"));
        assert_eq!((&*other.key, other.groups.len()), ("clarity", STEPS));
        assert_eq!(other.groups.iter().map(|group| group.count).sum::<usize>(), 4, "all have them");
        assert_eq!(map(&[], &plain).key, "polysemanticity", "there are no labels");
        let some = map(&[("colour", "monosemanticity")], &outcome);
        assert_eq!(some.groups.iter().map(|group| group.count).sum::<usize>(), 3);
    }
}
