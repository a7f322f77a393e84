//! Parses YAML to a tree of [`Node`]s with the position of every key and value, or to a [`YamlError`].
//!
//! Aliases are limited by the parser's budget, and duplicate keys are errors.

mod reader;

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_yaml::Spanned;

use neuronotes_core::cut::Cut as _;

pub use reader::Reader;

/// A value and its position.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The source of a number, a flag or null: `007`, `1.10`, `No`, `~`; or of a short quoted text, with its quotes.
    pub written: Option<String>,
    /// Its span in bytes: start and length.
    place: Option<(usize, usize)>,
}

/// A YAML value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `~`, or nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// Any other number.
    Number(f64),
    /// Text.
    Text(String),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in its own order.
    Map(Vec<Entry>),
}

/// One entry of a mapping.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Position of the key, line and column from 1.
    pub at: (usize, usize),
    /// The value.
    pub node: Node,
}

/// Why a text is not YAML.
#[derive(Debug, Clone, PartialEq)]
pub struct YamlError {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The parser's message.
    pub message: String,
}

/// Parses one document.
///
/// # Errors
/// Fails if the text is not YAML, or is more than one document.
pub fn parse(text: &str) -> Result<Node, YamlError> {
    let node: Result<Node, _> = serde_yaml::from_str_with_options(text, options());
    let node = node.map(|mut node| {
        node.read_written(text);
        node
    });
    node.map_err(|error| {
        let location = error.location();
        let full = error.without_snippet().to_string();
        // The position is reported separately, and the parser's advice about its options is left out.
        let message = full.split(" at line ").next().unwrap_or(&full);
        let message = message.split(", set DuplicateKeyPolicy").next().unwrap_or(message);
        let message = plainly(message).unwrap_or(message);
        let position = |n: u64| usize::try_from(n).unwrap_or(1).max(1);
        let line = location.map_or(1, |l| position(l.line()));
        if let Some((line, column, bracket)) = open_bracket(text, line) {
            let message = format!("this `{bracket}` is never closed");
            return YamlError { line, column, message };
        }
        let column = location.map_or(1, |l| position(l.column()));
        YamlError { line, column, message: message.to_owned() }
    })
}

/// Maximum nesting depth; a level takes a few KiB of the stack, and ten times that in an unoptimised build.
const DEEPEST: usize = 32;
/// Maximum number of values that all aliases of a text stand for; each takes some 80 bytes.
const REPLAYED: usize = 20_000;

fn options() -> serde_yaml::Options {
    serde_yaml::options! {
        budget: serde_yaml::budget! { max_depth: DEEPEST },
        alias_limits: serde_yaml::alias_limits! { max_total_replayed_events: REPLAYED },
        // `.inf` may be a text; as a number it is out of bounds.
        non_finite_float_policy: serde_yaml::options::NonFiniteFloatPolicy::PassThrough,
    }
}

/// The message for a text that exceeds the budget.
fn plainly(message: &str) -> Option<&'static str> {
    let is = |begins: &[&str]| begins.iter().any(|words| message.contains(words));
    if is(&["recursion limit exceeded", "nesting depth", "nesting limit", "Depth"]) {
        Some("lists and mappings nest more than 32 levels deep")
    } else if is(&["alias replay limit exceeded"]) {
        Some("its aliases stand for more than 20,000 values")
    } else {
        None
    }
}

/// A hint for an error on a line, from 1, of a mapping with the keys `known`; and the line with the actual mistake,
/// if it is another one.
pub fn hint(text: &str, line: usize, known: &dyn Fn(&str) -> bool) -> (usize, Option<String>) {
    if let Some((line, hint)) = colon_hint(text, line, known) {
        return (line, Some(hint));
    }
    (line, quote_hint(text, line))
}

