//! Several distributions on one plot: each a curve of steps, as fractions of its own images.

use neuronotes_core::kind::activation_histogram::{MOST_CURVES, Outcome, Params, Quantile, Shape};
use neuronotes_core::kind::group::Group;
use neuronotes_core::number::{decimals, number, percent, thousands};
use neuronotes_core::statistics::part;

use super::check::check;
use super::shape;
use crate::figure::axis::Axis;
use crate::figure::context::DrawContext;
use crate::figure::drawing::Drawing;
use crate::figure::lines::{Chart, Line, MOST, Point};
use crate::figure::table::Table;

const _: () = assert!(MOST_CURVES <= MOST);

/// One of the distributions.
struct Curve<'a> {
    name: String,
    count: u64,
    mean: f64,
    sd: f64,
    quantiles: &'a [Quantile],
    counts: &'a [u64],
    shape: Option<&'a Shape>,
}

/// The plot; with the counts on a logarithmic axis if `log`. `axis` is the label of activations.
///
/// # Errors
/// If the outcome has no buckets, or numbers that are not finite.
pub(super) fn drawn(
    context: &DrawContext<'_>,
    outcome: &Outcome,
    params: &Params,
    (log, axis): (bool, &str),
) -> Result<Drawing, String> {
    check(outcome)?;
    let curves = curves(context, outcome, params);
    if curves.iter().any(|curve| curve.counts.len() + 1 != outcome.edges.len()) {
        return Err("the stored distributions differ in their buckets".to_owned());
    }
    let (first, last) = (outcome.edges[0], outcome.edges[outcome.edges.len() - 1]);
    let up = "fraction of images";
    let up = if log { Axis::log(up) } else { Axis::linear(up).covering(0.0, 0.0) };
    let line = |curve: &Curve<'_>| Line {
        name: curve.name.clone(),
        points: steps(&outcome.edges, curve, log),
        markers: false,
    };
    let chart = Chart {
        title: String::new(),
        across: Axis::linear(axis).covering(first, last),
        up: up.in_percent(),
        lines: curves.iter().map(line).collect(),
        mark: None,
        level: None,
    };
    let note: Vec<String> = curves.iter().map(|curve| said(curve, last - first)).collect();
    Ok(Drawing::Parts {
        parts: vec![chart.part()?],
        table: tabulate(outcome, &curves),
        note: note.join("; "),
    })
}

fn curves<'a>(context: &DrawContext<'_>, outcome: &'a Outcome, params: &Params) -> Vec<Curve<'a>> {
    let unit = |unit: u32| format!("{} {unit}", params.layer.noun());
    let dataset = || context.record.provenance.dataset.clone();
    let own = match (&params.beside, params.unit) {
        (Some(Group::Dataset(_)), _) => dataset().unwrap_or_else(|| "the data set".to_owned()),
        (Some(_), _) | (None, None) => "all images".to_owned(),
        (None, Some(own)) => unit(own),
    };
    let mut curves = vec![Curve {
        name: own,
        count: outcome.count,
        mean: outcome.mean,
        sd: outcome.sd,
        quantiles: &outcome.quantiles,
        counts: &outcome.counts,
        shape: outcome.shape.as_ref(),
    }];
    curves.extend(outcome.others.iter().map(|other| Curve {
        name: match (other.unit, &other.group, &params.beside) {
            (Some(of), ..) => unit(of),
            (None, Some(group), _) => group.clone(),
            (None, None, Some(Group::Dataset(digest))) => context.dataset_name(digest),
            (None, None, _) => "others".to_owned(),
        },
        count: other.count,
        mean: other.mean,
        sd: other.sd,
        quantiles: &other.quantiles,
        counts: &other.counts,
        shape: other.shape.as_ref(),
    }));
    curves
}

/// A curve that is level over each bucket. A logarithmic axis has no place for empty buckets: there the curve has a gap.
fn steps(edges: &[f64], curve: &Curve<'_>, log: bool) -> Vec<Point> {
    let mut points = Vec::new();
    for (edges, count) in edges.windows(2).zip(curve.counts) {
        let y = part(*count, curve.count);
        let y = if log && *count == 0 { f64::NAN } else { y };
        points.extend(edges.iter().map(|&x| Point { x, y, interval: None }));
    }
    points
}

/// A distribution in a few words.
fn said(curve: &Curve<'_>, span: f64) -> String {
    let digits = decimals(span);
    let mut text = format!(
        "{}: {} images, mean {}, standard deviation {}",
        curve.name,
        thousands(curve.count),
        number(curve.mean, digits),
        number(curve.sd, digits)
    );
    if let Some(shape) = curve.shape {
        text += &format!(", {}", shape::note(shape, curve.count));
    }
    text
}

