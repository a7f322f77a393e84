//! Patterns of file names: `sheets/hearts-*.json` in; which files are like it out.

use crate::problem::Problem;

/// Names of files in a folder, with `*`, `?` and `[…]` in the name.
#[derive(Debug, Clone)]
pub struct Pattern {
    /// The folder; empty for the garden's own.
    pub folder: String,
    name: glob::Pattern,
}

impl Pattern {
    /// The pattern that a path is; `None` if it names one file.
    ///
    /// # Errors
    /// If it is no valid pattern, or the folder's name has wildcards too.
    pub fn of(written: &str) -> Result<Option<Self>, Problem> {
        let wild = |text: &str| text.contains(['*', '?', '[']);
        let (folder, name) = written.rsplit_once('/').unwrap_or(("", written));
        if wild(folder) {
            let message = format!("`{written}` has a wildcard in the name of a folder");
            return Err(Problem::new(message).hint("use wildcards in the file's name only"));
        }
        if !wild(name) {
            return Ok(None);
        }
        let name = glob::Pattern::new(name).map_err(|cause| {
            Problem::new(format!("`{written}` is not a pattern ({cause})"))
                .hint("such as `sheets/hearts-*.json`")
        })?;
        Ok(Some(Self { folder: folder.to_owned(), name }))
    }

    /// The path of a file of the folder with that name, if the pattern is like it.
    pub fn path(&self, name: &str) -> Option<String> {
        let hidden = name.starts_with('.');
        (!hidden && self.name.matches(name)).then(|| match self.folder.as_str() {
            "" => name.to_owned(),
            folder => format!("{folder}/{name}"),
        })
    }

    /// Whether the pattern is like a path.
    pub fn matches(&self, path: &str) -> bool {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        folder == self.folder && self.path(name).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_of_names_in_a_folder() {
        let like = Pattern::of("sheets/hearts-*.json").expect("valid").expect("a pattern");
        assert_eq!(like.path("hearts-ann.json").as_deref(), Some("sheets/hearts-ann.json"));
        assert_eq!(like.path("faces-ann.json"), None);
        assert!(like.matches("sheets/hearts-ben.json") && !like.matches("hearts-ben.json"));
        assert!(Pattern::of("sheets/hearts.json").expect("valid").is_none());
        let here = Pattern::of("*.json").expect("valid").expect("a pattern");
        assert_eq!(here.path("a.json").as_deref(), Some("a.json"));
        assert_eq!(here.path(".a.json"), None);
        assert!(Pattern::of("*/a.json").is_err() && Pattern::of("a[.json").is_err());
    }
}
