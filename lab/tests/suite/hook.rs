//! Forward hooks: what replaces an activation decides everything above it, and nothing below.

use neuronotes_core::model::{BlockTap, Conventions, Stage};
use neuronotes_lab::clip::hook::with_unit;
use neuronotes_lab::clip::{BatchNorm, Clip, Loading};
use neuronotes_lab::failure::Failure;
use tch::{Device, Kind, Tensor};

use crate::support::{golden, relative_error, small_clip, tensors};

const NETWORKS: [&str; 2] = ["clip_resnet", "clip_vit"];

/// With nothing folded, so that every activation can be replaced.
fn whole(network: &str) -> Clip {
    let loading =
        Loading { norm: BatchNorm::Apart, ..Loading::new(Device::Cpu, Conventions::default()) };
    Clip::load(&golden(network).join("weights.safetensors"), loading).expect("a model")
}

/// Two pictures: the golden one and its mirror image.
fn images(network: &str) -> Tensor {
    let pixels = tensors(&format!("{network}/activations.safetensors")).remove("pixels");
    let one = pixels.expect("pixels").narrow(0, 0, 1);
    Tensor::cat(&[&one, &one.flip([3i64])], 0)
}

/// Every stage that a layer names, and those of the heads.
fn stages(clip: &Clip) -> Vec<Stage> {
    let layers = clip.architecture.layers();
    let mut stages: Vec<Stage> = layers.iter().map(|layer| layer.stage).collect();
    match stages.contains(&Stage::Final) {
        true => stages.extend([0, 1].map(|block| Stage::Residual { block, tap: BlockTap::Heads })),
        false => stages.push(Stage::Pooled),
    }
    stages
}

/// The activation at `wanted` where that at `stage` is replaced.
fn replaced(
    clip: &Clip,
    images: &Tensor,
    wanted: Stage,
    stage: Stage,
    mut replace: impl FnMut(&Tensor) -> Tensor,
) -> Tensor {
    let mut replace = |x: &Tensor| Ok(replace(x));
    let found = clip.look_replacing(images, &[wanted], stage, &mut replace).expect("activations");
    found.get(wanted).expect("an activation").shallow_clone()
}

#[test]
fn an_activation_that_is_replaced_by_itself_changes_not_one_bit() {
    for network in NETWORKS {
        let (clip, images) = (whole(network), images(network));
        let all = stages(&clip);
        let plain = clip.look(&images, &all).expect("activations");
        let expected = plain.get(Stage::Embedding).expect("embeddings");
        for stage in all {
            let itself = replaced(&clip, &images, Stage::Embedding, stage, Tensor::shallow_clone);
            assert_eq!(&itself, expected, "{network} {stage:?}");
            let copied = replaced(&clip, &images, stage, stage, |x| x.copy());
            assert_eq!(&copied, plain.get(stage).expect("an activation"), "{network} {stage:?}");
        }
    }
}

#[test]
fn what_lies_above_a_scaled_activation_is_what_a_computation_by_hand_gives() {
    let (clip, pixels) = (whole("clip_vit"), images("clip_vit"));
    let at = |name: &str| clip.architecture.layer(name).expect("a layer").stage;
    let block = "visual.transformer.resblocks.1";
    let [before, attn, middle, mlp, after] = [
        "visual.transformer.resblocks.0",
        &*format!("{block}.attn"),
        &format!("{block}.resid_mid"),
        &format!("{block}.mlp.c_proj"),
        block,
    ]
    .map(at);
    let plain = clip.look(&pixels, &stages(&clip)).expect("activations");
    let of = |stage| plain.get(stage).expect("an activation");
    let found = replaced(&clip, &pixels, middle, attn, |x| x * -1.0);
    assert_eq!(found, of(before) - of(attn));
    let found = replaced(&clip, &pixels, after, mlp, |x| x * 0.5);
    assert_eq!(found, of(middle) + of(mlp) * 0.5);
    let found = replaced(&clip, &pixels, Stage::Embedding, Stage::Final, |x| x * 2.0);
    assert_eq!(found, of(Stage::Embedding) * 2.0);

    let (clip, pixels) = (whole("clip_resnet"), images("clip_resnet"));
    let at = |name: &str| clip.architecture.layer(name).expect("a layer").stage;
    let plain = clip.look(&pixels, &stages(&clip)).expect("activations");
    let of = |stage| plain.get(stage).expect("an activation");
    let [norm, shortcut, add, output] = ["bn3", "downsample", "add", ""]
        .map(|tap| at(format!("visual.layer4.0.{tap}").trim_end_matches('.')));
    let found = replaced(&clip, &pixels, add, norm, |x| x * -3.0);
    assert_eq!(found, of(norm) * -3.0 + of(shortcut));
    let found = replaced(&clip, &pixels, output, add, |x| x * -2.0);
    assert_eq!(found, (of(add) * -2.0).relu());
    let found = replaced(&clip, &pixels, Stage::Embedding, Stage::Pooled, |x| x * 2.0);
    let bias = &tensors("clip_resnet/weights.safetensors")["visual.attnpool.c_proj.bias"];
    let expected = of(Stage::Embedding) * 2.0 - bias.to_kind(Kind::Float);
    assert!(relative_error(&found, &expected) < 1e-6);
}

