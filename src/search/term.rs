//! Splits texts into terms of the index, and numbers them.

use unicode_normalization::UnicodeNormalization as _;
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory as _};
use unicode_script::{Script, UnicodeScript as _};

use neuronotes_core::cut::Cut as _;

/// Maximum length of a term in characters.
const LONGEST: usize = 32;

/// The terms of a text in order.
///
/// Words between ASCII spaces are folded one by one, since folding never crosses a space.
pub(super) fn for_each(text: &str, mut take: impl FnMut(&str)) {
    let mut term = Term::default();
    for word in text.split_ascii_whitespace() {
        if word.is_ascii() {
            for byte in word.bytes() {
                if byte.is_ascii_alphanumeric() {
                    term.push(char::from(byte.to_ascii_lowercase()));
                } else {
                    term.end(&mut take);
                }
            }
        } else {
            let bare: String =
                word.nfkd().filter(|c| group(*c) != GeneralCategoryGroup::Mark).collect();
            for c in bare.to_lowercase().chars() {
                let part =
                    matches!(group(c), GeneralCategoryGroup::Letter | GeneralCategoryGroup::Number);
                let alone = part && !c.is_ascii() && stands_alone(c);
                if alone || !part {
                    term.end(&mut take);
                }
                if part {
                    term.push(c);
                }
                if alone {
                    term.end(&mut take);
                }
            }
        }
        term.end(&mut take);
    }
}

/// A text as one term: folded, with white space collapsed.
pub(super) fn whole(text: &str) -> String {
    let bare: String = text.nfkd().filter(|c| group(*c) != GeneralCategoryGroup::Mark).collect();
    let words: Vec<String> = bare.to_lowercase().split_whitespace().map(str::to_owned).collect();
    words.join(" ").chars().take(LONGEST).collect()
}

fn group(c: char) -> GeneralCategoryGroup {
    c.general_category_group()
}

/// Whether a letter belongs to a script without spaces.
fn stands_alone(c: char) -> bool {
    use Script::{Han, Hiragana, Katakana, Khmer, Lao, Myanmar, Thai};
    matches!(c.script(), Han | Hiragana | Katakana | Thai | Lao | Khmer | Myanmar)
}

/// The current term.
#[derive(Default)]
struct Term {
    text: String,
    length: usize,
}

impl Term {
    fn push(&mut self, c: char) {
        if self.length < LONGEST {
            self.text.push(c);
            self.length += 1;
        }
    }

    fn end(&mut self, take: &mut impl FnMut(&str)) {
        if self.length > 0 {
            take(&self.text);
            self.text.clear();
            self.length = 0;
        }
    }
}

/// FNV-1a with 64 bits, its upper half folded into the lower, which hash tables use.
pub(super) fn hash(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325, step);
    hash ^ (hash >> 32)
}

/// Distinct terms, numbered in order of appearance, without an allocation for each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Terms {
    text: String,
    /// Hash, and end of the term in the text.
    terms: Vec<(u64, u32)>,
    /// A table of numbers plus 1, with a power of two slots of which at most half are used; empty once it is not
    /// needed.
    places: Vec<u32>,
}

impl Terms {
    /// The number of a term, new if the term is.
    pub(super) fn number(&mut self, term: &str) -> usize {
        if 2 * self.terms.len() >= self.places.len() {
            self.grow();
        }
        let hash = hash(term.as_bytes());
        let mut place = self.place(hash);
        while let Some(number) = (self.places[place] as usize).checked_sub(1) {
            if self.terms[number].0 == hash && self.term(number) == term {
                return number;
            }
            place = (place + 1) & (self.places.len() - 1);
        }
        self.text.push_str(term);
        self.terms.push((hash, self.text.len() as u32));
        self.places[place] = self.terms.len() as u32;
        self.terms.len() - 1
    }

    /// The terms with their hashes, in the order of their numbers.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &str)> {
        self.terms.iter().enumerate().map(|(number, (hash, _))| (*hash, self.term(number)))
    }

    /// Frees what only [`Terms::number`] needs.
    pub(super) fn close(&mut self) {
        self.places = Vec::new();
        self.text.shrink_to_fit();
        self.terms.shrink_to_fit();
    }

    fn term(&self, number: usize) -> &str {
        let start = number.checked_sub(1).map_or(0, |before| self.terms[before].1);
        self.text.cut(start as usize..self.terms[number].1 as usize)
    }

    fn place(&self, hash: u64) -> usize {
        hash as usize & (self.places.len() - 1)
    }

    fn grow(&mut self) {
        self.places = vec![0; (2 * self.places.len()).max(256)];
        for number in 0..self.terms.len() {
            let mut place = self.place(self.terms[number].0);
            while self.places[place] != 0 {
                place = (place + 1) & (self.places.len() - 1);
            }
            self.places[place] = number as u32 + 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(text: &str) -> Vec<String> {
        let mut terms = Vec::new();
        for_each(text, |term| terms.push(term.to_owned()));
        terms
    }

    #[test]
    fn terms_are_folded_runs_of_letters_and_numbers() {
        assert_eq!(
            terms("Unit 1330’s snake_case,RN50x4"),
            ["unit", "1330", "s", "snake", "case", "rn50x4"]
        );
        assert_eq!(
            terms("Crème BRÛLÉE, ﬁnal ², Straße"),
            ["creme", "brulee", "final", "2", "straße"]
        );
        assert_eq!(terms("Ἀθῆναι ΟΔΟΣ ΟΣ.Α İstanbul"), ["αθηναι", "οδος", "οσ", "α", "istanbul"]);
        assert_eq!(terms("  \u{a0}— …\t\n"), ["…"; 0]);
    }

    #[test]
    fn scripts_without_spaces_have_a_term_for_each_character() {
        assert_eq!(terms("CLIPは神経x"), ["clip", "は", "神", "経", "x"]);
        assert_eq!(terms("ｶﾞガ ไทย"), ["カ", "カ", "ไ", "ท", "ย"]);
        assert_eq!(terms("한글"), ["한글".nfkd().collect::<String>()]);
    }

    #[test]
    fn a_tag_is_a_term_as_it_is_written() {
        assert_eq!(whole("#Two  Wörds"), "#two words");
        assert_eq!(whole("#C++"), "#c++");
        assert_eq!(whole("#\u{1f331}\u{fe0f}"), "#\u{1f331}");
        assert_eq!(whole(&format!("#{}", "x".repeat(40))).chars().count(), LONGEST);
    }

    #[test]
    fn of_a_long_word_the_beginning_counts() {
        assert_eq!(terms(&"é".repeat(40)), ["e".repeat(32)]);
        assert_eq!(terms(&("x".repeat(33) + "-y")), ["x".repeat(32), "y".into()]);
    }

    #[test]
    fn terms_are_numbered_as_they_come() {
        let mut all = Terms::default();
        for round in 0..2 {
            for n in 0..2000 {
                assert_eq!(all.number(&format!("t{n}")), n, "round {round}");
            }
        }
        assert_eq!(all.iter().count(), 2000);
        all.close();
        assert!(all.iter().enumerate().all(|(n, (hash, term))| {
            term == format!("t{n}") && hash == super::hash(term.as_bytes())
        }));
    }
}
