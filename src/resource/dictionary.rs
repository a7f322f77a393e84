//! Dictionaries by name: resolves a name of the configuration to a file with its digest, its sizes, and its layer.

use neuronotes_core::files::FileDigests;
use neuronotes_core::model::{self, Place};
use neuronotes_core::problem::Problem;
use neuronotes_core::request::{FileRef, Request};

use super::Resources;
use super::fault::{absolute, same_name, unknown, unreadable};
use super::found::Dictionary;
use crate::config::{Config, DictionarySource};
use crate::guard;

impl Resources {
    /// The dictionary of that name.
    ///
    /// # Errors
    /// Fails if the configuration has no such name, or if its file is not a dictionary over its layer.
    pub fn dictionary(
        &mut self,
        config: &Config,
        digests: &mut FileDigests,
        name: &str,
    ) -> Result<Dictionary, Problem> {
        if let Some(known) = self.dictionaries.get(name) {
            return known.clone();
        }
        let source = config.dictionaries.get(name);
        let known = || config.dictionaries.keys().map(String::as_str).collect();
        let found = source
            .ok_or_else(|| unknown(name, "dictionary", known()))
            .and_then(|source| self.over_layer(config, digests, name, source));
        self.dictionaries.insert(name.to_owned(), found.clone());
        found
    }

    /// The units of a scan's place, and the model's embedding; `None` if they were not looked up for a plan.
    pub fn sizes(&self, scan: &Request) -> Option<(u32, u32)> {
        let model = self.models.get(&scan.model.name)?.as_ref().ok()?;
        let place = Place::of(&scan.params)?;
        let units = match scan.inputs.dictionary(&place) {
            Some(file) => self.dictionaries.get(&file.name)?.as_ref().ok()?.features,
            None => model.architecture.layer(place.layer()).ok()?.units,
        };
        Some((units, model.architecture.embedding))
    }

    fn over_layer(
        &mut self,
        config: &Config,
        digests: &mut FileDigests,
        name: &str,
        source: &DictionarySource,
    ) -> Result<Dictionary, Problem> {
        let unusable =
            |why: String| Problem::new(format!("the dictionary `{name}` cannot be used: {why}"));
        let Some(model) = config.model_of(source) else {
            let problem = unusable("it has no `model`".to_owned());
            return Err(problem.hint(format!("name its `model` in {}", crate::config::FILE)));
        };
        let model = self.model(config, digests, model)?;
        if model.architecture.layer(name).is_ok() {
            let problem = Problem::new(same_name(name, &model.reference.name));
            return Err(problem.hint(format!("rename it in {}", crate::config::FILE)));
        }
        let layer = crate::field::layer_named(
            (&model.reference.name, &model.architecture),
            &source.layer,
            std::iter::empty::<&str>(),
        )
        .map_err(|problem| unusable(problem.message).hint(problem.hint))?;
        let model = model.reference;
        if let Some(thawed) = &self.thawed {
            let (file, features) = thawed.dictionary(name, source)?;
            return Ok(Dictionary { file, features, layer, model });
        }
        let looked = guard::run("reading the dictionary", name, || {
            let path = absolute(&source.source)?;
            let sizes = model::Dictionary::read(&path, &layer)
                .map_err(|error| unusable(error.to_string()).hint(error.hint()))?;
            let digest = digests.digest(&path).map_err(|error| unreadable(&path, &error))?;
            Ok::<_, Problem>((FileRef { name: name.to_owned(), path, digest }, sizes.features))
        });
        let (file, features) = looked.unwrap_or_else(|panicked| Err(panicked.into()))?;
        Ok(Dictionary { file, features, layer, model })
    }
}
