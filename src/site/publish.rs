//! Publishing a site: every page and file of it goes to a sink, on all cores.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::sink::{Content, Sink};
use super::{Site, clash, pages, quiz};
use crate::diagnostic::Diagnostic;
use crate::figure::Image;
use crate::guard;
use crate::note::Note;
use crate::page::{self, Settled};
use crate::picture::smaller::{self, Linked, Smaller};

impl Site {
    /// Makes every page and file of the site except those that are current in the sink. Returns all problems: of the
    /// configuration and data, of notes (in their order and that of their text), of files and of templates.
    pub fn publish(&mut self, sink: &dyn Sink) -> Vec<Diagnostic> {
        self.settle_all();
        let mut problems = self.problems_before();
        problems.extend(self.problems_of_notes());
        problems.extend(self.problems_of_files());
        let smaller = match sink.offers_copies() {
            true => self.smaller(sink),
            false => Smaller::NONE,
        };
        let mut files = BTreeMap::new();
        for copy in smaller.all() {
            if let Ok(digest) = self.workspace.digests.digest(&copy.from) {
                let from = copy.from.clone();
                files.insert(copy.path.clone(), Content::Copy { from, digest });
            }
        }
        let faults = smaller.faults.iter();
        problems.extend(
            faults.map(|(path, fault)| smaller::fault(self.workspace.layout.file(path), fault)),
        );
        self.add_results(&mut files, &mut problems);
        let assets = self.asset_texts.iter();
        files.extend(
            assets.map(|(path, text)| (path.clone(), Content::Bytes(text.clone().into_bytes()))),
        );
        let notes: Vec<&Note> = self.notes.iter().map(|note| &**note).collect();
        let scene = self.scene(&notes, &smaller);
        let clashes = clash::of(&scene, &self.workspace.layout);
        problems.extend(clashes.problems);
        for (path, linked) in self.linked() {
            let path = self.garden.routes.file(path);
            if !clashes.lost.contains(&path) {
                let (from, digest) = (linked.from.clone(), linked.digest);
                files.insert(path, Content::Copy { from, digest });
            }
        }
        let files: Vec<(String, Content)> = files.into_iter().collect();
        let taken = files.into_par_iter().filter_map(|(path, content)| {
            let take = || sink.take(path.clone(), content);
            let taken = guard::run("writing the file of the site", &path, take);
            taken.err().map(|panicked| Diagnostic::of_panic(&*path, &panicked))
        });
        let taken: Vec<Diagnostic> = taken.collect();
        problems.extend(taken);
        let workspace = &self.workspace;
        for problem in pages::publish(&scene, &workspace.renderer, &workspace.store, sink) {
            if !problems.contains(&problem) {
                problems.push(problem);
            }
        }
        problems
    }

    /// The readable files that notes link to, each once, by path.
    fn linked(&self) -> BTreeMap<&str, &Linked> {
        let pointed: BTreeSet<&str> = self.garden.files().collect();
        let found = |path| Some((path, self.files.get(path)?.as_ref().ok()?));
        pointed.into_iter().filter_map(found).collect()
    }

    /// Makes the smaller copies of all pictures.
    fn smaller(&mut self, sink: &dyn Sink) -> Smaller {
        let cache = self.workspace.cache("pictures");
        let make = |site: &Self| {
            let drawings = site.settled.iter().flat_map(|settled| &**settled);
            let drawings = drawings.flat_map(Settled::drawings);
            let leads = drawings.filter_map(|drawing| Some(&drawing.first_picture()?.image));
            let leads: Vec<&Image> = leads.collect();
            let progress = |done, all| sink.copied(done, all);
            Smaller::make(&site.linked(), leads, &cache, &site.workspace.store, &progress)
        };
        let mut made = make(self);
        if made.drop_damaged(&mut self.workspace.digests) {
            made = make(self);
            // Copies that are damaged again are left out.
            made.drop_damaged(&mut self.workspace.digests);
        }
        made
    }

    /// Adds the files of all results: pictures, and the numbers behind figures.
    fn add_results(&self, files: &mut BTreeMap<String, Content>, problems: &mut Vec<Diagnostic>) {
        let store = &self.workspace.store;
        for ((note, settled), controls) in self.notes.iter().zip(&self.settled).zip(&self.controls)
        {
            let all = || settled.iter().chain(controls.iter().flatten());
            for drawing in all().flat_map(Settled::drawings) {
                for image in drawing.images() {
                    let from = store.blob_path(&image.digest);
                    files.insert(image.file(), Content::Copy { from, digest: image.digest });
                }
                for link in drawing.sheets() {
                    let page = store.blob(&link.digest).and_then(|blob| quiz::linked(&blob));
                    files.extend(page.map(|page| (link.path.clone(), Content::Bytes(page.into()))));
                }
            }
            for settled in all() {
                let data = guard::run("writing the data of a figure", &note.path, || {
                    page::data_files(settled, store)
                });
                match data {
                    Ok(data) => files.extend(
                        data.into_iter().map(|(path, text)| (path, Content::Bytes(text.into()))),
                    ),
                    Err(panicked) => problems.push(Diagnostic::of_panic(&*note.file, &panicked)),
                }
            }
        }
    }
}
