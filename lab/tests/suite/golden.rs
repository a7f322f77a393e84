//! Against data that Python made: see `tests/reference/`.

use std::fs;

use neuronotes_lab::clip::preprocess::{decode, prepare};
use neuronotes_lab::vis::param::Spectrum;
use neuronotes_lab::vis::transform::Draw;
use tch::Device;

use crate::support::{golden, tensors};

#[test]
fn preprocessing_equals_pillow() {
    let mut checked = 0;
    for entry in fs::read_dir(golden("preprocess")).expect("golden pictures") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let Some(name) = name.strip_suffix(".in.png") else { continue };
        let read = |path| decode(&fs::read(path).expect("a file")).expect("a picture");
        let expected = read(path.with_file_name(format!("{name}.out.png")));
        let found = prepare(&read(path), 48).expect("a picture");
        assert_eq!(found.dimensions(), expected.dimensions(), "{name}");
        let errors = found.iter().zip(expected.iter()).map(|(a, b)| a.abs_diff(*b));
        assert!(errors.clone().all(|error| error <= 1), "{name}: {:?}", errors.max());
        checked += 1;
    }
    assert_eq!(checked, 8);
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
