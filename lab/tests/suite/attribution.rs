//! Attributions against Captum's, and the terms of embeddings against NumPy's, on data that `tests/reference/attribution.py`
//! made.

use std::collections::HashMap;
use std::path::Path;

use neuronotes_core::kind::attribution::Baseline;
use neuronotes_core::model::{Conventions, Layer, Stage};
use neuronotes_lab::attribution::exact::exact;
use neuronotes_lab::attribution::gradient::{
    Attributed, Question, blank_gradient, gradient_activation, integrated, without,
};
use neuronotes_lab::attribution::logit::Logit;
use neuronotes_lab::clip::activations::arranged;
use neuronotes_lab::clip::terms::Part;
use neuronotes_lab::clip::{BatchNorm, Clip, Loading};
use neuronotes_lab::dictionary::Dictionary;
use neuronotes_lab::monitor::Silent;
use tch::{Device, Kind, Tensor};

use crate::support::{golden, relative_error, tensors};

/// The scale of the logits in the golden data.
const SCALE: f64 = 20.0;

fn whole(network: &str) -> Clip {
    let loading =
        Loading { norm: BatchNorm::Apart, ..Loading::new(Device::Cpu, Conventions::default()) };
    Clip::load(&golden(network).join("weights.safetensors"), loading).expect("a model")
}

/// The network, its first golden picture, and what a golden file of its attributions holds.
fn known(network: &str, file: &str) -> (Clip, Tensor, HashMap<String, Tensor>) {
    let pixels = tensors(&format!("{network}/activations.safetensors")).remove("pixels");
    let golden = tensors(&format!("attribution/{file}.safetensors"));
    let scale = golden.get("scale").map_or(1.0, |scale| scale.double_value(&[0]));
    let input = pixels.expect("pixels").narrow(0, 0, 1) * scale;
    (whole(network), input, golden)
}

fn logit(known: &HashMap<String, Tensor>) -> Logit {
    let direction = known["direction"].to_kind(Kind::Double);
    Logit::new(&Vec::<f64>::try_from(direction).expect("numbers"), SCALE, Device::Cpu)
}

#[test]
fn attributions_equal_captums() {
    for network in ["clip_resnet", "clip_vit"] {
        let (clip, input, golden) = known(network, network);
        let logit = logit(&golden);
        let mut layers = 0;
        for (name, expected) in &golden {
            let Some((layer, method)) = name.split_once(' ') else { continue };
            layers += 1;
            let stage = clip.layer(layer).expect("a layer").stage;
            let question =
                Question { clip: &clip, input: &input, stage, dictionary: None, logit: &logit };
            let found: Attributed = match method {
                "gradient_activation" => gradient_activation(&question),
                "blank_gradient" => blank_gradient(&question),
                "zero" => integrated(&question, 50, Baseline::Zero, &mut Silent),
                "blank" => integrated(&question, 50, Baseline::Blank, &mut Silent),
                other => panic!("no method {other}"),
            }
            .expect("an attribution");
            let expected = arranged(&expected.to_kind(Kind::Double)).squeeze_dim(0);
            let error = relative_error(&found.contributions, &expected);
            assert!(error < 1e-4, "{network} {name}: {error}");
            let far = expected.abs().max().double_value(&[]) * 1e-4;
            let near = (&found.contributions - &expected).abs().le(far).to_kind(Kind::Double);
            let near = near.mean(Kind::Double).double_value(&[]);
            assert!(near > 0.97, "{network} {name}: {near}");
            let whole = golden["logit"].double_value(&[0]);
            assert!((found.logit - whole).abs() < 1e-4, "{} {whole}", found.logit);
        }
        assert_eq!(layers, 12, "three layers, four methods");
    }
}

