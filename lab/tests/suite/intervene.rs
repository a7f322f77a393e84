//! Interventions on units, directions and heads, against NumPy (`tests/reference/ablate.py`), against weights that are gone, and
//! in a pass over pictures.

use std::collections::{BTreeMap, HashMap};

use neuronotes_core::model::{BlockTap, Conventions, Stage};
use neuronotes_lab::clip::activations::arranged;
use neuronotes_lab::clip::intervene::{Change, Coordinates, Intervention, beside};
use neuronotes_lab::clip::{BatchNorm, Clip, Loading};
use neuronotes_lab::monitor::Silent;
use neuronotes_lab::pass::{Pass, Variants};
use neuronotes_lab::picture::Picture;
use tch::{Device, Kind, Tensor};

use crate::support::{golden, picture, relative_error, small_clip, tensors};

const CPU: Device = Device::Cpu;
/// Channels of a head in both small networks.
const WIDTH: u32 = 64;

fn loading() -> Loading {
    Loading { norm: BatchNorm::Apart, ..Loading::new(CPU, Conventions::default()) }
}

fn whole(network: &str) -> Clip {
    Clip::load(&golden(network).join("weights.safetensors"), loading()).expect("a model")
}

fn pixels(network: &str) -> Tensor {
    tensors(&format!("{network}/activations.safetensors")).remove("pixels").expect("pixels")
}

fn stage(clip: &Clip, layer: &str) -> Stage {
    clip.layer(layer).expect("a layer").stage
}

/// The embeddings with an activation changed.
fn embeddings(
    clip: &Clip,
    pixels: &Tensor,
    stage: Stage,
    changed: &dyn Fn(&Tensor) -> Tensor,
) -> Tensor {
    let wanted = [Stage::Embedding];
    let mut replace = |x: &Tensor| Ok(changed(x));
    let found = clip.look_replacing(pixels, &wanted, stage, &mut replace).expect("embeddings");
    found.get(Stage::Embedding).expect("embeddings").shallow_clone()
}

fn with(clip: &Clip, pixels: &Tensor, stage: Stage, change: &Intervention) -> Tensor {
    embeddings(clip, pixels, stage, &|x| change.apply(x).expect("an activation"))
}

fn change(at: Coordinates, change: Change) -> Intervention {
    Intervention::new(at, change).expect("a change")
}

fn values(values: &[f32]) -> Tensor {
    Tensor::from_slice(values)
}

/// What the reference calls each change of units and directions.
fn known(name: &str, units: u32, directions: &[Vec<f64>; 2]) -> Intervention {
    let some = || Coordinates::units(&[3, 40, 100], units, CPU).expect("units");
    let first = || Coordinates::directions(&directions[..1], CPU).expect("a direction");
    match name {
        "zero" => change(some(), Change::Set(values(&[0.0; 3]))),
        "set" => change(some(), Change::Set(values(&[0.5, -1.0, 2.0]))),
        "shift" => change(some(), Change::Shift(values(&[0.5, -1.0, 2.0]))),
        "out" => change(first(), Change::Scale(0.0)),
        "out_both" => {
            let both = Coordinates::directions(directions, CPU).expect("directions");
            change(both, Change::Scale(0.0))
        }
        "along" => change(first(), Change::Shift(values(&[3.0]))),
        "to" => change(first(), Change::Set(values(&[3.0]))),
        "elsewhere" => {
            let second = Coordinates::directions(&directions[1..], CPU).expect("a direction");
            change(first(), Change::Scale(0.0)).elsewhere(second).expect("a control")
        }
        other => panic!("no change {other}"),
    }
}

