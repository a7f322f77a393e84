//! Tables as CSV: one row per picture, with the path of its file, its caption and its label.

use std::path::Path;

use ::csv::ByteRecord;

use super::entry::{Format, Samples, Shard};
use crate::dataset::columns::{Texts, choose};
use crate::dataset::ledger::{Ledger, What};
use crate::dataset::listing::{Listing, Malformed};
use crate::dataset::reading::Reading;
use crate::dataset::rows::{self, Row};
use crate::dataset::table::Table;
use crate::dataset::written;

/// What may separate the cells of a row.
const DELIMITERS: [u8; 3] = [b',', b';', b'\t'];

/// Tables of paths.
pub static FORMAT: Format = Format {
    name: "csv",
    noun: "a CSV table",
    summary: "CSV table: a picture per row",
    accepts: "a `.csv` or `.tsv` table of pictures",
    doc: "A table with one row per picture: the path of its file, its caption and its label. The first row names the \
          columns.",
    covers: "the bytes of the table, and the paths and bytes of the pictures that it names",
    shard: Shard::File { endings: &[".csv", ".tsv"], gathered: false },
    samples: Samples::Pictures,
    has_columns: true,
    digest: |digests, path, table| rows::digest(list, digests, path, table),
    pictures: Some(|digests, path, table| rows::pictures(list, digests, path, table)),
    hint: Some("the first row names the columns, and each other row has as many cells"),
    list,
};

fn list(path: &Path, reading: &Reading) -> Result<Listing, Malformed> {
    let (rows, columns, ledger) = read(path, &reading.table)?;
    rows::listing(path, rows, columns, reading, ledger)
}

/// The rows of a table, the columns that were read, and the ledger of rows that cannot be.
fn read(path: &Path, table: &Table) -> Result<Read, Malformed> {
    let bytes = written::bytes(path)?;
    let bytes = bytes.as_slice();
    let is_tabbed = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("tsv"));
    let delimiters: &[u8] = if is_tabbed { b"\t" } else { &DELIMITERS };
    let (delimiter, names) = header(bytes, delimiters, table)?;
    let columns = Texts::of(&names, table, "the first row names the columns")?;
    let (rows, ledger) = rows_of(&columns, bytes, delimiter, names.len())?;
    Ok((rows, columns.named(&names), ledger))
}

/// What is read of a table.
type Read = (Vec<Row>, Vec<(&'static str, String)>, Ledger);

/// The rows below the header, which has `width` cells.
fn rows_of(
    columns: &Texts,
    bytes: &[u8],
    delimiter: u8,
    width: usize,
) -> Result<(Vec<Row>, Ledger), Malformed> {
    let mut reader = reader(bytes, delimiter);
    let (mut rows, mut ledger) = (Vec::new(), Ledger::default());
    let mut record = ByteRecord::new();
    let (mut is_header, mut last) = (true, Start { byte: 0, line: 1 });
    while reader.read_byte_record(&mut record).map_err(broken)? {
        last = Start::of(bytes, &record);
        if std::mem::take(&mut is_header) {
            continue;
        }
        let place = format!("line {}", last.line);
        ledger.entries += 1;
        // Spreadsheets leave empty cells at the end of rows.
        let cells = record.iter().rposition(|cell| !cell.is_empty()).map_or(0, |last| last + 1);
        if record.len() < width || cells > width {
            let more = if cells > width { "more" } else { "fewer" };
            let why = format!("its row has {more} cells than the first");
            ledger.lose(What::Picture, why, place);
            continue;
        }
        let text = |at: usize| std::str::from_utf8(record.get(at).unwrap_or_default());
        let latin = "it is not UTF-8; save the table as UTF-8";
        let Ok(path) = text(columns.paths) else {
            ledger.lose(What::Picture, latin, place);
            continue;
        };
        let mut said = |at: Option<usize>, what: What| match text(at?) {
            Ok(text) => Some(text.to_owned()),
            Err(_) => {
                ledger.lose(what, latin, &*place);
                None
            }
        };
        let caption = said(columns.captions, What::Caption);
        let label = said(columns.labels, What::Label);
        rows.push(Row { path: Some(path.to_owned()), caption, label, place });
    }
    if let Some(line) = unended(bytes, delimiter, last) {
        let why = format!("a quotation mark that opens in line {line} is never closed");
        let hint = "close it; inside of quotation marks, one is written twice (`\"\"`)".into();
        return Err(Malformed::Hinted { why, hint });
    }
    Ok((rows, ledger))
}

fn reader(bytes: &[u8], delimiter: u8) -> ::csv::Reader<&[u8]> {
    let mut builder = ::csv::ReaderBuilder::new();
    builder.has_headers(false).flexible(true).delimiter(delimiter).from_reader(bytes)
}

fn broken(error: ::csv::Error) -> Malformed {
    Malformed::Form(error.to_string())
}

/// The delimiter, and the names of the columns: the delimiter that separates a column of paths, or else the most columns.
fn header(bytes: &[u8], delimiters: &[u8], table: &Table) -> Result<(u8, Vec<String>), Malformed> {
    let mut best: Option<(u8, Vec<String>)> = None;
    for delimiter in delimiters {
        let mut record = ByteRecord::new();
        if !reader(bytes, *delimiter).read_byte_record(&mut record).map_err(broken)? {
            return Err(Malformed::Form("it is empty".into()));
        }
        let name = |cell: &[u8]| String::from_utf8_lossy(cell).trim().to_owned();
        let names: Vec<String> = record.iter().map(name).collect();
        if matches!(choose(&names, table, "path"), Ok(Some(_))) {
            return Ok((*delimiter, names));
        }
        if best.as_ref().is_none_or(|(_, best)| names.len() > best.len()) {
            best = Some((*delimiter, names));
        }
    }
    best.ok_or_else(|| Malformed::Form("it is empty".into()))
}

/// Where a record begins.
#[derive(Debug, Clone, Copy)]
struct Start {
    byte: usize,
    line: u64,
}

impl Start {
    /// The reader's position lies before empty lines, and within the line break before the record.
    fn of(bytes: &[u8], record: &ByteRecord) -> Self {
        let position = record.position();
        let (from, line) = position.map_or((0, 1), |at| (at.byte() as usize, at.line()));
        let rest = bytes.get(from..).unwrap_or_default();
        let breaks = rest.iter().take_while(|byte| matches!(byte, b'\n' | b'\r'));
        let (mut byte, mut line) = (from, line);
        for found in breaks {
            byte += 1;
            line += u64::from(*found == b'\n');
        }
        Self { byte, line }
    }
}

/// The line of a quotation mark in the last record that is never closed.
fn unended(bytes: &[u8], delimiter: u8, last: Start) -> Option<u64> {
    let bytes = bytes.get(last.byte..)?;
    let mut line = last.line;
    let (mut opened, mut begins) = (None, true);
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        line += u64::from(*byte == b'\n');
        match (opened, byte) {
            (Some(_), b'"') if bytes.get(at + 1) == Some(&b'"') => at += 1,
            (Some(_), b'"') => (opened, begins) = (None, false),
            (Some(_), _) => {}
            (None, b'"') if begins => opened = Some(line),
            (None, byte) => begins = *byte == delimiter || matches!(byte, b'\n' | b'\r'),
        }
        at += 1;
    }
    opened
}

#[cfg(test)]
mod tests;
