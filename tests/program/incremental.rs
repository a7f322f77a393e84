//! A site that is kept through changes is the same as one that is made anew, page by page and byte by byte.

use std::collections::BTreeMap;

use crate::common;
use crate::common::Garden;
use neuronotes::diagnostic::Diagnostic;
use neuronotes::site::{self, Content, Progress, Served, Site};
use neuronotes::workspace::{Touched, Workspace};
use neuronotes_core::digest::Digest;
use neuronotes_core::kind::KINDS;
use neuronotes_core::request::Request;
use proptest::prelude::*;

/// The notes that changes are about.
const NOTES: [&str; 6] = ["a.md", "b.md", "deep/c.md", "deep/d.md", "B c.md", "index.md"];

/// One change of a garden.
#[derive(Debug, Clone)]
enum Edit {
    /// A note has this text, made of parts.
    Write(usize, Vec<Part>),
    Remove(usize),
    /// A note moves to the place of another.
    Rename(usize, usize),
    /// A picture beside the notes is there, of this size, or is not.
    Picture(Option<u32>),
    Config(u32),
    /// A template of the garden's own says this, or is gone.
    Template(Option<u32>),
    /// A folder of notes is gone, or has come back from outside.
    Folder(bool),
    /// A third of what is wanted is measured.
    Measure(u8),
    /// A third of it fails.
    Fail(u8),
}

/// A part of a note.
#[derive(Debug, Clone)]
enum Part {
    Title(u32),
    Alias(u32),
    Draft,
    Units(u32),
    Words(u32),
    Heading(u32),
    Link(usize),
    LinkByTitle(u32),
    LinkToHeading(usize, u32),
    Embed,
    /// Another note, or a section of it, stands here.
    Within(usize, Option<u32>),
    Tag(u32),
    Named(u32),
    LinkToNamed(usize, u32),
    Vis(u32),
    /// The example of this kind.
    Example(usize),
    /// A visualisation that leans on the facet of the example.
    Leaning,
    /// A value of another note's figure.
    Value(usize),
    /// A visualisation with claims on its own activation, another note's figure, and a list of the garden; a sentence rests on
    /// the first, and a computed value has a condition.
    Claim(u32, usize),
    Faulty,
}

fn part() -> impl Strategy<Value = Part> {
    // Names change seldom: a change of one is a change of every note's links, and would hide what is overlooked.
    prop_oneof![
        1 => (0..4u32).prop_map(Part::Title),
        1 => (0..4u32).prop_map(Part::Alias),
        1 => Just(Part::Draft),
        1 => (0..3u32).prop_map(Part::Units),
        12 => (0..100u32).prop_map(Part::Words),
        10 => (0..3u32).prop_map(Part::Heading),
        10 => (0..NOTES.len()).prop_map(Part::Link),
        4 => (0..4u32).prop_map(Part::LinkByTitle),
        12 => ((0..NOTES.len()), (0..3u32)).prop_map(|(note, n)| Part::LinkToHeading(note, n)),
        2 => Just(Part::Embed),
        5 => ((0..NOTES.len()), proptest::option::of(0..3u32)).prop_map(|(note, n)| Part::Within(note, n)),
        3 => (0..3u32).prop_map(Part::Tag),
        3 => (0..3u32).prop_map(Part::Named),
        4 => ((0..NOTES.len()), (0..3u32)).prop_map(|(note, n)| Part::LinkToNamed(note, n)),
        6 => (0..3u32).prop_map(Part::Vis),
        4 => (0..KINDS.len()).prop_map(Part::Example),
        2 => Just(Part::Leaning),
        4 => (0..NOTES.len()).prop_map(Part::Value),
        5 => ((0..3u32), (0..NOTES.len())).prop_map(|(n, note)| Part::Claim(n, note)),
        1 => Just(Part::Faulty),
    ]
}

fn edit() -> impl Strategy<Value = Edit> {
    let note = 0..NOTES.len();
    prop_oneof![
        10 => (note.clone(), proptest::collection::vec(part(), 0..7)).prop_map(|(n, p)| Edit::Write(n, p)),
        2 => note.clone().prop_map(Edit::Remove),
        2 => (note.clone(), note).prop_map(|(from, to)| Edit::Rename(from, to)),
        1 => proptest::option::of(1..9u32).prop_map(Edit::Picture),
        1 => (0..3u32).prop_map(Edit::Config),
        1 => proptest::option::of(0..3u32).prop_map(Edit::Template),
        1 => any::<bool>().prop_map(Edit::Folder),
        2 => (0..3u8).prop_map(Edit::Measure),
        1 => (0..3u8).prop_map(Edit::Fail),
    ]
}

