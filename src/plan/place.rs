//! The place that a block or a note's front matter names: a name in, a layer or a dictionary of the model out.

use neuronotes_core::kind::{About, Type};
use neuronotes_core::problem::Problem;

use super::asking::Asking;
use super::planner::Planner;
use crate::field::{ResolvedPlace, layer_named};
use crate::resource::Model;

impl Planner<'_> {
    /// The place that a block is about; `None` if its kind is about no place.
    ///
    /// # Errors
    /// Fails if the model has no such layer, and the configuration no such dictionary over it.
    pub(super) fn place_of(&mut self, at: Asking<'_>) -> Result<Option<ResolvedPlace>, Problem> {
        let takes_layer = at.kind.all_fields().any(|field| field.ty == Type::Layer);
        match at.block.fields.text("layer").filter(|_| takes_layer) {
            Some(name) => self.place(at.model, name).map(Some),
            None if at.kind.about == About::Nothing => Ok(None),
            // Only a direction can do without a layer.
            None => {
                let layer = at.model.architecture.embedding_layer();
                Ok(Some(ResolvedPlace { layer, dictionary: None }))
            }
        }
    }

    /// The layer or the dictionary of that name.
    ///
    /// # Errors
    /// Fails if the model has no such layer, and the configuration no such dictionary over it.
    pub(super) fn place(&mut self, model: &Model, name: &str) -> Result<ResolvedPlace, Problem> {
        let ours = &model.reference;
        if !self.config.dictionaries.contains_key(name) {
            let others = self.config.dictionaries.keys().map(String::as_str);
            let layer = layer_named((&ours.name, &model.architecture), name, others)?;
            return Ok(ResolvedPlace { layer, dictionary: None });
        }
        let found = self.resources.dictionary(self.config, self.digests, name)?;
        if (found.model.digest, &found.model.conventions) != (ours.digest, &ours.conventions) {
            let message = format!(
                "the dictionary `{name}` is over a layer of the model `{}`, and this is about `{}`",
                found.model.name, ours.name
            );
            return Err(Problem::new(message).hint("give both the same `model`"));
        }
        let dictionary = Some((found.file, found.features));
        Ok(ResolvedPlace { layer: found.layer, dictionary })
    }
}
