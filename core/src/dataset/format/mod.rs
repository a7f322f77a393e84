//! The registry of data-set formats: for each its name, how its shards are recognised, what their digests cover, how a
//! shard is listed, and its documentation.
//!
//! A new format is one file here and one entry in [`FORMATS`]. Only if its pictures are not encoded files does the lab
//! need a reader for it as well.

mod archive;
pub mod csv;
mod entry;
pub mod folder;
pub mod jsonl;
pub mod parquet;
pub mod tar;
pub mod words;

pub use entry::{DigestOf, Format, Samples, Shard};
use serde::{Deserialize, Deserializer};

/// Every format, in the order in which hints list them.
pub static FORMATS: [&Format; 6] =
    [&folder::FORMAT, &tar::FORMAT, &csv::FORMAT, &jsonl::FORMAT, &parquet::FORMAT, &words::FORMAT];

impl Format {
    /// The format of that name.
    pub fn named(name: &str) -> Option<&'static Self> {
        FORMATS.into_iter().find(|format| format.name == name)
    }

    /// The format whose shards are files with such a name.
    pub fn of_file(name: &str) -> Option<&'static Self> {
        FORMATS.into_iter().find(|format| format.takes_file(name))
    }

    /// The format whose shards are folders with such files.
    pub fn of_folder<'a>(names: impl Iterator<Item = &'a str> + Clone) -> Option<&'static Self> {
        FORMATS.into_iter().find(|format| match format.shard {
            Shard::Folder { holds } => names.clone().any(holds),
            Shard::File { .. } => false,
        })
    }

    /// The format of a file, if a folder of such files is one data set.
    pub fn gathered(name: &str) -> Option<&'static Self> {
        let is_gathered = |shard: &Shard| matches!(shard, Shard::File { gathered: true, .. });
        Self::of_file(name).filter(|format| is_gathered(&format.shard))
    }
}

/// A hint that lists all formats.
pub fn known() -> String {
    let all: Vec<&str> = FORMATS.iter().map(|format| format.accepts).collect();
    format!("known: {}", all.join(", "))
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
    use std::path::Path;

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
        assert!(
            error.to_string().contains("`folder`, `tar`, `csv`, `jsonl`, `parquet` or `words`"),
            "{error}"
        );
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
