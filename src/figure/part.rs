//! Parts of a figure: bars, a matrix, curves, equations, a graph, a row of pictures, with lengths and shades as fractions. Knows nothing of
//! any kind.

use serde::{Deserialize, Serialize};

use neuronotes_core::number::{percent, thousands};
use neuronotes_core::statistics::{part, wilson};

use super::composed::{Equations, Graph};
use super::map::Map;
use super::picture::{GridItem, Image, Picture};
use super::sheet::SheetLink;
use super::unit::UnitRef;

/// A part of a figure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Part {
    /// Labelled bars, beside a picture if they are about one.
    Bars(Bars),
    /// A matrix of counts.
    Matrix(Matrix),
    /// Curves over a numeric axis, drawn by [`Chart`](super::lines::Chart).
    Lines(Lines),
    /// Sums of units.
    Equations(Equations),
    /// A graph of units and classes.
    Graph(Graph),
    /// Pictures.
    Pictures {
        /// Title; empty if the figure's own suffices.
        title: String,
        /// The pictures, in the order shown.
        items: Vec<GridItem>,
    },
    /// A map of units.
    Map(Map),
    /// A table of pictures.
    Crossed(Crossed),
    /// Stacked shares over a numeric axis, drawn by [`Chart`](super::stacked::Chart).
    Stacked(Stacked),
    /// A link to a labelling sheet.
    Sheet(SheetLink),
}

/// Pictures by row and column, each with a text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Crossed {
    /// Title.
    pub title: String,
    /// Heading of the rows.
    pub down: String,
    /// Heading of the columns.
    pub across: String,
    /// Names of the rows.
    pub rows: Vec<String>,
    /// Names of the columns.
    pub columns: Vec<String>,
    /// As many cells for each row as there are columns.
    pub cells: Vec<Vec<Crossing>>,
}

/// A cell of a table of pictures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Crossing {
    /// The picture.
    pub picture: Picture,
    /// Plain text.
    pub text: String,
    /// A formatted number.
    pub value: String,
    /// Whether it is framed.
    pub marked: bool,
}

/// Labelled bars.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bars {
    /// Title; empty if the figure's own suffices.
    pub title: String,
    /// The picture that they are about.
    pub picture: Option<Picture>,
    /// Headings of labels and of values, for readers who cannot see them.
    pub head: [String; 2],
    /// The bars, from top to bottom.
    pub rows: Vec<Bar>,
}

/// A bar; positions along it are from 0 to 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bar {
    /// Plain text.
    pub label: String,
    /// A formatted number.
    pub value: String,
    /// Its start.
    pub from: f64,
    /// Its end.
    pub to: f64,
    /// Whether the number is below zero.
    pub below: bool,
    /// The bounds of an interval that is drawn over it.
    pub interval: Option<(f64, f64)>,
    /// Places of other numbers on the same scale, each drawn as a dot.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dots: Vec<f64>,
    /// The unit that it is of, whose name the page shows in place of the label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<UnitRef>,
}

/// Counts by true class (rows) and predicted class (columns).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Matrix {
    /// Title.
    pub title: String,
    /// Heading of the rows.
    pub down: String,
    /// Heading of the columns.
    pub across: String,
    /// Names of the rows and columns.
    pub names: Vec<String>,
    /// One row of cells per name.
    pub rows: Vec<Vec<Cell>>,
}

/// One cell of a matrix.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// The count; empty for none.
    pub value: String,
    /// Fraction of its row, from 0 to 1.
    pub share: f64,
}

/// Curves over a numeric axis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lines {
    /// Title; empty if the figure's own suffices.
    pub title: String,
    /// A description for readers who cannot see it.
    pub alt: String,
    /// An `<svg>` element whose colours are CSS variables of the theme.
    pub svg: String,
    /// What the axes are: across, up.
    pub axes: [String; 2],
    /// The names of the curves, in the order of their colours.
    pub names: Vec<String>,
}

/// Stacked shares.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stacked {
    /// A description for readers who cannot see it.
    pub alt: String,
    /// An `<svg>` element whose colours are CSS variables of the theme.
    pub svg: String,
    /// What the axes are: across, up.
    pub axes: [String; 2],
    /// The names, in the order of their colours, from the bottom of a column to its top.
    pub names: Vec<String>,
    /// The name of what is left, without a colour of its own; empty if nothing is.
    pub rest: String,
    /// Whether a column is hatched.
    pub hatched: bool,
}

impl Part {
    /// Bars without a picture; `head` has the headings of labels and values.
    pub(super) fn bars(title: &str, [labels, values]: [&str; 2], rows: Vec<Bar>) -> Self {
        let head = [labels.to_owned(), values.to_owned()];
        Self::Bars(Bars { title: title.to_owned(), picture: None, head, rows })
    }

