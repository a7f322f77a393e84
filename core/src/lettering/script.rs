//! Whether a word can be drawn letter by letter.

use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory as _};
use unicode_script::{Script, UnicodeScript as _};

/// Whether a word has to be shaped: its letters join, run from right to left, carry marks, or are invisible. All other
/// words are drawn letter by letter from left to right, as in the first version.
pub fn needs_shaping(word: &str) -> bool {
    let plain = |c: char| {
        let script = matches!(
            c.script(),
            Script::Common
                | Script::Latin
                | Script::Greek
                | Script::Cyrillic
                | Script::Armenian
                | Script::Georgian
        );
        let mark = c.general_category_group() == GeneralCategoryGroup::Mark;
        script && !mark && c.general_category() != GeneralCategory::Format
    };
    // Most words are, and are then told at once.
    !word.is_ascii() && !word.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_to_be_shaped_is_told_from_what_has_not() {
        for plain in ["bank", "New York", "étoile", "Ψυχή", "Банк", "№ 5 – €10", "naïve's"]
        {
            assert!(!needs_shaping(plain), "{plain}");
        }
        for shaped in ["سلام", "שלום", "e\u{301}toile", "co\u{ad}op", "a\u{200d}b", "銀行", "नमस्ते"]
        {
            assert!(needs_shaping(shaped), "{shaped}");
        }
    }
}
