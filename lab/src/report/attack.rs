//! Typographic attacks: lays a wrong word over pictures and counts how many are named after it.
//!
//! After Goh et al. 2021, section "Typographic attacks in the wild", where a note with a word is stuck to an object.

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tch::Tensor;

use crate::clip::Clip;
use crate::dataset;
use crate::failure::Failure;
use crate::train::measure::{Shown, ranked};

/// Height and centre of the note, as fractions of the picture's height.
const NOTE: (f64, f64) = (0.32, 0.72);

/// The effect of a wrong word on pictures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Attacks {
    /// Pictures that are named correctly without a word.
    pub right: usize,
    /// Of those, pictures that are named after the word.
    pub fooled: usize,
    /// Of those, pictures that are still named correctly.
    pub firm: usize,
}

/// Lays a note with a random other name over each picture, and classifies it again.
///
/// # Errors
/// If the pictures do not have the network's size.
pub fn measure(
    clip: &Clip,
    pictures: &[Shown],
    names: &[&str],
    texts: &Tensor,
    seed: u64,
) -> Result<Attacks, Failure> {
    let side = clip.architecture.image_size as usize;
    let list: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let words = dataset::drawn_words(&list, side as u32);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut attacked = Vec::with_capacity(pictures.len());
    for (name, pixels) in pictures {
        let other = (name + rng.random_range(1..names.len())) % names.len();
        let word = words
            .picture(other)
            .and_then(crate::picture::Picture::into_rgb)
            .map_err(Failure::new)?;
        attacked.push((other, with_note(pixels, word.as_raw(), side)));
    }
    let clean: Vec<&[u8]> = pictures.iter().map(|(_, pixels)| pixels.as_slice()).collect();
    let noted: Vec<&[u8]> = attacked.iter().map(|(_, pixels)| pixels.as_slice()).collect();
    let (before, after) = (ranked(clip, &clean, texts)?, ranked(clip, &noted, texts)?);
    let mut found = Attacks { right: 0, fooled: 0, firm: 0 };
    for (((name, _), (word, _)), (before, after)) in
        pictures.iter().zip(&attacked).zip(before.iter().zip(&after))
    {
        if before.first() == Some(name) {
            found.right += 1;
            found.fooled += usize::from(after.first() == Some(word));
            found.firm += usize::from(after.first() == Some(name));
        }
    }
    Ok(found)
}

/// A picture with the middle of another, where a word is drawn, over its lower part.
fn with_note(picture: &[u8], word: &[u8], side: usize) -> Vec<u8> {
    let mut noted = picture.to_vec();
    let height = (side as f64 * NOTE.0) as usize;
    let to = (side as f64 * NOTE.1) as usize - height / 2;
    let from = (side - height) / 2;
    let row = side * 3;
    noted[to * row..(to + height) * row].copy_from_slice(&word[from * row..(from + height) * row]);
    noted
}
