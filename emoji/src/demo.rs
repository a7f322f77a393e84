//! The committed data: `concepts.json`, `words.txt` and `emoji.tar`, from concepts and sets of drawings.

use anyhow::{Context, Result};
use rayon::prelude::*;
use resvg::tiny_skia::Pixmap;
use serde::{Deserialize, Serialize};

use crate::canvas;
use crate::matching::{Concept, Drawn, Sets};
use crate::progress;
use crate::samples::slug;
use crate::webdataset::Sample;

/// The styles that are published.
pub const STYLES: [&str; 3] = ["noto", "twemoji", "fluent-emoji-flat"];

/// Width and height of a picture in pixels.
pub const SIDE: u32 = 128;

/// The JSON beside a picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// The concept's name.
    pub caption: String,
    /// The character.
    pub emoji: String,
    /// Its group in Unicode's list.
    pub group: String,
    /// Its keywords.
    pub tags: Vec<String>,
    /// Style of the drawing.
    pub style: String,
    /// Whether it was held out from training.
    pub held_out: bool,
}

/// The samples of `emoji.tar`.
pub fn pictures(concepts: &[Drawn], sets: &Sets) -> Result<Vec<Sample>> {
    let wanted: Vec<(&Drawn, &str)> =
        concepts.iter().flat_map(|drawn| STYLES.iter().map(move |style| (drawn, *style))).collect();
    let bar = progress::bar("on white", wanted.len());
    let samples = wanted.par_iter().map(|&(drawn, style)| {
        let Concept { name, emoji, group, keywords, held_out } = &drawn.concept;
        let pixmap = draw(drawn, style, sets)?;
        bar.inc(1);
        let description = Description {
            caption: name.clone(),
            emoji: emoji.clone(),
            group: group.clone(),
            tags: keywords.clone(),
            style: style.to_owned(),
            held_out: held_out.iter().any(|held| held == style),
        };
        Ok(Sample {
            key: format!("{}--{style}", slug(name)),
            png: canvas::png_on_white(&pixmap)?,
            json: serde_json::to_string(&description)?,
        })
    });
    samples.collect()
}

/// A concept's drawing in a style.
pub fn draw(drawn: &Drawn, style: &str, sets: &Sets) -> Result<Pixmap> {
    let name = &drawn.concept.name;
    let icon = drawn.icons.get(style);
    let svg = icon.and_then(|icon| sets.get(style)?.svg(icon));
    let svg = svg.with_context(|| format!("{style} does not draw {name}"))?;
    canvas::draw(&svg, SIDE).with_context(|| format!("{name} in {style}"))
}

/// `concepts.json`: a list with one concept per line.
pub fn concepts_json(concepts: &[Drawn]) -> Result<String> {
    let lines: Vec<String> = concepts
        .iter()
        .map(|drawn| serde_json::to_string(&drawn.concept))
        .collect::<serde_json::Result<_>>()?;
    Ok(format!("[\n{}\n]\n", lines.join(",\n")))
}

/// `words.txt`: one name per line, in Unicode's order, which is by group.
pub fn words_txt(concepts: &[Drawn]) -> String {
    let mut sorted: Vec<&Drawn> = concepts.iter().collect();
    sorted.sort_by_key(|drawn| drawn.order);
    sorted.into_iter().map(|drawn| format!("{}\n", drawn.concept.name)).collect()
}
