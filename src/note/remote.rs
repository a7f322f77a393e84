//! Finds addresses in HTML that a browser would load from other hosts or run as scripts, and removes them.
//!
//! Tags are parsed as browsers do (<https://html.spec.whatwg.org/#tokenization>); where that depends on context, all
//! possibilities are considered, so that too much is found rather than too little. Links that a person follows to
//! another site are not included.

mod address;

use std::collections::BTreeMap;
use std::ops::Range;

use super::escape;
pub use address::Reach;
use address::{followed, loaded, of_set, of_style};
use neuronotes_core::cut::Cut as _;

/// Something that a page would load from another host or run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Whether it loads or runs.
    pub reach: Reach,
    /// The address as written, or a description if there is none.
    pub address: String,
    /// Span of the attribute or element in the HTML.
    pub place: Range<usize>,
    /// The replacement if it is not shown.
    alt: String,
    /// Span of its tag.
    tag: Range<usize>,
    /// Whether the element is useless without it.
    whole: bool,
}

/// The findings in a piece of HTML.
#[derive(Debug, Default)]
pub struct Scan {
    /// The findings, in order.
    pub found: Vec<Found>,
    /// Whether a tag or comment is open at the end.
    pub open: bool,
}

/// How an address in Markdown is used: loaded as a picture, or followed as a link.
pub fn of_markdown(address: &str, is_picture: bool) -> Option<Reach> {
    if is_picture { loaded(address) } else { followed(address) }
}

/// Elements whose content is text; each is searched nevertheless, since in drawings it is not.
const TEXTS: [(&str, &str); 8] = [
    ("script", "</script"),
    ("style", "</style"),
    ("textarea", "</textarea"),
    ("title", "</title"),
    ("xmp", "</xmp"),
    ("iframe", "</iframe"),
    ("noembed", "</noembed"),
    ("noframes", "</noframes"),
];
/// Elements that are useless without what they load.
const LOADERS: [&str; 13] = [
    "img", "image", "script", "link", "iframe", "frame", "embed", "object", "applet", "source",
    "track", "meta", "base",
];
/// Types of `link` that load nothing.
const IDLE: [&str; 12] = [
    "canonical",
    "alternate",
    "author",
    "license",
    "me",
    "next",
    "prev",
    "help",
    "search",
    "bookmark",
    "tag",
    "webmention",
];
/// Maximum nesting of HTML in attributes of HTML.
const DEEPEST: usize = 4;

/// Searches HTML.
pub fn scan(html: &str) -> Scan {
    Look::of(html, 0).through()
}

/// The state of a search.
struct Look<'h> {
    html: &'h str,
    /// Nesting depth of HTML in attributes.
    depth: usize,
    /// Cached search results, so that nothing is searched twice.
    ends: BTreeMap<&'static str, (usize, Option<usize>)>,
    /// End of the text that was examined as CSS.
    styled: usize,
    scan: Scan,
}

impl<'h> Look<'h> {
    fn of(html: &'h str, depth: usize) -> Self {
        Self { html, depth, ends: BTreeMap::new(), styled: 0, scan: Scan::default() }
    }

    /// Finds `what`, given in lower case, from a position on.
    fn next(&mut self, what: &'static str, from: usize) -> Option<usize> {
        if let Some((searched, found)) = self.ends.get(what)
            && *searched <= from
            && found.is_none_or(|found| from <= found)
        {
            return *found;
        }
        let found = position(self.html.cut(from..), what).map(|length| from + length);
        self.ends.insert(what, (from, found));
        found
    }

