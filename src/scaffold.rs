//! `neuronotes new`: a garden that builds.

use std::fs;
use std::path::Path;

use anyhow::Context as _;

/// Its files. It has notes that link to each other and explains how to ask for figures; it asks for none,
/// since it has no weights yet.
const FILES: &[(&str, &str)] = &[
    ("neuronotes.yaml", include_str!("scaffold/neuronotes.yaml")),
    (".gitignore", "/output/\n/.neuronotes/\n"),
    ("notes/index.md", include_str!("scaffold/index.md")),
    ("notes/a-first-figure.md", include_str!("scaffold/a-first-figure.md")),
];

/// Makes a garden in `folder`.
///
/// # Errors
/// Where the folder has something in it already, or cannot be written.
pub fn make(folder: &Path) -> anyhow::Result<()> {
    let taken = fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
    if taken {
        anyhow::bail!(
            "{} is not empty\nhint: a new garden needs a folder of its own",
            folder.display()
        );
    }
    for (name, text) in FILES {
        let path = folder.join(name);
        let parent = path.parent().unwrap_or(folder);
        fs::create_dir_all(parent)
            .and_then(|()| fs::write(&path, text))
            .with_context(|| format!("{} cannot be written", path.display()))?;
    }
    Ok(())
}