#[test]
fn variants_share_what_lies_below_and_are_what_they_would_be_alone() {
    for network in NETWORKS {
        let (clip, images) = (whole(network), images(network));
        for stage in stages(&clip) {
            let factors = [1.0, 0.5, 0.0];
            let together = replaced(&clip, &images, Stage::Embedding, stage, |x| {
                Tensor::cat(&factors.map(|factor| x * factor), 0)
            });
            let alone = factors
                .map(|factor| replaced(&clip, &images, Stage::Embedding, stage, |x| x * factor));
            let error = relative_error(&together, &Tensor::cat(&alone, 0));
            assert!(error < 1e-5, "{network} {stage:?}: {error}");
        }
    }
}

#[test]
fn gradients_above_below_and_beside_a_replacement_make_the_gradient_of_the_whole() {
    for network in NETWORKS {
        let (clip, images) = (whole(network), images(network).set_requires_grad(true));
        let embeddings = clip.encode_images(&images).expect("embeddings");
        // Some direction, the same for every stage.
        let aim = (Tensor::arange(24, (Kind::Float, Device::Cpu)) * 1.7).sin();
        let gradients = |of: &Tensor, to: &[&Tensor]| {
            let found = Tensor::run_backward(&[of.sum(Kind::Float)], to, false, false);
            let of = |(found, to): (Tensor, &&Tensor)| match found.defined() {
                true => found,
                false => to.zeros_like(),
            };
            found.into_iter().zip(to).map(of).collect::<Vec<_>>()
        };
        let expected = gradients(&(embeddings * &aim), &[&images]).remove(0);
        for stage in stages(&clip) {
            let mut leaf = None;
            let top = replaced(&clip, &images, Stage::Embedding, stage, |x| {
                let x = x.detach().set_requires_grad(true);
                leaf = Some(x.shallow_clone());
                x
            });
            // A shortcut passes the stage by.
            let [above, beside] = &gradients(&(top * &aim), &[&leaf.expect("a leaf"), &images])[..]
            else {
                panic!("two gradients")
            };
            let found = clip.look(&images, &[stage]).expect("activations");
            let found = found.get(stage).expect("an activation") * above;
            let below = gradients(&found, &[&images]).remove(0);
            let error = relative_error(&(below + beside), &expected);
            assert!(error < 1e-4, "{network} {stage:?}: {error}");
        }
    }
}

#[test]
fn a_unit_that_is_set_to_zero_is_gone_from_everything_above() {
    let (clip, pixels) = (small_clip(), images("clip_resnet"));
    let stage = clip.architecture.layer("visual.layer4.0").expect("a layer").stage;
    let map = |unit: Option<u32>| {
        replaced(&clip, &pixels, Stage::Embedding, stage, |x| match unit {
            Some(unit) => with_unit(x, unit, 0.0).expect("a unit"),
            None => x.shallow_clone(),
        })
    };
    let found = clip.look(&pixels, &[stage]).expect("activations");
    let active = found.get(stage).expect("an activation").amax([0i64, 2, 3].as_slice(), false);
    // After a ReLU, a unit that is silent in both pictures is zero already.
    for unit in 0..16 {
        let silent = active.double_value(&[unit]) == 0.0;
        assert_eq!(map(Some(unit as u32)) == map(None), silent, "unit {unit}");
    }
}

#[test]
fn what_cannot_be_replaced_is_an_error() {
    let (clip, pixels) = (small_clip(), images("clip_resnet"));
    let at = |name: &str| clip.architecture.layer(name).expect("a layer").stage;
    let mut same = |x: &Tensor| Ok(x.shallow_clone());
    let (low, high) = (at("visual.layer1.0"), at("visual.layer4.0"));
    let error = clip.look_replacing(&pixels, &[low], high, &mut same).expect_err("not reached");
    assert!(error.to_string().contains("did not reach"), "{error}");
    let folded = at("visual.layer1.0.conv2");
    let error = clip.look_replacing(&pixels, &[high], folded, &mut same).expect_err("folded");
    assert!(error.to_string().contains("folded"), "{error}");
    let mut other = |x: &Tensor| Ok(x.narrow(1, 0, 2));
    let error = clip.look_replacing(&pixels, &[high], low, &mut other).expect_err("a shape");
    assert!(error.to_string().contains("cannot be replaced"), "{error}");
    let mut fails = |_: &Tensor| Err(Failure::new("no replacement today"));
    let error = clip.look_replacing(&pixels, &[high], low, &mut fails).expect_err("its own");
    assert_eq!(error.to_string(), "no replacement today");
    let large = Tensor::zeros([1, 3, 96, 96], (Kind::Float, Device::Cpu));
    assert!(clip.look_replacing(&large, &[Stage::Pooled], low, &mut same).is_err());
}
