//! Sites built, changed and built again; results come from a store that the tests fill themselves.

use std::collections::BTreeSet;
use std::path::Path;

use crate::common;
use crate::common::Garden;
use neuronotes::site;
use neuronotes::workspace::Workspace;
use neuronotes_core::digest::Digest;
use neuronotes_core::kind::{KINDS, Kind};
use neuronotes_core::request::Request;

const NOTE: &str = "---\ntitle: Coins\ndate: 2026-01-02\n---\nUnit 3 is a unit. See [[Other]] and [[Other#Part two]].\n\n\
                    ```yaml analysis\nid: vis\nkind: feature_vis\nlayer: image_block_4/0/Add_6\nunit: 3\n\
                    caption: As [[Other]] says.\n```\n\n## One\n\n```yaml analysis\nkind: activation_histogram\n\
                    layer: visual.layer4.0.add\nunit: 3\n```\n\n## Two\n\n![A coin](coin.png)\n";

fn garden() -> Garden {
    let garden = Garden::new();
    garden.note("coins.md", NOTE);
    garden.note("deep/other.md", "---\ntitle: Other\n---\nBack to [[Coins]]. It has [[coins#vis|a figure]].\n\n## Part two\n\nText.\n");
    garden.note("alone.md", "Nobody mentions this.\n");
    let png = picture([200, 120, 40]);
    std::fs::write(garden.path("notes/coin.png"), png).expect("a picture");
    garden
}

fn picture(colour: [u8; 3]) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::RgbImage::from_pixel(6, 4, image::Rgb(colour))
        .write_to(&mut bytes, image::ImageFormat::Png)
        .expect("a PNG");
    bytes.into_inner()
}

/// Commits a result for everything that the garden asks for and the store does not have.
fn fill(garden: &Garden) -> usize {
    let mut workspace = Workspace::open(garden.root()).expect("a garden");
    let missing = site::wishes(&mut workspace).missing;
    let store = &workspace.store;
    for (_, request) in &missing {
        common::results::commit_used(store, request);
        let unit = request.params["unit"].as_u64().expect("a unit");
        let shade = u8::try_from(unit % 256).expect("small");
        let record = common::results::record(store, request, 5.25, shade);
        store.commit(&record).expect("a record");
    }
    missing.len()
}

#[test]
fn a_note_is_a_page_with_everything_it_must_have() {
    let garden = garden();
    assert_eq!(fill(&garden), 2);
    garden.built();
    let page = garden.page("coins.html");
    for wanted in [
        "<title>Coins — A test garden</title>",
        "Last updated on <time datetime=\"2026-01-02\">January 2, 2026</time>",
        "<a href=\"#one\">One</a>",
        "<h2 id=\"two\">Two",
        "This line appears after every note.",
        "Notes mentioning this note",
        "Back to <mark>Coins</mark>.",
        "It has <mark>a figure</mark>.",
        "href=\"deep/other.html#link-1\"",
        "href=\"deep/other.html#part-two\"",
        "<figure id=\"vis\"",
        "Figure 1.",
        "As <a class=\"internal\" href=\"deep/other.html\">Other</a> says.",
        "mean activation 5.25, from 0.50 on noise",
        "image_block_4/0/Add_6 (visual.layer4.0.add)",
        "<dd>1.5 s</dd>",
        "<svg",
        "width=\"6\" height=\"4\"",
        "<img src=\"files/coin.png\"",
    ] {
        assert!(page.contains(wanted), "{wanted}\n{page}");
    }
    let alone = garden.page("alone.html");
    assert!(alone.contains("There are no notes linking to this note."));
    assert!(!page.contains("preview.js"), "nothing of the preview");
    let other = garden.page("deep/other.html");
    assert!(other.contains("href=\"../coins.html#vis\"") && other.contains("href=\"../style-"));
    let home = garden.page("index.html");
    assert!(home.contains("href=\"coins.html\"") && home.contains("January 2, 2026"));
}

