//! Random transforms: images in; the same images, moved, scaled and rotated at random, out.
//!
//! Lucid's transforms are random crops, padding with grey, scaling and rotation, one pass each. Here all of a draw except
//! the padding are one map from output pixels to source pixels, and one bilinear sampling, where Lucid samples twice.
//! Pixels that a rotation brings in from outside the image are black, as in Lucid. The draws of a run are made beforehand,
//! so that nothing is copied to the device between steps. Knows nothing of networks.

use neuronotes_core::kind::feature_vis::Transforms;
use rand::seq::IndexedRandom as _;
use rand::{Rng, RngCore, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use tch::{Device, Tensor};

const GREY: f64 = 0.5;
/// The standard deviation of MACO's noise.
const GRAIN: f32 = 0.05;

/// One draw of the transforms of images with `side` pixels a side. Lengths are in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Draw {
    /// Side of the images.
    pub side: i64,
    /// Width of the grey padding.
    pub pad: i64,
    /// Offset of the first crop within the padded image, right and down.
    pub first: (i64, i64),
    /// Side of the first crop.
    pub window: i64,
    /// Side that the crop is scaled to.
    pub scaled: i64,
    /// Rotation about the middle in degrees, counter-clockwise as the image is seen.
    pub angle: f64,
    /// Offset of the last crop, right and down.
    pub last: (i64, i64),
    /// Side of the last crop.
    pub inner: i64,
    /// Side of the result: cropped in the middle, or padded with black.
    pub out: i64,
    /// Seed of noise that is added at the end.
    pub grain: Option<u64>,
}

impl Draw {
    /// The draw that leaves an image as it is.
    pub fn none(side: i64) -> Self {
        let (pad, first, last, angle) = (0, (0, 0), (0, 0), 0.0);
        Self {
            side,
            pad,
            first,
            window: side,
            scaled: side,
            angle,
            last,
            inner: side,
            out: side,
            grain: None,
        }
    }

    /// Lucid's transforms: pad 12, crop to 8 less, scale by 0.90…1.10, rotate by -10…10 degrees, crop to 4 less.
    pub fn lucid(side: i64, chance: &mut impl RngCore) -> Self {
        let first = offset(chance, 8);
        let last = offset(chance, 4);
        // Eleven scales, and 21 angles of which zero is six times as likely.
        let scale = f64::from(50 + chance.random_range(-5..=5)) / 50.0;
        let angle = f64::from(match chance.random_range(0..26) {
            i @ 0..21 => i - 10,
            _ => 0,
        });
        let window = side + 2 * 12 - 8;
        let scaled = scaled(scale, window);
        let inner = scaled - 4;
        Self { pad: 12, first, window, scaled, angle, last, inner, out: inner, ..Self::none(side) }
    }

    /// CLIP-featurevis's transforms: pad 2, crop to 4 less ten times, scale, rotate, crop to 2 less, crop or pad to the side.
    pub fn paper(side: i64, chance: &mut impl RngCore) -> Self {
        let mut first = (0, 0);
        for _ in 0..10 {
            let (right, down) = offset(chance, 4);
            first = (first.0 + right, first.1 + down);
        }
        let small = (-5..80).map(|n| 0.995f64.powi(n));
        let smaller = (20..40).chain(20..40).map(|n| 0.998f64.powi(n));
        let scales: Vec<f64> = small.chain(smaller).collect();
        let angles: Vec<i32> = (-20..20).chain(-10..10).chain(-5..5).chain([0; 5]).collect();
        let scale = scales.choose(chance).copied().unwrap_or(1.0);
        let angle = f64::from(angles.choose(chance).copied().unwrap_or(0));
        let last = offset(chance, 2);
        let window = side + 2 * 2 - 10 * 4;
        let scaled = scaled(scale, window);
        Self { pad: 2, first, window, scaled, angle, last, inner: scaled - 2, ..Self::none(side) }
    }

    /// MACO's transforms: crop to a square of half to all of the side, scale that to `out`, add noise.
    pub fn crop(side: i64, out: i64, chance: &mut impl RngCore) -> Self {
        let window = chance.random_range((side + 1) / 2..=side);
        let first = offset(chance, side - window);
        let grain = Some(chance.random());
        Self { first, window, scaled: out, inner: out, out, grain, ..Self::none(side) }
    }

