//! A network made by hand, in which one unit stands for each of three colours.

use std::collections::BTreeMap;

use image::{Rgb, RgbImage};
use neuronotes_core::dataset::ledger::Ledger;
use neuronotes_core::model::{Architecture, Conventions, TransformerSizes, VitSizes};
use serde_json::json;
use tch::Device;

use super::*;
use crate::clip::Loading;
use crate::monitor::Silent;
use crate::picture::Picture;

const UNITS: i64 = 64;
const COLOURS: [&str; 3] = ["red", "green", "blue"];

/// A vision transformer whose class token is the mean of the patches' colours, each in a unit of its own, beside units that are
/// the same for all pictures. Its embedding is what its only block gives.
fn painted() -> Clip {
    let single = (Kind::Float, Device::Cpu);
    let mut tensors: BTreeMap<String, Tensor> = BTreeMap::new();
    let mut add = |name: &str, tensor: Tensor| {
        tensors.insert(format!("visual.{name}"), tensor);
    };
    let patches = Tensor::zeros([UNITS, 3, 8, 8], single);
    (0..3).for_each(|colour| drop(patches.get(colour).get(colour).fill_(1.0 / 64.0)));
    add("conv1.weight", patches);
    // So much that what is read of any colour leaves it positive, and zero is less.
    let class = (Tensor::arange(UNITS, single) * 2.3).sin().abs() + 2.0;
    let _ = class.narrow(0, 0, 3).fill_(10.0);
    add("class_embedding", class);
    add("positional_embedding", Tensor::zeros([17, UNITS], single));
    for norm in
        ["ln_pre", "ln_post", "transformer.resblocks.0.ln_1", "transformer.resblocks.0.ln_2"]
    {
        add(&format!("{norm}.weight"), Tensor::ones([UNITS], single));
        add(&format!("{norm}.bias"), Tensor::zeros([UNITS], single));
    }
    let block = "transformer.resblocks.0";
    // Queries and keys are zero, so that each token reads the mean of all; values are what they are.
    let read = Tensor::zeros([3 * UNITS, UNITS], single);
    read.narrow(0, 2 * UNITS, UNITS).copy_(&Tensor::eye(UNITS, single));
    add(&format!("{block}.attn.in_proj_weight"), read);
    add(&format!("{block}.attn.in_proj_bias"), Tensor::zeros([3 * UNITS], single));
    add(&format!("{block}.attn.out_proj.weight"), Tensor::eye(UNITS, single) * 0.5);
    add(&format!("{block}.attn.out_proj.bias"), Tensor::zeros([UNITS], single));
    add(&format!("{block}.mlp.c_fc.weight"), Tensor::zeros([8, UNITS], single));
    add(&format!("{block}.mlp.c_fc.bias"), Tensor::zeros([8], single));
    add(&format!("{block}.mlp.c_proj.weight"), Tensor::zeros([UNITS, 8], single));
    add(&format!("{block}.mlp.c_proj.bias"), Tensor::zeros([UNITS], single));
    add("proj", Tensor::eye(UNITS, single));
    let width = UNITS as u32;
    let sizes = TransformerSizes { width, layers: 1, heads: 1, hidden: 8 };
    let visual = VitSizes { patch: 8, sizes }.into();
    let architecture = Architecture { image_size: 32, embedding: width, visual, text: None };
    let loading = Loading::new(Device::Cpu, Conventions::default());
    Clip::of(&tensors, architecture, loading).expect("a network")
}

/// Pictures of one colour each, and one that cannot be read.
#[derive(Debug)]
struct Paint(Vec<Sample>, Ledger);

impl Paint {
    fn new(count: usize) -> Self {
        let sample = |at: usize| Sample {
            key: format!("{at}"),
            caption: None,
            label: Some(COLOURS[at % 3].to_owned()),
        };
        Self((0..count).map(sample).collect(), Ledger::default())
    }
}

impl Shard for Paint {
    fn samples(&self) -> &[Sample] {
        &self.0
    }

    fn ledger(&self) -> &Ledger {
        &self.1
    }

    fn picture(&self, row: usize) -> Result<Picture, String> {
        if row == 5 {
            return Err("it is damaged".to_owned());
        }
        let mut colour = [20 + row as u8, 40, 30];
        colour[row % 3] = 200 + row as u8;
        Ok(Picture::from(RgbImage::from_pixel(32, 32, Rgb(colour))))
    }
}

fn params(change: serde_json::Value) -> Params {
    let mut params = json!({
        "layer": "visual.transformer.resblocks.0", "by": "zero", "read": "accuracy", "truth": "label",
        "templates": ["{}"], "truncate": false, "controls": 20, "seed": 1,
    });
    for (name, value) in change.as_object().expect("a map") {
        params[name] = value.clone();
    }
    serde_json::from_value(params).expect("parameters")
}

