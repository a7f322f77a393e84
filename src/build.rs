//! One build, step by step: read, plan, measure, publish.
//!
//! If a stored result turns out to be damaged while pages are made of it, the build measures and publishes again.
//!
//! A build from frozen results measures nothing: a result that is not among them is an error.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use neuronotes_core::digest::Digest;
use neuronotes_core::file;
use neuronotes_core::kind::scan;
use neuronotes_core::problem::Problem;
use neuronotes_core::request::Request;
use neuronotes_core::store::{Root, StoreError};

use crate::config::layout::OUTPUT;
use crate::cost;
use crate::cost::work::Work;
use crate::diagnostic::{Diagnostic, Severity};
use crate::freeze::{self, FreezeError};
use crate::measure::remote::setup;
use crate::measure::{self, Failures, Watcher};
use crate::output::{Changes, Output};
use crate::plan::{Plan, Wanted, asked};
use crate::resource::absent;
use crate::site::{Discarded, Progress, Site};
use crate::workspace::Workspace;

/// The options of a build.
#[derive(Debug, Clone)]
pub struct Options {
    /// Folder of the garden.
    pub root: PathBuf,
    /// Folder for the site; `None` for `output` in the garden.
    pub output: Option<PathBuf>,
    /// Whether warnings count as errors.
    pub strict: bool,
    /// Whether requests that failed before are measured again.
    pub retry: bool,
    /// Whether to measure, or which frozen results to use.
    pub results: Results,
    /// The only blocks to measure, as `note#id` or notes; empty for all.
    pub only: Vec<String>,
    /// The profile whose workers measure; `None` for the lab of this machine.
    pub on: Option<String>,
    /// Most GPU-hours that they may take by estimate.
    pub limit: Option<f64>,
}

/// The source of results.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Results {
    /// The garden's store; missing results are measured.
    #[default]
    Measured,
    /// A folder of frozen results, `None` for the garden's own; nothing is measured.
    Frozen(Option<PathBuf>),
}

/// The outcome of a build.
#[derive(Debug)]
pub struct Report {
    /// The site, with every source that diagnostics refer to.
    pub site: Site,
    /// All problems.
    pub problems: Vec<Diagnostic>,
    /// The files that were written.
    pub changes: Changes,
    /// Number of requests that were measured.
    pub measured: usize,
    /// Number of requests whose results were already stored.
    pub stored: usize,
    /// Number of requests of controls that were measured; not among the others.
    pub controls: usize,
    /// Number of requests without a result that were not to be measured.
    pub left_out: usize,
    /// Folder of the site.
    pub output: PathBuf,
    /// Whether the exit code must be 1: there were errors, or warnings in strict mode.
    pub failed: bool,
}

