//! What a numeral in prose amounts to: `4.2`, `12,345`, `seven`, `twenty-one`.

/// Numbers in words, with what they amount to.
pub(super) const WORDS: [(&str, f64); 28] = [
    ("three", 3.0),
    ("four", 4.0),
    ("five", 5.0),
    ("six", 6.0),
    ("seven", 7.0),
    ("eight", 8.0),
    ("nine", 9.0),
    ("ten", 10.0),
    ("eleven", 11.0),
    ("twelve", 12.0),
    ("thirteen", 13.0),
    ("fourteen", 14.0),
    ("fifteen", 15.0),
    ("sixteen", 16.0),
    ("seventeen", 17.0),
    ("eighteen", 18.0),
    ("nineteen", 19.0),
    ("twenty", 20.0),
    ("thirty", 30.0),
    ("forty", 40.0),
    ("fifty", 50.0),
    ("sixty", 60.0),
    ("seventy", 70.0),
    ("eighty", 80.0),
    ("ninety", 90.0),
    ("hundred", 100.0),
    ("thousand", 1000.0),
    ("dozen", 12.0),
];

/// Whether a word is a number.
pub(super) fn is_word(word: &str) -> bool {
    WORDS.iter().any(|(known, _)| *known == word)
}

/// What a numeral amounts to, given the text after it, and whether it is a percentage. `None` if that is unclear.
pub(super) fn amount(numeral: &str, after: &str) -> Option<(f64, bool)> {
    if !numeral.starts_with(|c: char| c.is_ascii_digit()) {
        let word = numeral.to_lowercase();
        let of = |word: &str| WORDS.iter().find(|(known, _)| *known == word).map(|(_, n)| *n);
        let number = of(&word).or_else(|| of(word.strip_suffix('s')?))?;
        // `twenty` of `twenty-one`.
        let next = after.strip_prefix('-').map(|rest| {
            rest.split(|c: char| !c.is_alphabetic()).next().unwrap_or_default().to_lowercase()
        });
        let ones = match next.as_deref() {
            Some("one") => 1.0,
            Some("two") => 2.0,
            Some(next) => of(next).filter(|n| *n < 10.0).unwrap_or(0.0),
            None => 0.0,
        };
        return Some((number + ones, is_percent(after)));
    }
    let plain: String = numeral.chars().filter(|c| c.is_ascii_digit() || *c == '.').collect();
    Some((plain.parse().ok()?, is_percent(after)))
}

fn is_percent(after: &str) -> bool {
    let after = after.trim_start_matches([' ', '\u{a0}', '\u{202f}']);
    ["%", "percent", "per cent"].iter().any(|sign| after.starts_with(sign))
}

/// Whether a claim that names these numbers names the amount.
pub(super) fn is_named((amount, percent): (f64, bool), numbers: &[f64]) -> bool {
    let same = |a: f64, b: f64| (a - b).abs() <= 1e-9 * a.abs().max(b.abs());
    numbers.iter().any(|n| same(*n, amount) || percent && same(*n, amount / 100.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_numeral_amounts_to_what_it_says() {
        for (numeral, after, expected) in [
            ("4.2", " times", Some((4.2, false))),
            ("12,345", "", Some((12345.0, false))),
            ("80", "\u{a0}% of", Some((80.0, true))),
            ("Seven", " of", Some((7.0, false))),
            ("twenty", "-one of them", Some((21.0, false))),
            ("thirties", "", None),
            ("dozens", "", Some((12.0, false))),
            ("1.2.3", "", None),
        ] {
            assert_eq!(amount(numeral, after), expected, "{numeral}{after}");
        }
    }

    #[test]
    fn a_percentage_is_named_as_one_or_as_a_fraction() {
        assert!(is_named((80.0, true), &[0.8]) && is_named((80.0, true), &[80.0, 0.8]));
        assert!(!is_named((80.0, false), &[0.8]) && !is_named((8.0, false), &[]));
    }
}
