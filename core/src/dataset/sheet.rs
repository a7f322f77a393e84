//! Pictures and the files beside them, by name, in; the samples that they form and the ledger out. Knows nothing of where
//! the bytes lie.

use std::collections::{HashMap, HashSet};

use super::beside::{self, Said};
use super::ending::{self, Beside, Ending};
use crate::cut::Cut as _;
use crate::dataset::Labels;
use crate::dataset::Sample;
use crate::dataset::ledger::{Ledger, What};
use crate::sniff;

/// Gives so many bytes of a file from its beginning.
pub type Read<'r, P> = &'r mut dyn FnMut(&P, u64) -> Result<Vec<u8>, String>;

/// How names go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Naming {
    /// By all but the last ending, as in a folder.
    Folder,
    /// By WebDataset's rule, up to the first dot, where that leaves one picture.
    Archive,
}

/// A file of a data set that can be read.
#[derive(Debug, Clone)]
pub struct File<P> {
    /// Its path in the folder or archive, with `/`.
    pub name: String,
    /// Where its bytes lie.
    pub place: P,
    /// How many there are.
    pub bytes: u64,
    /// Whether the first rules left it out.
    pub is_new: bool,
}

/// What files form.
#[derive(Debug, Default)]
pub struct Sheet<P> {
    /// In order.
    pub samples: Vec<Sample>,
    /// Where the picture of each lies, and how many bytes it has.
    pub places: Vec<(P, u64)>,
    /// What was seen.
    pub ledger: Ledger,
    /// Whether the first rules read another thing out of it.
    pub is_new: bool,
    keys: HashSet<String>,
    folders: HashSet<String>,
}

/// Names that lie in many folders and belong to no picture.
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

impl<P: Clone> Sheet<P> {
    /// Adds the files of a folder, or of one archive; `read` gives the bytes of a small one.
    pub fn add(&mut self, files: &[File<P>], naming: Naming, labels: Labels, read: Read<'_, P>) {
        let mut group = Group::of(files, naming, &mut self.ledger);
        self.is_new |= group.is_new;
        for at in std::mem::take(&mut group.pictures) {
            let file = &files[at];
            let start = read(&file.place, file.bytes.min(sniff::ENOUGH as u64)).unwrap_or_default();
            let other = sniff::other(&start).filter(|_| !sniff::is_picture(&start));
            if let Some(found) = other.filter(|_| !start.is_empty()) {
                let hint = found.hint.map(|hint| format!(": {hint}")).unwrap_or_default();
                self.ledger.lose(What::Picture, format!("it is {}{hint}", found.what), &*file.name);
                // Its name is free for another one.
                self.is_new = true;
                continue;
            }
            let (stem, ending) = ending::split(&file.name).unwrap_or((&file.name, ""));
            let mut stems = vec![stem, file.name.as_str()];
            let mut key = stem.to_owned();
            let base = ending::base(&file.name);
            if naming == Naming::Archive && base != stem {
                stems.push(base);
                // The first rules knew no picture by such a name.
                self.is_new = true;
            }
            // `cat.jpg` and `cat.png` of a folder are two pictures: the second one keeps its ending. Archives that were
            // joined may each begin to count anew.
            if self.keys.contains(&key) {
                key.clone_from(&file.name);
            }
            let mut again = 2;
            while self.keys.contains(&key) {
                key = format!("{} [{again}]", file.name);
                again += 1;
            }
            self.keys.insert(key.clone());
            self.is_new |= file.is_new
                || !ending::is_of_the_first_rules(ending)
                || sniff::is_late_picture(&start);
            let mut sample = Sample { key, caption: None, label: None };
            let mut grouped = None;
            for index in group.beside(&stems) {
                let said = group.said(files, index, &mut self.ledger, read);
                self.is_new |= said.is_new || files[index].is_new;
                let its = ending::split(&files[index].name).map_or("", |(stem, _)| stem);
                self.is_new |= its != stem || !plain(naming, &files[index].name);
                sample.caption = sample.caption.take().or_else(|| said.caption.clone());
                sample.label = sample.label.take().or_else(|| said.label.clone());
                grouped = grouped.take().or_else(|| said.group.clone());
            }
            sample.label = sample.label.take().or(grouped);
            let folder = folder(&file.name);
            if let Some(folder) = folder.filter(|folder| !self.folders.contains(*folder)) {
                self.folders.insert(folder.to_owned());
                self.ledger.folders += 1;
            }
            if labels == Labels::Folders {
                sample.label = folder.map(str::to_owned);
                if sample.label.is_none() {
                    self.ledger.lose(What::Label, "its picture lies in no folder", &*file.name);
                }
            }
            self.ledger.pictures += 1;
            self.ledger.captions += u64::from(sample.caption.is_some());
            self.ledger.labels += u64::from(sample.label.is_some());
            self.samples.push(sample);
            self.places.push((file.place.clone(), file.bytes));
        }
        group.orphans(files, &mut self.ledger);
    }
}

