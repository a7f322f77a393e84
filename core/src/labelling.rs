//! Labels that a rater gave to pictures by a labelling sheet: the JSON file that the sheet saved in; the labels, or what is wrong and where,
//! out.
//!
//! ```json
//! {
//!   "format": "neuronotes labels 1",
//!   "sheet": "3f0c…",
//!   "rater": "ann",
//!   "categories": ["heart", "face"],
//!   "labels": { "emoji_u2764": "heart" },
//!   "skipped": []
//! }
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::digest::Digest;
use crate::problem::Problem;

/// The first member of such a file.
pub const FORMAT: &str = "neuronotes labels 1";
/// Maximum size of such a file in bytes.
pub const LARGEST: u64 = 4 << 20;

/// A labelling sheet: what its page shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sheet {
    /// [`FORMAT`].
    #[serde(deserialize_with = "format")]
    format: String,
    /// Digest of the names of its images, in hexadecimal.
    pub sheet: String,
    /// The labels to choose from.
    pub categories: Vec<String>,
    /// The images, in the order in which they are shown.
    pub images: Vec<Shown>,
}

/// An image on a labelling sheet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shown {
    /// Its name in the file that a rater saves.
    pub name: String,
    /// A data URI.
    pub source: String,
}

impl Sheet {
    /// A sheet of these images.
    pub fn new(categories: Vec<String>, images: Vec<Shown>) -> Self {
        // Whatever their order and the labels: of the same images, answers can go on.
        let names: BTreeSet<&str> = images.iter().map(|image| image.name.as_str()).collect();
        let text: Vec<&str> = names.into_iter().collect();
        let sheet = Digest::of(text.join("\n").as_bytes()).hex();
        Self { format: FORMAT.to_owned(), sheet, categories, images }
    }
}

/// Names of files in a folder, with `*`, `?` and `[…]` in the name.
#[derive(Debug, Clone)]
pub struct Pattern {
    /// The folder; empty for the garden's own.
    pub folder: String,
    name: glob::Pattern,
}

impl Pattern {
    /// The pattern that a path is; `None` if it names one file.
    ///
    /// # Errors
    /// If it is no valid pattern, or the folder's name has wildcards too.
    pub fn of(written: &str) -> Result<Option<Self>, Problem> {
        let wild = |text: &str| text.contains(['*', '?', '[']);
        let (folder, name) = written.rsplit_once('/').unwrap_or(("", written));
        if wild(folder) {
            let message = format!("`{written}` has a wildcard in the name of a folder");
            return Err(Problem::new(message).hint("use wildcards in the file's name only"));
        }
        if !wild(name) {
            return Ok(None);
        }
        let name = glob::Pattern::new(name).map_err(|cause| {
            Problem::new(format!("`{written}` is not a pattern ({cause})"))
                .hint("such as `sheets/hearts-*.json`")
        })?;
        Ok(Some(Self { folder: folder.to_owned(), name }))
    }

    /// The path of a file of the folder with that name, if the pattern is like it.
    pub fn path(&self, name: &str) -> Option<String> {
        let hidden = name.starts_with('.');
        (!hidden && self.name.matches(name)).then(|| match self.folder.as_str() {
            "" => name.to_owned(),
            folder => format!("{folder}/{name}"),
        })
    }

    /// Whether the pattern is like a path.
    pub fn matches(&self, path: &str) -> bool {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        folder == self.folder && self.path(name).is_some()
    }
}

/// What a rater answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answers {
    /// [`FORMAT`].
    #[serde(deserialize_with = "format")]
    format: String,
    /// Which sheet it was: the digest of its pictures, in hexadecimal.
    pub sheet: String,
    /// The rater's name.
    #[serde(deserialize_with = "rater")]
    pub rater: String,
    /// The labels that the rater chose from.
    pub categories: Vec<String>,
    /// The label of each picture, by the picture's name.
    #[serde(deserialize_with = "labelled")]
    pub labels: BTreeMap<String, String>,
    /// The pictures that the rater skipped.
    #[serde(default, deserialize_with = "once")]
    pub skipped: BTreeSet<String>,
}

impl Answers {
    /// Reads a file.
    ///
    /// # Errors
    /// If it is no such file; the message begins with the line and the column.
    pub fn read(bytes: &[u8]) -> Result<Self, Problem> {
        // A list of the members would be read as well.
        if !bytes.trim_ascii_start().starts_with(b"{") {
            return Err(Problem::new("line 1, column 1: it is not a JSON object")
                .hint("save the file again from the labelling sheet"));
        }
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

fn format<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let found = String::deserialize(deserializer)?;
    match found == FORMAT {
        true => Ok(found),
        false => Err(D::Error::custom(format!("the format is `{found}`, not `{FORMAT}`"))),
    }
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
    fn a_sheet_is_known_by_its_images_whatever_their_order() {
        let of = |names: &[&str], labels: &[&str]| {
            let image = |name: &&str| Shown { name: (*name).to_owned(), source: String::new() };
            let labels = labels.iter().map(|label| (*label).to_owned()).collect();
            Sheet::new(labels, names.iter().map(image).collect()).sheet
        };
        assert_eq!(of(&["a", "b"], &["x"]), of(&["b", "a"], &["y", "z"]));
        assert_ne!(of(&["a", "b"], &["x"]), of(&["a"], &["x"]));
    }

    #[test]
    fn a_pattern_is_of_names_in_a_folder() {
        let like = Pattern::of("sheets/hearts-*.json").expect("valid").expect("a pattern");
        assert_eq!(like.path("hearts-ann.json").as_deref(), Some("sheets/hearts-ann.json"));
        assert_eq!(like.path("faces-ann.json"), None);
        assert!(like.matches("sheets/hearts-ben.json") && !like.matches("hearts-ben.json"));
        assert!(Pattern::of("sheets/hearts.json").expect("valid").is_none());
        let here = Pattern::of("*.json").expect("valid").expect("a pattern");
        assert_eq!(here.path("a.json").as_deref(), Some("a.json"));
        assert_eq!(here.path(".a.json"), None);
        assert!(Pattern::of("*/a.json").is_err() && Pattern::of("a[.json").is_err());
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
        for other in [&b"\xff"[..], b"[]", b""] {
            let found = Answers::read(other).expect_err("no object").message;
            assert_eq!(found, "line 1, column 1: it is not a JSON object");
        }
    }
}
