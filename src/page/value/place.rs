//! Indices and slices of a list.

use std::ops::Range;

/// The index in a list; negative ones count from the end.
pub(super) fn place(at: i64, count: usize) -> Option<usize> {
    let count_signed = i64::try_from(count).ok()?;
    let at = if at < 0 { at.checked_add(count_signed)? } else { at };
    usize::try_from(at).ok().filter(|at| *at < count)
}

/// The message and hint for an index outside a list.
pub(super) fn beyond(name: &str, at: i64, count: usize) -> (String, String) {
    let s = if count == 1 { "" } else { "s" };
    let message = format!("`{name}` has {count} item{s}, but none at `[{at}]`");
    let hint = match count {
        0 => "use its `length`".to_owned(),
        1 => "use `[0]`".to_owned(),
        n => format!("count from 0 to {}, or from the end from −1 to −{n}", n - 1),
    };
    (message, hint)
}

/// The items of a slice; negative ends count from the end of the list.
///
/// # Errors
/// The message and hint if one of the ends is outside the list: then there are fewer items than were asked for.
pub(super) fn slice(
    name: &str,
    from: Option<i64>,
    to: Option<i64>,
    count: usize,
) -> Result<Range<usize>, (String, String)> {
    let end = |at: Option<i64>, default: usize| match at {
        None => Some(default),
        Some(at) if usize::try_from(at) == Ok(count) => Some(count),
        Some(at) => place(at, count),
    };
    let shown = |at: Option<i64>| at.map(|at| at.to_string()).unwrap_or_default();
    let written = format!("[{}:{}]", shown(from), shown(to));
    match (end(from, 0), end(to, count)) {
        (Some(from), Some(to)) if from <= to => Ok(from..to),
        (Some(_), Some(_)) => {
            let message = format!("`{written}` of `{name}` begins after its end");
            Err((message, "write the smaller index first".to_owned()))
        }
        _ => {
            let s = if count == 1 { "" } else { "s" };
            let message = format!("`{name}` has {count} item{s}, too few for `{written}`");
            Err((message, "ask for fewer, or for all without an end: `[0:]`".to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_has_the_items_that_it_asks_for_or_is_an_error() {
        let of = |from, to| slice("top", from, to, 5).ok();
        assert_eq!(of(None, None), Some(0..5));
        assert_eq!(of(None, Some(3)), Some(0..3));
        assert_eq!(of(Some(2), None), Some(2..5));
        assert_eq!(of(Some(-2), None), Some(3..5));
        assert_eq!(of(None, Some(-1)), Some(0..4));
        assert_eq!(of(None, Some(5)), Some(0..5));
        assert_eq!(of(Some(5), None), Some(5..5));
        assert_eq!((of(None, Some(6)), of(Some(6), None), of(Some(-6), None)), (None, None, None));
        let (message, _) = slice("top", None, Some(8), 5).expect_err("too few");
        assert_eq!(message, "`top` has 5 items, too few for `[:8]`");
        assert!(slice("top", Some(3), Some(1), 5).is_err());
        assert!(slice("top", Some(i64::MIN), Some(i64::MAX), 5).is_err());
    }
}
