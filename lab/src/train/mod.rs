//! Trains a small CLIP from a recipe and a training set.
//!
//! The towers are the lab's own. Each step has a batch of composed samples and a caption of each of many names, and
//! raises the similarity of each picture with its own name against all others, and of each name with its pictures:
//! CLIP's loss (Radford et al. 2021), except that a step's captions are not only those of its pictures, and all
//! pictures of a name are correct for it. Random choices depend only on the seed and the step, so an interrupted
//! training continues as if nothing had happened.

mod adamw;
mod canvas;
mod captions;
mod checkpoint;
mod compose;
mod curves;
mod entry;
mod log;
pub mod loss;
pub mod measure;
mod network;
mod recipe;
mod record;
mod set;

use std::path::{Path, PathBuf};
use std::time::Instant;

use neuronotes_core::digest::Digest;
use neuronotes_core::file::write_atomic;
use neuronotes_core::model::Precision;
use neuronotes_core::model::{Stage as Place, Tap};
use rand::SeedableRng as _;
use rand::seq::index;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use tch::{Device, Kind, Tensor};

use crate::clip::BatchNorm;
use crate::device::LIBTORCH;
use crate::encode::png;
use crate::failure::Failure;
use crate::monitor::{Monitor, Progress};
use adamw::AdamW;
use captions::Captions;
use checkpoint::Standing;
use compose::Composer;
pub use compose::{shown_picture, shown_word};
use entry::Entry;
use log::Log;
use loss::{contrast, kinship, unit};
use measure::{held_out, text_embeddings, trained, zero_shot};
use network::Network;
pub use recipe::Recipe;
pub use record::Record;
pub use set::{Drawing, Level, Name, Set};

/// Momentum of BatchNorm's running statistics in training, as in PyTorch.
const FOLLOWING: BatchNorm = BatchNorm::Training { momentum: 0.1 };
/// Number of batches from which they are computed at the end.
const SETTLING: u64 = 100;
/// Seconds between checkpoints.
const CHECKPOINT: f64 = 120.0;

/// The inputs of a training other than its recipe.
#[derive(Debug, Clone)]
pub struct Paths {
    /// The training set, a tar.
    pub set: PathBuf,
    /// The list of names.
    pub names: PathBuf,
    /// The folder for the checkpoint, the log and the weights.
    pub out: PathBuf,
}

