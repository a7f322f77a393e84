//! Plain text and excerpts of notes, with values, citations and figures' names inserted.

use super::scene::Scene;
use crate::note::{self, LinkKind};

impl Scene<'_> {
    /// A note's description in lists, feeds and search engines: its author's, or else its opening, or else that of
    /// its first embed.
    pub(super) fn description(&self, index: usize) -> String {
        let note = self.notes[index];
        if let Some(own) = &note.front.description {
            return own.clone();
        }
        let words = self.named(index, self.filled(index, &note.excerpt));
        if !words.is_empty() {
            return words;
        }
        let embeds = self.garden.embeds(index, None, self.notes);
        let Some(first) = embeds.first() else { return words };
        let other = self.notes[first.note];
        match first.anchor.as_deref() {
            None => self.named(first.note, self.filled(first.note, &other.excerpt)),
            Some(anchor) => {
                let figure = other.blocks.iter().find(|block| block.id == anchor);
                let caption = figure.map(|block| block.caption_text.trim()).unwrap_or_default();
                self.filled(first.note, caption)
            }
        }
    }

    /// Plain text from the note `index`, with its values and citations inserted.
    pub(super) fn filled(&self, index: usize, text: &str) -> String {
        let cited = self.spoken(index, text, false);
        note::fill(&cited, |n| self.quoted[index].shown.get(n).map(|value| &*value.text))
    }

    /// HTML from the note `index`, with its values and citations inserted.
    pub(super) fn filled_html(&self, index: usize, html: &str) -> String {
        let shown = |n: usize| self.quoted[index].shown.get(n);
        note::fill(&self.spoken(index, html, true), |n| shown(n).map(|value| &*value.escaped))
    }

    /// Replaces unlabelled links to figures, `Faces › vis`, by the page's text: `Figure 2 of Faces`.
    fn named(&self, index: usize, mut text: String) -> String {
        if !text.contains(" › ") {
            return text;
        }
        let page = &self.garden.pages[index];
        let links = self.notes[index].links.iter().zip(&self.garden.links[index]);
        for (link, target) in links {
            let words = &link.mention.text;
            let crate::garden::Target::Note { index: to, anchor } = target else { continue };
            if link.kind != LinkKind::Wiki || !words.contains(" › ") || !text.contains(words) {
                continue;
            }
            if let Some(label) = self.figure_label(page, *to, anchor.as_deref()) {
                text = text.replacen(words, &label, 1);
            }
        }
        text
    }
}
