//! Chooses the pictures that are held out from training.
//!
//! Styles by the same authors look alike, so they are held out as a family: no close copy of a held-out picture is in
//! the training set.

/// Families of styles, which are held out in turn.
const FAMILIES: [&[&str]; 4] =
    [&["noto", "noto-v1"], &["twemoji"], &["fluent-emoji", "fluent-emoji-flat"], &["emojione"]];

/// The styles held out for the name at that index of the sorted names: a family, or the next one if no style of it
/// draws the name.
pub fn held_out<'a>(place: usize, styles: &[&'a str]) -> Vec<&'a str> {
    (0..FAMILIES.len())
        .map(|later| FAMILIES[(place + later) % FAMILIES.len()])
        .map(|family| styles.iter().copied().filter(|s| family.contains(s)).collect::<Vec<_>>())
        .find(|styles| !styles.is_empty())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [&str; 7] =
        ["emojione", "fluent-emoji", "fluent-emoji-flat", "fxemoji", "noto", "noto-v1", "twemoji"];

    #[test]
    fn families_take_turns() {
        let turns = [0, 1, 2, 3, 4].map(|place| held_out(place, &ALL));
        assert_eq!(
            turns.to_vec(),
            [
                vec!["noto", "noto-v1"],
                vec!["twemoji"],
                vec!["fluent-emoji", "fluent-emoji-flat"],
                vec!["emojione"],
                vec!["noto", "noto-v1"],
            ]
        );
    }

    #[test]
    fn a_name_without_the_family_takes_the_next() {
        assert_eq!(held_out(3, &ALL[1..]), ["noto", "noto-v1"]);
        assert_eq!(held_out(2, &["noto-v1", "fxemoji"]), ["noto-v1"]);
    }

    #[test]
    fn no_sibling_of_what_is_held_out_is_trained() {
        for place in 0..8 {
            let held = held_out(place, &ALL);
            assert!(!held.is_empty());
            for family in FAMILIES {
                let of_it = family.iter().filter(|style| held.contains(style)).count();
                assert!(of_it == 0 || of_it == family.len(), "{place}: {held:?}");
            }
        }
    }
}