/// A note's text.
fn text(parts: &[Part]) -> String {
    let mut front = String::new();
    let mut body = String::new();
    for part in parts {
        match part {
            Part::Title(n) if !front.contains("title:") => front += &format!("title: Title {n}\n"),
            Part::Alias(n) if !front.contains("aliases:") => {
                front += &format!("aliases: [Other {n}]\n")
            }
            Part::Draft if !front.contains("draft:") => front += "draft: true\n",
            Part::Units(n) if !front.contains("units:") => {
                front += &format!(
                    "units: [{{layer: image_block_4/0/Add_6, unit: {n}, name: named {n}}}]\n"
                );
            }
            Part::Title(_) | Part::Alias(_) | Part::Draft | Part::Units(_) => {}
            Part::Words(n) => body += &format!("Words about {n}. More of them.\n\n"),
            Part::Heading(n) => body += &format!("## Heading {n}\n\n"),
            Part::Link(n) => {
                body += &format!("See [[{}]] for this.\n\n", NOTES[*n].trim_end_matches(".md"))
            }
            Part::LinkByTitle(n) => {
                body += &format!("It is [[Title {n}]] and [[Other {n}|another]].\n\n")
            }
            Part::LinkToHeading(note, n) => {
                body +=
                    &format!("At [[{}#Heading {n}]].\n\n", NOTES[*note].trim_end_matches(".md"));
            }
            Part::Within(note, section) => {
                let name = NOTES[*note].trim_end_matches(".md");
                body += &match section {
                    Some(n) => format!("![[{name}#Heading {n}]]\n\n"),
                    None => format!("![[{name}]]\n\n"),
                };
            }
            Part::Tag(n) => {
                body += &format!("It is #tag-{n} here.[^{n}]\n\n[^{n}]: A note of it.\n\n")
            }
            Part::Named(n) => body += &format!("Something. ^named-{n}\n\n"),
            Part::LinkToNamed(note, n) => {
                let name = NOTES[*note].trim_end_matches(".md");
                body += &format!("See [[{name}#^named-{n}]].\n\n");
            }
            Part::Embed => body += "![A picture](/picture.png) and ![[Title 1]] in a line.\n\n",
            Part::Vis(unit) => {
                let layer = "image_block_4/0/Add_6";
                body += &format!(
                    "```yaml analysis\nkind: feature_vis\nlayer: {layer}\nunit: {unit}\ncaption: As [[Title 1]] says.\n```\n\n"
                );
            }
            Part::Example(kind) => {
                body += &format!("```yaml analysis\n{}```\n\n", KINDS[*kind].example);
            }
            Part::Leaning => {
                body += "```yaml analysis\nkind: feature_vis\nlayer: image_block_4/0/Add_6\nunit: 1\nfacet: written\n```\n\n";
            }
            Part::Value(note) => {
                let name = NOTES[*note].trim_end_matches(".md");
                body += &format!("It is `= {name}#figure-1.activation` there, see [[{name}]].\n\n");
            }
            Part::Claim(n, note) => {
                let name = NOTES[*note].trim_end_matches(".md");
                body += &format!(
                    "It is so. ^so-{n}\n\nTwice `= 2 * \"{name}\"#figure-1.activation ? > {n}00`.\n\n\
                     ```yaml analysis\nkind: feature_vis\nlayer: image_block_4/0/Add_6\nunit: {n}\nexpect:\n  \
                     - {{ that: activation > {n}00, claim: ^so-{n}, else: warn }}\n  - \"\\\"{name}\\\"#figure-1.unit == {n}\"\n  \
                     - kind in kinds\n```\n\n"
                );
            }
            Part::Faulty => body += "```yaml analysis\nkind: feature_viz\n```\n\n",
        }
    }
    if front.is_empty() { body } else { format!("---\n{front}---\n{body}") }
}

/// Everything by which two compositions can be told apart.
#[derive(Debug, PartialEq)]
struct Seen {
    pages: BTreeMap<String, String>,
    problems: Vec<Diagnostic>,
    missing: Vec<String>,
}

fn seen_anew(garden: &Garden, progress: &Progress) -> (Seen, BTreeMap<String, String>) {
    let workspace = Workspace::open(garden.root()).expect("a garden");
    let progress = Progress { stale: Default::default(), ..progress.clone() };
    let mut site = Site::new(workspace, progress);
    let missing = site.missing().iter().map(|(key, _)| key.hex()).collect();
    let sink = site::Collected::default();
    let problems = site.publish(&sink);
    let (mut pages, mut files) = (BTreeMap::new(), BTreeMap::new());
    for (path, content) in sink.files() {
        match content {
            Content::Page { html, .. } if path.ends_with(".html") => {
                pages.insert(path, html.unwrap_or_else(|_| "broken".into()));
            }
            Content::Page { html: Ok(text), .. } => drop(files.insert(path, text)),
            Content::Bytes(bytes) => {
                files.insert(path, String::from_utf8_lossy(&bytes).into_owned());
            }
            _ => {}
        }
    }
    (Seen { pages, problems, missing }, files)
}

