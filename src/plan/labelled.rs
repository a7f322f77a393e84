//! Files of labels that raters gave: a path or a pattern in; the files of the garden, and what is in them, out.

use std::fs;
use std::path::Path;

use neuronotes_core::file;
use neuronotes_core::files::FileDigests;
use neuronotes_core::labelling::{Answers, LARGEST, Pattern};
use neuronotes_core::problem::Problem;
use neuronotes_core::request::FileRef;

use super::input;
use crate::resource::Resources;

/// The files, in the order of their names.
///
/// # Errors
/// If a file is missing, outside the garden, or no file of labels.
pub(super) fn files(
    root: &Path,
    digests: &mut FileDigests,
    resources: &Resources,
    written: &str,
) -> Result<Vec<(FileRef, Option<Answers>)>, Problem> {
    let Some(pattern) = Pattern::of(written)? else {
        return match read(root, digests, written) {
            Ok((file, answers)) => Ok(vec![(file, Some(answers))]),
            Err(problem) => match resources.file(written) {
                Some(file) => Ok(vec![(file, None)]),
                None => Err(problem),
            },
        };
    };
    let outside = || {
        let message = format!("`{written}` is outside the garden");
        Problem::new(message).hint("use a path in the garden, such as `sheets/hearts-*.json`")
    };
    if !input::inside(written) {
        return Err(outside());
    }
    let mut names = Vec::new();
    if let Ok(folder) = root.join(&pattern.folder).canonicalize() {
        if !folder.starts_with(root) {
            return Err(outside());
        }
        let unreadable =
            |cause| Problem::new(format!("the folder of `{written}` cannot be read ({cause})"));
        for entry in fs::read_dir(&folder).map_err(unreadable)? {
            let name = entry.map_err(unreadable)?.file_name();
            names.extend(name.to_str().and_then(|name| pattern.path(name)));
        }
    }
    if names.is_empty() {
        let frozen = resources.files_like(|name| pattern.matches(name));
        return Ok(frozen.into_iter().map(|file| (file, None)).collect());
    }
    names.sort_unstable();
    let one =
        |name: String| read(root, digests, &name).map(|(file, answers)| (file, Some(answers)));
    names.into_iter().map(one).collect()
}

/// One file.
fn read(root: &Path, digests: &mut FileDigests, name: &str) -> Result<(FileRef, Answers), Problem> {
    let path = input::located(root, name, "file of labels")?;
    let unreadable =
        |cause: &dyn std::fmt::Display| Problem::new(format!("`{name}` cannot be read ({cause})"));
    let bytes = file::read(&path, LARGEST).map_err(|cause| unreadable(&cause))?;
    let answers = Answers::read(&bytes).map_err(|problem| Problem {
        message: format!("`{name}`, {}", problem.message),
        hint: problem.hint,
    })?;
    let digest = digests.digest(&path).map_err(|cause| unreadable(&cause))?;
    Ok((FileRef { name: name.to_owned(), path, digest }, answers))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(rater: &str) -> String {
        format!(
            "{{\"format\": \"neuronotes labels 1\", \"sheet\": \"a\", \"rater\": \"{rater}\",\n\
             \"categories\": [\"cat\"], \"labels\": {{\"1\": \"cat\"}}}}"
        )
    }

    #[test]
    fn a_pattern_is_all_files_like_it_and_a_path_is_one_that_must_be_there() {
        let dir = tempfile::tempdir().expect("a folder");
        let root = dir.path().canonicalize().expect("a folder");
        fs::create_dir(root.join("sheets")).expect("a folder");
        let write = |name: &str, text: &str| fs::write(root.join(name), text).expect("a file");
        write("sheets/pets-ben.json", &answers("ben"));
        write("sheets/pets-ann.json", &answers("ann"));
        write("sheets/other.json", "{}");
        let read = |written: &str| {
            files(&root, &mut FileDigests::default(), &Resources::default(), written)
        };
        let found = read("sheets/pets-*.json").expect("files");
        let names: Vec<&str> = found.iter().map(|(file, _)| file.name.as_str()).collect();
        assert_eq!(names, ["sheets/pets-ann.json", "sheets/pets-ben.json"]);
        assert_eq!(found[1].1.as_ref().expect("answers").rater, "ben");
        assert!(read("sheets/cars-*.json").expect("none yet").is_empty());
        assert!(read("no-folder/*.json").expect("none yet").is_empty());
        let wrong = |written: &str| read(written).expect_err(written).message;
        assert_eq!(wrong("sheets/a.json"), "there is no file of labels `sheets/a.json`");
        assert!(wrong("../*.json").contains("outside the garden"));
        let broken = wrong("sheets/other.json");
        assert!(broken.starts_with("`sheets/other.json`, line 1, column 2: missing"), "{broken}");
    }
}
