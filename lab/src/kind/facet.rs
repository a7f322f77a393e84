//! Measures `facet`: linear probes that tell two data sets apart at some layers, or published ones.
//!
//! A probe is logistic regression without a bias on all activations of a layer, positions told apart, both data sets
//! counting alike. With fewer images than activations its weights are a sum over images, so that Newton's method works on
//! one number an image; there is no learning rate and no chance in it. Weights are then brought to one root mean square,
//! since a `strength` has to mean the same at every layer and model; published ones are taken as they are.

use neuronotes_core::dataset::DatasetRef;
use neuronotes_core::digest::Digest;
use neuronotes_core::kind::facet::{Images, KIND, Outcome, Params, Probe, WEIGHTS};
use neuronotes_core::model::{Layer, Stage};
use neuronotes_core::store::{Record, Store};
use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};
use safetensors::{Dtype, tensor::TensorView};
use tch::{Kind, Tensor};

use super::params;
use crate::batch::Batch;
use crate::clip::Clip;
use crate::clip::preprocess::prepare;
use crate::failure::Failure;
use crate::fit::{logistic, numpy};
use crate::monitor::Progress;
use crate::table::no_number;
use crate::vis::facet::{Facet, read_facet};
use crate::workbench::{Used, Workbench};

/// Of so many images one is held out.
const HELD_OUT: usize = 5;
/// Most bytes of activations at once.
const MEMORY: usize = 4 << 30;
/// Root mean square of a trained probe's weights: such that a `strength` of 5, the article's, shows on Emoji-CLIP both
/// the unit and the facet. Published weights have the scale that they have.
const SIZE: f64 = 0.04;

impl Used for Facet {
    const KIND: &'static neuronotes_core::kind::Kind = &KIND;

    fn read(store: &Store, record: &Record, clip: &Clip) -> Result<Option<Self>, Failure> {
        read_facet(store, record, clip)
    }
}

pub(super) fn run(bench: &mut Workbench<'_>) -> Result<(), Failure> {
    let params: Params = params(bench, &KIND)?;
    let clip = bench.clip()?;
    let layers: Vec<Layer> =
        params.layers.iter().map(|name| clip.layer(name)).collect::<Result<_, _>>()?;
    let mut outcome = Outcome { images: Images { positive: 0, generic: 0 }, layers: Vec::new() };
    let mut weights = Vec::new();
    match (&params.positive, &params.generic, &params.weights) {
        (Some(positive), Some(generic), None) => {
            let sets = [bench.named_dataset(positive)?, bench.named_dataset(generic)?];
            // As many layers in one pass as memory holds.
            let mut rest = layers.as_slice();
            while !rest.is_empty() {
                let (now, later) = rest.split_at(in_one_pass(&clip, rest, params.most)?);
                let Activations { rows, counts } =
                    activations(bench, &clip, now, sets, params.most)?;
                outcome.images = Images { positive: counts[0] as u64, generic: counts[1] as u64 };
                for (layer, (rows, shape)) in now.iter().zip(rows) {
                    let trained = probe(&rows, counts, params.regularisation)?;
                    outcome.layers.push(described(layer, shape, trained.right)?);
                    weights.push(trained.weights.view(shape));
                }
                rest = later;
            }
        }
        (None, None, Some(digests)) if digests.len() == layers.len() => {
            for (layer, digest) in layers.iter().zip(digests) {
                let digest: Digest = digest.parse().map_err(Failure::new)?;
                let path = bench.file(digest)?;
                let read = numpy::read(&path).map_err(|why| {
                    Failure::new(format!("{} cannot be read ({why})", path.display())).hint(
                        "a facet's file is a NumPy array [C, H, W] or [1, C, H, W] of f4 or f8",
                    )
                })?;
                let shape = read.shape;
                if shape[0] != i64::from(layer.units) {
                    return Err(Failure::new(format!(
                        "{} has {} units, and `{}` has {}",
                        path.display(),
                        shape[0],
                        layer.name.canonical,
                        layer.units
                    )));
                }
                outcome.layers.push(described(layer, shape, None)?);
                weights.push(Tensor::from_slice(&read.numbers).view(shape));
            }
        }
        _ => return Err(Failure::new("a facet has either two data sets or weights")),
    }
    write(bench, &params.layers, &weights, &outcome)
}

fn described(
    layer: &Layer,
    [c, h, w]: [i64; 3],
    right: Option<[(u64, u64); 2]>,
) -> Result<Probe, Failure> {
    let side = |n: i64| u32::try_from(n).map_err(|_| Failure::new("a layer is too large"));
    Ok(Probe {
        layer: layer.name.canonical.clone(),
        shape: (side(c)?, side(h)?, side(w)?),
        positive: right.map(|right| right[0]),
        generic: right.map(|right| right[1]),
    })
}

