//! Prompts that are too long for a model's text tower: parameters in, an error at each text out.

use neuronotes_core::cut::Cut as _;
use neuronotes_core::kind::Type;
use neuronotes_core::kind::class::{Class, PLACE, filled};
use neuronotes_core::kind::direction::{Source, Term};
use neuronotes_core::tokenizer::Tokenizer;
use serde_json::{Map, Value};

use super::Asking;
use crate::diagnostic::Diagnostic;

/// Most errors of one block: the same mistake may be in each line of a long list.
const MOST: usize = 5;

/// An error at each text that has a prompt of more than `context` tokens, where it is not to be cut.
pub(super) fn too_long(
    at: Asking<'_>,
    params: &Map<String, Value>,
    context: u32,
) -> Vec<Diagnostic> {
    let flag = |name: &str| params.get(name).and_then(Value::as_bool).unwrap_or_default();
    if flag("truncate") {
        return Vec::new();
    }
    let templates: Vec<String> = params
        .get("templates")
        .and_then(|value| serde_json::from_value(value.clone()).ok())
        .unwrap_or_else(|| vec![PLACE.to_owned()]);
    let can_cut = at.kind.all_fields().any(|field| field.name == "truncate");
    let hint = if can_cut { "`truncate: true` cuts what is too long" } else { "shorten it" };
    let mut problems = Vec::new();
    for field in at.kind.all_fields() {
        let Some(value) = params.get(field.name) else { continue };
        for (pointer, text) in texts(field.ty, value) {
            let Some(tokens) = filled(&text, &templates).find_map(|p| surplus(&p, context)) else {
                continue;
            };
            let message = format!(
                "the prompt for `{}` has {tokens} tokens, but the model takes {context}",
                shortened(&text)
            );
            problems.push(at.at(field.name, &pointer, message).hint(hint.to_owned()));
            if problems.len() == MOST {
                return problems;
            }
        }
    }
    problems
}

/// Every text of a parameter that goes into the templates, with its place in the field.
fn texts(ty: Type, value: &Value) -> Vec<(String, String)> {
    let numbered = |(index, text): (usize, String)| (format!("/{index}"), text);
    match ty {
        Type::Texts => {
            let texts: Vec<String> = serde_json::from_value(value.clone()).unwrap_or_default();
            texts.into_iter().enumerate().map(numbered).collect()
        }
        Type::Classes => {
            let classes: Vec<Class> = serde_json::from_value(value.clone()).unwrap_or_default();
            let named = |(index, class): (usize, Class)| {
                let names = class.names.into_iter().enumerate();
                names.map(move |(n, name)| (format!("/{index}/names/{n}"), name))
            };
            classes.into_iter().enumerate().flat_map(named).collect()
        }
        Type::Direction => {
            let terms: Vec<Term> = serde_json::from_value(value.clone()).unwrap_or_default();
            let texts = terms.into_iter().enumerate().filter_map(|(index, term)| match term.of {
                Source::Text(text) => Some((format!("/{index}/of/text"), text)),
                _ => None,
            });
            texts.collect()
        }
        _ => Vec::new(),
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", text.cut(..end)),
        None => text.to_owned(),
    }
}

/// How many tokens a prompt has, where they are more than `context`.
fn surplus(prompt: &str, context: u32) -> Option<usize> {
    let read = Tokenizer::clip().tokens(prompt, context as usize, false);
    read.err().map(|long| long.tokens)
}
