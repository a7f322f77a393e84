//! Figures made of other figures' pictures: what is asked of the lab, what follows a change, and what goes in circles.

use std::collections::BTreeMap;

use crate::common::results::fill;
use crate::common::{Garden, block};
use neuronotes::site;
use neuronotes::workspace::Workspace;
use neuronotes_core::digest::Digest;
use neuronotes_core::request::Request;
use neuronotes_core::store::Record;
use serde_json::json;

const LAYER: &str = "layer: image_block_4/0/Add_6\n";

fn vis(unit: u32) -> String {
    block(&format!("id: vis\nkind: feature_vis\n{LAYER}unit: {unit}\n"))
}

fn guess(used: &str) -> String {
    block(&format!("id: guess\nkind: zero_shot\nuse: {used}\nclasses: [cat, dog]\n"))
}

/// Requests by kind, each kind's in the order of the notes.
fn requests(garden: &Garden) -> BTreeMap<String, Vec<Request>> {
    let mut workspace = Workspace::open(garden.root()).expect("a garden");
    let mut out: BTreeMap<String, Vec<Request>> = BTreeMap::new();
    for (_, request) in site::wishes(&mut workspace).plan.requests {
        out.entry(request.kind.clone()).or_default().push((*request).clone());
    }
    out
}

#[test]
fn a_figure_that_uses_another_has_its_key_in_its_own() {
    let keys = |garden: &Garden| {
        let all = requests(garden);
        let of = |kind: &str| all[kind].iter().map(Request::key).collect::<Vec<Digest>>();
        (of("feature_vis"), of("zero_shot"))
    };
    let made = Garden::of(&[("a.md", &format!("{}{}", vis(3), guess("vis")))]);
    assert_eq!(made.said(), "");
    let all = requests(&made);
    let [request] = &all["zero_shot"][..] else { panic!("{all:?}") };
    let upstream = all["feature_vis"][0].key();
    assert_eq!(request.params["use"], json!([upstream.hex()]));
    assert_eq!(request.uses, all["feature_vis"]);
    assert_eq!(request.dataset, None);
    assert_eq!(request.inputs.blocks[0].name, "vis");
    // However it is named, and whatever stands beside it, the key is the same.
    let named = Garden::of(&[("b.md", &vis(3)), ("a.md", &guess("[b#vis]"))]);
    assert_eq!(keys(&made).1, keys(&named).1);
    let captioned = vis(3).replace("unit: 3", "unit: 3\ncaption: Coins.");
    let captioned = Garden::of(&[("a.md", &format!("{captioned}{}", guess("vis")))]);
    assert_eq!(keys(&made), keys(&captioned));
    // What decides the first decides the second.
    let other = Garden::of(&[("a.md", &format!("{}{}", vis(4), guess("vis")))]);
    assert_ne!(keys(&made).0, keys(&other).0);
    assert_ne!(keys(&made).1, keys(&other).1);
}

#[test]
fn directions_and_sweeps_use_and_are_used() {
    let grid = format!("id: grid\nkind: feature_vis\n{LAYER}sweep: {{ unit: [3, 4] }}\n");
    let examples = format!("id: examples\nkind: dataset_examples\n{LAYER}unit: 3\n");
    let rank = "id: rank\nkind: text_rank\ntexts: [a, b]\ndirection:\n  sum:\n    - use: [grid, examples]\n    \
                - { use: examples, weight: -1 }\n";
    let again = format!("id: again\nkind: feature_vis\n{LAYER}direction: {{ use: examples }}\n");
    let text = [&guess("grid"), &block(&grid), &block(&examples), &block(rank), &block(&again)];
    let made = Garden::of(&[("a.md", &text.map(String::as_str).concat())]);
    assert_eq!(made.said(), "");
    let all = requests(&made);
    let cells: Vec<String> = all["feature_vis"][..2].iter().map(|r| r.key().hex()).collect();
    assert_eq!(all["zero_shot"][0].params["use"], json!(cells));
    let which: Vec<&str> =
        all["zero_shot"][0].inputs.blocks.iter().map(|block| &*block.which).collect();
    assert_eq!(which, ["unit 3", "unit 4"]);
    let rank = &all["text_rank"][0];
    let examples = all["dataset_examples"][0].key().hex();
    let used = json!([cells[0], cells[1], examples]);
    assert_eq!(rank.params["direction"][0]["of"]["use"], used);
    assert_eq!(rank.params["direction"][1]["of"]["use"], json!([examples]));
    assert_eq!(rank.uses.len(), 3, "each once");
    let again = all["feature_vis"].last().expect("a request");
    assert_eq!(again.params["direction"][0]["of"]["use"], json!([examples]));
    // The scan that the examples rest on comes with them.
    assert_eq!(again.uses[0].uses[0].kind, "scan");
}

