//! Units that are left out because an activation of theirs is NaN or infinite, as a part of a figure's note.

use neuronotes_core::kind::spoiled::Spoiled;
use neuronotes_core::number::thousands;

/// Which of them is first, for which picture, and how many others there are; empty if there is none. `noun` is what units are called.
pub(super) fn note(spoiled: &[Spoiled], noun: &str) -> String {
    let [first, others @ ..] = spoiled else { return String::new() };
    let others = match others.len() {
        0 => String::new(),
        1 => format!(", and 1 other {noun}"),
        count => format!(", and {} other {noun}s", thousands(count as u64)),
    };
    let (unit, is, key) = (first.unit, first.said(), &first.key);
    format!("; left out: {noun} {unit}, which is {is} for the picture `{key}`{others}")
}

#[cfg(test)]
mod tests {
    use neuronotes_core::kind::spoiled::Odd;

    use super::*;

    #[test]
    fn the_first_is_named_with_its_picture_and_the_others_are_counted() {
        let of = |unit, is| Spoiled { unit, key: "cat.png".to_owned(), is };
        let all = [of(7, Some(Odd::Nan)), of(9, Some(Odd::Infinite)), of(2300, None)];
        let said = [0, 1, 2, 3].map(|count| note(&all[..count], "unit"));
        let first = "; left out: unit 7, which is NaN for the picture `cat.png`";
        let others = ["", ", and 1 other unit", ", and 2 other units"];
        assert_eq!(said[0], "");
        for (said, others) in said[1..].iter().zip(others) {
            assert_eq!(*said, format!("{first}{others}"));
        }
        assert!(note(&all[2..], "feature").contains("feature 2300, which is NaN or infinite for"));
    }
}
