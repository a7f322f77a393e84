//! The tree of a YAML text: values with their positions, and each number, flag and short text as it is written.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_yaml::Spanned;

use neuronotes_core::cut::Cut as _;

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

impl Node {
    /// Keeps the source of numbers and flags, which is used if a text is expected.
    pub(super) fn read_written(&mut self, text: &str) {
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
    use crate::yaml::parse;

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
