//! The table form of a rater's answers: CSV with the columns `image`, `label` and `rater` in; the answers, or what is wrong and where, out.
//!
//! A row without a label is a skipped image. Other columns, such as a rater's remarks, are not read.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use crate::encoding;
use crate::problem::Problem;

/// The columns that are read.
const COLUMNS: [&str; 3] = ["image", "label", "rater"];
/// What may separate the cells of a row.
const DELIMITERS: [u8; 3] = [b',', b';', b'\t'];

/// A rater's answers.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Table {
    /// The rater's name.
    pub(super) rater: String,
    /// The label of each image.
    pub(super) labels: BTreeMap<String, String>,
    /// The images without one.
    pub(super) skipped: BTreeSet<String>,
}

/// Reads a table.
///
/// # Errors
/// If it is none; the message begins with the line, except if the whole file is no such table.
pub(super) fn read(bytes: &[u8]) -> Result<Table, Problem> {
    let text = encoding::text(bytes).map_err(|why| {
        Problem::new(format!("line 1: {why}")).hint("save the table as UTF-8 (“CSV UTF-8”)")
    })?;
    let Some((delimiter, columns)) = header(&text) else {
        let message = "line 1, column 1: it is neither a JSON object nor a CSV table with the columns `image`, `label` and `rater`";
        return Err(Problem::new(message).hint("save the file again from the labelling sheet"));
    };
    let places = columns?;
    let mut found: Option<String> = None;
    let (mut labels, mut lines) = (BTreeMap::new(), BTreeMap::new());
    let mut skipped = BTreeSet::new();
    let mut reader = reader(&text, delimiter);
    let mut row = ::csv::StringRecord::new();
    while let Some(start) = next(&mut reader, &text, &mut row)? {
        let line = line(&text, start);
        let wrong = |message: String| Problem::new(format!("line {line}: {message}"));
        if start == first(&text, 0) || row.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        if row.iter().any(|cell| cell.contains('\n')) {
            let hint = "a quotation mark that opens in this row may not be closed";
            return Err(wrong("a cell goes on in the next line".into()).hint(hint));
        }
        let cell = |at: usize| row.get(places[at]).unwrap_or_default();
        let (image, label, rater) = (cell(0), cell(1).trim(), cell(2).trim());
        if image.is_empty() {
            return Err(wrong("the row names no image".into()));
        }
        if rater.is_empty() {
            let hint = "write the same name into the column `rater` of each row";
            return Err(wrong("the rater has no name".into()).hint(hint));
        }
        if let Some(other) = found.as_ref().filter(|known| *known != rater) {
            let message = format!("the rater is `{rater}`, and `{other}` above");
            return Err(wrong(message).hint("each rater has one file"));
        }
        found.get_or_insert_with(|| rater.to_owned());
        match lines.entry(image.to_owned()) {
            Entry::Occupied(known) => {
                let known: u64 = *known.get();
                let message = format!("the picture `{image}` has a row already, in line {known}");
                return Err(wrong(message));
            }
            Entry::Vacant(free) => free.insert(line),
        };
        match label {
            "" => drop(skipped.insert(image.to_owned())),
            label => drop(labels.insert(image.to_owned(), label.to_owned())),
        }
    }
    let rater = found.ok_or_else(|| {
        Problem::new("line 1: no row follows the names of the columns, so it has no rater")
    })?;
    Ok(Table { rater, labels, skipped })
}

fn reader(text: &str, delimiter: u8) -> ::csv::Reader<&[u8]> {
    let mut builder = ::csv::ReaderBuilder::new();
    builder.has_headers(false).flexible(true).delimiter(delimiter).from_reader(text.as_bytes())
}

/// Reads the next row. Returns the byte at which it begins; `None` at the end.
fn next(
    reader: &mut ::csv::Reader<&[u8]>,
    text: &str,
    row: &mut ::csv::StringRecord,
) -> Result<Option<usize>, Problem> {
    let more = reader.read_record(row).map_err(|error| Problem::new(format!("line 1: {error}")))?;
    let from = row.position().map_or(0, |at| at.byte() as usize);
    Ok(more.then(|| first(text, from)))
}

