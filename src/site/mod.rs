//! The site of a garden. Input: a workspace. Output: every page and file, the requests to measure, and all problems.
//!
//! There is one builder. A build makes a [`Site`], measures missing results and publishes everything; a preview keeps
//! the site and requests single pages, which are the same byte for byte. After a change, only this is done again:
//!
//! | what changed | what is done again |
//! |---|---|
//! | the text of a note | its links; the requested pages that it is part of |
//! | a heading, the id of a block | the links of notes that link to that note |
//! | a title, an alias; a note or file added or removed | all links |
//! | the blocks or units of a note | its plan, the plans that name blocks, the look-up of all results |
//! | configuration, templates, dates | all plans, or all pages |
//!
//! A page is identified by its key, so an unchanged page is never rendered again.

mod clash;
mod compared;
mod data;
mod fault;
mod pages;
mod publish;
mod quiz;
mod review;
mod serve;
mod served;
mod settle;
mod settled;
mod sheet;
mod sink;
pub mod stated;
mod wanted;
mod wishes;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use neuronotes_core::digest::Digest;

pub use served::{Rendered, Served};
pub use settle::{Partial, Progress};
pub use sink::{Collected, Content, Discarded, Sink};
pub use wishes::{Wishes, wishes};

use settle::Drawn;

use crate::diagnostic::Diagnostic;
use crate::garden::{self, Garden};
use crate::note::{LinkKind, Note};
use crate::page::value::Quoted;
use crate::page::{self, Assets, HOME, Settled};
use crate::picture::smaller::Linked;
use crate::plan::{Plan, Plans};
use crate::workspace::{Touched, Workspace};

/// The site of a garden.
#[derive(Debug)]
pub struct Site {
    /// The garden on disk.
    pub workspace: Workspace,
    /// The state of measurements in addition to the store. After changing it, call [`Site::ended`].
    pub progress: Progress,
    notes: Vec<Arc<Note>>,
    plans: Plans,
    plan: Plan,
    garden: Garden,
    /// The note of each page.
    addresses: HashMap<String, usize>,
    drawn: Drawn,
    /// For each note, the outcomes of its blocks.
    settled: Vec<Arc<[Settled]>>,
    /// For each note and each of its blocks, the outcomes of its controls.
    controls: Vec<Arc<[Vec<Settled>]>>,
    /// For each note, whether its outcomes must be looked up again.
    unsettled: Vec<bool>,
    /// For each note, the replacements of its values.
    quoted: Vec<Quoted>,
    /// For each note, all its problems; `None` if these and its values must be determined again.
    problems: Vec<Option<Arc<[Diagnostic]>>>,
    assets: Assets,
    asset_texts: BTreeMap<String, String>,
    footer: Option<String>,
    /// Files that notes link to, as far as they were read, or their errors.
    files: BTreeMap<String, Result<Linked, Diagnostic>>,
    /// Widths and heights of those that are pictures.
    sizes: BTreeMap<String, (u32, u32)>,
    rendered: HashMap<String, Rendered>,
    /// Errors in templates, by rendered page.
    unrendered: BTreeMap<String, Diagnostic>,
    /// Images of rendered pages, by address.
    images: HashMap<String, Digest>,
    /// Labelling sheets and quizzes of rendered pages, by address.
    sheets: HashMap<String, Digest>,
    /// Files of the search index, until something changes.
    search: Option<BTreeMap<String, String>>,
    /// Requests whose results are known to be in the store.
    stored: HashSet<Digest>,
    /// Stored results that turned out to be damaged.
    damage: u64,
}

