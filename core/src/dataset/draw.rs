//! How the words of a list are drawn: fonts, sizes, colours, backgrounds and positions. Every combination is a picture of
//! each word.

use std::collections::HashSet;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::colour::Colour;
use super::ledger::{Ledger, What};
use super::listing::Listing;
use super::sample::Sample;
use super::style::{Drawn, Style};
use crate::canonical::canonical_json;
use crate::digest::Digest;
use crate::lettering::{BUILT_IN, Block, Face, Position, Size};
use crate::number::thousands;

/// Most ways in which each word is drawn.
pub const MOST_STYLES: usize = 1000;
/// Most pictures of a shard.
const MOST: usize = 1_000_000;

/// How the words of a list are drawn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draw {
    /// The fonts, at least one.
    pub fonts: Vec<FontFile>,
    /// Everything else.
    pub looks: Looks,
}

/// A font by its digest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FontFile {
    /// Its name in keys of pictures.
    pub name: String,
    /// Its absolute path; `None` for the font that comes with the program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// The digest of its bytes.
    pub digest: Digest,
}

/// What varies besides the font; each list has at least one item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Looks {
    /// How large letters are.
    pub sizes: Vec<Size>,
    /// The colours of letters.
    pub colours: Vec<Colour>,
    /// The colours behind them.
    pub backgrounds: Vec<Colour>,
    /// Where letters stand.
    pub positions: Vec<Position>,
}

impl Default for Looks {
    fn default() -> Self {
        Self {
            sizes: vec![Size::Fit],
            colours: vec![Colour::BLACK],
            backgrounds: vec![Colour::WHITE],
            positions: vec![Position::default()],
        }
    }
}

impl Looks {
    /// Pairs of a colour and another one behind it.
    fn inks(&self) -> impl Iterator<Item = (Colour, Colour)> {
        let all = self.colours.iter().flat_map(|&colour| {
            self.backgrounds.iter().map(move |&background| (colour, background))
        });
        all.filter(|(colour, background)| colour != background)
    }

    /// In how many ways a word is drawn in each font. Letters in the colour of their background are left out.
    pub fn count(&self) -> usize {
        self.inks().count().saturating_mul(self.sizes.len()).saturating_mul(self.positions.len())
    }
}

impl FontFile {
    /// The font that comes with the program.
    pub fn built_in() -> Self {
        Self { name: BUILT_IN.to_owned(), path: None, digest: Face::built_in_digest() }
    }

    /// Reads it.
    ///
    /// # Errors
    /// If the file cannot be read or is no font.
    pub fn open(&self) -> Result<Face, String> {
        let Some(path) = &self.path else { return Ok(Face::built_in()) };
        Face::open(&self.name, path)
            .map_err(|why| format!("the font {} cannot be used: {why}", path.display()))
    }
}

impl Draw {
    /// Whether it is how words are drawn without one.
    pub fn is_default(&self) -> bool {
        self.fonts == [FontFile::built_in()] && self.looks == Looks::default()
    }

    /// Its part of a request key: names, which are in keys of pictures, and what decides pixels.
    pub(super) fn canonical(&self) -> Value {
        let font = |font: &FontFile| json!([font.name, font.digest]);
        let Looks { sizes, colours, backgrounds, positions } = &self.looks;
        json!({
            "fonts": self.fonts.iter().map(font).collect::<Vec<_>>(),
            "sizes": sizes,
            "colours": colours,
            "backgrounds": backgrounds,
            "positions": positions,
        })
    }

    /// The digest of all that decides pictures and their keys.
    pub fn digest(&self) -> Digest {
        Digest::of(canonical_json(&self.canonical()).as_bytes())
    }

    /// The same without the paths of fonts.
    #[must_use]
    pub fn without_paths(&self) -> Self {
        let font = |font: &FontFile| FontFile { path: None, ..font.clone() };
        Self { fonts: self.fonts.iter().map(font).collect(), looks: self.looks.clone() }
    }

    /// All styles, in the order in which each word is drawn.
    pub fn styles(&self) -> Vec<Style> {
        let mut all = Vec::new();
        for font in 0..self.fonts.len() {
            for &size in &self.looks.sizes {
                for (colour, background) in self.looks.inks() {
                    let position = self.looks.positions.iter();
                    let style = |&position| Style { font, size, colour, background, position };
                    all.extend(position.map(style));
                }
            }
        }
        all
    }

