//! Pictures of two results: the same bytes, alike to the eye, or different by a stated measure.
//!
//! The measure is structural similarity (SSIM, Wang et al. 2004) in windows of 8 × 8 pixels, the smallest of the three
//! channels' means, from the crate `image-compare`: 1 for pictures with the same pixels.

use image_compare::{Algorithm, rgb_similarity_structure};
use neuronotes_core::digest::Digest;
use neuronotes_core::store::Store;
use serde::Serialize;

use crate::figure::{Drawing, Image, Picture};

/// From this similarity on, two pictures count as alike to the eye.
pub const ALIKE: f64 = 0.99;
/// Most pixels of a picture that is compared.
const LARGEST: u64 = 1 << 24;

/// Two pictures of a figure, at the same place.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PictureChange {
    /// Its place among the figure's pictures, from 0.
    pub at: usize,
    /// Its description.
    pub alt: String,
    /// `alike`, `different`, `new` or `gone`, or `size` if the sizes differ.
    pub is: &'static str,
    /// Structural similarity, if it can be computed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub similarity: Option<f64>,
    /// The earlier picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Shot>,
    /// The later picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Shot>,
    /// Whether each of its pixels was computed, as in a feature visualisation.
    pub synthetic: bool,
}

/// A stored picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shot {
    /// The digest of its bytes.
    pub digest: Digest,
    /// The file that a folder of HTML has it in.
    pub file: String,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

impl Shot {
    fn of(image: &Image) -> Self {
        Self { digest: image.digest, file: image.file(), width: image.width, height: image.height }
    }
}

impl PictureChange {
    /// How large the change is, from 0 to 1.
    pub fn size(&self) -> f64 {
        self.similarity.map_or(1.0, |similarity| (1.0 - similarity).clamp(0.0, 1.0))
    }
}

/// The pictures of two drawings that differ. Computed pictures are compared place by place; of others, such as images of a data
/// set, only those that are new or gone are listed.
pub fn compare(
    (before, old): (&Drawing, &Store),
    (after, new): (&Drawing, &Store),
) -> Vec<PictureChange> {
    let (a, b) = (before.pictures(), after.pictures());
    let is_computed = |all: &[&Picture]| all.iter().all(|picture| picture.synthetic);
    let one = |at: usize, before: Option<&Picture>, after: Option<&Picture>| {
        let shown = after.or(before)?;
        let whole =
            |picture: &Picture| picture.full.clone().unwrap_or_else(|| picture.image.clone());
        let (before, after) = (before.map(whole), after.map(whole));
        if before.as_ref().map(|image| image.digest) == after.as_ref().map(|image| image.digest) {
            return None;
        }
        let similarity =
            before.as_ref().zip(after.as_ref()).and_then(|(a, b)| similarity((a, old), (b, new)));
        let is = match (&before, &after) {
            (None, _) => "new",
            (_, None) => "gone",
            (Some(a), Some(b)) if (a.width, a.height) != (b.width, b.height) => "size",
            _ if similarity.is_some_and(|similarity| similarity >= ALIKE) => "alike",
            _ => "different",
        };
        Some(PictureChange {
            at,
            alt: shown.alt.clone(),
            is,
            similarity,
            before: before.as_ref().map(Shot::of),
            after: after.as_ref().map(Shot::of),
            synthetic: shown.synthetic,
        })
    };
    if is_computed(&a) && is_computed(&b) || a.len() == 1 && b.len() == 1 {
        let longest = a.len().max(b.len());
        return (0..longest)
            .filter_map(|at| one(at, a.get(at).copied(), b.get(at).copied()))
            .collect();
    }
    let has = |all: &[&Picture], picture: &Picture| {
        all.iter().any(|other| other.image.digest == picture.image.digest)
    };
    let came = b.iter().enumerate().filter(|(_, picture)| !has(&a, picture));
    let went = a.iter().enumerate().filter(|(_, picture)| !has(&b, picture));
    let went = went.filter_map(|(at, picture)| one(at, Some(picture), None));
    came.filter_map(|(at, picture)| one(at, None, Some(picture))).chain(went).collect()
}

/// The structural similarity of two stored pictures of the same size.
fn similarity((a, old): (&Image, &Store), (b, new): (&Image, &Store)) -> Option<f64> {
    let small = u64::from(a.width) * u64::from(a.height) <= LARGEST;
    if (a.width, a.height) != (b.width, b.height) || !small {
        return None;
    }
    let read = |store: &Store, image: &Image| {
        let bytes = store.blob(&image.digest)?;
        Some(image::load_from_memory(&bytes).ok()?.to_rgb8())
    };
    let (a, b) = (read(old, a)?, read(new, b)?);
    if a == b {
        return Some(1.0);
    }
    let score = rgb_similarity_structure(&Algorithm::MSSIMSimple, &a, &b).ok()?.score;
    // Pixels that differ are not the same, however little.
    Some(score.min(1.0 - f64::EPSILON))
}
