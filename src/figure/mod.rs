//! What kinds share for drawing: a result becomes a [`Drawing`], which templates turn into HTML.

pub mod classification;
pub mod histogram;
pub(crate) mod number;
pub mod part;
mod plot;

use part::Part;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::analysis::Kind;
use crate::digest::Digest;
use crate::request::{Inputs, canonical_json};
use crate::store::{Record, Store};

/// Raised when the same result and the same presentation give another drawing.
pub const RENDERER_VERSION: u32 = 1;

/// A figure without its caption, frame and provenance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Drawing {
    /// One picture.
    Picture {
        /// The picture.
        picture: Picture,
        /// A line of plain text below it.
        note: String,
    },
    /// Many pictures, each with a caption and a value.
    Grid {
        /// In order.
        items: Vec<GridItem>,
        /// A line of plain text below them.
        note: String,
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
}

impl DrawContext<'_> {
    /// The kind's result.
    ///
    /// # Errors
    /// Where it is missing or of another form.
    pub fn result<T: DeserializeOwned>(&self) -> Result<T, String> {
        self.record
            .result(self.store)
            .ok_or_else(|| "the stored result is missing or damaged".to_owned())
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
        Ok(Image { digest: output.digest, width, height })
    }

    /// What the note calls a picture that a parameter names by its digest: its file's name.
    pub fn picture_name(&self, digest: &str) -> String {
        let known = self.inputs.pictures.iter().find(|known| known.digest.hex() == digest);
        let name = known.map_or("picture", |known| known.name.as_str());
        name.rsplit('/').next().unwrap_or(name).to_owned()
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
        "renderer": RENDERER_VERSION,
    });
    if !context.inputs.is_empty() {
        let pictures = context.inputs.pictures.iter().map(|p| (&*p.name, p.digest));
        let datasets = context.inputs.datasets.iter().map(|d| (&*d.name, d.content()));
        let files = context.inputs.files.iter().map(|f| (&*f.name, f.digest));
        let names = pictures.chain(files).chain(datasets);
        inputs["names"] = serde_json::json!(names.collect::<Vec<_>>());
    }
    let key = Digest::of(canonical_json(&inputs).as_bytes());
    let stored = context.store.figure(&key).and_then(|json| serde_json::from_slice(&json).ok());
    if let Some(drawing) = stored {
        return Ok(drawing);
    }
    let drawing = (kind.draw)(context)?;
    if let Ok(json) = serde_json::to_vec(&drawing) {
        // A drawing that cannot be kept is drawn again next time; the page is right all the same.
        let _ = context.store.put_figure(&key, &json);
    }
    Ok(drawing)
}

impl Drawing {
    /// Every image that a page with this drawing needs.
    pub fn images(&self) -> Vec<&Image> {
        match self {
            Self::Picture { picture, .. } => vec![&picture.image],
            Self::Grid { items, .. } => items.iter().map(|item| &item.picture.image).collect(),
            Self::Plot { .. } => vec![],
            Self::Parts { parts, .. } => {
                parts.iter().flat_map(Part::pictures).map(|picture| &picture.image).collect()
            }
        }
    }
}
