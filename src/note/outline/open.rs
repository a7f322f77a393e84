//! Questions and tasks in callouts.

use std::ops::Range;

use neuronotes_core::cut::Cut as _;
use pulldown_cmark::{Event, Options, Parser};

use super::Walk;
use super::part::Open;
use crate::note::markup::Callout;

/// Most characters of a question that are kept.
const LONGEST: usize = 200;

impl Walk<'_> {
    /// Notes a callout that is a question or a task.
    pub(super) fn opened(&mut self, callout: &Callout<'_>, span: &Range<usize>) {
        let kind = callout.kind.split('|').next().unwrap_or_default().trim().to_lowercase();
        let is_question = match kind.as_str() {
            "question" => true,
            "todo" => false,
            _ => return,
        };
        let text = first_line(self.at.text.cut(span.clone()));
        self.out.open.push(Open { is_question, text, span: span.clone() });
    }
}

/// The title of a callout, or else the first line that is not empty.
fn first_line(source: &str) -> String {
    let mut lines = source.lines().map(|line| line.trim_start_matches([' ', '\t', '>']).trim());
    let head = lines.next().and_then(|line| line.split_once(']')).map_or("", |(_, title)| title);
    let title = head.trim_start_matches(['-', '+']).trim();
    let text = if title.is_empty() { lines.find(|line| !line.is_empty()) } else { Some(title) };
    let text = plain(text.unwrap_or("(empty)"));
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.cut(..end)),
        None => text,
    }
}

/// A line without its marks, but with its values as they are written.
fn plain(line: &str) -> String {
    let mut text = String::new();
    for event in Parser::new_ext(line, Options::ENABLE_WIKILINKS | Options::ENABLE_STRIKETHROUGH) {
        match event {
            Event::Code(code) if code.trim_start().starts_with('=') => {
                text.push_str(&format!("`{code}`"));
            }
            Event::Text(part) | Event::Code(part) => text.push_str(&part),
            _ => {}
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use crate::note::Note;

    #[test]
    fn questions_and_tasks_in_callouts_are_open() {
        let text = "> [!question] Which *unit* of [[a|all]], `= vis.unit`?\n> Text.\n\n> [!TODO]-\n>\n> > Look again.\n\n> [!done] Looked.\n\n- > [!todo|wide]\n\n\
                    ```\n> [!todo] code\n```\n";
        let note = Note::parse("a.md", "notes/a.md", text);
        let found: Vec<_> = note.open.iter().map(|open| (open.is_question, &*open.text)).collect();
        assert_eq!(
            found,
            [
                (true, "Which unit of all, `= vis.unit`?"),
                (false, "Look again."),
                (false, "(empty)")
            ]
        );
        assert_eq!(note.lines.position(text, note.open[1].span.start), (4, 1));
    }
}
