//! A few notes in, resolved links and diagnostics out.

mod obsidian;

use super::*;

fn notes(sources: &[(&str, &str)]) -> Vec<Note> {
    sources.iter().map(|(path, text)| Note::parse(path, &format!("notes/{path}"), text)).collect()
}

fn assembled(notes: &[Note], files: &[&str]) -> Garden {
    let files = files.iter().map(|f| (*f).to_owned()).collect();
    assemble(&notes.iter().collect::<Vec<_>>(), &files, Routes::default())
}

fn to(index: usize, anchor: &str) -> Target {
    let anchor = (!anchor.is_empty()).then(|| anchor.to_owned());
    Target::Note { index, anchor }
}

fn file(path: &str) -> Target {
    Target::File { path: path.to_owned(), fragment: None }
}

#[test]
fn wikilinks_go_by_title_file_name_alias_and_path() {
    let notes = notes(&[
        (
            "a.md",
            "[[Piggy Bank]] [[piggy]] [[spardose]] [[money/piggy]] [[money/piggy.md]] [[PIGGY bank#The Slot]] \
             [[piggy#vis]] [[#Here]] [[piggy|label]] [[photo.png]]\n\n# Here\n",
        ),
        (
            "money/piggy.md",
            "---\ntitle: Piggy bank\naliases: [Spardose]\n---\n## The slot\n\n```yaml analysis\nid: vis\nkind: feature_vis\nlayer: a\nunit: 1\n```\n",
        ),
    ]);
    let garden = assembled(&notes, &["photo.png"]);
    assert_eq!(garden.problems, vec![vec![], vec![]]);
    let expected = [
        to(1, ""),
        to(1, ""),
        to(1, ""),
        to(1, ""),
        to(1, ""),
        to(1, "the-slot"),
        to(1, "vis"),
        to(0, "here"),
        to(1, ""),
        file("photo.png"),
    ];
    assert_eq!(garden.links[0], expected);
    assert_eq!(garden.incoming[1].len(), 8);
    assert_eq!(garden.incoming[0].len(), 0, "a note does not mention itself");
    assert_eq!(garden.pages, ["a.html", "money/piggy.html"]);
}

#[test]
fn markdown_links_go_by_relative_path() {
    let notes = notes(&[
        (
            "money/piggy.md",
            "[a](../a.md#x) [b](/a.md) [c](coin%20one.png) [d](https://x.org) [e](mailto:a@b) [f](#Sec)\n\n# Sec\n",
        ),
        ("a.md", "# X\n"),
    ]);
    let garden = assembled(&notes, &["money/coin one.png"]);
    assert_eq!(garden.problems[0], vec![]);
    let file = file("money/coin one.png");
    assert_eq!(
        garden.links[0],
        [to(1, "x"), to(1, ""), file, Target::External, Target::External, to(0, "sec")]
    );
}

