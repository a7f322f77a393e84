//! The files of a shard, grouped by what they are: pictures, and the files that describe them.

use std::collections::{HashMap, HashSet};

use super::beside::{self, Said};
use super::ending::{self, Beside, Ending};
use super::ledger::{Ledger, What};

/// Reads that many bytes from the beginning of a file.
pub type Read<'r, P> = &'r mut dyn FnMut(&P, u64) -> Result<Vec<u8>, String>;

/// How the files of one sample are recognised by their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Naming {
    /// They agree up to the last dot, as in a folder.
    Folder,
    /// They agree up to the first dot, which is WebDataset's rule, if that leaves one picture.
    Archive,
}

/// A file of a data set that can be read.
#[derive(Debug, Clone)]
pub struct File<P> {
    /// Its path in the folder or archive, with `/`.
    pub name: String,
    /// Where its bytes are.
    pub place: P,
    /// How many bytes it has.
    pub bytes: u64,
    /// Whether the first rules skipped it.
    pub is_new: bool,
}

/// Names of files that are found in many folders and belong to no picture.
const DOCUMENTS: [&str; 10] = [
    "readme",
    "license",
    "licence",
    "copying",
    "notice",
    "info",
    "authors",
    "changelog",
    "index",
    "requirements",
];
/// Names of tables about a whole folder.
const TABLES: [&str; 4] = ["metadata", "captions", "labels", "annotations"];

/// Files by what they are.
#[derive(Debug, Default)]
pub struct Group<'f> {
    /// The pictures, as indices into the files.
    pub pictures: Vec<usize>,
    /// The files that describe pictures, by path without the last ending: JSON first, then captions, then labels.
    beside: HashMap<&'f str, Vec<usize>>,
    said: HashMap<usize, Said>,
    /// Whether the first rules would have read something else.
    pub is_new: bool,
}

impl<'f> Group<'f> {
    /// Groups files and notes in the ledger which are skipped.
    pub fn of<P>(files: &'f [File<P>], naming: Naming, ledger: &mut Ledger) -> Self {
        let mut group = Self::default();
        let mut plain: HashMap<&str, usize> = HashMap::new();
        let mut names: HashSet<&str> = HashSet::new();
        for (at, file) in files.iter().enumerate() {
            let name = file.name.as_str();
            let last = name.rsplit('/').next().unwrap_or(name);
            if last.starts_with('.') {
                ledger.lose(What::Other, "hidden, since the name begins with a dot", name);
                continue;
            }
            let ending = ending::split(name).map_or("", |(_, ending)| ending);
            let kind = Ending::of(ending);
            if kind != Ending::Other && !names.insert(name) {
                let what = if kind == Ending::Picture { What::Picture } else { What::Description };
                ledger.lose(what, "the archive has an earlier file of the same name", name);
                // Of several such files beside a picture, the first rules used the last.
                group.is_new |= kind != Ending::Picture;
                continue;
            }
            match kind {
                Ending::Picture => {
                    let base = ending::base(name);
                    if naming == Naming::Archive && base.len() + 1 + ending.len() == name.len() {
                        if plain.contains_key(base) {
                            let why = "WebDataset's rule makes it a part of a sample that has a picture already";
                            ledger.lose(What::Picture, why, name);
                            continue;
                        }
                        plain.insert(base, at);
                    }
                    group.pictures.push(at);
                }
                Ending::Unread(format) => {
                    ledger.lose(What::Picture, format!("{format} is not supported"), name);
                }
                Ending::Beside(_) => {
                    let stem = ending::split(name).map_or(name, |(stem, _)| stem);
                    group.beside.entry(stem).or_default().push(at);
                }
                Ending::Other => other(name, ending, ledger),
            }
        }
        if naming == Naming::Archive {
            group.pictures.retain(|at| {
                let name = files[*at].name.as_str();
                let taken = plain.get(ending::base(name)).filter(|picture| *picture != at);
                if let Some(picture) = taken {
                    let sample = &files[*picture].name;
                    let why =
                        format!("by WebDataset's rule it is a part of the sample of `{sample}`");
                    ledger.lose(What::Picture, why, name);
                }
                taken.is_none()
            });
        }
        for all in group.beside.values_mut() {
            all.sort_by_key(|at| (order(&files[*at].name), *at));
        }
        group
    }

