//! A drawing: pictures, plots, bars and tables as data, which templates turn into HTML. Knows nothing of any kind.

use serde::{Deserialize, Serialize};

use neuronotes_core::cut::Cut as _;
use neuronotes_core::digest::Digest;

use super::part::Part;

/// A figure without its caption, frame and provenance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Drawing {
    /// One picture.
    Picture {
        /// The picture.
        picture: Picture,
        /// What is to be said of it where it is one of many; may be empty.
        value: String,
        /// A line of plain text below it.
        note: String,
        /// How a number came to be what it is.
        curve: Option<Curve>,
    },
    /// Many pictures, each with a caption and a value.
    Grid {
        /// In order.
        items: Vec<GridItem>,
        /// A line of plain text below them.
        note: String,
        /// How a number of each came to be what it is.
        curve: Option<Curve>,
        /// What is known of each, as a table.
        table: Option<Table>,
    },
    /// A plot.
    Plot {
        /// An `<svg>` element whose colours are CSS variables of the theme.
        svg: String,
        /// What it shows, for readers who cannot see it.
        alt: String,
        /// The same data as a table.
        table: Table,
        /// A line of plain text below it.
        note: String,
    },
    /// Bars, matrices and pictures, one below the other.
    Parts {
        /// In order.
        parts: Vec<Part>,
        /// All the numbers as a table.
        table: Table,
        /// A line of plain text below them.
        note: String,
    },
}

/// A picture out of the store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Picture {
    /// Where its bytes are.
    pub image: Image,
    /// What it shows.
    pub alt: String,
    /// Whether each pixel was computed, so that enlarging must not blur it.
    pub synthetic: bool,
    /// The same at its full size, where the page shows a smaller one.
    pub full: Option<Image>,
    /// A film of how it came about, of the same shape.
    pub film: Option<Image>,
}

impl Picture {
    /// A picture that is all there is.
    pub fn plain(image: Image, alt: impl Into<String>) -> Self {
        Self { image, alt: alt.into(), synthetic: false, full: None, film: None }
    }

    /// Every image that a page needs for it.
    pub fn images(&self) -> impl Iterator<Item = &Image> {
        std::iter::once(&self.image).chain(&self.full).chain(&self.film)
    }
}

/// A small plot of a number over steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    /// An `<svg>` element whose colours are CSS variables of the theme.
    pub svg: String,
    /// What it shows, for readers who cannot see it.
    pub alt: String,
    /// The same data as a table.
    pub table: Table,
}

/// An image blob and its size in pixels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Image {
    /// The blob.
    pub digest: Digest,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// How its bytes are to be read.
    pub format: Format,
}

impl Image {
    /// Its file in the site, relative to the site's root.
    pub fn file(&self) -> String {
        format!("figures/{}.{}", self.digest.hex().cut(..20), self.format.extension())
    }
}

/// How an image's bytes are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// PNG.
    Png,
    /// WebP, animated or not.
    Webp,
    /// JPEG.
    Jpeg,
    /// GIF.
    Gif,
}

impl Format {
    /// The format of a media type; PNG where it is none of the others.
    pub(super) fn of(media_type: &str) -> Self {
        match media_type {
            "image/webp" => Self::Webp,
            "image/jpeg" => Self::Jpeg,
            "image/gif" => Self::Gif,
            _ => Self::Png,
        }
    }

    /// The ending of file names.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Webp => "webp",
            Self::Jpeg => "jpg",
            Self::Gif => "gif",
        }
    }
}

/// One picture of a grid.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GridItem {
    /// The picture.
    pub picture: Picture,
    /// Plain text.
    pub caption: String,
    /// A number, as it is to be read.
    pub value: String,
}

/// A table of plain text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// Column headings.
    pub head: Vec<String>,
    /// Rows of as many cells.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// As comma-separated values (RFC 4180), for programs: numbers without separators of thousands, and with a hyphen for a
    /// minus sign.
    pub fn csv(&self) -> String {
        let mut text = String::new();
        for row in std::iter::once(&self.head).chain(&self.rows) {
            let fields: Vec<String> = row.iter().map(|cell| field(cell)).collect();
            text.push_str(&fields.join(","));
            text.push_str("\r\n");
        }
        text
    }
}

/// A cell as a field of comma-separated values.
fn field(cell: &str) -> String {
    let plain = cell.replace('−', "-");
    let digits = plain.strip_prefix('-').unwrap_or(&plain);
    let grouped = digits.split(',').enumerate().all(|(at, group)| {
        let fits = if at == 0 { (1..=3).contains(&group.len()) } else { group.len() == 3 };
        fits && group.bytes().all(|byte| byte.is_ascii_digit())
    });
    match () {
        () if grouped => plain.replace(',', ""),
        () if plain.parse::<f64>().is_ok() => plain,
        () if cell.contains(['"', ',', '\n', '\r']) => format!("\"{}\"", cell.replace('"', "\"\"")),
        () => cell.to_owned(),
    }
}

impl Drawing {
    /// The numbers that it shows, where they are a table.
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
            Self::Plot { .. } => vec![],
            Self::Parts { parts, .. } => {
                parts.iter().flat_map(Part::pictures).flat_map(Picture::images).collect()
            }
        }
    }

    /// What is written in it that a reader may look for, each once, in order: captions of pictures, labels of bars, names.
    pub fn texts(&self) -> Vec<&str> {
        let all: Vec<&str> = match self {
            Self::Picture { .. } | Self::Plot { .. } => vec![],
            Self::Grid { items, .. } => items.iter().map(|item| &*item.caption).collect(),
            Self::Parts { parts, .. } => parts.iter().flat_map(Part::texts).collect(),
        };
        let mut seen = std::collections::BTreeSet::new();
        all.into_iter().filter(|text| !text.is_empty() && seen.insert(*text)).collect()
    }

    /// The first picture of all, for a list of notes.
    pub fn first_picture(&self) -> Option<&Picture> {
        match self {
            Self::Picture { picture, .. } => Some(picture),
            Self::Grid { items, .. } => items.first().map(|item| &item.picture),
            Self::Plot { .. } => None,
            Self::Parts { parts, .. } => parts.iter().find_map(|part| part.pictures().next()),
        }
    }
}
