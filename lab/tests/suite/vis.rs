//! The optimisation loop.

use neuronotes::analysis::feature_vis::{Objective, Transforms};
use neuronotes_lab::clip::Clip;
use neuronotes_lab::failure::Failure;
use neuronotes_lab::vis::objective::Target;
use neuronotes_lab::vis::optimise::{Optimised, Recipe, optimise};

use crate::support::{emoji_weights, golden, load, small_clip};

fn recipe() -> Recipe {
    Recipe { size: 48, steps: 30, learning_rate: 0.05, transforms: Transforms::Lucid, seed: 0 }
}

fn target(clip: &Clip, layer: &str, objective: Objective) -> Target {
    let stage = clip.architecture.layer(layer).expect("a layer").stage;
    Target { stage, unit: 3, objective }
}

fn make(clip: &Clip, target: &Target, recipe: &Recipe) -> Optimised {
    optimise(clip, target, recipe, |_| Ok(())).expect("a picture")
}

#[test]
fn thirty_steps_raise_the_objective_at_every_depth() {
    let clip = small_clip();
    for layer in [
        "visual.relu2",
        "visual.layer2.1.relu2",
        "visual.layer4.0.add",
        "visual.layer3.0",
        "visual.attnpool",
    ] {
        for objective in [Objective::Channel, Objective::Neuron] {
            // Random weights leave some units of a ReLU silent whatever they see.
            let once = Recipe { steps: 1, ..recipe() };
            let targets = (0..4).map(|unit| Target { unit, ..target(&clip, layer, objective) });
            let mut targets =
                targets.filter(|target| make(&clip, target, &once).activation_at_start != 0.0);
            let target = targets.next().expect("a unit that is not silent on noise");
            let made = make(&clip, &target, &recipe());
            assert!(
                made.activation > made.activation_at_start,
                "{layer} {objective:?}: {} → {}",
                made.activation_at_start,
                made.activation
            );
            assert_eq!(made.values.len(), 30);
            assert_eq!(made.pixels.len(), 48 * 48 * 3);
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
        for objective in [Objective::Channel, Objective::Neuron] {
            // The picture is larger than what the network looks at.
            let made = make(&clip, &target(&clip, layer, objective), &recipe());
            assert!(made.activation > made.activation_at_start, "{layer} {objective:?}: {made:?}");
        }
    }
}

#[test]
fn thirty_steps_raise_a_real_unit_well_above_noise() {
    let clip = load(&emoji_weights());
    let target = target(&clip, "image_block_4/0/Add_6", Objective::Channel);
    let made = make(&clip, &target, &Recipe { size: 64, ..recipe() });
    assert!(made.activation > made.activation_at_start + 0.3, "{:?}", made.values);
}

#[test]
fn the_seed_alone_decides_the_bytes() {
    let clip = small_clip();
    let target = target(&clip, "visual.layer4.0.add", Objective::Channel);
    let one = make(&clip, &target, &recipe());
    // What else draws from libtorch's generator is nothing to it.
    tch::manual_seed(99);
    let _ = tch::Tensor::rand([3], tch::kind::FLOAT_CPU);
    assert_eq!(one, make(&clip, &target, &recipe()));
    let other = make(&clip, &target, &Recipe { seed: 1, ..recipe() });
    assert_ne!(one.pixels, other.pixels);
}

#[test]
fn a_silent_unit_is_woken() {
    let clip = load(&emoji_weights());
    let layer = clip.architecture.layer("visual.layer4.0").expect("a layer");
    let recipe = Recipe { size: 64, ..recipe() };
    let first = Recipe { steps: 1, ..recipe.clone() };
    let target = |unit| Target { stage: layer.stage, unit, objective: Objective::Neuron };
    let silent = |unit: &u32| {
        let begun = make(&clip, &target(*unit), &first);
        begun.activation_at_start == 0.0 && begun.values[0] == 0.0
    };
    let unit = (0..100).find(silent).expect("a unit that is silent on noise");
    let made = make(&clip, &target(unit), &recipe);
    assert!(made.activation > 0.0, "unit {unit}: {:?}", made.values);
}

#[test]
fn it_stops_where_its_watcher_says() {
    let clip = small_clip();
    let target = target(&clip, "visual.layer4.0.add", Objective::Channel);
    let mut seen = 0;
    let result = optimise(&clip, &target, &recipe(), |step| {
        seen = step.done;
        assert_eq!(step.pixels().len(), 48 * 48 * 3);
        if step.done == 4 { Err(Failure::Cancelled) } else { Ok(()) }
    });
    assert_eq!(result, Err(Failure::Cancelled));
    assert_eq!(seen, 4);
}

#[test]
fn an_objective_that_is_no_number_is_a_clear_failure() {
    let clip = small_clip();
    let target = target(&clip, "visual.layer4.0.add", Objective::Channel);
    let recipe = Recipe { learning_rate: f64::INFINITY, ..recipe() };
    let error = optimise(&clip, &target, &recipe, |_| Ok(())).expect_err("no number");
    assert!(error.to_string().contains("not a number any more after 1 steps"), "{error}");
}

#[test]
fn without_transforms_nothing_is_moved() {
    let clip = small_clip();
    let target = target(&clip, "visual.layer4.0.add", Objective::Channel);
    let recipe = Recipe { transforms: Transforms::None, ..recipe() };
    let made = make(&clip, &target, &recipe);
    // The first step saw the noise itself, up to its rounding to 8 bits.
    assert!(
        (made.values[0] - made.activation_at_start).abs() < 1e-2 * made.values[0].abs().max(1.0)
    );
}
