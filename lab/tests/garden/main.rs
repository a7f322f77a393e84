//! Whole gardens with the real lab: notes in, measured figures out, in files and in a browser.

mod browser;
#[path = "../../../tests/common/mod.rs"]
mod common;
mod concept;
mod controls;
#[cfg(target_os = "linux")]
mod damage;
#[cfg(target_os = "linux")]
mod deaths;
mod dictionary;
mod measure;
mod mistakes;
mod newcomer;
#[cfg(target_os = "linux")]
mod outages;
mod pool;
mod react;
mod reproduce;
mod selective;
mod sheet;
mod sync;
mod tables;
mod uses;
mod visualise;

use common::Garden;

/// The layer that most of these tests ask about.
const LAYER: &str = "image_block_4/0/Add_6";

/// A garden with a small data set of plain pictures and short recipes, so that measuring takes moments.
fn garden() -> Garden {
    let garden = Garden::new();
    let config = garden.read("neuronotes.yaml");
    let emoji = config.lines().find(|line| line.contains("emoji.tar")).expect("the data set");
    garden.write("neuronotes.yaml", &config.replace(emoji, "  emoji: data"));
    std::fs::create_dir_all(garden.path("data")).expect("a folder");
    for (name, colour) in [
        ("red", [220, 30, 30]),
        ("green", [30, 200, 40]),
        ("blue", [30, 40, 220]),
        ("grey", [128, 128, 128]),
        ("white", [255, 255, 255]),
    ] {
        let path = garden.path(&format!("data/{name}.png"));
        image::RgbImage::from_pixel(96, 96, image::Rgb(colour)).save(path).expect("a picture");
        garden.write(&format!("data/{name}.txt"), &format!("a {name} square"));
    }
    garden
}

/// A block of this kind about this unit.
fn block(kind: &str, unit: u32, more: &str) -> String {
    format!("```yaml analysis\nkind: {kind}\nlayer: {LAYER}\nunit: {unit}\n{more}```\n\n")
}

/// A visualisation of so many steps.
fn vis(unit: u32, steps: u32) -> String {
    block("feature_vis", unit, &format!("id: vis\nsize: 64\nsteps: {steps}\n"))
}
