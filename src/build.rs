//! One build, the phases in order: read, plan, measure, compose, write.
//!
//! Where a stored result turns out to be damaged while pages are made of it, measuring and what follows are done again.
//!
//! From frozen results nothing is measured: what they lack is missing from the site, and an error.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use neuronotes_core::digest::Digest;
use neuronotes_core::file;
use neuronotes_core::kind::scan;
use neuronotes_core::request::Request;
use neuronotes_core::store::{Root, StoreError};

use crate::config::layout::OUTPUT;
use crate::diagnostic::{Diagnostic, Severity};
use crate::freeze::{self, FreezeError};
use crate::measure::{self, Watcher};
use crate::output::{Changes, Output};
use crate::plan::{Plan, Wanted};
use crate::resource::absent;
use crate::site::{self, Discarded, Progress, Site};
use crate::workspace::Workspace;

/// Where and how to build.
#[derive(Debug, Clone)]
pub struct Options {
    /// The garden.
    pub root: PathBuf,
    /// The folder of the site; `output` in the garden where it is `None`.
    pub output: Option<PathBuf>,
    /// Whether warnings count as errors.
    pub strict: bool,
    /// Whether what failed by itself before is measured again.
    pub retry: bool,
    /// Whether to measure, and if not, what to publish instead.
    pub results: Results,
}

/// Where results come from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Results {
    /// The garden's store; what it lacks is measured.
    #[default]
    Measured,
    /// A folder of frozen results, the garden's own where none is named; nothing is measured.
    Frozen(Option<PathBuf>),
}

/// What a build did.
#[derive(Debug)]
pub struct Report {
    /// The garden, with every source that diagnostics speak of.
    pub workspace: Workspace,
    /// The composed site and everything that is wrong.
    pub site: Site,
    /// What was written.
    pub changes: Changes,
    /// Requests that were measured.
    pub measured: usize,
    /// Requests whose results were stored already.
    pub stored: usize,
    /// The folder of the site.
    pub output: PathBuf,
    /// Whether anything that was asked for is not there.
    pub failed: bool,
}

/// Builds the site.
///
/// # Errors
/// Where the folder is no garden, its store cannot be used, or there are no frozen results where they are asked for.
/// All else is in the report.
pub fn build(options: &Options, watcher: &mut dyn Watcher) -> Result<Report, FreezeError> {
    let mut workspace = open(&options.root, &options.results)?;
    let folder = output_folder(&workspace, options.output.as_deref());
    workspace.leave_out(&folder);
    let mut wishes = site::wishes(&mut workspace);
    let mut progress = Progress::default();
    let mut unkept = None;
    if options.results == Results::Measured {
        // Before anything is measured: a collection that begins now knows what is wanted.
        let missing = wishes.missing_keys();
        unkept = remember(&workspace, &wishes.plan, &missing).err();
        if !wishes.missing.is_empty() {
            let device = workspace.config.device.clone();
            progress.failed = measure::measure(
                &wishes.missing,
                &workspace.store,
                &device,
                options.retry,
                watcher,
            );
            unkept = remember(&workspace, &wishes.plan, &missing).err();
        }
    }
    let cache = workspace.cache("");
    let mut output = Output::open(&folder, &cache, &mut workspace.digests);
    let mut changes = Changes::default();
    let mut mended = 0;
    let (mut site, problems) = loop {
        let damage = workspace.store.damage();
        let copied = watcher.copying();
        let desk = output.desk(&workspace.store, &*copied);
        let site = site::compose(&mut workspace, &wishes, &progress, &desk);
        let done = desk.done();
        drop(copied);
        let (now, problems) = output.finish(done);
        changes.follow(now);
        // What was set aside while the site was composed is measured again, and the site composed anew.
        if workspace.store.damage() == damage
            || mended == MENDED
            || options.results != Results::Measured
        {
            break (site, problems);
        }
        mended += 1;
        let lost = site::missing(&wishes.plan, &workspace.store);
        let lost = lost.into_iter().filter(|(key, _)| !progress.failed.contains_key(key));
        let lost: Vec<(Digest, Request)> = lost.collect();
        if !lost.is_empty() {
            let device = workspace.config.device.clone();
            progress.failed.extend(measure::measure(
                &lost,
                &workspace.store,
                &device,
                options.retry,
                watcher,
            ));
            let known = wishes.missing_keys();
            wishes.missing.extend(lost.into_iter().filter(|(key, _)| !known.contains(key)));
        }
    };
    site.problems.extend(problems);
    site.problems.extend(site::unscanned(&wishes, &workspace.store, &progress));
    site.problems.extend(unkept.and_then(|error| forgotten(&error)));
    workspace.save_digests();
    let worst = if options.strict { Severity::Warning } else { Severity::Error };
    let failed = site.problems.iter().any(|problem| problem.severity >= worst);
    let asked = |key: &Digest| wishes.plan.requests.iter().any(|(known, _)| known == key);
    let missing = wishes.missing.iter().filter(|(key, _)| asked(key)).count();
    let measured = match options.results {
        Results::Measured => missing - progress.failed.keys().filter(|key| asked(key)).count(),
        Results::Frozen(_) => 0,
    };
    Ok(Report {
        measured,
        stored: wishes.plan.requests.len() - missing,
        workspace,
        site,
        changes,
        output: folder,
        failed,
    })
}