    fn through(mut self) -> Scan {
        let html = self.html;
        let mut at = 0;
        // The end of an element's text, where the search resumes.
        let mut resume: Option<usize> = None;
        while let Some(next) = html.cut(at..).find('<') {
            at += next;
            let rest = html.cut(at + 1..);
            let begun = at;
            if rest.starts_with("!--") {
                // `<!-->` is a complete comment.
                let end = self.next("-->", at + 2);
                self.scan.open |= end.is_none();
                at = end.map_or(html.len(), |end| end + 3);
            } else if rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
                at = self.element(at, &mut resume);
            } else if let Some(name) = rest.strip_prefix('/')
                && name.starts_with(|c: char| c.is_ascii_alphabetic())
            {
                at = Tag::read(html, at + 1).end;
            } else if rest.starts_with(['!', '?', '/']) {
                at += html.cut(at..).find('>').map_or(html.len() - at, |length| length + 1);
            } else {
                at += 1;
            }
            match resume {
                Some(place) if begun >= place => resume = None,
                Some(place) if at > place => (at, resume) = (place, None),
                _ => {}
            }
        }
        self.scan
    }

    /// Examines the tag at a position and its text content; returns where to continue.
    fn element(&mut self, at: usize, resume: &mut Option<usize>) -> usize {
        let tag = Tag::read(self.html, at);
        let first = self.scan.found.len();
        tag.judge(self.depth, &mut self.scan.found);
        self.scan.open |= tag.open;
        let Some((_, close)) = TEXTS.iter().find(|(name, _)| *name == tag.name) else {
            return tag.end;
        };
        let place = self.next(close, tag.end);
        let inside = tag.end..place.unwrap_or(self.html.len());
        let after = self.html.cut(inside.end..).find('>').map(|length| inside.end + length + 1);
        let after = after.unwrap_or(self.html.len());
        let is_style = tag.name == "style";
        // An element that is open to the end has been looked at with the first.
        let styled = self.styled;
        if is_style {
            self.styled = styled.max(inside.end);
        }
        if is_style
            && styled <= inside.start
            && let Some((reach, address)) = of_style(self.html.cut(inside.clone()))
        {
            let place = tag.start..tag.end;
            let tag = tag.start..tag.end;
            let alt = String::new();
            self.scan.found.push(Found { reach, address, alt, place, tag, whole: true });
        }
        if tag.name == "script" || is_style {
            self.scan.open |= place.is_none();
            if let Some(last) = self.scan.found[first..].last_mut() {
                last.tag.end = after;
                return after;
            }
        }
        *resume = resume.or(place);
        tag.end
    }
}

/// A start tag.
struct Tag<'h> {
    start: usize,
    end: usize,
    name: String,
    /// Names in lower case, spans of whole attributes, and values.
    attributes: Vec<(String, Range<usize>, &'h str)>,
    open: bool,
}

impl<'h> Tag<'h> {
    /// Reads a tag that begins at `start`.
    fn read(html: &'h str, start: usize) -> Self {
        let end = html.len();
        let blank = |c: char| matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{c}');
        let until = |at: usize, stop: &dyn Fn(char) -> bool| {
            html.cut(at..end).find(stop).map_or(end, |length| at + length)
        };
        let mut at = until(start + 1, &|c| blank(c) || matches!(c, '/' | '>'));
        let name = html.cut(start + 1..at).to_ascii_lowercase();
        let mut tag = Self { start, end, name, attributes: Vec::new(), open: true };
        loop {
            at = until(at, &|c| !blank(c) && c != '/');
            if html.cut(at..end).starts_with('>') {
                (tag.end, tag.open) = (at + 1, false);
                return tag;
            }
            let Some(first) = html.cut(at..end).chars().next() else { return tag };
            let begins = at;
            // An equals sign at the beginning is part of the name.
            at = until(at + first.len_utf8(), &|c| blank(c) || matches!(c, '/' | '>' | '='));
            let name = html.cut(begins..at).to_ascii_lowercase();
            let after = until(at, &|c| !blank(c));
            let mut value = "";
            if html.cut(after..end).starts_with('=') {
                let from = until(after + 1, &|c| !blank(c));
                let quote = html.cut(from..end).chars().next().filter(|c| matches!(c, '"' | '\''));
                let (from, stop) = match quote {
                    Some(quote) => (from + 1, until(from + 1, &|c| c == quote)),
                    None => (from, until(from, &|c| blank(c) || c == '>')),
                };
                value = html.cut(from..stop);
                at = (stop + usize::from(quote.is_some())).min(end);
            }
            tag.attributes.push((name, begins..at, value));
        }
    }

