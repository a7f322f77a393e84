//! A garden on disk: its configuration, notes and other files, read and parsed.
//!
//! Incremental: [`Workspace::refresh`] reads a file again only if its size, times or inode changed;
//! [`Workspace::apply`] reads only the given paths, and these always. Both parse a note again only if its bytes
//! changed, and return what is different now.

mod fault;
mod link;
mod macros;
mod read;
mod reviewed;
mod reviews;
mod revision;
mod shown;
mod state;
mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use crate::bibliography::library::Library;
use crate::config::layout::{self, Kind, Layout, STATE, TEMPLATES, within};
use crate::config::{self, Config};
use crate::diagnostic::{Diagnostic, Lines, SourceFile};
use crate::garden::Routes;
use crate::garden::commits::Commits;
use crate::garden::dates::GitDates;
use crate::handles;
use crate::note::Note;
use crate::render::Renderer;
use crate::resource::Thawed;
use crate::review;
pub use fault::WorkspaceError;
use macros::Defined;
use neuronotes_core::files::FileDigests;
use neuronotes_core::store::Store;
pub use reviewed::Reviews;

/// Most files open at once while a change is read.
const HANDLES: usize = 16;

/// A garden on disk.
#[derive(Debug)]
pub struct Workspace {
    /// Its absolute path.
    pub root: PathBuf,
    /// The configuration: `neuronotes.yaml`, on top of Jekyll's configuration in a Jekyll garden.
    pub config: Config,
    /// Its layout.
    pub layout: Layout,
    /// Its result store.
    pub store: Store,
    /// Facts about weights and data, if only frozen results are published.
    pub thawed: Option<Arc<Thawed>>,
    /// Digests of weights, data and output.
    pub digests: FileDigests,
    /// The templates in use; if the garden's own have an error, the last good ones stay.
    pub renderer: Renderer,
    /// Dates from git.
    pub git: GitDates,
    /// When claims were committed.
    pub commits: Commits,
    /// The works that notes cite.
    pub library: Library,
    /// The reviews of notes.
    pub reviews: Reviews,
    /// Whether drafts are part of the site, as in the preview.
    pub drafts: bool,
    /// Other files in the notes folder, relative to it.
    pub files: BTreeSet<String>,
    /// Text of `neuronotes.yaml`, for diagnostics.
    pub config_text: String,
    /// Text of Jekyll's configuration, for diagnostics.
    jekyll_text: String,
    /// Macros for formulas.
    defined: Defined,
    /// Output folders, relative to the garden.
    outputs: BTreeSet<String>,
    /// Files that notes of a Jekyll garden may include, by name relative to the folder of includes.
    includes: BTreeMap<String, String>,
    /// Includes that could not be read.
    unincluded: Vec<Diagnostic>,
    notes: BTreeMap<String, Parsed>,
    /// Symbolic links among the notes by path, with their targets relative to the garden.
    links: BTreeMap<String, String>,
    config_problems: Vec<Diagnostic>,
    /// Remarks about models in the configuration.
    notices: Vec<Diagnostic>,
    template_problem: Option<Diagnostic>,
    date_problem: Option<Diagnostic>,
    /// The error that prevents evaluating Liquid in all notes, if any.
    liquid_problem: Option<Diagnostic>,
    /// Problems with notes and folders that cannot be read or are skipped, by path.
    unread: BTreeMap<String, Diagnostic>,
    /// Paths that temporarily could not be read, relative to the garden.
    passing: BTreeSet<String>,
}

/// What a refresh changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Touched {
    /// Notes that are new, changed or gone, by path.
    pub notes: BTreeSet<String>,
    /// Other files of the notes folder that may be new, changed or gone, by path.
    pub files: BTreeSet<String>,
    /// Whether other files of the notes folder have appeared or disappeared.
    pub listed: bool,
    /// Files elsewhere in the garden: pictures that blocks name.
    pub pictures: bool,
    /// Whether the configuration changed.
    pub config: bool,
    /// Whether the templates changed.
    pub templates: bool,
    /// Whether dates from git changed.
    pub dates: bool,
    /// Whether reviews changed.
    pub reviews: bool,
    /// Whether problems with unreadable files changed.
    pub unread: bool,
}

