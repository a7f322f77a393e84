//! Two commits of a garden between which everything happened that can happen: what `neuronotes diff` says of them, in both
//! directions.

use std::fs;

use serde_json::{Value, json};

use crate::common::Garden;
use crate::common::history::{garden, git, made};
use crate::common::results::commit_used;

fn diff(garden: &Garden, arguments: &[&str]) -> Value {
    let run = garden.run(&[&["diff", "--format", "json"], arguments].concat());
    assert_eq!(run.code(), 0, "{}", run.stderr());
    serde_json::from_str(&run.stdout()).expect("JSON")
}

/// A text without what differs from machine to machine: hashes of commits, and digests of pictures.
fn plain(garden: &Garden, text: &str) -> String {
    let hash = |revision: &str| git(garden, &["rev-parse", revision]).trim().to_owned();
    let (first, second) = (hash("HEAD~1"), hash("HEAD"));
    let names = [(&first[..], "FIRST"), (&second[..], "SECOND")];
    let short = names.map(|(hash, name)| (&hash[..8], name));
    let mut text = text.to_owned();
    for (hash, name) in names.iter().chain(&short) {
        text = text.replace(hash, name);
    }
    let is_hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    let mut out = String::new();
    for piece in text.split_inclusive(|c| !is_hex(c)) {
        let digest = piece.get(..64).filter(|digest| digest.chars().all(is_hex));
        out.push_str(&digest.map_or(piece.to_owned(), |digest| piece.replace(digest, "DIGEST")));
    }
    out
}

#[test]
fn everything_that_differs_is_in_the_json() {
    let garden = garden();
    let found = diff(&garden, &["HEAD~1..HEAD"]);
    let parts = ["claims", "sentences", "causes", "figures", "missing", "notes", "links"];
    for part in parts {
        assert!(found[part].as_array().is_some_and(|all| !all.is_empty()), "no {part}");
    }
    let text = serde_json::to_string_pretty(&found).expect("JSON");
    insta::assert_snapshot!("json", plain(&garden, &text));
    let text = garden.run(&["diff", "HEAD~1..HEAD"]).stdout();
    insta::assert_snapshot!("terminal", plain(&garden, &text));
    let text = garden.run(&["diff", "HEAD~1..HEAD", "--format", "markdown"]).stdout();
    insta::assert_snapshot!("markdown", plain(&garden, &text));
}

#[test]
fn a_state_does_not_differ_from_itself() {
    let garden = garden();
    for ends in ["HEAD..HEAD", "HEAD~1..HEAD~1", "main", "HEAD"] {
        let found = diff(&garden, &[ends]);
        for part in ["claims", "sentences", "causes", "figures", "notes", "links", "remarks"] {
            assert_eq!(found[part], json!([]), "{part} of {ends}");
        }
        assert_eq!(found["same"]["same_bytes"], 0);
        // What is missing on both sides is not asked for differently.
        assert_eq!(found["missing"], json!([]), "{ends}");
    }
    let text = garden.run(&["diff", "HEAD..HEAD", "--exit-code"]);
    assert_eq!(text.code(), 0);
    assert!(text.stdout().contains("\nno differences\n"), "{}", text.stdout());
}

/// What the other direction has to say.
fn mirrored(difference: &Value) -> Value {
    // Each entry is named by the later path.
    let text = difference.to_string().replace("new-name.md", "\u{1}");
    let text = text.replace("old-name.md", "new-name.md").replace('\u{1}', "old-name.md");
    let mut turned: Value = serde_json::from_str(&text).expect("JSON");
    turn("", &mut turned);
    turned
}

