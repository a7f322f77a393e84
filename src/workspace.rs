//! A garden on disk: its configuration, its notes and its other files, read and parsed.
//!
//! Incremental: [`Workspace::refresh`] reads every file's bytes again only where size or modification time
//! changed, and parses a note again only where its bytes did.

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
use crate::note::Note;
use crate::render::{RenderError, Renderer};
use crate::resource::Thawed;
use crate::store::{Store, StoreError};

/// The folder of notes, relative to the garden.
pub const NOTES: &str = "notes";
/// The folder of the garden's own templates, relative to the garden.
pub const TEMPLATES: &str = "templates";
/// What the program keeps, relative to the garden.
const STATE: &str = ".neuronotes";
/// A note longer than this is not read: no person wrote it.
const LONGEST_NOTE: u64 = 16 << 20;

/// A garden on disk.
#[derive(Debug)]
pub struct Workspace {
    /// Its folder, absolute.
    pub root: PathBuf,
    /// What `neuronotes.yaml` says.
    pub config: Config,
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
    /// Other files in the notes folder, relative to it.
    pub files: BTreeSet<String>,
    /// What is wrong with the configuration, the templates, and notes that cannot be read.
    pub problems: Vec<Diagnostic>,
    /// The text of `neuronotes.yaml`, for diagnostics.
    pub config_text: String,
    notes: BTreeMap<String, Parsed>,
}

#[derive(Debug)]
struct Parsed {
    stamp: (u64, SystemTime),
    note: Arc<Note>,
}

/// Why a folder cannot be worked with at all.
#[derive(Debug, thiserror::Error)]
pub enum WorkspaceError {
    /// It is no garden.
    #[error("{} is not a garden: it has neither `{}` nor a `{NOTES}` folder", .0.display(), config::FILE)]
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
        if !root.join(config::FILE).is_file() && !root.join(NOTES).is_dir() {
            return Err(WorkspaceError::NoGarden(root));
        }
        let store = Store::open(&root.join(STATE).join("store"))?;
        let digests = FileDigests::load(&root.join(STATE).join("cache/digests.json"));
        let renderer = Renderer::new(None).map_err(WorkspaceError::Template)?;
        let git = GitDates::read(&root);
        let mut workspace = Self {
            root,
            config: Config::default(),
            store,
            thawed: None,
            digests,
            renderer,
            git,
            files: BTreeSet::new(),
            problems: Vec::new(),
            config_text: String::new(),
            notes: BTreeMap::new(),
        };
        workspace.refresh();
        Ok(workspace)
    }

    /// Reads again what changed on disk. Says whether a note vanished or was emptied, which may be an
    /// editor in the middle of saving it.
    pub fn refresh(&mut self) -> bool {
        self.problems.clear();
        self.read_config();
        self.read_templates();
        self.read_notes()
    }

    /// The notes that are part of the site, by path; drafts are not.
    pub fn notes(&self) -> Vec<Arc<Note>> {
        let published = self.notes.values().filter(|parsed| !parsed.note.front.draft);
        published.map(|parsed| Arc::clone(&parsed.note)).collect()
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
        let path = file.strip_prefix(NOTES)?.strip_prefix('/')?;
        self.notes.get(path).map(|parsed| &*parsed.note.source)
    }

    fn read_config(&mut self) {
        self.config_text.clear();
        match fs::read_to_string(self.root.join(config::FILE)) {
            Ok(text) => {
                let (config, problems) = config::parse(&text, &self.root);
                self.config = config;
                self.problems.extend(problems);
                self.config_text = text;
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                self.config = Config::default();
            }
            Err(error) => {
                let message = format!("the configuration cannot be read ({error})");
                self.problems.push(Diagnostic::of_file(config::FILE, message));
            }
        }
    }

    fn read_templates(&mut self) {
        let own = self.root.join(TEMPLATES);
        match Renderer::new(own.is_dir().then_some(&*own)) {
            Ok(renderer) => self.renderer = renderer,
            Err(error) => self.problems.push(template_problem(&error)),
        }
    }

    fn read_notes(&mut self) -> bool {
        let before = self.written();
        let folder = self.root.join(NOTES);
        let mut found = BTreeSet::new();
        self.files.clear();
        // Links are not followed: what they point to may lie outside the garden.
        for entry in WalkDir::new(&folder).sort_by_file_name().into_iter().filter_entry(visible) {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    let message = format!("a folder cannot be read ({error})");
                    self.problems.push(Diagnostic::of_file(NOTES, message));
                    continue;
                }
            };
            if !entry.file_type().is_file() {
                continue;
            }
            let relative = entry.path().strip_prefix(&folder).unwrap_or(entry.path());
            let path = relative.to_string_lossy().replace('\\', "/");
            if !path.ends_with(".md") {
                self.files.insert(path);
                continue;
            }
            let stamp =
                entry.metadata().ok().and_then(|meta| Some((meta.len(), meta.modified().ok()?)));
            let stamp = stamp.unwrap_or((0, SystemTime::UNIX_EPOCH));
            // A note changed within the last seconds is read in any case: its next change may leave size
            // and time as they are.
            let settled = stamp.1.elapsed().is_ok_and(|age| age.as_secs() >= 2);
            let known = self.notes.get(&path);
            if !(settled && known.is_some_and(|known| known.stamp == stamp)) {
                match read_note(entry.path(), stamp.0) {
                    Ok(text) => self.take(&path, stamp, &text),
                    Err(message) => {
                        self.problems.push(Diagnostic::of_file(format!("{NOTES}/{path}"), message));
                        continue;
                    }
                }
            }
            found.insert(path);
        }
        self.notes.retain(|path, _| found.contains(path));
        !before.is_subset(&self.written())
    }

    /// Notes that have any text.
    fn written(&self) -> BTreeSet<String> {
        let written = self.notes.iter().filter(|(_, parsed)| !parsed.note.source.is_empty());
        written.map(|(path, _)| path.clone()).collect()
    }

    fn take(&mut self, path: &str, stamp: (u64, SystemTime), text: &str) {
        match self.notes.get_mut(path) {
            Some(known) if *known.note.source == *text => known.stamp = stamp,
            _ => {
                let note = Arc::new(Note::parse(path, &format!("{NOTES}/{path}"), text));
                self.notes.insert(path.to_owned(), Parsed { stamp, note });
            }
        }
    }
}

/// What is wrong with a template, as everything else that is wrong is said.
pub fn template_problem(error: &RenderError) -> Diagnostic {
    let mut problem = Diagnostic::of_file(error.template.clone(), error.message.clone());
    problem.line = error.line.unwrap_or(1);
    problem.hint(error.hint.clone())
}

fn visible(entry: &walkdir::DirEntry) -> bool {
    entry.depth() == 0 || !entry.file_name().to_string_lossy().starts_with('.')
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