/// Trains to the end, from a checkpoint if there is one. Returns the path of the weights.
///
/// # Errors
/// If the set cannot be read, the checkpoint is of another training, a file cannot be written, or it is cancelled;
/// the checkpoint is kept.
pub fn train(
    recipe: &Recipe,
    paths: &Paths,
    device: Device,
    every: u64,
    monitor: &mut dyn Monitor,
) -> Result<PathBuf, Failure> {
    let set = Set::open(&paths.set, &paths.names)?;
    let data = digest(&[&paths.set, &paths.names])?;
    let captions = Captions::new(&set.names, recipe.network.context as usize)?;
    let mut network = Network::new(recipe, captions.vocabulary.len() as u32, device);
    let mut optimiser = AdamW::new(&network.weights);
    let kept = paths.out.join("checkpoint.safetensors");
    let out = paths.out.join("model.safetensors");
    let found = checkpoint::load(&kept, recipe, &data, &mut network, &mut optimiser)?;
    let composer = Composer::new(&set, recipe.seed, recipe.together);
    let mut standing = match found {
        Some(standing) => standing,
        None => {
            centre(recipe, &composer, &captions, &mut network)?;
            Standing::default()
        }
    };
    let mut log = Log::open(&paths.out.join("log.jsonl"), standing.step)?;
    show(recipe, &composer, &paths.out)?;
    let (mut from, mut saved) = (Instant::now(), standing.seconds);
    while standing.step < recipe.steps {
        monitor.progress(&Progress {
            stage: "training",
            step: standing.step,
            total: recipe.steps,
            unit: "step",
            picture: None,
        });
        let side = recipe.stage(standing.step).side;
        network.resize(side, &mut [&mut optimiser.mean, &mut optimiser.square]);
        let loss = step(recipe, standing.step, &composer, &captions, &mut network, &mut optimiser)?;
        standing.losses.push(loss);
        standing.step += 1;
        standing.seconds += from.elapsed().as_secs_f64();
        from = Instant::now();
        let ends = standing.step == recipe.steps;
        if standing.step % every == 0 || ends {
            let loss = standing.losses.iter().sum::<f64>() / standing.losses.len() as f64;
            standing.losses.clear();
            if !loss.is_finite() {
                return Err(Failure::new(format!("the loss is {loss} at step {}", standing.step))
                    .hint("the training diverged: give the recipe a lower `rate`"));
            }
            log.add(&measured(recipe, &standing, loss, &set, &captions, &network)?)?;
        }
        let stopped = monitor.stopped();
        if standing.seconds - saved > CHECKPOINT || ends || stopped {
            checkpoint::save(&kept, recipe, &data, &standing, &network, &optimiser)?;
            if !ends {
                // The current weights can be inspected before the end.
                write(&network, &captions, &out)?;
                log.draw(&paths.out.join("curves.svg"))?;
            }
            saved = standing.seconds;
        }
        monitor.check()?;
    }
    settle(recipe, &composer, &network, monitor)?;
    let weights = write(&network, &captions, &out)?;
    log.draw(&paths.out.join("curves.svg"))?;
    let record = Record {
        weights,
        data,
        recipe: recipe.clone(),
        samples: standing.step * recipe.batch as u64,
        seconds: standing.seconds.round(),
        device: match device {
            Device::Cuda(number) => format!("cuda:{number}"),
            _ => "cpu".into(),
        },
        threads: tch::get_num_threads().unsigned_abs(),
        libtorch: LIBTORCH.into(),
    };
    record.write(&paths.out.join("run.json"))?;
    Ok(out)
}

/// Sets BatchNorm's statistics to the mean over many batches (Wu and Johnson 2021, "Rethinking Batch in BatchNorm",
/// section 3). Those from training reflect only its last ten batches or so, with changing weights. Earlier statistics
/// do not matter, so this can be repeated.
fn settle(
    recipe: &Recipe,
    composer: &Composer<'_>,
    network: &Network,
    monitor: &mut dyn Monitor,
) -> Result<(), Failure> {
    let stage = recipe.stage(recipe.steps);
    for batch in 0..SETTLING {
        monitor.check()?;
        monitor.progress(&Progress {
            stage: "computing BatchNorm's statistics",
            step: batch,
            total: SETTLING,
            unit: "batch",
            picture: None,
        });
        let first = (recipe.steps + batch) * recipe.batch as u64;
        let samples = (first..first + recipe.batch as u64).into_par_iter();
        let pixels: Vec<Vec<u8>> =
            samples.map(|number| composer.sample(number, stage).pixels).collect();
        let norm = BatchNorm::Training { momentum: 1.0 / (batch + 1) as f64 };
        let clip = network.clip(recipe.precision, norm)?;
        let _ = tch::no_grad(|| clip.encode_images(&clip.input(&pixels.concat(), recipe.batch)?))?;
    }
    Ok(())
}

/// Writes the current weights, and returns their BLAKE3 digest.
fn write(network: &Network, captions: &Captions, out: &Path) -> Result<String, Failure> {
    let bytes = network.file(&captions.vocabulary)?;
    write_atomic(out, &bytes)
        .map_err(|error| Failure::new(format!("{} cannot be written ({error})", out.display())))?;
    Ok(Digest::of(&bytes).hex())
}

