//! One stamp: who reviewed, when, with which verdict, and what they saw; as a line of YAML and back.

use std::fmt::Write as _;

use clap::ValueEnum;
use jiff::Timestamp;

use super::seen::Seen;
use crate::diagnostic::Diagnostic;
use crate::yaml::{Entry, Node, Reader, Value};

const FIELDS: [&str; 9] =
    ["by", "on", "verdict", "figure", "text", "figures", "claims", "commit", "message"];
/// Most bytes of a message, and of a name.
const LONGEST: usize = 4_000;

/// What a reviewer found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Verdict {
    /// The figures support what the note says
    #[default]
    Agree,
    /// They support it, apart from small corrections
    Minor,
    /// They do not support it
    Disagree,
}

impl Verdict {
    /// Its name in files.
    pub fn word(self) -> &'static str {
        match self {
            Self::Agree => "agree",
            Self::Minor => "minor",
            Self::Disagree => "disagree",
        }
    }

    /// What a page says.
    pub fn shown(self) -> &'static str {
        match self {
            Self::Agree => "agrees",
            Self::Minor => "agrees, with minor remarks",
            Self::Disagree => "disagrees",
        }
    }

    fn named(word: &str) -> Option<Self> {
        [Self::Agree, Self::Minor, Self::Disagree].into_iter().find(|one| one.word() == word)
    }
}

/// A stamp.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// The reviewer.
    pub by: String,
    /// When, to the second.
    pub on: Timestamp,
    /// The verdict.
    pub verdict: Verdict,
    /// The figure, if the review is of one only.
    pub figure: Option<String>,
    /// What was seen.
    pub seen: Seen,
    /// The commit that was checked out, if the note was in it as it was read.
    pub commit: Option<String>,
    /// A remark.
    pub message: Option<String>,
}

impl Stamp {
    /// The stamp as one line of a list in YAML. It has no line break, so that a union of the lines of two files has whole stamps.
    pub fn line(&self) -> String {
        let mut line = format!("- {{ by: {}, on: {}", quoted(&self.by), self.on);
        let mut add = |name: &str, value: &str| {
            let _ = write!(line, ", {name}: {value}");
        };
        add("verdict", self.verdict.word());
        let mut text = |name: &str, value: &Option<String>| {
            if let Some(value) = value {
                add(name, &quoted(value));
            }
        };
        text("figure", &self.figure);
        text("text", &self.seen.text);
        text("claims", &self.seen.claims);
        text("commit", &self.commit);
        text("message", &self.message);
        let figure = |(id, digest): (&String, &Option<String>)| {
            Some(format!("{}: {}", quoted(id), quoted(digest.as_ref()?)))
        };
        let figures: Vec<String> = self.seen.figures.iter().filter_map(figure).collect();
        if !figures.is_empty() {
            add("figures", &format!("{{ {} }}", figures.join(", ")));
        }
        line + " }"
    }

    /// Reads an item of the list.
    ///
    /// # Errors
    /// If it is no stamp; at the place of what is wrong.
    pub(super) fn read(reader: &Reader<'_>, item: &Node) -> Result<Self, Diagnostic> {
        let entries = match &item.value {
            Value::Map(entries) => entries,
            _ => {
                let message = format!(
                    "a review must be a mapping such as `{{ by: Ada, on: … }}`, not {}",
                    item.describe()
                );
                return Err(reader.at_value(item, message));
            }
        };
        let (mut by, mut on, mut verdict) = (None, None, Verdict::default());
        let (mut figure, mut commit, mut message) = (None, None, None);
        let mut seen = Seen::default();
        for entry in entries {
            match entry.key.as_str() {
                "by" => by = Some(text(reader, entry)?).filter(|name| !name.trim().is_empty()),
                "on" => on = Some(time(reader, entry)?),
                "verdict" => {
                    let word = text(reader, entry)?;
                    verdict = Verdict::named(&word).ok_or_else(|| {
                        reader.wrong(&entry.node, "verdict", "`agree`, `minor` or `disagree`")
                    })?;
                }
                "figure" => figure = Some(text(reader, entry)?),
                "text" => seen.text = Some(text(reader, entry)?),
                "claims" => seen.claims = Some(text(reader, entry)?),
                "commit" => commit = Some(text(reader, entry)?),
                "message" => message = Some(text(reader, entry)?),
                "figures" => {
                    let expected = "a mapping of figures to digests";
                    let of = entry.node.entries();
                    let of = of.ok_or_else(|| reader.wrong(&entry.node, "figures", expected))?;
                    for one in of {
                        seen.figures.insert(one.key.clone(), Some(text(reader, one)?));
                    }
                }
                _ => return Err(reader.unknown(entry, "a review", FIELDS)),
            }
        }
        let missing = |field: &str| {
            let problem = reader.at_value(item, format!("the review has no `{field}`"));
            problem.hint(format!("`neuronotes review` writes it; add `{field}: …`"))
        };
        let by = by.ok_or_else(|| missing("by"))?;
        let on = on.ok_or_else(|| missing("on"))?;
        Ok(Self { by, on, verdict, figure, seen, commit, message })
    }
}

fn text(reader: &Reader<'_>, entry: &Entry) -> Result<String, Diagnostic> {
    let text = reader.text(&entry.node, &entry.key)?;
    match text.len() <= LONGEST {
        true => Ok(text),
        false => {
            let message =
                format!("`{}` has {} bytes; at most {LONGEST} are read", entry.key, text.len());
            Err(reader.at_key(entry, message))
        }
    }
}

/// A time, or a day for its beginning.
fn time(reader: &Reader<'_>, entry: &Entry) -> Result<Timestamp, Diagnostic> {
    let text = text(reader, entry)?;
    let time = text.parse::<Timestamp>().or_else(|_| format!("{text}T00:00:00Z").parse());
    time.map_err(|_| {
        reader.wrong(&entry.node, "on", "a time such as `2026-11-30T09:15:00Z`, or a day")
    })
}

/// A text in double quotes: JSON, which is YAML too.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
