//! Headings in the form of Obsidian's links to them: compares the source of a heading with the last part of a link.
//!
//! Obsidian makes a link to a heading from the heading's source, including Markdown, and replaces characters that
//! would end the link with spaces.

/// A heading's source without the marks that make it a heading.
pub(super) fn source(markdown: &str) -> &str {
    let markdown = markdown.trim();
    let bare = markdown.trim_start_matches('#');
    if bare.len() == markdown.len() {
        // It is underlined.
        let underline = |line: &str| {
            let line = line.trim();
            !line.is_empty() && (line.bytes().all(|b| b == b'=') || line.bytes().all(|b| b == b'-'))
        };
        return match markdown.rsplit_once('\n') {
            Some((text, last)) if underline(last) => text.trim(),
            _ => markdown,
        };
    }
    let bare = bare.trim();
    // Trailing `#` signs close the heading if a space precedes them.
    let open = bare.trim_end_matches('#');
    if open.ends_with([' ', '\t']) { open.trim_end() } else { bare }
}

/// The text by which a link refers to a heading with this source, in lower case.
pub(super) fn linked(source: &str) -> String {
    let plain =
        source.replace("[[", " ").replace("]]", " ").replace([':', '#', '^', '|', '\\'], " ");
    plain.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heading_is_called_by_its_source_without_signs_that_end_a_link() {
        assert_eq!(source("### *Lemma:* on $x$ ###\n"), "*Lemma:* on $x$");
        assert_eq!(source("# C#"), "C#");
        assert_eq!(source("Two\nlines\n---\n"), "Two\nlines");
        assert_eq!(linked("*Lemma:* on $\\frac x y$"), "*lemma * on $ frac x y$");
        assert_eq!(linked("See [[Other|that]]  ^now"), "see other that now");
        assert_eq!(linked(source("## C#: a `b|c`")), linked("C  a `b c`"));
    }
}
