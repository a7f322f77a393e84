//! Front matter: the fields between the `---` lines at the top of a note.
//!
//! Unknown fields are ignored, since notes come from other tools too; one that looks like a misspelling of a known
//! field causes a warning. Jekyll's and Obsidian's names for known fields are accepted in all forms that these tools
//! write. If such a field holds something else, it belongs to another tool.

mod broken;
mod field;
mod unit;
mod value;

use neuronotes_core::cut::Cut as _;
use neuronotes_core::suggest;

use crate::diagnostic::{Diagnostic, SourceFile};
use crate::yaml::{Entry, Reader};

pub use field::FrontMatter;
pub use unit::UnitName;

use field::field;

const KNOWN: [&str; 37] = [
    "title",
    "date",
    "updated",
    "tags",
    "tag",
    "aliases",
    "alias",
    "description",
    "draft",
    "units",
    "created",
    "modified",
    "last_modified_at",
    "permalink",
    "slug",
    "redirect_from",
    "published",
    "publish",
    "private",
    "toc",
    "toc_depth",
    "author",
    "authors",
    "image",
    "anchors",
    "lang",
    "language",
    "dir",
    "review_in",
    // Fields of other tools.
    "layout",
    "id",
    "cssclass",
    "cssclasses",
    "categories",
    "category",
    "topic",
    "topics",
];

/// A warning about an unknown field that is similar to a known one. In a short name, more than one different letter
/// makes a different word.
fn misspelt(reader: &Reader<'_>, entry: &Entry) -> Option<Diagnostic> {
    let key = entry.key.as_str();
    if KNOWN.contains(&key) {
        return None;
    }
    let near = suggest::nearest(key, KNOWN, 1).into_iter().next()?;
    let most = if near.chars().count() < 5 { 1 } else { 2 };
    let message = format!("front matter has no field `{key}`");
    let warning = reader.at.warning(reader.key_span(entry), message);
    (strsim::damerau_levenshtein(&near, key) <= most)
        .then(|| warning.hint(format!("did you mean `{near}`?")))
}

/// The front matter, the start of the Markdown, and all problems.
pub fn parse(at: SourceFile<'_>) -> (FrontMatter, usize, Vec<Diagnostic>) {
    let mut front = FrontMatter::default();
    let text = at.text;
    let bom = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let Some(start) = opening(text.cut(bom..)).map(|length| bom + length) else {
        return (front, bom, vec![]);
    };
    let Some((end, body)) = closing(text, start) else {
        let problem =
            at.error(bom..bom + 3, "front matter is not closed").hint("close it with a line `---`");
        return (front, text.len(), vec![problem]);
    };
    let yaml = text.cut(start..end);
    let reader = Reader::of_part(at, yaml, start);
    let mut problems = Vec::new();
    match reader.mapping("front matter", "title", &|key| KNOWN.contains(&key)) {
        Err(problem) => {
            problems.push(problem);
            front.is_broken = true;
            broken::salvage((at, yaml, start), &mut front, &mut problems);
        }
        Ok(entries) => {
            for entry in &entries {
                problems.extend(field(&reader, &mut front, &entry.key, &entry.node).err());
                problems.extend(misspelt(&reader, entry));
            }
        }
    }
    (front, body, problems)
}

fn opening(text: &str) -> Option<usize> {
    let line = text.split_inclusive('\n').next()?;
    (line.trim_end() == "---" && line.ends_with('\n')).then_some(line.len())
}

