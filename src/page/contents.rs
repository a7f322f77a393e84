//! A note's table of contents: a tree of its headings.

use crate::note::{Heading, Note};
use crate::view::ContentsView;

/// The headings below the title as a tree, with their values as returned by `filled`; empty if there are fewer than
/// two or the note disables it.
pub(super) fn of(note: &Note, filled: impl Fn(&str) -> String) -> Vec<ContentsView> {
    if note.front.toc == Some(false) {
        return Vec::new();
    }
    let deepest = note.front.toc_depth.unwrap_or(6);
    let below_title = &note.headings[usize::from(note.title_in_body).min(note.headings.len())..];
    let headings: Vec<&Heading> =
        below_title.iter().filter(|h| h.level <= deepest && !h.quoted).collect();
    match headings[..] {
        [] | [_] => Vec::new(),
        _ => nest(&headings, &filled),
    }
}

/// A heading's children are the following headings of deeper levels, even if levels are skipped.
fn nest(mut headings: &[&Heading], filled: &impl Fn(&str) -> String) -> Vec<ContentsView> {
    let mut out = Vec::new();
    while let Some((first, rest)) = headings.split_first() {
        let below = rest.iter().take_while(|heading| heading.level > first.level).count();
        out.push(ContentsView {
            id: first.id.clone(),
            title_html: filled(&first.html),
            children: nest(&rest[..below], filled),
        });
        headings = &rest[below..];
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contents_nest_by_level_even_where_levels_are_skipped() {
        let text =
            "## A\n#### A1\n### A2\n## B\n# C\n## C1\n> ## Quoted\n\n> [!note]\n> ## Called out\n";
        let note = Note::parse("a.md", "notes/a.md", text);
        let mut flat = Vec::new();
        fn walk(entries: &[ContentsView], depth: usize, flat: &mut Vec<String>) {
            for entry in entries {
                flat.push(format!("{}{}", "  ".repeat(depth), entry.id));
                walk(&entry.children, depth + 1, flat);
            }
        }
        walk(&of(&note, str::to_owned), 0, &mut flat);
        assert_eq!(flat, ["a", "  a1", "  a2", "b", "c", "  c1"]);
        assert!(of(&Note::parse("a.md", "a.md", "# T\n\n## Only\n"), str::to_owned).is_empty());
    }
}