/// The outcome for 21 pictures, of which one cannot be read, with the axis of each colour's unit as its text.
fn measured(params: &Params, planned: impl Fn(&Tensor, &Moments, How) -> Planned) -> Outcome {
    let clip = painted();
    let shards: Vec<Box<dyn Shard>> = vec![Box::new(Paint::new(21))];
    let pictures = Pictures::of(params, &shards).expect("pictures");
    // Sorted: blue, green, red.
    let axes: Vec<Row> = pictures
        .classes
        .iter()
        .map(|class| {
            let mut row = vec![0.0; UNITS as usize];
            let at = COLOURS.iter().position(|colour| *colour == class.label).expect("a colour");
            row[at] = 1.0;
            row
        })
        .collect();
    let reading = Reading::accuracy(&axes, Device::Cpu);
    let layer = clip.layer("visual.transformer.resblocks.0").expect("a layer");
    let stages = [layer.stage];
    let (mut rows, mut moments) = (Vec::new(), Moments::default());
    Pass::new(&clip, &stages, "scanning")
        .run(&pictures.rows[..], &mut Silent, |_, found| {
            let units = arranged(found.get(layer.stage)?); // [n, units, positions]
            rows.push(units.mean_dim([2i64].as_slice(), false, None));
            moments.add(found.get(layer.stage)?)
        })
        .expect("activations");
    let how = How {
        by: params.by,
        sd: params.sd.unwrap_or_default(),
        controls: params.controls as usize,
        seed: params.seed,
        device: Device::Cpu,
    };
    let planned = planned(&Tensor::cat(&rows, 0), &moments, how);
    let shown = shown(&mut Silent, &clip, layer.stage, &planned.changes, &reading, &pictures);
    outcome(params, &pictures, &planned, &shown.expect("numbers")).expect("an outcome")
}

#[test]
fn without_the_unit_of_a_class_that_class_alone_is_lost_and_controls_lose_none() {
    let params = params(json!({ "units": [0] }));
    let found = measured(&params, |rows, moments, how| {
        planned::units(&[0], rows, moments, how).expect("a plan")
    });
    assert_eq!((found.images, found.skipped, found.outside), (20, 1, 0));
    assert_eq!(found.before.value, 1.0);
    let of = |label: &str| found.classes.iter().find(|class| class.label == label).expect("one");
    for (label, of_class, after) in [("red", 7, 0), ("green", 7, 7), ("blue", 6, 6)] {
        let class = of(label);
        assert_eq!((class.of, class.before, class.after), (of_class, of_class, after), "{label}");
    }
    assert_eq!(found.flips, Some(Flips { lost: 7, gained: 0 }));
    assert!((found.change.value + 7.0 / 20.0).abs() < 1e-12);
    assert!(found.change.low < found.change.value && found.change.high < 0.0);
    assert_eq!(found.controls.len(), 20);
    for control in &found.controls {
        // Those of the other colours take their own class with them.
        let expected = match control.of[..] {
            [1] => -7.0 / 20.0,
            [2] => -6.0 / 20.0,
            _ => 0.0,
        };
        assert!((control.change - expected).abs() < 1e-12, "{control:?}");
        assert!(control.norm > 0.0);
    }
    let idle = found.controls.iter().filter(|control| control.change == 0.0).count();
    assert!(idle >= 18);
    assert!(found.p().expect("p") <= 2.0 / 21.0);
}

#[test]
fn a_direction_along_a_unit_is_that_unit_and_random_ones_of_the_same_size_are_not() {
    let axis: Row = (0..UNITS).map(|unit| f64::from(u8::from(unit == 0))).collect();
    let terms = json!([[{ "weight": 1.0, "of": { "units": [[0, 1.0]] } }]]);
    let params = params(json!({ "directions": terms, "by": "project_out" }));
    let found = measured(&params, |rows, _, how| {
        planned::directions(std::slice::from_ref(&axis), rows, how).expect("a plan")
    });
    let red = found.classes.iter().find(|class| class.label == "red").expect("red");
    assert_eq!((red.before, red.after), (7, 0));
    // The pictures differ in two directions besides: colours and brightness.
    assert!(!found.controls.is_empty());
    assert!(
        found.controls.iter().all(|control| (control.norm - found.norm).abs() < 1e-4 * found.norm)
    );
}

#[test]
fn one_class_alone_is_read_over_its_own_pictures() {
    let params = params(json!({ "units": [0], "class": "Red", "images": 18 }));
    let found = measured(&params, |rows, moments, how| {
        planned::units(&[0], rows, moments, how).expect("a plan")
    });
    assert_eq!((found.images, found.before.value, found.after.value), (7 - 1, 1.0, 0.0));
    assert!(found.classes.is_empty());
}

#[test]
fn pictures_without_a_class_are_left_out_and_named_if_none_is_left() {
    let shards: Vec<Box<dyn Shard>> = vec![Box::new(Paint::new(6))];
    let of = |change: serde_json::Value| {
        let params = params(change);
        Pictures::of(&params, &shards).map(|pictures| (pictures.rows.len(), pictures.outside))
    };
    let class = |label: &str| json!({ "label": label, "names": [label] });
    let two = json!({ "units": [0], "classes": [class("red"), class("white")] });
    assert_eq!(of(two).expect("pictures"), (2, 4));
    let none = json!({ "units": [0], "classes": [class("black"), class("white")] });
    let said = of(none).expect_err("none").to_string();
    assert!(said.contains("has one of the classes as its true class"), "{said}");
    let caption = of(json!({ "units": [0], "truth": "caption" })).expect_err("none").to_string();
    assert!(caption.contains("no image in the data set has a label or caption"), "{caption}");
    let odd = of(json!({ "units": [0], "class": "pink" })).expect_err("no class").to_string();
    assert!(odd.contains("`pink` is not the label"), "{odd}");
    // A logit of a text needs no classes.
    let text = json!({ "units": [0], "read": "logit", "text": "red" });
    assert_eq!(of(text).expect("pictures"), (6, 0));
    let one: Vec<Box<dyn Shard>> = vec![Box::new(Paint::new(1))];
    let said = Pictures::of(&params(json!({ "units": [0] })), &one).err().expect("one class");
    assert!(said.to_string().contains("have one label"), "{said}");
}
