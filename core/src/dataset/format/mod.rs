//! The registry of data-set formats: for each its name, how its shards are recognised, what their digests cover, how a
//! shard is listed, and its documentation.
//!
//! A new format is one file here and one entry in [`FORMATS`]. Only if its pictures are not encoded files does the lab
//! need a reader for it as well.

mod archive;
pub mod folder;
pub mod tar;
pub mod words;

use std::io;
use std::path::Path;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::labels::Labels;
use super::listing::{Listing, Malformed};
use crate::digest::Digest;
use crate::files::FileDigests;

/// A format of data sets.
#[derive(Debug)]
pub struct Format {
    /// Its name in request keys, frozen facts and JSON; it never changes.
    pub name: &'static str,
    /// One shard, with its article, as messages name it: `a tar archive`.
    pub noun: &'static str,
    /// One line for `neuronotes dataset info`, without an article.
    pub summary: &'static str,
    /// What can be configured, for hints that list all formats.
    pub accepts: &'static str,
    /// Markdown: what a shard holds, for the command line's help and `docs/data.md`.
    pub doc: &'static str,
    /// Markdown: what the digest of a shard covers.
    pub covers: &'static str,
    /// Which files or folders are shards of this format.
    pub shard: Shard,
    /// What a sample is.
    pub samples: Samples,
    /// The digest of a shard: of everything in it that can change a result.
    pub digest: DigestOf,
    /// The digest of what decides the pixels of a shard's pictures, for formats in which something else describes the
    /// pictures; `None` if the whole shard decides.
    pub pictures: Option<DigestOf>,
    /// What to do about a damaged shard.
    pub hint: Option<&'static str>,
    /// Lists a shard.
    pub(super) list: fn(&Path, Labels) -> Result<Listing, Malformed>,
}

/// Takes a digest of a shard.
pub type DigestOf = fn(&mut FileDigests, &Path) -> io::Result<Digest>;

/// Which files or folders are shards of a format.
#[derive(Debug)]
pub enum Shard {
    /// Files whose names end like this.
    File {
        /// Endings in lower case, each with its dot.
        endings: &'static [&'static str],
        /// Whether a folder of such files is one data set.
        gathered: bool,
    },
    /// Folders.
    Folder {
        /// Whether a file of that name makes its folder a shard of this format.
        holds: fn(&str) -> bool,
    },
}

/// What a sample of a format is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Samples {
    /// A picture that is stored.
    Pictures,
    /// A word or phrase: the lab draws it, as large as the model's input, and blocks may take it as a text.
    Words,
}

impl Samples {
    /// What several are called.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Pictures => "pictures",
            Self::Words => "words",
        }
    }
}

/// Every format, in the order in which hints list them.
pub static FORMATS: [&Format; 3] = [&folder::FORMAT, &tar::FORMAT, &words::FORMAT];

impl Format {
    /// The format of that name.
    pub fn named(name: &str) -> Option<&'static Self> {
        FORMATS.into_iter().find(|format| format.name == name)
    }

    /// The format of which a file of that name is a shard.
    pub fn of_file(name: &str) -> Option<&'static Self> {
        FORMATS.into_iter().find(|format| format.takes_file(name))
    }

    /// The format of which a folder with these files is one shard.
    pub fn of_folder<'a>(names: impl Iterator<Item = &'a str> + Clone) -> Option<&'static Self> {
        FORMATS.into_iter().find(|format| match format.shard {
            Shard::Folder { holds } => names.clone().any(holds),
            Shard::File { .. } => false,
        })
    }

    /// The format of a file that is a shard of the data set that its folder is.
    pub fn gathered(name: &str) -> Option<&'static Self> {
        let is_gathered = |shard: &Shard| matches!(shard, Shard::File { gathered: true, .. });
        Self::of_file(name).filter(|format| is_gathered(&format.shard))
    }

    fn takes_file(&self, name: &str) -> bool {
        let name = name.to_lowercase();
        match self.shard {
            Shard::File { endings, .. } => endings.iter().any(|ending| name.ends_with(ending)),
            Shard::Folder { .. } => false,
        }
    }
}

/// A hint that lists all formats.
pub fn known() -> String {
    let all: Vec<&str> = FORMATS.iter().map(|format| format.accepts).collect();
    format!("known: {}", all.join(", "))
}

impl PartialEq for Format {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Format {}

impl Serialize for Format {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name)
    }
}

impl<'de> Deserialize<'de> for &'static Format {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Format::named(&name).ok_or_else(|| {
            let names: Vec<String> = FORMATS.map(|format| format.name.to_owned()).to_vec();
            let names = crate::suggest::quoted(&names, "or");
            serde::de::Error::custom(format!("unknown data-set format `{name}`, expected {names}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_is_found_by_its_name_and_in_json() {
        for format in FORMATS {
            assert_eq!(Format::named(format.name), Some(format));
            let json = serde_json::to_string(format).expect("JSON");
            assert_eq!(json, format!("\"{}\"", format.name));
            let read: &'static Format = serde_json::from_str(&json).expect("a format");
            assert!(std::ptr::eq(read, format), "`{}` is the name of two formats", format.name);
        }
        let error = serde_json::from_str::<&'static Format>("\"zip\"").expect_err("unknown");
        assert!(error.to_string().contains("`folder`, `tar` or `words`"), "{error}");
    }

    #[test]
    fn the_table_of_the_documentation_is_the_registry() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/data.md");
        let page = std::fs::read_to_string(path).expect("docs/data.md");
        let rows = page.lines().skip_while(|line| !line.starts_with("| format |")).skip(2);
        let rows: Vec<&str> = rows.take_while(|line| line.starts_with('|')).collect();
        let row =
            |format: &Format| format!("| `{}` | {} | {} |", format.name, format.doc, format.covers);
        assert_eq!(rows, FORMATS.map(row));
        for format in FORMATS {
            let Shard::File { endings, .. } = format.shard else { continue };
            for ending in endings {
                assert!(
                    page.contains(&format!("`{ending}`")),
                    "docs/data.md does not name {ending}"
                );
            }
        }
    }

    #[test]
    fn every_ending_belongs_to_one_format() {
        for format in FORMATS {
            let Shard::File { endings, gathered } = format.shard else { continue };
            for ending in endings {
                let name = format!("Some.Name{}", ending.to_uppercase());
                assert_eq!(Format::of_file(&name), Some(format), "{ending}");
                assert_eq!(Format::gathered(&name).is_some(), gathered, "{ending}");
                let takes = |other: &&&Format| other.takes_file(ending);
                assert_eq!(FORMATS.iter().filter(takes).count(), 1, "{ending}");
            }
        }
        assert_eq!(Format::of_file("a.png"), None);
        let of_pictures = Format::of_folder(["a.md", "in/b.PNG"].into_iter());
        assert_eq!(of_pictures, Some(&folder::FORMAT));
        assert_eq!(Format::of_folder(["a.md", "b.tar"].into_iter()), None);
    }
}
