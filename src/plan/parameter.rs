//! A block's fields as a request's parameters: names out of the note resolved, defaults filled in.

use neuronotes_core::dataset::DatasetRef;
use neuronotes_core::kind::direction::{Source, Term};
use neuronotes_core::kind::{Default, Field, MOST_TEXTS, Role, Type};
use neuronotes_core::model::Layer;
use neuronotes_core::request::{Inputs, Request};
use serde_json::{Map, Value};

use super::{Asking, Planner, Target};
use crate::diagnostic::Diagnostic;
use crate::plan::input;
use crate::resource::ResourceError;

/// What a block asks for, as far as it is known.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub(super) params: Map<String, Value>,
    pub(super) inputs: Inputs,
    pub(super) target: Option<Target>,
    /// That of the target.
    pub(super) layer: Option<Layer>,
    /// Data sets that a direction is a mean of: their scans are needed.
    pub(super) scanned: Vec<DatasetRef>,
    /// Requests of other blocks.
    pub(super) uses: Vec<Request>,
    /// The facet among them, as the block names it.
    pub(super) facet: Option<String>,
}

impl Planner<'_> {
    /// Takes in one field; the target is known already.
    pub(super) fn parameter(
        &mut self,
        asked: &mut Asked,
        at: Asking<'_>,
        field: &Field,
    ) -> Result<(), Vec<Diagnostic>> {
        if field.role == Role::Presentation {
            return Ok(());
        }
        match (field.ty, &asked.target) {
            (Type::Model | Type::Dataset | Type::Precision | Type::Sweep, _) => return Ok(()),
            (Type::Layer, Some(target)) => {
                asked.params.insert(field.name.into(), target.layer.clone().into());
                return Ok(());
            }
            (Type::Unit, Some(target)) => {
                let unit = target.unit.map(|unit| (field.name.to_owned(), unit.into()));
                asked.params.extend(unit);
                return Ok(());
            }
            _ => {}
        }
        let configured = || match (field.default, field.name) {
            (Default::Configured, "seed") => Some(self.config.defaults.seed.into()),
            _ => None,
        };
        let layers = || match field.ty {
            Type::Layers => Some(at.model.architecture.middle_layers().into()),
            _ => None,
        };
        let value = at.block.value(field).or_else(configured).or_else(layers);
        let Some(value) = value else { return Ok(()) };
        let mut name = field.name;
        let value = match (field.ty, value) {
            (Type::Texts, Value::String(name)) => {
                let list = self.named(&name);
                let list = list.and_then(|list| self.resources.words(&list).map(|()| list));
                let words = list.and_then(|list| input::word_list(&list));
                let words = words.and_then(bounded);
                words.map_err(|error| vec![at.unusable(field.name, "", error)])?.into()
            }
            (Type::Picture, Value::String(path)) => {
                let mut found = self.pictures(asked, at, field, ("", &[path]))?;
                found.pop().unwrap_or_default().into()
            }
            (Type::Pictures, value) => {
                let names: Vec<String> = serde_json::from_value(value).unwrap_or_default();
                self.pictures(asked, at, field, ("", &names))?.into()
            }
            (Type::Direction | Type::Units, value) => {
                name = "direction";
                self.direction(asked, at, field, value)?
            }
            (Type::Layers, value) => at.layers(field.name, value)?.into(),
            (Type::Content, Value::String(name)) => {
                let dataset = self.named(&name);
                let dataset = dataset.map_err(|error| vec![at.unusable(field.name, "", error)])?;
                let digest = dataset.content().hex();
                if !asked.inputs.datasets.contains(&dataset) {
                    asked.inputs.datasets.push(dataset);
                }
                digest.into()
            }
            (Type::Weights, Value::String(folder)) => {
                self.weights(asked, at, field, &folder)?.into()
            }
            (Type::Block(kind), Value::String(name)) => {
                let request = self.reference(asked, at, (field.name, kind, &name))?;
                let key = request.key().hex();
                asked.uses.push(request);
                asked.facet = Some(name);
                key.into()
            }
            (Type::Figures, value) => {
                let names: Vec<String> = serde_json::from_value(value).unwrap_or_default();
                self.figures(asked, at, (field.name, ""), &names)?.into()
            }
            (_, value) => value,
        };
        asked.params.insert(name.into(), value);
        Ok(())
    }

    /// A direction with digests for names.
    fn direction(
        &mut self,
        asked: &mut Asked,
        at: Asking<'_>,
        field: &Field,
        value: Value,
    ) -> Result<Value, Vec<Diagnostic>> {
        let mut terms: Vec<Term> = serde_json::from_value(value).unwrap_or_default();
        let mut problems = Vec::new();
        for (index, term) in terms.iter_mut().enumerate() {
            let found = self.term(asked, at, field, (index, term));
            problems.extend(found.err().unwrap_or_default());
        }
        match problems.is_empty() {
            true => Ok(serde_json::to_value(terms).unwrap_or_default()),
            false => Err(problems),
        }
    }

    fn term(
        &mut self,
        asked: &mut Asked,
        at: Asking<'_>,
        field: &Field,
        (index, term): (usize, &mut Term),
    ) -> Result<(), Vec<Diagnostic>> {
        let architecture = &at.model.architecture;
        let embedding = architecture.embedding_layer();
        match &mut term.of {
            Source::Words(_) => {}
            Source::Text(_) => {
                let place = format!("/{index}/of/text");
                let layer = asked.layer.as_ref().unwrap_or(&embedding);
                if architecture.text.is_none() {
                    let message =
                        format!("the model `{}` has no text tower", at.model.reference.name);
                    let hint = "a direction may also be of pictures, words, units or a data set";
                    return Err(vec![at.at(field.name, &place, message).hint(hint.to_owned())]);
                }
                if layer.stage != embedding.stage {
                    let message =
                        format!("a text has no direction at the layer `{}`", layer.name.shown());
                    let hint = "leave `layer` out: texts and pictures meet in the embedding";
                    return Err(vec![at.at(field.name, &place, message).hint(hint.to_owned())]);
                }
            }
            Source::Units(units) => {
                let layer = asked.layer.as_ref().unwrap_or(&embedding);
                let wrong = units.iter().enumerate().filter_map(|(n, (unit, _))| {
                    let place = format!("/{index}/of/units/{n}");
                    at.within(layer, field.name, &place, *unit).err().map(|problem| *problem)
                });
                let wrong: Vec<Diagnostic> = wrong.collect();
                if !wrong.is_empty() {
                    return Err(wrong);
                }
            }
            Source::Images(names) => {
                let pointer = format!("/{index}/of/images");
                *names = self.pictures(asked, at, field, (&pointer, names))?;
            }
            Source::Use(names) => {
                let pointer = format!("/{index}/of/use");
                *names = self.figures(asked, at, (field.name, &pointer), names)?;
            }
            Source::Dataset(name) => {
                let dataset = self.named(name).map_err(|error| {
                    let place = format!("/{index}/of/dataset");
                    vec![at.unusable(field.name, &place, error)]
                })?;
                *name = dataset.content().hex();
                if !asked.inputs.datasets.contains(&dataset) {
                    asked.inputs.datasets.push(dataset.clone());
                    asked.scanned.push(dataset);
                }
            }
        }
        Ok(())
    }

    /// Digests of pictures, whose paths stand under `pointer` in the field.
    fn pictures(
        &mut self,
        asked: &mut Asked,
        at: Asking<'_>,
        field: &Field,
        (pointer, names): (&str, &[String]),
    ) -> Result<Vec<String>, Vec<Diagnostic>> {
        let mut problems = Vec::new();
        let mut digests = Vec::new();
        for (index, name) in names.iter().enumerate() {
            self.folders.extend(input::folder(self.root, name));
            let found = input::picture(self.root, self.digests, name);
            match found.or_else(|error| self.resources.file(name).ok_or(error)) {
                Ok(picture) => {
                    digests.push(picture.digest.hex());
                    if !asked.inputs.pictures.contains(&picture) {
                        asked.inputs.pictures.push(picture);
                    }
                }
                Err(error) => {
                    problems.push(at.unusable(field.name, &format!("{pointer}/{index}"), error));
                }
            }
        }
        if problems.is_empty() { Ok(digests) } else { Err(problems) }
    }

    /// Digests of published weights, one file a layer.
    fn weights(
        &mut self,
        asked: &mut Asked,
        at: Asking<'_>,
        field: &Field,
        folder: &str,
    ) -> Result<Vec<String>, Vec<Diagnostic>> {
        let layers = asked.params.get("layers").cloned().unwrap_or_default();
        let layers: Vec<String> = serde_json::from_value(layers).unwrap_or_default();
        let name = at.block.fields.text("name").unwrap_or(&at.block.id);
        let folder = folder.trim_end_matches('/');
        let mut problems = Vec::new();
        let mut digests = Vec::new();
        for layer in layers {
            let known = at.model.architecture.layer(&layer).ok();
            let Some(article) = known.and_then(|layer| layer.name.article) else {
                let message = format!("published weights have no file for the layer `{layer}`");
                let hint = "name `layers` that have a spelling in the article";
                problems.push(at.at("layers", "", message).hint(hint.to_owned()));
                continue;
            };
            let path = format!("{folder}/{article}/{name}_spatial.npy");
            self.folders.extend(input::folder(self.root, &path));
            let found = input::weights(self.root, self.digests, &path);
            match found.or_else(|error| self.resources.file(&path).ok_or(error)) {
                Ok(file) => {
                    digests.push(file.digest.hex());
                    asked.inputs.files.push(file);
                }
                Err(error) => problems.push(at.unusable(field.name, "", error)),
            }
        }
        if problems.is_empty() { Ok(digests) } else { Err(problems) }
    }

    pub(super) fn named(&mut self, dataset: &str) -> Result<DatasetRef, ResourceError> {
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
