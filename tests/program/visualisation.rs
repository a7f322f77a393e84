//! What a block asks of the lab for a visualisation: targets, recipes, and what goes together.

use crate::common;
use crate::common::Garden;
use neuronotes::site;
use neuronotes::workspace::Workspace;
use neuronotes_core::kind::facet;
use neuronotes_core::kind::feature_vis::Params;
use neuronotes_core::request::Request;
use serde_json::{Value, json};

const LAYER: &str = "layer: image_block_4/0/Add_6\n";

/// A garden with one note of these blocks, and a picture.
fn garden(blocks: &[&str]) -> Garden {
    let garden = Garden::new();
    let blocks: Vec<String> =
        blocks.iter().map(|yaml| format!("```yaml analysis\n{yaml}```\n")).collect();
    garden.note("a.md", &blocks.join("\n"));
    std::fs::create_dir(garden.path("art")).expect("a folder");
    image::RgbImage::new(6, 4).save(garden.path("art/cat.png")).expect("a picture");
    garden
}

fn requests(garden: &Garden) -> Vec<Request> {
    let mut workspace = Workspace::open(garden.root()).expect("a garden");
    site::wishes(&mut workspace)
        .plan
        .requests
        .into_iter()
        .map(|(_, request)| (*request).clone())
        .collect()
}

/// The request of one block of a visualisation; what it asks is exactly what the lab reads.
fn asked(fields: &str) -> Request {
    let garden = garden(&[&format!("kind: feature_vis\n{fields}")]);
    let said = garden.run(&["check"]).stderr();
    let mut all = requests(&garden);
    assert_eq!(all.len(), 1, "{fields}{said}");
    let request = all.remove(0);
    let read: Params =
        serde_json::from_value(Value::Object(request.params.clone())).expect("parameters");
    assert_eq!(serde_json::to_value(read).expect("JSON"), Value::Object(request.params.clone()));
    request
}

#[test]
fn a_request_has_exactly_what_the_lab_reads() {
    let unit = asked(&format!("{LAYER}unit: 3\n"));
    insta::assert_json_snapshot!("unit", unit.params);
    let text = asked("direction: { text: a red apple }\nrecipe: paper\n");
    insta::assert_json_snapshot!("text", text.params);
    let picture = blake(&garden(&[]));
    let caricature = asked(&format!("{LAYER}objective: caricature\nimage: art/cat.png\n"));
    assert_eq!(caricature.params["image"], picture.as_str());
    assert_eq!(caricature.inputs.pictures[0].name, "art/cat.png");
    let begun = asked(&format!("{LAYER}unit: 3\nstart: image\nimage: art/cat.png\nimages: 3\n"));
    assert_eq!(begun.params["start"], "image");
    let dream = asked(&format!("{LAYER}objective: layer\nsign: negative\nframes: 24\n"));
    assert!(!dream.params.contains_key("unit") && !dream.params.contains_key("direction"));
}

fn blake(garden: &Garden) -> String {
    let bytes = std::fs::read(garden.path("art/cat.png")).expect("a picture");
    neuronotes_core::digest::Digest::of(&bytes).hex()
}

#[test]
fn units_are_a_direction_however_they_are_written() {
    let list = asked(&format!("{LAYER}units: [3, 7]\n"));
    let terms = json!([{ "weight": 1.0, "of": { "units": [[3, 1.0], [7, 1.0]] } }]);
    assert_eq!(list.params["direction"], terms);
    let long = asked(&format!("{LAYER}direction: {{ units: {{ 3: 1, 7: 1.0 }} }}\n"));
    assert_eq!(list.key(), long.key());
    let weighted = asked(&format!("{LAYER}units: {{ 3: 1.0, 7: -0.5 }}\n"));
    let terms = json!([{ "weight": 1.0, "of": { "units": [[3, 1.0], [7, -0.5]] } }]);
    assert_eq!(weighted.params["direction"], terms);
    // Without a layer they are coordinates of the embedding.
    let coordinates = asked("direction: { units: [3] }\n");
    assert_eq!(coordinates.params["layer"], "visual.attnpool");
}

#[test]
fn data_sets_of_a_direction_are_scanned_where_it_is() {
    let scanned = |request: &Request| request.uses[0].params["layer"].clone();
    let embedding = asked("direction: { dataset: emoji }\n");
    assert_eq!(scanned(&embedding), "visual.attnpool");
    let layer = asked(&format!("{LAYER}direction: {{ dataset: emoji }}\n"));
    assert_eq!(scanned(&layer), "visual.layer4.0.add");
    assert_eq!(layer.inputs.datasets[0].name, "emoji");
}

