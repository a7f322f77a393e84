//! A canvas that combines backgrounds and drawings to a square of colours.

use rand::Rng;

use super::set::Level;

/// A square of colours from 0 to 1.
#[derive(Debug, Clone)]
pub struct Canvas {
    side: usize,
    pixels: Vec<[f32; 3]>,
}

/// Placement of a drawing, in pixels of the canvas.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// Its centre, horizontal and vertical.
    pub middle: [f32; 2],
    /// Scale relative to the drawing's full size, horizontal and vertical; negative values mirror it.
    pub scale: [f32; 2],
    /// Rotation in radians.
    pub turn: f32,
    /// Displacement of rows horizontally, and of columns vertically.
    pub bend: [Wave; 2],
}

/// A sine wave along one side of the canvas; zero by default.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wave {
    /// Amplitude in pixels of the canvas.
    pub height: f32,
    /// Number of periods along the side.
    pub times: f32,
    /// Phase in radians.
    pub from: f32,
}

impl Wave {
    /// Its value at each pixel of a side.
    fn along(&self, side: usize) -> Vec<f32> {
        let step = self.times * std::f32::consts::TAU / side as f32;
        (0..side).map(|i| self.height * (i as f32 * step + self.from).sin()).collect()
    }
}

impl Canvas {
    /// A single colour.
    pub fn plain(side: usize, colour: [f32; 3]) -> Self {
        Self { side, pixels: vec![colour; side * side] }
    }

    /// A random background: plain, shaded, clouded or striped; white for all but a fraction `variety`.
    pub fn background(side: usize, variety: f32, rng: &mut impl Rng) -> Self {
        let mut canvas = Self::plain(side, [1.0; 3]);
        let last = (side - 1).max(1) as f32;
        if rng.random::<f32>() >= variety {
            return canvas;
        }
        let kind: f32 = rng.random();
        let (one, other) = (colour(rng), colour(rng));
        if kind < 0.4 {
            return Self::plain(side, one);
        }
        if kind < 0.6 {
            let angle: f32 = rng.random_range(0.0..std::f32::consts::TAU);
            let (sin, cos) = angle.sin_cos();
            canvas.fill(|x, y| {
                let along = (x as f32 / last - 0.5) * cos + (y as f32 / last - 0.5) * sin;
                mixed(one, other, (along + 0.5).clamp(0.0, 1.0))
            });
        } else if kind < 0.85 {
            const CELLS: usize = 4;
            let spread: f32 = rng.random_range(0.1..0.6);
            let knots: Vec<[f32; 3]> =
                (0..(CELLS + 1) * (CELLS + 1)).map(|_| mixed(one, colour(rng), spread)).collect();
            canvas.fill(|x, y| {
                let (u, v) = (x as f32 / last * CELLS as f32, y as f32 / last * CELLS as f32);
                let (i, j) = ((u as usize).min(CELLS - 1), (v as usize).min(CELLS - 1));
                let (u, v) = (u - i as f32, v - j as f32);
                let knot = |i: usize, j: usize| knots[j * (CELLS + 1) + i];
                mixed(
                    mixed(knot(i, j), knot(i + 1, j), u),
                    mixed(knot(i, j + 1), knot(i + 1, j + 1), u),
                    v,
                )
            });
        } else {
            let width: f32 = rng.random_range(0.04..0.25) * side as f32;
            let (sin, cos) = rng.random_range(0.0..std::f32::consts::TAU).sin_cos();
            let other = mixed(one, other, rng.random_range(0.2..0.7));
            canvas.fill(|x, y| {
                match ((x as f32 * cos + y as f32 * sin) / width).rem_euclid(2.0) < 1.0 {
                    true => one,
                    false => other,
                }
            });
        }
        canvas
    }

    fn fill(&mut self, colour: impl Fn(usize, usize) -> [f32; 3]) {
        for (i, pixel) in self.pixels.iter_mut().enumerate() {
            *pixel = colour(i % self.side, i / self.side);
        }
    }

    /// Draws a filled rectangle; its centre and size are in pixels.
    pub fn plate(&mut self, middle: [f32; 2], size: [f32; 2], colour: [f32; 3]) {
        for (i, pixel) in self.pixels.iter_mut().enumerate() {
            let (x, y) = ((i % self.side) as f32 + 0.5, (i / self.side) as f32 + 0.5);
            if (x - middle[0]).abs() < size[0] / 2.0 && (y - middle[1]).abs() < size[1] / 2.0 {
                *pixel = colour;
            }
        }
    }