#[test]
fn every_mistake_in_use_has_its_place_and_a_hint() {
    let direction = |id: &str, used: &str| {
        block(&format!("id: {id}\nkind: feature_vis\ndirection: {{ use: {used} }}\n"))
    };
    let words = block("id: words\nkind: text_rank\ntexts: [a]\ndirection: { text: b }\n");
    let cases = [
        guess("viz") + &vis(3),
        guess("nowhere#vis"),
        guess("[words, vis]") + &words + &vis(3),
        guess("[vis, vis]") + &vis(3),
        guess("[]"),
        guess("vis") + &vis(5000),
        guess("vis").replace("classes", "dataset: emoji\nclasses") + &vis(3),
        guess("vis").replace("classes: [cat, dog]\n", "") + &vis(3),
        direction("a", "a"),
        direction("a", "b") + &direction("b", "a"),
        direction("a", "b") + &direction("b", "c") + &direction("c", "b"),
        direction("a", "[b, 7]") + &vis(3),
        block("id: r\nkind: text_rank\ntexts: [a]\ndirection: { use: { a: b } }\n"),
    ];
    let all: Vec<String> = cases.iter().map(|text| Garden::of(&[("a.md", text)]).said()).collect();
    insta::assert_snapshot!(all.join("\n\n"));
    let twice = Garden::of(&[("a.md", &guess("vis")), ("b.md", &vis(3)), ("c.md", &vis(4))]);
    insta::assert_snapshot!(twice.said());
    let across = Garden::of(&[("a.md", &direction("a", "b#b")), ("b.md", &direction("b", "a#a"))]);
    insta::assert_snapshot!(across.said());
}

#[test]
fn blocks_of_one_id_in_several_notes_are_listed_with_their_notes() {
    let unnamed = block(&format!("kind: feature_vis\n{LAYER}unit: 3\n"));
    let notes = [("a.md", &*guess("viz")), ("b.md", &*unnamed), ("c.md", &*unnamed)];
    let said = Garden::of(&notes).said();
    assert!(
        said.contains("there is no figure `viz`\n    known: `b#figure-1` and `c#figure-1`"),
        "{said}"
    );
}

#[test]
fn a_block_of_another_kind_is_named_with_its_article() {
    let bars = block(&format!("id: bars\nkind: activation_histogram\n{LAYER}unit: 3\n"));
    let said = Garden::of(&[("a.md", &(guess("bars") + &bars))]).said();
    let expected = "`bars` is an `activation_histogram`, which has no pictures to use";
    assert!(said.contains(expected), "{said}");
    let facet = block(&format!("id: a\nkind: feature_vis\n{LAYER}unit: 3\nfacet: bars\n"));
    let said = Garden::of(&[("a.md", &(facet + &bars))]).said();
    assert!(said.contains("`bars` is an `activation_histogram`, not a `facet`"), "{said}");
}

#[test]
fn long_chains_and_wide_ones_end_in_an_error_and_not_in_an_overflow() {
    let link = |n: usize, used: &str| {
        block(&format!("id: v{n}\nkind: feature_vis\nseed: {n}\ndirection: {used}\n"))
    };
    let mut chain = link(0, "{ text: a }");
    for n in 1..300 {
        chain += &link(n, &format!("{{ use: v{} }}", n - 1));
    }
    let found = Garden::of(&[("a.md", &chain)]).said();
    assert!(found.contains("this uses more than 64 other figures"), "{found}");
    assert!(!found.contains("`v63` cannot"), "a chain of 64 is well");
    // Each uses both of the row before: twice as many at each step.
    let mut wide = link(0, "{ text: a }") + &link(1, "{ text: b }");
    for n in 1..20 {
        for one in [2 * n, 2 * n + 1] {
            wide += &link(one, &format!("{{ use: [v{}, v{}] }}", 2 * n - 2, 2 * n - 1));
        }
    }
    let found = Garden::of(&[("a.md", &wide)]).said();
    assert!(found.contains("this depends on more than 1000 other measurements"), "{found}");
}

