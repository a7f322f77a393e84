//! Finds the request that kills labs: when a lab dies while working on several, these are sent one at a time.

use std::collections::{BTreeSet, VecDeque};
use std::mem;

use crate::digest::Digest;

/// The requests that a lab is working on, and those during which one died.
#[derive(Debug, Default)]
pub struct Suspects {
    /// Requests that have begun and not ended in the running lab.
    begun: BTreeSet<Digest>,
    /// Requests during which an earlier lab died. Each is sent only after the one before has ended.
    alone: VecDeque<Digest>,
}

/// The cause of a lab's death.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// This request, which was alone.
    One(Digest),
    /// One of several requests, which are sent one at a time from now on.
    Several,
    /// Unknown: no request had begun.
    Nobody,
}

impl Suspects {
    /// The lab works on this request.
    pub fn begin(&mut self, key: Digest) {
        self.begun.insert(key);
    }

    /// The lab does not work on this request for now.
    pub fn pause(&mut self, key: &Digest) {
        self.begun.remove(key);
    }

    /// This request has ended or is no longer wanted.
    pub fn end(&mut self, key: &Digest) {
        self.begun.remove(key);
        self.alone.retain(|suspect| suspect != key);
    }

    /// The requests that the lab works on.
    pub fn begun(&self) -> &BTreeSet<Digest> {
        &self.begun
    }

    /// The lab ended for a reason that no request caused.
    pub fn acquit(&mut self) {
        self.begun.clear();
    }

    /// Sends this one alone from now on.
    pub fn isolate(&mut self, key: Digest) {
        if !self.alone.contains(&key) {
            self.alone.push_back(key);
        }
    }

    /// Whether a request may be sent now: while there are suspects, only the first of them.
    pub fn may_ask(&self, key: &Digest) -> bool {
        self.alone.front().is_none_or(|first| first == key)
    }

    /// Keeps only requests that `wanted` accepts.
    pub fn retain(&mut self, wanted: impl Fn(&Digest) -> bool) {
        self.begun.retain(|key| wanted(key));
        self.alone.retain(|key| wanted(key));
    }

    /// The lab died; `up` says whether it had been ready.
    pub fn died(&mut self, up: bool) -> Verdict {
        let begun = mem::take(&mut self.begun);
        let one = match begun.len() {
            1 => begun.first().copied(),
            // A request that was sent alone is at fault even before its first message.
            0 if up => self.alone.front().copied(),
            0 => None,
            _ => {
                begun.into_iter().for_each(|key| self.isolate(key));
                return Verdict::Several;
            }
        };
        match one {
            Some(key) => {
                self.end(&key);
                Verdict::One(key)
            }
            None => Verdict::Nobody,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_are_asked_for_alone_until_the_one_at_fault_is_found() {
        let [a, b, c] = [b"a", b"b", b"c"].map(|name| Digest::of(name));
        let mut suspects = Suspects::default();
        assert_eq!(suspects.died(true), Verdict::Nobody);
        suspects.begin(a);
        suspects.begin(b);
        assert!(suspects.may_ask(&c), "nobody is suspected yet");
        assert_eq!(suspects.died(true), Verdict::Several);
        let first = if suspects.may_ask(&a) { a } else { b };
        let second = if first == a { b } else { a };
        assert!(!suspects.may_ask(&second) && !suspects.may_ask(&c));
        suspects.begin(first);
        suspects.end(&first);
        assert!(suspects.may_ask(&second));
        // It dies before it has said anything.
        assert_eq!(suspects.died(true), Verdict::One(second));
        assert!(suspects.may_ask(&c));
        suspects.begin(c);
        assert_eq!(suspects.died(true), Verdict::One(c));
    }

    #[test]
    fn a_lab_that_never_came_up_is_nobodys_fault() {
        let [a, b] = [b"a", b"b"].map(|name| Digest::of(name));
        let mut suspects = Suspects::default();
        suspects.begin(a);
        suspects.begin(b);
        suspects.died(true);
        assert_eq!(suspects.died(false), Verdict::Nobody);
        suspects.retain(|_| false);
        assert!(suspects.may_ask(&a) && suspects.may_ask(&b));
    }

    #[test]
    fn who_was_at_work_when_we_ended_the_lab_is_not_suspected() {
        let [a, b] = [b"a", b"b"].map(|name| Digest::of(name));
        let mut suspects = Suspects::default();
        suspects.begin(a);
        suspects.begin(b);
        suspects.acquit();
        assert!(suspects.may_ask(&a) && suspects.may_ask(&b));
        assert_eq!(suspects.died(true), Verdict::Nobody);
    }
}
