//! A garden on disk: its configuration, its notes and its other files, read and parsed.
//!
//! Incremental: [`Workspace::refresh`] reads a file's bytes again only where size, times or number in the file system
//! changed, and [`Workspace::apply`] reads nothing but the paths that it is given, and these in any case. Both parse a note
//! again only where its bytes did change, and say what is another than it was.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use walkdir::WalkDir;

use crate::config::{self, Config};
use crate::dates::GitDates;
use crate::diagnostic::Diagnostic;
use crate::digest::FileDigests;
use crate::garden::Routes;
use crate::library::Library;
use crate::layout::{self, Kind, Layout, STATE, TEMPLATES, within};
use crate::note::Note;
use crate::render::{RenderError, Renderer};
use crate::resource::Thawed;
use crate::store::{Store, StoreError};
use crate::watch::noise::of_editors;

/// A note longer than this is not read: no person wrote it.
const LONGEST_NOTE: u64 = 16 << 20;

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
    /// Other files in the notes folder, relative to it.
    pub files: BTreeSet<String>,
    /// The text of `neuronotes.yaml`, for diagnostics.
    pub config_text: String,
    /// The text of Jekyll's configuration, likewise.
    jekyll_text: String,
    /// Folders of sites, relative to the garden.
    outputs: BTreeSet<String>,
    notes: BTreeMap<String, Parsed>,
    config_problems: Vec<Diagnostic>,
    template_problem: Option<Diagnostic>,
    /// What is wrong with notes and folders that cannot be read, by their paths.
    unread: BTreeMap<String, Diagnostic>,
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
    note: Arc<Note>,
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
    /// The built-in templates are broken.
    #[error("{0}")]
    Template(RenderError),
}

