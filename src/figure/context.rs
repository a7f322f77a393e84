//! What a kind may look at while it draws: its record, and what the note calls what that was measured on.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use neuronotes_core::digest::Digest;
use neuronotes_core::kind::Origin;
use neuronotes_core::kind::scan::Moments;
use neuronotes_core::request::{BlockRef, Inputs};
use neuronotes_core::store::{Record, Store};

use super::picture::{Format, Image, Picture};

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
            .map_err(|error| format!("the stored parameters are of an unknown format ({error})"))
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

    /// An image output as a picture with nothing behind it; `alt` says what it shows.
    ///
    /// # Errors
    /// Where the record has no such output.
    pub fn plain(&self, name: &str, size: (u32, u32), alt: &str) -> Result<Picture, String> {
        Ok(Picture::plain(self.picture(name, size.0, size.1)?, alt))
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
