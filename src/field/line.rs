//! Values in one line.

use serde_json::Value as Json;

/// A text as it is, and anything else as JSON.
pub(super) fn plain(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A value as a list of texts; empty if it is not one.
pub(super) fn texts(value: &Json) -> Vec<String> {
    let items = value.as_array().into_iter().flatten();
    items.filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

/// Maximum number of items of a list that are written out.
const MOST: usize = 12;

/// Items in one line, as many as can be read at a glance.
pub(super) fn list(items: &[String]) -> String {
    let mut text = items.iter().take(MOST).cloned().collect::<Vec<_>>().join(" · ");
    if items.len() > MOST {
        text.push_str(&format!(" … ({} in all)", items.len()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_are_cut_and_counted() {
        let many: Vec<String> = (0..20).map(|n| n.to_string()).collect();
        assert!(list(&many).ends_with("10 · 11 … (20 in all)"), "{}", list(&many));
        assert_eq!(list(&many[..2]), "0 · 1");
    }
}
