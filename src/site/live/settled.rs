//! What came of notes, seen when it is asked for: their blocks, their values, their files, and all that is wrong.

use std::collections::HashSet;
use std::sync::Arc;

use super::Live;
use crate::diagnostic::Diagnostic;
use crate::guard;
use crate::note::{LinkKind, Note};
use crate::page;
use crate::page::Settled;
use crate::page::value::{Quoted, Sources};
use crate::plan::Wanted;
use crate::site::settle::Settler;
use crate::site::{self, clash, data, problems_of, smaller};

impl Live {
    /// Sees what came of a note's blocks, what its values show, what its files are, and what is wrong with all that.
    pub(super) fn settle(&mut self, index: usize) {
        if self.problems[index].is_some() {
            return;
        }
        let note = Arc::clone(&self.notes[index]);
        let settled = guard::run("checking the note", &note.path, || self.settle_note(index));
        if let Err(panicked) = settled {
            self.problems[index] = Some([Diagnostic::of_panic(&*note.file, &panicked)].into());
            self.quoted[index] = Quoted::default();
        }
    }

    fn settle_note(&mut self, index: usize) {
        self.look_at_files(index);
        self.settle_blocks(index);
        let quotes: Vec<usize> = self.notes[index]
            .quoted_blocks()
            .filter_map(|(note, _)| note)
            .filter_map(|note| self.garden.names().note(note, &self.notes[index].path))
            .map(|found| found.best)
            .collect();
        quotes.into_iter().for_each(|quoted| self.settle_blocks(quoted));
        let Self { workspace, plan, progress, drawn, garden, settled, .. } = self;
        let mut quoted = Quoted::default();
        if !self.notes[index].values.is_empty() {
            let refers: Vec<&Note> = self.notes.iter().map(|note| &**note).collect();
            let sources = Sources::new(&refers, garden, plan, settled, &workspace.store);
            quoted = site::quoted(&sources, index, &self.notes[index]);
        }
        let settler = Settler { store: &workspace.store, plan, progress, drawn };
        let note = &self.notes[index];
        let own = settler.problems(index, note, &settled[index]);
        let mut embeds = Vec::new();
        if self.notes[index].links.iter().any(|link| link.kind == LinkKind::Embed) {
            let refers: Vec<&Note> = self.notes.iter().map(|note| &**note).collect();
            embeds = garden.embed_problems(index, &refers);
        }
        let cited = page::citation_problems(note, workspace.library.works.as_ref());
        let remote = page::remote_problems(note, &workspace.config);
        let units = plan.unit_problems(index);
        let others = [&garden.problems[index], &embeds, &cited, &remote, units, &quoted.problems];
        self.problems[index] = Some(problems_of(note, others, own).into());
        self.quoted[index] = quoted;
    }

    fn settle_blocks(&mut self, index: usize) {
        if !self.unsettled[index] {
            return;
        }
        self.unsettled[index] = false;
        let Self { workspace, plan, progress, drawn, .. } = self;
        let settler = Settler { store: &workspace.store, plan, progress, drawn };
        let note = &self.notes[index];
        let settled = settler.note(index, note);
        for drawing in settled.iter().flat_map(Settled::drawings) {
            for image in drawing.images() {
                self.images.insert(image.file(), image.digest);
            }
        }
        let data = settled.iter().map(|one| site::data_files(note, one, &workspace.store));
        self.data.extend(data.filter_map(Result::ok).flatten());
        let mut keep = |id: &str, which: String, settled: &Settled| {
            if let Settled::Done { drawing, .. } = settled {
                let place = (note.path.clone(), id.to_owned(), which);
                progress.stale.insert(place, Arc::clone(drawing));
            }
        };
        for ((block, settled), wanted) in note.blocks.iter().zip(&settled).zip(plan.wanted(index)) {
            match (settled, wanted) {
                (Settled::Sweep(cells), Wanted::Sweep(sweep)) => {
                    for (cell, settled) in sweep.cells.iter().zip(cells) {
                        keep(&block.id, plan.caption(cell), settled);
                    }
                }
                _ => keep(&block.id, String::new(), settled),
            }
        }
        self.settled[index] = settled.into();
    }

