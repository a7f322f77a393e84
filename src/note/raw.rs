//! Links in raw HTML: finds the positions of addresses and wikilinks.
//!
//! Markdown does not parse HTML, so these links are in no syntax tree. Comments, scripts, styles and code are
//! skipped. HTML comes in pieces, mostly lines, and state carries over from one to the next. The outline and the page
//! process the same pieces in the same order, so both number links alike.

use std::borrow::Cow;
use std::ops::Range;

use super::escape;
use super::html::parts::{NO_NOTE, ResolvedLink};
use super::wiki::wiki_label;

use neuronotes_core::cut::Cut as _;

/// A link in raw HTML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its syntax.
    pub form: Form,
    /// Span in the piece: of the address, or of the wikilink with its brackets.
    pub range: Range<usize>,
    /// Its target with fragment.
    pub target: String,
    /// Text of a link; `None` for an embedded file.
    pub label: String,
    /// Whether its tag has an `id` of its own.
    pub named: bool,
}

/// The syntax of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `[[target|label]]`
    Wiki,
    /// `<a href="target">`
    Href,
    /// `<img src="target">` and similar
    Src,
}

impl Found {
    /// The replacement for it in the piece `html`. An unresolved address stays as written.
    pub fn shown(&self, html: &str, resolved: Option<&ResolvedLink>, prefix: &str) -> String {
        let label = || match self.label.as_str() {
            "" => escape(&wiki_label(&self.target)),
            label => escape(label),
        };
        match (self.form, resolved) {
            (Form::Wiki, Some(ResolvedLink::Internal { href, id, .. })) => {
                let id = given(id.as_deref(), prefix, '"');
                format!("<a class=\"internal\" href=\"{}\"{id}>{}</a>", escape(href), label())
            }
            (Form::Wiki, Some(ResolvedLink::File { href, .. })) => {
                format!("<a class=\"file\" href=\"{}\">{}</a>", escape(href), label())
            }
            (Form::Wiki, _) => {
                format!("<span class=\"unresolved\" title=\"{NO_NOTE}\">{}</span>", label())
            }
            (_, Some(ResolvedLink::File { href, .. } | ResolvedLink::Internal { href, .. })) => {
                let id = match resolved {
                    Some(ResolvedLink::Internal { id, .. }) if !self.named => id.as_deref(),
                    _ => None,
                };
                let quote =
                    html.cut(..self.range.start).chars().last().filter(|c| matches!(c, '"' | '\''));
                let id = given(id, prefix, quote.unwrap_or('"'));
                match quote {
                    // The quotation mark after the address closes the inserted attribute.
                    Some(quote) if !id.is_empty() => {
                        let open = id.strip_suffix(quote).unwrap_or(&id);
                        format!("{}{quote}{open}", escape(href))
                    }
                    Some(_) => escape(href),
                    None => format!("\"{}\"{id}", escape(href)),
                }
            }
            _ => html.cut(self.range.clone()).to_owned(),
        }
    }
}

/// An attribute for an anchor.
fn given(id: Option<&str>, prefix: &str, quote: char) -> String {
    id.map(|id| format!(" id={quote}{}{}{quote}", escape(prefix), escape(id))).unwrap_or_default()
}

/// Maximum number of bytes of a link's text that are read.
const LONGEST_LABEL: usize = 2000;

/// The state between two pieces.
#[derive(Debug, Default)]
pub struct Raw {
    /// The end mark of the open comment, script, style or code.
    until: Option<&'static str>,
    /// Name of the open tag.
    tag: Option<String>,
    /// The enclosing states of open footnotes.
    around: Vec<(Option<&'static str>, Option<String>)>,
    /// The `id`s in the last piece.
    ids: Vec<Id>,
    /// Anchors so far: by `id`, or by `name` in old HTML.
    pub marks: Vec<String>,
}

/// An `id` in raw HTML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Id {
    /// Span of the whole attribute in the piece.
    pub attribute: Range<usize>,
    /// The id as on the page.
    pub id: String,
}

/// Elements whose text is not prose, with their end tags.
const OPAQUE: [(&str, &str); 5] = [
    ("script", "</script"),
    ("style", "</style"),
    ("pre", "</pre"),
    ("code", "</code"),
    ("textarea", "</textarea"),
];

impl Raw {
    /// A footnote begins: it is shown elsewhere, so its state is separate.
    pub fn enter(&mut self) {
        self.around.push((self.until.take(), self.tag.take()));
    }

    /// A footnote ends: the enclosing state is restored.
    pub fn leave(&mut self) {
        if let Some((until, tag)) = self.around.pop() {
            (self.until, self.tag) = (until, tag);
        }
    }

    /// The `id`s in the last piece, in order.
    pub fn ids(&self) -> &[Id] {
        &self.ids
    }