fn write(
    bench: &mut Workbench<'_>,
    names: &[String],
    weights: &[Tensor],
    outcome: &Outcome,
) -> Result<(), Failure> {
    let broken = |error: &dyn std::fmt::Display| {
        Failure::new(format!("the weights cannot be written ({error})"))
    };
    let mut bytes = Vec::new();
    for weights in weights {
        let numbers: Vec<f32> = Vec::try_from(weights.contiguous().view(-1))?;
        bytes.push(numbers.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>());
    }
    let mut views = Vec::new();
    for ((name, weights), bytes) in names.iter().zip(weights).zip(&bytes) {
        let shape = weights.size().iter().map(|&n| n as usize).collect();
        let view = TensorView::new(Dtype::F32, shape, bytes).map_err(|e| broken(&e))?;
        views.push((name.as_str(), view));
    }
    let file = safetensors::serialize(views, None).map_err(|error| broken(&error))?;
    let store = &bench.store();
    bench.record.add_output(store, WEIGHTS, "application/octet-stream", &file)?;
    bench.record.set_result(store, outcome)?;
    Ok(())
}

/// Activations of two data sets' images.
struct Activations {
    /// For each layer `[images, c * h * w]` in single precision, the first data set's first, and `[c, h, w]`.
    rows: Vec<(Tensor, [i64; 3])>,
    /// Images of each data set.
    counts: [usize; 2],
}

/// How many of these layers' activations fit into memory together; at least one.
fn in_one_pass(clip: &Clip, layers: &[Layer], most: u32) -> Result<usize, Failure> {
    let side = clip.architecture.image_size as usize;
    let nothing = clip.input(&vec![0; side * side * 3], 1)?;
    let stages: Vec<Stage> = layers.iter().map(|layer| layer.stage).collect();
    let found = tch::no_grad(|| clip.look(&nothing, &stages))?;
    let mut bytes = 0;
    for (at, stage) in stages.iter().enumerate() {
        bytes += found.get(*stage)?.numel() * 2 * most as usize * 4;
        if bytes > MEMORY && at > 0 {
            return Ok(at);
        }
    }
    Ok(layers.len())
}

fn activations(
    bench: &mut Workbench<'_>,
    clip: &Clip,
    layers: &[Layer],
    sets: [&DatasetRef; 2],
    most: u32,
) -> Result<Activations, Failure> {
    let side = clip.architecture.image_size;
    let stages: Vec<Stage> = layers.iter().map(|layer| layer.stage).collect();
    let mut found: Vec<(Vec<Tensor>, [i64; 3])> = layers.iter().map(|_| (vec![], [0; 3])).collect();
    let mut counts = [0, 0];
    for (count, set) in counts.iter_mut().zip(sets) {
        let shards = (0..set.shards.len()).map(|index| bench.shard_of(set, index));
        let shards = shards.collect::<Result<Vec<_>, _>>()?;
        let all: Vec<(usize, usize)> = shards
            .iter()
            .enumerate()
            .flat_map(|(shard, open)| (0..open.samples().len()).map(move |row| (shard, row)))
            .collect();
        let chosen = spaced(all.len(), most as usize);
        let stage = format!("looking at {}", set.name);
        Batch::on(clip.device).halved(bench.monitor.halves()).run(chosen.len(), |range| {
            bench.monitor.check()?;
            let shown: Vec<(usize, Vec<u8>)> = chosen[range.clone()]
                .par_iter()
                .filter_map(|&at| {
                    let (shard, row) = all[at];
                    // One that cannot be read is left out; a scan of the data set says which.
                    let picture = shards[shard].picture(row);
                    let pixels = picture.and_then(|picture| prepare(picture, side)).ok()?;
                    Some((at, pixels.into_raw()))
                })
                .collect();
            if !shown.is_empty() {
                let pixels: Vec<&[u8]> = shown.iter().map(|(_, pixels)| &**pixels).collect();
                let input = clip.input(&pixels.concat(), shown.len())?;
                let maps = tch::no_grad(|| clip.look(&input, &stages))?;
                let mut rows = Vec::new();
                for layer in layers {
                    let map = maps.get(layer.stage)?;
                    let [_, c, h, w] = map.size()[..] else {
                        let name = &layer.name.canonical;
                        return Err(Failure::new(format!("`{name}` has no rows and columns"))
                            .hint("a facet's layers are maps: outputs of a ResNet's blocks"));
                    };
                    if let Some((image, unit, number)) = no_number_in(map)? {
                        let (shard, row) = all[shown[image].0];
                        let what = format!("unit {unit} of `{}`", layer.name.canonical);
                        let key = &shards[shard].samples()[row].key;
                        return Err(no_number(&what, key, number));
                    }
                    let flat = map.contiguous().view([shown.len() as i64, -1]);
                    rows.push((flat.to_kind(Kind::Float), [c, h, w]));
                }
                for (found, (rows, shape)) in found.iter_mut().zip(rows) {
                    found.0.push(rows);
                    found.1 = shape;
                }
                *count += shown.len();
            }
            bench.monitor.progress(&Progress {
                stage: &stage,
                step: range.end as u64,
                total: chosen.len() as u64,
                unit: "image",
                picture: None,
            });
            Ok(())
        })?;
        if *count < 2 * HELD_OUT {
            let message = format!("`{}` has {count} images that can be read", set.name);
            return Err(Failure::new(message).hint("a facet needs at least ten of each data set"));
        }
    }
    let rows = found.into_iter().map(|(rows, shape)| (Tensor::cat(&rows, 0), shape)).collect();
    Ok(Activations { rows, counts })
}