    /// The files that describe a picture, the one with the nearest name first.
    pub fn beside(&self, stems: &[&str]) -> Vec<usize> {
        let mut found: Vec<usize> = Vec::new();
        for stem in stems {
            for at in self.beside.get(stem).into_iter().flatten() {
                if !found.contains(at) {
                    found.push(*at);
                }
            }
        }
        found
    }

    /// Reads what the files beside a picture contain. Each file is read once.
    pub fn said<P>(
        &mut self,
        files: &[File<P>],
        at: usize,
        ledger: &mut Ledger,
        read: Read<'_, P>,
    ) -> &Said {
        self.said.entry(at).or_insert_with(|| {
            let file = &files[at];
            let ending = ending::split(&file.name).map_or("", |(_, ending)| ending);
            let Ending::Beside(kind) = Ending::of(ending) else { return Said::default() };
            let lose = |why| Said { lost: vec![(beside::what(kind), why)], ..Said::default() };
            let said = if file.bytes > beside::LARGEST {
                lose(format!("its file has more than {} MiB", beside::LARGEST >> 20))
            } else {
                match read(&file.place, file.bytes) {
                    Ok(bytes) => beside::read(kind, &bytes),
                    Err(why) => lose(format!("it cannot be read ({why})")),
                }
            };
            for (what, why) in &said.lost {
                ledger.lose(*what, why.clone(), &*file.name);
            }
            said
        })
    }

    /// Notes in the ledger the files that belong to no picture.
    pub fn orphans<P>(&self, files: &[File<P>], ledger: &mut Ledger) {
        let mut left: Vec<usize> = self.beside.values().flatten().copied().collect();
        left.retain(|at| !self.said.contains_key(at));
        left.sort_unstable();
        for at in left {
            let name = &files[at].name;
            let (stem, ending) = ending::split(name).unwrap_or((name, ""));
            let last = stem.rsplit('/').next().unwrap_or(stem).to_lowercase();
            if TABLES.contains(&&*last) || DOCUMENTS.contains(&&*last) {
                other(name, ending, ledger);
            } else if let Ending::Beside(kind) = Ending::of(ending) {
                ledger.lose(beside::what(kind), "no picture has its name", &**name);
            }
        }
    }
}

/// The intended content of a file, by its name.
pub fn meant(name: &str) -> What {
    let last = name.rsplit('/').next().unwrap_or(name);
    let ending = ending::split(last).map_or("", |(_, ending)| ending);
    match Ending::of(ending) {
        _ if last.starts_with('.') => What::Other,
        Ending::Picture | Ending::Unread(_) => What::Picture,
        Ending::Beside(kind) => beside::what(kind),
        Ending::Other => What::Other,
    }
}

/// JSON first, then captions, then labels.
fn order(name: &str) -> u8 {
    match ending::split(name).map(|(_, ending)| Ending::of(ending)) {
        Some(Ending::Beside(Beside::Json)) => 0,
        Some(Ending::Beside(Beside::Caption)) => 1,
        _ => 2,
    }
}

/// Notes in the ledger a file that is neither a picture nor describes one.
fn other(name: &str, ending: &str, ledger: &mut Ledger) {
    let last = name.rsplit('/').next().unwrap_or(name).to_lowercase();
    let stem = last.split('.').next().unwrap_or_default();
    let table = ["csv", "tsv", "json", "jsonl", "txt", "parquet"];
    if TABLES.contains(&stem) && table.contains(&&*ending.to_lowercase()) {
        let why = match ending.to_lowercase().as_str() {
            "csv" | "tsv" | "jsonl" | "parquet" => {
                "a table is not read with a folder; name the table itself as the data set to read it"
            }
            _ => "a table is not read with a folder; write it as CSV and name that as the data set",
        };
        ledger.lose(What::Description, why, name);
    } else if last.ends_with(".zip") || ending::ARCHIVES.iter().any(|e| last.ends_with(e)) {
        let why = "an archive among pictures is not read; name it as a data set, or unpack it";
        ledger.lose(What::Part, why, name);
    } else {
        ledger.lose(What::Other, "neither picture nor caption nor label by the ending", name);
    }
}