#[test]
fn pictures_are_named_after_the_figure_that_they_are_from() {
    let garden = Garden::of(&[("a.md", &format!("{}{}", vis(3), guess("vis")))]);
    let mut workspace = Workspace::open(garden.root()).expect("a garden");
    let mut upstream = None;
    for (key, request) in site::wishes(&mut workspace).missing {
        let mut record = Record::new(key, &request.kind, request.impl_version, request.canonical());
        let store = &workspace.store;
        record.add_output(store, "image-0.png", "image/png", b"picture").expect("an output");
        record.add_output(store, "001.png", "image/png", b"picture").expect("an output");
        let outcome = match &*request.kind {
            "feature_vis" => {
                upstream = Some(key);
                let made = json!({ "activation": 1.0, "activation_at_start": 0.0, "curve": [] });
                json!({ "size": 6, "images": [made] })
            }
            _ => json!({
                "classes": ["cat", "dog"], "logit_scale": 20.0, "survey": null,
                "images": [{
                    "picture": "001.png", "width": 6, "height": 6, "similarities": [0.1, 0.2],
                    "probabilities": [0.1, 0.9], "origin": { "figure": upstream, "label": "2" },
                }],
            }),
        };
        record.set_result(store, &outcome).expect("a result");
        store.commit(&record).expect("a record");
    }
    garden.built();
    let page = garden.page("a.html");
    assert!(page.contains("vis · 2"), "{page}");
    assert!(
        page.contains("<dt>use</dt><dd><a class=\"internal\" href=\"#vis\">vis</a></dd>"),
        "{page}"
    );
}

#[test]
fn a_figure_leads_to_what_it_uses_in_another_note_wherever_that_is() {
    let rank = block("kind: text_rank\ntexts: [a, b]\ndirection: { use: b#vis }\n");
    let garden = Garden::of(&[("b.md", &vis(3)), ("a.md", &format!("{}{rank}", guess("b#vis")))]);
    assert!(fill(&garden) > 0);
    let leads = |page: &str| {
        assert_eq!(garden.build().code(), 0);
        let html = garden.read("output/a.html");
        let link = format!("<dd><a class=\"internal\" href=\"{page}#vis\">b#vis</a></dd>");
        // The first by the field that names one block, the second beside the direction.
        for name in ["use", "uses"] {
            assert!(html.contains(&format!("<dt>{name}</dt>{link}")), "{name} {link}\n{html}");
        }
        assert!(html.contains("<dt>direction</dt><dd>pictures of b#vis</dd>"), "{html}");
    };
    leads("b.html");
    garden.note("b.md", &format!("---\npermalink: /pictures\n---\n{}", vis(3)));
    leads("pictures.html");
}

const CATS: &str = "id: cats\nkind: direction\npositive: { captions: [cat] }\n";

/// A block about the direction `cats` of the layer.
fn about(kind: &str, target: &str) -> String {
    block(&format!("id: about\nkind: {kind}\n{LAYER}target: {target}\n"))
}

#[test]
fn a_direction_is_the_target_of_every_kind_about_a_unit() {
    let cats = block(&format!("{CATS}{LAYER}"));
    for kind in ["feature_vis", "dataset_examples", "activation_histogram", "unit_summary"] {
        let made = Garden::of(&[("a.md", &format!("{}{cats}", about(kind, "cats")))]);
        assert_eq!(made.said(), "", "{kind}");
        let all = requests(&made);
        let (direction, request) = (&all["direction"][0], &all[kind][0]);
        let key = direction.key().hex();
        assert_eq!(
            request.params["direction"],
            json!([{ "weight": 1.0, "of": { "target": key } }])
        );
        assert_eq!(request.params.get("unit"), None);
        assert!(request.uses.contains(direction), "{kind}");
        assert_eq!(request.inputs.blocks[0].role, "target");
        // The long form is the same measurement.
        let long = about(kind, "cats").replace("target: cats", "direction: { target: cats }");
        let long = requests(&Garden::of(&[("a.md", &format!("{long}{cats}"))]));
        assert_eq!(long[kind][0].key(), request.key(), "{kind}");
        // Everything that decides the direction also decides the figures about it.
        let dogs = cats.replace("[cat]", "[dog]");
        let other = requests(&Garden::of(&[("a.md", &format!("{}{dogs}", about(kind, "cats")))]));
        assert_ne!(other[kind][0].key(), request.key(), "{kind}");
    }
}

#[test]
fn a_direction_asks_for_what_it_is_made_of_and_for_nothing_else() {
    let of = |yaml: &str| {
        let made = Garden::of(&[("a.md", &block(&format!("id: x\nkind: direction\n{yaml}")))]);
        assert_eq!(made.said(), "", "{yaml}");
        requests(&made)["direction"][0].clone()
    };
    let cats = of(&format!("{LAYER}positive: {{ captions: [cat] }}\n"));
    for name in ["method", "held_out", "seed"] {
        assert!(cats.params.contains_key(name), "{name}");
    }
    assert!(!cats.params.contains_key("regularisation"), "it has no effect on a mean");
    assert_eq!((cats.uses.len(), &*cats.uses[0].kind), (1, "scan"));
    assert!(cats.dataset.as_ref().is_some_and(|dataset| dataset.captions));
    // Terms have no groups, and their own data set is scanned once.
    let text = of("direction: { sum: [{ text: a cat }, { dataset: emoji, weight: -1 }] }\n");
    let names: Vec<&str> = text.params.keys().map(String::as_str).collect();
    assert_eq!(names, ["direction", "largest", "layer", "pictures"]);
    assert_eq!(text.uses.len(), 1);
    // Other data sets than the block's own are scanned where the direction is.
    let words =
        of(&format!("{LAYER}positive: {{ dataset: words }}\nnegative: {{ dataset: emoji }}\n"));
    assert_eq!(words.uses.len(), 2);
    assert!(words.uses.iter().all(|scan| scan.params["layer"] == words.params["layer"]));
    // Without a data set there are no pictures to show.
    let garden =
        Garden::of(&[("a.md", &block("id: x\nkind: direction\ndirection: { text: a }\n"))]);
    let config = garden.read("neuronotes.yaml").replace(", dataset: emoji", "");
    garden.write("neuronotes.yaml", &config);
    assert_eq!(garden.said(), "");
    assert_eq!(requests(&garden)["direction"][0].dataset, None);
}

