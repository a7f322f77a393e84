//! One side of a comparison: a garden's folder and one of its ends in, a site with its stored results out. Nothing is measured.
//!
//! Of a revision, only the files that differ from those on disk are written to a temporary folder, and only its changed notes
//! are parsed. Weights and data that have not changed are read where they are.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;
use std::path::Path;

use neuronotes_core::cut::Cut as _;
use neuronotes_core::problem::Problem;
use serde::Serialize;

use super::end::End;
use crate::config;
use crate::config::layout::{self, OUTPUT, within};
use crate::freeze;
use crate::git::{Changes, Commit, Entry, Repository};
use crate::site::{Progress, Site};
use crate::workspace::Workspace;

/// One side of a comparison.
#[derive(Debug)]
pub struct Side {
    /// What it is.
    pub label: Label,
    /// Its site.
    pub site: Site,
    /// Why results may be missing, such as data that git does not have.
    pub remarks: Vec<String>,
    /// The commit, if it is a revision.
    commit: Option<String>,
    /// Paths of files on disk by their paths in this revision, if they differ.
    renamed: BTreeMap<String, String>,
    /// Files that are not those on disk.
    _folder: Option<tempfile::TempDir>,
}

/// What a side is, for readers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Label {
    /// `worktree`, `revision` or `frozen`.
    pub is: &'static str,
    /// As it was written, or `worktree`.
    pub name: String,
    /// The commit's hash.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The commit's day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// The first line of its message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
}

impl Label {
    fn of(is: &'static str, name: impl Into<String>) -> Self {
        Self { is, name: name.into(), commit: None, date: None, subject: None }
    }

    /// `HEAD (1a2b3c4d, 2026-11-30)`, or `the files on disk`.
    pub fn text(&self) -> String {
        match (&self.commit, &self.date) {
            (Some(commit), Some(date)) => {
                let short = commit.get(..8).unwrap_or(commit);
                let name = if commit.starts_with(&self.name) { "" } else { &self.name };
                let name = if name.is_empty() { String::new() } else { format!("{name}, ") };
                format!("{name}{short} of {date}")
            }
            _ if self.is == "frozen" => format!("the results in {}", self.name),
            _ => "the files on disk".to_owned(),
        }
    }
}

/// Both sides of a comparison, and the renames between them.
#[derive(Debug)]
pub struct Sides {
    /// The earlier one.
    pub a: Side,
    /// The later one.
    pub b: Side,
    /// Notes' new paths by old ones, relative to the notes folder.
    pub renamed: BTreeMap<String, String>,
}

/// How to compare.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Whether drafts are compared too.
    pub drafts: bool,
    /// Whether results are taken from each side's own folder of frozen results.
    pub frozen: bool,
}

/// Opens both ends of a comparison of the garden in `root`.
///
/// # Errors
/// If the folder is not a garden, there is no such revision, or frozen results cannot be used.
pub fn open(root: &Path, (a, b): (&End, &End), options: Options) -> Result<Sides, Problem> {
    let failed = |error: &dyn std::fmt::Display| {
        let text = error.to_string();
        match text.split_once("\nhint: ") {
            Some((message, hint)) => Problem::new(message).hint(hint),
            None => Problem::new(text),
        }
    };
    let mut base = Workspace::open(root).map_err(|error| failed(&error))?;
    base.drafts = options.drafts;
    base.leave_out(&base.root.join(OUTPUT));
    let mut git = None;
    let mut repository = || match &git {
        Some(known) => Ok(Repository::clone(known)),
        None => {
            let found = Repository::of(&base.root)?;
            git = Some(found.clone());
            Ok::<_, Problem>(found)
        }
    };
    let mut open = |end: &End| -> Result<Side, Problem> {
        match end {
            End::Revision(name) => {
                let repository = repository()?;
                let commit = repository.commit(name)?;
                revision(&base, &repository, (name, commit), options.frozen)
            }
            End::Worktree | End::Frozen(_) => {
                let same = base.revision(base.root.clone(), []);
                let mut workspace = same.map_err(|error| failed(&error))?;
                let mut label = Label::of("worktree", "worktree");
                let folder = match end {
                    End::Frozen(folder) => {
                        label = Label::of("frozen", folder.display().to_string());
                        Some(Some(folder.as_path()))
                    }
                    _ => options.frozen.then_some(None),
                };
                if let Some(folder) = folder {
                    freeze::thaw(&mut workspace, folder).map_err(|error| failed(&error))?;
                }
                Ok(Side::new(label, workspace))
            }
        }
    };
    let (a, mut b) = (open(a)?, open(b)?);
    b.site.workspace.save_digests();
    let notes = |renamed: BTreeMap<String, String>| {
        let path = |file: &String| base.layout.path(file).map(str::to_owned);
        renamed.iter().filter_map(|(old, new)| Some((path(old)?, path(new)?))).collect()
    };
    let renamed = match (&a.commit, &b.commit) {
        (Some(old), Some(new)) => repository()?.renames(old, new)?,
        (Some(_), None) => a.renamed.clone(),
        (None, Some(_)) => b.renamed.iter().map(|(old, new)| (new.clone(), old.clone())).collect(),
        (None, None) => BTreeMap::new(),
    };
    let renamed = notes(renamed);
    Ok(Sides { a, b, renamed })
}

