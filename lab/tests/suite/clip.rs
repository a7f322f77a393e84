//! The networks against open_clip's, on data that `tests/reference/clip.py` made.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use neuronotes::site;
use neuronotes::workspace::Workspace;
use neuronotes_core::model::Precision;
use neuronotes_core::model::{Activation, Conventions, Given, Header, Layer, Positions, Stage};
use neuronotes_lab::clip::activations::{Activations, by_unit};
use neuronotes_lab::clip::{BatchNorm, Clip, Loading};
use safetensors::SafeTensors;
use tch::{Device, Kind, Tensor};

use crate::support::{golden, load, relative_error, tensors};

const NETWORKS: [(&str, &str, i64); 2] = [
    ("clip_resnet", "image_block_4/0/Add_6", 7),
    ("clip_vit", "vision_model.encoder.layers.1.mlp.activation_fn", 7),
];

/// Relative error that a layer may have in single precision.
const TOLERANCE: f64 = 1e-4;

fn weights(network: &str) -> std::path::PathBuf {
    golden(network).join("weights.safetensors")
}

/// With nothing folded, so that every activation can be had.
fn whole(path: &Path) -> Clip {
    let loading =
        Loading { norm: BatchNorm::Apart, ..Loading::new(Device::Cpu, Conventions::default()) };
    Clip::load(path, loading).expect("a model")
}

fn stages(layers: &[Layer]) -> Vec<Stage> {
    layers.iter().map(|layer| layer.stage).collect()
}

fn close(found: &Tensor, expected: &Tensor, what: &str) {
    let error = relative_error(found, expected);
    assert!(error <= TOLERANCE, "{what}: {error}");
}

/// Checks all layers of a tower, together and alone.
fn check(
    layers: &[Layer],
    golden: &HashMap<String, Tensor>,
    network: &str,
    forward: impl Fn(&[Stage]) -> Activations,
) {
    let all = forward(&stages(layers));
    for layer in layers {
        let name = &layer.name.canonical;
        let found = all.get(layer.stage).expect("an activation");
        let expected = golden.get(name).unwrap_or_else(|| panic!("{network} has no {name}"));
        close(found, expected, &format!("{network} {name}"));
        let (n, units) = (found.size()[0], i64::from(layer.units));
        let shape = match layer.positions {
            Positions::One => vec![n, units],
            Positions::Map(side) => vec![n, units, side.into(), side.into()],
            Positions::Tokens(count) => vec![n, count.into(), units],
        };
        assert_eq!(found.size(), shape, "{network} {name}");
        assert_eq!(by_unit(found).size()[1], units, "{network} {name}");
        // Asked for alone, the forward pass stops there and finds the same.
        let alone = forward(&[layer.stage]);
        assert_eq!(alone.get(layer.stage).expect("an activation"), found, "{network} {name}");
        let deeper = layers.iter().filter(|other| other.stage != layer.stage);
        assert!(deeper.map(|other| other.stage).all(|stage| alone.get(stage).is_err()));
    }
}

#[test]
fn every_layer_of_both_towers_equals_open_clip() {
    for (network, _, _) in NETWORKS {
        let clip = whole(&weights(network));
        let golden = tensors(&format!("{network}/activations.safetensors"));
        let (layers, texts) = (clip.architecture.layers(), clip.architecture.text_layers());
        // Pixels, tokens, two features, two with GELU, logits and the gradient are no layers.
        assert_eq!(layers.len() + texts.len(), golden.len() - 8, "{network}");
        check(&layers, &golden, network, |wanted| {
            clip.look(&golden["pixels"], wanted).expect("activations")
        });
        check(&texts, &golden, network, |wanted| {
            clip.read(&golden["tokens"], wanted).expect("activations")
        });
    }
}

#[test]
fn embeddings_and_logits_equal_open_clip_and_hugging_face() {
    let files = [
        ("clip_resnet", "weights.safetensors"),
        ("clip_vit", "weights.safetensors"),
        ("clip_vit", "hugging_face/model.safetensors"),
    ];
    for (network, file) in files {
        let clip = load(&golden(network).join(file));
        let golden = tensors(&format!("{network}/activations.safetensors"));
        let images = clip.encode_images(&golden["pixels"]).expect("embeddings");
        let tokens = Vec::<Vec<i64>>::try_from(&golden["tokens"]).expect("numbers");
        let tokens: Vec<Vec<u32>> =
            tokens.iter().map(|text| text.iter().map(|&token| token as u32).collect()).collect();
        let texts = clip.encode_texts(&tokens).expect("embeddings");
        close(&images, &golden["image_features"], file);
        close(&texts, &golden["text_features"], file);
        let unit = |x: &Tensor| x / x.norm_scalaropt_dim(2, [-1i64].as_slice(), true);
        let logits = unit(&images).matmul(&unit(&texts).tr()) * clip.logit_scale();
        close(&logits, &golden["logits"], file);
    }
}

