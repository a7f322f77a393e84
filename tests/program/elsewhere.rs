//! Gardens that others made: a site of the digital-garden template for Jekyll, and an Obsidian vault. Both build as they
//! are, and no file of theirs is written.

use std::collections::BTreeMap;
use std::path::Path;

use crate::common;
use crate::common::Garden;
use crate::common::preview::Preview;
use neuronotes::config::layout::Kind;
use neuronotes::site::{Progress, Site};
use neuronotes::workspace::Workspace;

/// A garden as the template makes it.
fn jekyll() -> Garden {
    let garden = Garden::copy_of("jekyll");
    picture(&garden, "assets/coin.png");
    garden
}

/// An Obsidian vault.
fn vault() -> Garden {
    let garden = Garden::copy_of("vault");
    picture(&garden, "Attachments/coin.png");
    garden
}

fn picture(garden: &Garden, name: &str) {
    let path = garden.path(name);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    image::RgbImage::from_pixel(6, 4, image::Rgb([200, 120, 40])).save(path).expect("a picture");
}

/// Every file that is not the program's, with its bytes.
fn theirs(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let ours = |name: &str| name.starts_with("output/") || name.starts_with(".neuronotes/");
    common::files(root).into_iter().filter(|(name, _)| !ours(name)).collect()
}

/// Pages of notes: not those that list notes, tags and units, nor those that lead to a note under another name.
fn pages(garden: &Garden) -> Vec<String> {
    let lists = ["404.html", "graph.html", "notes.html", "tags.html", "units.html"];
    let output = garden.output().into_iter();
    let notes = output.filter(|(name, bytes)| {
        let leads_on = String::from_utf8_lossy(bytes).contains("location.replace(");
        name.ends_with(".html")
            && !lists.contains(&&**name)
            && !name.starts_with("tags/")
            && !leads_on
    });
    notes.map(|(name, _)| name).collect()
}

#[test]
fn a_jekyll_garden_builds_as_it_is_under_the_addresses_that_it_has() {
    let garden = jekyll();
    let before = theirs(garden.root());
    let run = garden.built();
    let expected = [
        "about.html",
        "accents.html",
        "cats.html",
        "index.html",
        "move-your-body-every-day.html",
        "tigers.html",
        "your-first-note.html",
        "안녕하세요.html",
    ];
    assert_eq!(pages(&garden), expected);
    assert_eq!(theirs(garden.root()), before, "a file of the user's was written");
    let first = garden.page("your-first-note.html");
    for label in ["a unit about cats", "cats", "one", "two", "three", "four"] {
        let shown = first.split('<').any(|tag| {
            tag.starts_with("a ")
                && tag.contains("href=\"cats")
                && tag.ends_with(&format!(">{label}"))
        });
        assert!(shown, "{label} in {first}");
    }
    for wanted in [
        "<title>Your first seed — My garden of neurons</title>",
        ">안녕하세요</a>",
        ">bon appétit!</a>",
        "title=\"This note does not exist.\">Nothing like it<",
        "src=\"assets/coin.png\"",
    ] {
        assert!(first.contains(wanted), "{wanted} in {first}");
    }
    assert!(!first.contains("{:") && !first.contains("src=\"/assets"), "{first}");
    let said = run.stderr();
    assert_eq!(said.matches("there is no note").count(), 1, "{said}");
    assert!(
        !garden
            .output()
            .values()
            .any(|bytes| String::from_utf8_lossy(bytes).contains("Nobody reads this"))
    );
}

