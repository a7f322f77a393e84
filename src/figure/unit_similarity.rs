//! Draws `unit_similarity`: the nearest units by their strongest images, or a map of all units.

use serde_json::{Map as Json, Value};

use neuronotes_core::kind::unit_similarity::{
    self, By, Chart, MOST_GROUPS, Method, NEAREST, Neighbour, Order, Outcome, Params, Point,
};
use neuronotes_core::number::{number, percent, thousands};

use super::context::DrawContext;
use super::drawing::Drawing;
use super::entry::{Figure, typed};
use super::map::{Content, Map, Thing};
use super::part::Part;
use super::picture::GridItem;
use super::spoiled;
use super::table::Table;
use super::unit::UnitRef;

/// Maximum number of rows of a map's table.
const MOST_ROWS: usize = 1_000;
/// Labels that have a colour of their own, as many as there may be groups.
const COLOURS: usize = MOST_GROUPS;
/// Steps of a quantity, each of which has a colour.
const STEPS: usize = 5;
/// A map has settled if the last part of its steps lowered the divergence by less than this.
const SETTLED: f64 = 0.01;
/// Most units that a note lists.
const LISTED: usize = 12;

/// The drawing of `unit_similarity`.
pub(super) static FIGURE: Figure = Figure { kind: &unit_similarity::KIND, height, draw };

/// Four pictures per row, or a map.
fn height(params: &Json<String, Value>) -> u32 {
    let list = |params: &Params| params.unit.is_some() || params.direction.is_some();
    match typed::<Params>(params) {
        Some(params) if list(&params) => (params.top + 1).div_ceil(4) * 180,
        _ => 620,
    }
}

fn draw(context: &DrawContext<'_>) -> Result<Drawing, String> {
    let outcome: Outcome = context.result()?;
    let params: Params = context.params()?;
    match &outcome.chart {
        Some(chart) => map(context, &params, &outcome, chart),
        None => list(context, &params, &outcome),
    }
}

/// A similarity with its sign; a dash for none.
fn shown(similarity: Option<f64>, digits: usize) -> String {
    similarity.map_or_else(|| "–".to_owned(), |value| number(value, digits))
}

fn list(context: &DrawContext<'_>, params: &Params, outcome: &Outcome) -> Result<Drawing, String> {
    let of = |near: &Neighbour| match params.by {
        By::Correlation => near.correlation,
        By::WeightsIn => near.weights_in,
        By::WeightsOut => near.weights_out,
    };
    let mut items = Vec::new();
    let name = params
        .unit
        .map_or_else(|| "the direction".to_owned(), |unit| UnitRef::plain(&params.layer, unit));
    if let Some(seen) = &outcome.target {
        let size = (seen.width, seen.height);
        items.push(GridItem {
            picture: context.plain(&seen.picture, size, &seen.caption)?,
            caption: format!("{name} itself: {}", seen.caption),
            value: String::new(),
            unit: params.unit.and_then(|unit| context.unit(&params.layer, unit)),
        });
    }
    let item = |near: &Neighbour| {
        Ok(GridItem {
            picture: context.plain(&near.picture, (near.width, near.height), &near.caption)?,
            caption: format!("{}: {}", UnitRef::plain(&params.layer, near.unit), near.caption),
            value: shown(of(near), 2),
            unit: context.unit(&params.layer, near.unit),
        })
    };
    items.extend(outcome.nearest.iter().map(item).collect::<Result<Vec<_>, String>>()?);
    let what = match params.by {
        By::Correlation => "activations",
        By::WeightsIn => "weights in",
        By::WeightsOut => "weights out",
    };
    let title = match params.order {
        Order::Nearest => {
            format!("Strongest images: {name}, and the units with the most similar {what}")
        }
        Order::Opposite => {
            format!("Strongest images: {name}, and the units with the most opposed {what}")
        }
    };
    let parts = vec![Part::Pictures { title, items }];
    let measure = match params.by {
        By::Correlation => "correlations of activations",
        By::WeightsIn => "cosines of weights in",
        By::WeightsOut => "cosines of weights out",
    };
    let mut note = format!(
        "{measure}; {} images, {} units",
        thousands(outcome.count),
        thousands(outcome.units)
    );
    if let (Some(mean), Some(sd)) = (outcome.mean, outcome.sd) {
        let (mean, sd) = (number(mean, 3), number(sd, 3));
        note += &format!(
            "; the correlations of all other units with {name} have a mean of {mean} and a standard deviation of {sd}"
        );
    }
    note += &constant(outcome.constant, &[]);
    note += &spoiled::note(&outcome.spoiled, params.layer.noun());
    let head = [
        "unit",
        "correlation",
        "cosine of weights in",
        "cosine of weights out",
        "label",
        "strongest image",
    ];
    let row = |near: &Neighbour| {
        vec![
            near.unit.to_string(),
            shown(near.correlation, 4),
            shown(near.weights_in, 4),
            shown(near.weights_out, 4),
            near.label.clone().unwrap_or_default(),
            near.caption.clone(),
        ]
    };
    let table = Table::new(&head, outcome.nearest.iter().map(row).collect());
    let units = outcome.nearest.iter().map(|near| context.unit(&params.layer, near.unit));
    let table = table.of_units(0, units.collect());
    Ok(Drawing::Parts { parts, table, note })
}

