//! What a note calls its units: its front matter in, names by model, layer and unit out.

use std::collections::BTreeMap;

use super::Planner;
use crate::diagnostic::Diagnostic;
use crate::digest::Digest;
use crate::note::Note;
use crate::suggest;

impl Planner<'_> {
    /// Takes in what the note calls its units.
    pub(super) fn units(
        &mut self,
        note: &Note,
        names: &mut BTreeMap<(Digest, String, u32), String>,
    ) -> Vec<Diagnostic> {
        let mut problems = Vec::new();
        for named in &note.front.units {
            let Some(model) = named.model.as_deref().or(self.config.defaults.model.as_deref())
            else {
                problems
                    .push(note.at().error(named.span.clone(), "the unit does not say its model"));
                continue;
            };
            let model = match self.resources.model(self.config, self.digests, model) {
                Ok(model) => model,
                Err(error) => {
                    let problem = note.at().error(named.span.clone(), error.message);
                    problems.push(problem.hint(error.hint));
                    continue;
                }
            };
            match model.architecture.layer(&named.layer) {
                Ok(layer) => {
                    let key = (model.reference.digest, layer.name.canonical, named.unit);
                    names.entry(key).or_insert_with(|| named.name.clone());
                }
                Err(nearest) => {
                    let message = format!("the model has no layer `{}`", named.layer);
                    let hint = (!nearest.is_empty())
                        .then(|| format!("did you mean {}?", suggest::quoted(&nearest, "or")));
                    problems.push(note.at().error(named.span.clone(), message).hint(hint));
                }
            }
        }
        problems
    }
}
