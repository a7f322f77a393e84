//! All names by which links can refer to notes and files, and what a name means in a given note.
//!
//! The rules are Obsidian's: the exact path, or else the candidate nearest to the linking note, its own folder first,
//! or else the shortest path. Titles and aliases are names too, after file names.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::OnceLock;

use unicode_normalization::{IsNormalized, UnicodeNormalization as _, is_nfc_quick};

use super::crowd::{Crowd, MANY, MOST};
use super::near::Near;
use crate::config::layout::without_ending;
use crate::note::Note;

/// All names for links, folded.
#[derive(Debug, Default)]
pub struct Names {
    /// By file name without extension.
    stems: HashMap<String, Vec<usize>>,
    /// By title and alias.
    called: HashMap<String, Vec<usize>>,
    /// By file name with spaces for `-` and `_`, unless something else has that name.
    spaced: HashMap<String, Vec<usize>>,
    /// By path, with and without extension.
    paths: HashMap<String, Vec<usize>>,
    /// Each note's path.
    note_paths: Vec<String>,
    /// Each note's path without extension, folded.
    folded_paths: Vec<String>,
    /// By path of the page, with and without extension.
    pages: HashMap<String, usize>,
    /// Files by path.
    files: HashMap<String, Vec<String>>,
    /// Files by file name.
    bare_files: HashMap<String, Vec<String>>,
    /// The index of names with many candidates.
    crowds: Crowds,
    /// Names of notes, for hints; collected on first use.
    near: OnceLock<Near>,
    /// Titles and file names from which that is collected.
    known: Vec<String>,
}

/// Indexes of names with many candidates.
#[derive(Debug, Default)]
struct Crowds {
    /// By file name without extension.
    stems: HashMap<String, Crowd>,
    /// By title and alias.
    called: HashMap<String, Crowd>,
    /// Of the same names, notes that have them only as title or alias.
    beside: HashMap<String, Vec<usize>>,
    /// Files by file name.
    files: HashMap<String, Crowd>,
}

/// The meaning of a name in a note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meant<T> {
    /// The chosen candidate.
    pub best: T,
    /// Other candidates, the nearest first; empty if the name is an exact path.
    pub others: Vec<T>,
    /// Number of further candidates that are not listed.
    pub more: usize,
}

impl<T> Meant<T> {
    fn exactly(best: T) -> Self {
        Self { best, others: Vec::new(), more: 0 }
    }

    /// The same with the candidates mapped to another type.
    pub fn map<'s, U>(&'s self, word: impl Fn(&'s T) -> U) -> Meant<U> {
        Meant {
            best: word(&self.best),
            others: self.others.iter().map(&word).collect(),
            more: self.more,
        }
    }

    /// Chooses the first candidate.
    fn first(all: Vec<T>) -> Option<Self> {
        let mut all = all.into_iter();
        Some(Self { best: all.next()?, others: all.collect(), more: 0 })
    }
}

impl Meant<usize> {
    /// The nearest of many candidates.
    fn among(crowd: &Crowd, name: &str, from: &str) -> Option<Self> {
        let all = crowd.nearest(from, &composed(name));
        let more = crowd.count.saturating_sub(all.len());
        Some(Self { more, ..Self::first(all)? })
    }
}

impl Names {
    /// Collects the names of notes.
    pub fn of(notes: &[&Note]) -> Self {
        let mut names = Self {
            stems: HashMap::with_capacity(notes.len()),
            called: HashMap::with_capacity(notes.len()),
            paths: HashMap::with_capacity(2 * notes.len()),
            ..Self::default()
        };
        for (index, note) in notes.iter().enumerate() {
            let path = fold(without_ending(&note.path));
            add(&mut names.paths, fold(&note.path), index);
            add(&mut names.paths, path.clone(), index);
            names.folded_paths.push(path);
            names.note_paths.push(note.path.clone());
            add(&mut names.stems, fold(note.stem()), index);
            add(&mut names.spaced, spaced(note.stem()), index);
            let called = note.front.aliases.iter().map(String::as_str);
            for name in std::iter::once(note.title.as_str()).chain(called) {
                add(&mut names.called, fold(name), index);
            }
            names.known.push(note.title.clone());
            if fold(note.stem()) != fold(&note.title) {
                names.known.push(note.stem().to_owned());
            }
        }
        names.crowds = names.crowded();
        names
    }

    /// Indexes the notes' names that many have.
    fn crowded(&self) -> Crowds {
        let mut crowds = Crowds::default();
        let many = |(_, all): &(&String, &Vec<usize>)| all.len() > MANY;
        for (name, all) in self.stems.iter().filter(many) {
            let place = |index: &usize| {
                let path = self.note_paths[*index].as_str();
                let stem = without_ending(path).rsplit('/').next().unwrap_or(path);
                (*index, path, composed(stem))
            };
            crowds.stems.insert(name.clone(), Crowd::of(all.iter().map(place)));
        }
        for (name, all) in &self.called {
            if all.len() > MANY {
                // Titles and aliases are not part of paths, so spelling does not matter here.
                let place =
                    |index: &usize| (*index, self.note_paths[*index].as_str(), String::new());
                crowds.called.insert(name.clone(), Crowd::of(all.iter().map(place)));
            }
            if all.len() > MANY || crowds.stems.contains_key(name) {
                let stems: HashSet<&usize> = self.stems.get(name).into_iter().flatten().collect();
                let beside = all.iter().filter(|index| !stems.contains(index));
                crowds.beside.insert(name.clone(), beside.copied().collect());
            }
        }
        crowds
    }