/// Writes a picture of each stage's first samples, for people to inspect.
fn show(recipe: &Recipe, composer: &Composer<'_>, out: &Path) -> Result<(), Failure> {
    const ACROSS: u32 = 8;
    let failed = |why: String| Failure::new(format!("{} cannot be written ({why})", out.display()));
    let mut from = 0.0;
    for (i, stage) in (1..).zip(&recipe.stages) {
        let first = (from * recipe.steps as f64).ceil() as u64 * recipe.batch as u64;
        from = stage.until;
        let side = stage.side;
        let mut sheet = image::RgbImage::new(side * ACROSS, side * ACROSS);
        for place in 0..ACROSS * ACROSS {
            let pixels = composer.sample(first + u64::from(place), stage).pixels;
            if let Some(picture) = image::RgbImage::from_raw(side, side, pixels) {
                let (x, y) = (place % ACROSS * side, place / ACROSS * side);
                image::imageops::replace(&mut sheet, &picture, x.into(), y.into());
            }
        }
        let bytes = png(sheet.as_raw(), sheet.width(), sheet.height())?;
        write_atomic(&out.join(format!("stage-{i}.png")), &bytes)
            .map_err(|error| failed(error.to_string()))?;
    }
    Ok(())
}

/// BLAKE3 of files, one after another.
fn digest(files: &[&Path]) -> Result<String, Failure> {
    let mut hasher = blake3::Hasher::new();
    for file in files {
        hasher.update_mmap(file).map_err(|error| {
            Failure::new(format!("{} cannot be read ({error})", file.display()))
        })?;
    }
    Ok(hasher.finalize().to_hex().to_string())
}

/// Initialises a network so that embeddings have zero mean over the first batch and over all names.
fn centre(
    recipe: &Recipe,
    composer: &Composer<'_>,
    captions: &Captions,
    network: &mut Network,
) -> Result<(), Failure> {
    tch::no_grad(|| {
        let clip = network.clip(recipe.precision, FOLLOWING)?;
        let numbers = 0..recipe.batch as u64;
        let pixels: Vec<u8> =
            numbers.flat_map(|number| composer.sample(number, recipe.stage(0)).pixels).collect();
        let pictures = clip.encode_images(&clip.input(&pixels, recipe.batch)?)?; // [batch, embedding]
        let texts: Vec<Vec<u32>> =
            (0..captions.len()).map(|name| captions.plain(name).to_vec()).collect();
        let tokens = clip.tokens(&texts)?; // [names, t]
        let read = clip.read(&tokens, &[Place::Final])?;
        let read = read.get(Place::Final)?; // [names, t, c]
        let (n, _, c) = read.size3()?;
        let end = tokens.argmax(1, true).unsqueeze(-1).expand([n, 1, c], false); // [names, 1, c]
        let texts = read.gather(1, &end, false).squeeze_dim(1); // [names, c]
        let mean =
            |rows: &Tensor| rows.to_kind(Kind::Float).mean_dim([0i64].as_slice(), false, None);
        network.centre(&mean(&pictures), &mean(&texts));
        Ok(())
    })
}

