//! A block that names another block: the name in, the requests of the block that is meant out.

use std::collections::VecDeque;
use std::sync::Arc;

use neuronotes_core::kind::KINDS;
use neuronotes_core::model::Layer;
use neuronotes_core::problem::Problem;
use neuronotes_core::request::{FigureRef, Request};
use neuronotes_core::suggest;

use super::{Asking, Planner, Wanted};
use crate::diagnostic::Diagnostic;
use crate::garden::Names;
use crate::note::{Block, Note};

/// Most other figures that one is made of, at whatever remove.
const MOST_FIGURES: usize = 64;

/// Between a figure and why it cannot be used.
const UNUSABLE: &str = " cannot be used: ";
/// Before the place of what is wrong with another figure.
const STANDS: &str = "it stands at ";

/// What sort of block a name may mean.
#[derive(Clone, Copy)]
enum Sought<'s> {
    /// One of this kind.
    Kind(&'s str),
    /// One of a kind that has pictures.
    Pictures,
}

impl Sought<'_> {
    fn fits(self, block: &Block) -> bool {
        block.kind.is_some_and(|found| match self {
            Self::Kind(kind) => found.name == kind,
            Self::Pictures => found.pictures.is_some(),
        })
    }

    fn noun(self) -> String {
        match self {
            Self::Kind(kind) => kind.to_owned(),
            Self::Pictures => "figure".to_owned(),
        }
    }

    /// What is wrong with a block of another sort, and what to do.
    fn not(self, name: &str, what: &str) -> Problem {
        match self {
            Self::Kind(kind) => Problem::new(format!("`{name}` is {what}, and no `{kind}`")),
            Self::Pictures => {
                let hint = format!("kinds with pictures: {}", with_pictures("and"));
                Problem::new(format!("`{name}` is {what}, which has no pictures to use")).hint(hint)
            }
        }
    }

    fn make(self) -> String {
        match self {
            Self::Kind(kind) => format!("make one: a block with `kind: {kind}` and an `id`"),
            Self::Pictures => {
                format!("make one: a block of the kind {} with an `id`", with_pictures("or"))
            }
        }
    }
}

fn with_pictures(last: &str) -> String {
    let names = KINDS.iter().filter(|kind| kind.pictures.is_some());
    let names: Vec<String> = names.map(|kind| kind.name.to_owned()).collect();
    suggest::quoted(&names, last)
}

impl<'a> Planner<'a> {
    /// The measurements of a block that is used for its pictures; else what is wrong and what to do.
    pub(super) fn figure(
        &mut self,
        at: Asking<'_>,
        name: &str,
    ) -> Result<Vec<(FigureRef, Request)>, Problem> {
        let (note, block) = self.block(at.note, Sought::Pictures, name)?;
        self.leads_elsewhere(at, (note, block))?;
        let known = (note.path.clone(), block.id.clone());
        let wanted = match self.used.get(&known) {
            Some(wanted) => wanted.clone(),
            None => {
                let wanted = self.wanted(note, block);
                self.used.insert(known, wanted.clone());
                wanted
            }
        };
        let faulty = |problems: &[Diagnostic]| {
            let first = problems.first();
            let why = first.map_or("it is faulty", |problem| &problem.message);
            // Along a chain, what is wrong at its end.
            let why = why.rsplit_once(UNUSABLE).map_or(why, |(_, why)| why);
            let end = first.and_then(|p| p.hint.clone()).filter(|hint| hint.starts_with(STANDS));
            let hint = end.or(first.map(|problem| format!("{STANDS}{}", problem.place())));
            Problem::new(format!("the figure `{name}`{UNUSABLE}{why}")).hint(hint)
        };
        let one = |which: String, measurement: &super::Measurement| {
            let figure = FigureRef { name: name.to_owned(), which, key: measurement.key };
            (figure, (*measurement.request).clone())
        };
        match wanted.map_err(|problems| faulty(&problems))? {
            Wanted::Measurement(measurement) => Ok(vec![one(String::new(), &measurement)]),
            Wanted::Sweep(sweep) => {
                let cells = sweep.cells.iter();
                Ok(cells.map(|cell| one(cell.caption(), &cell.measurement)).collect())
            }
            Wanted::Nothing(problems) => Err(faulty(&problems)),
        }
    }

    /// Sees that no way from a block that is used leads back to the block that is being planned.
    fn leads_elsewhere(&self, at: Asking<'_>, from: (&'a Note, &'a Block)) -> Result<(), Problem> {
        let same =
            |(note, block): (&Note, &Block)| note.path == at.note.path && block.id == at.block.id;
        // Each block that is reached, and by which other.
        let mut reached: Vec<((&'a Note, &'a Block), Option<usize>)> = vec![(from, None)];
        let mut next: VecDeque<usize> = VecDeque::from([0]);
        while let Some(index) = next.pop_front() {
            let ((note, block), _) = reached[index];
            if same((note, block)) {
                let mut way = vec![at.block.id.clone()];
                let mut place = Some(index);
                while let Some(index) = place {
                    let ((note, block), before) = reached[index];
                    way.push(match note.path == at.note.path {
                        true => block.id.clone(),
                        false => format!("{}#{}", note.stem(), block.id),
                    });
                    place = before;
                }
                // Found from its end.
                way[1..].reverse();
                let message = format!("a figure cannot be made of itself: {}", way.join(" → "));
                return Err(Problem::new(message).hint("let one of them use something else"));
            }
            if reached.len() > MOST_FIGURES {
                let message = format!("this is made of more than {MOST_FIGURES} other figures");
                return Err(Problem::new(message).hint("shorten the chain"));
            }
            for name in block.named_blocks() {
                let Ok(found) = self.block(note, Sought::Pictures, &name) else { continue };
                let new = |((other, block), _): &((&Note, &Block), Option<usize>)| {
                    (&other.path, &block.id) == (&found.0.path, &found.1.id)
                };
                if !reached.iter().any(new) {
                    next.push_back(reached.len());
                    reached.push((found, Some(index)));
                }
            }
        }
        Ok(())
    }

