//! Invariants of everything that is shown: diagnostics are inside their text, ids are unique, no control characters.

use std::collections::BTreeSet;
use std::ops::Range;

use neuronotes::diagnostic::Diagnostic;
use neuronotes::view::legible;
use neuronotes_core::say;

use crate::ids::ids;

/// Checks that a span is inside the text.
pub fn place(source: &str, span: &Range<usize>, of: &dyn std::fmt::Debug) {
    assert!(source.get(span.clone()).is_some(), "{span:?} is outside the text: {of:?}");
}

/// Checks that diagnostics have a message and a place in their text, and can be printed.
pub fn problems<'d>(source: &str, problems: impl IntoIterator<Item = &'d Diagnostic>) {
    let (lines, mut shown) = (source.split('\n').count(), 0);
    for problem in problems {
        place(source, &problem.span, problem);
        assert!(!problem.message.trim().is_empty(), "{problem:?} has no message");
        assert!(problem.line >= 1 && problem.line <= lines && problem.column >= 1, "{problem:?}");
        // Rendering is expensive and the same for all.
        if shown < 3 {
            shown += 1;
            let drawn = problem.terminal(Some(source), false);
            assert!(drawn.contains(&*say::name(&problem.file)), "{drawn} does not name the file");
        }
    }
}

/// Checks that a page has each id once, and no character that HTML or XML forbids: `html` is what a template puts
/// into the page. An id in the author's own raw HTML, in an unclosed tag or repeated, may be a duplicate: if the
/// source has raw HTML, only ids that are not in it are checked.
pub fn page(source: &str, parts: &[&str], of_pages: &[&str]) {
    let mut known: BTreeSet<String> = of_pages.iter().map(|id| (*id).to_owned()).collect();
    for html in parts {
        let html = legible((*html).to_owned());
        for id in ids(&html) {
            if source.contains('<') && (id.is_empty() || source.contains(id.as_str())) {
                continue;
            }
            assert!(!known.contains(&id), "duplicate id {id:?} in {parts:?}");
            known.insert(id);
        }
        characters(&html);
    }
}

/// Checks that a text has no character that XML forbids.
pub fn characters(text: &str) {
    let forbidden = |c: &char| {
        (c.is_control() && !matches!(c, '\n' | '\t' | '\r' | '\u{7f}'..='\u{9f}'))
            || matches!(c, '\u{fffe}' | '\u{ffff}')
    };
    if let Some(found) = text.chars().find(forbidden) {
        panic!("{found:?} is in {text:?}");
    }
}
