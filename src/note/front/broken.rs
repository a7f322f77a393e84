//! Broken front matter, as while somebody types: reads what can be read, and takes the rest from the note's earlier
//! version.

use neuronotes_core::cut::Cut as _;

use super::field::{FrontMatter, field};
use crate::diagnostic::{Diagnostic, SourceFile};
use crate::yaml::Reader;

impl FrontMatter {
    /// Fills in what cannot be read from the note's earlier version.
    pub(in crate::note) fn fill_from(&mut self, earlier: &Self) {
        fn fill<T: Clone>(now: &mut Option<T>, before: &Option<T>) {
            if now.is_none() {
                now.clone_from(before);
            }
        }
        fn extend<T: Clone>(now: &mut Vec<T>, before: &[T]) {
            if now.is_empty() {
                *now = before.to_vec();
            }
        }
        fill(&mut self.title, &earlier.title);
        fill(&mut self.date, &earlier.date);
        fill(&mut self.updated, &earlier.updated);
        fill(&mut self.description, &earlier.description);
        fill(&mut self.permalink, &earlier.permalink);
        fill(&mut self.slug, &earlier.slug);
        fill(&mut self.draft_by, &earlier.draft_by);
        extend(&mut self.tags, &earlier.tags);
        extend(&mut self.aliases, &earlier.aliases);
        extend(&mut self.redirect_from, &earlier.redirect_from);
        self.draft |= earlier.draft;
        // Units are not filled in, since their spans have changed.
    }
}

/// Reads what can be read of broken front matter, each entry separately. Input: the file, and the YAML with its start.
/// Output: fields, and their problems.
pub(super) fn salvage(
    (at, yaml, start): (SourceFile<'_>, &str, usize),
    front: &mut FrontMatter,
    problems: &mut Vec<Diagnostic>,
) {
    let mut begins = Vec::new();
    let mut offset = 0;
    for line in yaml.split_inclusive('\n') {
        if line.starts_with(|c: char| c.is_alphabetic() || c == '"' || c == '\'') {
            begins.push(offset);
        }
        offset += line.len();
    }
    let ends = begins.iter().skip(1).copied().chain([yaml.len()]);
    for (begin, end) in begins.iter().copied().zip(ends) {
        let reader = Reader::of_part(at, yaml.cut(begin..end), start + begin);
        let entries = reader.mapping("front matter", "title", &|_| false).unwrap_or_default();
        for entry in entries {
            problems.extend(field(&reader, front, &entry.key, &entry.node).err());
        }
    }
}
