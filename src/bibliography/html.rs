//! What the style processor makes in, HTML out: escaped, and with links only to where a reader may be sent.

use hayagriva::citationberg::{FontStyle, FontVariant, FontWeight, VerticalAlign};
use hayagriva::{ElemChild, ElemChildren, ElemMeta, Formatted};

use super::anchor;

/// A group of citations, each linked with its reference.
pub(super) fn citation(children: &ElemChildren, keys: &[&str]) -> String {
    let mut out = Writer { html: String::new(), keys, linked: false };
    out.children(children);
    out.html
}

/// An item of the list of references.
pub(super) fn reference(children: &ElemChildren) -> String {
    citation(children, &[])
}

/// What stands before an item.
pub(super) fn label(child: &ElemChild) -> String {
    let mut out = Writer { html: String::new(), keys: &[], linked: false };
    out.child(child);
    out.html.trim().to_owned()
}

struct Writer<'k> {
    html: String,
    keys: &'k [&'k str],
    /// Whether what is written is inside a link.
    linked: bool,
}

impl Writer<'_> {
    fn children(&mut self, children: &ElemChildren) {
        for child in &children.0 {
            self.child(child);
        }
    }

    fn child(&mut self, child: &ElemChild) {
        match child {
            ElemChild::Text(text) => self.text(text),
            ElemChild::Markup(text) => self.escaped(text),
            ElemChild::Transparent { .. } => {}
            ElemChild::Link { text, url } if !self.linked && is_web(url) => {
                self.html.push_str("<a href=\"");
                self.escaped(url);
                self.html.push_str("\">");
                self.text(text);
                self.html.push_str("</a>");
            }
            ElemChild::Link { text, .. } => self.text(text),
            ElemChild::Elem(elem) => {
                let key = match elem.meta {
                    Some(ElemMeta::Entry(index)) if !self.linked => self.keys.get(index),
                    _ => None,
                };
                match key {
                    Some(key) => {
                        self.html.push_str("<a class=\"cite\" href=\"#");
                        self.escaped(&anchor(key));
                        self.html.push_str("\">");
                        self.linked = true;
                        self.children(&elem.children);
                        self.linked = false;
                        self.html.push_str("</a>");
                    }
                    None => self.children(&elem.children),
                }
            }
        }
    }

    fn text(&mut self, text: &Formatted) {
        let format = text.formatting;
        let marks = [
            (format.font_style == FontStyle::Italic, "i"),
            (format.font_weight == FontWeight::Bold, "b"),
            (format.vertical_align == VerticalAlign::Sup, "sup"),
            (format.vertical_align == VerticalAlign::Sub, "sub"),
        ];
        let marks = marks.iter().filter(|(holds, _)| *holds).map(|(_, mark)| *mark);
        let small = format.font_variant == FontVariant::SmallCaps;
        for mark in marks.clone() {
            self.html.extend(["<", mark, ">"]);
        }
        if small {
            self.html.push_str("<span class=\"small-caps\">");
        }
        self.escaped(&text.text);
        if small {
            self.html.push_str("</span>");
        }
        for mark in marks.rev() {
            self.html.extend(["</", mark, ">"]);
        }
    }

    fn escaped(&mut self, text: &str) {
        // Where a part of an item is missing, styles leave two spaces.
        let text = if self.html.ends_with(' ') { text.trim_start_matches(' ') } else { text };
        let _ = pulldown_cmark_escape::escape_html(&mut self.html, text);
    }
}

/// Whether an address leads to the web, and not to a script.
fn is_web(url: &str) -> bool {
    ["https://", "http://"].iter().any(|scheme| {
        url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    })
}
