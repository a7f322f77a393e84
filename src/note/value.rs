//! A field's value: a YAML node and the field's type in; JSON of that type, with the place of every part, out.
//!
//! Checks what can be seen in the block alone: form, bounds, what stands twice.

use neuronotes_core::kind::{Field, Type};
use neuronotes_core::model::Precision;
use neuronotes_core::suggest;
use serde_json::Value as Json;

use super::block::{FieldValue, Reader};
use super::list::Lists;
use crate::diagnostic::Diagnostic;
use crate::yaml::{Node, Value};

/// Reads a value.
///
/// # Errors
/// Everything that is wrong with it, each at its place.
pub(super) fn read(
    reader: &Reader<'_>,
    field: &Field,
    node: &Node,
) -> Result<FieldValue, Vec<Diagnostic>> {
    let mut lists = Lists::new(reader, field.name);
    let value = match field.ty {
        Type::Texts => lists.texts(node),
        Type::Templates => lists.templates(node),
        Type::Classes => lists.classes(node),
        Type::Pictures => lists.pictures(node, ""),
        Type::Layers => lists.layers(node),
        Type::Figures => lists.figures(node, ""),
        Type::Direction => lists.direction(node),
        Type::Units => lists.several_units(node),
        _ => scalar(reader, field, node).map_err(|problem| vec![*problem])?,
    };
    match lists.problems.is_empty() {
        true => Ok(FieldValue { value, span: reader.value_span(node), places: lists.places }),
        false => Err(lists.problems),
    }
}

fn scalar(reader: &Reader<'_>, field: &Field, node: &Node) -> Result<Json, Box<Diagnostic>> {
    let wrong = |expected: String| {
        let message = format!("`{}` must be {expected}, not {}", field.name, node.describe());
        let problem = reader.at.error(reader.value_span(node), message);
        Box::new(problem.hint(whole(node).map(|n| format!("write `{}: {n}`", field.name))))
    };
    let words = match field.ty {
        Type::Choice(words) => words,
        _ => &Precision::NAMES,
    };
    match field.ty {
        Type::Integer { min, max } => match node.value {
            Value::Integer(n) if (min..=max).contains(&n) => Ok(n.into()),
            _ if max == i64::MAX => Err(wrong(format!("a whole number from {min}"))),
            _ => Err(wrong(format!("a whole number from {min} to {max}"))),
        },
        Type::Unit => match node.value {
            Value::Integer(n) if u32::try_from(n).is_ok() => Ok(n.into()),
            // Written out only where it is what is wrong.
            _ if node.written.as_deref().is_some_and(is_digits) => {
                Err(wrong(format!("a whole number from 0 to {}", u32::MAX)))
            }
            _ => Err(wrong("a whole number from 0".into())),
        },
        Type::Number { min, max } => match number(node) {
            Some(number) if (min..=max).contains(&number) => Ok(number.into()),
            _ => Err(wrong(format!("a number from {min} to {max}"))),
        },
        Type::Flag => match node.value {
            Value::Bool(flag) => Ok(flag.into()),
            _ => Err(wrong("`true` or `false`".into())),
        },
        Type::Choice(_) | Type::Precision => match node.text() {
            Some(text) if words.contains(&text.as_str()) => Ok(text.into()),
            text => {
                let names: Vec<String> = words.iter().map(|w| (*w).to_owned()).collect();
                let problem = wrong(suggest::quoted(&names, "or"));
                let near = suggest::nearest(&text.unwrap_or_default(), words, 1);
                let hint = near.first().map(|near| format!("did you mean `{near}`?"));
                Err(Box::new(problem.hint(hint)))
            }
        },
        Type::Text if field.name == "id" => match node.text() {
            Some(id) if is_id(&id) => Ok(id.into()),
            _ => Err(wrong("letters, digits, `-` and `_`, beginning with a letter".into())),
        },
        _ => node.text().map(Json::from).ok_or_else(|| wrong("text".into())),
    }
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The whole number that is meant by another form of it: `5.0`, `1e3`, `"5"`.
fn whole(node: &Node) -> Option<i64> {
    match &node.value {
        Value::Number(x) if x.fract() == 0.0 && (0.0..=9e15).contains(x) => Some(*x as i64),
        Value::Text(text) if is_digits(text) => text.parse().ok(),
        _ => None,
    }
}

/// A number of either form.
pub(super) fn number(node: &Node) -> Option<f64> {
    match node.value {
        Value::Integer(n) => Some(n as f64),
        Value::Number(x) => Some(x),
        _ => None,
    }
}

fn is_id(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic())
        && text.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_')
}