/// Builds the site.
///
/// # Errors
/// If the folder is not a garden, its store cannot be used, the requested frozen results do not exist, there is no block
/// of a name in `only`, workers cannot be used or would take more than the limit, or the program is interrupted while they
/// measure. All other problems are in the report.
pub fn build(options: &Options, watcher: &mut dyn Watcher) -> Result<Report, FreezeError> {
    let mut workspace = open(&options.root, &options.results)?;
    let folder = output_folder(&workspace, options.output.as_deref());
    workspace.leave_out(&folder);
    let mut site = Site::new(workspace, Progress::default());
    let only = wanted(&site, &options.only)?;
    // Also if nothing is missing: a wrong name is not passed over.
    if let Some(name) = &options.on {
        setup::profile(&site.workspace.config, name).map_err(FreezeError::Run)?;
    }
    let mut missing = site.missing();
    let mut left_out = leave_out(&mut site, only.as_ref(), &mut missing);
    let mut unkept = None;
    if options.results == Results::Measured {
        // Before measuring, so that a collection that starts now knows which results are used.
        let absent = |missing: &[_]| keys(missing).union(&left_out).copied().collect();
        unkept = remember(&site.workspace, site.plan(), &absent(&missing)).err();
        if !missing.is_empty() {
            site.progress.failed = measured(&site, &missing, options, watcher)?;
            unkept = remember(&site.workspace, site.plan(), &absent(&missing)).err();
        }
    }
    let cache = site.workspace.cache("");
    let mut output = Output::open(&folder, &cache, &mut site.workspace.digests);
    let mut changes = Changes::default();
    let mut mended = 0;
    let mut problems = loop {
        site.met_damage();
        let copied = watcher.copy_progress();
        let writer = output.writer(&site.workspace.store, &*copied);
        let mut problems = site.publish(&writer);
        let done = writer.done();
        drop(copied);
        let (now, unwritten) = output.finish(done);
        changes.follow(now);
        problems.extend(unwritten);
        let measures = options.results == Results::Measured;
        if !site.met_damage() || mended == MENDED || !measures {
            break problems;
        }
        // Results that were set aside meanwhile are measured and published again.
        mended += 1;
        site.lost();
        let mut lost = site.missing();
        lost.retain(|(key, _)| !site.progress.failed.contains_key(key));
        left_out.extend(leave_out(&mut site, only.as_ref(), &mut lost));
        if !lost.is_empty() {
            let failed = measured(&site, &lost, options, watcher)?;
            site.progress.failed.extend(failed);
            let known = keys(&missing);
            missing.extend(lost.into_iter().filter(|(key, _)| !known.contains(key)));
        }
    };
    problems.extend(site.unscanned(&missing));
    problems.extend(unkept.and_then(|error| forgotten(&error)));
    site.workspace.save_digests();
    let worst = if options.strict { Severity::Warning } else { Severity::Error };
    let failed = problems.iter().any(|problem| problem.severity >= worst);
    let missing: HashSet<Digest> = missing.iter().map(|(key, _)| *key).collect();
    // Some have been measured because others use them.
    left_out.retain(|key| site.workspace.store.record(key).is_none());
    let (blocks, controls) = site.plan().requests.split_at(site.plan().of_blocks);
    let measured = |of: &[(Digest, Arc<Request>)]| match options.results {
        Results::Measured => {
            let failed = &site.progress.failed;
            let is_new = |key: &Digest| missing.contains(key) && !failed.contains_key(key);
            of.iter().filter(|(key, _)| is_new(key)).count()
        }
        Results::Frozen(_) => 0,
    };
    Ok(Report {
        measured: measured(blocks),
        stored: blocks
            .iter()
            .filter(|(key, _)| !missing.contains(key) && !left_out.contains(key))
            .count(),
        left_out: blocks.iter().filter(|(key, _)| left_out.contains(key)).count(),
        controls: measured(controls),
        site,
        problems,
        changes,
        output: folder,
        failed,
    })
}

/// The requests of the blocks of these names, and their scans; `None` if there are no names.
fn wanted(site: &Site, only: &[String]) -> Result<Option<BTreeSet<Digest>>, Problem> {
    if only.is_empty() {
        return Ok(None);
    }
    let notes = site.workspace.notes();
    let notes: Vec<_> = notes.iter().map(|note| &**note).collect();
    let mut keys = BTreeSet::new();
    for name in only {
        let asked = asked::blocks(&notes, name)?;
        for at in asked.blocks {
            for measurement in site.plan().wanted(asked.note)[at].measurements() {
                keys.insert(measurement.key);
                keys.extend(&measurement.scans);
            }
            let controls = site.plan().controls(asked.note).get(at).into_iter().flatten();
            for measurement in controls.flat_map(|control| control.wanted.measurements()) {
                keys.insert(measurement.key);
                keys.extend(&measurement.scans);
            }
        }
    }
    Ok(Some(keys))
}

