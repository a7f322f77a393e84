//! Prompts that are too long for a model's text tower. Input: parameters. Output: a problem for each such text.

use neuronotes_core::cut::Cut as _;
use neuronotes_core::kind::class::{PLACE, filled};
use neuronotes_core::kind::{Kind, Type};
use neuronotes_core::problem::Problem;
use neuronotes_core::tokenizer::Tokenizer;
use serde_json::{Map, Value as Json};

use super::asked::Wrong;
use super::line::texts;
use super::table::family;

/// Maximum number of errors of one block: each line of a long list may have the same mistake.
const MOST: usize = 5;

/// An error at each text that has a prompt of more than `context` tokens, unless prompts are to be cut.
pub fn too_long(kind: &Kind, params: &Map<String, Json>, context: u32) -> Vec<Wrong> {
    let is_cut = |name: &str| params.get(name).and_then(Json::as_bool).unwrap_or_default();
    if is_cut("truncate") {
        return Vec::new();
    }
    let templates = kind.all_fields().find(|field| field.ty == Type::Templates);
    let templates = templates.and_then(|field| params.get(field.name));
    let templates = templates.map_or_else(|| vec![PLACE.to_owned()], texts);
    let can_cut = kind.all_fields().any(|field| field.name == "truncate");
    let hint = if can_cut { "`truncate: true` cuts what is too long" } else { "shorten it" };
    let mut problems = Vec::new();
    for field in kind.all_fields() {
        let Some(value) = params.get(field.name) else { continue };
        for (pointer, text) in family(field.ty).prompts(value) {
            let Some(tokens) = filled(&text, &templates).find_map(|p| surplus(&p, context)) else {
                continue;
            };
            let message = format!(
                "the prompt for `{}` has {tokens} tokens, but the model takes {context}",
                shortened(&text)
            );
            let wrong = Wrong::new(pointer, Problem::new(message).hint(hint));
            problems.push(Wrong { field: Some(field.name), ..wrong });
            if problems.len() == MOST {
                return problems;
            }
        }
    }
    problems
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", text.cut(..end)),
        None => text.to_owned(),
    }
}

/// The number of tokens of a prompt; `None` if it is at most `context`.
fn surplus(prompt: &str, context: u32) -> Option<usize> {
    let read = Tokenizer::clip().tokens(prompt, context as usize, false);
    read.err().map(|long| long.tokens)
}
