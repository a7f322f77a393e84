//! The whole way on a set of two names, with a program in npm's place: no network.

#![cfg(unix)]

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use flate2::Compression;
use flate2::write::GzEncoder;
use neuronotes_emoji::failure::report;
use neuronotes_emoji::make::{Made, Places, make};
use neuronotes_emoji::matching::Concept;
use neuronotes_emoji::packages::{Content, Npm, Package, Packages, digest};

/// Puts the archive that it is asked for into the folder that it is started in, and notes that it was.
const NPM: &str = r#"#!/bin/sh
here=$(dirname "$0")
for wanted; do :; done
echo "$wanted" >> "$here/asked"
cp "$here/$(printf %s "$wanted" | tr / _).tgz" . || exit 1
"#;

const NAMES: &str = r#"[
    {"label": "red apple", "emoji": "🍎", "hexcode": "1F34E", "tags": ["apple"], "order": 2, "group": 4, "subgroup": 42},
    {"label": "bee", "emoji": "🐜", "hexcode": "1F41C", "tags": ["insect"], "order": 1, "group": 3, "subgroup": 39},
    {"label": "cricket", "emoji": "🦗", "hexcode": "1F997", "tags": [], "order": 3, "group": 3, "subgroup": 39},
    {"label": "black flag", "emoji": "🏴", "hexcode": "1F3F4", "tags": [], "order": 4, "group": 9, "subgroup": 97}
]"#;

const GROUPS: &str = r#"{
    "groups": {"3": "animals-nature", "4": "food-drink", "9": "flags"},
    "subgroups": {"39": "animal-bug", "42": "food-fruit", "97": "flag"}
}"#;

/// Two drawings of one colour each.
fn icons(colour: &str) -> String {
    let body = format!("<path fill='{colour}' d='M0 0h8v8z'/>");
    format!(
        "{{\"width\": 8, \"height\": 8, \"icons\": {{\"bee\": {{\"body\": \"{body}\"}}, \
         \"red-apple\": {{\"body\": \"{body}\"}}, \"black-flag\": {{\"body\": \"{body}\"}}}}}}"
    )
}

const CHARS: &str = r#"{"1f34e": "red-apple", "1f41c": "bee", "1f3f4": "black-flag"}"#;

fn tgz(files: &[(&str, &[u8])]) -> Result<Vec<u8>> {
    let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (path, bytes) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, format!("package/{path}"), *bytes)?;
    }
    Ok(builder.into_inner()?.finish()?)
}

/// Makes a script that can be started. A process of its own writes it: while this one has it open for writing, a
/// program that another test's thread starts inherits that, and the script would be busy.
fn write_script(path: &Path, text: &str) {
    let write = r#"printf %s "$2" > "$1" && chmod 755 "$1""#;
    let status =
        std::process::Command::new("sh").args(["-c", write, "sh"]).arg(path).arg(text).status();
    assert!(status.is_ok_and(|status| status.success()), "{} is not written", path.display());
}

/// A place with its registry.
struct Place {
    folder: tempfile::TempDir,
    packages: Vec<Package>,
}

impl Place {
    fn new() -> Result<Self> {
        let mut place = Self { folder: tempfile::tempdir()?, packages: Vec::new() };
        let npm = place.npm().program;
        write_script(&npm, NPM);
        let files: [(&str, &[u8]); 2] =
            [("en/data.json", NAMES.as_bytes()), ("meta/groups.json", GROUPS.as_bytes())];
        place.publish("names", Content::Names, &files)?;
        for (style, colour) in [
            ("noto", "#f00"),
            ("noto-v1", "#e00"),
            ("twemoji", "#0f0"),
            ("fluent-emoji", "#00f"),
            ("fluent-emoji-flat", "#00e"),
            ("fxemoji", "#ff0"),
        ] {
            let icons = icons(colour);
            let mut files: Vec<(&str, &[u8])> = vec![("icons.json", icons.as_bytes())];
            if ["noto", "twemoji", "fluent-emoji-flat"].contains(&style) {
                files.push(("chars.json", CHARS.as_bytes()));
            }
            place.publish(style, Content::Pictures { style: style.to_owned() }, &files)?;
        }
        let font = fs::read(font())?;
        for (name, held_out) in [("trained", false), ("other", true)] {
            let faces = vec!["400Regular".to_owned()];
            let files: [(&str, &[u8]); 1] = [("400Regular/Some_400Regular.ttf", &font)];
            place.publish(name, Content::Words { faces, held_out }, &files)?;
        }
        Ok(place)
    }

    fn npm(&self) -> Npm {
        Npm { program: self.folder.path().join("npm") }
    }

    fn publish(&mut self, name: &str, content: Content, files: &[(&str, &[u8])]) -> Result<()> {
        let bytes = tgz(files)?;
        let package = Package {
            name: format!("@mini/{name}"),
            version: "1.0.0".to_owned(),
            content,
            title: name.to_owned(),
            author: "us".to_owned(),
            licence: "MIT".to_owned(),
            sha512: digest(&bytes),
        };
        fs::write(self.folder.path().join(format!("@mini_{name}@1.0.0.tgz")), bytes)?;
        self.packages.push(package);
        Ok(())
    }

    fn make(&self) -> Result<Made> {
        let npm = self.npm();
        let packages = Packages::new(self.folder.path().join("packages"), &npm)?;
        let to = Places { font: font(), train: self.path("train"), data: self.path("data") };
        make(&self.packages, &packages, &to)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// How often npm was started.
    fn asked(&self) -> usize {
        fs::read_to_string(self.path("asked")).map_or(0, |asked| asked.lines().count())
    }
}

fn font() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/fonts/DejaVuSans-Bold.ttf")
}

