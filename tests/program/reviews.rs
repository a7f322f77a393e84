//! Reviews: stamps that `neuronotes review` writes, what has changed since, and all notes by trouble.

use std::process::Command;

use serde_json::Value;

use crate::common::preview::Preview;
use crate::common::results::{fill, record};
use crate::common::{Garden, Run, block, troubled};
use neuronotes::site;
use neuronotes::workspace::Workspace;

const LAYER: &str = "layer: image_block_4/0/Add_6\nunit: 3\n";

fn garden() -> Garden {
    let text = format!(
        "# Coins\n\nUnit 3 of `= summary.max`.\n\n{}",
        block(&format!("id: summary\nkind: unit_summary\n{LAYER}"))
    );
    let garden = Garden::of(&[("coins.md", &text), ("deep/other.md", "# Other\n\nText.\n")]);
    fill(&garden);
    garden
}

fn review(garden: &Garden, arguments: &[&str]) -> Run {
    garden.run(&[&["review"], arguments].concat())
}

/// The troubles that `check` lists: name, file and message.
fn troubles(garden: &Garden) -> Vec<String> {
    let run = garden.run(&["check", "--format", "json"]);
    let said = run.stdout();
    let all = said.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    // Its text says which unit it is about.
    let troubles = all.filter(|value| value["trouble"].is_string() && value["trouble"] != "number");
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    troubles
        .map(|v| {
            format!(
                "{} {}:{} {}",
                text(&v["trouble"]),
                text(&v["file"]),
                v["line"],
                text(&v["message"])
            )
        })
        .collect()
}

/// Commits another result for the figure of the garden, as a changed data set would.
fn change_result(garden: &Garden) {
    let mut workspace = Workspace::open(garden.root()).expect("a garden");
    let requests = site::wishes(&mut workspace).plan.requests;
    let (_, request) = requests.iter().find(|(_, r)| r.kind == "unit_summary").expect("a request");
    let key = request.key();
    let path = workspace.store.record_path(&key);
    std::fs::remove_file(path).expect("the record goes");
    let other = record(&workspace.store, request, 7.0, 9);
    workspace.store.commit(&other).expect("a record");
}

#[test]
fn a_review_is_a_line_and_the_page_says_what_changed_since() {
    let garden = garden();
    assert_eq!(troubles(&garden), Vec::<String>::new(), "nobody reviews this garden");
    let run = review(&garden, &["coins", "--by", "Ada", "-m", "Well  shown."]);
    assert_eq!(run.code(), 0, "{}", run.stderr());
    assert!(
        run.stderr().contains("“Coins” reviewed by Ada: agrees (reviews/coins.yaml)"),
        "{}",
        run.stderr()
    );
    let file = garden.read("reviews/coins.yaml");
    assert_eq!(file.lines().count(), 2);
    assert!(file.contains("by: \"Ada\"") && file.contains("message: \"Well shown.\""), "{file}");
    assert_eq!(garden.read("reviews/.gitattributes"), "*.yaml merge=union\n");
    garden.built();
    let page = garden.page("coins.html");
    assert!(page.contains("Reviewed by Ada on <time") && page.contains(": agrees<q"), "{page}");
    assert!(!page.contains("changed since"), "{page}");
    assert!(page.contains("review-") && page.contains("href=\"review.html\">Review</a>"), "{page}");
    assert_eq!(troubles(&garden), ["unreviewed notes/deep/other.md:1 nobody has reviewed it"]);

    // Line breaks are not text.
    let text = garden.read("notes/coins.md");
    garden.note("coins.md", &text.replace("Unit 3 of", "Unit 3\nof"));
    assert_eq!(troubles(&garden).len(), 1);
    garden.note("coins.md", &text.replace("Unit 3 of", "Unit three of"));
    assert_eq!(
        troubles(&garden)[0].split(" since").next(),
        Some("stale notes/coins.md:1 text changed")
    );
    garden.built();
    let page = garden.page("coins.html");
    assert!(
        page.contains("<a href=\"review.html#group-note-coins\">text changed since</a>"),
        "{page}"
    );
    let all = garden.page("review.html");
    assert!(
        all.contains("id=\"group-note-coins\"") && all.contains("Changed since reviewed"),
        "{all}"
    );
    assert!(
        all.contains("neuronotes review coins --by NAME") && all.contains("0 of them reviewed"),
        "{all}"
    );
    garden.note("coins.md", &text);
    garden.built();
    assert!(!garden.page("coins.html").contains("changed since"), "the same text again");
}

