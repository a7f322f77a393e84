//! `neuronotes crate`: the garden as a research object for archives, an [RO-Crate] with the profile [Process Run Crate].
//!
//! ```text
//! DIR/
//!   ro-crate-metadata.json   what is here, and how each result was made
//!   CITATION.cff             how to cite it, if the garden has authors
//!   neuronotes.yaml, notes/, reviews/   as in the garden
//!   results/<key>/           the outputs of each result that pages show
//! ```
//!
//! Nothing is measured, and nothing is invented: what the crate must state and the garden does not is an error, and a result that is
//! missing is reported. The same garden and results give the same bytes.
//!
//! [RO-Crate]: https://w3id.org/ro/crate/1.1
//! [Process Run Crate]: https://w3id.org/ro/wfrun/process/0.5

mod citation;
mod entity;
mod fault;
mod folder;
mod run;
mod stated;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use neuronotes_core::digest::Digest;
use neuronotes_core::kind::scan;
use neuronotes_core::request::Request;
use serde_json::{Value, json};

use crate::config;
use crate::diagnostic::{Diagnostic, Severity};
use crate::freeze::{self, FreezeError};
use crate::garden::dates;
use crate::note::Note;
use crate::page::person;
use crate::plan::Wanted;
use crate::site::{Progress, Site};
use crate::workspace::Workspace;
use entity::{Graph, id, reference};
pub use fault::CrateError;
use folder::Folder;
use stated::{Needed, stated};

/// The folder of reviews in a garden.
const REVIEWS: &str = "reviews";

/// The outcome.
#[derive(Debug)]
pub struct Report {
    /// The site, with every source that diagnostics refer to.
    pub site: Site,
    /// All problems; if there is an error, nothing was written.
    pub problems: Vec<Diagnostic>,
    /// The folder of the crate.
    pub folder: PathBuf,
    /// Number of results in it.
    pub results: usize,
    /// Number of results that it lacks, since they have not been measured.
    pub missing: usize,
    /// Number of files written.
    pub written: usize,
    /// Number of files that were already there.
    pub kept: usize,
    /// Number of files of an earlier crate that were removed.
    pub removed: usize,
    /// Whether something was wrong, so that nothing was written.
    pub failed: bool,
}

/// Makes the crate of the garden in `root` in the folder `to`, from its store or from frozen results.
///
/// # Errors
/// If the folder is not a garden, or the other folder cannot be written to or contains something else.
pub fn make(root: &Path, to: &Path, frozen: Option<Option<&Path>>) -> Result<Report, CrateError> {
    let mut workspace = Workspace::open(root).map_err(FreezeError::from)?;
    let folder = std::path::absolute(to).unwrap_or_else(|_| to.to_owned());
    if let Some(from) = frozen {
        freeze::thaw(&mut workspace, from)?;
    }
    workspace.leave_out(&folder);
    let mut writer = Folder::open(&folder)?;
    let progress = Progress { preview: true, ..Progress::default() };
    let mut site = Site::new(workspace, progress);
    let mut problems: Vec<Diagnostic> = site.all_problems();
    site.workspace.save_digests();
    let (needed, unstated) = stated(&site.workspace);
    problems.extend(unstated);
    let mut report = Report {
        site,
        problems,
        folder,
        results: 0,
        missing: 0,
        written: 0,
        kept: 0,
        removed: 0,
        failed: false,
    };
    report.failed = report.problems.iter().any(|problem| problem.severity == Severity::Error);
    if let Some(needed) = needed.filter(|_| !report.failed) {
        report.write(&needed, &mut writer)?;
        (report.written, report.kept) = (writer.written, writer.kept);
        report.removed = writer.finish()?;
    }
    Ok(report)
}

/// The files of reviews, relative to the garden.
fn reviews(root: &Path) -> Vec<String> {
    let files = walkdir::WalkDir::new(root.join(REVIEWS)).sort_by_file_name().into_iter().flatten();
    let files = files.filter(|entry| entry.file_type().is_file());
    let files = files.filter(|entry| entry.path().extension().is_some_and(|it| it == "yaml"));
    let inside = |entry: walkdir::DirEntry| {
        let path = entry.path().strip_prefix(root).ok()?;
        let parts: Option<Vec<&str>> = path.iter().map(|part| part.to_str()).collect();
        Some(parts?.join("/"))
    };
    files.filter_map(inside).collect()
}

