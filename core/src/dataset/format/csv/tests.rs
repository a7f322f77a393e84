//! Tables written byte by byte, listed.

use std::fs;

use super::*;
use crate::dataset::{Labels, ShardError};
use crate::files::FileDigests;

struct Garden {
    dir: tempfile::TempDir,
}

impl Garden {
    fn new(pictures: &[&str]) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        for name in pictures {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(path, format!("picture {name}")).expect("written");
        }
        Self { dir }
    }

    fn list(&self, bytes: &[u8], reading: &Reading) -> Result<Listing, String> {
        self.list_as("pets.csv", bytes, reading)
    }

    fn list_as(&self, name: &str, bytes: &[u8], reading: &Reading) -> Result<Listing, String> {
        let path = self.dir.path().join(name);
        fs::write(&path, bytes).expect("written");
        let said = |error: ShardError| format!("{error} / {}", error.hint().unwrap_or_default());
        crate::dataset::list(&path, &FORMAT, reading).map_err(said)
    }

    fn wrong(&self, bytes: &[u8], reading: &Reading) -> String {
        self.list(bytes, reading).expect_err("an error")
    }
}

/// Key, caption and label of each sample.
fn rows(listing: &Listing) -> Vec<[&str; 3]> {
    let text = |text: &'_ Option<String>| -> &'static str {
        Box::leak(text.clone().unwrap_or_default().into_boxed_str())
    };
    listing.samples.iter().map(|s| [s.key.as_str(), text(&s.caption), text(&s.label)]).collect()
}

fn columns(path: &str, caption: &str, label: &str) -> Reading {
    let [path, caption, label] = [path, caption, label].map(|name| Some(name.to_owned()));
    Reading { table: Table { path, caption, label, ..Table::default() }, ..Reading::default() }
}

#[test]
fn a_row_is_a_picture_with_its_caption_and_its_label() {
    let garden = Garden::new(&["in/1.png", "in/2.jpg", "3"]);
    let plain = "path,caption,label\r\nin/1.png,\"a \"\"red\"\" fox,\nasleep\",fox\r\n\r\nin/2.jpg,,hen\r\n3,three,\r\n";
    let expected =
        [["in/1", "a \"red\" fox,\nasleep", "fox"], ["in/2", "", "hen"], ["3", "three", ""]];
    let listing = garden.list(plain.as_bytes(), &Reading::default()).expect("a table");
    assert_eq!(rows(&listing), expected);
    assert_eq!(listing.picture(1).expect("bytes"), b"picture in/2.jpg");
    assert_eq!(listing.rules, 1);
    let ledger = &listing.ledger;
    let counts = (ledger.entries, ledger.pictures, ledger.captions, ledger.labels, ledger.folders);
    assert_eq!(counts, (3, 3, 2, 2, 1));
    assert!(ledger.lost.is_empty());
    // The same with other delimiters, encodings, orders and names.
    let with = |delimiter: &str| {
        plain
            .replacen(',', delimiter, 2)
            .replace("png,", &format!("png{delimiter}"))
            .replace("\",fox", &format!("\"{delimiter}fox"))
            .replace("jpg,,", &format!("jpg{delimiter}{delimiter}"))
            .replace("3,three,", &format!("3{delimiter}three{delimiter}"))
    };
    let utf16: Vec<u8> =
        format!("\u{feff}{plain}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    for bytes in [
        with(";").into_bytes(),
        with("\t").into_bytes(),
        format!("\u{feff}{plain}").into_bytes(),
        utf16,
    ] {
        let listing = garden.list(&bytes, &Reading::default()).expect("a table");
        assert_eq!(rows(&listing), expected, "{}", String::from_utf8_lossy(&bytes));
    }
    let tabbed = garden.list_as("pets.TSV", with("\t").as_bytes(), &Reading::default());
    assert_eq!(rows(&tabbed.expect("a table")), expected);
    let other = "breed,n,file name,text\nfox,1,in/1.png,a fox\n";
    let listing = garden.list(other.as_bytes(), &columns("file name", "text", "breed"));
    assert_eq!(rows(&listing.expect("a table")), [["in/1", "a fox", "fox"]]);
}

#[test]
fn a_row_that_is_wrong_costs_itself_and_says_its_line() {
    let garden = Garden::new(&["1.png", "2.png", "3.png", "4.png", "5.png"]);
    let text = b"file;text;class\n1.png;one;a\n2.png;two\n\n3.png;three;c;d\n4.png;caf\xe9;e;;\nb\xe9.png;x;y\n;x;y\n6.png;x;y\n1.png;x;y\n";
    let listing = garden.list(text, &Reading::default()).expect("a table");
    assert_eq!(rows(&listing), [["1", "one", "a"], ["4", "", "e"]]);
    assert_eq!(listing.ledger.entries, 8);
    let said = listing.ledger.left_out().join("\n");
    for expected in [
        "its row has fewer cells than the first (line 3)",
        "its row has more cells than the first (line 5)",
        "1 caption skipped: it is not UTF-8; save the table as UTF-8 (line 6)",
        "1 picture skipped: it is not UTF-8; save the table as UTF-8 (line 7)",
        "its path is empty (line 8)",
        "there is no such file (6.png)",
        "an earlier row names the same picture (1.png)",
    ] {
        assert!(said.contains(expected), "{expected}\n{said}");
    }
}