#[test]
fn gelu_is_not_quickgelu() {
    let golden = tensors("clip_vit/activations.safetensors");
    let gelu = Conventions { activation: Activation::Gelu, ..Conventions::default() };
    let clip = Clip::load(&weights("clip_vit"), Loading::new(Device::Cpu, gelu)).expect("a model");
    let images = clip.encode_images(&golden["pixels"]).expect("embeddings");
    close(&images, &golden["gelu.image_features"], "GELU");
    let texts = clip.read(&golden["tokens"], &[Stage::Embedding]).expect("embeddings");
    close(texts.get(Stage::Embedding).expect("embeddings"), &golden["gelu.text_features"], "GELU");
    assert!(relative_error(&images, &golden["image_features"]) > 10.0 * TOLERANCE);
}

#[test]
fn the_gradient_with_respect_to_the_image_equals_open_clip() {
    for (network, layer, unit) in NETWORKS {
        let clip = load(&weights(network));
        let golden = tensors(&format!("{network}/activations.safetensors"));
        let stage = clip.architecture.layer(layer).expect("a layer").stage;
        let images = golden["pixels"].copy().set_requires_grad(true);
        let activations = clip.look(&images, &[stage]).expect("activations");
        let units = by_unit(activations.get(stage).expect("an activation"));
        let value = units.select(1, unit).mean_dim([1i64].as_slice(), false, Kind::Float);
        let gradient = Tensor::run_backward(&[value.sum(Kind::Float)], &[&images], false, false);
        close(&gradient[0], &golden["gradient"], network);
    }
}

#[test]
fn every_format_holds_the_same_network() {
    for (network, _, _) in NETWORKS {
        let clip = load(&weights(network));
        let images = &tensors(&format!("{network}/activations.safetensors"))["pixels"];
        let expected = clip.encode_images(images).expect("embeddings");
        for file in ["state_dict.pt", "torchscript.pt"] {
            let other = load(&golden(network).join(file));
            assert_eq!(other.architecture, clip.architecture);
            let found = other.encode_images(images).expect("embeddings");
            assert!(found.equal(&expected), "{network}/{file}");
            let tokens = &tensors(&format!("{network}/activations.safetensors"))["tokens"];
            let text = |clip: &Clip| {
                let found = clip.read(tokens, &[Stage::Embedding]).expect("activations");
                found.get(Stage::Embedding).expect("embeddings").copy()
            };
            assert!(text(&other).equal(&text(&clip)), "{network}/{file}");
        }
    }
}

#[test]
fn what_weights_were_trained_with_is_found_beside_them_and_in_them() {
    let of = |file: &str| {
        let path = golden("clip_vit").join(file);
        let header = Header::read(&path).expect("a header");
        Conventions::of(&path, &header, &Given::default())
    };
    assert!(of("weights.safetensors").is_err(), "nothing says it");
    assert_eq!(of("torchscript.pt").expect("sizes as OpenAI's have"), Conventions::default());
    let found = of("hugging_face/model.safetensors").expect("its config.json");
    assert_eq!((found.activation, found.heads), (Activation::QuickGelu, Some(2)));
}

/// The weights of the transformer in a file of their own, some names or values changed.
fn changed(folder: &Path, change: impl Fn(&str) -> Option<String>) -> std::path::PathBuf {
    let bytes = fs::read(weights("clip_vit")).expect("weights");
    let file = SafeTensors::deserialize(&bytes).expect("weights");
    let tensors =
        file.tensors().into_iter().filter_map(|(name, view)| Some((change(&name)?, view)));
    let path = folder.join("w.safetensors");
    fs::write(&path, safetensors::serialize(tensors, None).expect("a file")).expect("written");
    path
}

#[test]
fn open_clips_nested_names_and_prefixes_of_training_are_known() {
    let folder = tempfile::tempdir().expect("a folder");
    let expected = load(&weights("clip_vit"));
    let golden = tensors("clip_vit/activations.safetensors");
    for prefix in ["", "module."] {
        let path = changed(folder.path(), |name| {
            let nested = !name.starts_with("visual.") && name != "logit_scale";
            Some(format!("{prefix}{}{name}", if nested { "text." } else { "" }))
        });
        let clip = load(&path);
        assert_eq!(clip.architecture, expected.architecture);
        let texts = clip.read(&golden["tokens"], &[Stage::Embedding]).expect("embeddings");
        close(texts.get(Stage::Embedding).expect("embeddings"), &golden["text_features"], prefix);
    }
}

