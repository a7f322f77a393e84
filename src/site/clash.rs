//! Files whose paths in the site collide with others, with a diagnostic for each.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::config::layout::Layout;
use crate::diagnostic::{Diagnostic, Severity};
use crate::page::Scene;

/// The collisions.
#[derive(Debug, Default)]
pub(super) struct Clashes {
    /// The diagnostics, at the files.
    pub(super) problems: Vec<Diagnostic>,
    /// Paths in the site that a file of the garden has but cannot get.
    pub(super) lost: BTreeSet<String>,
}

/// Folders whose files are all generated.
const MADE: [&str; 4] = ["figures/", "previews/", "search/", "cards/"];

/// Checks every file that notes link to, ignoring case, as many file systems do.
pub(super) fn of(scene: &Scene<'_>, layout: &Layout) -> Clashes {
    let mut clashes = Clashes::default();
    let garden = scene.garden;
    let files: BTreeSet<&str> = garden.files().collect();
    let places: BTreeMap<&str, String> =
        files.iter().map(|file| (*file, garden.routes.file(file))).collect();
    let mut made: HashMap<String, String> = HashMap::new();
    // Elsewhere files have a folder of their own.
    if places.values().any(|place| !place.starts_with("files/")) {
        let name = |path: String, what: &str| (path.to_lowercase(), what.to_owned());
        made.extend(scene.generated_pages().into_keys().map(|path| name(path, "a generated page")));
        made.extend(scene.generated_files().into_iter().map(|path| name(path, "a generated file")));
    }
    let pages = scene.notes.iter().zip(&garden.pages);
    made.extend(
        pages.map(|(note, page)| (page.to_lowercase(), format!("the page of {}", note.file))),
    );
    let mut seen: HashMap<String, &str> = HashMap::new();
    for (file, place) in &places {
        let folded = place.to_lowercase();
        let is_made = MADE.iter().any(|folder| folded.starts_with(folder));
        let what = made.get(&folded).cloned();
        if let Some(what) =
            what.or_else(|| is_made.then(|| "a folder of generated files".to_owned()))
        {
            let message =
                format!("the site has {what} at `{place}`, so that this file is not published");
            let problem = Diagnostic::of_file(layout.file(file), message);
            clashes.problems.push(problem.hint("rename the file, or move it".to_owned()));
            clashes.lost.insert(place.clone());
        } else if let Some(other) = seen.insert(folded, file) {
            let message = format!(
                "the names of this file and of `{}` differ only in case: on file systems that ignore case, one replaces the other",
                layout.file(other)
            );
            let problem = Diagnostic::of_file(layout.file(file), message);
            let problem = problem.hint("rename one of them".to_owned());
            clashes.problems.push(Diagnostic { severity: Severity::Warning, ..problem });
        }
    }
    clashes
}
