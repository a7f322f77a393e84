//! What `neuronotes reproduce` says of a result, for a terminal.

use std::fmt::Write as _;

use neuronotes_core::cut::Cut as _;
use serde_json::Value;

use super::Reproduced;
use super::compare::Picture;
use super::numbers::Difference;
use super::verdict::Verdict;

/// Differences that are named.
const NAMED: usize = 3;

impl Reproduced {
    /// A line, and the largest differences below it.
    pub fn text(&self) -> String {
        let at = self.at.as_ref().map(|at| format!(" at {at}")).unwrap_or_default();
        let mut out = format!("{:20}  {}{at}\n", self.verdict.said(), self.name);
        if let Some(failure) = &self.failure {
            let _ = writeln!(out, "    {}", failure.lines().next().unwrap_or_default());
        }
        for difference in self.differences.iter().take(NAMED) {
            let _ = writeln!(out, "    {}", said(difference));
        }
        if self.differing > NAMED {
            let _ = writeln!(out, "    … {} values differ in all", self.differing);
        }
        for picture in self.pictures.iter().take(NAMED) {
            let _ = writeln!(out, "    {}", of_picture(picture));
        }
        if self.pictures.len() > NAMED {
            let _ = writeln!(out, "    … {} pictures differ in all", self.pictures.len());
        }
        if let (Some(before), Some(now)) = (&self.before, &self.now)
            && self.verdict != Verdict::Same
        {
            for (what, old, new) in [
                ("device", &before.device_name, &now.device_name),
                ("instructions", &before.instructions, &now.instructions),
                ("libtorch", &before.libtorch, &now.libtorch),
                ("neuronotes-lab", &before.lab, &now.lab),
            ] {
                if old != new {
                    let shown =
                        |text: &str| if text.is_empty() { "not known" } else { text }.to_owned();
                    let _ = writeln!(out, "    {what}: {} → {}", shown(old), shown(new));
                }
            }
        }
        out
    }
}

/// What differs, and by how much.
fn said(difference: &Difference) -> String {
    let Difference { path, before, now, relative, within } = difference;
    let relative = relative.map(|r| format!(", {} of the largest", part(r))).unwrap_or_default();
    let beyond = if *within { "" } else { " (beyond its noise)" };
    match (before, now) {
        (Value::Null, Value::String(how)) if path.contains('.') && !path.contains('[') => {
            format!("{path}: {how}{relative}{beyond}")
        }
        _ => format!("{path}: {} → {}{relative}{beyond}", short(before), short(now)),
    }
}

fn of_picture(picture: &Picture) -> String {
    let mut out = format!("{}: ", picture.name);
    out.push_str(&match picture.levels {
        Some(levels) => format!("{levels:.2} of 255 levels on average"),
        None => "another size, or unreadable".to_owned(),
    });
    if let (Some(distance), Some(between)) = (picture.distance, picture.between_seeds) {
        let ratio = if between > 0.0 { distance / between } else { f64::INFINITY };
        out.push_str(&format!(
            "; distance {distance:.4}, between seeds {between:.4}: {ratio:.2} of it"
        ));
    }
    if !picture.within {
        out.push_str(" (beyond its noise)");
    }
    out
}

/// A value, cut if it is long.
fn short(value: &Value) -> String {
    const LONGEST: usize = 60;
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Null => "nothing".to_owned(),
        other => other.to_string(),
    };
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.cut(..end)),
        None => text,
    }
}

/// A fraction as a percentage with two digits that count.
fn part(fraction: f64) -> String {
    let percent = fraction * 100.0;
    match percent {
        p if p >= 10.0 => format!("{p:.0}%"),
        p if p >= 0.01 => format!("{p:.2}%"),
        p => format!("{p:.1e}%"),
    }
}
