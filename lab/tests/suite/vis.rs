//! The optimisation loop.

use std::collections::BTreeMap;

use neuronotes_core::kind::feature_vis::{
    Objective, Parametrisation, Params, Sign, Start, Transforms,
};
use neuronotes_lab::clip::Clip;
use neuronotes_lab::failure::Failure;
use neuronotes_lab::vis::adam::Adam;
use neuronotes_lab::vis::facet::Facet;
use neuronotes_lab::vis::job::Job;
use neuronotes_lab::vis::objective::{Aim, Place, Target};
use neuronotes_lab::vis::optimise::step::Slope;
use neuronotes_lab::vis::optimise::{Optimised, Picture, optimise};
use neuronotes_lab::vis::param::Canvas;
use neuronotes_lab::vis::transform::Draws;
use neuronotes_lab::vis::{Purpose, chance};
use tch::{Device, Kind, Tensor};

use crate::support::{emoji_weights, golden, load, small_clip};

const LAST: &str = "visual.layer4.0.add";

fn params() -> Params {
    Params {
        layer: neuronotes_core::model::Place::Layer(LAST.to_owned()),
        unit: None,
        direction: None,
        image: None,
        facet: None,
        objective: Objective::Channel,
        sign: Sign::Positive,
        cosine_power: 0.0,
        start: Start::Noise,
        parametrisation: Parametrisation::Fourier,
        size: 48,
        steps: 30,
        learning_rate: 0.05,
        transforms: Transforms::Lucid,
        redirect: 16,
        images: 1,
        diversity: 1.0,
        strength: 5.0,
        penalty: 0.0,
        frames: 0,
        seed: 0,
        shuffle: None,
    }
}

fn target(clip: &Clip, layer: &str, aim: Aim) -> Target {
    let stage = clip.architecture.layer(layer).expect("a layer").stage;
    Target { stage, aim, sign: 1.0, cosine_power: 0.0 }
}

fn of_unit(clip: &Clip, layer: &str, unit: u32, place: Place) -> Job {
    Job { target: target(clip, layer, Aim::Unit(unit, place)), start: None }
}

fn unit(clip: &Clip, layer: &str) -> Job {
    of_unit(clip, layer, 3, Place::Everywhere)
}

fn made(clip: &Clip, jobs: &[Job], facet: Option<&Facet>, params: &Params) -> Vec<Optimised> {
    let all = optimise(clip, jobs, facet, params, false, &mut |_, _| Ok(()));
    all.into_iter().map(|made| made.expect("a picture")).collect()
}

fn make(clip: &Clip, job: Job, params: &Params) -> Picture {
    made(clip, &[job], None, params).remove(0).pictures.remove(0)
}

/// A facet of random weights at two layers of the small network.
fn facet(clip: &Clip) -> Facet {
    let probe = |layer: &str, side: i64, seed| {
        let layer = clip.architecture.layer(layer).expect("a layer");
        tch::manual_seed(seed);
        let units = i64::from(layer.units);
        (layer.stage, Tensor::randn([1, units, side, side], (Kind::Float, Device::Cpu)))
    };
    Facet { probes: vec![probe("visual.layer2.1", 8, 1), probe("visual.layer3.0", 4, 2)] }
}

fn waves(size: i64) -> Tensor {
    let row = (Tensor::arange(size, (Kind::Float, Device::Cpu)) * 0.4).sin() * 0.4 + 0.5;
    (row.view([1, 1, size, 1]) * row.view([1, 1, 1, size])).expand([1, 3, size, size], false).copy()
}

