//! Footnotes: their events in, in the order of the text; marks where they are cited, and a list at the end of the note, out.

use std::collections::BTreeMap;

use pulldown_cmark::{Event, html};

/// Footnotes are numbered in the order in which they are first cited and stand at the end of the note.
#[derive(Default)]
pub(super) struct Footnotes<'e> {
    numbers: BTreeMap<String, usize>,
    citations: BTreeMap<String, usize>,
    definitions: BTreeMap<String, Vec<Event<'e>>>,
    open: Option<(String, Vec<Event<'e>>)>,
}

impl<'e> Footnotes<'e> {
    /// What stands where a footnote is cited.
    pub(super) fn cite(&mut self, name: &str) -> String {
        let next = self.numbers.len() + 1;
        let number = *self.numbers.entry(name.to_owned()).or_insert(next);
        let count = self.citations.entry(name.to_owned()).or_insert(0);
        *count += 1;
        let suffix = if *count == 1 { String::new() } else { format!("-{count}") };
        format!(
            "<sup class=\"footnote\"><a href=\"#footnote-{number}\" id=\"cite-{number}{suffix}\" \
             aria-label=\"Footnote {number}\">{number}</a></sup>"
        )
    }

    /// From here on, events are a footnote's; `outer` are those before it.
    pub(super) fn begin(&mut self, name: &str, outer: Vec<Event<'e>>) {
        self.open = Some((name.to_owned(), outer));
    }

    /// Ends a footnote of these events; those before it come back.
    pub(super) fn end(&mut self, events: Vec<Event<'e>>) -> Vec<Event<'e>> {
        match self.open.take() {
            Some((name, outer)) => {
                self.definitions.entry(name).or_insert(events);
                outer
            }
            None => events,
        }
    }

    /// The list of all that are cited.
    pub(super) fn write(mut self, out: &mut String) {
        let mut numbered: Vec<(usize, String)> =
            self.numbers.iter().map(|(k, n)| (*n, k.clone())).collect();
        numbered.sort_unstable();
        if numbered.is_empty() {
            return;
        }
        out.push_str("<section class=\"footnotes\" aria-label=\"Footnotes\">\n<ol>\n");
        for (number, name) in numbered {
            let mut text = String::new();
            let events = self.definitions.remove(&name).unwrap_or_default();
            html::push_html(&mut text, events.into_iter());
            let back = (1..=self.citations[&name])
                .map(|n| {
                    let suffix = if n == 1 { String::new() } else { format!("-{n}") };
                    format!(
                        " <a href=\"#cite-{number}{suffix}\" aria-label=\"Back to the text\">↩</a>"
                    )
                })
                .collect::<String>();
            let text = text.trim_end();
            let text = match text.strip_suffix("</p>") {
                Some(start) => format!("{start}{back}</p>"),
                None => format!("{text}{back}"),
            };
            out.push_str(&format!("<li id=\"footnote-{number}\">{text}</li>\n"));
        }
        out.push_str("</ol>\n</section>\n");
    }
}