impl Side {
    fn new(label: Label, workspace: Workspace) -> Self {
        let site = Site::new(workspace, Progress { preview: true, ..Progress::default() });
        let (remarks, renamed) = (Vec::new(), BTreeMap::new());
        Self { label, site, remarks, commit: None, renamed, _folder: None }
    }
}

/// The garden at a revision.
fn revision(
    base: &Workspace,
    repository: &Repository,
    (name, commit): (&str, Commit),
    frozen: bool,
) -> Result<Side, Problem> {
    let unwritable = |error: std::io::Error| {
        Problem::new(format!("no temporary folder can be written to ({error})"))
    };
    let changes = repository.changes(&commit.hash, base.layout.notes())?;
    let files = repository.files(&commit.hash)?;
    let folder =
        tempfile::Builder::new().prefix("neuronotes-diff-").tempdir().map_err(unwritable)?;
    let root = folder.path().canonicalize().map_err(unwritable)?;
    // What a garden is, is seen from the folders in it.
    for path in files.keys() {
        if let Some((first, _)) = path.split_once('/') {
            let _ = fs::create_dir(root.join(first));
        }
    }
    let data: Vec<String> = base.data().into_iter().map(str::to_owned).collect();
    let wanted = wanted(base, &changes, &files, &data);
    let missing = repository.extract(wanted.iter().map(|path| (*path, &files[*path])), &root)?;
    // What blocks may name; other pointers matter to nobody.
    let asked = Named::of(base);
    let missing: Vec<String> = missing.into_iter().filter(|path| asked.has(path)).collect();
    let named = config::FILE.to_owned();
    let mut changed: BTreeSet<&str> = changes.paths.iter().map(String::as_str).collect();
    if is_whole(base, &changes) {
        changed.extend(wanted.iter().copied().filter(|path| base.layout.path(path).is_some()));
        changed.insert(&named);
    }
    let failed = |error: crate::workspace::WorkspaceError| Problem::new(error.to_string());
    let mut workspace = base.revision(root.clone(), changed).map_err(failed)?;
    let mut label = Label::of("revision", name);
    label.commit = Some(commit.hash.clone());
    label.date = Some(commit.date);
    label.subject = Some(commit.subject);
    let mut remarks = unfetched(&missing, &commit.hash);
    if frozen {
        let below = |path: &&String| within(path, freeze::FOLDER);
        let frozen = files.iter().filter(|(path, _)| below(path));
        repository.extract(frozen.map(|(path, entry)| (path.as_str(), entry)), &root)?;
        let thawed = freeze::thaw(&mut workspace, Some(&root.join(freeze::FOLDER)));
        thawed.map_err(|_| {
            let message = format!("`{name}` has no usable folder `{}`", freeze::FOLDER);
            Problem::new(message)
                .hint("commit what `neuronotes freeze` writes, or leave out `--frozen`")
        })?;
    } else {
        let written: Vec<String> = workspace.data().into_iter().map(str::to_owned).collect();
        let differs = |written: &str| {
            let place = place(written);
            changes.paths.iter().any(|path| within(path, place))
        };
        let differing = written.iter().filter(|written| differs(written));
        let places: BTreeSet<&str> = differing.map(|written| place(written)).collect();
        let inside =
            files.iter().filter(|(path, _)| places.iter().any(|place| within(path, place)));
        let inside = inside.map(|(path, entry)| (path.as_str(), entry));
        remarks.extend(unfetched(&repository.extract(inside, &root)?, &commit.hash));
        workspace.borrow_data(base, differs);
    }
    let mut side = Side::new(label, workspace);
    side.remarks = remarks;
    side.commit = Some(commit.hash);
    side.renamed = changes.renamed;
    side._folder = Some(folder);
    Ok(side)
}