#[test]
fn thirty_steps_raise_the_objective_at_every_depth() {
    let clip = small_clip();
    for layer in
        ["visual.relu2", "visual.layer2.1.relu2", LAST, "visual.layer3.0", "visual.attnpool"]
    {
        for place in [Place::Everywhere, Place::Centre] {
            // Random weights leave some units of a ReLU silent whatever they see.
            let once = Params { steps: 1, ..params() };
            let mut units = (0..4).filter(|&unit| {
                let made = make(&clip, of_unit(&clip, layer, unit, place), &once);
                made.activation_at_start != 0.0
            });
            let unit = units.next().expect("a unit that is not silent on noise");
            let made = make(&clip, of_unit(&clip, layer, unit, place), &params());
            assert!(
                made.activation > made.activation_at_start,
                "{layer} {place:?}: {} → {}",
                made.activation_at_start,
                made.activation
            );
            assert_eq!(made.values.len(), 30);
            assert_eq!(made.pixels.len(), 48 * 48 * 3);
        }
    }
}

#[test]
fn thirty_steps_raise_every_objective_in_every_parametrisation_under_every_disturbance() {
    let clip = load(&emoji_weights());
    let units = clip.architecture.layer(LAST).expect("a layer").units;
    let direction: Vec<f32> =
        (0..units).map(|unit| if unit % 7 == 0 { 0.1 } else { 0.0 }).collect();
    let aims: BTreeMap<&str, fn(&[f32]) -> Aim> = BTreeMap::from([
        ("unit", (|_| Aim::Unit(643, Place::Everywhere)) as fn(&[f32]) -> Aim),
        ("neuron", |_| Aim::Unit(643, Place::Centre)),
        ("direction", |row| Aim::Direction(Tensor::from_slice(row), Place::Everywhere)),
        ("layer", |_| Aim::Layer),
        ("caricature", |_| Aim::Image(waves(48))),
    ]);
    for (name, aim) in &aims {
        for (sign, cosine_power) in [(1.0, 0.0), (-1.0, 0.0), (1.0, 2.0)] {
            let target = Target { sign, cosine_power, ..target(&clip, LAST, aim(&direction)) };
            let made = make(&clip, Job { target, start: None }, &params());
            let rise = (made.activation - made.activation_at_start) * sign;
            assert!(rise > 0.0, "{name} {sign} {cosine_power}: {rise}");
        }
    }
    for parametrisation in
        [Parametrisation::Fourier, Parametrisation::Maco, Parametrisation::Pixels]
    {
        for transforms in
            [Transforms::Lucid, Transforms::Paper, Transforms::Crops, Transforms::None]
        {
            // Ten crops of four pixels leave little of a smaller picture.
            let params =
                Params { parametrisation, transforms, size: 112, learning_rate: 0.1, ..params() };
            let made = make(&clip, of_unit(&clip, LAST, 643, Place::Everywhere), &params);
            let rise = made.activation - made.activation_at_start;
            assert!(rise > 0.0, "{parametrisation:?} {transforms:?}: {rise}");
        }
    }
}

#[test]
fn a_transformers_units_are_raised_too() {
    let clip = load(&golden("clip_vit/weights.safetensors"));
    for layer in [
        "visual.conv1",
        "visual.ln_pre",
        "visual.transformer.resblocks.0.attn",
        "visual.transformer.resblocks.1.mlp.gelu",
        "visual.transformer.resblocks.1",
        "visual.proj",
    ] {
        for place in [Place::Everywhere, Place::Centre] {
            // The picture is larger than what the network looks at.
            let made = make(&clip, of_unit(&clip, layer, 3, place), &params());
            assert!(made.activation > made.activation_at_start, "{layer} {place:?}: {made:?}");
        }
    }
}

#[test]
fn thirty_steps_raise_a_real_unit_well_above_noise() {
    let clip = load(&emoji_weights());
    let job = unit(&clip, "image_block_4/0/Add_6");
    let made = make(&clip, job, &Params { size: 64, ..params() });
    assert!(made.activation > made.activation_at_start + 0.3, "{:?}", made.values);
}

