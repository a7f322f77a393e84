//! Times as they are written in the configuration: `4h`, `90 min`, `02:00:00`, `1-00:00:00`.

use std::time::Duration;

/// What is expected, for messages.
pub(super) const EXPECTED: &str = "a time such as `4h`, `90 min` or `02:00:00`";
const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;
/// The longest time: ten years.
const LONGEST: f64 = 3650.0 * DAY as f64;

/// Reads a time. A number without a unit is none, since engines disagree about what it means, and so is `02:30`.
pub(super) fn read(text: &str) -> Option<Duration> {
    let text = text.trim();
    let seconds = if text.contains(':') || text.contains('-') { clock(text) } else { units(text) }?;
    (seconds > 0.0 && seconds <= LONGEST).then(|| Duration::from_secs_f64(seconds.ceil()))
}

/// What to write instead of a time that was not read, if that can be told.
pub(super) fn hint(text: &str) -> Option<String> {
    let text = text.trim();
    if text.parse::<f64>().is_ok_and(|number| number > 0.0) {
        return Some(format!("name the unit: `{text} min` or `{text} h`"));
    }
    let parts: Vec<&str> = text.split(':').collect();
    let is_number = |part: &&str| part.parse::<u32>().is_ok();
    match parts.as_slice() {
        [a, b] if [a, b].iter().all(|part| is_number(part)) => {
            Some(format!("write hours, minutes and seconds: `{text}:00` or `00:{text}`"))
        }
        _ => None,
    }
}

/// `HH:MM:SS`, with days before a hyphen as Slurm writes them: `D-HH`, `D-HH:MM`, `D-HH:MM:SS`.
fn clock(text: &str) -> Option<f64> {
    let number = |text: &str| match text.len() {
        1..=6 if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse::<u64>().ok(),
        _ => None,
    };
    let (days, rest) = match text.split_once('-') {
        Some((days, rest)) => (Some(number(days)?), rest),
        None => (None, text),
    };
    let mut parts = Vec::new();
    for part in rest.split(':') {
        parts.push(number(part)?);
    }
    let [hours, minutes, seconds] = match (days, parts.as_slice()) {
        (_, [hours, minutes, seconds]) => [*hours, *minutes, *seconds],
        (Some(_), [hours, minutes]) => [*hours, *minutes, 0],
        (Some(_), [hours]) => [*hours, 0, 0],
        _ => return None,
    };
    let is_clock = minutes < 60 && seconds < 60 && (days.is_none() || hours < 24);
    let seconds = days.unwrap_or(0) * DAY + hours * HOUR + minutes * 60 + seconds;
    is_clock.then_some(seconds as f64)
}

/// Numbers with units: `4h`, `1.5 hours`, `1h 30min`.
fn units(text: &str) -> Option<f64> {
    let (mut rest, mut seconds) = (text, 0.0);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(digits);
        let after = after.trim_start();
        let letters = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let unit = match unit {
            "s" | "sec" | "second" | "seconds" => 1,
            "m" | "min" | "minute" | "minutes" => 60,
            "h" | "hour" | "hours" => HOUR,
            "d" | "day" | "days" => DAY,
            _ => return None,
        };
        seconds += number.parse::<f64>().ok()? * unit as f64;
        rest = after.trim_start();
    }
    Some(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_and_slurm_write_them() {
        let seconds = |text: &str| read(text).map(|time| time.as_secs());
        for (text, expected) in [
            ("4h", 4 * HOUR),
            ("90 min", 90 * 60),
            ("90m", 90 * 60),
            ("1.5 hours", 90 * 60),
            ("1h 30min", 90 * 60),
            ("60 s", 60),
            ("2 days", 2 * DAY),
            ("02:00:00", 2 * HOUR),
            ("36:00:00", 36 * HOUR),
            ("1-00:00:00", DAY),
            ("1-12", DAY + 12 * HOUR),
            ("0-01:30", 90 * 60),
            (" 0.4s ", 1),
        ] {
            assert_eq!(seconds(text), Some(expected), "{text}");
        }
        for text in [
            "",
            "4",
            "4x",
            "h",
            "-4h",
            "0h",
            "02:30",
            "1-24:00",
            "00:60:00",
            "1-",
            "-1:00:00",
            "99999999 days",
            "1e9h",
            "4 h x",
            "::",
            "٣h",
            "1..5h",
        ] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }

    #[test]
    fn what_could_be_meant_is_said() {
        let hint = |text: &str| hint(text).unwrap_or_default();
        assert_eq!(hint("4"), "name the unit: `4 min` or `4 h`");
        assert_eq!(hint("02:30"), "write hours, minutes and seconds: `02:30:00` or `00:02:30`");
        assert_eq!(hint("soon"), "");
    }
}
