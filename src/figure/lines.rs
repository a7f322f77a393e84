//! Draws curves over a numeric axis as SVG in the theme's colours: intervals as bands, markers, a vertical and a
//! horizontal mark. Gives a part of a figure and its numbers as a table. Knows nothing of any kind.

use std::collections::BTreeMap;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use neuronotes_core::number::{decimals, number};

use super::axis::{Axis, Span};
use super::part::{Lines, Part};
use super::plot::{self, Ink, SCALE};
use super::table::Table;

/// Maximum number of lines in a chart: each has its own colour and dash.
pub const MOST: usize = 6;

/// The canvas, in the units of the viewBox.
const SIZE: (u32, u32) = (640, 308);
/// Margins between the canvas and the plot: right, bottom, left.
const MARGIN: (u32, u32, u32) = (16, 60, 64);
/// Height of a row of text above the plot.
const ROW: u32 = 24;
/// Font size, unless a style sheet overrides it.
const FONT: f64 = 13.0;
/// Radius of a marker.
const RADIUS: f64 = 2.8;

const INKS: [Ink; MOST] = [Ink::Line1, Ink::Line2, Ink::Line3, Ink::Line4, Ink::Line5, Ink::Line6];

/// Curves over a numeric axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// Title above the plot; empty if the figure's own suffices.
    pub title: String,
    /// The horizontal axis.
    pub across: Axis,
    /// The vertical axis.
    pub up: Axis,
    /// The curves, at most [`MOST`], in the order of the legend.
    pub lines: Vec<Line>,
    /// A vertical line.
    pub mark: Option<Mark>,
    /// A horizontal line, such as the accuracy of a guess.
    pub level: Option<Mark>,
}

/// A curve.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Its name in the legend; may be empty if it is the only one.
    pub name: String,
    /// Its points, in any order. Where a value is not finite, the curve has a gap.
    pub points: Vec<Point>,
    /// Whether each point has a marker. A point between two gaps always has one.
    pub markers: bool,
}

/// A point of a curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Along the horizontal axis; finite.
    pub x: f64,
    /// Along the vertical axis.
    pub y: f64,
    /// The bounds of an interval around `y`.
    pub interval: Option<(f64, f64)>,
}

/// A value on an axis, with its name.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    /// The value.
    pub at: f64,
    /// Plain text.
    pub label: String,
}

impl Point {
    /// Its interval, if the point is drawn and both bounds are finite.
    fn band(self) -> Option<(f64, f64)> {
        self.interval.filter(|(low, high)| self.y.is_finite() && (low + high).is_finite())
    }
}

impl Chart {
    /// The chart as a part of a figure.
    ///
    /// # Errors
    /// If there are more than [`MOST`] lines, no point with a finite value, or a value that its axis has no place for.
    pub fn part(&self) -> Result<Part, String> {
        let wrong = |why: String| format!("the curves cannot be drawn ({why})");
        if self.lines.len() > MOST {
            return Err(wrong(format!("{} lines; at most {MOST}", self.lines.len())));
        }
        let field = self.field().map_err(wrong)?;
        let mut svg = String::new();
        {
            let size = (SIZE.0 * SCALE, SIZE.1 * SCALE);
            let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
            let drawn = self.paint(&root, &field).and_then(|()| Ok(root.present()?));
            drawn.map_err(|error| wrong(error.to_string()))?;
        }
        let names = self.lines.iter().map(|line| line.name.clone());
        Ok(Part::Lines(Lines {
            title: self.title.clone(),
            alt: self.describe(),
            svg: plot::themed(&svg),
            axes: [self.across.label.clone(), self.up.label.clone()],
            names: names.filter(|name| !name.is_empty()).collect(),
        }))
    }

