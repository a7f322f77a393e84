//! Shards written byte by byte, listed.

use std::fs;
use std::io::Write as _;

use super::*;
use crate::dataset::ledger::What;

fn png(colour: u8) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let picture = image::RgbImage::from_pixel(4, 3, image::Rgb([colour, 0, 0]));
    picture.write_to(&mut bytes, image::ImageFormat::Png).expect("a PNG");
    bytes.into_inner()
}

/// An archive of files and, if the bytes are empty, links: `name -> target` is a hard link, `name ~> target` a
/// symbolic one.
fn tarred(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = ::tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = ::tar::Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(bytes.len() as u64);
        let link = [("->", ::tar::EntryType::Link), ("~>", ::tar::EntryType::Symlink)];
        let link = link.into_iter().find_map(|(arrow, kind)| {
            let (name, target) = name.split_once(arrow)?;
            Some((name.trim().to_owned(), target.trim().to_owned(), kind))
        });
        match link {
            Some((name, target, kind)) => {
                header.set_entry_type(kind);
                builder.append_link(&mut header, name, target).expect("a link");
            }
            None => builder.append_data(&mut header, name, *bytes).expect("an entry"),
        }
    }
    builder.into_inner().expect("an archive")
}

fn listed(bytes: &[u8]) -> Result<Listing, String> {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("shard.tar");
    fs::write(&path, bytes).expect("written");
    let said = |error: ShardError| format!("{error} / {}", error.hint().unwrap_or_default());
    list(&path, &format::tar::FORMAT, &Labels::Files.into()).map_err(said)
}

fn keys(listing: &Listing) -> Vec<&str> {
    listing.samples.iter().map(|sample| sample.key.as_str()).collect()
}

