//! Names of other blocks, whose results a measurement uses. Parameters are the keys of their requests.

use neuronotes_core::kind::MOST_PICTURES;
use neuronotes_core::request::Inputs;
use serde_json::Value as Json;

use super::{Asked, Family, Reading, Sources, Wrong, list, texts};
use crate::yaml::Node;

/// One block of a kind.
pub(super) struct One {
    pub(super) kind: &'static str,
}

impl Family for One {
    fn read(&self, node: &Node, at: &mut Reading<'_, '_>) -> Json {
        match node.text() {
            Some(text) => text.into(),
            None => at.wrong(node, "text"),
        }
    }

    fn resolve(
        &self,
        value: Json,
        asked: &mut Asked,
        sources: &mut dyn Sources,
    ) -> Result<Option<Json>, Vec<Wrong>> {
        let name = value.as_str().unwrap_or_default().to_owned();
        let request =
            sources.block(self.kind, &name).map_err(|problem| vec![Wrong::new("", problem)])?;
        let key = request.key().hex();
        asked.uses.push(request);
        asked.facet = Some(name);
        Ok(Some(key.into()))
    }

    fn blocks(&self, value: &Json) -> Vec<String> {
        value.as_str().map(str::to_owned).into_iter().collect()
    }

    fn takes(&self) -> String {
        format!("name of a block of the kind `{}`", self.kind)
    }
}

/// Blocks with pictures; one may stand without a list. The parameter has the keys of all measurements of a sweep.
pub(super) struct Figures;

impl Family for Figures {
    fn read(&self, node: &Node, at: &mut Reading<'_, '_>) -> Json {
        names(node, "", at)
    }

    fn resolve(
        &self,
        value: Json,
        asked: &mut Asked,
        sources: &mut dyn Sources,
    ) -> Result<Option<Json>, Vec<Wrong>> {
        Ok(Some(keys(&texts(&value), "", asked, sources)?.into()))
    }

    fn shown(&self, value: &Json, inputs: &Inputs) -> String {
        list(&figures(&texts(value), inputs))
    }

    fn blocks(&self, value: &Json) -> Vec<String> {
        texts(value)
    }

    fn takes(&self) -> String {
        "name of a block with pictures, or list of those".into()
    }
}

/// Reads names of blocks.
pub(super) fn names(node: &Node, pointer: &str, at: &mut Reading<'_, '_>) -> Json {
    let items = at.one_or_many(node, "the id of a block, or a list of those");
    at.items(node, items, pointer, MOST_PICTURES)
}

/// The request keys of the figures whose names stand under `pointer` in the value.
pub(super) fn keys(
    names: &[String],
    pointer: &str,
    asked: &mut Asked,
    sources: &mut dyn Sources,
) -> Result<Vec<String>, Vec<Wrong>> {
    let mut keys: Vec<String> = Vec::new();
    let mut problems = Vec::new();
    for (index, name) in names.iter().enumerate() {
        match sources.figures(name) {
            Ok(found) => {
                for (figure, request) in found {
                    let key = figure.key.hex();
                    if !asked.inputs.figures.iter().any(|known| known.key == figure.key) {
                        asked.inputs.figures.push(figure);
                        asked.uses.push(request);
                    }
                    if !keys.contains(&key) {
                        keys.push(key);
                    }
                }
            }
            Err(problem) => problems.push(Wrong::new(format!("{pointer}/{index}"), problem)),
        }
    }
    if problems.is_empty() {
        problems.extend(asked.too_much(keys.len()).map(|problem| Wrong::new(pointer, problem)));
    }
    if problems.is_empty() { Ok(keys) } else { Err(problems) }
}

/// What the block calls the figures of these keys; a sweep once.
pub(super) fn figures(keys: &[String], inputs: &Inputs) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for key in keys {
        let known = inputs.figures.iter().find(|known| known.key.hex() == *key);
        let name = known.map_or(key, |known| &known.name);
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}
