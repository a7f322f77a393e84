//! Pictures of a figure: a blob in the store with its size, and what is said of it. Knows nothing of any kind.

use serde::{Deserialize, Serialize};

use neuronotes_core::cut::Cut as _;
use neuronotes_core::digest::Digest;

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