/// The gradient that steps follow, against differences of what they minimise.
#[test]
fn gradients_are_the_slopes_of_the_objective() {
    let clip = load(&emoji_weights());
    for parametrisation in
        [Parametrisation::Fourier, Parametrisation::Maco, Parametrisation::Pixels]
    {
        for (transforms, layer) in
            [(Transforms::Lucid, "visual.relu2"), (Transforms::Crops, "visual.layer1.0.add")]
        {
            let params = Params { parametrisation, transforms, redirect: 0, ..params() };
            let canvas = Canvas::new(parametrisation, 48, Device::Cpu);
            let draws = chance(1, Purpose::Transforms);
            let draws = Draws::random(transforms, 1, (48, 64), Device::Cpu, &mut { draws });
            let slope = Slope::new(&clip, (&canvas, &draws), None, &params);
            let job = Job { target: target(&clip, layer, Aim::Layer), start: None };
            // Of some contrast; phases have all of theirs.
            let contrast = if parametrisation == Parametrisation::Maco { 1.0 } else { 30.0 };
            let rows = canvas.noise(&mut chance(0, Purpose::Noise)) * contrast;
            let value =
                |rows: &Tensor| slope.of(0, rows, &[&job]).expect("a slope").1.double_value(&[0]);
            let (gradient, _) = slope.of(0, &rows, &[&job]).expect("a slope");
            // Along the gradient itself, where the difference is largest over single precision's noise.
            let length = gradient.norm().double_value(&[]);
            let step = 1e-3 * rows.norm().double_value(&[]) / length;
            let difference =
                value(&(&rows - &gradient * step)) - value(&(&rows + &gradient * step));
            let expected = 2.0 * step * length * length;
            let error = (difference / expected - 1.0).abs();
            assert!(
                error < 0.05,
                "{parametrisation:?} {transforms:?}: {difference} for {expected}"
            );
        }
    }
}

#[test]
fn every_parametrisation_can_be_a_checkerboard() {
    let side = 32;
    let index = Tensor::arange(side, (Kind::Int64, Device::Cpu)) / 4;
    let index = index.floor_divide_scalar(1);
    let board = (index.view([1, 1, side, 1]) + index.view([1, 1, 1, side])).remainder(2);
    let board = (board.to_kind(Kind::Float) * 0.6 + 0.2).expand([1, 3, side, side], false);
    for (how, rate, likeness) in [
        (Parametrisation::Fourier, 0.1, 0.99),
        (Parametrisation::Pixels, 0.1, 0.99),
        // Its magnitudes are nothing like a checkerboard's, whose phases it can have all the same.
        (Parametrisation::Maco, 0.1, 0.35),
    ] {
        let canvas = Canvas::new(how, 32, Device::Cpu);
        let mut parameters = canvas.noise(&mut chance(0, Purpose::Noise));
        let mut adam = Adam::new(&parameters, rate);
        let centred = |image: &Tensor| image - image.mean(Kind::Float);
        let correlation = |image: &Tensor| {
            let (a, b) = (centred(image), centred(&board));
            (&a * &b).sum(Kind::Float) / (a.norm() * b.norm())
        };
        let mut last = 0.0;
        for _ in 0..300 {
            let leaf = parameters.detach().set_requires_grad(true);
            let image = canvas.image(&leaf);
            let (loss, found) = match how {
                Parametrisation::Maco => (-correlation(&image), correlation(&image)),
                _ => ((&image - &board).square().sum(Kind::Float), correlation(&image)),
            };
            last = found.double_value(&[]);
            let gradient = Tensor::run_backward(&[loss], &[&leaf], false, false).remove(0);
            adam.step(&mut parameters, &gradient);
        }
        assert!(last > likeness, "{how:?}: {last} of {likeness}");
    }
}

#[test]
fn a_picture_can_be_begun_from() {
    for how in [Parametrisation::Fourier, Parametrisation::Pixels] {
        let image = waves(33);
        let canvas = Canvas::new(how, 33, Device::Cpu);
        let back = canvas.image(&canvas.of_image(&image));
        let error = (back - image).abs().max().double_value(&[]);
        assert!(error < 1e-3, "{how:?}: {error}");
    }
    let clip = small_clip();
    let begun = Job { start: Some(waves(48)), ..unit(&clip, LAST) };
    let params = Params { steps: 1, ..params() };
    let from_noise = make(&clip, unit(&clip, LAST), &params).activation_at_start;
    assert_ne!(make(&clip, begun, &params).activation_at_start, from_noise);
}

