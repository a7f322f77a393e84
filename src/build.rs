//! One build, the phases in order: read, plan, measure, compose, write.

use std::path::{Path, PathBuf};

use crate::diagnostic::Severity;
use crate::measure::{self, Watcher};
use crate::output::{Changes, Output};
use crate::site::{self, Progress, Site};
use crate::workspace::{Workspace, WorkspaceError};

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
/// Where the folder is no garden or its store cannot be used. All else is in the report.
pub fn build(options: &Options, watcher: &mut dyn Watcher) -> Result<Report, WorkspaceError> {
    let mut workspace = Workspace::open(&options.root)?;
    let wishes = site::wishes(&mut workspace);
    let mut progress = Progress::default();
    if !wishes.missing.is_empty() {
        let device = workspace.config.device.clone();
        progress.failed =
            measure::measure(&wishes.missing, &workspace.store, &device, options.retry, watcher);
    }
    let folder = output_folder(&workspace, options.output.as_deref());
    let cache = workspace.cache("");
    let mut output = Output::open(&folder, &cache, &mut workspace.digests);
    let mut site = site::compose(&mut workspace, &wishes, &progress, &|path, key| {
        output.is_current(path, key)
    });
    let (changes, problems) = output.write(&site.files, &site.kept, &workspace.store);
    site.problems.extend(problems);
    workspace.save_digests();
    let worst = if options.strict { Severity::Warning } else { Severity::Error };
    let failed = site.problems.iter().any(|problem| problem.severity >= worst);
    let missing = wishes.missing.len();
    Ok(Report {
        measured: missing - progress.failed.len(),
        stored: wishes.plan.requests.len() - missing,
        workspace,
        site,
        changes,
        output: folder,
        failed,
    })
}

fn output_folder(workspace: &Workspace, asked: Option<&Path>) -> PathBuf {
    match asked {
        Some(folder) => std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned()),
        None => workspace.root.join("output"),
    }
}

/// Reads and composes the garden without measuring or writing anything.
///
/// # Errors
/// Where the folder is no garden or its store cannot be used.
pub fn check(root: &Path) -> Result<(Workspace, Site), WorkspaceError> {
    let mut workspace = Workspace::open(root)?;
    let wishes = site::wishes(&mut workspace);
    // As in the preview, what is not measured yet waits and is no error.
    let progress = Progress { preview: true, ..Progress::default() };
    let site = site::compose(&mut workspace, &wishes, &progress, &|_, _| false);
    workspace.save_digests();
    Ok((workspace, site))
}
