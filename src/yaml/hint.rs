//! Hints about texts that are not YAML: the usual mistake on a line, and how to write it.

use neuronotes_core::cut::Cut as _;

/// A hint for an error on a line, from 1, of a mapping with the keys `known`; and the line with the actual mistake,
/// if it is another one.
pub fn hint(text: &str, line: usize, known: &dyn Fn(&str) -> bool) -> (usize, Option<String>) {
    if let Some((line, hint)) = colon_hint(text, line, known) {
        return (line, Some(hint));
    }
    (line, quote_hint(text, line))
}

/// A line up to this one that begins with a key without `: ` after it: `unit 612`, `unit:612`, `unit = 612`.
pub(super) fn colon_hint(
    text: &str,
    line: usize,
    known: &dyn Fn(&str) -> bool,
) -> Option<(usize, String)> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let top = indent(text.lines().find(|line| !line.trim().is_empty())?);
    let lines = text.lines().enumerate().take(line).filter(|(_, line)| indent(line) == top);
    let found = lines.filter_map(|(at, line)| {
        let line = line.trim();
        let end = line.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-'))?;
        let (key, rest) = line.split_at(end);
        let is_key = rest.starts_with(": ") || rest == ":";
        let value = rest.trim_start_matches([' ', '\t', ':', '=']).trim();
        let missing = known(key) && !is_key && !value.is_empty();
        missing.then(|| (at + 1, format!("write `{key}: {value}`")))
    });
    found.last()
}

/// The text after the key on a line that begins with one.
fn begins(text: &str) -> Option<&str> {
    let (key, value) = text.split_once(':')?;
    let is_key = !key.is_empty() && !key.starts_with([' ', '\t', '#', '-', '"', '\'', '[', '{']);
    (is_key && (value.is_empty() || value.starts_with([' ', '\t', '\r']))).then_some(value)
}

/// The bracket or brace at the beginning of a value, up to this line, that is not closed before the mapping's next
/// key: its line and column.
pub(super) fn open_bracket(text: &str, line: usize) -> Option<(usize, usize, char)> {
    let lines: Vec<&str> = text.split('\n').collect();
    for (at, first) in lines.iter().enumerate().take(line.min(lines.len())) {
        let Some(value) = begins(first) else { continue };
        let bracket = value.trim_start().chars().next().filter(|c| matches!(c, '[' | '{'));
        let Some(bracket) = bracket else { continue };
        let rest = lines[at + 1..].iter().take_while(|line| begins(line).is_none());
        let mut depth = 0_usize;
        let (mut quote, mut last) = (None, ' ');
        for c in value.chars().chain(rest.flat_map(|line| line.chars())) {
            match (quote, c) {
                (Some(open), c) if c == open => quote = None,
                // Else it is an apostrophe.
                (None, '"' | '\'') if " \t,:[{".contains(last) => quote = Some(c),
                (None, '[' | '{') => depth += 1,
                (None, ']' | '}') => depth = depth.saturating_sub(1),
                _ => {}
            }
            last = c;
        }
        if depth > 0 {
            let before = first.len() - value.trim_start().len();
            return Some((at + 1, first.cut(..before).chars().count() + 1, bracket));
        }
    }
    None
}

/// A hint for the most common mistake on a line that is not YAML, from 1: a value that needs quotes because of its `:
/// ` or its first character.
fn quote_hint(text: &str, line: usize) -> Option<String> {
    let (key, value) = text.lines().nth(line.checked_sub(1)?)?.split_once(": ")?;
    let value = value.trim();
    let special = ['`', '@', '%', '&', '*', '!'];
    let open = (value.starts_with('[') && !value.ends_with(']'))
        || (value.starts_with('{') && !value.ends_with('}'));
    let needs = value.contains(": ") || value.ends_with(':') || value.starts_with(special) || open;
    let quoted = format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""));
    let close = match value.chars().next() {
        Some('[') if open => "close it with `]`, or ",
        Some('{') if open => "close it with `}`, or ",
        _ => "",
    };
    (needs && !value.starts_with(['"', '\'']))
        .then(|| format!("{close}put the value in quotes: {}: {quoted}", key.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_without_its_colon_is_named_with_it() {
        let known = |key: &str| matches!(key, "kind" | "unit");
        let hint = |text: &str| colon_hint(text, 9, &known);
        let unit = |line| Some((line, "write `unit: 612`".to_owned()));
        assert_eq!(hint("kind: a\nunit 612\n"), unit(2));
        assert_eq!(hint("unit:612\nkind: a\n"), unit(1));
        assert_eq!(hint("unit = 612\n"), unit(1));
        assert_eq!(hint("kind: a\ncaption: >\n  unit 612 is\nunit: 3\n"), None);
    }
}
