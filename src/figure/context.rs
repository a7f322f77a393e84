//! The inputs of a drawing: the record, and the note's names for what was measured.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use neuronotes_core::digest::Digest;
use neuronotes_core::kind::Origin;
use neuronotes_core::kind::scan::Moments;
use neuronotes_core::model::Place;
use neuronotes_core::request::{BlockRef, Inputs};
use neuronotes_core::store::{Record, Store};

use super::picture::{Format, Image, Picture};
use super::unit::UnitRef;

/// The inputs of a drawing.
#[derive(Debug)]
pub struct DrawContext<'a> {
    /// The store with the outputs.
    pub store: &'a Store,
    /// The result.
    pub record: &'a Record,
    /// Presentation fields, defaults filled in.
    pub presentation: &'a Map<String, Value>,
    /// The layer's name for readers; empty if the kind is about none.
    pub layer_shown: &'a str,
    /// The note's names for pictures and data sets that parameters identify by digest.
    pub inputs: &'a Inputs,
    /// The distribution of the layer's units over a data set, if the garden scans one.
    pub baseline: Option<&'a Baseline>,
}

/// A scan of a layer over a data set, for comparison.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Baseline {
    /// The data set's name.
    pub dataset: String,
    /// The blob with its [`Moments`].
    pub moments: Digest,
}

impl DrawContext<'_> {
    /// The kind's result.
    ///
    /// # Errors
    /// If it is missing or of an unknown format.
    pub fn result<T: DeserializeOwned>(&self) -> Result<T, String> {
        self.record.result(self.store).ok_or_else(|| damaged(self.store).to_owned())
    }

    /// The parameters of the measurement.
    ///
    /// # Errors
    /// If the record has parameters of an unknown format.
    pub fn params<T: DeserializeOwned>(&self) -> Result<T, String> {
        serde_json::from_value(self.record.request["params"].clone())
            .map_err(|error| format!("the stored parameters are of an unknown format ({error})"))
    }

    /// An image output.
    ///
    /// # Errors
    /// If the record has no such output.
    pub fn picture(&self, name: &str, width: u32, height: u32) -> Result<Image, String> {
        let output = self
            .record
            .outputs
            .get(name)
            .ok_or_else(|| format!("the stored result has no `{name}`"))?;
        Ok(Image { digest: output.digest, width, height, format: Format::of(&output.media_type) })
    }

    /// An image output as a picture without a larger version; `alt` describes it.
    ///
    /// # Errors
    /// If the record has no such output.
    pub fn plain(&self, name: &str, size: (u32, u32), alt: &str) -> Result<Picture, String> {
        Ok(Picture::plain(self.picture(name, size.0, size.1)?, alt))
    }

    /// The moments in a baseline; `None` if it is missing or of an unknown format.
    pub fn moments(&self, baseline: &Baseline) -> Option<Moments> {
        serde_json::from_slice(&self.store.blob(&baseline.moments)?).ok()
    }

    /// The note's name for a picture that a parameter identifies by digest: its file name.
    pub fn picture_name(&self, digest: &str) -> String {
        let known = self.inputs.pictures.iter().find(|known| known.digest.hex() == digest);
        let name = known.map_or("picture", |known| known.name.as_str());
        name.rsplit('/').next().unwrap_or(name).to_owned()
    }

    /// The note's name for a picture from another figure: that figure and the picture's description.
    pub fn origin_name(&self, origin: &Origin) -> String {
        let known = self.inputs.blocks.iter().find(|known| known.key == origin.figure);
        let mut name = known.map_or("another figure", |known| &known.name).to_owned();
        let which = known.map(|known| known.which.as_str());
        for part in which.into_iter().chain([origin.label.as_str()]).filter(|part| !part.is_empty())
        {
            name.push_str(&format!(" · {part}"));
        }
        name
    }

    /// The measurements of other blocks that this one uses in a role, as the note calls them.
    pub fn used<'r>(&'r self, role: &'r str) -> impl Iterator<Item = &'r BlockRef> {
        self.inputs.blocks.iter().filter(move |block| block.role == role)
    }

    /// A unit of the measured model, for a drawing that names it; `None` if the record does not say which model that is.
    pub fn unit(&self, place: &Place, unit: u32) -> Option<UnitRef> {
        let model = self.record.request["model"].as_str()?.parse().ok()?;
        Some(UnitRef { model, place: place.clone(), unit })
    }

    /// The note's name for a data set that a parameter identifies by its content's digest.
    pub fn dataset_name(&self, digest: &str) -> String {
        let known = self.inputs.datasets.iter().find(|known| known.content().hex() == digest);
        known.map_or_else(|| "a data set".to_owned(), |known| known.name.clone())
    }

    /// A presentation field that is a whole number.
    pub fn count(&self, name: &str) -> Option<usize> {
        usize::try_from(self.presentation.get(name)?.as_u64()?).ok()
    }

    /// A presentation field that is a number.
    pub fn number(&self, name: &str) -> Option<f64> {
        self.presentation.get(name)?.as_f64().filter(|number| number.is_finite())
    }

    /// A presentation field of text.
    pub fn option(&self, name: &str) -> Option<&str> {
        self.presentation.get(name).and_then(Value::as_str)
    }
}

/// The error about a damaged stored result.
pub fn damaged(store: &Store) -> &'static str {
    match store.is_frozen() {
        false => "the stored result was damaged and has been set aside",
        true => "the frozen result is damaged",
    }
}
