//! A note's citations: marks in its text, the list of references, problems with them; and how to cite the note
//! itself.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use neuronotes_core::suggest;

use super::cited::Cited;
use super::scene::Scene;
use crate::bibliography::library::Works;
use crate::bibliography::{self, SelfMeta};
use crate::diagnostic::Diagnostic;
use crate::garden::dates;
use crate::note::{self, Note};
use crate::view::SelfCitationView;

/// The problems with a note's citations.
pub fn problems(note: &Note, works: Option<&Works>) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    for citation in note.citations.iter().filter(|citation| !citation.bare) {
        let Some(works) = works else {
            let message = "the garden has no bibliography";
            let hint = "add one to `neuronotes.yaml`: `bibliography: references.bib`".to_owned();
            problems.push(note.at().warning(citation.span.clone(), message).hint(hint));
            continue;
        };
        for cited in &citation.keys {
            if !works.bibliography.has(&cited.key) {
                let near = works.near(&cited.key);
                let hint = (!near.is_empty())
                    .then(|| format!("did you mean {}?", suggest::quoted(&near, "or")));
                let message = format!("the bibliography has no work `{}`", cited.key);
                problems.push(note.at().warning(cited.span.clone(), message).hint(hint));
            }
        }
    }
    problems
}

impl Scene<'_> {
    fn cited(&self, index: usize) -> Arc<Cited> {
        let all = self.shared.cited.get_or_init(|| {
            self.notes.iter().map(|_| OnceLock::new()).collect::<Vec<OnceLock<Arc<Cited>>>>()
        });
        Arc::clone(all[index].get_or_init(|| Arc::new(self.cite(index))))
    }

    fn cite(&self, index: usize) -> Cited {
        let Some(works) = self.works else { return Cited::default() };
        let note = self.notes[index];
        let groups: Vec<Vec<bibliography::Citation>> = note
            .citations
            .iter()
            .map(|citation| {
                let one = |cited: &note::CitedKey| bibliography::Citation {
                    key: cited.key.clone(),
                    prefix: cited.prefix.clone(),
                    supplement: cited.supplement.clone(),
                    narrative: cited.narrative,
                    authorless: cited.authorless,
                };
                citation.keys.iter().map(one).collect()
            })
            .collect();
        let cited = works.bibliography.cited(&works.style, &groups, &|tex| {
            note::mathml(tex, false)
                .unwrap_or_else(|_| format!("<code>{}</code>", note::escape(tex)))
        });
        let spoken = note.citations.iter().zip(cited.spoken).map(|(citation, spoken)| {
            let is_known = citation.keys.iter().any(|cited| works.bibliography.has(&cited.key));
            if is_known { spoken } else { citation.text.clone() }
        });
        let spoken = spoken.collect();
        let marks = note.citations.iter().zip(cited.citations).map(|(citation, html)| {
            let is_known = citation.keys.iter().any(|cited| works.bibliography.has(&cited.key));
            match (is_known, citation.bare) {
                (true, _) => html,
                (false, true) => note::escape(&citation.text),
                (false, false) => format!(
                    "<span class=\"unknown-work\" title=\"The bibliography has no such work.\">{}</span>",
                    note::escape(&citation.text)
                ),
            }
        });
        let plain = cited
            .references
            .iter()
            .map(|reference| (reference.key.clone(), note::without_tags(&reference.html)));
        let plain = plain.collect();
        let references = cited.references.iter().map(|reference| {
            let label = reference
                .label
                .as_ref()
                .map(|label| format!("<span class=\"reference-label\">{label}</span> "));
            let id = note::escape(&bibliography::anchor(&reference.key));
            let label = label.unwrap_or_default();
            format!("<li id=\"{id}\">{label}<span>{}</span></li>", reference.html)
        });
        Cited { marks: marks.collect(), spoken, references: references.collect(), plain }
    }

    /// Replaces the citations in a text or HTML of the note `index`.
    pub(super) fn spoken<'t>(&self, index: usize, text: &'t str, html: bool) -> Cow<'t, str> {
        let citations = &self.notes[index].citations;
        if citations.is_empty() || !note::has_citations(text) {
            return Cow::Borrowed(text);
        }
        let cited = self.works.map(|_| self.cited(index));
        let spoken = |n: usize| {
            let text = match &cited {
                Some(cited) => cited.spoken.get(n)?,
                None => &citations.get(n)?.text,
            };
            Some(if html { Cow::Owned(note::escape(text)) } else { Cow::Borrowed(text.as_str()) })
        };
        Cow::Owned(note::fill_citations(text, spoken))
    }

    /// HTML of a note's citations on a page; on other pages than its own they link to the note's list.
    pub(super) fn citations(&self, index: usize, page: &str) -> Vec<String> {
        if self.notes[index].citations.is_empty() {
            return Vec::new();
        }
        let marks = self.cited(index).marks.clone();
        let home = &self.garden.pages[index];
        if home == page {
            return marks;
        }
        let list = note::escape(&self.href(page, home, Some("ref-")));
        marks
            .into_iter()
            .map(|mark| mark.replace("href=\"#ref-", &format!("href=\"{list}")))
            .collect()
    }

    pub(super) fn references(&self, index: usize) -> Vec<String> {
        match self.notes[index].citations.is_empty() {
            true => Vec::new(),
            false => self.cited(index).references.clone(),
        }
    }

    /// Key and plain text of each work that a note cites.
    pub(super) fn reference_texts(&self, index: usize) -> Vec<(String, String)> {
        match self.notes[index].citations.is_empty() {
            true => Vec::new(),
            false => self.cited(index).plain.clone(),
        }
    }

    /// How to cite a note, if it names its authors.
    pub(super) fn self_citation(&self, index: usize) -> Option<SelfCitationView> {
        let note = self.notes[index];
        let authors = self.authors(index);
        let first = authors.first()?.parts().1;
        let (written, changed) = dates::of(note, self.git);
        let date = written.or(changed).map(|day| day.to_string());
        let family = first.split_whitespace().next_back().unwrap_or(first);
        let year = date.as_deref().and_then(|date| date.get(..4)).unwrap_or("");
        let word = note::file_slug(note.title.split_whitespace().next().unwrap_or("note"));
        let meta = SelfMeta {
            key: format!("{}{year}{word}", note::file_slug(family)),
            title: note.title.clone(),
            authors: authors.into_iter().cloned().collect(),
            date,
            url: self.config.absolute(&self.shown_path(&self.garden.pages[index])),
            site: self.config.title.clone(),
        };
        let (text, bibtex) = bibliography::self_citation(&meta);
        Some(SelfCitationView { text, bibtex })
    }
}