#[test]
fn a_jekyll_gardens_home_lists_its_newest_notes_and_its_pages_mention_nobody() {
    let garden = jekyll();
    garden.built();
    let home = garden.page("index.html");
    let list = home.split("<ul>").find(|part| part.contains("internal-link")).expect("the list");
    let list = list.split("</ul>").next().expect("its end");
    let (cats, first) = (list.find("2025-04-01"), list.find("2025-03-01"));
    assert!(cats.is_some() && cats < first, "{list}");
    assert!(list.contains("class=\"internal-link\" href=\"cats"), "{list}");
    assert!(!list.contains("<pre") && !list.contains("{%"), "{list}");
    // A wikilink inside HTML.
    let bold = home.split("font-weight: bold\">").nth(1).expect("the span");
    assert!(bold.starts_with("<a class=\"internal\" href=\"your-first-note"), "{home}");
    assert!(home.contains("max-width: 46em"));
    let cats = garden.page("cats.html");
    let mentions = cats.split("Notes mentioning this note").nth(1).expect("backlinks");
    assert!(mentions.contains("Your first seed") && !mentions.contains("Who I am"), "{mentions}");
}

#[test]
fn a_changed_note_changes_the_home_page_as_a_clean_build_would() {
    let garden = jekyll();
    garden.write("_includes/greeting.html", "Hello");
    garden.write(
        "_notes/greets.md",
        "---\ntitle: Greets\n---\n{% include greeting.html %} from {{ page.title }}\n",
    );
    let open = || Workspace::open(garden.root()).expect("a garden");
    let mut live = Site::new(open(), Progress::default());
    let check = |live: &mut Site, changed: &[&str]| {
        let touched = live.workspace.apply(changed.iter().copied());
        live.update(&touched);
        let mut anew = Site::new(open(), Progress::default());
        let pages = anew.pages();
        assert_eq!(live.pages(), pages);
        for page in &pages {
            let html =
                |live: &mut Site| live.page(page).expect("a page").expect("HTML").html.to_string();
            assert_eq!(html(live), html(&mut anew), "{page} after {changed:?}");
        }
        live.page("index.html").expect("a page").expect("HTML").html.to_string()
    };
    assert!(!check(&mut live, &[]).contains("Lions"));
    garden.write(
        "_notes/animals/tigers.md",
        "---\ntitle: Lions\nlast_modified_at: 2025-05-05\n---\nManes.\n",
    );
    assert!(check(&mut live, &["_notes/animals/tigers.md"]).contains("2025-05-05"));
    garden.write(
        "_notes/animals/cats.md",
        "---\ntitle: Cats\nslug: felines\nlast_modified_at: 2025-06-06\n---\nPurr.\n",
    );
    assert!(check(&mut live, &["_notes/animals/cats.md"]).contains("felines"));
    garden.write("_includes/greeting.html", "Good day");
    check(&mut live, &["_includes/greeting.html"]);
    let greets = live.page("greets.html").expect("a page").expect("HTML").html;
    assert!(greets.contains("Good day from Greets"), "{greets}");
    let config = garden.read("_config.yml");
    garden.write("_config.yml", &config.replace("/:slug", "/:collection/:slug"));
    assert!(check(&mut live, &["_config.yml"]).contains("notes/felines"));
    garden.remove("_notes/animals/cats.md");
    assert!(!check(&mut live, &["_notes/animals"]).contains("felines"));
    garden.write("neuronotes.yaml", "title: Ours\nnotes: _notes/animals\n");
    let home = check(&mut live, &["neuronotes.yaml"]);
    assert!(home.contains("Ours") && live.pages().contains("tigers.html"), "{home}");
}

#[test]
fn what_liquid_cannot_do_is_said_at_its_note() {
    let garden = jekyll();
    garden.write("_notes/odd.md", "---\ntitle: Odd\n---\n\nA {% nonsense x %} here.\n");
    let mut problems = garden.reports();
    problems.retain(|problem| problem.file == "_notes/odd.md");
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert_eq!(common::place(&problems[0]), "5:3");
    assert!(problems[0].message.contains("unknown Liquid tag `nonsense`"), "{problems:?}");
    garden.build();
    assert!(garden.page("odd.html").contains("{% nonsense x %}"));
}

