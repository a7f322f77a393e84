//! The words of a list.

/// The words of a list, one per line. Empty lines and lines that begin with `#` are skipped.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.trim_start_matches('\u{feff}').lines().map(str::trim);
    lines.filter(|line| !line.is_empty() && !line.starts_with('#'))
}