impl Workspace {
    /// Opens the garden in `root` and reads it.
    ///
    /// # Errors
    /// Where it is no garden, or its store cannot be made.
    pub fn open(root: &Path) -> Result<Self, WorkspaceError> {
        let root = root.canonicalize().map_err(|_| WorkspaceError::NoGarden(root.to_owned()))?;
        if layout::looks_like(&root).is_none() {
            return Err(WorkspaceError::NoGarden(root));
        }
        let store = Store::open(&root.join(STATE).join("store"))?;
        let digests = FileDigests::load(&root.join(STATE).join("cache/digests.json"));
        let renderer = Renderer::new(None).map_err(WorkspaceError::Template)?;
        let git = GitDates::read(&root);
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
            files: BTreeSet::new(),
            config_text: String::new(),
            jekyll_text: String::new(),
            outputs: BTreeSet::new(),
            notes: BTreeMap::new(),
            config_problems: Vec::new(),
            template_problem: None,
            unread: BTreeMap::new(),
        };
        workspace.refresh();
        Ok(workspace)
    }

    /// Looks at everything on disk, and says what changed.
    pub fn refresh(&mut self) -> Touched {
        let mut touched = Touched { pictures: true, ..Touched::default() };
        let notes = self.layout.notes().to_owned();
        self.read_config(&mut touched);
        if self.layout.notes() != notes {
            // The same path is another note's there.
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
        touched
    }

    /// Looks at these files and folders, which are relative to the garden, and says what of them changed. A folder stands
    /// for all that is below it.
    pub fn apply<'a>(&mut self, paths: impl IntoIterator<Item = &'a str>) -> Touched {
        let mut touched = Touched::default();
        for path in paths {
            if layout::decides(path) {
                let before = self.layout.clone();
                self.read_config(&mut touched);
                if self.layout != before {
                    // Other folders are read now.
                    return Touched { config: true, ..self.refresh() };
                }
            }
            let bibliography = self.config.bibliography.as_ref();
            if bibliography.is_some_and(|source| within(&source.written, path)) {
                touched.config |= self.library.read(&self.config);
            }
            match path {
                config::FILE | layout::JEKYLL => {}
                path if within(path, STATE) => {}
                path if within(path, TEMPLATES) && !self.layout.reads(path) => {
                    self.read_templates(&mut touched);
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
        touched
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
        let own = self.config_problems.iter().chain(&self.library.problems);
        own.chain(&self.template_problem).chain(self.unread.values())
    }

    /// The notes that are part of the site, by path; drafts are not.
    pub fn notes(&self) -> Vec<Arc<Note>> {
        let published = self.notes.values().filter(|parsed| !parsed.note.front.draft);
        published.map(|parsed| Arc::clone(&parsed.note)).collect()
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
        let path = self.layout.path(file)?;
        self.notes.get(path).map(|parsed| &*parsed.note.source)
    }

    fn read_config(&mut self, touched: &mut Touched) {
        let mut problems = Vec::new();
        let mut read = |name: &str| match fs::read_to_string(self.root.join(name)) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => {
                let message = format!("the configuration cannot be read ({error})");
                problems.push(Diagnostic::of_file(name, message));
                String::new()
            }
        };
        let text = read(config::FILE);
        let mut jekyll_text = String::new();
        if layout::looks_like(&self.root) == Some(Kind::Jekyll) {
            jekyll_text = read(layout::JEKYLL);
        }
        let (theirs, of_theirs) = config::parse_jekyll(&jekyll_text);
        let (mut config, mut own) = config::parse_over(theirs, &text, &self.root);
        let mut layout = Layout::of(&self.root, &config).unwrap_or_default();
        match layout.kind {
            Kind::Jekyll => problems.extend(of_theirs),
            _ => (config, own) = config::parse(&text, &self.root),
        }
        for folder in &self.outputs {
            layout.leave_out(folder);
        }
        problems.extend(own);
        touched.config |= self.config_text != text
            || self.jekyll_text != jekyll_text
            || self.config_problems != problems
            || self.layout != layout;
        self.config = config;
        self.layout = layout;
        self.config_text = text;
        self.jekyll_text = jekyll_text;
        self.config_problems = problems;
        touched.config |= self.library.read(&self.config);
    }

    fn read_templates(&mut self, touched: &mut Touched) {
        let own = self.root.join(TEMPLATES);
        let before = self.renderer.digest();
        let problem = match Renderer::new(self.layout.has_theme(&self.root).then_some(&*own)) {
            Ok(renderer) => {
                self.renderer = renderer;
                None
            }
            Err(error) => Some(template_problem(&error)),
        };
        touched.templates |= before != self.renderer.digest() || problem != self.template_problem;
        self.template_problem = problem;
    }

    fn read_dates(&mut self, touched: &mut Touched) {
        touched.dates |= self.git.look_again(&self.root);
    }

    /// Reads the note or other file at a path of the notes folder, or all that is below it; in any case, or only what
    /// seems to have changed.
    fn read_below(&mut self, path: &str, anew: bool, touched: &mut Touched) {
        if !self.layout.reads(&self.layout.file(path)) || path.split('/').any(of_editors) {
            return;
        }
        let folder = self.root.join(self.layout.notes());
        let mut found = BTreeSet::new();
        let is_here = |known: &str| {
            path.is_empty()
                || known == path
                || known.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'))
        };
        self.unread.retain(|known, _| !is_here(known));
        // Links are not followed: what they point to may lie outside the garden.
        let walk = WalkDir::new(folder.join(path)).sort_by_file_name();
        let layout = self.layout.clone();
        let visible = |entry: &walkdir::DirEntry| {
            let name = relative(entry.path(), &folder);
            !of_editors(&entry.file_name().to_string_lossy()) && layout.reads(&layout.file(&name))
        };
        for entry in walk.into_iter().filter_entry(visible) {
            let entry = match entry {
                Ok(entry) => entry,
                // What is gone is no mistake.
                Err(error) if error.depth() == 0 && is_gone(&error) => break,
                Err(error) => {
                    let message = format!("a folder cannot be read ({error})");
                    let file = match layout.notes() {
                        "" => ".",
                        notes => notes,
                    };
                    let known =
                        self.unread.insert(path.to_owned(), Diagnostic::of_file(file, message));
                    touched.unread |= known.is_none();
                    continue;
                }
            };
            if entry.file_type().is_file() {
                let name = relative(entry.path(), &folder);
                match layout.is_note(&layout.file(&name)) {
                    true => self.read_note(&entry, &name, anew, touched),
                    false => {
                        touched.listed |= self.files.insert(name.clone());
                        touched.files.insert(name.clone());
                    }
                }
                found.insert(name);
            }
        }
        let gone = |known: &&String| is_here(known) && !found.contains(*known);
        let notes: Vec<String> = self.notes.keys().filter(gone).cloned().collect();
        for name in notes {
            self.notes.remove(&name);
            touched.notes.insert(name);
        }
        let files: Vec<String> = self.files.iter().filter(gone).cloned().collect();
        for name in files {
            self.files.remove(&name);
            touched.listed = true;
            touched.files.insert(name);
        }
    }

    fn read_note(
        &mut self,
        entry: &walkdir::DirEntry,
        path: &str,
        anew: bool,
        touched: &mut Touched,
    ) {
        let stamp = entry.metadata().ok().and_then(|meta| stamp(&meta));
        let stamp = stamp.unwrap_or((0, SystemTime::UNIX_EPOCH, 0));
        // A note changed within the last seconds is read in any case: its next change may leave its stamp as it is.
        let settled = stamp.1.elapsed().is_ok_and(|age| age.as_secs() >= 2);
        let known = self.notes.get_mut(path);
        let same = known.as_ref().is_some_and(|known| known.stamp == stamp);
        if same && settled && !anew {
            return;
        }
        match read_note(entry.path(), stamp.0) {
            Ok(text) => match known {
                Some(known) if *known.note.source == *text => known.stamp = stamp,
                _ => {
                    let note = Arc::new(Note::parse(path, &self.layout.file(path), &text));
                    self.notes.insert(path.to_owned(), Parsed { stamp, note });
                    touched.notes.insert(path.to_owned());
                }
            },
            // Without the note that was there: its page would say what the file does not.
            Err(message) => {
                let problem = Diagnostic::of_file(self.layout.file(path), message);
                self.unread.insert(path.to_owned(), problem);
                touched.unread = true;
                if self.notes.remove(path).is_some() {
                    touched.notes.insert(path.to_owned());
                }
            }
        }
    }
}

/// Whether something is not there any more.
fn is_gone(error: &walkdir::Error) -> bool {
    let kind = error.io_error().map(std::io::Error::kind);
    matches!(kind, Some(std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory))
}

/// What is wrong with a template, as everything else that is wrong is said.
pub fn template_problem(error: &RenderError) -> Diagnostic {
    let mut problem = Diagnostic::of_file(error.template.clone(), error.message.clone());
    problem.line = error.line.unwrap_or(1);
    problem.hint(error.hint.clone())
}

fn stamp(meta: &fs::Metadata) -> Option<Stamp> {
    #[cfg(unix)]
    let number = std::os::unix::fs::MetadataExt::ino(meta);
    #[cfg(not(unix))]
    let number = 0;
    Some((meta.len(), meta.modified().ok()?, number))
}

/// A path relative to a folder, with `/`.
fn relative(path: &Path, folder: &Path) -> String {
    path.strip_prefix(folder).unwrap_or(path).to_string_lossy().replace('\\', "/")
}

fn read_note(path: &Path, size: u64) -> Result<String, String> {
    if size > LONGEST_NOTE {
        return Err(format!("the note has {} MiB; the most that is read is 16 MiB", size >> 20));
    }
    let bytes = fs::read(path).map_err(|error| format!("the note cannot be read ({error})"))?;
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..at].iter().filter(|b| **b == b'\n').count() + 1;
        format!("the note is not UTF-8 (at byte {at}, line {line})")
    })
}
