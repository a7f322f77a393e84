//! Pages and files of a site, made on request.

use std::collections::BTreeSet;
use std::sync::Arc;

use neuronotes_core::digest::Digest;

use super::served::{Rendered, Served};
use super::{Site, pages, quiz};
use crate::diagnostic::Diagnostic;
use crate::garden::Target;
use crate::guard;
use crate::note::Note;
use crate::page::{self, Draft, GeneratedFile, GeneratedPage, HOME, Scene, Settled, Shared};
use crate::picture::smaller::Smaller;

/// Number of rendered pages that are kept.
const MOST_PAGES: usize = 512;

impl Site {
    /// The paths of all pages.
    pub fn pages(&mut self) -> BTreeSet<String> {
        self.settle_all();
        let refers: Vec<&Note> = self.notes.iter().map(|note| &**note).collect();
        let generated = self.preview_scene(&refers).generated_pages();
        self.garden.pages.iter().cloned().chain(generated.into_keys()).collect()
    }

    /// Settles everything that the page of a note shows.
    fn settle_around(&mut self, index: usize) {
        let refers: Vec<&Note> = self.notes.iter().map(|note| &**note).collect();
        let mut around = self.garden.embedded_in(index, &refers);
        around.insert(index);
        // Sentences of other notes that mention it may quote figures, or rest on claims.
        let from = self.garden.incoming[index].iter().map(|incoming| incoming.from);
        around.extend(from.filter(|from| self.notes[*from].quotes()));
        let cited: Vec<usize> = around.iter().flat_map(|from| self.cited_by(*from)).collect();
        self.settle(around.iter().copied().chain(cited));
        // Beside the names of units stand their pictures, out of other figures.
        let shown = around.iter().flat_map(|index| &*self.settled[*index]);
        let shown = shown.flat_map(Settled::drawings);
        for other in page::pictured(shown, &self.plan, self.notes.len()) {
            self.settle_drawings(other);
        }
        // Any figure may name a unit that the note declares.
        if !self.notes[index].front.units.is_empty() {
            (0..self.notes.len()).for_each(|other| self.settle_drawings(other));
        }
    }

    /// The notes whose claims a note links to: its links say whether these hold.
    fn cited_by(&self, index: usize) -> impl Iterator<Item = usize> {
        let captions = self.garden.caption_links[index].iter().flatten();
        let cited =
            self.garden.links[index].iter().chain(captions).filter_map(|target| match target {
                Target::Note { index, anchor: Some(anchor) } => {
                    anchor.starts_with('^').then_some(*index)
                }
                _ => None,
            });
        cited.filter(|to| self.notes[*to].quotes())
    }