/// A line up to this one that begins with a key without `: ` after it: `unit 612`, `unit:612`, `unit = 612`.
pub fn colon_hint(
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
fn open_bracket(text: &str, line: usize) -> Option<(usize, usize, char)> {
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
pub fn quote_hint(text: &str, line: usize) -> Option<String> {
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

impl Node {
    /// Keeps the source of numbers and flags, which is used if a text is expected.
    fn read_written(&mut self, text: &str) {
        match &mut self.value {
            Value::List(items) => items.iter_mut().for_each(|item| item.read_written(text)),
            Value::Map(entries) => {
                entries.iter_mut().for_each(|entry| entry.node.read_written(text))
            }
            Value::Bool(_) | Value::Integer(_) | Value::Number(_) => {
                let place = self.place.map(|(start, length)| start..start + length);
                let written = place.and_then(|place| text.get(place)).map(str::trim);
                let plain = |written: &&str| {
                    !written.is_empty()
                        && !written.contains(['\n', '"', '\'', '!', '&', '*', '#', ','])
                };
                self.written = written.filter(plain).map(str::to_owned);
            }
            Value::Text(_) => {
                let rest = self.place.and_then(|(start, _)| text.get(start..));
                self.written = rest.and_then(quoted).map(str::to_owned);
            }
            Value::Null => {
                let place = self.place.map(|(start, length)| start..start + length);
                let written = place.and_then(|place| text.get(place)).map(str::trim);
                let named = |written: &&str| matches!(*written, "~" | "null" | "Null" | "NULL");
                self.written = written.filter(named).map(str::to_owned);
            }
        }
    }

    /// The type of the value, for messages.
    pub fn describe(&self) -> String {
        match (&self.value, &self.written) {
            (Value::Text(_), Some(written)) => return format!("the text `{written}`"),
            (_, Some(written)) => return format!("`{written}`"),
            _ => {}
        }
        match &self.value {
            Value::Null => "nothing".into(),
            Value::Bool(flag) => format!("`{flag}`"),
            Value::Integer(number) => format!("`{number}`"),
            Value::Number(number) => format!("`{number}`"),
            Value::Text(text) => format!("the text `{text}`"),
            Value::List(_) => "a list".into(),
            Value::Map(_) => "a mapping".into(),
        }
    }

    /// The value as text; numbers and flags as written.
    pub fn text(&self) -> Option<String> {
        match &self.value {
            Value::Text(text) => return Some(text.clone()),
            Value::Null => return None,
            _ if self.written.is_some() => return self.written.clone(),
            _ => {}
        }
        match &self.value {
            Value::Text(text) => Some(text.clone()),
            Value::Integer(number) => Some(number.to_string()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(flag) => Some(flag.to_string()),
            _ => None,
        }
    }

    /// The value as an item of a list of texts, in which `null` and `~` are words; as a field's value they mean no
    /// value.
    pub fn item(&self) -> Option<String> {
        match &self.value {
            Value::Null => self.written.clone(),
            _ => self.text(),
        }
    }

    /// The entries of a mapping; empty for null.
    pub fn entries(&self) -> Option<&[Entry]> {
        match &self.value {
            Value::Map(entries) => Some(entries),
            Value::Null => Some(&[]),
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Value>::deserialize(deserializer)?;
        let (line, column) = place(&spanned);
        let span = spanned.defined.span();
        let number = |n: u64| usize::try_from(n).ok();
        let place = span.byte_offset().and_then(number).zip(span.byte_len().and_then(number));
        Ok(Self { value: spanned.value, line, column, written: None, place })
    }
}

/// A short quoted text at the beginning of `rest`.
fn quoted(rest: &str) -> Option<&str> {
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let line = rest.lines().next()?;
    let end = line.cut(1..).find(quote)? + 2;
    (end <= 64).then(|| line.cut(..end))
}

fn place<T>(spanned: &Spanned<T>) -> (usize, usize) {
    let position = |n: u64| usize::try_from(n).unwrap_or(1).max(1);
    (position(spanned.referenced.line()), position(spanned.referenced.column()))
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Integer(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(i64::try_from(number).map_or(Value::Number(number as f64), Value::Integer))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Number(number))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut entries = Vec::new();
        while let Some((key, node)) = access.next_entry::<Spanned<String>, Node>()? {
            let at = place(&key);
            entries.push(Entry { key: key.value, at, node });
        }
        Ok(Value::Map(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_and_value_has_its_place() {
        let node = parse("kind: feature_vis\nunit: 89\nsweep:\n  unit: [1, 2.5]\n").expect("YAML");
        let entries = node.entries().expect("a mapping");
        assert_eq!((entries[1].key.as_str(), entries[1].at), ("unit", (2, 1)));
        assert_eq!((entries[1].node.line, entries[1].node.column), (2, 7));
        assert_eq!(entries[1].node.value, Value::Integer(89));
        let sweep = entries[2].node.entries().expect("a mapping");
        let Value::List(items) = &sweep[0].node.value else { panic!("a list") };
        assert_eq!((items[1].line, items[1].column, &items[1].value), (4, 13, &Value::Number(2.5)));
    }

    #[test]
    fn errors_have_a_place_and_no_word_of_the_parsers_options() {
        let error = parse("unit: 1\nunit: 2\n").expect_err("twice");
        assert_eq!((error.line, error.column), (2, 1));
        assert_eq!(error.message, "duplicate mapping key: unit");
        let error = parse("c: 1\na: [1, 2\nb: 3").expect_err("open");
        assert_eq!((error.line, error.column), (2, 4));
        assert_eq!(error.message, "this `[` is never closed");
        let error = parse("title: {Faces, drawn\ntags: [a, b]\nx: y").expect_err("open");
        assert_eq!((error.line, error.column), (1, 8));
    }

    #[test]
    fn a_scalar_is_described_as_it_is_written() {
        let of = |written: &str| {
            let node = parse(&format!("é: [a, {{unit: {written}}}] # 5\n")).expect(written);
            let entries = node.entries().expect("a mapping");
            let Value::List(items) = &entries[0].node.value else { panic!("a list") };
            items[1].entries().expect("a mapping")[0].node.describe()
        };
        for written in ["5.0", "99999999999999999999", "1e3", "0x10", "-1", "true", "+5", "1_000"] {
            let described = of(written);
            assert!(
                described == format!("`{written}`") || described == format!("the text `{written}`"),
                "{described}"
            );
        }
        assert_eq!(of("\"5\""), "the text `\"5\"`");
        assert_eq!(of("word"), "the text `word`");
    }

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

    #[test]
    fn an_alias_bomb_is_refused() {
        let mut text = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned();
        for i in 1..12 {
            let item = format!("*a{}", i - 1);
            text.push_str(&format!("a{i}: &a{i} [{}]\n", [item.as_str(); 9].join(",")));
        }
        let error = parse(&text).expect_err("a bomb");
        assert_eq!(error.message, "its aliases stand for more than 20,000 values");
    }

    #[test]
    fn what_nests_too_deep_is_refused_in_both_styles() {
        let flow = |depth: usize| format!("a: {}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse(&flow(DEEPEST - 1)).is_ok());
        let block: String = (0..40).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
        for text in [flow(DEEPEST), flow(100_000), block, "- ".repeat(100_000), "{a: ".repeat(5000)]
        {
            let error = parse(&text).expect_err("too deep");
            assert!(error.message.contains("32 levels deep"), "{error:?}");
        }
    }

    #[test]
    fn a_number_or_flag_is_what_is_written_where_a_text_is_wanted() {
        let texts = |yaml: &str| -> Vec<String> {
            let node = parse(yaml).expect("YAML");
            let Value::List(items) = &node.entries().expect("a mapping")[0].node.value else {
                panic!("a list")
            };
            items.iter().map(|item| item.text().expect("text")).collect()
        };
        assert_eq!(
            texts("a: [007, 1.10, No, yes, 0x1F, 1e3, +5, \"1.0\", 99999999999999999999, 5.0]"),
            ["007", "1.10", "No", "yes", "0x1F", "1e3", "+5", "1.0", "99999999999999999999", "5.0"]
        );
        assert_eq!(
            texts("é: ü\n".replace("é: ü", "é:\n  - 001999 # größer\n  - ja\n  - 2.50").as_str()),
            ["001999", "ja", "2.50"]
        );
        assert_eq!(
            parse("unit: 5.0").expect("YAML").entries().expect("a mapping")[0].node.describe(),
            "`5.0`"
        );
        // In a list of texts these are words; an empty value is null.
        let node = parse("a: [~, null, Null, ]\nb: null\nc:\n").expect("YAML");
        let [a, b, c] = node.entries().expect("a mapping") else { panic!("three") };
        let Value::List(items) = &a.node.value else { panic!("a list") };
        let items: Vec<_> = items.iter().map(Node::item).collect();
        assert_eq!(items, ["~", "null", "Null"].map(|word| Some(word.to_owned())));
        assert_eq!((b.node.text(), c.node.text(), c.node.item()), (None, None, None));
        // An alias is what it stands for.
        assert_eq!(texts("a: [&x 010, *x]"), ["010", "010"]);
    }
}