#[test]
fn a_recipe_fills_in_what_is_left_out_and_is_not_asked_itself() {
    let draft = asked(&format!("{LAYER}unit: 3\nrecipe: draft\nsteps: 9\n"));
    assert_eq!((&draft.params["size"], &draft.params["steps"]), (&json!(96), &json!(9)));
    assert!(!draft.params.contains_key("recipe"));
    let same = asked(&format!(
        "{LAYER}unit: 3\nsize: 96\nsteps: 9\nlearning_rate: 0.1\ntransforms: lucid\n"
    ));
    assert_eq!(draft.key(), same.key());
}

#[test]
fn every_mistake_in_a_target_has_its_place_and_a_hint() {
    let faults = [
        LAYER.to_owned(),
        format!("{LAYER}unit: 3\nunits: [3, 7]\n"),
        "unit: 3\n".to_owned(),
        "units: [3]\n".to_owned(),
        format!("{LAYER}unit: 3\nobjective: layer\n"),
        "objective: layer\n".to_owned(),
        format!("{LAYER}objective: caricature\n"),
        format!("{LAYER}unit: 3\nstart: image\n"),
        format!("{LAYER}unit: 3\nimage: art/cat.png\n"),
        format!("{LAYER}unit: 3\nstart: image\nimage: art/dog.png\n"),
        format!("{LAYER}unit: 3\nstart: image\nimage: [art/cat.png]\n"),
        format!("{LAYER}units: [3, 3]\n"),
        format!("{LAYER}units: [3, 5000]\n"),
        format!("{LAYER}units: {{ a: 1 }}\n"),
        format!("{LAYER}units: {{ 3: 0 }}\n"),
        format!("{LAYER}units: []\n"),
        format!("{LAYER}direction: {{ text: red }}\n"),
        "direction: { units: [2, 500] }\n".to_owned(),
        format!("direction: {{ text: {} }}\n", "word ".repeat(100)),
        format!("{LAYER}unit: 3\nrecipe: lucit\n"),
        format!("{LAYER}unit: 3\nsize: 4096\n"),
    ];
    let all: Vec<String> = faults
        .iter()
        .map(|fields| garden(&[&format!("kind: feature_vis\n{fields}")]).said())
        .collect();
    insta::assert_snapshot!(all.join("\n"));
}

const FACET: &str = "kind: facet\nid: written\npositive: words\ngeneric: emoji\n";

/// A garden that has the data set `words` too.
fn worded(blocks: &[&str]) -> Garden {
    let garden = garden(blocks);
    let words = common::repository().join("data/words.txt").display().to_string();
    let named = format!("datasets:\n  words: {{ path: {words} }}");
    let config = garden.read("neuronotes.yaml").replacen("datasets:", &named, 1);
    garden.write("neuronotes.yaml", &config);
    garden
}

#[test]
fn a_visualisation_leans_on_the_facet_that_it_names() {
    let vis = format!("kind: feature_vis\n{LAYER}unit: 3\nimages: 2\nfacet: written\n");
    let same_note = worded(&[FACET, &vis]);
    let all = requests(&same_note);
    let [trained, leaning] = &all[..] else { panic!("{}", same_note.said()) };
    insta::assert_json_snapshot!("facet", {
        let mut shown = trained.params.clone();
        for name in ["positive", "generic"] {
            let digest = shown[name].as_str().map_or(0, str::len);
            shown.insert(name.into(), digest.into());
        }
        shown
    });
    let read: facet::Params =
        serde_json::from_value(Value::Object(trained.params.clone())).expect("parameters");
    assert_eq!(trained.inputs.datasets.len(), 2);
    let digests = trained.inputs.datasets.iter().map(|d| d.content().hex());
    assert_eq!(
        digests.collect::<Vec<_>>(),
        [read.positive, read.generic].map(Option::unwrap_or_default)
    );
    assert!(trained.uses.is_empty() && trained.dataset.is_none());
    assert_eq!(leaning.params["facet"], trained.key().hex().as_str());
    assert_eq!(leaning.uses, std::slice::from_ref(trained));

    // By its note, and as the only one of that name.
    for name in ["written", "facets#written", "A facet#written"] {
        let garden = worded(&[&vis.replace("facet: written", &format!("facet: {name}"))]);
        let note = format!("---\ntitle: A facet\n---\n```yaml analysis\n{FACET}```\n");
        garden.note("facets.md", &note);
        let found: Vec<_> = requests(&garden).iter().map(Request::key).collect();
        assert!(found.contains(&leaning.key()), "{name}: {}", garden.said());
    }
}

