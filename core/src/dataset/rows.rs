//! Turns the rows of a table into samples. Input: each row's path, caption and label. Output: samples, and the ledger.
//! Knows nothing of how a table is written.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use super::beside;
use super::ending::{self, Ending};
use super::keys::Keys;
use super::labels::Labels;
use super::ledger::{Ledger, What};
use super::listing::{Listing, Malformed, rules};
use super::loose::Loose;
use super::reading::Reading;
use super::sample::Sample;
use super::sheet::folder;
use super::table::Table;
use crate::digest::Digest;
use crate::files::FileDigests;

/// Lists a shard.
pub type List = fn(&Path, &Reading) -> Result<Listing, Malformed>;

/// A row of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    /// How messages name it, such as `line 12`.
    pub place: String,
    /// The path of its picture, as written.
    pub path: Option<String>,
    /// Its caption.
    pub caption: Option<String>,
    /// Its label.
    pub label: Option<String>,
}

/// The samples of a table, and where their pictures are.
#[derive(Debug)]
pub struct Rows<P> {
    /// The samples, in order.
    pub samples: Vec<Sample>,
    /// Where the picture of each is.
    pub places: Vec<P>,
    /// What was seen and skipped.
    pub ledger: Ledger,
    labels: Labels,
    keys: Keys,
    folders: HashSet<String>,
}

impl<P> Rows<P> {
    /// Nothing yet, with the ledger of what was skipped before.
    pub fn new(labels: Labels, ledger: Ledger) -> Self {
        let (keys, folders) = (Keys::default(), HashSet::new());
        Self { samples: Vec::new(), places: Vec::new(), ledger, labels, keys, folders }
    }

    /// Adds a row whose picture is at a place. `name` is the path of its picture, if it has one.
    pub fn add(&mut self, row: Row, name: Option<&str>, place: P) {
        let key = match name {
            Some(name) => self.keys.next(ending::split(name).map_or(name, |(stem, _)| stem), name),
            None => self.keys.next(&row.place, &row.place),
        };
        let caption = self.said(row.caption, What::Caption, &row.place);
        let mut label = self.said(row.label, What::Label, &row.place);
        let folder = name.and_then(folder);
        if let Some(folder) = folder.filter(|folder| !self.folders.contains(*folder)) {
            self.folders.insert(folder.to_owned());
            self.ledger.folders += 1;
        }
        if self.labels == Labels::Folders {
            label = folder.map(str::to_owned);
            if label.is_none() {
                self.ledger.lose(What::Label, "its picture lies in no folder", &*row.place);
            }
        }
        self.ledger.pictures += 1;
        self.ledger.captions += u64::from(caption.is_some());
        self.ledger.labels += u64::from(label.is_some());
        self.samples.push(Sample { key, caption, label });
        self.places.push(place);
    }

    /// A caption or label without the space around it; `None` if nothing is left, or too much.
    fn said(&mut self, text: Option<String>, what: What, place: &str) -> Option<String> {
        let text = text?;
        if text.len() as u64 > beside::LARGEST {
            let most = beside::LARGEST >> 20;
            self.ledger.lose(what, format!("it has more than {most} MiB"), place);
            return None;
        }
        match text.trim() {
            "" => None,
            trimmed if trimmed.len() == text.len() => Some(text),
            trimmed => Some(trimmed.to_owned()),
        }
    }
}

/// A listing of rows whose pictures are files: in the folder of the table at `path`, or in the one that is configured.
///
/// # Errors
/// If that folder is not there.
pub fn listing(
    path: &Path,
    rows: Vec<Row>,
    columns: Vec<(&'static str, String)>,
    reading: &Reading,
    ledger: Ledger,
) -> Result<Listing, Malformed> {
    let folder = match &reading.table.root {
        Some(root) => root.as_path(),
        None => path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new(".")),
    };
    let root = folder.canonicalize().map_err(|error| Malformed::Hinted {
        why: format!("the folder of its pictures, {}, cannot be read: {error}", folder.display()),
        hint: "`root` in neuronotes.yaml names the folder in which its paths start".into(),
    })?;
    let found = files(&root, rows, reading.labels, ledger);
    Ok(Listing {
        samples: found.samples,
        ledger: found.ledger,
        rules: rules(false),
        columns,
        drawn: None,
        pictures: Box::new(Loose { root, places: found.places }),
    })
}

/// The digest of a table whose pictures are files: of its bytes, and of the paths and bytes of the pictures that it names.
///
/// # Errors
/// If the table or a picture cannot be read.
pub fn digest(
    list: List,
    digests: &mut FileDigests,
    path: &Path,
    table: &Table,
) -> io::Result<Digest> {
    let whole = digests.digest(path)?;
    match shown(list, digests, path, table) {
        Ok(pictures) => Ok(Digest::of(format!("{whole}\0{pictures}").as_bytes())),
        Err(Malformed::Io(error)) => Err(error),
        // What is wrong with the table is said when it is listed.
        Err(_) => Ok(whole),
    }
}