#[test]
fn the_seed_alone_decides_the_bytes() {
    let clip = small_clip();
    let one = make(&clip, unit(&clip, LAST), &params());
    // What else draws from libtorch's generator is nothing to it.
    tch::manual_seed(99);
    let _ = Tensor::rand([3], tch::kind::FLOAT_CPU);
    assert!(one == make(&clip, unit(&clip, LAST), &params()));
    let other = make(&clip, unit(&clip, LAST), &Params { seed: 1, ..params() });
    assert_ne!(one.pixels, other.pixels);
}

#[test]
fn each_picture_of_a_batch_is_the_one_that_would_have_been_made_alone() {
    for clip in [small_clip(), load(&emoji_weights())] {
        // The last layer's maps are small, the stem's large.
        for (layer, count, size) in
            [(LAST, 17u32, 72), ("visual.relu3", 3, 80), ("visual.attnpool", 3, 64)]
        {
            let params = Params { size, steps: 8, redirect: 3, ..params() };
            let job = |unit| of_unit(&clip, layer, unit, Place::Everywhere);
            let jobs: Vec<Job> = (0..count).map(job).collect();
            let together = made(&clip, &jobs, None, &params);
            for unit in [0, 1, count - 1] {
                let alone = made(&clip, &[job(unit)], None, &params).remove(0);
                // Not assert_eq: it would print every pixel.
                assert!(together[unit as usize] == alone, "{layer} {unit} of {count}");
            }
        }
    }
    let clip = small_clip();
    let facet = facet(&clip);
    let params = Params { steps: 5, redirect: 2, images: 3, penalty: 1.0, ..params() };
    let jobs: Vec<Job> = (0..6).map(|at| of_unit(&clip, LAST, at, Place::Centre)).collect();
    let together = made(&clip, &jobs, Some(&facet), &params);
    let alone = made(&clip, &jobs[4..5], Some(&facet), &params);
    assert!(together[4] == alone[0]);
}

#[test]
fn a_silent_unit_is_woken() {
    let clip = load(&emoji_weights());
    let params = Params { size: 64, ..params() };
    let job = |unit| of_unit(&clip, "visual.layer4.0", unit, Place::Centre);
    let once = Params { steps: 1, ..params.clone() };
    let silent = |unit: &u32| {
        let begun = make(&clip, job(*unit), &once);
        begun.activation_at_start == 0.0 && begun.values[0] == 0.0
    };
    let unit = (0..100).find(silent).expect("a unit that is silent on noise");
    let made = make(&clip, job(unit), &params);
    assert!(made.activation > 0.0, "unit {unit}: {:?}", made.values);
    // Nothing else wakes it.
    let never =
        make(&clip, job(unit), &Params { redirect: 0, transforms: Transforms::None, ..params });
    assert_eq!(never.activation, 0.0);
}

