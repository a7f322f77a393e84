//! What all reports say in the same words.

use neuronotes_core::number::{percent, signed, thousands};

use crate::diff::claim::ClaimChange;
use crate::diff::difference::Difference;
use crate::diff::figure::FigureChange;
use crate::diff::histogram::HistogramChange;
use crate::diff::link::LinkChange;
use crate::diff::list::ListChange;
use crate::diff::number::{MOST, NumberChange, WordChange};
use crate::diff::picture::PictureChange;
use crate::diff::text::TextChange;

/// `3 figures`.
pub fn count(n: usize, what: &str) -> String {
    format!("{} {what}{}", thousands(n as u64), if n == 1 { "" } else { "s" })
}

/// A number with about six digits.
pub fn digits(value: f64) -> String {
    signed(plain(value))
}

fn plain(value: f64) -> String {
    if value == value.trunc() && value.abs() < 1e15 {
        return format!("{value:.0}");
    }
    let text = format!("{value:.5e}");
    let parsed: f64 = text.parse().unwrap_or(value);
    let plain = parsed.to_string();
    if plain.len() <= 12 { plain } else { text }
}

/// What a number was and is: `12.5 → 13.1 (+0.6, +4.8 %)`.
pub fn number(change: &NumberChange) -> String {
    let side = |value: Option<f64>| value.map_or("none".to_owned(), digits);
    let mut text = format!("{} → {}", side(change.before), side(change.after));
    if let Some(difference) = change.difference {
        let sign = if difference > 0.0 { "+" } else { "" };
        text.push_str(&format!(" ({sign}{}", digits(difference)));
        if let Some(relative) = change.relative {
            text.push_str(&format!(", {sign}{}", percent(relative)));
        }
        text.push(')');
    }
    text
}

/// What a text was and is.
pub fn word(change: &WordChange) -> String {
    let side = |value: &Option<String>| {
        value.clone().map_or("none".to_owned(), |text| format!("“{text}”"))
    };
    format!("{} → {}", side(&change.before), side(&change.after))
}