/// A row for each bucket and each number, a column for each distribution.
fn tabulate(outcome: &Outcome, curves: &[Curve<'_>]) -> Table {
    let edges = &outcome.edges;
    let digits = decimals(edges[edges.len() - 1] - edges[0]) + 1;
    let names = curves.iter().map(|curve| curve.name.as_str());
    let head: Vec<&str> = std::iter::once("activation").chain(names).collect();
    let row = |name: String, cell: &dyn Fn(&Curve<'_>) -> String| -> Vec<String> {
        std::iter::once(name).chain(curves.iter().map(cell)).collect()
    };
    let mut rows: Vec<Vec<String>> = Vec::new();
    for (at, edges) in edges.windows(2).enumerate() {
        let name = format!("{} to {}", number(edges[0], digits), number(edges[1], digits));
        rows.push(row(name, &|curve| percent(part(curve.counts[at], curve.count))));
    }
    rows.push(row("images".to_owned(), &|curve| thousands(curve.count)));
    rows.push(row("mean".to_owned(), &|curve| number(curve.mean, digits)));
    rows.push(row("standard deviation".to_owned(), &|curve| number(curve.sd, digits)));
    let median = |curve: &Curve<'_>| {
        let found = curve.quantiles.iter().find(|quantile| quantile.share == 0.5);
        found.map(|quantile| number(quantile.activation, digits)).unwrap_or_default()
    };
    rows.push(row("median".to_owned(), &median));
    if let Some(shape) = curves[0].shape {
        for (at, name) in shape::rows(shape, 1).into_iter().map(|row| row[0].clone()).enumerate() {
            let cell = |curve: &Curve<'_>| {
                let rows = curve.shape.map(|shape| shape::rows(shape, curve.count));
                rows.and_then(|rows| Some(rows.get(at)?[1].clone())).unwrap_or_default()
            };
            rows.push(row(name, &cell));
        }
    }
    Table::new(&head, rows)
}

#[cfg(test)]
mod tests {
    use neuronotes_core::kind::activation_histogram::{self, Other};
    use serde_json::{Value, json};

    use super::*;
    use crate::figure::part::Part;
    use crate::figure::tests::Stored;

    fn drawn(change: Value, scale: &str) -> Drawing {
        let mut params =
            json!({ "layer": "visual.layer4.0.add", "unit": 3, "bins": 2, "pool": "mean" });
        for (name, value) in change.as_object().expect("a map") {
            params[name] = value.clone();
        }
        let Value::Object(map) = &params else { unreachable!() };
        let sample = (activation_histogram::KIND.sample)(map, 3.5);
        let mut stored = Stored::new(&activation_histogram::KIND, params.clone(), &sample.result);
        for picture in sample.pictures {
            stored = stored.output(&picture.output, picture.media_type, b"a sheet");
        }
        stored.presentation.insert("scale".to_owned(), scale.into());
        stored.drawn()
    }

    #[test]
    fn several_units_are_curves_on_one_plot() {
        let Drawing::Parts { parts, table, note } =
            drawn(json!({ "also": [7], "above": [2.0] }), "linear")
        else {
            panic!("parts")
        };
        let [Part::Lines(lines)] = &parts[..] else { panic!("curves") };
        assert_eq!(lines.names, ["unit 3", "unit 7"]);
        assert_eq!(table.head, ["activation", "unit 3", "unit 7"]);
        insta::assert_json_snapshot!((lines, table, note));
    }

    #[test]
    fn an_empty_bucket_is_a_gap_on_a_logarithmic_axis() {
        let Drawing::Parts { parts, note, .. } =
            drawn(json!({ "beside": { "labels": ["food"] } }), "log")
        else {
            panic!("parts")
        };
        let [Part::Lines(lines)] = &parts[..] else { panic!("curves") };
        assert_eq!(lines.names, ["all images", "food"]);
        assert!(note.starts_with("all images: 6 images, mean 0.5"), "{note}");
        let other = Other {
            unit: None,
            group: None,
            count: 3,
            mean: 0.0,
            sd: 1.0,
            min: 0.0,
            max: 1.0,
            quantiles: vec![],
            counts: vec![3, 0, 0],
            shape: None,
        };
        let curve = Curve {
            name: String::new(),
            count: 3,
            mean: 0.0,
            sd: 1.0,
            quantiles: &[],
            counts: &other.counts,
            shape: None,
        };
        let points = steps(&[0.0, 1.0, 2.0, 3.0], &curve, true);
        assert_eq!(points.iter().filter(|point| point.y.is_finite()).count(), 2);
        assert_eq!(steps(&[0.0, 1.0, 2.0, 3.0], &curve, false)[5].y, 0.0);
    }

    #[test]
    fn images_stand_behind_the_bars_that_have_some() {
        let Drawing::Plot { behind: Some(behind), note, .. } =
            drawn(json!({ "examples": 2 }), "log")
        else {
            panic!("a plot")
        };
        assert_eq!(behind.bars.len(), 2);
        assert_eq!(behind.bars[0].across[0], 0.1);
        assert_eq!(behind.bars[1].across[1], 0.975);
        assert_eq!(behind.bars[1].images[1], ("three".to_owned(), [0, 64]));
        assert_eq!(behind.bars[1].says, "1.00 to 3.50: 2 images");
        assert!(note.ends_with("point at a bar for some of its images"), "{note}");
    }
}
