//! Wikilinks.

use pulldown_cmark::LinkType;

/// Whether a link is written in double brackets.
pub(super) fn is_wiki(link: LinkType) -> bool {
    matches!(link, LinkType::WikiLink { .. })
}

/// The text of a wikilink without a label.
pub(super) fn wiki_label(dest: &str) -> String {
    match dest.split_once('#') {
        None => dest.trim().to_owned(),
        Some((target, fragment)) => {
            let fragment = fragment.trim_start_matches('^').trim();
            match target.trim() {
                "" => fragment.to_owned(),
                target => format!("{target} › {fragment}"),
            }
        }
    }
}
