//! A difference as Markdown that fits into a comment on GitHub or GitLab.

use std::fmt::Write as _;

use super::shared::{claim, count, lines, link, same, summary, text};
use crate::diff::difference::Difference;

/// Most characters of a comment on GitHub.
pub const LONGEST: usize = 65_536;
/// Left for the last lines.
const SPARE: usize = 600;

/// The Markdown, of at most [`LONGEST`] characters; what is left out is counted.
pub fn markdown(difference: &Difference) -> String {
    let mut out = Limited { text: String::new(), chars: 0, left_out: 0 };
    out.put(format!(
        "### {}\n\n{} → {}\n",
        summary(difference),
        code(&difference.a.text()),
        code(&difference.b.text())
    ));
    for remark in &difference.remarks {
        out.put(format!("\n> {}\n", plain(remark)));
    }
    let claims = difference.claims.iter().map(|change| {
        format!("- {} {}: {}\n", code(&change.place), code(&change.claim), plain(&claim(change)))
    });
    out.section("Claims that changed sides", claims);
    out.section(
        "Sentences that read differently, though nobody edited them",
        difference.sentences.iter().map(|change| {
            format!(
                "- {}\n  - {}\n  - **{}**\n",
                code(&change.place),
                plain(&change.before),
                plain(&change.after)
            )
        }),
    );
    out.section(
        "Why figures differ",
        difference.causes.iter().map(|group| {
            let causes =
                group.causes.iter().map(|cause| plain(cause)).collect::<Vec<_>>().join("; ");
            format!("- {}: {causes}\n", count(group.figures.len(), "figure"))
        }),
    );
    out.section(
        "Figures, the largest change first",
        difference.figures.iter().map(|figure| {
            let is =
                if figure.is == "changed" { String::new() } else { format!(", {}", figure.is) };
            let mut item = format!("- {} ({}{is})\n", code(&figure.name()), figure.kind);
            for line in lines(figure) {
                let _ = writeln!(item, "  - {}", plain(&line));
            }
            item
        }),
    );
    out.section(
        "Missing results",
        difference.missing.iter().map(|missing| {
            let side = if missing.side == "a" { &difference.a } else { &difference.b };
            format!(
                "- {} in {}: {}\n",
                code(&missing.figure),
                code(&side.text()),
                plain(&missing.why)
            )
        }),
    );
    out.section(
        "Text",
        difference.notes.iter().map(|change| {
            let mut item = format!("- {}: {}\n", code(&change.note), plain(&text(change)));
            for passage in change.passages.iter().filter(|_| !change.rewritten) {
                let shown: String = passage
                    .pieces
                    .iter()
                    .map(|piece| match piece.is {
                        "gone" => marked("del", &piece.text),
                        "new" => marked("ins", &piece.text),
                        _ => plain(&piece.text),
                    })
                    .collect();
                let shown = shown.split_whitespace().collect::<Vec<_>>().join(" ");
                let _ = writeln!(item, "  - line {}: {shown}", passage.line);
            }
            item
        }),
    );
    out.section(
        "Links",
        difference.links.iter().map(|change| {
            let (note, to, more) = (code(&change.note), code(&change.to), link(change));
            format!("- {}: {note} → {to}{more}\n", change.is)
        }),
    );
    let left_out = match out.left_out {
        0 => String::new(),
        n => {
            let entries = if n == 1 { "entry" } else { "entries" };
            format!(
                "\n{n} {entries} left out, because a comment has at most {LONGEST} characters; the HTML has all.\n"
            )
        }
    };
    format!("{}{left_out}\n{}\n", out.text, same(difference))
}

struct Limited {
    text: String,
    chars: usize,
    left_out: usize,
}

impl Limited {
    /// Adds a piece if there is room for it; returns whether there is.
    fn put(&mut self, piece: String) -> bool {
        let chars = piece.chars().count();
        let fits = self.left_out == 0 && self.chars + chars + SPARE <= LONGEST;
        if fits {
            self.chars += chars;
            self.text.push_str(&piece);
        }
        fits
    }

    fn section(&mut self, title: &str, items: impl Iterator<Item = String>) {
        for (at, item) in items.enumerate() {
            let head = if at == 0 { format!("\n#### {title}\n\n") } else { String::new() };
            if !self.put(format!("{head}{item}")) {
                self.left_out += 1;
            }
        }
    }
}

/// Text on one line that Markdown takes as it is.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' => out.push(' '),
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '*' | '_' | '[' | ']' | '#' | '|' | '~' | '@' | '!' => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}

/// Text as code.
fn code(text: &str) -> String {
    let text = text.replace(['\n', '\r'], " ");
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest + 1);
    let space = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{space}{text}{space}{fence}")
}

fn marked(tag: &str, text: &str) -> String {
    let inner = text.trim();
    let start = if text.starts_with(char::is_whitespace) { " " } else { "" };
    let end = if text.ends_with(char::is_whitespace) { " " } else { "" };
    match inner {
        "" => " ".to_owned(),
        _ => format!("{start}<{tag}>{}</{tag}>{end}", plain(inner)),
    }
}