/// What is said of units without a correlation.
fn constant(count: u64, which: &[u32]) -> String {
    if count == 0 {
        return String::new();
    }
    let mut listed: Vec<String> = which.iter().take(LISTED).map(u32::to_string).collect();
    if which.len() > LISTED {
        listed.push("…".to_owned());
    }
    let listed =
        if listed.is_empty() { String::new() } else { format!(" ({})", listed.join(", ")) };
    let unit = if count == 1 { "unit has" } else { "units have" };
    format!(
        "; {} {unit} the same activation for every image and so no correlation{listed}",
        thousands(count)
    )
}

fn map(
    context: &DrawContext<'_>,
    params: &Params,
    outcome: &Outcome,
    chart: &Chart,
) -> Result<Drawing, String> {
    let (labels, groups) = (chart.labels.len(), chart.groups.len());
    let fits = |point: &Point| {
        point.label.is_none_or(|label| (label as usize) < labels)
            && point.group.map_or(groups == 0, |group| (group as usize) < groups)
    };
    if !chart.points.iter().all(fits) {
        return Err("the stored map does not fit its labels or groups".to_owned());
    }
    let wanted = context.option("colour").unwrap_or("label");
    let colouring = Colouring::of(wanted, chart);
    let things = chart.points.iter().map(|point| Thing {
        unit: point.unit,
        says: says(point, params, chart),
        place: [point.x, point.y],
        group: (colouring.group)(point),
        tile: point.tile as usize,
        weight: point.deviations,
    });
    let method = match chart.method {
        Method::Tsne => format!(
            "t-SNE with a perplexity of {}",
            number(chart.perplexity.unwrap_or_default(), 0)
        ),
        Method::Pca => "principal components".to_owned(),
    };
    let placed = thousands(chart.points.len() as u64);
    let sheet = &chart.sheet;
    let content = Content {
        title: "",
        alt: format!(
            "Map of {placed} units by the correlation of their activations ({method}), each as a point or as its strongest image."
        ),
        key: colouring.key,
        noun: params.layer.noun(),
        groups: colouring.groups.clone(),
        things: things.collect(),
        axes: None,
        sheet: (context.picture(&sheet.picture, sheet.side, sheet.side)?, sheet.tile),
        units: chart.points.iter().filter_map(|p| context.unit(&params.layer, p.unit)).collect(),
        captions: sheet.tiles.iter().map(|tile| tile.caption.as_str()).collect(),
    };
    let drawn = Map::of(content)?;
    let mut note = format!("{placed} units over {} images, by {method}", thousands(outcome.count));
    if params.method == Method::Tsne && chart.method == Method::Pca {
        note += " instead of t-SNE, which needs at least seven units";
    } else if chart.perplexity.is_some_and(|used| used < params.perplexity) {
        note += ", as many as that many units allow";
    }
    if let Some([first, second]) = chart.explained {
        note +=
            &format!(", which explain {} and {} of the variance", percent(first), percent(second));
    }
    let nearest = NEAREST.min(chart.points.len().saturating_sub(1));
    note += &format!(
        "; of each unit's {nearest} nearest by correlation, {} are among its {nearest} nearest here",
        percent(chart.kept)
    );
    if let Some(settled) = chart.settled.filter(|settled| settled.abs() > SETTLED) {
        note += &format!(
            "; not settled: the last twentieth of the steps changed the divergence by {} (more `steps` would help)",
            percent(settled.abs())
        );
    }
    note += &constant(chart.left_out.len() as u64, &chart.left_out);
    note += &spoiled::note(&outcome.spoiled, params.layer.noun());
    if wanted == "label" && labels == 0 {
        note += "; the data set has no labels, so colours are by deviation";
    }
    let units = chart.points.iter().map(|point| context.unit(&params.layer, point.unit));
    let table = tabulate(params, chart).of_units(0, units.take(MOST_ROWS).collect());
    if chart.points.len() > MOST_ROWS {
        let rows = thousands(MOST_ROWS as u64);
        note += &format!("; the table has the first {rows} units, the file of JSON all");
    }
    Ok(Drawing::Parts { parts: vec![Part::Map(drawn)], table, note })
}

