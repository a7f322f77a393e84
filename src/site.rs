//! The whole site out of a workspace: what is wanted, what is stored, and every page and file that follows.
//!
//! Incremental: the plan, the links and the drafts are made anew each time, which costs microseconds a note;
//! measuring, drawing and rendering are done once a key.

mod missing;

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::analysis::scan;
use crate::diagnostic::{Diagnostic, Severity};
use crate::digest::Digest;
use crate::figure::{self, Baseline, DrawContext, Drawing};
use crate::garden::{self, Garden, Target};
use crate::note::Note;
use crate::page::{self, Draft, Scanned, Scene, Settled};
use crate::plan::{self, Cell, Measurement, Plan, Wanted};
use crate::request::Request;
use crate::resource::Resources;
use crate::workspace::{NOTES, Workspace};
use missing::FREEZE;

pub use missing::{missing, unscanned};

/// What is known of measurements beside what the store has.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    /// What each running or waiting request does, for a person.
    pub running: BTreeMap<Digest, String>,
    /// Requests that failed: what is wrong and what to do.
    pub failed: BTreeMap<Digest, (String, Option<String>)>,
    /// Each block's last drawing, by note and block id.
    pub stale: BTreeMap<(String, String), Drawing>,
    /// Whether this is for the preview, where what is not measured waits and is no error.
    pub preview: bool,
}

/// What the notes want and what the store has of it.
#[derive(Debug)]
pub struct Wishes {
    /// What each block wants.
    pub plan: Plan,
    /// As [`missing`] gives them.
    pub missing: Vec<(Digest, Request)>,
}

/// One file of the site.
#[derive(Debug)]
pub enum Content {
    /// A page, to be rendered where its key changed.
    Page {
        /// The page key.
        key: Digest,
        /// Its HTML.
        html: Result<String, Box<Diagnostic>>,
    },
    /// These bytes.
    Bytes(Vec<u8>),
    /// The bytes of a file elsewhere, with their digest.
    Copy {
        /// The file.
        from: PathBuf,
        /// Of its bytes.
        digest: Digest,
    },
}

/// Asks what the notes want, and what of it is missing.
pub fn wishes(workspace: &mut Workspace) -> Wishes {
    let notes = workspace.notes();
    let mut resources = Resources::of(workspace.thawed.as_ref());
    let plan = plan::plan(
        notes.iter().map(|note| &**note),
        &workspace.root,
        &workspace.config,
        &mut resources,
        &mut workspace.digests,
    );
    let missing = missing(&plan, &workspace.store);
    Wishes { plan, missing }
}

/// The composed site.
#[derive(Debug)]
pub struct Site {
    /// Every file by its path relative to the site's root, but for those kept.
    pub files: BTreeMap<String, Content>,
    /// Pages that stand already as they should, with their keys.
    pub kept: BTreeMap<String, Digest>,
    /// Everything that is wrong, in the order of the notes and of their text.
    pub problems: Vec<Diagnostic>,
    /// Each block's drawing, by note and block id.
    pub drawings: BTreeMap<(String, String), Drawing>,
    /// For each note, its page.
    pub pages: BTreeMap<String, String>,
}

