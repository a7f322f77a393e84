//! Controls with the real lab: small data sets, units that are silent, ties, features, directions and words, and what the page
//! says of each.

use std::fs;

use neuronotes_core::digest::Digest;
use safetensors::Dtype;
use safetensors::tensor::TensorView;

use super::common::Garden;
use super::{LAYER, garden};

/// Units of the layer.
const UNITS: usize = 768;

/// A garden with controls, and with a dictionary of five features: units 3 and 4 of the layer; one that is silent; one that is
/// the same everywhere; and unit 5.
fn controlled() -> Garden {
    let garden = garden();
    let mut encoder = vec![0.0f32; 5 * UNITS];
    (encoder[3], encoder[UNITS + 4], encoder[4 * UNITS + 5]) = (1.0, 1.0, 1.0);
    let numbers = |all: &[f32]| all.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>();
    let (encoder, bias) = (numbers(&encoder), numbers(&[10.0, 10.0, -1.0, 1.0, 10.0]));
    let encoder = TensorView::new(Dtype::F32, vec![5, UNITS], &encoder).expect("a view");
    let bias = TensorView::new(Dtype::F32, vec![5], &bias).expect("a view");
    let file = safetensors::serialize([("encoder", encoder), ("encoder_bias", bias)], None);
    fs::write(garden.path("parts.safetensors"), file.expect("bytes")).expect("a file");
    let more = format!(
        "controls: on\ndictionaries:\n  parts: {{ path: parts.safetensors, layer: {LAYER} }}\n"
    );
    garden.write("neuronotes.yaml", &(garden.read("neuronotes.yaml") + &more));
    garden
}

fn block(kind: &str, fields: &str) -> String {
    format!("```yaml analysis\nkind: {kind}\n{fields}\n```\n\n")
}

/// The fold with the controls of a page's only figure.
fn fold(garden: &Garden, text: &str) -> String {
    garden.note("a.md", text);
    let run = garden.build();
    assert_eq!(run.code(), 0, "{}", run.stderr());
    let page = garden.page("a.html");
    let fold = page.split("fold controls\">").nth(1).unwrap_or_else(|| panic!("a fold: {page}"));
    fold.split("</details>").next().expect("its end").to_owned()
}

/// The captions under a heading of a fold.
fn under(fold: &str, heading: &str) -> Vec<String> {
    let title = format!("\"part-title\" aria-hidden=\"true\">{heading}<");
    let (_, rest) = fold.split_once(&title).unwrap_or_else(|| panic!("{heading}: {fold}"));
    let list = rest.split("\"part-title\"").next().unwrap_or_default();
    let captions = list.split("alt=\"").skip(1);
    captions.map(|alt| alt.split('"').next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn a_small_data_set_a_silent_feature_and_ties_are_said() {
    let garden = controlled();
    let silent = fold(&garden, &block("dataset_examples", "layer: parts\nunit: 2\ntop: 3"));
    for said in [
        "drawn from 5 images by a digest of the feature, with seed 0",
        "the data set has fewer than 9 images",
        "all images have the same activation, so that there are no bands",
    ] {
        assert!(silent.contains(said), "{said}: {silent}");
    }
    assert!(!silent.contains("bands of activation"), "{silent}");
    // All are equally weak: the digests of their keys decide.
    let mut names = ["red", "green", "blue", "grey", "white"];
    names.sort_by_key(|name| Digest::of(name.as_bytes()));
    let expected = names.map(|name| format!("a {name} square"));
    assert_eq!(under(&silent, "Weakest"), expected);
    // The three that vary are the others, in some order; at most one was passed over before them.
    for unit in [0, 1, 4] {
        assert!(silent.contains(&format!("Strongest for feature {unit}, drawn at random")));
    }
    // Of these two are left, and the others do not vary.
    let live = fold(&garden, &block("dataset_examples", "layer: parts\nunit: 0\ntop: 3"));
    let said = "the dictionary has only 2 other features that vary over the data set";
    assert!(live.contains(said), "{live}");
    assert!(live.contains("of the 10 bands are empty"), "{live}");

    let rank = fold(&garden, &block("activation_histogram", "layer: parts\nunit: 2\nbins: 4"));
    for said in [
        "compared with 3 other features over 5 images",
        "1 that does not vary is left out",
        "the activation is the same for all images, so that it has no rank by its shape",
    ] {
        assert!(rank.contains(said), "{said}: {rank}");
    }
}

#[test]
fn directions_and_words_have_controls_and_what_is_not_comparable_is_said() {
    let garden = controlled();
    let summed = block("dataset_examples", &format!("layer: {LAYER}\nunits: [3, 4]\ntop: 3"));
    let sum = fold(&garden, &summed);
    assert!(sum.contains("by a digest of the direction, with seed 0"), "{sum}");
    assert!(sum.contains("Strongest for unit "), "{sum}");
    let of_features = fold(&garden, &block("activation_histogram", "layer: parts\nunits: [0, 1]"));
    assert!(of_features.contains("compared with 3 other features over 5 images"), "{of_features}");
    let text = "direction: { text: a red square }\ntop: 3";
    let text = fold(&garden, &block("dataset_examples", text));
    assert!(text.contains("Strongest for unit "), "{text}");

    garden.write("words.txt", "cat\ndog\nsun\nmoon\n");
    let config = garden.read("neuronotes.yaml");
    let words = "datasets:\n  words: { path: words.txt }\n";
    garden.write("neuronotes.yaml", &config.replace("datasets:\n", words));
    let fields = format!("layer: {LAYER}\nunit: 3\ndataset: words\ntop: 2");
    let drawn = fold(&garden, &block("dataset_examples", &fields));
    let mut found = under(&drawn, "Drawn at random");
    found.sort();
    assert_eq!(found, ["cat", "dog", "moon", "sun"]);

    // A feature is visualised before its ReLU, and a direction at the embedding has another scale.
    let scanned = block("activation_histogram", "id: scan\nlayer: parts\nunit: 0");
    let vis = block("feature_vis", "id: vis\nlayer: parts\nunit: 0\nsize: 64\nsteps: 2");
    let along = "id: along\ndirection: { text: a red square }\nsize: 64\nsteps: 2";
    let cosine = block("activation_histogram", "id: cosine\ndirection: { text: a red square }");
    garden.note("a.md", &format!("{scanned}{vis}{cosine}{}", block("feature_vis", along)));
    garden.built();
    let page = garden.page("a.html");
    for said in [
        "Controls left out: where the reached activation lies among images (a feature is visualised before its ReLU",
        "Controls left out: where the reached activation lies among images (at the embedding, a direction&#39;s activations",
    ] {
        assert_eq!(page.matches(said).count(), 1, "{said}: {page}");
    }
    assert_eq!(page.matches("fold controls\">").count(), 2, "the ranks alone");
}