#[test]
fn pictures_of_one_target_are_told_apart_and_a_facet_is_leaned_on() {
    let clip = load(&emoji_weights());
    let params = Params { size: 64, images: 2, steps: 60, ..params() };
    let stage = clip.architecture.layer(LAST).expect("a layer").stage;
    let likeness = |diversity| {
        let job = of_unit(&clip, LAST, 643, Place::Everywhere);
        let made = made(&clip, &[job], None, &Params { diversity, ..params.clone() }).remove(0);
        let images: Vec<Tensor> = made
            .pictures
            .iter()
            .map(|picture| neuronotes_lab::vis::param::of_bytes(&picture.pixels, 64, Device::Cpu))
            .collect();
        let input = clip.normalise(&Tensor::cat(&images, 0));
        let found = clip.look(&input, &[stage]).expect("activations");
        let layer = found.get(stage).expect("a layer").shallow_clone();
        neuronotes_lab::vis::objective::likeness(&layer).double_value(&[])
    };
    assert!(likeness(20.0) < likeness(0.0) - 0.05);

    let small = small_clip();
    let facet = facet(&small);
    let params = Params { images: 3, ..self::params() };
    let made = made(&small, &[unit(&small, LAST)], Some(&facet), &params).remove(0);
    let strengths: Vec<f64> = made.pictures.iter().filter_map(|made| made.strength).collect();
    assert_eq!(strengths.len(), 3);
    assert!((strengths[0] - 0.1).abs() < 1e-9 && (strengths[2] - 5.0).abs() < 1e-9);
    assert_ne!(made.pictures[0].pixels, made.pictures[2].pixels);
}

#[test]
fn one_of_a_batch_stops_where_its_watcher_says_and_the_others_go_on() {
    let clip = small_clip();
    let jobs: Vec<Job> = (0..3).map(|at| of_unit(&clip, LAST, at, Place::Everywhere)).collect();
    let mut seen = [0, 0, 0];
    let all = optimise(&clip, &jobs, None, &params(), false, &mut |job, step| {
        seen[job] = step.done;
        assert_eq!(step.pixels().len(), 48 * 48 * 3);
        if job == 1 && step.done == 4 { Err(Failure::Cancelled) } else { Ok(()) }
    });
    assert_eq!(seen, [30, 4, 30]);
    assert_eq!(all[1], Err(Failure::Cancelled));
    let alone = made(&clip, &jobs[2..], None, &params()).remove(0);
    assert!(all[2] == Ok(alone));
}

#[test]
fn numbers_that_are_none_are_tried_once_more_with_a_smaller_step() {
    let clip = small_clip();
    // Weights of its own that are no number stand for an objective that explodes.
    let broken = |scale: f64| {
        let units = i64::from(clip.architecture.layer(LAST).expect("a layer").units);
        let row = Tensor::ones([units], (Kind::Float, Device::Cpu)) * scale;
        Job { target: target(&clip, LAST, Aim::Direction(row, Place::Everywhere)), start: None }
    };
    let jobs = [broken(f64::NAN), unit(&clip, LAST)];
    let mut all = optimise(&clip, &jobs, None, &params(), false, &mut |_, _| Ok(()));
    let error = all.remove(0).expect_err("no number").to_string();
    assert!(error.contains("not a number, even with a learning rate of 0.0125"), "{error}");
    let alone = made(&clip, &jobs[1..], None, &params()).remove(0);
    assert!(all.remove(0) == Ok(alone), "the others are none the worse");

    // A rate that is too large for single precision, a fourth of which is not.
    let rate = 3.0e38;
    let parametrisation = Parametrisation::Pixels;
    let params = Params { learning_rate: rate, parametrisation, steps: 3, ..params() };
    let made = made(&clip, &[unit(&clip, LAST)], None, &params).remove(0);
    assert_eq!(made.restarted_with, Some(rate / 4.0));
}

#[test]
fn a_film_has_the_frames_that_were_asked_for() {
    let clip = small_clip();
    let made = make(&clip, unit(&clip, LAST), &Params { frames: 5, ..params() });
    assert_eq!(made.frames.len(), 5);
    let without = make(&clip, unit(&clip, LAST), &params());
    assert_eq!(without.pixels, made.pixels, "a film changes nothing");
}

#[test]
fn without_transforms_nothing_is_moved() {
    let clip = small_clip();
    let made = make(&clip, unit(&clip, LAST), &Params { transforms: Transforms::None, ..params() });
    // The first step saw the noise itself, up to its rounding to 8 bits.
    assert!(
        (made.values[0] - made.activation_at_start).abs() < 1e-2 * made.values[0].abs().max(1.0)
    );
}
