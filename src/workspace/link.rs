//! Symbolic links among the notes, and other things that a garden passes over: a link in; what it points to among the notes, or
//! why it is not followed, out.

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
    /// It points to nothing that there is.
    Nowhere(String),
    /// It points out of the notes folder.
    Outside,
    /// It points to what the garden never reads: what is hidden, or what others fill.
    Unread(String),
}

impl Refused {
    pub(super) fn problem(self, file: String) -> Diagnostic {
        match self {
            Self::Nowhere(cause) => {
                let message = format!("the link leads nowhere ({cause})");
                passed_over(file, message, "remove the link, or mend what it points to")
            }
            Self::Outside => {
                let message = "the link leads out of the notes, and is not followed".to_owned();
                passed_over(file, message, "copy what it points to into the notes folder")
            }
            Self::Unread(target) => {
                let message =
                    format!("the link leads to `{target}`, which is not read, and is not followed");
                passed_over(file, message, "let it point to something among the notes")
            }
        }
    }
}

/// That something of the garden is left out.
pub(super) fn passed_over(file: String, message: String, hint: &str) -> Diagnostic {
    let problem = Diagnostic::of_file(file, message).hint(hint.to_owned());
    Diagnostic { severity: Severity::Warning, ..problem }
}

/// That something is a pipe, a socket or a device, or cannot be opened as a file.
pub(super) fn no_file(file: String, why: &io::Error) -> Diagnostic {
    let hint = file::read_hint(why).unwrap_or("take it out of the garden");
    passed_over(file, format!("this is not read: {why}"), hint)
}

/// That a folder of the garden is not read, since it leads elsewhere.
pub(super) fn folder(name: &str, why: &io::Error) -> Diagnostic {
    let message = match file::Refused::of(why) {
        Some(_) => format!(
            "the folder `{name}` is a link that leads out of the garden, and is not followed"
        ),
        None => format!("the folder `{name}` cannot be read ({why})"),
    };
    Diagnostic::of_file(name, message).hint(file::read_hint(why).map(str::to_owned))
}

/// That the name of a file or a folder is no text.
pub(super) fn no_text(file: String) -> Diagnostic {
    let message = "this is not read, since its name is not UTF-8".to_owned();
    passed_over(file, message, "rename it")
}

/// That a file's name keeps it from being a note.
pub(super) fn no_note(file: String) -> Diagnostic {
    let message =
        "the file is not read as a note, since its name ends in neither `.md` nor `.markdown`";
    passed_over(file, message.to_owned(), "give it the ending `.md`")
}

/// That a folder's name keeps the notes in it from being read.
pub(super) fn no_folder(name: &str) -> Diagnostic {
    let message = format!(
        "the notes in the folder `{name}` are not read, since a folder of that name is not one of notes"
    );
    passed_over(name.to_owned(), message, "give the folder another name")
}

/// What a link among the notes in `folder` points to, relative to the garden, with all links on the way followed.
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
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        _ => error.to_string(),
    }
}

impl Workspace {
    /// The same paths, and those of links to them: what changes behind a link changes the note that the link is. Paths are
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
