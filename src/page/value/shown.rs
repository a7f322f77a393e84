//! The replacements of values: text and HTML.

use serde_json::Value;

use crate::claim::Judgement;
use crate::diagnostic::fault::Fault;
use crate::note::{self, Block, InlineValue, Query};

/// The replacement of a value, on any page.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// Plain text.
    pub text: String,
    /// `text`, escaped for HTML.
    pub escaped: String,
    /// An HTML element.
    pub html: String,
    /// Its figure: note and block id.
    pub figure: Option<(usize, String)>,
    /// The outcome of its condition, if it has one.
    pub judgement: Option<Judgement>,
}

impl Shown {
    pub(super) fn new(text: String, html: String, figure: Option<(usize, String)>) -> Self {
        Self { escaped: note::escape(&text), text, html, figure, judgement: None }
    }
}

/// A page's name for a figure.
pub(super) fn figure(block: &Block) -> String {
    format!("Figure {}", block.number)
}

/// A known value in HTML.
pub(super) fn data(raw: &str, title: &str, text: &str) -> String {
    format!(
        "<data class=\"value\" value=\"{}\" title=\"{}\">{}</data>",
        note::escape(raw),
        note::escape(title),
        note::escape(text),
    )
}

/// The mark of a value that is being measured.
pub(super) fn waiting(key: &str, status: &str, figure: Option<(usize, String)>) -> Shown {
    let html = format!(
        "<span class=\"value waiting\" data-key=\"{key}\" aria-busy=\"true\" title=\"{}\">…</span>",
        note::escape(status),
    );
    Shown::new("…".to_owned(), html, figure)
}

/// A code span that only looks like a value.
pub(super) fn code(value: &InlineValue) -> Shown {
    let text = format!("= {}", value.text);
    let html = format!("<code>{}</code>", note::escape(&text));
    Shown { escaped: html.clone(), html, text, figure: None, judgement: None }
}

/// The mark of a value that cannot be shown.
pub(super) fn failed(value: &InlineValue, message: &str, figure: Option<(usize, String)>) -> Shown {
    let text = format!("[{}]", value.text);
    let html = format!(
        "<span class=\"value failed\" title=\"{}\">{}</span>",
        note::escape(message),
        note::escape(&text)
    );
    Shown::new(text, html, figure)
}

/// A value as in JSON and HTML attributes.
pub(super) fn raw(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(raw).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// A value formatted for readers.
pub(super) fn written(value: &Value, query: &Query) -> Result<String, Fault> {
    let one = |value: &Value| match (value, &query.format) {
        (Value::Number(number), format) => {
            let format = format.as_ref().map(|(format, _)| *format).unwrap_or_default();
            Ok(match (number.as_i64(), number.as_u64()) {
                (Some(whole), _) => format.whole(whole.into()),
                (None, Some(whole)) => format.whole(whole.into()),
                _ => format.number(number.as_f64().unwrap_or(f64::NAN)),
            })
        }
        (value, Some((_, place))) => {
            let what = if value.is_boolean() { "true or false" } else { "text" };
            let message = format!("formats are for numbers, but this is {what}: {}", raw(value));
            let hint = "remove the `|` and everything after it";
            Err(Fault::new(place.clone(), message).hint(hint))
        }
        (value, None) => Ok(raw(value)),
    };
    match value {
        Value::Array(items) if items.is_empty() => Ok("none".to_owned()),
        Value::Array(items) => Ok(items.iter().map(one).collect::<Result<Vec<_>, _>>()?.join(", ")),
        value => one(value),
    }
}

/// A computed number formatted for readers; a whole one as a count.
pub(super) fn number_written(number: f64, query: &Query) -> String {
    let format = query.format.as_ref().map(|(format, _)| *format).unwrap_or_default();
    match number.fract() == 0.0 && number.abs() < 1e15 {
        true => format.whole(number as i128),
        false => format.number(number),
    }
}
