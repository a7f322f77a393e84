//! What a rater answered: the file that a labelling sheet saved in; the labels, or what is wrong and where, out.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::csv::{self, Table};
use super::format::{FORMAT, format};
use crate::problem::Problem;

/// What a rater answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answers {
    /// [`FORMAT`].
    #[serde(deserialize_with = "format")]
    format: String,
    /// Which sheet it was: the digest of its pictures, in hexadecimal; empty if the file is a table.
    pub sheet: String,
    /// The rater's name.
    #[serde(deserialize_with = "rater")]
    pub rater: String,
    /// The labels that the rater chose from; of a table, those that the rater chose.
    pub categories: Vec<String>,
    /// The label of each picture, by the picture's name.
    #[serde(deserialize_with = "labelled")]
    pub labels: BTreeMap<String, String>,
    /// The pictures that the rater skipped.
    #[serde(default, deserialize_with = "once")]
    pub skipped: BTreeSet<String>,
}

impl Answers {
    /// Reads a file, JSON or CSV.
    ///
    /// # Errors
    /// If it is no such file; the message begins with the line and, in JSON, the column.
    pub fn read(bytes: &[u8]) -> Result<Self, Problem> {
        match bytes.trim_ascii_start().first() {
            Some(b'{') => Self::from_json(bytes),
            Some(b'[') => Err(Problem::new("line 1, column 1: it is not a JSON object")
                .hint("save the file again from the labelling sheet")),
            _ => Ok(Self::of(csv::read(bytes)?)),
        }
    }

    /// The answers in a table, whose categories are the labels in it.
    fn of(table: Table) -> Self {
        let Table { rater, labels, skipped } = table;
        let categories: BTreeSet<&String> = labels.values().collect();
        let categories = categories.into_iter().cloned().collect();
        let (format, sheet) = (FORMAT.to_owned(), String::new());
        Self { format, sheet, rater, categories, labels, skipped }
    }

    fn from_json(bytes: &[u8]) -> Result<Self, Problem> {
        let answers: Self = serde_json::from_slice(bytes).map_err(|error| {
            let message = error.to_string();
            // serde_json adds the place at the end.
            let why = message.split(" at line ").next().unwrap_or(&message).to_owned();
            let problem =
                Problem::new(format!("line {}, column {}: {why}", error.line(), error.column()));
            problem.hint("save the file again from the labelling sheet")
        })?;
        let odd = answers.labels.iter().find(|(_, label)| !answers.categories.contains(label));
        if let Some((picture, label)) = odd {
            let message = format!(
                "the picture `{picture}` has the label `{label}`, which is not among its `categories`"
            );
            let line = line_of(bytes, picture);
            let place = line.map(|line| format!("line {line}: ")).unwrap_or_default();
            return Err(Problem::new(format!("{place}{message}"))
                .hint("add it to `categories` of the file, or correct it"));
        }
        if let Some(both) = answers.skipped.iter().find(|name| answers.labels.contains_key(*name)) {
            let message = format!("the picture `{both}` is both labelled and skipped");
            return Err(Problem::new(message));
        }
        Ok(answers)
    }
}

/// The line at which a name stands as the key of a label, counted from 1.
fn line_of(bytes: &[u8], name: &str) -> Option<usize> {
    let name = serde_json::to_string(name).ok()?;
    let text = std::str::from_utf8(bytes).ok()?;
    let is_key = |line: &str| {
        line.find(&name).is_some_and(|at| {
            line.get(at + name.len()..).is_some_and(|rest| rest.trim_start().starts_with(':'))
        })
    };
    text.lines().position(is_key).map(|index| index + 1)
}

fn rater<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let name = String::deserialize(deserializer)?.trim().to_owned();
    match name.is_empty() {
        false => Ok(name),
        true => Err(D::Error::custom("the rater has no name")),
    }
}