    /// Its numbers: a row for each place along the horizontal axis, columns for each line and its bounds.
    #[allow(
        dead_code,
        reason = "tested; the kinds with curves so far have tables with more in them"
    )]
    pub fn table(&self) -> Table {
        let mut head = vec![self.across.label.clone()];
        let mut columns = Vec::new();
        for line in &self.lines {
            let name = if line.name.is_empty() { &self.up.label } else { &line.name };
            columns.push(head.len());
            head.push(name.clone());
            if line.points.iter().any(|point| point.interval.is_some()) {
                head.extend([format!("{name}, from"), format!("{name}, to")]);
            }
        }
        let all = || self.lines.iter().flat_map(|line| &line.points);
        let (x, y) = (digits(all().map(|point| point.x)), digits(all().map(|point| point.y)));
        let mut rows: BTreeMap<Ordered, Vec<String>> = BTreeMap::new();
        for (line, column) in self.lines.iter().zip(columns) {
            for point in &line.points {
                let new = || {
                    let mut row = vec![String::new(); head.len()];
                    row[0] = self.across.exact(point.x, x);
                    row
                };
                let row = rows.entry(Ordered(point.x)).or_insert_with(new);
                row[column] = number(point.y, y);
                if let Some((low, high)) = point.interval {
                    row[column + 1] = number(low, y);
                    row[column + 2] = number(high, y);
                }
            }
        }
        Table { head, rows: rows.into_values().collect(), units: None }
    }

    fn field(&self) -> Result<Field, String> {
        let drawn = || {
            let points = self.lines.iter().flat_map(|line| &line.points);
            points.filter(|point| point.y.is_finite())
        };
        if drawn().next().is_none() {
            return Err("no point has a finite value".to_owned());
        }
        let x = drawn().map(|point| point.x).chain(self.mark.iter().map(|mark| mark.at));
        let bounds = drawn().filter_map(|point| point.band()).flat_map(|(a, b)| [a, b]);
        let level = self.level.iter().map(|mark| mark.at);
        let y = drawn().map(|point| point.y).chain(bounds).chain(level);
        let rows = 1 + u32::from(self.mark.is_some());
        Ok(Field {
            across: self.across.span(x, 0.0)?,
            up: self.up.span(y, 0.04)?,
            top: (4 + rows * ROW) * SCALE,
        })
    }

    fn paint(&self, root: &Area<'_>, field: &Field) -> Result<(), Failure> {
        let (left, right) = (Field::LEFT as i32, Field::RIGHT as i32);
        let (top, bottom) = (field.top as i32, Field::BOTTOM as i32);
        let room = 6 * SCALE as i32;
        for (value, label) in field.up.ticks(5) {
            let y = field.y(value);
            root.draw(&PathElement::new([(left, y), (right, y)], stroke(Ink::Grid, 1.0)))?;
            words(root, &label, (left - room, y), HPos::Right, VPos::Center)?;
        }
        for (value, label) in field.across.ticks(7) {
            let x = field.x(value);
            let tick = [(x, bottom), (x, bottom + 5 * SCALE as i32)];
            root.draw(&PathElement::new(tick, stroke(Ink::Axis, 1.0)))?;
            words(root, &label, (x, bottom + 9 * SCALE as i32), HPos::Center, VPos::Top)?;
        }
        let axes = [(left, top), (left, bottom), (right, bottom)];
        root.draw(&PathElement::new(axes, stroke(Ink::Axis, 1.0)))?;
        words(root, &self.up.label, (0, 4 * SCALE as i32), HPos::Left, VPos::Top)?;
        let under = (i32::midpoint(left, right), ((SIZE.1 - 2) * SCALE) as i32);
        words(root, &self.across.label, under, HPos::Center, VPos::Bottom)?;

        // Bands lie under all curves.
        for (line, ink) in self.lines.iter().zip(INKS) {
            for run in runs(line) {
                band(root, field, &run, ink)?;
            }
        }
        if let Some(level) = &self.level {
            let y = field.y(level.at);
            root.draw(&PathElement::new([(left, y), (right, y)], stroke(Ink::Mark, 1.0)))?;
            words(root, &level.label, (right, y - room / 2), HPos::Right, VPos::Bottom)?;
        }
        if let Some(mark) = &self.mark {
            let (x, row) = (field.x(mark.at), ((4 + ROW) * SCALE) as i32);
            root.draw(&PathElement::new([(x, row), (x, bottom)], stroke(Ink::Mark, 1.2)))?;
            // On the side with more room.
            let (side, at) = match x < i32::midpoint(left, right) {
                true => (HPos::Left, x + room),
                false => (HPos::Right, x - room),
            };
            words(root, &mark.label, (at, row), side, VPos::Top)?;
        }
        for (line, ink) in self.lines.iter().zip(INKS) {
            for run in runs(line) {
                let path: Vec<_> = run.iter().map(|p| (field.x(p.x), field.y(p.y))).collect();
                if path.len() == 1 || line.markers {
                    let radius = (RADIUS * f64::from(SCALE)) as i32;
                    for at in &path {
                        root.draw(&Circle::new(*at, radius, ink.rgb().filled()))?;
                    }
                }
                if path.len() > 1 {
                    root.draw(&PathElement::new(path, stroke(ink, 1.8)))?;
                }
            }
        }
        Ok(())
    }

    /// The chart in words.
    fn describe(&self) -> String {
        let mut text = format!("{} over {}", self.up.label, self.across.label);
        if !self.title.is_empty() {
            text = format!("{}: {text}", self.title);
        }
        let all = || self.lines.iter().flat_map(|line| &line.points);
        let (x, y) = (digits(all().map(|point| point.x)), digits(all().map(|point| point.y)));
        let said =
            |point: &Point| format!("{} at {}", number(point.y, y), self.across.exact(point.x, x));
        for line in &self.lines {
            let points: Vec<Point> = runs(line).into_iter().flatten().collect();
            let (Some(first), Some(last)) = (points.first(), points.last()) else { continue };
            let greatest = points.iter().max_by(|a, b| a.y.total_cmp(&b.y)).unwrap_or(first);
            let name = if line.name.is_empty() { "the curve" } else { &line.name };
            text += &format!("; {name}: {}", said(first));
            if points.len() > 1 {
                text += &format!(", {}", said(last));
            }
            if greatest.y > first.y.max(last.y) {
                text += &format!(", greatest {}", said(greatest));
            }
        }
        if let Some(mark) = &self.mark {
            text += &format!("; {} at {}", mark.label, self.across.exact(mark.at, x));
        }
        if let Some(level) = &self.level {
            text += &format!("; {}: {}", level.label, number(level.at, y));
        }
        text + "."
    }
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Failure = Box<dyn std::error::Error>;

