//! Names of units in a note's front matter, by model, place and unit.

use neuronotes_core::problem::Problem;

use super::named::Named;
use super::planner::Planner;
use crate::diagnostic::Diagnostic;
use crate::note::Note;

impl Planner<'_> {
    /// The note's names of units, and errors.
    pub(super) fn units(&mut self, note: &Note) -> (Vec<Named>, Vec<Diagnostic>) {
        let mut names = Vec::new();
        let mut problems = Vec::new();
        for named in &note.front.units {
            let Some(model) = named.model.as_deref().or(self.config.defaults.model.as_deref())
            else {
                problems.push(note.at().error(
                    named.span.clone(),
                    "the unit has no `model`, and `defaults:` in the configuration names none",
                ));
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
            match self.place(&model, &named.layer) {
                Ok(place) => names.push(Named {
                    unit: (model.reference.digest, place.place(), named.unit),
                    name: named.name.clone(),
                    model: model.reference.name,
                    layer: place.shown().to_owned(),
                }),
                Err(Problem { message, hint }) => {
                    problems.push(note.at().error(named.span.clone(), message).hint(hint));
                }
            }
        }
        (names, problems)
    }
}