/// The same with the ends exchanged.
fn turn(name: &str, value: &mut Value) {
    match value {
        Value::Array(items) => {
            let is_pair = ["words", "changed", "length", "measured"].contains(&name);
            if is_pair && items.len() == 2 {
                items.reverse();
            }
            items.iter_mut().for_each(|item| turn(name, item));
        }
        Value::String(text) => {
            let opposite = match (name, text.as_str()) {
                ("is", "new") => "gone",
                ("is", "gone") => "new",
                ("is", "gained") => "lost",
                ("is", "lost") => "gained",
                ("is", "broken") => "mended",
                ("is", "mended") => "broken",
                ("side", "a") => "b",
                ("side", "b") => "a",
                _ => "",
            };
            match (name, text.split_once(" → ")) {
                ("causes", Some((old, new))) => {
                    let (of, old) = old.rsplit_once(": ").expect("what has another value");
                    *text = format!("{of}: {new} → {old}");
                }
                _ if opposite.is_empty() => {}
                _ => *text = opposite.to_owned(),
            }
        }
        Value::Object(map) => {
            let is_moved = map.contains_key("item");
            let moved = moved(map.get("lists"));
            for kept in ["numbers", "words"].into_iter().filter(|_| !moved.is_empty()) {
                let paths = map.get_mut(kept).and_then(Value::as_array_mut);
                for path in paths.into_iter().flatten().map(|one| &mut one["path"]) {
                    let text = path.as_str().expect("a path").to_owned();
                    let found = moved.iter().find(|(to, _)| text.starts_with(to));
                    if let Some((to, from)) = found {
                        *path = text.replacen(to, from, 1).into();
                    }
                }
            }
            map.iter_mut().for_each(|(name, value)| turn(name, value));
            let pairs = [("a", "b"), ("before", "after"), ("came", "went"), ("from", "to")];
            for (one, other) in pairs.into_iter().filter(|(one, _)| *one != "from" || is_moved) {
                let (first, second) = (map.remove(one), map.remove(other));
                map.extend(second.map(|value| (one.to_owned(), value)));
                map.extend(first.map(|value| (other.to_owned(), value)));
            }
            if let Some(difference) = map.get("difference").and_then(Value::as_f64) {
                map.insert("difference".to_owned(), (-difference).into());
                let by = -difference / map["before"].as_f64().expect("a number").abs();
                map.remove("relative");
                if by.is_finite() {
                    map.insert("relative".to_owned(), by.into());
                }
            }
        }
        _ => {}
    }
}

/// Where items of lists were, by where they are: `top[2]` and `top[0]`.
fn moved(lists: Option<&Value>) -> Vec<(String, String)> {
    let lists = lists.and_then(Value::as_array).into_iter().flatten();
    let of = |list: &Value| {
        let path = list["path"].as_str().expect("a path").to_owned();
        let items = list["moved"].as_array().expect("items").clone();
        items.into_iter().map(move |item| {
            (format!("{path}[{}]", item["to"]), format!("{path}[{}]", item["from"]))
        })
    };
    lists.flat_map(of).collect()
}

/// Without what is said of the later state alone, and in one order.
fn ordered(value: &mut Value) {
    match value {
        Value::Array(items) => {
            items.iter_mut().for_each(ordered);
            // The pieces of a text stay in order; what is gone stands first.
            if items.iter().any(|item| item.get("text").is_some()) {
                let is = |item: &Value, is: &str| item["is"] == is;
                for at in 1..items.len() {
                    if is(&items[at - 1], "new") && is(&items[at], "gone") {
                        items.swap(at - 1, at);
                    }
                }
            } else if items.iter().all(|item| item.is_object() || item.is_string()) {
                items.sort_by_key(Value::to_string);
            }
        }
        Value::Object(map) => {
            map.remove("place");
            map.remove("line");
            map.values_mut().for_each(ordered);
        }
        _ => {}
    }
}

#[test]
fn both_directions_mirror_each_other() {
    let garden = garden();
    let (forth, mut back) = (diff(&garden, &["HEAD~1..HEAD"]), diff(&garden, &["HEAD..HEAD~1"]));
    let mut expected = mirrored(&forth);
    [&mut expected, &mut back].into_iter().for_each(ordered);
    let parts = expected.as_object().expect("an object");
    for (part, expected) in parts {
        assert_eq!(*expected, back[part], "{part}");
    }
    assert_eq!(parts.len(), back.as_object().expect("an object").len());
    // The comparison would notice.
    assert_ne!(mirrored(&forth)["figures"], forth["figures"]);
}

