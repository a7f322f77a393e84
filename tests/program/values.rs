//! Inline values: numbers out of results in the prose, and what becomes of them when the result is another one, when
//! there is none, and when they are written wrong.

use crate::common;
use crate::common::{Garden, block};
use neuronotes::site::{self, Content, Progress, Site};
use neuronotes::workspace::Workspace;
use neuronotes_core::store::Record;
use serde_json::{Value, json};

const BLOCK: &str = "kind: feature_vis\nlayer: image_block_4/0/Add_6\n";

fn vis(unit: u32) -> String {
    block(&format!("id: vis\n{BLOCK}unit: {unit}\n"))
}

/// Commits a result for everything that is missing: a visualisation reaches its unit and a quarter.
fn fill(garden: &Garden) {
    let mut workspace = Workspace::open(garden.root()).expect("a garden");
    for (key, request) in site::wishes(&mut workspace).missing {
        common::results::commit_used(&workspace.store, &request);
        let mut record = Record::new(key, &request.kind, request.impl_version, request.canonical());
        record.provenance.started = "2026-11-24T10:00:00Z".to_owned();
        record.provenance.device = "cpu".to_owned();
        record.provenance.seconds = 1.5;
        let store = &workspace.store;
        let unit = request.params.get("unit").and_then(Value::as_f64).unwrap_or_default();
        let outcome = match &*request.kind {
            "feature_vis" => {
                let mut png = std::io::Cursor::new(Vec::new());
                image::RgbImage::new(6, 6)
                    .write_to(&mut png, image::ImageFormat::Png)
                    .expect("a PNG");
                record
                    .add_output(store, "image-0.png", "image/png", png.get_ref())
                    .expect("output");
                let made = json!({
                    "activation": unit + 0.25, "activation_at_start": -0.0123, "curve": [],
                });
                json!({ "size": 6, "images": [made] })
            }
            "dataset_examples" => {
                let example = |n: u32| {
                    record
                        .add_output(store, &format!("{n}.png"), "image/png", b"x")
                        .expect("output");
                    json!({
                        "key": format!("k{n}"), "caption": (n < 2).then(|| format!("Bank & <b>{n}</b>")),
                        "label": null, "activation": 3.0 - f64::from(n), "picture": format!("{n}.png"),
                        "width": 6, "height": 6,
                    })
                };
                let top: Vec<Value> = (0..3).map(example).collect();
                json!({ "count": 1494, "mean": 0.5, "sd": 0.5, "top": top })
            }
            _ => json!({ "count": 1494, "skipped": [] }),
        };
        record.set_result(store, &outcome).expect("a result");
        store.commit(&record).expect("a record");
    }
}

/// The paragraphs of a page, without what stands in attributes.
fn prose(page: &str) -> String {
    let paragraphs = page.split("<p>").skip(1).filter_map(|rest| rest.split("</p>").next());
    let mut out = String::new();
    for text in paragraphs.filter(|text| text.contains("value")) {
        let mut inside = false;
        out.extend(text.chars().filter(|c| {
            inside = match c {
                '<' => true,
                '>' => {
                    inside = false;
                    return false;
                }
                _ => inside,
            };
            !inside
        }));
        out.push('\n');
    }
    out
}

fn examples() -> String {
    block("id: examples\nkind: dataset_examples\nlayer: image_block_4/0/Add_6\nunit: 3\ntop: 3\n")
}

#[test]
fn a_reader_sees_the_number_and_it_follows_the_measurement() {
    let garden = Garden::new();
    let prose_of = |unit| {
        format!(
            "Unit `= vis.unit` of `= vis.layer` reaches `= vis.activation | .2f` from `= vis.start`, \
             `= vis.images.length` picture of `= vis.steps` steps, seed `= vis.seed`.\n\n\
             First `= examples.top[0].activation | .1f`, last `= examples.top[-1].activation | +.1f`; \
             of `= examples.images | ,` the keys `= examples.top.key` and `= examples.top[0].caption`; \
             `= examples.top[key=k1].deviations` above `= examples.mean`, by `= vis.device` in \
             `= vis.seconds | .1f` s on `= vis.measured`.\n\n{}{}",
            vis(unit),
            examples()
        )
    };
    garden.note("a.md", &prose_of(3));
    assert_eq!(garden.said(), "");
    fill(&garden);
    garden.built();
    let page = garden.page("a.html");
    insta::assert_snapshot!(prose(&page));
    let whole = "<a class=\"quoted\" href=\"#vis\"><data class=\"value\" value=\"3.25\" title=\"Figure 1, measured on \
                 2026-11-24\">3.25</data></a>";
    assert!(page.contains(whole), "{page}");
    let rounded = "title=\"Figure 2, measured on 2026-11-24: 3.0\">3.00</data>";
    assert!(
        page.replace("+.1f", "").contains("measured on 2026-11-24: 1.0\">+1.0</data>"),
        "{rounded}"
    );
    // What stands at the beginning is the page's description and the card's text.
    let home = garden.page("index.html");
    assert!(home.contains("Unit 3 of image_block_4/0/Add_6 reaches 3.25"), "{home}");
    assert!(page.contains("content=\"Unit 3 of image_block_4/0/Add_6 reaches 3.25"), "{page}");

    garden.note("a.md", &prose_of(4));
    fill(&garden);
    garden.built();
    let changed = garden.page("a.html");
    assert!(prose(&changed).contains("Unit 4 of image_block_4/0/Add_6 reaches 4.25"), "{changed}");
    assert!(garden.page("index.html").contains("reaches 4.25"));
    assert_eq!(garden.output(), garden.clean_output());
}

