//! Tables as JSON Lines: one object per picture, with the path of its file, its caption and its label.

use std::collections::HashSet;
use std::path::Path;

use serde_json::{Map, Value};

use super::entry::{Format, Samples, Shard};
use crate::dataset::columns::Texts;
use crate::dataset::ledger::{Ledger, What};
use crate::dataset::listing::{Listing, Malformed};
use crate::dataset::reading::Reading;
use crate::dataset::rows::{self, Row};
use crate::dataset::written;

/// Lines of paths.
pub static FORMAT: Format = Format {
    name: "jsonl",
    noun: "a table in JSON Lines",
    summary: "table in JSON Lines: a picture per line",
    accepts: "a `.jsonl` or `.ndjson` table of pictures",
    doc: "A table with one JSON object per line and picture, such as the `metadata.jsonl` of Hugging Face's `imagefolder`: \
          the path of its file, its caption and its label.",
    covers: "the bytes of the table, and the paths and bytes of the pictures that it names",
    shard: Shard::File { endings: &[".jsonl", ".ndjson"], gathered: false },
    samples: Samples::Pictures,
    has_columns: true,
    digest: |digests, path, table| rows::digest(list, digests, path, table),
    pictures: Some(|digests, path, table| rows::pictures(list, digests, path, table)),
    hint: Some(
        "each line is a JSON object, such as `{\"file_name\": \"cat.jpg\", \"text\": \"a cat\"}`",
    ),
    list,
};

fn list(path: &Path, reading: &Reading) -> Result<Listing, Malformed> {
    let bytes = written::bytes(path)?;
    let mut ledger = Ledger::default();
    let names = names(&bytes, &mut ledger)?;
    let columns = Texts::of(&names, &reading.table, "the members of the objects are the columns")?;
    let rows = rows_of(&bytes, &names, &columns, &mut ledger);
    rows::listing(path, rows, columns.named(&names), reading, ledger)
}

/// The lines that are not empty, with their numbers, from 1.
fn lines(bytes: &[u8]) -> impl Iterator<Item = (String, &[u8])> {
    let all = bytes.split(|byte| *byte == b'\n').zip(1_u64..);
    let full = all.map(|(line, number)| (number, line.trim_ascii()));
    full.filter(|(_, line)| !line.is_empty()).map(|(number, line)| (format!("line {number}"), line))
}

/// The names of all members, in the order in which they are met: a line may leave out what it does not have.
fn names(bytes: &[u8], ledger: &mut Ledger) -> Result<Vec<String>, Malformed> {
    let (mut names, mut seen) = (Vec::new(), HashSet::new());
    for (place, line) in lines(bytes) {
        ledger.entries += 1;
        match serde_json::from_slice::<Map<String, Value>>(line) {
            Ok(object) => {
                for name in object.into_iter().map(|(name, _)| name) {
                    if seen.insert(name.clone()) {
                        names.push(name);
                    }
                }
            }
            Err(why) => ledger.lose(What::Picture, broken(&why), place),
        }
    }
    match (names.is_empty(), ledger.entries) {
        (false, _) => Ok(names),
        (true, 0) => Err(Malformed::Form("it is empty".into())),
        (true, _) => Err(Malformed::Form("no line of it is a JSON object with members".into())),
    }
}

/// Why a line is not read; its number is said elsewhere.
fn broken(why: &serde_json::Error) -> &'static str {
    match why.classify() {
        serde_json::error::Category::Data => "its line is JSON, but not an object",
        serde_json::error::Category::Eof => "its line ends within the JSON object",
        _ => "its line is not JSON",
    }
}