/// What came to a list, went and moved.
pub fn list(change: &ListChange) -> String {
    const NAMED: usize = 6;
    let some = |what: &str, names: Vec<String>| {
        let more = names.len().saturating_sub(NAMED);
        let shown = names.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        (!names.is_empty()).then(|| format!("{what} {shown}{more}"))
    };
    let came = change.came.iter().map(|item| format!("{} ({})", item.item, item.at + 1));
    let went = change.went.iter().map(|item| format!("{} ({})", item.item, item.at + 1));
    let moved = change
        .moved
        .iter()
        .map(|item| format!("{} ({} → {})", item.item, item.from + 1, item.to + 1));
    let all = [
        some("came", came.collect()),
        some("went", went.collect()),
        some("moved", moved.collect()),
    ];
    all.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// How much of a histogram moved.
pub fn histogram(change: &HistogramChange) -> String {
    match change.moved {
        Some(moved) => format!("{} of the samples in another bin", percent(moved)),
        None => "other bins".to_owned(),
    }
}

/// What a picture is to the earlier one.
pub fn picture(change: &PictureChange) -> String {
    let by =
        change.similarity.map(|similarity| format!(", SSIM {similarity:.4}")).unwrap_or_default();
    match change.is {
        "alike" => format!("alike to the eye{by}"),
        "different" => format!("different{by}"),
        "size" => "another size".to_owned(),
        other => other.to_owned(),
    }
}

/// The lines that say what differs in a figure.
pub fn lines(figure: &FigureChange) -> Vec<String> {
    let change = &figure.change;
    let path = |path: &str| if path.is_empty() { "histogram".to_owned() } else { path.to_owned() };
    let mut lines: Vec<String> = Vec::new();
    lines.extend(change.words.iter().take(MOST).map(|one| format!("{}: {}", one.path, word(one))));
    if let more @ 1.. = change.words.len().saturating_sub(MOST) {
        lines.push(format!("and {}", count(more, "other text")));
    }
    lines.extend(change.lists.iter().map(|one| format!("{}: {}", one.path, list(one))));
    lines.extend(
        change.numbers.iter().take(MOST).map(|one| format!("{}: {}", one.path, number(one))),
    );
    if let more @ 1.. = change.numbers.len().saturating_sub(MOST) {
        lines.push(format!("and {}", count(more, "other number")));
    }
    lines.extend(
        change.histograms.iter().map(|one| format!("{}: {}", path(&one.path), histogram(one))),
    );
    let is_pair = |one: &&PictureChange| one.before.is_some() && one.after.is_some();
    let pairs = change.pictures.iter().filter(is_pair);
    lines.extend(pairs.map(|one| format!("picture {}: {}", one.at + 1, picture(one))));
    let alone = |is: &str| change.pictures.iter().filter(|one| one.is == is).count();
    for (n, what) in [(alone("new"), "came"), (alone("gone"), "went")] {
        if n > 0 {
            lines.push(format!("{} {what}", count(n, "picture")));
        }
    }
    lines.extend(
        figure.noise.iter().map(|noise| format!("distance of the pictures: {}", noise.said)),
    );
    lines
}

/// What a claim was and is: `holds → fails (measured: 4.1 → 2.9)`.
pub fn claim(change: &ClaimChange) -> String {
    let [before, after] = &change.measured;
    let measured = match before.is_empty() && after.is_empty() {
        true => String::new(),
        false => format!(" (measured: {} → {})", or_nothing(before), or_nothing(after)),
    };
    format!("{} → {}{measured}", change.before, change.after)
}

fn or_nothing(text: &str) -> &str {
    if text.is_empty() { "nothing" } else { text }
}

/// What happened to a note: `edited: 12 words gone, 15 new`.
pub fn text(change: &TextChange) -> String {
    let from =
        change.from.as_ref().map(|from| format!("renamed from {from}; ")).unwrap_or_default();
    match change.is {
        "new" => format!("new, {}", count(change.words[1], "word")),
        "gone" => format!("gone, {}", count(change.words[0], "word")),
        "renamed" => from.trim_end_matches("; ").to_owned(),
        _ => format!("{from}{} gone, {} new", count(change.changed[0], "word"), change.changed[1]),
    }
}

/// What else is to be said of a link that differs; empty if nothing.
pub fn link(change: &LinkChange) -> &'static str {
    match (change.nowhere, change.is, change.mention) {
        (true, "lost", _) => ", which led nowhere",
        (true, _, _) => ", which leads nowhere",
        (false, _, true) => ", a mention there",
        (false, _, false) => "",
    }
}

/// One line about everything.
pub fn summary(difference: &Difference) -> String {
    if difference.is_empty() {
        return "no differences".to_owned();
    }
    let all = [
        (difference.claims.len(), "claim changed sides", "claims changed sides"),
        (difference.sentences.len(), "sentence reads differently", "sentences read differently"),
        (difference.figures.len(), "figure differs", "figures differ"),
        (difference.missing.len(), "result is missing", "results are missing"),
        (difference.notes.len(), "note differs", "notes differ"),
        (difference.links.len(), "link differs", "links differ"),
    ];
    let some = all.iter().filter(|(n, _, _)| *n > 0);
    let some = some.map(|(n, one, many)| {
        format!("{} {}", thousands(*n as u64), if *n == 1 { one } else { many })
    });
    some.collect::<Vec<_>>().join(", ")
}

/// What is the same, for the fold.
pub fn same(difference: &Difference) -> String {
    let same = difference.same;
    let bytes = match same.same_bytes {
        0 => String::new(),
        n => format!(" ({n} of them asked for differently)"),
    };
    format!("unchanged: {}, {}{bytes}", count(same.notes, "note"), count(same.figures, "figure"))
}