#[test]
fn every_link_that_fails_has_its_place_and_a_hint() {
    let notes = notes(&[
        (
            "a.md",
            "[[Pigy bank]]\n[[Twin]]\n[[piggy#Slott]]\n[x](../../etc/passwd)\n![y](con.png)\n[[Nothing like it]]\n",
        ),
        ("piggy.md", "---\ntitle: Piggy bank\n---\n## Slot\n"),
        ("one/twin.md", ""),
        ("two/twin.md", ""),
        ("Piggy.md", ""),
    ]);
    let garden = assembled(&notes, &["coin.png"]);
    let all: Vec<String> =
        garden.problems.iter().flatten().map(|p| format!("{:?} {p}", p.severity)).collect();
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn captions_mention_notes_too() {
    let notes = notes(&[
        (
            "a.md",
            "```yaml analysis\nid: vis\nkind: feature_vis\nlayer: a\nunit: 1\ncaption: As in [[Coin]].\n```\n",
        ),
        ("coin.md", ""),
    ]);
    let garden = assembled(&notes, &[]);
    assert_eq!(garden.caption_links[0][0], [to(1, "")]);
    assert_eq!(garden.incoming[1][0].anchor, "vis");
    assert_eq!(garden.incoming[1][0].mention.before, "As in ");
}

#[test]
fn addresses_are_relative_from_any_depth() {
    assert_eq!(href("a.html", "b.html", None), "b.html");
    assert_eq!(href("a.html", "x/b.html", Some("c d")), "x/b.html#c%20d");
    assert_eq!(href("x/a.html", "b.html", None), "../b.html");
    assert_eq!(href("x/y/a.html", "x/z/b.html", None), "../z/b.html");
    assert_eq!(href("x/a.html", "x/a.html", Some("s")), "#s");
    assert_eq!(href("x/a.html", "x/a.html", None), "a.html");
    assert_eq!(href("a.html", "50%.html", None), "50%25.html");
    assert_eq!(address("People/Lady Gaga.md"), "people/lady-gaga.html");
    assert_eq!(address("index.md"), "index.html");
}

#[test]
fn a_link_may_name_a_page_by_its_address_and_a_file_by_its_words() {
    let notes = notes(&[
        (
            "deep/a.md",
            "[x](/about) [y](b) [z](/people/) [h](/) [[my first note]] [[My-first_Note]]\n",
        ),
        ("me.md", "---\npermalink: /about\n---\n"),
        ("deep/b.md", ""),
        ("c.md", "---\npermalink: /people/\n---\n"),
        ("index.md", ""),
        ("my-first-note.md", "---\ntitle: A seed\n---\n"),
    ]);
    let garden = assembled(&notes, &[]);
    assert_eq!(garden.problems.concat(), []);
    let pages = [
        "deep/a.html",
        "about.html",
        "deep/b.html",
        "people/index.html",
        "index.html",
        "my-first-note.html",
    ];
    assert_eq!(garden.pages, pages);
    assert_eq!(garden.links[0], [1, 2, 3, 4, 5, 5].map(|index| to(index, "")));
}

#[test]
fn a_file_may_be_named_by_the_end_of_its_path() {
    let notes = notes(&[(
        "deep/a.md",
        "![[coin.png]] ![[art/coin.png]] ![[x/art/coin.png]] ![[in.png]]\n",
    )]);
    let garden =
        assembled(&notes, &["x/art/coin.png", "y/coin.png", "y/z/coin.png", "coin.png.txt"]);
    let expected =
        [file("y/coin.png"), file("x/art/coin.png"), file("x/art/coin.png"), Target::Unresolved];
    assert_eq!(garden.links[0], expected);
}

#[test]
fn addresses_that_clash_or_leave_the_site_are_errors_and_slugs_are_kept() {
    let notes = notes(&[
        ("a.md", "---\npermalink: /x\n---\n"),
        ("deep/b.md", "---\npermalink: ../../x\n---\n"),
        ("x.md", ""),
        ("deep/c.md", "---\nslug: Other Name\n---\n"),
    ]);
    let garden = assembled(&notes, &[]);
    assert_eq!(garden.pages, ["x.html", "deep/b.html", "x-2.html", "deep/other-name.html"]);
    let all: Vec<String> = garden.problems.iter().flatten().map(ToString::to_string).collect();
    assert!(
        all[0].contains("notes/deep/b.md:1:1: the permalink `../../x` leaves the site"),
        "{all:?}"
    );
    assert!(
        all[1].contains("notes/x.md:1:1: the page `x.html` is already used by notes/a.md"),
        "{all:?}"
    );
}

#[test]
fn links_may_leave_their_ending_out() {
    let config = crate::config::Config { use_html_extension: false, ..Default::default() };
    let routes = Routes::of(&config, &crate::config::layout::Layout::default());
    let href = |from: &str, to: &str| routes.href(from, to, None);
    assert_eq!(href("a.html", "b.html"), "b");
    assert_eq!(href("a.html", "a.html"), "a");
    assert_eq!(href("a.html", "index.html"), "./");
    assert_eq!(href("x/a.html", "index.html"), "../");
    assert_eq!(href("x/a.html", "x/index.html"), "./");
    assert_eq!(href("a.html", "x/y/index.html"), "x/y/");
    assert_eq!(href("x/y/index.html", "x/y/index.html"), "./");
    assert_eq!(href("x/y/index.html", "b.html"), "../../b");
    assert_eq!(href("a.html", "myindex.html"), "myindex");
    assert_eq!(href("a.html", "style-1.css"), "style-1.css");
    assert_eq!(routes.href("a.html", "b.html", Some("c d")), "b#c%20d");
    assert_eq!(routes.href("a.html", "a.html", Some("c")), "#c");
    assert_eq!(Routes::default().href("a.html", "b.html", None), "b.html");
}

#[test]
fn embeds_that_would_contain_themselves_are_errors_and_others_are_not() {
    let notes = notes(&[
        ("a.md", "![[b]]\n\n## Sec\n\nText ^block\n"),
        ("b.md", "Text.\n\n![[c#Part]]\n"),
        ("c.md", "![[a]]\n\n## Part\n\n![[a#Sec]]\n\n![[a#^block]]\n"),
        ("self.md", "## One\n\n![[#One]]\n\n## Two\n\n![[#One]]\n"),
    ]);
    let refers: Vec<&Note> = notes.iter().collect();
    let garden = assembled(&notes, &[]);
    let wrong = |index: usize| -> Vec<String> {
        garden.embed_problems(index, &refers).iter().map(ToString::to_string).collect()
    };
    // A embeds B, B a part of C that embeds only parts of A without embeds.
    assert_eq!((wrong(0).len(), wrong(1).len(), wrong(2).len()), (0, 0, 0), "{:?}", wrong(2));
    let own = wrong(3);
    assert_eq!(own.len(), 1, "{own:?}");
    assert!(
        own[0].starts_with("notes/self.md:3:1: this embed makes “self#one” contain itself"),
        "{own:?}"
    );
    assert_eq!(garden.embedded_in(0, &refers), [1, 2].into());
}

#[test]
fn a_ring_of_whole_notes_is_an_error_in_each_of_them() {
    let notes = notes(&[("a.md", "![[b]]\n"), ("b.md", "![[a]]\n"), ("c.md", "![[a]]\n")]);
    let refers: Vec<&Note> = notes.iter().collect();
    let garden = assembled(&notes, &[]);
    let counts: Vec<usize> = (0..3).map(|at| garden.embed_problems(at, &refers).len()).collect();
    assert_eq!(counts, [1, 1, 0]);
}

#[test]
fn blocks_moved_headings_and_ends_of_paths_are_found() {
    let notes = notes(&[
        (
            "a.md",
            "[[deep/c#^para]] [[c#Old name]] [[sub/deep/c]] [[c#^nothing]] [[b.png]] [[x/b.png]]\n",
        ),
        ("sub/deep/c.md", "---\nanchors: {Old name: New name}\n---\nText. ^para\n\n## New name\n"),
    ]);
    let garden = assembled(&notes, &["pics/b.png", "deep/x/b.png"]);
    let expected = [
        to(1, "^para"),
        to(1, "new-name"),
        to(1, ""),
        Target::Unresolved,
        file("pics/b.png"),
        file("deep/x/b.png"),
    ];
    assert_eq!(garden.links[0], expected);
    let said: Vec<String> = garden.problems[0].iter().map(ToString::to_string).collect();
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[0].contains("has no block `^nothing` (hint: "), "{said:?}");
    assert!(
        said[1].contains("`b.png` is ambiguous: it links to the nearest, `pics/b.png`"),
        "{said:?}"
    );
}

