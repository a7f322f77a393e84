//! Resizing: a picture and a size in; the picture in that size out.
//!
//! Bit for bit as in Pillow's `Resample.c` and `Geometry.c` with `BICUBIC`: Catmull-Rom (a = -0.5),
//! stretched over all source pixels where the picture shrinks, in two passes with whole levels between them;
//! weights have 22 bits after the point. fast_image_resize keeps 16 bits at most, cannot choose which pass is
//! first, and differs by up to 5 levels. Knows nothing of files.

use std::ops::Range;

use super::pixels::{Mode, Picture, room};
use super::rgb::{premultiply, unpremultiply};

/// One side of the result.
#[derive(Clone, Debug)]
pub struct Side {
    /// Its length, in pixels.
    pub whole: u32,
    /// The part of it that is kept.
    pub part: Range<u32>,
}

/// Resizes like Pillow's `resize` with `BICUBIC`, which uses the nearest pixel for palettes and 1-bit pictures, and crops.
/// Pixels that are cropped away are not computed.
pub fn resize(picture: Picture, across: &Side, down: &Side) -> Result<Picture, String> {
    let (width, height, mode) = (picture.width, picture.height, picture.mode);
    let whole = 0..width;
    if (across.whole, down.whole) == (width, height)
        && across.part == whole
        && down.part == (0..height)
    {
        return Ok(picture);
    }
    let to = [across, down].map(|side| side.part.end.saturating_sub(side.part.start));
    if across.part.end > across.whole || down.part.end > down.whole {
        return Err("it is too small to be cropped".into());
    }
    room(to[0], to[1], mode.bytes())?;
    // What lies between the passes.
    room(to[0].max(1), height, mode.bytes())?;
    let same = (across.whole, down.whole) == (width, height);
    let source = picture.pixels;
    let pixels = match mode {
        Mode::Bilevel => nearest::<1>(&source, (width, height), across, down),
        Mode::Palette => nearest::<3>(&source, (width, height), across, down),
        Mode::Grey => bicubic::<u8, 1, 16>(&source, (width, height), across, down),
        Mode::Rgb => bicubic::<u8, 3, 24>(&source, (width, height), across, down),
        Mode::Grey16 => {
            let (pairs, _) = source.as_chunks::<2>();
            let levels: Vec<u16> = pairs.iter().map(|&pair| u16::from_le_bytes(pair)).collect();
            // Sums of floating-point numbers depend on their order: one lane.
            let levels = bicubic::<u16, 1, 1>(&levels, (width, height), across, down);
            levels.into_iter().flat_map(u16::to_le_bytes).collect()
        }
        Mode::GreyAlpha if !same => beneath_alpha::<2, 16>(source, (width, height), across, down),
        Mode::Rgba if !same => beneath_alpha::<4, 32>(source, (width, height), across, down),
        Mode::GreyAlpha => bicubic::<u8, 2, 16>(&source, (width, height), across, down),
        Mode::Rgba | Mode::Cmyk => bicubic::<u8, 4, 32>(&source, (width, height), across, down),
    };
    Picture::new(to[0], to[1], mode, pixels)
}

type Size = (u32, u32);

fn beneath_alpha<const N: usize, const W: usize>(
    mut source: Vec<u8>,
    from: Size,
    across: &Side,
    down: &Side,
) -> Vec<u8> {
    premultiply::<N>(&mut source);
    let mut pixels = bicubic::<u8, N, W>(&source, from, across, down);
    unpremultiply::<N>(&mut pixels);
    pixels
}

fn nearest<const N: usize>(source: &[u8], from: Size, across: &Side, down: &Side) -> Vec<u8> {
    let columns = nearest_of(from.0, across);
    let rows = nearest_of(from.1, down);
    let (pixels, _) = source.as_chunks::<N>();
    let mut out = Vec::with_capacity(columns.len() * rows.len() * N);
    for y in rows {
        let row = &pixels[y * from.0 as usize..][..from.0 as usize];
        out.extend(columns.iter().flat_map(|&x| row[x]));
    }
    out
}

/// The source pixel, out of `from`, of each pixel; positions are accumulated, as in Pillow, not multiplied.
fn nearest_of(from: u32, side: &Side) -> Vec<usize> {
    let step = f64::from(from) / f64::from(side.whole);
    let mut place = step * 0.5;
    let mut places = Vec::with_capacity(side.part.len());
    for i in 0..side.part.end {
        if i >= side.part.start {
            places.push((place as usize).min(from as usize - 1));
        }
        place += step;
    }
    places
}

