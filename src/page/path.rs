//! Paths of pages other than notes' pages.

use neuronotes_core::cut::Cut as _;
use neuronotes_core::digest::Digest;
use unicode_normalization::UnicodeNormalization as _;

use crate::note::file_slug;

/// Path of the list of all notes.
pub(super) const NOTES: &str = "notes.html";

/// Path of the list of all tags.
pub(super) const TAGS: &str = "tags.html";

/// Path of the list of all units.
pub(super) const UNITS: &str = "units.html";

/// Path of the whole graph.
pub(super) const GRAPH: &str = "graph.html";

/// Path of the page of all notes by trouble.
pub(super) const REVIEW: &str = "review.html";

/// Path of the page of what differs in a note, which only the preview has.
pub(super) const DIFFERENCE: &str = "-/diff";

/// Path of the page for missing addresses.
pub(super) const NOT_FOUND: &str = "404.html";

/// The page of a tag. Case is ignored, and so is the difference between a space and `-`; `a/b` is in the folder of `a`.
/// Characters that some file names cannot contain are written as `~` and their number: `c~2b~2b` for `C++`.
pub(super) fn tag_page(tag: &str) -> String {
    const LONGEST: usize = 96;
    let lower: String = tag.nfc().flat_map(char::to_lowercase).collect();
    let mut parts: Vec<String> = Vec::new();
    for part in lower.split('/').filter(|part| !part.is_empty()) {
        let mut name = String::new();
        for c in part.trim().chars() {
            match c {
                ' ' => name.push('-'),
                c if c.is_alphanumeric() || matches!(c, '-' | '_') => name.push(c),
                c if c.is_ascii() || c.is_control() || c.is_whitespace() => {
                    name.push_str(&format!("~{:x}", u32::from(c)));
                }
                c => name.push(c),
            }
        }
        if name.len() > LONGEST {
            let end = (0..=LONGEST).rev().find(|at| name.is_char_boundary(*at)).unwrap_or(0);
            let digest = Digest::of(name.as_bytes()).short();
            name = format!("{}~{digest}", name.cut(..end));
        }
        parts.push(name);
    }
    if parts.is_empty() {
        parts.push("~".to_owned());
    }
    format!("tags/{}.html", parts.join("/"))
}

/// The page of a unit.
pub(super) fn unit_page(model: &str, layer: &str, unit: u32) -> String {
    let part = |name: &str| file_slug(&name.replace(['/', '\\'], "-"));
    format!("units/{}/{}/{unit}.html", part(model), part(layer))
}

/// A page of the list of all notes, counted from 0.
pub(super) fn notes_page(number: usize) -> String {
    match number {
        0 => NOTES.to_owned(),
        number => format!("notes-{}.html", number + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_that_differ_have_pages_that_do() {
        let pages = |tags: &[&str]| tags.iter().map(|tag| tag_page(tag)).collect::<Vec<_>>();
        assert_eq!(
            pages(&["🌱", "📚", "C", "C++", "C#", "a/b", "a-b", "two words", "Größe", "a.b", "?"]),
            [
                "tags/🌱.html",
                "tags/📚.html",
                "tags/c.html",
                "tags/c~2b~2b.html",
                "tags/c~23.html",
                "tags/a/b.html",
                "tags/a-b.html",
                "tags/two-words.html",
                "tags/größe.html",
                "tags/a~2eb.html",
                "tags/~3f.html",
            ]
        );
        assert_eq!(tag_page("Gro\u{308}ße"), tag_page("größe"));
        let long = [tag_page(&"x".repeat(300)), tag_page(&("x".repeat(299) + "y"))];
        assert!(long[0] != long[1] && long.iter().all(|page| page.len() < 200), "{long:?}");
    }
}
