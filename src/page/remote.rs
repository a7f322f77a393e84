//! What notes ask of other hosts, or run, though pages are to ask nothing of anyone: a note in; what is to be said of it,
//! out.

use crate::config::{self, Config, Remote};
use crate::diagnostic::{Diagnostic, Severity};
use crate::note::{self, Note, Reach};

/// What is to be said of a note.
pub fn problems(note: &Note, config: &Config) -> Vec<Diagnostic> {
    let Some(severity) = severity(config.remote) else { return Vec::new() };
    let said = note.reaches.iter().map(|found| {
        let (message, hint) = said(found.reach, &found.address, config.remote);
        Diagnostic { severity, ..note.at().error(found.span.clone(), message) }.hint(hint)
    });
    said.collect()
}

/// The same of the line that stands under every note.
pub fn footer_problems(config: &Config) -> Vec<Diagnostic> {
    let (Some(severity), Some(footer)) = (severity(config.remote), &config.footer) else {
        return Vec::new();
    };
    let said = note::reaches(footer).into_iter().map(|found| {
        let (message, hint) = said(found.reach, &found.address, config.remote);
        let problem = Diagnostic::of_file(config::FILE, format!("`footer`: {message}"));
        Diagnostic { severity, ..problem }.hint(hint)
    });
    said.collect()
}

fn severity(remote: Remote) -> Option<Severity> {
    match remote {
        Remote::Forbid => Some(Severity::Error),
        Remote::Warn => Some(Severity::Warning),
        Remote::Allow => None,
    }
}

/// A message and a hint.
fn said(reach: Reach, address: &str, remote: Remote) -> (String, String) {
    let address = note::shown_address(address);
    let what = match reach {
        Reach::Remote => {
            format!("the page loads `{address}` from another site, which learns of every reader")
        }
        Reach::Script => format!("the page runs a script of the note: `{address}`"),
    };
    let first = match reach {
        Reach::Remote => "copy the file into the notes and name it there",
        Reach::Script => "take it out",
    };
    match remote {
        Remote::Forbid => {
            let what = what.replacen("the page ", "with `remote: forbid` no page ", 1);
            (what + "; it is left out", first.to_owned())
        }
        _ => (
            what,
            format!("{first}; or, where it is meant, say `remote: allow` in {}", config::FILE),
        ),
    }
}
