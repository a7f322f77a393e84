//! Permalinks as Jekyll makes them, from a note's path, front matter and a pattern.
//!
//! Source of the rules: Jekyll 4's documentation of permalinks, and its `Utils.slugify`, `URL` and `Page#template`.

use neuronotes_core::cut::Cut as _;
use percent_encoding::percent_decode_str;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

use crate::config::layout::{COLLECTION, PAGES, within, without_ending};
use crate::note::Note;

/// Name of the notes' collection in patterns.
const LABEL: &str = "notes";

/// The address of a note or page of a Jekyll garden: `/cats`, `/a/b/`, `/index.html`. `notes` is the collection's
/// pattern, `permalink` the site's pattern for everything else.
pub fn url(note: &Note, notes: Option<&str>, permalink: Option<&str>) -> String {
    let style = permalink.unwrap_or("date");
    let pattern = match (&note.front.permalink, notes) {
        (Some(own), _) => own.clone(),
        (None, Some(notes)) if is_collected(note) => notes.to_owned(),
        (None, None) if is_collected(note) => suffixed("/:collection/:path", style),
        (None, _) if note.stem() == "index" => "/:path/".to_owned(),
        (None, _) => suffixed("/:path/:basename", style),
    };
    fill(&pattern, note)
}

/// Fills in a pattern with a note's values. Placeholders without a value are removed.
pub fn fill(pattern: &str, note: &Note) -> String {
    let mut out = String::from("/");
    let mut rest = pattern;
    while let Some(at) = rest.find(':') {
        out.push_str(rest.cut(..at));
        rest = rest.cut(at + 1..);
        let length =
            rest.find(|c: char| !(c.is_ascii_lowercase() || c == '_')).unwrap_or(rest.len());
        // `:title_draft` is the title with something behind it.
        let ends =
            (1..=length).rev().filter(|end| *end == length || rest.cut(*end..).starts_with('_'));
        let found = ends.into_iter().find_map(|end| Some((end, word(rest.cut(..end), note)?)));
        match found {
            Some((end, value)) => {
                out.push_str(&value);
                rest = rest.cut(end..);
            }
            None => out.push(':'),
        }
    }
    out.push_str(rest);
    while out.contains("//") {
        out = out.replace("//", "/");
    }
    out
}

/// The file of an address, relative to the site's root; `None` if it is outside the site.
pub fn file(url: &str) -> Option<String> {
    let decoded = percent_decode_str(url).decode_utf8_lossy().replace('\\', "/");
    let path = decoded.trim_start_matches('/');
    if path.split('/').any(|part| matches!(part, "." | "..") || part.contains(char::is_control)) {
        return None;
    }
    let mut path: String =
        path.split('/').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/");
    if decoded.ends_with('/') || path.is_empty() {
        path.push_str(if path.is_empty() { "index" } else { "/index" });
    }
    if !path.ends_with(".html") {
        path.push_str(".html");
    }
    Some(path)
}

fn is_collected(note: &Note) -> bool {
    within(&note.path, COLLECTION)
}

/// The suffix that a permalink style adds to a pattern.
fn suffixed(pattern: &str, style: &str) -> String {
    let end = match style {
        "pretty" => "/",
        "date" | "ordinal" | "none" => ":output_ext",
        style if style.ends_with('/') => "/",
        style if style.ends_with(":output_ext") => ":output_ext",
        _ => "",
    };
    format!("{pattern}{end}")
}

/// The value of a pattern's placeholder; `None` if it is unknown.
fn word(name: &str, note: &Note) -> Option<String> {
    let (day, stem) = dated(note.stem());
    let day = note.front.date.map(|date| date.to_string()).or(day.map(str::to_owned));
    let part = |range: std::ops::Range<usize>| {
        day.as_ref().and_then(|day| day.get(range)).unwrap_or_default().to_owned()
    };
    let bare = |text: String| text.trim_start_matches('0').to_owned();
    let folder = note.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let slug = note.front.slug.as_deref().unwrap_or(stem);
    Some(match name {
        "collection" => LABEL.to_owned(),
        "path" if is_collected(note) => {
            let path = note.path.strip_prefix(COLLECTION).unwrap_or(&note.path);
            without_ending(path).trim_start_matches('/').to_owned()
        }
        "path" => folder.to_owned(),
        "basename" => note.stem().to_owned(),
        "name" => slugify(note.stem()),
        "title" => pretty(slug),
        "slug" => slugify(slug),
        "output_ext" => ".html".to_owned(),
        "categories" | "slugified_categories" => String::new(),
        "year" => part(0..4),
        "short_year" => part(2..4),
        "month" => part(5..7),
        "i_month" => bare(part(5..7)),
        "day" => part(8..10),
        "i_day" => bare(part(8..10)),
        "hour" | "minute" | "second" if day.is_some() => "00".to_owned(),
        _ => return None,
    })
}