/// Removes the requests from `missing` that are not to be measured, and tells the site of them; returns their keys.
fn leave_out(
    site: &mut Site,
    only: Option<&BTreeSet<Digest>>,
    missing: &mut Vec<(Digest, Request)>,
) -> BTreeSet<Digest> {
    let Some(only) = only else { return BTreeSet::new() };
    let others = missing.extract_if(.., |(key, _)| !only.contains(key));
    let left_out: BTreeSet<Digest> = others.map(|(key, _)| key).collect();
    site.progress.left_out.extend(&left_out);
    left_out
}

fn keys(requests: &[(Digest, Request)]) -> BTreeSet<Digest> {
    requests.iter().map(|(key, _)| *key).collect()
}

/// What the workers of a profile would have to measure, in lines, and why that is more than the limit. Nothing is measured or
/// written.
///
/// # Errors
/// If the folder is not a garden, its store cannot be used, there is no block of a name in `only`, or no such profile.
pub fn work(options: &Options) -> Result<(Vec<String>, Option<Problem>), FreezeError> {
    let workspace = open(&options.root, &options.results)?;
    let mut site = Site::new(workspace, Progress::default());
    let only = wanted(&site, &options.only)?;
    let mut missing = site.missing();
    leave_out(&mut site, only.as_ref(), &mut missing);
    let name = options.on.as_deref().unwrap_or(LOCAL);
    let work = work_of(&site, &missing, name)?;
    let mut lines = work.lines(name);
    let scans = cost::of_scans(&missing, &site.workspace.store, site.resources());
    lines.extend(scans.iter().map(|scan| format!("  {scan}")));
    site.workspace.save_digests();
    Ok((lines, options.limit.and_then(|limit| work.within(limit).err())))
}

fn work_of(site: &Site, missing: &[(Digest, Request)], name: &str) -> Result<Work, FreezeError> {
    let Workspace { store, config, .. } = &site.workspace;
    let profile = setup::profile(config, name).map_err(FreezeError::Run)?;
    let (workers, gpus) = profile.map_or((1, None), |profile| (profile.workers, profile.gpus));
    let scans = cost::of_scans(missing, store, site.resources());
    let stored = site.plan().requests.len().saturating_sub(missing.len());
    Ok(Work::of(missing, store, &scans, stored, workers, gpus))
}

/// Measures these requests; returns those that failed, with the reasons.
fn measured(
    site: &Site,
    requests: &[(Digest, Request)],
    options: &Options,
    watcher: &mut dyn Watcher,
) -> Result<Failures, FreezeError> {
    let Workspace { store, config, .. } = &site.workspace;
    let name = options.on.as_deref().unwrap_or(LOCAL);
    if let Some(limit) = options.limit {
        work_of(site, requests, name)?.within(limit).map_err(FreezeError::Run)?;
    }
    let pool = match &options.on {
        Some(name) => setup::setup(config, name, store).map_err(FreezeError::Run)?,
        None => None,
    };
    for cost in cost::of_scans(requests, store, site.resources()) {
        watcher.announce(&cost.to_string());
    }
    let Some(pool) = pool else {
        return Ok(measure::measure(requests, store, &config.device, options.retry, watcher));
    };
    let outcome = measure::measure_there(pool, requests, options.retry, watcher);
    match outcome.interrupted {
        Some(said) => Err(FreezeError::Interrupted(said)),
        None => Ok(outcome.failures),
    }
}

fn open(root: &Path, results: &Results) -> Result<Workspace, FreezeError> {
    let mut workspace = Workspace::open(root)?;
    if let Results::Frozen(folder) = results {
        freeze::thaw(&mut workspace, folder.as_deref())?;
    }
    Ok(workspace)
}

/// Records which results of its store the garden uses, for collection and for `explain`.
///
/// A block without a current result keeps the keys of its last results, so that these stay in the store until there
/// is a new one, and `explain` can compare them.
///
/// # Errors
/// If the store cannot be written to.
pub fn remember(
    workspace: &Workspace,
    plan: &Plan,
    missing: &BTreeSet<Digest>,
) -> Result<(), StoreError> {
    let earlier = workspace.store.root(&workspace.root).unwrap_or_default();
    let root = root(workspace, plan, missing, &earlier);
    workspace.store.put_root(&workspace.root, &root)
}

