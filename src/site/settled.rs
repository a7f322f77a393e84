//! The settled state of notes, determined on demand: outcomes of blocks, values, files, and all problems.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use neuronotes_core::file::read_hint;

use super::settle::Settler;
use super::{Site, clash, data};
use crate::claim::Verdict;
use crate::diagnostic::Diagnostic;
use crate::guard::{self, Panicked};
use crate::note::Note;
use crate::page::value::{Judged, Quoted, Sources};
use crate::page::{self, Settled};
use crate::picture::smaller::{self, Linked};
use crate::plan::Wanted;
use crate::workspace::Workspace;

impl Site {
    /// Determines the outcomes of these notes' blocks, their values, files and problems, unless they are known.
    pub(super) fn settle(&mut self, indices: impl IntoIterator<Item = usize>) {
        let open: Vec<usize> =
            indices.into_iter().filter(|index| self.problems[*index].is_none()).collect();
        if open.is_empty() {
            return;
        }
        for index in &open {
            let path = self.notes[*index].path.clone();
            let settled = guard::run("looking up the figures of the note", &path, || {
                self.look_at_files(*index);
                self.settle_blocks(*index);
                self.quoted_notes(*index).into_iter().for_each(|quoted| self.settle_blocks(quoted));
            });
            if let Err(panicked) = settled {
                self.give_up(*index, &panicked);
            }
        }
        let refers: Vec<&Note> = self.notes.iter().map(|note| &**note).collect();
        let Self { workspace, plan, garden, settled, controls, .. } = &*self;
        let Workspace { store, config, commits, .. } = workspace;
        // Only claims that can be judged may be predictions.
        let judged = open.iter().filter(|index| {
            let done = settled[**index].iter().any(|settled| !settled.drawings().is_empty());
            done && refers[**index].claims()
        });
        let judged = judged.map(|index| refers[*index].file.as_str());
        commits.prepare(&judged.collect::<Vec<_>>());
        let outcomes = (&settled[..], &controls[..]);
        let sources = Sources::new(&refers, garden, plan, outcomes, store, &config.lists, commits);
        let seen: Vec<(usize, Result<Seen, Panicked>)> = open
            .into_iter()
            .filter(|index| self.problems[*index].is_none())
            .map(|index| {
                let path = &refers[index].path;
                let look = || self.look_at_note(index, &refers, &sources);
                (index, guard::run("checking the note", path, look))
            })
            .collect();
        for (index, seen) in seen {
            match seen {
                Ok((quoted, problems)) => {
                    self.problems[index] = Some(problems.into());
                    self.quoted[index] = quoted;
                }
                Err(panicked) => self.give_up(index, &panicked),
            }
        }
    }

    /// Settles all notes.
    pub(super) fn settle_all(&mut self) {
        self.settle(0..self.notes.len());
    }

    /// The state of a note whose processing panicked.
    fn give_up(&mut self, index: usize, panicked: &Panicked) {
        self.problems[index] =
            Some([Diagnostic::of_panic(&*self.notes[index].file, panicked)].into());
        self.quoted[index] = Quoted::default();
    }

    /// Notes whose figures a note quotes.
    fn quoted_notes(&self, index: usize) -> BTreeSet<usize> {
        let note = &self.notes[index];
        let named = note.quoted_blocks().filter_map(|(name, _)| name);
        let found = named.filter_map(|name| self.garden.names().note(name, &note.path));
        found.map(|found| found.best).collect()
    }

    /// The replacements of a note's values, and all its problems, in the order of its text.
    fn look_at_note(&self, index: usize, notes: &[&Note], sources: &Sources<'_>) -> Seen {
        let note = notes[index];
        let quoted = match note.quotes() {
            true => quoted(sources, index, note),
            false => Quoted::default(),
        };
        let embeds = self.garden.embed_problems(index, notes);
        let cited = page::citation_problems(note, self.workspace.library.works.as_ref());
        let remote = page::remote_problems(note, &self.workspace.config);
        let blocks =
            self.settler().problems(index, note, &self.settled[index], &self.controls[index]);
        let all: [&[Diagnostic]; 8] = [
            &note.problems,
            &self.garden.problems[index],
            &embeds,
            &cited,
            &remote,
            self.plan.unit_problems(index),
            &quoted.problems,
            &blocks,
        ];
        let mut problems: Vec<Diagnostic> = all.into_iter().flatten().cloned().collect();
        problems.sort_by_key(|problem| (problem.line, problem.column));
        (quoted, problems)
    }