#[test]
fn integrated_gradients_add_up_the_better_the_more_nodes() {
    for (network, layer) in
        [("clip_resnet", "visual.layer3.0"), ("clip_vit", "visual.transformer.resblocks.0")]
    {
        let (clip, input, golden) = known(network, network);
        let logit = logit(&golden);
        let stage = clip.layer(layer).expect("a layer").stage;
        let question =
            Question { clip: &clip, input: &input, stage, dictionary: None, logit: &logit };
        for baseline in [Baseline::Zero, Baseline::Blank] {
            let [few, many] = [3, 50].map(|nodes| {
                let found = integrated(&question, nodes, baseline, &mut Silent).expect("numbers");
                let sum = found.contributions.sum(Kind::Double).double_value(&[]);
                let promised = found.promised.expect("a promise");
                (sum - promised).abs() / promised.abs()
            });
            // Rounding in single precision is all that is left where logits hardly differ.
            let rounding = 1e-3;
            assert!(many < few.max(rounding), "{network} {baseline:?}: {few} {many}");
        }
    }
}

#[test]
fn terms_equal_numpys_and_add_up_to_the_embedding() {
    let (clip, input, golden) = known("clip_resnet", "clip_resnet_terms");
    let found = clip.terms(&input, &golden["direction"]).expect("terms");
    let heads: Vec<_> = found.terms.iter().filter(|t| t.part != Part::Bias).collect();
    let vectors = Tensor::stack(&heads.iter().map(|head| &head.vector).collect::<Vec<_>>(), 1);
    let positions = heads.iter().map(|head| head.positions.as_ref().expect("positions"));
    let positions = Tensor::stack(&positions.collect::<Vec<_>>(), 1);
    assert!(relative_error(&vectors.squeeze_dim(0), &golden["vectors"]) < 1e-5);
    assert!(relative_error(&positions.squeeze_dim(0), &golden["positions"]) < 1e-5);
    assert!(relative_error(&found.units.squeeze_dim(0), &golden["units"]) < 1e-5);

    let (clip, input, golden) = known("clip_vit", "clip_vit_terms");
    let found = clip.terms(&input, &golden["direction"]).expect("terms");
    assert_eq!(found.terms.len(), 1 + 2 * (2 + 1));
    for term in &found.terms {
        let (expected, positions) = match term.part {
            Part::Start => (golden["start"].shallow_clone(), None),
            Part::Mlp(block) => (golden[&format!("mlp.{block}")].shallow_clone(), None),
            Part::Head { block, head } => {
                let [vectors, positions] = ["heads", "positions"]
                    .map(|name| golden[&format!("{name}.{block}")].select(0, head.into()));
                (vectors, Some(positions))
            }
            other => panic!("a transformer has no {other:?}"),
        };
        assert!(relative_error(&term.vector.squeeze_dim(0), &expected) < 1e-5, "{:?}", term.part);
        if let (Some(found), Some(expected)) = (&term.positions, positions) {
            assert!(relative_error(&found.squeeze_dim(0), &expected) < 1e-5, "{:?}", term.part);
        }
    }

    for network in ["clip_resnet", "clip_vit"] {
        let (clip, _, golden) = known(network, network);
        // Of several pictures at once.
        let pixels = &tensors(&format!("{network}/activations.safetensors"))["pixels"];
        let pixels = Tensor::cat(&[pixels, &pixels.flip([3i64])], 0);
        let found = clip.terms(&pixels, &golden["direction"]).expect("terms");
        let sum: Tensor = found.terms.iter().map(|term| &term.vector).sum();
        let embeddings = clip.encode_images(&pixels).expect("embeddings");
        assert!(relative_error(&sum, &embeddings) < 1e-5, "{network}");
    }
}

