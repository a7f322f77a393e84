//! A problem at a place of a text whose file is known to others: of a value in prose, a formula, a note's Liquid, a
//! bibliography.

use std::ops::Range;

use neuronotes_core::problem::{Hint, Problem};

use super::{Diagnostic, Severity, SourceFile};

/// A problem at a span of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Its span in the text, in bytes.
    pub span: Range<usize>,
    /// Its severity.
    pub severity: Severity,
    /// What is wrong, and what to do about it.
    pub problem: Problem,
}

impl Fault {
    /// An error without a hint.
    pub fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { span, severity: Severity::Error, problem: Problem::new(message) }
    }

    /// The same with this hint.
    #[must_use]
    pub fn hint(self, hint: impl Hint) -> Self {
        Self { problem: self.problem.hint(hint), ..self }
    }

    /// The same as a warning: the text is used nevertheless.
    #[must_use]
    pub fn minor(self) -> Self {
        Self { severity: Severity::Warning, ..self }
    }

    /// The diagnostic in the file, in which the text begins at byte `start`.
    pub fn at(self, file: SourceFile<'_>, start: usize) -> Diagnostic {
        let problem =
            file.error(start + self.span.start..start + self.span.end, self.problem.message);
        Diagnostic { severity: self.severity, ..problem }.hint(self.problem.hint)
    }
}

#[cfg(test)]
mod tests {
    use crate::diagnostic::Lines;

    use super::*;

    #[test]
    fn a_fault_of_a_part_has_its_place_in_the_file() {
        let text = "one\ntwo thre\n";
        let lines = Lines::of(text);
        let file = SourceFile { file: "notes/a.md", text, lines: &lines };
        let fault = Fault::new(4..8, "no such number").hint("write `three`");
        let found = fault.clone().at(file, 4);
        assert_eq!(found.to_string(), "notes/a.md:2:5: no such number (hint: write `three`)");
        assert_eq!((found.severity, &text[found.span]), (Severity::Error, "thre"));
        assert_eq!(fault.minor().at(file, 4).severity, Severity::Warning);
    }
}
