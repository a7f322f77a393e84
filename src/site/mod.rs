//! The whole site out of a workspace: what is wanted, what is stored, and every page and file that follows.
//!
//! [`compose`] makes everything anew but what is kept by key: measuring, drawing and rendering are done once a key.
//!
//! Incremental: [`Live`] keeps a garden composed through changes, and comes to the same pages.

mod clash;
mod data;
mod live;
mod missing;
mod publish;
mod settle;
mod sink;
mod smaller;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use rayon::prelude::*;

pub use live::{Live, Rendered, Served};
use missing::FREEZE;
pub use missing::{missing, unscanned};
pub use settle::{Drawn, Progress, Settler};
pub use sink::{Collected, Discarded, Sink};

use crate::diagnostic::Diagnostic;
use crate::figure::Image;
use crate::garden;
use crate::guard;
use crate::note::Note;
use crate::page::value::{Quoted, Sources};
use crate::page::{self, Scene, Settled};
use crate::plan::{self, Plan};
use crate::resource::Resources;
use crate::workspace::Workspace;
use neuronotes_core::digest::Digest;
use neuronotes_core::file;
use neuronotes_core::request::Request;
use neuronotes_core::store::Store;
pub use smaller::LARGEST as LARGEST_FILE;
use smaller::Smaller;

/// What the notes want and what the store has of it.
#[derive(Debug)]
pub struct Wishes {
    /// What each block wants.
    pub plan: Plan,
    /// As [`missing`] gives them.
    pub missing: Vec<(Digest, Request)>,
}

impl Wishes {
    /// The keys of what is missing.
    pub fn missing_keys(&self) -> BTreeSet<Digest> {
        self.missing.iter().map(|(key, _)| *key).collect()
    }
}

