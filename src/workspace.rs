//! A garden on disk: its configuration, its notes and its other files, read and parsed.
//!
//! Incremental: [`Workspace::refresh`] reads a file's bytes again only where size, times or number in the file system
//! changed, and [`Workspace::apply`] reads nothing but the paths that it is given, and these in any case. Both parse a note
//! again only where its bytes did change, and say what is another than it was.

mod link;
mod macros;
mod read;
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
use crate::garden::dates::GitDates;
use crate::handles;
use crate::note::Note;
use crate::render::{RenderError, Renderer};
use crate::resource::Thawed;
use macros::Defined;
use neuronotes_core::files::FileDigests;
use neuronotes_core::store::{Store, StoreError};

/// Most files open at once while a change is read.
const HANDLES: usize = 16;

/// A garden on disk.
#[derive(Debug)]
pub struct Workspace {
    /// Its folder, absolute.
    pub root: PathBuf,
    /// What `neuronotes.yaml` says, over what Jekyll's configuration says where it is a Jekyll garden.
    pub config: Config,
    /// Where things lie in it.
    pub layout: Layout,
    /// Results.
    pub store: Store,
    /// What is known of weights and data where only frozen results are published.
    pub thawed: Option<Arc<Thawed>>,
    /// Digests of weights, data and output.
    pub digests: FileDigests,
    /// The templates in use; an error of the garden's own leaves the last good ones in place.
    pub renderer: Renderer,
    /// Commits' dates.
    pub git: GitDates,
    /// The works that notes cite.
    pub library: Library,
    /// Whether drafts are part of the site, as they are in the preview.
    pub drafts: bool,
    /// Other files in the notes folder, relative to it.
    pub files: BTreeSet<String>,
    /// The text of `neuronotes.yaml`, for diagnostics.
    pub config_text: String,
    /// The text of Jekyll's configuration, likewise.
    jekyll_text: String,
    /// What formulas may use.
    defined: Defined,
    /// Folders of sites, relative to the garden.
    outputs: BTreeSet<String>,
    /// What notes of a Jekyll garden may include, by its name below the folder of includes.
    includes: BTreeMap<String, String>,
    /// What of these is not read.
    unincluded: Vec<Diagnostic>,
    notes: BTreeMap<String, Parsed>,
    /// Symbolic links among the notes, by their paths, with what they point to, relative to the garden.
    links: BTreeMap<String, String>,
    config_problems: Vec<Diagnostic>,
    /// What is to be said of models in the configuration.
    notices: Vec<Diagnostic>,
    template_problem: Option<Diagnostic>,
    date_problem: Option<Diagnostic>,
    /// What keeps Jekyll's way of reading from all notes.
    liquid_problem: Option<Diagnostic>,
    /// What is wrong with notes and folders that cannot be read, and what is passed over, by their paths.
    unread: BTreeMap<String, Diagnostic>,
    /// What could not be read for a reason that passes, relative to the garden.
    passing: BTreeSet<String>,
}

/// What is another than it was.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Touched {
    /// Notes that are new, changed or gone, by path.
    pub notes: BTreeSet<String>,
    /// Other files of the notes folder that may be new, changed or gone, by path.
    pub files: BTreeSet<String>,
    /// Other files of the notes folder are there now, or are not any more.
    pub listed: bool,
    /// Files elsewhere in the garden: pictures that blocks name.
    pub pictures: bool,
    /// The configuration.
    pub config: bool,
    /// The templates.
    pub templates: bool,
    /// Commits' dates.
    pub dates: bool,
    /// What is wrong with what cannot be read.
    pub unread: bool,
}

impl Touched {
    /// Whether nothing is.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// By which a file that changed can be told without reading it: length, time of change, number in the file system.
type Stamp = (u64, SystemTime, u64);

#[derive(Debug)]
struct Parsed {
    stamp: Stamp,
    /// As its file is.
    note: Arc<Note>,
    /// Whether Jekyll may make another text of it.
    special: bool,
    /// As Jekyll makes it, where that is another one.
    shown: Option<Arc<Note>>,
}

impl Parsed {
    /// The note that the site has.
    fn published(&self) -> &Arc<Note> {
        self.shown.as_ref().unwrap_or(&self.note)
    }
}

/// Why a folder cannot be worked with at all.
#[derive(Debug, thiserror::Error)]
pub enum WorkspaceError {
    /// It is no garden.
    #[error("{} is not a garden: {}", .0.display(), layout::LOOKS)]
    NoGarden(PathBuf),
    /// Its store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A folder of its own is a link to somewhere else.
    #[error("{} is a link to {}, which is no folder of `neuronotes`\nhint: remove the link; or, where it is meant, `mkdir -p {}` says so", link.display(), target.display(), wanted.display())]
    Link {
        /// The link.
        link: PathBuf,
        /// Where it leads.
        target: PathBuf,
        /// The folder that would have to be there.
        wanted: PathBuf,
    },
    /// A folder of its caches is a link that leads out of its own.
    #[error("{} leads out of the program's own folder\nhint: remove it: what it should hold is made again", .0.display())]
    Cache(PathBuf),
    /// The built-in templates are broken.
    #[error("{0}")]
    Template(RenderError),
}

impl Workspace {
    /// Opens the garden in `root` and reads it.
    ///
    /// # Errors
    /// Where it is no garden, its store cannot be made, or its own folders are links to somewhere else.
    pub fn open(root: &Path) -> Result<Self, WorkspaceError> {
        let root = root.canonicalize().map_err(|_| WorkspaceError::NoGarden(root.to_owned()))?;
        if !layout::can_be_built(&root) {
            return Err(WorkspaceError::NoGarden(root));
        }
        state::check(&root)?;
        let store = Store::open(&root.join(STATE).join("store"))?;
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
            git,
            library: Library::default(),
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
        workspace.refresh();
        Ok(workspace)
    }