#[test]
fn files_that_share_a_key_are_one_sample() {
    let long = format!("{}/x.png", "folder".repeat(30));
    let red = png(255);
    let listing = listed(&tarred(&[
        ("b.json", br#"{"caption": "a red thing", "group": "reds", "label": 7}"#),
        ("b.png", &red),
        ("in/a.txt", b" green \n"),
        ("in/a.PNG", &png(9)),
        ("in/a.seg.png", &png(1)),
        ("c.json", b"{ broken"),
        ("c.jpg", b"not a picture"),
        ("notes", b"nothing"),
        ("._b.png", b"of macOS"),
        (&long, &png(2)),
    ]))
    .expect("an archive");
    assert_eq!(keys(&listing), ["b", "in/a", "c", &long[..long.len() - 4]]);
    assert_eq!(listing.samples[0].caption.as_deref(), Some("a red thing"));
    assert_eq!(listing.samples[0].label.as_deref(), Some("7"));
    assert_eq!(listing.samples[1].caption.as_deref(), Some("green"));
    assert_eq!(listing.picture(0).expect("red"), red);
    assert_eq!(listing.start(3).expect("bytes")[..4], [0x89, b'P', b'N', b'G']);
    assert!(listing.picture(4).is_err());
    assert_eq!(listing.rules, 1, "what the first rules read alike keeps its key");
    let ledger = &listing.ledger;
    assert_eq!((ledger.entries, ledger.pictures, ledger.captions, ledger.labels), (10, 4, 2, 1));
    let lost: Vec<_> = ledger.lost.iter().map(|lost| (lost.what, &*lost.names[0])).collect();
    assert_eq!(
        lost,
        [
            (What::Other, "notes"),
            (What::Other, "._b.png"),
            (What::Picture, "in/a.seg.png"),
            (What::Description, "c.json"),
        ]
    );
}

#[test]
fn archives_that_were_joined_are_both_read() {
    let one = tarred(&[("1.png", &png(1)), ("2.png", &png(2))]);
    let other = tarred(&[("1.txt", b"another one"), ("1.png", &png(3)), ("3.png", &png(4))]);
    assert_eq!(listed(&one).expect("an archive").rules, 1);
    let joined = listed(&[one.clone(), other].concat()).expect("two archives");
    assert_eq!(keys(&joined), ["1", "2", "1.png", "3"]);
    assert_eq!(joined.samples[0].caption, None, "a caption is of its own archive");
    assert_eq!(joined.samples[2].caption.as_deref(), Some("another one"));
    assert_eq!(joined.picture(2).expect("bytes"), png(3));
    assert_eq!(joined.rules, SECOND_RULES);
    let trailing = listed(&[one, vec![0; 4096], b"something else".repeat(100)].concat());
    let trailing = trailing.expect("an archive");
    assert_eq!(keys(&trailing), ["1", "2"]);
    assert!(trailing.ledger.warnings()[0].contains("not an archive (1400 bytes)"));
}

#[test]
fn links_in_an_archive_lead_within_it_or_are_counted() {
    let listing = listed(&tarred(&[
        ("early.png ~> in/a.png", b""),
        ("in/a.png", &png(1)),
        ("b.png -> in/a.png", b""),
        ("in/c.png ~> ../b.png", b""),
        ("d.png ~> /etc/passwd", b""),
        ("e.txt ~> ../../etc/passwd", b""),
        ("f.png ~> g.png", b""),
        ("g.png ~> f.png", b""),
        ("in/a.txt ~> b.txt", b""),
        ("in/b.txt", b"a caption by way of a link"),
    ]))
    .expect("an archive");
    assert_eq!(keys(&listing), ["early", "in/a", "b", "in/c"]);
    assert!((0..4).all(|row| listing.picture(row).expect("bytes") == png(1)));
    assert_eq!(listing.samples[1].caption.as_deref(), Some("a caption by way of a link"));
    let lost = |what| {
        let of = listing.ledger.lost.iter().filter(|lost| lost.what == what);
        of.map(|lost| lost.count).sum::<u64>()
    };
    // `in/b.txt` itself belongs to no picture.
    assert_eq!((lost(What::Picture), lost(What::Caption)), (3, 2), "{:?}", listing.ledger);
    assert_eq!(listing.rules, SECOND_RULES);
}

/// A tar archive whose entries have these very names, whatever a careful program would write.
fn named(entries: &[(&[u8], &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, bytes) in entries {
        let mut header = ::tar::Header::new_old();
        header.as_old_mut().name[..name.len()].copy_from_slice(name);
        header.set_mode(0o644);
        header.set_size(bytes.len() as u64);
        header.set_cksum();
        out.extend_from_slice(header.as_bytes());
        out.extend_from_slice(bytes);
        out.resize(out.len().next_multiple_of(512), 0);
    }
    out.resize(out.len() + 1024, 0);
    out
}

#[test]
fn entries_that_lead_out_of_an_archive_are_counted_and_names_twice_are_read_once() {
    let one = png(1);
    let listing = listed(&named(&[
        (b"in/a.png", &one),
        (b"../b.png", &one),
        (b"in/../../c.txt", b"a caption"),
        (b"/etc/d.png", &one),
        (b"./e/../f.png", &one),
        (b"in/a.png", &png(2)),
        (b"caf\xe9.png", &png(3)),
        (b"caf\xe8.png", &png(4)),
    ]))
    .expect("an archive");
    assert_eq!(listing.samples.len(), 4, "{:?}", keys(&listing));
    assert_eq!(keys(&listing)[..2], ["in/a", "./e/../f"]);
    assert_eq!(listing.picture(0).expect("bytes"), one, "the first of that name");
    // Names that are no UTF-8 are told apart.
    assert_ne!(listing.samples[2].key, listing.samples[3].key);
    assert_eq!(listing.picture(3).expect("bytes"), png(4));
    let warnings = listing.ledger.warnings().join("\n");
    for wanted in [
        "2 pictures skipped: its path leads out of the archive (../b.png, /etc/d.png)",
        "its path leads out of the archive (in/../../c.txt)",
        "earlier file of the same name (in/a.png)",
    ] {
        assert!(warnings.contains(wanted), "{wanted}\n{warnings}");
    }
    assert_eq!((listing.rules, listing.ledger.entries), (RULES, 8));
}

#[test]
fn compressed_archives_are_read() {
    let plain = tarred(&[("a.png", &png(1)), ("a.txt", b"one")]);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&plain).expect("written");
    let gzip = gzip.finish().expect("finished");
    let level = ruzstd::encoding::CompressionLevel::Fastest;
    let zstd = ruzstd::encoding::compress_to_vec(plain.as_slice(), level);
    for packed in [gzip.clone(), zstd] {
        let listing = listed(&packed).expect("an archive");
        assert_eq!(keys(&listing), ["a"]);
        assert_eq!(listing.samples[0].caption.as_deref(), Some("one"));
        assert_eq!(listing.picture(0).expect("bytes"), png(1));
    }
    let error = listed(&gzip[..gzip.len() - 20]).expect_err("cut short");
    assert!(error.contains("compression is damaged"), "{error}");
}

#[test]
fn a_damaged_archive_says_where_and_another_file_what_it_is() {
    let whole = tarred(&[("a.png", &png(1)), ("b.png", &png(1))]);
    // The second header begins at 1024; its picture at 1536.
    let error = listed(&whole[..1540]).expect_err("cut short");
    assert!(error.contains("cut short after 1 file"), "{error}");
    let mut garbled = whole.clone();
    garbled[1024 + 130] ^= 0x55;
    let error = listed(&garbled).expect_err("damaged");
    assert!(error.contains("damaged after 1 file"), "{error}");
    for (bytes, expected) in [
        (b"<!DOCTYPE html>\n<html><title>Sign in</title>".as_slice(), "is an HTML page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "`git lfs pull`"),
        (b"BZh91AY&SY", "a bzip2 file"),
        (b"PK\x03\x04....", "a zip archive"),
        (b"", "an empty file"),
    ] {
        let error = listed(bytes).expect_err(expected);
        assert!(error.contains(expected), "{error}");
    }
    let error = listed(&b"This is a text. ".repeat(100)).expect_err("no archive");
    assert!(error.contains("cannot be read as a tar archive"), "{error}");
}

fn lay(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    for (name, bytes) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, bytes).expect("written");
    }
    dir
}

