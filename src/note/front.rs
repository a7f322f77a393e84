//! Front matter: what stands between the `---` lines at a note's top.
//!
//! Fields that are not known here are left alone, since notes come from other tools too; one that looks
//! like a misspelling of a known field is warned about.

use std::ops::Range;

use jiff::civil::Date;

use crate::diagnostic::{Diagnostic, Lines, SourceFile};
use crate::suggest;
use crate::yaml::{self, Node, Value};

/// What a note says about itself.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FrontMatter {
    /// The note's title.
    pub title: Option<String>,
    /// When it was written.
    pub date: Option<Date>,
    /// When it was last changed.
    pub updated: Option<Date>,
    /// In order.
    pub tags: Vec<String>,
    /// Other names that wikilinks may use.
    pub aliases: Vec<String>,
    /// For search engines and lists.
    pub description: Option<String>,
    /// Whether the note is left out of the site.
    pub draft: bool,
    /// Units that the note is about.
    pub units: Vec<UnitName>,
    /// The field that leaves it out, as it is written: `published: false`.
    pub draft_by: Option<String>,
    pub permalink: Option<String>,
    pub slug: Option<String>,
    pub redirect_from: Vec<String>,
    pub toc: Option<bool>,
    pub toc_depth: Option<u8>,
    pub authors: Vec<String>,
    pub image: Option<String>,
    pub anchors: std::collections::BTreeMap<String, String>,
}

/// A unit that a note is about, and what the note calls it.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitName {
    /// A name out of the configuration; the default model where it is left out.
    pub model: Option<String>,
    /// In either spelling.
    pub layer: String,
    /// Channel, from 0.
    pub unit: u32,
    /// What the note calls it.
    pub name: String,
    /// Where the layer stands in the source.
    pub span: Range<usize>,
}

const KNOWN: [&str; 10] = [
    "title",
    "date",
    "updated",
    "tags",
    "aliases",
    "alias",
    "description",
    "draft",
    "units",
    "created",
];

/// The front matter, where the Markdown begins, and what is wrong.
pub fn parse(at: SourceFile<'_>) -> (FrontMatter, usize, Vec<Diagnostic>) {
    let mut front = FrontMatter::default();
    let text = at.text;
    let bom = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let Some(start) = opening(&text[bom..]).map(|length| bom + length) else {
        return (front, bom, vec![]);
    };
    let Some((end, body)) = closing(text, start) else {
        let problem = at
            .error(bom..bom + 3, "front matter has no end")
            .hint("close it with a line `---`".to_owned());
        return (front, text.len(), vec![problem]);
    };
    let yaml = &text[start..end];
    let reader = Reader { at, start, yaml, lines: Lines::of(yaml) };
    let mut problems = Vec::new();
    match yaml::parse(yaml) {
        Err(error) => {
            let offset = reader.offset(error.line, error.column);
            let problem = at
                .error(
                    reader.line_from(offset),
                    format!("front matter is not YAML: {}", error.message),
                )
                .hint(yaml::quote_hint(yaml, error.line));
            problems.push(problem);
        }
        Ok(node) => match node.entries() {
            None => problems.push(at.error(
                reader.line_from(start),
                format!(
                    "front matter must be a mapping such as `title: …`, not {}",
                    node.describe()
                ),
            )),
            Some(entries) => {
                for entry in entries {
                    if let Err(problem) = reader.field(&mut front, &entry.key, &entry.node) {
                        problems.push(problem);
                    }
                    if !KNOWN.contains(&entry.key.as_str())
                        && let Some(near) = suggest::nearest(&entry.key, KNOWN, 1).first()
                        && strsim::damerau_levenshtein(near, &entry.key) <= 2
                    {
                        let offset = reader.offset(entry.at.0, entry.at.1);
                        problems.push(
                            at.warning(
                                offset..offset + entry.key.len(),
                                format!("front matter has no field `{}`", entry.key),
                            )
                            .hint(format!("did you mean `{near}`?")),
                        );
                    }
                }
            }
        },
    }
    (front, body, problems)
}

fn opening(text: &str) -> Option<usize> {
    let line = text.split_inclusive('\n').next()?;
    (line.trim_end() == "---" && line.ends_with('\n')).then_some(line.len())
}

/// Where the YAML ends and where the body begins.
fn closing(text: &str, start: usize) -> Option<(usize, usize)> {
    let mut offset = start;
    for line in text[start..].split_inclusive('\n') {
        if matches!(line.trim_end(), "---" | "...") {
            return Some((offset, offset + line.len()));
        }
        offset += line.len();
    }
    None
}

struct Reader<'a> {
    at: SourceFile<'a>,
    start: usize,
    yaml: &'a str,
    lines: Lines,
}

