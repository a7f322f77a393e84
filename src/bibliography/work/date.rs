//! Converts the fields of an entry's date to one date for the style processor.

use biblatex::Chunk;

use super::field::{Fields, text};
use crate::bibliography::entry::Work;
use crate::bibliography::latex::{self, Use};
use crate::bibliography::strings;
use crate::diagnostic::fault::Fault;

/// Sets the dates of a work.
pub(super) fn dates(work: &Work, fields: &mut Fields, faults: &mut Vec<Fault>) {
    let plain = |name: &str| {
        let value = work.fields.get(name).filter(|value| !value.text.trim().is_empty())?;
        let chunks = latex::decode(&value.text, Use::Plain).chunks;
        Some(text(&chunks).trim().to_owned())
    };
    for name in ["date", "urldate", "eventdate"] {
        let Some(written) = plain(name) else { continue };
        match whole(&written) {
            Some(date) => drop(fields.insert(name.to_owned(), vec![Chunk::Normal(date)])),
            None => faults.push(wrong(work, name)),
        }
    }
    let Some(year) = plain("year").filter(|_| !fields.contains_key("date")) else { return };
    if matches!(
        year.to_lowercase().as_str(),
        "n.d." | "n. d." | "nd" | "no date" | "s.d." | "o. j."
    ) {
        return;
    }
    let Some((year, is_approximate)) = self::year(&year) else {
        faults.push(wrong(work, "year"));
        return;
    };
    let mut date = year;
    let mut day = plain("day").and_then(|day| number(&day, 31));
    if let Some(written) = plain("month") {
        match month(&written) {
            Some((month, own_day)) => {
                day = day.or(own_day);
                date.push_str(&format!("-{month:02}"));
                if let Some(day) = day {
                    date.push_str(&format!("-{day:02}"));
                }
            }
            None => {
                let message = format!("`month` of `{}` is left out: it is not a month", work.key);
                let hint = "write a month as `3`, `mar` or `{March}`".to_owned();
                faults.push(work.fault("month", message, Some(hint)).minor());
            }
        }
    }
    if is_approximate {
        date.push('~');
    }
    fields.insert("date".to_owned(), vec![Chunk::Normal(date)]);
}

fn wrong(work: &Work, field: &str) -> Fault {
    let message = format!("`{field}` of `{}` is left out: it is not a date", work.key);
    work.fault(field, message, Some("write a date as `2021` or `2021-03-04`".to_owned()))
}

/// `2021`, `2021-03`, `2021-03-04`, optionally with a time or a mark of uncertainty, or as an end of a range.
fn whole(written: &str) -> Option<String> {
    let sure = written.trim_end_matches(['?', '~', '%']);
    let is_approximate = sure.len() < written.len();
    let mut ends = sure.split('/').map(str::trim).filter(|end| !end.is_empty() && *end != "..");
    let (first, last) = (ends.next()?, ends.next_back());
    let date = last.unwrap_or(first);
    let date = date.split(['T', ' ']).next().unwrap_or(date);
    let mut parts = date.split(['-', '–']);
    let (mut out, is_rough) = year(parts.next()?)?;
    if let Some(month) = parts.next() {
        out.push_str(&format!("-{:02}", number(month, 12)?));
        if let Some(day) = parts.next() {
            out.push_str(&format!("-{:02}", number(day, 31)?));
        }
    }
    if parts.next().is_some() {
        return None;
    }
    if is_approximate || is_rough {
        out.push('~');
    }
    Some(out)
}

/// The single year in a text, as four digits, and whether it is approximate: `[1999]`, `c. 1900`, `2021a`,
/// `1998–2001`.
fn year(written: &str) -> Option<(String, bool)> {
    let numbers = written.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty());
    let years: Vec<&str> = numbers.clone().filter(|part| part.len() == 4).collect();
    let year = match (written.trim().parse::<u16>(), years.last()) {
        // A year of fewer digits is one by itself only.
        (Ok(year), _) if year <= 9999 => format!("{year:04}"),
        (_, Some(year)) => (*year).to_owned(),
        _ => return None,
    };
    let words = written.to_lowercase();
    let is_about =
        words.ends_with(['?', '~']) || words.starts_with("c.") || words.starts_with("ca");
    Some((year, is_about))
}

/// A month, and the day if it is written beside it: `July 14`, `14~July`.
fn month(written: &str) -> Option<(u8, Option<u8>)> {
    let words = || written.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let named = words().find_map(strings::month);
    match named {
        Some(month) => Some((month, words().find_map(|word| number(word, 31)))),
        None => words().next().and_then(|word| number(word, 12)).map(|month| (month, None)),
    }
}

fn number(text: &str, most: u8) -> Option<u8> {
    text.trim().parse().ok().filter(|number| (1..=most).contains(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_as_they_are_written() {
        for (text, date) in [
            ("2021", Some("2021")),
            ("2021-03", Some("2021-03")),
            ("2021-03-04T12:00", Some("2021-03-04")),
            ("1992/1994", Some("1994")),
            ("1992/", Some("1992")),
            ("1850~", Some("1850~")),
            ("2021-13", None),
            ("in press", None),
            ("123456X", None),
            ("2021-1-999", None),
        ] {
            assert_eq!(whole(text).as_deref(), date, "{text}");
        }
        let years = ["[1999]", "c. 1900", "2021a", "1998–2001", "79", "forthcoming"].map(year);
        let years = years.map(|year| year.map(|(year, about)| format!("{year} {about}")));
        let years: Vec<_> = years.iter().map(|year| year.as_deref().unwrap_or("none")).collect();
        assert_eq!(
            years,
            ["1999 false", "1900 true", "2021 false", "2001 false", "0079 false", "none"]
        );
        let months =
            ["3", "mar.", "July 14", "14\u{a0}July", "May–June", "Sept", "Spring"].map(month);
        let months = months
            .map(|month| month.map_or(0, |(m, d)| 100 * u32::from(m) + u32::from(d.unwrap_or(0))));
        assert_eq!(months, [300, 300, 714, 714, 500, 900, 0]);
    }
}