#[test]
fn every_mistake_about_a_direction_has_its_place_and_a_hint() {
    let cats = block(&format!("{CATS}{LAYER}"));
    let embedded = block("id: text\nkind: direction\ndirection: { text: a cat }\n");
    let direction = |yaml: &str| block(&format!("id: x\nkind: direction\n{LAYER}{yaml}"));
    let cases = [
        about("unit_summary", "cat") + &cats,
        about("unit_summary", "text") + &embedded,
        about("unit_summary", "vis") + &vis(3),
        about("unit_summary", "cats\npool: max") + &cats,
        about("unit_summary", "cats\nunit: 3") + &cats,
        block("kind: feature_vis\ntarget: cats\n") + &cats,
        block(&format!("kind: dataset_examples\n{LAYER}")),
        block("kind: dataset_examples\nunit: 3\n"),
        direction("without: [x]\npositive: { captions: [cat] }\n"),
        direction("without: [cats, cats]\ntarget: cats\n") + &cats,
        direction("without: [3]\nunit: 5\n"),
        direction("without: { units: [5000] }\nunit: 5\n"),
        direction("positive: cat\n"),
        direction("positive: { caption: [cat] }\n"),
        direction("positive: { captions: [cat], labels: [dog] }\n"),
        direction("positive: { captions: [\"…\"] }\n"),
        direction("positive: { captions: [] }\n"),
        direction("positive: { images: [none.png] }\n"),
        direction("positive: { dataset: emojj }\n"),
        direction("negative: { captions: [cat] }\n"),
        direction("positive: { words: [cat] }\nnegative: { words: [cat] }\n"),
        direction("positive: { words: [cat] }\nunits: [3]\n"),
        direction("positive: { words: [cat] }\nheld_out: 1\n"),
        direction(""),
        direction("direction: { text: a cat }\n"),
    ];
    let all: Vec<String> = cases.iter().map(|text| Garden::of(&[("a.md", text)]).said()).collect();
    insta::assert_snapshot!(all.join("\n\n"));
    let needed = Garden::of(&[("a.md", &cats)]);
    let config = needed.read("neuronotes.yaml").replace(", dataset: emoji", "");
    needed.write("neuronotes.yaml", &config);
    assert!(needed.said().contains("the block has no `dataset`"), "{}", needed.said());
}

#[test]
fn a_figure_leads_to_the_direction_that_it_is_about() {
    let cats = block(&format!("{CATS}{LAYER}"));
    let word = block(&format!(
        "id: word\nkind: direction\n{LAYER}positive: {{ words: [cat, Cat] }}\nnegative: {{ words: [dog, Dog] }}\nwithout: cats\n"
    ));
    let garden = Garden::of(&[
        ("b.md", &format!("{cats}{word}")),
        ("a.md", &about("dataset_examples", "b#cats")),
    ]);
    assert!(fill(&garden) > 0);
    assert_eq!(garden.build().code(), 0);
    let html = garden.read("output/a.html");
    let link = "<dt>direction</dt><dd><a class=\"internal\" href=\"b.html#cats\">b#cats</a></dd>";
    assert!(html.contains(link) && !html.contains("<dt>uses</dt>"), "{html}");
    assert!(html.contains("the mean of b#cats is"), "{html}");
    let html = garden.read("output/b.html");
    let without = "<dt>without</dt><dd><a class=\"internal\" href=\"#cats\">cats</a></dd>";
    assert!(html.contains(without), "{html}");
    assert!(html.contains("<dt>positive</dt><dd>pictures whose captions name cat</dd>"), "{html}");
    assert!(!html.contains("the whole layer"), "{html}");
    let told = garden.run(&["explain", "a#about"]).stdout();
    assert!(told.contains("direction: b#cats\n"), "{told}");
}
