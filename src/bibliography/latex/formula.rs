//! Formulas in titles and abstracts: finds which dollar signs begin one, and which formulas can be written as
//! characters.

use neuronotes_core::cut::Cut as _;

use crate::bibliography::look::Look;
use crate::tex;

/// The formula at the start of `rest`, after a dollar sign; `None` if the sign means money.
pub(super) fn inner(rest: &str) -> Option<&str> {
    let mut end = None;
    let mut escaped = false;
    for (at, byte) in rest.bytes().enumerate() {
        if byte == b'$' && !escaped {
            end = Some(at);
            break;
        }
        escaped = byte == b'\\' && !escaped;
    }
    let inner = rest.cut(..end?);
    let behind = rest.cut(inner.len() + 1..).chars().next();
    let is_tex = inner.contains(['\\', '^', '_']);
    let is_tight = !inner.starts_with(char::is_whitespace) && !inner.ends_with(char::is_whitespace);
    let is_sum = behind.is_some_and(|c| c.is_ascii_digit());
    // `$5 or $6`, `$5-$10`.
    let is_money = !is_tex && (!is_tight || is_sum);
    let is_balanced = inner.matches('{').count() == inner.matches('}').count();
    (!inner.is_empty() && !is_money && is_balanced).then_some(inner)
}

/// A formula as text, part by part; `None` if text cannot show it.
pub(super) fn simple(formula: &str) -> Option<Vec<(Option<Look>, String)>> {
    /// Longer formulas are not part of a title.
    const LONGEST: usize = 200;
    if formula.len() > LONGEST {
        return None;
    }
    let mut parts: Vec<(Option<Look>, String)> = Vec::new();
    let mut put = |look: Option<Look>, text: &str| match parts.last_mut() {
        Some((last, known)) if *last == look => known.push_str(text),
        _ => parts.push((look, text.to_owned())),
    };
    let mut rest = formula.trim();
    while let Some(c) = rest.chars().next() {
        let after = rest.cut(c.len_utf8()..);
        let raised = match c {
            '^' => Some(Look::Raised),
            '_' => Some(Look::Lowered),
            _ => None,
        };
        if let Some(look) = raised {
            let (argument, behind) = argument(after)?;
            put(Some(look), &upright(argument)?);
            rest = behind;
            continue;
        }
        if c == '\\' || c == '{' {
            let (argument, behind) = argument(rest)?;
            put(None, &upright(argument)?);
            rest = behind;
            continue;
        }
        if !is_plain(c) {
            return None;
        }
        let look = c.is_alphabetic().then_some(Look::Emphasized);
        put(look, &shown(c));
        rest = after;
    }
    Some(parts)
}

/// Splits off the group, command or character at the start of a text.
fn argument(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start();
    if let Some(inner) = text.strip_prefix('{') {
        let end = inner.find('}')?;
        return (!inner.cut(..end).contains('{')).then(|| (inner.cut(..end), inner.cut(end + 1..)));
    }
    if let Some(rest) = text.strip_prefix('\\') {
        let length = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        let name = rest.cut(..length);
        let behind = rest.cut(length..);
        if matches!(name, "mathrm" | "text" | "textrm" | "mathit" | "rm" | "it" | "textnormal") {
            return argument(behind);
        }
        return Some((
            text.cut(..=length.max(1)),
            if length == 0 { rest.get(1..)? } else { behind.trim_start() },
        ));
    }
    let first = text.chars().next()?;
    Some(text.split_at(first.len_utf8()))
}

/// The characters of an argument.
fn upright(argument: &str) -> Option<String> {
    let mut out = String::new();
    let mut rest = argument;
    while let Some(c) = rest.chars().next() {
        if let Some(command) = rest.strip_prefix('\\') {
            let length = command.bytes().take_while(u8::is_ascii_alphabetic).count();
            match command.cut(..length) {
                "" if command.starts_with(['%', '&', '$', '#', '_']) => {
                    out.push_str(command.cut(..1));
                    rest = command.cut(1..);
                    continue;
                }
                "circ" => out.push('°'),
                "rm" | "it" | "mathrm" | "text" => {}
                name => out.push_str(tex::symbol(name)?),
            }
            rest = command.cut(length..).trim_start();
            continue;
        }
        if !is_plain(c) && !matches!(c, '{' | '}') {
            return None;
        }
        if !matches!(c, '{' | '}') {
            out.push_str(&shown(c));
        }
        rest = rest.cut(c.len_utf8()..);
    }
    Some(out)
}

fn is_plain(c: char) -> bool {
    c.is_alphanumeric()
        || matches!(
            c,
            ' ' | '+'
                | '-'
                | '='
                | '<'
                | '>'
                | '.'
                | ','
                | '('
                | ')'
                | '/'
                | '*'
                | '\''
                | '!'
                | '|'
                | ':'
        )
}

fn shown(c: char) -> String {
    match c {
        '-' => '−',
        '*' => '∗',
        '\'' => '′',
        c => c,
    }
    .into()
}
