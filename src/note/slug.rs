//! Anchors and addresses derived from titles and file names.

use std::collections::{BTreeMap, BTreeSet};

use unicode_normalization::UnicodeNormalization as _;

/// An anchor as GitHub makes it: lower case, letters and digits of any script, `-` for a space.
pub fn slug(text: &str) -> String {
    // A file system may store a letter and its accent separately; the accent alone is not a letter.
    text.trim()
        .nfc()
        .flat_map(char::to_lowercase)
        .filter_map(|c| match c {
            ' ' => Some('-'),
            c if c.is_alphanumeric() || c == '-' || c == '_' => Some(c),
            _ => None,
        })
        .collect()
}

/// A component of an address derived from a file or folder name: like [`slug`], but never empty.
pub fn file_slug(name: &str) -> String {
    let slug = slug(&name.replace(['.', '\t'], " "));
    if slug.is_empty() { "note".into() } else { slug }
}

/// Ids that every page uses itself.
pub const OF_PAGES: [&str; 9] = [
    "main",
    "masthead",
    "backlinks-heading",
    "used-heading",
    "references-heading",
    "graph-heading",
    "citation-heading",
    "notes-heading",
    "most-heading",
];

/// Whether an id is reserved for pages: for their own parts, footnotes, links, references, or the content of embedded
/// notes.
pub fn is_of_page(id: &str) -> bool {
    let numbered = |prefix: &str| {
        id.strip_prefix(prefix).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    let embedded = || {
        let rest = id.strip_prefix('e').unwrap_or("");
        rest.starts_with(|c: char| c.is_ascii_digit())
            && rest.trim_start_matches(|c: char| c.is_ascii_digit()).starts_with('-')
    };
    OF_PAGES.contains(&id)
        || ["footnote-", "cite-", "link-", "group-"].into_iter().any(numbered)
        || id.starts_with("ref-")
        || id.starts_with("eq:")
        || embedded()
}

/// Slugs that are unique and not reserved for pages.
#[derive(Debug, Default)]
pub struct Slugger {
    taken: BTreeSet<String>,
    /// For each slug so far, the last number that was appended to it.
    counts: BTreeMap<String, usize>,
}

impl Slugger {
    /// Reserves `slug`.
    pub fn reserve(&mut self, slug: &str) {
        self.taken.insert(slug.to_owned());
    }

    /// A unique slug of `text`: `-1`, `-2` … is appended if necessary.
    pub fn slug(&mut self, text: &str) -> String {
        let base = match slug(text) {
            empty if empty.is_empty() => "section".to_owned(),
            taken if is_of_page(&taken) => format!("section-{taken}"),
            slug => slug,
        };
        if self.taken.insert(base.clone()) {
            return base;
        }
        let count = self.counts.entry(base.clone()).or_insert(0);
        loop {
            *count += 1;
            let slug = format!("{base}-{count}");
            if self.taken.insert(slug.clone()) {
                return slug;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_githubs_and_keep_every_script() {
        assert_eq!(slug("How Multimodal Neurons Compose"), "how-multimodal-neurons-compose");
        assert_eq!(slug("What's a “unit”? (89)"), "whats-a-unit-89");
        assert_eq!(slug("Größe und 神経"), "größe-und-神経");
    }

    #[test]
    fn equal_headings_get_different_anchors() {
        let mut slugger = Slugger::default();
        slugger.reserve("probe");
        let slugs: Vec<_> =
            ["Probe", "Notes", "Notes", "Notes-1", "!"].map(|t| slugger.slug(t)).into();
        assert_eq!(slugs, ["probe-1", "notes", "notes-1", "notes-1-1", "section"]);
    }

    #[test]
    fn no_heading_has_an_id_that_its_page_has() {
        let mut slugger = Slugger::default();
        let slugs: Vec<_> = [
            "Main",
            "Footnote 1",
            "Link 12",
            "Cite 1-2",
            "Ref a",
            "E1 x",
            "Graph heading",
            "Links",
            "E-1",
        ]
        .map(|t| slugger.slug(t))
        .into();
        assert_eq!(
            slugs,
            [
                "section-main",
                "section-footnote-1",
                "section-link-12",
                "section-cite-1-2",
                "section-ref-a",
                "section-e1-x",
                "section-graph-heading",
                "links",
                "e-1"
            ]
        );
        // The ids in the templates are reserved.
        for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/templates"))
            .expect("templates")
            .chain(
                std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/templates/partials"))
                    .expect("partials"),
            )
        {
            let path = file.expect("a file").path();
            if path.extension().is_none_or(|ending| ending != "html") {
                continue;
            }
            let text = std::fs::read_to_string(&path).expect("a template");
            for id in text.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
                let made = id.split("{{").next().unwrap_or_default();
                let known = is_of_page(id) || id == "{{ figure.id }}" || made == "group-";
                assert!(known, "{id} of {} is not among those of pages", path.display());
            }
        }
    }

    #[test]
    fn many_equal_headings_take_no_longer_each() {
        let mut slugger = Slugger::default();
        let last = (0..20_000).map(|_| slugger.slug("same")).last();
        assert_eq!(last.as_deref(), Some("same-19999"));
        // A number is tried once: what is taken is what was given out.
        assert_eq!((slugger.taken.len(), slugger.counts["same"]), (20_000, 19_999));
    }
}