/// The end of the YAML and the start of the body.
fn closing(text: &str, start: usize) -> Option<(usize, usize)> {
    let mut offset = start;
    for line in text.cut(start..).split_inclusive('\n') {
        if matches!(line.trim_end(), "---" | "...") {
            return Some((offset, offset + line.len()));
        }
        offset += line.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::author::Author;
    use crate::diagnostic::Lines;

    fn read(yaml: &str) -> FrontMatter {
        let text = format!("---\n{yaml}\n---\n");
        let lines = Lines::of(&text);
        let (front, _, problems) = parse(SourceFile { file: "a.md", text: &text, lines: &lines });
        assert_eq!(problems, [], "{yaml}");
        front
    }

    fn warned(yaml: &str) -> Vec<String> {
        let text = format!("---\n{yaml}\n---\n");
        let lines = Lines::of(&text);
        let (_, _, problems) = parse(SourceFile { file: "a.md", text: &text, lines: &lines });
        problems.iter().map(|p| format!("{:?} {p}", p.severity)).collect()
    }

    #[test]
    fn languages_are_tags_and_what_is_none_is_said() {
        let front = read("lang: pt_br\ndir: rtl");
        assert_eq!((front.lang.as_deref(), front.dir), (Some("pt-BR"), Some("rtl")));
        assert_eq!(read("language: he").lang.as_deref(), Some("he"));
        assert_eq!(read("language: Hebrew").lang, None);
        let warned = warned("lang: English\ndir: up");
        assert_eq!(warned.len(), 2, "{warned:?}");
        assert!(
            warned[0].contains("Warning") && warned[0].contains("a language tag"),
            "{warned:?}"
        );
        assert!(warned[1].contains("`ltr`, `rtl` or `auto`"), "{warned:?}");
    }

    #[test]
    fn days_are_read_in_every_form_that_tools_write() {
        let day =
            |text: &str| read(&format!("last_modified_at: {text}")).updated.map(|d| d.to_string());
        for text in [
            "2024-10-30",
            "2024-10-30 16:14:41",
            "2024-10-30 16:14:41 -0500",
            "2024-10-30T16:14",
            "2024-10-30T16:14:41.123Z",
            "2024/10/30",
            "2024.10.30",
            "20241030",
            "\"[[2024-10-30]]\"",
        ] {
            assert_eq!(day(text).as_deref(), Some("2024-10-30"), "{text}");
        }
        assert_eq!(
            read("created: 2024-1-5 08:00").date.map(|d| d.to_string()).as_deref(),
            Some("2024-01-05")
        );
        let both = read("created: 2024-01-01\ndate: 2023-01-01\nmodified: 2024-02-02");
        assert_eq!(
            (both.date, both.updated),
            ("2023-01-01".parse().ok(), "2024-02-02".parse().ok())
        );
        let other = warned("created: Wednesday, October 30th");
        assert!(other[0].starts_with("Warning a.md:2:10: `created` must be a date"), "{other:?}");
    }

    #[test]
    fn tags_are_a_list_or_words_with_commas_or_spaces_and_their_mark_is_no_part_of_them() {
        for yaml in [
            "tags: [a, b/c]",
            "tags: a, b/c",
            "tags: a b/c",
            "tags: \"#a #b/c\"",
            "tag:\n- '#a'\n-\n- b/c",
        ] {
            assert_eq!(read(yaml).tags, ["a", "b/c"], "{yaml}");
        }
        assert_eq!(read("tags: [two words, \"#\"]").tags, ["two words"]);
        assert_eq!(read("tags:").tags, Vec::<String>::new());
    }

    #[test]
    fn every_way_of_not_publishing_a_note_is_one_and_keeps_its_name() {
        for by in ["draft: true", "published: false", "publish: false", "private: true"] {
            let front = read(by);
            assert_eq!((front.draft, front.draft_by.as_deref()), (true, Some(by)));
        }
        for not in [
            "draft: false",
            "published: true",
            "published: 2024-01-02",
            "publish: true",
            "private: false",
        ] {
            assert!(!read(not).draft, "{not}");
        }
    }

    #[test]
    fn what_other_gardens_say_is_read() {
        let front = read(
            "permalink: /about\nslug: Me\nredirect_from: /old\ntoc: false\ntoc_depth: 2\nauthors: [Ada, {name: Bob}]\n\
             image: \"[[art/a.png|300]]\"\nanchors: {old-name: New name}\nlayout: page\nid: home\ncssclasses: [wide]\nmood: 3",
        );
        assert_eq!(
            (front.permalink.as_deref(), front.slug.as_deref()),
            (Some("/about"), Some("Me"))
        );
        assert_eq!(front.redirect_from, ["/old"]);
        assert_eq!(read("redirect_from:\n- /a/\n- /b.html").redirect_from, ["/a/", "/b.html"]);
        assert_eq!((front.toc, front.toc_depth), (Some(false), Some(2)));
        let name = |author: &Author| author.name.clone();
        assert_eq!(front.authors.iter().map(name).collect::<Vec<_>>(), ["Ada", "Bob"]);
        assert_eq!(read("author: Ada Lovelace").authors, [Author::named("Ada Lovelace")]);
        let full = read(
            "author: {name: Ada, orcid: 0000-0002-1825-0097, affiliation: A, url: \"https://a.org\", x: 1}",
        );
        assert_eq!(full.authors[0].orcid.as_deref(), Some("0000-0002-1825-0097"));
        assert_eq!(full.authors[0].affiliation.as_deref(), Some("A"));
        assert!(warned("author: {name: Ada, orcid: 1}")[0].contains("`1` is not an ORCID iD"));
        assert_eq!(front.image.as_deref(), Some("art/a.png"));
        assert_eq!(front.anchors["old-name"], "New name");
        assert!(warned("toc_depth: 9")[0].contains("a whole number from 1 to 6"));
        assert!(warned("permalnk: /a")[0].contains("did you mean `permalink`?"));
        assert_eq!(
            warned("data: 1\nstate: 2\nurl: x"),
            ["Warning a.md:2:1: front matter has no field `data` (hint: did you mean `date`?)"]
        );
    }
}
