//! Against data that Python made: see `tests/reference/`.

use neuronotes_core::kind::feature_vis::Parametrisation;
use neuronotes_lab::clip::preprocess::prepare;
use neuronotes_lab::picture::Picture;
use neuronotes_lab::vis::backward::redirected;
use neuronotes_lab::vis::facet::{self, Facet};
use neuronotes_lab::vis::param::Canvas;
use neuronotes_lab::vis::transform::{Draw, Draws};
use tch::{Device, Kind, Tensor};

use crate::support::{relative_error, small_clip, tensors};

#[test]
fn preprocessing_equals_pillow() {
    let golden = tensors("preprocess.safetensors");
    let bytes = |name: &str| Vec::<u8>::try_from(golden[name].flatten(0, -1)).expect("bytes");
    let mut checked = 0;
    for name in golden.keys().filter_map(|name| name.strip_suffix(".in")) {
        let picture = Picture::decode(&bytes(&format!("{name}.in")));
        let found = picture.and_then(|picture| prepare(picture, 24));
        let found = found.unwrap_or_else(|why| panic!("{name}: {why}")).into_raw();
        let expected = bytes(&format!("{name}.out"));
        assert_eq!(found.len(), expected.len(), "{name}");
        let most = found.iter().zip(&expected).map(|(a, b)| a.abs_diff(*b)).max();
        // To the bit: what is within one level today would be two in another picture.
        assert_eq!(most, Some(0), "{name}");
        checked += 1;
    }
    assert_eq!(checked, 204);
}

#[test]
fn parametrisations_equal_their_formulas() {
    let golden = tensors("lucid.safetensors");
    for (name, how) in [
        ("fourier", Parametrisation::Fourier),
        ("maco", Parametrisation::Maco),
        ("pixels", Parametrisation::Pixels),
    ] {
        for size in [32u32, 33] {
            let canvas = Canvas::new(how, size, Device::Cpu);
            let image = canvas.image(&golden[&format!("{name}.parameters.{size}")]).squeeze_dim(0);
            let error = (image - &golden[&format!("{name}.image.{size}")]).abs().max();
            assert!(error.double_value(&[]) < 2e-5, "{name} {size}: {error:?}");
        }
    }
}

#[test]
fn transforms_equal_the_product_of_their_matrices() {
    let golden = tensors("lucid.safetensors");
    let image = golden["fourier.image.32"].unsqueeze(0);
    let mut checked = 0;
    for name in golden.keys().filter_map(|name| name.strip_prefix("draw.")) {
        let numbers: Vec<f64> =
            Vec::try_from(golden[&format!("draw.{name}")].to_kind(Kind::Double)).expect("numbers");
        let whole: Vec<i64> = numbers.iter().map(|x| x.round() as i64).collect();
        let draw = Draw {
            pad: whole[0],
            first: (whole[1], whole[2]),
            window: whole[3],
            scaled: whole[4],
            angle: numbers[5],
            last: (whole[6], whole[7]),
            inner: whole[8],
            out: whole[9],
            ..Draw::none(32)
        };
        let found = Draws::of(vec![draw], Device::Cpu).apply(0, &image).squeeze_dim(0);
        let expected = &golden[&format!("transformed.{name}")];
        assert_eq!(found.size(), expected.size(), "{name}");
        let error = (found - expected).abs().max().double_value(&[]);
        assert!(error < 1e-4, "{name}: {error}");
        checked += 1;
    }
    assert_eq!(checked, 14);
}

#[test]
fn silent_relus_pass_on_what_lucids_do() {
    let golden = tensors("lucid.safetensors");
    let clip = small_clip();
    let stage = clip.architecture.layer("visual.layer4.0").expect("a layer").stage;
    let images = golden["redirected.images"].copy().set_requires_grad(true);
    let unit = golden["redirected.unit"].int64_value(&[0]);
    let found = clip.look_cutting(&images, &[stage]).expect("activations");
    let loss = -found.get(stage).expect("a layer").select(1, unit).mean_dim(
        [1i64, 2].as_slice(),
        false,
        Kind::Float,
    );
    let passed = redirected(&loss, found.cuts(), &[], &images).expect("gradients");
    let error = relative_error(&passed.input, &golden["redirected.gradient"]);
    assert!(error < 1e-4, "{error}");
    // The first image is silent there, and the plain gradient nothing.
    let plain = clip.look(&images, &[stage]).expect("activations");
    let loss = plain.get(stage).expect("a layer").select(1, unit).mean(Kind::Float);
    let plain = Tensor::run_backward(&[loss], &[&images], false, false).remove(0);
    assert_eq!(plain.select(0, 0).abs().max().double_value(&[]), 0.0);
    assert!(passed.input.select(0, 0).abs().max().double_value(&[]) > 0.0);
}

#[test]
fn a_facets_objective_is_that_of_clip_featurevis() {
    let golden = tensors("lucid.safetensors");
    let clip = small_clip();
    let stage = |name: &str| clip.architecture.layer(name).expect("a layer").stage;
    let last = stage("visual.layer4.0");
    let probe = |at: usize| golden[&format!("facet.probe.{at}")].copy();
    let probes = vec![(stage("visual.layer2.0"), probe(0)), (stage("visual.layer3.0"), probe(1))];
    let facet = Facet { probes };
    let images = golden["facet.images"].copy().set_requires_grad(true);
    let mut wanted = vec![last];
    wanted.extend(facet.stages());
    let found = clip.look(&images, &wanted).expect("activations");
    let loss = -found.get(last).expect("a layer").select(1, 3).mean_dim(
        [1i64, 2].as_slice(),
        false,
        Kind::Float,
    );
    let layers = facet.activations(&found).expect("activations");
    let down = Tensor::run_backward(&[&loss], &layers, true, false);
    let rising: Vec<Tensor> = down.iter().map(|gradient| -gradient).collect();
    let pulls = facet.pulls(&rising, &Tensor::from_slice(&[0.1f32, 5.0]));
    let pulled = facet::value(&pulls, &found).expect("a sum").expect("two layers");
    let far = (&images - 0.5).square().mean_dim([1i64, 2, 3].as_slice(), false, Kind::Float);
    let objective = pulled - loss.sum(Kind::Float) - far.sum(Kind::Float) * 10.0;
    let gradient = Tensor::run_backward(&[objective], &[&images], false, false).remove(0);
    let error = relative_error(&gradient, &golden["facet.gradient"]);
    assert!(error < 1e-4, "{error}");
}