/// What [`remember`] stores; `earlier` is the last such list.
pub fn root(
    workspace: &Workspace,
    plan: &Plan,
    missing: &BTreeSet<Digest>,
    earlier: &Root,
) -> Root {
    let store = &workspace.store;
    let is_stored = |key: &Digest| !missing.contains(key) || store.record(key).is_some();
    let mut root = Root { garden: workspace.root.clone(), ..Root::default() };
    root.requests.extend(plan.requests.iter().map(|(key, _)| *key));
    root.requests.extend(plan.scans.iter().map(|(key, _)| *key));
    // Most of these are scans of the plan, or are requested by other blocks too.
    let used = plan.requests.iter().flat_map(|(_, request)| &request.uses);
    let mut open: Vec<&Request> = used.filter(|used| used.kind != scan::NAME).collect();
    while let Some(request) = open.pop() {
        if root.requests.insert(request.key()) {
            open.extend(&request.uses);
        }
    }
    for (index, note) in workspace.notes().iter().enumerate() {
        for (block, wanted) in note.blocks.iter().zip(plan.wanted(index)) {
            let name = format!("{}#{}", note.path, block.id);
            let keys: Vec<Digest> = wanted.measurements().iter().map(|m| m.key).collect();
            let mut last: Vec<Digest> = keys.iter().copied().filter(is_stored).collect();
            if last.len() < keys.len() || matches!(wanted, Wanted::Nothing(_)) {
                let before = earlier.blocks.get(&name).into_iter().flatten();
                let other: Vec<Digest> =
                    before.filter(|key| !last.contains(key)).copied().collect();
                last.extend(other);
                // Bounds the list if a block is edited many times before it has a result.
                last.truncate(2 * keys.len().max(LAST));
            }
            if !last.is_empty() {
                root.blocks.insert(name, last);
            }
        }
    }
    root
}

/// What measures if nothing else is named.
const LOCAL: &str = "local";

/// Maximum number of times that a build measures and publishes again because stored results were damaged.
const MENDED: u32 = 3;

/// Minimum number of last results that are remembered per block.
const LAST: usize = 8;

/// Reports that the list of used results could not be written. That is harmless if nothing can be written, since
/// nothing can be collected then either.
fn forgotten(error: &StoreError) -> Option<Diagnostic> {
    if let StoreError::Io { source, .. } = error
        && file::is_unwritable(source)
        && source.kind() != std::io::ErrorKind::StorageFull
    {
        return None;
    }
    let message = format!("the list of results that the garden uses could not be written: {error}");
    let file = crate::config::FILE;
    let problem = Diagnostic { severity: Severity::Warning, ..Diagnostic::of_file(file, message) };
    Some(problem.hint(error.hint().map(str::to_owned)))
}

fn output_folder(workspace: &Workspace, asked: Option<&Path>) -> PathBuf {
    match asked {
        Some(folder) => std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned()),
        None => workspace.root.join(OUTPUT),
    }
}

/// Makes the whole site of the garden in `root` without measuring or writing anything, and returns all problems.
///
/// # Errors
/// If the folder is not a garden, its store cannot be used, or the requested frozen results do not exist.
pub fn check(root: &Path, results: &Results) -> Result<(Site, Vec<Diagnostic>), FreezeError> {
    // As in the preview, figures that are not measured yet are not errors; results missing from frozen ones are.
    let progress = Progress { preview: true, ..Progress::default() };
    let mut site = Site::new(open(root, results)?, progress);
    let mut problems = site.publish(&Discarded);
    // With frozen results, weights and data are not needed.
    if *results == Results::Measured {
        problems.extend(absent(&site.workspace.config, &site.workspace.config_text));
    }
    site.workspace.save_digests();
    Ok((site, problems))
}
