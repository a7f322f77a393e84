//! What kinds share for drawing: a result becomes a [`Drawing`], which templates turn into HTML.

mod activation_histogram;
pub mod curve;
mod dataset_examples;
mod facet;
mod feature_vis;
pub mod part;
mod plot;
mod text_rank;
mod zero_shot;

use part::Part;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use neuronotes_core::canonical::canonical_json;
use neuronotes_core::digest::Digest;
use neuronotes_core::kind::scan::Moments;
use neuronotes_core::kind::{Kind, Origin};
use neuronotes_core::request::Inputs;
use neuronotes_core::store::{Record, Store};

/// Raised when the same result and the same presentation give another drawing.
pub const RENDERER_VERSION: u32 = 3;

/// How the results of a kind are drawn.
#[derive(Debug)]
pub struct Figure {
    /// The kind.
    pub kind: &'static Kind,
    /// Height in CSS pixels that the figure takes at a width of 640, given the measurement's parameters: reserved while it
    /// is measured, so that nothing jumps.
    pub height: fn(&Map<String, Value>) -> u32,
    /// How a stored result is drawn. `Err` says what is wrong with the result.
    pub draw: fn(&DrawContext<'_>) -> Result<Drawing, String>,
}

/// One for each kind, in the order of [`KINDS`](neuronotes_core::kind::KINDS).
pub static FIGURES: &[&Figure] = &[
    &feature_vis::FIGURE,
    &dataset_examples::FIGURE,
    &activation_histogram::FIGURE,
    &zero_shot::FIGURE,
    &text_rank::FIGURE,
    &facet::FIGURE,
];

impl Figure {
    /// How results of that kind are drawn.
    pub fn of(kind: &Kind) -> Option<&'static Self> {
        FIGURES.iter().copied().find(|figure| figure.kind.name == kind.name)
    }
}

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
    fn of(media_type: &str) -> Self {
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

/// What a kind may look at while it draws.
#[derive(Debug)]
pub struct DrawContext<'a> {
    /// Where outputs lie.
    pub store: &'a Store,
    /// The result.
    pub record: &'a Record,
    /// Presentation fields, defaults filled in.
    pub presentation: &'a Map<String, Value>,
    /// The layer as a reader expects it; empty where the kind is about none.
    pub layer_shown: &'a str,
    /// What the note calls the pictures and data sets that parameters name by digest.
    pub inputs: &'a Inputs,
    /// What the note calls the facet that the result leans on.
    pub facet: Option<&'a str>,
    /// What the layer's units are over a data set, where the garden scans one.
    pub baseline: Option<&'a Baseline>,
}

/// A scan of a layer over a data set, for comparison.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Baseline {
    /// What the data set is called.
    pub dataset: String,
    /// The blob with its [`Moments`].
    pub moments: Digest,
}

