//! Whether a garden reads a path, judging by its name only: editors' temporary files, the program's state and hidden
//! files are noise.

use std::collections::BTreeSet;

use neuronotes_core::cut::Cut as _;

use super::change::within;
use crate::config::layout::{Layout, OUTPUT, TEMPLATES, decides, is_markdown};

/// The watched part of a garden.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    /// The garden's layout.
    pub layout: Layout,
    /// Further folders with pictures that blocks name.
    pub pictures: BTreeSet<String>,
}

impl Scope {
    /// Folders that are watched without their subfolders: the garden itself, folders of pictures that are not watched
    /// otherwise, and the parents of these and of the notes, which report when one of them appears, disappears or is
    /// replaced.
    pub fn flat(&self) -> BTreeSet<String> {
        let mut flat = BTreeSet::from([String::new()]);
        let notes = [self.layout.notes()].into_iter();
        for folder in self.pictures.iter().map(String::as_str).chain(notes) {
            let ends = folder.match_indices('/').map(|(at, _)| at).chain([folder.len()]);
            let names = ends.map(|end| folder.cut(..end)).filter(|name| !self.in_trees(name));
            flat.extend(names.map(str::to_owned));
        }
        flat
    }

    /// Whether a path is watched together with everything below it: notes, files beside them, and templates. Hidden
    /// notes are not read; hidden templates are.
    pub fn in_trees(&self, path: &str) -> bool {
        self.layout.in_trees(path)
    }

    /// Whether the garden may read a path or, for a folder, anything in it.
    pub fn covers(&self, path: &str, folder: bool) -> bool {
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        if !folder && of_editors(name) {
            return false;
        }
        let notes = self.layout.notes();
        let above = || {
            let pictures = self.pictures.iter().any(|pictures| within(pictures, path));
            pictures || folder && within(notes, path)
        };
        // Of a picture that a block names, only its folder is known. It may be hidden.
        if self.pictures.contains(parent) && !parent.is_empty() || above() {
            return true;
        }
        if self.in_trees(path) {
            return true;
        }
        // In the garden's own folder everything else counts, since the configuration may name it.
        let noise = || path == OUTPUT || self.layout.is_left_out(path);
        parent.is_empty() && !hidden(name) && (decides(path) || !noise())
    }
}

/// Whether a file must never be seen empty or missing while an editor saves it.
pub fn is_guarded(path: &str) -> bool {
    is_note(path) || decides(path) || within(path, TEMPLATES) && path != TEMPLATES
}

/// Whether it is a note by its name, wherever the garden's notes are.
pub fn is_note(path: &str) -> bool {
    is_markdown(path) && !path.split('/').any(hidden)
}

/// Whether a name is that of a hidden file.
pub fn hidden(name: &str) -> bool {
    name.starts_with('.')
}

/// Whether a file's name is that of an editor's temporary file: vim's write test, swap files and backups; Emacs'
/// locks, auto-save files and backups; nano's locks and backups.
pub fn of_editors(name: &str) -> bool {
    let swap = || {
        let end = name.rsplit_once('.').map(|(_, end)| end).unwrap_or_default();
        hidden(name) && (end == "swp" || end == "swo" || end == "swx" || end == "swpx")
    };
    name == "4913"
        || name.ends_with('~')
        || name.starts_with(".#")
        || (name.starts_with('#') && name.ends_with('#'))
        || swap()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(pictures: &[&str]) -> Scope {
        let pictures = pictures.iter().map(|name| (*name).to_owned()).collect();
        Scope { pictures, ..Scope::default() }
    }

    #[test]
    fn what_the_garden_reads_is_covered_and_noise_is_not() {
        let scope = with(&[]);
        for path in [
            "notes/a.md",
            "notes/deep/b.png",
            "notes/output/a.md",
            "neuronotes.yaml",
            "references.bib",
            "templates/.hidden.html",
            "templates/partials/a.html",
        ] {
            assert!(scope.covers(path, false), "{path}");
        }
        for path in [
            "notes/a.md~",
            "notes/4913",
            "notes/.#a.md",
            "notes/#a.md#",
            "notes/.a.md.swp",
            "notes/.a.md.x7Yd2k",
            "notes/.obsidian/workspace.json",
            "templates/#base.html#",
            "output",
            ".git",
            ".neuronotes",
            "data/huge.tar",
        ] {
            assert!(!scope.covers(path, false), "{path}");
        }
        assert!(scope.covers("notes", true) && scope.covers("", true) && scope.covers("art", true));
        assert!(!scope.covers(".git", true) && !scope.covers("data/deep", true));
    }

    #[test]
    fn folders_of_pictures_are_covered_even_where_they_are_hidden() {
        let scope = with(&["art/deep", "notes/.hidden", ".own"]);
        for path in ["art/deep/a.png", "art/deep/.a.png", "notes/.hidden/a.png", ".own/a.png"] {
            assert!(scope.covers(path, false), "{path}");
        }
        assert!(scope.covers("art", true) && scope.covers("art/deep", true));
        assert!(!scope.covers("art/a.png", false) && !scope.covers("art/other", true));
        let flat: Vec<String> = scope.flat().into_iter().collect();
        assert_eq!(flat, ["", ".own", "art", "art/deep", "notes/.hidden"]);
    }

    #[test]
    fn a_garden_that_is_its_own_notes_folder_is_watched_but_for_what_others_write() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        std::fs::create_dir(dir.path().join(".obsidian")).expect("a folder");
        let layout = Layout::of(dir.path(), &crate::config::Config::default()).expect("a vault");
        let scope = Scope { layout, ..Scope::default() };
        for path in ["a.md", "deep/b.png", "templates/note.html", "neuronotes.yaml", "notes"] {
            assert!(scope.covers(path, false), "{path}");
        }
        for path in ["output/a.html", "output", ".trash/a.md", ".obsidian/app.json", "deep/a.md~"] {
            assert!(!scope.covers(path, false), "{path}");
        }
        assert!(scope.in_trees("") && scope.in_trees("deep") && !scope.in_trees("node_modules"));
    }

    #[test]
    fn what_is_guarded() {
        assert!(is_guarded("notes/a.md") && is_guarded("neuronotes.yaml"));
        assert!(is_guarded("templates/note.html") && !is_guarded("templates"));
        assert!(!is_guarded("a.txt") && !is_guarded("notes/a.png") && !is_guarded("notes/.a.md"));
    }
}