    /// Adds the other files in the notes folder and each note's page.
    pub(super) fn with(mut self, files: &BTreeSet<String>, pages: &[String]) -> Self {
        for file in files {
            let name = file.rsplit('/').next().unwrap_or(file);
            self.bare_files.entry(fold(name)).or_default().push(file.clone());
            self.files.entry(fold(file)).or_default().push(file.clone());
        }
        for (index, page) in pages.iter().enumerate() {
            self.pages.insert(page.clone(), index);
            let bare = page.strip_suffix("index.html").or(page.strip_suffix(".html"));
            let bare = bare.unwrap_or(page).trim_end_matches('/');
            self.pages.entry(bare.to_owned()).or_insert(index);
        }
        for (name, all) in self.bare_files.iter().filter(|(_, all)| all.len() > MANY) {
            let all = all.iter().enumerate();
            let crowd = Crowd::of(all.map(|(index, path)| (index, path.as_str(), String::new())));
            self.crowds.files.insert(name.clone(), crowd);
        }
        self
    }

    /// Like [`Names::note_by_path`], with only as many other candidates as a message names.
    pub(super) fn link_by_path(&self, name: &str, from: &str) -> Option<Meant<usize>> {
        let crowd = self.crowds.stems.get(&fold(without_ending(name)));
        match crowd.filter(|_| !self.may_be_path(name)) {
            Some(crowd) => Meant::among(crowd, name, from),
            None => self.note_by_path(name, from),
        }
    }

    fn may_be_path(&self, name: &str) -> bool {
        name.contains('/') || is_placed(name) || self.paths.contains_key(&fold(name))
    }

    /// Like [`Names::note`], with only as many other candidates as a message names.
    pub(super) fn link(&self, name: &str, from: &str) -> Option<Meant<usize>> {
        let (key, stem) = (fold(name), fold(without_ending(name)));
        let (by_stem, by_call) = (self.crowds.stems.get(&stem), self.crowds.called.get(&key));
        if self.may_be_path(name) || (by_stem.is_none() && by_call.is_none()) {
            return self.note(name, from);
        }
        let Some(mut found) = self.link_by_path(name, from) else {
            return match by_call {
                Some(crowd) => Meant::among(crowd, name, from),
                None => self.note(name, from),
            };
        };
        for other in self.crowds.beside.get(&key).into_iter().flatten() {
            match found.others.len() < MOST - 1 {
                true => found.others.push(*other),
                false => found.more += 1,
            }
        }
        Some(found)
    }

    /// The note that a name means in the note at the path `from`: by path, file name, title or alias.
    pub fn note(&self, name: &str, from: &str) -> Option<Meant<usize>> {
        if let Some(found) = self.note_by_path(name, from) {
            let mut found = found;
            // The name of one file may be the title of another.
            let exact = self.paths.get(&fold(name)).is_some_and(|all| all.contains(&found.best));
            if !exact {
                let known: HashSet<usize> = found.others.iter().copied().collect();
                let called = self.called.get(&fold(name)).into_iter().flatten();
                let new = called.filter(|index| **index != found.best && !known.contains(index));
                found.others.extend(new);
            }
            return Some(found);
        }
        if is_placed(name) {
            return None;
        }
        let folded = fold(name);
        let all = self.called.get(&folded).or_else(|| self.spaced.get(&spaced(&folded)))?;
        Meant::first(self.nearest(all.iter().copied(), name, from))
    }

    /// The same by path or file name only, with or without extension.
    pub(super) fn note_by_path(&self, name: &str, from: &str) -> Option<Meant<usize>> {
        let placed = placed(name, from)?;
        if let Some(all) = self.paths.get(&fold(&placed)) {
            let exact = all.iter().copied().find(|index| self.is_at(*index, &placed));
            return match (exact, is_placed(name)) {
                (Some(index), _) => Some(Meant::exactly(index)),
                (None, _) => Meant::first(all.clone()),
            };
        }
        if is_placed(name) {
            return None;
        }
        let folded = fold(without_ending(name));
        let last = folded.rsplit('/').next().unwrap_or(&folded);
        let end = format!("/{folded}");
        let all = self.stems.get(last).into_iter().flatten().copied();
        let all = all.filter(|index| self.folded_paths[*index].ends_with(&end));
        Meant::first(self.nearest(all, name, from))
    }

    fn is_at(&self, index: usize, path: &str) -> bool {
        let own = composed(&self.note_paths[index]);
        let path = composed(path);
        own == path || without_ending(&own) == path
    }

