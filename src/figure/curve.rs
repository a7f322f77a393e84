//! Draws a small line plot of numbers over steps, as SVG in the theme's colours, and its table.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use neuronotes_core::number::{decimals, number, thousands, tick};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::plot::{self, Ink, SCALE};
use super::table::Table;

/// The canvas, in the units of the viewBox.
const SIZE: (u32, u32) = (220, 70);
/// Margins between the canvas and the plot: top, right, bottom, left.
const MARGIN: (u32, u32, u32, u32) = (6, 4, 16, 40);
/// Font size.
const FONT: f64 = 10.0;

/// A small plot of a number over steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    /// An `<svg>` element whose colours are CSS variables of the theme.
    pub svg: String,
    /// A description for readers who cannot see it.
    pub alt: String,
    /// The same data as a table.
    pub table: Table,
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Failure = Box<dyn std::error::Error>;

/// Draws `name` over the steps. Each line has a label for the table and pairs of step and number. `None` if there are
/// fewer than two steps.
///
/// # Errors
/// If the plot cannot be drawn.
pub fn draw(name: &str, lines: &[(String, &[(u32, f64)])]) -> Result<Option<Curve>, String> {
    let finite = |(_, value): &&(u32, f64)| value.is_finite();
    let points = || lines.iter().flat_map(|(_, line)| line.iter().filter(finite));
    let last = points().map(|(step, _)| *step).max().unwrap_or_default();
    let first = points().map(|(step, _)| *step).min().unwrap_or_default();
    if last <= first {
        return Ok(None);
    }
    let low = points().map(|(_, value)| *value).fold(f64::INFINITY, f64::min);
    let high = points().map(|(_, value)| *value).fold(f64::NEG_INFINITY, f64::max);
    let field = Field { steps: (first, last), range: (low, high) };
    let mut svg = String::new();
    {
        let size = (SIZE.0 * SCALE, SIZE.1 * SCALE);
        let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        let drawn = paint(&root, &field, lines).and_then(|()| Ok(root.present()?));
        drawn.map_err(|error| format!("the curve cannot be drawn ({error})"))?;
    }
    let digits = decimals(high - low);
    let (low, high) = (number(low, digits), number(high, digits));
    let alt = format!("{name} over {} steps, between {low} and {high}.", thousands(last.into()));
    Ok(Some(Curve { svg: plot::themed(&svg), alt, table: tabulate(name, lines) }))
}

/// The plot's area on the canvas.
struct Field {
    steps: (u32, u32),
    range: (f64, f64),
}

impl Field {
    const LEFT: f64 = (MARGIN.3 * SCALE) as f64;
    const RIGHT: f64 = ((SIZE.0 - MARGIN.1) * SCALE) as f64;
    const TOP: f64 = (MARGIN.0 * SCALE) as f64;
    const BOTTOM: f64 = ((SIZE.1 - MARGIN.2) * SCALE) as f64;

    fn place(&self, step: u32, value: f64) -> (i32, i32) {
        let (first, last) = self.steps;
        let (low, high) = self.range;
        let along = f64::from(step.saturating_sub(first)) / f64::from(last - first);
        let up = if high > low { (value - low) / (high - low) } else { 0.5 };
        let x = Self::LEFT + along * (Self::RIGHT - Self::LEFT);
        let y = Self::BOTTOM - up * (Self::BOTTOM - Self::TOP);
        (x.round() as i32, y.round() as i32)
    }
}

fn paint(root: &Area<'_>, field: &Field, lines: &[(String, &[(u32, f64)])]) -> Result<(), Failure> {
    let stroke = |ink: Ink, width: f64| ink.rgb().stroke_width((width * f64::from(SCALE)) as u32);
    let (left, right) = (Field::LEFT as i32, Field::RIGHT as i32);
    let (top, bottom) = (Field::TOP as i32, Field::BOTTOM as i32);
    let axes = [(left, top), (left, bottom), (right, bottom)];
    root.draw(&PathElement::new(axes, stroke(Ink::Axis, 1.0)))?;
    for (_, line) in lines {
        let finite = line.iter().filter(|(_, value)| value.is_finite());
        let path: Vec<(i32, i32)> =
            finite.map(|(step, value)| field.place(*step, *value)).collect();
        root.draw(&PathElement::new(path, stroke(Ink::Mark, 1.2)))?;
    }
    // Plotters' SVG divides sizes by 1.24.
    let font = ("sans-serif", FONT * 1.24 * f64::from(SCALE)).into_font().color(&Ink::Text.rgb());
    let beside = |v| font.clone().pos(Pos::new(HPos::Right, v));
    let digits = decimals(field.range.1 - field.range.0).min(3);
    let room = 4 * SCALE as i32;
    let text = |value: f64| number(value, digits);
    root.draw_text(&text(field.range.1), &beside(VPos::Top), (left - room, top - room / 2))?;
    if field.range.1 > field.range.0 {
        root.draw_text(&text(field.range.0), &beside(VPos::Bottom), (left - room, bottom))?;
    }
    let steps = format!("{} steps", thousands(field.steps.1.into()));
    let under = font.clone().pos(Pos::new(HPos::Right, VPos::Top));
    root.draw_text(&steps, &under, (right, bottom + room / 2))?;
    Ok(())
}

fn tabulate(name: &str, lines: &[(String, &[(u32, f64)])]) -> Table {
    let mut rows: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    for (column, (_, line)) in lines.iter().enumerate() {
        for (step, value) in *line {
            let row = rows.entry(*step).or_insert_with(|| vec![String::new(); lines.len()]);
            row[column] = tick(*value, 4);
        }
    }
    let columns = lines.iter().map(|(label, _)| match label.as_str() {
        "" => name.to_owned(),
        label => format!("{name}, {label}"),
    });
    let row = |(step, values): (u32, Vec<String>)| {
        std::iter::once(thousands(step.into())).chain(values).collect()
    };
    Table {
        head: std::iter::once("step".to_owned()).chain(columns).collect(),
        rows: rows.into_iter().map(row).collect(),
        units: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_is_a_line_with_its_ends_named() {
        let line = [(0, 0.5), (256, 3.0), (511, 5.25), (512, f64::NAN)];
        let drawn = draw("mean activation", &[(String::new(), &line)]).expect("drawn");
        insta::assert_json_snapshot!(drawn.expect("a curve"));
    }

    #[test]
    fn numbers_that_are_none_or_all_alike_are_no_panic() {
        assert_eq!(draw("a", &[]).expect("nothing"), None);
        assert_eq!(draw("a", &[(String::new(), &[(0, 1.0)])]).expect("nothing"), None);
        let alike = [(0, 1.0), (8, 1.0)];
        assert!(draw("a", &[(String::new(), &alike)]).expect("drawn").is_some());
        let infinite = [(0, f64::INFINITY), (8, f64::NEG_INFINITY)];
        assert_eq!(draw("a", &[("b".into(), &infinite)]).expect("nothing"), None);
    }
}
