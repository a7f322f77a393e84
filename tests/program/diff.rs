//! Two states of a garden compared: revisions, the files on disk, frozen results. Nothing is ever measured.

use std::fs;
use std::process::Command;

use neuronotes::site;
use neuronotes::workspace::Workspace;
use serde_json::Value;

use crate::common;
use crate::common::history::{commit, git};
use crate::common::results::{commit_used, fill, record};
use crate::common::{Garden, block};

const VIS: &str = "id: vis\nkind: feature_vis\nlayer: image_block_4/0/Add_6\nunit: 3\ncaption: It reaches `= vis.activation`.\n";

/// A garden with a list of words in git; its results are stored, its last state is committed.
fn garden() -> Garden {
    let garden = Garden::new();
    let configured = garden.read("neuronotes.yaml");
    let own = configured.replace("datasets:\n", "datasets:\n  words: { path: data/words.txt }\n");
    garden.write("neuronotes.yaml", &own);
    garden.write(".gitignore", ".neuronotes/\noutput/\n");
    garden.write("data/words.txt", "red\ngreen\n");
    let text = format!(
        "# Coins\n\nIt fires for coins: `= vis.activation | .2f` of `= vis.steps` steps. See [[other]].\n\n{}{}",
        block(VIS),
        block(
            "id: shape\nkind: activation_histogram\nlayer: image_block_4/0/Add_6\nunit: 3\ndataset: words\n"
        ),
    );
    garden.note("coins.md", &text);
    garden.note(
        "other.md",
        "# Other\n\nIt quotes `= coins#vis.activation | .1f` and says nothing else.\n",
    );
    garden.note("plain.md", "# Plain\n\nNo figure.\n");
    git(&garden, &["init", "-q", "-b", "main"]);
    commit(&garden, "first");
    fill(&garden);
    garden
}

fn diff(garden: &Garden, arguments: &[&str]) -> Value {
    let run = garden.run(&[&["diff", "--format", "json"], arguments].concat());
    assert_eq!(run.code(), 0, "{}", run.stderr());
    serde_json::from_str(&run.stdout()).expect("JSON")
}

