//! A difference as text for a terminal.

use std::fmt::Write as _;

use super::shared::{claim, count, lines, link, same, summary, text};
use crate::diff::difference::Difference;
use crate::diff::text::Piece;

/// Most sentences, figures, notes or links that are listed.
const MOST: usize = 50;

/// The text, without colours.
pub fn terminal(difference: &Difference) -> String {
    let mut out = format!("{} → {}\n", difference.a.text(), difference.b.text());
    for remark in &difference.remarks {
        let _ = writeln!(out, "note: {remark}");
    }
    let more = |out: &mut String, n: usize| {
        if let more @ 1.. = n.saturating_sub(MOST) {
            let _ = writeln!(out, "  and {more} more, which `--format json` lists");
        }
    };
    if !difference.claims.is_empty() {
        out.push_str("\nClaims that changed sides\n");
        for change in difference.claims.iter().take(MOST) {
            let _ = writeln!(out, "  {} {}: {}", change.place, change.claim, claim(change));
        }
        more(&mut out, difference.claims.len());
    }
    if !difference.sentences.is_empty() {
        out.push_str("\nSentences that read differently, though nobody edited them\n");
        for change in difference.sentences.iter().take(MOST) {
            let _ = writeln!(
                out,
                "  {}\n    - {}\n    + {}",
                change.place, change.before, change.after
            );
        }
        more(&mut out, difference.sentences.len());
    }
    if !difference.causes.is_empty() {
        out.push_str("\nWhy figures differ\n");
        for group in difference.causes.iter().take(MOST) {
            let _ = writeln!(
                out,
                "  {}: {}",
                count(group.figures.len(), "figure"),
                group.causes.join("; ")
            );
        }
        more(&mut out, difference.causes.len());
    }
    if !difference.figures.is_empty() {
        out.push_str("\nFigures, the largest change first\n");
        for figure in difference.figures.iter().take(MOST) {
            let is =
                if figure.is == "changed" { String::new() } else { format!(", {}", figure.is) };
            let _ = writeln!(out, "  {} ({}{is}) {}", figure.name(), figure.kind, figure.place);
            for line in lines(figure) {
                let _ = writeln!(out, "    {line}");
            }
        }
        more(&mut out, difference.figures.len());
    }
    if !difference.missing.is_empty() {
        out.push_str("\nMissing results\n");
        let mut hint = "";
        for missing in difference.missing.iter().take(MOST) {
            let side = if missing.side == "a" { &difference.a } else { &difference.b };
            let _ = writeln!(out, "  {} in {}: {}", missing.figure, side.text(), missing.why);
            // Once for all that follow.
            if !missing.hint.is_empty() && missing.hint != hint {
                hint = &missing.hint;
                let _ = writeln!(out, "    hint: {}", missing.hint);
            }
        }
        more(&mut out, difference.missing.len());
    }
    if !difference.notes.is_empty() {
        out.push_str("\nText\n");
        for change in difference.notes.iter().take(MOST) {
            let _ = writeln!(out, "  {}: {}", change.note, text(change));
            if change.rewritten {
                continue;
            }
            for passage in &change.passages {
                let shown: String = passage.pieces.iter().map(piece).collect();
                let shown = shown.split_whitespace().collect::<Vec<_>>().join(" ");
                let _ = writeln!(out, "    {}: {shown}", passage.line);
            }
        }
        more(&mut out, difference.notes.len());
    }
    if !difference.links.is_empty() {
        out.push_str("\nLinks\n");
        for change in difference.links.iter().take(MOST) {
            let more = link(change);
            let _ = writeln!(out, "  {}: {} → {}{more}", change.is, change.note, change.to);
        }
        more(&mut out, difference.links.len());
    }
    let _ = writeln!(out, "\n{}\n{}", summary(difference), same(difference));
    out
}

/// A piece of a passage, as `wdiff` marks it.
fn piece(piece: &Piece) -> String {
    match piece.is {
        "gone" => format!("[-{}-]", piece.text),
        "new" => format!("{{+{}+}}", piece.text),
        _ => piece.text.clone(),
    }
}
