//! Dictionaries over layers, from the configuration to pages: names in place of a layer, keys, mistakes, frozen results.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use crate::common;
use crate::common::Garden;
use crate::common::results::fill;
use neuronotes::site;
use neuronotes::workspace::Workspace;
use neuronotes_core::digest::Digest;
use neuronotes_core::request::Request;
use serde_json::{Value, json};

/// Units of the layer.
const UNITS: usize = 768;

/// Names and shapes.
type Tensors<'a> = &'a [(&'a str, &'a [usize])];

/// Writes a safetensors file of single precision in which every number is `number`.
fn write(path: &Path, tensors: Tensors<'_>, number: f32) {
    let mut entries = serde_json::Map::new();
    let mut end = 0;
    for (name, shape) in tensors {
        let bytes = shape.iter().product::<usize>() * 4;
        let entry = json!({ "dtype": "F32", "shape": shape, "data_offsets": [end, end + bytes] });
        entries.insert((*name).to_owned(), entry);
        end += bytes;
    }
    let header = serde_json::to_vec(&entries).expect("JSON");
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header);
    bytes.extend((0..end / 4).flat_map(|_| number.to_le_bytes()));
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    fs::write(path, bytes).expect("a file");
}

fn garden() -> Garden {
    let garden = Garden::new();
    write(&garden.path("models/parts.safetensors"), &[("encoder", &[3, UNITS])], 0.5);
    let dictionaries = "dictionaries:\n  parts: { path: models/parts.safetensors, layer: image_block_4/0/Add_6 }\n";
    garden.write("neuronotes.yaml", &(garden.read("neuronotes.yaml") + dictionaries));
    garden
}

fn block(kind: &str, fields: &str) -> String {
    format!("```yaml analysis\nkind: {kind}\n{fields}```\n\n")
}

/// A note with each kind about features of the dictionary.
fn note() -> String {
    let front = "---\nunits: [{ layer: parts, unit: 1, name: ears }]\n---\n# A\n\n";
    let vis = block("feature_vis", "id: vis\nlayer: parts\nunit: 1\n");
    let grid = block("feature_vis", "id: grid\nlayer: parts\nsweep: { unit: [1, 2] }\n");
    let examples = block("dataset_examples", "id: examples\nlayer: parts\nunit: 1\n");
    let histogram = block("activation_histogram", "id: histogram\nlayer: parts\nunit: 1\n");
    let summary = block("unit_summary", "id: summary\nlayer: parts\nunit: 1\n");
    format!("{front}Of `= vis.layer`.\n\n{vis}{grid}{examples}{histogram}{summary}")
}

/// What the garden asks for.
fn requests(garden: &Garden) -> Vec<(Digest, Value)> {
    let mut workspace = Workspace::open(garden.root()).expect("a garden");
    let plan = site::wishes(&mut workspace).plan;
    let request = |(key, request): &(Digest, Arc<Request>)| {
        (*key, serde_json::to_value(&**request).expect("JSON"))
    };
    plan.requests.iter().map(request).collect()
}

fn said(garden: &Garden) -> String {
    let all = garden.run(&["check", "--format", "json"]).stdout();
    let one = |line: &str| {
        let report: Value = serde_json::from_str(line).expect("JSON");
        let text = |name: &str| report[name].as_str().unwrap_or_default().to_owned();
        let place = format!("{}:{}:{}", text("file"), report["line"], report["column"]);
        format!("{place} {} ({})", text("message"), text("hint"))
    };
    let all = all
        .lines()
        .filter(|line| !line.contains("\"trouble\":"))
        .map(one)
        .collect::<Vec<_>>()
        .join("\n");
    all.replace(&garden.root().canonicalize().expect("a folder").display().to_string(), "GARDEN")
}