fn names(value: &Value, field: &str) -> Vec<String> {
    let all = value.as_array().expect("a list").iter();
    all.map(|one| one[field].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn a_parameter_moves_a_sentence_that_nobody_edited() {
    let garden = garden();
    // Nothing differs from itself, on disk or in git.
    for ends in [&[][..], &["HEAD..HEAD"]] {
        let nothing = diff(&garden, ends);
        for list in ["sentences", "figures", "missing", "notes", "links"] {
            assert_eq!(nothing[list], serde_json::json!([]), "{list}");
        }
        assert_eq!(nothing["same"]["figures"], 2);
    }
    let changed =
        garden.read("notes/coins.md").replace("unit: 3\ncaption", "unit: 3\nsteps: 77\ncaption");
    garden.note("coins.md", &changed);
    garden.note("new.md", "# New\n\nSee [[coins]].\n");
    git(&garden, &["mv", "notes/plain.md", "notes/plainer.md"]);
    let without = diff(&garden, &[]);
    // Not measured yet: it says so, and what measures it.
    assert_eq!(names(&without["missing"], "figure"), ["coins.md#vis"]);
    assert!(
        without["missing"][0]["hint"]
            .as_str()
            .is_some_and(|hint| hint.contains("neuronotes build"))
    );
    fill(&garden);
    let found = diff(&garden, &[]);
    assert_eq!(found["missing"], serde_json::json!([]));
    assert_eq!(
        found["causes"][0]["causes"][0].as_str().map(|cause| cause.starts_with("`steps`: ")),
        Some(true)
    );
    // The sentence of the note, its caption, and the sentence of the other note, which was not touched.
    let places = names(&found["sentences"], "note");
    assert_eq!(places, ["coins.md", "coins.md", "other.md"], "{found}");
    let notes: Vec<_> =
        names(&found["notes"], "note").into_iter().zip(names(&found["notes"], "is")).collect();
    let expected = [("coins.md", "edited"), ("new.md", "new"), ("plainer.md", "renamed")];
    assert_eq!(notes, expected.map(|(note, is)| (note.to_owned(), is.to_owned())));
    assert_eq!(names(&found["links"], "is"), ["gained"]);
    commit(&garden, "second");
    let forth = diff(&garden, &["HEAD~1..HEAD"]);
    assert_eq!(forth["figures"], found["figures"]);
    assert_eq!(forth["sentences"], found["sentences"]);
    let text = garden.run(&["diff", "HEAD~1..HEAD"]).stdout();
    let hash = forth["b"]["commit"].as_str().expect("a hash")[..8].to_owned();
    let first = forth["a"]["commit"].as_str().expect("a hash")[..8].to_owned();
    insta::assert_snapshot!(text.replace(&hash, "SECOND").replace(&first, "FIRST"));
    let code = garden.run(&["diff", "HEAD~1..HEAD", "--exit-code"]).code();
    assert_eq!((code, garden.run(&["diff", "HEAD..HEAD", "--exit-code"]).code()), (1, 0));
}

#[test]
fn data_that_no_note_touches_is_the_one_cause_and_same_bytes_are_the_same() {
    let garden = garden();
    garden.write("data/words.txt", "red\ngreen\nblue\n");
    // The same result as before for one of the figures that the data change asks for again.
    let mut workspace = Workspace::open(garden.root()).expect("a garden");
    let wishes = site::wishes(&mut workspace);
    for (_, request) in &wishes.missing {
        commit_used(&workspace.store, request);
        workspace.store.commit(&record(&workspace.store, request, 0.5, 9)).expect("a record");
    }
    let found = diff(&garden, &[]);
    assert_eq!(
        found["causes"],
        serde_json::json!([{ "causes": ["`data/words.txt`"], "figures": ["coins.md#shape"] }])
    );
    assert_eq!(
        (names(&found["figures"], "id"), found["notes"].clone()),
        (vec!["shape".into()], serde_json::json!([]))
    );
    let histogram = &found["figures"][0]["change"]["histograms"];
    assert_eq!(histogram.as_array().map(Vec::len), Some(1), "{found}");
    // What asks differently and comes out the same is the same.
    let before = diff(&garden, &["HEAD..HEAD"])["same"]["figures"].clone();
    let same =
        garden.read("notes/coins.md").replace("dataset: words\n", "dataset: words\nbins: 33\n");
    garden.note("coins.md", &same);
    let workspace = Workspace::open(garden.root()).expect("a garden");
    let mut workspace = workspace;
    for (_, request) in site::wishes(&mut workspace).missing {
        commit_used(&workspace.store, &request);
        let old =
            wishes.plan.requests.iter().find(|(_, old)| old.kind == request.kind).expect("one");
        let mut copy = record(&workspace.store, &request, 0.5, 9);
        copy.outputs = workspace.store.record(&old.0).expect("a record").outputs;
        workspace.store.commit(&copy).expect("a record");
    }
    commit(&garden, "data");
    git(&garden, &["checkout", "-q", "HEAD", "--", "."]);
    assert_eq!(before, 2);
    let revision = diff(&garden, &["HEAD~1..HEAD"]);
    assert_eq!(names(&revision["figures"], "id"), ["shape"]);
}

#[test]
fn frozen_results_are_compared_without_store_weights_or_data() {
    let garden = garden();
    assert_eq!(garden.run(&["freeze"]).code(), 0);
    commit(&garden, "frozen");
    let changed =
        garden.read("notes/coins.md").replace("unit: 3\ncaption", "unit: 3\nsteps: 77\ncaption");
    garden.note("coins.md", &changed);
    fill(&garden);
    assert_eq!(garden.run(&["freeze"]).code(), 0);
    commit(&garden, "more steps");
    let whole = diff(&garden, &["HEAD~1..HEAD"]);
    fs::remove_dir_all(garden.path(".neuronotes")).expect("removed");
    let configured = garden.read("neuronotes.yaml");
    let frozen = diff(&garden, &["--frozen", "HEAD~1..HEAD"]);
    assert_eq!(garden.read("neuronotes.yaml"), configured);
    for list in ["sentences", "figures", "causes", "notes", "missing", "links"] {
        assert_eq!(frozen[list], whole[list], "{list}");
    }
    // Without results, all are missing, and nothing is measured.
    let missing = diff(&garden, &["HEAD~1..HEAD"]);
    assert_eq!(missing["missing"].as_array().map(Vec::len), Some(2), "{missing}");
    let other = Garden::empty();
    let output =
        Command::new("cp").arg("-r").arg(garden.path("frozen")).arg(other.path("old")).output();
    assert!(output.expect("cp").status.success());
    let folder = other.path("old").display().to_string();
    let same = diff(&garden, &["--frozen", &folder]);
    assert_eq!(
        (&same["figures"], &same["a"]["is"]),
        (&serde_json::json!([]), &serde_json::json!("frozen"))
    );
}

#[test]
fn the_folder_of_html_and_the_comment_have_everything() {
    let garden = garden();
    let changed =
        garden.read("notes/coins.md").replace("unit: 3\ncaption", "unit: 3\nsteps: 77\ncaption");
    garden.note("coins.md", &changed.replace("fires for coins", "fires for <b>coins</b> & banks"));
    fill(&garden);
    let folder = garden.path("difference");
    let to = folder.display().to_string();
    let run = garden.run(&["diff", "--html", &to, "--format", "markdown"]);
    assert_eq!(run.code(), 0, "{}", run.stderr());
    let comment = run.stdout();
    assert!(
        comment.chars().count() < 65_536 && comment.contains("`steps`")
            || comment.contains("steps"),
        "{comment}"
    );
    assert!(!comment.contains("<b>"), "{comment}");
    let page = fs::read_to_string(folder.join("index.html")).expect("a page");
    for file in page.split("src=\"figures/").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(folder.join("figures").join(file).is_file(), "{file}");
    }
    assert!(page.contains("class=\"compare side\"") && page.contains("&lt;b&gt;"), "{page}");
    // A folder with something else in it is left alone.
    fs::create_dir(garden.path("full")).expect("a folder");
    garden.write("full/file", "");
    let full = garden.run(&["diff", "--html", &garden.path("full").display().to_string()]);
    assert_eq!(full.code(), 2);
    assert!(full.stderr().contains("use another one"), "{}", full.stderr());
}

#[test]
fn what_cannot_be_compared_says_what_to_do() {
    let garden = Garden::of(&[("a.md", "# A\n")]);
    let none = garden.run(&["diff"]);
    assert_eq!(
        (none.code(), none.stderr().contains("hint: `git init`")),
        (2, true),
        "{}",
        none.stderr()
    );
    git(&garden, &["init", "-q"]);
    let empty = garden.run(&["diff"]);
    assert!(empty.stderr().contains("there is no revision `HEAD`"), "{}", empty.stderr());
    commit(&garden, "first");
    let frozen = garden.run(&["diff", "--frozen"]);
    assert!(frozen.stderr().contains("neuronotes freeze"), "{}", frozen.stderr());
    garden.note("draft.md", "---\ndraft: true\n---\n# D\n");
    assert_eq!(diff(&garden, &[])["notes"], serde_json::json!([]));
    assert_eq!(names(&diff(&garden, &["--drafts"])["notes"], "is"), ["new"]);
}

#[test]
fn the_steps_of_the_workflow_make_a_comment_and_a_folder() {
    let path = common::repository().join("docs/review-pull-requests.yml");
    let workflow: Value =
        serde_yaml::from_str(&fs::read_to_string(path).expect("the workflow")).expect("YAML");
    let steps = workflow["jobs"]["review"]["steps"].as_array().expect("steps").clone();
    let run = |name: &str| {
        let step = steps.iter().find(|step| step["name"] == name);
        step.unwrap_or_else(|| panic!("no {name}"))["run"].as_str().expect("a script").to_owned()
    };
    let garden = garden();
    assert_eq!(garden.run(&["freeze"]).code(), 0);
    commit(&garden, "frozen");
    let base =
        Command::new("git").arg("-C").arg(garden.root()).args(["rev-parse", "HEAD"]).output();
    let base = String::from_utf8(base.expect("git").stdout).expect("a hash").trim().to_owned();
    garden.note("other.md", "# Other\n\nIt says something else.\n");
    commit(&garden, "a pull request");
    fs::remove_dir_all(garden.path(".neuronotes")).expect("removed");
    let home = Garden::empty();
    fs::create_dir_all(home.path("neuronotes/bin")).expect("a folder");
    std::os::unix::fs::symlink(common::program(), home.path("neuronotes/bin/neuronotes"))
        .expect("a link");
    // As the service runs it, except for what is sent to it.
    for name in ["Build the site", "Compare with the target branch"] {
        let mut command = Command::new("bash");
        command.args(["-e", "-c", &run(name)]).current_dir(garden.root());
        command.env("HOME", home.root()).env("GARDEN", ".").env("BASE", &base);
        let output = command.output().expect("bash");
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    }
    let upload = steps.iter().find(|step| step["id"] == "artefact").expect("an upload");
    let folder = upload["with"]["path"].as_str().expect("a path");
    assert!(
        garden.path(folder).join("index.html").is_file()
            && garden.path("output/index.html").is_file()
    );
    assert!(garden.read("difference.md").contains("other.md"), "{}", garden.read("difference.md"));
    assert!(run("Comment").contains("difference.md"));
}