    /// The texts in it: its title, and captions, labels or names.
    pub fn texts(&self) -> Vec<&str> {
        match self {
            Self::Bars(bars) => {
                let labels = bars.rows.iter().map(|row| &*row.label);
                std::iter::once(&*bars.title).chain(labels).collect()
            }
            Self::Matrix(matrix) => {
                let names = matrix.names.iter().map(String::as_str);
                std::iter::once(&*matrix.title).chain(names).collect()
            }
            Self::Lines(Lines { title, axes, names, .. }) => {
                std::iter::once(title).chain(axes).chain(names).map(String::as_str).collect()
            }
            Self::Equations(all) => {
                let names = all.rows.iter().map(|row| &*row.name);
                std::iter::once(&*all.title).chain(names).collect()
            }
            Self::Graph(graph) => {
                let classes = graph.classes.iter().map(String::as_str);
                std::iter::once(&*graph.title).chain(classes).collect()
            }
            Self::Pictures { title, items } => {
                let captions = items.iter().map(|item| &*item.caption);
                std::iter::once(&**title).chain(captions).collect()
            }
            Self::Crossed(crossed) => {
                let names = crossed.rows.iter().chain(&crossed.columns);
                std::iter::once(&*crossed.title).chain(names.map(String::as_str)).collect()
            }
            Self::Map(map) => {
                let groups = map.groups.iter().map(|group| &*group.name);
                std::iter::once(&*map.title).chain(groups).collect()
            }
            Self::Stacked(Stacked { axes, names, .. }) => {
                axes.iter().chain(names).map(String::as_str).collect()
            }
            Self::Sheet(_) => vec![],
        }
    }

    /// Every unit that it names.
    pub fn units(&self) -> Box<dyn Iterator<Item = &UnitRef> + '_> {
        match self {
            Self::Bars(bars) => Box::new(bars.rows.iter().filter_map(|row| row.unit.as_ref())),
            Self::Matrix(_)
            | Self::Lines(_)
            | Self::Crossed(_)
            | Self::Stacked(_)
            | Self::Sheet(_) => Box::new(std::iter::empty()),
            Self::Equations(all) => {
                let terms = all.rows.iter().flat_map(|row| &row.terms);
                Box::new(terms.filter_map(|term| term.unit.as_ref()))
            }
            Self::Graph(graph) => {
                Box::new(graph.units.iter().filter_map(|node| node.unit.as_ref()))
            }
            Self::Pictures { items, .. } => {
                Box::new(items.iter().filter_map(|item| item.unit.as_ref()))
            }
            Self::Map(map) => Box::new(map.units.iter()),
        }
    }

    /// Every image that a page needs for it.
    pub fn images(&self) -> impl Iterator<Item = &Image> {
        let sheet = match self {
            Self::Map(map) => Some(&map.sheet),
            _ => None,
        };
        self.pictures().flat_map(Picture::images).chain(sheet)
    }

    /// Every picture in it.
    pub fn pictures(&self) -> Box<dyn Iterator<Item = &Picture> + '_> {
        match self {
            Self::Bars(bars) => Box::new(bars.picture.iter()),
            Self::Matrix(_) | Self::Lines(_) | Self::Map(_) | Self::Stacked(_) | Self::Sheet(_) => {
                Box::new(std::iter::empty())
            }
            Self::Equations(all) => {
                let terms = all.rows.iter().flat_map(|row| &row.terms);
                Box::new(terms.filter_map(|term| term.picture.as_ref()))
            }
            Self::Graph(graph) => {
                Box::new(graph.units.iter().filter_map(|node| node.picture.as_ref()))
            }
            Self::Crossed(crossed) => {
                Box::new(crossed.cells.iter().flatten().map(|cell| &cell.picture))
            }
            Self::Pictures { items, .. } => Box::new(items.iter().map(|item| &item.picture)),
        }
    }
}

/// Bars for numbers of any sign, on a common scale that includes zero.
pub fn bars(numbers: impl IntoIterator<Item = (String, f64, String)>) -> Vec<Bar> {
    let numbers: Vec<_> = numbers.into_iter().collect();
    let finite = || numbers.iter().map(|(_, number, _)| *number).filter(|n| n.is_finite());
    let (low, high) = (finite().fold(0.0, f64::min), finite().fold(0.0, f64::max));
    let span = if high > low { high - low } else { 1.0 };
    let place = |number: f64| {
        let share = (number.clamp(low, high) - low) / span;
        if share.is_finite() { share } else { 0.0 }
    };
    numbers
        .iter()
        .map(|(label, number, value)| Bar {
            label: label.clone(),
            value: value.clone(),
            from: place(number.min(0.0)),
            to: place(number.max(0.0)),
            below: *number < 0.0,
            interval: None,
            dots: Vec::new(),
            unit: None,
        })
        .collect()
}

/// A bar for a fraction.
pub fn share(label: &str, value: String, part: f64) -> Bar {
    let to = if part.is_finite() { part.clamp(0.0, 1.0) } else { 0.0 };
    let (label, dots) = (label.to_owned(), Vec::new());
    Bar { label, value, from: 0.0, to, below: false, interval: None, dots, unit: None }
}

/// A bar for `hits` of `count`, with Wilson's interval.
pub fn accuracy(label: &str, hits: u64, count: u64) -> Bar {
    let rate = part(hits, count);
    let value = format!("{} ({} of {})", percent(rate), thousands(hits), thousands(count));
    Bar { interval: Some(wilson(hits, count)), ..share(label, value, rate) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_of_both_signs_share_one_zero() {
        let all = bars([
            ("a".to_owned(), 0.3, String::new()),
            ("b".to_owned(), -0.1, String::new()),
            ("c".to_owned(), 0.0, String::new()),
        ]);
        assert_eq!((all[0].from, all[0].to), (0.25, 1.0));
        assert_eq!((all[1].from, all[1].to, all[1].below), (0.0, 0.25, true));
        assert_eq!(all[2].from, all[2].to);
        let flat = bars([("a".to_owned(), 0.0, String::new())]);
        assert_eq!((flat[0].from, flat[0].to), (0.0, 0.0));
    }
}