#[test]
fn an_exact_attribution_adds_up_and_is_refused_where_it_is_none() {
    for (network, layers, wrong) in [
        ("clip_resnet", &["visual.layer4.0", "visual.layer4.0.add"][..], "visual.layer3.0"),
        ("clip_vit", &["visual.ln_post"][..], "visual.transformer.resblocks.1"),
    ] {
        let (clip, input, golden) = known(network, network);
        let logit = logit(&golden);
        let at = |layer: &str| {
            let layer = clip.layer(layer).expect("a layer");
            let stage = layer.stage;
            (layer, Question { clip: &clip, input: &input, stage, dictionary: None, logit: &logit })
        };
        for layer in layers {
            let (layer, question) = at(layer);
            let found = exact(&question, &layer).expect("terms");
            assert!(found.gap < 1e-5, "{network}: {}", found.gap);
            let parts: f64 = found.parts.iter().map(|part| part.contribution).sum();
            assert!((parts - found.attributed.logit).abs() < 1e-4, "{network}: {parts}");
            let sum = found.attributed.contributions.sum(Kind::Double).double_value(&[]);
            let promised = found.attributed.promised.expect("a promise");
            assert!((sum - promised).abs() < 1e-4, "{network}: {sum} {promised}");
        }
        let (layer, question) = at(wrong);
        let error = exact(&question, &layer).expect_err("too deep").to_string();
        assert!(error.contains("more above it than a sum"), "{error}");
    }
}

#[test]
fn without_a_unit_that_is_silent_the_logit_stays_and_without_all_it_is_that_of_zero() {
    let (clip, input, golden) = known("clip_resnet", "clip_resnet");
    let logit = logit(&golden);
    let stage = clip.layer("visual.layer4.0").expect("a layer").stage;
    let question = Question { clip: &clip, input: &input, stage, dictionary: None, logit: &logit };
    let found = clip.look(&input, &[stage]).expect("activations");
    let active = found.get(stage).expect("an activation").amax([0i64, 2, 3].as_slice(), false);
    let units: Vec<u32> = (0..64).collect();
    let changed = without(&question, &units, None, &mut Silent).expect("logits");
    let whole = golden["logit"].double_value(&[0]);
    let mut silent = 0;
    for (&unit, changed) in units.iter().zip(&changed) {
        let is_silent = active.double_value(&[unit.into()]) == 0.0;
        silent += usize::from(is_silent);
        let change = (changed - whole).abs();
        assert_eq!(change < 1e-6, is_silent, "unit {unit}: {change}");
    }
    assert!(silent < 64);
    // Set to what it is, a unit is not gone.
    let itself = found.get(stage).expect("an activation");
    let same = without(&question, &units, Some(itself), &mut Silent).expect("logits");
    assert!(same.iter().all(|logit| (logit - whole).abs() < 1e-5));
}

/// Writes a dictionary with these tensors in single precision.
fn dictionary(folder: &Path, layer: &Layer, tensors: &[(&str, Tensor)]) -> Dictionary {
    let path = folder.join("dictionary.safetensors");
    Tensor::write_safetensors(tensors, &path).expect("a file");
    Dictionary::with_decoder(&path, layer, Device::Cpu).expect("a dictionary")
}

#[test]
fn a_dictionary_of_both_sides_of_each_unit_divides_captums_attributions() {
    let folder = tempfile::tempdir().expect("a folder");
    for (network, layer) in
        [("clip_resnet", "visual.layer3.0"), ("clip_vit", "visual.transformer.resblocks.0")]
    {
        let (clip, input, golden) = known(network, network);
        let logit = logit(&golden);
        let layer = clip.layer(layer).expect("a layer");
        let units = i64::from(layer.units);
        let eye = Tensor::eye(units, (Kind::Float, Device::Cpu));
        // relu(x) and relu(−x) of each unit, whose difference it is.
        let tensors = [
            ("encoder", Tensor::cat(&[&eye, &-&eye], 0)),
            ("decoder", Tensor::cat(&[&eye, &-&eye], 1)),
        ];
        let dictionary = dictionary(folder.path(), &layer, &tensors);
        let stage = layer.stage;
        let question = Question {
            clip: &clip,
            input: &input,
            stage,
            dictionary: Some(&dictionary),
            logit: &logit,
        };
        let mut methods = 0;
        for (name, expected) in &golden {
            let Some(method) = name.strip_prefix(&*format!("{} ", layer.name.canonical)) else {
                continue;
            };
            let found = match method {
                "gradient_activation" => gradient_activation(&question),
                "blank_gradient" => blank_gradient(&question),
                "zero" => integrated(&question, 50, Baseline::Zero, &mut Silent),
                "blank" => integrated(&question, 50, Baseline::Blank, &mut Silent),
                other => panic!("no method {other}"),
            };
            let found = found.expect("an attribution");
            methods += 1;
            assert_eq!(found.contributions.size()[0], 2 * units);
            let sides = found.contributions.chunk(2, 0);
            let expected = arranged(&expected.to_kind(Kind::Double)).squeeze_dim(0);
            let error = relative_error(&(&sides[0] + &sides[1]), &expected);
            assert!(error < 1e-4, "{network} {name}: {error}");
            // A feature that is silent in the picture, and in the blank one, adds nothing.
            if method != "blank" {
                let both = (&sides[0] * &sides[1]).abs().max().double_value(&[]);
                assert_eq!(both, 0.0, "{network} {name}");
            }
        }
        assert_eq!(methods, 4);
    }
}

