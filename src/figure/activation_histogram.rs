//! Draws `activation_histogram`: a histogram as SVG with mean and quantiles, and its data as a table.

mod check;
mod curves;
mod shape;

use std::ops::Range;

use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use neuronotes_core::kind::activation_histogram::{self, Outcome, Params, Quantile};
use neuronotes_core::kind::scan::Pool;
use neuronotes_core::number::{decimals, number, thousands, tick};
use neuronotes_core::statistics::deviations;

use super::behind::{Behind, BehindBar};
use super::context::DrawContext;
use super::drawing::Drawing;
use super::entry::Figure;
use super::plot::{self, Ink, SCALE};
use super::table::Table;
use crate::field::direction_line;
use check::check;

/// The canvas, in the units of the viewBox.
const SIZE: (u32, u32) = (640, 308);
/// Margins between the canvas and the plot: top, right, bottom, left.
const MARGIN: (u32, u32, u32, u32) = (52, 16, 60, 64);
/// Minimum height and width of the bar of a non-empty bucket.
const LEAST: f64 = 2.0;
/// Font size, unless a style sheet overrides it.
const FONT: f64 = 13.0;

/// The drawing of `activation_histogram`.
pub(super) static FIGURE: Figure =
    Figure { kind: &activation_histogram::KIND, height: |_| 300, draw };

fn draw(context: &DrawContext<'_>) -> Result<Drawing, String> {
    let outcome: Outcome = context.result()?;
    let params: Params = context.params()?;
    let direction = params.direction.as_ref().map(|terms| direction_line(terms, context.inputs));
    let axis = match (&direction, params.pool) {
        (Some(_), _) => "activation of the direction",
        (None, Pool::Mean) => "activation, mean over positions",
        (None, Pool::Max) => "activation, maximum over positions",
    };
    let log = context.option("scale") == Some("log");
    let drawing = match outcome.others.is_empty() {
        true => histogram(&outcome, log, axis, context.number("mark"))?,
        false => curves::drawn(context, &outcome, &params, (log, axis))?,
    };
    let of = |text: String| match &direction {
        Some(direction) => format!("{direction}: {text}"),
        None => text,
    };
    Ok(match drawing {
        Drawing::Plot { svg, alt, table, note, .. } => {
            let behind = outcome.behind.as_ref().map(|it| behind(context, &outcome, it));
            let behind = behind.transpose()?;
            Drawing::Plot { svg, alt: of(alt), table, note: of(note), behind }
        }
        Drawing::Parts { parts, table, note } => Drawing::Parts { parts, table, note: of(note) },
        other => other,
    })
}

/// Draws `outcome`; `log` uses a logarithmic axis for the counts, `axis` is the label of activations, `mark` an activation that
/// has a line of its own.
///
/// # Errors
/// If the outcome has no buckets, or NaN values.
fn histogram(
    outcome: &Outcome,
    log: bool,
    axis: &str,
    mark: Option<f64>,
) -> Result<Drawing, String> {
    check(outcome)?;
    let mut svg = String::new();
    {
        let size = (SIZE.0 * SCALE, SIZE.1 * SCALE);
        let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        let drawn = paint(&root, outcome, (log, mark), axis).and_then(|()| Ok(root.present()?));
        drawn.map_err(|error| format!("the histogram cannot be drawn ({error})"))?;
    }
    Ok(Drawing::Plot {
        svg: plot::themed(&svg),
        alt: describe(outcome),
        table: tabulate(outcome),
        note: note(outcome, mark),
        behind: None,
    })
}

