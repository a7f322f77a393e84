//! Against data that Python made: see `tests/reference/`.

use neuronotes_lab::clip::preprocess::prepare;
use neuronotes_lab::picture::Picture;
use neuronotes_lab::vis::param::Spectrum;
use neuronotes_lab::vis::transform::Draw;
use tch::Device;

use crate::support::tensors;

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