#[test]
fn every_address_leads_to_a_file_and_every_anchor_to_an_element() {
    let garden = garden();
    fill(&garden);
    garden.build();
    let files = garden.output();
    let mut checked = 0;
    // What is shown at any address has those of a host.
    let pages = files.iter().filter(|(name, _)| name.ends_with(".html") && *name != "404.html");
    for (name, bytes) in pages {
        let page = String::from_utf8_lossy(bytes);
        for attribute in ["href=\"", "src=\""] {
            for address in page.split(attribute).skip(1).filter_map(|rest| rest.split('"').next()) {
                if address.starts_with("data:") {
                    continue;
                }
                assert!(!address.starts_with('/') && !address.contains("://"), "{name}: {address}");
                let (path, anchor) = address.split_once('#').unwrap_or((address, ""));
                let target = if path.is_empty() {
                    name.clone()
                } else {
                    let folder = Path::new(name).parent().expect("a folder").join(path);
                    let mut parts: Vec<String> = Vec::new();
                    for part in folder.to_string_lossy().split('/') {
                        match part {
                            ".." => drop(parts.pop()),
                            part => parts.push(part.to_owned()),
                        }
                    }
                    parts.join("/")
                };
                let found = files.get(&target);
                assert!(found.is_some(), "{name}: {address} leads to {target}");
                if !anchor.is_empty() {
                    let there = String::from_utf8_lossy(found.expect("a file")).into_owned();
                    assert!(there.contains(&format!("id=\"{anchor}\"")), "{name}: {address}");
                }
                checked += 1;
            }
        }
    }
    assert!(checked > 30, "{checked}");
}

#[test]
fn only_what_changed_is_done_again() {
    let garden = garden();
    fill(&garden);
    assert!(garden.build().summary().contains("3 notes: 0 figures measured, 2 stored;"));
    // Which pages of notes are others then.
    let step = |expected: &[&str]| {
        let before = garden.output();
        let summary = garden.build().summary();
        assert!(summary.contains("3 notes: 0 figures measured, 2 stored;"), "{summary}");
        let after = garden.output();
        let notes = ["alone.html", "coins.html", "deep/other.html"].into_iter();
        let changed: Vec<&str> =
            notes.filter(|page| before.get(*page) != after.get(*page)).collect();
        assert_eq!(changed, expected);
        assert!(before != after || summary.contains("; 0 files written"), "{summary}");
        assert_eq!(after, garden.clean_output());
    };
    // Nothing changed: nothing is written.
    step(&[]);
    // A caption: nothing to measure, one page.
    garden.note("coins.md", &NOTE.replace("As [[Other]] says.", "As it is."));
    assert_eq!(fill(&garden), 0);
    step(&["coins.html", "deep/other.html"]);
    garden.note("coins.md", &NOTE.replace("As [[Other]] says.", "As it was."));
    step(&["coins.html"]);
    // The unit of one block: one measurement; its page and its picture, and the old picture goes. The home
    // page shows each note's first picture.
    garden.note(
        "coins.md",
        &NOTE.replacen("unit: 3", "unit: 4", 1).replace("As [[Other]] says.", "As it was."),
    );
    assert_eq!(fill(&garden), 1);
    step(&["coins.html"]);
    // The other spelling of a layer is the same layer.
    let other = NOTE
        .replacen("unit: 3", "unit: 4", 1)
        .replace("visual.layer4.0.add", "image_block_4/0/Add_6");
    garden.note("coins.md", &other);
    assert_eq!(fill(&garden), 0);
    step(&["coins.html", "deep/other.html"]);
    // A title: every page that shows it.
    garden.note("deep/other.md", "---\ntitle: Another\n---\nBack to [[Coins]].\n");
    garden.build();
    assert_eq!(garden.output(), garden.clean_output());
    assert!(garden.page("coins.html").contains("class=\"unresolved\""));
    // A note that goes takes its page with it.
    garden.remove("notes/alone.md");
    garden.build();
    assert_eq!(garden.output(), garden.clean_output());
    assert!(!garden.path("output/alone.html").exists());
    // The configuration changes every page.
    let config = garden.read("neuronotes.yaml").replace("This line", "Another line");
    garden.write("neuronotes.yaml", &config);
    garden.build();
    assert_eq!(garden.output(), garden.clean_output());
    assert!(garden.page("coins.html").contains("Another line appears"));
}

#[test]
fn a_gardens_own_template_replaces_one_of_the_theme() {
    let garden = garden();
    fill(&garden);
    garden.build();
    garden.write(
        "templates/partials/backlinks.html",
        "<p>Mentioned {{ backlinks|length }} times</p>\n",
    );
    garden.built();
    assert!(garden.page("coins.html").contains("<p>Mentioned 1 times</p>"));
    garden.write("templates/partials/backlinks.html", "<p>\n{{ backlinkz|length }}</p>\n");
    let run = garden.build();
    assert_eq!(run.code(), 1);
    assert!(run.stderr().contains("templates/partials/backlinks.html:2"), "{}", run.stderr());
    let last = garden.page("coins.html");
    assert!(last.contains("<p>Mentioned 1 times</p>"), "the last good page stands");
}