/// The images behind the bars.
fn behind(
    context: &DrawContext<'_>,
    outcome: &Outcome,
    stored: &activation_histogram::Behind,
) -> Result<Behind, String> {
    if stored.keys.len() != outcome.counts.len() || stored.tile == 0 {
        return Err("the stored histogram has images of other buckets".to_owned());
    }
    let field = Field::new(across(outcome, context.number("mark")), 1.0, false);
    let part = |at: i32, of: u32| f64::from(at) / f64::from(of * SCALE);
    let digits = decimals(outcome.max - outcome.min);
    let columns = (stored.side / stored.tile).max(1);
    let mut tiles = (0..).map(|at| [at % columns * stored.tile, at / columns * stored.tile]);
    let mut bars = Vec::new();
    for ((edges, count), keys) in outcome.edges.windows(2).zip(&outcome.counts).zip(&stored.keys) {
        let images: Vec<(String, [u32; 2])> = keys.iter().cloned().zip(&mut tiles).collect();
        if images.is_empty() {
            continue;
        }
        let [left, right] = [edges[0], edges[1]].map(|edge| field.x(edge));
        let range = format!("{} to {}", number(edges[0], digits), number(edges[1], digits));
        bars.push(BehindBar {
            across: [part(left, SIZE.0), part(right, SIZE.0)],
            says: format!("{range}: {}", counted(*count)),
            images,
        });
    }
    Ok(Behind {
        label: "Images behind each bar".to_owned(),
        sheet: context.picture(&stored.sheet, stored.side, stored.side)?,
        tile: stored.tile,
        rows: [part(Field::TOP as i32, SIZE.1), part(Field::BOTTOM as i32, SIZE.1)],
        most: bars.iter().map(|bar| bar.images.len()).max().unwrap_or(0),
        bars,
    })
}