    /// Draws a picture; `tint` is applied to its colours.
    pub fn picture(
        &mut self,
        levels: &[Level],
        place: &Place,
        tint: impl Fn([f32; 3]) -> [f32; 3],
    ) {
        self.put(levels, place, 4, |below, drawn| {
            let alpha = drawn[3];
            if alpha <= 0.0 {
                return below;
            }
            let own = tint([drawn[0] / alpha, drawn[1] / alpha, drawn[2] / alpha]);
            mixed(below, own, alpha)
        });
    }

    /// Draws a word in a colour.
    pub fn word(&mut self, levels: &[Level], place: &Place, ink: [f32; 3]) {
        self.put(levels, place, 1, |below, drawn| mixed(below, ink, drawn[0]));
    }

    fn put(
        &mut self,
        levels: &[Level],
        place: &Place,
        channels: usize,
        over: impl Fn([f32; 3], [f32; 4]) -> [f32; 3],
    ) {
        let Some(whole) = levels.first() else { return };
        let scale = place.scale[0].abs().min(place.scale[1].abs());
        // The smallest that does not have to be blown up by more than a tenth.
        let level = levels
            .iter()
            .rev()
            .find(|level| level.width as f32 >= whole.width as f32 * scale * 0.9)
            .unwrap_or(whole);
        let (w, h) = (level.width as f32, level.height as f32);
        let (sin, cos) = place.turn.sin_cos();
        // Pixels of the level for one of the canvas.
        let across = w / (whole.width as f32 * place.scale[0]);
        let down = h / (whole.height as f32 * place.scale[1]);
        let bend = place.bend.map(|wave| wave.along(self.side));
        let bent = place.bend[0].height.abs().max(place.bend[1].height.abs());
        let reach = (w / across.abs()).hypot(h / down.abs()) / 2.0 + 1.0 + bent;
        let bounds = |middle: f32| {
            let from = (middle - reach).floor().clamp(0.0, self.side as f32) as usize;
            let to = (middle + reach).ceil().clamp(0.0, self.side as f32) as usize;
            from..to
        };
        let (columns, rows) = (bounds(place.middle[0]), bounds(place.middle[1]));
        for y in rows {
            for x in columns.clone() {
                let dx = x as f32 + 0.5 - place.middle[0] - bend[0][y];
                let dy = y as f32 + 0.5 - place.middle[1] - bend[1][x];
                let u = (dx * cos + dy * sin) * across + w / 2.0 - 0.5;
                let v = (dy * cos - dx * sin) * down + h / 2.0 - 0.5;
                if u <= -1.0 || v <= -1.0 || u >= w || v >= h {
                    continue;
                }
                let drawn = sampled(level, channels, u, v);
                let pixel = &mut self.pixels[y * self.side + x];
                *pixel = over(*pixel, drawn);
            }
        }
    }

    /// Red, green and blue of each pixel, row by row.
    pub fn bytes(&self) -> impl Iterator<Item = u8> + '_ {
        self.pixels.iter().flatten().map(|value| (value.clamp(0.0, 1.0) * 255.0 + 0.5) as u8)
    }

    /// Mean colour in a rectangle, in pixels.
    pub fn mean(&self, middle: [f32; 2], size: [f32; 2]) -> [f32; 3] {
        let (mut sum, mut count) = ([0.0; 3], 0.0f32);
        for (i, pixel) in self.pixels.iter().enumerate() {
            let (x, y) = ((i % self.side) as f32 + 0.5, (i / self.side) as f32 + 0.5);
            if (x - middle[0]).abs() < size[0] / 2.0 && (y - middle[1]).abs() < size[1] / 2.0 {
                sum = [sum[0] + pixel[0], sum[1] + pixel[1], sum[2] + pixel[2]];
                count += 1.0;
            }
        }
        sum.map(|value| value / count.max(1.0))
    }
}

/// Bilinear interpolation; zero outside.
fn sampled(level: &Level, channels: usize, u: f32, v: f32) -> [f32; 4] {
    let (x, y) = (u.floor(), v.floor());
    let (fx, fy) = (u - x, v - y);
    let mut sum = [0.0; 4];
    for (dx, dy, weight) in [
        (0, 0, (1.0 - fx) * (1.0 - fy)),
        (1, 0, fx * (1.0 - fy)),
        (0, 1, (1.0 - fx) * fy),
        (1, 1, fx * fy),
    ] {
        let (x, y) = (x as i64 + dx, y as i64 + dy);
        if x < 0 || y < 0 || x >= level.width as i64 || y >= level.height as i64 {
            continue;
        }
        let at = (y as usize * level.width + x as usize) * channels;
        for (sum, value) in sum.iter_mut().zip(&level.pixels[at..at + channels]) {
            *sum += weight * f32::from(*value) / 255.0;
        }
    }
    sum
}