fn seen_live(live: &mut Site) -> Seen {
    live.progress.stale.clear();
    while live.settle_some(3) {}
    let paths = live.pages();
    let mut pages = BTreeMap::new();
    for path in paths {
        live.progress.stale.clear();
        let page = live.page(&path).expect("a page");
        pages.insert(path, page.map_or_else(|_| "broken".into(), |page| page.html.to_string()));
    }
    let missing = live.missing().iter().map(|(key, _)| key.hex()).collect();
    Seen { pages, problems: live.problems(), missing }
}

/// One of three parts of what is wanted.
fn third(live: &mut Site, part: u8) -> Vec<(Digest, Request)> {
    let of_part = |(key, _): &(Digest, Request)| {
        key.hex().bytes().map(usize::from).sum::<usize>() % 3 == usize::from(part)
    };
    live.missing().into_iter().filter(of_part).collect()
}

/// Stores results.
fn measure(live: &mut Site, part: u8) {
    let store = live.workspace.store.clone();
    for (key, request) in third(live, part) {
        common::results::commit_used(&store, &request);
        let record = common::results::record(&store, &request, 2.5 + f64::from(part), part);
        store.commit(&record).expect("a record");
        live.progress.failed.remove(&key);
        live.ended(&key);
    }
}

/// A garden with the data sets that the kinds' examples name.
fn garden() -> Garden {
    let garden = Garden::new();
    std::fs::create_dir(garden.path("set")).expect("a folder");
    // What the examples look for.
    for (at, (caption, label)) in [
        ("wolf", "animals"),
        ("cat", "animals"),
        ("octopus", "animals"),
        ("apple", "food"),
        ("pineapple", "food"),
        ("pizza", "food"),
    ]
    .into_iter()
    .enumerate()
    {
        let picture = common::results::picture([200, 40 * at as u8, 0]);
        std::fs::write(garden.path(&format!("set/{at}.png")), picture).expect("a picture");
        garden.write(&format!("set/{at}.txt"), caption);
        garden.write(&format!("set/{at}.cls"), label);
    }
    garden.write("words.txt", "red\nblue\n");
    let config = garden.read("neuronotes.yaml");
    let (before, rest) = config.split_once("datasets:\n").expect("data sets");
    let (_, after) = rest.split_once('\n').expect("a line of one");
    let sets = "datasets:\n  emoji: { path: set }\n  words: { path: words.txt }\n";
    garden.write("neuronotes.yaml", &format!("{before}{sets}{after}"));
    garden
}

#[test]
fn the_histories_meet_every_kind_in_a_sound_form() {
    let garden = garden();
    let all: Vec<Part> = (0..KINDS.len()).map(Part::Example).chain([Part::Leaning]).collect();
    garden.note("a.md", &text(&all));
    let workspace = Workspace::open(garden.root()).expect("a garden");
    let mut live = Site::new(workspace, Progress::default());
    seen_live(&mut live);
    let missing = live.missing();
    for kind in KINDS {
        assert!(missing.iter().any(|(_, wanted)| wanted.kind == kind.name), "{}", kind.name);
    }
    (0..3).for_each(|part| measure(&mut live, part));
    let seen = seen_live(&mut live);
    assert!(live.missing().is_empty());
    // The made-up result of a concept has a control that contains it.
    let of_controls = |problem: &&Diagnostic| problem.message.contains("contain the concept");
    let (warned, others): (Vec<_>, Vec<_>) = seen.problems.iter().partition(of_controls);
    assert!(others.is_empty(), "{others:?}");
    assert_eq!(warned.len(), 1, "{warned:?}");
}

