//! Authors of notes: a name, with the ORCID, the affiliation and the address that the garden or a note states.

use neuronotes_core::cut::Cut as _;

/// An author.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Author {
    /// `Gabriel Goh`, or `Goh, Gabriel`; or the name of an organization.
    pub name: String,
    /// Whether it is an organization, whose name has no parts.
    pub is_organization: bool,
    /// The ORCID iD: `0000-0002-1825-0097`.
    pub orcid: Option<String>,
    /// The institution.
    pub affiliation: Option<String>,
    /// A page about the author.
    pub url: Option<String>,
}

impl Author {
    /// An author of whom only the name is known.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// Given and family names; the first is empty if there is one name only.
    pub fn parts(&self) -> (&str, &str) {
        let name = self.name.trim();
        if self.is_organization {
            return ("", name);
        }
        match name.split_once(',') {
            Some((family, given)) => (given.trim(), family.trim()),
            None => match name.rsplit_once(char::is_whitespace) {
                Some((given, family)) => (given.trim(), family),
                None => ("", name),
            },
        }
    }

    /// The name as it is spoken: `Gabriel Goh`.
    pub fn spoken(&self) -> String {
        match (self.name.contains(','), self.parts()) {
            (true, (given, family)) if !given.is_empty() => format!("{given} {family}"),
            _ => self.name.trim().to_owned(),
        }
    }

    /// The address of the ORCID record.
    pub fn orcid_url(&self) -> Option<String> {
        self.orcid.as_ref().map(|orcid| format!("https://orcid.org/{orcid}"))
    }
}

/// The ORCID iD in a text, which may be its address; `None` if a digit is wrong.
///
/// The last character is a check digit over the others (ISO 7064, MOD 11-2).
pub fn orcid(text: &str) -> Option<String> {
    let text = text.trim();
    let bare = ["https://", "http://"].iter().find_map(|scheme| text.strip_prefix(scheme));
    let bare = bare.unwrap_or(text);
    let bare = bare.strip_prefix("www.").unwrap_or(bare);
    let bare = bare.strip_prefix("orcid.org/").unwrap_or(bare).trim_end_matches('/');
    let digits: String = bare.chars().filter(|c| *c != '-').collect();
    let is_spaced = bare.len() == 16
        || (bare.len() == 19 && bare.char_indices().all(|(at, c)| (at % 5 == 4) == (c == '-')));
    if digits.len() != 16 || !digits.is_ascii() || !is_spaced {
        return None;
    }
    let mut total = 0;
    for digit in digits.cut(..15).chars() {
        total = (total + digit.to_digit(10)?) * 2;
    }
    let check = (12 - total % 11) % 11;
    let last = digits.cut(15..).to_ascii_uppercase();
    let expected = if check == 10 { "X".to_owned() } else { check.to_string() };
    (last == expected).then(|| {
        let group = |at: usize| digits.cut(at..at + 4).to_ascii_uppercase();
        format!("{}-{}-{}-{}", group(0), group(4), group(8), group(12))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_orcid_is_read_in_every_form_and_a_wrong_digit_is_found() {
        for text in [
            "0000-0002-1825-0097",
            "https://orcid.org/0000-0002-1825-0097",
            "orcid.org/0000-0002-1825-0097/",
            "0000000218250097",
        ] {
            assert_eq!(orcid(text).as_deref(), Some("0000-0002-1825-0097"), "{text}");
        }
        assert_eq!(orcid("0000-0001-5109-3700").as_deref(), Some("0000-0001-5109-3700"));
        assert_eq!(orcid("0000-0002-1694-233x").as_deref(), Some("0000-0002-1694-233X"));
        for wrong in
            ["0000-0002-1825-0098", "0000-0002-1825", "", "Ada", "00000-002-1825-0097", "é000-0002"]
        {
            assert_eq!(orcid(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn names_have_parts_in_both_orders() {
        let parts = |name: &str| {
            let author = Author::named(name);
            let (given, family) = author.parts();
            (given.to_owned(), family.to_owned(), author.spoken())
        };
        let is = |given: &str, family: &str, spoken: &str| {
            (given.to_owned(), family.to_owned(), spoken.to_owned())
        };
        assert_eq!(parts("Gabriel Goh"), is("Gabriel", "Goh", "Gabriel Goh"));
        assert_eq!(parts("Goh, Gabriel"), is("Gabriel", "Goh", "Gabriel Goh"));
        assert_eq!(parts("OpenAI"), is("", "OpenAI", "OpenAI"));
        assert_eq!(parts("Ada King  Lovelace"), is("Ada King", "Lovelace", "Ada King  Lovelace"));
    }
}