/// The first image and unit of maps, `[n, c, h, w]`, where there is what is no number, and that.
fn no_number_in(maps: &Tensor) -> Result<Option<(usize, u32, f64)>, Failure> {
    if maps.isfinite().all().int64_value(&[]) == 1 {
        return Ok(None);
    }
    let place: Vec<i64> = Vec::try_from(maps.isfinite().logical_not().nonzero().get(0))?;
    let [image, unit, y, x] = place[..] else {
        return Err(Failure::new("activations have no rows and columns"));
    };
    let number = maps.double_value(&[image, unit, y, x]);
    Ok(Some((image as usize, u32::try_from(unit).unwrap_or_default(), number)))
}

/// At most `most` of `0..count`, evenly spaced.
fn spaced(count: usize, most: usize) -> Vec<usize> {
    let chosen = count.min(most);
    (0..chosen).map(|at| at * count / chosen).collect()
}

/// A trained probe.
struct Trained {
    /// `[c * h * w]`.
    weights: Tensor,
    /// Held-out images told apart rightly, and all that were held out; the first data set's and the second's.
    right: Option<[(u64, u64); 2]>,
}

fn probe(rows: &Tensor, counts: [usize; 2], regularisation: f64) -> Result<Trained, Failure> {
    let total = counts[0] + counts[1];
    let positive = |at: usize| at < counts[0];
    let (held, kept): (Vec<usize>, Vec<usize>) =
        (0..total).partition(|at| at % HELD_OUT == HELD_OUT - 1);
    let take = |places: &[usize]| {
        let places: Vec<i64> = places.iter().map(|&at| at as i64).collect();
        rows.index_select(0, &Tensor::from_slice(&places).to_device(rows.device()))
    };
    tch::no_grad(|| {
        let training = take(&kept); // [kept, d]
        let products = training.matmul(&training.tr()).to_kind(Kind::Double); // [kept, kept]
        let labels: Vec<bool> = kept.iter().map(|&at| positive(at)).collect();
        let shares = logistic::fit(&products, &labels, regularisation)?;
        let shares = shares.to_kind(Kind::Float).to_device(rows.device()); // [kept]
        let weights = training.tr().mv(&shares); // [d]
        let size = weights.square().mean(Kind::Double).sqrt().double_value(&[]);
        if !(size.is_finite() && size > 0.0) {
            return Err(Failure::new("the two data sets are not told apart by anything"));
        }
        let weights = weights * (SIZE / size);
        let scores: Vec<f64> = Vec::try_from(take(&held).mv(&weights).to_kind(Kind::Double))?;
        let mut right = [(0, 0), (0, 0)];
        for (&at, score) in held.iter().zip(scores) {
            let of = &mut right[usize::from(!positive(at))];
            of.0 += u64::from((score > 0.0) == positive(at));
            of.1 += 1;
        }
        Ok(Trained { weights, right: Some(right) })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::Device;

    #[test]
    fn a_probe_finds_what_tells_two_sets_apart() {
        // Images of four numbers: the third is higher in the first set, the others say nothing.
        let row = |at: usize| {
            let first = if at < 40 { 1.0 } else { -1.0 };
            [(at % 3) as f32 - 1.0, (at % 5) as f32 - 2.0, first + (at % 7) as f32 / 7.0 - 0.4, 0.1]
        };
        let numbers: Vec<f32> = (0..100).flat_map(row).collect();
        let rows = Tensor::from_slice(&numbers).view([100, 4]).to_device(Device::Cpu);
        let trained = probe(&rows, [40, 60], 1e-3).expect("a probe");
        let weights: Vec<f32> = Vec::try_from(&trained.weights).expect("four weights");
        let size = SIZE as f32;
        assert!(weights[2] > 1.9 * size && weights[0].abs() < 0.4 * size, "{weights:?}");
        let square = weights.iter().map(|w| w * w).sum::<f32>() / 4.0;
        assert!((square.sqrt() / size - 1.0).abs() < 1e-4);
        assert_eq!(trained.right, Some([(8, 8), (12, 12)]));
    }

    #[test]
    fn what_is_no_number_is_found_with_its_image_and_unit() {
        let maps = Tensor::zeros([3, 4, 2, 2], (Kind::Float, Device::Cpu));
        assert_eq!(no_number_in(&maps), Ok(None));
        let _ = maps.get(2).get(1).get(1).fill_(f64::INFINITY);
        assert_eq!(no_number_in(&maps), Ok(Some((2, 1, f64::INFINITY))));
    }

    #[test]
    fn images_are_evenly_spaced() {
        assert_eq!(spaced(3, 10), [0, 1, 2]);
        assert_eq!(spaced(10, 4), [0, 2, 5, 7]);
        assert!(spaced(0, 4).is_empty());
    }
}