    /// Looks at everything on disk, and says what changed.
    pub fn refresh(&mut self) -> Touched {
        let mut touched = Touched { pictures: true, ..Touched::default() };
        let before = self.layout.clone();
        self.read_config(&mut touched);
        let defined = Defined::read(&self.config, &self.config_text);
        if self.defined != defined {
            touched.config = true;
            if self.defined.macros != defined.macros {
                // A note's formulas are others now.
                touched.notes.extend(std::mem::take(&mut self.notes).into_keys());
            }
            self.defined = defined;
        }
        if (self.layout.kind, self.layout.notes()) != (before.kind, before.notes()) {
            // The same path is another note's there, or is read otherwise.
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
        touched
    }

    /// Looks at these files and folders, which are relative to the garden, and says what of them changed. A folder stands
    /// for all that is below it.
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
                    _ => touched.pictures = true,
                },
            }
        }
        self.read_dates(&mut touched);
        self.show(included, &mut touched);
        touched
    }

    /// Whether files can be opened now, as many as reading a change takes. Where they cannot, every file would seem to be one
    /// that cannot be read.
    pub fn can_read(&self) -> bool {
        // A folder is opened as a file is.
        handles::are_left(HANDLES, &self.root)
    }

    /// What is to be looked at again in a moment, for it could not be read for a reason that passes; that is told once.
    pub fn to_read_again(&mut self) -> Option<BTreeSet<String>> {
        let paths = std::mem::take(&mut self.passing);
        (!paths.is_empty()).then_some(paths)
    }

    /// Never reads this folder as notes or files beside them, should it lie among these: a site is written there.
    pub fn leave_out(&mut self, folder: &Path) {
        let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        let inside = relative(&folder, &self.root);
        if folder.starts_with(&self.root) && !inside.is_empty() && self.layout.reads(&inside) {
            self.layout.leave_out(&inside);
            self.outputs.insert(inside);
            self.refresh();
        }
    }

    /// What is wrong with the configuration, the templates, and notes that cannot be read.
    pub fn problems(&self) -> impl Iterator<Item = &Diagnostic> {
        let own = self.config_problems.iter().chain(&self.notices).chain(&self.library.problems);
        let own = own.chain(&self.defined.problems).chain(&self.unincluded);
        let own = own.chain(&self.template_problem).chain(&self.date_problem);
        own.chain(&self.liquid_problem).chain(self.unread.values())
    }

    /// Keeps what is to be said of entries of the configuration, instead of what was said before.
    pub fn notice(&mut self, notices: Vec<(Range<usize>, String)>) {
        let lines = Lines::of(&self.config_text);
        let at = SourceFile { file: config::FILE, text: &self.config_text, lines: &lines };
        let said = notices.into_iter().map(|(span, message)| at.warning(span, message));
        self.notices = said.collect();
    }

    /// The notes that are part of the site, by path; drafts are in the preview only.
    pub fn notes(&self) -> Vec<Arc<Note>> {
        let is_part = |parsed: &&Parsed| self.drafts || !parsed.note.front.draft;
        let published = self.notes.values().filter(is_part);
        published.map(|parsed| Arc::clone(parsed.published())).collect()
    }

    /// Where its pages lie.
    pub fn routes(&self) -> Routes {
        Routes::of(&self.config, &self.layout)
    }

    /// A folder of the program's own, for what can be made again.
    pub fn cache(&self, name: &str) -> PathBuf {
        self.root.join(STATE).join("cache").join(name)
    }

    /// Keeps the digests of files for the next run; losing them costs time only.
    pub fn save_digests(&mut self) {
        let path = self.cache("digests.json");
        let _ = self.digests.save(&path);
    }

    /// The text that a diagnostic is about, where it is at hand.
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
        let path = self.layout.path(file)?;
        // Places in what Jekyll made of a note are none in its file.
        let note = self.notes.get(path).map(Parsed::published)?;
        note.lines.are_written().then_some(&*note.source)
    }
}

/// What is wrong with a template, as everything else that is wrong is said.
pub fn template_problem(error: &RenderError) -> Diagnostic {
    let mut problem = Diagnostic::of_file(error.template.clone(), error.message.clone());
    problem.line = error.line.unwrap_or(1);
    problem.hint(error.hint.clone())
}

/// A path relative to a folder, with `/`.
fn relative(path: &Path, folder: &Path) -> String {
    path.strip_prefix(folder).unwrap_or(path).to_string_lossy().replace('\\', "/")
}