    /// The request of the block that `name` means: one of this note, `note#id`, or the only one in the garden.
    /// It must be one of the same model, at layers before this block's own.
    pub(super) fn reference(
        &mut self,
        layer: Option<&Layer>,
        at: Asking<'_>,
        (kind, name): (&str, &str),
    ) -> Result<Request, Problem> {
        let (note, block) = self.block(at.note, Sought::Kind(kind), name)?;
        let measured = self.measurement(note, block).map_err(|problems| {
            let first = problems.first();
            let why = first.map_or("the block is faulty", |problem| &problem.message);
            let hint = first.map(|problem| format!("{STANDS}{}", problem.place()));
            Problem::new(format!("the {kind} `{name}`{UNUSABLE}{why}")).hint(hint)
        })?;
        let (its, ours) = (&measured.request.model, &at.model.reference);
        if (its.digest, &its.conventions) != (ours.digest, &ours.conventions) {
            let message = format!(
                "the {kind} `{name}` is one of the model `{}`, and this block is about `{}`",
                its.name, ours.name
            );
            return Err(Problem::new(message).hint("give both the same `model`"));
        }
        let layers = measured.request.params.get("layers").and_then(|value| value.as_array());
        let named = layers.into_iter().flatten().filter_map(|layer| layer.as_str());
        for other in named {
            let its = at.model.architecture.layer(other).ok();
            if let (Some(its), Some(ours)) = (its, layer)
                && its.stage >= ours.stage
            {
                let (its, ours) = (its.name.shown(), ours.name.shown());
                let message = format!(
                    "the {kind} `{name}` has the layer `{its}`, which is not before `{ours}`"
                );
                let hint = format!("a {kind} leads to its visualisation from layers before it");
                return Err(Problem::new(message).hint(hint));
            }
        }
        Ok(Arc::unwrap_or_clone(measured.request))
    }

    /// The block that is meant, with its note; else what is wrong and what to do.
    fn block(
        &self,
        here: &Note,
        sought: Sought<'_>,
        name: &str,
    ) -> Result<(&'a Note, &'a Block), Problem> {
        let full = |note: &Note, block: &Block| format!("{}#{}", note.stem(), block.id);
        let (notes, id): (Vec<&'a Note>, &str) = match name.rsplit_once('#') {
            Some((note, id)) => {
                let names = self.names.get_or_init(|| Names::of(self.notes));
                match names.note(note, &here.path) {
                    Some(found) if found.others.is_empty() => (vec![self.notes[found.best]], id),
                    None => {
                        let names = self.notes.iter().map(|note| note.stem());
                        let problem = Problem::new(format!("there is no note `{note}`"));
                        return Err(problem.hint(suggest::hint(note, names)));
                    }
                    // A figure of the wrong note would be believed.
                    Some(found) => {
                        let all = std::iter::once(&found.best).chain(&found.others);
                        let paths: Vec<String> = all.map(|i| self.notes[*i].path.clone()).collect();
                        let may = suggest::quoted(&paths, "or");
                        let problem =
                            Problem::new(format!("`{note}` is ambiguous: it could mean {may}"));
                        return Err(problem.hint(format!("write the path: `{}#{id}`", paths[0])));
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
        let found: Vec<_> = all.iter().copied().filter(|(_, block)| sought.fits(block)).collect();
        match (found.as_slice(), all.first()) {
            ([one], _) => Ok(*one),
            ([], Some((_, other))) => {
                let what = other.kind.map_or("a block without a kind".to_owned(), |kind| {
                    format!("a `{}`", kind.name)
                });
                Err(sought.not(name, &what))
            }
            ([], None) => {
                let known: Vec<&str> =
                    blocks().filter(|(_, b)| sought.fits(b)).map(|(_, b)| b.id.as_str()).collect();
                let hint = suggest::hint(id, known).unwrap_or_else(|| sought.make());
                Err(Problem::new(format!("there is no {} `{name}`", sought.noun())).hint(hint))
            }
            (many, _) => {
                let names: Vec<String> = many.iter().map(|(note, b)| full(note, b)).collect();
                let hint = format!("write which one: `{}`", names[0]);
                let may = suggest::quoted(&names, "or");
                Err(Problem::new(format!("`{name}` is ambiguous: it could mean {may}")).hint(hint))
            }
        }
    }
}