/// A random colour.
pub fn colour(rng: &mut impl Rng) -> [f32; 3] {
    [rng.random(), rng.random(), rng.random()]
}

/// Interpolates between two colours.
pub fn mixed(one: [f32; 3], other: [f32; 3], part: f32) -> [f32; 3] {
    [0, 1, 2].map(|c| one[c] + (other[c] - one[c]) * part)
}

/// Perceived brightness of a colour, from 0 to 1 (Rec. 709).
pub fn brightness(colour: [f32; 3]) -> f32 {
    0.2126 * colour[0] + 0.7152 * colour[1] + 0.0722 * colour[2]
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng as _;
    use rand_chacha::ChaCha8Rng;

    /// Two by two: red and half of green above, nothing and blue below.
    fn picture() -> Vec<Level> {
        #[rustfmt::skip]
        let pixels = vec![255, 0, 0, 255,  0, 128, 0, 128,
                          0, 0, 0, 0,      0, 0, 255, 255];
        vec![Level { width: 2, height: 2, pixels }]
    }

    fn put(scale: [f32; 2], turn: f32) -> Canvas {
        let mut canvas = Canvas::plain(2, [1.0; 3]);
        let place = Place { middle: [1.0, 1.0], scale, turn, bend: [Wave::default(); 2] };
        canvas.picture(&picture(), &place, |colour| colour);
        canvas
    }

    #[test]
    fn a_picture_lies_over_what_is_there() {
        let bytes: Vec<u8> = put([1.0, 1.0], 0.0).bytes().collect();
        assert_eq!(bytes[..3], [255, 0, 0]);
        assert_eq!(bytes[3..6], [127, 255, 127]);
        assert_eq!(bytes[6..9], [255, 255, 255]);
        assert_eq!(bytes[9..], [0, 0, 255]);
    }

    #[test]
    fn a_picture_can_be_mirrored_and_turned() {
        let bytes: Vec<u8> = put([-1.0, 1.0], 0.0).bytes().collect();
        assert_eq!(bytes[3..6], [255, 0, 0]);
        assert_eq!(bytes[6..9], [0, 0, 255]);
        // A quarter turn, clockwise on the page: what was at the upper left is at the upper right.
        let bytes: Vec<u8> = put([1.0, 1.0], std::f32::consts::FRAC_PI_2).bytes().collect();
        let near = |a: &[u8], b: [u8; 3]| a.iter().zip(b).all(|(a, b)| a.abs_diff(b) <= 1);
        assert!(near(&bytes[3..6], [255, 0, 0]), "{bytes:?}");
    }

    #[test]
    fn rows_can_be_pushed_across() {
        let mut canvas = Canvas::plain(2, [1.0; 3]);
        // A quarter of a wave before the first row, and half a wave from there to the second: one right, one left.
        let wave = Wave { height: 1.0, times: 1.0, from: std::f32::consts::FRAC_PI_2 };
        let bend = [wave, Wave::default()];
        let place = Place { middle: [1.0; 2], scale: [1.0; 2], turn: 0.0, bend };
        canvas.picture(&picture(), &place, |colour| colour);
        let bytes: Vec<u8> = canvas.bytes().collect();
        assert_eq!(bytes[..6], [255, 255, 255, 255, 0, 0]);
        assert_eq!(bytes[6..], [0, 0, 255, 255, 255, 255]);
    }

    #[test]
    fn ink_covers_as_far_as_the_mask_says() {
        let mask = vec![Level { width: 2, height: 1, pixels: vec![255, 51] }];
        let mut canvas = Canvas::plain(2, [1.0; 3]);
        let place =
            Place { middle: [1.0, 0.5], scale: [1.0; 2], turn: 0.0, bend: [Wave::default(); 2] };
        canvas.word(&mask, &place, [0.0; 3]);
        let bytes: Vec<u8> = canvas.bytes().collect();
        assert_eq!((bytes[0], bytes[3], bytes[6]), (0, 204, 255));
    }

    #[test]
    fn backgrounds_vary_and_the_same_lot_gives_the_same() {
        let draw = |seed| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            Canvas::background(16, 0.7, &mut rng).bytes().collect::<Vec<u8>>()
        };
        assert_eq!(draw(5), draw(5));
        let different: std::collections::HashSet<_> = (0..40).map(draw).collect();
        assert!(different.len() > 15, "{}", different.len());
        assert!(different.contains(&vec![255; 16 * 16 * 3]));
    }
}