/// The digest of the pictures that such a table names, in order.
///
/// # Errors
/// If the table or a picture cannot be read.
pub fn pictures(
    list: List,
    digests: &mut FileDigests,
    path: &Path,
    table: &Table,
) -> io::Result<Digest> {
    shown(list, digests, path, table).or_else(|error| unlisted(error, digests, path))
}

/// The digest of the list of a table's pictures: of each, its key and the digest of its bytes, in order.
///
/// # Errors
/// If the table cannot be listed, or a picture cannot be read.
pub fn shown(
    list: List,
    digests: &mut FileDigests,
    path: &Path,
    table: &Table,
) -> Result<Digest, Malformed> {
    let reading = Reading { table: table.clone(), ..Reading::default() };
    list(path, &reading)?.shown(digests).map_err(Malformed::Io)
}

/// The digest of the pictures of a table that cannot be listed: that of its bytes.
///
/// # Errors
/// If it cannot be read.
pub fn unlisted(error: Malformed, digests: &mut FileDigests, path: &Path) -> io::Result<Digest> {
    match error {
        Malformed::Io(error) => Err(error),
        _ => digests.digest(path),
    }
}

/// Adds the rows whose pictures are files in a folder, each with its path and its length in bytes. `base` has no links in
/// its path.
fn files(
    base: &Path,
    rows: impl IntoIterator<Item = Row>,
    labels: Labels,
    ledger: Ledger,
) -> Rows<(PathBuf, u64)> {
    let mut all = Rows::new(labels, ledger);
    let mut folders = HashMap::new();
    let mut seen = HashSet::new();
    for mut row in rows {
        let written = row.path.take().unwrap_or_default();
        let found = relative(base, written.trim())
            .and_then(|name| Ok((look(base, &name, &mut folders)?, name)));
        let (bytes, name) = match found {
            Ok(found) => found,
            Err(why) => {
                let named = if written.trim().is_empty() { row.place } else { written };
                all.ledger.lose(What::Picture, why, short(named));
                continue;
            }
        };
        if !seen.insert(name.clone()) {
            all.ledger.lose(What::Picture, "an earlier row names the same picture", name);
            continue;
        }
        let path = base.join(&name);
        all.add(row, Some(&name), (path, bytes));
    }
    all
}

/// A name for the ledger, which keeps some.
fn short(name: String) -> String {
    match name.char_indices().nth(200) {
        Some(_) => name.chars().take(200).chain(['…']).collect(),
        None => name,
    }
}

/// The path of a file in the folder `base`, with `/`, from a path as it is written in a table.
fn relative(base: &Path, written: &str) -> Result<String, String> {
    if written.is_empty() {
        return Err("its path is empty".into());
    }
    if written.contains("://") || written.starts_with("data:") {
        return Err("it is an address, and nothing is downloaded; name a file".into());
    }
    if written.contains('\0') {
        return Err("its path has a zero byte".into());
    }
    let path = Path::new(written);
    let real;
    let path = match path.strip_prefix(base) {
        _ if path.is_relative() => path,
        Ok(path) => path,
        Err(_) => {
            // The folder itself may be written with links.
            real = path.canonicalize().unwrap_or_default();
            real.strip_prefix(base).map_err(|_| {
                "its path is absolute and leads out of the folder; `root` in neuronotes.yaml names \
                 the folder of the pictures"
                    .to_owned()
            })?
        }
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::Normal(part) => parts.push(part.to_str().unwrap_or_default()),
            Component::ParentDir if parts.pop().is_some() => {}
            _ => return Err("its path leads out of the folder".into()),
        }
    }
    match Ending::of_name(written) {
        Ending::Unread(format) => Err(format!("{format} is not supported")),
        _ if parts.is_empty() => Err("it is a folder".into()),
        _ => Ok(parts.join("/")),
    }
}

/// Why nothing of a folder is read; `None` if files in it may be.
type Refusals = HashMap<String, Option<&'static str>>;