    fn settler(&self) -> Settler<'_> {
        let Self { workspace, plan, progress, drawn, .. } = self;
        Settler { store: &workspace.store, plan, progress, drawn }
    }

    fn settle_blocks(&mut self, index: usize) {
        if !std::mem::take(&mut self.unsettled[index]) {
            return;
        }
        let settled = self.settler().note(index, &self.notes[index]);
        let controls = self.settler().controls(index, &self.notes[index], &settled);
        let all = settled.iter().chain(controls.iter().flatten());
        for drawing in all.flat_map(Settled::shown) {
            for image in drawing.images() {
                self.images.insert(image.file(), image.digest);
            }
            for link in drawing.sheets() {
                self.sheets.insert(link.path.clone(), link.digest);
            }
        }
        if self.progress.preview {
            self.keep_drawings(index, &settled);
        }
        self.settled[index] = settled.into();
        self.controls[index] = controls.into();
    }

    /// Remembers the drawings of a note's blocks, which are shown while they are measured again.
    fn keep_drawings(&mut self, index: usize, settled: &[Settled]) {
        let Self { plan, progress, notes, .. } = self;
        let note = &notes[index];
        let mut keep = |id: &str, which: String, settled: &Settled| {
            if let Settled::Done { drawing, .. } = settled {
                let place = (note.path.clone(), id.to_owned(), which);
                progress.stale.insert(place, Arc::clone(drawing));
            }
        };
        for ((block, settled), wanted) in note.blocks.iter().zip(settled).zip(plan.wanted(index)) {
            match (settled, wanted) {
                (Settled::Sweep(cells), Wanted::Sweep(sweep)) => {
                    for (cell, settled) in sweep.cells.iter().zip(cells) {
                        keep(&block.id, plan.caption(cell), settled);
                    }
                }
                _ => keep(&block.id, String::new(), settled),
            }
        }
    }

    /// Determines the outcomes of a note's blocks, unless they are known, and nothing else of the note.
    pub(super) fn settle_drawings(&mut self, index: usize) {
        let path = self.notes[index].path.clone();
        let settled = guard::run("looking up the figures of the note", &path, || {
            self.settle_blocks(index);
        });
        if let Err(panicked) = settled {
            self.give_up(index, &panicked);
        }
    }

    fn look_at_files(&mut self, index: usize) {
        for path in self.garden.files_of(index) {
            if self.files.contains_key(path) {
                continue;
            }
            let file = self.workspace.layout.file(path);
            let from = self.workspace.root.join(&file);
            let found = smaller::linked(&from, &mut self.workspace.digests);
            let found = found.map_err(|error| {
                let message = format!("the file cannot be read ({error})");
                let hint = read_hint(&error).map(str::to_owned);
                Diagnostic::of_file(file, message).hint(hint)
            });
            if let Ok(Linked { size: Some(size), .. }) = &found {
                self.sizes.insert(path.to_owned(), *size);
            }
            self.files.insert(path.to_owned(), found);
        }
    }

    /// Settles some of the remaining notes, to find their problems. Returns whether there are more.
    pub fn settle_some(&mut self, most: usize) -> bool {
        let open = self.problems.iter().enumerate().filter(|(_, known)| known.is_none());
        let open: Vec<usize> = open.map(|(index, _)| index).take(most).collect();
        let more = open.len() == most;
        self.settle(open);
        more
    }

    /// All problems, except those found only when pages are made.
    pub fn all_problems(&mut self) -> Vec<Diagnostic> {
        self.settle_all();
        self.problems()
    }

    /// The outcomes of all claims that were judged, those of conditions of values in prose too.
    pub fn verdicts(&self) -> impl Iterator<Item = Verdict> {
        let all = self.quoted.iter().flat_map(|quoted| {
            let claims = quoted.claims.iter().map(|judged| &judged.judgement);
            claims.chain(quoted.shown.iter().filter_map(|shown| shown.judgement.as_ref()))
        });
        all.map(|judgement| judgement.verdict)
    }

    /// The outcomes of a note's claims, in its order.
    pub fn judged(&self, index: usize) -> &[Judged] {
        self.quoted.get(index).map_or(&[], |quoted| &quoted.claims)
    }

    /// The days of the commits of claims that are predictions; of each other claim none.
    pub fn predictions(&self) -> Vec<Option<String>> {
        let claims = self.quoted.iter().flat_map(|quoted| &quoted.claims);
        let day = |judged: &Judged| Some(judged.judgement.predicted.as_ref()?.claimed.clone());
        claims.map(day).collect()
    }

    /// All known problems, in the order of a build's report.
    pub fn problems(&self) -> Vec<Diagnostic> {
        let mut all = self.problems_before();
        all.extend(self.problems_of_notes());
        all.extend(self.problems_after(&all));
        all
    }

    /// The known problems of notes, in the notes' order.
    pub(super) fn problems_of_notes(&self) -> impl Iterator<Item = Diagnostic> {
        self.problems.iter().flatten().flat_map(|problems| problems.iter()).cloned()
    }

    /// The known problems of each note, by path. While they are unchanged, the slice is the same.
    pub fn problems_by_note(&self) -> impl Iterator<Item = (&str, &Arc<[Diagnostic]>)> {
        let notes = self.notes.iter().zip(&self.problems);
        notes.filter_map(|(note, problems)| Some((note.path.as_str(), problems.as_ref()?)))
    }

    /// All known problems other than those of notes.
    pub fn problems_beside(&self) -> Vec<Diagnostic> {
        let mut all = self.problems_before();
        all.extend(self.problems_after(&all));
        all
    }

    /// The problems of the configuration and data.
    pub(super) fn problems_before(&self) -> Vec<Diagnostic> {
        let mut all: Vec<Diagnostic> = self.workspace.problems().cloned().collect();
        all.extend(data::problems(&self.workspace, &self.plan));
        all
    }

    /// The problems of files that notes link to.
    pub(super) fn problems_of_files(&self) -> Vec<Diagnostic> {
        let unread: Vec<&Diagnostic> =
            self.files.values().filter_map(|found| found.as_ref().err()).collect();
        if unread.is_empty() {
            return Vec::new();
        }
        // Problems of a file that no note links to any more do not matter.
        let pointed: HashSet<&str> = self.garden.files().collect();
        let layout = &self.workspace.layout;
        let is_pointed = |problem: &&Diagnostic| {
            layout.path(&problem.file).is_some_and(|path| pointed.contains(path))
        };
        unread.into_iter().filter(is_pointed).cloned().collect()
    }

    /// Problems of files and templates that are not yet known.
    fn problems_after(&self, known: &[Diagnostic]) -> Vec<Diagnostic> {
        let mut all = self.problems_of_files();
        let refers: Vec<&Note> = self.notes.iter().map(|note| &**note).collect();
        let scene = self.preview_scene(&refers);
        all.extend(clash::of(&scene, &self.workspace.layout).problems);
        for problem in self.unrendered.values() {
            if !all.contains(problem) && !known.contains(problem) {
                all.push(problem.clone());
            }
        }
        all
    }

    /// Problems outside notes, which no page can show at their place: of the configuration, templates and files.
    pub fn problems_outside(&self) -> Vec<Diagnostic> {
        let outside = self.workspace.problems().chain(self.unrendered.values());
        let mut all: Vec<Diagnostic> = outside.cloned().collect();
        all.dedup();
        all
    }
}

/// The replacements of a note's values, and its problems.
type Seen = (Quoted, Vec<Diagnostic>);

/// The replacements of a note's values.
fn quoted(sources: &Sources<'_>, index: usize, note: &Note) -> Quoted {
    let quoted =
        guard::run("filling in the values of the note", &note.path, || sources.quoted(index));
    quoted.unwrap_or_else(|panicked| Quoted {
        problems: vec![Diagnostic::of_panic(&*note.file, &panicked)],
        ..Quoted::default()
    })
}
