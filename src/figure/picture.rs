//! Pictures of a figure: a blob in the store with its size and description. Knows nothing of any kind.

use serde::{Deserialize, Serialize};

use neuronotes_core::cut::Cut as _;
use neuronotes_core::digest::Digest;

use super::unit::UnitRef;

/// A picture from the store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Picture {
    /// Its image.
    pub image: Image,
    /// Its description.
    pub alt: String,
    /// Whether each pixel was computed, so that enlarging must keep it sharp.
    pub synthetic: bool,
    /// The full-size picture, if the page shows a smaller one.
    pub full: Option<Image>,
    /// A film of its optimisation, with the same aspect ratio.
    pub film: Option<Image>,
    /// Another version of it, of the same size, that is shown on demand: without what is drawn over it, or with a heat map
    /// over it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub under: Option<Image>,
}

impl Picture {
    /// A picture alone.
    pub fn plain(image: Image, alt: impl Into<String>) -> Self {
        Self { image, alt: alt.into(), synthetic: false, full: None, film: None, under: None }
    }

    /// All images that a page needs for it.
    pub fn images(&self) -> impl Iterator<Item = &Image> {
        let more = self.full.iter().chain(&self.film).chain(&self.under);
        std::iter::once(&self.image).chain(more)
    }
}

/// An image blob and its size in pixels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Image {
    /// The blob.
    pub digest: Digest,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Its file format.
    pub format: Format,
}

impl Image {
    /// Its file in the site, relative to the site's root.
    pub fn file(&self) -> String {
        format!("figures/{}.{}", self.digest.hex().cut(..20), self.format.extension())
    }
}

/// The file format of an image.
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
    /// The format of a media type; PNG if it is unknown.
    pub(super) fn of(media_type: &str) -> Self {
        match media_type {
            "image/webp" => Self::Webp,
            "image/jpeg" => Self::Jpeg,
            "image/gif" => Self::Gif,
            _ => Self::Png,
        }
    }

    /// The file extension.
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
    /// A formatted number.
    pub value: String,
    /// The unit that it is of, whose name the page shows in place of the caption.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<UnitRef>,
}
