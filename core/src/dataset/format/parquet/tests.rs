//! Tables that `tests/reference/tables.py` wrote with pyarrow and `datasets`, and what it reads from them.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use super::*;
use crate::dataset::{Labels, ShardError};

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden/tables").join(name)
}

fn said(error: &ShardError) -> String {
    format!("{error} / {}", error.hint().unwrap_or_default())
}

fn read(path: &Path, reading: &Reading) -> Result<Listing, String> {
    crate::dataset::list(path, &FORMAT, reading).map_err(|error| said(&error))
}

fn table(image: Option<&str>, caption: &str, label: &str) -> Reading {
    let [caption, label] = [caption, label].map(|name| Some(name.to_owned()));
    let image = image.map(str::to_owned);
    Reading { table: Table { image, caption, label, ..Table::default() }, ..Reading::default() }
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Key, caption, label and SHA-256 of the picture of each row, as the script wrote them down.
fn expected(name: &str) -> Vec<[Option<String>; 4]> {
    let text = fs::read_to_string(golden("expected.json")).expect("a file");
    let all: Value = serde_json::from_str(&text).expect("JSON");
    let row = |row: &Value| [0, 1, 2, 3].map(|at| row[at].as_str().map(str::to_owned));
    all[name].as_array().expect("rows").iter().map(row).collect()
}

fn found(listing: &Listing, row: usize) -> [Option<String>; 4] {
    let sample = &listing.samples[row];
    let digest = sha256(&listing.picture(row).expect("a picture"));
    [Some(sample.key.clone()), sample.caption.clone(), sample.label.clone(), Some(digest)]
}

#[test]
fn pictures_of_hugging_faces_datasets_are_read_with_the_names_of_their_classes() {
    let listing = read(&golden("hugging.parquet"), &Reading::default()).expect("a table");
    let all: Vec<_> = (0..listing.samples.len()).map(|row| found(&listing, row)).collect();
    assert_eq!(all, expected("hugging"));
    let ledger = &listing.ledger;
    let counts = (ledger.entries, ledger.pictures, ledger.captions, ledger.labels, ledger.folders);
    assert_eq!(counts, (7, 6, 5, 4, 1));
    let left = ["1 picture skipped: the cell with the picture is empty (row 2)"];
    assert_eq!(ledger.left_out(), left);
    let folders = read(&golden("hugging.parquet"), &Labels::Folders.into()).expect("a table");
    assert_eq!(folders.samples[4].label.as_deref(), Some("in"));
}

#[test]
fn every_way_of_writing_pages_is_read_in_any_order_and_by_many_threads() {
    let expected = expected("packed");
    let reading = table(None, "text", "kind");
    for name in ["snappy", "zstd", "gzip", "lz4", "none"] {
        let path = golden(&format!("{name}.parquet"));
        let forwards = read(&path, &reading).expect(name);
        assert_eq!(forwards.samples.len(), expected.len(), "{name}");
        for (row, expected) in expected.iter().enumerate() {
            assert_eq!(&found(&forwards, row), expected, "{name}");
        }
        let backwards = read(&path, &reading).expect(name);
        for row in (0..expected.len()).rev() {
            assert_eq!(found(&backwards, row), expected[row], "{name}");
        }
        let (shared, next) = (read(&path, &reading).expect(name), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    loop {
                        let row = next.fetch_add(1, Ordering::Relaxed);
                        let Some(expected) = expected.get(row) else { return };
                        assert_eq!(&found(&shared, row), expected, "{name}");
                    }
                });
            }
        });
        assert!(shared.picture(expected.len()).is_err());
        assert_eq!(shared.start(0).expect("bytes")[..4], *b"\x89PNG");
    }
    // A column of numbers without names, and one that is not named.
    let listing = read(&golden("none.parquet"), &table(None, "text", "n")).expect("a table");
    assert_eq!(listing.samples[5].label.as_deref(), Some("2"));
    let listing = read(&golden("none.parquet"), &Reading::default()).expect("a table");
    assert_eq!((listing.ledger.captions, listing.ledger.labels), (48, 0));
}

#[test]
fn a_table_may_hold_paths_of_pictures() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("pets.parquet");
    fs::copy(golden("paths.parquet"), &path).expect("a copy");
    fs::create_dir(dir.path().join("in")).expect("a folder");
    for name in ["1.png", "in/2.png"] {
        fs::write(dir.path().join(name), name).expect("written");
    }
    let listing = read(&path, &table(None, "weight", "wild")).expect("a table");
    let rows: Vec<_> = listing
        .samples
        .iter()
        .map(|s| (&*s.key, s.caption.as_deref(), s.label.as_deref()))
        .collect();
    assert_eq!(rows, [("1", Some("1.5"), Some("false")), ("in/2", Some("2"), Some("true"))]);
    assert_eq!(listing.picture(1).expect("bytes"), b"in/2.png");
    let left = listing.ledger.left_out().join("\n");
    for expected in ["its path is empty (row 2)", "no such file (3.png)", "nothing is downloaded"] {
        assert!(left.contains(expected), "{expected}: {left}");
    }
    // A picture more is another shard to scan; another label is not.
    let mut digests = FileDigests::default();
    let mut both = |reading: &Reading| {
        let whole = (FORMAT.digest)(&mut digests, &path, &reading.table).expect("a digest");
        let pictures = FORMAT.pictures.expect("pictures alone");
        (whole, pictures(&mut digests, &path, &reading.table).expect("a digest"))
    };
    let before = both(&table(None, "weight", "wild"));
    assert_eq!(both(&table(None, "weight", "species")).1, before.1);
    fs::write(dir.path().join("3.png"), "a third").expect("written");
    let after = both(&table(None, "weight", "wild"));
    assert!(after.0 != before.0 && after.1 != before.1);
}