/// The plot's area on the canvas.
struct Field {
    across: Span,
    up: Span,
    top: u32,
}

impl Field {
    const LEFT: u32 = MARGIN.2 * SCALE;
    const RIGHT: u32 = (SIZE.0 - MARGIN.0) * SCALE;
    const BOTTOM: u32 = (SIZE.1 - MARGIN.1) * SCALE;

    fn x(&self, value: f64) -> i32 {
        let width = f64::from(Self::RIGHT - Self::LEFT);
        Self::LEFT as i32 + (width * self.across.place(value)).round() as i32
    }

    fn y(&self, value: f64) -> i32 {
        let height = f64::from(Self::BOTTOM - self.top);
        Self::BOTTOM as i32 - (height * self.up.place(value)).round() as i32
    }
}

/// The parts of a curve between its gaps, from left to right.
fn runs(line: &Line) -> Vec<Vec<Point>> {
    let mut points = line.points.clone();
    points.sort_by(|a, b| a.x.total_cmp(&b.x));
    let parts = points.split(|point| !point.y.is_finite());
    parts.filter(|run| !run.is_empty()).map(<[Point]>::to_vec).collect()
}

/// The intervals of a run: a band, or a bar where a single point has one.
fn band(root: &Area<'_>, field: &Field, run: &[Point], ink: Ink) -> Result<(), Failure> {
    for part in run.split(|point| point.band().is_none()).filter(|part| !part.is_empty()) {
        let bound = |point: &Point, pick: fn((f64, f64)) -> f64| {
            (field.x(point.x), field.y(point.band().map_or(point.y, pick)))
        };
        let lower = part.iter().map(|point| bound(point, |(low, _)| low));
        let upper = part.iter().rev().map(|point| bound(point, |(_, high)| high));
        let around: Vec<(i32, i32)> = lower.chain(upper).collect();
        match part {
            [_] => root.draw(&PathElement::new(around, stroke(ink, 1.2)))?,
            _ => root.draw(&Polygon::new(around, ink.rgb().filled()))?,
        }
    }
    Ok(())
}

fn stroke(ink: Ink, width: f64) -> ShapeStyle {
    ink.rgb().stroke_width((width * f64::from(SCALE)) as u32)
}

fn words(root: &Area<'_>, text: &str, at: (i32, i32), h: HPos, v: VPos) -> Result<(), Failure> {
    // Plotters' SVG divides sizes by 1.24.
    let font = ("sans-serif", FONT * 1.24 * f64::from(SCALE)).into_font();
    root.draw_text(text, &font.color(&Ink::Text.rgb()).pos(Pos::new(h, v)), at)?;
    Ok(())
}

