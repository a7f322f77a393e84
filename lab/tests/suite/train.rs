//! Training: a step against PyTorch's, and whole trainings of a tiny network.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use image::{DynamicImage, ImageFormat, Rgba, RgbaImage};
use neuronotes_core::model::Precision;
use neuronotes_core::model::{Conventions, Stage, Tap};
use neuronotes_lab::clip::{BatchNorm, Clip, Loading};
use neuronotes_lab::failure::Failure;
use neuronotes_lab::monitor::{Monitor, Progress, Silent};
use neuronotes_lab::train::loss::{contrast, kinship, unit};
use neuronotes_lab::train::{Paths, Recipe, Record, train};
use tch::{Device, Kind, Tensor};

use crate::support::{
    emoji_weights, relative_error, repository, small_clip, small_weights, tensors,
};

#[test]
fn a_step_is_pytorchs() {
    // How many threads MKL has belongs to the process, and other tests set it: by one thread, the gradient of one bias has a
    // sum that differs by 4e-3.
    const ALONE: &str = "NEURONOTES_TEST_ALONE";
    if env::var_os(ALONE).is_none() {
        let mut alone = Command::new(env::current_exe().expect("this program"));
        let alone = alone.args(["--exact", "train::a_step_is_pytorchs"]).env(ALONE, "1");
        let ran = alone.output().expect("this program runs");
        let said = String::from_utf8_lossy(&ran.stdout);
        assert!(ran.status.success() && said.contains("1 passed"), "{said}");
        return;
    }
    tch::set_num_threads(2);
    let expected = tensors("training.safetensors");
    let weights = Tensor::read_safetensors(small_weights()).expect("weights");
    let weights: BTreeMap<String, Tensor> = weights
        .into_iter()
        .map(|(name, tensor)| {
            let learned = !name.contains("running_");
            (name, tensor.to_kind(Kind::Float).set_requires_grad(learned))
        })
        .collect();
    let norm = BatchNorm::Training { momentum: 0.1 };
    let loading = Loading { norm, ..Loading::new(Device::Cpu, Conventions::default()) };
    let clip = Clip::of(&weights, small_clip().architecture, loading).expect("the same CLIP");

    let last = Stage::Bottleneck { stage: 4, block: 0, tap: Tap::Add };
    let seen = clip.look(&expected["pixels"], &[last, Stage::Embedding]).expect("pictures");
    let read = clip.read(&expected["tokens"], &[Stage::Embedding]).expect("texts");
    let pictures = unit(seen.get(Stage::Embedding).expect("an embedding"));
    let texts = unit(read.get(Stage::Embedding).expect("an embedding"));
    let logits = pictures.matmul(&texts.tr()) * weights["logit_scale"].exp();
    let column = &expected["column"];
    let of_pairs = contrast(&logits, column);
    let of_kin = kinship(seen.get(last).expect("a map"), column, 0.2);
    for (found, name) in [(&of_pairs, "contrast"), (&of_kin, "kinship")] {
        let error = relative_error(found, &expected[name]);
        assert!(error < 1e-4, "{name}: {error}");
    }
    (of_pairs + of_kin * 0.7).backward();

    let mut compared = 0;
    for (name, expected) in &expected {
        let (found, bound) = if let Some(name) = name.strip_prefix("gradient/") {
            (weights[name].grad(), 2e-3)
        } else if name.contains("running_") {
            (weights[name].shallow_clone(), 1e-5)
        } else {
            continue;
        };
        let error = relative_error(&found, expected);
        assert!(error < bound, "{name}: {error}");
        compared += 1;
    }
    assert_eq!(compared, 16);
}

/// A training set of six names, each with pictures in two styles and words in two fonts of coloured bars, and one held
/// out of each.
fn set(folder: &Path) -> Paths {
    let names = ["one", "two", "red three", "four", "five", "six"];
    let mut tar = tar::Builder::new(Vec::new());
    let mut add = |name: String, bytes: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, bytes).expect("room");
    };
    let mut listed = Vec::new();
    for (i, name) in names.iter().enumerate() {
        for style in 0..3u32 {
            let held_out = style == 2;
            let picture = RgbaImage::from_fn(40, 40, |x, y| {
                let inside = (x / 8 + style) % 6 == i as u32 || (y / 8) % 6 == i as u32;
                let colour = [(i * 40) as u8, (200 - i * 30) as u8, 60];
                Rgba([colour[0], colour[1], colour[2], if inside { 255 } else { 0 }])
            });
            let word = image::GrayImage::from_fn(30, 12, |x, y| {
                image::Luma([if (x / 5 + y / 6 * style) % 6 <= i as u32 { 255 } else { 0 }])
            });
            for (kind, picture) in
                [("picture", DynamicImage::from(picture)), ("word", DynamicImage::from(word))]
            {
                let mut png = std::io::Cursor::new(Vec::new());
                picture.write_to(&mut png, ImageFormat::Png).expect("a PNG");
                let key = format!("{kind}-{i}-{style}");
                add(format!("{key}.png"), png.get_ref());
                let beside = format!(
                    r#"{{"kind":"{kind}","name":"{name}","style":"{style}","text":"{name}","held_out":{held_out}}}"#
                );
                add(format!("{key}.json"), beside.as_bytes());
            }
        }
        listed.push(format!(
            r#"{{"name":"{name}","emoji":"x","group":"g","keywords":["number"],"held_out":["2"]}}"#
        ));
    }
    let places = Paths {
        set: folder.join("train.tar"),
        names: folder.join("names.json"),
        out: folder.join("out"),
    };
    fs::write(&places.set, tar.into_inner().expect("an archive")).expect("write");
    fs::write(&places.names, format!("[{}]", listed.join(","))).expect("write");
    places
}