#[test]
fn another_note_shows_a_value_and_the_sentence_that_a_third_quotes_follows_it() {
    let garden = Garden::new();
    let bank = |unit| format!("---\ntitle: Piggy bank\n---\nText.\n\n{}", vis(unit));
    garden.note("money/bank.md", &bank(3));
    let quoting = "`= Piggy bank#vis.activation | .2f` is more than [[Third]] has. Another sentence about \
                   `= money/bank#vis.unit`.\n";
    garden.note("a.md", quoting);
    garden.note("third.md", "---\ntitle: Third\n---\nNothing.\n");
    garden.note("fourth.md", "---\ntitle: Fourth\n---\nNothing.\n");
    fill(&garden);
    garden.built();
    let page = garden.page("a.html");
    assert!(page.contains("href=\"money/bank.html#vis\""), "{page}");
    assert!(page.contains("title=\"Figure 1 of “Piggy bank”, measured on"), "{page}");
    let third = garden.page("third.html");
    assert!(third.contains("3.25 is more than <mark>Third</mark> has."), "{third}");

    let before = garden.output();
    garden.note("money/bank.md", &bank(4));
    fill(&garden);
    garden.built();
    let after = garden.output();
    let changed = |name: &str| before[name] != after[name];
    let pages =
        ["a.html", "third.html", "fourth.html", "index.html", "money/bank.html"].map(changed);
    assert_eq!(pages, [true, true, false, true, true]);
    assert!(garden.page("third.html").contains("4.25 is more than"));
    assert_eq!(garden.output(), garden.clean_output());
}

#[test]
fn what_is_not_measured_waits_in_the_preview_and_is_marked_in_a_build() {
    let garden = Garden::new();
    garden.note(
        "a.md",
        &format!(
            "Unit `= vis.unit` reaches `= vis.activation`. See `= vis.seconds`.\n\n{}",
            vis(3)
        ),
    );
    assert_eq!(garden.said(), "", "what waits is no error");
    let mut workspace = Workspace::open(garden.root()).expect("a garden");
    let key = site::wishes(&mut workspace).missing[0].0;
    let mut progress = Progress { preview: true, ..Progress::default() };
    progress.running.insert(key, "optimising: step 3 of 9".to_owned());
    let sink = site::Collected::default();
    Site::new(workspace, progress).publish(&sink);
    let files = sink.files();
    let Some(Content::Page { html: Ok(page), .. }) = files.get("a.html") else {
        panic!("{:?}", files.get("a.html"))
    };
    let waiting = format!(
        "<span class=\"value waiting\" data-key=\"{key}\" aria-busy=\"true\" title=\"Figure 1: optimising: step 3 of \
         9\">…</span>"
    );
    assert_eq!(page.matches(&waiting).count(), 2, "{page}");
    assert!(page.contains("value=\"3\" title=\"Figure 1, as requested\">3</data>"), "{page}");

    // A build without a lab: one error, at the block, and a mark at each place.
    let run = garden.build();
    assert_eq!(run.code(), 1);
    assert_eq!(run.stderr().matches("error:").count(), 1, "{}", run.stderr());
    let page = garden.page("a.html");
    assert_eq!(page.matches("class=\"value failed\"").count(), 2, "{page}");
    assert!(page.contains(">[vis.activation]</span>"), "{page}");
}

#[test]
fn a_faulty_figure_is_reported_once_and_its_values_are_marked() {
    let garden = Garden::new();
    garden.note("a.md", &format!("`= vis.unit` and `= vis.activation`.\n\n{}", vis(5000)));
    let said = garden.said();
    assert_eq!(said.lines().count(), 2, "{said}");
    assert!(said.contains("unit 5000 is out of range"), "{said}");
    garden.build();
    let page = garden.page("a.html");
    assert_eq!(page.matches("title=\"Figure 1: unit 5000 is out of range").count(), 2, "{page}");
}

