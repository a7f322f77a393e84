//! What the terminal was told is wrong: all that is wrong now in, what of it is new out.
//!
//! Most changes leave most notes as they are. What is wrong with those is not looked at again, so that an edit costs no more
//! where there are many problems.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::diagnostic::Diagnostic;

/// What was told last.
#[derive(Debug, Default)]
pub struct Reported {
    /// Problems of notes, by path; a note without any is not in it.
    notes: HashMap<String, Arc<[Diagnostic]>>,
    /// What is wrong elsewhere.
    beside: Vec<Diagnostic>,
}

/// What is new.
#[derive(Debug, Default)]
pub struct New {
    /// In the order of a build, but for what is wrong with files, which comes first.
    pub problems: Vec<Diagnostic>,
    /// How many problems were compared to know it.
    pub compared: usize,
}

impl Reported {
    /// Whether nothing is wrong, as far as was told.
    pub fn is_empty(&self) -> bool {
        self.notes.is_empty() && self.beside.is_empty()
    }

    /// Takes in what is wrong now: with each note, by its path, and elsewhere.
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
    /// Adds what is among `now` and was not before.
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