impl Report {
    /// Writes all files; the metadata, which names them, comes last.
    fn write(&mut self, needed: &Needed, folder: &mut Folder) -> Result<(), CrateError> {
        let mut graph = Graph::default();
        let root = self.site.workspace.root.clone();
        let config = self.site.workspace.config.clone();
        let notes = self.site.workspace.notes();
        let mut parts = Vec::new();
        let mut runs = Vec::new();
        let authors: Vec<Value> =
            config.authors.iter().map(|author| graph.described(person(author), "author")).collect();
        let terms: Vec<Value> = needed.license.terms.iter().map(|of| graph.license(of)).collect();
        let text = self.site.workspace.config_text.clone();
        if !text.is_empty() {
            folder.put(config::FILE, text.as_bytes())?;
            parts.push(graph.file(config::FILE, "Configuration of the garden", text.len()));
        }
        if let Some(source) = config.bibliography.as_ref() {
            // A file elsewhere has no place in the crate.
            let is_elsewhere = source.leaves() || Path::new(&source.written).is_absolute();
            if let (false, Ok(bytes)) = (is_elsewhere, source.read(config::LONGEST)) {
                folder.put(&source.written, &bytes)?;
                parts.push(graph.file(&source.written, "Bibliography", bytes.len()));
            }
        }
        for path in reviews(&root) {
            let bytes = neuronotes_core::place::read(&root.join(&path), config::LONGEST).map_err(
                |source| CrateError::Io { what: "read", path: root.join(&path), source },
            )?;
            folder.put(&path, &bytes)?;
            parts.push(graph.file(&path, "Review", bytes.len()));
        }
        let mut done = BTreeSet::new();
        for (index, note) in notes.iter().enumerate() {
            let path = root.join(&note.file);
            let bytes = neuronotes_core::place::read(&path, config::LONGEST)
                .map_err(|source| CrateError::Io { what: "read", path: path.clone(), source })?;
            folder.put(&note.file, &bytes)?;
            let figures = self.figures(index, note, folder, &mut graph, &mut runs, &mut done)?;
            parts.push(graph.note(note, bytes.len(), &self.dates(note), figures));
        }
        let results = graph.results();
        parts.extend(results);
        if let Some(cff) = citation::cff(&config, needed.date, &needed.license) {
            folder.put(citation::FILE, cff.as_bytes())?;
            parts.push(graph.file(citation::FILE, "How to cite the garden", cff.len()));
        }
        graph.root(&config, needed, authors, terms, parts, runs);
        self.results = done.len();
        folder.put(entity::METADATA, graph.json().as_bytes())?;
        Ok(())
    }

    fn dates(&self, note: &Note) -> (Option<Date>, Option<Date>) {
        dates::of(note, &self.site.workspace.git)
    }

    /// The figures of a note, with their results and the runs that made them.
    fn figures(
        &mut self,
        index: usize,
        note: &Note,
        folder: &mut Folder,
        graph: &mut Graph,
        runs: &mut Vec<Value>,
        done: &mut BTreeSet<Digest>,
    ) -> Result<Vec<Value>, CrateError> {
        let wanted = self.site.plan().wanted(index).to_vec();
        let mut figures = Vec::new();
        for (number, (block, wanted)) in note.blocks.iter().zip(&wanted).enumerate() {
            if matches!(wanted, Wanted::Nothing(_)) {
                continue;
            }
            let mut based = Vec::new();
            for measurement in wanted.measurements() {
                match self.run(&measurement.request, folder, graph, runs, done)? {
                    true => based.push(reference(&run::of(&measurement.key))),
                    false => self.missing += 1,
                }
            }
            let mut figure = json!({
                "@id": format!("{}#{}", id(&note.file), block.id),
                "@type": "CreativeWork",
                "name": format!("Figure {} of {}", block.number, note.title),
                "isPartOf": reference(&id(&note.file)),
            });
            if !based.is_empty() {
                figure["isBasedOn"] = based.into();
            }
            let of_block = self.site.judged(index).iter();
            let of_block = of_block.filter(|judged| judged.block == number);
            let claims = of_block.enumerate().filter_map(|(n, judged)| {
                let claim = block.claims.get(judged.claim)?;
                Some(graph.claim(&figure, n + 1, claim, judged))
            });
            let claims: Vec<Value> = claims.collect();
            if !claims.is_empty() {
                figure["subjectOf"] = claims.into();
            }
            figures.push(graph.add(figure));
        }
        Ok(figures)
    }

    /// Adds a result, those that it uses first; whether it is there.
    fn run(
        &self,
        request: &Request,
        folder: &mut Folder,
        graph: &mut Graph,
        runs: &mut Vec<Value>,
        done: &mut BTreeSet<Digest>,
    ) -> Result<bool, CrateError> {
        let key = request.key();
        if done.contains(&key) {
            return Ok(true);
        }
        let store = &self.site.workspace.store;
        let Some(record) = store.record(&key) else { return Ok(false) };
        for used in request.uses.iter().filter(|used| used.kind != scan::NAME) {
            self.run(used, folder, graph, runs, done)?;
        }
        let mut results = Vec::new();
        for (name, output) in record.outputs.iter().filter(|(name, output)| output.is_shown(name)) {
            let Some(bytes) = store.blob(&output.digest) else { return Ok(false) };
            let path = format!("results/{}/{name}", key.hex());
            folder.put(&path, &bytes)?;
            results.push(graph.result(&path, &output.media_type, bytes.len(), &record));
        }
        done.insert(key);
        runs.push(graph.run(request, &record, results));
        Ok(true)
    }
}
