//! A set of drawn emoji in Iconify's format: reads a package's `icons.json`, and its `chars.json` if it has one, and
//! finds drawings by code point or by name.

use std::collections::{BTreeMap, HashMap};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::archive;

/// A set of drawings in one style.
#[derive(Debug, Default)]
pub struct IconSet {
    file: IconFile,
    /// Names by code points in hexadecimal, joined by hyphens.
    names: HashMap<String, String>,
    /// Names and aliases without hyphens, each with the name of its drawing.
    spelt: HashMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
struct IconFile {
    icons: BTreeMap<String, Icon>,
    #[serde(default)]
    aliases: BTreeMap<String, Alias>,
    width: Option<f32>,
    height: Option<f32>,
    left: Option<f32>,
    top: Option<f32>,
}

#[derive(Debug, Default, Deserialize)]
struct Icon {
    body: String,
    width: Option<f32>,
    height: Option<f32>,
    left: Option<f32>,
    top: Option<f32>,
    /// Whether it was withdrawn from the set.
    #[serde(default)]
    hidden: bool,
}

impl Icon {
    /// Drawings with classes are skipped: their colours are in a style sheet that is not part of the set.
    fn is_usable(&self) -> bool {
        !self.hidden && !self.body.contains(" class=")
    }
}

#[derive(Debug, Deserialize)]
struct Alias {
    parent: String,
    /// Any other field, such as a mirroring, which would make it a different drawing.
    #[serde(flatten)]
    changes: BTreeMap<String, serde_json::Value>,
}

impl IconSet {
    /// Reads the set of a package.
    pub fn from_package(tgz: &[u8]) -> Result<Self> {
        let mut files = archive::files(tgz, |path| matches!(path, "icons.json" | "chars.json"))?;
        let icons = files.remove("icons.json").context("icons.json is missing")?;
        let names = files.remove("chars.json").unwrap_or_else(|| b"{}".to_vec());
        Self::from_json(&icons, &names)
    }

    /// Reads the set's two files.
    pub fn from_json(icons: &[u8], chars: &[u8]) -> Result<Self> {
        let file: IconFile = serde_json::from_slice(icons).context("icons.json is not a set")?;
        let chars: HashMap<String, String> =
            serde_json::from_slice(chars).context("chars.json is not a table")?;
        let names = chars.into_iter().map(|(hex, name)| (without_selector(&hex), name)).collect();
        let mut spelt = HashMap::new();
        let own = file.icons.keys().map(|name| (name, name));
        let aliases = file.aliases.iter();
        let aliases = aliases.filter(|(_, alias)| alias.changes.is_empty());
        // An icon's own name comes before another's alias.
        for (name, drawn) in own.chain(aliases.map(|(name, alias)| (name, &alias.parent))) {
            if file.icons.get(drawn).is_some_and(Icon::is_usable) {
                spelt.entry(plain(name)).or_insert_with(|| drawn.clone());
            }
        }
        Ok(Self { file, names, spelt })
    }

    /// The set's name for the emoji with these code points, if it lists code points.
    pub fn name_of(&self, hex: &str) -> Option<&str> {
        self.names.get(&without_selector(hex)).map(String::as_str)
    }

    /// The drawing with that name; hyphens are ignored.
    pub fn spelt(&self, name: &str) -> Option<&str> {
        self.spelt.get(&plain(name)).map(String::as_str)
    }

    /// A drawing as SVG.
    pub fn svg(&self, name: &str) -> Option<String> {
        let IconFile { icons, width, height, left, top, .. } = &self.file;
        let icon = icons.get(name)?;
        let width = icon.width.or(*width).unwrap_or(16.0);
        let height = icon.height.or(*height).unwrap_or(16.0);
        let left = icon.left.or(*left).unwrap_or(0.0);
        let top = icon.top.or(*top).unwrap_or(0.0);
        Some(format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" \
             width=\"{width}\" height=\"{height}\" viewBox=\"{left} {top} {width} {height}\">{}</svg>",
            icon.body
        ))
    }
}

/// Code points in lower case without U+FE0F, which sets include inconsistently.
pub fn without_selector(hex: &str) -> String {
    let hex = hex.to_lowercase();
    hex.split('-').filter(|point| *point != "fe0f").collect::<Vec<_>>().join("-")
}

/// A name's letters and digits only, in lower case.
pub fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ICONS: &[u8] = br#"{
        "width": 32, "height": 32,
        "icons": {
            "red-apple": {"body": "<path id='a'/>"},
            "wide": {"body": "<path id='w'/>", "width": 64, "left": -2},
            "old": {"body": "<path/>", "hidden": true},
            "black": {"body": "<path class=\"st0\"/>"}
        },
        "aliases": {
            "apple": {"parent": "red-apple"},
            "mirrored": {"parent": "red-apple", "hFlip": true},
            "wide": {"parent": "red-apple"}
        }
    }"#;

    fn set() -> Result<IconSet> {
        IconSet::from_json(ICONS, br#"{"1f34e": "red-apple", "2708-fe0f": "wide"}"#)
    }

    #[test]
    fn hyphens_and_selectors_do_not_matter() -> Result<()> {
        let set = set()?;
        assert_eq!(set.spelt("redapple"), Some("red-apple"));
        assert_eq!(set.name_of("1F34E"), Some("red-apple"));
        assert_eq!(set.name_of("2708"), Some("wide"));
        assert_eq!(set.name_of("2708-FE0F"), Some("wide"));
        Ok(())
    }

    #[test]
    fn an_alias_is_taken_if_it_is_the_same_drawing() -> Result<()> {
        let set = set()?;
        assert_eq!(set.spelt("apple"), Some("red-apple"));
        assert_eq!(set.spelt("mirrored"), None);
        assert_eq!(set.spelt("wide"), Some("wide"), "its own name comes first");
        Ok(())
    }

    #[test]
    fn what_was_withdrawn_or_lost_its_colours_is_not_there() -> Result<()> {
        let set = set()?;
        assert_eq!((set.spelt("old"), set.spelt("black")), (None, None));
        Ok(())
    }

    #[test]
    fn an_icons_own_box_comes_before_the_sets() -> Result<()> {
        let svg = set()?.svg("wide").expect("it is there");
        assert!(svg.contains("viewBox=\"-2 0 64 32\""), "{svg}");
        Ok(())
    }
}