#[test]
fn what_is_wrong_with_a_whole_table_is_said() {
    let garden = Garden::new(&["1.png"]);
    let plain = Reading::default();
    let said = garden.wrong(b"name,id\n1.png,2\n", &plain);
    assert!(
        said.contains("no column has a common name for paths; its columns are `name` and `id`"),
        "{said}"
    );
    assert!(said.contains("`columns: { path: … }`"), "{said}");
    let said = garden.wrong(b"file,breed\n1.png,fox\n", &columns("file", "text", "bred"));
    assert!(said.contains("no column `text`; its columns are `file` and `breed`"), "{said}");
    let said = garden.wrong(b"file;breed\n1.png;fox\n", &columns("file", "breed", "bred"));
    assert!(said.contains("did you mean `breed`?"), "{said}");
    let said = garden.wrong(b"path,caption\n1.png,\"a fox\n2.png,b\n3.png,c\n", &plain);
    assert!(said.contains("a quotation mark that opens in line 2 is never closed"), "{said}");
    assert!(
        garden.wrong(b"", &plain).contains("it is an empty file")
            || garden.wrong(b"", &plain).contains("empty")
    );
    assert!(garden.wrong(b"\n\n", &plain).contains("it is empty"));
    assert!(garden.wrong(b"PK\x03\x04", &plain).contains("is a zip archive"));
    let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n";
    assert!(garden.wrong(pointer, &plain).contains("Git LFS pointer"));
    let root = Reading {
        table: Table { root: Some("/no/such/folder".into()), ..Table::default() },
        ..plain
    };
    assert!(
        garden
            .wrong(b"path\n1.png\n", &root)
            .contains("the folder of its pictures, /no/such/folder")
    );
}

#[test]
fn quotation_marks_inside_of_cells_are_closed() {
    let garden = Garden::new(&["1.png"]);
    for text in
        ["path,caption\n1.png,5\" tube\n", "path,caption\n1.png,\"\"\"\"", "path\n\"1.png\"\n"]
    {
        let listing = garden.list(text.as_bytes(), &Reading::default());
        assert_eq!(listing.expect(text).samples.len(), 1, "{text}");
    }
}

#[test]
fn pictures_may_be_in_another_folder_and_folders_may_be_labels() {
    let garden = Garden::new(&["pictures/cat/1.png"]);
    let other = tempfile::tempdir().expect("a folder");
    let table = other.path().join("t.csv");
    fs::write(&table, "path\ncat/1.png\n").expect("written");
    let root = Some(garden.dir.path().join("pictures"));
    let table_of = Table { root, ..Table::default() };
    let reading = Reading { labels: Labels::Folders, table: table_of, draw: None };
    let listing = crate::dataset::list(&table, &FORMAT, &reading).expect("a table");
    assert_eq!(rows(&listing), [["cat/1", "", "cat"]]);
    let nowhere = crate::dataset::list(&table, &FORMAT, &Reading::default()).expect("a table");
    assert_eq!((nowhere.samples.len(), nowhere.ledger.lost[0].count), (0, 1));
}

#[test]
fn captions_are_keyed_apart_from_pictures() {
    let garden = Garden::new(&["1.png", "2.png", "3.png"]);
    let path = garden.dir.path().join("t.csv");
    let of = |text: &str| {
        fs::write(&path, text).expect("written");
        let (mut digests, table) = (FileDigests::default(), Table::default());
        let pictures = FORMAT.pictures.expect("pictures alone");
        let [whole, pictures] = [FORMAT.digest, pictures].map(|of| of(&mut digests, &path, &table));
        (whole.expect("a digest"), pictures.expect("a digest"))
    };
    let first = of("path,label\n1.png,a\n2.png,b\n");
    let labelled = of("path,label\n1.png,a\n2.png,another\n");
    assert!(labelled.0 != first.0 && labelled.1 == first.1, "a label costs no pass");
    let reordered = of("path,label\n2.png,b\n1.png,a\n");
    let longer = of("path,label\n1.png,a\n2.png,b\n3.png,c\n");
    let absent = of("path,label\n1.png,a\n2.png,b\n4.png,c\n");
    assert!(reordered.1 != first.1 && longer.1 != first.1);
    assert_eq!(absent.1, first.1, "what is not read is not seen");
    fs::write(garden.dir.path().join("2.png"), "another picture").expect("written");
    let changed = of("path,label\n1.png,a\n2.png,b\n");
    assert!(changed.0 != first.0 && changed.1 != first.1);
    let broken = of("nothing\n");
    assert_eq!(broken.0, broken.1);
}
