//! Against data that Python made: see `tests/reference/`.

use neuronotes_lab::clip::Clip;
use neuronotes_lab::clip::preprocess::prepare;
use neuronotes_lab::picture::Picture;
use neuronotes_lab::vis::param::Spectrum;
use neuronotes_lab::vis::transform::Draw;
use tch::{Device, Kind, Tensor};

use crate::support::{golden, relative_error, small_clip, tensors};

#[test]
fn every_layer_equals_open_clip() {
    let clip = small_clip();
    let golden = tensors("clip_resnet/activations.safetensors");
    let layers = clip.architecture.layers();
    assert_eq!(layers.len(), golden.len() - 2, "images and gradient are no layers");
    let stages: Vec<_> = layers.iter().map(|layer| layer.stage).collect();
    let all = clip.visual.forward(&golden["images"], &stages).expect("activations");
    for layer in &layers {
        let name = &layer.name.canonical;
        let found = all.get(layer.stage).expect("an activation");
        let error = relative_error(found, &golden[name]);
        assert!(error <= 1e-4, "{name}: {error}");
        let (units, side) = (i64::from(layer.units), layer.side.map(i64::from));
        let shape = side.map_or(vec![2, units], |side| vec![2, units, side, side]);
        assert_eq!(found.size(), shape, "{name}");
        // Asked for alone, the forward pass stops there and finds the same.
        let alone = clip.visual.forward(&golden["images"], &[layer.stage]).expect("activations");
        assert_eq!(alone.get(layer.stage).expect("an activation"), found, "{name}");
        assert!(alone.get(stages[0]).is_ok() == (stages[0] == layer.stage));
    }
}

#[test]
fn pytorchs_archives_hold_the_same_network_as_safetensors() {
    let clip = small_clip();
    let images = &tensors("clip_resnet/activations.safetensors")["images"];
    let stages: Vec<_> = clip.architecture.layers().iter().map(|layer| layer.stage).collect();
    let expected = clip.visual.forward(images, &stages).expect("activations");
    for file in ["state_dict.pt", "torchscript.pt"] {
        let path = golden("clip_resnet").join(file);
        let other = Clip::load(&path, Device::Cpu).expect(file);
        assert_eq!(other.architecture, clip.architecture);
        let found = other.visual.forward(images, &stages).expect("activations");
        for stage in &stages {
            let (found, expected) = (found.get(*stage), expected.get(*stage));
            let same = found.expect("an activation").equal(expected.expect("an activation"));
            assert!(same, "{file}: {stage:?}");
        }
    }
}

#[test]
fn the_gradient_with_respect_to_the_image_equals_open_clip() {
    let clip = small_clip();
    let golden = tensors("clip_resnet/activations.safetensors");
    let layer = clip.architecture.layer("image_block_4/0/Add_6").expect("a layer");
    let images = golden["images"].copy().set_requires_grad(true);
    let activations = clip.visual.forward(&images, &[layer.stage]).expect("activations");
    let map = activations.get(layer.stage).expect("an activation");
    let value = map.select(1, 7).mean(Kind::Float);
    let gradient = Tensor::run_backward(&[value], &[&images], false, false);
    let error = relative_error(&gradient[0], &golden["gradient"]);
    assert!(error <= 1e-4, "{error}");
}

#[test]
fn the_embedding_of_another_size_is_refused() {
    let clip = small_clip();
    let image = Tensor::zeros([1, 3, 96, 96], (Kind::Float, Device::Cpu));
    let stage = neuronotes::model::Stage::Embedding;
    let error = clip.visual.forward(&image, &[stage]).expect_err("another size").to_string();
    assert!(error.contains("64 x 64"), "{error}");
}

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
fn the_parametrisation_equals_lucids_formulas() {
    let golden = tensors("lucid.safetensors");
    for size in [32u32, 33] {
        let coefficients = &golden[&format!("coefficients.{size}")];
        let mut flat = vec![0f32; coefficients.numel()];
        coefficients.copy_data(&mut flat, coefficients.numel());
        let image = Spectrum::new(&flat, size, Device::Cpu).image().squeeze_dim(0);
        let error = (image - &golden[&format!("image.{size}")]).abs().max().double_value(&[]);
        assert!(error < 1e-5, "{size}: {error}");
    }
}

#[test]
fn transforms_equal_the_product_of_their_matrices() {
    let golden = tensors("lucid.safetensors");
    let image = golden["image.32"].unsqueeze(0);
    for i in 0..4 {
        let mut draw = [0f32; 6];
        golden[&format!("draw.{i}")].copy_data(&mut draw, 6);
        let [a, b, scale, angle, c, d] = draw;
        let draw = Draw {
            first: (a as i64, b as i64),
            scale: (f64::from(scale) * 1000.0).round() / 1000.0,
            angle: f64::from(angle),
            last: (c as i64, d as i64),
        };
        let found = draw.apply(&image).squeeze_dim(0);
        let expected = &golden[&format!("transformed.{i}")];
        assert_eq!(found.size(), expected.size(), "{draw:?}");
        let error = (found - expected).abs().max().double_value(&[]);
        assert!(error < 1e-4, "{draw:?}: {error}");
    }
}
