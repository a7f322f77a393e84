//! The training set `train.tar`: every concept in every style, and its name in every font face.

use anyhow::{Context, Result};
use rayon::prelude::*;

use crate::canvas;
use crate::matching::{Drawn, Sets};
use crate::progress;
use crate::samples::{Description, slug};
use crate::webdataset::Sample;
use crate::words::Face;

/// Width and height of a picture in pixels.
pub const SIDE: u32 = 128;

/// A font face with its name in the sets.
pub struct Style {
    /// `Roboto 400`.
    pub name: String,
    /// The face.
    pub face: Face,
    /// Whether words in it are held out from training.
    pub held_out: bool,
}

/// The pictures.
pub fn pictures(concepts: &[Drawn], sets: &Sets) -> Result<Vec<Sample>> {
    let wanted: Vec<(&Drawn, &str, &str)> = concepts
        .iter()
        .flat_map(|drawn| drawn.icons.iter().map(move |(style, icon)| (drawn, &**style, &**icon)))
        .collect();
    let bar = progress::bar("pictures", wanted.len());
    let samples = wanted.par_iter().map(|&(drawn, style, icon)| {
        let name = &drawn.concept.name;
        let svg = sets.get(style).and_then(|set| set.svg(icon));
        let svg = svg.with_context(|| format!("{style} has no {icon}"))?;
        let pixmap = canvas::draw(&svg, SIDE).with_context(|| format!("{name} in {style}"))?;
        bar.inc(1);
        sample(
            format!("{}--{style}", slug(name)),
            canvas::png_with_alpha(&pixmap)?,
            &Description::Picture {
                name: name.clone(),
                style: style.to_owned(),
                held_out: drawn.concept.held_out.iter().any(|held| held == style),
            },
        )
    });
    samples.collect()
}

/// The words.
pub fn words(concepts: &[Drawn], styles: &[Style]) -> Result<Vec<Sample>> {
    let wanted: Vec<(usize, &str, usize, &Style)> = concepts
        .iter()
        .enumerate()
        .flat_map(|(i, drawn)| {
            let name = drawn.concept.name.as_str();
            styles.iter().enumerate().map(move |(j, style)| (i, name, j, style))
        })
        .collect();
    let bar = progress::bar("words", wanted.len());
    let samples = wanted.par_iter().map(|&(i, name, j, style)| {
        bar.inc(1);
        let texts = texts(name, i, j, style.held_out);
        texts.into_iter().map(|text| word(name, style, text)).collect::<Result<Vec<_>>>()
    });
    let samples: Vec<Vec<Sample>> = samples.collect::<Result<_>>()?;
    Ok(samples.into_iter().flatten().collect())
}

/// A way to draw a name.
struct Text {
    /// Suffix of the key.
    suffix: &'static str,
    text: String,
    /// Whether each word has its own line.
    stacked: bool,
}

/// The ways to draw concept number `i` in font face number `j`.
///
/// Each word is on a line of its own. In training, half the faces also have two words on one line, and a third also
/// has capitals.
fn texts(name: &str, i: usize, j: usize, held_out: bool) -> Vec<Text> {
    let mut texts = vec![Text { suffix: "", text: name.to_owned(), stacked: true }];
    if !held_out && name.contains(' ') && (i + j).is_multiple_of(2) {
        texts.push(Text { suffix: "--line", text: name.to_owned(), stacked: false });
    }
    if !held_out && (i + j).is_multiple_of(3) {
        texts.push(Text { suffix: "--capitals", text: name.to_uppercase(), stacked: true });
    }
    texts
}

fn word(name: &str, style: &Style, text: Text) -> Result<Sample> {
    let lines: Vec<&str> =
        if text.stacked { text.text.split(' ').collect() } else { vec![&text.text] };
    let mask = style.face.mask(&lines).with_context(|| format!("{name} in {}", style.name))?;
    let png = canvas::png_of_grey(mask.width, mask.height, &mask.pixels)?;
    sample(
        format!("{}--{}{}", slug(name), slug(&style.name), text.suffix),
        png,
        &Description::Word {
            name: name.to_owned(),
            style: style.name.clone(),
            text: text.text,
            held_out: style.held_out,
        },
    )
}

fn sample(key: String, png: Vec<u8>, description: &Description) -> Result<Sample> {
    Ok(Sample { key, png, json: serde_json::to_string(description)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(name: &str, i: usize, j: usize, held_out: bool) -> Vec<String> {
        let shown = |text: Text| match text.stacked {
            true => text.text.replace(' ', "/"),
            false => text.text,
        };
        texts(name, i, j, held_out).into_iter().map(shown).collect()
    }

    #[test]
    fn two_words_are_set_below_each_other_and_sometimes_on_a_line_or_in_capitals() {
        assert_eq!(drawn("red apple", 0, 0, false), ["red/apple", "red apple", "RED/APPLE"]);
        assert_eq!(drawn("red apple", 0, 1, false), ["red/apple"]);
        assert_eq!(drawn("red apple", 1, 1, false), ["red/apple", "red apple"]);
        assert_eq!(drawn("red apple", 1, 2, false), ["red/apple", "RED/APPLE"]);
        assert_eq!(drawn("fox", 0, 0, false), ["fox", "FOX"]);
        assert_eq!(drawn("red apple", 0, 0, true), ["red/apple"]);
    }
}
