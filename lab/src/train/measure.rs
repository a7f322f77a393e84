//! Evaluates a CLIP: how often the right name is nearest to a picture.

use tch::Tensor;

use super::loss::unit;
use super::set::{Drawing, by_name};
use crate::clip::Clip;
use crate::failure::Failure;

/// Batch size.
const BATCH: usize = 128;

/// A picture to classify: the index of its name, and its pixels.
pub type Shown = (usize, Vec<u8>);

/// Accuracy.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Accuracy {
    /// Fraction of pictures whose nearest name is correct.
    pub top1: f64,
    /// Fraction of pictures whose correct name is among the nearest five.
    pub top5: f64,
    /// Number of pictures.
    pub count: usize,
}

/// Held-out drawings of a set, as pictures of `side` pixels.
pub fn held_out<'a>(
    drawings: &'a [Drawing],
    shown: impl Fn(&Drawing, usize) -> Vec<u8> + 'a,
    side: usize,
) -> impl Iterator<Item = Shown> + 'a {
    let kept = drawings.iter().filter(|drawing| drawing.held_out);
    kept.map(move |drawing| (drawing.name, shown(drawing, side)))
}

/// A training drawing of each name, as a picture of `side` pixels.
pub fn trained<'a>(
    drawings: &'a [Drawing],
    names: usize,
    shown: impl Fn(&Drawing, usize) -> Vec<u8> + 'a,
    side: usize,
) -> impl Iterator<Item = Shown> + 'a {
    let places = by_name(drawings, names).into_iter().enumerate();
    // Not the same style of each.
    let chosen =
        places.filter_map(|(name, places)| places.get(name % places.len().max(1)).copied());
    chosen.map(move |place| (drawings[place].name, shown(&drawings[place], side)))
}

/// Normalised embeddings of pictures: `[n, embedding]`.
///
/// # Errors
/// If the pictures do not have the model's size, or memory runs out.
pub fn embeddings(clip: &Clip, pictures: &[&[u8]]) -> Result<Tensor, Failure> {
    let parts = pictures.chunks(BATCH).map(|part| {
        let found = tch::no_grad(|| clip.encode_images(&clip.input(&part.concat(), part.len())?))?;
        Ok::<_, Failure>(unit(&found))
    });
    Ok(Tensor::cat(&parts.collect::<Result<Vec<_>, _>>()?, 0))
}

/// Normalised embeddings of tokenised texts: `[n, embedding]`.
///
/// # Errors
/// If a text does not have the model's context length.
pub fn text_embeddings(clip: &Clip, texts: &[Vec<u32>]) -> Result<Tensor, Failure> {
    Ok(unit(&tch::no_grad(|| clip.encode_texts(texts))?))
}

/// Indices of the names by distance from each picture, nearest first: `[n][names]`.
///
/// # Errors
/// As for [`embeddings`].
pub fn ranked(clip: &Clip, pictures: &[&[u8]], texts: &Tensor) -> Result<Vec<Vec<usize>>, Failure> {
    let cosines = embeddings(clip, pictures)?.matmul(&texts.tr()); // [n, names]
    let order = cosines.argsort_stable(true, 1, true); // [n, names]
    (0..pictures.len() as i64)
        .map(|row| {
            let row = Vec::<i64>::try_from(order.get(row))?;
            Ok(row.into_iter().map(|place| place as usize).collect())
        })
        .collect()
}

/// How often the right name is nearest.
///
/// # Errors
/// As for [`embeddings`].
pub fn zero_shot(clip: &Clip, shown: &[Shown], texts: &Tensor) -> Result<Accuracy, Failure> {
    let pictures: Vec<&[u8]> = shown.iter().map(|(_, pixels)| pixels.as_slice()).collect();
    let ranked = ranked(clip, &pictures, texts)?;
    let among = |first: usize| {
        let right = shown
            .iter()
            .zip(&ranked)
            .filter(|((name, _), order)| order[..first.min(order.len())].contains(name));
        right.count() as f64 / shown.len().max(1) as f64
    };
    Ok(Accuracy { top1: among(1), top5: among(5), count: shown.len() })
}
