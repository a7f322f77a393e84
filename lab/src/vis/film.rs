//! Animations of an optimisation: its pictures in; an animated WebP out. Knows nothing of networks.

use std::collections::BTreeSet;

use image::imageops::{FilterType, resize};
use image::{ImageBuffer, Rgb};
use webp::{AnimEncoder, AnimFrame};

use crate::encode::webp_config;
use crate::failure::Failure;

/// The largest side of a frame, in pixels.
pub const SIDE: u32 = 320;
/// How long a frame is shown, in milliseconds.
const FRAME: i32 = 80;
/// How long the last frame is shown, in milliseconds.
const LAST: i32 = 1500;
/// WebP's quality, from 0 to 100.
const QUALITY: f32 = 80.0;

/// One frame: 8-bit RGB, row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    side: u32,
    pixels: Vec<u8>,
}

impl Frame {
    /// A square picture of `size` pixels a side, scaled down if it is larger than [`SIDE`].
    pub fn of(pixels: Vec<u8>, size: u32) -> Self {
        match smaller(&pixels, size, SIDE) {
            Some((pixels, side)) => Self { side, pixels },
            None => Self { side: size, pixels },
        }
    }

    /// Its side, in pixels.
    pub fn side(&self) -> u32 {
        self.side
    }
}

/// A square picture scaled down to `most` pixels a side; `None` if it is no larger than that.
pub fn smaller(pixels: &[u8], size: u32, most: u32) -> Option<(Vec<u8>, u32)> {
    if size <= most {
        return None;
    }
    let picture: ImageBuffer<Rgb<u8>, &[u8]> = ImageBuffer::from_raw(size, size, pixels)?;
    Some((resize(&picture, most, most, FilterType::Lanczos3).into_raw(), most))
}

/// The steps, out of `steps`, before which `frames` pictures are taken, including the first and the last. They are closer
/// together at the beginning, where the picture changes faster.
pub fn scenes(frames: u32, steps: u32) -> BTreeSet<u32> {
    let last = f64::from(frames.saturating_sub(1)).max(1.0);
    (0..frames)
        .map(|frame| {
            let part = f64::from(frame) / last;
            (part * part * f64::from(steps)).round() as u32
        })
        .collect()
}

/// Encodes an animated WebP that ends on its last frame.
///
/// # Errors
/// If frames are of different sizes, or there is none.
pub fn film(frames: &[Frame]) -> Result<Vec<u8>, Failure> {
    let cannot = |why: String| Failure::new(format!("the film cannot be written ({why})"));
    let side = frames.first().ok_or_else(|| cannot("it has no frames".into()))?.side;
    let config = webp_config(QUALITY)?;
    let mut encoder = AnimEncoder::new(side, side, &config);
    encoder.set_loop_count(1);
    let mut at = 0;
    for frame in frames {
        encoder.add_frame(AnimFrame::from_rgb(&frame.pixels, frame.side, frame.side, at));
        at += FRAME;
    }
    // The encoder shows each frame until the next one's time, and the last one for as long as the one before.
    if let Some(last) = frames.last() {
        encoder.add_frame(AnimFrame::from_rgb(&last.pixels, last.side, last.side, at + LAST));
    }
    let film = encoder.try_encode().map_err(|error| cannot(format!("{error:?}")))?;
    Ok(film.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scenes_have_both_ends_and_are_closer_at_the_beginning() {
        assert_eq!(scenes(5, 512).into_iter().collect::<Vec<_>>(), [0, 32, 128, 288, 512]);
        assert!(scenes(0, 512).is_empty());
        assert_eq!(scenes(1, 512).into_iter().collect::<Vec<_>>(), [0]);
        assert_eq!(scenes(100, 3).into_iter().collect::<Vec<_>>(), [0, 1, 2, 3]);
    }

    #[test]
    fn a_film_has_its_frames_and_large_ones_are_made_smaller() {
        let frames: Vec<Frame> =
            [0u8, 120, 250].map(|grey| Frame::of(vec![grey; 400 * 400 * 3], 400)).into();
        assert_eq!(frames[0].side(), SIDE);
        let bytes = film(&frames).expect("a film");
        let read = webp::AnimDecoder::new(&bytes).decode().expect("a film");
        let greys: Vec<u8> = read.into_iter().map(|frame| frame.get_image()[0]).collect();
        assert!(greys.len() >= 3, "{greys:?}");
        assert!(greys[0] < 10 && greys[greys.len() - 1] > 240, "{greys:?}");
        assert!(film(&[]).is_err());
    }
}