    /// The notes with one name, the nearest to the note at `from` first.
    fn nearest(&self, all: impl Iterator<Item = usize>, name: &str, from: &str) -> Vec<usize> {
        let mut all: Vec<usize> = all.collect();
        all.sort_by_cached_key(|index| {
            let path = &self.note_paths[*index];
            let stem = without_ending(path).rsplit('/').next().unwrap_or(path);
            (distance(from, path), Reverse(composed(stem) == composed(name)), path.clone())
        });
        all
    }

    /// The note at a path of the notes folder, with or without extension.
    pub(super) fn at_path(&self, path: &str) -> Option<usize> {
        let all = self.paths.get(&fold(path))?;
        all.iter().copied().find(|index| self.is_at(*index, path))
    }

    /// The note whose page has this address, with or without `.html`.
    pub(super) fn at_page(&self, path: &str) -> Option<usize> {
        self.pages.get(&composed(path.trim_end_matches('/'))).copied()
    }

    /// The file at a path of the notes folder, as its folder spells it: Unicode composition is ignored, and case too
    /// if there is no exact match.
    pub fn file_at(&self, path: &str) -> Option<&str> {
        let all = self.files.get(&fold(path))?;
        let exact = all.iter().find(|file| composed(file) == composed(path));
        exact.or(all.first()).map(String::as_str)
    }

    /// The file that a name means in the note at the path `from`.
    pub(super) fn file(&self, name: &str, from: &str) -> Option<Meant<&str>> {
        let exact = placed(name, from).and_then(|path| self.file_at(&path));
        if let Some(file) = exact {
            return Some(Meant::exactly(file));
        }
        if is_placed(name) {
            return None;
        }
        let folded = fold(name);
        let bare = folded.rsplit('/').next().unwrap_or(&folded);
        if let Some(crowd) = self.crowds.files.get(&folded)
            && let Some(all) = self.bare_files.get(&folded)
        {
            return Some(Meant::among(crowd, "", from)?.map(|index| all[*index].as_str()));
        }
        let end = format!("/{folded}");
        let all = self.bare_files.get(bare).into_iter().flatten();
        let mut found: Vec<&str> = all
            .filter(|path| format!("/{}", fold(path)).ends_with(&end))
            .map(String::as_str)
            .collect();
        found.sort_by_cached_key(|path| (distance(from, path), (*path).to_owned()));
        Meant::first(found)
    }

    /// Titles and file names of notes that are similar to an unknown name.
    pub(super) fn near(&self, name: &str, most: usize) -> Vec<String> {
        let near = self.near.get_or_init(|| {
            let paths = self.note_paths.iter().chain(self.files.values().flatten());
            let mut all: Vec<&str> = paths.map(String::as_str).collect();
            all.sort_unstable();
            Near::of(self.known.iter().map(String::as_str), all)
        });
        near.names(name, most)
    }

    /// Paths of notes and files that are similar to an unknown path.
    pub(super) fn near_path(&self, path: &str) -> Option<String> {
        self.near("", 0);
        self.near.get()?.paths(path, 1).pop()
    }
}

fn add(names: &mut HashMap<String, Vec<usize>>, name: String, index: usize) {
    let known = names.entry(name).or_default();
    if known.last() != Some(&index) {
        known.push(index);
    }
}

/// Whether a name is a path from the root or relative to the note.
fn is_placed(name: &str) -> bool {
    name.starts_with('/') || name.split('/').any(|part| matches!(part, "." | ".."))
}

/// A name as a path in the notes folder; `None` if it leaves the folder. Without `/`, `./` or `../` at its start, it
/// is relative to the root.
fn placed(name: &str, from: &str) -> Option<String> {
    let relative = name.split('/').next().is_some_and(|part| matches!(part, "." | ".."));
    let base = if relative { from } else { "" };
    joined(base, name)
}

/// Resolves a path relative to another one; `None` if it leaves the root.
pub(super) fn joined(from: &str, path: &str) -> Option<String> {
    let (base, path) = match path.strip_prefix('/') {
        Some(rest) => ("", rest),
        None => (folder(from), path),
    };
    let mut parts: Vec<&str> = base.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Distance of a path from a note: folders up from the note's own, then folders down.
fn distance(from: &str, path: &str) -> (usize, usize) {
    let parts = |path| -> Vec<&str> { folder(path).split('/').filter(|p| !p.is_empty()).collect() };
    let (from, to) = (parts(from), parts(path));
    let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    (from.len() - shared, to.len() - shared)
}

/// A name in composed Unicode form (NFC), in which file systems and keyboards differ.
pub(super) fn composed(name: &str) -> String {
    match is_nfc_quick(name.chars()) {
        IsNormalized::Yes => name.to_owned(),
        _ => name.nfc().collect(),
    }
}

/// Folds case, spaces and Unicode composition, which names ignore.
pub(super) fn fold(name: &str) -> String {
    if name.is_ascii() && !name.contains("  ") && name.trim().len() == name.len() {
        return name.to_ascii_lowercase();
    }
    let words = name.split_whitespace().collect::<Vec<_>>().join(" ");
    composed(&composed(&words).to_lowercase())
}

/// The same with spaces for `-` and `_`.
fn spaced(name: &str) -> String {
    fold(&name.replace(['-', '_'], " "))
}
