//! A dictionary over a layer, from its file to the page, with the real lab.

use std::fs;
use std::path::Path;

use safetensors::Dtype;
use safetensors::tensor::TensorView;

use super::common::Garden;
use super::measure::stored;
use super::{LAYER, garden};

/// Units of the layer.
const UNITS: usize = 768;

/// Writes a dictionary whose features are single units: the first is unit 3, the second unit 4, the third has `number`.
fn write(path: &Path, number: f32) {
    let mut encoder = vec![0.0f32; 3 * UNITS];
    (encoder[3], encoder[UNITS + 4], encoder[2 * UNITS]) = (1.0, 1.0, number);
    let bytes: Vec<u8> = encoder.iter().flat_map(|x| x.to_le_bytes()).collect();
    let view = TensorView::new(Dtype::F32, vec![3, UNITS], &bytes).expect("a view");
    let file = safetensors::serialize([("encoder", view)], None).expect("bytes");
    fs::write(path, file).expect("a file");
}

fn with_dictionary() -> Garden {
    let garden = garden();
    write(&garden.path("units.safetensors"), 0.0);
    let entry = format!("dictionaries:\n  units: {{ path: units.safetensors, layer: {LAYER} }}\n");
    garden.write("neuronotes.yaml", &(garden.read("neuronotes.yaml") + &entry));
    garden
}

fn block(kind: &str, unit: u32, more: &str) -> String {
    format!("```yaml analysis\nkind: {kind}\nlayer: units\nunit: {unit}\n{more}```\n\n")
}

#[test]
fn features_are_measured_with_one_scan_of_their_own_and_have_pages() {
    let garden = with_dictionary();
    let examples = block("dataset_examples", 0, "id: examples\ntop: 5\n");
    let histogram = block("activation_histogram", 1, "id: histogram\nbins: 4\n");
    let vis = block("feature_vis", 0, "id: vis\nsize: 64\nsteps: 3\n");
    garden.note("a.md", &format!("{examples}{histogram}{vis}"));
    let run = garden.build();
    assert_eq!(run.code(), 0, "{}", run.stderr());
    assert!(run.summary().contains("3 figures measured, 0 stored"), "{}", run.summary());
    assert_eq!(stored(&garden)["scan"], 1, "both features read one scan");
    let page = garden.read("output/a.html");
    for wanted in [
        "<dt>dictionary</dt><dd>units (",
        "a red square",
        "<svg",
        "the feature&#39;s mean is",
        "Feature visualisation of feature 0 of",
    ] {
        assert!(page.contains(wanted), "{wanted}: {page}");
    }
    assert!(garden.path("output/units/emoji/units/0.html").is_file());
    assert!(garden.path("output/units/emoji/units/1.html").is_file());

    // Another feature is another record, and no forward pass.
    garden.note("a.md", &format!("{}{histogram}{vis}", examples.replace("unit: 0", "unit: 1")));
    assert!(garden.build().summary().contains("1 figure measured, 2 stored"));
    assert_eq!(stored(&garden)["scan"], 1);

    // Another file is another dictionary.
    write(&garden.path("units.safetensors"), 1.0);
    let run = garden.build();
    assert!(run.summary().contains("3 figures measured, 0 stored"), "{}", run.summary());
    assert_eq!(stored(&garden)["scan"], 2);
    assert_eq!(garden.output(), garden.clean_output());
}

#[test]
fn a_dictionary_with_nan_fails_its_figures_and_no_others() {
    let garden = with_dictionary();
    write(&garden.path("units.safetensors"), f32::NAN);
    let layer = super::block("activation_histogram", 3, "id: layer\nbins: 4\n");
    garden.note("a.md", &format!("{}{layer}", block("activation_histogram", 0, "id: feature\n")));
    let run = garden.build();
    assert_eq!(run.code(), 1, "{}", run.stderr());
    assert!(run.stderr().contains("the tensor `encoder` of"), "{}", run.stderr());
    assert!(run.stderr().contains("is NaN at element 1536"), "{}", run.stderr());
    assert!(run.summary().contains("1 figure measured"), "{}", run.summary());
}