impl DrawContext<'_> {
    /// The kind's result.
    ///
    /// # Errors
    /// Where it is missing or of another form.
    pub fn result<T: DeserializeOwned>(&self) -> Result<T, String> {
        self.record.result(self.store).ok_or_else(|| damaged(self.store).to_owned())
    }

    /// The parameters that were measured.
    ///
    /// # Errors
    /// Where the record holds others.
    pub fn params<T: DeserializeOwned>(&self) -> Result<T, String> {
        serde_json::from_value(self.record.request["params"].clone())
            .map_err(|error| format!("the stored parameters are of another form ({error})"))
    }

    /// An image output.
    ///
    /// # Errors
    /// Where the record has no such output.
    pub fn picture(&self, name: &str, width: u32, height: u32) -> Result<Image, String> {
        let output = self
            .record
            .outputs
            .get(name)
            .ok_or_else(|| format!("the stored result has no `{name}`"))?;
        Ok(Image { digest: output.digest, width, height, format: Format::of(&output.media_type) })
    }

    /// What a baseline says of the layer's units; none where it is gone or of another form.
    pub fn moments(&self, baseline: &Baseline) -> Option<Moments> {
        serde_json::from_slice(&self.store.blob(&baseline.moments)?).ok()
    }

    /// What the note calls a picture that a parameter names by its digest: its file's name.
    pub fn picture_name(&self, digest: &str) -> String {
        let known = self.inputs.pictures.iter().find(|known| known.digest.hex() == digest);
        let name = known.map_or("picture", |known| known.name.as_str());
        name.rsplit('/').next().unwrap_or(name).to_owned()
    }

    /// What the note calls a picture that another figure holds: that figure, and which of its pictures it is.
    pub fn origin_name(&self, origin: &Origin) -> String {
        let known = self.inputs.figures.iter().find(|known| known.key == origin.figure);
        let mut name = known.map_or("another figure", |known| &known.name).to_owned();
        let which = known.map(|known| known.which.as_str());
        for part in which.into_iter().chain([origin.label.as_str()]).filter(|part| !part.is_empty())
        {
            name.push_str(&format!(" · {part}"));
        }
        name
    }

    /// What the note calls a data set that a parameter names by the digest of its content.
    pub fn dataset_name(&self, digest: &str) -> String {
        let known = self.inputs.datasets.iter().find(|known| known.content().hex() == digest);
        known.map_or_else(|| "a data set".to_owned(), |known| known.name.clone())
    }

    /// A presentation field that is a whole number.
    pub fn count(&self, name: &str) -> Option<usize> {
        usize::try_from(self.presentation.get(name)?.as_u64()?).ok()
    }

    /// A presentation field of text.
    pub fn option(&self, name: &str) -> Option<&str> {
        self.presentation.get(name).and_then(Value::as_str)
    }
}

/// What is to be said of a stored result that is not what it was.
pub fn damaged(store: &Store) -> &'static str {
    match store.is_frozen() {
        false => "the stored result was damaged and is set aside",
        true => "the frozen result is damaged",
    }
}

/// A drawing under its figure key: out of the store where it was drawn before.
///
/// The figure key covers the result and its parameters, the presentation, the names that are drawn, and the renderer's version.
///
/// # Errors
/// Where the stored result cannot be drawn.
pub fn drawing(kind: &Kind, context: &DrawContext<'_>) -> Result<Drawing, String> {
    let mut inputs = serde_json::json!({
        "result": context.record.result_digest(),
        // Parameters say what a result's numbers are of; two may give equal results.
        "params": context.record.request["params"],
        "presentation": context.presentation,
        "layer": context.layer_shown,
        "kind": kind.name,
        "facet": context.facet,
        "baseline": context.baseline,
        "renderer": RENDERER_VERSION,
    });
    if !context.inputs.is_empty() {
        let pictures = context.inputs.pictures.iter().map(|p| (&*p.name, p.digest));
        let datasets = context.inputs.datasets.iter().map(|d| (&*d.name, d.content()));
        let files = context.inputs.files.iter().map(|f| (&*f.name, f.digest));
        let names = pictures.chain(files).chain(datasets);
        inputs["figures"] = serde_json::json!(context.inputs.figures);
        inputs["names"] = serde_json::json!(names.collect::<Vec<_>>());
    }
    let key = Digest::of(canonical_json(&inputs).as_bytes());
    if let Some(drawing) = context.store.figure(&key) {
        return Ok(drawing);
    }
    // Without the numbers that it is compared with it would be another drawing, and be kept under this key.
    if context.baseline.is_some_and(|baseline| context.moments(baseline).is_none()) {
        return Err(damaged(context.store).to_owned());
    }
    let figure =
        Figure::of(kind).ok_or_else(|| format!("no figure is drawn of `{}`", kind.name))?;
    let drawing = (figure.draw)(context)?;
    // A drawing that cannot be kept is drawn again next time; the page is right all the same.
    let _ = context.store.put_figure(&key, &drawing);
    Ok(drawing)
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

#[cfg(test)]
mod tests {
    use neuronotes_core::kind::KINDS;

    use super::*;

    #[test]
    fn every_kind_is_drawn_and_nothing_else() {
        let names = FIGURES.iter().map(|figure| figure.kind.name);
        assert!(names.eq(KINDS.iter().map(|kind| kind.name)));
    }
}
