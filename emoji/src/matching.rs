//! Finds the drawing of each emoji in each set, and selects the emoji that enough sets draw.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::holdout::held_out;
use crate::icons::{IconSet, plain};
use crate::names::Emoji;
use crate::select;

/// Styles that must have a drawing of an emoji for it to be used.
pub const REQUIRED: [&str; 5] = ["noto", "noto-v1", "twemoji", "fluent-emoji", "fluent-emoji-flat"];

/// Drawings whose name in their set belongs to another emoji, or that show something else: style, icon, what it
/// shows.
const MISNAMED: [(&str, &str, &str); 3] = [
    ("fxemoji", "keyboard", "a piano's keys"),
    ("fxemoji", "construction", "a building site with its crane"),
    ("fxemoji", "sunglasses", "a face with sunglasses on"),
];

/// The sets by style.
pub type Sets = BTreeMap<String, IconSet>;

/// A name as in `concepts.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Concept {
    /// The name in lower case.
    pub name: String,
    /// The character.
    pub emoji: String,
    /// Its group in Unicode's list.
    pub group: String,
    /// Its keywords.
    pub keywords: Vec<String>,
    /// The styles whose pictures of it are held out from training.
    pub held_out: Vec<String>,
}

/// A concept with its drawings.
#[derive(Debug, Clone)]
pub struct Drawn {
    /// The concept.
    pub concept: Concept,
    /// Its index in Unicode's list.
    pub order: u32,
    /// The icon's name by style.
    pub icons: BTreeMap<String, String>,
}

/// The concepts, sorted by name.
pub fn concepts(emoji: &[Emoji], sets: &Sets) -> Vec<Drawn> {
    let mut drawn: Vec<(&Emoji, BTreeMap<String, String>)> =
        emoji.iter().map(|emoji| (emoji, drawings(emoji, sets))).collect();
    settle(&mut drawn, sets);
    let taken = drawn.into_iter().filter(|(emoji, _)| select::against(emoji).is_none());
    let enough = taken.filter(|(_, icons)| REQUIRED.iter().all(|style| icons.contains_key(*style)));
    let mut concepts: Vec<Drawn> = enough
        .map(|(emoji, icons)| Drawn {
            concept: Concept {
                name: emoji.label.to_lowercase(),
                emoji: emoji.emoji.clone(),
                group: emoji.group.clone(),
                keywords: emoji.keywords.clone(),
                held_out: Vec::new(),
            },
            order: emoji.order,
            icons,
        })
        .collect();
    concepts.sort_by(|a, b| a.concept.name.cmp(&b.concept.name));
    for (place, drawn) in concepts.iter_mut().enumerate() {
        let styles: Vec<&str> = drawn.icons.keys().map(String::as_str).collect();
        drawn.concept.held_out = held_out(place, &styles).into_iter().map(str::to_owned).collect();
    }
    concepts
}

/// Resolves icons that two emoji claim by name, such as `cricket`, the game before there was an insect. The emoji
/// with the icon's own name keeps it.
fn settle(drawn: &mut [(&Emoji, BTreeMap<String, String>)], sets: &Sets) {
    let mut claims = BTreeMap::<(String, String), usize>::new();
    for (style, icon) in drawn.iter().flat_map(|(_, icons)| icons) {
        *claims.entry((style.clone(), icon.clone())).or_default() += 1;
    }
    for (emoji, icons) in drawn {
        icons.retain(|style, icon| {
            let listed = sets.get(style).is_some_and(|set| set.name_of(&emoji.hex).is_some());
            let alone = claims.get(&(style.clone(), icon.clone())).is_none_or(|count| *count == 1);
            listed || alone || plain(icon) == plain(&emoji.label)
        });
    }
}

/// The icon of each set that draws an emoji.
///
/// Sets that list code points are searched by these; the others by name: the emoji's own, or the name in sets that
/// list code points.
fn drawings(emoji: &Emoji, sets: &Sets) -> BTreeMap<String, String> {
    let listed = sets.values().filter_map(|set| set.name_of(&emoji.hex)).map(plain);
    let names: Vec<String> = std::iter::once(plain(&emoji.label)).chain(listed).collect();
    let icon = |set: &IconSet| match set.name_of(&emoji.hex) {
        Some(name) => set.spelt(name).map(str::to_owned),
        None => names.iter().find_map(|name| set.spelt(name)).map(str::to_owned),
    };
    let found = sets.iter().filter_map(|(style, set)| Some((style.clone(), icon(set)?)));
    let misnamed = |style: &str, icon: &str| {
        MISNAMED.iter().any(|(of, name, _)| (*of, *name) == (style, icon))
    };
    found.filter(|(style, icon)| !misnamed(style, icon)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn emoji(label: &str, hex: &str) -> Emoji {
        Emoji {
            label: label.to_owned(),
            emoji: label.to_owned(),
            hex: hex.to_owned(),
            group: "animals-nature".to_owned(),
            subgroup: "animal-bug".to_owned(),
            keywords: Vec::new(),
            order: 0,
        }
    }

    fn set(icons: &str, aliases: &str, chars: &str) -> IconSet {
        let json = format!("{{\"icons\": {{{icons}}}, \"aliases\": {{{aliases}}}}}");
        IconSet::from_json(json.as_bytes(), chars.as_bytes()).expect("a set")
    }

    /// Three sets that list code points, the rest only names; the last has two names for one drawing.
    fn sets() -> Sets {
        let drawings =
            r#""bee": {"body": ""}, "cricket": {"body": ""}, "cricket-game": {"body": ""}"#;
        let chars = r#"{"1f41c": "bee", "1f997": "cricket", "1f3cf": "cricket-game"}"#;
        let listed = ["noto", "twemoji", "fluent-emoji-flat"];
        let listed = listed.map(|style| (style.to_owned(), set(drawings, "", chars)));
        let fluent = ("fluent-emoji".to_owned(), set(drawings, "", "{}"));
        let old = set(
            r#""bee": {"body": ""}, "cricket-game": {"body": ""}"#,
            r#""cricket": {"parent": "cricket-game"}"#,
            "{}",
        );
        listed.into_iter().chain([fluent, ("noto-v1".to_owned(), old)]).collect()
    }

    #[test]
    fn sets_without_code_points_are_asked_by_name() {
        let bee = drawings(&emoji("BEE", "1F41C"), &sets());
        assert_eq!(bee.len(), 5);
        // By another set's name for the same code points.
        let found = drawings(&emoji("insect", "1F41C"), &sets());
        assert_eq!(found.get("noto-v1").map(String::as_str), Some("bee"));
    }

    #[test]
    fn of_two_that_claim_a_drawing_the_one_whose_name_it_bears_has_it() {
        let all =
            [emoji("cricket", "1F997"), emoji("cricket game", "1F3CF"), emoji("bee", "1F41C")];
        let names: Vec<String> =
            concepts(&all, &sets()).into_iter().map(|drawn| drawn.concept.name).collect();
        assert_eq!(names, ["bee", "cricket game"], "noto-v1 does not draw the insect");
    }

    #[test]
    fn a_set_that_lists_code_points_is_not_asked_by_name() {
        let found = drawings(&emoji("bee", "1F997"), &sets());
        assert_eq!(found.get("noto").map(String::as_str), Some("cricket"));
    }

    #[test]
    fn what_is_held_out_is_drawn() {
        for drawn in concepts(&[emoji("bee", "1F41C"), emoji("cricket game", "1F3CF")], &sets()) {
            assert!(!drawn.concept.held_out.is_empty());
            assert!(drawn.concept.held_out.iter().all(|style| drawn.icons.contains_key(style)));
        }
    }
}
