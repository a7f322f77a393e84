//! Turns the files of a shard into samples. Input: pictures and the files beside them, by name. Output: samples and the
//! ledger. Knows nothing of where the bytes are.

use std::collections::HashSet;

use super::ending;
use super::group::{File, Group, Naming, Read};
use super::keys::Keys;
use super::labels::Labels;
use super::ledger::{Ledger, What};
use super::sample::Sample;
use crate::cut::Cut as _;
use crate::sniff;

/// The samples that files form.
#[derive(Debug, Default)]
pub struct Sheet<P> {
    /// The samples, in order.
    pub samples: Vec<Sample>,
    /// Where the picture of each is, and how many bytes it has.
    pub places: Vec<(P, u64)>,
    /// What was seen and skipped.
    pub ledger: Ledger,
    /// Whether the first rules would have read something else.
    pub is_new: bool,
    keys: Keys,
    folders: HashSet<String>,
}

impl<P: Clone> Sheet<P> {
    /// Adds the files of a folder or of one archive; `read` reads the bytes of a small file.
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
                // Another picture may use its name.
                self.is_new = true;
                continue;
            }
            let (stem, ending) = ending::split(&file.name).unwrap_or((&file.name, ""));
            let mut stems = vec![stem, file.name.as_str()];
            let base = ending::base(&file.name);
            if naming == Naming::Archive && base != stem {
                stems.push(base);
                // The first rules did not read pictures with such a name.
                self.is_new = true;
            }
            // Numbering may restart in each of several joined archives.
            let key = self.keys.next(stem, &file.name);
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

/// Whether the first rules recognised this file as one that describes a picture.
fn plain(naming: Naming, name: &str) -> bool {
    match naming {
        Naming::Folder => name.ends_with(".json") || name.ends_with(".txt"),
        Naming::Archive => {
            let ending = name.cut(ending::base(name).len()..).to_ascii_lowercase();
            ending == ".json" || ending == ".txt"
        }
    }
}

/// The name of the folder that a file is in.
pub fn folder(name: &str) -> Option<&str> {
    let (folder, _) = name.rsplit_once('/')?;
    let last = folder.rsplit('/').next().unwrap_or(folder);
    Some(last).filter(|last| !matches!(*last, "" | "." | ".."))
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
            "AVIF is not supported",
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
