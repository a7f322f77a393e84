//! Resolves the names in a block's fields: the configuration's models and data sets, files of the garden, other blocks.

use neuronotes_core::dataset::DatasetRef;
use neuronotes_core::kind::{Kind, Takes, Type};
use neuronotes_core::labelling::Answers;
use neuronotes_core::model::{Architecture, Place};
use neuronotes_core::problem::Problem;
use neuronotes_core::request::{BlockRef, FileRef, Request};
use neuronotes_core::suggest;

use super::asking::Asking;
use super::planner::Planner;
use super::{input, labelled, used};
use crate::field::{ResolvedPlace, Sources};

/// The planner and the block that it plans.
pub(super) struct Known<'p, 'a, 'n> {
    pub(super) planner: &'p mut Planner<'a>,
    pub(super) at: Asking<'n>,
    /// The layer or the dictionary that the block is about.
    pub(super) place: Option<&'n ResolvedPlace>,
    /// The field that is being resolved.
    pub(super) field: &'static str,
}

impl Sources for Known<'_, '_, '_> {
    fn model(&self) -> (&str, &Architecture) {
        (&self.at.model.reference.name, &self.at.model.architecture)
    }

    fn place(&self) -> Option<&ResolvedPlace> {
        self.place
    }

    fn layer_written(&self) -> Option<&str> {
        self.written("layer")
    }

    fn id(&self) -> &str {
        &self.at.block.id
    }

    fn written(&self, field: &str) -> Option<&str> {
        self.at.block.fields.text(field)
    }

    fn dataset(&mut self, name: &str) -> Result<DatasetRef, Problem> {
        let Planner { resources, config, digests, .. } = &mut *self.planner;
        resources.dataset(config, digests, name)
    }

    fn words(&mut self, name: &str) -> Result<Vec<String>, Problem> {
        let list = self.dataset(name)?;
        self.planner.resources.words(&list)?;
        input::word_list(&list)
    }

    fn list(&self, name: &str) -> Result<Vec<String>, Problem> {
        let lists = &self.planner.config.lists;
        if let Some(list) = lists.get(name) {
            return Ok(list.items.clone());
        }
        let message = format!("the configuration has no list `{name}`");
        let hint = suggest::hint(name, lists.keys());
        let add = || Some(format!("add it to `lists` in {}", crate::config::FILE));
        Err(Problem { message, hint: hint.or_else(add) })
    }

    fn picture(&mut self, path: &str) -> Result<FileRef, Problem> {
        let found = |planner: &mut Planner<'_>| input::picture(planner.root, planner.digests, path);
        self.file(path, found)
    }

    fn weights(&mut self, path: &str) -> Result<FileRef, Problem> {
        let found = |planner: &mut Planner<'_>| input::weights(planner.root, planner.digests, path);
        self.file(path, found)
    }

    fn labels(&mut self, path: &str) -> Result<Vec<(FileRef, Option<Answers>)>, Problem> {
        let Planner { root, digests, resources, folders, .. } = &mut *self.planner;
        folders.extend(input::folder(root, path));
        labelled::files(root, digests, resources, path)
    }

    fn used(&mut self, takes: Takes, name: &str) -> Result<Vec<(BlockRef, Request)>, Problem> {
        let found = self.planner.used(self.at, takes, name)?;
        let noun = used::noun(takes);
        for (_, request) in &found {
            if takes.same_model {
                self.has_same_model(request, &noun, name)?;
            }
            if takes.before {
                self.is_before(request, &noun, name)?;
            }
            if takes.here {
                self.is_here(request, &noun, name)?;
            }
        }
        let block = |(block, request)| (BlockRef { role: self.field.to_owned(), ..block }, request);
        Ok(found.into_iter().map(block).collect())
    }
}

impl<'a> Known<'_, 'a, '_> {
    /// Checks that what a block uses is measured on its own model.
    fn has_same_model(&self, used: &Request, noun: &str, name: &str) -> Result<(), Problem> {
        let (its, ours) = (&used.model, &self.at.model.reference);
        if (its.digest, &its.conventions) == (ours.digest, &ours.conventions) {
            return Ok(());
        }
        let message = format!(
            "the {noun} `{name}` is one of the model `{}`, and this block is about `{}`",
            its.name, ours.name
        );
        Err(Problem::new(message).hint("give both the same `model`"))
    }

    /// Checks that the layers of what a block uses come before its own.
    fn is_before(&self, used: &Request, noun: &str, name: &str) -> Result<(), Problem> {
        let Some(ours) = self.place.map(|place| &place.layer) else { return Ok(()) };
        let fields = Kind::named(&used.kind).into_iter().flat_map(Kind::all_fields);
        let named = fields.filter(|field| matches!(field.ty, Type::Layer | Type::Layers));
        let named = named.filter_map(|field| used.params.get(field.name));
        let names = named.flat_map(|value| match value.as_array() {
            Some(items) => items.iter().collect(),
            None => vec![value],
        });
        let layers = names.filter_map(|name| {
            let place: Place = serde_json::from_value(name.clone()).ok()?;
            self.at.model.architecture.layer(place.layer()).ok()
        });
        match layers.into_iter().find(|its| its.stage >= ours.stage) {
            None => Ok(()),
            Some(its) => {
                let (its, ours) = (its.name.shown(), ours.name.shown());
                let message = format!(
                    "the {noun} `{name}` has the layer `{its}`, which is not before `{ours}`"
                );
                let hint = format!("give `{name}` layers that come before `{ours}`");
                Err(Problem::new(message).hint(hint))
            }
        }
    }

    /// Checks that what a block uses is at the block's own place; without a layer, that is the embedding.
    fn is_here(&self, used: &Request, noun: &str, name: &str) -> Result<(), Problem> {
        let architecture = &self.at.model.architecture;
        let embedding =
            || ResolvedPlace { layer: architecture.embedding_layer(), dictionary: None };
        let ours = self.place.cloned().unwrap_or_else(embedding);
        let its = Place::of(&used.params);
        let Some(its) = its.filter(|its| *its != ours.place()) else { return Ok(()) };
        let named = used.inputs.dictionary(&its).map(|file| file.name.clone());
        let layer = architecture.layer(its.layer()).ok();
        let named = named.or_else(|| layer.map(|layer| layer.name.shown().to_owned()));
        let its = named.unwrap_or_else(|| its.layer().to_owned());
        let message =
            format!("the {noun} `{name}` is at `{its}`, and this block is at `{}`", ours.shown());
        Err(Problem::new(message).hint(match self.layer_written() {
            Some(_) => "give both the same `layer`".to_owned(),
            None => format!("add `layer: {its}`"),
        }))
    }

    /// A file of the garden; with frozen results, its state when they were frozen.
    fn file(
        &mut self,
        path: &str,
        found: impl FnOnce(&mut Planner<'a>) -> Result<FileRef, Problem>,
    ) -> Result<FileRef, Problem> {
        self.planner.folders.extend(input::folder(self.planner.root, path));
        let found = found(self.planner);
        found.or_else(|problem| self.planner.resources.file(path).ok_or(problem))
    }
}