    /// Records what of it loads from elsewhere or runs.
    fn judge(&self, depth: usize, all: &mut Vec<Found>) {
        let first = all.len();
        let name = self.name.as_str();
        let text = |wanted: &str| {
            let found = self.attributes.iter().find(|(name, ..)| name == wanted)?;
            Some(super::raw::unescaped(found.2).trim().to_owned())
        };
        let idle = name == "link"
            && text("rel").is_some_and(|rel| {
                rel.to_ascii_lowercase().split_whitespace().all(|rel| IDLE.contains(&rel))
            });
        let refreshes = name == "meta"
            && text("http-equiv").is_some_and(|what| what.eq_ignore_ascii_case("refresh"));
        for (attribute, place, value) in &self.attributes {
            let value = super::raw::unescaped(value);
            let value = &*value;
            let reach = match attribute.as_str() {
                name if name.len() > 2 && name.starts_with("on") => Some(Reach::Script),
                "href" | "xlink:href" if matches!(name, "a" | "area") => followed(value),
                "action" | "formaction" => followed(value),
                "href" if idle => followed(value),
                "href" | "xlink:href" | "src" | "data" | "poster" | "background" | "code"
                | "codebase" | "archive" | "classid" | "manifest" | "lowsrc" | "dynsrc" => {
                    loaded(value).or_else(|| followed(value).filter(|_| name != "img"))
                }
                "srcset" | "imagesrcset" => of_set(value).into_iter().filter_map(loaded).max(),
                "ping" => value.split_whitespace().filter_map(loaded).max(),
                "to" | "from" | "by" | "values" if matches!(name, "set" | "animate") => {
                    value.split(';').filter_map(|one| loaded(one).max(followed(one))).max()
                }
                "content" if refreshes => {
                    let at = position(value, "url").map_or("", |at| value.cut(at + 3..));
                    let address = at.trim_start().trim_start_matches('=').trim_start();
                    let address = address.trim_start_matches(['"', '\'']);
                    loaded(address)
                        .max(followed(address))
                        .max(loaded(value.split_once(';').map_or("", |v| v.1)))
                }
                "srcdoc" if depth < DEEPEST => {
                    let inner = Look::of(value, depth + 1).through();
                    inner.found.into_iter().map(|found| found.reach).max()
                }
                "srcdoc" => Some(Reach::Script),
                "style" => of_style(value).map(|found| found.0),
                _ if value.contains('(') => of_style(value).map(|found| found.0),
                _ => None,
            };
            if let Some(reach) = reach {
                let address = match attribute.as_str() {
                    name if name.starts_with("on") => format!("{name}=\"…\""),
                    "srcdoc" => "srcdoc=\"…\"".to_owned(),
                    _ => value.trim().to_owned(),
                };
                let whole = LOADERS.contains(&name) && attribute != "style";
                let tag = self.start..self.end;
                let alt = text("alt").unwrap_or_default();
                all.push(Found { reach, address, alt, place: place.clone(), tag, whole });
            }
        }
        if name == "script" && all.len() == first && !is_data(text("type")) {
            // Its effect is unknown.
            let (address, place) = ("<script>".to_owned(), self.start..self.end);
            let tag = self.start..self.end;
            let (reach, alt) = (Reach::Script, String::new());
            all.push(Found { reach, address, alt, place, tag, whole: true });
        }
    }
}

/// Whether a script of that type is not executed, such as JSON-LD.
fn is_data(kind: Option<String>) -> bool {
    let run = ["", "module", "importmap", "speculationrules"];
    let kind = kind.map(|kind| kind.to_ascii_lowercase());
    kind.is_some_and(|kind| !run.contains(&kind.as_str()) && !kind.contains("script"))
}

/// Finds `what`, given in lower case, ignoring case.
fn position(text: &str, what: &str) -> Option<usize> {
    text.as_bytes().windows(what.len()).position(|part| part.eq_ignore_ascii_case(what.as_bytes()))
}

/// The visible replacement for a blocked address.
pub fn refused(what: &str, address: &str) -> String {
    let what = if what.is_empty() { String::new() } else { format!("{} ", escape(what)) };
    let address = escape(&shown(address));
    format!("<span class=\"unresolved\" title=\"{REFUSED}\">{what}({address})</span>")
}

/// Tooltip of a blocked address.
const REFUSED: &str = "The garden loads nothing from other sites, and runs no scripts of notes.";

/// An address truncated for display.
pub fn shown(address: &str) -> String {
    let plain: String = address.split_whitespace().collect::<Vec<_>>().join(" ");
    match plain.char_indices().nth(100) {
        Some((end, _)) => format!("{}…", plain.cut(..end)),
        None => plain,
    }
}

/// The changes that remove external content from HTML, in order: spans and replacements.
pub fn without(html: &str) -> Vec<(Range<usize>, String)> {
    let mut changes: Vec<(Range<usize>, String)> = Vec::new();
    let found = scan(html).found;
    let mut all = found.as_slice();
    while let Some(first) = all.first() {
        let count = all.iter().take_while(|found| found.tag.start == first.tag.start).count();
        let (own, rest) = all.split_at(count);
        all = rest;
        let end = own.iter().map(|found| found.tag.end).max().unwrap_or(first.tag.end);
        let tag = first.tag.start..end;
        if changes.last().is_some_and(|(before, _)| before.end > tag.start) {
            continue;
        }
        let mut shown: String =
            own.iter().map(|found| refused(&found.alt, &found.address)).collect();
        if !own.iter().any(|found| found.whole) {
            let mut at = tag.start;
            for found in own {
                shown.push_str(html.cut(at..found.place.start));
                at = found.place.end;
            }
            shown.push_str(html.cut(at..tag.end));
        }
        changes.push((tag, shown));
    }
    changes
}

#[cfg(test)]
mod tests;