/// Number of decimals that distinguish these numbers.
fn digits(values: impl Iterator<Item = f64> + Clone) -> usize {
    let finite = values.filter(|value| value.is_finite());
    let low = finite.clone().fold(f64::INFINITY, f64::min);
    let high = finite.fold(f64::NEG_INFINITY, f64::max);
    // All alike: as many as their size asks for.
    decimals(if high > low { high - low } else { high.abs() }) + 1
}

/// A number by which rows are sorted.
#[derive(PartialEq)]
struct Ordered(f64);

impl Eq for Ordered {}

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(name: &str, points: &[(f64, f64)]) -> Line {
        let points = points.iter().map(|(x, y)| Point { x: *x, y: *y, interval: None });
        Line { name: name.to_owned(), points: points.collect(), markers: false }
    }

    fn chart(across: Axis, lines: Vec<Line>) -> Chart {
        let up = Axis::linear("AUC").covering(0.5, 1.0);
        Chart { title: String::new(), across, up, lines, mark: None, level: None }
    }

    fn drawn(chart: &Chart) -> Lines {
        let Part::Lines(lines) = chart.part().expect("drawn") else { panic!("lines") };
        lines
    }

    #[test]
    fn curves_have_bands_markers_marks_and_a_table() {
        let mut sum = line("units", &[(1.0, 0.71), (2.0, 0.86), (4.0, 0.93), (16.0, 0.95)]);
        sum.markers = true;
        for point in &mut sum.points {
            point.interval = Some((point.y - 0.04, (point.y + 0.04).min(1.0)));
        }
        let other = line("dense", &[(1.0, 0.96), (16.0, 0.96)]);
        let chart = Chart {
            title: "How many units".to_owned(),
            mark: Some(Mark { at: 4.0, label: "chosen".to_owned() }),
            level: Some(Mark { at: 0.5, label: "chance".to_owned() }),
            ..chart(Axis::log("units"), vec![sum, other])
        };
        insta::assert_json_snapshot!((chart.part().expect("drawn"), chart.table()));
    }

    #[test]
    fn a_curve_has_a_gap_where_a_number_is_missing() {
        let points = [(0.0, 0.6), (1.0, 0.7), (2.0, f64::NAN), (3.0, 0.8)];
        let svg = drawn(&chart(Axis::linear("depth"), vec![line("", &points)])).svg;
        let of_line = "stroke=\"var(--plot-line-1)\"";
        assert_eq!(svg.matches(of_line).count(), 1, "one run of two points: {svg}");
        assert_eq!(svg.matches("<circle").count(), 1, "a marker for the point alone: {svg}");
    }

    #[test]
    fn points_are_joined_from_left_to_right() {
        let sorted =
            chart(Axis::linear("x"), vec![line("", &[(0.0, 0.6), (1.0, 0.7), (2.0, 0.8)])]);
        let mixed = chart(Axis::linear("x"), vec![line("", &[(2.0, 0.8), (0.0, 0.6), (1.0, 0.7)])]);
        assert_eq!(sorted.part(), mixed.part());
        assert_eq!(sorted.table(), mixed.table());
    }

    #[test]
    fn what_has_no_place_on_an_axis_is_an_error() {
        let nothing = chart(Axis::linear("x"), vec![line("", &[(0.0, f64::NAN)])]);
        assert!(nothing.part().is_err_and(|error| error.contains("no point")));
        let zero = chart(Axis::log("x"), vec![line("", &[(0.0, 0.6), (1.0, 0.7)])]);
        assert!(zero.part().is_err_and(|error| error.contains("logarithmic")));
        let many = vec![line("", &[(0.0, 0.6)]); MOST + 1];
        assert!(chart(Axis::linear("x"), many).part().is_err());
    }

    #[test]
    fn lines_with_other_places_share_one_table() {
        let lines = vec![line("a", &[(1.0, 0.5), (2.0, 0.6)]), line("b", &[(2.0, 0.75)])];
        let table = chart(Axis::linear("terms"), lines).table();
        assert_eq!(table.head, ["terms", "a", "b"]);
        assert_eq!(table.rows, [["1", "0.5000", ""], ["2", "0.6000", "0.7500"]]);
    }
}