#[test]
fn a_key_covers_the_dictionarys_digest_and_not_its_name() {
    let garden = garden();
    garden.note("a.md", &note());
    let digest = Digest::of_file(&garden.path("models/parts.safetensors")).expect("a digest");
    let place = json!({ "layer": "visual.layer4.0.add", "dictionary": digest });
    let before = requests(&garden);
    assert_eq!(before.len(), 5, "{}", said(&garden));
    for (_, request) in &before {
        assert_eq!(request["params"]["layer"], place);
        assert_eq!(request["inputs"]["dictionaries"][0]["name"], "parts");
        let scans = request["uses"].as_array().map_or(&[][..], Vec::as_slice);
        assert_eq!(scans.len(), usize::from(request["kind"] != "feature_vis"));
        for scan in scans {
            assert_eq!(scan["params"]["layer"], place);
            assert_eq!(scan["inputs"], request["inputs"]);
        }
    }
    let keys = |requests: Vec<(Digest, Value)>| -> Vec<Digest> {
        requests.into_iter().map(|(key, _)| key).collect()
    };
    let before = keys(before);
    fs::rename(garden.path("models/parts.safetensors"), garden.path("models/p.safetensors"))
        .expect("moved");
    let renamed = garden.read("neuronotes.yaml").replace("parts", "p");
    garden.write("neuronotes.yaml", &renamed);
    garden.note("a.md", &note().replace("parts", "p"));
    assert_eq!(keys(requests(&garden)), before);
    write(&garden.path("models/p.safetensors"), &[("encoder", &[3, UNITS])], 0.25);
    let after = keys(requests(&garden));
    assert!(after.iter().all(|key| !before.contains(key)) && after.len() == before.len());
    // The layer's own units have the keys that they had.
    let layer = note().replace("layer: parts", "layer: image_block_4/0/Add_6");
    garden.note("a.md", &layer);
    let with = keys(requests(&garden));
    let without = Garden::new();
    without.note("a.md", &layer);
    assert_eq!(with, keys(requests(&without)));
}

#[test]
fn a_feature_has_figures_a_page_and_a_name() {
    let garden = garden();
    garden.note("a.md", &note());
    fill(&garden);
    let run = garden.build();
    assert_eq!(run.code(), 0, "{}", run.stderr());
    let page = garden.read("output/a.html");
    let digest = Digest::of_file(&garden.path("models/parts.safetensors")).expect("a digest");
    for wanted in [
        "Of parts.",
        &format!("<dt>dictionary</dt><dd>parts ({})</dd>", digest.short()),
        "<dt>layer</dt><dd>image_block_4/0/Add_6 (visual.layer4.0.add)</dd>",
        "units/emoji/parts/1.html",
        "feature 1 · ears",
        "feature 2",
        "feature 1 of parts",
    ] {
        assert!(page.contains(wanted), "{wanted}: {page}");
    }
    let unit = garden.read("output/units/emoji/parts/1.html");
    for wanted in
        ["Feature 1", "ears", "dictionary <code>parts", "Features of this dictionary", "Feature 2"]
    {
        assert!(unit.contains(wanted), "{wanted}: {unit}");
    }
    let list = garden.read("output/units.html");
    assert!(list.contains("parts") && list.contains("Feature 1"), "{list}");
    for page in [&unit, &list] {
        assert!(!page.contains("Unit 1") && !page.contains("unit 1 "), "{page}");
    }
    let explained = garden.run(&["explain", "a#examples"]).stdout();
    assert!(explained.contains(&format!("  dictionary parts {digest}")), "{explained}");
    assert!(explained.contains("scan in parts over emoji"), "{explained}");
    let info = garden.run(&["model", "info"]).stdout();
    assert!(info.contains("parts       image_block_4/0/Add_6  3 features"), "{info}");
}

#[test]
fn frozen_results_need_no_dictionary() {
    let garden = garden();
    garden.note("a.md", &note());
    fill(&garden);
    let built = garden.build();
    assert_eq!(built.code(), 0, "{}", built.stderr());
    let page = garden.read("output/a.html");
    assert_eq!(garden.run(&["freeze"]).code(), 0);
    garden.remove("models/parts.safetensors");
    let run = garden.run(&["build", "--frozen"]);
    assert_eq!(run.code(), 0, "{}", run.stderr());
    assert_eq!(garden.read("output/a.html"), page);
    let other = garden.read("neuronotes.yaml").replace("Add_6 }", "Relu }");
    garden.write("neuronotes.yaml", &other);
    let run = garden.run(&["build", "--frozen"]);
    assert!(run.stderr().contains("the dictionary `parts` is configured"), "{}", run.stderr());
}

