//! A note's Markdown as HTML, with links resolved and figures in their places.
//!
//! The second pass over the syntax tree; the n-th link and the n-th block are those of the outline, so what
//! the garden resolved is looked up by number. Code, mathematics and YAML are never rewritten, because links
//! are found in the tree and not in the text.

use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, CowStr, Event, LinkType, Parser, Tag, TagEnd, html};

use super::footnote::Footnotes;
use super::inline;
use super::outline::{OPTIONS, is_analysis, wiki_label};
use super::raw::Raw;

/// What the garden made of a link.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub enum ResolvedLink {
    /// A note, or a place in one.
    Internal {
        /// Relative to the page.
        href: String,
        /// The anchor of the link itself, so that backlinks can point to it.
        id: Option<String>,
    },
    /// An image or another file that is copied.
    File {
        /// Relative to the page.
        href: String,
        /// Pixels across and down, for an image.
        size: Option<(u32, u32)>,
    },
    /// Another site.
    External,
    /// Nothing that the garden has.
    Unresolved,
}

/// What stands on a page in the place of an inline value.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ShownValue {
    /// Plain text, for sentences and for images' alternative texts.
    pub text: String,
    /// An element.
    pub html: String,
    /// Of the figure that it is out of, relative to the page, where there is one.
    pub href: Option<String>,
}

impl ShownValue {
    /// The element, linked to its figure.
    fn linked(&self) -> String {
        match &self.href {
            Some(href) => {
                format!("<a class=\"quoted\" href=\"{}\">{}</a>", escape(href), self.html)
            }
            None => self.html.clone(),
        }
    }
}

/// What the page puts into a note.
#[derive(Debug, Clone, Copy)]
pub struct Parts<'a> {
    /// A heading's anchor each.
    pub headings: &'a [String],
    /// A link's resolution each.
    pub links: &'a [ResolvedLink],
    /// A figure's HTML each.
    pub figures: &'a [String],
    /// What is shown for each value; those of the prose come first.
    pub values: &'a [ShownValue],
    /// Whether the first heading is the title, which the page shows already.
    pub skip_title: bool,
}

/// What an unresolved link says when it is pointed at.
pub(super) const NO_NOTE: &str = "There is no note that matches this link.";

/// Renders a note's Markdown.
pub fn render(markdown: &str, parts: Parts<'_>) -> String {
    Renderer::new(markdown, parts).run()
}

/// Renders a caption or a configured line: Markdown with its links and values resolved, without the paragraph around.
pub fn render_inline(markdown: &str, links: &[ResolvedLink], values: &[ShownValue]) -> String {
    let parts = Parts { headings: &[], links, figures: &[], values, skip_title: false };
    let html = render(markdown, parts);
    let trimmed = html.trim();
    match trimmed.strip_prefix("<p>").and_then(|rest| rest.strip_suffix("</p>")) {
        Some(inner) if !inner.contains("<p>") => inner.to_owned(),
        _ => trimmed.to_owned(),
    }
}

struct Renderer<'p, 'e> {
    markdown: &'e str,
    parts: Parts<'p>,
    out: Vec<Event<'e>>,
    headings: usize,
    links: usize,
    figures: usize,
    values: usize,
    /// How each open link ends.
    ends: Vec<&'static str>,
    hide_text: bool,
    in_analysis: bool,
    skipping_title: bool,
    /// The open image, whose text becomes its alternative text.
    image: Option<OpenImage>,
    footnotes: Footnotes<'e>,
    raw: Raw,
}

struct OpenImage {
    /// The tag up to the alternative text.
    open: String,
    alt: String,
    /// From the alternative text to the tag's end.
    close: String,
    depth: usize,
}

impl<'p, 'e> Renderer<'p, 'e> {
    fn new(markdown: &'e str, parts: Parts<'p>) -> Self {
        Self {
            markdown,
            parts,
            out: Vec::new(),
            headings: 0,
            links: 0,
            figures: 0,
            values: 0,
            ends: Vec::new(),
            hide_text: false,
            in_analysis: false,
            skipping_title: false,
            image: None,
            footnotes: Footnotes::default(),
            raw: Raw::default(),
        }
    }

    fn run(mut self) -> String {
        for (event, range) in Parser::new_ext(self.markdown, OPTIONS).into_offset_iter() {
            self.event(event, range);
        }
        let mut text = String::with_capacity(self.markdown.len() * 3 / 2);
        let footnotes = std::mem::take(&mut self.footnotes);
        html::push_html(&mut text, self.out.into_iter());
        footnotes.write(&mut text);
        text
    }

