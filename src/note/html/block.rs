//! Writes the beginnings and ends of a note's blocks and elements as HTML.

use pulldown_cmark::{CodeBlockKind, Event, Tag, TagEnd};

use super::renderer::Renderer;
use crate::note::fence::is_analysis;
use crate::note::{code, escape};

impl<'e> Renderer<'_, 'e> {
    pub(super) fn start(&mut self, tag: Tag<'e>) {
        match tag {
            Tag::Heading { level, .. } => {
                if self.parts.skip_title && self.headings == 0 {
                    self.title = Some(std::mem::take(&mut self.out));
                } else {
                    if self.depth == 1 {
                        self.block_heading = Some(self.headings);
                    }
                    let open = self.heading_open(level);
                    self.raw(open);
                }
            }
            Tag::CodeBlock(CodeBlockKind::Fenced(info)) if is_analysis(&info) => {
                self.in_analysis = true;
                let figure = self.parts.figures.get(self.figures).cloned().unwrap_or_default();
                self.figures += 1;
                self.out.push(Event::Html(figure.into()));
            }
            Tag::CodeBlock(kind) => {
                let language = match &kind {
                    CodeBlockKind::Fenced(info) => {
                        info.split([' ', ',', '{']).next().unwrap_or("").to_owned()
                    }
                    CodeBlockKind::Indented => String::new(),
                };
                self.code = Some((language, String::new()));
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
                self.found.enter();
                self.footnotes.begin(&name, std::mem::take(&mut self.out));
            }
            tag => self.out.push(Event::Start(tag)),
        }
    }

    pub(super) fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(level) => {
                match self.title.take() {
                    Some(outer) => self.end_title(outer),
                    None => self.heading_end(level),
                }
                self.headings += 1;
            }
            TagEnd::CodeBlock if self.in_analysis => self.in_analysis = false,
            TagEnd::CodeBlock if self.code.is_some() => {
                let (language, text) = self.code.take().unwrap_or_default();
                let inner = code::highlighted(&text, &language).unwrap_or_else(|| escape(&text));
                let class = match language.as_str() {
                    "" => String::new(),
                    language => format!(" class=\"language-{}\"", escape(language)),
                };
                // A wide listing can be scrolled with the keyboard.
                let html = format!("<pre tabindex=\"0\"><code{class}>{inner}</code></pre>\n");
                self.out.push(Event::Html(html.into()));
            }
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
                self.found.leave();
                self.out = self.footnotes.end(std::mem::take(&mut self.out));
            }
            tag => self.out.push(Event::End(tag)),
        }
    }
}