#[test]
fn a_changed_result_makes_the_figure_and_the_sentence_stale() {
    let garden = garden();
    assert_eq!(review(&garden, &["coins", "--by", "Ada"]).code(), 0);
    assert_eq!(
        review(&garden, &["coins#summary", "--by", "Ben", "--verdict", "disagree", "-m", "Why?"])
            .code(),
        0
    );
    let open: Vec<String> = troubles(&garden);
    assert!(open[0].starts_with("disagreed notes/coins.md:1 Ben on "), "{open:?}");
    assert!(open[0].ends_with("of figure summary: disagrees: Why?"), "{open:?}");
    change_result(&garden);
    let open = troubles(&garden);
    assert!(
        open[0].starts_with("stale notes/coins.md:1 figure summary changed since Ben"),
        "{open:?}"
    );
    assert!(
        open[1]
            .starts_with("stale notes/coins.md:1 text changed, figure summary changed since Ada"),
        "{open:?}"
    );
    garden.built();
    let page = garden.page("coins.html");
    assert!(page.contains("<a href=\"#summary\">figure summary changed since</a>"), "{page}");
    assert!(page.contains("figure <a href=\"#summary\">summary</a> only: disagrees"), "{page}");
}

fn git(garden: &Garden, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command.arg("-C").arg(garden.root());
    command.args(["-c", "user.name=A", "-c", "user.email=a@b.c", "-c", "init.defaultBranch=main"]);
    let output = command.args(arguments).output().expect("git runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{arguments:?}: {said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    said
}

#[test]
fn who_reviews_again_has_seen_what_changed() {
    let garden = garden();
    git(&garden, &["init", "-q"]);
    git(&garden, &["add", "notes"]);
    git(&garden, &["commit", "-q", "-m", "notes"]);
    assert_eq!(review(&garden, &["coins", "--by", "Ada"]).code(), 0);
    assert!(garden.read("reviews/coins.yaml").contains("commit: "), "the note was in a commit");
    let text = garden.read("notes/coins.md");
    garden.note("coins.md", &text.replace("Unit 3 of", "Unit three of"));
    // Somebody who has not reviewed it before sees the whole note.
    assert_eq!(review(&garden, &["coins", "--by", "Ben"]).code(), 0);
    let first = review(&garden, &["coins", "--by", "Ada"]);
    assert_eq!(first.code(), 1);
    assert!(first.stdout().contains("the text reads differently"), "{}", first.stdout());
    assert!(first.stdout().contains("Unit [-3-]{+three+} of"), "{}", first.stdout());
    assert!(first.stderr().contains("run the command again"), "{}", first.stderr());
    assert_eq!(garden.read("reviews/coins.yaml").lines().count(), 3);
    // What was printed is not what stands there any more.
    garden.note("coins.md", &text.replace("Unit 3 of", "Unit three and four of"));
    assert_eq!(review(&garden, &["coins", "--by", "Ada"]).code(), 1);
    let again = review(&garden, &["coins", "--by", "Ada", "--verdict", "minor"]);
    assert_eq!(again.code(), 0, "{}", again.stderr());
    assert_eq!(garden.read("reviews/coins.yaml").lines().count(), 4);
    assert_eq!(review(&garden, &["coins", "--by", "Ada"]).code(), 0, "it is as she saw it");
}

#[test]
fn reviews_of_two_people_merge_without_a_conflict() {
    let garden = garden();
    git(&garden, &["init", "-q"]);
    git(&garden, &["add", "notes", "neuronotes.yaml"]);
    git(&garden, &["commit", "-q", "-m", "notes"]);
    let branch = git(&garden, &["branch", "--show-current"]).trim().to_owned();
    let reviewed = |by: &str, note: &str| {
        assert_eq!(review(&garden, &[note, "--by", by]).code(), 0);
        git(&garden, &["add", "reviews"]);
        git(&garden, &["commit", "-q", "-m", by]);
    };
    // Both make the file.
    git(&garden, &["checkout", "-q", "-b", "ben"]);
    reviewed("Ben", "coins");
    git(&garden, &["checkout", "-q", &branch]);
    reviewed("Ada", "coins");
    git(&garden, &["merge", "-q", "ben", "-m", "both"]);
    // Both append to it.
    git(&garden, &["checkout", "-q", "-b", "cid"]);
    reviewed("Cid", "coins");
    git(&garden, &["checkout", "-q", &branch]);
    reviewed("Dan", "coins");
    git(&garden, &["merge", "-q", "cid", "-m", "all"]);
    assert_eq!(garden.said(), "");
    garden.built();
    let page = garden.page("coins.html");
    for by in ["Ada", "Ben", "Cid", "Dan"] {
        assert!(
            page.contains(&format!("Reviewed by {by} on")),
            "{by}: {}",
            garden.read("reviews/coins.yaml")
        );
    }
}

#[test]
fn what_cannot_be_reviewed_is_said() {
    let garden = garden();
    garden.note("new.md", &block(&format!("id: vis\nkind: feature_vis\n{LAYER}")));
    garden.write("reviews/gone.yaml", "- { by: Ada, on: 2026-11-30, text: 00ff }\n");
    garden.write("reviews/deep/other.yaml", "- { by: Ada, on: 2026-11-30, txt: 00ff }\n");
    let said = |arguments: &[&str]| {
        let run = review(&garden, arguments);
        assert_eq!(run.code(), 2, "{}", run.stderr());
        run.stderr().replace(&garden.root().display().to_string(), "")
    };
    let all = [
        garden.said(),
        said(&["coin", "--by", "Ada"]),
        said(&["coins#sumary", "--by", "Ada"]),
        said(&["new", "--by", "Ada"]),
        said(&["coins", "--by", " "]),
        said(&["other", "--by", "Ada"]),
    ];
    insta::assert_snapshot!(all.join("\n\n"));
}

/// Part of a page between two texts.
fn between<'a>(page: &'a str, start: &str, end: &str) -> &'a str {
    let rest = page.split_once(start).unwrap_or_else(|| panic!("no {start} in {page}")).1;
    rest.split_once(end).map_or(rest, |(part, _)| part)
}

