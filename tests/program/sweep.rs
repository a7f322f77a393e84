//! Blocks that sweep over values: requests, mistakes, and pages on which some are measured and some are not.

use crate::common;
use crate::common::Garden;
use neuronotes::site::{self, Progress, Site};
use neuronotes::workspace::Workspace;
use neuronotes_core::kind::feature_vis;

const BLOCK: &str = "kind: feature_vis\nid: grid\nlayer: image_block_4/0/Add_6\n";

fn garden(fields: &str) -> Garden {
    let garden = Garden::new();
    let front = "---\nunits:\n  - { layer: visual.layer4.0.add, unit: 4, name: stars }\n---\n";
    garden.note("a.md", &format!("{front}```yaml analysis\n{BLOCK}{fields}```\n"));
    garden
}

/// Commits a result for each request of these units.
fn fill(garden: &Garden, units: &[u64]) {
    let mut workspace = Workspace::open(garden.root()).expect("a garden");
    for (_, request) in site::wishes(&mut workspace).missing {
        let unit = request.params["unit"].as_u64().expect("a unit");
        if !units.contains(&unit) {
            continue;
        }
        let store = &workspace.store;
        let red = u8::try_from(unit).expect("small");
        let mut record = common::results::record(store, &request, unit as f64, red);
        record.add_output(store, &feature_vis::web(0), "image/webp", &[red]).expect("an output");
        let sample = feature_vis::sample(1, unit as f64);
        let outcome = feature_vis::Outcome { web: Some(4), ..sample };
        record.set_result(store, &outcome).expect("a result");
        store.commit(&record).expect("a record");
    }
}

#[test]
fn every_combination_is_one_request_and_the_first_field_is_outermost() {
    let garden = garden("sweep: { unit: [3, 4], recipe: [lucid, draft], }\n");
    let mut workspace = Workspace::open(garden.root()).expect("a garden");
    let asked: Vec<String> = site::wishes(&mut workspace)
        .plan
        .requests
        .iter()
        .map(|(_, request)| format!("{} {}", request.params["unit"], request.params["size"]))
        .collect();
    assert_eq!(asked, ["3 128", "3 96", "4 128", "4 96"], "{}", garden.said());
    // As if each were written so.
    let plain = self::garden("unit: 4\nrecipe: draft\n");
    let mut other = Workspace::open(plain.root()).expect("a garden");
    let keys = |wishes: site::Wishes| -> Vec<_> {
        wishes.plan.requests.into_iter().map(|(key, _)| key).collect()
    };
    assert_eq!(keys(site::wishes(&mut workspace))[3..], keys(site::wishes(&mut other))[..]);
}

#[test]
fn every_mistake_in_a_sweep_has_its_place_and_a_hint() {
    let many: Vec<String> = (0..257).map(|unit| unit.to_string()).collect();
    let all: Vec<String> = [
        "sweep: [3, 4]\n",
        "sweep: {}\n",
        "sweep: { unit: 3 }\n",
        "sweep: { unit: [3, 3] }\n",
        "sweep: { unit: [3, three] }\n",
        "sweep: { unit: [3, 5000, 5001] }\n",
        "sweep: { unti: [3, 4] }\n",
        "sweep: { caption: [a, b] }\nunit: 3\n",
        "sweep: { unit: [3, 4] }\nunit: 3\n",
        "sweep: { unit: [3, 4], sign: [positive], steps: [1] }\n",
        "sweep: { objective: [channel, layer] }\nunit: 3\n",
        &format!("sweep: {{ unit: [{}] }}\n", many.join(", ")),
    ]
    .iter()
    .map(|fields| garden(fields).said())
    .collect();
    insta::assert_snapshot!(all.join("\n"));
    let other = Garden::new();
    let block = "kind: dataset_examples\nlayer: image_block_4/0/Add_6\nsweep: { unit: [3, 4] }\n";
    other.note("a.md", &format!("```yaml analysis\n{block}```\n"));
    assert!(
        other.said().contains("`dataset_examples` has no `sweep`\n    give each value a block")
    );
}

#[test]
fn what_is_measured_is_shown_while_the_rest_waits() {
    let garden = garden("sweep:\n  unit: [3, 4, 5]\n");
    fill(&garden, &[3, 4]);
    let site = |progress| Site::new(Workspace::open(garden.root()).expect("a garden"), progress);
    let mut preview = site(Progress { preview: true, ..Progress::default() });
    let missing = preview.missing();
    assert_eq!(missing.len(), 1);
    let page = |site: &mut Site| {
        let sink = site::Collected::default();
        let problems = site.publish(&sink);
        let files = sink.files();
        let page = match files.get("a.html") {
            Some(site::Content::Page { html: Ok(html), .. }) => html.clone(),
            other => panic!("{other:?}"),
        };
        (page, problems, files)
    };
    let (waiting, problems, files) = page(&mut preview);
    assert_eq!(problems, []);
    assert_eq!(waiting.matches("mean activation").count(), 4, "{waiting}");
    assert!(waiting.contains("2 of 3 measured") && waiting.contains("unit 4 · stars"), "{waiting}");
    let slot = format!("<li class=\"waiting\" data-key=\"{}\" aria-busy=\"true\">", missing[0].0);
    assert!(waiting.contains(&slot), "{waiting}");
    let pictures = files.keys().filter(|name| name.starts_with("figures/"));
    let endings: Vec<&str> = pictures.filter_map(|name| name.rsplit('.').next()).collect();
    assert_eq!(endings.iter().filter(|ending| **ending == "webp").count(), 2);
    assert_eq!(endings.iter().filter(|ending| **ending == "png").count(), 2);

    // One that failed leaves its message in its place, and is an error at its value.
    let mut failed = Progress::default();
    failed.failed.insert(missing[0].0, ("it is too dark".into(), Some("try less".into())));
    let (page, problems, _) = page(&mut site(failed));
    assert!(page.contains("it is too dark") && page.contains("mean activation 4.00"), "{page}");
    let [problem] = &problems[..] else { panic!("{problems:?}") };
    assert_eq!((problem.line, problem.column), (10, 16));
    assert_eq!(problem.hint.as_deref(), Some("try less"));
    assert_eq!(garden.build().code(), 1);

    fill(&garden, &[5]);
    let run = garden.built();
    assert!(run.summary().contains("0 figures measured, 3 stored"), "{}", run.summary());
    let page = garden.page("a.html");
    assert!(page.contains("<dt>unit</dt><dd>3 · 4 (stars) · 5</dd>"), "{page}");
    assert!(page.contains("<b>keys</b>") && !page.contains("of 3 measured"));
    assert!(garden.page("index.html").contains(".webp"), "the first picture is the card's");
    assert_eq!(garden.output(), garden.clean_output());
}

#[test]
fn without_a_lab_a_sweep_is_one_error() {
    let garden = garden("sweep: { unit: [3, 4, 5] }\n");
    let run = garden.build();
    assert_eq!(run.code(), 1);
    assert!(run.stderr().contains("3 of 3 were not measured"), "{}", run.stderr());
    assert_eq!(run.stderr().matches("error:").count(), 1, "{}", run.stderr());
}