    /// The links in the next piece, in order.
    pub fn find(&mut self, html: &str) -> Vec<Found> {
        self.ids.clear();
        let mut found = Vec::new();
        let mut at = 0;
        while at < html.len() {
            if let Some(end) = self.until {
                let Some(length) = position(html.cut(at..), end) else { return found };
                self.until = None;
                at += length + end.len();
                continue;
            }
            if let Some(name) = self.tag.take() {
                at = self.attributes(html, at, name, &mut found);
                continue;
            }
            let rest = html.cut(at..);
            let Some(next) = rest.find(['<', '[']) else { return found };
            at += next;
            let rest = rest.cut(next..);
            if rest.starts_with("<!--") {
                self.until = Some("-->");
            } else if let Some(link) = wiki(rest) {
                let range = at..at + link.range.end;
                at = range.end;
                found.push(Found { range, ..link });
            } else {
                let name = rest
                    .cut(1..)
                    .split(|c: char| !c.is_ascii_alphanumeric())
                    .next()
                    .unwrap_or_default();
                at += 1;
                if rest.starts_with('<') && !name.is_empty() {
                    at += name.len();
                    self.tag = Some(name.to_ascii_lowercase());
                }
            }
        }
        found
    }

    /// Reads a tag's attributes from `at`; returns where the text continues.
    fn attributes(
        &mut self,
        html: &str,
        mut at: usize,
        tag: String,
        found: &mut Vec<Found>,
    ) -> usize {
        let first = found.len();
        let wanted = match tag.as_str() {
            "a" | "area" => Some(("href", Form::Href)),
            "img" | "video" | "audio" | "source" => Some(("src", Form::Src)),
            _ => None,
        };
        let mut named = false;
        loop {
            let rest = html.cut(at..);
            at +=
                rest.len() - rest.trim_start_matches(|c: char| c.is_whitespace() || c == '/').len();
            let rest = html.cut(at..);
            if rest.is_empty() {
                self.tag = Some(tag);
                break;
            }
            if rest.starts_with('>') {
                at += 1;
                self.until = OPAQUE.iter().find(|(name, _)| *name == tag).map(|(_, end)| *end);
                break;
            }
            let length =
                rest.find(|c: char| c.is_whitespace() || "=>/".contains(c)).unwrap_or(rest.len());
            let name = rest.cut(..length).to_ascii_lowercase();
            let begins = at;
            // A lone sign, as in `<a ="x">`.
            at += length.max(usize::from(length == 0));
            let Some(value) = value(html, &mut at) else { continue };
            if name == "id" {
                named = true;
                let id = unescaped(html.cut(value.clone())).into_owned();
                self.ids.push(Id { attribute: begins..at, id });
            }
            if name == "id" || (name == "name" && tag == "a") {
                let mark = unescaped(html.cut(value.clone())).trim().to_owned();
                if !mark.is_empty() {
                    self.marks.push(mark);
                }
            }
            if let Some((attribute, form)) = wanted
                && attribute == name
                && is_local(html.cut(value.clone()))
            {
                let target = unescaped(html.cut(value.clone())).trim().to_owned();
                let label = String::new();
                found.push(Found { form, range: value, target, label, named });
            }
        }
        for link in &mut found[first..] {
            link.named = named;
            if link.form == Form::Href {
                let text = up_to(html.cut(at..), LONGEST_LABEL);
                let end = position(text, "</a").unwrap_or(text.len());
                link.label = plain(text.cut(..end));
            }
        }
        at
    }
}

/// Span of an attribute's value, if it has one; returns where the text continues.
fn value(html: &str, at: &mut usize) -> Option<Range<usize>> {
    let rest = html.cut(*at..);
    let after = rest.trim_start().strip_prefix('=')?.trim_start();
    let start = html.len() - after.len();
    let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''));
    let range = match quote {
        Some(quote) => {
            let length = after.cut(1..).find(quote).unwrap_or(after.len() - 1);
            start + 1..start + 1 + length
        }
        None => {
            let length = after.find(|c: char| c.is_whitespace() || c == '>').unwrap_or(after.len());
            start..start + length
        }
    };
    *at = (range.end + usize::from(quote.is_some())).min(html.len());
    Some(range)
}

/// The wikilink at the start of a text.
fn wiki(text: &str) -> Option<Found> {
    let inner = text.strip_prefix("[[")?;
    // Stops at the first character that a wikilink cannot contain, so that no text is read twice.
    let mut length = 0;
    loop {
        length += inner.cut(length..).find(['[', ']', '\n', '<'])?;
        match &inner.as_bytes()[length..] {
            [b']', b']', ..] => break,
            [b']', ..] => length += 1,
            _ => return None,
        }
    }
    let inner = inner.cut(..length);
    if inner.trim().is_empty() {
        return None;
    }
    let inner = unescaped(inner);
    let (target, label) = match inner.split_once('|') {
        Some((target, label)) => (target, label.trim().to_owned()),
        None => (&*inner, String::new()),
    };
    let target = target.trim().to_owned();
    Some(Found { form: Form::Wiki, range: 0..length + 4, target, label, named: false })
}

