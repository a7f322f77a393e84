//! Resolves the fields that an entry inherits from others through `crossref` and `xdata`.
//!
//! The library would resolve these itself, but it loops forever on cycles, and gives a work its proceedings' date
//! instead of its own.

use std::collections::HashMap;

use super::entry::{Value, Work};
use crate::diagnostic::fault::Fault;

/// Fields that are not inherited, since they concern their own entry only.
const OWN: &[&str] = &[
    "abstract",
    "annotation",
    "annote",
    "crossref",
    "entryset",
    "entrysubtype",
    "execute",
    "file",
    "ids",
    "key",
    "keywords",
    "label",
    "options",
    "presort",
    "related",
    "relatedoptions",
    "relatedstring",
    "relatedtype",
    "shorthand",
    "shorthandintro",
    "sortkey",
    "xdata",
    "xref",
];
const DATE: &[&str] = &["date", "year", "month", "day"];
/// Types of works that have parts, and the fields that their titles become in a part.
const TITLES: &[(&[&str], &[&str], &str)] = &[
    (&["mvbook"], &["book", "inbook", "bookinbook", "suppbook"], "main"),
    (
        &["mvcollection", "mvreference"],
        &["collection", "reference", "incollection", "inreference", "suppcollection"],
        "main",
    ),
    (&["mvproceedings"], &["proceedings", "inproceedings", "conference"], "main"),
    (&["book"], &["inbook", "bookinbook", "suppbook", "incollection"], "book"),
    (
        &["collection", "reference"],
        &["incollection", "inreference", "suppcollection", "inbook"],
        "book",
    ),
    (&["proceedings"], &["inproceedings", "conference"], "book"),
    (&["periodical"], &["article", "suppperiodical"], "journal"),
];

#[derive(Clone, Copy, PartialEq)]
enum State {
    New,
    Open,
    Done,
}

/// Adds inherited fields to each work; reports broken references.
pub(super) fn inherit(works: &mut [Work], faults: &mut Vec<Fault>) {
    let keys: HashMap<String, usize> =
        works.iter().enumerate().map(|(at, work)| (work.key.clone(), at)).collect();
    let mut sources: Vec<Vec<(&str, usize)>> =
        works.iter().map(|work| sources(work, &keys, faults)).collect();
    let mut states = vec![State::New; works.len()];
    for start in 0..works.len() {
        let mut open = vec![(start, 0)];
        while let Some((at, next)) = open.last_mut() {
            let at = *at;
            if states[at] == State::Done {
                open.pop();
                continue;
            }
            states[at] = State::Open;
            let Some((field, source)) = sources[at].get(*next).copied() else {
                for (field, source) in std::mem::take(&mut sources[at]) {
                    let taken = taken(&works[source], &works[at], field);
                    for (name, value) in taken {
                        works[at].fields.entry(name).or_insert(value);
                    }
                }
                states[at] = State::Done;
                open.pop();
                continue;
            };
            match states[source] {
                State::Done => *next += 1,
                State::New => open.push((source, 0)),
                State::Open => {
                    sources[at].remove(*next);
                    faults.push(works[at].fault(
                        field,
                        format!("`{field}` of `{}` leads back to itself", works[at].key),
                        Some("an entry cannot inherit from itself".to_owned()),
                    ));
                }
            }
        }
    }
}

/// The entries that an entry inherits from, each with the field that names it.
fn sources(
    work: &Work,
    keys: &HashMap<String, usize>,
    faults: &mut Vec<Fault>,
) -> Vec<(&'static str, usize)> {
    let mut sources = Vec::new();
    for field in ["crossref", "xdata"] {
        let Some(value) = work.fields.get(field) else { continue };
        // Only `xdata` is a list.
        let names: Vec<&str> = match field {
            "xdata" => value.text.split(',').collect(),
            _ => vec![&value.text],
        };
        for name in names.into_iter().map(str::trim).filter(|name| !name.is_empty()) {
            match keys.get(name) {
                Some(source) => sources.push((field, *source)),
                None => faults.push(work.fault(
                    field,
                    format!(
                        "`{field}` of `{}` names the entry `{name}`, which does not exist",
                        work.key
                    ),
                    None,
                )),
            }
        }
    }
    sources
}

type Taken = Vec<(String, Value)>;

/// The fields that a work inherits from another.
fn taken(source: &Work, work: &Work, field: &str) -> Taken {
    let titles = (field == "crossref").then(|| {
        let found = TITLES.iter().find(|(wholes, parts, _)| {
            wholes.contains(&source.kind.as_str()) && parts.contains(&work.kind.as_str())
        });
        found.map(|(.., prefix)| *prefix)
    });
    let titles = titles.flatten();
    let has_date = DATE.iter().any(|name| work.fields.contains_key(*name));
    let mut taken = Taken::new();
    for (name, value) in &source.fields {
        if OWN.contains(&name.as_str()) || (has_date && DATE.contains(&name.as_str())) {
            continue;
        }
        let name = match (titles, name.as_str()) {
            (Some(prefix), "title" | "subtitle" | "titleaddon") => format!("{prefix}{name}"),
            (Some(_), "shorttitle" | "sorttitle" | "indextitle") => continue,
            // A collection's author is its editor; a book's is also that of the book around a part.
            (Some("book"), "author") if source.kind == "book" => {
                taken.push(("bookauthor".to_owned(), value.clone()));
                name.clone()
            }
            _ => name.clone(),
        };
        taken.push((name, value.clone()));
    }
    taken
}
