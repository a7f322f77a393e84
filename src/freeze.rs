//! Frozen results: exports everything that publishing needs from a garden's store, and lets a workspace use such an
//! export instead of its store, weights and data.
//!
//! ```text
//! frozen/
//!   frozen.json            facts about weights and data for planning
//!   v1/blobs/ab/<digest>   outputs that pages show, and lists of words that blocks use as texts
//!   v1/records/ab/<key>.json
//! ```
//!
//! Names contain digests and equal results have equal bytes: freezing again writes only what differs, so the folder
//! can be kept in git. What pages do not show, such as the activations of a scan, is not exported.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use neuronotes_core::dataset::Samples;
use neuronotes_core::digest::Digest;
use neuronotes_core::file;
use neuronotes_core::kind::{Kind, Type, scan};
use neuronotes_core::place;
use neuronotes_core::problem::Problem;
use neuronotes_core::request::Request;
use neuronotes_core::seal;
use neuronotes_core::store::Store;
use neuronotes_core::suggest;

use crate::diagnostic::{Diagnostic, Severity};
use crate::note::Note;
use crate::plan::Plan;
use crate::resource::{Facts, SCHEMA, Thawed};
use crate::site::{Progress, Site};
use crate::workspace::{Workspace, WorkspaceError};

/// Default folder of frozen results, relative to the garden.
pub const FOLDER: &str = "frozen";
/// The file of facts in that folder.
const FACTS: &str = "frozen.json";
/// Maximum size of that file in bytes.
const LONGEST: u64 = 512 << 20;

