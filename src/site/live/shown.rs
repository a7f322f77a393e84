//! Pages and files of a garden that is kept composed, each made when it is asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use neuronotes_core::digest::Digest;

use super::{Live, MOST_PAGES, Rendered, Served};
use crate::diagnostic::Diagnostic;
use crate::guard;
use crate::note::Note;
use crate::page::{Bare, Draft, HOME, Scene, Shared, Sheet};
use crate::site::publish;
use crate::workspace::template_problem;

impl Live {
    /// Every page's path.
    pub fn pages(&mut self) -> BTreeSet<String> {
        self.settle_all();
        let refers: Vec<&Note> = self.notes.iter().map(|note| &**note).collect();
        let sheets = self.scene(&refers).sheets();
        self.garden.pages.iter().cloned().chain(sheets.into_keys()).collect()
    }

    fn settle_all(&mut self) {
        (0..self.notes.len()).for_each(|index| self.settle(index));
    }

    /// Settles all that the page of a note shows.
    fn settle_around(&mut self, index: usize) {
        let refers: Vec<&Note> = self.notes.iter().map(|note| &**note).collect();
        let mut around = self.garden.embedded_in(index, &refers);
        around.insert(index);
        // Sentences of other notes that mention it may quote figures.
        let from = self.garden.incoming[index].iter().map(|incoming| incoming.from);
        around.extend(from.filter(|from| !self.notes[*from].values.is_empty()));
        around.into_iter().for_each(|index| self.settle(index));
    }

