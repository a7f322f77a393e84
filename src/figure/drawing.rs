//! A drawing: pictures, plots, bars and tables as data, which templates turn into HTML. Knows nothing of any kind.

use serde::{Deserialize, Serialize};

use super::behind::Behind;
use super::curve::Curve;
use super::part::Part;
use super::picture::{GridItem, Image, Picture};
use super::sheet::SheetLink;
use super::table::Table;
use super::unit::UnitRef;

/// A figure without its caption, frame and provenance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Drawing {
    /// One picture.
    Picture {
        /// The picture.
        picture: Picture,
        /// Its value among many pictures; may be empty.
        value: String,
        /// A line of plain text below it.
        note: String,
        /// The curve of a number over the optimisation.
        curve: Option<Curve>,
    },
    /// Many pictures, each with a caption and a value.
    Grid {
        /// The pictures, in the order shown.
        items: Vec<GridItem>,
        /// A line of plain text below them.
        note: String,
        /// The curves of a number of each picture over the optimisation.
        curve: Option<Curve>,
        /// The pictures' data as a table.
        table: Option<Table>,
    },
    /// A plot.
    Plot {
        /// An `<svg>` element whose colours are CSS variables of the theme.
        svg: String,
        /// A description for readers who cannot see it.
        alt: String,
        /// The same data as a table.
        table: Table,
        /// A line of plain text below it.
        note: String,
        /// The images behind each bar, if it is a histogram with images.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        behind: Option<Behind>,
    },
    /// Bars, matrices, curves and pictures, one below the other.
    Parts {
        /// The parts, from top to bottom.
        parts: Vec<Part>,
        /// All the numbers as a table.
        table: Table,
        /// A line of plain text below them.
        note: String,
    },
}

impl Drawing {
    /// Its numbers as a table, if it has one.
    pub fn table(&self) -> Option<&Table> {
        match self {
            Self::Picture { curve, .. } => curve.as_ref().map(|curve| &curve.table),
            Self::Grid { table, curve, .. } => {
                table.as_ref().or(curve.as_ref().map(|curve| &curve.table))
            }
            Self::Plot { table, .. } | Self::Parts { table, .. } => Some(table),
        }
    }

    /// Every image that a page with this drawing needs.
    pub fn images(&self) -> Vec<&Image> {
        match self {
            Self::Picture { picture, .. } => picture.images().collect(),
            Self::Grid { items, .. } => {
                items.iter().flat_map(|item| item.picture.images()).collect()
            }
            Self::Plot { behind, .. } => behind.iter().map(|behind| &behind.sheet).collect(),
            Self::Parts { parts, .. } => parts.iter().flat_map(Part::images).collect(),
        }
    }

    /// Every labelling sheet that it links to.
    pub fn sheets(&self) -> impl Iterator<Item = &SheetLink> {
        let parts = match self {
            Self::Parts { parts, .. } => parts.as_slice(),
            _ => &[],
        };
        parts.iter().filter_map(|part| match part {
            Part::Sheet(sheet) => Some(sheet),
            _ => None,
        })
    }

    /// The texts in it that readers may search for, each once, in order: captions of pictures, labels of bars, names.
    pub fn texts(&self) -> Vec<&str> {
        let all: Vec<&str> = match self {
            Self::Picture { .. } | Self::Plot { .. } => vec![],
            Self::Grid { items, .. } => items.iter().map(|item| &*item.caption).collect(),
            Self::Parts { parts, .. } => parts.iter().flat_map(Part::texts).collect(),
        };
        let mut seen = std::collections::BTreeSet::new();
        all.into_iter().filter(|text| !text.is_empty() && seen.insert(*text)).collect()
    }

    /// The units that it names, each once, in order.
    pub fn units(&self) -> Vec<&UnitRef> {
        let all: Vec<&UnitRef> = match self {
            Self::Picture { .. } | Self::Plot { .. } => vec![],
            Self::Grid { items, .. } => {
                items.iter().filter_map(|item| item.unit.as_ref()).collect()
            }
            Self::Parts { parts, .. } => parts.iter().flat_map(Part::units).collect(),
        };
        let listed = self.table().and_then(|table| table.units.as_ref());
        let listed = listed.into_iter().flat_map(|units| units.rows.iter().flatten());
        let mut seen = std::collections::BTreeSet::new();
        all.into_iter().chain(listed).filter(|unit| seen.insert(*unit)).collect()
    }

    /// Every picture, in the order shown.
    pub fn pictures(&self) -> Vec<&Picture> {
        match self {
            Self::Picture { picture, .. } => vec![picture],
            Self::Grid { items, .. } => items.iter().map(|item| &item.picture).collect(),
            Self::Plot { .. } => vec![],
            Self::Parts { parts, .. } => parts.iter().flat_map(Part::pictures).collect(),
        }
    }

    /// The first picture, for lists of notes.
    pub fn first_picture(&self) -> Option<&Picture> {
        match self {
            Self::Picture { picture, .. } => Some(picture),
            Self::Grid { items, .. } => items.first().map(|item| &item.picture),
            Self::Plot { .. } => None,
            Self::Parts { parts, .. } => parts.iter().find_map(|part| part.pictures().next()),
        }
    }
}