#[test]
fn every_kind_of_trouble_is_listed_and_has_its_place_on_the_page() {
    let garden = troubled::garden();
    let run = garden.run(&["check", "--format", "json"]);
    let said = run.stdout();
    let lines: Vec<Value> =
        said.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let of = |kind: &str, note: &str| {
        let file = format!("notes/{note}.md");
        lines.iter().find(|line| line["trouble"] == kind && line["file"] == *file).cloned()
    };
    let expected = [
        ("claim", 9, "bold: max > 1000000, but max is "),
        ("failed", 3, "odd: "),
        ("disagreed", 1, "Ben on "),
        ("stale", 1, "text changed since Ada on "),
        ("unreviewed", 1, "nobody has reviewed it"),
        ("due", 1, "due since 2025-12-02, last by Ada on 2025-11-30"),
        ("unmeasured", 3, "vis is not measured"),
        ("controls", 7, "chosen: the block turns controls off"),
        ("links", 3, "there is no note `Nowhere`"),
        ("number", 3, "line 3: 37"),
        ("question", 3, "Why does it respond to coins?"),
        ("todo", 5, "Look at the other layers."),
    ];
    for ((kind, note), (same, line, message)) in troubled::NOTES.into_iter().zip(expected) {
        assert_eq!(kind, same);
        let found = of(kind, note).unwrap_or_else(|| panic!("no {kind} of {note}: {said}"));
        let text = found["message"].as_str().expect("a text");
        assert!(text.starts_with(message), "{kind}: {text}");
        assert_eq!(found["line"], line, "{kind}");
    }
    // One figure fails, and one is left out, so that it has no result.
    garden.run(&["build", "--only", "stale"]);
    let page = garden.page("review.html");
    for (kind, note) in troubled::NOTES {
        if kind == "due" {
            // Pages do not depend on the day.
            assert!(!page.contains("group-due"), "{page}");
            continue;
        }
        let group = between(&page, &format!("<h2 id=\"group-{kind}\">"), "</section>");
        assert!(group.contains(&format!("href=\"{note}.html")), "{kind}: {group}");
    }
    // The order of the list is that of the page.
    let places: Vec<Option<usize>> = troubled::NOTES
        .iter()
        .filter(|(kind, _)| *kind != "due")
        .map(|(kind, _)| page.find(&format!("<h2 id=\"group-{kind}\">")))
        .collect();
    assert!(places.is_sorted(), "{places:?}");
    let open = between(&page, "<h2 id=\"group-question\">", "</section>");
    assert!(open.contains("Why does it respond to coins?"), "{open}");
    let todo = between(&page, "<h2 id=\"group-todo\">", "</section>");
    assert!(todo.contains("Look at the other layers."), "{todo}");
    let off = between(&page, "<h2 id=\"group-controls\">", "</section>");
    assert!(off.contains("href=\"controls.html#chosen\""), "{off}");

    // What the garden turns off, each figure that could have controls says; a block that turns them on has them.
    let config = garden.read("neuronotes.yaml");
    garden.write("neuronotes.yaml", &config.replace("controls: on", "controls: off"));
    let run = garden.run(&["check", "--format", "json"]).stdout();
    assert!(run.contains("vis: the garden turns controls off"), "{run}");
    assert!(run.contains("chosen: the block turns controls off"), "{run}");
    assert!(!run.contains("summary: the garden"), "a kind without controls: {run}");
}

