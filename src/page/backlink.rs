//! Backlinks: the notes that mention a note, a section or a figure, with the sentences.

use std::collections::BTreeMap;

use super::scene::Scene;
use crate::garden::{Incoming, link_number};
use crate::note::{self, LinkKind};
use crate::view::{BacklinkView, LinkView, MentionView};

/// Maximum number of mentions at a section or a figure; the end of the note has them all.
const MOST: usize = 5;

impl Scene<'_> {
    /// Notes that mention the note `index`, the newest first.
    pub(super) fn backlinks(&self, index: usize) -> Vec<BacklinkView> {
        let page = &self.garden.pages[index];
        let mut by_note: BTreeMap<usize, Vec<MentionView>> = BTreeMap::new();
        for incoming in &self.garden.incoming[index] {
            // One sentence with two links to a note mentions it once for each.
            let mentions = by_note.entry(incoming.from).or_default();
            mentions.push(self.mention(page, index, incoming));
        }
        let mut notes: Vec<usize> = by_note.keys().copied().collect();
        notes.sort_by(|a, b| {
            let titles = || self.notes[*a].title.cmp(&self.notes[*b].title);
            self.changed(*b).cmp(&self.changed(*a)).then_with(titles)
        });
        notes
            .into_iter()
            .map(|from| BacklinkView {
                title: self.notes[from].title.clone(),
                href: self.href(page, &self.garden.pages[from], None),
                mentions: by_note.remove(&from).unwrap_or_default(),
            })
            .collect()
    }

    fn mention(&self, page: &str, index: usize, incoming: &Incoming) -> MentionView {
        let from = incoming.from;
        let mention = &incoming.mention;
        let anchor = incoming.to.as_deref();
        let figure = self.figure_label(page, index, anchor);
        // An unlabelled link to a figure shows the figure's number, here as there.
        let unlabelled = |label: &&String| !label.is_empty() && mention.text.contains(" › ");
        let text = match figure.as_ref().filter(unlabelled) {
            Some(label) => label.clone(),
            None => self.filled(from, &mention.text),
        };
        let embeds = if self.is_embed(incoming) { "Embeds " } else { "" };
        let sentence_html = format!(
            "{embeds}{}<mark>{}</mark>{}",
            note::escape(&self.filled(from, &mention.before)),
            note::escape(&text),
            note::escape(&self.filled(from, &mention.after))
        );
        MentionView {
            href: self.href(page, &self.garden.pages[from], Some(&incoming.anchor)),
            sentence_html,
            // The sentence may say it already.
            place: anchor
                .and_then(|anchor| self.place(index, anchor))
                .filter(|place| place.title != text),
            claim: self.doubt_of(index, incoming),
        }
    }

    /// Whether a mention is an embed, which has no surrounding sentence.
    fn is_embed(&self, incoming: &Incoming) -> bool {
        let links = &self.notes[incoming.from].links;
        let link = link_number(&incoming.anchor).and_then(|number| links.get(number));
        link.is_some_and(|link| link.kind == LinkKind::Embed)
    }

    /// The name of a section or figure of a note in its mentions.
    fn place(&self, index: usize, anchor: &str) -> Option<LinkView> {
        let note = self.notes[index];
        let page = &self.garden.pages[index];
        let heading = note.headings.iter().find(|heading| heading.id == anchor);
        let title = match heading {
            Some(heading) => self.filled(index, &heading.shown),
            None => self.figure_label(page, index, Some(anchor))?,
        };
        Some(LinkView { title, href: self.href(page, page, Some(anchor)) })
    }

    /// Notes that mention a section or figure of the note `index`, each once per place.
    pub(super) fn mentions_of(&self, index: usize, page: &str, anchor: &str) -> Vec<LinkView> {
        let mut mentions: Vec<(usize, LinkView)> = Vec::new();
        for incoming in &self.garden.incoming[index] {
            let from = incoming.from;
            if incoming.to.as_deref() == Some(anchor) && mentions.iter().all(|(n, _)| *n != from) {
                let href = self.href(page, &self.garden.pages[from], Some(&incoming.anchor));
                mentions.push((from, LinkView { title: self.notes[from].title.clone(), href }));
            }
        }
        mentions.into_iter().map(|(_, link)| link).collect()
    }
}

/// Whether a mention is or cites a claim that does not hold.
pub(super) fn has_claims(backlinks: &[BacklinkView]) -> bool {
    backlinks.iter().any(|from| from.mentions.iter().any(|mention| !mention.claim.is_empty()))
}

/// A line with links to the notes that mention a section; empty if there are none.
pub(super) fn line(mentions: &[LinkView]) -> String {
    if mentions.is_empty() {
        return String::new();
    }
    let link = |link: &LinkView| {
        let (href, title) = (note::escape(&link.href), note::escape(&link.title));
        format!("<a class=\"internal\" href=\"{href}\">{title}</a>")
    };
    let mut links: Vec<String> = mentions.iter().take(MOST).map(link).collect();
    if mentions.len() > MOST {
        let more = mentions.len() - MOST;
        links.push(format!("<a href=\"#backlinks-heading\">{more} more</a>"));
    }
    format!("<p class=\"mentions\">Mentioned in {}</p>\n", links.join(", "))
}