#[test]
fn what_stands_before_and_beside_a_model_and_how_many_files_it_has_change_nothing() {
    let golden_activations = tensors("clip_vit/activations.safetensors");
    for (file, prefix) in [
        ("weights.safetensors", "_orig_mod."),
        ("weights.safetensors", "clip.model."),
        ("hugging_face/model.safetensors", "model."),
        ("hugging_face/model.safetensors", ""),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let bytes = fs::read(golden("clip_vit").join(file)).expect("weights");
        let whole = SafeTensors::deserialize(&bytes).expect("weights");
        let views = whole.tensors();
        let own = views.iter().map(|(name, view)| (format!("{prefix}{name}"), view.clone()));
        let beside = [("ema.decay", &views[0].1), ("loss.head.weight", &views[1].1)];
        let beside = beside.map(|(name, view)| (name.to_owned(), view.clone()));
        let all: Vec<_> = own.chain(beside).collect();
        let parts = [&all[..5], &all[5..]];
        let mut places = serde_json::Map::new();
        for (at, part) in parts.into_iter().enumerate() {
            let name = format!("model-0000{}-of-00002.safetensors", at + 1);
            let bytes = safetensors::serialize(part.to_vec(), None).expect("a part");
            fs::write(folder.path().join(&name), bytes).expect("written");
            places.extend(part.iter().map(|(tensor, _)| (tensor.clone(), name.clone().into())));
        }
        let index = serde_json::json!({ "metadata": {}, "weight_map": places });
        let path = folder.path().join("model.safetensors.index.json");
        fs::write(&path, index.to_string()).expect("written");
        for path in [&*path, folder.path()] {
            let clip = load(path);
            let images = clip.encode_images(&golden_activations["pixels"]).expect("embeddings");
            close(&images, &golden_activations["image_features"], prefix);
            // The text tower is read later, and from the same files.
            let texts = clip.read(&golden_activations["tokens"], &[Stage::Embedding]);
            let texts = texts.expect("embeddings");
            let texts = texts.get(Stage::Embedding).expect("embeddings");
            close(texts, &golden_activations["text_features"], prefix);
        }
        let said = neuronotes_core::model::beside(&Header::read(&path).expect("a header"));
        let said = said.expect("something beside");
        assert!(said.contains("`ema.decay`, `loss.head.weight`"), "{said}");
        said_once(folder.path());
    }
}

/// Checks that a garden whose two figures use the model in that folder says once what is beside it, where it is
/// configured, and has no other problem.
fn said_once(folder: &Path) {
    let garden = folder.join("garden");
    fs::create_dir_all(garden.join("notes")).expect("a folder");
    let folder = folder.display();
    let config = format!("models:\n  m: {{ path: {folder}, activation: quick_gelu }}\n");
    fs::write(garden.join("neuronotes.yaml"), config).expect("written");
    let block = |unit: u32| {
        let layer = "visual.transformer.resblocks.1.mlp.gelu";
        format!(
            "```yaml analysis\nid: u{unit}\nkind: feature_vis\nmodel: m\nlayer: {layer}\nunit: {unit}\n```\n\n"
        )
    };
    fs::write(garden.join("notes/a.md"), block(1) + &block(2)).expect("written");
    let mut workspace = Workspace::open(&garden).expect("a garden");
    assert_eq!(site::wishes(&mut workspace).plan.requests.len(), 2);
    let said: Vec<String> = workspace
        .problems()
        .map(|problem| format!("{:?} {} {}", problem.severity, problem.place(), problem.message))
        .collect();
    assert_eq!(
        said,
        [
            "Warning neuronotes.yaml:2:3 the weights of `m` hold more than a CLIP; beside the model, not used: `ema.decay`, `loss.head.weight`"
        ]
    );
}

#[test]
fn what_is_missing_or_surplus_in_either_tower_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = changed(folder.path(), |name| match name {
        "transformer.resblocks.0.ln_1.bias" => None,
        "visual.ln_post.bias" => Some("visual.ln_posted.bias".into()),
        _ => Some(name.to_owned()),
    });
    let loading = Loading::new(Device::Cpu, Conventions::default());
    let error = Clip::load(&path, loading).expect_err("unfit").to_string();
    assert!(
        error.contains("missing: visual.ln_post.bias, transformer.resblocks.0.ln_1.bias"),
        "{error}"
    );
    assert!(error.contains("surplus: visual.ln_posted.bias"), "{error}");
}

