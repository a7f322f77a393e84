//! Parses a place in a work, such as `p. 3`, into its kind and number, with the terms that pandoc knows.

use hayagriva::citationberg::taxonomy::Locator;

/// Parses a locator: `p. 3` and `3` are page 3; anything else is text.
pub(super) fn place(supplement: &str) -> Option<(Locator, String)> {
    let supplement = supplement.trim();
    if supplement.is_empty() {
        return None;
    }
    let braced = supplement.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    let text = braced.unwrap_or(supplement).trim();
    let (kind, rest) = named(text).unwrap_or((Locator::Page, text));
    let is_place = if braced.is_some() { !rest.is_empty() } else { is_number(rest) };
    Some(match is_place {
        true => (kind, rest.to_owned()),
        false => (Locator::Custom, text.to_owned()),
    })
}

/// A locator as text; a bare number is a page's.
pub(super) fn written(supplement: &str) -> String {
    let supplement = supplement.trim().trim_start_matches('{').trim_end_matches('}');
    match (is_number(supplement), supplement.contains([',', '-', '–', '&'])) {
        (true, true) => format!("pp. {supplement}"),
        (true, false) => format!("p. {supplement}"),
        (false, _) => supplement.to_owned(),
    }
}

/// Splits off the kind of place at the start of a text.
fn named(text: &str) -> Option<(Locator, &str)> {
    if let Some(rest) = text.strip_prefix("§§").or_else(|| text.strip_prefix('§')) {
        return Some((Locator::Section, rest.trim_start()));
    }
    if let Some(rest) = text.strip_prefix("¶¶").or_else(|| text.strip_prefix('¶')) {
        return Some((Locator::Paragraph, rest.trim_start()));
    }
    let length = text.find(|c: char| !c.is_alphabetic()).unwrap_or(text.len());
    let (word, rest) = text.split_at(length);
    let rest = rest.strip_prefix('.').unwrap_or(rest);
    let apart = rest.starts_with(|c: char| c.is_whitespace() || c.is_ascii_digit());
    let word = word.to_lowercase();
    let kind = WORDS.iter().find(|(words, _)| words.contains(&word.as_str()))?.1;
    apart.then(|| (kind, rest.trim_start()))
}

/// Whether a text consists of numbers, ranges and lists of them: `33`, `3a–5, 7`, `xii and xiv`.
fn is_number(text: &str) -> bool {
    let mut words = text
        .split(|c: char| c.is_whitespace() || matches!(c, ',' | '-' | '–' | '—' | '&' | ':' | '.'))
        .filter(|word| !word.is_empty() && *word != "and")
        .peekable();
    let is_roman = |word: &str| word.chars().all(|c| "ivxlcdmIVXLCDM".contains(c));
    words.peek().is_some()
        && words.all(|word| word.bytes().any(|b| b.is_ascii_digit()) || is_roman(word))
}

/// The names of kinds of places.
const WORDS: &[(&[&str], Locator)] = &[
    (&["p", "pp", "page", "pages"], Locator::Page),
    (&["appendix", "app"], Locator::Appendix),
    (&["art", "article", "articles"], Locator::ArticleLocator),
    (&["bk", "bks", "book", "books"], Locator::Book),
    (&["c", "ch", "chs", "chap", "chaps", "chapter", "chapters"], Locator::Chapter),
    (&["col", "cols", "column", "columns"], Locator::Column),
    (&["eq", "eqs", "eqn", "equation", "equations"], Locator::Equation),
    (&["fig", "figs", "figure", "figures"], Locator::Figure),
    (&["fol", "fols", "folio", "folios"], Locator::Folio),
    (&["no", "nos", "number", "numbers", "issue"], Locator::Issue),
    (&["l", "ll", "line", "lines"], Locator::Line),
    (&["n", "nn", "note", "notes"], Locator::Note),
    (&["op", "opp", "opus", "opera"], Locator::Opus),
    (&["para", "paras", "paragraph", "paragraphs"], Locator::Paragraph),
    (&["pt", "pts", "part", "parts"], Locator::Part),
    (&["sec", "secs", "sect", "section", "sections"], Locator::Section),
    (&["sub"], Locator::SubVerbo),
    (&["tab", "table", "tables"], Locator::Table),
    (&["v", "vv", "verse", "verses"], Locator::Verse),
    (&["vol", "vols", "volume", "volumes"], Locator::Volume),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_supplement_is_a_place_or_words() {
        for (text, kind, at) in [
            ("p. 3", Locator::Page, "3"),
            ("pp. 3–5", Locator::Page, "3–5"),
            ("p.3", Locator::Page, "3"),
            ("33-35, 38", Locator::Page, "33-35, 38"),
            ("pp. iv, vi-xi", Locator::Page, "iv, vi-xi"),
            ("Fig. 2", Locator::Figure, "2"),
            ("chap. 4", Locator::Chapter, "4"),
            ("§ 12", Locator::Section, "12"),
            ("sec. 2.1", Locator::Section, "2.1"),
            ("{p. A to C}", Locator::Page, "A to C"),
            ("see there", Locator::Custom, "see there"),
            ("p. 3 and passim", Locator::Custom, "p. 3 and passim"),
            ("page three", Locator::Custom, "page three"),
            ("chapters", Locator::Custom, "chapters"),
        ] {
            assert_eq!(place(text), Some((kind, at.to_owned())), "{text}");
        }
        assert_eq!(place(" "), None);
    }
}