/// Composes the site. `is_current` says whether a page of that path and key need not be rendered again.
pub fn compose(
    workspace: &mut Workspace,
    wishes: &Wishes,
    progress: &Progress,
    is_current: &dyn Fn(&str, Digest) -> bool,
) -> Site {
    let shared = workspace.notes();
    let notes: Vec<&Note> = shared.iter().map(|note| &**note).collect();
    let garden = garden::assemble(&notes, &workspace.files);
    let mut problems = workspace.problems.clone();
    let mut figures = Vec::new();
    let mut drawings = BTreeMap::new();
    for (index, note) in notes.iter().enumerate() {
        let wanted = &wishes.plan.wanted[index];
        let settled: Vec<Settled> = note
            .blocks
            .iter()
            .zip(wanted)
            .map(|(block, wanted)| settle(workspace, note, block, wanted, progress))
            .collect();
        let mut own: Vec<Diagnostic> = note.problems.clone();
        own.extend(garden.problems[index].iter().cloned());
        own.extend(wishes.plan.unit_problems[index].iter().cloned());
        for ((block, settled), wanted) in note.blocks.iter().zip(&settled).zip(wanted) {
            match (settled, wanted) {
                (_, Wanted::Nothing(problems)) => own.extend(problems.iter().cloned()),
                (Settled::Failed(problem), _) => own.push(problem.clone()),
                (Settled::Sweep(cells), _) => own.extend(of_cells(note, block, cells)),
                (Settled::Done { drawing, scanned, .. }, _) => {
                    own.extend(scanned.as_ref().and_then(|scanned| unread(note, block, scanned)));
                    drawings.insert((note.path.clone(), block.id.clone()), drawing.clone());
                }
                _ => {}
            }
        }
        own.sort_by_key(|problem| (problem.line, problem.column));
        problems.extend(own);
        figures.push(settled);
    }
    let style = workspace.renderer.stylesheet().to_vec();
    let style_path = format!("style-{}.css", &Digest::of(&style).hex()[..8]);
    let mut files = BTreeMap::new();
    let sizes = copies(workspace, &garden, &mut files, &mut problems);
    for drawing in figures.iter().flatten().flat_map(Settled::drawings) {
        for image in drawing.images() {
            let from = workspace.store.blob_path(&image.digest);
            files.insert(page::image_file(image), Content::Copy { from, digest: image.digest });
        }
    }
    let scene = Scene {
        config: &workspace.config,
        notes: &notes,
        garden: &garden,
        plan: &wishes.plan,
        figures: &figures,
        sizes: &sizes,
        git: &workspace.git,
        stylesheet: &style_path,
        templates: workspace.renderer.digest(),
        preview: progress.preview,
    };
    let mut kept = BTreeMap::new();
    for draft in scene.drafts() {
        if is_current(&draft.path, draft.key) {
            kept.insert(draft.path, draft.key);
            continue;
        }
        let html = render(workspace, &draft);
        if let Err(problem) = &html
            && !problems.contains(problem)
        {
            problems.push((**problem).clone());
        }
        files.insert(draft.path, Content::Page { key: draft.key, html });
    }
    files.insert(style_path, Content::Bytes(style));
    let pages = notes.iter().zip(&garden.pages).map(|(n, p)| (n.path.clone(), p.clone())).collect();
    Site { files, kept, problems, drawings, pages }
}

fn render(workspace: &Workspace, draft: &Draft<'_>) -> Result<String, Box<Diagnostic>> {
    draft
        .render(&workspace.renderer)
        .map_err(|error| Box::new(crate::workspace::template_problem(&error)))
}

/// What came of one block.
fn settle(
    workspace: &Workspace,
    note: &Note,
    block: &crate::note::Block,
    wanted: &Wanted,
    progress: &Progress,
) -> Settled {
    match wanted {
        Wanted::Nothing(problems) => {
            let first = problems.first().cloned();
            let problem = first.unwrap_or_else(|| at(note, block, "the block is faulty".into()));
            Settled::Failed(problem)
        }
        Wanted::Measurement(measurement) => measured(workspace, note, block, measurement, progress),
        Wanted::Sweep(sweep) => {
            let cell = |cell: &Cell| {
                match measured(workspace, note, block, &cell.measurement, progress) {
                    Settled::Failed(mut problem) => {
                        if workspace.store.is_frozen() {
                            // What is missing is to be found one by one.
                            problem.message = format!("{} at {}", problem.message, cell.caption());
                        }
                        let problem = Diagnostic {
                            hint: problem.hint,
                            ..note.at().error(cell.span.clone(), problem.message)
                        };
                        Settled::Failed(problem)
                    }
                    // A cell's last drawing may be another cell's now.
                    Settled::Waiting { status, .. } => Settled::Waiting { status, stale: None },
                    settled => settled,
                }
            };
            Settled::Sweep(sweep.cells.iter().map(cell).collect())
        }
    }
}

/// What is wrong with a sweep's measurements: at each value, or once where it is the same with all.
fn of_cells(note: &Note, block: &crate::note::Block, cells: &[Settled]) -> Vec<Diagnostic> {
    let failed: Vec<&Diagnostic> = cells
        .iter()
        .filter_map(|cell| match cell {
            Settled::Failed(problem) => Some(problem),
            _ => None,
        })
        .collect();
    let unread = cells.iter().find_map(|cell| match cell {
        Settled::Done { scanned: Some(scanned), .. } => unread(note, block, scanned),
        _ => None,
    });
    let alike = failed.iter().all(|problem| problem.message == failed[0].message);
    let mut own = match failed.as_slice() {
        [first, _, ..] if alike => {
            let count = failed.len();
            let message =
                format!("{count} of {} were not measured: {}", cells.len(), first.message);
            vec![at(note, block, message).hint(first.hint.clone())]
        }
        failed => failed.iter().map(|problem| (*problem).clone()).collect(),
    };
    own.extend(unread);
    own
}

