//! Labels from labelling sheets, as the plan sees them: where files are, what is wrong with them, and what they have to do with keys.

use crate::common::{Garden, block};
use neuronotes::site;
use neuronotes::workspace::Workspace;
use neuronotes_core::request::Request;
use serde_json::{Value, json};

const LAYER: &str = "layer: image_block_4/0/Add_6\nunit: 3\n";

fn shares(more: &str) -> String {
    block(&format!("id: shares\nkind: conditional\n{LAYER}{more}"))
}

fn responses(more: &str) -> String {
    block(&format!("id: groups\nkind: category_response\n{LAYER}{more}"))
}

fn answers(rater: &str, labels: &Value) -> String {
    let file = json!({
        "format": "neuronotes labels 1", "sheet": "3f0c", "rater": rater,
        "categories": ["heart", "face"], "labels": labels,
    });
    serde_json::to_string_pretty(&file).expect("JSON")
}

fn garden(text: &str) -> Garden {
    let garden = Garden::of(&[("a.md", text)]);
    std::fs::create_dir_all(garden.path("sheets")).expect("a folder");
    garden
}

fn request(garden: &Garden) -> Request {
    let mut workspace = Workspace::open(garden.root()).expect("a garden");
    let all = site::wishes(&mut workspace).plan.requests;
    let found = all.iter().find(|(_, request)| request.kind != "scan");
    (*found.expect("a request").1).clone()
}

#[test]
fn the_files_of_a_pattern_are_in_the_key() {
    let garden = garden(&shares("categories: [heart, face]\nlabels: sheets/a-*.json\n"));
    assert_eq!(garden.said(), "");
    let none = request(&garden);
    assert_eq!(none.params["labels"], json!([]), "no file yet: a sheet to fill in");
    assert_eq!(none.params["seed"], json!(0));
    garden.write("sheets/a-ben.json", &answers("ben", &json!({ "airplane--noto": "heart" })));
    garden.write("sheets/b-ann.json", &answers("ann", &json!({})));
    let one = request(&garden);
    assert_ne!(none.key(), one.key());
    assert_eq!(one.inputs.files.len(), 1);
    assert_eq!(one.params["labels"], json!([one.inputs.files[0].digest.hex()]));
    garden.write("sheets/a-ann.json", &answers("ann", &json!({ "airplane--noto": "face" })));
    let two = request(&garden);
    let names: Vec<&str> = two.inputs.files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, ["sheets/a-ann.json", "sheets/a-ben.json"]);
    // An answer that changes is another key; what is only shown is not.
    garden.write("sheets/a-ann.json", &answers("ann", &json!({ "airplane--noto": "heart" })));
    assert_ne!(request(&garden).key(), two.key());
    let before = request(&garden).key();
    garden.note(
        "a.md",
        &shares("categories: [heart, face]\nlabels: sheets/a-*.json\nleast: 7\nmost: 1\n"),
    );
    assert_eq!(request(&garden).key(), before);
}

#[test]
fn every_mistake_about_labels_has_its_place_and_a_hint() {
    let labels = "categories: [heart, face]\nlabels: ";
    let of = |files: &[(&str, String)], text: &str| {
        let garden = garden(text);
        for (name, file) in files {
            garden.write(name, file);
        }
        garden.said()
    };
    let a = |rater: &str, labels: Value| answers(rater, &labels);
    let twice = "{\n  \"format\": \"neuronotes labels 1\",\n  \"sheet\": \"a\", \"rater\": \"ann\",\n  \"categories\": [\"heart\"],\n  \"labels\": {\n    \"1\": \"heart\",\n    \"1\": \"heart\"\n  }\n}";
    let all = [
        of(&[], &shares("labels: sheets/*.json\n")),
        of(&[], &shares(&format!("{labels}sheets/a.json\n"))),
        of(&[], &shares(&format!("{labels}../sheets/*.json\n"))),
        of(&[], &shares(&format!("{labels}'*/a.json'\n"))),
        of(&[], &responses("labels: sheets/*.json\n")),
        of(&[("sheets/a.json", "[]".to_owned())], &shares(&format!("{labels}sheets/a.json\n"))),
        of(&[("sheets/a.json", twice.to_owned())], &shares(&format!("{labels}[sheets/a.json]\n"))),
        of(
            &[
                ("sheets/a.json", a("ann", json!({ "1": "face" }))),
                ("sheets/b.json", a("ann", json!({ "2": "face" }))),
            ],
            &shares(&format!("{labels}sheets/*.json\n")),
        ),
        of(
            &[("sheets/a.json", a("ann", json!({ "1": "heart" })))],
            &shares("categories: [hearts, face]\nlabels: sheets/a.json\n"),
        ),
        of(
            &[(
                "sheets/a.json",
                a("ann", json!({ "airplane--noto": "heart", "airplan--noto": "face" })),
            )],
            &shares(&format!("{labels}sheets/*.json\n")),
        ),
        of(
            &[("sheets/a.csv", "image,label,rater\nx,heart,ann\ny,heart,ann\nx,,ann\n".to_owned())],
            &shares(&format!("{labels}sheets/*\n")),
        ),
        of(&[], &responses("categories: [animals-nature, flag]\n")),
        of(&[], &responses("categories: { a: [flags, objects], b: flags }\n")),
        of(&[], &shares("from: 3\nto: 1\n")),
        of(&[], &shares(&format!("{labels}sheets/*.json\nby: label\n"))),
    ];
    insta::assert_snapshot!(all.join("\n\n"));
}

#[test]
fn without_labels_it_is_said_where_they_could_come_from() {
    let garden = garden(&responses("dataset: plain\n"));
    let config = garden.read("neuronotes.yaml");
    let config = config.replace("datasets:\n", "datasets:\n  plain: { path: plain }\n");
    garden.write("neuronotes.yaml", &config);
    std::fs::create_dir_all(garden.path("plain")).expect("a folder");
    image::RgbImage::new(8, 8).save(garden.path("plain/1.png")).expect("a picture");
    insta::assert_snapshot!(garden.said());
}
