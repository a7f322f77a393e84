//! Links between notes, and what they resolve to.

use std::collections::BTreeSet;

use neuronotes::garden::{Garden, Routes, Target, address, assemble, href};
use neuronotes::note::Note;

use super::text;
use crate::check;

pub const WORDS: &[&str] = &[
    "[[",
    "]]",
    "[[a]]",
    "[[b#",
    "[[#",
    "#^",
    "^x",
    "|",
    "![[",
    "](",
    "[x](",
    "![y](",
    "<",
    ">",
    "../",
    "./",
    "/",
    "//",
    "\\",
    "b.md",
    "B",
    "b.html",
    "people/ada",
    "people/Ada.md#",
    "photo one.png",
    "photo%20one.png",
    "%",
    "%2e%2e%2f",
    "%00",
    "%ff",
    "?",
    "#",
    "#page=3",
    "http://",
    "javascript:",
    "mailto:",
    "data:",
    "file:///",
    "C:\\",
    "aliases: [",
    "title: ",
    "permalink: /",
    "redirect_from: [",
    "slug: ",
    "---\n",
    "# ",
    "\n\n",
    "e\u{301}",
    "\u{e9}",
    "İ",
    "ß",
    "末",
    "\u{0}",
    "\u{202e}",
    "\u{fffe}",
    " ",
    "\t",
    "&amp;",
    "&#x2f;",
    "index",
    "README",
];

const OTHERS: [(&str, &str); 4] = [
    ("index.md", "# Home\n\n[[a]] and [[b#Slot]], [c](people/ada.md).\n"),
    (
        "b.md",
        "---\ntitle: Piggy bank\naliases: [Spardose, Café]\n---\n## Slot\n\nA line. ^x\n\n[back](a.md#here)\n",
    ),
    ("people/ada.md", "# Ada\n\n[[../a]] [[Spardose]] ![p](../photo%20one.png)\n"),
    ("people/b.md", "## Slot\n"),
];

fn same(one: &Garden, other: &Garden) {
    assert_eq!(one.links, other.links);
    assert_eq!(one.caption_links, other.caption_links);
    assert_eq!(one.incoming, other.incoming);
    assert_eq!(one.problems, other.problems);
}

pub fn links(input: &[u8]) {
    let text = text(input);
    // The name of the file is hostile too.
    let (name, source) = text.split_once('\n').unwrap_or(("a.md", &text));
    let usable = |part: &str| !matches!(part, "" | "." | "..") && !part.contains('\0');
    let name = match name.strip_suffix(".md").unwrap_or("").split('/').all(usable) {
        true => name,
        false => "a.md",
    };
    let note = |path: &str, text: &str| Note::parse(path, &format!("notes/{path}"), text);
    let mut notes: Vec<Note> = OTHERS.iter().map(|(path, text)| note(path, text)).collect();
    if !notes.iter().any(|other| other.path == name) {
        notes.push(note(name, source));
    }
    let files: BTreeSet<String> = ["photo one.png", "people/50%.png"].map(str::to_owned).into();
    let all: Vec<&Note> = notes.iter().collect();
    let garden = assemble(&all, &files, Routes::default());
    assert_eq!(garden.pages.len(), notes.len());
    let distinct: BTreeSet<&String> = garden.pages.iter().collect();
    assert_eq!(distinct.len(), notes.len(), "two notes with one page: {:?}", garden.pages);
    for (index, note) in notes.iter().enumerate() {
        let page = &garden.pages[index];
        let inside = |part: &str| !matches!(part, "" | "." | "..") && !part.contains(['\0', '\\']);
        assert!(page.split('/').all(inside), "the page {page:?} lies elsewhere");
        check::problems(&note.source, &garden.problems[index]);
        assert_eq!(garden.links[index].len(), note.links.len());
        for target in &garden.links[index] {
            match target {
                Target::Note { index: to, anchor } => {
                    let address = href(page, &garden.pages[*to], anchor.as_deref());
                    assert!(
                        !address.contains(|c: char| c.is_control()
                            || c.is_whitespace()
                            || "\"<>".contains(c)),
                        "{address:?}"
                    );
                    if let Some(anchor) = anchor {
                        assert!(
                            notes[*to].anchor(anchor).is_some(),
                            "{anchor:?} is no place in {to}"
                        );
                    }
                }
                Target::File { path, .. } => assert!(files.contains(path), "{path:?} is no file"),
                Target::External | Target::Unresolved => {}
            }
        }
    }
    let _ = address(name);
    // Adding a note again makes no difference.
    let mut again = assemble(&all, &files, Routes::default());
    same(&again, &garden);
    for (index, note) in notes.iter().enumerate() {
        again.relink(index, note, &all);
    }
    same(&again, &garden);
    // Nor does replacing another note.
    if notes.len() > OTHERS.len() {
        let last = OTHERS.len();
        let plain = Note::parse(name, &notes[last].file, "");
        if plain.title == notes[last].title && notes[last].front == plain.front {
            let before: Vec<&Note> = notes[..last].iter().chain([&plain]).collect();
            let mut garden_before = assemble(&before, &files, Routes::default());
            for index in
                garden_before.aiming_at(last).into_iter().chain([last]).collect::<BTreeSet<_>>()
            {
                garden_before.relink(index, before[index], &all);
            }
            assert_eq!(garden_before.links, garden.links, "relinked is not what is assembled");
            assert_eq!(
                garden_before.incoming, garden.incoming,
                "relinked is not what is assembled"
            );
        }
    }
}
