//! Footnotes: marks where they are cited, and a list at the end of the note.

use std::collections::BTreeMap;

use pulldown_cmark::{Event, html};

use super::written::BlockHtml;
use crate::note::escape;

use neuronotes_core::cut::Cut as _;

/// Footnotes are numbered in the order of first citation and listed at the end of the note. A short one is also shown
/// beside its mark on wide pages.
#[derive(Default)]
pub(super) struct Footnotes<'e> {
    /// Prefix of every id.
    prefix: String,
    numbers: BTreeMap<String, usize>,
    citations: BTreeMap<String, usize>,
    definitions: BTreeMap<String, Vec<Event<'e>>>,
    /// Footnotes that are being read, each with the enclosing events.
    open: Vec<(String, Vec<Event<'e>>)>,
}

impl<'e> Footnotes<'e> {
    pub(super) fn new(prefix: &str) -> Self {
        Self { prefix: escape(prefix), ..Self::default() }
    }

    /// Whether a footnote is being read.
    pub(super) fn is_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// The mark where a footnote is cited.
    pub(super) fn cite(&mut self, name: &str) -> String {
        let next = self.numbers.len() + 1;
        let number = *self.numbers.entry(name.to_owned()).or_insert(next);
        let count = self.citations.entry(name.to_owned()).or_insert(0);
        *count += 1;
        let suffix = if *count == 1 { String::new() } else { format!("-{count}") };
        let prefix = &self.prefix;
        let beside = if *count == 1 { format!("{SIDE}{number}{SIDE}") } else { String::new() };
        format!(
            "<sup class=\"footnote\"><a href=\"#{prefix}footnote-{number}\" \
             id=\"{prefix}cite-{number}{suffix}\" aria-label=\"Footnote {number}\">{number}</a></sup>{beside}"
        )
    }

    /// Begins a footnote; `outer` are the enclosing events.
    pub(super) fn begin(&mut self, name: &str, outer: Vec<Event<'e>>) {
        self.open.push((name.to_owned(), outer));
    }

    /// Ends a footnote with these events; restores the enclosing ones.
    pub(super) fn end(&mut self, events: Vec<Event<'e>>) -> Vec<Event<'e>> {
        match self.open.pop() {
            Some((name, outer)) => {
                self.definitions.entry(name).or_insert(events);
                outer
            }
            None => events,
        }
    }

    /// The list of all cited footnotes for the end of a note's HTML, and the short ones for the margin.
    pub(super) fn write(mut self, out: &mut String, blocks: &mut [BlockHtml]) {
        let mut numbered: Vec<(usize, String)> =
            self.numbers.iter().map(|(k, n)| (*n, k.clone())).collect();
        numbered.sort_unstable();
        if numbered.is_empty() {
            return;
        }
        let prefix = &self.prefix;
        let mut list =
            String::from("<section class=\"footnotes\" aria-label=\"Footnotes\">\n<ol>\n");
        let mut texts = Vec::new();
        for (number, name) in numbered {
            let mut text = String::new();
            let events = self.definitions.remove(&name).unwrap_or_default();
            html::push_html(&mut text, events.into_iter());
            // Footnotes cited in footnotes appear only in the list.
            let text = without_marks(&text);
            let back = (1..=self.citations[&name])
                .map(|n| {
                    let suffix = if n == 1 { String::new() } else { format!("-{n}") };
                    format!(
                        " <a href=\"#{prefix}cite-{number}{suffix}\" aria-label=\"Back to the text\">↩</a>"
                    )
                })
                .collect::<String>();
            let text = text.trim();
            let whole = match text.strip_suffix("</p>") {
                Some(start) => format!("{start}{back}</p>"),
                None => format!("{text}{back}"),
            };
            list.push_str(&format!("<li id=\"{prefix}footnote-{number}\">{whole}</li>\n"));
            let line = text.strip_prefix("<p>").and_then(|rest| rest.strip_suffix("</p>"));
            texts.push(line.filter(|line| !line.contains("<p>")).map(str::to_owned));
        }
        list.push_str("</ol>\n</section>\n");
        self::place(out, blocks, &texts);
        out.push_str(&list);
    }
}

/// Enclose the number of a footnote that may be shown in the margin; CommonMark never emits these characters.
const SIDE: char = '\0';

/// Removes the places of footnotes in the margin.
pub(super) fn without_marks(text: &str) -> String {
    text.split(SIDE).step_by(2).collect()
}

/// Puts one-line footnotes beside their marks.
fn place(out: &mut String, blocks: &mut [BlockHtml], texts: &[Option<String>]) {
    if !out.contains(SIDE) {
        return;
    }
    let source = std::mem::take(out);
    for block in blocks.iter_mut() {
        let start = out.len();
        for (index, part) in source.cut(block.place.clone()).split(SIDE).enumerate() {
            if index % 2 == 0 {
                out.push_str(part);
                continue;
            }
            let number = part.parse::<usize>().ok();
            let text = number.and_then(|number| texts.get(number.checked_sub(1)?)?.as_ref());
            if let (Some(text), Some(number)) = (text, number) {
                // Hidden from screen readers, which read the list instead.
                out.push_str(&format!(
                    "<small class=\"sidenote\" aria-hidden=\"true\"><b>{number}</b> {}</small>",
                    without_ids(text).replace("<a ", "<a tabindex=\"-1\" ")
                ));
            }
        }
        block.place = start..out.len();
    }
}

/// A line of HTML without ids, since each id must be unique on the page.
fn without_ids(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut parts = html.split(" id=\"");
    out.push_str(parts.next().unwrap_or(""));
    for part in parts {
        out.push_str(part.split_once('"').map_or("", |(_, rest)| rest));
    }
    out
}
