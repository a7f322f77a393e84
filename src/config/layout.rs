//! The layout of a garden. Input: a folder and its configuration. Output: the kind of garden, and which of its paths
//! are notes, other files, or never read.
//!
//! There are three kinds of gardens; in addition, any folder of Markdown can be named explicitly. Only [`Layout::of`]
//! and [`looks_like`] read the disk; everything else follows from names. Paths are relative to the garden, with `/`,
//! unless stated otherwise; the empty path is the garden.

use std::collections::BTreeSet;
use std::path::{Component, Path};

use neuronotes_core::cut::Cut as _;
use neuronotes_core::file;

use super::garden::{Config, FILE};
use crate::review;

/// Notes folder of a plain garden.
const NOTES: &str = "notes";
/// Folder of the garden's own templates.
pub const TEMPLATES: &str = "templates";
/// Default output folder of `neuronotes build`.
pub const OUTPUT: &str = "output";
/// The program's own folder.
pub const STATE: &str = ".neuronotes";
/// Jekyll's configuration.
pub const JEKYLL: &str = "_config.yml";
/// Folder of a Jekyll site's includes.
pub const INCLUDES: &str = "_includes";
/// Notes folder of the digital-garden template for Jekyll.
pub const COLLECTION: &str = "_notes";
/// Its folder of pages.
pub const PAGES: &str = "_pages";
/// Obsidian's own folder.
const OBSIDIAN: &str = ".obsidian";
/// Settings files of Obsidian and of a plugin that name the folder of note templates, with their keys.
const OBSIDIAN_TEMPLATES: [(&str, &str); 2] =
    [("templates.json", "folder"), ("plugins/templater-obsidian/data.json", "templates_folder")];
/// Maximum size of such a file in bytes.
const LONGEST: u64 = 1 << 20;
/// Folders of other programs' files, and the one of frozen results.
const FOREIGN: [&str; 5] = [OUTPUT, TEMPLATES, "frozen", "node_modules", "vendor"];

/// How to recognise each kind of garden, for messages.
pub const LOOKS: &str = "a garden has a `neuronotes.yaml` or a folder `notes` of Markdown; a Jekyll garden has \
                         `_config.yml` and `_notes`; an Obsidian vault has `.obsidian`; any other folder of Markdown can be given with `--root`";

/// Kinds of gardens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Kind {
    /// One folder of notes.
    #[default]
    Plain,
    /// A site of the digital-garden template for Jekyll, or of that shape.
    Jekyll,
    /// An Obsidian vault.
    Vault,
    /// A plain folder of Markdown.
    Folder,
}

/// The layout of a garden.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Its kind.
    pub kind: Kind,
    /// The notes folder; empty if it is the garden itself.
    notes: String,
    /// Files and folders that are never read as notes or other files.
    left_out: BTreeSet<String>,
}

impl Default for Layout {
    /// A plain garden with its notes in `notes`.
    fn default() -> Self {
        Self { kind: Kind::Plain, notes: NOTES.to_owned(), left_out: BTreeSet::new() }
    }
}

impl Layout {
    /// The layout of the garden in `root`: with the notes folder of its configuration, or else with a folder `notes`,
    /// or else as a Jekyll site, or else as a vault; `None` if it is none of these.
    pub fn of(root: &Path, config: &Config) -> Option<Self> {
        let looks = looks_like(root);
        let layout = match (config.notes.as_deref(), looks) {
            (Some(""), looks) => Self::whole(root, looks.unwrap_or_default(), config),
            (Some(folder), _) => Self::below(folder),
            (None, _) if root.join(NOTES).is_dir() => Self::default(),
            (None, Some(kind @ (Kind::Jekyll | Kind::Vault))) => Self::whole(root, kind, config),
            // Notes beside the configuration.
            (None, _) if has_markdown(root, config) => Self::whole(root, Kind::Folder, config),
            (None, _) if root.join(FILE).is_file() => Self::default(),
            (None, _) => return None,
        };
        Some(layout)
    }

    /// The layout of a garden with its notes in one folder.
    fn below(folder: &str) -> Self {
        Self { notes: folder.to_owned(), ..Self::default() }
    }

    /// A garden that is its own notes folder.
    fn whole(root: &Path, kind: Kind, config: &Config) -> Self {
        let mut left_out: BTreeSet<String> = FOREIGN.map(str::to_owned).into();
        if kind == Kind::Vault {
            left_out.extend(obsidian_templates(root));
        }
        // A data set may have more files than a garden has notes.
        let written = config.datasets.values().flat_map(|source| &source.paths);
        // Of a pattern, the folder at its beginning.
        let place = |path: &String| match path.find(['*', '?', '[', '{']) {
            Some(end) => inside(path.cut(..end).rsplit_once('/')?.0),
            None => inside(path),
        };
        left_out.extend(written.filter_map(place).filter(|path| !path.is_empty()));
        Self { kind, notes: String::new(), left_out }
    }

