//! Lists of words by length, in which misspelt words are looked up.
//!
//! A typo changes a word's length by at most one, so three lists suffice to find the intended word, however large the
//! garden is.

use std::collections::BTreeMap;

use neuronotes_core::cut::Cut as _;

use super::number::push_base_36;

/// Minimum and maximum length of words in the lists: those that a typo in a word of four letters, or in one of the
/// longest, could mean.
const SHORTEST: usize = 3;
const LONGEST: usize = 24;
/// Maximum length of a shared prefix: one digit of base 36.
const MOST_SHARED: usize = 35;

/// The lists of words by length in characters, each in the order of the terms. Numbers are left out: with another
/// digit they are different numbers.
pub(super) fn lists<'t>(terms: impl Iterator<Item = &'t str>) -> BTreeMap<usize, String> {
    let mut lists: BTreeMap<usize, (&str, String)> = BTreeMap::new();
    for term in terms.filter(|term| term.chars().all(char::is_alphabetic)) {
        let length = term.chars().count();
        if !(SHORTEST..=LONGEST).contains(&length) {
            continue;
        }
        let (last, list) = lists.entry(length).or_default();
        let mut shared = 0;
        let mut rest = term;
        for (a, b) in last.chars().zip(term.chars()) {
            if a != b || shared + a.len_utf16() > MOST_SHARED {
                break;
            }
            shared += a.len_utf16();
            rest = rest.cut(a.len_utf8()..);
        }
        push_base_36(list, shared);
        list.push_str(rest);
        list.push('\n');
        *last = term;
    }
    lists.into_iter().map(|(length, (_, list))| (length, list)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_listed_by_length_and_share_their_beginnings() {
        let lists =
            lists(["ab", "bank", "banked", "band", "r2d2", "612", "#tag", "été"].into_iter());
        assert_eq!(lists[&4], "0bank\n3d\n");
        assert_eq!(lists[&6], "0banked\n");
        assert_eq!(lists[&3], "0été\n");
        assert_eq!(lists.len(), 3);
    }

    #[test]
    fn what_is_shared_is_counted_in_the_units_of_javascript() {
        let terms = ["\u{10400}\u{10401}a", "\u{10400}\u{10401}b"];
        assert_eq!(lists(terms.into_iter())[&3], "0\u{10400}\u{10401}a\n4b\n");
        let long = "\u{10400}".repeat(23);
        let terms = [format!("{long}a"), format!("{long}b")];
        let list = &lists(terms.iter().map(String::as_str))[&24];
        assert_eq!(list.lines().nth(1), Some(&*format!("y{}b", "\u{10400}".repeat(6))));
    }
}
