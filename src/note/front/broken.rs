//! Front matter that is broken somewhere, as it is while somebody writes it: what of it can be read, and what the note said
//! before in place of the rest.

use neuronotes_core::cut::Cut as _;

use super::{FrontMatter, Reader};
use crate::diagnostic::{Diagnostic, Lines};
use crate::yaml;

impl FrontMatter {
    /// Takes what cannot be read out of what the note said before.
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
        // Not units: their places in the text are others now.
    }
}

impl Reader<'_> {
    /// Reads what can be read of front matter that is broken somewhere: each entry by itself.
    pub(super) fn salvage(&self, front: &mut FrontMatter, problems: &mut Vec<Diagnostic>) {
        let mut begins = Vec::new();
        let mut offset = 0;
        for line in self.yaml.split_inclusive('\n') {
            if line.starts_with(|c: char| c.is_alphabetic() || c == '"' || c == '\'') {
                begins.push(offset);
            }
            offset += line.len();
        }
        let ends = begins.iter().skip(1).copied().chain([self.yaml.len()]);
        for (begin, end) in begins.iter().copied().zip(ends) {
            let yaml = self.yaml.cut(begin..end);
            let reader =
                Reader { at: self.at, start: self.start + begin, yaml, lines: Lines::of(yaml) };
            let Ok(node) = yaml::parse(yaml) else { continue };
            for entry in node.entries().unwrap_or_default() {
                problems.extend(reader.field(front, &entry.key, &entry.node).err());
            }
        }
    }
}