#[test]
fn how_pictures_are_packed_is_none_of_what_they_show() {
    let mut digests = FileDigests::default();
    let mut shown = |name: &str, table: &Table| {
        let pictures = FORMAT.pictures.expect("pictures alone");
        pictures(&mut digests, &golden(name), table).expect("a digest")
    };
    let first = shown("snappy.parquet", &Table::default());
    assert_eq!(shown("lz4.parquet", &Table::default()), first);
    let other = Table { label: Some("n".into()), ..Table::default() };
    assert_eq!(shown("snappy.parquet", &other), first);
    assert_ne!(shown("hugging.parquet", &Table::default()), first);
    let wrong = Table { image: Some("none".into()), ..Table::default() };
    assert_eq!(
        shown("snappy.parquet", &wrong),
        Digest::of_file(&golden("snappy.parquet")).expect("a digest")
    );
}

#[test]
fn what_is_wrong_with_a_table_is_said_with_what_to_do() {
    let image = |name: &str| table(Some(name), "text", "kind");
    let none = || Reading::default();
    let path = |name: &str| Reading {
        table: Table { path: Some(name.to_owned()), ..Table::default() },
        ..Reading::default()
    };
    for (name, reading, wanted) in [
        ("brotli.parquet", none(), &["compressed with Brotli", "pq.write_table"][..]),
        ("encrypted.parquet", none(), &["it is encrypted", "decrypt it"]),
        ("sealed.parquet", none(), &["`jpg` is damaged or encrypted"]),
        ("addresses.parquet", none(), &["addresses of pictures in `url`", "img2dataset"]),
        (
            "several.parquet",
            none(),
            &["several columns hold pictures: `left`, `right` and `mask`", "columns: { image"],
        ),
        (
            "snappy.parquet",
            image("jpeg"),
            &[
                "no column `jpeg`; its columns are `jpg`, `text`, `n` and `kind`",
                "did you mean `jpg`?",
            ],
        ),
        (
            "snappy.parquet",
            image("text"),
            &["`text` holds texts, not pictures", "`columns: { path: text }` reads"],
        ),
        (
            "hugging.parquet",
            path("image"),
            &["`image` holds pictures, not paths", "`columns: { image: image }` reads"],
        ),
        ("snappy.parquet", path("n"), &["`n` holds numbers, not paths"]),
        ("hugging.parquet", table(None, "caption", "image"), &[]),
        (
            "several.parquet",
            table(Some("left"), "n", "right"),
            &["`right` holds pictures, not texts or numbers"],
        ),
        ("expected.json", none(), &["does not begin as a Parquet file"]),
    ] {
        let said = read(&golden(name), &reading).map(|listing| listing.samples.len());
        match (wanted, said) {
            ([], said) => drop(said.expect(name)),
            (wanted, Err(said)) => {
                assert!(wanted.iter().all(|wanted| said.contains(wanted)), "{name}: {said}");
            }
            (_, Ok(count)) => panic!("{name} has {count} pictures"),
        }
    }
    let left = read(&golden("left.parquet"), &none()).expect("a table");
    assert_eq!(left.samples[0].key, "2");
    assert!(left.ledger.left_out()[0].contains("only its path, and not its bytes"), "{left:?}");
}

#[test]
fn a_damaged_file_is_an_error_about_what_is_damaged() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("a.parquet");
    let whole = fs::read(golden("gzip.parquet")).expect("a file");
    let write = |bytes: &[u8]| {
        fs::write(&path, bytes).expect("written");
        read(&path, &Reading::default())
    };
    for length in [0, 3, 8, 40, whole.len() / 2, whole.len() - 1] {
        let said = write(&whole[..length]).expect_err("cut short");
        assert!(
            said.contains("cut short") || said.contains("empty file") || said.contains("begin"),
            "{said}"
        );
    }
    let mut damaged = whole.clone();
    let end = damaged.len() - 40;
    damaged[end..end + 20].fill(0xff);
    assert!(write(&damaged).expect_err("a damaged footer").contains("damaged"));
    // What is damaged in the middle costs what cannot be unpacked.
    let plain = fs::read(golden("none.parquet")).expect("a file");
    let picture = b"\x89PNG\r\n";
    let at = plain.windows(6).position(|bytes| bytes == picture).expect("a picture");
    let mut damaged = plain;
    damaged[at - 4..at].fill(0x7f);
    match write(&damaged) {
        Ok(listing) => {
            let said: Vec<_> = (0..60).map(|row| listing.picture(row)).collect();
            assert!(said.iter().any(Result::is_err));
        }
        Err(said) => assert!(said.contains("damaged"), "{said}"),
    }
}
