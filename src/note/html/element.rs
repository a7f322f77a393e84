//! Elements that CommonMark does not have: anchored headings, mathematics, tags.

use pulldown_cmark::{Event, HeadingLevel, html};

use super::footnote;
use super::renderer::Renderer;
use crate::note::{escape, math};

/// The check box of a task with a state other than done or open.
pub(super) fn task(sign: char) -> String {
    let state = match sign {
        '/' => "in progress",
        '-' => "cancelled",
        '>' => "postponed",
        '<' => "scheduled",
        '?' => "in question",
        '!' => "important",
        _ => "marked",
    };
    let sign = escape(&sign.to_string());
    format!("<input type=\"checkbox\" disabled data-task=\"{sign}\" aria-label=\"{state}\"> ")
}

impl<'e> Renderer<'_, 'e> {
    pub(super) fn tag(&mut self, name: &str) {
        if let Some(image) = &mut self.image {
            image.alt.push_str(&format!("#{name}"));
        } else if !self.hidden() {
            let html = match self.parts.tags {
                Some(tags) => format!(
                    "<a class=\"tag\" href=\"{}\">{}</a>",
                    escape(&tags(name)),
                    escape(name)
                ),
                None => format!("#{}", escape(name)),
            };
            self.raw(html);
        }
    }

    pub(super) fn math(&mut self, tex: &str, display: bool) {
        self.formulas += 1;
        if self.hidden() {
            return;
        }
        let html = match self.parts.formulas.get(self.formulas - 1) {
            Some(html) => math::placed(html, self.parts.prefix),
            None => math::mathml(tex, display).unwrap_or_else(|fault| math::unread(tex, &fault)),
        };
        match display {
            _ if html.is_empty() => {}
            true => self.raw(format!("<span class=\"math-display\" tabindex=\"0\">{html}</span>")),
            false => self.raw(html),
        }
    }

    /// A place that a link may lead to.
    fn place(&self, id: &str) -> String {
        format!("<span class=\"block-anchor\" id=\"{}\"></span>", self.id(id))
    }

    /// The heading that is the note's title is shown by the page, with its anchors.
    pub(super) fn end_title(&mut self, outer: Vec<Event<'e>>) {
        let mut html = String::new();
        if let Some(heading) = self.parts.headings.get(self.headings) {
            let ids = std::iter::once(&heading.id).chain(&heading.moved);
            html.extend(ids.map(|id| self.place(id)));
        }
        html::push_html(&mut html, self.out.drain(..));
        self.out = outer;
        self.done.title = Some(footnote::without_marks(&html).trim().to_owned());
    }

    pub(super) fn heading_open(&self, level: HeadingLevel) -> String {
        let Some(heading) = self.parts.headings.get(self.headings) else {
            return format!("\n<{level}>");
        };
        let moved: String = heading.moved.iter().map(|id| self.place(id)).collect();
        format!("\n<{level} id=\"{}\">{moved}", self.id(&heading.id))
    }

    pub(super) fn heading_end(&mut self, level: HeadingLevel) {
        let heading = self.parts.headings.get(self.headings);
        let anchor = heading.map_or_else(String::new, |heading| {
            format!(
                " <a class=\"anchor\" href=\"#{}\" aria-label=\"Link to this section\">#</a>",
                self.id(&heading.id)
            )
        });
        let after = heading.map_or("", |heading| heading.after_html.as_str());
        self.raw(format!("{anchor}</{level}>\n{after}"));
    }
}
