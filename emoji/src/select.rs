//! Selects the emoji whose names are used.
//!
//! A network that should show what a picture and a word have in common needs names that are short enough to be drawn,
//! say what is seen, and belong to pictures without lettering.

use crate::names::Emoji;

/// Longest name in characters: two short words, legible at the network's resolution.
const LONGEST: usize = 13;

/// Groups that are skipped entirely: skin tones and hair by themselves, and flags, which are patterns of colours.
const GROUPS: [&str; 2] = ["component", "flags"];

/// Words in the names of variants of people: many pictures with little difference.
const PEOPLE: [&str; 6] = ["man", "woman", "men", "women", "person", "old"];

/// Subgroups of symbols that are lettering, arrows, buttons or signs.
const LETTERING: [&str; 10] = [
    "transport-sign",
    "arrow",
    "zodiac",
    "av-symbol",
    "gender",
    "math",
    "punctuation",
    "currency",
    "keycap",
    "alphanum",
];

/// Lettering and buttons in other subgroups.
const EXCEPTIONS: [(&str, &str); 7] = [
    ("ZZZ", "three letters"),
    ("copyright", "the letter C"),
    ("registered", "the letter R"),
    ("trade mark", "the letters TM"),
    ("e-mail", "the letter E, or an at sign"),
    ("dvd", "the letters DVD"),
    ("radio button", "a button"),
];

/// Near duplicates: names of emoji that look like another selected emoji from another side, in another number or
/// mood. Each with the emoji that is used instead.
const TWINS: &[(&str, &[&str])] = &[
    ("angry face", &["enraged face"]),
    ("backpack", &["clutch bag", "purse"]),
    ("bookmark", &["bookmark tabs"]),
    ("bug", &["ant"]),
    ("bus", &["minibus", "trolleybus"]),
    ("cat", &["cat face", "crying cat", "grinning cat", "kissing cat", "pouting cat", "weary cat"]),
    ("clipboard", &["card index", "ledger"]),
    ("cow", &["cow face", "ox", "water buffalo"]),
    ("dog", &["dog face"]),
    ("dragon", &["dragon face"]),
    ("fog", &["foggy"]),
    ("fountain pen", &["black nib"]),
    ("goat", &["ewe"]),
    ("green book", &["closed book", "notebook"]),
    ("growing heart", &["beating heart"]),
    ("horse", &["horse face"]),
    ("hospital", &["bank", "school"]),
    ("hotel", &["love hotel"]),
    ("house", &["houses"]),
    ("ice hockey", &["field hockey"]),
    ("locked", &["unlocked"]),
    ("loudspeaker", &["muted speaker"]),
    ("monkey", &["monkey face"]),
    ("mouse", &["mouse face", "rat"]),
    ("musical note", &["musical notes"]),
    (
        "neutral face",
        &["confused face", "frowning face", "smirking face", "unamused face", "worried face"],
    ),
    ("no entry", &["no littering", "prohibited"]),
    ("optical disk", &["computer disk"]),
    ("outbox tray", &["inbox tray"]),
    ("pig", &["pig face"]),
    ("pushpin", &["round pushpin"]),
    ("rabbit", &["rabbit face"]),
    ("red heart", &["heart suit"]),
    ("rooster", &["chicken"]),
    ("ship", &["ferry", "motor boat"]),
    ("sleeping face", &["pensive face", "relieved face", "sleepy face"]),
    ("sparkles", &["sparkle"]),
    ("star", &["glowing star"]),
    ("tiger", &["tiger face"]),
    ("tram", &["light rail", "railway car", "station", "tram car"]),
    ("weary face", &["fearful face", "flushed face", "hushed face", "tired face"]),
];

/// The reason to skip an emoji, or `None` if it is used.
pub fn against(emoji: &Emoji) -> Option<&'static str> {
    let label = emoji.label.as_str();
    let words: Vec<String> = label.split([' ', '-']).map(str::to_lowercase).collect();
    let has = |word: &str| words.iter().any(|w| w == word);
    if GROUPS.contains(&emoji.group.as_str()) {
        return Some("flags and components");
    }
    if !label.chars().all(|c| c.is_ascii_alphabetic() || c == ' ' || c == '-') {
        return Some("more than letters, spaces and hyphens");
    }
    if label.len() > LONGEST || label.split(' ').count() > 2 {
        return Some("long");
    }
    if emoji.group == "people-body" && PEOPLE.iter().any(|word| has(word)) {
        return Some("variants of people");
    }
    if has("thirty") {
        return Some("clock times");
    }
    if has("oncoming") {
        return Some("the same seen from the front");
    }
    if emoji.group == "symbols" && LETTERING.contains(&emoji.subgroup.as_str()) {
        return Some("lettering, arrows, buttons and signs");
    }
    if TWINS.iter().any(|(_, others)| others.contains(&label)) {
        return Some("twins of other names");
    }
    EXCEPTIONS.iter().find(|(name, _)| *name == label).map(|(_, reason)| *reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn emoji(label: &str, group: &str, subgroup: &str) -> Emoji {
        Emoji {
            label: label.to_owned(),
            emoji: String::new(),
            hex: String::new(),
            group: group.to_owned(),
            subgroup: subgroup.to_owned(),
            keywords: Vec::new(),
            order: 0,
        }
    }

    #[test]
    fn short_names_of_drawn_things_are_taken() {
        for (label, group, subgroup) in [
            ("red apple", "food-drink", "food-fruit"),
            ("OK hand", "people-body", "hand-fingers-partial"),
            ("t-shirt", "objects", "clothing"),
            ("polar bear", "animals-nature", "animal-mammal"),
            ("princess", "people-body", "person-role"),
            ("radioactive", "symbols", "warning"),
            ("old key", "objects", "lock"),
        ] {
            assert_eq!(against(&emoji(label, group, subgroup)), None, "{label}");
        }
    }

    #[test]
    fn each_rule_leaves_something_out() {
        for (label, group, subgroup, rule) in [
            ("red hair", "component", "hair-style", "components"),
            ("pirate flag", "flags", "flag", "flags"),
            ("Mrs. Claus", "people-body", "person-fantasy", "letters"),
            ("keycap: 1", "symbols", "keycap", "letters"),
            ("piñata", "activities", "event", "letters"),
            ("face savouring food", "smileys-emotion", "face-tongue", "long"),
            ("man in suit", "people-body", "person-role", "long"),
            ("woman judge", "people-body", "person-role", "people"),
            ("one-thirty", "travel-places", "time", "clock"),
            ("oncoming bus", "travel-places", "transport-ground", "front"),
            ("Leo", "symbols", "zodiac", "lettering"),
            ("up arrow", "symbols", "arrow", "lettering"),
            ("ATM sign", "symbols", "transport-sign", "lettering"),
            ("dog face", "animals-nature", "animal-mammal", "twins"),
            ("ZZZ", "smileys-emotion", "emotion", "three letters"),
        ] {
            let reason = against(&emoji(label, group, subgroup));
            assert!(reason.is_some_and(|reason| reason.contains(rule)), "{label}: {reason:?}");
        }
    }
}
