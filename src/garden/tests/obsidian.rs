//! Names as Obsidian reads them, and addresses that several notes ask for.

use super::*;
use crate::diagnostic::Severity;

fn said(garden: &Garden) -> Vec<String> {
    garden.problems.iter().flatten().map(|p| format!("{:?} {p}", p.severity)).collect()
}

/// `Café`, with the accent apart from its letter.
const APART: &str = "Cafe\u{301}";

#[test]
fn the_nearest_of_several_notes_is_meant_and_the_others_are_named() {
    let notes = notes(&[
        ("Archive/Keys.md", ""),
        ("Guide/Keys.md", ""),
        ("Guide/Start.md", "See [[Keys]].\n\n| a | b |\n|---|---|\n| [[Keys]] | x |\n"),
        ("Guide/deep/In.md", "[[Keys]] [[Archive/Keys]] [[/Guide/Keys]] [[Far]]"),
        ("Other/Out.md", "[[Far]] [[Keys#Nothing]]"),
        ("x/y/z/Far.md", ""),
        ("x/Far.md", ""),
    ]);
    let garden = assembled(&notes, &[]);
    assert_eq!(garden.links[2], [to(1, ""), to(1, "")]);
    assert_eq!(garden.links[3], [to(1, ""), to(0, ""), to(1, ""), to(6, "")]);
    assert_eq!(garden.links[4][0], to(6, ""), "the shortest path where none is near");
    insta::assert_snapshot!(said(&garden).join("\n"));
    let config = crate::config::Config { strict_links: true, ..Default::default() };
    let routes = Routes::of(&config, &crate::config::layout::Layout::default());
    let refers: Vec<&Note> = notes.iter().collect();
    let strict = assemble(&refers, &BTreeSet::new(), routes);
    let errors = strict.problems.iter().flatten().filter(|p| p.severity == Severity::Error);
    assert_eq!(errors.count(), 6, "{:?}", said(&strict));
    assert_eq!(strict.links, garden.links);
}

#[test]
fn an_exact_path_comes_first_and_a_slash_is_the_root() {
    let notes = notes(&[
        ("Plan.md", "[[Plan]] [[/Plan]] [[sub/Plan]] [[plan]]"),
        (
            "sub/In.md",
            "[[Plan]] [[/Plan]] [[./Plan]] [[../Plan]] [[Plan.md]] [[../sub/Plan.md]] [[./In]]",
        ),
        ("sub/Plan.md", "[[../../Plan]] [[./Nowhere]]"),
    ]);
    let garden = assembled(&notes, &[]);
    assert_eq!(garden.links[0], [to(0, ""), to(0, ""), to(2, ""), to(0, "")]);
    let expected = [0, 0, 2, 0, 0, 2, 1].map(|index| to(index, ""));
    assert_eq!(garden.links[1], expected);
    assert_eq!(
        said(&garden),
        [
            "Warning notes/sub/Plan.md:1:1: `../../Plan` is outside the notes folder (hint: copy the file into the notes folder)",
            "Warning notes/sub/Plan.md:1:16: there is no note `./Nowhere`",
        ]
    );
}

#[test]
fn letters_and_their_marks_are_the_same_however_they_are_stored() {
    let path = format!("{APART}.md");
    let picture = format!("pics/{APART} 1.png");
    let text =
        "[[Café]] [[café#Größe]] [x](Caf%C3%A9.md) ![[Café 1.png]] ![y](pics/Caf%C3%A9%201.png)";
    let other = format!("[[{APART}]]\n");
    let notes = notes(&[("a.md", text), ("b.md", &other), (&path, "## Gro\u{308}ße\n")]);
    let garden = assembled(&notes, &[&picture]);
    assert_eq!(said(&garden), [""; 0]);
    let (note, file) = (|anchor| to(2, anchor), file(&picture));
    let expected = [note(""), note("größe"), note(""), file.clone(), file];
    assert_eq!(garden.links[0], expected);
    assert_eq!(garden.links[1], [note("")]);
    assert_eq!(garden.pages[2], "café.html");
    assert_eq!(garden.routes.file(&picture), "files/pics/Café 1.png");
    assert_eq!(garden.names().file_at("pics/Café 1.png"), Some(&*picture));
}

#[test]
fn a_place_in_a_file_is_kept() {
    let notes = notes(&[(
        "a.md",
        "[[paper.pdf#page=3]] ![[film.mp4#t=10]] [x](paper.pdf#search=two%20words) <a href=\"paper.pdf#page=4\">p</a>",
    )]);
    let garden = assembled(&notes, &["paper.pdf", "film.mp4"]);
    let at = |path: &str, fragment: &str| Target::File {
        path: path.to_owned(),
        fragment: Some(fragment.to_owned()),
    };
    let expected = [
        at("paper.pdf", "page=3"),
        at("film.mp4", "t=10"),
        at("paper.pdf", "search=two words"),
        at("paper.pdf", "page=4"),
    ];
    assert_eq!(garden.links[0], expected);
    assert_eq!(garden.files().collect::<BTreeSet<_>>().len(), 2);
}