fn recipe(folder: &Path, steps: u64, precision: &str) -> Recipe {
    let path = folder.join("recipe.json");
    let text = format!(
        r#"{{"seed":4,"steps":{steps},"batch":8,"texts":4,"rate":0.003,"warmup":2,"decay":0.05,"together":2,
            "kinship":0.2,"temperature":0.1,"precision":"{precision}",
            "network":{{"width":8,"blocks":[1,1,1,1],"embedding":16,"text_width":16,"text_layers":1,"context":12}},
            "stages":[{{"until":0.5,"side":32,"mix":{{"picture":0.4,"word":0.4}},"strength":{{"picture":0.2,"word":0.1}}}},
                      {{"until":1,"side":64,"mix":{{"picture":0.4,"word":0.4}},"strength":{{"picture":0.2,"word":0.3}}}}]}}"#
    );
    fs::write(&path, text).expect("write");
    Recipe::open(&path).expect("a recipe")
}

/// Stops after so many steps.
struct After(u64, u64);

impl Monitor for After {
    fn progress(&mut self, progress: &Progress<'_>) {
        self.1 = progress.step + 1;
    }

    fn stopped(&self) -> bool {
        self.1 >= self.0
    }
}

/// The entries of a log, and what a record says.
fn read(path: &Path) -> Vec<serde_json::Value> {
    let text = fs::read_to_string(path).expect("a log");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn record(path: &Path) -> Record {
    serde_json::from_slice(&fs::read(path).expect("a record")).expect("JSON")
}

fn blake3_of(path: &Path) -> String {
    blake3::hash(&fs::read(path).expect("a file")).to_hex().to_string()
}

fn logged(out: &Path) -> Vec<serde_json::Value> {
    let mut lines = read(&out.join("log.jsonl"));
    for line in &mut lines {
        line["seconds"] = 0.into();
    }
    lines
}

#[test]
fn a_training_that_was_cut_off_ends_as_one_that_was_not() {
    let dir = tempfile::tempdir().expect("a folder");
    let places = set(dir.path());
    let recipe = recipe(dir.path(), 8, "f32");
    let whole = train(&recipe, &places, Device::Cpu, 2, &mut Silent).expect("a training");
    let again = Paths { out: dir.path().join("again"), ..places.clone() };
    // Before and after the pictures grow.
    for steps in [3, 4, 6] {
        let cut = train(&recipe, &again, Device::Cpu, 2, &mut After(steps, 0));
        assert_eq!(cut.expect_err("cut off"), Failure::Cancelled);
    }
    // What a kill leaves behind: entries that the checkpoint has not reached yet.
    let log = again.out.join("log.jsonl");
    let entries = fs::read_to_string(&log).expect("a log");
    let late = entries.lines().last().expect("an entry").replace("\"step\":6", "\"step\":7");
    fs::write(&log, format!("{entries}{late}\n")).expect("write");
    let resumed = train(&recipe, &again, Device::Cpu, 2, &mut Silent).expect("the rest");
    assert_eq!(fs::read(&whole).expect("weights"), fs::read(&resumed).expect("weights"));
    assert_eq!(logged(&places.out), logged(&again.out));
    assert_eq!(logged(&again.out).len(), 4);
    assert!(
        fs::read_to_string(again.out.join("curves.svg")).expect("curves").contains("words, top 1")
    );
    assert!(again.out.join("stage-2.png").is_file());
    let said = record(&again.out.join("run.json"));
    assert_eq!((said.weights, said.samples), (blake3_of(&resumed), 64));
    assert_eq!(said.recipe, recipe);
    // What has been finished is not begun again, and what of it was lost is written again.
    let bytes = fs::read(&resumed).expect("weights");
    fs::remove_file(&resumed).expect("removed");
    train(&recipe, &again, Device::Cpu, 2, &mut Silent).expect("nothing to do");
    assert_eq!(fs::read(&resumed).expect("weights"), bytes);

    let clip =
        Clip::load(&resumed, Loading::new(Device::Cpu, Conventions::default())).expect("a CLIP");
    assert_eq!(clip.architecture.image_size, 64);
    assert_eq!(clip.architecture.text.as_ref().map(|text| text.vocabulary), Some(49408));
}

#[test]
fn what_comes_next_may_be_changed_on_the_way() {
    let dir = tempfile::tempdir().expect("a folder");
    let places = set(dir.path());
    let begun = recipe(dir.path(), 8, "f32");
    let mut changed = begun.clone();
    changed.stages[1].mix.word = 0.1;
    let cut = train(&begun, &places, Device::Cpu, 2, &mut After(4, 0));
    assert_eq!(cut.expect_err("cut off"), Failure::Cancelled);
    let found = train(&changed, &places, Device::Cpu, 2, &mut Silent).expect("the rest");
    let again = Paths { out: dir.path().join("again"), ..places.clone() };
    let whole = train(&changed, &again, Device::Cpu, 2, &mut Silent).expect("a training");
    assert_eq!(fs::read(&found).expect("weights"), fs::read(&whole).expect("weights"));
}

#[test]
fn a_tiny_network_learns_what_it_is_shown() {
    let dir = tempfile::tempdir().expect("a folder");
    let places = set(dir.path());
    for precision in ["f32", "bf16"] {
        let places = Paths { out: dir.path().join(precision), ..places.clone() };
        let mut recipe =
            Recipe { rate: 0.01, texts: 0, kinship: 0.0, ..recipe(dir.path(), 1200, precision) };
        for stage in &mut recipe.stages {
            // Each drawing as it is: what is to be seen is that it is learned, not how far that carries.
            (stage.strength.picture, stage.strength.word) = (0.0, 0.0);
            stage.side = 32;
        }
        assert_eq!(
            recipe.precision,
            if precision == "f32" { Precision::F32 } else { Precision::Bf16 }
        );
        train(&recipe, &places, Device::Cpu, 20, &mut Silent).expect("a training");
        let log = logged(&places.out);
        let (first, last) = (&log[0], &log[log.len() - 1]);
        let loss = |entry: &serde_json::Value| entry["loss"].as_f64().expect("a loss");
        assert!(loss(last) < 0.7 * loss(first), "{precision}: {first} to {last}");
        // By lot it would be one of the six.
        let right = last["trained_pictures"]["top1"].as_f64().expect("a part");
        assert!(right > 0.6, "{precision}: {last}");
    }
}

#[test]
fn what_does_not_belong_together_is_refused() {
    let dir = tempfile::tempdir().expect("a folder");
    let places = set(dir.path());
    let short = recipe(dir.path(), 2, "f32");
    train(&short, &places, Device::Cpu, 2, &mut Silent).expect("a training");
    let error = |recipe: &Recipe, places: &Paths| {
        train(recipe, places, Device::Cpu, 2, &mut Silent).expect_err("refused").to_string()
    };
    let other = recipe(dir.path(), 3, "f32");
    assert!(error(&other, &places).contains("the checkpoint is of another recipe"));

    // Another rest is no other recipe, as long as there is a rest.
    let mut rest = recipe(dir.path(), 2, "f32");
    rest.stages[1].mix.word = 0.1;
    assert!(error(&rest, &places).contains("the checkpoint is of another recipe"));

    let names = fs::read_to_string(&places.names).expect("names");
    fs::write(&places.names, names.replace("number", "numeral")).expect("write");
    assert!(error(&short, &places).contains("the checkpoint is of another training set"));
    fs::write(&places.names, names.replace("\"six\"", "\"seven\"")).expect("write");
    let said = error(&short, &places);
    assert!(said.contains("`six` of ") && said.contains("is not in the list of names"), "{said}");
    fs::write(&places.names, &names).expect("write");

    let kept = places.out.join("checkpoint.safetensors");
    let bytes = fs::read(&kept).expect("a checkpoint");
    fs::write(&kept, &bytes[..bytes.len() / 2]).expect("write");
    assert!(error(&short, &places).contains("the checkpoint is damaged"));
    fs::write(&places.set, b"no archive at all").expect("write");
    assert!(error(&short, &places).contains("is not a training set"));
}

#[test]
fn the_weights_that_come_along_are_those_of_the_recorded_training() {
    let models = repository("models");
    let said = record(&models.join("emoji-clip.run.json"));
    assert_eq!(said.weights, blake3_of(&emoji_weights()));
    assert_eq!(
        said.recipe,
        Recipe::open(&models.join("emoji-clip.recipe.json")).expect("a recipe")
    );
    let log = read(&models.join("emoji-clip.log.jsonl"));
    let last = log.last().expect("an entry");
    assert_eq!(last["step"], said.recipe.steps);
    assert_eq!(last["samples"], said.samples);
    // The report in the README is on these weights too.
    let readme = fs::read_to_string(models.join("README.md")).expect("a README");
    assert!(readme.contains(&said.weights), "cargo xtask emoji --report brings it up to date");
}