#[test]
fn features_of_any_dictionary_add_up_and_without_one_the_layer_lacks_what_it_adds() {
    tch::manual_seed(0);
    let folder = tempfile::tempdir().expect("a folder");
    let (clip, input, golden) = known("clip_resnet", "clip_resnet");
    let logit = logit(&golden);
    let layer = clip.layer("visual.layer4.0").expect("a layer");
    let (single, units) = ((Kind::Float, Device::Cpu), i64::from(layer.units));
    let tensors = [
        ("encoder", Tensor::randn([20, units], single) * 0.2),
        ("encoder_bias", Tensor::randn([20], single) * 0.1),
        ("decoder", Tensor::randn([units, 20], single) * 0.2),
        ("decoder_bias", Tensor::randn([units], single) * 0.1),
    ];
    let dictionary = dictionary(folder.path(), &layer, &tensors);
    let stage = layer.stage;
    let question = Question {
        clip: &clip,
        input: &input,
        stage,
        dictionary: Some(&dictionary),
        logit: &logit,
    };
    let found = integrated(&question, 50, Baseline::Zero, &mut Silent).expect("an attribution");
    let sum = found.contributions.sum(Kind::Double).double_value(&[]);
    let promised = found.promised.expect("a promise");
    assert!((sum - promised).abs() < 1e-3 * promised.abs(), "{sum} {promised}");
    // By hand: the map without one feature, in the rest of the network.
    let map = clip.look(&input, &[stage]).expect("activations");
    let map = map.get(stage).expect("an activation").shallow_clone();
    let features = dictionary.encode_all(&arranged(&map)); // [1, features, positions]
    let logits = without(&question, &[3, 7], None, &mut Silent).expect("logits");
    for (feature, found) in [3, 7].into_iter().zip(logits) {
        let column = tensors[2].1.select(1, feature).view([1, units, 1]);
        let added = column * features.narrow(1, feature, 1);
        let mut replace = |x: &Tensor| Ok(x - added.view_as(x));
        let wanted = [Stage::Embedding];
        let rest = clip.look_replacing(&input, &wanted, stage, &mut replace).expect("a pass");
        let expected = logit.of(rest.get(Stage::Embedding).expect("an embedding"));
        let apart = (found - expected.double_value(&[0])).abs();
        assert!(apart < 1e-5, "feature {feature}: {apart}");
    }
    let failure = exact(&question, &layer).expect_err("no sum").to_string();
    assert!(failure.contains("features of a dictionary is not exact"), "{failure}");
    // Without a decoder nobody knows what a feature adds.
    let path = folder.path().join("encoder.safetensors");
    Tensor::write_safetensors(&tensors[..2], &path).expect("a file");
    let failure = Dictionary::with_decoder(&path, &layer, Device::Cpu).expect_err("no decoder");
    assert!(failure.to_string().contains("has no tensor `decoder`"), "{failure}");
}