#[test]
fn embeddings_under_interventions_equal_numpys() {
    let file = tensors("ablate.safetensors");
    for (network, layer, at) in [
        ("clip_resnet", "visual.layer4.0.add", Stage::Pooled),
        (
            "clip_vit",
            "visual.transformer.resblocks.0",
            Stage::Residual { block: 1, tap: BlockTap::Heads },
        ),
    ] {
        let of = |name: &str| file[&format!("{network}.{name}")].to_kind(Kind::Float);
        let directions = ["first", "second"]
            .map(|name| Vec::<f64>::try_from(of(name).to_kind(Kind::Double)).expect("a direction"));
        let (clip, pixels) = (whole(network), pixels(network));
        let layer = clip.layer(layer).expect("a layer");
        let plain = clip.encode_images(&pixels).expect("embeddings");
        let check = |name: &str, stage: Stage, change: &Intervention| {
            let found = with(&clip, &pixels, stage, change);
            let error = relative_error(&found, &of(name));
            assert!(error < 1e-5, "{network} {name}: {error}");
            assert!(relative_error(&plain, &of(name)) > 0.02, "{network} {name} does something");
        };
        for name in ["zero", "set", "shift", "out", "out_both", "along", "to", "elsewhere"] {
            check(name, layer.stage, &known(name, layer.units, &directions));
        }
        let width = i64::from(WIDTH);
        let means = of("means"); // [c], or [p, c]
        let count = *means.size().last().expect("a size") as u32 / WIDTH;
        let head = |head| Coordinates::heads(&[head], count, WIDTH, CPU).expect("a head");
        check("head_zero", at, &change(head(1), Change::Scale(0.0)));
        check("head_half", at, &change(head(0), Change::Scale(0.5)));
        let mean = means.narrow(-1, 0, width);
        check("head_mean", at, &change(head(0), Change::Set(mean)));
    }
}

/// A network whose weights of that name read nothing from some of their inputs, the second dimension.
fn without_columns(network: &str, name: &str, columns: std::ops::Range<i64>) -> Clip {
    let read: HashMap<String, Tensor> = tensors(&format!("{network}/weights.safetensors"));
    let all: BTreeMap<String, Tensor> = read.into_iter().collect();
    let (start, length) = (columns.start, columns.end - columns.start);
    let _ = all[name].narrow(1, start, length).fill_(0.0);
    Clip::of(&all, whole(network).architecture, loading()).expect("a model")
}

#[test]
fn a_unit_or_a_head_of_zero_is_one_that_nothing_above_reads() {
    let block = "visual.transformer.resblocks.0";
    for (network, layer, weights, above) in [
        (
            "clip_resnet",
            "visual.layer3.0.avgpool",
            "visual.layer3.0.conv3.weight",
            "visual.layer3.0.add",
        ),
        ("clip_vit", &format!("{block}.mlp.gelu"), &format!("{block}.mlp.c_proj.weight"), block),
    ] {
        let (clip, pixels) = (whole(network), pixels(network));
        let (there, above) = (clip.layer(layer).expect("a layer"), stage(&clip, above));
        let plain = clip.look(&pixels, &[there.stage, above]).expect("activations");
        let active = arranged(plain.get(there.stage).expect("an activation"));
        let active = active.abs().sum_dim_intlist([0i64, 2].as_slice(), false, Kind::Float);
        let unit = active.argmax(None, false).int64_value(&[]);
        let one = Coordinates::units(&[unit as u32], there.units, CPU).expect("a unit");
        let change = change(one, Change::Set(values(&[0.0])));
        let mut replace = |x: &Tensor| change.apply(x);
        let found = clip.look_replacing(&pixels, &[above], there.stage, &mut replace);
        let found = found.expect("activations");
        let found = found.get(above).expect("an activation");
        let gone = without_columns(network, weights, unit..unit + 1);
        let expected = gone.look(&pixels, &[above]).expect("activations");
        let expected = expected.get(above).expect("an activation");
        assert!(relative_error(found, expected) < 1e-6, "{network}");
        let plain = plain.get(above).expect("an activation");
        assert!(relative_error(plain, expected) > 1e-3, "{network}: the unit does something");
    }
    for (network, weights, heads, at) in [
        ("clip_resnet", "visual.attnpool.c_proj.weight", 4, Stage::Pooled),
        (
            "clip_vit",
            &format!("{block}.attn.out_proj.weight"),
            2,
            Stage::Residual { block: 0, tap: BlockTap::Heads },
        ),
    ] {
        let (clip, pixels) = (whole(network), pixels(network));
        let last = Coordinates::heads(&[heads - 1], heads, WIDTH, CPU).expect("a head");
        let found = with(&clip, &pixels, at, &change(last, Change::Scale(0.0)));
        let columns = i64::from((heads - 1) * WIDTH)..i64::from(heads * WIDTH);
        let gone = without_columns(network, weights, columns);
        let expected = gone.encode_images(&pixels).expect("embeddings");
        assert!(relative_error(&found, &expected) < 1e-6, "{network}");
    }
}

