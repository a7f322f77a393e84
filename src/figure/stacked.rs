//! Draws stacked shares in buckets of a numeric axis as SVG in the theme's colours: a column for each bucket, as wide as the bucket.
//! Gives a part of a figure. Knows nothing of any kind.

use std::fmt::Write as _;

use neuronotes_core::number::percent;

use super::axis::Axis;
use super::part::{Part, Stacked};

/// Maximum number of names with a colour of their own.
pub const MOST: usize = 9;

/// The canvas, in the units of the viewBox.
const SIZE: (f64, f64) = (640.0, 340.0);
/// The sides of the plot: left, right, top, bottom.
const LEFT: f64 = 60.0;
const RIGHT: f64 = 628.0;
const TOP: f64 = 56.0;
const BOTTOM: f64 = 280.0;
/// The distance between lines of a hatching.
const HATCH: f64 = 7.0;

/// What is drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart<'a> {
    /// The horizontal axis.
    pub across: Axis,
    /// The vertical axis's label.
    pub up: &'a str,
    /// What the numbers above the columns count.
    pub counted: &'a str,
    /// The names, at most [`MOST`], from the bottom to the top.
    pub names: Vec<String>,
    /// The name of what is left; empty if nothing is.
    pub rest: &'a str,
    /// The columns, from left to right.
    pub columns: Vec<Column>,
}

/// A column.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Where it begins and ends on the axis.
    pub span: (f64, f64),
    /// A share for each name, and then that of the rest; in sum at most 1.
    pub shares: Vec<f64>,
    /// A number above it.
    pub count: String,
    /// Whether it is hatched, as one of too few samples.
    pub thin: bool,
}

impl Chart<'_> {
    /// The chart as a part of a figure.
    ///
    /// # Errors
    /// If there are more than [`MOST`] names, no columns, or numbers that are not finite.
    pub fn part(&self) -> Result<Part, String> {
        if self.names.len() > MOST {
            return Err(format!("{} names cannot be drawn; at most {MOST}", self.names.len()));
        }
        if self.columns.iter().flat_map(|column| &column.shares).any(|share| !share.is_finite()) {
            return Err("a share is not finite".to_owned());
        }
        let ends = self.columns.iter().flat_map(|column| [column.span.0, column.span.1]);
        let span = self.across.span(ends, 0.0)?;
        let x = |value: f64| LEFT + span.place(value) * (RIGHT - LEFT);
        let y = |share: f64| BOTTOM - share.clamp(0.0, 1.0) * (BOTTOM - TOP);
        let mut svg = format!("<svg aria-hidden=\"true\" viewBox=\"0 0 {} {}\">", SIZE.0, SIZE.1);
        for share in [0.0, 0.25, 0.5, 0.75, 1.0] {
            let y = y(share);
            let _ = write!(
                svg,
                "<line stroke=\"var(--plot-grid)\" x1=\"{LEFT}\" y1=\"{y:.1}\" x2=\"{RIGHT}\" y2=\"{y:.1}\"/>"
            );
            let label = format!("{} %", (share * 100.0) as u32);
            text(&mut svg, (LEFT - 7.0, y + 4.5), "end", &label);
        }
        for column in &self.columns {
            let (left, right) = (x(column.span.0), x(column.span.1));
            let mut below = 0.0;
            for (index, share) in column.shares.iter().enumerate() {
                let (low, high) = (y(below), y(below + share));
                below += share;
                if low - high < 0.05 {
                    continue;
                }
                let class = if index < self.names.len() { index + 1 } else { 0 };
                let name = self.names.get(index).map_or(self.rest, String::as_str);
                let (width, height) = (right - left, low - high);
                let _ = write!(
                    svg,
                    "<rect class=\"share-{class}\" x=\"{left:.1}\" y=\"{high:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"><title>{}: {}</title></rect>",
                    escape(name),
                    percent(*share),
                );
            }
            if column.thin {
                let _ = write!(
                    svg,
                    "<path class=\"hatching\" d=\"{}\"/>",
                    hatching((left, right), (TOP, BOTTOM))
                );
            }
            text(&mut svg, (f64::midpoint(left, right), TOP - 8.0), "middle", &column.count);
        }
        let _ = write!(
            svg,
            "<polyline fill=\"none\" stroke=\"var(--plot-axis)\" points=\"{LEFT} {TOP} {LEFT} {BOTTOM} {RIGHT} {BOTTOM}\"/>"
        );
        for (value, label) in span.ticks(8) {
            let x = x(value);
            let _ = write!(
                svg,
                "<line stroke=\"var(--plot-axis)\" x1=\"{x:.1}\" y1=\"{BOTTOM}\" x2=\"{x:.1}\" y2=\"{}\"/>",
                BOTTOM + 5.0
            );
            text(&mut svg, (x, BOTTOM + 21.0), "middle", &label);
        }
        text(
            &mut svg,
            (0.0, 16.0),
            "start",
            &format!("{}; above each column, the number of {}", self.up, self.counted),
        );
        let middle = f64::midpoint(LEFT, RIGHT);
        text(&mut svg, (middle, SIZE.1 - 8.0), "middle", &self.across.label);
        svg.push_str("</svg>");
        Ok(Part::Stacked(Stacked {
            alt: self.describe(),
            svg,
            axes: [self.across.label.clone(), self.up.to_owned()],
            names: self.names.clone(),
            rest: self.rest.to_owned(),
            hatched: self.columns.iter().any(|column| column.thin),
        }))
    }

    /// The chart in words: the largest share of each column.
    fn describe(&self) -> String {
        let mut text = format!("{} over {}", self.up, self.across.label);
        for column in &self.columns {
            let shares = column.shares.iter().enumerate();
            let largest =
                shares.max_by(|a, b| a.1.total_cmp(b.1)).filter(|(_, share)| **share > 0.0);
            let Some((index, share)) = largest else { continue };
            let name = self.names.get(index).map_or(self.rest, String::as_str);
            let from = self.across.exact(column.span.0, 1);
            let _ = write!(text, "; from {from}: {name} {}", percent(*share));
        }
        text + "."
    }
}