    pub(super) fn scene<'s>(&'s self, notes: &'s [&'s Note]) -> Scene<'s> {
        Scene {
            config: &self.workspace.config,
            notes,
            garden: &self.garden,
            plan: &self.plan,
            figures: &self.settled,
            quoted: &self.quoted,
            sizes: &self.sizes,
            // A preview never waits for copies: it has the pictures themselves at hand.
            variants: const { &BTreeMap::new() },
            thumbnails: const { &BTreeMap::new() },
            git: &self.workspace.git,
            assets: &self.assets,
            works: self.workspace.library.works.as_ref(),
            footer: self.footer.clone(),
            templates: self.workspace.renderer.digest(),
            preview: self.progress.preview,
            shared: Shared::default(),
        }
    }

    /// The path of the page that a browser asks for as `path`: itself, or without its ending, or a folder.
    pub fn named(&self, path: &str) -> String {
        let is_page = |path: &str| path == HOME || self.addresses.contains_key(path);
        let folder = path.trim_end_matches('/');
        let index = if folder.is_empty() { HOME.to_owned() } else { format!("{folder}/{HOME}") };
        let full = format!("{path}.html");
        match () {
            () if is_page(path) => path.to_owned(),
            () if !path.ends_with('/') && is_page(&full) => full,
            () if is_page(&index) => index,
            () => path.to_owned(),
        }
    }

    /// A page, rendered where it is another than it was; none where the garden has no such page.
    ///
    /// One that a fault in a template keeps from being rendered stays as it was, if it ever was.
    ///
    /// # Errors
    /// What is wrong with the template, where there is nothing else to show.
    pub fn page(&mut self, path: &str) -> Option<Result<Rendered, Diagnostic>> {
        let made = guard::run("making the page", path, || self.made_page(path));
        made.unwrap_or_else(|panicked| {
            let note = self.addresses.get(path).map(|index| &self.notes[*index].file);
            let problem = Diagnostic::of_panic(note.map_or(path, String::as_str), &panicked);
            self.unrendered.insert(path.to_owned(), problem.clone());
            Some(self.rendered.get(path).cloned().ok_or(problem))
        })
    }

    fn made_page(&mut self, path: &str) -> Option<Result<Rendered, Diagnostic>> {
        let index = self.addresses.get(path).copied();
        match index.filter(|_| path != HOME) {
            Some(index) => self.settle_around(index),
            None if path.ends_with(".html") || path.ends_with(".htm") => self.settle_all(),
            None => return None,
        }
        let refers: Vec<&Note> = self.notes.iter().map(|note| &**note).collect();
        let scene = self.scene(&refers);
        let draft: Option<Draft<'_>> = match index {
            Some(index) => Some(scene.note_draft(index)),
            None if path == HOME => Some(scene.sheet_draft(path, &Sheet::Home)),
            None => scene.sheets().get(path).map(|sheet| scene.sheet_draft(path, sheet)),
        };
        let Some(draft) = draft else {
            self.rendered.remove(path);
            return None;
        };
        let known = self.rendered.get(path);
        if let Some(known) = known.filter(|known| known.key == draft.key) {
            return Some(Ok(known.clone()));
        }
        let html = match draft.render(&self.workspace.renderer) {
            Ok(html) => html,
            Err(error) => {
                let problem = template_problem(&error);
                let shown = known.cloned();
                self.unrendered.insert(path.to_owned(), problem.clone());
                return Some(shown.ok_or(problem));
            }
        };
        let key = draft.key;
        self.unrendered.remove(path);
        let digest = Digest::of(html.as_bytes());
        let rendered = Rendered { key, html: html.into(), digest };
        if self.rendered.len() >= MOST_PAGES {
            self.rendered.clear();
        }
        self.rendered.insert(path.to_owned(), rendered.clone());
        Some(Ok(rendered))
    }

    /// What stands in place of a page that is not there, asked for so many folders deep; `moved` is the title and the page
    /// of the note that it went to.
    ///
    /// # Errors
    /// What is wrong with the template.
    pub fn not_found(
        &mut self,
        depth: usize,
        moved: Option<(String, String)>,
    ) -> Result<String, Diagnostic> {
        let refers: Vec<&Note> = self.notes.iter().map(|note| &**note).collect();
        let draft = self.scene(&refers).missing_draft(depth, moved);
        draft.render(&self.workspace.renderer).map_err(|error| template_problem(&error))
    }

    /// A note and its page, by the note's path.
    pub fn note_and_page(&self, path: &str) -> Option<(Arc<Note>, String)> {
        let index = self.notes.binary_search_by(|known| known.path.as_str().cmp(path)).ok()?;
        Some((Arc::clone(&self.notes[index]), self.garden.pages.get(index)?.clone()))
    }

    /// The address of a page as seen from another.
    pub fn href(&self, from: &str, page: &str) -> String {
        self.garden.routes.href(from, page, None)
    }

    /// The style sheet of every page, relative to the site's root.
    pub fn stylesheet(&self) -> &str {
        &self.assets.stylesheet
    }

    /// A file of the site that is no page; an image only once a page with it was rendered.
    pub fn file(&mut self, path: &str) -> Option<Served> {
        if let Some(text) = self.asset_texts.get(path) {
            return Some(Served::Bytes(text.clone().into_bytes()));
        }
        if let Some(text) = self.data.get(path) {
            return Some(Served::Bytes(text.clone().into_bytes()));
        }
        if let Some(digest) = self.images.get(path) {
            return Some(Served::Blob(*digest));
        }
        // Only what a note points to; and it is looked up by name, so that no path leads anywhere else.
        let is_asked =
            |file: &&str| self.files.contains_key(*file) && self.workspace.files.contains(*file);
        let copied = self.garden.routes.copied(path);
        match copied.and_then(|file| self.garden.names().file_at(file)).filter(is_asked) {
            Some(file) => {
                Some(Served::File(self.workspace.root.join(self.workspace.layout.file(file))))
            }
            None => self.made_file(path),
        }
    }

    /// A file that is made of all notes.
    fn made_file(&mut self, path: &str) -> Option<Served> {
        let refers: Vec<&Note> = self.notes.iter().map(|note| &**note).collect();
        if path.starts_with("previews/") {
            // Which notes are in it does not depend on what came of their figures.
            let shard = self.scene(&refers).preview_shard(path)?;
            drop(refers);
            shard.notes.iter().for_each(|index| self.settle_around(*index));
            if !shard.units.is_empty() {
                self.settle_all();
            }
            let refers: Vec<&Note> = self.notes.iter().map(|note| &**note).collect();
            let scene = self.scene(&refers);
            let renderer = &self.workspace.renderer;
            let mut body = |index: usize| scene.note_draft(index).body(renderer)?.ok();
            return Some(Served::Bytes(scene.shard(&shard, &mut body).into_bytes()));
        }
        drop(refers);
        self.settle_all();
        let refers: Vec<&Note> = self.notes.iter().map(|note| &**note).collect();
        if path.starts_with("search/") {
            if self.search.is_none() {
                self.search = Some(publish::search(&self.scene(&refers)).0);
            }
            let text = self.search.as_ref()?.get(path)?;
            return Some(Served::Bytes(text.clone().into_bytes()));
        }
        match self.scene(&refers).bare_file(path)? {
            Bare::Text(text) => Some(Served::Bytes(text.into_bytes())),
            Bare::Card(image, synthetic) => {
                publish::card(&self.workspace.store, &image, synthetic).map(Served::Bytes)
            }
        }
    }
}