/// The descriptions in a set by key; each has to follow its picture.
fn descriptions(path: &Path) -> Result<BTreeMap<String, serde_json::Value>> {
    let bytes = fs::read(path)?;
    let mut found = BTreeMap::new();
    let mut picture = None;
    for entry in tar::Archive::new(bytes.as_slice()).entries()? {
        let mut entry = entry?;
        let path = entry.path()?.display().to_string();
        match path.rsplit_once('.').context("a name has an ending")? {
            (key, "png") => picture = Some(key.to_owned()),
            (key, _) => {
                assert_eq!(picture.take().as_deref(), Some(key));
                let mut text = String::new();
                entry.read_to_string(&mut text)?;
                found.insert(key.to_owned(), serde_json::from_str(&text)?);
            }
        }
    }
    Ok(found)
}

#[test]
fn packages_become_the_two_sets() -> Result<()> {
    let place = Place::new()?;
    let made = place.make()?;
    assert_eq!(made.names, 2);
    assert_eq!(made.pictures.get("noto"), Some(&(2, 1)));
    assert_eq!(made.pictures.get("fxemoji"), Some(&(2, 0)));
    assert_eq!((made.faces, made.words.1), (3, 4));

    assert_eq!(fs::read_to_string(place.path("data/words.txt"))?, "bee\nred apple\n");
    let text = fs::read_to_string(place.path("data/concepts.json"))?;
    let concepts: Vec<Concept> = serde_json::from_str(&text)?;
    assert_eq!(text.lines().count(), concepts.len() + 2, "a concept a line");
    assert_eq!(concepts[0].held_out, ["noto", "noto-v1"]);
    assert_eq!(concepts[1].held_out, ["twemoji"]);

    let shown = descriptions(&place.path("data/emoji.tar"))?;
    assert_eq!(shown.len(), 6);
    let apple = &shown["red-apple--twemoji"];
    assert_eq!(
        *apple,
        serde_json::json!({ "caption": "red apple", "emoji": "🍎", "group": "food-drink",
                            "tags": ["apple"], "style": "twemoji", "held_out": true })
    );

    // Of what notes are stuck on, only the apple is among these packages, and there is no other name to write.
    assert!(descriptions(&place.path("data/attacks.tar"))?.is_empty());
    let blanks = descriptions(&place.path("data/blank-notes.tar"))?;
    let blank = serde_json::json!({ "caption": "red apple", "style": "noto" });
    assert_eq!(blanks, BTreeMap::from([("red-apple--blank".to_owned(), blank)]));

    let trained = descriptions(&place.path("train/train.tar"))?;
    assert_eq!(trained.len(), 12 + made.words.0);
    for (key, held_out) in [
        ("bee--noto-v1", true),
        ("bee--twemoji", false),
        ("red-apple--noto-v1", false),
        ("red-apple--twemoji", true),
        ("red-apple--other-400", true),
        ("red-apple--dejavu-sans-bold", true),
        ("red-apple--trained-400", false),
    ] {
        let found = trained.get(key).with_context(|| key.to_owned())?;
        assert_eq!(found["held_out"], held_out, "{key}");
    }
    Ok(())
}

#[test]
fn again_it_makes_the_same_bytes_and_asks_npm_for_nothing() -> Result<()> {
    let place = Place::new()?;
    let read = |made: Made| {
        let read = |(path, _): (PathBuf, usize)| Ok(fs::read(path)?);
        made.files.into_iter().map(read).collect::<Result<Vec<Vec<u8>>>>()
    };
    let first = read(place.make()?)?;
    let asked = place.asked();
    assert_eq!(asked, place.packages.len());
    assert_eq!(read(place.make()?)?, first);
    assert_eq!(place.asked(), asked);
    Ok(())
}

#[test]
fn what_was_broken_off_goes_on_where_it_was() -> Result<()> {
    let place = Place::new()?;
    let missing = place.path("@mini_other@1.0.0.tgz");
    let aside = place.path("aside");
    fs::rename(&missing, &aside)?;
    let error = place.make().expect_err("a package cannot be had");
    let text = report(&error);
    assert!(text.contains("@mini/other@1.0.0") && text.contains("to resume"), "{text}");
    assert!(!place.path("data").exists(), "nothing is written before everything is there");
    fs::rename(aside, missing)?;
    place.make()?;
    assert_eq!(place.asked(), place.packages.len() + 1);
    Ok(())
}

#[test]
fn a_package_that_is_not_the_recorded_one_is_named() -> Result<()> {
    let mut place = Place::new()?;
    place.packages[2].sha512 = digest(b"another");
    let error = place.make().expect_err("its digest is another");
    let text = report(&error);
    assert!(text.contains("@mini/noto-v1@1.0.0 is not the recorded archive"), "{text}");
    assert!(!place.path("data").exists());
    Ok(())
}

#[test]
fn a_package_that_lacks_something_is_named() -> Result<()> {
    let mut place = Place::new()?;
    let faces = vec!["900Black".to_owned()];
    place.publish("thin", Content::Words { faces, held_out: false }, &[("README", b"")])?;
    let text = report(&place.make().expect_err("there is no such face"));
    assert!(text.contains("@mini/thin@1.0.0") && text.contains("900Black"), "{text}");
    Ok(())
}
