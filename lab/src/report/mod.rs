//! The report on a trained CLIP, as Markdown, from its weights, the training set and the demonstration data.
//!
//! Every number is measured on the weights file as it is, in half precision and with the code that measures figures;
//! none is taken from the training.

mod attack;
mod numbers;
mod page;
mod units;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use neuronotes_core::dataset::{Format, Labels, format};
use neuronotes_core::digest::Digest;
use neuronotes_core::model::{Conventions, Given, Header, Stage, Tap, Visual};
use neuronotes_core::tokenizer::Tokenizer;
use tch::Tensor;

use crate::clip::activations::by_unit;
use crate::clip::preprocess::prepare;
use crate::clip::{Clip, Loading};
use crate::dataset;
use crate::device::Device;
use crate::failure::Failure;
use crate::monitor::{Monitor, Progress};
use crate::train::measure::{Accuracy, Shown as Picture, held_out, text_embeddings, zero_shot};
use crate::train::{Drawing, Name, Set, shown_picture, shown_word};
pub use numbers::Report;
pub use page::{page, put};
use units::{Shown, read};

/// Batch size.
const BATCH: usize = 128;

/// The inputs of a report.
#[derive(Debug, Clone)]
pub struct Paths {
    /// The weights.
    pub model: PathBuf,
    /// The training set, for its held-out pictures and words.
    pub set: PathBuf,
    /// The list of names.
    pub names: PathBuf,
    /// The demonstration pictures, a tar.
    pub pictures: PathBuf,
    /// The demonstration words, a list.
    pub words: PathBuf,
}

/// Measures everything.
///
/// # Errors
/// If a file cannot be read, or does not match the others.
pub fn report(
    paths: &Paths,
    device: &Device,
    seed: u64,
    monitor: &mut dyn Monitor,
) -> Result<Report, Failure> {
    let mut told = 0;
    let mut tell = |stage| {
        let progress = Progress { stage, step: told, total: 5, unit: "part", picture: None };
        monitor.progress(&progress);
        told += 1;
    };
    tell("reading");
    let set = Set::open(&paths.set, &paths.names)?;
    let clip = load(&paths.model, device)?;
    let side = clip.architecture.image_size as usize;
    let names: Vec<&str> = set.names.iter().map(|name| name.name.as_str()).collect();
    let plain = texts(&clip, &names, "{}")?;
    tell("recognising");
    let mut accuracies = accuracies(&clip, &set, side, &plain)?;
    let words = demonstration(&clip, &paths.words, &format::words::FORMAT, &set.names)?;
    accuracies.push((
        "words in DejaVu Sans Bold, as notes draw them".into(),
        zero_shot(&clip, &words, &plain)?,
    ));
    let pictures = demonstration(&clip, &paths.pictures, &format::tar::FORMAT, &set.names)?;
    accuracies.push((
        "pictures of the demonstration, most of them trained on".into(),
        zero_shot(&clip, &pictures, &plain)?,
    ));
    let sentence = texts(&clip, &names, "a photo of a {}.")?;
    let unseen: Vec<Picture> = held_out(&set.pictures, shown_picture, side).collect();
    accuracies.push((
        "the held-out pictures again, with the names in \u{201c}a photo of a …\u{201d}".into(),
        zero_shot(&clip, &unseen, &sentence)?,
    ));
    tell("attacking");
    let attacks = attack::measure(&clip, &pictures, &names, &plain, seed)?;
    tell("examining units");
    let (last, layer) = last_layer(&clip)?;
    let pictures = look(&clip, &pictures, last)?;
    let words = look(&clip, &words, last)?;
    tell("reading units");
    let units = read(&set.names, &pictures, &words, seed);
    let weights =
        Digest::of_file(&paths.model).map_err(|error| Failure::new(error.to_string()))?.to_string();
    Ok(Report { weights, names: set.names.len(), accuracies, attacks, units, layer })
}

fn load(path: &Path, device: &Device) -> Result<Clip, Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::new(error.to_string());
    let header = Header::read(path).map_err(|error| failed(&error))?;
    let conventions =
        Conventions::of(path, &header, &Given::default()).map_err(|error| failed(&error))?;
    Clip::load(path, Loading::new(device.torch, conventions))
}

/// Embeddings of all names in a sentence: `[names, embedding]`.
fn texts(clip: &Clip, names: &[&str], template: &str) -> Result<Tensor, Failure> {
    let context = clip.context()?;
    let tokens = names
        .iter()
        .map(|name| Tokenizer::clip().tokens(&template.replace("{}", name), context, true))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| Failure::new(error.to_string()))?;
    text_embeddings(clip, &tokens)
}