fn open(root: &Path, results: &Results) -> Result<Workspace, FreezeError> {
    let mut workspace = Workspace::open(root)?;
    if let Results::Frozen(folder) = results {
        freeze::thaw(&mut workspace, folder.as_deref())?;
    }
    Ok(workspace)
}

/// Writes down what the garden wants of its store, for collection and for `explain`.
///
/// A block whose result is missing keeps the keys of its last results: so these stay in the store until there is a new
/// one, and it can be said what changed since then.
///
/// # Errors
/// Where the store cannot be written.
pub fn remember(
    workspace: &Workspace,
    plan: &Plan,
    missing: &BTreeSet<Digest>,
) -> Result<(), StoreError> {
    let store = &workspace.store;
    let earlier = store.root(&workspace.root).unwrap_or_default();
    let is_stored = |key: &Digest| !missing.contains(key) || store.record(key).is_some();
    let mut root = Root { garden: workspace.root.clone(), ..Root::default() };
    root.requests.extend(plan.requests.iter().map(|(key, _)| *key));
    root.requests.extend(plan.scans.iter().map(|(key, _)| *key));
    // What these use was scanned, or is wanted by another block, in most cases.
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
                // Many edits without a result between them do not pile up.
                last.truncate(2 * keys.len().max(LAST));
            }
            if !last.is_empty() {
                root.blocks.insert(name, last);
            }
        }
    }
    store.put_root(&workspace.root, &root)
}

/// How often a site is composed anew since stored results turned out to be damaged.
const MENDED: u32 = 3;

/// At least so many results of a block are remembered while it has no new one.
const LAST: usize = 8;

/// That the list of what is wanted could not be written: no harm where nothing can be, since nothing can be taken then.
fn forgotten(error: &StoreError) -> Option<Diagnostic> {
    if let StoreError::Io { source, .. } = error
        && file::is_unwritable(source)
        && source.kind() != std::io::ErrorKind::StorageFull
    {
        return None;
    }
    let message = format!("what the garden wants of its store cannot be kept: {error}");
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

/// Reads and composes the garden without measuring or writing anything.
///
/// # Errors
/// Where the folder is no garden, its store cannot be used, or there are no frozen results where they are asked for.
pub fn check(root: &Path, results: &Results) -> Result<(Workspace, Site), FreezeError> {
    let mut workspace = open(root, results)?;
    let wishes = site::wishes(&mut workspace);
    // As in the preview, what is not measured yet waits and is no error; what frozen results lack is one.
    let progress = Progress { preview: true, ..Progress::default() };
    let mut site = site::compose(&mut workspace, &wishes, &progress, &Discarded { rendered: true });
    // Where results are frozen, nothing has to be there.
    if *results == Results::Measured {
        site.problems.extend(absent(&workspace.config, &workspace.config_text));
    }
    workspace.save_digests();
    Ok((workspace, site))
}