/// Whether the first rules saw what kind of file a file beside a picture is.
fn plain(naming: Naming, name: &str) -> bool {
    match naming {
        Naming::Folder => name.ends_with(".json") || name.ends_with(".txt"),
        Naming::Archive => {
            let ending = name.cut(ending::base(name).len()..).to_ascii_lowercase();
            ending == ".json" || ending == ".txt"
        }
    }
}

/// The name of the folder that a file lies in.
fn folder(name: &str) -> Option<&str> {
    let (folder, _) = name.rsplit_once('/')?;
    let last = folder.rsplit('/').next().unwrap_or(folder);
    Some(last).filter(|last| !matches!(*last, "" | "." | ".."))
}

/// Files by what they are.
#[derive(Debug, Default)]
struct Group<'f> {
    pictures: Vec<usize>,
    /// By path without the last ending; of JSON, captions and labels in this order.
    beside: HashMap<&'f str, Vec<usize>>,
    said: HashMap<usize, Said>,
    /// Whether the first rules read another thing out of them.
    is_new: bool,
}

impl<'f> Group<'f> {
    fn of<P>(files: &'f [File<P>], naming: Naming, ledger: &mut Ledger) -> Self {
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
                // The first rules took the last of such files beside pictures.
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
                    ledger.lose(What::Picture, format!("{format} is not read"), name);
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

    /// The files that say something of a picture, the nearest by name first.
    fn beside(&self, stems: &[&str]) -> Vec<usize> {
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

    /// What a file says; it is read once.
    fn said<P>(
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

    /// Files that no picture goes with.
    fn orphans<P>(&self, files: &[File<P>], ledger: &mut Ledger) {
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

/// What a file was meant to be, by its name.
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

/// A file that is nothing that a data set is made of.
fn other(name: &str, ending: &str, ledger: &mut Ledger) {
    let last = name.rsplit('/').next().unwrap_or(name).to_lowercase();
    let stem = last.split('.').next().unwrap_or_default();
    let table = ["csv", "tsv", "json", "jsonl", "txt", "parquet"];
    if TABLES.contains(&stem) && table.contains(&&*ending.to_lowercase()) {
        let why = "a table about all pictures is not read; give each picture a file of its own";
        ledger.lose(What::Description, why, name);
    } else if [".tar", ".tar.gz", ".tgz", ".tar.zst", ".zip"].iter().any(|e| last.ends_with(e)) {
        let why = "an archive among pictures is not read; name it as a data set, or unpack it";
        ledger.lose(What::Part, why, name);
    } else {
        ledger.lose(What::Other, "neither picture nor caption nor label by the ending", name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet(naming: Naming, labels: Labels, files: &[(&str, &str)]) -> Sheet<usize> {
        let file = |(place, (name, text)): (usize, &(&str, &str))| File {
            name: (*name).to_owned(),
            place,
            bytes: text.len() as u64,
            is_new: false,
        };
        let listed: Vec<_> = files.iter().enumerate().map(file).collect();
        let mut sheet = Sheet::default();
        let mut read = |place: &usize, _| Ok(files[*place].1.as_bytes().to_vec());
        sheet.add(&listed, naming, labels, &mut read);
        sheet
    }

    fn rows<P>(sheet: &Sheet<P>) -> Vec<(&str, &str, &str)> {
        let text = |text: &Option<String>| -> &'static str {
            Box::leak(text.clone().unwrap_or_default().into_boxed_str())
        };
        let row = |s: &Sample| -> (&'static str, &'static str, &'static str) {
            (Box::leak(s.key.clone().into_boxed_str()), text(&s.caption), text(&s.label))
        };
        sheet.samples.iter().map(row).collect()
    }

    #[test]
    fn dots_in_names_lose_no_picture_of_an_archive() {
        let files = [
            ("22.05.png", ""),
            ("22.05.txt", "the fifth"),
            ("22.06.png", ""),
            ("22.cls", "22"),
            ("ok.jpg", ""),
            ("ok.jpg.json", "{\"caption\": \"fine\"}"),
            ("in/a.b.jpg", ""),
            ("in/a.json", "{\"caption\": \"of all that is a\"}"),
        ];
        let found = sheet(Naming::Archive, Labels::Files, &files);
        assert_eq!(
            rows(&found),
            [
                ("22.05", "the fifth", "22"),
                ("22.06", "", "22"),
                ("ok", "fine", ""),
                ("in/a.b", "of all that is a", ""),
            ]
        );
        assert!(found.is_new && found.ledger.lost.is_empty(), "{:?}", found.ledger);
    }

    #[test]
    fn parts_of_a_sample_are_no_pictures_of_their_own_and_are_counted() {
        let files = [
            ("a.png", ""),
            ("a.seg.png", ""),
            ("a.jpg", ""),
            ("b.seg.png", ""),
            ("a.png", ""),
            ("c.avif", ""),
            ("d.txt", "of nothing"),
            ("README.txt", "about it"),
            ("metadata.csv", ""),
            ("._a.png", ""),
        ];
        let found = sheet(Naming::Archive, Labels::Files, &files);
        assert_eq!(rows(&found), [("a", "", ""), ("b.seg", "", "")]);
        let warnings = found.ledger.warnings().join("\n");
        for wanted in [
            "a.seg.png",
            "a.jpg",
            "earlier file of the same name (a.png)",
            "AVIF is not read",
            "d.txt",
            "metadata.csv",
        ] {
            assert!(warnings.contains(wanted), "{wanted}\n{warnings}");
        }
        assert!(!warnings.contains("README") && !warnings.contains("._a.png"), "{warnings}");
        let all: u64 = found.ledger.lost.iter().map(|lost| lost.count).sum();
        assert_eq!(all, 8, "{:?}", found.ledger);
    }

    #[test]
    fn what_the_first_rules_read_is_read_alike() {
        let files = [
            ("a.png", ""),
            ("a.json", "{\"caption\": \"one\", \"group\": \"letters\"}"),
            ("a.txt", "another"),
            ("b.JPG", ""),
            ("notes.md", ""),
        ];
        for naming in [Naming::Archive, Naming::Folder] {
            let found = sheet(naming, Labels::Files, &files);
            assert_eq!(rows(&found), [("a", "one", "letters"), ("b", "", "")]);
            assert!(!found.is_new);
        }
        for file in [("a.gif", ""), ("a.cls", "3"), ("a.JSON.txt", "x")] {
            let found = sheet(Naming::Folder, Labels::Files, &[("a.png", ""), file]);
            assert_eq!(found.is_new, file.0 != "a.JSON.txt", "{}", file.0);
        }
    }

    #[test]
    fn folders_are_labels_where_that_is_asked_for() {
        let files = [("dog/1.jpg", ""), ("dog/1.cls", "7"), ("in/cat/1.jpg", ""), ("2.jpg", "")];
        let found = sheet(Naming::Folder, Labels::Folders, &files);
        assert_eq!(rows(&found), [("dog/1", "", "dog"), ("in/cat/1", "", "cat"), ("2", "", "")]);
        assert_eq!(found.ledger.labels, 2);
        assert!(found.ledger.warnings()[0].contains("its picture lies in no folder (2.jpg)"));
    }
}
