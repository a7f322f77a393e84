//! Values of fields of front matter, in all the forms in which tools write them.

use jiff::civil::Date;
use neuronotes_core::cut::Cut as _;

use crate::author::{Author, orcid};
use crate::diagnostic::{Diagnostic, Severity};
use crate::language;
use crate::yaml::{Node, Reader, Value};

/// The day at the start of a text: `2025-04-22`, with or without a time after it, with other separators or none, or as
/// a link to the day's note.
fn day(text: &str) -> Option<Date> {
    let text = text.trim().trim_start_matches("[[");
    let end = text.find(|c: char| !(c.is_ascii_digit() || "-/.".contains(c))).unwrap_or(text.len());
    let written = text.cut(..end);
    if written.len() == 8 && !written.contains(['-', '/', '.']) {
        return written.parse().ok();
    }
    let mut parts = written.splitn(3, ['-', '/', '.']);
    let year = parts.next().filter(|year| year.len() == 4)?.parse().ok()?;
    let (month, rest) = (parts.next()?.parse().ok()?, parts.next()?);
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    Date::new(year, month, rest.cut(..end).parse().ok()?).ok()
}

/// A folded text on one line.
pub(super) fn one_line(text: &str) -> String {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

/// A path, also if it is written as a link of Obsidian or of Jekyll's plugins.
pub(super) fn picture(node: &Node) -> Option<String> {
    let text = match &node.value {
        Value::Map(entries) => entries.iter().find(|entry| entry.key == "path")?.node.text()?,
        _ => node.text()?,
    };
    let path = text.trim().trim_start_matches('!').trim_start_matches("[[").trim_end_matches("]]");
    let path = path.split('|').next().unwrap_or(path).trim();
    (!path.is_empty()).then(|| path.to_owned())
}

pub(super) fn text(reader: &Reader<'_>, node: &Node, field: &str) -> Result<String, Diagnostic> {
    if let (Value::List(_), "title") = (&node.value, field) {
        let problem = reader.wrong(node, field, "text");
        return Err(problem.hint("a value that begins with `[` needs quotes"));
    }
    reader.text(node, field)
}

pub(super) fn lenient(reader: &Reader<'_>, node: &Node, field: &str, expected: &str) -> Diagnostic {
    Diagnostic { severity: Severity::Warning, ..reader.wrong(node, field, expected) }
}

pub(super) fn language_tag(
    reader: &Reader<'_>,
    node: &Node,
    field: &str,
) -> Result<String, Diagnostic> {
    let tag = node.text().as_deref().and_then(language::tag);
    tag.ok_or_else(|| {
        let problem = lenient(reader, node, field, "a language tag");
        problem.hint("write the language as `ar`, `pt-BR` or the like")
    })
}

/// A list, or text with commas. Empty items, which editors leave, are skipped.
pub(super) fn texts(
    reader: &Reader<'_>,
    node: &Node,
    field: &str,
) -> Result<Vec<String>, Diagnostic> {
    match &node.value {
        Value::List(_) => each(reader, node, field),
        _ => {
            let text = text(reader, node, field)?;
            let parts = text.split(',').map(|part| part.trim().to_owned());
            Ok(parts.filter(|part| !part.is_empty()).collect())
        }
    }
}

/// A list of texts, or a single one.
pub(super) fn each(
    reader: &Reader<'_>,
    node: &Node,
    field: &str,
) -> Result<Vec<String>, Diagnostic> {
    let one = std::slice::from_ref(node);
    let items = if let Value::List(items) = &node.value { items } else { one };
    let items = items.iter().filter(|item| item.value != Value::Null || item.written.is_some());
    items.map(|item| item.item().map_or_else(|| text(reader, item, field), Ok)).collect()
}

/// A list, or text with commas or, as in Jekyll, with spaces. The `#` that Obsidian writes before a tag is removed.
pub(super) fn tags(
    reader: &Reader<'_>,
    node: &Node,
    field: &str,
) -> Result<Vec<String>, Diagnostic> {
    let mut tags = texts(reader, node, field)?;
    if let ([one], false) = (&tags[..], matches!(node.value, Value::List(_))) {
        tags = one.split_whitespace().map(str::to_owned).collect();
    }
    let bare = tags.iter().map(|tag| tag.trim_start_matches('#').trim().to_owned());
    Ok(bare.filter(|tag| !tag.is_empty()).collect())
}

/// Names, or mappings with a `name`, each with the problem of its ORCID iD. Other fields belong to other tools.
pub(super) fn authors(reader: &Reader<'_>, node: &Node) -> (Vec<Author>, Option<Diagnostic>) {
    let mut problem = None;
    let mut named = |node: &Node| {
        let Value::Map(entries) = &node.value else { return node.item().map(Author::named) };
        let entry = |key: &str| entries.iter().find(|entry| entry.key == key);
        let text = |key: &str| entry(key).and_then(|entry| entry.node.text());
        let iri = entry("orcid").and_then(|entry| Some((entry, entry.node.text()?)));
        let read = iri.as_ref().and_then(|(_, written)| orcid(written));
        if let Some((entry, written)) = iri
            && read.is_none()
        {
            let message = format!("`{written}` is not an ORCID iD");
            let span = reader.value_span(&entry.node);
            let hint = "write 16 digits as 0000-0002-1825-0097; the last one is a check digit";
            problem = Some(reader.at.warning(span, message).hint(hint));
        }
        let (affiliation, url) = (text("affiliation"), text("url"));
        Some(Author { name: text("name")?, is_organization: false, orcid: read, affiliation, url })
    };
    let authors = match &node.value {
        Value::List(items) => items.iter().filter_map(named).collect(),
        _ => named(node).into_iter().collect(),
    };
    (authors, problem)
}

pub(super) fn date(reader: &Reader<'_>, node: &Node, field: &str) -> Result<Date, Diagnostic> {
    day(&text(reader, node, field)?)
        .ok_or_else(|| reader.wrong(node, field, "a date").hint("write it as 2025-04-22"))
}

/// A date written by another tool. If it cannot be understood, that is only a warning.
pub(super) fn foreign_date(
    reader: &Reader<'_>,
    node: &Node,
    field: &str,
) -> Result<Option<Date>, Diagnostic> {
    let date = date(reader, node, field).map(Some);
    date.map_err(|problem| Diagnostic { severity: Severity::Warning, ..problem })
}
