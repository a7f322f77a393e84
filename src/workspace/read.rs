//! Reads a garden's configuration, templates, notes and names of other files, and determines what changed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use neuronotes_core::file::{self, Refused};
use rayon::prelude::*;
use walkdir::WalkDir;

use super::link;
use super::text::{self, Unread};
use super::{Parsed, Stamp, Touched, Workspace, relative};
use crate::config;
use crate::config::layout::{self, Kind, Layout, TEMPLATES, within};
use crate::diagnostic::Diagnostic;
use crate::guard;
use crate::handles::is_passing;
use crate::jekyll;
use crate::note::Note;
use crate::render::Renderer;
use crate::watch::noise::of_editors;

impl Workspace {
    pub(super) fn read_config(&mut self, touched: &mut Touched) {
        let mut problems = Vec::new();
        let mut passing = BTreeSet::new();
        let read = |name: &str| file::read_in(&self.root, &self.root.join(name), config::LONGEST);
        let mut read = |name: &str, last: &str| match read(name).and_then(file::text) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) if is_passing(&error) => {
                problems.push(later(name.to_owned(), &error));
                passing.insert(name.to_owned());
                last.to_owned()
            }
            Err(error) => {
                let message = format!("the configuration cannot be read ({error})");
                let hint = file::read_hint(&error).map(str::to_owned);
                problems.push(Diagnostic::of_file(name, message).hint(hint));
                String::new()
            }
        };
        let mut text = read(config::FILE, &self.config_text);
        let gone = !self.config_text.is_empty() && !self.root.join(config::FILE).exists();
        if gone {
            // Without it all pages could change, so the last version stays in use until the user decides.
            text.clone_from(&self.config_text);
        }
        let mut jekyll_text = String::new();
        if layout::looks_like(&self.root) == Some(Kind::Jekyll) {
            jekyll_text = read(layout::JEKYLL, &self.jekyll_text);
        }
        self.passing.extend(passing);
        let read = guard::run("reading the configuration", config::FILE, || {
            let (theirs, of_theirs) = config::parse_jekyll(&jekyll_text);
            let (config, mut own) = config::parse_over(theirs, &text, &self.root);
            let layout = Layout::of(&self.root, &config).unwrap_or_default();
            if layout.kind != Kind::Jekyll {
                let (config, own) = config::parse(&text, &self.root);
                return (config, layout, own);
            }
            own.splice(0..0, of_theirs);
            (config, layout, own)
        });
        // The previous configuration stays in use.
        let (config, mut layout, own) = read.unwrap_or_else(|panicked| {
            let problem = Diagnostic::of_panic(config::FILE, &panicked);
            (self.config.clone(), self.layout.clone(), vec![problem])
        });
        for folder in &self.outputs {
            layout.leave_out(folder);
        }
        problems.extend(own);
        if gone {
            let message = "the configuration was removed; the last version stays in use";
            let hint = "restore it, or restart the preview to continue without it".to_owned();
            problems.push(Diagnostic::of_file(config::FILE, message).hint(hint));
        }
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

    pub(super) fn read_templates(&mut self, touched: &mut Touched) {
        let own = self.root.join(TEMPLATES);
        let before = self.renderer.digest();
        let own = self.layout.has_theme(&self.root).then(|| file::within(&self.root, &own));
        let problem = match own.transpose() {
            Ok(own) => match guard::run("reading the templates", TEMPLATES, || {
                Renderer::new(own.as_deref())
            }) {
                Ok(Ok(renderer)) => {
                    self.renderer = renderer;
                    None
                }
                Ok(Err(error)) => Some(error),
                Err(panicked) => Some(Diagnostic::of_panic(TEMPLATES, &panicked)),
            },
            Err(error) => Some(link::folder(TEMPLATES, &error)),
        };
        touched.templates |= before != self.renderer.digest() || problem != self.template_problem;
        self.template_problem = problem;
    }

    pub(super) fn read_dates(&mut self, touched: &mut Touched) {
        let read =
            guard::run("reading the dates of commits", ".git", || self.git.look_again(&self.root));
        self.date_problem = read.as_ref().err().map(|found| Diagnostic::of_panic(".git", found));
        if read.unwrap_or(false) {
            touched.dates = true;
            self.commits.save();
            self.date_claims();
        }
    }

    /// The notes folder with all links resolved. It must be in the garden unless the configuration names it: then a
    /// link to notes elsewhere is intended.
    fn notes_folder(&self) -> Result<PathBuf, Box<Diagnostic>> {
        let notes = self.layout.notes();
        let folder = self.root.join(notes);
        let named = self.config.notes.is_some();
        match file::within(&self.root, &folder) {
            Err(error) if Refused::of(&error).is_some() && !named => {
                let hint = format!(
                    "if that is intended, add `notes: {notes}` to {}, or build the link's target with `--root`",
                    config::FILE
                );
                Err(Box::new(link::folder(notes, &error).hint(hint)))
            }
            Ok(real) => Ok(real),
            // A missing folder contains nothing to read.
            Err(_) => Ok(folder.canonicalize().unwrap_or(folder)),
        }
    }

    /// Reads the note or other file at a path of the notes folder, or everything below it, either always or only if
    /// it seems to have changed.
    pub(super) fn read_below(&mut self, path: &str, anew: bool, touched: &mut Touched) {
        if !self.layout.reads(&self.layout.file(path)) || path.split('/').any(of_editors) {
            return;
        }
        let folder = self.root.join(self.layout.notes());
        let real = match self.notes_folder() {
            Ok(real) => real,
            Err(problem) => {
                touched.unread |= self.unread.insert(String::new(), *problem).is_none();
                touched.notes.extend(std::mem::take(&mut self.notes).into_keys());
                self.links.clear();
                return;
            }
        };
        let mut found = BTreeSet::new();
        let mut notes = Vec::new();
        let is_here = |known: &str| {
            path.is_empty()
                || known == path
                || known.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'))
        };
        self.unread.retain(|known, _| !is_here(known));
        // Links are followed among the notes only: what else they point to is not meant to be published.
        let walk = WalkDir::new(folder.join(path)).follow_links(true).sort_by_file_name();
        let layout = self.layout.clone();
        let mut links = BTreeMap::new();
        let mut refused = Vec::new();
        let mut unnamed = Vec::new();
        let visible = |entry: &walkdir::DirEntry| {
            let name = relative(entry.path(), &folder);
            if of_editors(&entry.file_name().to_string_lossy())
                || !layout.reads(&layout.file(&name))
            {
                return false;
            }
            // Such names may be equal as text, and cannot be linked to.
            if !file::is_text(Path::new(entry.file_name())) {
                let name = file::name(entry.path().strip_prefix(&folder).unwrap_or(entry.path()));
                unnamed.push((name.clone(), link::no_text(layout.file(&name))));
                return false;
            }
            // The notes folder itself may lie elsewhere.
            if !entry.path_is_symlink() || name.is_empty() {
                return true;
            }
            match link::target(&folder, &layout, entry.path()) {
                Ok(target) => {
                    links.insert(name, target);
                    true
                }
                Err(why) => {
                    refused.push((name, why));
                    false
                }
            }
        };
        let mut unread = Vec::new();
        let mut unseen: Vec<String> = Vec::new();
        for entry in walk.into_iter().filter_entry(visible) {
            let entry = match entry {
                Ok(entry) => entry,
                // A missing path is not an error.
                Err(error) if error.depth() == 0 && is_gone(&error) => break,
                Err(error) => {
                    let at = error.path().map_or(path.to_owned(), |path| relative(path, &folder));
                    if let Some(cause) = error.io_error().filter(|cause| is_passing(cause)) {
                        // Everything below it stays as it was until it can be read.
                        unread.push((at.clone(), later(layout.file(&at), cause)));
                        self.passing.insert(layout.file(&at));
                        unseen.push(at);
                        continue;
                    }
                    unread.push((at.clone(), not_walked(&error, layout.file(&at))));
                    continue;
                }
            };
            if entry.file_type().is_file() {
                let name = relative(entry.path(), &folder);
                match layout.is_note(&layout.file(&name)) {
                    true => notes.push((name.clone(), entry.path().to_owned())),
                    false => {
                        touched.listed |= self.files.insert(name.clone());
                        touched.files.insert(name.clone());
                        if layout::seems_note(&name) {
                            unread.push((name.clone(), link::no_note(layout.file(&name))));
                        }
                    }
                }
                found.insert(name);
            } else if !entry.file_type().is_dir() {
                let name = relative(entry.path(), &folder);
                let why = file::open_in(&real, entry.path()).err();
                unread
                    .extend(why.map(|why| (name.clone(), link::no_file(layout.file(&name), &why))));
            }
        }
        if path.is_empty() {
            let folders = layout.unread_notes(&self.root).into_iter();
            unread.extend(folders.map(|name| (name.to_owned(), link::no_folder(name))));
        }
        unread.extend(unnamed);
        let refused = refused.into_iter();
        unread.extend(refused.map(|(name, why)| (name.clone(), why.problem(layout.file(&name)))));
        for (name, problem) in unread {
            touched.unread |= self.unread.insert(name, problem).is_none();
        }
        self.links.retain(|known, _| !is_here(known));
        self.links.extend(links);
        self.read_notes(notes, &real, anew, touched);
        let is_seen = |known: &str| !unseen.iter().any(|folder| within(known, folder));
        let gone = |known: &&String| is_here(known) && !found.contains(*known) && is_seen(known);
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

    /// Reads notes on all cores.
    fn read_notes(
        &mut self,
        notes: Vec<(String, PathBuf)>,
        real: &Path,
        anew: bool,
        touched: &mut Touched,
    ) {
        let this = &*self;
        let read = notes.into_par_iter().map(|(path, file)| {
            let read = guard::run("reading the note", &path, || {
                this.read_note(&path, (real, &file), anew)
            });
            let failed = |found| Diagnostic::of_panic(this.layout.file(&path), &found);
            let read = read.unwrap_or_else(|found| Read::Failed(Box::new(failed(found))));
            (path, read)
        });
        for (path, read) in read.collect::<Vec<_>>() {
            match read {
                Read::Same(stamp) => {
                    if let (Some(stamp), Some(known)) = (stamp, self.notes.get_mut(&path)) {
                        known.stamp = stamp;
                    }
                }
                Read::New(parsed) => {
                    self.notes.insert(path.clone(), *parsed);
                    touched.notes.insert(path);
                }
                // If the note was ever read, it stays as it was.
                Read::Later(error) => {
                    let file = self.layout.file(&path);
                    self.passing.insert(file.clone());
                    self.unread.insert(path, later(file, &error));
                    touched.unread = true;
                }
                // The earlier note is dropped, because its page would not match the file.
                Read::Failed(problem) => {
                    self.unread.insert(path.clone(), *problem);
                    touched.unread = true;
                    if self.notes.remove(&path).is_some() {
                        touched.notes.insert(path);
                    }
                }
            }
        }
    }

    fn read_note(&self, path: &str, (real, file): (&Path, &Path), anew: bool) -> Read {
        let stamp = fs::metadata(file).ok().and_then(|meta| text::stamp(&meta));
        let stamp = stamp.unwrap_or((0, SystemTime::UNIX_EPOCH, 0));
        // A note changed within the last seconds is read in any case: its next change may leave its stamp as it is.
        let settled = stamp.1.elapsed().is_ok_and(|age| age.as_secs() >= 2);
        let known = self.notes.get(path);
        let same = known.is_some_and(|known| known.stamp == stamp);
        if same && settled && !anew {
            return Read::Same(None);
        }
        match text::read(real, file) {
            Ok(text) if known.is_some_and(|known| *known.note.source == *text) => {
                Read::Same(Some(stamp))
            }
            Ok(text) => {
                let note = Note::parse_with(
                    path,
                    &self.layout.file(path),
                    &text,
                    &text,
                    &self.defined.macros,
                );
                let note = match known {
                    Some(known) => note.after(&known.note),
                    None => note,
                };
                let note = Arc::new(note);
                let special = self.layout.kind == Kind::Jekyll && jekyll::is_special(&note);
                Read::New(Box::new(Parsed { stamp, note, special, shown: None }))
            }
            Err(Unread::Now(error)) => Read::Later(error),
            Err(Unread::Ever(message, hint)) => {
                let problem = Diagnostic::of_file(self.layout.file(path), message);
                Read::Failed(Box::new(problem.hint(hint.map(str::to_owned))))
            }
        }
    }
}

