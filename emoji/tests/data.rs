//! What is committed in data/ agrees with itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use neuronotes_emoji::attacks::{Description as Noted, THINGS};
use neuronotes_emoji::demo::{Description, SIDE, STYLES};
use neuronotes_emoji::matching::Concept;
use neuronotes_emoji::samples::slug;
use serde::de::DeserializeOwned;

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../data").join(name)
}

fn concepts() -> Result<Vec<Concept>> {
    Ok(serde_json::from_str(&fs::read_to_string(data("concepts.json"))?)?)
}

/// A picture's width and height, and what is said of it.
type Shown<T> = ((u32, u32), T);

/// The samples of an archive by key.
fn shown<T: DeserializeOwned>(name: &str) -> Result<BTreeMap<String, Shown<T>>> {
    let bytes = fs::read(data(name))?;
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
    let mut pictures = shown::<Description>("emoji.tar")?;
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
fn each_thing_is_under_each_other_name_and_under_a_blank_note() -> Result<()> {
    let concepts = concepts()?;
    let known = |name: &str| concepts.iter().any(|concept| concept.name == name);
    assert!(THINGS.iter().all(|thing| known(thing)));
    let mut noted = BTreeSet::new();
    for (_, (side, Noted { caption, label, .. })) in shown::<Noted>("attacks.tar")? {
        let label = label.context("a note says something")?;
        assert!(side == (SIDE, SIDE) && caption != label);
        noted.insert((caption, label));
    }
    assert_eq!(noted.len(), THINGS.len() * (THINGS.len() - 1));
    assert!(noted.iter().all(|(a, b)| THINGS.contains(&&**a) && THINGS.contains(&&**b)));
    let blank = shown::<Noted>("blank-notes.tar")?;
    let captions: Vec<&str> = blank.values().map(|(_, noted)| &*noted.caption).collect();
    assert_eq!(captions, THINGS);
    assert!(blank.values().all(|(_, noted)| noted.label.is_none()));
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