/// The filter of one pixel of the result: the first source pixel, and the weights from there on.
struct Taps<T> {
    first: usize,
    weights: Vec<T>,
}

/// The filters along one side; if it keeps its length, each pixel is copied.
fn taps<L: Level>(from: u32, side: &Side) -> Vec<Taps<L::Weight>> {
    if side.whole == from {
        let itself = |i| Taps { first: i as usize, weights: vec![L::weight(1.0)] };
        return side.part.clone().map(itself).collect();
    }
    let scale = f64::from(from) / f64::from(side.whole);
    let stretch = scale.max(1.0);
    let reach = 2.0 * stretch;
    let shrink = 1.0 / stretch;
    let each = side.part.clone().map(|i| {
        let centre = (f64::from(i) + 0.5) * scale;
        // Casts cut off fractions and what is below 0, as Pillow does.
        let first = (centre - reach + 0.5) as u32;
        let end = ((centre + reach + 0.5) as u32).min(from);
        let mut weights: Vec<f64> =
            (first..end).map(|x| catmull_rom((f64::from(x) - centre + 0.5) * shrink)).collect();
        let sum: f64 = weights.iter().sum();
        if sum != 0.0 {
            weights.iter_mut().for_each(|weight| *weight /= sum);
        }
        Taps { first: first as usize, weights: weights.into_iter().map(L::weight).collect() }
    });
    each.collect()
}

/// The source pixels that at least one of the filters uses.
fn reach<T>(taps: &[Taps<T>]) -> Range<usize> {
    let first = taps.first().map_or(0, |taps| taps.first);
    first..taps.last().map_or(first, |taps| taps.first + taps.weights.len())
}

fn catmull_rom(x: f64) -> f64 {
    const A: f64 = -0.5;
    let x = x.abs();
    if x < 1.0 {
        ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        (((x - 5.0) * x + 8.0) * x - 4.0) * A
    } else {
        0.0
    }
}

/// A level of one channel, and the arithmetic of its weights.
trait Level: Copy {
    type Weight: Copy;
    /// The initial value of a sum.
    const START: Self::Weight;
    /// Zero.
    const NONE: Self::Weight;
    fn weight(weight: f64) -> Self::Weight;
    fn add(self, sum: &mut Self::Weight, weight: Self::Weight);
    /// Adds a part of a sum to it.
    fn join(sum: &mut Self::Weight, part: Self::Weight);
    fn round(sum: Self::Weight) -> Self;
}

/// Bits after the point of a weight: 8 are for the level, 2 for overshoot.
const BITS: u32 = 32 - 8 - 2;

impl Level for u8 {
    type Weight = i32;
    const START: i32 = 1 << (BITS - 1);
    const NONE: i32 = 0;

    fn weight(weight: f64) -> i32 {
        let scaled = weight * f64::from(1 << BITS);
        (if scaled < 0.0 { scaled - 0.5 } else { scaled + 0.5 }) as i32
    }

    #[inline(always)]
    fn add(self, sum: &mut i32, weight: i32) {
        *sum += i32::from(self) * weight;
    }

    #[inline(always)]
    fn join(sum: &mut i32, part: i32) {
        *sum += part;
    }

    fn round(sum: i32) -> u8 {
        (sum >> BITS).clamp(0, 255) as u8
    }
}

/// Weighted in floating point.
impl Level for u16 {
    type Weight = f64;
    const START: f64 = 0.0;
    const NONE: f64 = 0.0;

    fn weight(weight: f64) -> f64 {
        weight
    }

    fn add(self, sum: &mut f64, weight: f64) {
        *sum += f64::from(self) * weight;
    }

    fn join(sum: &mut f64, part: f64) {
        *sum += part;
    }

    fn round(sum: f64) -> u16 {
        (sum + 0.5).clamp(0.0, 65535.0) as u16
    }
}

/// Resizes by the fastest instructions that this processor has; all give the same levels.
fn bicubic<L: Level, const N: usize, const W: usize>(
    source: &[L],
    from: Size,
    across: &Side,
    down: &Side,
) -> Vec<L> {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has these instructions.
        return unsafe { with_avx2::<L, N, W>(source, from, across, down) };
    }
    in_two_passes::<L, N, W>(source, from, across, down)
}

/// The same code, compiled for vectors of 32 bytes.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn with_avx2<L: Level, const N: usize, const W: usize>(
    source: &[L],
    from: Size,
    across: &Side,
    down: &Side,
) -> Vec<L> {
    in_two_passes::<L, N, W>(source, from, across, down)
}