    /// `3 fonts × 2 sizes`, or `one style`.
    pub fn summary(&self) -> String {
        let Looks { sizes, positions, .. } = &self.looks;
        let counts = [
            (self.fonts.len(), "fonts"),
            (sizes.len(), "sizes"),
            (self.looks.inks().count(), "pairs of colours"),
            (positions.len(), "positions"),
        ];
        let several = counts.iter().filter(|(count, _)| *count > 1);
        let several: Vec<String> = several.map(|(count, what)| format!("{count} {what}")).collect();
        match several.is_empty() {
            true => "one style".to_owned(),
            false => several.join(" × "),
        }
    }

    /// What tells a style apart from the others, such as `Other, red on white`; empty if there is one style.
    pub fn label(&self, style: &Style) -> String {
        let Looks { sizes, colours, backgrounds, positions } = &self.looks;
        let ink = match (colours.len() > 1, backgrounds.len() > 1) {
            (true, true) => Some(format!("{} on {}", style.colour, style.background)),
            (true, false) => Some(style.colour.to_string()),
            (false, true) => Some(format!("on {}", style.background)),
            (false, false) => None,
        };
        let parts = [
            (self.fonts.len() > 1).then(|| self.fonts[style.font].name.clone()),
            (sizes.len() > 1).then(|| style.size.to_string()),
            ink,
            (positions.len() > 1).then(|| style.position.to_string()),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    /// Draws the words of a list, word by word: each drawing is a sample whose key is the word and its style, and whose
    /// caption is the word. The ledger counts drawings, and tells which words a font cannot draw, or do not fit.
    ///
    /// # Errors
    /// If a font cannot be read, or there would be too many.
    pub(super) fn drawings(&self, mut words: Listing) -> Result<Listing, String> {
        let faces = self.fonts.iter().map(FontFile::open).collect::<Result<Vec<_>, _>>()?;
        let mut rows = Vec::new();
        let styles = self.styles();
        let count = words.samples.len().saturating_mul(styles.len());
        if count > MOST {
            let (count, most) = (thousands(count as u64), thousands(MOST as u64));
            return Err(format!("its words would be drawn as {count} pictures, more than {most}"));
        }
        let labels: Vec<String> = styles.iter().map(|style| self.label(style)).collect();
        let list = std::mem::take(&mut words.samples);
        let mut seen = HashSet::new();
        for word in list.iter().map(|sample| sample.key.as_str()) {
            if !seen.insert(word) {
                words.ledger.lose(What::Word, "the word is in the list already", word);
                continue;
            }
            let mut lost = Lost { word, ledger: &mut words.ledger, reasons: Vec::new() };
            let blocks: Vec<_> = faces.iter().map(|face| drawable(face, word)).collect();
            for (style, label) in styles.iter().zip(&labels) {
                let fits = match &blocks[style.font] {
                    Ok(block) => block
                        .size(style.size, 1.0)
                        .map(drop)
                        .map_err(|why| format!("{why} in {}", faces[style.font].name())),
                    Err(why) => Err(why.clone()),
                };
                if let Err(why) = fits {
                    lost.note(why);
                    continue;
                }
                let key = match label.is_empty() {
                    true => word.to_owned(),
                    false => format!("{word} ({label})"),
                };
                words.samples.push(Sample { key, caption: Some(word.to_owned()), label: None });
                rows.push(*style);
            }
        }
        let count = words.samples.len() as u64;
        (words.ledger.pictures, words.ledger.captions) = (count, count);
        words.drawn = Some(Drawn { faces, styles: rows });
        Ok(words)
    }
}

/// Notes what of a word cannot be drawn, once for each reason.
struct Lost<'l> {
    word: &'l str,
    ledger: &'l mut Ledger,
    reasons: Vec<String>,
}

impl Lost<'_> {
    fn note(&mut self, why: String) {
        if !self.reasons.contains(&why) {
            self.ledger.lose(What::Word, why.clone(), self.word);
            self.reasons.push(why);
        }
    }
}

/// A word in a font that can draw it.
fn drawable<'f, 't>(face: &'f Face, word: &'t str) -> Result<Block<'f, 't>, String> {
    let block = Block::of(face, word)?;
    match block.is_visible() {
        true => Ok(block),
        false => Err(format!("nothing of it can be seen in {}", face.name())),
    }
}