/// Whether an address may be in the garden: not another site's, and not a fragment only.
fn is_local(address: &str) -> bool {
    let address = address.trim();
    let scheme = address.split(['/', '?', '#']).next().unwrap_or_default().contains(':');
    !(address.is_empty()
        || scheme
        || address.starts_with("//")
        || address.starts_with('#')
        || address.contains("{{"))
}

/// A text's first bytes, up to a limit.
fn up_to(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    text.cut(..end.unwrap_or(0))
}

/// The text at the end of HTML, limited in bytes, without a truncated tag.
pub fn plain_end(html: &str, most: usize) -> String {
    let from = html.len().saturating_sub(most);
    let from = (from..=html.len()).find(|at| html.is_char_boundary(*at)).unwrap_or(html.len());
    let end = html.cut(from..);
    let cut = match (from, end.find('>'), end.find('<')) {
        (0, ..) => 0,
        (_, Some(close), Some(open)) if close < open => close + 1,
        (_, Some(close), None) => close + 1,
        _ => 0,
    };
    plain(end.cut(cut..))
}

/// HTML's text without tags.
pub fn plain(html: &str) -> String {
    let mut out = String::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        out.push_str(rest.cut(..at));
        rest = rest.cut(at..).find('>').map_or("", |end| rest.cut(at + end + 1..));
    }
    out.push_str(rest);
    unescaped(&out).split_whitespace().collect::<Vec<_>>().join(" ")
}

pub(super) fn unescaped(text: &str) -> Cow<'_, str> {
    neuronotes_core::tokenizer::unescape(text)
}

/// Finds `what`, given in lower case, ignoring case.
fn position(text: &str, what: &str) -> Option<usize> {
    text.as_bytes().windows(what.len()).position(|part| part.eq_ignore_ascii_case(what.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn targets(pieces: &[&str]) -> Vec<String> {
        let mut raw = Raw::default();
        pieces.iter().flat_map(|piece| raw.find(piece)).map(|found| found.target).collect()
    }

    #[test]
    fn addresses_and_wikilinks_are_found_with_their_places() {
        let html = "<p class='x'>See <b>[[Your note|first &amp; best]]</b>, <a id=q href='/cats?a=1&amp;b=2'>all <i>cats</i></a></p>";
        let found = Raw::default().find(html);
        assert_eq!(&html[found[0].range.clone()], "[[Your note|first &amp; best]]");
        assert_eq!(
            (found[0].target.as_str(), found[0].label.as_str()),
            ("Your note", "first & best")
        );
        assert_eq!(&html[found[1].range.clone()], "/cats?a=1&amp;b=2");
        assert_eq!(
            (found[1].target.as_str(), found[1].label.as_str()),
            ("/cats?a=1&b=2", "all cats")
        );
        assert!(found[1].named && found[1].form == Form::Href);
        assert_eq!(
            targets(&["<IMG alt=a SRC=b.png><a href=c/>x</a><source src=\"d.mp4\"/>"]),
            ["b.png", "c/", "d.mp4"]
        );
    }

    #[test]
    fn what_is_open_stays_open_in_the_next_piece() {
        assert_eq!(targets(&["<a class=x\n", "   href=\"/a\"\n", ">[[b]]</a>\n"]), ["/a", "b"]);
        assert_eq!(targets(&["<!-- [[a]]\n", "[[b]] --> [[c]]\n"]), ["c"]);
        assert_eq!(targets(&["<style>\n", "a[[x]] { }\n", "</style> [[d]]\n"]), ["d"]);
        assert_eq!(
            targets(&["<script src=x.js>\n", "f('<a href=\"/y\">')\n", "</script>\n"]),
            [""; 0]
        );
    }

    #[test]
    fn other_sites_and_places_in_the_page_are_left_alone() {
        for html in [
            "<a href='https://a.org'>",
            "<a href=//a.org>",
            "<a href='#x'>",
            "<a href=''>",
            "<a href=mailto:a@b>",
            "<a name=x>",
            "<link href=/a.css>",
            "<a href='{{ x }}'>",
            "[[]]",
            "[[a",
            "<a href='",
            "<a =>",
            "<",
        ] {
            assert_eq!(targets(&[html]), [""; 0], "{html}");
        }
        assert_eq!(targets(&["<a href='a/b:c'>"]), ["a/b:c"]);
    }
}