fn labelled<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, String>, D::Error> {
    struct Labels;
    impl<'de> Visitor<'de> for Labels {
        type Value = BTreeMap<String, String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object with a label for each picture")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut found = BTreeMap::new();
            while let Some(picture) = map.next_key::<String>()? {
                if found.contains_key(&picture) {
                    let message = format!("the picture `{picture}` is labelled twice");
                    return Err(A::Error::custom(message));
                }
                let label = map.next_value()?;
                found.insert(picture, label);
            }
            Ok(found)
        }
    }
    deserializer.deserialize_map(Labels)
}

fn once<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeSet<String>, D::Error> {
    struct Once;
    impl<'de> Visitor<'de> for Once {
        type Value = BTreeSet<String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list of pictures")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
            let mut found = BTreeSet::new();
            while let Some(picture) = items.next_element::<String>()? {
                if found.contains(&picture) {
                    let message = format!("the picture `{picture}` is listed twice");
                    return Err(A::Error::custom(message));
                }
                found.insert(picture);
            }
            Ok(found)
        }
    }
    deserializer.deserialize_seq(Once)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"{
  "format": "neuronotes labels 1",
  "sheet": "3f0c",
  "rater": " ann ",
  "categories": ["heart", "face"],
  "labels": {
    "a": "heart",
    "b": "face"
  },
  "skipped": ["c"]
}"#;

    fn wrong(from: &str, to: &str) -> String {
        assert!(FILE.contains(from), "{from}");
        Answers::read(FILE.replacen(from, to, 1).as_bytes()).expect_err(to).message
    }

    #[test]
    fn a_file_is_a_label_for_each_picture() {
        let answers = Answers::read(FILE.as_bytes()).expect("answers");
        assert_eq!((answers.rater.as_str(), answers.sheet.as_str()), ("ann", "3f0c"));
        assert_eq!(answers.labels["a"], "heart");
        assert!(answers.skipped.contains("c"));
        let without = FILE.replace(",\n  \"skipped\": [\"c\"]", "");
        assert!(Answers::read(without.as_bytes()).expect("answers").skipped.is_empty());
    }

    #[test]
    fn a_mistake_is_named_with_its_place() {
        assert_eq!(wrong("\"b\"", "\"a\""), "line 8, column 7: the picture `a` is labelled twice");
        let odd =
            "line 8: the picture `b` has the label `hart`, which is not among its `categories`";
        assert_eq!(wrong("\"b\": \"face\"", "\"b\": \"hart\""), odd);
        let both = "the picture `b` is both labelled and skipped";
        assert_eq!(wrong("[\"c\"]", "[\"b\"]"), both);
        assert!(wrong("labels 1", "labels 9").starts_with("line 2, column "));
        assert!(wrong(" ann ", " ").contains("the rater has no name"));
        assert!(wrong("[\"c\"]", "[\"c\", \"c\"]").contains("`c` is listed twice"));
        assert!(wrong("\"sheet\"", "\"shet\"").contains("unknown field `shet`"));
        assert!(wrong("\"face\"\n  }", "\"face\"\n").starts_with("line 10, column "), "cut off");
        let list = Answers::read(b"[]").expect_err("no object").message;
        assert_eq!(list, "line 1, column 1: it is not a JSON object");
        for other in [&b"\xff"[..], b"", b"hearts"] {
            assert!(Answers::read(other).expect_err("no file").message.starts_with("line 1"));
        }
    }

    #[test]
    fn a_table_says_the_same() {
        let answers = Answers::read(FILE.as_bytes()).expect("answers");
        let table = Answers::read(b"image,label,rater\nb,face,ann\na,heart,ann\nc,,ann\n");
        let table = table.expect("answers");
        assert_eq!((&table.rater, &table.labels), (&answers.rater, &answers.labels));
        assert_eq!(
            (table.skipped, table.categories),
            (answers.skipped, vec!["face".into(), "heart".into()])
        );
    }
}