#[test]
fn pictures_of_a_folder_come_in_the_order_of_their_paths_with_what_lies_beside_them() {
    let picture = png(5);
    let dir = lay(&[
        ("c.png", &picture),
        ("b/x.y.png", &picture),
        ("a.png", &picture),
        ("a.jpg", &picture),
        (".git/z.png", &picture),
        ("a.json", br#"{"label": "first"}"#),
        ("a.txt", b"the caption"),
        ("d.webp", b"broken"),
    ]);
    let listing =
        list(dir.path(), &format::folder::FORMAT, &Labels::Files.into()).expect("a folder");
    assert_eq!(keys(&listing), ["a", "a.png", "b/x.y", "c", "d"]);
    assert_eq!(listing.samples[0].caption.as_deref(), Some("the caption"));
    assert_eq!(listing.samples[0].label.as_deref(), Some("first"));
    assert_eq!(listing.picture(2).expect("bytes"), picture);
    assert_eq!((listing.rules, listing.ledger.warnings()), (1, vec![]));
    assert!(list(&dir.path().join("no"), &format::folder::FORMAT, &Labels::Files.into()).is_err());
}

#[test]
#[cfg(unix)]
fn only_regular_files_inside_the_folder_are_opened() {
    use std::os::unix::fs::symlink;
    let picture = png(5);
    let outside = lay(&[("secret.txt", b"a secret"), ("more/y.png", &picture)]);
    let dir = lay(&[("x.png", &picture), ("in/z.png", &picture)]);
    let root = dir.path();
    symlink(outside.path().join("secret.txt"), root.join("x.txt")).expect("a link");
    symlink(outside.path().join("more"), root.join("more")).expect("a link");
    symlink(root.join("in/z.png"), root.join("within.png")).expect("a link");
    symlink(root.join("nowhere"), root.join("broken.png")).expect("a link");
    // Loops: to itself, to each other, and to the folder around it.
    symlink(root.join("self.png"), root.join("self.png")).expect("a link");
    symlink(root.join("to.png"), root.join("fro.png")).expect("a link");
    symlink(root.join("fro.png"), root.join("to.png")).expect("a link");
    symlink(root, root.join("in/around")).expect("a link");
    let made = std::process::Command::new("mkfifo").arg(root.join("pipe.png")).status();
    assert!(made.expect("mkfifo").success());
    let _socket = std::os::unix::net::UnixListener::bind(root.join("in/z.json")).expect("a socket");
    let listing = list(root, &format::folder::FORMAT, &Labels::Files.into()).expect("a folder");
    assert_eq!(keys(&listing), ["in/z", "within", "x"]);
    assert!(listing.samples.iter().all(|sample| sample.caption.is_none()));
    assert_eq!(listing.picture(1).expect("bytes"), picture);
    let warnings = listing.ledger.warnings().join("\n");
    for wanted in [
        "out of the data set's folder",
        "pipe.png",
        "in/z.json",
        "4 pictures skipped: a link that leads nowhere",
    ] {
        assert!(warnings.contains(wanted), "{wanted}\n{warnings}");
    }
    assert!(listing.ledger.lost.iter().any(|lost| lost.names == ["more"]));
    // They are not opened for the digest either, which nevertheless changes if they are removed.
    let digest = |root: &Path| crate::files::FileDigests::default().folder(root).expect("digest");
    let with = digest(root);
    fs::remove_file(root.join("x.txt")).expect("removed");
    assert_ne!(digest(root), with);
}

#[test]
#[cfg(unix)]
fn a_file_that_may_not_be_read_costs_itself_alone_until_it_may() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = lay(&[("a.png", &png(5)), ("b.png", &png(6))]);
    let path = dir.path().join("b.png");
    let allow = |mode: u32| {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("permissions");
    };
    let digest = || crate::files::FileDigests::default().folder(dir.path()).expect("a digest");
    let before = digest();
    allow(0o000);
    if fs::read(&path).is_ok() {
        return; // Nothing is forbidden to this user.
    }
    assert_ne!(digest(), before);
    let listing =
        list(dir.path(), &format::folder::FORMAT, &Labels::Files.into()).expect("a folder");
    assert_eq!(keys(&listing), ["a", "b"]);
    assert!(listing.picture(1).expect_err("forbidden").contains("denied"));
    allow(0o644);
    assert_eq!(digest(), before);
}