#[test]
fn images_and_texts_of_another_size_are_refused() {
    for (network, layer, size) in
        [("clip_resnet", "visual.attnpool", "64 x 64"), ("clip_vit", "visual.ln_pre", "32 x 32")]
    {
        let clip = load(&weights(network));
        let image = Tensor::zeros([1, 3, 96, 96], (Kind::Float, Device::Cpu));
        let stage = clip.architecture.layer(layer).expect("a layer").stage;
        assert!(clip.fixes_size(stage));
        let error = clip.look(&image, &[stage]).expect_err("another size").to_string();
        assert!(error.contains(size), "{error}");
        let first = clip.architecture.layers()[1].stage;
        let first = if network == "clip_vit" { Stage::Input } else { first };
        assert!(!clip.fixes_size(first) && clip.look(&image, &[first]).is_ok());
        let error = clip.encode_texts(&[vec![1, 2, 95]]).expect_err("too short").to_string();
        assert!(error.contains("12 tokens"), "{error}");
        let foreign =
            clip.encode_texts(&[vec![49407; 12]]).expect_err("not its tokens").to_string();
        assert!(foreign.contains("knows 96 tokens"), "{foreign}");
    }
}

#[test]
fn between_a_convolution_and_its_norm_lies_nothing_once_they_are_folded() {
    let clip = load(&weights("clip_resnet"));
    let image = &tensors("clip_resnet/activations.safetensors")["pixels"];
    let layer = clip.architecture.layer("visual.layer1.0.conv2").expect("a layer");
    assert!(layer.stage.splits_norm());
    assert!(clip.look(image, &[layer.stage]).is_err());
}

#[test]
fn coarser_arithmetic_stays_near_and_half_precision_needs_a_gpu() {
    for (network, _, _) in NETWORKS {
        let golden = tensors(&format!("{network}/activations.safetensors"));
        let loading =
            |precision| Loading { precision, ..Loading::new(Device::Cpu, Conventions::default()) };
        let clip = Clip::load(&weights(network), loading(Precision::Bf16)).expect("a model");
        let found = clip.encode_images(&golden["pixels"]).expect("embeddings");
        assert_eq!(found.kind(), Kind::Float);
        let error = relative_error(&found, &golden["image_features"]);
        assert!((1e-5..0.03).contains(&error), "{network}: {error}");
        let refused = Clip::load(&weights(network), loading(Precision::F16)).expect_err("no GPU");
        assert!(refused.to_string().contains("needs a GPU"), "{refused}");
    }
}

/// The weights of units are those by which the network computes: differences of activations between two positions, where
/// biases cancel, are products with them.
#[test]
fn weights_in_and_out_are_those_that_the_activations_were_computed_with() {
    for (network, from, to) in [
        ("clip_resnet", "visual.layer3.0", "visual.layer4.0.bn1"),
        (
            "clip_vit",
            "visual.transformer.resblocks.1.ln_2",
            "visual.transformer.resblocks.1.mlp.c_fc",
        ),
        (
            "clip_vit",
            "visual.transformer.resblocks.1.mlp.gelu",
            "visual.transformer.resblocks.1.mlp.c_proj",
        ),
    ] {
        let golden = tensors(&format!("{network}/activations.safetensors"));
        let apart = |name: &str| {
            let all = by_unit(&golden[name]).to_kind(Kind::Double); // [n, units, positions]
            all.select(2, 1) - all.select(2, 0) // [n, units]
        };
        let folded = load(&weights(network));
        for clip in [&folded, &whole(&weights(network))] {
            let stage = |name: &str| clip.layer(name).expect("a layer").stage;
            let wiring = clip.wiring(stage(to));
            if let Some(into) = wiring.into {
                close(&apart(from).matmul(&into.transpose(0, 1)), &apart(to), to);
            }
            // Beside those of a shortcut, if there is one.
            if let Some(out) = clip.wiring(stage(from)).out {
                let units = apart(to).size()[1];
                close(&apart(from).matmul(&out.narrow(1, 0, units)), &apart(to), from);
            }
        }
    }
}

#[test]
fn every_unit_of_a_layer_has_a_row_of_weights_and_streams_of_a_transformer_have_none() {
    for (network, _, _) in NETWORKS {
        let clip = whole(&weights(network));
        for layer in clip.architecture.layers() {
            let wiring = clip.wiring(layer.stage);
            let name = &layer.name.canonical;
            for rows in [&wiring.into, &wiring.out].into_iter().flatten() {
                assert_eq!(rows.size()[0], i64::from(layer.units), "{name}");
                assert!(rows.abs().sum(Kind::Double).double_value(&[]) > 0.0, "{name}");
            }
            let last = layer.stage == Stage::Embedding;
            if network == "clip_resnet" {
                assert_eq!((wiring.into.is_some(), wiring.out.is_some()), (true, !last), "{name}");
            }
        }
        if network == "clip_vit" {
            let stream = clip.layer("visual.transformer.resblocks.0").expect("a layer").stage;
            let wiring = clip.wiring(stream);
            assert!(wiring.into.is_none() && wiring.out.is_none());
        }
    }
}