    /// The map from output to source, both counted from -1 to 1 between the outer edges of the outer pixels, the output
    /// being the last crop and the source the first: two rows of `[a, b, c]`, `x' = a x + b y + c`.
    fn map(&self) -> [f64; 6] {
        let (scaled, inner) = (self.scaled as f64, self.inner as f64);
        let (sin, cos) = self.angle.to_radians().sin_cos();
        // Undo the last crop and count from the middle, turn; the scaling is in the measure of 2 / scaled.
        let (x, y) = (self.last.0 as f64 - scaled / 2.0, self.last.1 as f64 - scaled / 2.0);
        let (half, unit) = (inner / 2.0, 2.0 / scaled);
        let row = |p: f64, q: f64| {
            [unit * half * p, unit * half * q, unit * (p * (x + half) + q * (y + half))]
        };
        let ([a, b, c], [d, e, f]) = (row(cos, -sin), row(sin, cos));
        [a, b, c, d, e, f]
    }

    /// Transforms images: `[n, 3, side, side]` to `[n, 3, out, out]`. `map` is that of [`Draws::maps`].
    fn apply(&self, images: &Tensor, map: &Tensor) -> Tensor {
        let padded = match self.pad {
            0 => images.shallow_clone(),
            pad => images.pad([pad, pad, pad, pad], "constant", GREY),
        };
        let window =
            padded.narrow(2, self.first.1, self.window).narrow(3, self.first.0, self.window); // [n, 3, window, window]
        let n = images.size()[0];
        let still = self.angle == 0.0 && self.scaled == self.window;
        let seen = if still {
            window.narrow(2, self.last.1, self.inner).narrow(3, self.last.0, self.inner)
        } else {
            let grid = Tensor::affine_grid_generator(map, [1, 3, self.inner, self.inner], false); // [1, inner, inner, 2]
            let grid = grid.expand([n, -1, -1, -1], false);
            const BILINEAR: i64 = 0;
            const ZEROS: i64 = 0;
            window.grid_sampler(&grid, BILINEAR, ZEROS, false)
        }; // [n, 3, inner, inner]
        let seen = match self.out - self.inner {
            0 => seen,
            less if less < 0 => {
                let off = (self.inner - self.out) / 2;
                seen.narrow(2, off, self.out).narrow(3, off, self.out)
            }
            more => {
                let (before, after) = (more / 2, more - more / 2);
                seen.constant_pad_nd([before, after, before, after])
            }
        }; // [n, 3, out, out]
        match self.grain {
            Some(seed) => seen + grain(seed, self.out, images.device()),
            None => seen,
        }
    }
}

/// An offset of a crop to `most` less.
fn offset(chance: &mut impl RngCore, most: i64) -> (i64, i64) {
    (chance.random_range(0..=most), chance.random_range(0..=most))
}

/// A side scaled and rounded down, as Lucid does; rounding off the binary fraction first, since 0.9 * 160 is 144 and
/// not 143.99….
fn scaled(scale: f64, side: i64) -> i64 {
    ((scale * side as f64 * 1e6).round() / 1e6).floor() as i64
}

/// Noise: `[1, 3, side, side]`.
fn grain(seed: u64, side: i64, device: Device) -> Tensor {
    let mut chance = ChaCha8Rng::seed_from_u64(seed);
    let count = 3 * side * side;
    let numbers: Vec<f32> = (0..count)
        .map(|_| GRAIN * Distribution::<f32>::sample(&StandardNormal, &mut chance))
        .collect();
    Tensor::from_slice(&numbers).view([1, 3, side, side]).to_device(device)
}

/// The draws of a run, one per step.
#[derive(Debug)]
pub struct Draws {
    draws: Vec<Draw>,
    maps: Tensor, // [steps, 2, 3]
}

impl Draws {
    /// Draws `steps` times, for images of `side` pixels; `model` is the side that the model was trained with.
    pub fn random(
        transforms: Transforms,
        steps: u32,
        (side, model): (i64, i64),
        device: Device,
        chance: &mut impl RngCore,
    ) -> Self {
        let draws = (0..steps).map(|_| match transforms {
            Transforms::Lucid => Draw::lucid(side, chance),
            Transforms::Paper => Draw::paper(side, chance),
            Transforms::Crops => Draw::crop(side, model, chance),
            Transforms::None => Draw::none(side),
        });
        Self::of(draws.collect(), device)
    }

    /// Uses given draws.
    pub fn of(draws: Vec<Draw>, device: Device) -> Self {
        let maps: Vec<f32> = draws.iter().flat_map(Draw::map).map(|number| number as f32).collect();
        let maps = Tensor::from_slice(&maps).view([-1, 2, 3]).to_device(device);
        Self { draws, maps }
    }