#[test]
fn places_that_authors_name_and_headings_by_their_source_are_found() {
    let notes = notes(&[
        (
            "a.md",
            "<a name=\"spot\"></a>\n\n<div id=\"crate\">x</div>\n\n[a](#spot) [[#crate]] [t](#top) [b](b.md#top) [[b#aside]]\n",
        ),
        (
            "b.md",
            "<p id='aside'>y</p>\n\n#### *Lemma:* the $q$-case\n\n## C# and `a|b`\n\nUnder\n-----\n",
        ),
        (
            "c.md",
            "[[b#*Lemma * the $q$-case]] [[b#C and `a b`]] [[b#Under]] [[b#Lemma: the q-case]]",
        ),
    ]);
    let garden = assembled(&notes, &[]);
    assert_eq!(said(&garden), [""; 0]);
    assert_eq!(
        garden.links[0],
        [to(0, "spot"), to(0, "crate"), to(0, "top"), to(1, ""), to(1, "aside")]
    );
    let heading = |number: usize| to(1, &notes[1].headings[number].id);
    assert_eq!(garden.links[2], [heading(0), heading(1), heading(2), heading(0)]);
}

#[test]
fn markdown_links_fall_back_to_names_as_in_a_vault() {
    let notes = notes(&[
        ("deep/a.md", "[x](Coin.md) [y](Coin) ![z](art.png) [q](Title)"),
        ("money/Coin.md", "---\ntitle: Title\n---\n"),
    ]);
    let garden = assembled(&notes, &["assets/art.png"]);
    assert_eq!(garden.links[0], [to(1, ""), to(1, ""), file("assets/art.png"), Target::Unresolved]);
}

#[test]
fn many_notes_with_one_address_are_one_problem() {
    let many: Vec<(String, String)> = (0..400)
        .map(|n| (format!("l{n:03}/Start.md"), "---\npermalink: start\n---\n".to_owned()))
        .collect();
    let sources: Vec<(&str, &str)> = many.iter().map(|(p, t)| (&**p, &**t)).collect();
    let notes = notes(&sources);
    let garden = assembled(&notes, &[]);
    let pages: BTreeSet<&String> = garden.pages.iter().collect();
    assert_eq!(pages.len(), 400, "no note is lost");
    assert_eq!((&*garden.pages[0], &*garden.pages[7]), ("start.html", "l007/start.html"));
    let said = said(&garden);
    let only = "Error notes/l001/Start.md:1:1: the page `start.html` is already used by notes/l000/Start.md; \
                this note's page is `l001/start.html`. The same for notes/l002/Start.md, notes/l003/Start.md, \
                notes/l004/Start.md, 395 more (hint: give each of them a `permalink` of its own)";
    assert_eq!(said, [only]);
    let vault = tempfile::tempdir().expect("a temporary folder");
    std::fs::create_dir(vault.path().join(".obsidian")).expect("a folder");
    let config = crate::config::Config::default();
    let layout = crate::config::layout::Layout::of(vault.path(), &config).expect("a vault");
    let refers: Vec<&Note> = notes.iter().collect();
    let lenient = assemble(&refers, &BTreeSet::new(), Routes::of(&config, &layout));
    let severities: Vec<Severity> = lenient.problems.iter().flatten().map(|p| p.severity).collect();
    assert_eq!(severities, [Severity::Warning], "Obsidian sees no fault in it");
}

#[test]
fn notes_make_way_for_pages_that_are_made_and_it_is_said() {
    let notes = notes(&[
        ("Notes.md", ""),
        ("graph.md", "#alpha #one/two"),
        ("tags/Alpha.md", ""),
        ("tags/One-Two.md", ""),
        ("tags/Beta.md", ""),
        ("files/a.md", ""),
        ("mine.md", "---\npermalink: /404.html\n---\n"),
        ("units/m/l/7.md", ""),
    ]);
    let garden = assembled(&notes, &["a.html"]);
    let pages = [
        "notes-note.html",
        "graph-note.html",
        "tags/alpha-note.html",
        "tags/one-two-note.html",
        "tags/beta.html",
        "files/a-note.html",
        "404.html",
        "units/m/l/7-note.html",
    ];
    assert_eq!(garden.pages, pages);
    insta::assert_snapshot!(said(&garden).join("\n"));
}

#[test]
fn old_addresses_that_cannot_lead_to_a_note_are_said() {
    let notes = notes(&[
        ("a.md", "---\nredirect_from: [/old/a, /b, ../x, /notes/, /a]\n---\n"),
        ("b.md", "---\nredirect_from: [/old/a.html]\n---\n"),
    ]);
    let garden = assembled(&notes, &[]);
    let said: Vec<String> = garden.problems.iter().flatten().map(ToString::to_string).collect();
    assert_eq!(said.len(), 4, "{said:?}");
    for (said, what) in said.iter().zip([
        "notes/a.md:2:25: `/b` is the page of notes/b.md, so",
        "notes/a.md:2:29: `../x` is not a page of the site, so",
        "notes/a.md:2:35: `/notes/` is the list of all notes, so",
        "notes/b.md:2:17: `/old/a.html` already redirects to notes/a.md, so",
    ]) {
        assert!(said.starts_with(what), "{said}");
    }
}
