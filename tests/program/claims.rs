//! What a note expects of measured values: claims that hold, fail and cannot be judged, in the terminal and in the preview.

use crate::common;
use crate::common::preview::Preview;
use crate::common::{Garden, block};
use neuronotes::site;
use neuronotes::workspace::Workspace;
use neuronotes_core::store::Record;
use serde_json::{Value, json};

const VIS: &str = "kind: feature_vis\nlayer: image_block_4/0/Add_6\n";
const EXAMPLES: &str = "kind: dataset_examples\nlayer: image_block_4/0/Add_6\nunit: 3\ntop: 3\n";

/// Commits a result for everything that is missing: a visualisation reaches its unit and a quarter and `more`; examples are two
/// hands and a clock.
fn fill(garden: &Garden, more: f64) {
    let mut workspace = Workspace::open(garden.root()).expect("a garden");
    for (key, request) in site::wishes(&mut workspace).missing {
        common::results::commit_used(&workspace.store, &request);
        let mut record = Record::new(key, &request.kind, request.impl_version, request.canonical());
        record.provenance.started = "2026-11-24T10:00:00Z".to_owned();
        record.provenance.device = "cpu".to_owned();
        let store = &workspace.store;
        let unit = request.params.get("unit").and_then(Value::as_f64).unwrap_or_default();
        let outcome = match &*request.kind {
            "feature_vis" => {
                let png = common::results::picture([9, 9, 9]);
                record.add_output(store, "image-0.png", "image/png", &png).expect("output");
                let made = json!({ "activation": unit + 0.25 + more, "activation_at_start": 0.5, "curve": [] });
                json!({ "size": 6, "images": [made] })
            }
            "dataset_examples" => {
                let mut labels = ["Raised hand", "waving hand", "clock"].into_iter();
                let example = |n: u32| {
                    let label = labels.next();
                    let png = common::results::picture([8, 8, 8]);
                    record
                        .add_output(store, &format!("{n}.png"), "image/png", &png)
                        .expect("output");
                    json!({
                        "key": format!("k{n}"), "caption": (n < 2).then(|| format!("caption {n}")),
                        "label": label,
                        "activation": 3.0 - f64::from(n), "picture": format!("{n}.png"), "width": 6, "height": 4,
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

fn with_lists(garden: &Garden) {
    let config = garden.read("neuronotes.yaml");
    garden.write(
        "neuronotes.yaml",
        &format!("{config}lists:\n  hands:\n    - raised hand\n    - waving hand\n"),
    );
}

fn vis(unit: u32, expect: &str) -> String {
    block(&format!("id: vis\n{VIS}unit: {unit}\nexpect:\n{expect}"))
}

fn examples(expect: &str) -> String {
    block(&format!("id: examples\n{EXAMPLES}expect:\n{expect}"))
}

#[test]
fn a_claim_that_fails_is_a_warning_with_what_is_expected_and_measured() {
    let garden = Garden::new();
    with_lists(&garden);
    let expect = "  - activation > 3\n  - activation > start * 20\n  - { that: \"activation in 1..4\", claim: ^four, because: units are small }\n  \
                  - { that: activation < 5, else: warn }\n  - \"all #examples.top.label in hands\"\n  \
                  - \"B#examples.top[0].activation == 3\"\n";
    let own = "  - \"at least 2 of top[:3].label in hands\"\n  - all top[:2].label in hands\n  - top[0].deviations > 100 or top[0].key == \"k0\"\n  \
               - count of top.label ~ /hand$/i == 2\n  - all top[:4].label in hands\n  - top[2].caption == \"x\"\n  \
               - vis.activation within 10% of 5\n";
    garden.note("a.md", &format!("Unit 5 reaches 4. ^four\n\n{}{}", vis(5, expect), examples(own)));
    let sweep = block(&format!(
        "id: grid\n{VIS}sweep: {{ unit: [4, 5, 6] }}\nexpect:\n  - activation > 5\n  - \"grid[unit=6].activation > 6 and cells.length == 3\"\n"
    ));
    garden.note(
        "b.md",
        &format!("---\ntitle: B\n---\n{sweep}{}", block(&format!("id: examples\n{EXAMPLES}"))),
    );
    // Nothing is measured: nothing is said but that.
    let check = garden.run(&["check"]);
    assert_eq!(check.code(), 0, "{}", check.stderr());
    assert!(check.stderr().contains("2 notes checked: no problems found"), "{}", check.stderr());
    assert!(check.stderr().contains("17 expectations: 17 unknown"), "{}", check.stderr());
    fill(&garden, 0.0);
    insta::assert_snapshot!(garden.said());
    let built = garden.built();
    assert!(built.summary().contains("0 figures measured"), "{}", built.summary());
    assert!(
        built.stderr().contains("17 expectations: 10 hold, 5 fail, 2 unknown"),
        "{}",
        built.stderr()
    );
    assert_eq!(garden.run(&["build", "--strict"]).code(), 1);
    // With the others gone, one with `else: warn` does not fail a strict build, and one with `else: error` any.
    let alone = |other: &str| {
        garden.note("a.md", &vis(5, &format!("  - {{ that: activation < 5, else: {other} }}\n")));
        garden.note("b.md", "---\ntitle: B\n---\nText.\n");
        (garden.run(&["build", "--strict"]).code(), garden.run(&["build"]).code())
    };
    assert_eq!((alone("warn"), alone("error")), ((0, 0), (1, 1)));
}

#[test]
fn mistakes_in_what_is_expected_have_their_place_and_fail_nothing_else() {
    let garden = Garden::new();
    with_lists(&garden);
    let expect = "  - activation > 3 3\n  - 5\n  - { that: activation > 3, claim: four }\n  - { claim: ^four }\n  - { that: activation > 3, els: warn }\n  \
                  - { that: activation > 3, else: never }\n  - activaton > 3\n  - images > 3\n  - activation == \"x\"\n  - start in hans\n  \
                  - other.top[0].activation > 3\n  - Nowhere#vis.unit == 3\n  - activation.x > 3\n  - images[0].activation > 3\n  - all #examples.top.label in hands\n  - activation > 3 # it is\n";
    garden
        .note("a.md", &format!("{}{}", vis(5, expect), examples("  - top[0].activation > \"a\n")));
    fill(&garden, 0.0);
    insta::assert_snapshot!(garden.said());
    // What is expected of a block with an error is not reported as well.
    let wrong = block(&format!(
        "{VIS}unit: 5000\nexpect:\n  - unit == 5000\n  - activation > 3\n  - seed == 1\n"
    ));
    garden.note("b.md", &wrong);
    let of_other = garden.reports().into_iter().filter(|report| report.file == "notes/b.md");
    assert_eq!(of_other.count(), 1);
    garden.remove("notes/b.md");
    let run = garden.build();
    assert_eq!((run.code(), run.summary().contains("2 stored")), (1, true), "{}", run.stderr());
    assert!(garden.page("a.html").contains("<figure"));
}

#[test]
fn values_in_prose_are_computed_and_have_conditions() {
    let garden = Garden::new();
    with_lists(&garden);
    let prose = "Reaches `= vis.activation | .1f ? > 3` and `= vis.activation | .1f ? > 6`; \
                 `= count of examples.top[:3].label in hands` of `= examples.top.length` are hands: \
                 `= all examples.top[:2].label in hands`, `= none of examples.top.label in hands`; \
                 `= vis.activation - vis.start | +.2f`, `= examples.top[1:].key`. Not `= n + 1`.\n\n";
    garden.note(
        "a.md",
        &format!("{prose}{}{}", vis(5, "  - unit == 5\n"), examples("  - unit == 3\n")),
    );
    let other = "It is `= count of A#examples.top.label in hands ? >= 3`, `= \"A\"#vis.unit * 2`, `= count of A#examples.top.nothing`.\n";
    garden.note("b.md", &format!("---\ntitle: B\n---\n{other}"));
    fill(&garden, 0.0);
    insta::assert_snapshot!(garden.said());
    assert_eq!(garden.build().code(), 1);
    let page = garden.page("a.html");
    let prose = page.split("<p>").find(|text| text.starts_with("Reaches")).expect("the paragraph");
    insta::assert_snapshot!(prose.split("</p>").next().unwrap_or_default());
}

#[test]
fn a_former_name_of_a_count_still_works_and_is_a_warning() {
    let garden = Garden::new();
    let text = |count: &str, length: &str| {
        format!(
            "Of `= examples.{count}` pictures, `= examples.top.{length} ? > 1` are shown.\n\n{}{}",
            vis(5, &format!("  - examples.{count} > 3\n")),
            examples(&format!("  - {count} == 1494 and top.{length} < 5\n"))
        )
    };
    garden.note("a.md", &text("count", "count"));
    fill(&garden, 0.0);
    insta::assert_snapshot!(garden.said());
    let built = garden.built();
    assert!(built.stderr().contains("3 expectations: 3 hold"), "{}", built.stderr());
    let shown = |page: &str| {
        let values =
            page.split("</data>").filter_map(|text| Some(text.rsplit_once('>')?.1.to_owned()));
        values.collect::<Vec<_>>()
    };
    let before = shown(&garden.page("a.html"));
    assert_eq!(before[..2], ["1494", "3"]);
    garden.note("a.md", &text("images", "length"));
    let check = garden.run(&["check"]);
    assert!(!check.stderr().contains("is now called"), "{}", check.stderr());
    // Claims that hold are listed, too.
    let lines = garden.run(&["check", "--format", "json"]).stdout();
    let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let claims: Vec<Value> = lines.filter(|line| line["verdict"].is_string()).collect();
    assert_eq!(claims.len(), 3, "{claims:?}");
    assert!(claims.iter().all(|claim| claim["verdict"] == "holds"), "{claims:?}");
    assert_eq!((&claims[0]["figure"], &claims[0]["expected"]), (&Value::Null, &json!("> 1")));
    let last = &claims[2];
    assert_eq!((&last["file"], &last["line"]), (&json!("notes/a.md"), &json!(19)));
    assert_eq!((&last["figure"], &last["predicted"]), (&json!("examples"), &Value::Null));
    assert_eq!(last["claim"], "images == 1494 and top.length < 5");
    garden.built();
    let page = garden.page("a.html");
    assert_eq!(shown(&page), before);
    assert!(page.contains("images: Number of images in the data set"), "{page}");
    // The result that readers can download has the names that notes use.
    let files = page.split("figures/data/").skip(1).filter_map(|rest| rest.split('"').next());
    let json = files.into_iter().find(|name| name.ends_with(".json")).expect("a file of numbers");
    let json: Value =
        serde_json::from_str(&garden.read(&format!("output/figures/data/{json}"))).expect("JSON");
    assert_eq!((&json["images"], json.get("count")), (&json!(1494), None));
}

#[test]
fn a_claim_is_judged_again_when_it_or_its_result_changes_and_nothing_is_measured_for_it() {
    let garden = Garden::new();
    garden.note("a.md", &vis(5, "  - activation > 3\n"));
    garden.note("b.md", "---\ntitle: B\n---\nText.\n");
    fill(&garden, 0.0);
    garden.built();
    let before = garden.run(&["explain", "a#vis", "--format", "json"]).stdout();
    let preview = Preview::of(&garden);
    let news = preview.news("a.html");
    assert!(!preview.get("a.html").1.contains("does not hold"));
    garden.note("a.md", &vis(5, "  - activation > 6\n"));
    assert!(news.next_of("patch")["lines"].to_string().contains("does not hold"));
    let page = preview.get("a.html").1;
    assert!(
        page.contains("activation is 5.25") && !page.contains("data-state=\"waiting\""),
        "{page}"
    );
    assert_eq!(
        garden.run(&["explain", "a#vis", "--format", "json"]).stdout(),
        before,
        "the same request"
    );
    garden.note("a.md", &vis(5, "  - activation > 5\n"));
    let gone = |page: &str| !preview.get(page).1.contains("does not hold");
    news.next_of("patch");
    assert!(gone("a.html"));
    // Another note's claim follows the block that it names.
    let other = block(&format!("id: own\n{VIS}unit: 5\nexpect:\n  - a#vis.unit == 5\n"));
    garden.note("b.md", &format!("---\ntitle: B\n---\n{other}"));
    let news = preview.news("b.html");
    assert!(gone("b.html"));
    garden.note("a.md", &vis(4, "  - activation > 3\n"));
    assert!(news.next_of("patch")["lines"].to_string().contains("does not hold"));
}

#[test]
fn typed_numerals_are_listed() {
    let garden = Garden::new();
    let text =
        "# Eight\n\nSeven of the eight reach 4.2. ^all\n\nUnit 5: `= vis.unit`, and 3 more.\n\n";
    let claim = "  - { that: \"unit == 5 and at least 7 of [1, 2] > 8\", claim: ^all }\n";
    garden.note("a.md", &format!("{text}{}", vis(5, claim)));
    let run = garden.run(&["check", "--numbers"]);
    assert_eq!(run.code(), 0);
    let said = run.stderr();
    assert!(said.contains("2 numerals in prose that neither a value nor a claim covers"), "{said}");
    // The claim names seven and eight, and says nothing of 4.2.
    assert!(said.contains("a.md:3:26") && said.contains("`4.2` is typed"), "{said}");
    assert!(said.contains("a.md:5:27") && said.contains("`3` is typed"), "{said}");
    let hint = "let an expectation that names the number cite it";
    assert!(said.contains(hint), "{said}");
    assert!(!garden.run(&["check"]).stderr().contains("typed"));
}

/// Runs git in the garden at a time.
fn git(garden: &Garden, arguments: &[&str], time: &str) {
    let mut command = std::process::Command::new("git");
    command.arg("-C").arg(garden.root()).args(["-c", "user.name=A", "-c", "user.email=a@b.c"]);
    command.env("GIT_COMMITTER_DATE", time).stdout(std::process::Stdio::null());
    assert!(command.args(arguments).status().expect("git").success(), "{arguments:?}");
}

#[test]
fn a_claim_that_was_committed_before_its_result_is_a_prediction() {
    let garden = Garden::new();
    with_lists(&garden);
    let early = "  - unit == 5\n  - activation > 3\n  - \"all #examples.top[:2].label in hands\"\n";
    garden.note("a.md", &format!("{}{}", vis(5, early), examples("  - top[0].activation == 3\n")));
    let predicted = || {
        let workspace = Workspace::open(garden.root()).expect("a garden");
        let mut site =
            site::Site::new(workspace, site::Progress { preview: true, ..Default::default() });
        site.all_problems();
        site.predictions()
    };
    fill(&garden, 0.0);
    assert_eq!(predicted(), [None, None, None, None], "without git");
    git(&garden, &["init", "-q"], "2026-11-20T00:00:00Z");
    assert_eq!(predicted(), [None, None, None, None], "nothing is committed");
    garden.write(".gitignore", ".neuronotes\noutput\n");
    git(&garden, &["add", "."], "2026-11-20T00:00:00Z");
    git(&garden, &["commit", "-q", "-m", "x"], "2026-11-20T00:00:00Z");
    let day = Some("2026-11-20".to_owned());
    // That of a parameter is known without a result.
    assert_eq!(predicted(), [None, day.clone(), day.clone(), day.clone()]);
    // A list that was edited later makes its claims later, and so does another condition.
    let config = garden.read("neuronotes.yaml");
    garden.write("neuronotes.yaml", &format!("{config}    - clock\n"));
    assert_eq!(predicted(), [None, day.clone(), None, day.clone()], "not committed");
    let text = garden.read("notes/a.md").replace("activation > 3", "activation > 4");
    garden.note("a.md", &text);
    git(&garden, &["commit", "-q", "-a", "-m", "x"], "2026-11-25T00:00:00Z");
    assert_eq!(predicted(), [None, None, None, day]);
}