impl Site {
    /// The site of a garden that has just been read.
    pub fn new(workspace: Workspace, progress: Progress) -> Self {
        let mut site = Self {
            plans: Plans::of(workspace.thawed.as_ref()),
            workspace,
            progress,
            notes: Vec::new(),
            plan: Plan::default(),
            garden: Garden::default(),
            addresses: HashMap::new(),
            drawn: Drawn::default(),
            settled: Vec::new(),
            controls: Vec::new(),
            unsettled: Vec::new(),
            quoted: Vec::new(),
            problems: Vec::new(),
            assets: Assets::default(),
            asset_texts: BTreeMap::new(),
            footer: None,
            files: BTreeMap::new(),
            sizes: BTreeMap::new(),
            rendered: HashMap::new(),
            unrendered: BTreeMap::new(),
            images: HashMap::new(),
            sheets: HashMap::new(),
            search: None,
            stored: HashSet::new(),
            damage: 0,
        };
        site.update(&Touched { config: true, templates: true, listed: true, ..Touched::default() });
        site
    }

    /// Processes a change.
    pub fn update(&mut self, touched: &Touched) {
        self.search = None;
        let before = std::mem::replace(&mut self.notes, self.workspace.notes());
        if touched.config {
            self.plans.forget();
            self.footer = page::footer(&self.workspace.config);
        }
        if touched.templates {
            (self.assets, self.asset_texts) = pages::assets(&self.workspace.renderer);
            self.unrendered.clear();
        }
        if touched.pictures || !touched.files.is_empty() {
            self.plans.forget_pictures();
        }
        for file in &touched.files {
            self.files.remove(file);
            self.sizes.remove(file);
        }
        let changed = changed(&before, &self.notes);
        let renamed = changed.as_ref().is_none_or(|changed| {
            changed.iter().any(|index| !are_named_alike(&before[*index], &self.notes[*index]))
        });
        let changed = changed.unwrap_or_default();
        let refers: Vec<&Note> = self.notes.iter().map(|note| &**note).collect();
        let mut relinked = Vec::new();
        let routes = self.workspace.routes();
        let rerouted = self.garden.routes != routes;
        if renamed || touched.listed || rerouted || self.garden.pages.len() != refers.len() {
            self.garden = garden::assemble(&refers, &self.workspace.files, routes);
            let pages = self.garden.pages.iter().cloned().enumerate();
            self.addresses = pages.map(|(index, page)| (page, index)).collect();
            let addresses = &self.addresses;
            self.unrendered.retain(|path, _| path == HOME || addresses.contains_key(path));
            relinked = (0..refers.len()).collect();
        } else {
            for index in &changed {
                self.garden.relink(*index, &before[*index], &refers);
            }
            let moved = |index: &&usize| !have_places_alike(&before[**index], refers[**index]);
            for index in changed.iter().filter(moved) {
                relinked.extend(self.garden.aiming_at(*index));
            }
            for index in &relinked {
                self.garden.relink(*index, refers[*index], &refers);
            }
        }
        let asks = |note: &Note| !note.blocks.is_empty() || !note.front.units.is_empty();
        let asking = changed.iter().any(|index| asks(&before[*index]) || asks(&self.notes[*index]));
        if renamed || asking || touched.config || touched.pictures || !touched.files.is_empty() {
            self.plan_again(renamed);
        }
        // A claim may be a prediction by now.
        if touched.dates {
            for (index, note) in self.notes.iter().enumerate() {
                if note.quotes() {
                    self.problems[index] = None;
                }
            }
        }
        for index in changed {
            self.forget(index);
        }
        for index in relinked {
            self.problems[index] = None;
        }
        // Whether a note would contain itself depends on what it embeds.
        for (index, note) in self.notes.iter().enumerate() {
            if note.links.iter().any(|link| link.kind == LinkKind::Embed) {
                self.problems[index] = None;
            }
        }
    }

    /// Plans all notes; `renamed` says whether a note's name has changed.
    fn plan_again(&mut self, renamed: bool) {
        let Workspace { root, config, digests, .. } = &mut self.workspace;
        self.plan = self.plans.plan(&self.notes, renamed, root, config, digests);
        let notices = self.plans.resources().notices(&self.workspace.config);
        self.workspace.notice(notices);
        self.forget_all();
    }

    /// Checks whether weights or data have changed, which nothing reports, and if so plans all notes again.
    pub fn look_at_data(&mut self) -> bool {
        let Workspace { config, digests, .. } = &mut self.workspace;
        let changed = self.plans.look_again(config, digests);
        if changed {
            self.search = None;
            self.plan_again(false);
        }
        changed
    }