    fn look_at_files(&mut self, index: usize) {
        for file in self.garden.files_of(index) {
            if self.files.contains_key(file) {
                continue;
            }
            let path = self.workspace.layout.file(file);
            let from = self.workspace.root.join(&path);
            let found = smaller::linked(&from, &mut self.workspace.digests);
            let found = found.map_err(|error| {
                let message = format!("the file cannot be read ({error})");
                let problem = Diagnostic::of_file(self.workspace.layout.file(file), message);
                problem.hint(neuronotes_core::file::read_hint(&error).map(str::to_owned))
            });
            let found = found.map(|linked| {
                if let Some(size) = linked.size {
                    self.sizes.insert(file.to_owned(), size);
                }
                linked.size
            });
            self.files.insert(file.to_owned(), found);
        }
    }

    /// Settles some of the notes that nobody asked for yet, so that what is wrong with them is known. Says whether there
    /// is more to do.
    pub fn settle_some(&mut self, most: usize) -> bool {
        let open = self.problems.iter().enumerate().filter(|(_, known)| known.is_none());
        let open: Vec<usize> = open.map(|(index, _)| index).take(most).collect();
        for index in &open {
            self.settle(*index);
        }
        open.len() == most
    }

    /// Everything that is known to be wrong, in the order in which a build reports it.
    pub fn problems(&self) -> Vec<Diagnostic> {
        let notes = self.problems.iter().flatten().flat_map(|problems| problems.iter());
        let mut all = self.problems_before();
        all.extend(notes.cloned());
        all.extend(self.problems_after(&all));
        all
    }

    /// What is known to be wrong with each note, by its path. As long as it is the same, it is the same slice.
    pub fn problems_by_note(&self) -> impl Iterator<Item = (&str, &Arc<[Diagnostic]>)> {
        let notes = self.notes.iter().zip(&self.problems);
        notes.filter_map(|(note, problems)| Some((note.path.as_str(), problems.as_ref()?)))
    }

    /// Everything that is known to be wrong, but for what is wrong with notes.
    pub fn problems_beside(&self) -> Vec<Diagnostic> {
        let mut all = self.problems_before();
        all.extend(self.problems_after(&all));
        all
    }

    /// What is wrong with configuration and data.
    fn problems_before(&self) -> Vec<Diagnostic> {
        let mut all: Vec<Diagnostic> = self.workspace.problems().cloned().collect();
        all.extend(data::problems(&self.workspace, &self.plan));
        all
    }

    /// What is wrong with files and templates, and not among what is known.
    fn problems_after(&self, known: &[Diagnostic]) -> Vec<Diagnostic> {
        let unread: Vec<&Diagnostic> =
            self.files.values().filter_map(|f| f.as_ref().err()).collect();
        let mut all = Vec::new();
        if !unread.is_empty() {
            // A file that nobody points to any more may be as it is.
            let pointed: HashSet<&str> = self.garden.files().collect();
            let layout = &self.workspace.layout;
            let is_pointed = |problem: &&Diagnostic| {
                layout.path(&problem.file).is_some_and(|path| pointed.contains(path))
            };
            all.extend(unread.into_iter().filter(is_pointed).cloned());
        }
        let refers: Vec<&Note> = self.notes.iter().map(|note| &**note).collect();
        all.extend(clash::of(&self.scene(&refers), &self.workspace.layout).problems);
        for problem in self.unrendered.values() {
            if !all.contains(problem) && !known.contains(problem) {
                all.push(problem.clone());
            }
        }
        all
    }

    /// What is wrong outside notes, which no page can show at its place: the configuration, templates, files.
    pub fn problems_outside(&self) -> Vec<Diagnostic> {
        let outside = self.workspace.problems().chain(self.unrendered.values());
        let mut all: Vec<Diagnostic> = outside.cloned().collect();
        all.dedup();
        all
    }
}
