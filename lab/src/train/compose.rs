//! Composition: a set and a number in; the sample of that number, a name and its picture, out.
//!
//! Each sample is drawn by lots of its own, so that it is the same whichever thread makes it, and whether or not the
//! training was cut off before it.

use rand::{Rng, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::canvas::{Canvas, Place, brightness, colour, mixed};
use super::recipe::Stage;
use super::set::{Drawing, Level, Set, by_name};

/// Streams of lots: samples have those below, names those from here.
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

/// A picture to learn from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// Which name it shows, as a place in [`Set::names`].
    pub name: usize,
    /// Red, green and blue of each pixel, row by row.
    pub pixels: Vec<u8>,
}

impl<'a> Composer<'a> {
    /// Of the drawings that may be trained on; each name is drawn for `together` samples that follow one another.
    pub fn new(set: &'a Set, seed: u64, together: usize) -> Self {
        let count = set.names.len();
        let (pictures, words) = (by_name(&set.pictures, count), by_name(&set.words, count));
        Self { set, pictures, words, seed, together: together.max(1) as u64 }
    }

    /// The sample of a number.
    pub fn sample(&self, number: u64, stage: &Stage) -> Sample {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(NAMES | (number / self.together));
        let name = rng.random_range(0..self.set.names.len());
        rng.set_stream(number);
        let rng = &mut rng;
        let picture = chosen(&self.set.pictures, &self.pictures[name], rng);
        let word = chosen(&self.set.words, &self.words[name], rng);
        let (side, strength) = (stage.side as usize, stage.strength as f32);
        let mut canvas = Canvas::background(side, 0.7 * strength, rng);
        let kind: f64 = rng.random();
        if kind < stage.mix.picture {
            put_picture(&mut canvas, picture, side, 1.0, strength, rng);
        } else if kind < stage.mix.picture + stage.mix.word {
            put_word(&mut canvas, word, side, [0.5, 0.5], strength, rng);
        } else {
            let size = rng.random_range(0.6..0.95);
            put_picture(&mut canvas, picture, side, size, strength, rng);
            let height = if rng.random() { 0.8 } else { 0.2 };
            put_word(&mut canvas, word, side, [0.5, height], strength, rng);
        }
        Sample { name, pixels: canvas.bytes().collect() }
    }
}

fn chosen<'a>(drawings: &'a [Drawing], places: &[usize], rng: &mut impl Rng) -> &'a Drawing {
    &drawings[places[rng.random_range(0..places.len())]]
}

/// A draw from -1…1, times `reach`.
fn around(reach: f32, rng: &mut impl Rng) -> f32 {
    reach * rng.random_range(-1.0..1.0)
}

/// A picture of about `size` times the canvas, moved, turned, scaled and tinted.
fn put_picture(
    canvas: &mut Canvas,
    picture: &Drawing,
    side: usize,
    size: f32,
    strength: f32,
    rng: &mut impl Rng,
) {
    let Some(whole) = picture.levels.first() else { return };
    let full = side as f32 * size;
    let scale = full / whole.width as f32 * (1.0 - strength * rng.random_range(-0.05..0.4));
    let stretch = 1.0 + around(0.12 * strength, rng);
    let mirror = if rng.random_bool(0.3) { -1.0 } else { 1.0 };
    let reach = 0.12 * strength * side as f32;
    let place = Place {
        middle: [side as f32 / 2.0 + around(reach, rng), side as f32 / 2.0 + around(reach, rng)],
        scale: [mirror * scale * stretch, scale / stretch],
        turn: around(0.3 * strength, rng),
    };
    let light = 1.0 + around(0.25 * strength, rng);
    // Now and then no colour at all, so that shape counts too.
    let colourful = match rng.random_bool(0.08) {
        true => 0.0,
        false => 1.0 + around(0.4 * strength, rng),
    };
    let shift = [0; 3].map(|_| around(0.06 * strength, rng));
    canvas.picture(&picture.levels, &place, |colour| {
        let grey = [brightness(colour); 3];
        let colour = mixed(grey, colour, colourful);
        [0, 1, 2].map(|c| colour[c] * light + shift[c])
    });
}

/// A word around `middle` (in sides), in ink that stands out, at times on a plate.
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

/// The scale at which a word is `size` of the side wide, or `tallest` of it tall if that is less.
pub fn fitting(word: &Level, side: usize, size: f32, tallest: f32) -> f32 {
    let side = side as f32;
    (size * side / word.width as f32).min(tallest * side / word.height as f32)
}

/// A colour that stands out: often black or white.
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

/// A held-out picture as it is shown for measuring: whole, on white. Bytes as in [`Sample`].
pub fn shown_picture(picture: &Drawing, side: usize) -> Vec<u8> {
    let mut canvas = Canvas::plain(side, [1.0; 3]);
    if let Some(whole) = picture.levels.first() {
        let scale = side as f32 / whole.width.max(whole.height) as f32;
        let place = Place { middle: [side as f32 / 2.0; 2], scale: [scale; 2], turn: 0.0 };
        canvas.picture(&picture.levels, &place, |colour| colour);
    }
    canvas.bytes().collect()
}

/// A word as it is shown for measuring: black, in the middle of white. Bytes as in [`Sample`].
pub fn shown_word(word: &Drawing, side: usize) -> Vec<u8> {
    let mut canvas = Canvas::plain(side, [1.0; 3]);
    if let Some(whole) = word.levels.first() {
        let scale = fitting(whole, side, 0.8, 0.5);
        let place = Place { middle: [side as f32 / 2.0; 2], scale: [scale; 2], turn: 0.0 };
        canvas.word(&word.levels, &place, [0.0; 3]);
    }
    canvas.bytes().collect()
}