#[test]
fn the_page_of_troubles_is_elsewhere_where_its_address_is_taken() {
    let garden = garden();
    garden.note("review.md", "# Review\n\nA note about [[Coins]].\n");
    garden.note("late.md", "---\naliases: [review-2]\n---\n# Late\n\nText.\n");
    assert_eq!(review(&garden, &["coins", "--by", "Ada"]).code(), 0);
    let text = garden.read("notes/coins.md");
    garden.note("coins.md", &text.replace("Unit 3 of", "Unit three of"));
    assert_eq!(garden.said(), "", "nothing is lost, so nothing is said");
    garden.built();
    assert!(garden.page("review.html").contains("A note about"), "the note");
    assert!(garden.page("review-2.html").contains("late.html"), "an old address of a note");
    let all = garden.page("review-3.html");
    assert!(all.contains("id=\"group-note-coins\"") && all.contains("Not reviewed"), "{all}");
    let page = garden.page("coins.html");
    assert!(page.contains("<a href=\"review-3.html#group-note-coins\">text changed since</a>"));
    assert!(page.contains("href=\"review-3.html\">Review</a>"), "{page}");
    // So it is in the preview.
    let preview = Preview::of(&garden);
    preview.shows("review.html", "A note about");
    preview.shows("review-3.html", "Changed since reviewed");
}

#[test]
fn questions_remarks_and_periods_are_on_the_page() {
    let garden = garden();
    let text = garden.read("notes/coins.md")
        + "\n> [!question] Which of them?\n\n> [!todo]\n> Look at unit 4.\n";
    garden.note("coins.md", &format!("---\nreview_in: 2 days\n---\n{text}"));
    let config = garden.read("neuronotes.yaml");
    garden.write(
        "neuronotes.yaml",
        &format!("{config}review_url: 'https://example.org/new?title={{title}}&body={{body}}'\n"),
    );
    garden.write("reviews/coins.yaml", "- { by: Ada, on: 2025-11-30 }\n");
    garden.note("lost.md", "[[Nowhere]]\n");
    let open = troubles(&garden);
    let found = |start: &str| open.iter().any(|line| line.starts_with(start));
    for start in [
        "stale notes/coins.md:1 ",
        "due notes/coins.md:1 due since 2025-12-02, last by Ada on 2025-11-30",
        "question notes/coins.md:16 Which of them?",
        "todo notes/coins.md:18 Look at unit 4.",
        "links notes/lost.md:1 ",
        "unreviewed notes/lost.md:1 ",
    ] {
        assert!(found(start), "{start}: {open:#?}");
    }
    garden.build();
    let page = garden.page("coins.html");
    assert!(page.contains("due again on <time datetime=\"2025-12-02\">"), "{page}");
    assert!(
        page.contains("https://example.org/new?title=Coins%3A%20&amp;body=")
            || page.contains("https://example.org/new?title=Coins%3A%20&body="),
        "{page}"
    );
    assert!(page.contains("figure%20summary"), "{page}");
    let all = garden.page("review.html");
    for title in ["Open questions", "To do", "Links", "Not reviewed"] {
        assert!(all.contains(title), "{title}");
    }
    assert!(!all.contains("Due again"), "pages do not depend on the day");
}
