//! A block that names another block: the name in, the request of the block that is meant out.

use std::sync::Arc;

use super::parameter::Asked;
use super::{Asking, Planner};
use crate::diagnostic::Diagnostic;
use crate::garden::Names;
use crate::note::{Block, Note};
use crate::request::Request;
use crate::suggest;

impl<'a> Planner<'a> {
    /// The request of the block that `name` means: one of this note, `note#id`, or the only one in the garden.
    /// It must be one of the same model, at layers before this block's own.
    pub(super) fn reference(
        &mut self,
        asked: &Asked,
        at: Asking<'_>,
        (field, kind, name): (&str, &str, &str),
    ) -> Result<Request, Vec<Diagnostic>> {
        let wrong =
            |message: String, hint: Option<String>| vec![at.at(field, "", message).hint(hint)];
        let (note, block) = self.block(at.note, kind, name).map_err(|(m, hint)| wrong(m, hint))?;
        let measured = self.measurement(note, block).map_err(|problems| {
            let first = problems.first();
            let why = first.map_or("the block is faulty", |problem| &problem.message);
            let hint = first.map(|problem| format!("it stands at {}", problem.place()));
            wrong(format!("the {kind} `{name}` cannot be used: {why}"), hint)
        })?;
        let (its, ours) = (&measured.request.model, &at.model.reference);
        if (its.digest, &its.conventions) != (ours.digest, &ours.conventions) {
            let message = format!(
                "the {kind} `{name}` is one of the model `{}`, and this block is about `{}`",
                its.name, ours.name
            );
            return Err(wrong(message, Some("give both the same `model`".to_owned())));
        }
        let layers = measured.request.params.get("layers").and_then(|value| value.as_array());
        let named = layers.into_iter().flatten().filter_map(|layer| layer.as_str());
        for layer in named {
            let its = at.model.architecture.layer(layer).ok();
            if let (Some(its), Some(ours)) = (its, &asked.layer)
                && its.stage >= ours.stage
            {
                let (its, ours) = (its.name.shown(), ours.name.shown());
                let message = format!(
                    "the {kind} `{name}` has the layer `{its}`, which is not before `{ours}`"
                );
                let hint = format!("a {kind} leads to its visualisation from layers before it");
                return Err(wrong(message, Some(hint)));
            }
        }
        Ok(Arc::unwrap_or_clone(measured.request))
    }

    /// The block that is meant, with its note; else what is wrong and what to do.
    fn block(
        &self,
        here: &Note,
        kind: &str,
        name: &str,
    ) -> Result<(&'a Note, &'a Block), (String, Option<String>)> {
        let of_kind = |block: &Block| block.kind.is_some_and(|found| found.name == kind);
        let full = |note: &Note, block: &Block| format!("{}#{}", note.stem(), block.id);
        let (notes, id): (Vec<&'a Note>, &str) = match name.rsplit_once('#') {
            Some((note, id)) => {
                let found = Names::of(self.notes).find(note);
                match found[..] {
                    [index] => (vec![self.notes[index]], id),
                    [] => {
                        let names = self.notes.iter().map(|note| note.stem());
                        return Err((
                            format!("no note is called `{note}`"),
                            suggest::hint(note, names),
                        ));
                    }
                    _ => {
                        let paths: Vec<String> =
                            found.iter().map(|i| self.notes[*i].path.clone()).collect();
                        return Err((
                            format!("`{note}` may mean {}", suggest::quoted(&paths, "or")),
                            Some(format!("write the path: `{}#{id}`", paths[0])),
                        ));
                    }
                }
            }
            None => {
                let own = here.blocks.iter().any(|block| block.id == name);
                let here = self.notes.iter().copied().filter(|note| note.path == here.path);
                (if own { here.collect() } else { self.notes.to_vec() }, name)
            }
        };
        let blocks = || notes.iter().flat_map(|note| note.blocks.iter().map(move |b| (*note, b)));
        let all: Vec<(&'a Note, &'a Block)> =
            blocks().filter(|(_, block)| block.id == id).collect();
        let found: Vec<_> = all.iter().copied().filter(|(_, block)| of_kind(block)).collect();
        match (found.as_slice(), all.first()) {
            ([one], _) => Ok(*one),
            ([], Some((_, other))) => {
                let what = other.kind.map_or("a block without a kind".to_owned(), |kind| {
                    format!("a `{}`", kind.name)
                });
                Err((format!("`{name}` is {what}, and no `{kind}`"), None))
            }
            ([], None) => {
                let known: Vec<&str> =
                    blocks().filter(|(_, b)| of_kind(b)).map(|(_, b)| b.id.as_str()).collect();
                let hint = suggest::hint(id, known).unwrap_or_else(|| {
                    format!("make one: a block with `kind: {kind}` and an `id`")
                });
                Err((format!("there is no {kind} `{name}`"), Some(hint)))
            }
            (many, _) => {
                let names: Vec<String> = many.iter().map(|(note, b)| full(note, b)).collect();
                let hint = format!("write which one: `{}`", names[0]);
                Err((format!("`{name}` may mean {}", suggest::quoted(&names, "or")), Some(hint)))
            }
        }
    }
}
