//! Blocks of the kind `ablate`: what a block with a mistake says, and what a sound one asks for.

use std::collections::BTreeMap;
use std::path::Path;

use neuronotes::site;
use neuronotes::workspace::Workspace;
use neuronotes_core::kind::scan;
use serde_json::{Value, json};

use crate::common::Garden;

const MAP: &str = "layer: image_block_4/1/Add_6\n";
const POOL: &str = "layer: visual.attnpool\n";

fn block(fields: &str) -> String {
    format!("```yaml analysis\nkind: ablate\n{fields}```\n")
}

/// What `neuronotes check` says of a block with these fields.
fn said(fields: &str) -> String {
    Garden::of(&[("a.md", &block(fields))]).said()
}

#[test]
fn every_mistake_has_its_place_and_a_hint() {
    let all = [
        MAP.to_owned(),
        "units: [1]\n".to_owned(),
        format!("{MAP}units: [1, 768]\n"),
        format!("{MAP}units: [7, 7]\n"),
        format!("{MAP}units: [1]\nheads: [1]\n"),
        format!("{MAP}heads: [1]\n"),
        format!("{POOL}heads: [1, 12]\n"),
        format!("{POOL}heads: [one]\n"),
        format!("{POOL}heads: [1]\nby: shift\nsd: 1\n"),
        format!("{MAP}units: [1]\nby: project_out\n"),
        format!("{MAP}directions: [{{ units: [1] }}, {{ units: [1] }}]\nby: project_out\n"),
        format!("{MAP}directions: nothing\n"),
        format!("{MAP}units: [1]\nby: shift\n"),
        format!("{MAP}units: [1]\nsd: 2\n"),
        format!("{MAP}units: [1]\nread: logit\n"),
        format!("{MAP}units: [1]\nclasses: [cat]\n"),
        format!("{MAP}units: [1]\nclasses: [cat, dog]\nclass: cow\n"),
        format!("{MAP}units: [1]\nread: unit\n"),
        format!(
            "{MAP}units: [1]\nread: unit\nread_unit: {{ layer: image_block_4/1/Relu_2, unit: 768 }}\n"
        ),
        format!(
            "{MAP}units: [1]\nread: unit\nread_unit: {{ layer: image_block_4/0/Relu_2, unit: 1 }}\n"
        ),
        format!(
            "{MAP}units: [1]\nread: unit\nread_unit: {{ layer: image_block_4/1/Relu_2, nuit: 1 }}\n"
        ),
        format!(
            "{MAP}units: [1]\nread: unit\nread_unit: {{ layer: image_block_5/1/Relu_2, unit: 1 }}\n"
        ),
        format!("{MAP}units: [1]\ncontrols: -1\n"),
        format!("{MAP}units: [1]\ntruth: none\n"),
    ];
    let report = all.map(|fields| {
        let said = said(&fields);
        assert!(!said.is_empty(), "nothing is said of\n{fields}");
        format!("{fields}{said}\n")
    });
    insta::assert_snapshot!(report.join("\n"));
}

/// The request of a block with these fields.
fn request(fields: &str) -> neuronotes_core::request::Request {
    let garden = Garden::of(&[("a.md", &block(fields))]);
    let mut workspace = Workspace::open(garden.root()).expect("a garden");
    let plan = site::wishes(&mut workspace).plan;
    let mut all = plan.requests.iter().map(|(_, request)| (**request).clone());
    all.find(|request| request.kind == "ablate").expect("a request")
}

#[test]
fn a_request_holds_what_decides_its_result_and_the_scan_that_it_needs() {
    let units = request(&format!("{MAP}units: [3, 1]\nclasses: [cat, dog]\ntruth: caption\n"));
    assert_eq!(units.params["units"], json!([3, 1]));
    assert_eq!((&units.params["controls"], &units.params["by"]), (&json!(20), &json!("zero")));
    assert!(units.uses.iter().any(|used| used.kind == scan::NAME));
    // Heads are not units of a layer that is scanned.
    let heads = request(&format!("{POOL}heads: [1]\nclasses: [cat, dog]\n"));
    assert!(heads.uses.is_empty(), "{:?}", heads.uses);
    let unit = "read: unit\nread_unit: { layer: visual.layer4.1, unit: 7 }\n";
    let unit = request(&format!("{MAP}units: [3]\n{unit}"));
    assert_eq!(unit.params["read_unit"], json!({ "layer": "visual.layer4.1", "unit": 7 }));
    for name in ["templates", "truncate", "truth", "classes"] {
        assert!(!unit.params.contains_key(name), "{name} has no effect");
    }
    let text = request(&format!("{MAP}units: [3]\nread: logit\ntext: cat\n"));
    assert!(text.params.contains_key("templates") && !text.params.contains_key("truth"));
}

/// A weights file without the tensors of the text tower.
fn without_text(path: &Path) -> Vec<u8> {
    let bytes = std::fs::read(path).expect("weights");
    let (length, rest) = bytes.split_at(8);
    let length = u64::from_le_bytes(length.try_into().expect("eight bytes")) as usize;
    let (header, data) = rest.split_at(length);
    let header: BTreeMap<String, Value> = serde_json::from_slice(header).expect("JSON");
    let (mut kept, mut out) = (serde_json::Map::new(), Vec::new());
    for (name, mut tensor) in header.into_iter().filter(|(name, _)| name.starts_with("visual.")) {
        let at = |n: usize| tensor["data_offsets"][n].as_u64().expect("a number") as usize;
        let (start, bytes) = (out.len(), &data[at(0)..at(1)]);
        out.extend_from_slice(bytes);
        tensor["data_offsets"] = json!([start, out.len()]);
        kept.insert(name, tensor);
    }
    let header = serde_json::to_vec(&kept).expect("JSON");
    [&(header.len() as u64).to_le_bytes()[..], &header, &out].concat()
}

#[test]
fn a_model_without_a_text_tower_can_be_asked_for_a_unit_alone() {
    let garden = Garden::new();
    let weights =
        crate::common::repository().join("lab/tests/golden/clip_resnet/weights.safetensors");
    std::fs::write(garden.path("mute.safetensors"), without_text(&weights)).expect("a file");
    let config = garden.read("neuronotes.yaml");
    let config = config.replacen("models:", "models:\n  mute: { path: mute.safetensors }", 1);
    garden.write("neuronotes.yaml", &config);
    let fields = "model: mute\nlayer: visual.layer4.0.add\nunits: [1]\n";
    let reads = "read: unit\nread_unit: { layer: visual.layer4.0, unit: 2 }\n";
    garden.note("a.md", &format!("{}\n{}", block(fields), block(&format!("{fields}{reads}"))));
    let reports = garden.reports();
    let messages: Vec<&str> = reports.iter().map(|report| &*report.message).collect();
    assert_eq!(messages, ["the model `mute` has no text tower"]);
}