#[test]
fn the_nearest_names_are_found_among_very_many() {
    let many: Vec<(String, String)> = (0..3000)
        .map(|n| (format!("note-{n}.md"), format!("---\ntitle: Subject {n}\n---\n")))
        .collect();
    let mut sources: Vec<(&str, &str)> =
        many.iter().map(|(p, t)| (p.as_str(), t.as_str())).collect();
    sources.push(("other.md", "[[Piggy bnak]] [[zzzzzz]]\n"));
    sources.push(("piggy-bank.md", "---\ntitle: Piggy bank\n---\n"));
    let notes = notes(&sources);
    let garden = assembled(&notes, &[]);
    let said: Vec<String> = garden.problems.iter().flatten().map(ToString::to_string).collect();
    assert!(said[0].contains("did you mean `Piggy bank`"), "{said:?}");
    assert!(!said[1].contains("did you mean"), "{said:?}");
}

#[test]
fn of_a_crowd_the_same_are_named_as_of_a_few() {
    let sources: Vec<(String, String)> = (0..60)
        .map(|n| {
            let folder = ["", "x/", "x/y/", "z/", "z/y/w/"][n % 5];
            let stem = ["a", "A", "b"][n / 5 % 3];
            let title = if n % 4 == 0 { "a".to_owned() } else { format!("Other {n}") };
            (format!("{folder}d{}/{stem}.md", n / 5), format!("---\ntitle: {title}\n---\n"))
        })
        .collect();
    let sources: Vec<(&str, &str)> =
        sources.iter().map(|(p, t)| (p.as_str(), t.as_str())).collect();
    let notes = notes(&sources);
    let files: Vec<String> = (0..30).map(|n| format!("d{n}/pictures/One.png")).collect();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let garden = assembled(&notes, &files);
    let names = garden.names();
    let mut many = 0;
    for from in sources.iter().map(|(path, _)| *path).chain(["top.md", "x/top.md", "q/r/s.md"]) {
        for name in ["a", "A", "a.md", "b", "d3/a", "x/y/d7/b", "Other 5", "none", "./a"] {
            let (all, few) = (names.note(name, from), names.link(name, from));
            let told = |meant: &names::Meant<usize>| {
                let named: Vec<usize> = meant.others.iter().take(3).copied().collect();
                (meant.best, named, meant.others.len() + meant.more)
            };
            assert_eq!(few.as_ref().map(told), all.as_ref().map(told), "[[{name}]] in {from}");
            many += usize::from(few.is_some_and(|few| few.more > 0));
        }
        let picture = names.file("one.png", from).expect("there are some");
        assert_eq!(picture.others.len() + picture.more, 29);
    }
    assert!(many > 100, "{many}");
    assert_eq!(
        names.file("One.png", "d17/note.md").map(|found| found.best),
        Some("d17/pictures/One.png")
    );
}
