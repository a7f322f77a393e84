//! Settings of reviews: how long one counts, and where readers write about a note.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::settings::Settings;
use crate::review::Period;
use crate::yaml::Entry;

/// What an address may be about.
pub const PLACES: [&str; 2] = ["{title}", "{body}"];
/// What is encoded in a part of an address: everything but letters, digits and `-._~`.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Settings of reviews.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reviewing {
    /// How long a review of a note counts.
    pub within: Option<Period>,
    /// The address at which readers write, with `{title}` and `{body}`.
    pub url: Option<String>,
}

impl Reviewing {
    /// The address for a new remark with this title and text.
    pub fn address(&self, title: &str, body: &str) -> Option<String> {
        let encoded = |text: &str| utf8_percent_encode(text, ENCODED).to_string();
        let url = self.url.as_ref()?;
        Some(url.replace(PLACES[0], &encoded(title)).replace(PLACES[1], &encoded(body)))
    }
}

impl Settings<'_> {
    pub(super) fn review_in(&mut self, entry: &Entry) -> Option<Period> {
        let text = self.text(entry)?;
        let period = Period::read(&text);
        if period.is_none() {
            self.wrong(&entry.node, &entry.key, Period::EXPECTED);
        }
        period
    }

    pub(super) fn review_url(&mut self, entry: &Entry) -> Option<String> {
        let text = self.text(entry)?;
        let known = PLACES.iter().fold(text.clone(), |text, place| text.replace(place, ""));
        let is_address = ["https://", "http://", "mailto:"].iter().any(|start| {
            text.strip_prefix(start).is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
        });
        let odd = known.contains(|c: char| c.is_whitespace() || "\"'<>\\`{}".contains(c));
        let has_place = PLACES.iter().any(|place| text.contains(place));
        if is_address && !odd && has_place {
            return Some(text);
        }
        let message = match is_address && !odd {
            true => "`review_url` has neither `{title}` nor `{body}`, so that nothing would be filled in".to_owned(),
            false => format!("`review_url` must be an address with `{{title}}` and `{{body}}`, not `{text}`"),
        };
        let problem = self.reader.at_value(&entry.node, message);
        let hint = "such as https://github.com/ada/garden/issues/new?title={title}&body={body}";
        self.problems.push(problem.hint(hint));
        None
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::parse;

    #[test]
    fn an_address_is_filled_in_and_what_is_none_is_said() {
        let read = |text: &str| {
            let (config, problems) = parse(text, Path::new("/garden"));
            (config.review, problems.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        let (review, problems) =
            read("review_url: 'https://a.org/new?t={title}&b={body}'\nreview_in: 6 months\n");
        assert_eq!(problems, Vec::<String>::new());
        let address = review.address("A & B: {body}", "ä\n#1");
        assert_eq!(
            address.as_deref(),
            Some("https://a.org/new?t=A%20%26%20B%3A%20%7Bbody%7D&b=%C3%A4%0A%231")
        );
        assert!(review.within.is_some());
        let wrong = [
            "review_url: javascript:alert({title})",
            "review_url: 'https://a.org/new?{t}={title}'",
            "review_url: https://a.org/new",
            "review_url: https:///x?{title}",
            "review_in: soon",
            "review_in: [1]",
        ];
        let said: Vec<String> = wrong.iter().flat_map(|text| read(text).1).collect();
        assert_eq!(said.len(), wrong.len(), "{said:?}");
        insta::assert_snapshot!(said.join("\n"));
    }
}
