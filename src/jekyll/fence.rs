//! Splits a Markdown text into fenced code and the rest.

use neuronotes_core::cut::Cut as _;

/// A part of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part<'a> {
    /// Whether it is code, including its fences.
    pub code: bool,
    /// Text of whole lines.
    pub text: &'a str,
}

/// The parts of a text in order; joined, they are the text.
pub fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let (mut start, mut at) = (0, 0);
    let mut open: Option<(char, usize)> = None;
    let mut push = |code: bool, range: std::ops::Range<usize>| {
        if !range.is_empty() {
            parts.push(Part { code, text: text.cut(range) });
        }
    };
    for line in text.split_inclusive('\n') {
        let end = at + line.len();
        match (open, fence(line)) {
            (None, Some((mark, length, _))) => {
                push(false, start..at);
                (start, open) = (at, Some((mark, length)));
            }
            (Some((mark, length)), Some((other, others, bare)))
                if mark == other && others >= length && bare =>
            {
                push(true, start..end);
                (start, open) = (end, None);
            }
            _ => {}
        }
        at = end;
    }
    push(open.is_some(), start..text.len());
    parts
}

/// Transforms the parts of a text that are not code.
pub fn outside(text: &str, make: impl Fn(&str) -> String) -> String {
    let parts = parts(text).into_iter();
    parts.map(|part| if part.code { part.text.to_owned() } else { make(part.text) }).collect()
}

/// The fence on a line: its character, its length, and whether nothing follows.
fn fence(line: &str) -> Option<(char, usize, bool)> {
    let line = line.trim_start_matches([' ', '\t', '>']).trim_end();
    let mark = line.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let length = line.chars().take_while(|c| *c == mark).count();
    let rest = line.cut(length..);
    (length >= 3 && !(mark == '`' && rest.contains('`'))).then_some((mark, length, rest.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_told_from_text() {
        let text = "a\n```yaml\n{{ b }}\n~~~\n```\nc ```d```\n~~~~\n~~~\n~~~~\n> ```\ne";
        let found: Vec<(bool, &str)> = parts(text).into_iter().map(|p| (p.code, p.text)).collect();
        let expected = [
            (false, "a\n"),
            (true, "```yaml\n{{ b }}\n~~~\n```\n"),
            (false, "c ```d```\n"),
            (true, "~~~~\n~~~\n~~~~\n"),
            (true, "> ```\ne"),
        ];
        assert_eq!(found, expected);
        assert_eq!(outside(text, str::to_uppercase).matches("{{ b }}").count(), 1);
    }
}
