//! A training set: a tar of drawings and a list of names, loaded into memory with each drawing at several sizes.
//!
//! Each `KEY.png` in the archive is followed by `KEY.json`. A picture has colour and alpha; a word is a greyscale
//! mask, 255 where ink is. `cargo xtask emoji --data` makes such a set.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{BufReader, Read as _};
use std::path::Path;

use rayon::prelude::*;
use serde::Deserialize;

use crate::failure::Failure;

/// A name to learn.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Name {
    /// The name.
    pub name: String,
    /// The emoji itself.
    pub emoji: String,
    /// Its group in Unicode's list.
    pub group: String,
    /// Its keywords.
    pub keywords: Vec<String>,
}

/// A drawn picture or word.
#[derive(Debug)]
pub struct Drawing {
    /// Index of its name in [`Set::names`].
    pub name: usize,
    /// The style of a picture, or the font of a word.
    pub style: String,
    /// Whether it is held out from training.
    pub held_out: bool,
    /// The drawing at full size and repeatedly halved.
    pub levels: Vec<Level>,
}

/// A drawing at one size.
#[derive(Debug)]
pub struct Level {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// Pixels row by row: premultiplied red, green, blue, and alpha for pictures; only ink for words.
    pub pixels: Vec<u8>,
}

/// A training set.
#[derive(Debug)]
pub struct Set {
    /// The names, in the list's order.
    pub names: Vec<Name>,
    /// Pictures of them.
    pub pictures: Vec<Drawing>,
    /// Words for them.
    pub words: Vec<Drawing>,
}

/// The JSON beside a drawing.
#[derive(Debug, Deserialize)]
struct Beside {
    kind: Kind,
    name: String,
    style: String,
    held_out: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Picture,
    Word,
}

impl Set {
    /// Reads a set.
    ///
    /// # Errors
    /// If a file cannot be read, is damaged, or uses an unknown name; or if a name has nothing to train on.
    pub fn open(tar: &Path, names: &Path) -> Result<Self, Failure> {
        let names = read_names(names)?;
        let wrong = |path: &Path, why: &dyn std::fmt::Display| {
            Failure::new(format!("{} is not a training set ({why})", path.display()))
                .hint("`cargo xtask emoji --data` makes one")
        };
        let file = File::open(tar).map_err(|error| wrong(tar, &error))?;
        let mut archive = ::tar::Archive::new(BufReader::new(file));
        let mut encoded: HashMap<String, Vec<u8>> = HashMap::new();
        let mut found = Vec::new();
        for entry in archive.entries().map_err(|error| wrong(tar, &error))? {
            let mut entry = entry.map_err(|error| wrong(tar, &error))?;
            let path = entry.path().map_err(|error| wrong(tar, &error))?.into_owned();
            let key = path.with_extension("").to_string_lossy().into_owned();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).map_err(|error| wrong(tar, &error))?;
            match path.extension().and_then(|ending| ending.to_str()) {
                Some("png") => drop(encoded.insert(key, bytes)),
                Some("json") => {
                    let beside: Beside = serde_json::from_slice(&bytes)
                        .map_err(|error| wrong(tar, &format!("{}: {error}", path.display())))?;
                    let picture = encoded.remove(&key).ok_or_else(|| {
                        wrong(tar, &format!("{} is not preceded by its picture", path.display()))
                    })?;
                    found.push((key, beside, picture));
                }
                _ => {
                    return Err(wrong(tar, &format!("{} is neither PNG nor JSON", path.display())));
                }
            }
        }
        let places: HashMap<&str, usize> =
            names.iter().enumerate().map(|(i, name)| (name.name.as_str(), i)).collect();
        let drawn: Vec<(Kind, Drawing)> = found
            .into_par_iter()
            .map(|(key, beside, png)| {
                let name = *places.get(beside.name.as_str()).ok_or_else(|| {
                    wrong(tar, &format!("`{}` of {key} is not in the list of names", beside.name))
                })?;
                let levels = decode(&png, beside.kind)
                    .map_err(|why| wrong(tar, &format!("{key}.png: {why}")))?;
                let Beside { kind, style, held_out, .. } = beside;
                Ok((kind, Drawing { name, style, held_out, levels }))
            })
            .collect::<Result<_, Failure>>()?;
        let (pictures, words): (Vec<_>, Vec<_>) =
            drawn.into_iter().partition(|(kind, _)| *kind == Kind::Picture);
        let only =
            |found: Vec<(Kind, Drawing)>| found.into_iter().map(|(_, drawing)| drawing).collect();
        let set = Self { names, pictures: only(pictures), words: only(words) };
        for (drawings, what) in [(&set.pictures, "picture"), (&set.words, "word")] {
            if let Some(name) = by_name(drawings, set.names.len()).iter().position(Vec::is_empty) {
                return Err(wrong(
                    tar,
                    &format!("`{}` has no {what} to train on", set.names[name].name),
                ));
            }
        }
        Ok(set)
    }
}