#[test]
fn every_kinds_example_can_be_measured_as_it_stands() {
    let garden = Garden::new();
    let words = common::repository().join("data/words.txt").display().to_string();
    let named = format!("datasets:\n  words: {{ path: {words} }}");
    garden
        .write("neuronotes.yaml", &garden.read("neuronotes.yaml").replacen("datasets:", &named, 1));
    for kind in KINDS {
        garden.note(
            &format!("{}.md", kind.name),
            &format!("```yaml analysis\n{}```\n", kind.example),
        );
    }
    let run = garden.run(&["check", "--strict"]);
    assert_eq!(run.code(), 0, "{}", run.stderr());
    let mut workspace = Workspace::open(garden.root()).expect("a garden");
    let requests = site::wishes(&mut workspace).missing;
    assert_eq!(requests.len(), KINDS.len());
    for (_, request) in requests {
        // What the registry fills in is what the lab reads, field by field.
        let kind = Kind::named(&request.kind).expect("a kind");
        assert_eq!(kind.check(&request.params), Ok(()), "{}", request.kind);
    }
}

#[test]
fn a_new_garden_builds_and_an_old_folder_is_left_alone() {
    let (garden, made) = Garden::scaffold();
    assert_eq!(made.code(), 0, "{}", made.stderr());
    assert!(made.stdout().contains("neuronotes serve --open --root"), "{}", made.stdout());
    // It asks for three figures and the controls of two; the lab's tests measure them.
    assert_eq!(common::results::fill(&garden), 5);
    let built = garden.run(&["build", "--strict"]);
    assert_eq!(built.code(), 0, "{}", built.stderr());
    let before = common::files(garden.root());
    assert!(
        before.contains_key("output/index.html")
            && before.contains_key("output/a-first-figure.html")
    );
    let mut again = std::process::Command::new(common::program());
    let again = again.arg("new").arg(garden.root()).output().expect("neuronotes runs");
    assert_eq!(again.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&again.stderr).contains("is not empty"));
    assert_eq!(common::files(garden.root()), before);
}

#[test]
fn a_new_garden_has_the_data_sets_that_come_with_the_program() {
    let (garden, _) = Garden::scaffold();
    let list = garden.run(&["dataset", "list"]).stdout();
    for (name, summary) in [("emoji", "1,494 pictures"), ("words", "the names of the 498 emoji")] {
        let line = list.lines().find(|line| line.starts_with(name)).expect("a line");
        assert!(line.contains("comes with the program") && line.contains(summary), "{list}");
    }
    // The first is the default of a new garden.
    let told = garden.run(&["dataset", "info"]);
    assert!(
        told.stdout().starts_with("emoji: ") && told.stdout().contains("1,494"),
        "{}",
        told.stderr()
    );
    let told = garden.run(&["dataset", "info", "words"]).stdout();
    assert!(told.contains("498"), "{told}");
    let wrong = garden.run(&["dataset", "info", "wrods"]);
    assert_eq!(wrong.code(), 2);
    assert!(wrong.stderr().contains("did you mean `words`"), "{}", wrong.stderr());
}

#[test]
fn a_draft_leaks_nowhere() {
    let garden = garden();
    fill(&garden);
    garden.note("secret.md", "---\ntitle: Xyzzy\ndraft: true\n---\nPlugh [[Coins]].\n");
    garden.note("alone.md", "See [[Xyzzy]].\n");
    garden.built();
    let leaks: BTreeSet<String> = garden
        .output()
        .into_iter()
        .filter(|(name, bytes)| {
            let text = String::from_utf8_lossy(bytes);
            name.contains("secret") || text.contains("Plugh") || text.contains("secret.html")
        })
        .map(|(name, _)| name)
        .collect();
    assert_eq!(leaks, BTreeSet::new());
}

#[test]
fn nothing_outside_the_notes_is_read_through_a_note() {
    let garden = garden();
    fill(&garden);
    garden.write("private.txt", "Xyzzy");
    garden.note("alone.md", "![a](../private.txt) [b](/../private.txt) [c](../neuronotes.yaml)\n");
    #[cfg(unix)]
    std::os::unix::fs::symlink(garden.path("private.txt"), garden.path("notes/link.txt"))
        .expect("a link");
    garden.note("coins.md", "[d](link.txt)\n");
    garden.build();
    let leaked = garden.output().into_iter().find(|(_, bytes)| bytes == b"Xyzzy");
    assert_eq!(leaked, None);
}