impl Reader<'_> {
    fn offset(&self, line: usize, column: usize) -> usize {
        self.start + self.lines.offset(self.yaml, line, column)
    }

    /// From `offset` to the end of its line, at least one byte where there is one.
    fn line_from(&self, offset: usize) -> Range<usize> {
        let text = self.at.text;
        let offset = offset.min(text.len());
        let rest = text[offset..].lines().next().unwrap_or("").trim_end();
        offset..offset + rest.len()
    }

    fn span(&self, node: &Node) -> Range<usize> {
        self.line_from(self.offset(node.line, node.column))
    }

    fn wrong(&self, node: &Node, field: &str, expected: &str) -> Diagnostic {
        self.at.error(
            self.span(node),
            format!("`{field}` must be {expected}, not {}", node.describe()),
        )
    }

    fn field(&self, front: &mut FrontMatter, key: &str, node: &Node) -> Result<(), Diagnostic> {
        if node.value == Value::Null {
            return Ok(());
        }
        match key {
            "title" => front.title = Some(self.text(node, key)?),
            "description" => front.description = Some(self.text(node, key)?),
            "date" | "created" => front.date = Some(self.date(node, key)?),
            "updated" => front.updated = Some(self.date(node, key)?),
            "tags" => front.tags = self.texts(node, key)?,
            "aliases" | "alias" => front.aliases.extend(self.texts(node, key)?),
            "draft" => match node.value {
                Value::Bool(flag) => front.draft = flag,
                _ => return Err(self.wrong(node, key, "`true` or `false`")),
            },
            "units" => match &node.value {
                Value::List(items) => {
                    for item in items {
                        front.units.push(self.unit(item)?);
                    }
                }
                _ => return Err(self.wrong(node, key, "a list of units")),
            },
            _ => {}
        }
        Ok(())
    }

    fn text(&self, node: &Node, field: &str) -> Result<String, Diagnostic> {
        if let (Value::List(_), "title") = (&node.value, field) {
            let problem = self.wrong(node, field, "text");
            return Err(problem.hint("a value that begins with `[` needs quotes".to_owned()));
        }
        node.text().ok_or_else(|| self.wrong(node, field, "text"))
    }

    fn texts(&self, node: &Node, field: &str) -> Result<Vec<String>, Diagnostic> {
        match &node.value {
            Value::List(items) => items.iter().map(|item| self.text(item, field)).collect(),
            _ => {
                let text = self.text(node, field)?;
                Ok(text.split(',').map(|part| part.trim().to_owned()).collect())
            }
        }
    }

    fn date(&self, node: &Node, field: &str) -> Result<Date, Diagnostic> {
        let text = self.text(node, field)?;
        let day = text.get(..10).unwrap_or(&text);
        day.parse().map_err(|_| {
            self.wrong(node, field, "a date").hint("write it as 2025-04-22".to_owned())
        })
    }

    fn unit(&self, node: &Node) -> Result<UnitName, Diagnostic> {
        let entries = match &node.value {
            Value::Map(entries) => entries,
            _ => {
                return Err(self.wrong(node, "units", "a list of mappings").hint(
                    "for instance [{layer: image_block_4/5/Add_6, unit: 1330, name: finance}]"
                        .to_owned(),
                ));
            }
        };
        let (mut model, mut layer, mut unit, mut name) = (None, None, None, None);
        let mut span = self.span(node);
        for entry in entries {
            match entry.key.as_str() {
                "model" => model = Some(self.text(&entry.node, "model")?),
                "layer" => {
                    let text = self.text(&entry.node, "layer")?;
                    let start = self.span(&entry.node).start;
                    span = start..start + text.len();
                    layer = Some(text);
                }
                "name" => name = Some(self.text(&entry.node, "name")?),
                "unit" => match entry.node.value {
                    Value::Integer(n) if u32::try_from(n).is_ok() => unit = u32::try_from(n).ok(),
                    _ => return Err(self.wrong(&entry.node, "unit", "a whole number from 0")),
                },
                other => {
                    let offset = self.offset(entry.at.0, entry.at.1);
                    let problem = self.at.error(
                        offset..offset + other.len(),
                        format!("a unit has no field `{other}`"),
                    );
                    return Err(
                        problem.hint(suggest::hint(other, ["model", "layer", "unit", "name"]))
                    );
                }
            }
        }
        match (layer, unit, name) {
            (Some(layer), Some(unit), Some(name)) => {
                Ok(UnitName { model, layer, unit, name, span })
            }
            _ => Err(self.at.error(span, "a unit needs `layer`, `unit` and `name`")),
        }
    }
}
