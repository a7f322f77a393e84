//! Inputs that a block names without the configuration: pictures and files of weights in the garden, and the words of
//! a list.
//!
//! Paths never leave the garden, neither through `..` nor through a link.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufReader, Read as _};
use std::path::{Component, Path, PathBuf};

use neuronotes_core::dataset::{DatasetRef, Samples, words};
use neuronotes_core::encoding;
use neuronotes_core::file;
use neuronotes_core::files::FileDigests;
use neuronotes_core::problem::Problem;
use neuronotes_core::request::FileRef;
use neuronotes_core::sniff;

/// Maximum size of such a file in bytes, as in the lab.
const LARGEST_FILE: u64 = 64 << 20;
/// The first bytes of a NumPy file.
const NUMPY: &[u8; 6] = b"\x93NUMPY";
/// Maximum size of a list of words in bytes.
const LARGEST_LIST: u64 = 4 << 20;

fn error(message: String, hint: Option<&str>) -> Problem {
    Problem { message, hint: hint.map(str::to_owned) }
}

/// The picture at a path relative to `root`, the garden's folder, whose path contains no links.
///
/// # Errors
/// Fails if there is none, if it is outside the garden, or if the file is not a picture.
pub fn picture(root: &Path, digests: &mut FileDigests, name: &str) -> Result<FileRef, Problem> {
    let path = located(root, name, "picture")?;
    let start = sniff::start_of(&path);
    if let Some(found) = sniff::other(&start).filter(|_| !sniff::is_picture(&start)) {
        let message = format!("`{name}` is {}, not a supported picture", found.what);
        return Err(error(message, found.hint));
    }
    let unreadable =
        |cause: &dyn std::fmt::Display| error(format!("`{name}` cannot be read ({cause})"), None);
    // The header alone; the bytes decide the format, not the ending.
    let reader = file::open_in(root, &path).map_err(|cause| unreadable(&cause))?;
    let reader = image::ImageReader::new(BufReader::new(reader));
    let reader = reader.with_guessed_format().map_err(|cause| unreadable(&cause))?;
    if let Err(cause) = reader.into_dimensions() {
        return Err(error(format!("`{name}` is not a readable picture ({cause})"), None));
    }
    let digest = digests.digest(&path).map_err(|cause| unreadable(&cause))?;
    Ok(FileRef { name: name.to_owned(), path, digest })
}

/// The NumPy file of weights at a path relative to `root`, which is the garden's folder and has no links in it.
///
/// # Errors
/// Fails if there is none, if it is outside the garden, or if the file is not a NumPy array.
pub fn weights(root: &Path, digests: &mut FileDigests, name: &str) -> Result<FileRef, Problem> {
    let path = located(root, name, "file of weights")?;
    let unreadable =
        |cause: &dyn std::fmt::Display| error(format!("`{name}` cannot be read ({cause})"), None);
    let mut start = [0; NUMPY.len()];
    let mut file = file::open_in(root, &path).map_err(|cause| unreadable(&cause))?;
    if file.read_exact(&mut start).is_err() || start != *NUMPY {
        return Err(error(format!("`{name}` is not a NumPy array"), None));
    }
    let digest = digests.digest(&path).map_err(|cause| unreadable(&cause))?;
    Ok(FileRef { name: name.to_owned(), path, digest })
}

/// The path of a file, after checking that it exists, is inside the garden and not too large.
pub(super) fn located(root: &Path, name: &str, what: &str) -> Result<PathBuf, Problem> {
    let outside = || {
        let hint = "use a path in the garden, such as `notes/pictures/cat.png`";
        error(format!("the {what} `{name}` is outside the garden"), Some(hint))
    };
    if !inside(name) {
        return Err(outside());
    }
    let path = root.join(name).canonicalize().map_err(|cause| match cause.kind() {
        std::io::ErrorKind::NotFound => error(
            format!("there is no {what} `{name}`"),
            Some("paths start in the garden's folder, where neuronotes.yaml is"),
        ),
        _ => error(format!("the {what} `{name}` cannot be read ({cause})"), None),
    })?;
    if !path.starts_with(root) {
        return Err(outside());
    }
    let meta = fs::metadata(&path)
        .map_err(|cause| error(format!("`{name}` cannot be read ({cause})"), None))?;
    if !meta.is_file() {
        return Err(error(format!("`{name}` is not a file"), None));
    }
    if meta.len() > LARGEST_FILE {
        let size = meta.len() >> 20;
        return Err(error(format!("`{name}` has {size} MiB; the limit is 64 MiB"), None));
    }
    Ok(path)
}

/// Whether a path is relative and has no `..`.
pub(super) fn inside(name: &str) -> bool {
    let normal = |part| matches!(part, Component::Normal(_) | Component::CurDir);
    !name.contains('\\') && Path::new(name).components().all(normal)
}

/// The nearest existing folder, relative to the garden, for a picture with that path; `None` if the path leaves the
/// garden.
pub fn folder(root: &Path, name: &str) -> Option<String> {
    if !inside(name) {
        return None;
    }
    let parents = Path::new(name).ancestors().skip(1);
    let found = parents.map(|parent| (parent, root.join(parent).canonicalize()));
    let (parent, real) = found.into_iter().find(|(_, real)| real.is_ok())?;
    let in_garden = real.is_ok_and(|real| real.starts_with(root) && real.is_dir());
    in_garden.then(|| parent.to_string_lossy().replace('\\', "/"))
}

