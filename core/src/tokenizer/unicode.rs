//! Tells what a character is to the expressions that split a text: a letter, a number, a space.

use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

/// Whether a character is a letter: Unicode's general category L.
pub fn is_letter(c: char) -> bool {
    match c.is_ascii() {
        true => c.is_ascii_alphabetic(),
        false => c.general_category_group() == GeneralCategoryGroup::Letter,
    }
}

/// Whether a character is a number: Unicode's general category N.
pub fn is_number(c: char) -> bool {
    match c.is_ascii() {
        true => c.is_ascii_digit(),
        false => c.general_category_group() == GeneralCategoryGroup::Number,
    }
}

/// Whether a character is a decimal digit of any script: Unicode's general category Nd.
pub fn is_digit(c: char) -> bool {
    match c.is_ascii() {
        true => c.is_ascii_digit(),
        false => c.general_category() == GeneralCategory::DecimalNumber,
    }
}

/// Whether a character is a space to Python, which counts four control characters more than Unicode does.
pub fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}
