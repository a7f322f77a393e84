//! `neuronotes new`: a garden whose first build measures something, and what to do next with it.

use std::fs;
use std::path::Path;

use anyhow::Context as _;

/// Its files. Its notes link to each other, and ask for figures of the network that comes with the program.
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
            "{} is not empty\nhint: a new garden needs a folder of its own; a folder that has notes is built as it is: \
             `neuronotes build --root {}`",
            folder.display(),
            quoted(folder)
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

/// What to do next with a garden that was made in `folder`.
pub fn next(folder: &Path) -> String {
    let (shown, root) = (folder.display(), quoted(folder));
    format!(
        "Created a garden in {shown}. Preview it with:\n\n    \
         neuronotes serve --open --root {root}\n\n\
         Its three figures are measured then, which takes less than a minute on two cores. Edit\n\
         {note}, save, and watch the page.\n\n    \
         neuronotes build --root {root}\n\n\
         writes the site to {output}. `neuronotes kinds` lists what a note can ask for.\n\
         Models and data sets are named in {config}.\n",
        note = folder.join("notes/a-first-figure.md").display(),
        output = folder.join("output").display(),
        config = folder.join("neuronotes.yaml").display(),
    )
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let path = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "/._-+,:@".contains(c);
    match !path.is_empty() && path.chars().all(plain) {
        true => path,
        false => format!("'{}'", path.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_to_do_next_can_be_pasted_into_a_shell() {
        insta::assert_snapshot!(next(Path::new("g")));
        assert!(next(Path::new("my garden")).contains("serve --open --root 'my garden'"));
        assert_eq!(quoted(Path::new("it's")), "'it'\\''s'");
    }
}