#[cfg(test)]
mod tests {
    use super::super::format::words::of_words;
    use super::*;

    fn draw(looks: Looks) -> Draw {
        Draw { fonts: vec![FontFile::built_in()], looks }
    }

    fn colours(names: &[&str]) -> Vec<Colour> {
        names.iter().map(|name| Colour::read(name).expect(name)).collect()
    }

    #[test]
    fn every_combination_is_a_drawing_but_for_letters_that_cannot_be_seen() {
        let draw = draw(Looks {
            colours: colours(&["black", "white"]),
            backgrounds: colours(&["white", "black", "red"]),
            positions: vec![Position::default(), Position::named("top left").expect("one")],
            ..Looks::default()
        });
        assert_eq!(draw.looks.count(), 8);
        assert_eq!(draw.summary(), "4 pairs of colours × 2 positions");
        let found = draw.drawings(of_words(["love", "hate"]));
        let found = found.expect("drawings");
        let styles = &found.drawn.as_ref().expect("styles").styles;
        assert_eq!((found.samples.len(), styles.len(), found.ledger.pictures), (16, 16, 16));
        let keys: Vec<&str> = found.samples.iter().map(|sample| sample.key.as_str()).collect();
        assert_eq!(keys[..2], ["love (black on white, centre)", "love (black on white, top left)"]);
        assert_eq!(keys[15], "hate (white on red, top left)");
        assert_eq!(keys.iter().collect::<HashSet<_>>().len(), 16);
        assert_eq!(found.samples[15].caption.as_deref(), Some("hate"));
        assert_eq!(styles[15].background.to_string(), "red");
    }

    #[test]
    fn what_cannot_be_drawn_is_in_the_ledger_by_its_reason() {
        let sizes = vec![Size::Fit, Size::Part(0.4)];
        let positions = vec![Position::default(), Position::named("top").expect("one")];
        let draw = draw(Looks { sizes, positions, ..Looks::default() });
        let words = of_words(["a", "銀行", "a", "banknotes", "\u{ad}", "a\0"]);
        let found = draw.drawings(words).expect("drawings");
        // `a` in four ways, and `banknotes` where it fits.
        assert_eq!((found.samples.len(), found.ledger.pictures), (6, 6));
        assert_eq!(
            found.ledger.warnings(),
            [
                "1 word skipped: DejaVu Sans Bold, in which words are drawn, has no `銀` (U+9280) (銀行)",
                "1 word skipped: the word is in the list already (a)",
                "1 word skipped: it is too wide at size 0.4 in DejaVu Sans Bold (banknotes)",
                "1 word skipped: nothing of it can be seen in DejaVu Sans Bold (\u{ad})",
                "1 word skipped: DejaVu Sans Bold, in which words are drawn, has no `\u{fffd}` (U+0000) (a\0)",
            ]
        );
    }

    #[test]
    fn too_many_drawings_are_refused() {
        let words: Vec<String> = (0..200_001).map(|n| n.to_string()).collect();
        let words = of_words(words.iter().map(String::as_str));
        let positions = ["centre", "top", "bottom", "left", "right"];
        let positions = positions.map(|name| Position::named(name).expect(name)).to_vec();
        let draw = draw(Looks { positions, ..Looks::default() });
        let why = draw.drawings(words).map(drop);
        assert_eq!(
            why.expect_err("too many"),
            "its words would be drawn as 1,000,005 pictures, more than 1,000,000"
        );
    }

    #[test]
    fn a_draw_is_known_by_fonts_and_looks_and_not_by_paths() {
        let plain = draw(Looks::default());
        assert!(plain.is_default());
        let mut moved = plain.clone();
        moved.fonts[0].path = Some("/elsewhere/font.ttf".into());
        assert_eq!(plain.canonical(), moved.canonical());
        let mut other = plain.clone();
        other.fonts[0].digest = Digest::of(b"another");
        assert_ne!(plain.canonical(), other.canonical());
        assert!(!other.is_default());
        let json = serde_json::to_string(&moved).expect("JSON");
        assert_eq!(serde_json::from_str::<Draw>(&json).expect("a draw"), moved);
    }
}