fn counted(images: u64) -> String {
    match images {
        1 => "1 image".to_owned(),
        n => format!("{} images", thousands(n)),
    }
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Failure = Box<dyn std::error::Error>;

fn paint(
    root: &Area<'_>,
    outcome: &Outcome,
    (log, mark): (bool, Option<f64>),
    axis: &str,
) -> Result<(), Failure> {
    let across = across(outcome, mark);
    let most = outcome.counts.iter().copied().max().unwrap_or(0).max(1) as f64;
    let mut chart = ChartBuilder::on(root);
    chart
        .margin_top(MARGIN.0 * SCALE)
        .margin_right(MARGIN.1 * SCALE)
        .set_label_area_size(LabelAreaPosition::Bottom, MARGIN.2 * SCALE)
        .set_label_area_size(LabelAreaPosition::Left, MARGIN.3 * SCALE);
    let step = (across.end - across.start) / 6.0;
    let digits = decimals(step);
    // Steps that are added up may miss zero by a rounding.
    let x_label = |value: &f64| tick(if value.abs() < step * 1e-6 { 0.0 } else { *value }, digits);
    let y_label = |value: &f64| count_label(*value, log);
    // Both arms do the same with two types: plotters' axes are part of a chart's type.
    macro_rules! mesh {
        ($chart:expr) => {
            $chart
                .configure_mesh()
                .disable_x_mesh()
                .light_line_style(TRANSPARENT)
                .bold_line_style(line(Ink::Grid, 1.0))
                .axis_style(line(Ink::Axis, 1.0))
                .set_tick_mark_size(LabelAreaPosition::Bottom, 5 * SCALE)
                .set_tick_mark_size(LabelAreaPosition::Left, 5 * SCALE)
                .x_labels(7)
                .y_labels(5)
                .x_label_formatter(&x_label)
                .y_label_formatter(&y_label)
                .label_style(text(Ink::Text))
                .draw()?
        };
    }
    if log {
        let range = (0.7..most * 1.4).log_scale();
        let mut chart = chart.build_cartesian_2d(across.clone(), range)?;
        mesh!(chart);
    } else {
        let mut chart = chart.build_cartesian_2d(across.clone(), 0.0..most * 1.04)?;
        mesh!(chart);
    }

    let field = Field::new(across, most, log);
    for (bucket, count) in outcome.edges.windows(2).zip(&outcome.counts) {
        if *count > 0 {
            let corners = field.bar(bucket[0], bucket[1], *count as f64);
            root.draw(&Rectangle::new(corners, Ink::Bar.rgb().filled()))?;
        }
    }
    words(root, axis)?;
    marker(root, &field, 0, outcome.mean, "mean", Ink::Mark)?;
    if let Some(value) = quantile(outcome, 0.99) {
        marker(root, &field, 1, value, "99 %", Ink::Tail)?;
    }
    if let Some(mark) = mark {
        marker(root, &field, 0, mark, "marked", Ink::Line2)?;
    }
    Ok(())
}

/// The axis of activations, with a mark; widened if all are equal or too close to be distinguished.
fn across(outcome: &Outcome, mark: Option<f64>) -> Range<f64> {
    let all = || outcome.edges.iter().copied().chain(mark);
    let first = all().fold(f64::INFINITY, f64::min);
    let last = all().fold(f64::NEG_INFINITY, f64::max);
    let size = first.abs().max(last.abs());
    if last - first > size * 1e-9 {
        return first..last;
    }
    let room = if size > 0.0 { size * 0.5 } else { 0.5 };
    first - room..last + room
}

/// The plot's area on the canvas.
struct Field {
    across: RangedCoordf64,
    most: f64,
    log: bool,
}

impl Field {
    const LEFT: u32 = MARGIN.3 * SCALE;
    const RIGHT: u32 = (SIZE.0 - MARGIN.1) * SCALE;
    const TOP: u32 = MARGIN.0 * SCALE;
    const BOTTOM: u32 = (SIZE.1 - MARGIN.2) * SCALE;

    fn new(across: Range<f64>, most: f64, log: bool) -> Self {
        Self { across: across.into(), most, log }
    }

    fn x(&self, value: f64) -> i32 {
        use plotters::coord::ranged1d::Ranged;
        let Range { start, end } = self.across.range();
        self.across.map(&value.clamp(start, end), (Self::LEFT as i32, Self::RIGHT as i32))
    }

    fn y(&self, count: f64) -> i32 {
        let share = if self.log {
            (count / 0.7).ln() / (self.most * 1.4 / 0.7).ln()
        } else {
            count / (self.most * 1.04)
        };
        let least = LEAST * f64::from(SCALE);
        let height = f64::from(Self::BOTTOM - Self::TOP) * share;
        Self::BOTTOM as i32 - height.max(least).round() as i32
    }

    /// A bar's corners; there is a gap of half a unit to the next bar, if there is room.
    fn bar(&self, from: f64, to: f64, count: f64) -> [(i32, i32); 2] {
        let (mut left, mut right) = (self.x(from), self.x(to));
        let air = SCALE as i32;
        if right - left > 4 * air {
            right -= air;
        }
        let least = (LEAST * f64::from(SCALE)) as i32;
        if right - left < least {
            let middle = i32::midpoint(left, right);
            let start = Self::LEFT as i32;
            left = (middle - least / 2).clamp(start, Self::RIGHT as i32 - least);
            right = left + least;
        }
        [(left, self.y(count)), (right, Self::BOTTOM as i32)]
    }
}

fn line(ink: Ink, width: f64) -> ShapeStyle {
    ink.rgb().stroke_width((width * f64::from(SCALE)) as u32)
}

fn text(ink: Ink) -> TextStyle<'static> {
    // Plotters' SVG divides sizes by 1.24.
    let size = FONT * 1.24 * f64::from(SCALE);
    ("sans-serif", size).into_font().color(&ink.rgb())
}

/// The labels of the axes.
fn words(root: &Area<'_>, axis: &str) -> Result<(), Failure> {
    let images = text(Ink::Text).pos(Pos::new(HPos::Left, VPos::Bottom));
    let above = (Field::TOP - 8 * SCALE) as i32;
    root.draw_text("images", &images, (0, above))?;
    let under = text(Ink::Text).pos(Pos::new(HPos::Center, VPos::Bottom));
    let middle = i32::midpoint(Field::LEFT as i32, Field::RIGHT as i32);
    root.draw_text(axis, &under, (middle, ((SIZE.1 - 2) * SCALE) as i32))?;
    Ok(())
}