    /// The notes folder; empty if it is the garden itself.
    pub fn notes(&self) -> &str {
        &self.notes
    }

    /// Converts a path relative to the notes folder to one relative to the garden.
    pub fn file(&self, path: &str) -> String {
        match (self.notes.as_str(), path) {
            ("", path) => path.to_owned(),
            (notes, "") => notes.to_owned(),
            (notes, path) => format!("{notes}/{path}"),
        }
    }

    /// A path relative to the notes folder; `None` if it is outside.
    pub fn path<'a>(&self, file: &'a str) -> Option<&'a str> {
        if self.notes.is_empty() {
            return Some(file);
        }
        let rest = file.strip_prefix(&self.notes)?;
        if rest.is_empty() { Some(rest) } else { rest.strip_prefix('/') }
    }

    /// Excludes this folder, given relative to the garden, from notes and files.
    pub fn leave_out(&mut self, folder: &str) {
        self.left_out.insert(folder.to_owned());
    }

    /// Whether the garden may have templates of its own; in a vault, a folder of that name may be Obsidian's.
    pub fn has_theme(&self, root: &Path) -> bool {
        let theirs = match self.kind {
            Kind::Vault => obsidian_templates(root).any(|f| f == TEMPLATES),
            // Such a folder may belong to another program, unless a configuration marks this folder as a garden.
            Kind::Folder => !root.join(FILE).is_file(),
            Kind::Plain | Kind::Jekyll => false,
        };
        root.join(TEMPLATES).is_dir() && !theirs
    }

    /// Whether a path may be read as a note or file, or a folder with these.
    pub fn reads(&self, file: &str) -> bool {
        let Some(path) = self.path(file) else { return false };
        !self.is_left_out(file)
            && path.split('/').enumerate().all(|(depth, part)| self.shows(part, depth))
    }

    /// Folders with notes that are not read because of their names.
    pub fn unread_notes(&self, root: &Path) -> Vec<&'static str> {
        // Maximum number of files that are examined.
        const LOOKED_AT: usize = 500;
        // Jekyll reads none of these either.
        if !self.notes.is_empty() || self.kind == Kind::Jekyll {
            return Vec::new();
        }
        let theirs: BTreeSet<String> = obsidian_templates(root).collect();
        let has_notes = |name: &&str| {
            let files = walkdir::WalkDir::new(root.join(name)).into_iter().take(LOOKED_AT);
            let mut files = files.filter_map(Result::ok).filter(|e| e.file_type().is_file());
            files.any(|entry| is_markdown(&entry.file_name().to_string_lossy()))
        };
        let named = [TEMPLATES, "frozen", "vendor"].into_iter();
        named.filter(|name| !theirs.contains(*name)).filter(has_notes).collect()
    }

    /// Whether a path is excluded.
    pub fn is_left_out(&self, file: &str) -> bool {
        let ends = file.match_indices('/').map(|(at, _)| at).chain([file.len()]);
        !self.left_out.is_empty()
            && ends.into_iter().any(|end| self.left_out.contains(file.cut(..end)))
    }

    /// Whether it is a note by its name.
    pub fn is_note(&self, file: &str) -> bool {
        let sources = || [COLLECTION, PAGES].iter().any(|folder| within(file, folder));
        self.reads(file)
            && match self.kind {
                Kind::Jekyll => is_markdown(file) && sources(),
                Kind::Plain | Kind::Vault | Kind::Folder => is_markdown(file),
            }
    }

    /// Folders whose files may all be read, including subfolders.
    pub fn trees(&self) -> Vec<&str> {
        let includes = (self.kind == Kind::Jekyll).then_some(INCLUDES);
        [self.notes.as_str(), TEMPLATES, review::FOLDER].into_iter().chain(includes).collect()
    }

    /// Whether a path is in one of these.
    pub fn in_trees(&self, file: &str) -> bool {
        let included = self.kind == Kind::Jekyll && within(file, INCLUDES);
        self.reads(file) || within(file, TEMPLATES) || within(file, review::FOLDER) || included
    }

    /// Whether a component of a path, at this depth below the notes folder, may be read.
    fn shows(&self, part: &str, depth: usize) -> bool {
        match self.kind {
            Kind::Jekyll if depth == 0 && matches!(part, COLLECTION | PAGES) => true,
            // Jekyll reads no file or folder that begins so.
            Kind::Jekyll => !part.starts_with(['.', '_', '#', '~']) && part != "node_modules",
            Kind::Vault | Kind::Folder => !part.starts_with('.') && part != "node_modules",
            Kind::Plain => !part.starts_with('.'),
        }
    }
}

