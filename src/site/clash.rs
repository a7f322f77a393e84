//! Files beside the notes whose places in the site are those of others: a scene in; what is to be said of each, and those that
//! cannot be published, out.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::config::layout::Layout;
use crate::diagnostic::{Diagnostic, Severity};
use crate::page::Scene;

/// What stands in the way of files.
#[derive(Debug, Default)]
pub(super) struct Clashes {
    /// At the files.
    pub(super) problems: Vec<Diagnostic>,
    /// Places in the site that are not a file's of the garden, though it asks for them.
    pub(super) lost: BTreeSet<String>,
}

/// Folders whose files are all made.
const MADE: [&str; 4] = ["figures/", "previews/", "search/", "cards/"];

/// Looks at every file that notes point to. Capitals and small letters are the same, as they are on many disks.
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
        made.extend(
            scene.generated_pages().into_keys().map(|path| name(path, "a page that is made")),
        );
        made.extend(
            scene.generated_files().into_iter().map(|path| name(path, "a file that is made")),
        );
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
            what.or_else(|| is_made.then(|| "a folder of files that are made".to_owned()))
        {
            let message =
                format!("the site has {what} at `{place}`, so that this file is not published");
            let problem = Diagnostic::of_file(layout.file(file), message);
            clashes.problems.push(problem.hint("rename the file, or move it".to_owned()));
            clashes.lost.insert(place.clone());
        } else if let Some(other) = seen.insert(folded, file) {
            let message = format!(
                "the names of this file and of `{}` differ in capitals alone: where these are the same, one replaces the other",
                layout.file(other)
            );
            let problem = Diagnostic::of_file(layout.file(file), message);
            let problem = problem.hint("rename one of them".to_owned());
            clashes.problems.push(Diagnostic { severity: Severity::Warning, ..problem });
        }
    }
    clashes
}
