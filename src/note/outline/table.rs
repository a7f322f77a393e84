//! Warns about links in tables whose bar ends the cell.

use std::ops::Range;

use neuronotes_core::cut::Cut as _;

use crate::diagnostic::{Diagnostic, SourceFile};

/// Links in double brackets with an unescaped bar in a table.
pub(super) fn cut_links(at: SourceFile<'_>, table: Range<usize>) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    let mut start = table.start;
    for row in at.text.cut(table).split_inclusive('\n') {
        let mut from = 0;
        while let Some(open) = row.cut(from..).find("[[").map(|open| from + open) {
            let Some(end) = row.cut(open..).find("]]").map(|end| open + end + 2) else { break };
            let link = row.cut(open..end);
            // The last opening brackets are the link's.
            if let Some(inner) = link.cut(2..).rfind("[[") {
                from = open + 2 + inner;
                continue;
            }
            let in_code = row.cut(..open).matches('`').count() % 2 == 1;
            let bar = link.find('|').filter(|bar| !link.cut(..*bar).ends_with('\\'));
            if let Some(bar) = bar.filter(|_| !in_code) {
                let span = start + open..start + end;
                let message = format!("the `|` in `{link}` ends the table's cell");
                let hint = format!("write it as `{}\\{}`", link.cut(..bar), link.cut(bar..));
                problems.push(at.warning(span, message).hint(hint));
            }
            from = end;
        }
        start += row.len();
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Lines;

    #[test]
    fn a_bar_that_cuts_a_link_is_said_with_the_way_to_write_it() {
        let text = "| a | b |\n|---|---|\n| [[Coin|one]] | [[Coin\\|two]] `[[x|y]]` |\n| [[Coin]] | [[ [[Bank#Slot|z]] |\n";
        let lines = Lines::of(text);
        let at = SourceFile { file: "notes/a.md", text, lines: &lines };
        let said: Vec<String> =
            cut_links(at, 0..text.len()).iter().map(ToString::to_string).collect();
        assert_eq!(
            said,
            [
                "notes/a.md:3:3: the `|` in `[[Coin|one]]` ends the table's cell (hint: write it as `[[Coin\\|one]]`)",
                "notes/a.md:4:17: the `|` in `[[Bank#Slot|z]]` ends the table's cell (hint: write it as `[[Bank#Slot\\|z]]`)",
            ]
        );
    }
}