/// A line from its label, in a row of its own above the plot, to the axis. The label is on the side with more room,
/// so that it neither overlaps another nor leaves the canvas.
fn marker(
    root: &Area<'_>,
    field: &Field,
    row: u32,
    value: f64,
    name: &str,
    ink: Ink,
) -> Result<(), Failure> {
    let x = field.x(value);
    let y = ((4 + row * 24) * SCALE) as i32;
    let stroke = line(ink, 1.2);
    root.draw(&PathElement::new([(x, y), (x, Field::BOTTOM as i32)], stroke))?;
    let Range { start, end } = plotters::coord::ranged1d::Ranged::range(&field.across);
    let label = format!("{name} {}", number(value, decimals(end - start)));
    let room = 6 * SCALE as i32;
    let left = x < i32::midpoint(Field::LEFT as i32, Field::RIGHT as i32);
    let (side, at) = match left {
        true => (HPos::Left, x + room),
        false => (HPos::Right, x - room),
    };
    root.draw_text(&label, &text(ink).pos(Pos::new(side, VPos::Top)), (at, y))?;
    Ok(())
}

fn count_label(value: f64, log: bool) -> String {
    let decade = value.log10().fract().abs() < 1e-9;
    if value.fract().abs() > 1e-9 || (log && !decade) {
        return String::new();
    }
    thousands(value as u64)
}

fn quantile(outcome: &Outcome, probability: f64) -> Option<f64> {
    let near = |found: &&Quantile| (found.share - probability).abs() < 1e-9;
    outcome.quantiles.iter().find(near).map(|found| found.activation)
}

fn describe(outcome: &Outcome) -> String {
    let digits = decimals(outcome.max - outcome.min);
    let shown = |value| number(value, digits);
    let mut text = format!(
        "Histogram of {} activations from {} to {}; mean {}, standard deviation {}",
        thousands(outcome.count),
        shown(outcome.min),
        shown(outcome.max),
        shown(outcome.mean),
        shown(outcome.sd)
    );
    if let Some(value) = quantile(outcome, 0.99) {
        text += &format!("; the 99th percentile is {}", shown(value));
    }
    text + "."
}

fn note(outcome: &Outcome, mark: Option<f64>) -> String {
    let digits = decimals(outcome.max - outcome.min);
    let shown = |value| number(value, digits);
    let mut text = format!(
        "{} images; mean {}, standard deviation {}",
        thousands(outcome.count),
        shown(outcome.mean),
        shown(outcome.sd)
    );
    if let Some(value) = quantile(outcome, 0.5) {
        text += &format!(", median {}", shown(value));
    }
    text += &format!("; the largest is {}", shown(outcome.max));
    let away = deviations(outcome.max, outcome.mean, outcome.sd);
    if let Some(away) = away.filter(|away| away.is_finite()) {
        text += &format!(", {} standard deviations above the mean", number(away, 1));
    }
    if let Some(shape) = &outcome.shape {
        text += &format!("; {}", shape::note(shape, outcome.count));
    }
    if let Some(mark) = mark {
        let beyond = match (mark > outcome.max, mark < outcome.min) {
            (true, _) => "more than for any image",
            (_, true) => "less than for any image",
            _ => "as far as images reach",
        };
        text += &format!("; marked: {}, {beyond}", shown(mark));
        let away = deviations(mark, outcome.mean, outcome.sd);
        if let Some(away) = away.filter(|away| away.is_finite()) {
            text += &format!(", {} standard deviations from the mean", number(away, 1));
        }
    }
    if outcome.behind.is_some() {
        text += "; point at a bar for some of its images";
    }
    text
}

fn tabulate(outcome: &Outcome) -> Table {
    let digits = decimals(outcome.max - outcome.min) + 1;
    let shown = |value| number(value, digits);
    let buckets = outcome.edges.windows(2).zip(&outcome.counts);
    let mut rows: Vec<Vec<String>> = buckets
        .map(|(edges, count)| {
            vec![format!("{} to {}", shown(edges[0]), shown(edges[1])), thousands(*count)]
        })
        .collect();
    rows.extend(outcome.quantiles.iter().map(|Quantile { share, activation }| {
        let percent = tick(share * 100.0, 3);
        vec![format!("{percent} % quantile"), shown(*activation)]
    }));
    if let Some(shape) = &outcome.shape {
        rows.extend(shape::rows(shape, outcome.count));
    }
    Table::new(&["activation", "images"], rows)
}

#[cfg(test)]
mod tests;