/// The words of a data set that is a list of words, each once.
///
/// # Errors
/// Fails if it is a data set of pictures, or a list that cannot be read.
pub fn word_list(dataset: &DatasetRef) -> Result<Vec<String>, Problem> {
    let name = &dataset.name;
    if dataset.format.samples != Samples::Words {
        let hint = "give a list of texts, or a data set that is a `.txt` list of words";
        return Err(error(format!("the data set `{name}` is not a list of words"), Some(hint)));
    }
    let mut seen = BTreeSet::new();
    let mut all = Vec::new();
    for shard in &dataset.shards {
        let unreadable = |cause: &dyn std::fmt::Display| {
            error(format!("the list of words `{name}` cannot be read ({cause})"), None)
        };
        let bytes = file::read(&shard.path, LARGEST_LIST).map_err(|cause| unreadable(&cause))?;
        let text = encoding::text(&bytes).map_err(|cause| unreadable(&cause))?;
        all.extend(words(&text).filter(|word| seen.insert((*word).to_owned())).map(str::to_owned));
    }
    if all.is_empty() {
        return Err(error(format!("the list of words `{name}` is empty"), None));
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn garden() -> (tempfile::TempDir, std::path::PathBuf) {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let root = dir.path().canonicalize().expect("a folder").join("garden");
        fs::create_dir_all(root.join("notes/pictures")).expect("folders");
        for path in ["garden/notes/pictures/a.png", "outside.png"] {
            let picture = image::RgbImage::new(3, 2);
            picture.save(dir.path().join(path)).expect("a picture");
        }
        (dir, root)
    }

    fn wrong(root: &Path, name: &str) -> String {
        picture(root, &mut FileDigests::default(), name).expect_err(name).message
    }

    #[test]
    fn a_picture_is_known_by_its_bytes_and_never_lies_outside() {
        let (_dir, root) = garden();
        let found = picture(&root, &mut FileDigests::default(), "notes/pictures/a.png");
        assert_eq!(found.expect("a picture").name, "notes/pictures/a.png");
        for name in ["../outside.png", "notes/../../outside.png", "/etc/hostname"] {
            assert!(wrong(&root, name).contains("outside the garden"), "{name}");
            assert_eq!(folder(&root, name), None);
        }
        assert!(wrong(&root, "notes/b.png").contains("no picture `notes/b.png`"));
        assert!(wrong(&root, "notes").contains("not a file"));
        fs::write(root.join("notes/c.png"), "<html>").expect("a file");
        assert!(wrong(&root, "notes/c.png").contains("an HTML page"));
        fs::write(root.join("notes/c.png"), "text").expect("a file");
        assert!(wrong(&root, "notes/c.png").contains("not a readable picture"));
    }

    #[test]
    #[cfg(unix)]
    fn a_link_out_of_the_garden_is_not_followed() {
        let (dir, root) = garden();
        let link = |from: &str, to: &Path| {
            std::os::unix::fs::symlink(to, root.join(from)).expect("a link");
        };
        link("file.png", &dir.path().join("outside.png"));
        link("folder", dir.path());
        link("within.png", &root.join("notes/pictures/a.png"));
        assert!(wrong(&root, "file.png").contains("outside the garden"));
        assert!(wrong(&root, "folder/outside.png").contains("outside the garden"));
        assert_eq!(folder(&root, "folder/outside.png"), None);
        assert!(picture(&root, &mut FileDigests::default(), "within.png").is_ok());
    }

    #[test]
    fn the_folder_of_a_picture_that_is_not_there_yet_is_the_nearest() {
        let (_dir, root) = garden();
        let nearest = |name: &str| folder(&root, name).expect("a folder");
        assert_eq!(nearest("notes/pictures/new.png"), "notes/pictures");
        assert_eq!(nearest("notes/new/deep/a.png"), "notes");
        assert_eq!(nearest("a.png"), "");
    }

    #[test]
    fn words_are_lines_without_comments_each_once() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = dir.path().join("words.txt");
        fs::write(&path, "\u{feff}# names\r\n\r\n  bank \nNew York\n#\nbank\n").expect("a list");
        let digest = neuronotes_core::digest::Digest::of(b"");
        let shards = vec![neuronotes_core::dataset::ShardRef::new(path, digest)];
        let labels = neuronotes_core::dataset::Labels::Files;
        let format = &neuronotes_core::dataset::format::words::FORMAT;
        let table = neuronotes_core::dataset::Table::default();
        let (name, captions, draw) = ("words".into(), false, None);
        let mut list = DatasetRef { name, format, captions, labels, table, draw, shards };
        assert_eq!(word_list(&list).expect("words"), ["bank", "New York"]);
        list.format = &neuronotes_core::dataset::format::tar::FORMAT;
        assert!(word_list(&list).expect_err("pictures").message.contains("not a list of words"));
    }
}