#[test]
fn a_configuration_beside_jekylls_wins_field_by_field_and_clashes_name_both_files() {
    let garden = jekyll();
    garden.write("neuronotes.yaml", "title: Ours\nuse_html_extension: true\nnotes: .\n");
    garden.write("_pages/cats.md", "---\npermalink: /cats\n---\nA clash.\n");
    let workspace = Workspace::open(garden.root()).expect("a garden");
    assert_eq!(workspace.layout.kind, Kind::Jekyll);
    assert_eq!(workspace.config.title, "Ours");
    assert!(workspace.config.use_html_extension && workspace.config.open_external_links_in_new_tab);
    let run = garden.build();
    assert_eq!(run.code(), 1);
    assert!(
        run.stderr().contains("`cats.html` is already used by _notes/animals/cats.md"),
        "{}",
        run.stderr()
    );
    assert!(run.stderr().contains("_pages/cats.md"), "{}", run.stderr());
}

#[test]
fn a_vault_builds_as_it_is() {
    let garden = vault();
    let before = theirs(garden.root());
    let run = garden.build();
    assert_eq!((run.code(), run.stderr().contains("warning")), (0, false), "{}", run.stderr());
    assert_eq!(
        pages(&garden),
        ["inbox/a-quick-thought.html", "index.html", "units/piggy-bank.html"]
    );
    assert_eq!(theirs(garden.root()), before, "a file of the user's was written");
    let page = garden.page("units/piggy-bank.html");
    assert_eq!(page.matches("src=\"../files/Attachments/coin.png\"").count(), 2, "{page}");
    assert!(page.contains("composition/words") && page.contains("January 2, 2025"), "{page}");
    // What was written before is no part of the garden, wherever it lies.
    let again = garden.run(&["build", "--output", &garden.path("Site").to_string_lossy()]);
    assert_eq!(again.code(), 0, "{}", again.stderr());
    garden.write("Site/left.md", "[[nowhere]]\n");
    garden.write("output/left.md", "[[nowhere]]\n");
    let again = garden.run(&["build", "--output", &garden.path("Site").to_string_lossy()]);
    assert!(again.stderr().starts_with("3 notes"), "{}", again.stderr());
}

/// A vault in two languages, with the same names, permalinks and attachments in each.
fn translated() -> Garden {
    let garden = Garden::new();
    garden.remove("neuronotes.yaml");
    garden.write(".obsidian/app.json", "{}");
    garden.write("Welcome.md", "[[en/Home|English]] [[es/Home|español]] 🌱\n");
    for (language, word) in [("en", "coin"), ("es", "moneda")] {
        let note = |name: &str, text: &str| garden.write(&format!("{language}/{name}"), text);
        note(
            "Home.md",
            "---\npermalink: home\n---\n[[Sync]], [[Files/Files]], [[Ideas 💡]], [[神経]], ![[coin.png]]\n",
        );
        note(
            "Sync/Sync.md",
            &format!("A folder note: {word}. See [[Security]] and [x](Security.md).\n"),
        );
        note("Sync/Security.md", "---\npermalink: security\n---\nBack to [[Home]].\n");
        note(
            "Files/Files.md",
            "[[manual.pdf#page=2]] [[Board.canvas]] [[Table.base]] ![[../Attachments/coin.png|40]]\n",
        );
        note("Files/manual.pdf", "%PDF-1.4");
        note("Files/Board.canvas", "{\"nodes\":[]}");
        note("Files/Table.base", "views: []\n");
        note(
            "Files/Sketch.excalidraw.md",
            "---\nexcalidraw-plugin: parsed\ntags: [excalidraw]\n---\n# Text Elements\nHi ^abc123\n\n%%\n# Drawing\n```json\n{}\n```\n%%\n",
        );
        note(
            "Ideas 💡.md",
            "| a | b |\n|---|---|\n| [[Home\\|home]] | c |\n\n^table\n\n[[#^table]]\n",
        );
        note("神経.md", &format!("[[Ideas 💡]] {word}\n"));
        picture(&garden, &format!("{language}/Attachments/coin.png"));
    }
    garden
}

