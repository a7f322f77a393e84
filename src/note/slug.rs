//! Anchors and addresses out of titles and file names.

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization as _;

/// An anchor as GitHub makes it: lower case, letters and digits of any script, `-` for a space.
pub fn slug(text: &str) -> String {
    // A file system may keep a letter apart from its accent, which is no letter.
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

/// A part of an address out of a file or folder name: as [`slug`], and never empty.
pub fn file_slug(name: &str) -> String {
    let slug = slug(&name.replace(['.', '\t'], " "));
    if slug.is_empty() { "note".into() } else { slug }
}

/// Slugs that are all different.
#[derive(Debug, Default)]
pub struct Slugger {
    taken: BTreeSet<String>,
}

impl Slugger {
    /// Keeps `slug` from being given out.
    pub fn reserve(&mut self, slug: &str) {
        self.taken.insert(slug.to_owned());
    }

    /// A slug of `text` that was not given out before: `-1`, `-2` … is added where needed.
    pub fn slug(&mut self, text: &str) -> String {
        let base = match slug(text) {
            empty if empty.is_empty() => "section".to_owned(),
            slug => slug,
        };
        let mut slug = base.clone();
        let mut count = 0;
        while !self.taken.insert(slug.clone()) {
            count += 1;
            slug = format!("{base}-{count}");
        }
        slug
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
}