    /// The outcomes of all blocks must be looked up again.
    fn forget_all(&mut self) {
        let count = self.notes.len();
        self.settled.resize(count, Arc::default());
        self.controls.resize(count, Arc::default());
        self.quoted.resize_with(count, Quoted::default);
        self.unsettled.resize(count, true);
        self.unsettled.fill(true);
        self.problems.resize(count, None);
        self.problems.fill(None);
    }

    /// The outcomes of a note's blocks must be looked up again.
    fn forget(&mut self, index: usize) {
        self.unsettled[index] = true;
        self.problems[index] = None;
    }

    /// The state of this request has changed: it has a result, has failed, or waits again.
    pub fn ended(&mut self, key: &Digest) {
        self.stored.remove(key);
        self.search = None;
        let request = self.plan.requests.iter().find(|(known, _)| known == key);
        // Other figures may be compared with a scan that it used.
        if request.is_some_and(|(_, request)| !request.uses.is_empty()) {
            return self.forget_all();
        }
        for index in 0..self.notes.len() {
            if self.plan.measurements_of(index).any(|measurement| measurement.key == *key) {
                self.forget(index);
            }
            // It may quote the figure.
            if self.notes[index].quotes() {
                self.problems[index] = None;
            }
        }
    }

    /// The progress of running measurements on a page may have changed.
    pub fn look_at_running(&mut self, path: &str) {
        let waits = |settled: &Settled| match settled {
            Settled::Waiting { .. } => true,
            Settled::Sweep(cells) => {
                cells.iter().any(|cell| matches!(cell, Settled::Waiting { .. }))
            }
            _ => false,
        };
        let index = self.addresses.get(path).copied();
        let all =
            |index: usize| self.settled[index].iter().chain(self.controls[index].iter().flatten());
        if let Some(index) = index.filter(|index| all(*index).any(waits)) {
            self.forget(index);
        }
    }

    /// Whether a stored result turned out to be damaged since the last call.
    pub fn met_damage(&mut self) -> bool {
        let damage = self.workspace.store.damage();
        std::mem::replace(&mut self.damage, damage) != damage
    }

    /// Something in the store is damaged: results that depend on it no longer count as stored.
    pub fn lost(&mut self) {
        self.drawn = Drawn::default();
        self.stored.clear();
        self.forget_all();
    }
}

/// The indices of notes that have changed; `None` if notes were added, removed or renamed.
fn changed(before: &[Arc<Note>], now: &[Arc<Note>]) -> Option<Vec<usize>> {
    if before.len() != now.len() {
        return None;
    }
    let mut changed = Vec::new();
    for (index, (old, new)) in before.iter().zip(now).enumerate() {
        if old.path != new.path {
            return None;
        }
        if !Arc::ptr_eq(old, new) {
            changed.push(index);
        }
    }
    Some(changed)
}

/// Whether everything by which others can refer to a note is unchanged, including its address.
fn are_named_alike(old: &Note, new: &Note) -> bool {
    let address = |note: &Note| {
        let front = &note.front;
        (front.permalink.clone(), front.slug.clone(), front.date, front.redirect_from.clone())
    };
    // Tags matter because a note's page gives way to a tag's.
    let names = |note: &Note| (note.title.clone(), note.front.aliases.clone(), note.tags.clone());
    names(old) == names(new) && address(old) == address(new)
}

/// Whether everything by which others can refer to a place in a note is unchanged.
fn have_places_alike(old: &Note, new: &Note) -> bool {
    let headings = old.headings.iter().map(|h| (&h.id, &h.text));
    let blocks = old.blocks.iter().map(|block| &block.id);
    let anchors = old.anchors.iter().map(|anchor| &anchor.id);
    headings.eq(new.headings.iter().map(|h| (&h.id, &h.text)))
        && blocks.eq(new.blocks.iter().map(|block| &block.id))
        && anchors.eq(new.anchors.iter().map(|anchor| &anchor.id))
        && old.marks == new.marks
        && old.front.anchors == new.front.anchors
}

#[cfg(test)]
mod tests;
