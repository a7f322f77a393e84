//! Reads `expect:` of a block: YAML in, claims and problems out.

use std::ops::Range;

use super::claimed::Claim;
use super::text::condition;
use crate::diagnostic::{Diagnostic, Severity};
use crate::yaml::{Entry, Node, Reader, Value};

use neuronotes_core::cut::Cut as _;

/// Maximum number of claims of a block.
const MOST: usize = 200;

/// The fields of a claim.
const FIELDS: [&str; 4] = ["that", "claim", "because", "else"];

/// Whether a mapping of a claim can have this key.
pub fn is_known_key(key: &str) -> bool {
    FIELDS.contains(&key)
}

/// Reads the entry `expect` of a block. A claim with an error is left out.
pub fn read(reader: &Reader<'_>, entry: &Entry) -> (Vec<Claim>, Vec<Diagnostic>) {
    let mut problems = Vec::new();
    let items = match &entry.node.value {
        Value::List(items) if items.len() > MOST => {
            let message = format!("`expect` has {} items; at most {MOST} are allowed", items.len());
            return (Vec::new(), vec![reader.at_key(entry, message)]);
        }
        Value::List(items) => items.as_slice(),
        Value::Null => {
            let problem = reader.at_key(entry, "`expect` has no condition");
            return (Vec::new(), vec![problem.hint(EXAMPLE)]);
        }
        _ => std::slice::from_ref(&entry.node),
    };
    let claims = items
        .iter()
        .filter_map(|item| claim(reader, item).map_err(|problem| problems.push(problem)).ok());
    let claims = claims.collect();
    (claims, problems)
}

const EXAMPLE: &str = "list conditions, such as `expect: [\"top[0].activation > 5\"]`";

fn claim(reader: &Reader<'_>, item: &Node) -> Result<Claim, Diagnostic> {
    let Value::Map(entries) = &item.value else { return stated(reader, item) };
    for entry in entries {
        if !is_known_key(&entry.key) {
            return Err(reader.unknown(entry, "an expectation", FIELDS));
        }
    }
    let find = |key: &str| entries.iter().find(|entry| entry.key == key);
    let Some(that) = find("that") else {
        let span = entries.first().map_or_else(|| reader.item_span(item), |e| reader.key_span(e));
        let problem = reader.at.error(span, "an expectation needs `that`: its condition");
        return Err(problem.hint("such as `{ that: \"top[0].activation > 5\", claim: ^strong }`"));
    };
    let mut claim = stated(reader, &that.node)?;
    if let Some(entry) = find("claim") {
        let written = reader.text(&entry.node, "claim")?;
        let id = written.strip_prefix('^').filter(|id| is_id(id));
        let span = reader.item_span(&entry.node);
        let Some(id) = id else {
            let message = format!("`claim` must name a sentence such as `^eight`, not `{written}`");
            let hint =
                "end the sentence that rests on it with ` ^eight`, and write `claim: ^eight`";
            return Err(reader.at.error(span, message).hint(hint));
        };
        claim.cites = Some((id.to_owned(), span));
    }
    if let Some(entry) = find("because") {
        claim.because = Some(reader.text(&entry.node, "because")?);
    }
    if let Some(entry) = find("else") {
        claim.severity = match reader.text(&entry.node, "else")?.as_str() {
            "warn" => Severity::Note,
            "error" => Severity::Error,
            _ => return Err(reader.wrong(&entry.node, "else", "`warn` or `error`")),
        };
    }
    Ok(claim)
}

/// Whether a text is a block's name as Obsidian has it.
fn is_id(id: &str) -> bool {
    !id.is_empty() && id.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_')
}

/// A claim of a condition alone.
fn stated(reader: &Reader<'_>, node: &Node) -> Result<Claim, Diagnostic> {
    let Value::Text(text) = &node.value else {
        let message = format!("an expectation must be a condition, not {}", node.describe());
        let problem = reader.at.error(reader.item_span(node), message);
        return Err(problem.hint("put it in quotes: \"top[0].activation > 5\""));
    };
    let text = text.trim();
    let span = reader.item_span(node);
    let found = reader.at.text.cut(span.clone()).find(text).map(|offset| span.start + offset);
    let own = found.map_or(span.clone(), |start| start..start + text.len());
    let place = |part: &Range<usize>| match found {
        Some(start) => start + part.start..start + part.end,
        None => span.clone(),
    };
    // What names a block after a space is a comment to YAML.
    let after = reader.at.text.cut(own.end..).lines().next().unwrap_or_default();
    let comment = after.trim_start();
    let names_block = comment.strip_prefix('#').is_some_and(|rest| {
        let word = rest.split_whitespace().next().unwrap_or_default();
        rest.starts_with(char::is_alphabetic) && word.contains(['.', '['])
    });
    if found.is_some() && names_block && comment.len() < after.len() {
        let from = own.end + after.len() - comment.len();
        let message = "in YAML, what follows ` #` is a comment";
        let problem = reader.at.error(from..from + comment.trim_end().len(), message);
        return Err(problem.hint("put the whole condition in quotes"));
    }
    let expression = condition(text).map_err(|fault| {
        let span = if fault.span.is_empty() { own.clone() } else { place(&fault.span) };
        reader.at.error(span, fault.problem.message).hint(fault.problem.hint)
    })?;
    Ok(Claim {
        text: text.to_owned(),
        expression,
        span: own,
        start: found,
        cites: None,
        because: None,
        severity: Severity::Warning,
    })
}