/// Splits off a date at the start of a file name.
fn dated(stem: &str) -> (Option<&str>, &str) {
    let shape = |text: &str| {
        text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 | 10 => byte == b'-',
            _ => byte.is_ascii_digit(),
        })
    };
    match (stem.get(..11), stem.get(11..)) {
        (Some(day), Some(rest)) if shape(day) && !rest.is_empty() => (Some(day.cut(..10)), rest),
        _ => (None, stem),
    }
}

/// Letters, marks and digits of any script in lower case, with one `-` for each run of other characters.
fn slugify(text: &str) -> String {
    let slug = hyphenated(text, "").to_lowercase();
    if slug.is_empty() { "note".to_owned() } else { slug }
}

/// The same without changing case, and with other characters that addresses may contain.
fn pretty(text: &str) -> String {
    hyphenated(text, "._~!$&'()+,;=@")
}

fn hyphenated(text: &str, also: &str) -> String {
    let stays = |c: char| {
        let group = c.general_category_group();
        matches!(group, GeneralCategoryGroup::Letter | GeneralCategoryGroup::Mark)
            || c.general_category() == GeneralCategory::DecimalNumber
            || also.contains(c)
    };
    let words = text.split(|c: char| !stays(c)).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-")
}

/// Whether a file is a page of a Jekyll garden rather than a note.
pub fn is_page(note: &Note) -> bool {
    within(&note.path, PAGES)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(
        path: &str,
        front: &str,
        notes: Option<&str>,
        permalink: Option<&str>,
    ) -> (String, String) {
        let note = Note::parse(path, path, &format!("---\n{front}\n---\n"));
        let url = url(&note, notes, permalink);
        let file = file(&url).expect("inside");
        (url, file)
    }

    #[test]
    fn notes_lie_where_jekyll_puts_them() {
        let by = |pattern: &'static str| {
            move |path: &str, front: &str| at(path, front, Some(pattern), Some("pretty")).0
        };
        let slug = by("/:slug");
        assert_eq!(slug("_notes/animals/Cats & Dogs.md", ""), "/cats-dogs");
        assert_eq!(slug("_notes/안녕하세요.md", ""), "/안녕하세요");
        assert_eq!(slug("_notes/-Bon appétit!.markdown", ""), "/bon-appétit");
        assert_eq!(slug("_notes/a_b.c.md", ""), "/a-b-c");
        assert_eq!(slug("_notes/a.md", "slug: My Own"), "/my-own");
        assert_eq!(slug("_notes/2024-01-02-a day.md", ""), "/a-day");
        assert_eq!(slug("_notes/a.md", "permalink: /x/y/"), "/x/y/");
        assert_eq!(by("/:collection/:slug")("_notes/x/A.md", ""), "/notes/a");
        assert_eq!(by("/:title")("_notes/It's A_B!.md", ""), "/It's-A_B!");
        assert_eq!(by("/notes/:path")("_notes/x/A b.md", ""), "/notes/x/A b");
        assert_eq!(by("/notes/:path:output_ext")("_notes/x/a.md", ""), "/notes/x/a.html");
        assert_eq!(by(":year/:i_month/:slug/")("_notes/2024-01-02-a.md", ""), "/2024/1/a/");
        assert_eq!(by("/:title_x/:unknown")("_notes/a.md", ""), "/a_x/:unknown");
        assert_eq!(at("_notes/x/a.md", "", None, None).0, "/notes/x/a.html");
        assert_eq!(at("_notes/x/a.md", "", None, Some("pretty")).0, "/notes/x/a/");
    }

    #[test]
    fn pages_lie_where_they_say_and_else_beside_each_other() {
        let page = |path, front| at(path, front, Some("/:slug"), Some("pretty"));
        let both = |url: &str, file: &str| (url.to_owned(), file.to_owned());
        assert_eq!(page("_pages/index.md", "permalink: /"), both("/", "index.html"));
        assert_eq!(page("_pages/about.md", "permalink: /about"), both("/about", "about.html"));
        assert_eq!(page("_pages/about.md", "permalink: a/b/"), both("/a/b/", "a/b/index.html"));
        assert_eq!(page("_pages/about.md", "permalink: /x.html"), both("/x.html", "x.html"));
        assert_eq!(page("_pages/c.md", ""), both("/_pages/c/", "_pages/c/index.html"));
        assert_eq!(page("_pages/index.md", ""), both("/_pages/", "_pages/index.html"));
        assert_eq!(at("_pages/c.md", "", None, None).1, "_pages/c.html");
    }

    #[test]
    fn no_address_leaves_the_site() {
        for url in ["/../a", "/a/../../b", "/a/%2e%2e/%2e%2e/b", "/a\\..\\..\\b", "/./a", "/a\nb"] {
            assert_eq!(file(url), None, "{url}");
        }
        assert_eq!(file("//a///b"), Some("a/b.html".into()));
        assert_eq!(file("/50%25"), Some("50%.html".into()));
    }
}
