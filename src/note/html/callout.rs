//! Callouts: `> [!note] Title` as a box, or as a foldable box.

use crate::note::escape;
use crate::note::markup::Callout;

/// Families of callouts, each with the kinds that look alike.
const FAMILIES: &[(&str, &[&str])] = &[
    ("note", &["note", "info", "todo", "seealso"]),
    ("abstract", &["abstract", "summary", "tldr"]),
    ("tip", &["tip", "hint", "important"]),
    ("success", &["success", "check", "done"]),
    ("question", &["question", "help", "faq"]),
    ("warning", &["warning", "caution", "attention"]),
    ("danger", &["danger", "error", "failure", "fail", "missing", "bug"]),
    ("example", &["example"]),
    ("quote", &["quote", "cite"]),
];

/// The open callouts.
#[derive(Default)]
pub(super) struct Callouts {
    /// How the title and the whole callout end.
    open: Vec<(&'static str, &'static str)>,
}

impl Callouts {
    pub(super) fn begin(&mut self, callout: &Callout<'_>) -> String {
        // Obsidian's `[!note|wide]` says after the bar how it looks there.
        let kind = callout.kind.split('|').next().unwrap_or("").trim().to_lowercase();
        let family = FAMILIES.iter().find(|(_, kinds)| kinds.contains(&kind.as_str()));
        let family = family.map_or("note", |(family, _)| family);
        let title = if callout.titled { String::new() } else { escape(&titled(&kind)) };
        let kind = escape(&kind);
        match callout.open {
            Some(open) => {
                self.open.push(("</summary>\n", "</details>\n"));
                let open = if open { " open" } else { "" };
                format!(
                    "<details class=\"callout\" data-callout=\"{family}\" data-kind=\"{kind}\"{open}>\n\
                     <summary class=\"callout-title\">{title}"
                )
            }
            None => {
                self.open.push(("</p>\n", "</div>\n"));
                format!(
                    "<div class=\"callout\" data-callout=\"{family}\" data-kind=\"{kind}\" role=\"note\">\n\
                     <p class=\"callout-title\">{title}"
                )
            }
        }
    }

    pub(super) fn title_end(&self) -> &'static str {
        self.open.last().map_or("", |(title, _)| title)
    }

    pub(super) fn end(&mut self) -> &'static str {
        self.open.pop().map_or("", |(_, end)| end)
    }
}

/// The default title: `Note` for `note`.
fn titled(kind: &str) -> String {
    let mut letters = kind.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    first + &letters.as_str().replace(['-', '_'], " ")
}
