//! Composes training samples: a name and its picture, for a sample number.
//!
//! Each sample has its own random stream, so it is the same whichever thread makes it, and whether or not the
//! training was interrupted before.

use rand::{Rng, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::canvas::{Canvas, Place, Wave, brightness, colour, mixed};
use super::recipe::Stage;
use super::set::{Drawing, Level, Set, by_name};

/// Random streams: samples use those below, names those from here.
const NAMES: u64 = 1 << 62;

/// Composes samples.
#[derive(Debug)]
pub struct Composer<'a> {
    set: &'a Set,
    pictures: Vec<Vec<usize>>,
    words: Vec<Vec<usize>>,
    seed: u64,
    together: u64,
}

/// A training picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// Index of the name that it shows in [`Set::names`].
    pub name: usize,
    /// Red, green and blue of each pixel, row by row.
    pub pixels: Vec<u8>,
}

impl<'a> Composer<'a> {
    /// Uses the drawings that are not held out; each name is drawn for `together` consecutive samples.
    pub fn new(set: &'a Set, seed: u64, together: usize) -> Self {
        let count = set.names.len();
        let (pictures, words) = (by_name(&set.pictures, count), by_name(&set.words, count));
        Self { set, pictures, words, seed, together: together.max(1) as u64 }
    }

    /// The sample with a number.
    pub fn sample(&self, number: u64, stage: &Stage) -> Sample {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(NAMES | (number / self.together));
        let name = rng.random_range(0..self.set.names.len());
        rng.set_stream(number);
        let rng = &mut rng;
        let picture = chosen(&self.set.pictures, &self.pictures[name], rng);
        let word = chosen(&self.set.words, &self.words[name], rng);
        let side = stage.side as usize;
        let (of_picture, of_word) = (stage.strength.picture as f32, stage.strength.word as f32);
        let kind: f64 = rng.random();
        let alone = kind < stage.mix.picture + stage.mix.word;
        if kind < stage.mix.picture {
            let mut canvas = Canvas::background(side, 0.7 * of_picture, rng);
            put_picture(&mut canvas, picture, side, 1.0, of_picture, rng);
            return Sample { name, pixels: canvas.bytes().collect() };
        }
        let mut canvas = Canvas::background(side, 0.7 * of_word, rng);
        if alone {
            put_word(&mut canvas, word, side, [0.5, 0.5], of_word, rng);
        } else {
            let size = rng.random_range(0.6..0.95);
            put_picture(&mut canvas, picture, side, size, of_picture, rng);
            let height = if rng.random() { 0.8 } else { 0.2 };
            put_word(&mut canvas, word, side, [0.5, height], of_word, rng);
        }
        Sample { name, pixels: canvas.bytes().collect() }
    }
}

fn chosen<'a>(drawings: &'a [Drawing], places: &[usize], rng: &mut impl Rng) -> &'a Drawing {
    &drawings[places[rng.random_range(0..places.len())]]
}

/// A random number from -1 to 1, times `reach`.
fn around(reach: f32, rng: &mut impl Rng) -> f32 {
    reach * rng.random_range(-1.0..1.0)
}

/// A picture of about `size` times the canvas, randomly moved, rotated, scaled, bent and recoloured, sometimes with
/// an outline, a shadow or an occluding object. A name has only a handful of drawings, and should be recognised in
/// another one with different outlines, shades, proportions and details.
fn put_picture(
    canvas: &mut Canvas,
    picture: &Drawing,
    side: usize,
    size: f32,
    strength: f32,
    rng: &mut impl Rng,
) {
    let Some(whole) = picture.levels.first() else { return };
    let full = side as f32;
    let scale = full * size / whole.width as f32 * (1.0 - strength * rng.random_range(-0.12..0.45));
    let stretch = 1.0 + around(0.15 * strength, rng);
    let mirror = if rng.random_bool(0.3) { -1.0 } else { 1.0 };
    let reach = 0.12 * strength * full;
    let wave = |rng: &mut _| Wave {
        height: around(0.04 * strength * full * size, rng),
        times: Rng::random_range(rng, 0.5..2.0),
        from: Rng::random_range(rng, 0.0..std::f32::consts::TAU),
    };
    let place = Place {
        middle: [full / 2.0 + around(reach, rng), full / 2.0 + around(reach, rng)],
        scale: [mirror * scale * stretch, scale / stretch],
        turn: around(0.3 * strength, rng),
        bend: [wave(rng), wave(rng)],
    };
    let often = |part: f32| f64::from((part * strength).clamp(0.0, 1.0));
    if rng.random_bool(often(0.25)) {
        let below = mixed([0.0; 3], colour(rng), rng.random_range(0.0..0.6));
        let (offset, larger) = match rng.random_bool(0.5) {
            true => ([0.0; 2], rng.random_range(1.03..1.1)),
            false => ([0; 2].map(|_| around(0.04 * full, rng)), 1.0),
        };
        let under = Place {
            middle: [place.middle[0] + offset[0], place.middle[1] + offset[1]],
            scale: place.scale.map(|scale| scale * larger),
            ..place
        };
        canvas.picture(&picture.levels, &under, |_| below);
    }
    let light = 1.0 + around(0.25 * strength, rng);
    let contrast = 1.0 + around(0.3 * strength, rng);
    // Now and then no colour at all, so that shape counts too.
    let colourful = match rng.random_bool(0.1) {
        true => 0.0,
        false => 1.0 + around(0.4 * strength, rng),
    };
    let shift = [0; 3].map(|_| around(0.08 * strength, rng));
    // Now and then few shades, as in flat drawings.
    let shades = rng.random_bool(often(0.2)).then(|| rng.random_range(2.0f32..6.0).round());
    canvas.picture(&picture.levels, &place, |colour| {
        let grey = [brightness(colour); 3];
        let colour = mixed(grey, colour, colourful);
        [0, 1, 2].map(|c| {
            let value = ((colour[c] - 0.5) * contrast + 0.5) * light + shift[c];
            shades.map_or(value, |shades| (value * shades).round() / shades)
        })
    });
    if rng.random_bool(often(0.3)) {
        let middle = [0; 2].map(|_| rng.random_range(0.0..full));
        let size = [0; 2].map(|_| rng.random_range(0.12..0.35) * full);
        canvas.plate(middle, size, colour(rng));
    }
}

