//! Figures made of other figures' pictures, and prose that quotes both: one change upstream, and what follows it.

use super::{block, garden, vis};

const GUESS: &str = "```yaml analysis\nid: guess\nkind: zero_shot\nuse: vis\nclasses: [red, green, blue]\ntemplates: [\"{}\"]\n```\n\n";
const RANK: &str = "```yaml analysis\nid: rank\nkind: text_rank\ntexts: [red, green, blue]\ndirection: { use: examples }\n```\n\n";

fn note(unit: u32) -> String {
    format!(
        "Unit `= vis.unit` reaches `= vis.activation | .3f`, and is taken for `= guess.images[0].predicted` with \
         `= guess.images[0].probability | .1%`; `= rank.ranked[0].text` is nearest to `= examples.top[0].caption`.\n\n\
         {}{GUESS}{}{RANK}",
        vis(unit, 3),
        block("dataset_examples", 3, "id: examples\ntop: 2\n"),
    )
}

/// The values that a page shows, in order.
fn values(page: &str) -> Vec<String> {
    let shown = page.split("<data class=\"value\"").skip(1);
    let text = |rest: &str| Some(rest.split_once('>')?.1.split('<').next()?.to_owned());
    shown.filter_map(text).collect()
}

#[test]
fn one_changed_figure_measures_what_is_made_of_it_and_changes_the_prose_that_quotes_both() {
    let garden = garden();
    garden.note("a.md", &note(3));
    garden.note("b.md", "`= a#guess.images[0].predicted`, as [[c]] does not say.\n");
    garden.note("c.md", "Nothing.\n");
    garden.note("d.md", "Nothing either.\n");
    let first = garden.built();
    assert!(first.summary().contains("4 figures measured, 0 stored"), "{}", first.summary());
    let page = garden.page("a.html");
    let before = values(&page);
    assert_eq!(before.len(), 6, "{page}");
    assert_eq!(before[0], "3");
    assert!(["red", "green", "blue"].contains(&&*before[2]), "{before:?}");
    assert!(before[5].ends_with("square"), "{before:?}");
    // The pictures say where they are from.
    assert!(
        page.contains("<dt>use</dt><dd><a class=\"internal\" href=\"#vis\">vis</a></dd>"),
        "{page}"
    );
    assert!(page.contains("examples · a "), "{page}");
    let untouched = garden.page("d.html");

    // Nothing changed, nothing measured.
    let again = garden.build();
    assert!(
        again.summary().contains("0 figures measured, 4 stored; 0 files written"),
        "{}",
        again.summary()
    );

    // Another unit upstream: itself and the one made of it, not the examples and what is made of those.
    garden.note("a.md", &note(5));
    let changed = garden.built();
    assert!(changed.summary().contains("2 figures measured, 2 stored"), "{}", changed.summary());
    let after = values(&garden.page("a.html"));
    assert_eq!(after[0], "5");
    assert_ne!(before[1], after[1], "another picture");
    assert_ne!(before[3], after[3], "another probability");
    assert_eq!(before[4..], after[4..]);
    assert_eq!(garden.page("d.html"), untouched);
    assert_eq!(garden.output(), garden.clean_output());

    // Back again: all of it is stored.
    garden.note("a.md", &note(3));
    let back = garden.build();
    assert!(back.summary().contains("0 figures measured, 4 stored"), "{}", back.summary());
    assert_eq!(values(&garden.page("a.html")), before);
}

#[test]
fn a_used_picture_that_was_damaged_is_measured_again_and_never_judged() {
    let garden = garden();
    garden.note("a.md", &format!("{}{GUESS}", vis(3, 3)));
    garden.built();
    let right = garden.page("a.html");
    // Every picture of the store, turned over; and the judgement forgotten.
    let store = garden.path(".neuronotes/store/v1");
    for entry in walkdir::WalkDir::new(store.join("records")).into_iter().filter_map(Result::ok) {
        let text = std::fs::read_to_string(entry.path()).unwrap_or_default();
        if text.contains("\"kind\": \"zero_shot\"") {
            std::fs::remove_file(entry.path()).expect("removed");
        }
    }
    for entry in walkdir::WalkDir::new(store.join("blobs")).into_iter().filter_map(Result::ok) {
        let Ok(mut bytes) = std::fs::read(entry.path()) else { continue };
        if bytes.starts_with(b"\x89PNG") {
            let last = bytes.len() / 2;
            bytes[last] ^= 0xff;
            std::fs::write(entry.path(), bytes).expect("written");
        }
    }
    garden.built();
    let again = garden.page("a.html");
    let shares = |page: &str| -> Vec<String> {
        page.split(" %").filter_map(|part| part.rsplit('>').next()).map(str::to_owned).collect()
    };
    assert_eq!(shares(&right), shares(&again));
}

#[test]
fn where_the_used_figure_fails_the_one_made_of_it_says_so_too() {
    let garden = garden();
    let weird = "```yaml analysis\nid: vis\nkind: feature_vis\ndirection:\n  sum:\n    - text: a\n    - { text: a, weight: -1 }\nsteps: 3\n```\n\n";
    garden.note(
        "a.md",
        &format!("`= guess.images[0].predicted` and `= vis.activation`.\n\n{weird}{GUESS}"),
    );
    let run = garden.build();
    assert_eq!(run.code(), 1);
    let said = run.stderr();
    assert_eq!(said.matches("error:").count(), 2, "{said}");
    assert_eq!(garden.page("a.html").matches("class=\"value failed\"").count(), 2);
}