fn rows_of(bytes: &[u8], names: &[String], columns: &Texts, ledger: &mut Ledger) -> Vec<Row> {
    let mut rows = Vec::new();
    for (place, line) in lines(bytes) {
        // What is no object is in the ledger already.
        let Ok(mut object) = serde_json::from_slice::<Map<String, Value>>(line) else { continue };
        let mut text = |at: usize, what: What| match object.get(names.get(at)?)?.clone() {
            Value::Null => None,
            Value::String(text) => Some(text),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(truth) => Some(truth.to_string()),
            Value::Array(_) => {
                ledger.lose(what, "it is a list, not a text or number", &*place);
                None
            }
            Value::Object(_) => {
                ledger.lose(what, "it is an object, not a text or number", &*place);
                None
            }
        };
        let caption = columns.captions.and_then(|at| text(at, What::Caption));
        let label = columns.labels.and_then(|at| text(at, What::Label));
        let path = match object.remove(&names[columns.paths]) {
            Some(Value::String(path)) => path,
            None | Some(Value::Null) => {
                ledger.lose(What::Picture, "its line names no picture", place);
                continue;
            }
            Some(_) => {
                ledger.lose(What::Picture, "its path is not a text", place);
                continue;
            }
        };
        rows.push(Row { path: Some(path), caption, label, place });
    }
    rows
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::dataset::{Labels, Table};

    fn list_of(text: &[u8], reading: &Reading) -> Result<Listing, String> {
        let dir = tempfile::tempdir().expect("a folder");
        fs::create_dir(dir.path().join("in")).expect("a folder");
        for name in ["in/1.png", "2.jpg"] {
            fs::write(dir.path().join(name), name).expect("written");
        }
        let path = dir.path().join("metadata.jsonl");
        fs::write(&path, text).expect("written");
        crate::dataset::list(&path, &FORMAT, reading)
            .map_err(|error| format!("{error} / {}", error.hint().unwrap_or_default()))
    }

    const PLAIN: &str = "{\"file_name\": \"in/1.png\", \"text\": \"a \\\"red\\\" fox\", \"objects\": {\"bbox\": []}}\n\
                         \r\n{\"label\": 7, \"file_name\": \"2.jpg\", \"text\": null}\r\n";

    fn rows(listing: &Listing) -> Vec<(&str, Option<&str>, Option<&str>)> {
        let row = |sample: &'_ crate::dataset::Sample| {
            let text = |text: &Option<String>| text.clone().map(|text| &*text.leak());
            (&*sample.key.clone().leak(), text(&sample.caption), text(&sample.label))
        };
        listing.samples.iter().map(row).collect()
    }

    #[test]
    fn a_line_is_a_picture_with_its_caption_and_its_label() {
        let expected = [("in/1", Some("a \"red\" fox"), None), ("2", None, Some("7"))];
        let utf16: Vec<u8> =
            format!("\u{feff}{PLAIN}").encode_utf16().flat_map(u16::to_le_bytes).collect();
        for bytes in [PLAIN.as_bytes(), format!("\u{feff}{PLAIN}").as_bytes(), &utf16] {
            let listing = list_of(bytes, &Reading::default()).expect("a table");
            assert_eq!(rows(&listing), expected);
            assert_eq!(listing.ledger.lost, []);
            assert_eq!((listing.ledger.entries, listing.ledger.folders), (2, 1));
        }
        let listing = list_of(PLAIN.as_bytes(), &Labels::Folders.into()).expect("a table");
        assert_eq!(rows(&listing)[0].2, Some("in"));
        let text = Some("text".to_owned());
        let reading =
            Reading { table: Table { label: text, ..Table::default() }, ..Reading::default() };
        let listing = list_of(PLAIN.as_bytes(), &reading).expect("a table");
        assert_eq!(rows(&listing)[0].2, Some("a \"red\" fox"));
    }

    #[test]
    fn what_is_wrong_with_a_line_is_in_the_ledger() {
        let text = "{\"file_name\": \"2.jpg\", \"text\": [\"a\"], \"label\": {}}\n[1]\n{\"file_name\": \"in\n\
                    {\"file_name\": 3}\nx\n{\"text\": \"a\"}\n{\"file_name\": \"no.png\"}\n{\"file_name\": \"../a.png\"}\n";
        let listing = list_of(text.as_bytes(), &Reading::default()).expect("a table");
        assert_eq!(rows(&listing), [("2", None, None)]);
        insta::assert_snapshot!(listing.ledger.left_out().join("\n"));
    }

    #[test]
    fn what_is_no_such_table_is_said() {
        let wrong =
            |text: &[u8]| list_of(text, &Reading::default()).map(drop).expect_err("an error");
        assert!(wrong(b"").contains("empty"), "{}", wrong(b""));
        assert!(wrong(b"\n \n").contains("it is empty"));
        assert!(wrong(b"path,label\n1.png,a\n").contains("no line of it is a JSON object"));
        let without = wrong(b"{\"id\": 1, \"text\": \"a\"}\n");
        assert!(
            without.contains("no column has a common name for paths; its columns are"),
            "{without}"
        );
        assert!(without.contains("the members of the objects are the columns"), "{without}");
    }
}