fn text(svg: &mut String, (x, y): (f64, f64), anchor: &str, label: &str) {
    let _ = write!(
        svg,
        "<text fill=\"var(--plot-text)\" text-anchor=\"{anchor}\" x=\"{x:.1}\" y=\"{y:.1}\">{}</text>",
        escape(label)
    );
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let _ = pulldown_cmark_escape::escape_html(&mut out, text);
    out
}

/// The path of diagonal lines in a rectangle, given by its left and right, and by its top and bottom.
fn hatching((left, right): (f64, f64), (top, bottom): (f64, f64)) -> String {
    let mut path = String::new();
    // The lines are those with the same sum of both coordinates.
    let mut sum = ((left + top) / HATCH).ceil() * HATCH;
    while sum < right + bottom {
        let (x1, y1) = (left.max(sum - bottom), bottom.min(sum - left));
        let (x2, y2) = (right.min(sum - top), top.max(sum - right));
        let _ = write!(path, "M{x1:.1} {y1:.1}L{x2:.1} {y2:.1}");
        sum += HATCH;
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart() -> Chart<'static> {
        let column = |from: f64, shares: [f64; 3], count: &str, thin| Column {
            span: (from, from + 1.5),
            shares: shares.to_vec(),
            count: count.to_owned(),
            thin,
        };
        Chart {
            across: Axis::linear("standard deviations"),
            up: "share of each label",
            counted: "images",
            names: vec!["heart".to_owned(), "<face>".to_owned()],
            rest: "other",
            columns: vec![
                column(-1.5, [0.25, 0.5, 0.25], "50", false),
                column(0.0, [1.0, 0.0, 0.0], "3", true),
                column(1.5, [0.0, 0.0, 0.0], "0", true),
            ],
        }
    }

    #[test]
    fn columns_are_stacked_and_thin_ones_hatched() {
        insta::assert_json_snapshot!(chart().part().expect("drawn"));
    }

    #[test]
    fn a_hatching_stays_in_its_column() {
        let path = hatching((100.0, 130.0), (56.0, 280.0));
        let numbers: Vec<f64> =
            path.split(['M', 'L', ' ']).filter_map(|number| number.parse().ok()).collect();
        assert!(numbers.len() > 40);
        for point in numbers.chunks_exact(2) {
            assert!((100.0..=130.0).contains(&point[0]) && (56.0..=280.0).contains(&point[1]));
        }
    }

    #[test]
    fn what_cannot_be_drawn_is_an_error() {
        let mut many = chart();
        many.names = vec!["a".to_owned(); MOST + 1];
        assert!(many.part().is_err());
        let mut odd = chart();
        odd.columns[0].shares[0] = f64::NAN;
        assert!(odd.part().is_err());
    }
}