/// The first byte from here on that is no line break: the reader's position lies before empty lines.
fn first(text: &str, from: usize) -> usize {
    let rest = text.as_bytes().get(from..).unwrap_or_default();
    from + rest.iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).count()
}

/// The line of a byte, counted from 1.
fn line(text: &str, byte: usize) -> u64 {
    let before = text.as_bytes().get(..byte).unwrap_or_default();
    before.iter().filter(|byte| **byte == b'\n').count() as u64 + 1
}

/// The delimiter and the places of the columns; `None` if no delimiter separates a column of images.
fn header(text: &str) -> Option<(u8, Result<[usize; 3], Problem>)> {
    DELIMITERS.into_iter().find_map(|delimiter| {
        let mut row = ::csv::StringRecord::new();
        reader(text, delimiter).read_record(&mut row).ok()?;
        let names: Vec<String> = row.iter().map(|name| name.trim().to_lowercase()).collect();
        names.iter().any(|name| name == COLUMNS[0]).then(|| (delimiter, places(&names)))
    })
}

fn places(names: &[String]) -> Result<[usize; 3], Problem> {
    let mut places = [0; 3];
    for (place, column) in places.iter_mut().zip(COLUMNS) {
        let mut found = names.iter().enumerate().filter(|(_, name)| *name == column);
        *place = match (found.next(), found.next()) {
            (Some((at, _)), None) => at,
            (None, _) => {
                let message = format!("line 1: it has no column `{column}`");
                let hint = "the first row names the columns: `image,label,rater`";
                return Err(Problem::new(message).hint(hint));
            }
            (Some(_), Some(_)) => {
                return Err(Problem::new(format!("line 1: two columns are called `{column}`")));
            }
        };
    }
    Ok(places)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(text: &str) -> String {
        read(text.as_bytes()).expect_err(text).message
    }

    #[test]
    fn a_row_is_an_answer_in_whichever_order_and_dialect() {
        let plain = "image,label,rater\na,heart,ann\n\"b, \"\"c\"\"\",,ann\n";
        let found = read(plain.as_bytes()).expect("a table");
        assert_eq!((found.rater.as_str(), found.labels["a"].as_str()), ("ann", "heart"));
        assert_eq!(found.skipped.iter().collect::<Vec<_>>(), ["b, \"c\""]);
        let excel = "\u{feff}Rater;Remark;Label;Image\r\nann;odd;heart;a\r\n\r\nann;;;\"b, \"\"c\"\"\"\r\n;;;\r\n";
        assert_eq!(read(excel.as_bytes()).as_ref(), Ok(&found));
        let tabs = plain
            .replace("\"b, \"\"c\"\"\"", "b|c")
            .replace(',', "\t")
            .replace("b|c", "\"b, \"\"c\"\"\"");
        assert_eq!(read(tabs.as_bytes()).as_ref(), Ok(&found));
        let utf16: Vec<u8> =
            format!("\u{feff}{plain}").encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(read(&utf16).as_ref(), Ok(&found));
    }

    #[test]
    fn a_mistake_is_named_with_its_line() {
        let head = "image,label,rater\r\n";
        let of = |rows: &str| wrong(&format!("{head}{rows}"));
        assert_eq!(
            of("a,x,ann\r\n\r\na,y,ann\r\n"),
            "line 4: the picture `a` has a row already, in line 2"
        );
        assert_eq!(of("a,x,ann\nb,x,ben\n"), "line 3: the rater is `ben`, and `ann` above");
        assert_eq!(of("a,x\n"), "line 2: the rater has no name");
        assert_eq!(of(",x,ann\n"), "line 2: the row names no image");
        assert_eq!(of("a,\"x,ann\nb,x,ann\n"), "line 2: a cell goes on in the next line");
        assert!(of("").starts_with("line 1: no row follows"));
        assert_eq!(wrong("image,rater\na,ann\n"), "line 1: it has no column `label`");
        assert_eq!(wrong("image,label,image,rater\n"), "line 1: two columns are called `image`");
        assert!(wrong("a picture\n").contains("neither a JSON object nor a CSV table"));
        assert!(wrong("").contains("neither a JSON object nor a CSV table"));
        let latin = read(b"image,label,rater\ncaf\xe9,x,ann\n").expect_err("Latin-1");
        assert!(latin.message.contains("not UTF-8") && latin.hint.is_some());
    }
}