impl Touched {
    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A file's metadata that reveals changes without reading it: length, modification time, inode.
type Stamp = (u64, SystemTime, u64);

#[derive(Debug, Clone)]
struct Parsed {
    stamp: Stamp,
    /// The note in its file.
    note: Arc<Note>,
    /// Whether Jekyll may change its text.
    special: bool,
    /// The note as changed by Jekyll, if it is.
    shown: Option<Arc<Note>>,
}

impl Parsed {
    /// The note as on the site.
    fn published(&self) -> &Arc<Note> {
        self.shown.as_ref().unwrap_or(&self.note)
    }
}

impl Workspace {
    /// Opens and reads the garden in `root`.
    ///
    /// # Errors
    /// If it is not a garden, its store cannot be created, or its own folders are links to other places.
    pub fn open(root: &Path) -> Result<Self, WorkspaceError> {
        let root = root.canonicalize().map_err(|_| WorkspaceError::NoGarden(root.to_owned()))?;
        if !layout::can_be_built(&root) {
            return Err(WorkspaceError::NoGarden(root));
        }
        state::check(&root)?;
        let store = Store::open(&root.join(STATE).join("store"))?.for_pages();
        let digests = FileDigests::load(&root.join(STATE).join("cache/digests.json"));
        let renderer = Renderer::new(None).map_err(WorkspaceError::Template)?;
        let git = GitDates::read(&root, &root.join(STATE).join("cache/dates"));
        let mut workspace = Self {
            root,
            config: Config::default(),
            layout: Layout::default(),
            store,
            thawed: None,
            digests,
            renderer,
            commits: Commits::default(),
            git,
            library: Library::default(),
            reviews: Reviews::default(),
            drafts: false,
            files: BTreeSet::new(),
            config_text: String::new(),
            jekyll_text: String::new(),
            defined: Defined::default(),
            outputs: BTreeSet::new(),
            includes: BTreeMap::new(),
            unincluded: Vec::new(),
            notes: BTreeMap::new(),
            links: BTreeMap::new(),
            config_problems: Vec::new(),
            notices: Vec::new(),
            template_problem: None,
            date_problem: None,
            liquid_problem: None,
            unread: BTreeMap::new(),
            passing: BTreeSet::new(),
        };
        workspace.date_claims();
        workspace.refresh();
        Ok(workspace)
    }

    /// Checks everything on disk, and returns what changed.
    pub fn refresh(&mut self) -> Touched {
        let mut touched = Touched { pictures: true, ..Touched::default() };
        let before = self.layout.clone();
        self.read_config(&mut touched);
        let defined = Defined::read(&self.config, &self.config_text);
        if self.defined != defined {
            touched.config = true;
            if self.defined.macros != defined.macros {
                // The formulas of all notes have changed.
                touched.notes.extend(std::mem::take(&mut self.notes).into_keys());
            }
            self.defined = defined;
        }
        if (self.layout.kind, self.layout.notes()) != (before.kind, before.notes()) {
            // In the new layout, a path may mean another note, or be read differently.
            touched.notes.extend(std::mem::take(&mut self.notes).into_keys());
        }
        self.read_templates(&mut touched);
        self.read_dates(&mut touched);
        let unread = std::mem::take(&mut self.unread);
        let files = std::mem::take(&mut self.files);
        self.read_below("", false, &mut touched);
        touched.files.extend(files.union(&self.files).cloned());
        touched.listed = files != self.files;
        touched.unread = unread != self.unread;
        let included = self.read_includes();
        self.show(included, &mut touched);
        self.read_reviews("", &mut touched);
        self.match_reviews();
        touched
    }

    /// Reads these files and folders, given relative to the garden, and returns which of them changed. A folder
    /// stands for everything below it.
    pub fn apply<'a>(&mut self, paths: impl IntoIterator<Item = &'a str>) -> Touched {
        let mut touched = Touched::default();
        let mut included = false;
        for path in self.with_links(paths) {
            let path = path.as_str();
            if layout::decides(path) {
                let before = self.layout.clone();
                self.read_config(&mut touched);
                let defined = Defined::read(&self.config, &self.config_text);
                if self.layout != before || self.defined != defined {
                    // Other folders are read now.
                    return Touched { config: true, ..self.refresh() };
                }
            }
            let bibliography = self.config.bibliography.as_ref();
            if bibliography.is_some_and(|source| within(&source.written, path)) {
                touched.config |= self.library.read(&self.config);
            }
            let preamble = self.config.math.preamble.as_ref();
            if preamble.is_some_and(|source| within(&source.written, path)) {
                return Touched { config: true, ..self.refresh() };
            }
            if Self::is_review(path) {
                self.read_reviews(path, &mut touched);
            }
            match path {
                config::FILE | layout::JEKYLL => {}
                path if within(path, STATE) => {}
                path if within(path, TEMPLATES) && !self.layout.reads(path) => {
                    self.read_templates(&mut touched);
                }
                path if self.layout.kind == Kind::Jekyll && within(path, layout::INCLUDES) => {
                    included |= self.read_includes();
                }
                path => match self.layout.path(path) {
                    Some(rest) if self.layout.reads(path) => {
                        self.read_below(rest, true, &mut touched);
                    }
                    // A folder around the notes.
                    None if within(self.layout.notes(), path) => {
                        self.read_below("", true, &mut touched);
                    }
                    _ if within(path, review::FOLDER) => {}
                    _ => touched.pictures = true,
                },
            }
        }
        self.read_dates(&mut touched);
        self.show(included, &mut touched);
        if touched.reviews || !touched.notes.is_empty() {
            self.match_reviews();
        }
        touched
    }

