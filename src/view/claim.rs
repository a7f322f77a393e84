//! The expectations that a note states about a figure, and what became of them.

use serde::Serialize;

/// A figure's expectations, by what became of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ClaimsView {
    /// Those that do not hold.
    pub failing: Vec<ClaimView>,
    /// Those that hold.
    pub holding: Vec<ClaimView>,
    /// Those of which nothing is known.
    pub unknown: Vec<ClaimView>,
    /// `3 expectations hold`, or `1 of 3 expectations holds, 1 does not, and 1 is unknown`.
    pub summary: String,
}

/// One expectation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ClaimView {
    /// The condition as written in the note.
    pub that: String,
    /// What was expected.
    pub expected: String,
    /// What was measured; empty if nothing was.
    pub measured: String,
    /// Why it is unknown.
    pub reason: Option<String>,
    /// Why the author expects it.
    pub because: Option<String>,
    /// Why it counts as predicted: when it was committed, and when its result was stored.
    pub predicted: Option<String>,
    /// The address of the sentence that it is about.
    pub href: Option<String>,
    /// The measurement of a sweep that it is about, if only one.
    pub cell: Option<String>,
    /// Whether it is only warned of.
    pub warns: bool,
}

impl ClaimsView {
    /// Sorts expectations, each with whether it holds, `None` if that is unknown. `None` if there are none.
    pub fn of(judged: Vec<(Option<bool>, ClaimView)>) -> Option<Self> {
        if judged.is_empty() {
            return None;
        }
        let mut all = Self::default();
        for (holds, claim) in judged {
            match holds {
                Some(true) => all.holding.push(claim),
                Some(false) => all.failing.push(claim),
                None => all.unknown.push(claim),
            }
        }
        all.summary = summary(all.holding.len(), all.failing.len(), all.unknown.len());
        Some(all)
    }
}

fn summary(holding: usize, failing: usize, unknown: usize) -> String {
    let total = holding + failing + unknown;
    let counted = |count: usize, one: &str, many: &str| match count {
        1 => format!("1 {one}"),
        count => format!("{count} {many}"),
    };
    let of = match (holding == total, total) {
        (true, 1) => return "1 expectation holds".to_owned(),
        (true, total) => return format!("{total} expectations hold"),
        (false, 1) => "1 expectation".to_owned(),
        (false, total) => format!("{total} expectations"),
    };
    let mut parts = Vec::new();
    if holding > 0 {
        parts.push(counted(holding, "holds", "hold"));
    }
    if failing > 0 {
        parts.push(counted(failing, "does not hold", "do not hold"));
    }
    if unknown > 0 {
        parts.push(counted(unknown, "is unknown", "are unknown"));
    }
    format!("{of}: {}", parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expectations_are_counted_in_words() {
        for (counts, words) in [
            ((1, 0, 0), "1 expectation holds"),
            ((3, 0, 0), "3 expectations hold"),
            ((0, 1, 0), "1 expectation: 1 does not hold"),
            ((1, 2, 1), "4 expectations: 1 holds, 2 do not hold, 1 is unknown"),
            ((0, 0, 2), "2 expectations: 2 are unknown"),
        ] {
            assert_eq!(summary(counts.0, counts.1, counts.2), words);
        }
        assert_eq!(ClaimsView::of(vec![]), None);
        let claim = |that: &str| ClaimView { that: that.to_owned(), ..ClaimView::default() };
        let judged = vec![(Some(false), claim("a")), (None, claim("b")), (Some(true), claim("c"))];
        let all = ClaimsView::of(judged).expect("claims");
        assert_eq!(
            (&*all.failing[0].that, &*all.unknown[0].that, &*all.holding[0].that),
            ("a", "b", "c")
        );
    }
}