    fn raw(&mut self, html: impl Into<CowStr<'e>>) {
        self.out.push(Event::InlineHtml(html.into()));
    }

    fn event(&mut self, event: Event<'e>, range: Range<usize>) {
        let event = match event {
            Event::Code(text) => match self.value(&text, range) {
                // The outline counts a value wherever it stands, and so must this.
                Some(value) if self.image.is_some() => Event::Text(value.text.clone().into()),
                // A link within a link is none.
                Some(value) if !self.ends.is_empty() => {
                    Event::InlineHtml(value.html.clone().into())
                }
                Some(value) => Event::InlineHtml(value.linked().into()),
                None => Event::Code(text),
            },
            Event::Html(html) => Event::Html(self.raw_links(html)),
            Event::InlineHtml(html) => Event::InlineHtml(self.raw_links(html)),
            event => event,
        };
        if self.image.is_some() {
            return self.alternative_text(event);
        }
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(_) | Event::Code(_) if self.hidden() => {}
            Event::FootnoteReference(name) => {
                let mark = self.footnotes.cite(&name);
                self.raw(mark);
            }
            // A check box has no label of its own: it is part of its item, and cannot be ticked here.
            Event::TaskListMarker(done) => {
                let checked = if done { " checked" } else { "" };
                let state = if done { "done" } else { "to do" };
                self.raw(format!(
                    "<input type=\"checkbox\" disabled aria-label=\"{state}\"{checked}> "
                ));
            }
            event if self.hidden() => drop(event),
            event => self.out.push(event),
        }
    }

    /// Raw HTML with its links resolved. What the garden does not have stays as it is written, but for wikilinks.
    fn raw_links(&mut self, html: CowStr<'e>) -> CowStr<'e> {
        let found = self.raw.find(&html);
        if found.is_empty() {
            return html;
        }
        let mut out = String::with_capacity(html.len() + 64);
        let mut copied = 0;
        for link in found {
            let resolved = self.parts.links.get(self.links);
            self.links += 1;
            let new = link.shown(&html, resolved);
            out.push_str(&html[copied..link.range.start]);
            out.push_str(&new);
            copied = link.range.end;
        }
        out.push_str(&html[copied..]);
        out.into()
    }

    /// What is shown for code that is a value.
    fn value(&mut self, text: &str, range: Range<usize>) -> Option<&'p ShownValue> {
        inline::of_code(&self.markdown[range], text)?;
        self.values += 1;
        self.parts.values.get(self.values - 1)
    }

    fn hidden(&self) -> bool {
        self.hide_text || self.in_analysis || self.skipping_title
    }

    fn start(&mut self, tag: Tag<'e>) {
        match tag {
            Tag::Heading { level, .. } => {
                self.skipping_title = self.parts.skip_title && self.headings == 0;
                if !self.skipping_title {
                    let id = self.parts.headings.get(self.headings).map_or("", String::as_str);
                    self.raw(format!("\n<{level} id=\"{}\">", escape(id)));
                }
            }
            Tag::CodeBlock(CodeBlockKind::Fenced(info)) if is_analysis(&info) => {
                self.in_analysis = true;
                let figure = self.parts.figures.get(self.figures).cloned().unwrap_or_default();
                self.figures += 1;
                self.out.push(Event::Html(figure.into()));
            }
            Tag::Table(alignments) => {
                self.raw(
                    "\n<div class=\"table\" role=\"region\" aria-label=\"Table\" tabindex=\"0\">",
                );
                self.out.push(Event::Start(Tag::Table(alignments)));
            }
            Tag::Link { link_type, dest_url, title, .. } => self.link(link_type, &dest_url, &title),
            Tag::Image { link_type, dest_url, title, .. } => {
                self.image(link_type, &dest_url, &title);
            }
            Tag::FootnoteDefinition(name) => {
                self.footnotes.begin(&name, std::mem::take(&mut self.out));
            }
            tag => self.out.push(Event::Start(tag)),
        }
    }

    fn link(&mut self, link_type: LinkType, dest: &str, title: &str) {
        let resolved = self.parts.links.get(self.links);
        self.links += 1;
        let title_attribute = match title {
            "" => String::new(),
            title => format!(" title=\"{}\"", escape(title)),
        };
        let (open, end) = match resolved {
            Some(ResolvedLink::Internal { href, id }) => {
                let id =
                    id.as_ref().map(|id| format!(" id=\"{}\"", escape(id))).unwrap_or_default();
                let href = escape(href);
                (format!("<a class=\"internal\" href=\"{href}\"{id}{title_attribute}>"), "</a>")
            }
            Some(ResolvedLink::File { href, .. }) => {
                (format!("<a class=\"file\" href=\"{}\"{title_attribute}>", escape(href)), "</a>")
            }
            Some(ResolvedLink::Unresolved) => {
                (format!("<span class=\"unresolved\" title=\"{NO_NOTE}\">"), "</span>")
            }
            Some(ResolvedLink::External) | None => {
                let mail = if link_type == LinkType::Email { "mailto:" } else { "" };
                let mut href = String::from(mail);
                let _ = pulldown_cmark_escape::escape_href(&mut href, dest);
                let class =
                    if mail.is_empty() { " class=\"external\" rel=\"noopener\"" } else { "" };
                (format!("<a{class} href=\"{href}\"{title_attribute}>"), "</a>")
            }
        };
        self.raw(open);
        self.ends.push(end);
        if link_type == (LinkType::WikiLink { has_pothole: false }) {
            self.raw(escape(&wiki_label(dest)));
            self.hide_text = true;
        }
    }

    /// An image, or an embedded note, which is shown as a link to it.
    fn image(&mut self, link_type: LinkType, dest: &str, title: &str) {
        let resolved = self.parts.links.get(self.links);
        self.links += 1;
        let wiki = matches!(link_type, LinkType::WikiLink { .. });
        let mut close = match title {
            "" => "\">".to_owned(),
            title => format!("\" title=\"{}\">", escape(title)),
        };
        let open = match resolved {
            Some(ResolvedLink::File { href, size }) => {
                if let Some((width, height)) = size {
                    close.insert_str(1, &format!(" width=\"{width}\" height=\"{height}\""));
                }
                format!("<img src=\"{}\" loading=\"lazy\" alt=\"", escape(href))
            }
            Some(ResolvedLink::Internal { href, .. }) => {
                close = "</a>".to_owned();
                format!("<a class=\"internal\" href=\"{}\">", escape(href))
            }
            Some(ResolvedLink::Unresolved) => {
                close = "</span>".to_owned();
                format!("<span class=\"unresolved\" title=\"{NO_NOTE}\">")
            }
            Some(ResolvedLink::External) | None => {
                let mut href = String::new();
                let _ = pulldown_cmark_escape::escape_href(&mut href, dest);
                format!("<img src=\"{href}\" loading=\"lazy\" alt=\"")
            }
        };
        let plain = link_type == (LinkType::WikiLink { has_pothole: false });
        let alt = if wiki && plain { wiki_label(dest) } else { String::new() };
        self.hide_text = plain;
        self.image = Some(OpenImage { open, alt, close, depth: 0 });
    }

    /// Between an image's start and its end only text counts. Images within it count as outlined links.
    fn alternative_text(&mut self, event: Event<'e>) {
        let Some(image) = &mut self.image else { return };
        match event {
            Event::Start(tag) => {
                image.depth += 1;
                self.links += usize::from(matches!(tag, Tag::Image { .. } | Tag::Link { .. }));
            }
            Event::End(_) if image.depth > 0 => image.depth -= 1,
            Event::End(_) => {
                self.hide_text = false;
                if let Some(OpenImage { open, alt, close, .. }) = self.image.take() {
                    self.raw(format!("{open}{}{close}", escape(alt.trim())));
                }
            }
            Event::Text(text) | Event::Code(text) if !self.hide_text => image.alt.push_str(&text),
            Event::SoftBreak | Event::HardBreak => image.alt.push(' '),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(level) => {
                if self.skipping_title {
                    self.skipping_title = false;
                } else {
                    let id = self.parts.headings.get(self.headings).map_or("", String::as_str);
                    let href = escape(id);
                    self.raw(format!(
                        " <a class=\"anchor\" href=\"#{href}\" aria-label=\"Link to this section\">#</a></{level}>\n"
                    ));
                }
                self.headings += 1;
            }
            TagEnd::CodeBlock if self.in_analysis => self.in_analysis = false,
            TagEnd::Table => {
                self.out.push(Event::End(TagEnd::Table));
                self.raw("</div>\n");
            }
            TagEnd::Link => {
                self.hide_text = false;
                let end = self.ends.pop().unwrap_or("</a>");
                self.raw(end);
            }
            TagEnd::FootnoteDefinition => {
                self.out = self.footnotes.end(std::mem::take(&mut self.out));
            }
            tag => self.out.push(Event::End(tag)),
        }
    }
}

/// Text for HTML, attribute values included.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let _ = pulldown_cmark_escape::escape_html(&mut out, text);
    out
}
