//! Data sets in tables.

use neuronotes_core::dataset::{self, Format, Labels, Reading, Table, format};

use super::file::with_file;

pub const CSV_WORDS: &[&str] = &[
    "path",
    "file_name",
    "caption",
    "label",
    ",",
    ";",
    "\t",
    "\n",
    "\r\n",
    "\"",
    "\"\"",
    "input",
    "./input",
    "../",
    "/etc/passwd",
    "https://",
    "a.avif",
    "\u{feff}",
    "\u{0}",
    "é",
];

pub fn csv(input: &[u8]) {
    table(input, &format::csv::FORMAT);
}

pub const JSONL_WORDS: &[&str] = &[
    "{\"file_name\": \"",
    "\"path\":",
    "\"text\":",
    "\"label\":",
    "null",
    "[",
    "{",
    "}",
    "]",
    ",",
    ":",
    "\n",
    "\r\n",
    "\\ud800",
    "input",
    "../",
    "1e309",
    "\u{feff}",
];

pub fn jsonl(input: &[u8]) {
    table(input, &format::jsonl::FORMAT);
}

pub const PARQUET_WORDS: &[&str] = &[
    "PAR1",
    "PARE",
    "schema",
    "image",
    "bytes",
    "path",
    "label",
    "list",
    "element",
    "huggingface",
    "{\"info\": {\"features\": {\"label\": {\"names\": [\"a\"], \"_type\": \"ClassLabel\"}}}}",
    "\u{15}\u{0}\u{15}",
    "\u{15}\u{4}\u{15}",
    "\u{15}\u{6}\u{15}",
    "\u{7f}\u{7f}\u{7f}\u{7f}",
    "\u{0}\u{0}\u{0}\u{0}",
    "\u{1}\u{0}\u{0}\u{0}",
    "\u{1c}",
    "\u{2c}",
    "\u{5c}",
    "\u{18}",
    "\u{26}",
    "\u{89}PNG",
];

pub fn parquet(input: &[u8]) {
    table(input, &format::parquet::FORMAT);
}

fn table(input: &[u8], format: &'static Format) {
    let named = Table { label: Some("label".into()), ..Table::default() };
    for reading in
        [Reading::default(), Reading { labels: Labels::Folders, table: named, draw: None }]
    {
        with_file(&[input], |path| {
            let listing = match dataset::list(path, format, &reading) {
                Ok(listing) => listing,
                Err(error) => {
                    let said = format!("{error} {}", error.hint().unwrap_or_default());
                    assert!(said.len() < 8192, "{} bytes of a message", said.len());
                    return;
                }
            };
            assert!(listing.samples.len() as u64 == listing.ledger.pictures);
            for row in 0..listing.samples.len().min(16) {
                // A damaged page shows when it is read.
                if let (Ok(start), Ok(whole)) = (listing.start(row), listing.picture(row)) {
                    assert!(whole.starts_with(&start));
                }
            }
            assert!(listing.start(listing.samples.len()).is_err());
            for sentence in listing.ledger.left_out() {
                assert!(!sentence.is_empty() && sentence.len() < 8192);
            }
        });
    }
}
