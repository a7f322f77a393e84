//! Links of a note in the outline, both in Markdown and in raw HTML.

use std::ops::Range;

use pulldown_cmark::LinkType;

use super::super::raw::{Form, plain_end};
use super::super::wiki::{is_wiki, wiki_label};

/// Maximum number of bytes of HTML before a link that are used for its sentence.
const BEFORE: usize = 600;

use super::Walk;
use super::mention::Sentences;
use super::part::{Link, LinkKind, Mention};

use neuronotes_core::cut::Cut as _;

impl Walk<'_> {
    pub(super) fn settle_links(&mut self) {
        if self.here.is_empty() {
            return;
        }
        let sentences = Sentences::of(&self.flat);
        for (index, place) in std::mem::take(&mut self.here) {
            self.out.links[index].mention = sentences.around(place);
        }
    }

    /// Links in raw HTML, inline or in a block.
    pub(super) fn raw_links(&mut self, html: &str, range: Range<usize>, within_line: bool) {
        if within_line && html.to_ascii_lowercase().starts_with("</a") {
            self.end_raw_link();
        }
        let links = self.raw.find(html);
        for id in self.raw.ids() {
            let place = range.start + id.attribute.start..range.start + id.attribute.end;
            self.out.html_ids.push((id.id.clone(), place));
        }
        self.out.marks.append(&mut self.raw.marks);
        for found in links {
            let (target, fragment) = match found.target.split_once('#') {
                Some((target, fragment)) => (target, Some(fragment.to_owned())),
                None => (&*found.target, None),
            };
            let text = match (found.form, found.label.as_str()) {
                (Form::Wiki, "") => wiki_label(&found.target),
                (_, label) => label.to_owned(),
            };
            if within_line && found.form == Form::Href {
                self.end_raw_link();
                self.raw_link = Some((self.out.links.len(), self.flat.len()));
            }
            let before = plain_end(html.cut(..found.range.start), BEFORE);
            let spaced = if before.is_empty() { before } else { format!("{before} ") };
            self.out.links.push(Link {
                kind: match found.form {
                    Form::Wiki => LinkKind::Wiki,
                    Form::Href => LinkKind::Markdown,
                    Form::Src => LinkKind::Image,
                },
                target: target.to_owned(),
                fragment,
                span: range.start + found.range.start..range.start + found.range.end,
                mention: Mention { before: spaced, text, after: String::new() },
                section: self.out.headings.len().checked_sub(1),
            });
        }
    }

    pub(super) fn end_raw_link(&mut self) {
        if let Some((index, start)) = self.raw_link.take() {
            self.here.push((index, start..self.flat.len()));
        }
    }

    pub(super) fn link(
        &mut self,
        link_type: LinkType,
        dest: &str,
        range: Range<usize>,
        image: bool,
    ) {
        let wiki = is_wiki(link_type);
        let kind = match (wiki, image) {
            (true, false) => LinkKind::Wiki,
            // A note cannot be embedded within a line, so this is a link.
            (true, true) if self.in_embeds => LinkKind::Embed,
            (true, true) => LinkKind::Wiki,
            (false, false) => LinkKind::Markdown,
            (false, true) => LinkKind::Image,
        };
        // In a table, the bar before a label is written `\|`, and the backslash remains.
        let dest = if wiki { dest.strip_suffix('\\').unwrap_or(dest) } else { dest };
        let (target, fragment) = match dest.split_once('#') {
            Some((target, fragment)) => (target, Some(fragment.to_owned())),
            None => (dest, None),
        };
        let email = link_type == LinkType::Email;
        let start = self.flat.len();
        if link_type == (LinkType::WikiLink { has_pothole: false }) {
            self.text(&wiki_label(dest));
            self.hide_text = true;
        }
        self.open_links.push((self.out.links.len(), start));
        self.out.links.push(Link {
            kind,
            target: if email { format!("mailto:{target}") } else { target.trim().to_owned() },
            fragment,
            span: range,
            mention: Mention::default(),
            section: self.out.headings.len().checked_sub(1),
        });
    }
}
