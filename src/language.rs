//! Language tags: their validity and direction of writing.

use neuronotes_core::cut::Cut as _;

/// Languages written from right to left if their tag names no script.
const RIGHT_TO_LEFT: [&str; 22] = [
    "ae", "ar", "arc", "az-ir", "ckb", "dv", "fa", "glk", "he", "iw", "ji", "lrc", "mzn", "nqo",
    "ps", "rhg", "sd", "sdh", "syr", "ug", "ur", "yi",
];

/// Scripts written from right to left.
const SCRIPTS: [&str; 12] = [
    "adlm", "arab", "aran", "hebr", "mand", "mend", "nkoo", "rohg", "samr", "syrc", "thaa", "yezi",
];

/// A language tag in canonical BCP 47 form: `ar`, `pt-BR`, `zh-Hans`. `None` if it is invalid: `English`.
pub fn tag(text: &str) -> Option<String> {
    // Operating systems write `pt_BR.UTF-8`.
    let text = text.trim().split('.').next().unwrap_or("").replace('_', "-");
    let mut parts = text.split('-');
    let first = parts.next().filter(|part| (2..=3).contains(&part.len()))?;
    let mut all = vec![first.to_ascii_lowercase()];
    for part in parts {
        all.push(match part.len() {
            // A script, …
            4 if all.len() == 1 && part.bytes().all(|b| b.is_ascii_alphabetic()) => {
                part.cut(..1).to_ascii_uppercase() + &part.cut(1..).to_ascii_lowercase()
            }
            // … a region, …
            2 if all.len() <= 2 => part.to_ascii_uppercase(),
            // … or something else.
            1..=8 => part.to_ascii_lowercase(),
            _ => return None,
        });
    }
    let letters = all[0].bytes().all(|b| b.is_ascii_lowercase());
    let rest = all[1..].iter().all(|part| part.bytes().all(|b| b.is_ascii_alphanumeric()));
    (letters && rest).then(|| all.join("-"))
}

/// Whether a language is written from right to left.
pub fn is_right_to_left(tag: &str) -> bool {
    let tag = tag.to_ascii_lowercase().replace('_', "-");
    let mut parts = tag.split('-');
    let first = parts.next().unwrap_or("");
    if let Some(script) = parts.next().filter(|part| part.len() == 4) {
        return SCRIPTS.contains(&script);
    }
    RIGHT_TO_LEFT.contains(&first) || RIGHT_TO_LEFT.contains(&tag.as_str())
}

/// Whether a text contains letters that are written from right to left.
pub fn has_right_to_left(text: &str) -> bool {
    // None of them is in the first 0x590 characters, and most texts have nothing beyond.
    !text.is_ascii()
        && text.chars().any(|c| {
            matches!(c,
                '\u{0590}'..='\u{08ff}' | '\u{200f}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefe}'
                | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_told_from_names_of_languages() {
        for (written, meant) in [
            ("ar", Some("ar")),
            (" EN ", Some("en")),
            ("pt_BR", Some("pt-BR")),
            ("zh-hans-cn", Some("zh-Hans-CN")),
            ("de_DE.UTF-8", Some("de-DE")),
            ("es-419", Some("es-419")),
            ("gsw", Some("gsw")),
            ("English", None),
            ("العربية", None),
            ("e", None),
            ("en-", None),
            ("en us", None),
            ("", None),
        ] {
            assert_eq!(tag(written).as_deref(), meant, "{written:?}");
        }
    }

    #[test]
    fn scripts_decide_before_languages() {
        for tag in ["ar", "ar-EG", "he", "iw", "fa-IR", "ur", "yi", "ckb", "pa-Arab", "AZ_ir"] {
            assert!(is_right_to_left(tag), "{tag}");
        }
        for tag in ["en", "pa", "ar-Latn", "az", "ku-Latn", "", "arn", "zh-Hans"] {
            assert!(!is_right_to_left(tag), "{tag}");
        }
    }

    #[test]
    fn a_text_is_looked_through_for_letters_from_right_to_left() {
        for text in ["abc עברית", "نص", "ܐ", "\u{1e900}"] {
            assert!(has_right_to_left(text), "{text}");
        }
        for text in ["", "plain", "naïve Ελληνικά 神経 🌱", "\u{feff}mark"] {
            assert!(!has_right_to_left(text), "{text}");
        }
    }
}
