//! Notes of a Jekyll garden as Jekyll makes them: the notes that were read and what they include in, the notes that the site
//! has out.
//!
//! Incremental: what one note says of all others may be another where any of them is; so all notes with Liquid are looked
//! at again, once for all changes that come together. A note of which the same comes out stays the same.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;

use walkdir::WalkDir;

use super::{Parsed, Touched, Workspace, relative};
use crate::diagnostic::Diagnostic;
use crate::guard;
use crate::jekyll::{self, Engine, Site};
use crate::layout::{self, Kind};
use crate::note::Note;

/// What is longer is nothing that a note includes.
const LONGEST_INCLUDE: u64 = 1 << 20;

impl Workspace {
    /// Reads what notes of a Jekyll garden may include, and says whether it is another than it was.
    pub(super) fn read_includes(&mut self) -> bool {
        let mut includes = BTreeMap::new();
        if self.layout.kind == Kind::Jekyll {
            let folder = self.root.join(layout::INCLUDES);
            let files = WalkDir::new(&folder).into_iter().filter_map(Result::ok);
            for entry in files.filter(|entry| entry.file_type().is_file()) {
                let short = entry.metadata().is_ok_and(|meta| meta.len() <= LONGEST_INCLUDE);
                if let Some(text) = short.then(|| fs::read_to_string(entry.path()).ok()).flatten() {
                    includes.insert(relative(entry.path(), &folder), text);
                }
            }
        }
        std::mem::replace(&mut self.includes, includes) != self.includes
    }

    /// Sees what Jekyll makes of its notes: what some say of others may be another where any was touched.
    pub(super) fn show(&mut self, included: bool, touched: &mut Touched) {
        if touched.notes.is_empty() && !touched.config && !touched.dates && !included {
            return;
        }
        let is_jekyll = self.layout.kind == Kind::Jekyll;
        let mut made = Vec::new();
        self.liquid_problem = None;
        if is_jekyll && self.notes.values().any(|parsed| parsed.special) {
            let read = || guard::run("reading Liquid", layout::INCLUDES, || self.made());
            let problem = match guard::deep(read) {
                Some(Ok(notes)) => {
                    made = notes;
                    None
                }
                Some(Err(panicked)) => Some(Diagnostic::of_panic(layout::INCLUDES, &panicked)),
                None => {
                    let message = "there is no memory to evaluate the notes' Liquid with";
                    Some(Diagnostic::of_file(layout::INCLUDES, message))
                }
            };
            self.liquid_problem = problem;
        }
        let mut made: BTreeMap<String, Arc<Note>> = made.into_iter().collect();
        for (path, parsed) in &mut self.notes {
            let new = made.remove(path).unwrap_or_else(|| Arc::clone(&parsed.note));
            let old = parsed.published();
            if Arc::ptr_eq(old, &new) || old.source == new.source && old.problems == new.problems {
                continue;
            }
            touched.notes.insert(path.clone());
            parsed.shown = Some(new).filter(|new| !Arc::ptr_eq(new, &parsed.note));
        }
    }

    /// Each note that Jekyll may make another text of, as it makes it.
    fn made(&self) -> Vec<(String, Arc<Note>)> {
        let routes = self.routes();
        let engine = Engine::new(&self.includes, &self.git);
        let special = self.notes.iter().filter(|(_, parsed)| parsed.special);
        let texts = special.clone().map(|(_, parsed)| parsed.note.markdown());
        let texts = texts.chain(self.includes.values().map(String::as_str));
        let words = texts.flat_map(jekyll::words).map(str::to_owned).collect();
        let all = self.notes.values().map(|parsed| &*parsed.note);
        let all: Vec<&Note> = all.filter(|note| !note.front.draft).collect();
        let site = Site::of(&all, words, &self.config, &routes, &self.git);
        let shown = |path: &str, parsed: &Parsed| {
            let made = guard::run("evaluating the Liquid of the note", path, || {
                jekyll::shown(&parsed.note, parsed.published(), &engine, (&site, &routes))
            });
            made.unwrap_or_else(|panicked| {
                let mut note = (*parsed.note).clone();
                note.problems.push(Diagnostic::of_panic(&*note.file, &panicked));
                Arc::new(note)
            })
        };
        special.map(|(path, parsed)| (path.clone(), shown(path, parsed))).collect()
    }
}
