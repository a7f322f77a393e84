//! What is committed in data/ agrees with itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use neuronotes_emoji::demo::{Description, SIDE, STYLES};
use neuronotes_emoji::matching::Concept;
use neuronotes_emoji::samples::slug;

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../data").join(name)
}

fn concepts() -> Result<Vec<Concept>> {
    Ok(serde_json::from_str(&fs::read_to_string(data("concepts.json"))?)?)
}

/// A picture's width and height, and what is said of it.
type Shown = ((u32, u32), Description);

/// The samples of emoji.tar by key.
fn pictures() -> Result<BTreeMap<String, Shown>> {
    let bytes = fs::read(data("emoji.tar"))?;
    let mut sides = BTreeMap::new();
    let mut found = BTreeMap::new();
    for entry in tar::Archive::new(bytes.as_slice()).entries()? {
        let mut entry = entry?;
        let path = entry.path()?.display().to_string();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes)?;
        let (key, ending) = path.rsplit_once('.').context("a name has an ending")?;
        if ending == "png" {
            let info = png::Decoder::new(std::io::Cursor::new(bytes)).read_info()?;
            sides.insert(key.to_owned(), info.info().size());
        } else {
            let side = sides.remove(key).with_context(|| format!("{key} has no picture"))?;
            found.insert(key.to_owned(), (side, serde_json::from_slice(&bytes)?));
        }
    }
    ensure!(sides.is_empty(), "pictures without descriptions: {sides:?}");
    Ok(found)
}

#[test]
fn every_name_has_its_pictures_and_nothing_else_has() -> Result<()> {
    let mut pictures = pictures()?;
    for concept in concepts()? {
        for style in STYLES {
            let key = format!("{}--{style}", slug(&concept.name));
            let (side, found) = pictures.remove(&key).context(key)?;
            assert_eq!(side, (SIDE, SIDE));
            let Concept { name, emoji, group, keywords, held_out } = concept.clone();
            let expected = Description {
                caption: name,
                emoji,
                group,
                tags: keywords,
                style: style.to_owned(),
                held_out: held_out.iter().any(|held| held == style),
            };
            assert_eq!(found, expected);
        }
    }
    assert!(pictures.is_empty(), "{:?}", pictures.keys());
    Ok(())
}

#[test]
fn the_words_are_the_names() -> Result<()> {
    let concepts = concepts()?;
    let names: Vec<&str> = concepts.iter().map(|concept| concept.name.as_str()).collect();
    assert!(names.is_sorted() && names.len() >= 450);
    let text = fs::read_to_string(data("words.txt"))?;
    assert_eq!(text.lines().count(), names.len());
    assert_eq!(text.lines().collect::<BTreeSet<_>>(), names.into_iter().collect());
    Ok(())
}

#[test]
fn something_of_each_name_is_held_out() -> Result<()> {
    for concept in concepts()? {
        assert!(!concept.held_out.is_empty(), "{}", concept.name);
    }
    Ok(())
}