#[test]
fn a_translated_vault_builds_without_an_error_and_every_link_stays_in_its_language() {
    let garden = translated();
    garden.built();
    let pages = pages(&garden);
    assert_eq!(pages.len(), 16, "a page for each note, and the home page: {pages:?}");
    for (page, word) in
        [("output/en/sync/sync.html", "coin"), ("output/es/sync/sync.html", "moneda")]
    {
        assert!(garden.read(page).contains(&format!("A folder note: {word}")), "{page}");
    }
    let spanish = garden.page("es/sync/sync.html");
    assert!(spanish.contains("href=\"security.html\""), "{spanish}");
    assert!(!spanish.contains("class=\"unresolved\""), "{spanish}");
    let files = garden.page("es/files/files.html");
    assert!(files.contains("href=\"../../files/es/Files/manual.pdf#page=2\""), "{files}");
    assert!(files.contains("src=\"../../files/es/Attachments/coin.png\""), "{files}");
    let ideas = garden.page("es/ideas-.html");
    assert!(!ideas.contains("<p></p>") && ideas.contains("href=\"#^table\""), "{ideas}");
    garden.write("neuronotes.yaml", "links: strict\n");
    assert_eq!(garden.build().code(), 1);
}

#[cfg(unix)]
#[test]
fn links_among_the_notes_are_followed_and_others_are_said() {
    use std::os::unix::fs::symlink;
    let garden = Garden::new();
    garden.note("index.md", "[[Shared]] [[Mk]] [[Up]]\n");
    garden.note("deep/Shared.md", "One.\n");
    garden.note("Up.MD", "Up.\n");
    garden.note("Mk.markdown", "Mk.\n");
    garden.note("draft.mdx", "Not read.\n");
    garden.write("private/secret.md", "Xyzzy\n");
    let link = |to: &str, name: &str| {
        symlink(garden.path(to), garden.path(&format!("notes/{name}"))).expect("a link");
    };
    link("notes/deep", "again");
    link("notes/deep/Shared.md", "alias.md");
    link("notes", "deep/loop");
    link("private", "out");
    link("nowhere", "gone.md");
    let run = garden.build();
    let said = run.stderr();
    assert_eq!(run.code(), 0, "{said}");
    for page in ["deep/shared", "again/shared", "alias", "up", "mk"] {
        assert!(garden.path(&format!("output/{page}.html")).is_file(), "{page}: {said}");
    }
    for (place, what) in [
        ("notes/deep/loop", "leads to its own parent folder"),
        ("notes/out", "leads out of the notes"),
        ("notes/gone.md", "target cannot be read"),
        ("notes/draft.mdx", "is not read as a note"),
    ] {
        assert!(said.contains(place) && said.contains(what), "{place}: {said}");
    }
    let leaked =
        garden.output().into_iter().any(|(_, bytes)| bytes.windows(5).any(|b| b == b"Xyzzy"));
    assert!(!leaked, "nothing outside the notes is read");
    // What changes behind a link changes the note that the link is.
    let mut workspace = Workspace::open(garden.root()).expect("a garden");
    garden.note("deep/Shared.md", "Two.\n");
    let touched = workspace.apply(["notes/deep/Shared.md"]);
    let expected = ["again/Shared.md", "alias.md", "deep/Shared.md"];
    assert_eq!(touched.notes.into_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn a_preview_finds_pages_without_their_ending_and_sees_every_save() {
    let garden = jekyll();
    garden
        .write("_pages/deep.md", "---\ntitle: Deep\npermalink: /a/b/\n---\nBelow. See [[cats]].\n");
    let preview = Preview::of(&garden);
    for (path, text) in [
        ("cats", "A unit about cats"),
        ("cats.html", "A unit about cats"),
        ("a/b/", "Below."),
        ("a/b", "Below."),
        ("", "Hello"),
    ] {
        let (status, page) = preview.get(path);
        assert!(status == 200 && page.contains(text), "{path}: {status} {page}");
    }
    assert_eq!(preview.get("a").0, 404);
    let news = preview.news("cats");
    garden.write("_notes/animals/cats.md", "---\ntitle: A unit about cats\n---\n\nNew words.\n");
    assert!(news.next_of("patch").to_string().contains("New words."));
    garden.write("_notes/new/lions.md", "Manes.\n");
    preview.shows("lions", "Manes.");
    let vault = vault();
    let preview = Preview::of(&vault);
    vault.write("Inbox/Later/More.md", "Added.\n");
    preview.shows("inbox/later/more", "Added.");
    vault.write("Inbox/Later/More.md", "Changed.\n");
    preview.shows("inbox/later/more.html", "Changed.");
}

#[test]
fn a_folder_that_is_no_garden_is_told_what_gardens_look_like() {
    let garden = Garden::new();
    garden.remove("neuronotes.yaml");
    let run = garden.build();
    assert_eq!(run.code(), 2);
    for wanted in ["is not a garden", "neuronotes.yaml", "_config.yml", ".obsidian"] {
        assert!(run.stderr().contains(wanted), "{}", run.stderr());
    }
}

/// Runs the program on a garden, which must not wait for a pipe.
#[cfg(unix)]
fn check(garden: &Garden) -> common::Run {
    let mut command = std::process::Command::new("timeout");
    command.arg("60").arg(common::program()).args(["check", "--all", "--root"]).arg(garden.root());
    common::Run(command.env("NEURONOTES_LAB", "/nowhere").output().expect("timeout runs"))
}

#[cfg(unix)]
fn pipe(garden: &Garden, name: &str) {
    let made = std::process::Command::new("mkfifo").arg(garden.path(name)).status();
    assert!(made.expect("mkfifo").success());
}

#[cfg(unix)]
#[test]
fn only_regular_files_inside_the_garden_are_opened_and_each_other_is_said_once() {
    use std::os::unix::fs::symlink;
    let garden = Garden::new();
    let away = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(away.path().join("secret"), "Xyzzy").expect("a file");
    let secret = away.path().join("secret");
    garden.note("a.md", "# A\n\n![b](b.txt) [c](c.bin) [d](d.iso)\n");
    symlink(&secret, garden.path("notes/b.txt")).expect("a link");
    pipe(&garden, "notes/c.bin");
    pipe(&garden, "notes/e.md");
    let _socket = std::os::unix::net::UnixListener::bind(garden.path("notes/f.md")).expect("one");
    for name in ["notes/d.iso", "notes/g.md"] {
        let sparse = std::fs::File::create(garden.path(name)).expect("a file");
        sparse.set_len(50 << 30).expect("a length");
    }
    garden.write("templates/list.html", "{% extends \"builtin/list.html\" %}");
    symlink(&secret, garden.path("templates/note.html")).expect("a link");
    garden.write("pics/1.png", "");
    pipe(&garden, "pics/2.png");
    symlink(&secret, garden.path("pics/1.txt")).expect("a link");
    pipe(&garden, "w.pt");
    symlink(&secret, garden.path("refs.bib")).expect("a link");
    symlink("/dev/zero", garden.path("p.tex")).expect("a link");
    pipe(&garden, "p.png");
    garden.note(
        "blocks.md",
        "```yaml analysis\nkind: zero_shot\nimages: [p.png]\nclasses: [a]\n```\n\n\
         ```yaml analysis\nkind: feature_vis\nmodel: w\nlayer: a\nunit: 1\n```\n",
    );
    garden.write(
        "neuronotes.yaml",
        "bibliography: refs.bib\nmath: { preamble: p.tex }\nmodels: { w: w.pt, up: ../../w }\ndatasets: { pics: pics }\n\
         defaults: { model: emoji }\n",
    );
    let run = check(&garden);
    let said = run.stderr();
    assert_eq!(run.code(), 1, "{said}");
    for (place, what) in [
        ("notes/b.txt", "leads out of the notes"),
        ("notes/c.bin", "it is a pipe, not a file"),
        ("notes/e.md", "it is a pipe, not a file"),
        ("notes/f.md", "it is a socket, not a file"),
        ("notes/g.md", "the note has 51200 MiB"),
        ("notes/d.iso", "it has 50 GiB; the limit is 1 GiB"),
        ("templates/note.html", "it is outside the garden"),
        ("refs.bib", "it is outside the garden"),
        ("p.tex", "it is outside the garden"),
        ("notes/blocks.md:3:10", "`p.png` is not a file"),
        ("notes/blocks.md:9:8", "it is a pipe, not a file"),
        ("neuronotes.yaml:3:", "`../../w` is outside the garden"),
    ] {
        let parts: Vec<&str> = said.split("\n\n").collect();
        let own = parts.iter().filter(|part| part.contains(place) && part.contains(what)).count();
        assert_eq!(own, 1, "{place} {what}\n{said}");
    }
    assert!(!said.contains("Xyzzy"), "{said}");
    let built = garden.build();
    assert_eq!(built.code(), 1, "{}", built.stderr());
    assert!(garden.page("a.html").contains("<h1"), "everything else is built");
    let leaked =
        garden.output().into_iter().find(|(_, bytes)| bytes.windows(5).any(|b| b == b"Xyzzy"));
    assert_eq!(leaked.map(|(name, _)| name), None);
}

#[cfg(unix)]
#[test]
fn folders_that_are_links_out_of_the_garden_are_not_followed_unless_that_is_said() {
    use std::os::unix::fs::symlink;
    let away = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(away.path().join("a.md"), "Xyzzy\n").expect("a file");
    let garden = Garden::new();
    symlink(away.path(), garden.path("notes")).expect("a link");
    let said = check(&garden).stderr();
    assert!(said.contains("the folder `notes` is a link that leads out of the garden"), "{said}");
    assert!(said.contains("`notes: notes`") && said.contains("0 notes checked: 1 error"), "{said}");
    let config = garden.read("neuronotes.yaml");
    garden.write("neuronotes.yaml", &format!("notes: notes\n{config}"));
    assert!(check(&garden).stderr().contains("1 note checked: no problems found"));
    // Includes and templates have no such word.
    let jekyll = jekyll();
    let _ = std::fs::remove_dir_all(jekyll.path("_includes"));
    symlink(away.path(), jekyll.path("_includes")).expect("a link");
    symlink(away.path(), jekyll.path("templates")).expect("a link");
    let said = check(&jekyll).stderr();
    for name in ["_includes", "templates"] {
        let what = format!("the folder `{name}` is a link that leads out of the garden");
        assert!(said.contains(&what), "{said}");
    }
    std::fs::remove_file(jekyll.path("_includes")).expect("removed");
    std::fs::create_dir(jekyll.path("_includes")).expect("a folder");
    pipe(&jekyll, "_includes/b.html");
    symlink("/etc/passwd", jekyll.path("_includes/c.html")).expect("a link");
    let said = check(&jekyll).stderr();
    assert!(said.contains("_includes/b.html") && said.contains("it is a pipe"), "{said}");
    assert!(said.contains("_includes/c.html") && said.contains("outside the garden"), "{said}");
    // A configuration is read no otherwise.
    let odd = Garden::empty();
    odd.note("a.md", "Text.\n");
    pipe(&odd, "neuronotes.yaml");
    let run = check(&odd);
    assert!(
        run.code() == 1 && run.stderr().contains("it is a pipe, not a file"),
        "{}",
        run.stderr()
    );
}

#[cfg(target_os = "linux")]
#[test]
fn names_that_are_no_utf_8_are_said_and_none_stands_for_another() {
    use std::os::unix::ffi::OsStrExt as _;
    let garden = Garden::new();
    garden.note("a.md", "Text.\n");
    let name = |bytes: &[u8]| garden.path("notes").join(std::ffi::OsStr::from_bytes(bytes));
    for bytes in [&b"caf\xe9.md"[..], b"caf\xe8.md", b"p\xff.png", b"p\xfe.png"] {
        std::fs::write(name(bytes), "Other.\n").expect("a file");
    }
    let run = garden.build();
    let said = run.stderr();
    assert_eq!(run.code(), 0, "{said}");
    for shown in ["caf\\xe9.md", "caf\\xe8.md", "p\\xff.png", "p\\xfe.png"] {
        assert!(said.contains(&format!("notes/{shown}")), "{shown}: {said}");
    }
    assert_eq!(said.matches("its name is not UTF-8").count(), 4, "{said}");
    // Pictures of a data set are all read, each with its own caption.
    std::fs::create_dir(garden.path("pics")).expect("a folder");
    for (byte, caption) in [(0xe8_u8, "one"), (0xe9, "two")] {
        let at = |ending: &str| {
            let bytes = [b"caf".as_slice(), &[byte], ending.as_bytes()].concat();
            garden.path("pics").join(std::ffi::OsStr::from_bytes(&bytes))
        };
        image::RgbImage::new(8, 8)
            .save_with_format(at(".png"), image::ImageFormat::Png)
            .expect("a picture");
        std::fs::write(at(".txt"), caption).expect("a caption");
    }
    let pics = garden.path("pics");
    let listing = neuronotes_core::dataset::list(
        &pics,
        &neuronotes_core::dataset::format::folder::FORMAT,
        &neuronotes_core::dataset::Labels::Files.into(),
    );
    let samples = listing.expect("a data set").samples;
    let all: Vec<_> = samples.iter().map(|s| (&*s.key, s.caption.as_deref())).collect();
    assert_eq!(all, [("caf\\xe8", Some("one")), ("caf\\xe9", Some("two"))]);
}

#[test]
fn a_file_whose_place_the_site_needs_itself_is_said_and_replaces_nothing() {
    let garden = jekyll();
    garden.write("_config.yml", &format!("{}url: https://a.org\n", garden.read("_config.yml")));
    garden.write("feed.xml", "mine");
    garden.write("Graph.html", "mine");
    garden.write("search/meta.js", "mine");
    garden.write("assets/A.txt", "one");
    garden.write("assets/a.txt", "two");
    garden.write(
        "_notes/links.md",
        "[a](/feed.xml) [b](/Graph.html) [c](/search/meta.js) [d](/assets/A.txt) [e](/assets/a.txt)\n",
    );
    let run = garden.build();
    let said = run.stderr();
    for (place, what) in [
        ("feed.xml", "a generated file at `feed.xml`"),
        ("Graph.html", "a generated page at `Graph.html`"),
        ("search/meta.js", "a folder of generated files"),
    ] {
        assert!(
            said.contains(&format!("--> {place}:1:1")) && said.contains(what),
            "{place}: {said}"
        );
    }
    assert!(said.contains("differ only in case"), "{said}");
    for path in ["feed.xml", "graph.html", "search/meta.js"] {
        assert_ne!(garden.page(path), "mine", "{path}");
    }
    assert_eq!(garden.read("output/assets/A.txt"), "one");
    // Pages, too, are one where capitals and small letters are.
    let garden = Garden::new();
    garden.note("a.md", "---\npermalink: /One/\n---\n");
    garden.note("b.md", "---\npermalink: /one/\n---\n");
    garden.note("c.md", "---\npermalink: /Graph.html\n---\n");
    let said = garden.build().stderr();
    assert!(said.contains("is already used by notes/a.md"), "{said}");
    assert!(said.contains("this note, not the graph"), "{said}");
}

#[test]
fn what_notes_load_from_other_sites_is_said_or_left_out_as_the_garden_wishes() {
    let garden = Garden::new();
    let config = garden.read("neuronotes.yaml");
    garden.note(
        "a.md",
        "# A\n\n![words](https://evil.example/x.png) [fine](https://fine.example) [j](javascript:alert(1))\n\n\
         <img src='//evil.example/y.png' alt=y> <b onclick=z()>b</b>\n\n<script src=https://evil.example/z.js></script>\n\n\
         ```html\n<img src=https://code.example>\n```\n",
    );
    garden.write("notes/own.png", "");
    let with = |remote: &str| {
        let footer = "footer: '<img src=https://evil.example/f.png>'";
        let config = config.replace("footer: This line appears after every note.", footer);
        garden.write("neuronotes.yaml", &format!("{config}{remote}"));
        garden.build()
    };
    let run = with("");
    let said = run.stderr();
    assert_eq!((run.code(), said.matches("warning: ").count()), (0, 6), "{said}");
    insta::assert_snapshot!(said.split("\n\n").find(|part| part.contains("x.png")).expect("one"));
    assert!(said.contains("notes/a.md:5:6") && said.contains("notes/a.md:7:9"), "{said}");
    assert!(said.contains("neuronotes.yaml:1:1") && said.contains("`footer`"), "{said}");
    assert!(garden.page("a.html").contains("https://evil.example/x.png\""));
    let run = with("remote: allow\n");
    assert!(run.code() == 0 && run.stderr().contains("no problems found"), "{}", run.stderr());
    let run = with("remote: forbid\n");
    assert_eq!((run.code(), run.stderr().matches("error: ").count()), (1, 6), "{}", run.stderr());
    let page = garden.page("a.html");
    assert!(page.contains("words (https://evil.example/x.png)</span>"), "{page}");
    assert!(page.contains("href=\"https://fine.example\""), "a link is one");
    let forbidden = ["src=\"https:", "src='//", "src=https:", "onclick", "href=\"javascript"];
    for (name, bytes) in garden.output() {
        let text = String::from_utf8_lossy(&bytes);
        let text = if name.ends_with(".html") {
            text.split("<article").nth(1).unwrap_or_default()
        } else {
            ""
        };
        for what in forbidden {
            let shown = text.replace("(onclick", "");
            assert!(!shown.contains(what), "{name} has {what}\n{text}");
        }
    }
    assert_eq!(with("remote: sometimes\n").code(), 1);
}

#[test]
fn no_page_feed_index_or_patch_has_a_character_that_none_may_have() {
    let garden = Garden::new();
    let config = garden.read("neuronotes.yaml");
    garden.write("neuronotes.yaml", &format!("{config}url: https://a.example\n"));
    let odd = "x\u{1}\u{b}\u{7f}\u{9b}\u{ffff}\u{fffe}\u{0}y";
    garden.note(
        &format!("b{}.md", "\u{1}\u{ffff}"),
        &format!("---\ntitle: \"T\u{ffff}\u{1}\"\ntags: [\"t\u{fffe}\"]\n---\n# H {odd}\n\n{odd} **{odd}** [[a#{odd}]]\n"),
    );
    garden.note("a.md", &format!("{odd}\n\n```yaml analysis\nkind: feature_vis\nlayer: image_block_4/0/Add_6\nunit: 3\ncaption: \"{}\"\n```\n", odd.replace('\u{0}', "")));
    garden.build();
    let barred = |c: char| {
        (c.is_control() && !matches!(c, '\t' | '\n' | '\r')) || (c as u32) & 0xfffe == 0xfffe
    };
    for (name, bytes) in garden.output() {
        if [".png", ".ico"].iter().any(|ending| name.ends_with(ending)) {
            continue;
        }
        let text = String::from_utf8(bytes).unwrap_or_else(|_| panic!("{name} is not UTF-8"));
        assert!(!text.contains(barred), "{name}");
        for escape in ["\\u0000", "\\u0001", "\\u000b", "\\u001b"] {
            assert!(!text.contains(escape), "{name}");
        }
    }
    let preview = Preview::of(&garden);
    let news = preview.news("a");
    garden.note("a.md", &format!("New {odd} words.\n"));
    let patch = news.next_of("patch").to_string();
    assert!(
        patch.contains("words") && !patch.contains("\\u0001") && !patch.contains(barred),
        "{patch}"
    );
}
