//! Macros of formulas from the configuration and its preamble.

use neuronotes_core::file;

use crate::config::{self, Config};
use crate::diagnostic::{Diagnostic, Lines, SourceFile};
use crate::guard;
use crate::note::Macros;

/// Maximum size of a preamble in bytes.
const LARGEST: u64 = 1 << 20;

/// Macros for the formulas of all notes.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Defined {
    pub(super) macros: Macros,
    /// The preamble's text, for diagnostics.
    pub(super) text: String,
    /// Errors in it and in the macros of the configuration.
    pub(super) problems: Vec<Diagnostic>,
}

impl Defined {
    /// Reads the macros that the configuration, whose text is `config_text`, contains or names.
    pub(super) fn read(config: &Config, config_text: &str) -> Self {
        let mut defined = Self::default();
        if let Some(preamble) = &config.math.preamble {
            match preamble.read(LARGEST).and_then(file::text) {
                Ok(text) => {
                    let lines = Lines::of(&text);
                    let at = SourceFile { file: &preamble.written, text: &text, lines: &lines };
                    let read = guard::run("reading the preamble", &preamble.written, || {
                        let mut macros = Macros::default();
                        let faults = macros.read(&text);
                        (macros, faults)
                    });
                    let (macros, faults) = read.unwrap_or_else(|panicked| {
                        let problem = Diagnostic::of_panic(&*preamble.written, &panicked);
                        defined.problems.push(problem);
                        Default::default()
                    });
                    defined.macros = macros;
                    for fault in faults {
                        let hint = "write a definition as `\\newcommand{\\name}[1]{…}`, `\\def\\name#1{…}` or \
                                    `\\DeclareMathOperator{\\name}{…}`";
                        defined.problems.push(fault.hint(hint).minor().at(at, 0));
                    }
                    defined.text = text;
                }
                Err(error) => {
                    let message = format!("the preamble of formulas cannot be read ({error})");
                    let problem = Diagnostic::of_file(&*preamble.written, message);
                    let hint = file::read_hint(&error).map(str::to_owned);
                    defined.problems.push(problem.hint(hint));
                }
            }
        }
        let lines = Lines::of(config_text);
        let at = SourceFile { file: config::FILE, text: config_text, lines: &lines };
        for command in &config.math.macros {
            let body = (&*command.body, command.default.as_deref());
            if let Err(message) = defined.macros.configure(&command.name, body.0, body.1) {
                let hint = "write a command as a backslash and letters: \"\\\\norm\"".to_owned();
                defined.problems.push(at.error(command.span.clone(), message).hint(hint));
            }
        }
        defined
    }
}