/// The kind of garden that a folder looks like, ignoring its configuration; `None` if it is not a garden.
pub fn looks_like(root: &Path) -> Option<Kind> {
    let is_jekyll = root.join(JEKYLL).is_file() && root.join(COLLECTION).is_dir();
    let is_vault = || root.join(OBSIDIAN).is_dir();
    let is_plain = || root.join(FILE).is_file() || root.join(NOTES).is_dir();
    match () {
        () if is_jekyll => Some(Kind::Jekyll),
        () if is_vault() => Some(Kind::Vault),
        () if is_plain() => Some(Kind::Plain),
        () => None,
    }
}

/// Whether a folder can be built if it is named explicitly: it is a garden, or contains Markdown.
pub fn can_be_built(root: &Path) -> bool {
    looks_like(root).is_some() || has_markdown(root, &Config::default())
}

/// Whether a folder without a folder `notes` contains Markdown.
fn has_markdown(root: &Path, config: &Config) -> bool {
    let layout = Layout::whole(root, Kind::Folder, config);
    let name = |entry: &walkdir::DirEntry| {
        let path = entry.path().strip_prefix(root).unwrap_or(entry.path());
        path.to_string_lossy().replace('\\', "/")
    };
    let walk = walkdir::WalkDir::new(root).sort_by_file_name().into_iter();
    let mut visible = walk.filter_entry(|entry| entry.depth() == 0 || layout.reads(&name(entry)));
    visible.any(|entry| {
        entry.is_ok_and(|entry| entry.file_type().is_file() && layout.is_note(&name(&entry)))
    })
}

/// Whether a change of this path may change a garden's layout.
pub fn decides(path: &str) -> bool {
    matches!(path, FILE | JEKYLL | NOTES | COLLECTION)
}