#[test]
fn claims_that_changed_sides_are_named_and_new_ones_only_if_they_fail() {
    let garden = garden();
    let found = diff(&garden, &["HEAD~1..HEAD"]);
    let claims = found["claims"].as_array().expect("claims").iter();
    let mut claims: Vec<String> = claims
        .map(|one| {
            let text = |name: &str| one[name].as_str().expect("a text").to_owned();
            format!("{} {}: {} → {}", text("id"), text("claim"), text("before"), text("after"))
        })
        .collect();
    claims.sort();
    let strong = "top[0].activation > 3";
    let expected = [
        format!("flips {strong}: holds → fails"),
        "kept activation > 99: not stated → fails".to_owned(),
        format!("recovers {strong}: fails → holds"),
        format!("silent {strong}: holds → unknown"),
    ];
    assert_eq!(claims, expected);
    // Nobody edited the note with three of them: its data are others.
    let text = garden.run(&["diff", "HEAD~1..HEAD"]).stdout();
    let edited = text.split("\nText\n").nth(1).expect("texts");
    assert!(!edited.contains("claims.md:"), "{edited}");
    assert!(text.contains("`data/words.txt`"), "{text}");
    assert!(
        text.contains(
            "top[0].activation > 3: holds → fails (measured: top[0].activation is 5.25 → "
        ),
        "{text}"
    );
    let first = text.find("fails (measured").expect("a claim");
    assert!(first < text.find("fails → holds").expect("another"), "{text}");
    let folder = garden.path("difference");
    let to = folder.display().to_string();
    assert_eq!(garden.run(&["diff", "HEAD~1..HEAD", "--html", &to]).code(), 0);
    let page = fs::read_to_string(folder.join("index.html")).expect("a page");
    let section =
        page.split("id=\"claims\"").nth(1).and_then(|rest| rest.split("</section>").next());
    let section = section.expect("claims");
    assert_eq!(section.matches("<li").count(), 4, "{section}");
    for said in ["holds → fails", "fails → holds", "holds → unknown", "not stated → fails"]
    {
        assert!(section.contains(said), "{said}: {section}");
    }
}

#[test]
fn figures_are_the_same_exactly_where_bytes_are() {
    let garden = garden();
    let both = |ends: [&str; 2]| [diff(&garden, &ends[..1]), diff(&garden, &ends[1..])];
    let ids = |found: &Value| -> Vec<String> {
        let figures = found["figures"].as_array().expect("figures").iter();
        figures.map(|one| one["id"].as_str().expect("an id").to_owned()).collect()
    };
    // Asked for differently, with the same bytes.
    for found in both(["HEAD~1..HEAD", "HEAD..HEAD~1"]) {
        assert!(!ids(&found).contains(&"same".to_owned()));
        assert_eq!(found["same"]["same_bytes"], 1);
    }
    // Asked for in the same way, with one other byte: of a picture, in a folder of frozen results.
    let frozen = garden.path("other");
    let to = frozen.display().to_string();
    git(&garden, &["checkout", "-q", "HEAD~1"]);
    crate::common::history::store(&garden, |_| Some((1.0, 1)));
    assert_eq!(garden.run(&["freeze", "--to", &to]).code(), 0);
    let unchanged = diff(&garden, &[&to]);
    assert_eq!((ids(&unchanged), unchanged["same"]["same_bytes"].clone()), (vec![], json!(0)));
    let mut workspace = neuronotes::workspace::Workspace::open(garden.root()).expect("a garden");
    let requests = neuronotes::site::wishes(&mut workspace).plan.requests;
    let kept = |request: &&neuronotes_core::request::Request| {
        request.params.get("unit") == Some(&json!(10))
    };
    let request = requests.iter().map(|(_, request)| &**request).find(kept).expect("a request");
    commit_used(&workspace.store, request);
    let again = made(&workspace.store, request, (10.0, 31));
    workspace.store.commit(&again).expect("a record");
    for found in both([&to, &format!("HEAD..{to}")]) {
        assert_eq!(ids(&found), ["kept"]);
        assert_eq!(found["figures"][0]["causes"], json!(["measured again"]));
        assert_eq!(found["figures"][0]["change"]["pictures"].as_array().map(Vec::len), Some(1));
        assert!(found["figures"][0]["change"]["numbers"].is_null(), "{found}");
    }
}
