//! Links and images of a note as HTML, according to their resolved targets.

use pulldown_cmark::{CowStr, Event, LinkType, Tag};

use super::claim;
use super::image::OpenImage;
use super::parts::{NO_NOTE, ResolvedLink};
use super::renderer::Renderer;
use crate::note::escape;
use crate::note::wiki::{is_wiki, wiki_label};

use neuronotes_core::cut::Cut as _;

/// The media type of a file.
enum Medium {
    Picture,
    Audio,
    Video,
    Other,
}

impl<'e> Renderer<'_, 'e> {
    pub(super) fn link(&mut self, link_type: LinkType, dest: &str, title: &str) {
        let resolved = self.parts.links.get(self.links);
        self.links += 1;
        let title_attribute = match title {
            "" => String::new(),
            title => format!(" title=\"{}\"", escape(title)),
        };
        let mut shown = None;
        let (open, end) = match resolved {
            Some(ResolvedLink::Internal { href, id, label, fails }) => {
                shown.clone_from(label);
                let end = if *fails { claim::CITES } else { "</a>" };
                let id = id.as_ref().map(|id| format!(" id=\"{}\"", self.id(id)));
                let id = id.unwrap_or_default();
                let href = escape(href);
                (format!("<a class=\"internal\" href=\"{href}\"{id}{title_attribute}>"), end)
            }
            Some(ResolvedLink::File { href, .. }) => {
                (format!("<a class=\"file\" href=\"{}\"{title_attribute}>", escape(href)), "</a>")
            }
            Some(ResolvedLink::Unresolved) => {
                (format!("<span class=\"unresolved\" title=\"{NO_NOTE}\">"), "</span>")
            }
            Some(ResolvedLink::External | ResolvedLink::Embed { .. }) | None => {
                let mail = if link_type == LinkType::Email { "mailto:" } else { "" };
                let mut href = String::from(mail);
                let _ = pulldown_cmark_escape::escape_href(&mut href, dest);
                let is_site = mail.is_empty() && !dest.starts_with("mailto:");
                let class = match (is_site, self.parts.new_tab) {
                    (false, _) => "",
                    (true, false) => " class=\"external\" rel=\"noopener\"",
                    (true, true) => " class=\"external\" rel=\"noopener\" target=\"_blank\"",
                };
                (format!("<a{class} href=\"{href}\"{title_attribute}>"), "</a>")
            }
        };
        self.raw(open);
        self.ends.push(end);
        if link_type == (LinkType::WikiLink { has_pothole: false }) {
            self.raw(escape(&shown.unwrap_or_else(|| wiki_label(dest))));
            self.hide_text = true;
        }
    }

    /// Writes an image or embed.
    pub(super) fn image(&mut self, link_type: LinkType, dest: &str, title: &str) {
        let resolved = self.parts.links.get(self.links).cloned();
        self.links += 1;
        let wiki = is_wiki(link_type);
        let plain = link_type == (LinkType::WikiLink { has_pothole: false });
        let mut image = OpenImage {
            open: String::new(),
            alt: if plain { wiki_label(dest) } else { String::new() },
            close: String::new(),
            depth: 0,
            is_picture: false,
            is_textless: false,
            title: title.to_owned(),
            size: None,
        };
        match resolved {
            Some(ResolvedLink::File { href, size, variants }) => match medium(&href) {
                Medium::Picture => self.picture(&mut image, &href, size, &variants),
                Medium::Audio => {
                    image.open = format!(
                        "<audio controls preload=\"none\" src=\"{}\" aria-label=\"",
                        escape(&href)
                    );
                    image.close = "\"></audio>".to_owned();
                }
                Medium::Video => {
                    image.open = format!(
                        "<video controls preload=\"none\" src=\"{}\" aria-label=\"",
                        escape(&href)
                    );
                    image.close = "\"></video>".to_owned();
                }
                Medium::Other if wiki => {
                    image.open = format!("<a class=\"file\" href=\"{}\">", escape(&href));
                    image.close = "</a>".to_owned();
                }
                Medium::Other => self.picture(&mut image, &href, size, &variants),
            },
            Some(ResolvedLink::Embed { number }) if self.embeds => {
                image.open = self.parts.embeds.get(number).cloned().unwrap_or_default();
                image.is_textless = true;
            }
            Some(ResolvedLink::Internal { href, label, id, .. }) => {
                if let (true, Some(label)) = (plain, label) {
                    image.alt = label;
                }
                let id = id.map(|id| format!(" id=\"{}\"", self.id(&id))).unwrap_or_default();
                image.open = format!("<a class=\"internal\" href=\"{}\"{id}>", escape(&href));
                image.close = "</a>".to_owned();
            }
            Some(ResolvedLink::Unresolved) => {
                image.open = format!("<span class=\"unresolved\" title=\"{NO_NOTE}\">");
                image.close = "</span>".to_owned();
            }
            Some(ResolvedLink::Embed { .. } | ResolvedLink::External) | None => {
                let mut href = String::new();
                let _ = pulldown_cmark_escape::escape_href(&mut href, dest);
                image.open = format!("<img src=\"{href}\" loading=\"lazy\" alt=\"");
                image.is_picture = true;
            }
        }
        self.hide_text = plain;
        self.image = Some(image);
    }

    /// A picture of the garden: a click enlarges it unless it is part of a link.
    fn picture(
        &self,
        image: &mut OpenImage,
        href: &str,
        size: Option<(u32, u32)>,
        variants: &[(u32, String)],
    ) {
        let href = escape(href);
        let zoom = self.ends.is_empty() && size.is_some();
        if zoom {
            image.open = format!("<a class=\"zoom\" href=\"{href}\">");
        }
        let mut sources: Vec<String> =
            variants.iter().map(|(width, src)| format!("{} {width}w", escape(src))).collect();
        if let (Some((width, _)), false) = (size, sources.is_empty()) {
            sources.push(format!("{href} {width}w"));
        }
        let sources = match sources.is_empty() {
            true => String::new(),
            false => format!(
                " srcset=\"{}\" sizes=\"(min-width: 42rem) 38rem, 100vw\"",
                sources.join(", ")
            ),
        };
        image.open.push_str(&format!("<img src=\"{href}\"{sources} loading=\"lazy\" alt=\""));
        image.close = if zoom { "</a>".to_owned() } else { String::new() };
        image.is_picture = true;
        image.size = size;
    }

    /// Raw HTML with its links resolved. Unresolved addresses stay as written; unresolved wikilinks are marked.
    pub(super) fn raw_links(&mut self, html: CowStr<'e>) -> CowStr<'e> {
        let found = self.found.find(&html);
        if found.is_empty() && self.found.ids().is_empty() {
            return html;
        }
        let mut changes = Vec::new();
        for link in found {
            let resolved = self.parts.links.get(self.links);
            self.links += 1;
            changes.push((link.range.clone(), link.shown(&html, resolved, self.parts.prefix)));
        }
        for id in self.found.ids() {
            let kept = self.parts.html_ids.is_none_or(|ids| ids.contains(&id.id));
            let attribute = match kept && self.used.insert(id.id.clone()) {
                true => format!("id=\"{}{}\"", escape(self.parts.prefix), escape(&id.id)),
                false => String::new(),
            };
            changes.push((id.attribute.clone(), attribute));
        }
        changes.sort_by_key(|(range, _)| range.start);
        let mut out = String::with_capacity(html.len() + 64);
        let mut copied = 0;
        for (range, new) in changes {
            out.push_str(html.cut(copied..range.start));
            out.push_str(&new);
            copied = range.end;
        }
        out.push_str(html.cut(copied..));
        out.into()
    }

    /// Collects the text between an image's start and end. Nested images count as they do in the outline.
    pub(super) fn alternative_text(&mut self, event: Event<'e>) {
        let Some(image) = &mut self.image else { return };
        match event {
            Event::Start(tag) => {
                image.depth += 1;
                self.links += usize::from(matches!(tag, Tag::Image { .. } | Tag::Link { .. }));
            }
            Event::End(_) if image.depth > 0 => image.depth -= 1,
            Event::End(_) => {
                self.hide_text = false;
                if let Some(image) = self.image.take() {
                    let html = image.html();
                    self.raw(html);
                }
            }
            Event::Text(text) | Event::Code(text) if !self.hide_text => image.alt.push_str(&text),
            Event::InlineMath(tex) | Event::DisplayMath(tex) => {
                self.formulas += 1;
                if !self.hide_text {
                    image.alt.push_str(&tex);
                }
            }
            Event::SoftBreak | Event::HardBreak => image.alt.push(' '),
            _ => {}
        }
    }
}

fn medium(href: &str) -> Medium {
    let path = href.split('#').next().unwrap_or(href);
    let ending = path.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    match ending.as_deref() {
        Some("png" | "jpg" | "jpeg" | "gif" | "webp" | "avif" | "svg" | "bmp") => Medium::Picture,
        Some("mp3" | "wav" | "ogg" | "m4a" | "flac") => Medium::Audio,
        Some("mp4" | "webm" | "mov" | "ogv") => Medium::Video,
        _ => Medium::Other,
    }
}