#[test]
fn published_weights_are_files_of_the_garden() {
    let facet = "kind: facet\nid: face\nweights: art/facets\nlayers: [image_block_3/0/Relu_2]\n";
    let garden = worded(&[facet]);
    assert!(garden.said().contains("no file of weights `art/facets/image_block_3/0/Relu_2/face_"));
    garden.write("art/facets/image_block_3/0/Relu_2/face_spatial.npy", "no array");
    assert!(garden.said().contains("is not a NumPy array"), "{}", garden.said());
    let path = garden.path("art/facets/image_block_3/0/Relu_2/face_spatial.npy");
    std::fs::write(path, b"\x93NUMPY and so on").expect("a file");
    let all = requests(&garden);
    let params = Value::Object(all[0].params.clone());
    let read: facet::Params = serde_json::from_value(params).expect("parameters");
    assert_eq!(read.layers, ["visual.layer3.0"]);
    assert_eq!(read.weights, Some(vec![all[0].inputs.files[0].digest.hex()]));
}

#[test]
fn every_mistake_about_a_facet_has_its_place_and_a_hint() {
    let vis = |name: &str| format!("kind: feature_vis\n{LAYER}unit: 3\nfacet: {name}\n");
    let both = FACET.replace("generic: emoji\n", "");
    let all: Vec<String> = [
        worded(&[FACET, &vis("writing")]),
        worded(&[FACET, &vis("nowhere#written")]),
        worded(&[&both, &vis("written")]),
        worded(&["kind: facet\nid: x\n"]),
        worded(&["kind: facet\nid: x\npositive: emoji\ngeneric: emoji\n"]),
        worded(&["kind: facet\nid: x\npositive: emoji\nweights: art\n"]),
        worded(&["kind: facet\nid: x\npositive: emojj\ngeneric: words\n"]),
        worded(&[
            "kind: facet\nid: x\npositive: emoji\ngeneric: words\nlayers: [a, visual.layer3.0]\n",
        ]),
        worded(&[FACET, &vis("written").replace("image_block_4/0/Add_6", "visual.layer2.0.add")]),
        worded(&[&vis("vis2").replace("kind", "id: vis2\nkind")]),
    ]
    .iter()
    .map(Garden::said)
    .collect();
    insta::assert_snapshot!(all.join("\n"));
    let garden = worded(&[&vis("written")]);
    garden.note("b.md", &format!("```yaml analysis\n{FACET}```\n"));
    garden.note("c.md", &format!("```yaml analysis\n{FACET}```\n"));
    assert!(
        garden.said().contains("`written` is ambiguous: it could mean `b#written` or `c#written`")
    );
}

#[test]
fn a_unit_is_compared_with_a_scan_that_the_notes_ask_for_anyway() {
    let vis = format!("kind: feature_vis\n{LAYER}unit: 3\n");
    let examples = |dataset: &str| {
        format!("kind: dataset_examples\nlayer: visual.layer4.0.add\nunit: 7\ndataset: {dataset}\n")
    };
    let baseline = |garden: &Garden| {
        let mut workspace = Workspace::open(garden.root()).expect("a garden");
        let plan = site::wishes(&mut workspace).plan;
        let measurement = plan.measurements().next().expect("a measurement");
        plan.baseline(measurement).map(|(dataset, _)| dataset)
    };
    assert_eq!(baseline(&worded(&[&vis])), None);
    assert_eq!(baseline(&worded(&[&vis, &examples("words")])).as_deref(), Some("words"));
    let both = worded(&[&vis, &examples("words"), &examples("emoji")]);
    assert_eq!(baseline(&both).as_deref(), Some("emoji"), "the garden's own comes first");
    let elsewhere = examples("emoji").replace("4.0.add", "4.1.add");
    assert_eq!(baseline(&worded(&[&vis, &elsewhere])), None);
    let coarse = format!("{}precision: bf16\n", examples("emoji"));
    assert_eq!(baseline(&worded(&[&vis, &coarse])), None);
    let direction = vis.replace("unit: 3", "units: [3]");
    assert_eq!(baseline(&worded(&[&direction, &examples("emoji")])), None);
}
