//! How long a review counts: `90 days`, `6 months`, `1 year`.

use jiff::civil::Date;
use jiff::{Span, ToSpan as _};

/// A period after which a note is to be reviewed again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    count: u16,
    unit: Unit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Days,
    Weeks,
    Months,
    Years,
}

impl Period {
    /// What is expected of a text.
    pub const EXPECTED: &str = "a period such as `90 days`, `6 months` or `1 year`";

    /// Reads a number and a unit; `None` if it is something else.
    pub fn read(text: &str) -> Option<Self> {
        let digits = text.find(|c: char| !c.is_ascii_digit())?;
        let (count, unit) = text.split_at_checked(digits)?;
        let count: u16 = count.parse().ok().filter(|count| (1..=9_999).contains(count))?;
        let unit = match unit.trim().to_lowercase().as_str() {
            "day" | "days" | "d" => Unit::Days,
            "week" | "weeks" | "w" => Unit::Weeks,
            "month" | "months" | "m" => Unit::Months,
            "year" | "years" | "y" => Unit::Years,
            _ => return None,
        };
        Some(Self { count, unit })
    }

    /// The day on which a review of this day is due again; `None` after the end of the calendar.
    pub fn after(self, day: Date) -> Option<Date> {
        let count = i64::from(self.count);
        let span: Span = match self.unit {
            Unit::Days => count.days(),
            Unit::Weeks => count.weeks(),
            Unit::Months => count.months(),
            Unit::Years => count.years(),
        };
        day.checked_add(span).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_a_number_and_a_unit() {
        let after = |text: &str| {
            let day: Date = "2026-11-30".parse().expect("a day");
            Some(Period::read(text)?.after(day)?.to_string())
        };
        assert_eq!(after("90 days").as_deref(), Some("2027-02-28"));
        assert_eq!(after("3 months").as_deref(), Some("2027-02-28"), "a shorter month");
        assert_eq!(after("2w").as_deref(), Some("2026-12-14"));
        assert_eq!(after("1 Year").as_deref(), Some("2027-11-30"));
        for text in
            ["", "90", "days", "0 days", "-1 days", "1.5 years", "99999 days", "2 fortnights"]
        {
            assert_eq!(Period::read(text), None, "{text}");
        }
        assert_eq!(after("9999 years"), None);
    }
}