/// Performs a step: a batch, its loss, and an update of the weights. Returns the loss.
fn step(
    recipe: &Recipe,
    number: u64,
    composer: &Composer<'_>,
    captions: &Captions,
    network: &mut Network,
    optimiser: &mut AdamW,
) -> Result<f64, Failure> {
    let stage = recipe.stage(number);
    let first = number * recipe.batch as u64;
    let samples: Vec<_> = (0..recipe.batch as u64)
        .into_par_iter()
        .map(|i| composer.sample(first + i, stage))
        .collect();
    let shown: Vec<usize> = samples.iter().map(|sample| sample.name).collect();
    let mut rng = ChaCha8Rng::seed_from_u64(recipe.seed);
    // Samples and their names have the lower half of all streams.
    rng.set_stream((1 << 63) | number);
    let names = asked(recipe.texts, captions.len(), &shown, &mut rng);
    let texts: Vec<Vec<u32>> =
        names.iter().map(|&name| captions.draw(name, &mut rng).to_vec()).collect();

    let clip = network.clip(recipe.precision, FOLLOWING)?;
    let pixels: Vec<u8> = samples.iter().flat_map(|sample| sample.pixels.iter().copied()).collect();
    let last = last_layer(recipe);
    let seen = clip.look(&clip.input(&pixels, samples.len())?, &[last, Place::Embedding])?;
    let pictures = unit(seen.get(Place::Embedding)?); // [batch, embedding]
    let texts = unit(&clip.encode_texts(&texts)?); // [texts, embedding]
    let logits = pictures.matmul(&texts.tr()) * network.steepness(); // [batch, texts]
    let column: Vec<i64> = shown
        .iter()
        .map(|name| names.binary_search(name).map(|place| place as i64))
        .collect::<Result<_, _>>()
        .map_err(|_| Failure::new("a picture's name is missing from the step"))?;
    let column = Tensor::from_slice(&column).to_device(logits.device()); // [batch]
    let named = contrast(&logits, &column);
    let loss = if recipe.kinship > 0.0 {
        named + recipe.kinship * kinship(seen.get(last)?, &column, recipe.temperature)
    } else {
        named
    };
    loss.backward();
    let gradient = network.gradient();
    optimiser.step(
        &mut network.weights,
        &gradient,
        recipe.rate(number),
        recipe.decay,
        network.decaying,
    );
    Ok(loss.double_value(&[]))
}

/// The names of a step, sorted: those of its pictures, and random others up to `count`, 0 for all.
fn asked(count: usize, all: usize, shown: &[usize], rng: &mut ChaCha8Rng) -> Vec<usize> {
    if count == 0 || count >= all {
        return (0..all).collect();
    }
    let mut names = shown.to_vec();
    names.sort_unstable();
    names.dedup();
    let missing = count.saturating_sub(names.len());
    let others: Vec<usize> = (0..all).filter(|name| names.binary_search(name).is_err()).collect();
    names.extend(
        index::sample(rng, others.len(), missing.min(others.len())).into_iter().map(|i| others[i]),
    );
    names.sort_unstable();
    names
}

/// The sum at the end of the last block, before its ReLU, whose units are examined.
fn last_layer(recipe: &Recipe) -> Place {
    Place::Bottleneck { stage: 4, block: recipe.network.blocks[3] - 1, tap: Tap::Add }
}

/// Evaluates the network on held-out samples.
fn measured(
    recipe: &Recipe,
    standing: &Standing,
    loss: f64,
    set: &Set,
    captions: &Captions,
    network: &Network,
) -> Result<Entry, Failure> {
    let side = network.architecture.image_size;
    // As it will be used, but for the precision of its weights.
    let precision = match recipe.precision {
        Precision::F16 => Precision::F32,
        other => other,
    };
    let clip = network.clip(precision, BatchNorm::Folded)?;
    let texts: Vec<Vec<u32>> =
        (0..set.names.len()).map(|name| captions.plain(name).to_vec()).collect();
    let texts = text_embeddings(&clip, &texts)?;
    let pixels = side as usize;
    let pictures: Vec<_> = held_out(&set.pictures, shown_picture, pixels).collect();
    let words: Vec<_> = held_out(&set.words, shown_word, pixels).collect();
    let count = set.names.len();
    let known_pictures: Vec<_> = trained(&set.pictures, count, shown_picture, pixels).collect();
    let known_words: Vec<_> = trained(&set.words, count, shown_word, pixels).collect();
    Ok(Entry {
        step: standing.step,
        samples: standing.step * recipe.batch as u64,
        seconds: standing.seconds.round(),
        side,
        rate: recipe.rate(standing.step),
        loss,
        pictures: zero_shot(&clip, &pictures, &texts)?,
        words: zero_shot(&clip, &words, &texts)?,
        trained_pictures: zero_shot(&clip, &known_pictures, &texts)?,
        trained_words: zero_shot(&clip, &known_words, &texts)?,
    })
}