/// What came of one measurement.
fn measured(
    workspace: &Workspace,
    note: &Note,
    block: &crate::note::Block,
    measurement: &Measurement,
    progress: &Progress,
) -> Settled {
    if let Some(done) = drawn(workspace, note, block, measurement) {
        return done;
    }
    let key = &measurement.key;
    if workspace.store.is_frozen() {
        let kind = &measurement.request.kind;
        let message = format!("the frozen results lack `{}` ({kind})", block.id);
        return Settled::Failed(at(note, block, message).hint(FREEZE.to_owned()));
    }
    if let Some((message, hint)) = progress.failed.get(key) {
        return Settled::Failed(at(note, block, message.clone()).hint(hint.clone()));
    }
    if !progress.preview {
        return Settled::Failed(at(note, block, "this was not measured".into()));
    }
    let status = progress.running.get(key).cloned().unwrap_or_else(|| "queued".to_owned());
    let stale = progress.stale.get(&(note.path.clone(), block.id.clone())).cloned();
    Settled::Waiting { status, stale }
}

fn drawn(
    workspace: &Workspace,
    note: &Note,
    block: &crate::note::Block,
    measurement: &Measurement,
) -> Option<Settled> {
    let record = workspace.store.record(&measurement.key)?;
    let kind = block.kind?;
    let presentation = block.presentation();
    let baseline = measurement.baseline.as_ref().and_then(|(dataset, key)| {
        let scan = workspace.store.record(key)?;
        let moments = scan.outputs.get(scan::MOMENTS)?.digest;
        Some(Baseline { dataset: dataset.clone(), moments })
    });
    let context = DrawContext {
        store: &workspace.store,
        record: &record,
        presentation: &presentation,
        layer_shown: measurement.layer_shown(),
        inputs: &measurement.request.inputs,
        facet: measurement.facet.as_deref(),
        baseline: baseline.as_ref(),
    };
    Some(match figure::drawing(kind, &context) {
        Ok(drawing) => {
            let mut scanned: Option<Scanned> = None;
            let scans = measurement.request.uses.iter().filter(|used| used.kind == scan::NAME);
            for scan in scans {
                let Some(record) = workspace.store.record(&scan.key()) else { continue };
                let Some(outcome) = record.result::<scan::Outcome>(&workspace.store) else {
                    return Some(undrawn(
                        workspace,
                        note,
                        block,
                        figure::damaged(&workspace.store),
                    ));
                };
                let all = scanned.get_or_insert_default();
                all.seconds += record.provenance.seconds;
                all.skipped.extend(outcome.skipped);
            }
            Settled::Done { record: Box::new(record), drawing, scanned }
        }
        Err(message) => undrawn(workspace, note, block, &message),
    })
}

/// A result that cannot be drawn; what to do where it is damaged.
fn undrawn(
    workspace: &Workspace,
    note: &Note,
    block: &crate::note::Block,
    message: &str,
) -> Settled {
    let hint = match workspace.store.is_frozen() {
        false => "build again to measure it",
        true => FREEZE,
    };
    let hint = (message == figure::damaged(&workspace.store)).then(|| hint.to_owned());
    Settled::Failed(at(note, block, message.to_owned()).hint(hint))
}

/// A warning about images of a block's data sets that could not be read.
fn unread(note: &Note, block: &crate::note::Block, scanned: &Scanned) -> Option<Diagnostic> {
    let (count, which) = (scanned.skipped.len(), scanned.left_out()?);
    let s = if count == 1 { "" } else { "s" };
    let message = format!("{count} image{s} of the data set cannot be read: {which}");
    let hint = "the figure was measured without them; mend or remove their files".to_owned();
    Some(Diagnostic { severity: Severity::Warning, ..at(note, block, message) }.hint(hint))
}

/// An error about a whole block, at its first line.
fn at(note: &Note, block: &crate::note::Block, message: String) -> Diagnostic {
    let text = &note.source[block.span.clone()];
    let length = text.lines().next().unwrap_or("").trim_end().len();
    note.at().error(block.span.start..block.span.start + length, message)
}

/// The files that notes point to, and the sizes of those that are pictures.
fn copies(
    workspace: &mut Workspace,
    garden: &Garden,
    files: &mut BTreeMap<String, Content>,
    problems: &mut Vec<Diagnostic>,
) -> BTreeMap<String, (u32, u32)> {
    let mut sizes = BTreeMap::new();
    let captions = garden.caption_links.iter().flatten();
    for target in garden.links.iter().chain(captions).flatten() {
        let Target::File(path) = target else { continue };
        if files.contains_key(&page::copied_file(path)) {
            continue;
        }
        let from = workspace.root.join(NOTES).join(path);
        match workspace.digests.digest(&from) {
            Ok(digest) => {
                // Only the header is read; a file that is no picture has no size.
                if let Ok(size) = image::image_dimensions(&from) {
                    sizes.insert(path.clone(), size);
                }
                files.insert(page::copied_file(path), Content::Copy { from, digest });
            }
            Err(error) => problems.push(Diagnostic::of_file(
                format!("{NOTES}/{path}"),
                format!("the file cannot be read ({error})"),
            )),
        }
    }
    sizes
}