/// What is said of a unit beside its name.
fn says(point: &Point, params: &Params, chart: &Chart) -> String {
    let caption = chart.sheet.tiles.get(point.tile as usize).map_or("", |tile| &tile.caption);
    let label = point.label.and_then(|label| chart.labels.get(label as usize));
    let label = label.map(|tally| {
        format!("; {} ({} of the {} strongest)", tally.label, point.votes, params.strongest)
    });
    let group = point.group.map(|group| format!("; group {}", group + 1));
    format!(
        "{caption}{}{}; {} standard deviations, kurtosis {}",
        label.unwrap_or_default(),
        group.unwrap_or_default(),
        number(point.deviations, 1),
        number(point.kurtosis, 1),
    )
}

/// Groups of units by colour.
struct Colouring<'a> {
    key: &'static str,
    groups: Vec<(String, u32)>,
    group: Box<dyn Fn(&Point) -> usize + 'a>,
}

impl<'a> Colouring<'a> {
    fn of(wanted: &str, chart: &'a Chart) -> Self {
        match wanted {
            "kurtosis" => Self::steps("kurtosis of the activations", chart, |point| point.kurtosis),
            "label" if !chart.labels.is_empty() => Self::labels(chart),
            "group" if !chart.groups.is_empty() => Self::groups(chart),
            _ => Self::steps("strongest activation in standard deviations", chart, |point| {
                point.deviations
            }),
        }
    }

    /// The most frequent labels, and a group of all others.
    fn labels(chart: &'a Chart) -> Self {
        let own = chart.labels.len().min(COLOURS);
        let named = chart.labels.iter().take(own).zip(1..);
        let mut groups: Vec<(String, u32)> =
            named.map(|(tally, colour)| (tally.label.clone(), colour)).collect();
        let rest = |point: &Point| point.label.is_none_or(|label| label as usize >= own);
        if chart.points.iter().any(rest) {
            groups.push(("other".to_owned(), 0));
        }
        let group = move |point: &Point| point.label.map_or(own, |label| (label as usize).min(own));
        Self { key: "label of most of the strongest images", groups, group: Box::new(group) }
    }

    /// The groups, which are numbered, since two may have the same name.
    fn groups(chart: &'a Chart) -> Self {
        let named = chart.groups.iter().zip(1..);
        let groups = named.map(|(tally, n)| (format!("{n}. {}", tally.label), n)).collect();
        let group = |point: &Point| point.group.map_or(0, |group| group as usize);
        Self { key: "group of units with correlated activations", groups, group: Box::new(group) }
    }

    /// Fifths of the units by a quantity.
    fn steps(key: &'static str, chart: &'a Chart, of: fn(&Point) -> f64) -> Self {
        let mut sorted: Vec<f64> = chart.points.iter().map(of).collect();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().saturating_sub(1);
        let at = |step: usize| sorted.get(last * step / STEPS).copied().unwrap_or_default();
        let bounds: Vec<f64> = (0..=STEPS).map(at).collect();
        let groups = (0..STEPS).map(|step| {
            let name = format!("{} to {}", number(bounds[step], 1), number(bounds[step + 1], 1));
            (name, 11 + step as u32)
        });
        let groups = groups.collect();
        let inner = bounds[1..STEPS].to_vec();
        let group = move |point: &Point| inner.iter().filter(|bound| of(point) > **bound).count();
        Self { key, groups, group: Box::new(group) }
    }
}

fn tabulate(params: &Params, chart: &Chart) -> Table {
    let votes = format!("of the {} strongest", params.strongest);
    let grouped = !chart.groups.is_empty();
    let head = ["unit", "x", "y", "label", &votes];
    let group = grouped.then_some("group");
    let rest = ["kurtosis", "strongest in standard deviations", "strongest image"];
    let head: Vec<&str> = head.into_iter().chain(group).chain(rest).collect();
    let row = |point: &Point| {
        let label = point.label.and_then(|label| chart.labels.get(label as usize));
        let tile = chart.sheet.tiles.get(point.tile as usize);
        let mut row = vec![
            point.unit.to_string(),
            number(point.x, 3),
            number(point.y, 3),
            label.map(|tally| tally.label.clone()).unwrap_or_default(),
            label.map(|_| point.votes.to_string()).unwrap_or_default(),
        ];
        row.extend(point.group.map(|group| (group + 1).to_string()));
        row.push(number(point.kurtosis, 2));
        row.push(number(point.deviations, 2));
        row.push(tile.map(|tile| tile.caption.clone()).unwrap_or_default());
        row
    };
    Table::new(&head, chart.points.iter().take(MOST_ROWS).map(row).collect())
}

#[cfg(test)]
mod tests;
