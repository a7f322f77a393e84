//! Makes both sets from the packages and the repository's own font.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::archive;
use crate::attacks;
use crate::demo;
use crate::icons::IconSet;
use crate::matching::{Drawn, Sets, concepts};
use crate::names::{self, Emoji};
use crate::packages::{Content, Package, Packages};
use crate::progress;
use crate::train::{self, Style};
use crate::webdataset;
use crate::words::Face;

/// The font in which the lab draws words and notes are written.
const LAB_FACE: &str = "DejaVu Sans Bold";

/// Paths.
pub struct Places {
    /// The lab's own font, which is not used for training.
    pub font: PathBuf,
    /// Folder of the training set.
    pub train: PathBuf,
    /// Folder of the committed data.
    pub data: PathBuf,
}

/// A summary of what was made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Made {
    /// Number of names.
    pub names: usize,
    /// Numbers of pictures and of held-out pictures by style.
    pub pictures: BTreeMap<String, (usize, usize)>,
    /// Numbers of words and of held-out words.
    pub words: (usize, usize),
    /// Fonts that words are drawn in.
    pub faces: usize,
    /// Files that were written, with their sizes.
    pub files: Vec<(PathBuf, usize)>,
}

/// Makes both sets. Everything is drawn before anything is written, so that committed files never disagree.
pub fn make(packages: &[Package], from: &Packages<'_>, to: &Places) -> Result<Made> {
    let Material { emoji, sets, styles } = Material::read(packages, from, &to.font)?;
    let concepts = concepts(&emoji, &sets);
    let pictures = train::pictures(&concepts, &sets)?;
    let words = train::words(&concepts, &styles)?;
    let on_white = demo::pictures(&concepts, &sets)?;
    let own = styles.iter().find(|style| style.name == LAB_FACE);
    let face = &own.context("the lab's own font is missing")?.face;
    let attacks = attacks::attacks(&concepts, &sets, face)?;
    let blanks = attacks::blanks(&concepts, &sets, face)?;
    let (count, held) = (words.len(), styles.iter().filter(|style| style.held_out).count());
    let mut made = Made {
        names: concepts.len(),
        pictures: by_style(&concepts),
        // In a face that is held out each name is drawn once.
        words: (count, held * concepts.len()),
        faces: styles.len(),
        files: Vec::new(),
    };
    let train = pictures.into_iter().chain(words).collect();
    let files = [
        (to.train.join("train.tar"), webdataset::archive(train)?),
        (to.data.join("concepts.json"), demo::concepts_json(&concepts)?.into_bytes()),
        (to.data.join("words.txt"), demo::words_txt(&concepts).into_bytes()),
        (to.data.join("emoji.tar"), webdataset::archive(on_white)?),
        (to.data.join("attacks.tar"), webdataset::archive(attacks)?),
        (to.data.join("blank-notes.tar"), webdataset::archive(blanks)?),
    ];
    for (path, bytes) in files {
        save(&path, &bytes).with_context(|| format!("{} could not be written", path.display()))?;
        made.files.push((path, bytes.len()));
    }
    Ok(made)
}

/// Writes a file, which gets its final name only once it is complete.
fn save(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    fs::write(&part, bytes)?;
    Ok(fs::rename(part, path)?)
}

fn by_style(concepts: &[Drawn]) -> BTreeMap<String, (usize, usize)> {
    let mut counts = BTreeMap::<String, (usize, usize)>::new();
    for drawn in concepts {
        for style in drawn.icons.keys() {
            let (all, held) = counts.entry(style.clone()).or_default();
            *all += 1;
            *held += usize::from(drawn.concept.held_out.contains(style));
        }
    }
    counts
}

impl fmt::Display for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} names", self.names)?;
        for (style, (all, held)) in &self.pictures {
            writeln!(f, "{all} pictures in {style}, {held} of them held out")?;
        }
        let (all, held) = self.words;
        writeln!(f, "{all} words in {} faces, {held} of them held out", self.faces)?;
        for (path, size) in &self.files {
            let size = match size {
                0..1_000_000 => format!("{:.0} kB", *size as f64 / 1e3),
                _ => format!("{:.1} MB", *size as f64 / 1e6),
            };
            writeln!(f, "{}: {size}", path.display())?;
        }
        Ok(())
    }
}

/// The contents of the packages.
struct Material {
    emoji: Vec<Emoji>,
    sets: Sets,
    styles: Vec<Style>,
}

impl Material {
    fn read(packages: &[Package], from: &Packages<'_>, font: &Path) -> Result<Self> {
        let mut material = Self { emoji: Vec::new(), sets: Sets::new(), styles: Vec::new() };
        let bar = progress::bar("packages", packages.len());
        for package in packages {
            let bytes = from.bytes(package)?;
            material.add(package, &bytes).with_context(|| package.wanted())?;
            bar.inc(1);
        }
        let read = || Face::new(fs::read(font)?);
        let face = read().with_context(|| format!("{} could not be read", font.display()))?;
        material.styles.push(Style { name: LAB_FACE.to_owned(), face, held_out: true });
        Ok(material)
    }

    fn add(&mut self, package: &Package, tgz: &[u8]) -> Result<()> {
        match &package.content {
            Content::Names => self.emoji = names::from_package(tgz)?,
            Content::Pictures { style } => {
                self.sets.insert(style.clone(), IconSet::from_package(tgz)?);
            }
            Content::Words { faces, held_out } => {
                let is_face = |path: &str, face: &str| {
                    path.strip_prefix(face).is_some_and(|rest| rest.starts_with('/'))
                        && path.ends_with(".ttf")
                };
                let wanted = |path: &str| faces.iter().any(|face| is_face(path, face));
                let files = archive::files(tgz, wanted)?;
                for face in faces {
                    let font = files.iter().find(|(path, _)| is_face(path, face));
                    let (_, font) =
                        font.with_context(|| format!("the font face {face} is missing"))?;
                    let weight: String = face.chars().take_while(char::is_ascii_digit).collect();
                    self.styles.push(Style {
                        name: format!("{} {weight}", package.title),
                        face: Face::new(font.clone())?,
                        held_out: *held_out,
                    });
                }
            }
        }
        Ok(())
    }
}
