//! The levels of a picture, in the form for resizing and writing.

use std::collections::HashSet;

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::pixels::{U8, U8x3, U8x4};
use fast_image_resize::{
    FilterType, PixelTrait, PixelType, ResizeAlg, ResizeError, ResizeOptions, Resizer,
};
use image::DynamicImage;

/// Maximum number of colours of a drawing.
const FEW: usize = 256;

/// A picture in the form for resizing and writing: one, three or four bytes per pixel.
pub(super) struct Pixels {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) kind: PixelType,
    pub(super) levels: Vec<u8>,
    /// Whether copies must be lossless.
    pub(super) lossless: bool,
}

impl Pixels {
    pub(super) fn of(picture: DynamicImage) -> Self {
        let (width, height) = (picture.width(), picture.height());
        let drawing = is_drawing(&picture);
        let clear = picture.color().has_alpha() && !is_opaque(&picture);
        let (kind, levels) = match (clear, picture.color().has_color()) {
            (true, _) => (PixelType::U8x4, picture.into_rgba8().into_raw()),
            (false, true) => (PixelType::U8x3, picture.into_rgb8().into_raw()),
            (false, false) => (PixelType::U8, picture.into_luma8().into_raw()),
        };
        Self { width, height, kind, levels, lossless: drawing || clear }
    }

    /// Resizes it to that width. Colours are weighted by their opacity, so that hidden colours do not show at edges.
    pub(super) fn shrunk(&self, resizer: &mut Resizer, width: u32) -> Result<Self, String> {
        let failed =
            |cause: &dyn std::fmt::Display| format!("the picture cannot be resized ({cause})");
        let own = u64::from(self.width);
        let height = (u64::from(self.height) * u64::from(width) + own / 2) / own;
        let height = u32::try_from(height).unwrap_or(u32::MAX).max(1);
        let from = ImageRef::new(self.width, self.height, &self.levels, self.kind)
            .map_err(|cause| failed(&cause))?;
        let mut into = Image::new(width, height, self.kind);
        let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3));
        // Only these three: `Resizer::resize` would compile the code of twelve, a fifth of this crate's time.
        let resized = match self.kind {
            PixelType::U8 => resized::<U8>(resizer, &from, &mut into, &options),
            PixelType::U8x4 => resized::<U8x4>(resizer, &from, &mut into, &options),
            _ => resized::<U8x3>(resizer, &from, &mut into, &options),
        };
        resized.map_err(|cause| failed(&cause))?;
        let (kind, lossless) = (self.kind, self.lossless);
        Ok(Self { width, height, kind, levels: into.into_vec(), lossless })
    }
}

fn resized<P: PixelTrait>(
    resizer: &mut Resizer,
    from: &ImageRef,
    into: &mut Image,
    options: &ResizeOptions,
) -> Result<(), ResizeError> {
    let from = from.typed_image::<P>();
    let into = into.typed_image_mut::<P>();
    let (Some(from), Some(mut into)) = (from, into) else {
        return Err(ResizeError::PixelTypesAreDifferent);
    };
    resizer.resize_typed(&from, &mut into, options)
}

fn is_opaque(picture: &DynamicImage) -> bool {
    match picture {
        DynamicImage::ImageRgba8(picture) => picture.pixels().all(|pixel| pixel.0[3] == u8::MAX),
        other => other.to_rgba8().pixels().all(|pixel| pixel.0[3] == u8::MAX),
    }
}

/// Whether it has few colours, ignoring transparency.
fn is_drawing(picture: &DynamicImage) -> bool {
    match picture {
        DynamicImage::ImageRgb8(picture) => are_few(picture.pixels().map(|pixel| pixel.0)),
        DynamicImage::ImageRgba8(picture) => {
            are_few(picture.pixels().map(|pixel| [pixel.0[0], pixel.0[1], pixel.0[2]]))
        }
        other => are_few(other.to_rgb8().pixels().map(|pixel| pixel.0)),
    }
}

fn are_few(colours: impl Iterator<Item = [u8; 3]>) -> bool {
    let mut known = HashSet::new();
    let mut last = None;
    for colour in colours {
        // Neighbours are alike on most drawings.
        if last != Some(colour) {
            known.insert(colour);
            last = Some(colour);
            if known.len() > FEW {
                return false;
            }
        }
    }
    true
}