#[test]
fn a_list_of_words_is_read_line_by_line_in_any_unicode() {
    let text = "# names\r\n\r\n  bank \nNew York\n#\nétoile";
    let utf16: Vec<u8> =
        format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (bytes, rules) in [(text.as_bytes(), 1), (&utf16, SECOND_RULES)] {
        let dir = lay(&[("words.txt", bytes)]);
        let path = dir.path().join("words.txt");
        let listing = list(&path, &format::words::FORMAT, &Labels::Files.into()).expect("a list");
        assert_eq!(keys(&listing), ["bank", "New York", "étoile"]);
        assert_eq!(listing.samples[1].caption.as_deref(), Some("New York"));
        assert_eq!((listing.rules, listing.ledger.entries), (rules, 6));
    }
    for bytes in [b"\xff\xfe\xff".as_slice(), b"caf\xe9", b"<html>"] {
        let dir = lay(&[("words.txt", bytes)]);
        let path = dir.path().join("words.txt");
        assert!(list(&path, &format::words::FORMAT, &Labels::Files.into()).is_err());
    }
    assert_eq!(of_words(["سلام"]).rules, SECOND_RULES);
}

#[test]
fn what_the_demonstration_measured_is_still_found() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data");
    for (name, format, pictures, labels) in [
        ("emoji.tar", &format::tar::FORMAT, 1494, 1494),
        ("attacks.tar", &format::tar::FORMAT, 90, 90),
        ("blank-notes.tar", &format::tar::FORMAT, 10, 0),
        ("words.txt", &format::words::FORMAT, 498, 0),
        ("lettering.txt", &format::words::FORMAT, 100, 0),
    ] {
        let listing = list(&data.join(name), format, &Labels::Files.into()).expect(name);
        assert_eq!(listing.rules, 1, "{name}");
        assert_eq!((listing.ledger.pictures, listing.ledger.captions), (pictures, pictures));
        assert_eq!((listing.ledger.labels, listing.ledger.warnings()), (labels, vec![]));
    }
}