#[test]
fn every_mistake_has_its_place_and_a_hint() {
    let garden = Garden::new();
    garden.note("twin/one.md", "---\ntitle: Twin\n---\nText.\n");
    garden.note("twin/two.md", "---\ntitle: Twin\n---\nText.\n");
    garden.note("piggy-bank.md", &format!("---\ntitle: Piggy bank\n---\nText.\n\n{}", vis(3)));
    let grid =
        block(&format!("id: grid\n{BLOCK}sweep: {{ unit: [3, 4], recipe: [lucid, draft] }}\n"));
    let own = format!("{}{grid}", examples());
    let values = [
        "exampels.images",
        "vis.activation",
        "nothing",
        "Piggy bnak#vis.activation",
        "Twin#vis.activation",
        "Piggy bank#viz.activation",
        "Twin/one#vis.activation",
        "twin/one#vis.activation",
        "examples",
        "examples.activation",
        "examples.top",
        "examples.top[0]",
        "examples.top[0].activatoin",
        "examples.top[3].activation",
        "examples.top[-4].activation",
        "examples.top[key=k7].activation",
        "examples.images.mean",
        "examples.images[0]",
        "examples.top[2].caption",
        "examples.layer | .1f",
        "examples.layer.name",
        "examples.mean | 1f",
        "examples.mean plus",
        "examples[0].mean",
        "grid.activation",
        "grid.cells.activation",
        "grid[unit=3].activation",
        "grid[unit=9, recipe=lucid].activation",
        "grid[steps=9].activation",
        "grid.cells[4].activation",
        "grid[unit=3, recipe=draft].activatoin",
        "Piggy bank#vis.activation[0]",
    ];
    let lines: Vec<String> = values.iter().map(|value| format!("- `= {value}`\n")).collect();
    garden.note("a.md", &format!("{}\n{own}", lines.concat()));
    fill(&garden);
    let said = garden.said();
    insta::assert_snapshot!(said);
    let run = garden.build();
    assert_eq!(run.code(), 1);
    let page = garden.page("a.html");
    // What begins with no figure is code: a warning where it is nearly one, and nothing where it is not.
    let (code, holes) = values.split_at(8);
    for value in code {
        assert!(page.contains(&format!("<code>= {value}</code>")), "{value}: no code\n{page}");
    }
    for value in holes {
        let mark = format!(">[{}]</span>", value.replace('&', "&amp;"));
        assert!(page.contains(&mark), "{value}: no hole\n{page}");
    }
}

#[test]
fn one_measurement_of_a_sweep_is_chosen_by_its_values_or_its_place() {
    let garden = Garden::new();
    let grid = format!("id: grid\n{BLOCK}sweep: {{ unit: [3, 4], recipe: [lucid, draft] }}\n");
    let front = "---\nunits:\n  - { layer: visual.layer4.0.add, unit: 4, name: stars }\n---\n";
    garden.note(
        "a.md",
        &format!(
            "{front}`= grid[unit=4, recipe=draft].activation`, `= grid.cells[-1].activation | .1f`, \
             `= grid.cells[0].unit`, `= grid[unit=3, recipe=draft].size`, `= grid.cells.length`.\n\n{}",
            block(&grid)
        ),
    );
    fill(&garden);
    assert_eq!(garden.said(), "");
    garden.built();
    let page = garden.page("a.html");
    assert_eq!(prose(&page).trim(), "4.25, 4.2, 3, 96, 4.");
    assert!(page.contains("title=\"Figure 1, unit 4 · stars, recipe draft, measured on"), "{page}");
}

#[test]
fn captions_headings_and_tables_show_values_and_code_stays_code() {
    let garden = Garden::new();
    let captioned = block(&format!(
        "id: vis\n{BLOCK}unit: 3\ncaption: Reaches `= vis.activation`, not `= vis.nothing`.\n"
    ));
    garden.note(
        "a.md",
        &format!(
            "## About `= vis.unit`\n\nText.\n\n## Second\n\n| a |\n|---|\n| `= vis.activation \\| .1f` |\n\n\
             ` = vis.unit ` and `=>` and `=`.\n\n    `= vis.unit`\n\n{captioned}"
        ),
    );
    fill(&garden);
    let wrong = garden.said();
    assert!(
        wrong.starts_with("notes/a.md:20:10 a `feature_vis` has no value `nothing`"),
        "{wrong}"
    );
    garden.build();
    let page = garden.page("a.html");
    assert!(
        page.contains("<td><a class=\"quoted\" href=\"#vis\"><data class=\"value\" value=\"3.25\"")
    );
    assert!(page.contains(">3.2</data></a></td>"), "{page}");
    assert!(
        page.contains("<code>= vis.unit</code> and <code>=&gt;</code> and <code>=</code>"),
        "{page}"
    );
    assert!(page.contains("<pre tabindex=\"0\"><code>`= vis.unit`"), "{page}");
    assert!(page.contains("<a href=\"#about-visunit\">About 3</a>"), "{page}");
    assert!(page.contains("Reaches <a class=\"quoted\" href=\"#vis\">"), "{page}");
    // A caption is presentation: other values of it measure nothing.
    let run = garden.run(&["check", "--strict"]);
    assert_eq!(run.code(), 1);
}

