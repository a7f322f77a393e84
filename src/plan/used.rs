//! Blocks that use other blocks. Input: the name of a block. Output: its requests. Each field states which kinds of
//! blocks it takes.

use std::collections::VecDeque;

use neuronotes_core::kind::{Kind, Kinds, Takes};
use neuronotes_core::problem::Problem;
use neuronotes_core::request::{BlockRef, Request};
use neuronotes_core::suggest;

use super::asking::Asking;
use super::planner::Planner;
use super::wanted::{Measurement, Wanted};
use crate::diagnostic::Diagnostic;
use crate::garden::Names;
use crate::note::{Block, Note};

/// Maximum number of other figures that a figure uses, directly or indirectly.
const MOST_FIGURES: usize = 64;

/// Separates a figure and the reason why it cannot be used.
const UNUSABLE: &str = " cannot be used: ";
/// Precedes the place of a problem with another figure.
const STANDS: &str = "see ";

/// The noun for the blocks that a field takes.
pub(super) fn noun(takes: Takes) -> String {
    match takes.kinds {
        Kinds::Named(names) => names.join(" or "),
        Kinds::WithPictures => "figure".to_owned(),
    }
}

/// The problem that a block is of a kind that the field does not take.
fn other_kind(takes: Takes, name: &str, block: &Block) -> Problem {
    let what = match block.kind {
        Some(kind) => format!("{} `{}`", suggest::article(kind.name), kind.name),
        None => "a block without a kind".to_owned(),
    };
    let kinds = Kind::taken(takes);
    match takes.kinds {
        Kinds::Named(_) => {
            let article = suggest::article(kinds.first().map_or("", String::as_str));
            let kinds = suggest::quoted(&kinds, "or");
            Problem::new(format!("`{name}` is {what}, not {article} {kinds}"))
                .hint(format!("name a block of the kind {kinds}"))
        }
        Kinds::WithPictures => {
            Problem::new(format!("`{name}` is {what}, which has no pictures to use"))
                .hint(format!("kinds with pictures: {}", suggest::quoted(&kinds, "and")))
        }
    }
}

/// A hint at the blocks whose names are near, or at all if they are few; with the note's name where notes share an id.
fn nearest(id: &str, here: &Note, known: &[(&Note, &Block)]) -> Option<String> {
    let name = |(note, block): &(&Note, &Block)| {
        let same = known.iter().filter(|(_, other)| other.id == block.id).count();
        match same == 1 || note.path == here.path {
            true => block.id.clone(),
            false => format!("{}#{}", note.stem(), block.id),
        }
    };
    suggest::hint(id, known.iter().map(name).collect::<Vec<_>>())
}

impl<'a> Planner<'a> {
    /// The measurements of the block that a field of another block names, or the problem with it.
    pub(super) fn used(
        &mut self,
        at: Asking<'_>,
        takes: Takes,
        name: &str,
    ) -> Result<Vec<(BlockRef, Request)>, Problem> {
        let (note, block) = self.block(at.note, takes, name)?;
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
            let why = first.map_or("it has an error", |problem| &problem.message);
            // Of a chain of reasons, only the last one is shown.
            let why = why.rsplit_once(UNUSABLE).map_or(why, |(_, why)| why);
            let end = first.and_then(|p| p.hint.clone()).filter(|hint| hint.starts_with(STANDS));
            let hint = end.or(first.map(|problem| format!("{STANDS}{}", problem.place())));
            Problem::new(format!("the {} `{name}`{UNUSABLE}{why}", noun(takes))).hint(hint)
        };
        let one = |which: String, measurement: &Measurement| {
            let used = BlockRef {
                role: String::new(),
                name: name.to_owned(),
                note: note.path.clone(),
                id: block.id.clone(),
                which,
                key: measurement.key,
            };
            (used, (*measurement.request).clone())
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

    /// Checks that no chain of blocks leads from a used block back to the block that is being planned.
    fn leads_elsewhere(&self, at: Asking<'_>, from: (&'a Note, &'a Block)) -> Result<(), Problem> {
        let same =
            |(note, block): (&Note, &Block)| note.path == at.note.path && block.id == at.block.id;
        // Each block that was reached, and the block from which.
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
                // The way was collected from its end.
                way[1..].reverse();
                let message = format!("a figure cannot use itself: {}", way.join(" → "));
                return Err(Problem::new(message).hint("let one of them use something else"));
            }
            if reached.len() > MOST_FIGURES {
                let message = format!("this uses more than {MOST_FIGURES} other figures");
                return Err(Problem::new(message).hint("shorten the chain"));
            }
            for (takes, name) in block.named_blocks() {
                let Ok(found) = self.block(note, takes, &name) else { continue };
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

    /// The named block with its note, or the problem with the name.
    fn block(
        &self,
        here: &Note,
        takes: Takes,
        name: &str,
    ) -> Result<(&'a Note, &'a Block), Problem> {
        let fits = |block: &Block| block.kind.is_some_and(|kind| kind.fits(takes));
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
                    // A figure from the wrong note would go unnoticed.
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
        let found: Vec<_> = all.iter().copied().filter(|(_, block)| fits(block)).collect();
        match (found.as_slice(), all.first()) {
            ([one], _) => Ok(*one),
            ([], Some((_, other))) => Err(other_kind(takes, name, other)),
            ([], None) => {
                let known: Vec<_> = blocks().filter(|(_, b)| fits(b)).collect();
                let hint = nearest(id, here, &known).unwrap_or_else(|| {
                    let kinds = suggest::quoted(&Kind::taken(takes), "or");
                    format!("add a block of the kind {kinds} with `id: {id}`")
                });
                Err(Problem::new(format!("there is no {} `{name}`", noun(takes))).hint(hint))
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