#[test]
fn a_unit_that_is_shifted_is_a_bias_more() {
    let (network, name) = ("clip_vit", "visual.transformer.resblocks.0.mlp.c_proj.bias");
    let read = tensors(&format!("{network}/weights.safetensors")).into_iter();
    // In single precision, since a sum in half precision is rounded.
    let single = read.map(|(name, tensor)| (name, tensor.to_kind(Kind::Float)));
    let all: BTreeMap<String, Tensor> = single.collect();
    let _ = all[name].narrow(0, 9, 1).g_add_(&values(&[0.75]));
    let clip = whole(network);
    let shifted = Clip::of(&all, clip.architecture.clone(), loading()).expect("a model");
    let pixels = pixels(network);
    let at = stage(&clip, "visual.transformer.resblocks.0.mlp.c_proj");
    let one = Coordinates::units(&[9], 128, CPU).expect("a unit");
    let found = with(&clip, &pixels, at, &change(one, Change::Shift(values(&[0.75]))));
    let expected = shifted.encode_images(&pixels).expect("embeddings");
    assert!(relative_error(&found, &expected) < 1e-6);
}

#[test]
fn a_pass_shows_each_picture_with_all_its_variants_in_batches_of_any_size() {
    let clip = small_clip();
    let pictures: Vec<Picture> = (0..11).map(|seed| Picture::from(picture(seed, 80, 72))).collect();
    let at = clip.layer("visual.layer4.0").expect("a layer");
    let changes: Vec<Intervention> = (0..20)
        .map(|unit| Coordinates::units(&[unit * 3], at.units, CPU).expect("a unit"))
        .map(|unit| change(unit, Change::Set(values(&[2.0]))))
        .collect();
    let make = |x: &Tensor| beside(x, &changes);
    let variants = Variants { stage: at.stage, count: 1 + changes.len(), make: &make };
    let wanted = [Stage::Embedding];
    let run = |one_by_one: bool| {
        let mut all: Vec<Vec<Tensor>> = (0..variants.count).map(|_| vec![]).collect();
        let mut batches = Vec::new();
        let pass = Pass {
            one_by_one,
            variants: Some(&variants),
            ..Pass::new(&clip, &wanted, "looking at pictures")
        };
        let skipped = pass.run(&pictures[..], &mut Silent, |places, found| {
            batches.push(places.len());
            let found = found.get(Stage::Embedding)?;
            let n = places.len() as i64;
            assert_eq!(found.size()[0], n * variants.count as i64);
            for (at, rows) in all.iter_mut().enumerate() {
                rows.push(found.narrow(0, at as i64 * n, n).copy());
            }
            Ok(())
        });
        assert!(skipped.expect("a pass").is_empty());
        let whole: Vec<Tensor> = all.iter().map(|rows| Tensor::cat(rows, 0)).collect();
        (Tensor::stack(&whole, 0), batches)
    };
    let ((together, batches), (alone, ones)) = (run(false), run(true));
    // 128 rows above the stage: six pictures with 21 variants.
    assert_eq!(batches, [6, 5]);
    assert_eq!(ones, [1; 11]);
    assert!(relative_error(&together, &alone) < 1e-6);
    let mut plain = Vec::new();
    Pass::new(&clip, &wanted, "looking at pictures")
        .run_all(&pictures[..], &mut Silent, |_, found| {
            plain.push(found.get(Stage::Embedding)?.copy());
            Ok(())
        })
        .expect("embeddings");
    assert!(relative_error(&together.get(0), &Tensor::cat(&plain, 0)) < 1e-6);
}
