//! Summarises many similar problems: shows the first ones of each kind, and counts the rest by file.
//!
//! Problems are of the same kind if their messages differ only in quoted parts and numbers.

use std::collections::{BTreeMap, HashMap};

use super::{Diagnostic, Severity};

/// Number of problems of a kind that are shown.
const SHOWN: usize = 10;
/// Number of files that are named in a count.
const FILES: usize = 8;

/// A summary of problems.
#[derive(Debug, Default)]
pub struct Summary<'p> {
    /// The problems to show, in their order.
    pub shown: Vec<&'p Diagnostic>,
    /// A line for each kind with further problems.
    pub rest: Vec<String>,
}

/// The further problems of a kind.
#[derive(Debug, Default)]
struct Kind<'p> {
    shown: usize,
    /// Number of further problems in each file.
    files: BTreeMap<&'p str, usize>,
}

/// Shows the first ten problems of each kind and counts the rest, or shows all if `all`.
pub fn summary(problems: &[Diagnostic], all: bool) -> Summary<'_> {
    let mut summary = Summary::default();
    let mut kinds: HashMap<(Severity, String), Kind<'_>> = HashMap::new();
    // In the order in which they come.
    let mut order = Vec::new();
    for problem in problems {
        let key = (problem.severity, shape(&problem.message));
        let kind = kinds.entry(key.clone()).or_default();
        if all || kind.shown < SHOWN {
            kind.shown += 1;
            summary.shown.push(problem);
            continue;
        }
        if kind.files.is_empty() {
            order.push(key);
        }
        *kind.files.entry(&problem.file).or_default() += 1;
    }
    for key in order {
        if let Some(kind) = kinds.get(&key) {
            summary.rest.push(rest(&key, kind));
        }
    }
    summary
}

/// `warning: 312 more like "there is no note `…`" in 57 files: a.md (40), b.md (12) and 55 others`.
fn rest((severity, shape): &(Severity, String), kind: &Kind<'_>) -> String {
    let count: usize = kind.files.values().sum();
    let mut files: Vec<(&str, usize)> = kind.files.iter().map(|(file, n)| (*file, *n)).collect();
    files.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    let mut named: Vec<String> =
        files.iter().take(FILES).map(|(file, n)| format!("{file} ({n})")).collect();
    if files.len() > FILES {
        named.push(format!("{} other files", files.len() - FILES));
    }
    let last = named.pop().unwrap_or_default();
    let named = match named.is_empty() {
        true => last,
        false => format!("{} and {last}", named.join(", ")),
    };
    let severity = match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    format!("{severity}: {count} more like \"{shape}\": {named}")
}

/// A message without quoted parts and numbers.
fn shape(message: &str) -> String {
    let mut out = String::with_capacity(message.len());
    let mut rest = message.chars().peekable();
    while let Some(c) = rest.next() {
        let end = match c {
            '`' => '`',
            '“' => '”',
            '"' => '"',
            c if c.is_ascii_digit() => {
                while rest.peek().is_some_and(char::is_ascii_digit) {
                    rest.next();
                }
                out.push('N');
                continue;
            }
            c => {
                out.push(c);
                continue;
            }
        };
        let is_quoted = rest.clone().any(|c| c == end);
        out.push(c);
        if is_quoted {
            out.push('…');
            out.push(end);
            rest.by_ref().find(|c| *c == end);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(files: usize, each: usize) -> Vec<Diagnostic> {
        let message = |file, n| format!("`note {file}-{n}` has no heading or figure `{n}`");
        let one = |file: usize, n: usize| Diagnostic {
            line: n + 1,
            severity: Severity::Warning,
            ..Diagnostic::of_file(format!("notes/{file:02}.md"), message(file, n))
        };
        (0..files).flat_map(|file| (0..each).map(move |n| one(file, n))).collect()
    }

    #[test]
    fn ten_of_a_kind_are_shown_and_the_rest_is_counted_by_file() {
        let mut all = problems(12, 4);
        all.insert(7, Diagnostic::of_file("notes/x.md", "no layer `a`"));
        let summary = summary(&all, false);
        assert_eq!(summary.shown.len(), 11);
        assert_eq!(summary.shown[7].message, "no layer `a`");
        insta::assert_snapshot!(summary.rest.join("\n"), @r#"warning: 38 more like "`…` has no heading or figure `…`": notes/03.md (4), notes/04.md (4), notes/05.md (4), notes/06.md (4), notes/07.md (4), notes/08.md (4), notes/09.md (4), notes/10.md (4) and 2 other files"#);
        let everything = super::summary(&all, true);
        assert_eq!((everything.shown.len(), everything.rest.len()), (49, 0));
        let few = super::summary(&all[..10], false);
        assert!(few.rest.is_empty());
    }

    #[test]
    fn messages_are_alike_but_for_what_they_quote_and_count() {
        assert_eq!(shape("`a` is “b” 12 times, 3.5 s"), "`…` is “…” N times, N.N s");
        assert_eq!(shape("a lone ` and \" stay"), "a lone ` and \" stay");
        assert_eq!(shape("there is no note `x`"), shape("there is no note `y z`"));
    }
}
