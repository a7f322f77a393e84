//! Symbolic links among the notes, and other things that a garden skips.

use std::io;
use std::path::Path;

use neuronotes_core::cut::Cut as _;
use neuronotes_core::file;

use super::{Workspace, relative};
use crate::config::layout::{Layout, within};
use crate::diagnostic::{Diagnostic, Severity};

/// Why a link is not followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refused {
    /// Its target does not exist.
    Nowhere(String),
    /// Its target is outside the notes folder.
    Outside,
    /// Its target is something that the garden never reads, such as hidden or generated files.
    Unread(String),
}

impl Refused {
    pub(super) fn problem(self, file: String) -> Diagnostic {
        match self {
            Self::Nowhere(cause) => {
                let message = format!("the link's target cannot be read ({cause})");
                passed_over(file, message, "remove the link, or fix its target")
            }
            Self::Outside => {
                let message =
                    "the link leads out of the notes folder and is not followed".to_owned();
                passed_over(file, message, "copy its target into the notes folder")
            }
            Self::Unread(target) => {
                let message =
                    format!("the link leads to `{target}`, which is not read, and is not followed");
                passed_over(file, message, "link to something among the notes")
            }
        }
    }
}

/// A warning that something in the garden is skipped.
pub(super) fn passed_over(file: String, message: String, hint: &str) -> Diagnostic {
    let problem = Diagnostic::of_file(file, message).hint(hint.to_owned());
    Diagnostic { severity: Severity::Warning, ..problem }
}

/// A warning about a pipe, a socket, a device, or something that cannot be opened as a file.
pub(super) fn no_file(file: String, why: &io::Error) -> Diagnostic {
    let hint = file::read_hint(why).unwrap_or("remove it from the garden");
    passed_over(file, format!("this is skipped: {why}"), hint)
}

/// A warning that a folder of the garden is not read because it is a link to another place.
pub(super) fn folder(name: &str, why: &io::Error) -> Diagnostic {
    let message = match file::Refused::of(why) {
        Some(_) => format!(
            "the folder `{name}` is a link that leads out of the garden and is not followed"
        ),
        None => format!("the folder `{name}` cannot be read ({why})"),
    };
    Diagnostic::of_file(name, message).hint(file::read_hint(why).map(str::to_owned))
}

/// A warning that the name of a file or folder is not UTF-8.
pub(super) fn no_text(file: String) -> Diagnostic {
    let message = "this is skipped because its name is not UTF-8".to_owned();
    passed_over(file, message, "rename it")
}

/// A warning that a file is not a note because of its name.
pub(super) fn no_note(file: String) -> Diagnostic {
    let message =
        "the file is not read as a note because its name ends in neither `.md` nor `.markdown`";
    passed_over(file, message.to_owned(), "rename it so that it ends in `.md`")
}

/// A warning that notes in a folder are not read because of its name.
pub(super) fn no_folder(name: &str) -> Diagnostic {
    let message = format!("the notes in the folder `{name}` are skipped because of its name");
    passed_over(name.to_owned(), message, "rename the folder")
}

/// The target of a link among the notes in `folder`, relative to the garden, with all links resolved.
pub(super) fn target(folder: &Path, layout: &Layout, link: &Path) -> Result<String, Refused> {
    let nowhere = |error: io::Error| Refused::Nowhere(cause(&error));
    let target = link.canonicalize().map_err(nowhere)?;
    let folder = folder.canonicalize().map_err(nowhere)?;
    if !target.starts_with(&folder) {
        return Err(Refused::Outside);
    }
    let target = layout.file(&relative(&target, &folder));
    match layout.reads(&target) {
        true => Ok(target),
        false => Err(Refused::Unread(target)),
    }
}

fn cause(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "file not found".to_owned(),
        _ => error.to_string(),
    }
}

impl Workspace {
    /// Adds the links to these paths, since a change of a link's target changes the note at the link. Paths are
    /// relative to the garden.
    pub(super) fn with_links<'a>(&self, paths: impl IntoIterator<Item = &'a str>) -> Vec<String> {
        let mut all: Vec<String> = paths.into_iter().map(str::to_owned).collect();
        for at in 0..all.len() {
            for (link, target) in &self.links {
                let link = self.layout.file(link);
                if within(&all[at], target) {
                    let rest = all[at].cut(target.len()..).to_owned();
                    all.push(format!("{link}{rest}"));
                } else if within(target, &all[at]) {
                    all.push(link);
                }
            }
        }
        all
    }
}
