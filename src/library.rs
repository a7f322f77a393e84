//! The works that a garden cites: the configuration in; its bibliography read, with the style that lists are written in, and
//! what is wrong, out.
//!
//! Incremental: the file is read each time, and parsed where its text or the style is another.

use std::fs;

use crate::bibliography::{Bibliography, CitationStyle, DEFAULT_STYLE, style, styles};
use crate::config::Config;
use crate::diagnostic::{Diagnostic, Lines, SourceFile};
use crate::digest::Digest;
use crate::suggest;

/// The works that a garden cites.
#[derive(Debug, Default)]
pub struct Library {
    /// The works; none where the garden names no bibliography.
    pub works: Option<Works>,
    /// The file's text, for diagnostics.
    pub text: String,
    /// What is wrong with the file.
    pub problems: Vec<Diagnostic>,
    written: Option<(String, String)>,
}

/// A bibliography and the style of its lists.
#[derive(Debug)]
pub struct Works {
    /// The works.
    pub bibliography: Bibliography,
    /// How they are cited.
    pub style: CitationStyle,
    /// Of the file's text and the style's name.
    pub digest: Digest,
}

impl Library {
    /// Reads what the configuration names. Says whether anything is another than it was.
    pub fn read(&mut self, config: &Config) -> bool {
        let named = config.bibliography.as_ref();
        let name = config.citation_style.clone().unwrap_or_else(|| DEFAULT_STYLE.to_owned());
        let written = named.map(|source| (source.written.clone(), name.clone()));
        let Some(source) = named else {
            let changed = self.written.is_some();
            *self = Self::default();
            return changed;
        };
        let text = match fs::read_to_string(&source.path) {
            Ok(text) => text,
            Err(error) => {
                let message = format!("the bibliography cannot be read ({error})");
                let problems = vec![Diagnostic::of_file(&*source.written, message)];
                let changed = self.written != written || self.problems != problems;
                *self = Self { problems, written, ..Self::default() };
                return changed;
            }
        };
        if self.written == written && self.text == text && self.works.is_some() {
            return false;
        }
        let lines = Lines::of(&text);
        let at = SourceFile { file: &source.written, text: &text, lines: &lines };
        let (bibliography, faults) = Bibliography::parse(&text);
        let mut problems: Vec<Diagnostic> = faults
            .into_iter()
            .map(|fault| at.error(fault.span, fault.message).hint(fault.hint))
            .collect();
        let found = style(&name).or_else(|| {
            let message = format!("there is no citation style `{name}`");
            let hint = suggest::hint(&name, styles());
            problems.push(Diagnostic::of_file(crate::config::FILE, message).hint(hint));
            style(DEFAULT_STYLE)
        });
        let digest = Digest::of(format!("{name}\n{text}").as_bytes());
        self.works = found.map(|style| Works { bibliography, style, digest });
        self.text = text;
        self.problems = problems;
        self.written = written;
        true
    }
}
