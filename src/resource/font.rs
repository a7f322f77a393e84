//! Drawn words: a data set's entry in; the file of its words, and the fonts by their digests, out.

use std::collections::BTreeMap;
use std::path::Path;

use neuronotes_core::cache;
use neuronotes_core::dataset::{self, Draw, FontFile, Format, Samples, Shards};
use neuronotes_core::digest::Digest;
use neuronotes_core::file;
use neuronotes_core::files::FileDigests;
use neuronotes_core::lettering::{BUILT_IN, Face};
use neuronotes_core::problem::Problem;

use crate::config::{DatasetSource, DrawSource, FILE};

/// Folder in the cache for lists of words that are written in the configuration.
const FOLDER: &str = "words";

/// The shards of a data set. Words that are written in the configuration are put into a file of the cache folder, because
/// the lab reads files.
///
/// # Errors
/// If a path names nothing, or the file cannot be written.
pub fn shards(source: &DatasetSource) -> Result<Shards, Problem> {
    if source.words.is_empty() {
        return dataset::shards(&source.root, &source.paths);
    }
    let text: String = source.words.iter().map(|word| format!("{word}\n")).collect();
    let folder = cache::folder().map_err(|nowhere| {
        Problem::new(format!("no cache folder to write words to: {nowhere}"))
            .hint(format!("set {} to a folder, or write the words into a file", cache::VARIABLE))
    })?;
    let path = folder.join(FOLDER).join(format!("{}.txt", Digest::of(text.as_bytes()).hex()));
    if !std::fs::read(&path).is_ok_and(|known| known == text.as_bytes()) {
        let made = std::fs::create_dir_all(folder.join(FOLDER));
        made.and_then(|()| file::write_atomic(&path, text.as_bytes())).map_err(|error| {
            Problem::new(format!("{} cannot be written ({error})", path.display()))
                .hint(format!("set {} to a writable folder", cache::VARIABLE))
        })?;
    }
    dataset::shards(&source.root, &[path.display().to_string()])
}

/// How a data set's words are drawn; `None` if that is the default.
///
/// # Errors
/// If the data set has no words, or a font cannot be used.
pub fn draw(
    name: &str,
    source: &DatasetSource,
    format: &Format,
    digests: &mut FileDigests,
) -> Result<Option<Draw>, Problem> {
    let Some(configured) = &source.draw else { return Ok(None) };
    if format.samples != Samples::Words {
        let message = format!("`{name}` is {}, which is not drawn", format.noun);
        return Err(Problem::new(message).hint(format!("remove `draw` in {FILE}")));
    }
    let names = names(configured);
    let fonts = configured.fonts.iter().zip(names).map(|((written, _), name)| {
        if written == BUILT_IN {
            return Ok(FontFile::built_in());
        }
        let unusable = |why: String| {
            Problem::new(format!("the font `{written}` cannot be used: {why}"))
                .hint(format!("correct `fonts` of `draw` in {FILE}"))
        };
        let path = source.root.join(written);
        let path = path.canonicalize().map_err(|error| unusable(error.to_string()))?;
        let digest = digests.digest(&path).map_err(|error| unusable(error.to_string()))?;
        let fact = format!("font/{}", digest.hex());
        if digests.fact::<bool>(&fact) != Some(true) {
            Face::open(&name, &path).map_err(unusable)?;
            digests.remember(fact, &true);
        }
        Ok(FontFile { name, path: Some(path), digest })
    });
    let fonts = fonts.collect::<Result<Vec<_>, Problem>>()?;
    let draw = Draw { fonts, looks: configured.looks.clone() };
    Ok(Some(draw).filter(|draw| !draw.is_default()))
}

/// The names of fonts in keys of pictures: of a file its name without its ending, or its path where several have that name.
fn names(configured: &DrawSource) -> Vec<String> {
    let short = |written: &str| {
        let stem = Path::new(written).file_stem();
        stem.map_or_else(|| written.to_owned(), |stem| stem.to_string_lossy().into_owned())
    };
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for (written, _) in &configured.fonts {
        *counts.entry(short(written)).or_default() += 1;
    }
    let name = |(written, _): &(String, _)| match counts.get(&short(written)) {
        Some(1) => short(written),
        _ => written.clone(),
    };
    configured.fonts.iter().map(name).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn resolved(files: &[(&str, &[u8])], draw: &str) -> Result<Option<Draw>, String> {
        let dir = tempfile::tempdir().expect("a folder");
        for (name, bytes) in files {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(path, bytes).expect("written");
        }
        let text = format!("datasets:\n  a: {{ words: [love], draw: {{ {draw} }} }}\n");
        let (config, problems) = crate::config::parse(&text, dir.path());
        assert_eq!(problems, []);
        let format = &dataset::format::words::FORMAT;
        super::draw("a", &config.datasets["a"], format, &mut FileDigests::default())
            .map_err(|problem| problem.message)
    }

    const FONT: &[u8] = include_bytes!("../../core/fonts/DejaVuSans-Bold.ttf");

    #[test]
    fn fonts_are_known_by_name_and_digest_and_the_default_is_no_draw() {
        assert_eq!(resolved(&[], "positions: [centre]"), Ok(None));
        assert_eq!(resolved(&[], "fonts: dejavu sans bold"), Ok(None));
        let files: [(&str, &[u8]); 3] =
            [("a/One.ttf", FONT), ("b/One.ttf", FONT), ("Two.otf", FONT)];
        let draw = resolved(&files, "fonts: [a/One.ttf, b/One.ttf, Two.otf]");
        let fonts = draw.expect("fonts").expect("a draw").fonts;
        let names: Vec<&str> = fonts.iter().map(|font| &*font.name).collect();
        assert_eq!(names, ["a/One.ttf", "b/One.ttf", "Two"]);
        assert!(fonts.iter().all(|font| font.digest == Face::built_in_digest()));
    }

    #[test]
    fn what_is_no_font_is_named() {
        let why = resolved(&[("x.ttf", b"<html>")], "fonts: x.ttf").expect_err("no font");
        let expected = "the font `x.ttf` cannot be used: it is not a TrueType or OpenType font";
        assert_eq!(why, expected);
        assert!(resolved(&[], "fonts: y.ttf").expect_err("none").contains("`y.ttf`"));
    }

    #[test]
    fn only_words_are_drawn() {
        let text = "datasets:\n  a: { path: t, draw: { positions: top } }\n";
        let (config, _) = crate::config::parse(text, Path::new("/garden"));
        let format = &dataset::format::folder::FORMAT;
        let problem = super::draw("a", &config.datasets["a"], format, &mut FileDigests::default());
        assert!(problem.expect_err("a folder").message.contains("is not drawn"));
    }
}