    pub(super) fn scene<'s>(&'s self, notes: &'s [&'s Note], smaller: &'s Smaller) -> Scene<'s> {
        Scene {
            config: &self.workspace.config,
            notes,
            garden: &self.garden,
            plan: &self.plan,
            figures: &self.settled,
            controls: &self.controls,
            quoted: &self.quoted,
            sizes: &self.sizes,
            smaller,
            git: &self.workspace.git,
            reviews: &self.workspace.reviews,
            assets: &self.assets,
            works: self.workspace.library.works.as_ref(),
            footer: self.footer.clone(),
            templates: self.workspace.renderer.digest(),
            preview: self.progress.preview,
            shared: Shared::default(),
        }
    }

    /// The scene for a preview: it uses the pictures themselves rather than wait for smaller copies.
    pub(super) fn preview_scene<'s>(&'s self, notes: &'s [&'s Note]) -> Scene<'s> {
        self.scene(notes, const { &Smaller::NONE })
    }

    /// The path of the page for a requested `path`: a page, a page without extension, or a folder.
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

    /// A page, rendered again if it has changed; `None` if the garden has no such page.
    ///
    /// If an error in a template prevents rendering, its last version is returned.
    ///
    /// # Errors
    /// The template's error, if there is no earlier version.
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
        let scene = self.preview_scene(&refers);
        let draft: Option<Draft<'_>> = match index {
            Some(index) => Some(scene.note_draft(index)),
            None if path == HOME => Some(scene.generated_draft(path, &GeneratedPage::Home)),
            None => scene.generated_pages().get(path).map(|page| scene.generated_draft(path, page)),
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
            Err(problem) => {
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

    /// The page for a missing page, requested so many folders deep; `moved` is the title and page of the note that
    /// has moved.
    ///
    /// # Errors
    /// The template's error.
    pub fn not_found(
        &mut self,
        depth: usize,
        moved: Option<(String, String)>,
    ) -> Result<String, Diagnostic> {
        let refers: Vec<&Note> = self.notes.iter().map(|note| &**note).collect();
        let draft = self.preview_scene(&refers).missing_draft(depth, moved);
        draft.render(&self.workspace.renderer)
    }

    /// Number of notes.
    pub fn notes(&self) -> usize {
        self.notes.len()
    }

    /// A note and its page, by the note's path.
    pub fn note_and_page(&self, path: &str) -> Option<(Arc<Note>, String)> {
        let index = self.notes.binary_search_by(|known| known.path.as_str().cmp(path)).ok()?;
        Some((Arc::clone(&self.notes[index]), self.garden.pages.get(index)?.clone()))
    }

    /// The address of a page relative to another.
    pub fn href(&self, from: &str, page: &str) -> String {
        self.garden.routes.href(from, page, None)
    }

    /// The style sheet of every page, relative to the site's root.
    pub fn stylesheet(&self) -> &str {
        &self.assets.stylesheet
    }

    /// A file of the site other than a page; an image only after a page with it was rendered.
    pub fn file(&mut self, path: &str) -> Option<Served> {
        if let Some(text) = self.asset_texts.get(path) {
            return Some(Served::Bytes(text.clone().into_bytes()));
        }
        if path.starts_with("figures/data/") {
            let store = &self.workspace.store;
            let controls = self.controls.iter().flat_map(|controls| controls.iter().flatten());
            let mut settled = self.settled.iter().flat_map(|settled| &**settled).chain(controls);
            let text = settled.find_map(|settled| page::data_file(settled, path, store))?;
            return Some(Served::Bytes(text.into_bytes()));
        }
        if let Some(digest) = self.images.get(path) {
            return Some(Served::Blob(*digest));
        }
        if let Some(digest) = self.sheets.get(path) {
            let blob = self.workspace.store.blob(digest)?;
            return Some(Served::Bytes(quiz::linked(&blob)?.into_bytes()));
        }
        // Only files that notes link to, looked up by name, so that no path leads elsewhere.
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

    /// A file that is made from all notes.
    fn made_file(&mut self, path: &str) -> Option<Served> {
        let refers: Vec<&Note> = self.notes.iter().map(|note| &**note).collect();
        if path.starts_with("previews/") {
            // Which notes are in it does not depend on the outcomes of their figures.
            let shard = self.preview_scene(&refers).preview_shard(path)?;
            drop(refers);
            shard.notes.iter().for_each(|index| self.settle_around(*index));
            if !shard.units.is_empty() {
                self.settle_all();
            }
            let refers: Vec<&Note> = self.notes.iter().map(|note| &**note).collect();
            let scene = self.preview_scene(&refers);
            let renderer = &self.workspace.renderer;
            let mut body = |index: usize| scene.note_draft(index).body(renderer)?.ok();
            return Some(Served::Bytes(scene.shard(&shard, &mut body).into_bytes()));
        }
        drop(refers);
        self.settle_all();
        let refers: Vec<&Note> = self.notes.iter().map(|note| &**note).collect();
        if path.starts_with("search/") {
            if self.search.is_none() {
                self.search = Some(pages::search(&self.preview_scene(&refers)).0);
            }
            let text = self.search.as_ref()?.get(path)?;
            return Some(Served::Bytes(text.clone().into_bytes()));
        }
        match self.preview_scene(&refers).generated_file(path)? {
            GeneratedFile::Text(text) => Some(Served::Bytes(text.into_bytes())),
            GeneratedFile::Card(image, synthetic) => {
                pages::card(&self.workspace.store, &image, synthetic).map(Served::Bytes)
            }
        }
    }
}