#[test]
fn directions_of_features_are_asked_for_as_those_of_units() {
    let garden = garden();
    let cats = "id: cats\nlayer: parts\npositive: { captions: [cat] }\n";
    let of = |kind: &str| block(kind, "layer: parts\ntarget: cats\n");
    let kinds = ["dataset_examples", "activation_histogram", "unit_summary", "feature_vis"];
    let all: String = kinds.map(of).concat();
    let sum = block("dataset_examples", "layer: parts\nunits: { 0: 2, 1: -1 }\n");
    garden.note("a.md", &format!("{}{all}{sum}", block("direction", cats)));
    assert_eq!(said(&garden), "");
    let all = requests(&garden);
    assert_eq!(all.len(), 6);
    let place = &all[0].1["params"]["layer"];
    assert!(place["dictionary"].is_string());
    for (_, request) in &all {
        assert_eq!(&request["params"]["layer"], place);
        assert_eq!(request["inputs"]["dictionaries"][0]["name"], "parts");
    }
}

#[test]
fn every_mistake_about_a_dictionary_has_its_place_and_a_hint() {
    let mut all = Vec::new();
    let mut say = |garden: &Garden, what: &str| all.push(format!("{what}\n{}", said(garden)));
    for fields in [
        "layer: prats\nunit: 1\n",
        "layer: parts\nunit: 3\n",
        "layer: parts\ndirection: { text: ears }\n",
        "layer: parts\nunits: [1, 3]\n",
        "layer: parts\nobjective: layer\n",
        "layer: parts\nunit: 1\nmodel: other\n",
    ] {
        let garden = garden();
        let model = "models:\n  other: { path: models/other.safetensors }";
        let weights = common::repository().join("models/emoji-clip.safetensors");
        let mut bytes = fs::read(weights).expect("weights");
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        fs::write(garden.path("models/other.safetensors"), bytes).expect("weights");
        garden.write(
            "neuronotes.yaml",
            &garden.read("neuronotes.yaml").replacen("models:", model, 1),
        );
        garden.note("a.md", &block("feature_vis", fields));
        say(&garden, fields);
    }
    let files: [(&str, Tensors<'_>); 4] = [
        ("a transposed encoder", &[("encoder", &[UNITS, 3])]),
        ("a bias of another length", &[("encoder", &[3, UNITS]), ("encoder_bias", &[UNITS])]),
        ("an unknown tensor", &[("encoder", &[3, UNITS]), ("threshold", &[3])]),
        ("other names", &[("W_enc", &[UNITS, 3])]),
    ];
    for (what, tensors) in files {
        let garden = garden();
        write(&garden.path("models/parts.safetensors"), tensors, 0.5);
        garden.note("a.md", &block("dataset_examples", "layer: parts\nunit: 1\n"));
        say(&garden, what);
    }
    let garden = self::garden();
    fs::write(garden.path("models/parts.safetensors"), b"PK\x03\x04 an archive").expect("a file");
    garden.note("a.md", &block("dataset_examples", "layer: parts\nunit: 1\n"));
    say(&garden, "an archive of PyTorch");
    garden.remove("models/parts.safetensors");
    say(&garden, "no file");
    let config = garden.read("neuronotes.yaml");
    garden.write("neuronotes.yaml", &config.replace("Add_6 }", "Add_7 }"));
    say(&garden, "no such layer");
    garden.write("neuronotes.yaml", &config.replace("  parts:", "  visual.layer4.0:"));
    garden.note("a.md", &block("dataset_examples", "layer: visual.layer4.0\nunit: 1\n"));
    say(&garden, "the name of a layer");
    let front = "---\nunits: [{ layer: prats, unit: 1, name: ears }]\n---\n";
    garden.write("neuronotes.yaml", &config);
    garden.note("a.md", front);
    say(&garden, "front matter");
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn a_logit_is_attributed_to_all_features_but_not_exactly() {
    let garden = garden();
    let fields = "layer: parts\nword: apple\ntext: apple\n";
    garden.note("a.md", &block("attribution", fields));
    let [(_, request)] = &requests(&garden)[..] else { panic!("one request") };
    assert_eq!(request["params"]["layer"]["layer"], "visual.layer4.0.add");
    assert!(request["params"]["layer"]["dictionary"].is_string(), "{request}");
    garden.note("a.md", &block("attribution", &format!("{fields}method: exact\n")));
    let said = said(&garden);
    assert!(said.contains("notes/a.md:6:9 `exact` attributes to the units of a layer"), "{said}");
    assert!(said.contains("use another `method`"), "{said}");
    assert!(requests(&garden).is_empty());
}
