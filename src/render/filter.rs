//! Additional filters for templates.

use std::fmt;

use minijinja::value::Value;
use minijinja::{Environment, Error, ErrorKind, State};
use neuronotes_core::cut::Cut as _;
use serde::Deserialize as _;

use crate::figure::Image;
use crate::{garden, language};

/// Adds all filters.
pub(super) fn add_to(environment: &mut Environment<'_>) {
    environment.add_filter("code_spans", code_spans);
    environment.add_filter("direction", direction);
    environment.add_filter("url", url);
}

/// ` dir="auto"` if a text may have another direction than its page: a filter for titles and excerpts of other pages.
fn direction(text: &str, page: &str) -> Value {
    let other = page == "rtl" || language::has_right_to_left(text);
    Value::from_safe_string(if other { " dir=\"auto\"" } else { "" }.to_owned())
}

/// The address, relative to the page, of a drawing's image or of another file of the site, given by path.
///
/// # Errors
/// If the value is anything else, or `site` is missing.
fn url(state: &State, of: Value) -> Result<String, Error> {
    let image = |_| invalid("`url` needs an image of a drawing, or the path of a file of the site");
    let file = match of.as_str() {
        Some(path) => path.to_owned(),
        None => Image::deserialize(of).map_err(image)?.file(),
    };
    let page = state.lookup("site").and_then(|site| site.get_attr("page").ok());
    let page = page.as_ref().and_then(Value::as_str);
    let page = page.ok_or_else(|| invalid("`url` needs `site`, which is missing here"))?;
    Ok(garden::href(page, &file, None))
}

fn invalid(message: &'static str) -> Error {
    Error::new(ErrorKind::InvalidOperation, message)
}

/// Plain text as HTML, with text between backticks as code: a filter for messages.
pub(super) fn code_spans(text: &str) -> Value {
    let mut html = String::new();
    let mut parts = text.split('`').peekable();
    let mut code = false;
    while let Some(part) = parts.next() {
        // The last backtick of an odd number opens nothing.
        let closed = code && parts.peek().is_some();
        let (before, after) = match (code, closed) {
            (true, true) => ("<code>", "</code>"),
            (true, false) => ("`", ""),
            (false, _) => ("", ""),
        };
        html.push_str(before);
        let _ = escape(&mut html, part);
        html.push_str(after);
        code = !code;
    }
    Value::from_safe_string(html)
}

/// Writes plain text as HTML.
pub(super) fn escape(out: &mut impl fmt::Write, text: &str) -> fmt::Result {
    let mut rest = text;
    while let Some(at) = rest.find(['&', '<', '>', '"', '\'']) {
        out.write_str(rest.cut(..at))?;
        out.write_str(match rest.as_bytes()[at] {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'"' => "&quot;",
            _ => "&#39;",
        })?;
        rest = rest.cut(at + 1..);
    }
    out.write_str(rest)
}
