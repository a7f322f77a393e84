//! Converts SVGs made by plotters to ones that use the page's theme. Knows nothing of any kind.

use std::fmt::Write as _;

use plotters::style::RGBColor;

/// Plotters only uses whole pixels, so it draws on a canvas this many times larger.
pub const SCALE: u32 = 10;

/// A colour of the theme, represented in plotters by a unique RGB value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    /// Bars.
    Bar,
    /// Text.
    Text,
    /// Axes and ticks.
    Axis,
    /// Lines behind the data.
    Grid,
    /// The middle of the data.
    Mark,
    /// The tail of the data.
    Tail,
    /// The first of several curves.
    Line1,
    /// The second.
    Line2,
    /// The third.
    Line3,
    /// The fourth.
    Line4,
    /// The fifth.
    Line5,
    /// The sixth.
    Line6,
}

const INKS: [(Ink, &str); 12] = [
    (Ink::Bar, "--plot-bar"),
    (Ink::Text, "--plot-text"),
    (Ink::Axis, "--plot-axis"),
    (Ink::Grid, "--plot-grid"),
    (Ink::Mark, "--plot-mark"),
    (Ink::Tail, "--plot-tail"),
    (Ink::Line1, "--plot-line-1"),
    (Ink::Line2, "--plot-line-2"),
    (Ink::Line3, "--plot-line-3"),
    (Ink::Line4, "--plot-line-4"),
    (Ink::Line5, "--plot-line-5"),
    (Ink::Line6, "--plot-line-6"),
];

impl Ink {
    /// The RGB value for plotters.
    pub fn rgb(self) -> RGBColor {
        RGBColor(1, 2, self as u8)
    }
}

/// The theme's variable for a colour in plotters' output.
fn variable(colour: &str) -> Option<&'static str> {
    let named = INKS.iter().find(|(ink, _)| {
        let RGBColor(r, g, b) = ink.rgb();
        colour.eq_ignore_ascii_case(&format!("#{r:02X}{g:02X}{b:02X}"))
    });
    named.map(|(_, variable)| *variable)
}

/// Plotters' `svg`, drawn at [`SCALE`], as an element that takes its size, colours and font from the page.
pub fn themed(svg: &str) -> String {
    let mut out = String::with_capacity(svg.len());
    for line in svg.lines() {
        let tag = line.strip_prefix('<').filter(|tag| !tag.starts_with('/'));
        let Some(tag) = tag else {
            out.push_str(line.trim());
            continue;
        };
        let (tag, end) = match tag.strip_suffix("/>") {
            Some(tag) => (tag, "/>"),
            None => (tag.trim_end_matches('>'), ">"),
        };
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        let _ = write!(out, "<{name}");
        if name == "svg" {
            out.push_str(" aria-hidden=\"true\"");
        }
        // Each is `key="value"`; a quotation mark within a value is escaped by plotters.
        let mut parts = attributes.split('"');
        while let (Some(key), Some(value)) = (parts.next(), parts.next()) {
            attribute(&mut out, name, key.trim().trim_end_matches('='), value);
        }
        out.push_str(end);
    }
    out
}

fn attribute(out: &mut String, tag: &str, key: &str, value: &str) {
    let value = match key {
        "xmlns" | "font-family" | "opacity" => return,
        "width" | "height" if tag == "svg" => return,
        "fill" | "stroke" if value == "none" && (key == "stroke" || tag != "text") => {
            if key == "stroke" {
                return;
            }
            value.to_owned()
        }
        "fill" | "stroke" => match variable(value) {
            Some(variable) => format!("var({variable})"),
            None => value.to_owned(),
        },
        "x" | "y" | "x1" | "y1" | "x2" | "y2" | "cx" | "cy" | "r" | "width" | "height"
        | "stroke-width" | "font-size" | "viewBox" | "points" => shrunk(value),
        _ => value.to_owned(),
    };
    let _ = write!(out, " {key}=\"{value}\"");
}

/// Every number of `value` divided by [`SCALE`].
fn shrunk(value: &str) -> String {
    let numbers = value.split([' ', ',']).filter(|number| !number.is_empty());
    let small: Vec<String> = numbers
        .map(|number| match number.parse::<f64>() {
            Ok(number) => {
                let small = (number / f64::from(SCALE) * 100.0).round() / 100.0;
                small.to_string()
            }
            Err(_) => number.to_owned(),
        })
        .collect();
    small.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ink_is_told_apart() {
        let svg = INKS.map(|(ink, _)| {
            let RGBColor(r, g, b) = ink.rgb();
            format!("<rect x=\"15\" fill=\"#{r:02X}{g:02X}{b:02X}\" opacity=\"1\"/>\n")
        });
        let out = themed(&svg.concat());
        for (_, variable) in INKS {
            assert_eq!(out.matches(&format!("fill=\"var({variable})\"")).count(), 1);
        }
        assert!(out.starts_with("<rect x=\"1.5\" fill"), "{out}");
    }
}