/// One file of the site.
#[derive(Debug)]
pub enum Content {
    /// A page or another file that is made where its key changed.
    Page {
        /// The page key.
        key: Digest,
        /// Its text.
        html: Result<String, Box<Diagnostic>>,
    },
    /// A picture that is made where its key changed.
    Picture {
        /// The key.
        key: Digest,
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// These bytes.
    Bytes(Vec<u8>),
    /// The bytes of a file elsewhere, with their digest.
    Copy {
        /// The file.
        from: PathBuf,
        /// Of its bytes.
        digest: Digest,
    },
}

/// Asks what the notes want, and what of it is missing.
pub fn wishes(workspace: &mut Workspace) -> Wishes {
    let shared = workspace.notes();
    let notes: Vec<&Note> = shared.iter().map(|note| &**note).collect();
    let mut resources = Resources::of(workspace.thawed.as_ref());
    let plan = plan::plan(
        &notes,
        &workspace.root,
        &workspace.config,
        &mut resources,
        &mut workspace.digests,
    );
    workspace.notice(resources.notices(&workspace.config));
    let missing = missing(&plan, &workspace.store);
    Wishes { plan, missing }
}

/// The composed site.
#[derive(Debug)]
pub struct Site {
    /// Everything that is wrong, in the order of the notes and of their text.
    pub problems: Vec<Diagnostic>,
    /// For each note, its page.
    pub pages: BTreeMap<String, String>,
}

/// Composes the site; its files go to `sink` as they are made.
pub fn compose(
    workspace: &mut Workspace,
    wishes: &Wishes,
    progress: &Progress,
    sink: &dyn Sink,
) -> Site {
    let shared = workspace.notes();
    let notes: Vec<&Note> = shared.iter().map(|note| &**note).collect();
    let garden = garden::assemble(&notes, &workspace.files, workspace.routes());
    let mut problems: Vec<Diagnostic> = workspace.problems().cloned().collect();
    let plan = &wishes.plan;
    problems.extend(data::problems(workspace, plan));
    let drawn = Drawn::default();
    let settler = Settler { store: &workspace.store, plan, progress, drawn: &drawn };
    let settled = notes.iter().enumerate().map(|(index, note)| settler.note(index, note).into());
    let figures: Vec<Arc<[Settled]>> = settled.collect();
    let sources = Sources::new(&notes, &garden, plan, &figures, &workspace.store);
    let quoted: Vec<Quoted> =
        notes.iter().enumerate().map(|(index, note)| quoted(&sources, index, note)).collect();
    for (index, note) in notes.iter().enumerate() {
        let checked = guard::run("checking the note", &note.path, || {
            let blocks = settler.problems(index, note, &figures[index]);
            let embeds = garden.embed_problems(index, &notes);
            let cited = page::citation_problems(note, workspace.library.works.as_ref());
            let others = [
                &garden.problems[index],
                &embeds,
                &cited,
                &page::remote_problems(note, &workspace.config),
                plan.unit_problems(index),
                &quoted[index].problems,
            ];
            problems_of(note, others, blocks)
        });
        let failed = |panicked| vec![Diagnostic::of_panic(&*note.file, &panicked)];
        problems.extend(checked.unwrap_or_else(failed));
    }
    let mut files = BTreeMap::new();
    // Of the garden, once it is known what else the site has at their places.
    let mut attached = BTreeMap::new();
    let mut linked = BTreeMap::new();
    for path in garden.files() {
        let from = workspace.root.join(workspace.layout.file(path));
        match smaller::linked(&from, &mut workspace.digests) {
            Ok(found) => {
                let copied = Content::Copy { from, digest: found.digest };
                attached.insert(garden.routes.file(path), copied);
                linked.insert(path.to_owned(), found);
            }
            Err(error) => problems.push(
                Diagnostic::of_file(
                    workspace.layout.file(path),
                    format!("the file cannot be read ({error})"),
                )
                .hint(file::read_hint(&error).map(str::to_owned)),
            ),
        }
    }
    let sizes = linked.iter().filter_map(|(path, linked)| Some((path.clone(), linked.size?)));
    let sizes = sizes.collect();
    let mut variants = BTreeMap::new();
    let mut thumbnails = BTreeMap::new();
    if sink.offers_copies() {
        let cache = workspace.cache("pictures");
        let leads = figures.iter().flat_map(|settled| &**settled).flat_map(Settled::drawings);
        let leads = leads.filter_map(|drawing| Some(&drawing.first_picture()?.image));
        let leads: Vec<&Image> = leads.collect();
        let make =
            |leads: Vec<&Image>| Smaller::make(&linked, leads, &cache, &workspace.store, sink);
        let mut made = make(Vec::clone(&leads));
        if made.drop_damaged(&mut workspace.digests) {
            made = make(leads);
            // What cannot be made right is left out.
            made.drop_damaged(&mut workspace.digests);
        }
        for copy in made.all() {
            if let Ok(digest) = workspace.digests.digest(&copy.from) {
                let copied = Content::Copy { from: copy.from.clone(), digest };
                files.insert(copy.path.clone(), copied);
            }
        }
        for (path, fault) in &made.faults {
            problems.push(smaller::fault(workspace.layout.file(path), fault));
        }
        (variants, thumbnails) = (made.variants(), made.shown());
    }
    for drawing in figures.iter().flat_map(|settled| &**settled).flat_map(Settled::drawings) {
        for image in drawing.images() {
            let from = workspace.store.blob_path(&image.digest);
            files.insert(image.file(), Content::Copy { from, digest: image.digest });
        }
    }
    for (note, settled) in notes.iter().zip(&figures) {
        for settled in &**settled {
            match data_files(note, settled, &workspace.store) {
                Ok(data) => files.extend(
                    data.into_iter().map(|(path, text)| (path, Content::Bytes(text.into()))),
                ),
                Err(problem) => problems.push(problem),
            }
        }
    }
    let (assets, contents) = publish::assets(&workspace.renderer);
    files.extend(contents.into_iter().map(|(path, text)| (path, Content::Bytes(text.into()))));
    let scene = Scene {
        config: &workspace.config,
        notes: &notes,
        garden: &garden,
        plan: &wishes.plan,
        figures: &figures,
        quoted: &quoted,
        sizes: &sizes,
        variants: &variants,
        thumbnails: &thumbnails,
        git: &workspace.git,
        assets: &assets,
        works: workspace.library.works.as_ref(),
        footer: page::footer(&workspace.config),
        templates: workspace.renderer.digest(),
        preview: progress.preview,
        shared: page::Shared::default(),
    };
    let clashes = clash::of(&scene, &workspace.layout);
    problems.extend(clashes.problems);
    attached.retain(|path, _| !clashes.lost.contains(path));
    files.append(&mut attached);
    let copied: Vec<(String, Content)> = files.into_iter().collect();
    let written = copied.into_par_iter().filter_map(|(path, content)| {
        let taken =
            guard::run("writing the file of the site", &path, || sink.take(path.clone(), content));
        taken.err().map(|panicked| Diagnostic::of_panic(&*path, &panicked))
    });
    let written: Vec<Diagnostic> = written.collect();
    problems.extend(written);
    for problem in publish::all(&scene, &workspace.renderer, &workspace.store, sink) {
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }
    let pages = notes.iter().zip(&garden.pages).map(|(n, p)| (n.path.clone(), p.clone())).collect();
    Site { problems, pages }
}

/// What a note's values show.
fn quoted(sources: &Sources<'_>, index: usize, note: &Note) -> Quoted {
    let quoted =
        guard::run("filling in the values of the note", &note.path, || sources.quoted(index));
    quoted.unwrap_or_else(|panicked| Quoted {
        problems: vec![Diagnostic::of_panic(&*note.file, &panicked)],
        ..Quoted::default()
    })
}

/// The files with the numbers of a note's figure.
///
/// # Errors
/// Where writing them panics.
fn data_files(
    note: &Note,
    settled: &Settled,
    store: &Store,
) -> Result<Vec<(String, String)>, Diagnostic> {
    let files = guard::run("writing the data of a figure", &note.path, || {
        page::data_files(settled, store).into_iter().collect()
    });
    files.map_err(|panicked| Diagnostic::of_panic(&*note.file, &panicked))
}

/// Everything that is wrong with a note, in the order of its text.
fn problems_of(
    note: &Note,
    others: [&[Diagnostic]; 6],
    blocks: Vec<Diagnostic>,
) -> Vec<Diagnostic> {
    let own = note.problems.iter().chain(others.into_iter().flatten()).cloned();
    let mut own: Vec<Diagnostic> = own.chain(blocks).collect();
    own.sort_by_key(|problem| (problem.line, problem.column));
    own
}

#[cfg(test)]
mod tests;
