//! Finds what a note's Markdown and HTML would load from other hosts or run as scripts, with positions.

use std::ops::Range;

use neuronotes_core::cut::Cut as _;
use pulldown_cmark::{Event, Tag};

use super::block::Block;
use super::markup::{self, Piece};
use super::remote::{self, Reach};
use super::wiki::is_wiki;
use crate::diagnostic::SourceFile;

/// An address that a page would load from elsewhere or run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    /// Whether it loads or runs.
    pub reach: Reach,
    /// The address, or a description if there is none.
    pub address: String,
    /// Span in the source.
    pub span: Range<usize>,
}

/// Searches the Markdown that begins at `body` and the captions of its blocks.
pub fn of(at: SourceFile<'_>, body: usize, blocks: &[Block]) -> Vec<Reached> {
    let mut all = of_markdown(at.text.cut(body..));
    for found in &mut all {
        found.span = body + found.span.start..body + found.span.end;
    }
    for block in blocks {
        if let (Some(field), Some(caption)) =
            (block.fields.get("caption"), block.fields.text("caption"))
        {
            let place = |found| Reached { span: field.span.clone(), ..found };
            all.extend(of_markdown(caption).into_iter().map(place));
        }
    }
    all
}

/// The same for a text.
pub fn of_markdown(text: &str) -> Vec<Reached> {
    if !may_reach(text) {
        return Vec::new();
    }
    let mut seeker = Seeker { text, ..Seeker::default() };
    markup::walk(text, &mut |piece, range| seeker.see(&piece, range));
    seeker.settle();
    seeker.all.sort_by_key(|found| found.span.start);
    seeker.all
}

/// A quick check without parsing: most notes have no HTML and no pictures.
fn may_reach(text: &str) -> bool {
    let mut tags = text.match_indices('<').map(|(at, _)| text.cut(at + 1..));
    let script = || text.as_bytes().windows(6).any(|part| part.eq_ignore_ascii_case(b"script"));
    let data = || text.as_bytes().windows(5).any(|part| part.eq_ignore_ascii_case(b"data:"));
    text.contains("![")
        || tags.any(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '!'))
        || text.contains('&')
        || script()
        || data()
}

/// Maximum number of bytes after open HTML that are examined.
const LONGEST: usize = 16 << 10;

#[derive(Default)]
struct Seeker<'t> {
    text: &'t str,
    all: Vec<Reached>,
    /// HTML that belongs together although it comes in lines and pieces.
    html: String,
    /// Positions of each piece in the HTML and in the source.
    places: Vec<(usize, usize)>,
    /// Whether a tag is open at its end, if that was determined.
    open: Option<bool>,
    /// Number of bytes after the last HTML.
    behind: usize,
}

impl Seeker<'_> {
    fn see(&mut self, piece: &Piece<'_>, range: Range<usize>) {
        match piece {
            Piece::Plain(Event::Html(html) | Event::InlineHtml(html)) => {
                self.behind = 0;
                self.add(html, range.start);
                return;
            }
            // The name of a note is not an address.
            Piece::Plain(Event::Start(
                Tag::Link { link_type, .. } | Tag::Image { link_type, .. },
            )) if is_wiki(*link_type) => {}
            Piece::Plain(Event::Start(Tag::Link { dest_url, .. })) => {
                self.address(dest_url, &range, false)
            }
            Piece::Plain(Event::Start(Tag::Image { dest_url, .. })) => {
                self.address(dest_url, &range, true)
            }
            _ => {}
        }
        if self.html.is_empty() {
            return;
        }
        // An open tag absorbs what follows, as in a browser.
        let html = std::mem::take(&mut self.html);
        let open = *self.open.get_or_insert_with(|| remote::scan(&html).open);
        self.html = html;
        if !open || self.behind > LONGEST {
            return self.settle();
        }
        let text = match piece {
            Piece::Plain(Event::Text(text) | Event::Code(text)) => text,
            Piece::Plain(event) if !markup::is_inline(event) => "<p>",
            _ => " ",
        };
        self.behind += text.len();
        let open = self.open.filter(|_| !text.contains(['"', '\'', '>']));
        self.add(text, range.start);
        self.open = open;
    }

    fn add(&mut self, html: &str, start: usize) {
        self.places.push((self.html.len(), start));
        self.html.push_str(html);
        self.open = None;
    }

    fn address(&mut self, address: &str, span: &Range<usize>, is_picture: bool) {
        if let Some(reach) = remote::of_markdown(address, is_picture) {
            self.all.push(Reached { reach, address: address.to_owned(), span: span.clone() });
        }
    }

    /// Searches the HTML collected so far.
    fn settle(&mut self) {
        let html = std::mem::take(&mut self.html);
        let places = std::mem::take(&mut self.places);
        (self.open, self.behind) = (None, 0);
        let most = self.text.len();
        let source = |offset: usize| {
            let piece = places.partition_point(|(begins, _)| *begins <= offset).saturating_sub(1);
            let (begins, start) = places.get(piece).copied().unwrap_or_default();
            let place = (start + offset.saturating_sub(begins)).min(most);
            (0..=place).rev().find(|at| self.text.is_char_boundary(*at)).unwrap_or(0)
        };
        for found in remote::scan(&html).found {
            let start = source(found.place.start);
            let span = start..source(found.place.end).max(start);
            self.all.push(Reached { reach: found.reach, address: found.address, span });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let one = |found: Reached| {
            let line = text[..found.span.start].matches('\n').count() + 1;
            format!("{line} {:?} {}", found.reach, remote::shown(&found.address))
        };
        of_markdown(text).into_iter().map(one).collect()
    }

    #[test]
    fn markdown_and_html_are_found_with_their_places() {
        let text = "![a](https://a.org/x.png) [b](https://a.org) [c](JaVascript:x)\n\n![d][e] <img src=//f.org>\n\n\
                    <div>\n<img alt=\"\n\" src=\"\nhttps://g.org\">\n</div>\n\n<java\tscript:h>\n\n```html\n<img src=https://i.org>\n```\n\n\
                    [e]: http://e.org/x\n";
        assert_eq!(
            found(text),
            [
                "1 Remote https://a.org/x.png",
                "1 Script JaVascript:x",
                "3 Remote http://e.org/x",
                "3 Remote //f.org",
                "7 Remote https://g.org",
            ]
        );
        assert_eq!(found("Text & [a](b.md) ![c](d.png) <b>e</b> `<img src=https://f>`"), [""; 0]);
    }

    #[test]
    fn what_an_open_tag_takes_in_is_found_too() {
        assert_eq!(
            found("<div title=\"\n\nText \" style=a:url(https://a.org) b\n"),
            ["3 Remote a:url(https://a.org)"]
        );
        assert_eq!(
            found("A <style>\nb { c: url(https://a.org) }\n</style>\n"),
            ["1 Remote https://a.org"]
        );
        assert_eq!(
            found("<style>\n\nb { c: url(https://a.org) }\n\n</style>\n"),
            ["1 Remote https://a.org"]
        );
        let long = format!("<div title=\"\n\n{}", "It's \" > <b>\n\n".repeat(20_000));
        let _ = found(&long);
    }
}