/// Indices of the drawings that are not held out, by name.
pub fn by_name(drawings: &[Drawing], names: usize) -> Vec<Vec<usize>> {
    let mut places = vec![Vec::new(); names];
    for (place, drawing) in drawings.iter().enumerate().filter(|(_, drawing)| !drawing.held_out) {
        places[drawing.name].push(place);
    }
    places
}

/// Reads a list of names.
///
/// # Errors
/// If it cannot be read, or has fewer than two names.
fn read_names(path: &Path) -> Result<Vec<Name>, Failure> {
    let wrong = |why: &dyn std::fmt::Display| {
        Failure::new(format!("{} is not a list of names ({why})", path.display()))
            .hint("`cargo xtask emoji --data` makes one, data/concepts.json")
    };
    let text = fs::read_to_string(path).map_err(|error| wrong(&error))?;
    let names: Vec<Name> = serde_json::from_str(&text).map_err(|error| wrong(&error))?;
    match names.len() {
        0 | 1 => Err(wrong(&"it has fewer than two")),
        _ => Ok(names),
    }
}

/// A PNG's pixels at full size and repeatedly halved, down to about 12 pixels.
fn decode(png: &[u8], kind: Kind) -> Result<Vec<Level>, String> {
    let picture = image::load_from_memory_with_format(png, image::ImageFormat::Png)
        .map_err(|error| error.to_string())?;
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let pixels = match kind {
        Kind::Word => picture.into_luma8().into_raw(),
        Kind::Picture => {
            let mut pixels = picture.into_rgba8().into_raw();
            for pixel in pixels.chunks_exact_mut(4) {
                let alpha = u32::from(pixel[3]);
                for value in &mut pixel[..3] {
                    *value = ((u32::from(*value) * alpha + 127) / 255) as u8;
                }
            }
            pixels
        }
    };
    let channels = if kind == Kind::Picture { 4 } else { 1 };
    let mut levels = vec![Level { width, height, pixels }];
    while let Some(last) = levels.last().filter(|last| last.width.max(last.height) > 24) {
        let half = halved(last, channels);
        levels.push(half);
    }
    Ok(levels)
}

/// The mean of each four pixels; at odd sizes the last row and column count twice.
fn halved(level: &Level, channels: usize) -> Level {
    let (width, height) = (level.width.div_ceil(2), level.height.div_ceil(2));
    let at = |x: usize, y: usize, c: usize| {
        let (x, y) = (x.min(level.width - 1), y.min(level.height - 1));
        u32::from(level.pixels[(y * level.width + x) * channels + c])
    };
    let mut pixels = Vec::with_capacity(width * height * channels);
    for y in 0..height {
        for x in 0..width {
            for c in 0..channels {
                let (x, y) = (2 * x, 2 * y);
                let sum = at(x, y, c) + at(x + 1, y, c) + at(x, y + 1, c) + at(x + 1, y + 1, c);
                pixels.push(((sum + 2) / 4) as u8);
            }
        }
    }
    Level { width, height, pixels }
}
