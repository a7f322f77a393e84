//! Paths in, whether the garden reads what lies there out: editors' own files, the program's state, and what is
//! hidden are noise. It looks at names only, never at the disk.

use std::collections::BTreeSet;

use super::change::within;
use crate::config;
use crate::workspace::{NOTES, TEMPLATES};

/// The folder that `neuronotes build` writes, relative to the garden.
const OUTPUT: &str = "output";

/// Which part of a garden is watched.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// Folders with pictures that blocks name, beside those that are always watched.
    pub pictures: BTreeSet<String>,
}

impl Scope {
    /// The folders that are watched without what lies below them: the garden itself, folders of pictures that are
    /// not watched otherwise, and the folders above these, which tell when one of them comes, goes or is replaced.
    pub fn flat(&self) -> BTreeSet<String> {
        let mut flat = BTreeSet::from([String::new()]);
        for folder in self.pictures.iter().filter(|folder| !in_trees(folder)) {
            let ends = folder.match_indices('/').map(|(at, _)| at).chain([folder.len()]);
            flat.extend(ends.map(|end| folder[..end].to_owned()).filter(|name| !in_trees(name)));
        }
        flat
    }

    /// Whether the garden may read what lies at a path; for a folder, anything in it.
    pub fn covers(&self, path: &str, folder: bool) -> bool {
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        if !folder && of_editors(name) {
            return false;
        }
        let above = || self.pictures.iter().any(|pictures| within(pictures, path));
        // Of a picture that a block names, only its folder is known. It may be hidden.
        if self.pictures.contains(parent) && !parent.is_empty() || above() {
            return true;
        }
        if in_trees(path) {
            return true;
        }
        // In the garden's own folder everything else counts, for a configuration may name it.
        parent.is_empty() && !hidden(name) && path != OUTPUT
    }
}

/// Whether a path is part of the notes or the templates, each with all that is below them. Hidden notes are not
/// read; hidden templates are.
pub fn in_trees(path: &str) -> bool {
    within(path, NOTES) && !path.split('/').any(hidden) || within(path, TEMPLATES)
}

/// Whether a file is one of those that must never be seen empty or missing while an editor saves it.
pub fn is_guarded(path: &str) -> bool {
    is_note(path) || path == config::FILE || within(path, TEMPLATES) && path != TEMPLATES
}

/// Whether it is a note by its name.
pub fn is_note(path: &str) -> bool {
    path.ends_with(".md") && path != NOTES && within(path, NOTES) && in_trees(path)
}

/// Whether a name is one of a hidden file.
pub fn hidden(name: &str) -> bool {
    name.starts_with('.')
}

/// Whether a file's name says that an editor keeps it beside the one that it edits: vim's test of whether it may
/// write, its swap files and backups; Emacs' locks, automatic saves and backups; nano's locks and backups.
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
        Scope { pictures: pictures.iter().map(|name| (*name).to_owned()).collect() }
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
    fn what_is_guarded() {
        assert!(is_guarded("notes/a.md") && is_guarded("neuronotes.yaml"));
        assert!(is_guarded("templates/note.html") && !is_guarded("templates"));
        assert!(!is_guarded("a.md") && !is_guarded("notes/a.png") && !is_guarded("notes/.a.md"));
    }
}
