//! Number formats for values in prose: the text after `|`.
//!
//! Knows nothing of where numbers come from.

use neuronotes_core::cut::Cut as _;
use neuronotes_core::number;

/// A number format.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Format {
    /// Whether positive numbers have a sign too.
    sign: bool,
    /// Whether thousands are separated.
    group: bool,
    decimals: Option<usize>,
    form: Form,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Form {
    /// As many decimals as a reader needs; whole numbers without any.
    #[default]
    Sensible,
    Fixed,
    Exponent,
    Percent,
    Whole,
}

/// Maximum number of decimals; a double has no more.
const MOST_DECIMALS: usize = 17;

/// The formats, for hints.
pub const KNOWN: &str = "`.1f` (decimals), `.2e` (a power of ten), `.0%` (per cent), `d` (a whole number), `,` (thousands separators) and `+` (always a sign), which can be combined as in `+,.1f`";

impl Format {
    /// Parses a format such as `.1f`, `+.2f`, `,d` or `.0%`; `None` if it is invalid.
    pub fn read(text: &str) -> Option<Self> {
        let whole = text.trim();
        let (sign, rest) = whole.strip_prefix('+').map_or((false, whole), |rest| (true, rest));
        let (group, rest) = rest.strip_prefix(',').map_or((false, rest), |rest| (true, rest));
        let (decimals, form) = match rest.strip_prefix('.') {
            Some(rest) => {
                let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
                let count = rest.cut(..digits).parse().ok().filter(|n| *n <= MOST_DECIMALS)?;
                (Some(count), rest.cut(digits..))
            }
            None => (None, rest),
        };
        let form = match (form, decimals) {
            ("", None) if sign || group => Form::Sensible,
            ("", Some(_)) | ("f", _) => Form::Fixed,
            ("e", _) => Form::Exponent,
            ("%", _) => Form::Percent,
            ("d", None) => Form::Whole,
            _ => return None,
        };
        Some(Self { sign, group, decimals, form })
    }

    /// Formats a measured number.
    pub fn number(self, value: f64) -> String {
        // Negative zero is shown as zero.
        let value = if value == 0.0 { 0.0 } else { value };
        let sensible = number::decimals(value.abs());
        let decimals = self.decimals.unwrap_or(sensible);
        let text = match self.form {
            Form::Sensible => number::number(value, sensible),
            Form::Fixed => number::signed(format!("{value:.decimals$}")),
            Form::Exponent => {
                let decimals = self.decimals.unwrap_or(2);
                number::signed(format!("{value:.decimals$e}"))
            }
            Form::Percent => {
                let decimals = self.decimals.unwrap_or(0);
                number::signed(format!("{:.decimals$}", value * 100.0))
            }
            Form::Whole => number::signed(format!("{value:.0}")),
        };
        // An exponent's sign is a minus too.
        self.finished(text.replace('-', "−"))
    }

    /// Formats a count or a parameter.
    pub fn whole(self, value: i128) -> String {
        match self.form {
            Form::Sensible | Form::Whole => self.finished(number::signed(value.to_string())),
            _ => self.number(value as f64),
        }
    }

    /// Adds thousands separators, sign and unit to digits.
    fn finished(self, text: String) -> String {
        let mut text = if self.group { grouped(&text) } else { text };
        let zero = !text.bytes().any(|byte| matches!(byte, b'1'..=b'9'));
        if self.sign && !zero && !text.starts_with('−') {
            text.insert(0, '+');
        }
        if self.form == Form::Percent {
            // The sign never stands on a line of its own.
            text.push_str("\u{a0}%");
        }
        text
    }
}

/// Puts commas between the thousands of a number's integer part.
fn grouped(text: &str) -> String {
    let start = text.find(|c: char| c.is_ascii_digit()).unwrap_or(text.len());
    let digits = text.cut(start..).bytes().take_while(u8::is_ascii_digit).count();
    let (whole, rest) = text.cut(start..).split_at(digits);
    let mut out = text.cut(..start).to_owned();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (digits - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(format: &str, value: f64) -> String {
        Format::read(format).unwrap_or_else(|| panic!("`{format}`")).number(value)
    }

    #[test]
    fn numbers_are_written_as_the_format_says() {
        let value = 1234.5678;
        let all = [".1f", ".0f", "f", ",.1f", "+.2f", "+,.0f", "d", ",", "+", ".2e", "e", ".2"];
        let shown: Vec<String> = all.iter().map(|format| shown(format, value)).collect();
        assert_eq!(
            shown,
            [
                "1234.6", "1235", "1235", "1,234.6", "+1234.57", "+1,235", "1235", "1,235",
                "+1235", "1.23e3", "1.23e3", "1234.57"
            ]
        );
        assert_eq!(self::shown(".0%", 0.4778), "48\u{a0}%");
        assert_eq!(self::shown("+.1%", -0.4778), "−47.8\u{a0}%");
        assert_eq!(self::shown(".1e", -0.000_012_3), "−1.2e−5");
        assert_eq!(self::shown(".1f", -0.01), "0.0");
        assert_eq!(self::shown("+.1f", 0.01), "0.0");
        assert_eq!(self::shown(",.0f", -1_234_567.0), "−1,234,567");
    }

    #[test]
    fn without_a_format_a_number_has_three_digits_and_a_count_all() {
        let plain = Format::default();
        let all: Vec<String> =
            [12.3456, -0.012_345, 1234.5, 0.0, 4.0, 123_456_789.0, 0.000_000_123]
                .map(|value| plain.number(value))
                .into();
        assert_eq!(all, ["12.3", "−0.0123", "1234", "0.00", "4.00", "1.23e8", "1.23e−7"]);
        assert_eq!([plain.whole(1494), plain.whole(-3)], ["1494", "−3"]);
        assert_eq!(Format::read(",").expect("a format").whole(1494), "1,494");
        assert_eq!(Format::read(".1f").expect("a format").whole(3), "3.0");
    }

    #[test]
    fn what_is_no_format_is_none() {
        let odd = [
            "",
            " ",
            ".f",
            ".1x",
            "x",
            ".1d",
            "..1f",
            ".1f.",
            "1f",
            "+",
            "++",
            "d,",
            ".18f",
            "%%",
            "é",
            ".99999999999999999999f",
            "f%",
            ",,",
            "-",
            ".-1f",
        ];
        for text in odd.into_iter().filter(|text| *text != "+") {
            assert_eq!(Format::read(text), None, "`{text}`");
        }
    }
}