/// Makes a change, and says what it touched as the watch does.
fn make(garden: &Garden, live: &mut Site, edit: &Edit) -> Option<Vec<String>> {
    let at = |index: &usize| format!("notes/{}", NOTES[*index]);
    Some(match edit {
        Edit::Write(index, parts) => {
            garden.write(&at(index), &text(parts));
            vec![at(index)]
        }
        Edit::Remove(index) => {
            let _ = std::fs::remove_file(garden.path(&at(index)));
            vec![at(index)]
        }
        Edit::Rename(from, to) => {
            std::fs::create_dir_all(garden.path("notes/deep")).expect("a folder");
            let _ = std::fs::rename(garden.path(&at(from)), garden.path(&at(to)));
            vec![at(from), at(to)]
        }
        Edit::Picture(size) => {
            match size {
                Some(size) => {
                    std::fs::create_dir_all(garden.path("notes")).expect("a folder");
                    image::RgbImage::new(*size, 2)
                        .save(garden.path("notes/picture.png"))
                        .expect("a picture");
                }
                None => drop(std::fs::remove_file(garden.path("notes/picture.png"))),
            }
            vec!["notes/picture.png".to_owned()]
        }
        Edit::Config(n) => {
            let config = garden.read("neuronotes.yaml");
            let mut lines: Vec<&str> = config.lines().collect();
            let title = format!("title: Garden {n}");
            let wrong = format!("nonsense: {n}");
            lines[0] = &title;
            lines.retain(|line| !line.starts_with("nonsense") && !line.starts_with("lists"));
            if *n == 1 {
                lines.push("lists: { kinds: [feature_vis] }");
            }
            if *n == 2 {
                lines.push(&wrong);
            }
            garden.write("neuronotes.yaml", &format!("{}\n", lines.join("\n")));
            vec!["neuronotes.yaml".to_owned()]
        }
        Edit::Template(said) => {
            let path = "templates/partials/backlinks.html";
            match said {
                Some(0) => garden.write(path, "{{ not_there }}"),
                Some(1) => garden.write(path, "{% if %}"),
                Some(n) => garden.write(path, &format!("<p>{n}</p>")),
                None => drop(std::fs::remove_file(garden.path(path))),
            }
            vec!["templates".to_owned()]
        }
        Edit::Folder(there) => {
            let (inside, outside) = (garden.path("notes/deep"), garden.path("aside"));
            let (from, to) = if *there { (outside, inside) } else { (inside, outside) };
            if !to.exists() {
                let _ = std::fs::rename(from, to);
            }
            vec!["notes/deep".to_owned(), "aside".to_owned()]
        }
        Edit::Measure(part) => {
            measure(live, *part);
            return None;
        }
        Edit::Fail(part) => {
            for (key, _) in third(live, *part) {
                live.progress.failed.insert(key, ("it broke".into(), None));
                live.ended(&key);
            }
            return None;
        }
    })
}

/// Some dozens of histories; PROPTEST_CASES for as many as one likes.
fn config() -> ProptestConfig {
    let asked = std::env::var_os("PROPTEST_CASES").is_some();
    let config = ProptestConfig {
        max_shrink_iters: 200,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    ProptestConfig { cases: if asked { config.cases } else { 48 }, ..config }
}

proptest! {
    #![proptest_config(config())]
    #[test]
    fn after_any_changes_every_page_is_the_one_of_a_clean_build(
        edits in proptest::collection::vec(edit(), 1..24),
        preview in any::<bool>(),
        one_by_one in any::<bool>(),
    ) {
        let garden = garden();
        garden.note("a.md", "One. See [[b]].\n");
        let workspace = Workspace::open(garden.root()).expect("a garden");
        let mut live = Site::new(workspace, Progress { preview, ..Progress::default() });
        let mut dirty = Vec::new();
        let mut unparsed = false;
        for (number, edit) in edits.iter().enumerate() {
            if let Edit::Template(said) = edit {
                unparsed = *said == Some(1);
            }
            dirty.extend(make(&garden, &mut live, edit).unwrap_or_default());
            // Several changes may come as one.
            if !one_by_one && number % 3 != 0 && number + 1 < edits.len() {
                continue;
            }
            let touched = live.workspace.apply(dirty.iter().map(String::as_str));
            dirty.clear();
            if touched != Touched::default() {
                live.update(&touched);
            }
            // A template that cannot be understood leaves the last good ones in place; a clean build has none of these.
            if unparsed {
                continue;
            }
            let now = seen_live(&mut live);
            let (anew, files) = seen_anew(&garden, &live.progress);
            for (path, page) in &anew.pages {
                // A page that a template's fault keeps from being rendered stays as it was.
                if page != "broken" {
                    prop_assert_eq!(Some(page), now.pages.get(path), "{} after {:?}", path, edit);
                }
            }
            let broken = anew.pages.values().any(|page| page == "broken");
            for (path, text) in files.iter().filter(|_| !broken) {
                let served = match live.file(path) {
                    Some(Served::Bytes(bytes)) => String::from_utf8_lossy(&bytes).into_owned(),
                    other => format!("{other:?}"),
                };
                prop_assert_eq!(text, &served, "{} after {:?}", path, edit);
            }
            prop_assert_eq!(now.pages.keys().collect::<Vec<_>>(), anew.pages.keys().collect::<Vec<_>>());
            prop_assert_eq!(&now.missing, &anew.missing);
            prop_assert_eq!(&now.problems, &anew.problems);
        }
        let touched = live.workspace.refresh();
        prop_assert_eq!(Touched { pictures: false, files: Default::default(), ..touched }, Touched::default(), "nothing was overlooked");
    }
}
