//! Measures `facet`: linear probes that tell two data sets apart at some layers, or published probes.
//!
//! A probe is a logistic regression without a bias on all activations of a layer, with separate weights for each position
//! and equal weight for both data sets. With fewer images than activations its weights are a sum over images, so Newton's
//! method has one variable per image, and needs no learning rate and no random numbers. Weights are then scaled to one root
//! mean square, so that a `strength` means the same at every layer and model; published weights are not scaled.

use neuronotes_core::dataset::DatasetRef;
use neuronotes_core::digest::Digest;
use neuronotes_core::kind::facet::{Images, KIND, Outcome, Params, Probe, WEIGHTS};
use neuronotes_core::model::{Layer, Stage};
use neuronotes_core::store::{Record, Store};
use safetensors::{Dtype, tensor::TensorView};
use tch::{Kind, Tensor};

use crate::clip::Clip;
use crate::dataset::Shard;
use crate::failure::Failure;
use crate::fit::{logistic, numpy};
use crate::pass::Pass;
use crate::table::not_finite;
use crate::vis::facet::{Facet, read_facet};
use crate::workbench::{Used, Workbench};

/// One of this many images is held out.
const HELD_OUT: usize = 5;
/// The most bytes of activations at once.
const MEMORY: usize = 4 << 30;
/// Root mean square of a trained probe's weights, chosen so that a `strength` of 5, as in the article, shows both the unit
/// and the facet on Emoji-CLIP.
const SIZE: f64 = 0.04;

impl Used for Facet {
    const KIND: &'static neuronotes_core::kind::Kind = &KIND;

    fn read(store: &Store, record: &Record, clip: &Clip) -> Result<Option<Self>, Failure> {
        read_facet(store, record, clip)
    }
}

pub(crate) fn run(bench: &mut Workbench<'_>) -> Result<(), Failure> {
    let params: Params = bench.params()?;
    let names: Vec<&str> = params.layers.iter().map(String::as_str).collect();
    let clip = bench.clip(&names)?;
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
        _ => return Err(Failure::new("a facet needs either two data sets or weights")),
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
    let store = bench.store();
    bench.record.add_output(store, WEIGHTS, "application/octet-stream", &file)?;
    bench.record.set_result(store, outcome)?;
    Ok(())
}

/// Activations of two data sets' images.
struct Activations {
    /// For each layer `[images, c * h * w]` in single precision, those of the first data set first, and `[c, h, w]`.
    rows: Vec<(Tensor, [i64; 3])>,
    /// Images of each data set.
    counts: [usize; 2],
}

/// The number of these layers, from the first, whose activations fit into memory together; at least one.
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
    let stages: Vec<Stage> = layers.iter().map(|layer| layer.stage).collect();
    let mut found: Vec<(Vec<Tensor>, [i64; 3])> = layers.iter().map(|_| (vec![], [0; 3])).collect();
    let mut counts = [0, 0];
    for (count, set) in counts.iter_mut().zip(sets) {
        let shards = (0..set.shards.len()).map(|index| bench.shard(set, index));
        let shards = shards.collect::<Result<Vec<_>, _>>()?;
        let all: Vec<(usize, usize)> = shards
            .iter()
            .enumerate()
            .flat_map(|(shard, open)| (0..open.samples().len()).map(move |row| (shard, row)))
            .collect();
        let chosen = spaced(all.len(), most as usize);
        let pictures: Vec<(&dyn Shard, usize)> =
            chosen.iter().map(|&at| (shards[all[at].0].as_ref(), all[at].1)).collect();
        let title = format!("looking at {}", set.name);
        // A picture that cannot be read is left out; a scan of the data set says which.
        Pass::new(clip, &stages, &title).run(&pictures[..], bench.monitor, |shown, maps| {
            let mut rows = Vec::new();
            for layer in layers {
                let map = maps.get(layer.stage)?;
                let [_, c, h, w] = map.size()[..] else {
                    let name = &layer.name.canonical;
                    return Err(Failure::new(format!("`{name}` has no rows and columns"))
                        .hint("a facet's layers are maps: outputs of a ResNet's blocks"));
                };
                if let Some((image, unit, number)) = not_finite_in(map)? {
                    let (shard, row) = pictures[shown[image]];
                    let what = format!("unit {unit} of `{}`", layer.name.canonical);
                    return Err(not_finite(&what, &shard.samples()[row].key, number));
                }
                let flat = map.contiguous().view([shown.len() as i64, -1]);
                rows.push((flat.to_kind(Kind::Float), [c, h, w]));
            }
            for (found, (rows, shape)) in found.iter_mut().zip(rows) {
                found.0.push(rows);
                found.1 = shape;
            }
            *count += shown.len();
            Ok(())
        })?;
        if *count < 2 * HELD_OUT {
            let message = format!("`{}` has only {count} readable images", set.name);
            return Err(Failure::new(message).hint("a facet needs at least ten of each data set"));
        }
    }
    let rows = found.into_iter().map(|(rows, shape)| (Tensor::cat(&rows, 0), shape)).collect();
    Ok(Activations { rows, counts })
}

/// The first image and unit of maps, `[n, c, h, w]`, that are NaN or infinite, and that number.
fn not_finite_in(maps: &Tensor) -> Result<Option<(usize, u32, f64)>, Failure> {
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
    /// The number of held-out images that are classified correctly, and of all held-out images, for each data set.
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
            return Err(Failure::new("no activation distinguishes the two data sets"));
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
    fn what_is_not_finite_is_found_with_its_image_and_unit() {
        let maps = Tensor::zeros([3, 4, 2, 2], (Kind::Float, Device::Cpu));
        assert_eq!(not_finite_in(&maps), Ok(None));
        let _ = maps.get(2).get(1).get(1).fill_(f64::INFINITY);
        assert_eq!(not_finite_in(&maps), Ok(Some((2, 1, f64::INFINITY))));
    }

    #[test]
    fn images_are_evenly_spaced() {
        assert_eq!(spaced(3, 10), [0, 1, 2]);
        assert_eq!(spaced(10, 4), [0, 2, 5, 7]);
        assert!(spaced(0, 4).is_empty());
    }
}
