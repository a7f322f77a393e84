//! If the work on one note, page or file panics, only that has an error, and everything else is published.

use std::fs;

use super::*;
use crate::guard::{self, on};
use crate::workspace::Touched;

mod units;

/// Two pixels across and two down.
const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x02\0\0\0\x02\x08\0\0\0\0\x57\xdd\x52\xf8\0\0\0\x0eIDAT\x78\x9c\x63\x10\x50\x60\x30\x70\0\0\x01\x76\0\xa1\xec\x30\x8a\xf4\0\0\0\0IEND\xae\x42\x60\x82";

/// A garden in which the note `name` causes trouble.
fn garden(name: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let write = |file: &str, text: &[u8]| {
        let path = dir.path().join(file);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    };
    write("neuronotes.yaml", b"title: T\n");
    write("notes/first.md", format!("# First\n\nTo [[{name}]].\n").as_bytes());
    write("notes/last.md", b"# Last\n\nTo [[first]].\n");
    let block = "```yaml analysis\nid: vis\nkind: feature_vis\nunit: 1\nlayer: a\n```\n";
    let text = format!("# Trouble\n\n[[first]] ![a]({name}.png) `= vis.layer`\n\n{block}");
    write(&format!("notes/{name}.md"), text.as_bytes());
    write(&format!("notes/{name}.png"), PICTURE);
    dir
}

fn site(dir: &tempfile::TempDir) -> Site {
    let workspace = Workspace::open(dir.path()).expect("a garden");
    Site::new(workspace, Progress { preview: true, ..Progress::default() })
}

fn published(dir: &tempfile::TempDir) -> (Vec<Diagnostic>, BTreeMap<String, Content>) {
    let sink = Collected::default();
    let problems = site(dir).publish(&sink);
    (problems, sink.files())
}

fn internal(problems: &[Diagnostic]) -> Vec<&Diagnostic> {
    let is_internal = |problem: &&Diagnostic| problem.hint.as_deref() == Some(guard::HINT);
    problems.iter().filter(is_internal).collect()
}

#[test]
fn a_panic_in_any_work_on_a_note_is_its_error_and_the_other_pages_are_there() {
    for (number, (doing, what, has_page)) in [
        ("reading the note", "NAME.md", false),
        ("finding the address of the note", "NAME.md", true),
        ("resolving the links of the note", "NAME.md", true),
        ("planning the figures of the note", "NAME.md", true),
        ("drawing the figure", "NAME.md#vis", true),
        ("filling in the values of the note", "NAME.md", true),
        ("checking the note", "NAME.md", true),
        ("making the page of the note", "NAME.md", false),
        ("indexing the note", "NAME.md", true),
        ("making the file of the site", "NAME.html", true),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("trouble-{number}");
        let dir = garden(&name);
        assert_eq!(internal(&published(&dir).0), Vec::<&Diagnostic>::new(), "{doing}");
        let tripped = on(doing, &what.replace("NAME", &name));
        let (problems, files) = published(&dir);
        drop(tripped);
        let pages = ["first.html", "last.html", "index.html", "feed.xml", "search/meta.js"];
        for page in pages.iter().filter(|page| **page != "feed.xml") {
            let is_whole = match files.get(*page) {
                Some(Content::Page { html, .. }) => html.is_ok(),
                other => other.is_some(),
            };
            assert!(is_whole, "{doing}: {page} of {:?}", files.keys());
        }
        let own = files.get(&format!("{name}.html"));
        let own = matches!(own, Some(Content::Page { html: Ok(_), .. }));
        assert_eq!(own, has_page, "{doing}");
        if what == "NAME.html" {
            continue;
        }
        let internal = internal(&problems);
        let [one] = internal.as_slice() else { panic!("{doing}: {problems:#?}") };
        assert_eq!(one.file, format!("notes/{name}.md"), "{doing}");
        let told = format!("internal error while {doing} (tripped by a test; src/guard.rs:");
        assert!(one.message.starts_with(&told), "{doing}: {}", one.message);
    }
}

#[test]
fn a_panic_at_a_picture_is_an_error_about_it() {
    let dir = garden("trouble-picture");
    let path = dir.path().join("notes/trouble-picture.png").canonicalize().expect("a picture");
    let _tripped = on("reading the header of the picture", &path.to_string_lossy());
    let (problems, files) = published(&dir);
    let of_picture = |problem: &&Diagnostic| problem.file == "notes/trouble-picture.png";
    let found: Vec<_> = problems.iter().filter(of_picture).collect();
    assert!(found.len() == 1 && found[0].message.contains("internal error"), "{problems:#?}");
    assert!(matches!(files["trouble-picture.html"], Content::Page { html: Ok(_), .. }));
}

#[test]
fn a_preview_shows_what_panicked_and_is_right_again_when_that_is_over() {
    let dir = garden("trouble-live");
    let mut site = site(&dir);
    let whole =
        |site: &mut Site, page: &str| site.page(page).expect("a page").map(|page| page.html);
    let before = whole(&mut site, "trouble-live.html").expect("a whole page");

    // Before it was shown once, there is no earlier version to show.
    let tripped = on("making the page", "last.html");
    let problem = whole(&mut site, "last.html").expect_err("a panic");
    assert_eq!(
        (problem.file.as_str(), problem.hint.as_deref()),
        ("notes/last.md", Some(guard::HINT))
    );
    drop(tripped);
    assert!(whole(&mut site, "last.html").is_ok() && site.problems_outside().is_empty());

    // A note is changed while reading it panics: it is not shown as it was, and comes back.
    let note = dir.path().join("notes/trouble-live.md");
    fs::write(&note, "# Trouble\n\nChanged.\n").expect("a change");
    let tripped = on("reading the note", "trouble-live.md");
    let touched = site.workspace.apply(["notes/trouble-live.md"]);
    site.update(&touched);
    assert!(site.page("trouble-live.html").is_none());
    assert_eq!(internal(&site.problems()).len(), 1);
    assert!(whole(&mut site, "first.html").is_ok());
    drop(tripped);
    let touched: Touched = site.workspace.apply(["notes/trouble-live.md"]);
    site.update(&touched);
    let after = whole(&mut site, "trouble-live.html").expect("a whole page");
    assert!(after.contains("Changed.") && after != before);
    while site.settle_some(16) {}
    assert_eq!(internal(&site.problems()), Vec::<&Diagnostic>::new());

    // Finding its problems panics, and succeeds the next time.
    fs::write(&note, "# Trouble\n\nChanged [[nowhere]].\n").expect("a change");
    let tripped = on("checking the note", "trouble-live.md");
    let touched = site.workspace.apply(["notes/trouble-live.md"]);
    site.update(&touched);
    assert!(whole(&mut site, "trouble-live.html").expect("a page").contains("Changed"));
    assert_eq!(internal(&site.problems()).len(), 1);
    drop(tripped);
    fs::write(&note, "# Trouble\n\nOnce more [[nowhere]].\n").expect("a change");
    let touched = site.workspace.apply(["notes/trouble-live.md"]);
    site.update(&touched);
    while site.settle_some(16) {}
    let problems = site.problems();
    assert!(problems.iter().any(|problem| problem.message.contains("nowhere")), "{problems:#?}");
    assert_eq!(internal(&problems), Vec::<&Diagnostic>::new());
}
