//! Detects analysis blocks whose fences are probably mistaken.

use std::ops::Range;

use neuronotes_core::cut::Cut as _;
use neuronotes_core::kind::Kind;
use neuronotes_core::suggest;

use super::Walk;
use crate::note::fence::RawBlock;
use crate::yaml;

impl Walk<'_> {
    /// A block that would be an analysis except for its info string.
    pub(super) fn unasked(&mut self, range: &Range<usize>) {
        let mut lines = self.at.text.cut(range.clone()).lines();
        let first = lines.next().unwrap_or_default().trim_end();
        let info = first.trim_start_matches(['`', '~']).to_lowercase();
        let mut words = info.split(|c: char| !c.is_alphanumeric());
        if info.len() == first.len() || !words.any(|w| matches!(w, "yaml" | "yml" | "analysis")) {
            return;
        }
        let kind = |line: &str| {
            let line = line.trim_start_matches(['>', ' ', '\t']).strip_prefix("kind:")?;
            Kind::named(line.split('#').next()?.trim())
        };
        let Some(kind) = lines.find_map(kind) else { return };
        let (article, name) = (suggest::article(kind.name), kind.name);
        let message =
            format!("this block is shown as code, but it looks like {article} `{name}` analysis");
        let problem = self.at.warning(range.start..range.start + first.len(), message);
        let hint = "to have it measured, begin the block with ```yaml analysis";
        self.out.problems.push(problem.hint(hint.to_owned()));
    }

    /// An unclosed fence: CommonMark closes it at the end of the document, which swallows the rest of a note.
    ///
    /// If another block begins inside it, the first one is reported as unclosed: what follows is not read as part of
    /// it.
    pub(super) fn unclosed(&mut self, block: &mut RawBlock) {
        let text = self.at.text.cut(block.span.clone()).trim_end();
        let fence = if text.starts_with('~') { '~' } else { '`' };
        let length = text.chars().take_while(|c| *c == fence).count();
        let last = text.lines().last().unwrap_or("").trim();
        let closed =
            text.lines().count() > 1 && last.len() >= 3 && last.chars().all(|c| c == fence);
        let opens = |line: &str| {
            let info = line.trim_start_matches(fence);
            line.len() - info.len() >= length && !info.trim().is_empty()
        };
        let mut begin = 0;
        let swallowed = block.text.split_inclusive('\n').find_map(|line| {
            begin += line.len();
            opens(line).then(|| begin - line.len())
        });
        if let Some(at) = swallowed {
            block.text.truncate(at);
        }
        if !closed || swallowed.is_some() {
            // If the text is prose again, it must not be reported as invalid YAML.
            if yaml::parse(&block.text).is_err()
                && let Some(at) = block.text.find("\n\n")
            {
                block.text.truncate(at + 1);
            }
            let end = block.text.len();
            block.pieces.retain(|(start, _)| *start <= end);
            let line = text.lines().next().unwrap_or("").len();
            let span = block.span.start..block.span.start + line;
            let problem = self.at.error(span, "the analysis block is never closed");
            self.out
                .problems
                .push(problem.hint(format!("end it with a line {}", fence.to_string().repeat(3))));
        }
    }
}