#[test]
fn whatever_is_asked_something_stands_in_its_place() {
    let garden = Garden::new();
    let pieces = [
        "examples",
        "vis",
        "grid",
        "top",
        "count",
        "images",
        "activation",
        "length",
        "cells",
        "unit",
        "layer",
        ".",
        ".",
        ".",
        "[0]",
        "[-1]",
        "[99]",
        "[key=k1]",
        "[unit=3]",
        " | .1f",
        " | %",
        "a#",
        "#",
        "quantiles",
        "texts",
        "[9223372036854775807]",
        "[-9223372036854775808]",
        "seconds",
        "=",
        " ",
    ];
    let mut state = 7_u64;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) as usize % below
    };
    let value = |_| {
        let count = 1 + next(9);
        let text: String = (0..count).map(|_| pieces[next(pieces.len())]).collect();
        format!("- `= {text}`\n")
    };
    let lines: String = (0..1500).map(value).collect();
    let right = "- `= examples.images` `= vis.activation` `= grid[unit=3].activation`\n";
    let lines = format!("{right}{lines}");
    let grid = block(&format!("id: grid\n{BLOCK}sweep: {{ unit: [3, 4] }}\n"));
    garden.note("a.md", &format!("{lines}\n{}{}{grid}", examples(), vis(5)));
    fill(&garden);
    let workspace = Workspace::open(garden.root()).expect("a garden");
    let values = workspace.notes()[0].values.len();
    assert!(values > 300, "{values}");
    let sink = site::Collected::default();
    let problems = Site::new(workspace, Progress::default()).publish(&sink);
    let files = sink.files();
    let Some(Content::Page { html: Ok(page), .. }) = files.get("a.html") else { panic!("no page") };
    let shown = page.matches("class=\"value").count() + page.matches("<li><code>").count();
    assert_eq!(shown, 1503, "a value or code in each place");
    assert!(page.matches("<data class=\"value\"").count() >= 3, "some are right");
    assert!(problems.iter().all(|problem| problem.hint.is_some()), "each has a hint");
}

#[test]
fn a_damaged_result_is_marked_and_never_shown() {
    let garden = Garden::new();
    garden.note("a.md", &format!("`= examples.top[0].activation`.\n\n{}", examples()));
    fill(&garden);
    let mut workspace = Workspace::open(garden.root()).expect("a garden");
    let (key, request) = site::wishes(&mut workspace).plan.requests.remove(0);
    let mut record = Record::new(key, &request.kind, request.impl_version, request.canonical());
    record.set_result(&workspace.store, &json!({ "count": "many" })).expect("a result");
    workspace.store.commit(&record).expect("a record");
    let run = garden.build();
    assert_eq!(run.code(), 1);
    assert_eq!(run.stderr().matches("error:").count(), 1, "{}", run.stderr());
    assert!(garden.page("a.html").contains("class=\"value failed\""));
}

#[test]
fn code_that_names_no_figure_is_code() {
    let garden = Garden::new();
    let lisp = "The operator `= ANY`, `= 0`, `= (len l2)`, `= a.b` and `= C#major`; `=` too.\n";
    garden.note("lisp.md", &format!("# About `= ANY`\n\n{lisp}"));
    assert_eq!(garden.said(), "");
    garden.built();
    let page = garden.page("lisp.html");
    for code in ["= ANY", "= 0", "= (len l2)", "= a.b", "= C#major"] {
        assert!(page.contains(&format!("<code>{code}</code>")), "{code}: {page}");
    }
    // Nearly one: a slip in the id, a path where the note has figures, another note's figure.
    garden.note("near.md", &format!("`= viz.unit` `= other.unit` `= vis`.\n\n{}", vis(3)));
    garden.note("far.md", "`= vis.unit` and `= near#viz.unit`.\n");
    let said = garden.said();
    assert_eq!(said.matches("this is shown as code").count(), 4, "{said}");
    assert!(said.contains("did you mean `vis`?"), "{said}");
    assert!(said.contains("write `near#vis`"), "{said}");
}
