//! Training curves: an SVG of accuracies and loss by pictures shown, from the log's entries.

use plotters::coord::Shift;
use plotters::prelude::*;

use super::entry::Entry;

/// Width and height of each of the two charts, in pixels.
const SIZE: (u32, u32) = (720, 260);
/// Legible on white and on black.
const INK: RGBColor = RGBColor(128, 128, 128);
const PICTURES: RGBColor = RGBColor(31, 119, 180);
const WORDS: RGBColor = RGBColor(214, 98, 30);

type Problem = Box<dyn std::error::Error>;

/// Draws the curves of at least one entry.
///
/// # Errors
/// Errors of the drawing library.
pub fn draw(entries: &[Entry]) -> Result<String, Problem> {
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (SIZE.0, SIZE.1 * 2)).into_drawing_area();
        let (upper, lower) = root.split_vertically(SIZE.1);
        let lines: [(&str, RGBColor, Reading); 4] = [
            ("pictures, top 5", RGBColor(143, 187, 218), |entry| 100.0 * entry.pictures.top5),
            ("pictures, top 1", PICTURES, |entry| 100.0 * entry.pictures.top1),
            ("words, top 5", RGBColor(235, 177, 143), |entry| 100.0 * entry.words.top5),
            ("words, top 1", WORDS, |entry| 100.0 * entry.words.top1),
        ];
        chart(&upper, entries, "% of the held-out samples", 100.0, &lines)?;
        let most = entries.iter().map(|entry| entry.loss).fold(0.0, f64::max);
        chart(&lower, entries, "loss", most * 1.05, &[("loss", INK, |entry| entry.loss)])?;
        root.present()?;
    }
    Ok(svg)
}

/// The value of an entry that a line shows.
type Reading = fn(&Entry) -> f64;

fn chart(
    area: &DrawingArea<SVGBackend<'_>, Shift>,
    entries: &[Entry],
    what: &str,
    top: f64,
    lines: &[(&str, RGBColor, Reading)],
) -> Result<(), Problem> {
    let millions = |entry: &Entry| entry.samples as f64 / 1e6;
    let last = entries.last().map_or(1.0, millions);
    let font = ("sans-serif", 13).into_font().color(&INK);
    let mut chart = ChartBuilder::on(area)
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(48)
        .build_cartesian_2d(0.0..last, 0.0..top)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(INK.mix(0.3))
        .axis_style(INK)
        .label_style(font.clone())
        .x_desc("million pictures shown")
        .y_desc(what)
        .draw()?;
    for &(label, colour, reading) in lines {
        let points = entries.iter().map(|entry| (millions(entry), reading(entry)));
        chart
            .draw_series(LineSeries::new(points, colour.stroke_width(2)))?
            .label(label)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
    }
    if lines.len() > 1 {
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::LowerRight)
            .label_font(font)
            .draw()?;
    }
    Ok(())
}