/// A word around `middle` (in sides), in a contrasting colour, sometimes on a plate.
fn put_word(
    canvas: &mut Canvas,
    word: &Drawing,
    side: usize,
    middle: [f32; 2],
    strength: f32,
    rng: &mut impl Rng,
) {
    let Some(whole) = word.levels.first() else { return };
    let alone = middle[1] == 0.5;
    let size = 0.88 - strength * rng.random_range(0.0..0.25);
    let tallest = if alone { 0.6 } else { 0.34 };
    let scale = fitting(whole, side, size, tallest);
    let stretch = 1.0 + around(0.1 * strength, rng);
    let (width, height) = (whole.width as f32 * scale, whole.height as f32 * scale);
    let room = ((side as f32 - width) / 2.0).max(0.0) * strength;
    let reach = if alone { 0.2 } else { 0.05 } * strength * side as f32;
    let place = Place {
        middle: [
            middle[0] * side as f32 + around(room, rng),
            middle[1] * side as f32 + around(reach, rng),
        ],
        scale: [scale * stretch, scale / stretch],
        turn: around(0.12 * strength, rng),
        bend: [Wave::default(); 2],
    };
    let plate = [width * 1.15 + 2.0, height * 1.25 + 2.0];
    if rng.random_bool(if alone { 0.15 } else { 0.5 }) {
        let paper = match rng.random_bool(0.6) {
            true => [1.0; 3],
            false => colour(rng),
        };
        canvas.plate(place.middle, plate, paper);
    }
    let behind = canvas.mean(place.middle, plate);
    canvas.word(&word.levels, &place, ink(behind, rng));
}

/// The scale at which a word has a width of `size`, or a height of `tallest` if that is smaller, in sides.
pub fn fitting(word: &Level, side: usize, size: f32, tallest: f32) -> f32 {
    let side = side as f32;
    (size * side / word.width as f32).min(tallest * side / word.height as f32)
}

/// A contrasting colour: often black or white.
fn ink(behind: [f32; 3], rng: &mut impl Rng) -> [f32; 3] {
    let extreme = if brightness(behind) > 0.5 { [0.0; 3] } else { [1.0; 3] };
    if rng.random_bool(0.5) {
        return extreme;
    }
    // Moved towards black or white until it can be read.
    let mut ink = colour(rng);
    while (brightness(ink) - brightness(behind)).abs() < 0.35 {
        ink = mixed(ink, extreme, 0.5);
        if (brightness(ink) - brightness(extreme)).abs() < 0.05 {
            break;
        }
    }
    ink
}

/// Centred on a canvas.
fn upright(side: usize, scale: f32) -> Place {
    let middle = [side as f32 / 2.0; 2];
    Place { middle, scale: [scale; 2], turn: 0.0, bend: [Wave::default(); 2] }
}

/// A held-out picture for evaluation: whole, on white. Bytes as in `Sample`.
pub fn shown_picture(picture: &Drawing, side: usize) -> Vec<u8> {
    let mut canvas = Canvas::plain(side, [1.0; 3]);
    if let Some(whole) = picture.levels.first() {
        let scale = side as f32 / whole.width.max(whole.height) as f32;
        let place = upright(side, scale);
        canvas.picture(&picture.levels, &place, |colour| colour);
    }
    canvas.bytes().collect()
}

/// A word for evaluation: black, centred on white. Bytes as in `Sample`.
pub fn shown_word(word: &Drawing, side: usize) -> Vec<u8> {
    let mut canvas = Canvas::plain(side, [1.0; 3]);
    if let Some(whole) = word.levels.first() {
        let scale = fitting(whole, side, 0.8, 0.5);
        let place = upright(side, scale);
        canvas.word(&word.levels, &place, [0.0; 3]);
    }
    canvas.bytes().collect()
}
