//! A colour of letters or of what is behind them.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::suggest;

/// Names and what they mean: CSS's sixteen basic colours, and a few of its others.
const NAMES: [(&str, [u8; 3]); 20] = [
    ("black", [0, 0, 0]),
    ("white", [255, 255, 255]),
    ("red", [255, 0, 0]),
    ("green", [0, 128, 0]),
    ("blue", [0, 0, 255]),
    ("yellow", [255, 255, 0]),
    ("orange", [255, 165, 0]),
    ("purple", [128, 0, 128]),
    ("pink", [255, 192, 203]),
    ("brown", [165, 42, 42]),
    ("gray", [128, 128, 128]),
    ("silver", [192, 192, 192]),
    ("maroon", [128, 0, 0]),
    ("navy", [0, 0, 128]),
    ("teal", [0, 128, 128]),
    ("olive", [128, 128, 0]),
    ("lime", [0, 255, 0]),
    ("cyan", [0, 255, 255]),
    ("magenta", [255, 0, 255]),
    ("gold", [255, 215, 0]),
];

/// A colour in sRGB. It is written as its name, if it has one, or as `#rrggbb`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour(pub [u8; 3]);

impl Colour {
    /// The default colour of letters.
    pub const BLACK: Self = Self([0, 0, 0]);
    /// The default background.
    pub const WHITE: Self = Self([255, 255, 255]);

    /// The colour of that name, or of that form: `#rrggbb`, or `#rgb`.
    ///
    /// # Errors
    /// The nearest name, as a hint, or else what can be written.
    pub fn read(text: &str) -> Result<Self, String> {
        let lower = text.to_lowercase();
        let name = if lower == "grey" { "gray" } else { &lower };
        if let Some((_, rgb)) = NAMES.iter().find(|(known, _)| *known == name) {
            return Ok(Self(*rgb));
        }
        if let Some(rgb) = lower.strip_prefix('#').and_then(digits) {
            return Ok(Self(rgb));
        }
        let all = NAMES.iter().map(|(name, _)| *name);
        let names = || all.clone().collect::<Vec<_>>().join(", ");
        Err(suggest::hint(text, all.clone())
            .filter(|_| !text.is_empty() && !text.starts_with('#'))
            .unwrap_or_else(|| format!("known names: {}; others as \"#rrggbb\"", names())))
    }
}

/// `rrggbb` or `rgb`.
fn digits(hex: &str) -> Option<[u8; 3]> {
    let all = hex.chars().map(|c| c.to_digit(16)?.try_into().ok());
    let all: Vec<u8> = all.collect::<Option<_>>()?;
    match all[..] {
        [r, g, b] => Some([r * 17, g * 17, b * 17]),
        [r, rr, g, gg, b, bb] => Some([r * 16 + rr, g * 16 + gg, b * 16 + bb]),
        _ => None,
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [r, g, b] = self.0;
        match NAMES.iter().find(|(_, rgb)| *rgb == self.0) {
            Some((name, _)) => out.write_str(name),
            None => write!(out, "#{r:02x}{g:02x}{b:02x}"),
        }
    }
}

impl Serialize for Colour {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Colour {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::read(&text).map_err(|_| serde::de::Error::custom(format!("unknown colour `{text}`")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_is_a_name_or_digits_and_is_shown_by_its_name() {
        for (text, rgb, shown) in [
            ("Red", [255, 0, 0], "red"),
            ("grey", [128, 128, 128], "gray"),
            ("#F00", [255, 0, 0], "red"),
            ("#1a2B3c", [26, 43, 60], "#1a2b3c"),
        ] {
            let colour = Colour::read(text).expect(text);
            assert_eq!((colour.0, &*colour.to_string()), (rgb, shown));
        }
        assert_eq!(Colour::read("yelow"), Err("did you mean `yellow`?".to_owned()));
        for wrong in ["#12345", "#ggg", "", "#ééé"] {
            assert!(Colour::read(wrong).expect_err("no colour").contains("#rrggbb"), "{wrong}");
        }
        for (name, rgb) in NAMES {
            let json = serde_json::to_string(&Colour(rgb)).expect("JSON");
            assert_eq!(json, format!("\"{name}\""), "each colour has one name");
        }
    }
}
