//! Content that notes load from other hosts or run as scripts: diagnostics about it, and the footer, which obeys the same rule.

use crate::config::{self, Config, Remote};
use crate::diagnostic::{Diagnostic, Severity};
use crate::note::{self, Note, Reach};

/// The diagnostics about a note.
pub fn problems(note: &Note, config: &Config) -> Vec<Diagnostic> {
    let Some(severity) = severity(config.remote) else { return Vec::new() };
    let said = note.reaches.iter().map(|found| {
        let (message, hint) = said(found.reach, &found.address, config.remote);
        Diagnostic { severity, ..note.at().error(found.span.clone(), message) }.hint(hint)
    });
    said.collect()
}

/// The diagnostics about the footer.
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

/// The line that appears after every note, as HTML.
pub fn footer(config: &Config) -> Option<String> {
    let closed = config.remote == Remote::Forbid;
    let parts = || note::Parts { closed, ..note::Parts::default() };
    config.footer.as_ref().map(|line| note::render_inline(line, parts()))
}

fn severity(remote: Remote) -> Option<Severity> {
    match remote {
        Remote::Forbid => Some(Severity::Error),
        Remote::Warn => Some(Severity::Warning),
        Remote::Allow => None,
    }
}

/// The message and the hint.
fn said(reach: Reach, address: &str, remote: Remote) -> (String, String) {
    let address = note::shown_address(address);
    let what = match reach {
        Reach::Remote => {
            format!("the page loads `{address}` from another site, which can track every reader")
        }
        Reach::Script => format!("the page runs a script from the note: `{address}`"),
    };
    let first = match reach {
        Reach::Remote => "copy the file into the notes folder and link to the copy",
        Reach::Script => "remove it",
    };
    match remote {
        Remote::Forbid => {
            let what = what.replacen("the page ", "with `remote: forbid` no page ", 1);
            (what + "; it is left out", first.to_owned())
        }
        _ => (
            what,
            format!("{first}; or, if it is intended, set `remote: allow` in {}", config::FILE),
        ),
    }
}
