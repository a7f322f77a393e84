//! `neuronotes new`: creates a garden with some figures, and prints what to do next; or a note about a unit (`note`).

pub mod note;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use neuronotes_core::{file, place};

/// The garden's files. The notes link to each other and contain figures of the bundled network.
const FILES: &[(&str, &str)] = &[
    ("neuronotes.yaml", include_str!("scaffold/neuronotes.yaml")),
    (".gitignore", "/output/\n/.neuronotes/\n"),
    ("notes/index.md", include_str!("scaffold/index.md")),
    ("notes/a-first-figure.md", include_str!("scaffold/a-first-figure.md")),
];

/// Creates a garden in `folder`. A partly created one is completed; if creation fails, nothing is left.
///
/// # Errors
/// If the folder is not empty or cannot be written.
pub fn make(folder: &Path) -> anyhow::Result<()> {
    let taken = fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
    if taken && !is_part(folder) {
        anyhow::bail!(
            "{} is not empty\nhint: use an empty folder for a new garden; to build existing notes, run `neuronotes build --root {}`",
            folder.display(),
            quoted(folder)
        );
    }
    let mut made = Vec::new();
    for (name, text) in FILES {
        let path = folder.join(name);
        if let Err(error) = write(&path, text.as_bytes(), &mut made) {
            // The disk may be full: what is left would be in the way of the next try.
            for path in made.iter().rev() {
                let _ = fs::remove_file(path).or_else(|_| fs::remove_dir(path));
            }
            let hint = file::hint(&error).map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
            anyhow::bail!("{} cannot be written: {error}{hint}", path.display());
        }
    }
    Ok(())
}

/// Writes a file, and records it and its new folders.
fn write(path: &Path, bytes: &[u8], made: &mut Vec<PathBuf>) -> io::Result<()> {
    let folders: Vec<&Path> = path.ancestors().skip(1).take_while(|path| !path.exists()).collect();
    made.extend(folders.iter().rev().map(|path| path.to_path_buf()));
    if path.exists() {
        return Ok(());
    }
    made.push(path.to_owned());
    file::write_atomic(path, bytes)
}

/// Whether a folder contains only files of a new garden as written here: what an interrupted run left.
fn is_part(folder: &Path) -> bool {
    let mut found = 0;
    for entry in walkdir::WalkDir::new(folder).min_depth(1) {
        let Ok(entry) = entry else { return false };
        let name = entry.path().strip_prefix(folder).unwrap_or(entry.path());
        let written = FILES.iter().find(|(file, _)| Path::new(file) == name);
        let ours = match written {
            _ if entry.file_type().is_dir() => {
                FILES.iter().any(|(file, _)| Path::new(file).starts_with(name))
            }
            Some((_, text)) => {
                found += 1;
                place::read(entry.path(), 1 << 20).is_ok_and(|bytes| bytes == text.as_bytes())
            }
            None => {
                let temporary = file::is_temporary(&entry.file_name().to_string_lossy());
                if temporary {
                    let _ = fs::remove_file(entry.path());
                }
                temporary
            }
        };
        if !ours {
            return false;
        }
    }
    found < FILES.len()
}

/// Next steps for a garden that was created in `folder`.
pub fn next(folder: &Path) -> String {
    let (shown, root) = (folder.display(), quoted(folder));
    format!(
        "Created a garden in {shown}. Preview it with:\n\n    \
         neuronotes serve --open --root {root}\n\n\
         This measures its three figures, which takes less than a minute on two cores. Edit\n\
         {note}, save, and watch the page.\n\n    \
         neuronotes build --root {root}\n\n\
         writes the site to {output}. `neuronotes kinds` lists the kinds of figures.\n\
         Models and data sets are configured in {config}.\n",
        note = folder.join("notes/a-first-figure.md").display(),
        output = folder.join("output").display(),
        config = folder.join("neuronotes.yaml").display(),
    )
}

/// A path quoted for a shell.
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
    fn a_garden_that_was_broken_off_is_completed_and_what_somebody_wrote_is_not_touched() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let folder = dir.path().join("deep/garden");
        make(&folder).expect("a garden");
        assert!(make(&folder).is_err(), "it is there");
        let first = folder.join("neuronotes.yaml");
        // As a kill leaves it.
        fs::remove_dir_all(folder.join("notes")).expect("removed");
        fs::write(folder.join(".new-abc123"), "half").expect("a file");
        make(&folder).expect("the rest");
        assert!(FILES.iter().all(|(name, _)| folder.join(name).is_file()));
        assert!(!folder.join(".new-abc123").exists());
        fs::remove_dir_all(folder.join("notes")).expect("removed");
        fs::write(&first, "title: mine").expect("written");
        assert!(make(&folder).is_err() && !folder.join("notes").exists());
        assert_eq!(fs::read_to_string(&first).expect("text"), "title: mine");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_garden_that_cannot_be_written_leaves_nothing() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let folder = dir.path().join("garden");
        // While a file is in the place of a folder, the folder's files cannot be created.
        fs::create_dir(&folder).expect("a folder");
        fs::write(folder.join("notes"), "").expect("a file");
        assert!(make(&folder).is_err(), "it is not empty");
        fs::remove_file(folder.join("notes")).expect("removed");
        let mut made = Vec::new();
        write(&folder.join("a/b.md"), b"b", &mut made).expect("written");
        assert_eq!(made, [folder.join("a"), folder.join("a/b.md")]);
    }

    #[test]
    fn what_to_do_next_can_be_pasted_into_a_shell() {
        insta::assert_snapshot!(next(Path::new("g")));
        assert!(next(Path::new("my garden")).contains("serve --open --root 'my garden'"));
        assert_eq!(quoted(Path::new("it's")), "'it'\\''s'");
    }
}
