//! Disturbances: an image in; the same, moved, scaled and rotated at random, out.
//!
//! Lucid pads by 12, crops at random to 8 pixels less, scales by 0.90…1.10, rotates by -10…10 degrees, and
//! crops at random to 4 pixels less. Each is affine, so here they are one map from output pixels to source
//! pixels and one bilinear sampling, where Lucid samples twice. Beyond the image all is grey. Knows nothing
//! of networks.

use rand::{Rng, RngCore};
use tch::{Kind, Tensor};

const PAD: i64 = 12;
const FIRST_JITTER: i64 = 8;
const LAST_JITTER: i64 = 4;
const GREY: f64 = 0.5;

/// One draw of the disturbances.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Draw {
    /// Offset of the first crop within the padded image, in pixels right and down, 0 to 8.
    pub first: (i64, i64),
    /// Factor of the size.
    pub scale: f64,
    /// In degrees, counter-clockwise as one sees the image.
    pub angle: f64,
    /// Offset of the last crop, in pixels right and down, 0 to 4.
    pub last: (i64, i64),
}

impl Draw {
    /// Draws at random from Lucid's lists: 11 scales, and 21 angles of which zero is six times as likely.
    pub fn random(chance: &mut impl RngCore) -> Self {
        let mut offset = |most| (chance.random_range(0..=most), chance.random_range(0..=most));
        let first = offset(FIRST_JITTER);
        let last = offset(LAST_JITTER);
        let scale = 1.0 + f64::from(chance.random_range(-5..=5)) / 50.0;
        // Lucid's list of angles has zero five times more.
        let angle = f64::from(match chance.random_range(0..26) {
            i @ 0..21 => i - 10,
            _ => 0,
        });
        Self { first, scale, angle, last }
    }

    /// Side of the image before the last crop.
    fn scaled_side(&self, side: i64) -> i64 {
        // Rounding off the binary fraction first, since 0.9 * 160 is 144 and not 143.99….
        (self.scale * 1e9).round() as i64 * (side + 2 * PAD - FIRST_JITTER) / 1_000_000_000
    }

    /// Side of the disturbed image of one with `side`, in pixels.
    pub fn side(&self, side: i64) -> i64 {
        self.scaled_side(side) - LAST_JITTER
    }

    /// The map from output to source, both in pixels from the top left corner: `[a, b, c, d, e, f]` with
    /// `x' = a x + b y + c` and `y' = d x + e y + f`.
    pub fn map(&self, side: i64) -> [f64; 6] {
        let scaled = self.scaled_side(side) as f64;
        let unscale = (side + 2 * PAD - FIRST_JITTER) as f64 / scaled;
        let (sin, cos) = self.angle.to_radians().sin_cos();
        let centre = scaled / 2.0;
        // Undo the last crop, turn about the centre, undo the scaling, the first crop and the padding.
        let (x, y) = (self.last.0 as f64 - centre, self.last.1 as f64 - centre);
        let (a, b) = (cos * unscale, -sin * unscale);
        let (d, e) = (sin * unscale, cos * unscale);
        let shift = |offset: i64| centre * unscale + (offset - PAD) as f64;
        [a, b, a * x + b * y + shift(self.first.0), d, e, d * x + e * y + shift(self.first.1)]
    }

    /// Disturbs an image: `[1, 3, side, side]` to `[1, 3, s, s]` with s = [`Draw::side`].
    pub fn apply(&self, image: &Tensor) -> Tensor {
        let side = image.size()[3];
        let out = self.side(side);
        let [a, b, c, d, e, f] = self.map(side);
        // libtorch counts from -1 to 1, between the outer edges of the outer pixels.
        let (half, n) = (out as f64 / 2.0, 2.0 / side as f64);
        let row =
            |p: f64, q: f64, r: f64| [n * half * p, n * half * q, n * (half * (p + q) + r) - 1.0];
        let theta: Vec<f32> =
            [row(a, b, c), row(d, e, f)].as_flattened().iter().map(|&value| value as f32).collect();
        let theta = Tensor::from_slice(&theta)
            .view([1, 2, 3])
            .to_device(image.device())
            .to_kind(Kind::Float);
        let grid = Tensor::affine_grid_generator(&theta, [1, 3, out, out], false); // [1, s, s, 2]
        const BILINEAR: i64 = 0;
        const ZEROS: i64 = 0;
        (image - GREY).grid_sampler(&grid, BILINEAR, ZEROS, false) + GREY // [1, 3, s, s]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vis::{Purpose, chance};

    #[test]
    fn sides_are_those_of_lucid() {
        let draw = |scale| Draw { first: (0, 0), scale, angle: 0.0, last: (0, 0) };
        // (128 + 24 - 8) * s, rounded down, less 4
        assert_eq!(draw(1.0).side(128), 140);
        assert_eq!(draw(0.9).side(128), 125);
        assert_eq!(draw(1.1).side(128), 154);
        assert_eq!(draw(0.9).side(144), 140);
    }

    #[test]
    fn the_identity_draw_is_a_crop_of_the_padded_image() {
        let image = Tensor::arange(3 * 32 * 32, (Kind::Float, tch::Device::Cpu))
            .view([1, 3, 32, 32])
            / 3072.0;
        let draw = Draw { first: (3, 5), scale: 1.0, angle: 0.0, last: (1, 2) };
        let padded = image.constant_pad_nd([PAD, PAD, PAD, PAD]) // [1, 3, 56, 56]
            + (image.ones_like().constant_pad_nd([PAD, PAD, PAD, PAD]) - 1.0) * -GREY;
        let expected = padded.narrow(3, 3 + 1, 44).narrow(2, 5 + 2, 44);
        let found = draw.apply(&image);
        assert_eq!(found.size(), expected.size());
        let error = (found - expected).abs().max().double_value(&[]);
        assert!(error < 1e-4, "{error}");
    }

    #[test]
    fn draws_come_from_the_seed_and_stay_in_bounds() {
        let draws = |seed| {
            let mut chance = chance(seed, Purpose::Transforms);
            (0..1000).map(|_| Draw::random(&mut chance)).collect::<Vec<_>>()
        };
        assert_eq!(draws(7), draws(7));
        assert_ne!(draws(7), draws(8));
        let all = draws(0);
        for draw in &all {
            assert!((0..=8).contains(&draw.first.0) && (0..=4).contains(&draw.last.1));
            assert!((0.899..=1.101).contains(&draw.scale) && draw.angle.abs() <= 10.0);
        }
        for extreme in [-10.0, 10.0] {
            assert!(all.iter().any(|draw| draw.angle == extreme));
        }
        let upright = all.iter().filter(|draw| draw.angle == 0.0).count();
        assert!((150..320).contains(&upright), "{upright} of 1000 are not turned");
    }
}
