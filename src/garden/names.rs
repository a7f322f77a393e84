//! Every name by which a link may call a note or a file: all notes and files in, what a name means out.

use std::collections::{BTreeSet, HashMap};
use std::sync::OnceLock;

use super::near::Near;
use crate::note::Note;

/// Every name that a link may use; those of notes in lower case.
#[derive(Debug, Default)]
pub struct Names {
    notes: HashMap<String, Vec<usize>>,
    /// By file names with spaces for `-` and `_`, where nothing else has that name.
    spaced: HashMap<String, Vec<usize>>,
    /// By path, with its ending and without.
    paths: HashMap<String, usize>,
    /// Each note's path without its ending, in lower case.
    folded_paths: Vec<String>,
    /// By the path of the page, with its ending and without.
    pages: HashMap<String, usize>,
    files: BTreeSet<String>,
    /// Files by their own names, in lower case.
    bare_files: HashMap<String, Vec<String>>,
    /// What notes go by, for hints; made when the first is asked for.
    near: OnceLock<Near>,
    /// Titles and file names, then paths of notes, of which that is made.
    known: Vec<String>,
}

impl Names {
    /// The names of notes.
    pub fn of(notes: &[&Note]) -> Self {
        let mut names = Self {
            notes: HashMap::with_capacity(3 * notes.len()),
            paths: HashMap::with_capacity(2 * notes.len()),
            ..Self::default()
        };
        for (index, note) in notes.iter().enumerate() {
            let path = note.path.strip_suffix(".md").unwrap_or(&note.path);
            let path = path.strip_suffix(".markdown").unwrap_or(path);
            names.paths.entry(path.to_owned()).or_insert(index);
            names.paths.insert(note.path.clone(), index);
            names.folded_paths.push(fold(path));
            let spaced = fold(&note.stem().replace(['-', '_'], " "));
            names.spaced.entry(spaced).or_default().push(index);
            let own = [note.title.as_str(), note.stem(), path, &note.path];
            for name in own.into_iter().chain(note.front.aliases.iter().map(String::as_str)) {
                let known = names.notes.entry(fold(name)).or_default();
                if known.last() != Some(&index) {
                    known.push(index);
                }
            }
            names.known.push(note.title.clone());
            if fold(note.stem()) != fold(&note.title) {
                names.known.push(note.stem().to_owned());
            }
        }
        names
    }

    /// The same, and the other files in the notes folder, and each note's page.
    pub(super) fn with(mut self, files: &BTreeSet<String>, pages: &[String]) -> Self {
        self.files.clone_from(files);
        for file in files {
            let name = file.rsplit('/').next().unwrap_or(file).to_lowercase();
            self.bare_files.entry(name).or_default().push(file.clone());
        }
        for (index, page) in pages.iter().enumerate() {
            self.pages.insert(page.clone(), index);
            let bare = page.strip_suffix("index.html").or(page.strip_suffix(".html"));
            let bare = bare.unwrap_or(page).trim_end_matches('/');
            self.pages.entry(bare.to_owned()).or_insert(index);
        }
        self
    }

    /// The notes, by their index, that a name may mean. A title, file name, alias or whole path comes before the end of
    /// a path.
    pub fn find(&self, name: &str) -> Vec<usize> {
        let folded = fold(name);
        let spaced = || self.spaced.get(&fold(&folded.replace(['-', '_'], " ")));
        if let Some(found) = self.notes.get(&folded).or_else(spaced) {
            return found.clone();
        }
        let Some((_, last)) = folded.rsplit_once('/') else { return Vec::new() };
        let end = format!("/{}", folded.strip_suffix(".md").unwrap_or(&folded));
        let candidates = self.notes.get(last.strip_suffix(".md").unwrap_or(last));
        let mut found: Vec<usize> = candidates.into_iter().flatten().copied().collect();
        found.retain(|index| self.folded_paths[*index].ends_with(&end));
        found
    }

    /// The note at a path of the notes folder, with or without `.md`.
    pub(super) fn at_path(&self, path: &str) -> Option<usize> {
        self.paths.get(path).copied()
    }

    /// The note whose page has this address, with or without `.html`.
    pub(super) fn at_page(&self, path: &str) -> Option<usize> {
        self.pages.get(path.trim_end_matches('/')).copied()
    }

    /// Whether there is such a file in the notes folder.
    pub(super) fn has_file(&self, path: &str) -> bool {
        self.files.contains(path)
    }

    /// The files whose path ends so, in whatever folder: those that lie highest, as in a vault.
    pub(super) fn files_called(&self, name: &str) -> Vec<String> {
        let folded = name.to_lowercase();
        let bare = folded.rsplit('/').next().unwrap_or(&folded);
        let end = format!("/{folded}");
        let depth = |path: &String| path.matches('/').count();
        let all = self.bare_files.get(bare).into_iter().flatten();
        let found: Vec<&String> =
            all.filter(|path| format!("/{}", path.to_lowercase()).ends_with(&end)).collect();
        let highest = found.iter().map(|path| depth(path)).min();
        found.into_iter().filter(|path| Some(depth(path)) == highest).cloned().collect()
    }

    /// Titles and file names of notes that are near to one that is not known.
    pub(super) fn near(&self, name: &str, most: usize) -> Vec<String> {
        let near = self.near.get_or_init(|| {
            let paths = self.paths.keys().filter(|path| path.ends_with(".md"));
            let mut all: Vec<&str> = paths.chain(&self.files).map(String::as_str).collect();
            all.sort_unstable();
            Near::of(self.known.iter().map(String::as_str), all)
        });
        near.names(name, most)
    }

    /// Paths of notes and files that are near to one that is not known.
    pub(super) fn near_path(&self, path: &str) -> Option<String> {
        self.near("", 0);
        self.near.get()?.paths(path, 1).pop()
    }
}

/// Names are the same whatever their case and however many spaces they have.
pub(super) fn fold(name: &str) -> String {
    if name.is_ascii() && !name.contains("  ") && name.trim().len() == name.len() {
        return name.to_ascii_lowercase();
    }
    name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}