/// The files of a revision to write, other than data.
fn wanted<'f>(
    base: &Workspace,
    changes: &Changes,
    files: &'f BTreeMap<String, Entry>,
    data: &[String],
) -> Vec<&'f str> {
    let is_changed: HashSet<&str> = changes.paths.iter().map(String::as_str).collect();
    let whole = is_whole(base, changes);
    let named = Named::of(base);
    let config = &base.config;
    let beside = [&config.bibliography, &config.math.preamble];
    let is_beside =
        |path: &str| beside.into_iter().flatten().any(|source| within(path, &source.written));
    let skipped = |path: &str| {
        let own = [OUTPUT, freeze::FOLDER, layout::TEMPLATES];
        let is_own = own.iter().any(|own| within(path, own) && base.layout.path(path).is_none());
        is_own || data.iter().any(|written| within(path, place(written)))
    };
    let is_wanted = |path: &&str| {
        let is_config = *path == config::FILE || *path == layout::JEKYLL;
        // What a changed note names is not known before it is read.
        let is_named = is_changed.contains(path) || named.has(path) || whole;
        is_config || is_beside(path) || (is_named && !skipped(path))
    };
    files.keys().map(String::as_str).filter(is_wanted).collect()
}

/// Whether all notes must be read again: a change decides which folder they are in, or what they contain.
fn is_whole(base: &Workspace, changes: &Changes) -> bool {
    let preamble = base.config.math.preamble.as_ref();
    changes.paths.iter().any(|path| {
        layout::decides(path)
            || within(path, layout::INCLUDES)
            || preamble.is_some_and(|preamble| within(path, &preamble.written))
    })
}

/// The files that blocks may name.
struct Named<'a> {
    words: HashSet<&'a str>,
    folders: HashSet<&'a str>,
}

impl<'a> Named<'a> {
    fn of(base: &'a Workspace) -> Self {
        let ends = |c: char| c.is_whitespace() || "\"'[]{},".contains(c);
        // Notes live as long as the workspace that shares them.
        let all = base.blocks();
        let words: HashSet<&str> = all
            .flat_map(|yaml| yaml.split(ends))
            .map(|word| word.strip_prefix("./").unwrap_or(word))
            .filter(|word| word.contains(['/', '.']))
            .collect();
        let patterns = words.iter().filter(|word| word.contains(['*', '?', '[']));
        let folders = patterns.map(|word| word.rsplit_once('/').map_or("", |(folder, _)| folder));
        Self { folders: folders.collect(), words }
    }

    fn has(&self, path: &str) -> bool {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        // A path with a space is several words; its last one ends like it.
        let last = path.rsplit(' ').next().unwrap_or(path);
        self.words.contains(path) || self.folders.contains(folder) || self.words.contains(last)
    }
}

/// The folder or file at the beginning of a path with patterns.
fn place(written: &str) -> &str {
    let written = written.strip_prefix("./").unwrap_or(written);
    match written.find(['*', '?', '[', '{']) {
        Some(end) => written.cut(..end).rsplit_once('/').map_or("", |(folder, _)| folder),
        None => written.trim_end_matches('/'),
    }
}

fn unfetched(missing: &[String], commit: &str) -> Vec<String> {
    let one = |path: &String| {
        let short = commit.get(..8).unwrap_or(commit);
        format!(
            "of `{path}`, git has only a pointer at {short}: `git lfs fetch origin {commit}` brings it"
        )
    };
    missing.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn data_begin_where_a_pattern_does() {
        for (written, begins) in [
            ("data/emoji.tar", "data/emoji.tar"),
            ("./data/{a,b}.tar", "data"),
            ("data/set/*.tar", "data/set"),
            ("pictures/", "pictures"),
            ("*.tar", ""),
        ] {
            assert_eq!(place(written), begins);
        }
    }
}