/// Whether `path` is `folder` or below it. The empty path is the garden itself.
pub fn within(path: &str, folder: &str) -> bool {
    let rest = path.strip_prefix(folder);
    folder.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// File extensions of notes, ignoring case.
const ENDINGS: [&str; 2] = [".md", ".markdown"];

/// Whether a file name is that of a Markdown file.
pub fn is_markdown(file: &str) -> bool {
    without_ending(file).len() < file.len()
}

/// Whether a file name is that of a note in other programs only.
pub fn seems_note(file: &str) -> bool {
    let ending = file.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    let others = ["mdown", "mkd", "mkdn", "mdwn", "mdtxt", "mdtext", "mdx", "rmd", "qmd"];
    ending.is_some_and(|ending| others.contains(&ending.as_str()))
}

/// A note's path or name without extension.
pub fn without_ending(path: &str) -> &str {
    let bare = |ending: &&str| {
        let at = path.len().checked_sub(ending.len())?;
        path.get(at..)?.eq_ignore_ascii_case(ending).then(|| path.cut(..at))
    };
    ENDINGS.iter().find_map(bare).unwrap_or(path)
}

/// A configured path without `.` and with `/`; `None` if it leaves the garden.
pub fn inside(written: &str) -> Option<String> {
    let mut parts = Vec::new();
    for part in Path::new(written).components() {
        match part {
            Component::CurDir => {}
            Component::Normal(part) => parts.push(part.to_str()?),
            Component::ParentDir => drop(parts.pop()?),
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(parts.join("/"))
}

/// Folders in which Obsidian keeps templates for notes.
fn obsidian_templates(root: &Path) -> impl Iterator<Item = String> {
    OBSIDIAN_TEMPLATES.iter().filter_map(move |(name, key)| {
        let real = root.canonicalize().ok()?;
        let text = file::read_in(&real, &real.join(OBSIDIAN).join(name), LONGEST).ok()?;
        let settings: serde_json::Value = serde_json::from_slice(&text).ok()?;
        inside(settings.get(key)?.as_str()?).filter(|folder| !folder.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn garden(files: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().expect("a temporary folder");
        for file in files {
            let path = dir.path().join(file);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(path, "{\"folder\": \"My templates\"}").expect("a file");
        }
        dir
    }

    fn of(files: &[&str], notes: Option<&str>) -> Option<Layout> {
        let config = Config { notes: notes.map(str::to_owned), ..Config::default() };
        Layout::of(garden(files).path(), &config)
    }

    #[test]
    fn the_configuration_decides_then_notes_then_jekyll_then_a_vault() {
        let all =
            ["neuronotes.yaml", "notes/a.md", "_config.yml", "_notes/a.md", ".obsidian/app.json"];
        let kind =
            |files: &[&str], notes| of(files, notes).map(|layout| (layout.kind, layout.notes));
        let found = |kind, notes: &str| Some((kind, notes.to_owned()));
        assert_eq!(kind(&all, Some("some/where")), found(Kind::Plain, "some/where"));
        assert_eq!(kind(&all, Some("")), found(Kind::Jekyll, ""));
        assert_eq!(kind(&all, None), found(Kind::Plain, "notes"));
        assert_eq!(kind(&all[2..], None), found(Kind::Jekyll, ""));
        assert_eq!(kind(&all[4..], None), found(Kind::Vault, ""));
        assert_eq!(kind(&all[..1], None), found(Kind::Plain, "notes"));
        assert_eq!(kind(&["_config.yml", "a.txt"], None), None);
        assert_eq!(kind(&["deep/er/a.md"], None), found(Kind::Folder, ""));
        assert_eq!(kind(&["neuronotes.yaml", "README.md"], None), found(Kind::Folder, ""));
        for unread in ["output/a.md", ".neuronotes/a.md", "x/node_modules/a.md", ".git/a.md"] {
            assert_eq!(kind(&[unread], None), None, "{unread}");
        }
        assert_eq!(kind(&["a.md"], Some("")), found(Kind::Plain, ""));
    }

    #[test]
    fn a_jekyll_site_has_notes_and_pages_and_copies_the_rest() {
        let layout = of(&["_config.yml", "_notes/a.md"], None).expect("a layout");
        for note in ["_notes/a.md", "_notes/deep/b.markdown", "_pages/about.md"] {
            assert!(layout.is_note(note), "{note}");
        }
        for file in ["assets/a.png", "_notes/b.png", "README.md", "assets/c.md"] {
            assert!(layout.reads(file) && !layout.is_note(file), "{file}");
        }
        for unread in [
            "_site/a.html",
            "_includes/a.md",
            "vendor/a.md",
            "assets/_b.png",
            ".git/a",
            "output/a.md",
        ] {
            assert!(!layout.reads(unread), "{unread}");
        }
        assert!(layout.in_trees("_includes/a.html") && layout.in_trees("templates/a.html"));
    }

    #[test]
    fn a_vault_is_all_markdown_but_what_is_hidden_or_not_a_note() {
        let layout = of(&[".obsidian/templates.json"], None).expect("a layout");
        assert!(layout.is_note("a.md") && layout.is_note("deep/_b.md") && layout.reads("c.png"));
        for unread in [
            ".trash/a.md",
            "My templates/a.md",
            "output/a.md",
            "x/node_modules/a.md",
            "frozen/a.json",
        ] {
            assert!(!layout.reads(unread), "{unread}");
        }
        assert_eq!((layout.file("a.md").as_str(), layout.path("a.md")), ("a.md", Some("a.md")));
    }

    #[test]
    fn a_folder_that_is_left_out_for_its_name_is_known_where_notes_lie_in_it() {
        let unread = |files: &[&str]| {
            let dir = garden(files);
            let layout = Layout::of(dir.path(), &Config::default()).expect("a layout");
            layout.unread_notes(dir.path())
        };
        assert_eq!(unread(&[".obsidian/app.json", "vendor/deep/A.MD"]), ["vendor"]);
        assert_eq!(unread(&[".obsidian/app.json", "vendor/a.txt", "a.md"]), [""; 0]);
        assert_eq!(unread(&["_config.yml", "_notes/a.md", "vendor/a.md"]), [""; 0]);
        assert_eq!(unread(&["notes/a.md", "vendor/a.md"]), [""; 0]);
    }

    #[test]
    fn a_plain_garden_reads_one_folder() {
        let mut layout = Layout::below("my/notes");
        assert!(layout.is_note("my/notes/_a.md") && layout.reads("my/notes/output/b.png"));
        assert!(
            !layout.reads("my/notes/.b/a.md")
                && !layout.reads("my/other.md")
                && !layout.reads("my")
        );
        assert_eq!(layout.path("my/notes-old/a.md"), None);
        assert_eq!(
            (layout.file("a.md").as_str(), layout.file("").as_str()),
            ("my/notes/a.md", "my/notes")
        );
        layout.leave_out("my/notes/site");
        assert!(!layout.reads("my/notes/site/a.md") && layout.reads("my/notes/site2/a.md"));
    }

    #[test]
    fn a_written_path_stays_inside() {
        assert_eq!(inside("./some//folder/"), Some("some/folder".into()));
        assert_eq!((inside("."), inside("a/..")), (Some(String::new()), Some(String::new())));
        assert_eq!((inside("../a"), inside("a/../../b"), inside("/etc")), (None, None, None));
        assert!(within("notes/a.md", "notes") && within("notes", "notes") && within("x", ""));
        assert!(!within("notes-old/a.md", "notes") && !within("notes", "notes/a.md"));
    }
}
