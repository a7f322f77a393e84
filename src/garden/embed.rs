//! Embeds: which parts of notes are embedded in which notes, and which embeds would contain themselves.

use std::collections::BTreeSet;
use std::ops::Range;

use super::{Garden, Target};
use crate::diagnostic::Diagnostic;
use crate::note::{LinkKind, Note};

/// A part of a note that is embedded in another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Embedded {
    /// Index of the embedding link among the links of its note.
    pub link: usize,
    /// Index of the embedded note.
    pub note: usize,
    /// The heading, block or figure that is embedded; `None` for the whole note.
    pub anchor: Option<String>,
    /// Its span in that note's Markdown.
    pub part: (usize, usize),
}

impl Garden {
    /// The embeds of a note, in a part of its Markdown or everywhere.
    pub fn embeds(
        &self,
        index: usize,
        part: Option<&Range<usize>>,
        notes: &[&Note],
    ) -> Vec<Embedded> {
        let note = notes[index];
        let links = note.links.iter().zip(&self.links[index]).enumerate();
        let embed = |(number, (link, target)): (usize, (&crate::note::Link, &Target))| {
            let Target::Note { index: to, anchor } = target else { return None };
            let span = link.span.start.checked_sub(note.body)?..link.span.end - note.body;
            let within = |part: &&Range<usize>| part.start <= span.start && span.end <= part.end;
            if link.kind != LinkKind::Embed || part.is_some_and(|part| !within(&part)) {
                return None;
            }
            let part = notes[*to].part(anchor.as_deref())?;
            let part = (part.start, part.end);
            Some(Embedded { link: number, note: *to, anchor: anchor.clone(), part })
        };
        links.filter_map(embed).collect()
    }

    /// Whether an embed of the note `index` would contain itself.
    pub fn is_endless(&self, index: usize, embedded: &Embedded, notes: &[&Note]) -> bool {
        let note = notes[index];
        let span = &note.links[embedded.link].span;
        let span = span.start.saturating_sub(note.body)..span.end.saturating_sub(note.body);
        let mut seen = BTreeSet::new();
        let mut open = vec![(embedded.note, embedded.part)];
        while let Some((at, part)) = open.pop() {
            if at == index && part.0 <= span.start && span.end <= part.1 {
                return true;
            }
            if seen.insert((at, part)) {
                let inner = self.embeds(at, Some(&(part.0..part.1)), notes);
                open.extend(inner.into_iter().map(|embedded| (embedded.note, embedded.part)));
            }
        }
        false
    }

    /// The problems with the embeds of a note.
    pub fn embed_problems(&self, index: usize, notes: &[&Note]) -> Vec<Diagnostic> {
        let note = notes[index];
        let embeds = self.embeds(index, None, notes);
        let endless = embeds.into_iter().filter(|embed| self.is_endless(index, embed, notes));
        let within_lines = note.links.iter().zip(&self.links[index]).filter(|(link, target)| {
            let written = note.source.get(link.span.clone()).unwrap_or_default();
            let is_note = matches!(target, Target::Note { .. });
            link.kind == LinkKind::Wiki && written.starts_with("![[") && is_note
        });
        let within_lines = within_lines.map(|(link, _)| {
            let message = format!("the embed of `{}` is shown as a link", link.target);
            let hint = "put it on a line of its own, with a blank line before and after".to_owned();
            note.at().warning(link.span.clone(), message).hint(hint)
        });
        let endless = endless.map(|embed| {
            let link = &note.links[embed.link];
            let what = match embed.anchor {
                Some(anchor) => format!("“{}#{anchor}”", notes[embed.note].title),
                None => format!("“{}”", notes[embed.note].title),
            };
            let message = format!("this embed makes {what} contain itself");
            let hint = "link to it instead: leave out the `!`".to_owned();
            note.at().error(link.span.clone(), message).hint(hint)
        });
        endless.chain(within_lines).collect()
    }

    /// All notes of which a part is embedded in the note `index`, directly or indirectly, except itself.
    pub fn embedded_in(&self, index: usize, notes: &[&Note]) -> BTreeSet<usize> {
        let mut seen = BTreeSet::new();
        let mut open = vec![index];
        while let Some(at) = open.pop() {
            for embedded in self.embeds(at, None, notes) {
                if seen.insert(embedded.note) {
                    open.push(embedded.note);
                }
            }
        }
        seen.remove(&index);
        seen
    }
}
