//! A block's fields as a request's parameters: names out of the note resolved, defaults filled in.

use serde_json::{Map, Value};

use super::{Planner, Target, at_field, unusable};
use crate::analysis::direction::{Source, Term};
use crate::analysis::{Default, Field, MOST_TEXTS, Role, Type};
use crate::diagnostic::Diagnostic;
use crate::input;
use crate::note::{Block, Note};
use crate::request::{DatasetRef, Inputs};
use crate::resource::{Model, ResourceError};
use crate::suggest;

/// What a block asks for, as far as it is known.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub(super) params: Map<String, Value>,
    pub(super) inputs: Inputs,
    pub(super) target: Option<Target>,
}

impl Planner<'_> {
    /// Takes in one field.
    pub(super) fn parameter(
        &mut self,
        asked: &mut Asked,
        note: &Note,
        block: &Block,
        model: &Model,
        field: &Field,
    ) -> Result<(), Vec<Diagnostic>> {
        if field.role == Role::Presentation {
            return Ok(());
        }
        match field.ty {
            Type::Model | Type::Dataset | Type::Unit | Type::Precision => return Ok(()),
            Type::Layer => {
                let target = target(note, block, model, field);
                let target = target.map_err(|problem| vec![*problem])?;
                asked.params.insert(field.name.into(), target.layer.clone().into());
                asked.params.insert("unit".into(), target.unit.into());
                asked.target = Some(target);
                return Ok(());
            }
            _ => {}
        }
        let configured = || match (field.default, field.name) {
            (Default::Configured, "seed") => Some(self.config.defaults.seed.into()),
            _ => None,
        };
        let Some(value) = block.value(field).or_else(configured) else { return Ok(()) };
        let value = match (field.ty, value) {
            (Type::Texts, Value::String(name)) => {
                let words = self.named(&name).and_then(|list| input::word_list(&list));
                let words = words.and_then(bounded);
                words.map_err(|error| vec![unusable(note, block, field.name, error)])?.into()
            }
            (Type::Pictures, value) => {
                let names: Vec<String> = serde_json::from_value(value).unwrap_or_default();
                self.pictures(asked, note, block, field, ("", &names))?.into()
            }
            (Type::Direction, value) => {
                let mut terms: Vec<Term> = serde_json::from_value(value).unwrap_or_default();
                let mut problems = Vec::new();
                for (index, term) in terms.iter_mut().enumerate() {
                    let found = self.term(asked, note, block, field, (index, term));
                    problems.extend(found.err().unwrap_or_default());
                }
                if !problems.is_empty() {
                    return Err(problems);
                }
                serde_json::to_value(terms).unwrap_or_default()
            }
            (_, value) => value,
        };
        asked.params.insert(field.name.into(), value);
        Ok(())
    }

    /// A term with digests for names.
    fn term(
        &mut self,
        asked: &mut Asked,
        note: &Note,
        block: &Block,
        field: &Field,
        (index, term): (usize, &mut Term),
    ) -> Result<(), Vec<Diagnostic>> {
        match &mut term.of {
            Source::Text(_) | Source::Words(_) | Source::Units(_) => {}
            Source::Images(names) => {
                let pointer = format!("/{index}/of/images");
                *names = self.pictures(asked, note, block, field, (&pointer, names))?;
            }
            Source::Dataset(name) => {
                let dataset = self.named(name).map_err(|error| {
                    let place = format!("/{index}/of/dataset");
                    vec![at_item(note, block, field, &place, error)]
                })?;
                *name = dataset.content().hex();
                if !asked.inputs.datasets.contains(&dataset) {
                    asked.inputs.datasets.push(dataset);
                }
            }
        }
        Ok(())
    }

    /// Digests of pictures, whose paths stand under `pointer` in the field.
    fn pictures(
        &mut self,
        asked: &mut Asked,
        note: &Note,
        block: &Block,
        field: &Field,
        (pointer, names): (&str, &[String]),
    ) -> Result<Vec<String>, Vec<Diagnostic>> {
        let mut problems = Vec::new();
        let mut digests = Vec::new();
        for (index, name) in names.iter().enumerate() {
            self.folders.extend(input::folder(self.root, name));
            match input::picture(self.root, self.digests, name) {
                Ok(picture) => {
                    digests.push(picture.digest.hex());
                    if !asked.inputs.pictures.contains(&picture) {
                        asked.inputs.pictures.push(picture);
                    }
                }
                Err(error) => {
                    let place = format!("{pointer}/{index}");
                    problems.push(at_item(note, block, field, &place, error));
                }
            }
        }
        if problems.is_empty() { Ok(digests) } else { Err(problems) }
    }

    fn named(&mut self, dataset: &str) -> Result<DatasetRef, ResourceError> {
        self.resources.dataset(self.config, self.digests, dataset)
    }
}

fn bounded(words: Vec<String>) -> Result<Vec<String>, ResourceError> {
    if words.len() <= MOST_TEXTS {
        return Ok(words);
    }
    let message = format!("the list has {} words; the most is {MOST_TEXTS}", words.len());
    Err(ResourceError { message, hint: None })
}

/// Layer and unit, where the model has them.
fn target(
    note: &Note,
    block: &Block,
    model: &Model,
    field: &Field,
) -> Result<Target, Box<Diagnostic>> {
    let name = block.fields.text(field.name).unwrap_or_default();
    let layer = model.architecture.layer(name).map_err(|nearest| {
        let message = format!("the model `{}` has no layer `{name}`", model.reference.name);
        let hint = (!nearest.is_empty())
            .then(|| format!("did you mean {}?", suggest::quoted(&nearest, "or")));
        Box::new(at_field(note, block, field.name, message).hint(hint))
    })?;
    let unit = block.fields.get("unit").and_then(|value| value.value.as_u64());
    let unit = unit.and_then(|unit| u32::try_from(unit).ok()).unwrap_or_default();
    if unit >= layer.units {
        let message =
            format!("unit {unit} is out of range: the layer `{name}` has {} units", layer.units);
        let hint = format!("count from 0 to {}", layer.units - 1);
        return Err(Box::new(at_field(note, block, "unit", message).hint(hint)));
    }
    Ok(Target { shown: layer.name.shown().to_owned(), layer: layer.name.canonical.clone(), unit })
}

/// An error about one item of a field.
fn at_item(
    note: &Note,
    block: &Block,
    field: &Field,
    pointer: &str,
    error: ResourceError,
) -> Diagnostic {
    match block.fields.get(field.name) {
        Some(value) => note.at().error(value.place(pointer), error.message).hint(error.hint),
        None => unusable(note, block, field.name, error),
    }
}
