//! `neuronotes-lab activations`, run as its users run it.

use std::collections::HashMap;
use std::path::Path;
use std::process::{Command, Output};

use tch::Tensor;

use crate::support::{emoji_weights, golden, picture, png, relative_error, tensors};

fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_neuronotes-lab"));
    command.arg("activations").args(arguments).args(["--device", "cpu"]);
    command.output().expect("the lab runs")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}

fn read(path: &Path) -> HashMap<String, Tensor> {
    Tensor::read_safetensors(path).expect("the file").into_iter().collect()
}

fn refused(arguments: &[&str]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out.safetensors");
    let run = run(&[arguments, &["--out", text(&out)]].concat());
    assert_eq!(run.status.code(), Some(1), "{arguments:?}");
    assert!(!out.exists());
    String::from_utf8_lossy(&run.stderr).into_owned()
}

#[test]
fn all_that_a_model_makes_of_pixels_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out.safetensors");
    for (network, layer) in [
        ("clip_resnet", "visual.layer4.0.add"),
        ("clip_vit", "visual.transformer.resblocks.1.mlp.gelu"),
    ] {
        let weights = golden(network).join("torchscript.pt");
        let pixels = golden(network).join("activations.safetensors");
        let gradient = format!("{layer}:7");
        let done = run(&[
            "--model",
            text(&weights),
            "--pixels",
            text(&pixels),
            "--layers",
            "all",
            "--gradient",
            &gradient,
            "--out",
            text(&out),
        ]);
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let (found, golden) = (read(&out), tensors(&format!("{network}/activations.safetensors")));
        let mut checked = 0;
        for (name, expected) in &golden {
            let name =
                if name == "gradient" { format!("gradient/{gradient}") } else { name.clone() };
            if let Some(found) = found.get(&name) {
                let error = relative_error(found, expected);
                assert!(error <= 1e-4, "{network} {name}: {error}");
                checked += 1;
            }
        }
        // What is left are the text tower's layers, tokens, features and logits, and what GELU would give.
        let texts =
            golden.keys().filter(|name| !name.contains("visual") && !name.contains("gelu."));
        let texts =
            texts.filter(|name| !["pixels", "image_features", "gradient"].contains(&name.as_str()));
        assert_eq!(checked + texts.count() + 2, golden.len(), "{network}");
        let listed = String::from_utf8_lossy(&done.stdout).into_owned();
        assert!(listed.contains("image_features [") && listed.contains(layer), "{listed}");
    }
}

#[test]
fn pictures_and_texts_are_prepared_as_the_model_was_trained() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str| folder.path().join(name);
    std::fs::write(file("a.png"), png(&picture(1, 70, 50))).expect("written");
    std::fs::write(file("b.png"), png(&picture(2, 96, 96))).expect("written");
    std::fs::write(file("texts"), "a cat, and a dog\n").expect("written");
    let images = format!("{},{}", text(&file("a.png")), text(&file("b.png")));
    let weights = emoji_weights();
    let out = file("out.safetensors");
    let done = run(&[
        "--model",
        text(&weights),
        "--image",
        &images,
        "--text",
        "hello world,red heart",
        "--texts",
        text(&file("texts")),
        "--layers",
        "image_block_4/0/Add_6,visual.layer1.0.conv1,ln_final",
        "--out",
        text(&out),
    ]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let found = read(&out);
    let size = |name: &str| found[name].size();
    assert_eq!(size("pixels"), [2, 3, 96, 96]);
    assert_eq!(size("tokens"), [3, 16]);
    assert_eq!(size("logits"), [2, 3]);
    assert_eq!(size("visual.layer4.0.add"), [2, 768, 3, 3]);
    assert_eq!(size("visual.layer1.0.conv1"), [2, 24, 24, 24]);
    assert_eq!(size("ln_final"), [3, 16, 96]);
    let tokens = Vec::<Vec<i64>>::try_from(&found["tokens"]).expect("numbers");
    assert_eq!(tokens[0][..5], [49406, 3306, 1002, 49407, 0]);
}

#[test]
fn what_cannot_be_done_says_what_to_do() {
    let emoji = emoji_weights();
    let model = ["--model", text(&emoji)];
    let with = |more: &[&str]| refused(&[&model[..], more].concat());
    let error = with(&["--layers", "image_block_4/0/Add_7", "--text", "a"]);
    assert!(error.contains("no layer `image_block_4/0/Add_7`"), "{error}");
    assert!(error.contains("hint: did you mean `image_block_4/0/Add_6`"), "{error}");
    let error = with(&["--layers", "visual.layer4.0.add"]);
    assert!(error.contains("there is no image") && error.contains("`--image`"), "{error}");
    let error = with(&["--layers", "ln_final"]);
    assert!(error.contains("there is no text"), "{error}");
    let error = with(&["--gradient", "visual.layer4.0.add:768", "--text", "a"]);
    assert!(error.contains("no unit 768; its 768 units are counted from 0"), "{error}");
    let long = "word ".repeat(30);
    let error = with(&["--text", &long]);
    assert!(error.contains("32 tokens") && error.contains("`--truncate`"), "{error}");
    let error = with(&["--precision", "f16", "--text", "a"]);
    assert!(error.contains("needs a GPU"), "{error}");
    let unsaid = golden("clip_vit/weights.safetensors");
    let error = refused(&["--model", text(&unsaid), "--text", "a"]);
    assert!(error.contains("GELU or QuickGELU") && error.contains("--activation gelu"), "{error}");
    let error = refused(&["--model", "nowhere.pt", "--text", "a"]);
    assert!(error.contains("nowhere.pt cannot be read"), "{error}");
}