/// The requests of a garden, none of which is measured.
fn requests(garden: &Garden) -> Vec<(Digest, Request)> {
    let mut workspace = Workspace::open(garden.root()).expect("a garden");
    site::wishes(&mut workspace).missing
}

#[test]
fn texts_and_pictures_are_asked_about_by_what_they_are() {
    let garden = Garden::new();
    let words = garden.path("words.txt");
    garden.write("words.txt", "# a list\ncat\ndog\ncat\n");
    let config = garden.read("neuronotes.yaml");
    let named = format!("datasets:\n  words: {{ path: {} }}", words.display());
    garden.write("neuronotes.yaml", &config.replacen("datasets:", &named, 1));
    std::fs::create_dir(garden.path("art")).expect("a folder");
    let paint = |name: &str, grey: u8| {
        let picture = image::RgbImage::from_pixel(4, 4, image::Rgb([grey; 3]));
        picture.save(garden.path(name)).expect("a picture");
    };
    paint("art/a.png", 10);
    let block = |yaml: &str| format!("```yaml analysis\n{yaml}```\n");
    let guess = "kind: zero_shot\nclasses: [cat, dog]\n";
    let rank = "kind: text_rank\ntexts: words\ndirection: { sum: [{ image: art/a.png }, \
                { dataset: emoji, weight: -1 }] }\n";
    garden.note(
        "a.md",
        &(block(&format!("{guess}images: art/a.png\n")) + &block(guess) + &block(rank)),
    );
    let first = requests(&garden);
    assert_eq!(first.len(), 3);
    let digest = Digest::of_file(&garden.path("art/a.png")).expect("a digest").hex();
    let [pictures, survey, ranked] = [0, 1, 2].map(|index| &first[index].1);
    assert_eq!(pictures.params["images"], serde_json::json!([digest]));
    assert_eq!(
        pictures.params["classes"][1],
        serde_json::json!({ "label": "dog", "names": ["dog"] })
    );
    assert_eq!(pictures.params["templates"], serde_json::json!(["a photo of a {}."]));
    assert!(pictures.dataset.is_none() && pictures.uses.is_empty(), "no data set is asked about");
    // The data set's embeddings are a scan of its own, that other classes leave as it is.
    assert_eq!(survey.uses.len(), 1);
    assert_eq!(survey.uses[0].params["layer"], "visual.attnpool");
    assert_eq!(ranked.uses, survey.uses);
    assert_eq!(ranked.params["texts"], serde_json::json!(["cat", "dog"]), "each word once");
    // What is said of the pictures does not decide where they lie.
    let shown = neuronotes_core::dataset::DatasetRef {
        captions: false,
        ..survey.dataset.clone().expect("a data set")
    };
    let emoji = shown.content().hex();
    let terms = serde_json::json!([
        { "weight": 1.0, "of": { "images": [digest] } },
        { "weight": -1.0, "of": { "dataset": emoji } },
    ]);
    assert_eq!(ranked.params["direction"], terms);

    // Another name for the same bytes is the same measurement; other bytes are another one.
    std::fs::rename(garden.path("art"), garden.path("notes/pictures")).expect("moved");
    garden.note("a.md", &garden.read("notes/a.md").replace("art/a", "notes/pictures/a"));
    let keys = |all: &[(Digest, Request)]| all.iter().map(|(key, _)| *key).collect::<Vec<_>>();
    assert_eq!(keys(&requests(&garden)), keys(&first));
    paint("notes/pictures/a.png", 200);
    let other = requests(&garden);
    let same: Vec<bool> = keys(&first).iter().zip(keys(&other)).map(|(a, b)| *a == b).collect();
    assert_eq!(same, [false, true, false]);

    // How many classes are shown decides nothing that is measured; a class does.
    garden.note("a.md", &block(&format!("{guess}top: 2\n")));
    assert_eq!(keys(&requests(&garden)), [first[1].0]);
    garden.note("a.md", &block(&guess.replace("dog", "dog, cow")));
    let more = requests(&garden);
    assert_ne!(more[0].0, first[1].0);
    assert_eq!(more[0].1.uses, first[1].1.uses);
}
