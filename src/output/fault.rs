//! Problems with a site's files, grouped by cause.

use neuronotes_core::problem::Problem;

use crate::diagnostic::Diagnostic;

/// Why a file could not be written.
pub(super) struct Fault {
    pub(super) problem: Problem,
    /// Whether the disk was full at that moment.
    pub(super) full: bool,
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        Self { problem, full: false }
    }
}

/// One diagnostic for all files with the same problem.
pub(super) fn diagnostics(faults: Vec<(String, Fault)>) -> Vec<Diagnostic> {
    let mut problems: Vec<(Diagnostic, usize)> = Vec::new();
    for (path, Fault { problem: Problem { message, hint }, .. }) in faults {
        match problems.iter_mut().find(|(problem, _)| problem.message == message) {
            Some((_, others)) => *others += 1,
            None => problems.push((Diagnostic::of_file(path, message).hint(hint), 0)),
        }
    }
    let one = |(problem, others): (Diagnostic, usize)| match others {
        0 => problem,
        1 => Diagnostic { message: format!("{}, and one other", problem.message), ..problem },
        n => Diagnostic { message: format!("{}, and {n} others", problem.message), ..problem },
    };
    problems.into_iter().map(one).collect()
}
