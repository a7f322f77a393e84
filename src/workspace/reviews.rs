//! Reads the files of reviews.

use std::collections::BTreeMap;
use std::io;

use neuronotes_core::file;
use neuronotes_core::suggest;
use walkdir::WalkDir;

use super::reviewed::Read;
use super::{Touched, Workspace, relative};
use crate::config::layout::{within, without_ending};
use crate::diagnostic::{Diagnostic, Severity};
use crate::guard;
use crate::review;

/// Maximum size of a file of reviews in bytes.
const LONGEST: u64 = 4 << 20;

impl Workspace {
    /// Reads the file of reviews at a path of the garden, or all of them.
    pub(super) fn read_reviews(&mut self, path: &str, touched: &mut Touched) {
        let one = review::note_of(path).map(str::to_owned);
        let names = match &one {
            Some(note) => vec![note.clone()],
            None => self.review_files(),
        };
        let mut found = BTreeMap::new();
        for note in names {
            let file = review::name(&note);
            let whole = self.root.join(&file);
            let read = file::read_in(&self.root, &whole, LONGEST).and_then(file::text);
            match read {
                Ok(text) => drop(found.insert(note, read_as(&file, text))),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    let problem =
                        Diagnostic::of_file(file, format!("this cannot be read ({error})"));
                    let problem = problem.hint(file::read_hint(&error).map(str::to_owned));
                    let read =
                        Read { text: String::new(), stamps: [].into(), problems: vec![problem] };
                    found.insert(note, read);
                }
            }
        }
        match one {
            Some(note) if found.get(&note) != self.reviews.files.get(&note) => {
                touched.reviews = true;
                self.reviews.files.remove(&note);
                self.reviews.files.extend(found);
            }
            None if found != self.reviews.files => {
                touched.reviews = true;
                self.reviews.files = found;
            }
            _ => {}
        }
    }

    /// The notes that have a file of reviews. Nothing is followed out of the folder.
    fn review_files(&self) -> Vec<String> {
        let folder = self.root.join(review::FOLDER);
        let walk = WalkDir::new(&folder).sort_by_file_name().into_iter();
        let files = walk.filter_map(Result::ok).filter(|entry| entry.file_type().is_file());
        let note = |entry: walkdir::DirEntry| {
            Some(review::note_of(&relative(entry.path(), &self.root))?.to_owned())
        };
        files.filter_map(note).collect()
    }

    /// Finds files about notes that the garden does not have. Another program's files may be in a folder of that name.
    pub(super) fn match_reviews(&mut self) {
        let lost = self.reviews.files.iter().filter(|(note, read)| {
            let is_there = || {
                let notes = self.notes.range::<String, _>(note.to_string()..);
                let mut near = notes.take_while(|(path, _)| path.starts_with(note.as_str()));
                near.any(|(path, _)| without_ending(path) == note.as_str())
            };
            !read.stamps.is_empty() && !is_there()
        });
        let lost: Vec<Diagnostic> = lost
            .map(|(note, _)| {
                let known = self.notes.keys().map(|path| without_ending(path));
                let near = suggest::nearest(note, known, 1);
                let hint = match near.first() {
                    Some(near) => {
                        format!("if the note was renamed, rename this to {}", review::name(near))
                    }
                    None => "rename it with its note, or remove it".to_owned(),
                };
                let message =
                    format!("it has reviews of a note `{note}`, which the garden does not have");
                let problem = Diagnostic::of_file(review::name(note), message).hint(hint);
                Diagnostic { severity: Severity::Warning, ..problem }
            })
            .collect();
        self.reviews.lost = lost;
    }

    /// Whether a change of a path may change reviews.
    pub(super) fn is_review(path: &str) -> bool {
        within(path, review::FOLDER) || within(review::FOLDER, path)
    }
}

fn read_as(file: &str, text: String) -> Read {
    let read = guard::run("reading the reviews", file, || review::read(file, &text));
    let (stamps, problems) =
        read.unwrap_or_else(|panicked| (Vec::new(), vec![Diagnostic::of_panic(file, &panicked)]));
    Read { text, stamps: stamps.into(), problems }
}