/// The outcome of reading a note.
enum Read {
    /// Its text is unchanged; with the file's stamp, if it was determined.
    Same(Option<Stamp>),
    /// It has a new text.
    New(Box<Parsed>),
    /// It temporarily cannot be read.
    Later(io::Error),
    /// It cannot be read.
    Failed(Box<Diagnostic>),
}

/// The warning about something that temporarily cannot be read.
fn later(file: String, error: &io::Error) -> Diagnostic {
    let message = format!("this cannot be read now ({error})");
    let hint = "the preview shows the last version and retries".to_owned();
    let file = if file.is_empty() { ".".to_owned() } else { file };
    Diagnostic::of_file(file, message).hint(hint)
}

/// Whether an error means that something no longer exists.
fn is_gone(error: &walkdir::Error) -> bool {
    let kind = error.io_error().map(std::io::Error::kind);
    matches!(kind, Some(std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory))
}

/// The problem with a folder or link that could not be entered.
fn not_walked(error: &walkdir::Error, file: String) -> Diagnostic {
    let file = if file.is_empty() { ".".to_owned() } else { file };
    if let Some(ancestor) = error.loop_ancestor() {
        let name = ancestor.file_name().unwrap_or_default().to_string_lossy();
        let message =
            format!("the link leads to its own parent folder `{name}` and is not followed");
        return link::passed_over(file, message, "remove the link, or change its target");
    }
    match error.io_error() {
        Some(cause) if is_gone(error) => {
            let message = format!("the link's target cannot be read ({cause})");
            link::passed_over(file, message, "remove the link, or fix its target")
        }
        cause => {
            let cause = cause.map_or_else(|| error.to_string(), ToString::to_string);
            let hint = "make it readable, or move it out of the notes".to_owned();
            Diagnostic::of_file(file, format!("this cannot be read ({cause})")).hint(hint)
        }
    }
}