    /// Transforms images before a step: `[n, 3, side, side]` to `[n, 3, out, out]`.
    pub fn apply(&self, step: usize, images: &Tensor) -> Tensor {
        self.draws[step].apply(images, &self.maps.narrow(0, step as i64, 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vis::{Purpose, chance};
    use tch::Kind;

    fn picture(side: i64) -> Tensor {
        Tensor::arange(3 * side * side, (Kind::Float, Device::Cpu)).view([1, 3, side, side])
            / (3 * side * side) as f64
    }

    #[test]
    fn sides_are_those_of_lucid() {
        // (128 + 24 - 8) * s, rounded down, less 4
        let sides = [(1.0, 128, 140), (0.9, 128, 125), (1.1, 128, 154), (0.9, 144, 140)];
        for (scale, side, expected) in sides {
            assert_eq!(scaled(scale, side + 16) - 4, expected);
        }
    }

    #[test]
    fn a_draw_without_turn_is_a_crop_of_the_padded_image() {
        let draw = Draw {
            pad: 12,
            first: (3, 5),
            window: 48,
            scaled: 48,
            last: (1, 2),
            inner: 44,
            out: 44,
            ..Draw::none(32)
        };
        let image = picture(32);
        let padded = image.pad([12, 12, 12, 12], "constant", GREY); // [1, 3, 56, 56]
        let expected = padded.narrow(3, 3 + 1, 44).narrow(2, 5 + 2, 44);
        // The same through the sampling, which an angle of next to nothing does not spare.
        for angle in [0.0, 1e-9] {
            let found = Draws::of(vec![Draw { angle, ..draw }], Device::Cpu).apply(0, &image);
            assert_eq!(found.size(), expected.size());
            let error = (found - &expected).abs().max().double_value(&[]);
            assert!(error < 1e-4, "{error}");
        }
    }

    #[test]
    fn what_is_too_small_gets_black_around_and_what_is_too_large_is_cut() {
        let image = Tensor::ones([1, 3, 8, 8], (Kind::Float, Device::Cpu));
        let draw = Draw { out: 11, ..Draw::none(8) };
        let wide = Draws::of(vec![draw], Device::Cpu).apply(0, &image);
        assert_eq!(wide.size(), [1, 3, 11, 11]);
        let row: Vec<f32> = Vec::try_from(wide.select(1, 0).select(1, 5).view(-1)).expect("a row");
        assert_eq!(row, [0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0]);
        let narrow = Draws::of(vec![Draw { out: 5, ..Draw::none(8) }], Device::Cpu);
        let image = picture(8);
        assert_eq!(narrow.apply(0, &image), image.narrow(2, 1, 5).narrow(3, 1, 5));
    }

    #[test]
    fn draws_come_from_the_seed_and_stay_in_bounds() {
        let draws = |seed, draw: fn(&mut ChaCha8Rng) -> Draw| {
            let mut chance = chance(seed, Purpose::Transforms);
            (0..1000).map(|_| draw(&mut chance)).collect::<Vec<_>>()
        };
        for (draw, turn) in [
            (Draw::lucid as fn(i64, &mut ChaCha8Rng) -> Draw, 10.0),
            (Draw::paper as fn(i64, &mut ChaCha8Rng) -> Draw, 20.0),
        ] {
            let draws = |seed| {
                let mut chance = chance(seed, Purpose::Transforms);
                (0..1000).map(|_| draw(128, &mut chance)).collect::<Vec<_>>()
            };
            assert_eq!(draws(7), draws(7));
            assert_ne!(draws(7), draws(8));
            let all = draws(0);
            assert!(all.iter().all(|draw| draw.angle.abs() <= turn && draw.grain.is_none()));
            for draw in &all {
                let most = 128 + 2 * draw.pad - draw.window;
                assert!((0..=most).contains(&draw.first.0) && (0..=most).contains(&draw.first.1));
                assert!(draw.last.0 <= draw.scaled - draw.inner);
            }
            assert!(all.iter().any(|draw| draw.angle == -turn));
        }
        let upright = draws(0, |chance| Draw::lucid(128, chance));
        let upright = upright.iter().filter(|draw| draw.angle == 0.0).count();
        assert!((150..320).contains(&upright), "{upright} of 1000 are not turned");
        for draw in draws(0, |chance| Draw::crop(100, 64, chance)) {
            assert!((50..=100).contains(&draw.window) && draw.first.0 + draw.window <= 100);
            assert!(draw.out == 64 && draw.grain.is_some());
        }
    }
}