/// The length in bytes of a file in the folder `base`.
fn look(base: &Path, name: &str, folders: &mut Refusals) -> Result<u64, String> {
    let outside = "a link that leads out of the folder is not followed";
    let absent = match name.contains('\\') {
        true => "there is no such file; folders are separated by `/`",
        false => "there is no such file",
    };
    let said = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => absent.to_owned(),
        _ => format!("it cannot be read ({error})"),
    };
    let parent = name.rsplit_once('/').map_or("", |(parent, _)| parent);
    if !folders.contains_key(parent) {
        let refusal = match base.join(parent).canonicalize() {
            Ok(real) if real.starts_with(base) => None,
            Ok(_) => Some(outside),
            Err(_) => Some(absent),
        };
        folders.insert(parent.to_owned(), refusal);
    }
    if let Some(why) = folders.get(parent).copied().flatten() {
        return Err(why.to_owned());
    }
    let path = base.join(name);
    let mut meta = fs::symlink_metadata(&path).map_err(said)?;
    if meta.is_symlink() {
        let Ok(real) = path.canonicalize() else { return Err("a link that leads nowhere".into()) };
        if !real.starts_with(base) {
            return Err(outside.to_owned());
        }
        meta = fs::metadata(&real).map_err(said)?;
    }
    match meta {
        meta if meta.is_file() => Ok(meta.len()),
        meta if meta.is_dir() => Err("it is a folder".into()),
        _ => Err("it is a pipe, a socket or a device, not a file".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(line: usize, path: &str, caption: &str, label: &str) -> Row {
        let text = |text: &str| Some(text.to_owned());
        let place = format!("line {line}");
        Row { place, path: text(path), caption: text(caption), label: text(label) }
    }

    #[test]
    fn only_files_inside_the_folder_are_pictures_and_each_other_row_says_why() {
        let dir = tempfile::tempdir().expect("a folder");
        let outside = tempfile::tempdir().expect("a folder");
        let base = dir.path().canonicalize().expect("a folder");
        fs::create_dir_all(base.join("cats/old")).expect("a folder");
        for name in ["cats/1.png", "cats/1.jpg", "cats/old/2", "3.png"] {
            fs::write(base.join(name), name).expect("written");
        }
        fs::write(outside.path().join("secret.png"), "secret").expect("written");
        #[cfg(unix)]
        {
            use std::os::unix::fs::symlink;
            symlink(base.join("3.png"), base.join("linked.png")).expect("a link");
            symlink(outside.path().join("secret.png"), base.join("out.png")).expect("a link");
            symlink(outside.path(), base.join("away")).expect("a link");
            symlink(base.join("nothing"), base.join("loose.png")).expect("a link");
        }
        let absolute = base.join("3.png").display().to_string();
        let other = outside.path().join("secret.png").display().to_string();
        let written = [
            "cats/1.png",
            " ./cats/../cats/1.jpg",
            "cats/old/2",
            &absolute,
            "linked.png",
            "cats//1.png",
            "",
            "none/4.png",
            "cats\\1.png",
            "../3.png",
            &other,
            "https://example.org/5.png",
            "cats",
            "x.avif",
            "out.png",
            "away/secret.png",
            "loose.png",
            "a\0.png",
        ];
        let rows = written.iter().enumerate().map(|(at, path)| row(at + 2, path, " a cat ", ""));
        let found = files(&base, rows, Labels::Folders, Ledger::default());
        let keys: Vec<&str> = found.samples.iter().map(|sample| sample.key.as_str()).collect();
        assert_eq!(keys, ["cats/1", "cats/1.jpg", "cats/old/2", "3", "linked"]);
        assert_eq!(found.samples[0].caption.as_deref(), Some("a cat"));
        assert_eq!(found.samples[2].label.as_deref(), Some("old"));
        assert_eq!(found.places[0], (base.join("cats/1.png"), 10));
        let ledger = &found.ledger;
        let counts = (ledger.pictures, ledger.captions, ledger.labels, ledger.folders);
        assert_eq!(counts, (5, 5, 3, 2));
        let said = ledger.left_out().join("\n");
        for expected in [
            "an earlier row names the same picture (cats/1.png)",
            "its path is empty (line 8)",
            "there is no such file (none/4.png)",
            "folders are separated by `/` (cats\\1.png)",
            "its path leads out of the folder (../3.png)",
            "`root` in neuronotes.yaml",
            "nothing is downloaded; name a file (https://example.org/5.png)",
            "it is a folder (cats)",
            "AVIF is not supported (x.avif)",
            "a link that leads out of the folder is not followed (out.png, away/secret.png)",
            "a link that leads nowhere (loose.png)",
            "zero byte",
        ] {
            assert!(said.contains(expected), "{expected}\n{said}");
        }
    }

    #[test]
    fn rows_without_a_path_are_named_by_their_place_and_texts_are_bounded() {
        let mut rows = Rows::new(Labels::Files, Ledger::default());
        rows.add(row(1, "", &"x".repeat(2 << 20), " a\n"), None, 0);
        rows.add(row(1, "", "", ""), None, 1);
        rows.add(row(2, "", "", ""), Some("a/line 1"), 2);
        let keys: Vec<&str> = rows.samples.iter().map(|sample| sample.key.as_str()).collect();
        assert_eq!(keys, ["line 1", "line 1 [2]", "a/line 1"]);
        assert_eq!(rows.samples[0].label.as_deref(), Some("a"));
        assert_eq!(rows.samples[0].caption, None);
        assert!(rows.ledger.left_out()[0].contains("1 caption skipped: it has more than 1 MiB"));
        assert_eq!(rows.samples[1].label, None);
    }
}