/// Accuracy on held-out pictures by style, on held-out words by font, and on all of each.
fn accuracies(
    clip: &Clip,
    set: &Set,
    side: usize,
    texts: &Tensor,
) -> Result<Vec<(String, Accuracy)>, Failure> {
    let mut found = Vec::new();
    let mut each =
        |drawings: &[Drawing], all: &str, of: &str, shown: fn(&Drawing, usize) -> Vec<u8>| {
            let kept: Vec<(&str, Picture)> = drawings
                .iter()
                .filter(|drawing| drawing.held_out)
                .map(|drawing| (drawing.style.as_str(), (drawing.name, shown(drawing, side))))
                .collect();
            let whole: Vec<Picture> = kept.iter().map(|(_, picture)| picture.clone()).collect();
            found.push((all.to_owned(), zero_shot(clip, &whole, texts)?));
            let mut styles: Vec<&str> = kept.iter().map(|(style, _)| *style).collect();
            styles.sort_unstable();
            styles.dedup();
            for style in styles {
                let part = kept.iter().filter(|(own, _)| *own == style);
                let part: Vec<Picture> = part.map(|(_, picture)| picture.clone()).collect();
                found.push((format!("– {of} {style}"), zero_shot(clip, &part, texts)?));
            }
            Ok::<(), Failure>(())
        };
    each(
        &set.pictures,
        "**pictures in a style that was held out for their names**",
        "of",
        shown_picture,
    )?;
    each(&set.words, "**words in fonts that were held out**", "in", shown_word)?;
    Ok(found)
}

/// The samples of a data set with a name each, preprocessed for the network.
fn demonstration(
    clip: &Clip,
    path: &Path,
    format: &'static Format,
    names: &[Name],
) -> Result<Vec<Picture>, Failure> {
    let side = clip.architecture.image_size;
    let places: HashMap<&str, usize> =
        names.iter().enumerate().map(|(i, name)| (name.name.as_str(), i)).collect();
    let wrong = |why: String| Failure::new(format!("{}: {why}", path.display()));
    let shard = dataset::open(path, format, &Labels::Files.into(), side)
        .map_err(|error| wrong(error.to_string()))?;
    let each = shard.samples().iter().enumerate().map(|(row, sample)| {
        let caption = sample.caption.as_deref().unwrap_or_default();
        let name = *places.get(caption).ok_or_else(|| {
            wrong(format!("`{}` is of `{caption}`, which is not in the list of names", sample.key))
        })?;
        let picture =
            shard.picture(row).and_then(|picture| prepare(picture, side)).map_err(&wrong)?;
        Ok((name, picture.into_raw()))
    });
    each.collect()
}

/// The sum at the end of the last block, before its ReLU, whose units are examined.
fn last_layer(clip: &Clip) -> Result<(Stage, String), Failure> {
    let Visual::ResNet(sizes) = &clip.architecture.visual else {
        return Err(Failure::new("the report needs a network with a ResNet"));
    };
    let stage = Stage::Bottleneck { stage: 4, block: sizes.blocks[3] - 1, tap: Tap::Add };
    let layer = clip.architecture.layers().into_iter().find(|layer| layer.stage == stage);
    let layer = layer.ok_or_else(|| Failure::new("the network has no last layer"))?;
    Ok((stage, layer.name.canonical))
}

/// Means over positions of all units, as notes use by default.
fn look(clip: &Clip, pictures: &[Picture], stage: Stage) -> Result<Shown, Failure> {
    let mut by_row: Vec<Vec<f32>> = Vec::with_capacity(pictures.len());
    for part in pictures.chunks(BATCH) {
        let pixels: Vec<u8> = part.iter().flat_map(|(_, pixels)| pixels.iter().copied()).collect();
        let seen = tch::no_grad(|| clip.look(&clip.input(&pixels, part.len())?, &[stage]))?;
        let means = by_unit(seen.get(stage)?).mean_dim([2i64].as_slice(), false, None); // [n, units]
        for row in 0..part.len() as i64 {
            by_row.push(Vec::<f32>::try_from(means.get(row))?);
        }
    }
    let units = by_row.first().map_or(0, Vec::len);
    let activations = (0..units).map(|unit| by_row.iter().map(|row| row[unit]).collect()).collect();
    Ok(Shown { names: pictures.iter().map(|(name, _)| *name).collect(), activations })
}
