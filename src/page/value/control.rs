//! Values of a figure's controls: `vis.controls.random[0].activation` is read from the control as if a block of its own had
//! measured it.

use std::ops::Range;
use std::sync::Arc;

use neuronotes_core::kind::Kind;
use neuronotes_core::kind::controlled::FIELD as CONTROLS;
use neuronotes_core::suggest;

use super::{Source, Sources};
use crate::claim::{Reference, Step};
use crate::diagnostic::fault::Fault;
use crate::plan::Control;

/// What is asked of a block, or of one of its controls.
pub(super) struct Asked<'s> {
    /// The block's or the control's name.
    pub name: String,
    /// Span of the block's name in the text.
    pub place: Range<usize>,
    /// The path from there.
    pub steps: &'s [(Step, Range<usize>)],
}

impl<'s> Asked<'s> {
    /// What a reference asks of a block.
    pub(super) fn of(asked: &'s Reference) -> Self {
        Self { name: asked.name.clone(), place: asked.place.clone(), steps: &asked.steps }
    }
}

impl<'a> Sources<'a> {
    /// The control that a reference is to, and what it asks of it; `None` if it is to the figure itself.
    pub(super) fn control<'s>(
        &self,
        source: Source<'a>,
        asked: &'s Reference,
    ) -> Result<Option<(Source<'a>, Asked<'s>)>, Fault> {
        let Some(((Step::Field(name), place), rest)) = asked.steps.split_first() else {
            return Ok(None);
        };
        // Some kinds have a value of this name.
        if name != CONTROLS || !source.block.kind.is_some_and(Kind::has_controls) {
            return Ok(None);
        }
        let blocks = &self.notes[source.note].blocks;
        let at = blocks.iter().position(|block| block.id == source.block.id).unwrap_or_default();
        let all: &'a [Arc<Control>] =
            self.plan.controls(source.note).get(at).map(Vec::as_slice).unwrap_or_default();
        let id = &asked.name;
        let wrong = |message: String, hint: Option<String>| {
            Err(Fault::new(place.clone(), message).hint(hint))
        };
        let names = || all.iter().map(|control| control.name);
        let first = match rest.first() {
            Some((Step::Field(first), _)) => first.as_str(),
            _ => "",
        };
        let lacking = self.plan.lacking(source.note).get(at).map(Vec::as_slice).unwrap_or_default();
        let left_out = |first: &str| {
            let known = lacking.iter().find(|it| it.name == first || all.is_empty())?;
            Some(format!("it is left out: {}", known.why))
        };
        let (chosen, steps, name) = match all {
            [] => {
                let hint = "set `controls: on` in the block or in `neuronotes.yaml`";
                let hint = left_out(first).unwrap_or_else(|| hint.to_owned());
                return wrong(format!("`{id}` has no controls"), Some(hint));
            }
            [only] if only.name.is_empty() => (0, rest, format!("{id}.{name}")),
            _ => match names().position(|name| name == first) {
                Some(chosen) => (chosen, &rest[1..], format!("{id}.{name}.{first}")),
                None if first.is_empty() => {
                    let known: Vec<String> = names().map(str::to_owned).collect();
                    let hint = format!("known: {}", suggest::quoted(&known, "and"));
                    return wrong(format!("`{id}.{name}` has several parts"), Some(hint));
                }
                None => {
                    let message = format!("`{id}` has no control `{first}`");
                    return wrong(
                        message,
                        left_out(first).or_else(|| suggest::hint(first, names())),
                    );
                }
            },
        };
        let control = &all[chosen];
        let settled = self.controls[source.note].get(at).and_then(|all| all.get(chosen));
        let Some(settled) = settled else {
            return wrong(format!("the control of `{id}` was not measured"), None);
        };
        let source = Source { block: &control.block, wanted: &control.wanted, settled, ..source };
        Ok(Some((source, Asked { name, place: asked.place.clone(), steps })))
    }
}