/// Why freezing failed, or why frozen results cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FreezeError {
    /// The garden cannot be used.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    /// There is no block of a name that was asked for.
    #[error(transparent)]
    Asked(#[from] Problem),
    /// The workers of a profile cannot be used, or would cost too much.
    #[error(transparent)]
    Run(Problem),
    /// The program was interrupted, and what has become of the workers.
    #[error("{0}")]
    Interrupted(String),
    /// The folder contains something else.
    #[error("{} is not empty and contains no frozen results\nhint: use another folder", .0.display())]
    Occupied(PathBuf),
    /// The folder contains no frozen results.
    #[error(
        "there are no frozen results in {}\nhint: run `neuronotes freeze` on a machine that has them measured", .0.display()
    )]
    Missing(PathBuf),
    /// The file of facts is damaged or of another version.
    #[error("{} cannot be used: {why}\nhint: run `neuronotes freeze` again on a machine that has the results measured", path.display())]
    Unusable {
        /// Path of the file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// An error of the file system.
    #[error("cannot {what} {} ({source}){}", path.display(), file::hint(source).map(|hint| format!("\nhint: {hint}")).unwrap_or_default())]
    Io {
        /// The action that failed.
        what: &'static str,
        /// The path.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

fn io_error<'a>(what: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> FreezeError + 'a {
    move |source| FreezeError::Io { what, path: path.to_owned(), source }
}

/// The outcome of freezing.
#[derive(Debug)]
pub struct Report {
    /// The frozen site, with every source that diagnostics refer to.
    pub site: Site,
    /// All problems; if there is an error, nothing was written.
    pub problems: Vec<Diagnostic>,
    /// Folder of the frozen results.
    pub folder: PathBuf,
    /// Number of results in it.
    pub results: usize,
    /// Size of the folder's files in bytes.
    pub bytes: u64,
    /// Number of files written.
    pub written: usize,
    /// Number of files that were already there.
    pub kept: usize,
    /// Number of unused files that were removed.
    pub removed: usize,
    /// Whether something was missing, so that nothing was frozen.
    pub failed: bool,
}

/// Freezes the results that the site of the garden in `root` needs, into `to` or the garden's default folder.
///
/// # Errors
/// If the folder is not a garden, or the other folder cannot be written to or contains something else.
pub fn freeze(root: &Path, to: Option<&Path>) -> Result<Report, FreezeError> {
    let workspace = Workspace::open(root)?;
    let folder = match to {
        Some(folder) => std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned()),
        None => workspace.root.join(FOLDER),
    };
    let occupied = fs::read_dir(&folder).is_ok_and(|mut entries| entries.next().is_some());
    if occupied && !folder.join(FACTS).is_file() {
        return Err(FreezeError::Occupied(folder));
    }
    let mut site = Site::new(workspace, Progress::default());
    let missing = site.missing();
    let why = (
        "this has not been measured yet".to_owned(),
        Some("`neuronotes build` measures it".to_owned()),
    );
    site.progress.failed = missing.iter().map(|(key, _)| (*key, why.clone())).collect();
    let mut problems = site.all_problems();
    problems.extend(site.unscanned(&missing));
    site.workspace.save_digests();
    let mut report = Report {
        site,
        problems,
        folder,
        results: 0,
        bytes: 0,
        written: 0,
        kept: 0,
        removed: 0,
        failed: false,
    };
    if report.problems.iter().all(|problem| problem.severity < Severity::Error) {
        report.write()?;
    }
    report.failed = report.problems.iter().any(|problem| problem.severity == Severity::Error);
    Ok(report)
}

/// Pictures and files of weights that blocks name.
fn files(plan: &Plan) -> BTreeMap<String, Digest> {
    let inputs = plan.requests.iter().map(|(_, request)| &request.inputs);
    let named = inputs.flat_map(|inputs| inputs.pictures.iter().chain(&inputs.files));
    named.map(|file| (file.name.clone(), file.digest)).collect()
}

/// Lists of words that blocks use as texts; planning needs their words.
fn lists(notes: &[Arc<Note>], facts: &Facts) -> BTreeSet<String> {
    let texts = |kind: &Kind| kind.all_fields().filter(|field| field.ty == Type::Texts);
    let mut names = BTreeSet::new();
    for block in notes.iter().flat_map(|note| &note.blocks) {
        let fields = block.kind.into_iter().flat_map(texts);
        let given = fields.filter_map(|field| block.fields.get(field.name));
        let swept = block.sweep.iter().flat_map(|axis| &axis.values);
        let all = given.chain(swept).filter_map(|value| value.value.as_str());
        let list = |name: &&str| {
            facts.datasets.get(*name).is_some_and(|known| known.format.samples == Samples::Words)
        };
        names.extend(all.filter(list).map(str::to_owned));
    }
    names
}

/// The keys of all results that pages show or mention.
fn keys(plan: &Plan) -> BTreeSet<Digest> {
    let mut keys = BTreeSet::new();
    for measurement in plan.measurements() {
        keys.insert(measurement.key);
        keys.extend(plan.baseline(measurement).map(|(_, key)| key));
        let scans = measurement.request.uses.iter().filter(|used| used.kind == scan::NAME);
        keys.extend(scans.map(Request::key));
    }
    keys
}

impl Report {
    /// Writes everything that publishing needs; files to which others refer come first.
    fn write(&mut self) -> Result<(), FreezeError> {
        let mut facts = self.site.resources().facts(&self.site.workspace.config);
        facts.files = files(self.site.plan());
        let lists = lists(&self.site.workspace.notes(), &facts);
        let shards = lists.iter().flat_map(|name| self.site.resources().shards(name));
        let lists: Vec<PathBuf> = shards.map(Path::to_owned).collect();
        let (store, frozen) = (self.site.workspace.store.clone(), Store::frozen(&self.folder));
        let mut needed = BTreeSet::new();
        let mut records = Vec::new();
        for key in keys(self.site.plan()) {
            let Some(record) = store.record(&key) else { continue };
            for (name, output) in
                record.outputs.iter().filter(|(name, output)| output.is_shown(name))
            {
                let path = frozen.blob_path(&output.digest);
                if !needed.insert(path.clone()) {
                    continue;
                }
                let Some(bytes) = store.blob(&output.digest) else {
                    let file = store.blob_path(&output.digest).display().to_string();
                    let (kind, article) = (&record.kind, suggest::article(&record.kind));
                    let message =
                        format!("the stored output `{name}` of {article} `{kind}` was damaged");
                    let hint = "`neuronotes build` measures it again".to_owned();
                    self.problems.push(Diagnostic::of_file(file, message).hint(hint));
                    return Ok(());
                };
                self.put(&path, &bytes)?;
            }
            records.push(record);
        }
        for path in &lists {
            let bytes = fs::read(path).map_err(io_error("read", path))?;
            let path = frozen.blob_path(&Digest::of(&bytes));
            self.put(&path, &bytes)?;
            needed.insert(path);
        }
        // A record is written when its outputs are there, and the facts when all records are.
        for record in &records {
            let path = frozen.record_path(&record.key);
            self.put(&path, &record.bytes())?;
            needed.insert(path);
        }
        self.results = records.len();
        let json = serde_json::to_vec_pretty(&facts).unwrap_or_default();
        self.put(&self.folder.join(FACTS), &seal::seal(&json))?;
        for path in frozen.results().map_err(WorkspaceError::from)? {
            if !needed.contains(&path) {
                fs::remove_file(&path).map_err(io_error("remove", &path))?;
                self.removed += 1;
                // Fails if the folder is not empty.
                let _ = path.parent().map(fs::remove_dir);
            }
        }
        Ok(())
    }

    /// Writes a file unless it already has these bytes.
    fn put(&mut self, path: &Path, bytes: &[u8]) -> Result<(), FreezeError> {
        self.bytes += bytes.len() as u64;
        if place::read(path, bytes.len() as u64).is_ok_and(|old| old == bytes) {
            self.kept += 1;
            return Ok(());
        }
        let folder = path.parent().unwrap_or(&self.folder);
        // Links in the folder may have come with the garden.
        let within = path.strip_prefix(&self.folder).unwrap_or(path);
        place::below(&self.folder, within).map_err(io_error("write", path))?;
        fs::create_dir_all(folder).map_err(io_error("make", folder))?;
        file::replace(folder, path, bytes).map_err(io_error("write", path))?;
        self.written += 1;
        Ok(())
    }
}

/// Makes a workspace use the results frozen in `folder`, or else in the garden's default folder: nothing is measured,
/// and weights and data are not read.
///
/// # Errors
/// If there are none, or they cannot be used.
pub fn thaw(workspace: &mut Workspace, folder: Option<&Path>) -> Result<PathBuf, FreezeError> {
    let folder = match folder {
        Some(folder) => std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned()),
        None => workspace.root.join(FOLDER),
    };
    let path = folder.join(FACTS);
    let unusable = |why: String| FreezeError::Unusable { path: path.clone(), why };
    let bytes = match place::read(&path, LONGEST) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(FreezeError::Missing(folder));
        }
        bytes => bytes.map_err(io_error("read", &path))?,
    };
    let json = seal::open(&bytes).whole();
    let json = json.ok_or_else(|| unusable("it is damaged or was changed by hand".to_owned()))?;
    let facts: Facts = serde_json::from_slice(&json)
        .map_err(|error| unusable(format!("its format is unknown ({error})")))?;
    if facts.schema != SCHEMA {
        return Err(unusable(format!("it has version {}, not {SCHEMA}", facts.schema)));
    }
    let store = Store::frozen(&folder);
    workspace.store = store.clone();
    workspace.thawed = Some(Arc::new(Thawed { facts, store }));
    Ok(folder)
}
