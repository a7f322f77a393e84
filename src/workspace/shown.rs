//! Notes of a Jekyll garden after Jekyll's processing.
//!
//! Incremental: a note's Liquid may refer to all notes, so after any change all notes with Liquid are evaluated
//! again, once for changes that come together. A note whose result is the same stays unchanged.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use neuronotes_core::file;
use walkdir::WalkDir;

use super::{Parsed, Touched, Workspace, link, relative};
use crate::config::layout::{self, Kind};
use crate::diagnostic::Diagnostic;
use crate::guard;
use crate::jekyll::{self, Engine, Site};
use crate::note::Note;

/// Reads every file of a folder, whose path contains no links.
fn read_includes(
    folder: &Path,
    includes: &mut BTreeMap<String, String>,
    problems: &mut Vec<Diagnostic>,
) {
    for entry in WalkDir::new(folder).sort_by_file_name() {
        let entry = match entry {
            Ok(entry) if entry.file_type().is_dir() => continue,
            Ok(entry) => entry,
            Err(error) => {
                let at = error.path().map_or(String::new(), |path| relative(path, folder));
                let at = format!("{}/{at}", layout::INCLUDES);
                problems.push(link::no_file(at, &error.into()));
                continue;
            }
        };
        let name = relative(entry.path(), folder);
        match file::read_in(folder, entry.path(), LONGEST_INCLUDE).and_then(file::text) {
            Ok(text) => drop(includes.insert(name, text)),
            // Files for other programs, such as a picture, are not text.
            Err(error) if error.kind() == ErrorKind::InvalidData => {}
            Err(error) => {
                problems.push(link::no_file(format!("{}/{name}", layout::INCLUDES), &error));
            }
        }
    }
}

/// Maximum size of an included file.
const LONGEST_INCLUDE: u64 = 1 << 20;

impl Workspace {
    /// Reads the files that notes of a Jekyll garden may include, and returns whether any changed.
    pub(super) fn read_includes(&mut self) -> bool {
        let mut includes = BTreeMap::new();
        let mut problems = Vec::new();
        if self.layout.kind == Kind::Jekyll {
            let folder = self.root.join(layout::INCLUDES);
            match file::within(&self.root, &folder) {
                Ok(folder) => read_includes(&folder, &mut includes, &mut problems),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => problems.push(link::folder(layout::INCLUDES, &error)),
            }
        }
        let others = std::mem::replace(&mut self.unincluded, problems) != self.unincluded;
        std::mem::replace(&mut self.includes, includes) != self.includes || others
    }

    /// Evaluates the notes' Liquid; if any note changed, others' results may change too.
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
                    let message = "there is not enough memory to evaluate the notes' Liquid";
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

    /// Each note that Jekyll may change, with its result.
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
