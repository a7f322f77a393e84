//! Turns the style processor's output into escaped HTML with safe links only, or into plain text.

use hayagriva::citationberg::{FontStyle, FontVariant, FontWeight, VerticalAlign};
use hayagriva::{ElemChild, ElemChildren, ElemMeta, Formatted};
use neuronotes_core::cut::Cut as _;

use super::look::Look;
use super::work::OTHERS;
use crate::tex;

/// HTML of a formula.
pub type MathFn<'m> = &'m dyn Fn(&str) -> String;

/// A work of a group.
#[derive(Clone, Copy)]
pub(super) struct Linked<'k> {
    pub(super) key: &'k str,
    /// Words before and after it that the style does not show.
    pub(super) prefix: Option<&'k str>,
    pub(super) suffix: Option<&'k str>,
    /// Whether only its year is shown.
    pub(super) is_year: bool,
}

/// A group of citations, each linked to its reference.
pub(super) fn citation(children: &ElemChildren, works: &[Linked<'_>], math: MathFn<'_>) -> String {
    let mut out = Writer { works, ..Writer::new(math) };
    out.children(children);
    in_brackets(tidied(out.html), works)
}

/// Years alone are returned without the brackets that the style puts around a group.
fn in_brackets(text: String, works: &[Linked<'_>]) -> String {
    match works.iter().any(|work| work.is_year) {
        true => format!("({text})"),
        false => text,
    }
}

/// An item of the list of references.
pub(super) fn reference(children: &ElemChildren, math: MathFn<'_>) -> String {
    unrepeated(citation(children, &[], math))
}

/// Removes a book's title that is repeated after the volume, because hayagriva takes it for the volume's own title.
fn unrepeated(html: String) -> String {
    const COLON: &str = "</i><i>: </i>";
    /// At most a volume's number is between the two.
    const NEAR: usize = 100;
    let Some(colon) = html.find(COLON) else { return html };
    let Some(start) = html.cut(..colon).rfind("<i>") else { return html };
    let title = format!("{}</i>", html.cut(start..colon));
    let rest = html.cut(colon + COLON.len()..);
    let again = rest.find(&title).filter(|at| *at <= NEAR && !rest.cut(..*at).contains('('));
    let Some(again) = again else { return html };
    let volume = rest.cut(..again).trim_end_matches("<i>. </i>");
    let sign = if volume.is_empty() { "</i>" } else { COLON };
    format!("{}{sign}{volume}{}", html.cut(..colon), rest.cut(again + title.len()..))
}

/// The label before an item.
pub(super) fn label(child: &ElemChild, math: MathFn<'_>) -> String {
    let mut out = Writer::new(math);
    out.child(child);
    out.html.trim().to_owned()
}

/// The text of a group without formatting.
pub(super) fn plain(children: &ElemChildren, works: &[Linked<'_>]) -> String {
    let mut out = String::new();
    write_plain(children, works, &mut out);
    let words: Vec<&str> = out.split_whitespace().collect();
    in_brackets(tidied(words.join(" ")), works)
}

/// Removes separators that styles leave behind for missing parts, and ends a list of names with "et al." if it was
/// abbreviated with `and others`.
fn tidied(text: String) -> String {
    // APA's style leaves a comma in front of a missing month.
    let mut text = if text.contains(",)") { text.replace(",)", ")") } else { text };
    if text.contains(OTHERS) {
        for join in [", and ", " and ", ", &amp; ", " &amp; ", ", & ", " & ", "; ", ", "] {
            text = text.replace(&format!("{join}{OTHERS}"), " et al.");
        }
        text = text.replace(OTHERS, "et al.").replace("et al..", "et al.");
    }
    text
}

fn write_plain(children: &ElemChildren, works: &[Linked<'_>], out: &mut String) {
    for child in &children.0 {
        match child {
            ElemChild::Text(text) | ElemChild::Link { text, .. } => out.push_str(&text.text),
            ElemChild::Markup(text) if Look::read(text).is_none() => {
                out.push_str(&tex::plain(text));
            }
            ElemChild::Markup(_) | ElemChild::Transparent { .. } => {}
            ElemChild::Elem(elem) => match elem.meta {
                Some(ElemMeta::Entry(index)) => {
                    let work = works.get(index).copied();
                    if let Some(prefix) = work.and_then(|work| work.prefix) {
                        out.push_str(prefix);
                        out.push(' ');
                    }
                    write_plain(&elem.children, &[], out);
                    if let Some(suffix) = work.and_then(|work| work.suffix) {
                        out.push_str(", ");
                        out.push_str(suffix);
                    }
                }
                _ => write_plain(&elem.children, works, out),
            },
        }
    }
}

struct Writer<'k, 'm> {
    html: String,
    works: &'k [Linked<'k>],
    math: MathFn<'m>,
    /// Whether the current text is inside a link.
    linked: bool,
    /// Formatting of the current text, in addition to the style's.
    looks: Vec<Look>,
}

impl<'m> Writer<'_, 'm> {
    fn new(math: MathFn<'m>) -> Self {
        Self { html: String::new(), works: &[], math, linked: false, looks: Vec::new() }
    }
}

impl Writer<'_, '_> {
    fn children(&mut self, children: &ElemChildren) {
        for child in &children.0 {
            self.child(child);
        }
    }

    fn child(&mut self, child: &ElemChild) {
        match child {
            ElemChild::Text(text) => self.text(text),
            ElemChild::Markup(text) => match Look::read(text) {
                Some((look, true)) => self.looks.push(look),
                Some((look, false)) => {
                    if let Some(at) = self.looks.iter().rposition(|open| *open == look) {
                        self.looks.remove(at);
                    }
                }
                None => {
                    let formula = (self.math)(text);
                    self.html.push_str(&formula);
                }
            },
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
                let work = match elem.meta {
                    Some(ElemMeta::Entry(index)) if !self.linked => self.works.get(index).copied(),
                    _ => None,
                };
                match work {
                    Some(work) => {
                        if let Some(prefix) = work.prefix {
                            self.escaped(prefix);
                            self.html.push(' ');
                        }
                        self.html.push_str("<a class=\"cite\" href=\"#");
                        self.escaped(&anchor(work.key));
                        self.html.push_str("\">");
                        self.linked = true;
                        self.children(&elem.children);
                        self.linked = false;
                        if let Some(suffix) = work.suffix {
                            self.escaped(", ");
                            self.escaped(suffix);
                        }
                        self.html.push_str("</a>");
                    }
                    None => self.children(&elem.children),
                }
            }
        }
    }

    fn text(&mut self, text: &Formatted) {
        let format = text.formatting;
        let has = |look: Look| self.looks.contains(&look);
        let marks = [
            // Emphasis inside an italic title is upright.
            ((format.font_style == FontStyle::Italic) != has(Look::Emphasized), "i"),
            (format.font_weight == FontWeight::Bold || has(Look::Bold), "b"),
            (format.vertical_align == VerticalAlign::Sup || has(Look::Raised), "sup"),
            (format.vertical_align == VerticalAlign::Sub || has(Look::Lowered), "sub"),
            (has(Look::Code), "code"),
        ];
        let small = format.font_variant == FontVariant::SmallCaps || has(Look::SmallCaps);
        let marks = marks.iter().filter(|(holds, _)| *holds).map(|(_, mark)| *mark);
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

/// Whether an address leads to the web rather than to a script.
fn is_web(url: &str) -> bool {
    ["https://", "http://"].iter().any(|scheme| {
        url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    })
}

/// The id of a reference in a page.
pub fn anchor(key: &str) -> String {
    let key: String = key.chars().map(|c| if c.is_whitespace() { '_' } else { c }).collect();
    format!("ref-{key}")
}