#[inline(always)]
fn in_two_passes<L: Level, const N: usize, const W: usize>(
    source: &[L],
    from: Size,
    across: &Side,
    down: &Side,
) -> Vec<L> {
    let columns = taps::<L>(from.0, across);
    let rows = taps::<L>(from.1, down);
    let (wide, high) = (reach(&columns), reach(&rows));
    let (width, breadth) = (from.0 as usize, columns.len());
    // Pillow 13 resizes vertically first if that removes far more pixels; earlier versions always resized horizontally
    // first.
    let lost = |from: u32, side: &Side| i64::from(from) - i64::from(side.whole);
    let (narrower, lower) = (lost(from.0, across), lost(from.1, down));
    if lower > 0 && lower > narrower * 2 {
        let lowered = go_down(source, width * N, wide.start * N..wide.end * N, 0, &rows);
        return go_across::<L, N, W>(&lowered, wide.len(), wide.start, &columns);
    }
    let touched = &source[high.start * width * N..high.end * width * N];
    let narrowed = go_across::<L, N, W>(touched, width, 0, &columns);
    go_down(&narrowed, breadth * N, 0..breadth * N, high.start, &rows)
}

/// The filter of one pixel along a row: the first level, and a weight for each level from there on.
struct Run<T> {
    first: usize,
    weights: Vec<T>,
}

impl<T: Copy> Run<T> {
    /// The weights of pixels of `N` levels, in a row of `width` pixels of which `skipped` are not there. If the row is long
    /// enough, they are filled up by zeros to whole blocks of `W` levels.
    fn new<const N: usize, const W: usize>(
        taps: &Taps<T>,
        zero: T,
        width: usize,
        skipped: usize,
    ) -> Self {
        let (first, own) = (taps.first - skipped, taps.weights.len());
        let whole = own.next_multiple_of(W / N);
        let (first, before, count) = match whole <= width {
            true => {
                let start = first.min(width - whole);
                (start, first - start, whole)
            }
            false => (first, 0, own),
        };
        let mut weights = vec![zero; count * N];
        for (at, weight) in taps.weights.iter().enumerate() {
            weights[(before + at) * N..][..N].fill(*weight);
        }
        Self { first: first * N, weights }
    }
}

/// `width`: pixels of a row of `source`; `skipped`: pixels that each row lacks at its left; `W`: a multiple of `N`, the levels
/// that are weighted together.
#[inline(always)]
fn go_across<L: Level, const N: usize, const W: usize>(
    source: &[L],
    width: usize,
    skipped: usize,
    taps: &[Taps<L::Weight>],
) -> Vec<L> {
    let runs: Vec<Run<L::Weight>> =
        taps.iter().map(|taps| Run::new::<N, W>(taps, L::NONE, width, skipped)).collect();
    let mut out = Vec::with_capacity(source.len() / (width * N).max(1) * taps.len() * N);
    for row in source.chunks_exact(width * N) {
        for Run { first, weights } in &runs {
            let (blocks, rest) = row[*first..][..weights.len()].as_chunks::<W>();
            let (factors, last) = weights.as_chunks::<W>();
            let mut lanes = [L::NONE; W];
            for (block, factors) in blocks.iter().zip(factors) {
                for lane in 0..W {
                    block[lane].add(&mut lanes[lane], factors[lane]);
                }
            }
            for (lane, (level, factor)) in rest.iter().zip(last).enumerate() {
                level.add(&mut lanes[lane], *factor);
            }
            let mut sums = [L::START; N];
            for (lane, part) in lanes.iter().enumerate() {
                L::join(&mut sums[lane % N], *part);
            }
            out.extend(sums.map(L::round));
        }
    }
    out
}

/// `stride`: levels of a row of `source`, of which `part` is kept; `skipped`: rows that it lacks at its top.
#[inline(always)]
fn go_down<L: Level>(
    source: &[L],
    stride: usize,
    part: Range<usize>,
    skipped: usize,
    taps: &[Taps<L::Weight>],
) -> Vec<L> {
    let mut out = Vec::with_capacity(part.len() * taps.len());
    let mut sums = vec![L::START; part.len()];
    for Taps { first, weights } in taps {
        sums.fill(L::START);
        let rows = source[(first - skipped) * stride..].chunks_exact(stride);
        for (row, &weight) in rows.zip(weights) {
            for (sum, level) in sums.iter_mut().zip(&row[part.clone()]) {
                level.add(sum, weight);
            }
        }
        out.extend(sums.iter().map(|&sum| L::round(sum)));
    }
    out
}
