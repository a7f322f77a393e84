//! Slices of text that never panic.
//!
//! Notes, bibliographies and other files are sliced at computed offsets. A wrong offset must not end the program: it
//! yields less text, or none. A lint therefore forbids ordinary slices of text.

use std::ops::{Bound, RangeBounds};

/// A text that can be sliced at any range.
pub trait Cut {
    /// The part of a text between two offsets. Offsets beyond the text stand for its end, and characters that an
    /// offset splits are left out; if the end is before the start, the result is empty.
    fn cut(&self, range: impl RangeBounds<usize>) -> &str;
}

impl Cut for str {
    fn cut(&self, range: impl RangeBounds<usize>) -> &str {
        let start = match range.start_bound() {
            Bound::Included(at) => *at,
            Bound::Excluded(at) => at.saturating_add(1),
            Bound::Unbounded => 0,
        };
        let end = match range.end_bound() {
            Bound::Included(at) => at.saturating_add(1),
            Bound::Excluded(at) => *at,
            Bound::Unbounded => self.len(),
        };
        let (start, end) = (self.ceil_char_boundary(start), self.floor_char_boundary(end));
        self.get(start..end).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn right_offsets_give_the_slice() {
        let text = "aß€𝄞z";
        let offsets: Vec<usize> =
            (0..=text.len()).filter(|at| text.is_char_boundary(*at)).collect();
        for start in &offsets {
            assert_eq!(text.cut(*start..), &text[*start..]);
            assert_eq!(text.cut(..*start), &text[..*start]);
            for end in offsets.iter().filter(|end| *end >= start) {
                assert_eq!(text.cut(*start..*end), &text[*start..*end]);
            }
        }
        assert_eq!((text.cut(..), text.cut(0..=0), "ab".cut(1..=1)), (text, "a", "b"));
    }

    #[test]
    fn wrong_offsets_give_less_and_never_panic() {
        let text = "aß€𝄞z";
        for start in 0..text.len() + 3 {
            for end in 0..text.len() + 3 {
                let part = text.cut(start..end);
                assert!(text.contains(part) && part.len() <= end.saturating_sub(start));
                assert_eq!(text.cut(start..=end), text.cut(start..end + 1));
            }
        }
        assert_eq!((text.cut(2..6), text.cut(2..), text.cut(..2)), ("€", "€𝄞z", "a"));
        assert_eq!(
            (text.cut(99..), text.cut(usize::MAX..), text.cut(3..=usize::MAX)),
            ("", "", "€𝄞z")
        );
        #[expect(clippy::reversed_empty_ranges, reason = "this is the range that must not panic")]
        let none = text.cut(5..1);
        assert_eq!(none, "");
    }
}
