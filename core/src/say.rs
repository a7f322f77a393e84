//! Terminal output, with control characters removed.
//!
//! Everything that the programs print goes through here. Errors of closed or full streams (`| head -1`,
//! `2>/dev/full`) are ignored: work goes on, and the exit code reports its outcome.

use std::borrow::Cow;
use std::env;
use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write as _};

use crate::cut::Cut as _;

/// Maximum number of characters of a message; longer ones are cut, such as those that quote a huge name.
const LONGEST: usize = 2000;
/// Number of characters kept from its end, which says what is wrong.
const END: usize = 500;

/// Prints one or several lines on standard error.
pub fn err(text: impl Display) {
    to_err(&harmless(&text.to_string()));
}

/// The same for a text with colours, which are kept while other control sequences are removed.
pub fn styled(text: impl Display) {
    to_err(&coloured(&text.to_string()));
}

/// Prints a text on standard output.
pub fn out(text: &str) {
    let _ = io::stdout().write_all(harmless(text).as_bytes());
}

/// Prints JSON on a line of standard output, with control characters in texts escaped.
pub fn json(text: &str) {
    let line: String = text.chars().map(escaped).chain(["\n".into()]).collect();
    let _ = io::stdout().write_all(line.as_bytes());
}

/// Writes the line in one call, since others write there too.
fn to_err(text: &str) {
    let _ = io::stderr().write_all(format!("{text}\n").as_bytes());
}

/// Escapes a character of JSON; outside of texts there are none to escape.
fn escaped(c: char) -> Cow<'static, str> {
    match stand_in(c) {
        Some(_) if c != '\n' => format!("\\u{:04x}", c as u32).into(),
        _ => c.to_string().into(),
    }
}

/// Whether standard error shows colours: a terminal with colours, not disabled by `NO_COLOR` or `CLICOLOR=0`.
pub fn has_colour() -> bool {
    let forbidden = env::var_os("CLICOLOR").is_some_and(|value| value == "0");
    let forced =
        env::var_os("CLICOLOR_FORCE").is_some_and(|value| !value.is_empty() && value != "0");
    !no_colour() && (forced || (!forbidden && is_smart()))
}

/// Whether progress bars can be drawn on standard error: a terminal that can move the cursor, with colours not
/// disabled.
pub fn has_cursor() -> bool {
    is_smart() && !no_colour()
}

fn no_colour() -> bool {
    env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

fn is_smart() -> bool {
    io::stderr().is_terminal() && env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// The replacement of a control character or of a character that changes the order of others.
fn stand_in(c: char) -> Option<char> {
    match c {
        '\n' | '\t' => None,
        '\u{0}'..='\u{1f}' => char::from_u32(0x2400 + c as u32),
        '\u{7f}' => Some('\u{2421}'),
        '\u{80}'..='\u{9f}' | '\u{2028}' | '\u{2029}' => Some('\u{fffd}'),
        // https://trojansource.codes
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            Some('\u{fffd}')
        }
        _ => None,
    }
}

/// A text without control characters, with its line breaks.
pub fn harmless(text: &str) -> Cow<'_, str> {
    match text.contains(|c| stand_in(c).is_some()) {
        // Some systems end lines with two characters.
        true => text.replace("\r\n", "\n").chars().map(|c| stand_in(c).unwrap_or(c)).collect(),
        false => text.into(),
    }
}

/// A text with colours, but without other control characters.
fn coloured(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let mut out = harmless(parts.next().unwrap_or_default()).into_owned();
    for part in parts {
        let codes =
            part.len() - part.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';').len();
        match part.cut(codes..).starts_with('m') {
            true => out.push_str("\u{1b}["),
            false => out.push_str("␛["),
        }
        out.push_str(&harmless(part));
    }
    out
}

/// A name without control characters, on one line and of limited length.
pub fn name(name: &str) -> Cow<'_, str> {
    match bounded(name) {
        name if name.contains(['\n', '\t']) => {
            let plain =
                |c| if matches!(c, '\n' | '\t') { char::from_u32(0x2400 + c as u32) } else { None };
            harmless(&name).chars().map(|c| plain(c).unwrap_or(c)).collect::<String>().into()
        }
        Cow::Borrowed(name) => harmless(name),
        Cow::Owned(name) => harmless(&name).into_owned().into(),
    }
}

/// A message of limited length: if it is too long, its beginning and end.
pub fn bounded(text: &str) -> Cow<'_, str> {
    let count = if text.len() <= LONGEST { 0 } else { text.chars().count() };
    if count <= LONGEST {
        return text.into();
    }
    let place = |at: usize| text.char_indices().nth(at).map_or(text.len(), |(place, _)| place);
    let (start, end) = (text.cut(..place(LONGEST - END)), text.cut(place(count - END)..));
    format!("{start} … ({} characters more) … {end}", count - LONGEST).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_is_left_and_all_else_is() {
        let all: String = (0..=0x10_ffff_u32).filter_map(char::from_u32).collect();
        let shown = harmless(&all);
        assert!(shown.chars().all(|c| !c.is_control() || matches!(c, '\n' | '\t')));
        assert_eq!(shown.chars().count(), all.chars().count());
        assert_eq!(
            harmless("\u{1b}[31mred\u{9b}0m \u{202e}txt\u{7f}"),
            "␛[31mred\u{fffd}0m \u{fffd}txt␡"
        );
        let kept = "größe 末 🐖\u{301}\n\t👩\u{200d}💻 שלום";
        assert_eq!(harmless(kept), kept);
        assert_eq!(harmless("a\r\nb\rc"), "a\nb␍c");
        assert_eq!(
            coloured("\u{1b}[1m\u{1b}[38;5;9mred\u{1b}[0m\u{1b}[2J\u{1b}]0;x\u{7}"),
            "\u{1b}[1m\u{1b}[38;5;9mred\u{1b}[0m␛[2J␛]0;x␇"
        );
        assert_eq!(name("a\nerror: b\t\u{1b}"), "a␊error: b␉␛");
    }

    #[test]
    fn json_stays_the_value_that_it_is() {
        let value = serde_json::json!({ "a\u{9b}": "\u{1b}\u{202e}\u{7f}\n\t末" });
        let text = serde_json::to_string(&value).expect("JSON");
        let line: String = text.chars().map(escaped).collect();
        assert!(harmless(&line) == line && line.contains("\\u009b"), "{line}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&line).expect("JSON"), value);
    }

    #[test]
    fn a_message_keeps_its_beginning_and_its_end() {
        let text = format!("there is no `{}` among them", "ü".repeat(10_000_000));
        let short = bounded(&text);
        assert!(short.chars().count() < LONGEST + 50);
        assert!(short.starts_with("there is no `ü") && short.ends_with("ü` among them"));
        assert_eq!(bounded("ü".repeat(LONGEST).as_str()), "ü".repeat(LONGEST));
    }
}
