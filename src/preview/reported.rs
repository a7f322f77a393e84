//! The problems that the terminal has shown; finds those that are new.
//!
//! Most changes leave most notes unchanged. Their problems are not compared again, so that many problems do not slow
//! down edits.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::diagnostic::Diagnostic;

/// The problems shown last.
#[derive(Debug, Default)]
pub struct Reported {
    /// Problems of notes, by path; a note without any is not in it.
    notes: HashMap<String, Arc<[Diagnostic]>>,
    /// All others.
    beside: Vec<Diagnostic>,
}

/// New problems.
#[derive(Debug, Default)]
pub struct New {
    /// The problems in the order of a build, except that those of files come first.
    pub problems: Vec<Diagnostic>,
    /// Number of problems that were compared.
    pub compared: usize,
}

impl Reported {
    /// Whether the last known state had no problems.
    pub fn is_empty(&self) -> bool {
        self.notes.is_empty() && self.beside.is_empty()
    }

    /// Compares with the current problems, those of notes by path and all others.
    pub fn take<'a>(
        &mut self,
        notes: impl Iterator<Item = (&'a str, &'a Arc<[Diagnostic]>)>,
        beside: Vec<Diagnostic>,
    ) -> New {
        let mut new = New::default();
        new.add(&self.beside, &beside);
        self.beside = beside;
        let mut wrong = HashSet::new();
        for (path, now) in notes.filter(|(_, now)| !now.is_empty()) {
            wrong.insert(path);
            match self.notes.get_mut(path) {
                Some(before) if Arc::ptr_eq(before, now) => {}
                Some(before) => {
                    new.add(before, now);
                    *before = Arc::clone(now);
                }
                None => {
                    new.add(&[], now);
                    self.notes.insert(path.to_owned(), Arc::clone(now));
                }
            }
        }
        if wrong.len() < self.notes.len() {
            self.notes.retain(|path, _| wrong.contains(path.as_str()));
        }
        new
    }
}

impl New {
    /// Adds the problems of `now` that are new.
    fn add(&mut self, before: &[Diagnostic], now: &[Diagnostic]) {
        self.compared += before.len() + now.len();
        let known: HashSet<&Diagnostic> = before.iter().collect();
        self.problems.extend(now.iter().filter(|problem| !known.contains(problem)).cloned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(file: &str, messages: &[&str]) -> Arc<[Diagnostic]> {
        messages.iter().map(|message| Diagnostic::of_file(file, *message)).collect()
    }

    fn take(
        reported: &mut Reported,
        notes: &[(String, Arc<[Diagnostic]>)],
        beside: &[&str],
    ) -> New {
        let beside = problems("neuronotes.yaml", beside).to_vec();
        reported.take(notes.iter().map(|(path, problems)| (path.as_str(), problems)), beside)
    }

    fn messages(new: &New) -> Vec<&str> {
        new.problems.iter().map(|problem| problem.message.as_str()).collect()
    }

    #[test]
    fn what_is_new_is_told_once_and_again_after_it_was_mended() {
        let mut reported = Reported::default();
        let note = |messages: &[&str]| vec![("a.md".to_owned(), problems("notes/a.md", messages))];
        assert_eq!(messages(&take(&mut reported, &note(&["one"]), &["out"])), ["out", "one"]);
        assert_eq!(messages(&take(&mut reported, &note(&["one", "two"]), &["out"])), ["two"]);
        assert!(!reported.is_empty());
        assert!(take(&mut reported, &note(&[]), &[]).problems.is_empty() && reported.is_empty());
        assert_eq!(messages(&take(&mut reported, &note(&["two"]), &[])), ["two"]);
        assert!(take(&mut reported, &[], &[]).problems.is_empty() && reported.is_empty());
    }

    #[test]
    fn an_edit_costs_the_same_however_much_is_wrong_elsewhere() {
        for count in [20, 400] {
            let mut reported = Reported::default();
            let note = |n: usize| (format!("{n}.md"), problems("a", &["one", "two", "three"]));
            let mut notes: Vec<_> = (0..count).map(note).collect();
            assert_eq!(take(&mut reported, &notes, &[]).problems.len(), 3 * count);
            notes[7].1 = problems("a", &["one", "other"]);
            let new = take(&mut reported, &notes, &[]);
            assert_eq!((messages(&new), new.compared), (vec!["other"], 5));
        }
    }
}
