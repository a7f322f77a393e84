//! What has changed since a review: the stamps of a note and what it says now in; for each stamp that still counts, the changes out.

use std::collections::BTreeSet;

use super::seen::Seen;
use super::stamp::Stamp;

/// A change since a review.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// The text reads differently.
    Text,
    /// A figure has another result.
    Figure(String),
    /// A figure is new.
    New(String),
    /// A figure is gone.
    Gone(String),
    /// Claims are others, or hold no longer, or hold now.
    Claims,
}

/// A stamp and what has changed since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing<'a> {
    /// The stamp.
    pub stamp: &'a Stamp,
    /// The changes; none if what was reviewed is what stands there now.
    pub changes: Vec<Change>,
}

impl Standing<'_> {
    /// Whether something has changed.
    pub fn is_stale(&self) -> bool {
        !self.changes.is_empty()
    }
}

/// The last stamp of each reviewer about the note and about each figure, the newest first. A figure that has no result now is not
/// compared.
pub fn standings<'a>(stamps: &'a [Stamp], now: &Seen) -> Vec<Standing<'a>> {
    // Of two in one second, the one that was appended later is the last.
    let mut all: Vec<&Stamp> = stamps.iter().rev().collect();
    // Merged files are in no order.
    all.sort_by_key(|stamp| std::cmp::Reverse(stamp.on));
    let mut known = BTreeSet::new();
    all.retain(|stamp| known.insert((&stamp.by, &stamp.figure)));
    all.into_iter().map(|stamp| Standing { stamp, changes: changes(stamp, now) }).collect()
}

fn changes(stamp: &Stamp, now: &Seen) -> Vec<Change> {
    let then = &stamp.seen;
    let mut changes = Vec::new();
    if then.text.is_some() && then.text != now.text {
        changes.push(Change::Text);
    }
    for (id, digest) in &then.figures {
        match now.figures.get(id) {
            None => changes.push(Change::Gone(id.clone())),
            Some(None) => {}
            Some(other) if other == digest => {}
            Some(_) => changes.push(Change::Figure(id.clone())),
        }
    }
    if stamp.figure.is_none() {
        let new = now.figures.keys().filter(|id| !then.figures.contains_key(*id));
        changes.extend(new.map(|id| Change::New(id.clone())));
        if then.claims != now.claims {
            changes.push(Change::Claims);
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::review::Verdict;

    fn seen(text: &str, figures: &[(&str, Option<&str>)], claims: Option<&str>) -> Seen {
        let figures =
            figures.iter().map(|(id, digest)| ((*id).to_owned(), digest.map(str::to_owned)));
        Seen {
            text: Some(text.to_owned()),
            figures: figures.collect(),
            claims: claims.map(str::to_owned),
        }
    }

    fn stamp(by: &str, day: u32, figure: Option<&str>, seen: Seen) -> Stamp {
        Stamp {
            by: by.to_owned(),
            on: format!("2026-11-{day:02}T00:00:00Z").parse().expect("a time"),
            verdict: Verdict::Agree,
            figure: figure.map(str::to_owned),
            seen,
            commit: None,
            message: None,
        }
    }

    #[test]
    fn changes_since_a_review_are_told_one_by_one() {
        let then = seen("a", &[("x", Some("1")), ("y", Some("2")), ("z", Some("3"))], None);
        let stamps = [stamp("ann", 1, None, then.clone())];
        let of = |now: Seen| standings(&stamps, &now)[0].changes.clone();
        assert_eq!(of(then.clone()), []);
        let now = seen("b", &[("x", Some("9")), ("y", None), ("w", Some("4"))], Some("c"));
        let figure = |id: &str| Change::Figure(id.to_owned());
        let expected = [
            Change::Text,
            figure("x"),
            Change::Gone("z".to_owned()),
            Change::New("w".to_owned()),
            Change::Claims,
        ];
        assert_eq!(of(now.clone()), expected);
        // About one figure, the rest of the note does not matter.
        let one = Seen { text: None, ..seen("", &[("x", Some("1"))], None) };
        let stamps = [stamp("ann", 1, Some("x"), one)];
        assert_eq!(standings(&stamps, &now)[0].changes, [figure("x")]);
    }

    #[test]
    fn the_last_stamp_of_each_reviewer_counts_in_whichever_order_they_stand() {
        let now = seen("b", &[], None);
        let old = seen("a", &[], None);
        let all = [
            stamp("ann", 9, None, now.clone()),
            stamp("ben", 3, None, old.clone()),
            stamp("ann", 2, None, old.clone()),
            stamp("ann", 4, Some("x"), Seen::default()),
        ];
        let found = standings(&all, &now);
        let short: Vec<_> = found
            .iter()
            .map(|one| (&*one.stamp.by, one.stamp.on.to_string(), one.is_stale()))
            .collect();
        assert_eq!(short.len(), 3);
        assert_eq!((short[0].0, short[0].2), ("ann", false));
        assert_eq!((short[2].0, short[2].2), ("ben", true));
        let mut turned = all.to_vec();
        turned.reverse();
        assert_eq!(standings(&turned, &now), found);
    }
}
