//! Emoji with name, code points, group, subgroup and keywords, from emojibase's package of Unicode's data.

use std::collections::HashMap;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::archive;

/// An emoji.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Emoji {
    /// Its English short name: `red apple`, `OK hand`.
    pub label: String,
    /// The character.
    pub emoji: String,
    /// Its code points in hexadecimal with hyphens.
    pub hex: String,
    /// Its group: `food-drink`.
    pub group: String,
    /// Its subgroup: `food-fruit`.
    pub subgroup: String,
    /// Its keywords.
    pub keywords: Vec<String>,
    /// Its index in Unicode's list.
    pub order: u32,
}

#[derive(Deserialize)]
struct Entry {
    label: String,
    emoji: String,
    hexcode: String,
    #[serde(default)]
    tags: Vec<String>,
    order: Option<u32>,
    group: Option<u32>,
    subgroup: Option<u32>,
}

#[derive(Deserialize)]
struct Groups {
    groups: HashMap<String, String>,
    subgroups: HashMap<String, String>,
}

/// Reads the package. Emoji without a group, such as single regional letters, are skipped.
pub fn from_package(tgz: &[u8]) -> Result<Vec<Emoji>> {
    let data = archive::file(tgz, "en/data.json")?;
    from_json(&data, &archive::file(tgz, "meta/groups.json")?)
}

/// Reads the package's two files.
pub fn from_json(data: &[u8], groups: &[u8]) -> Result<Vec<Emoji>> {
    let entries: Vec<Entry> =
        serde_json::from_slice(data).context("emojibase's en/data.json is not as expected")?;
    let names: Groups = serde_json::from_slice(groups)
        .context("emojibase's meta/groups.json is not as expected")?;
    let named = |of: &HashMap<String, String>, number: u32| of.get(&number.to_string()).cloned();
    let emoji = entries.into_iter().filter_map(|entry| {
        Some(Emoji {
            group: named(&names.groups, entry.group?)?,
            subgroup: named(&names.subgroups, entry.subgroup?)?,
            order: entry.order?,
            label: entry.label,
            emoji: entry.emoji,
            hex: entry.hexcode,
            keywords: entry.tags,
        })
    });
    Ok(emoji.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_emoji_has_its_groups_by_name() -> Result<()> {
        let data = br#"[
            {"label": "red apple", "emoji": "A", "hexcode": "1F34E", "tags": ["apple", "red"],
             "order": 7, "group": 4, "subgroup": 42, "version": 0.6},
            {"label": "regional indicator A", "emoji": "B", "hexcode": "1F1E6", "version": 0}
        ]"#;
        let groups = br#"{"groups": {"4": "food-drink"}, "subgroups": {"42": "food-fruit"}}"#;
        let emoji = from_json(data, groups)?;
        let [apple] = emoji.as_slice() else { panic!("one belongs to a group: {emoji:?}") };
        assert_eq!((&*apple.group, &*apple.subgroup, apple.order), ("food-drink", "food-fruit", 7));
        assert_eq!(apple.keywords, ["apple", "red"]);
        Ok(())
    }
}