    /// Whether as many files can be opened as reading a change needs. If not, every file would appear unreadable.
    pub fn can_read(&self) -> bool {
        // A folder is opened as a file is.
        handles::are_left(HANDLES, &self.root)
    }

    /// Takes the paths that temporarily could not be read and must be looked at again.
    pub fn to_read_again(&mut self) -> Option<BTreeSet<String>> {
        let paths = std::mem::take(&mut self.passing);
        (!paths.is_empty()).then_some(paths)
    }

    /// Never reads this folder as notes, even if it is among them: a site is written there.
    pub fn leave_out(&mut self, folder: &Path) {
        let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        let inside = relative(&folder, &self.root);
        if folder.starts_with(&self.root) && !inside.is_empty() && self.layout.reads(&inside) {
            self.layout.leave_out(&inside);
            self.outputs.insert(inside);
            self.refresh();
        }
    }

    /// Problems with the configuration, the templates, and unreadable notes.
    pub fn problems(&self) -> impl Iterator<Item = &Diagnostic> {
        let own = self.config_problems.iter().chain(&self.notices).chain(&self.library.problems);
        let own = own.chain(&self.defined.problems).chain(&self.unincluded);
        let own = own.chain(&self.template_problem).chain(&self.date_problem);
        let own = own.chain(&self.liquid_problem).chain(self.unread.values());
        own.chain(self.reviews.problems())
    }

    /// Replaces the remarks about entries of the configuration.
    pub fn notice(&mut self, notices: Vec<(Range<usize>, String)>) {
        let lines = Lines::of(&self.config_text);
        let at = SourceFile { file: config::FILE, text: &self.config_text, lines: &lines };
        let said = notices.into_iter().map(|(span, message)| at.warning(span, message));
        self.notices = said.collect();
    }

    /// The notes of the site, by path; drafts only in the preview.
    pub fn notes(&self) -> Vec<Arc<Note>> {
        let is_part = |parsed: &&Parsed| self.drafts || !parsed.note.front.draft;
        let published = self.notes.values().filter(is_part);
        published.map(|parsed| Arc::clone(parsed.published())).collect()
    }

    /// The rules for its pages' addresses.
    pub fn routes(&self) -> Routes {
        Routes::of(&self.config, &self.layout)
    }

    /// A folder of the program for files that can be recreated.
    pub fn cache(&self, name: &str) -> PathBuf {
        self.root.join(STATE).join("cache").join(name)
    }

    /// Claims are dated by the commit that is checked out now.
    fn date_claims(&mut self) {
        self.commits = Commits::new(&self.root, self.git.head(), self.cache("claims"));
    }

    /// Saves the digests of files for the next run; losing them costs time only.
    pub fn save_digests(&mut self) {
        let path = self.cache("digests.json");
        let _ = self.digests.save(&path);
        self.commits.save();
    }

    /// The source text of a file, if available.
    pub fn source(&self, file: &str) -> Option<&str> {
        if file == config::FILE {
            return Some(&self.config_text);
        }
        if file == layout::JEKYLL {
            return Some(&self.jekyll_text);
        }
        let bibliography = self.config.bibliography.as_ref();
        if bibliography.is_some_and(|source| source.written == file) {
            return Some(&self.library.text);
        }
        if self.config.math.preamble.as_ref().is_some_and(|source| source.written == file) {
            return Some(&self.defined.text);
        }
        if let Some(text) = self.reviews.source(file) {
            return Some(text);
        }
        let path = self.layout.path(file)?;
        // Positions in a note changed by Jekyll are not positions in its file.
        let note = self.notes.get(path).map(Parsed::published)?;
        note.lines.are_written().then_some(&*note.source)
    }
}

/// A path relative to a folder, with `/`.
fn relative(path: &Path, folder: &Path) -> String {
    path.strip_prefix(folder).unwrap_or(path).to_string_lossy().replace('\\', "/")
}
