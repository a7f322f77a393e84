//! What the configuration says of where a data set lies, in; its shards, in order, out: files and folders by name, lists
//! in braces (`s-{000..009}.tar`, `{train,test}.tar`), patterns (`s-*.tar`), and folders of archives.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::ending::{self, Ending};
use super::folder;
use crate::cut::Cut as _;
use crate::dataset::DatasetFormat;
use crate::dataset::ledger::{Ledger, What};

/// Where data sets are named.
const CONFIGURATION: &str = "neuronotes.yaml";
/// Most shards of a data set.
const MOST: usize = 100_000;
/// Endings of archives, compressed or not.
const ARCHIVES: [&str; 6] = [".tar", ".tar.gz", ".tgz", ".tar.zst", ".tar.zstd", ".tzst"];
const KNOWN: &str = "known: a folder of pictures, WebDataset `.tar` archives (also `.tar.gz` and `.tar.zst`), a `.txt` list of words";

/// Where the shards of a data set lie, and how they are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shards {
    /// How.
    pub format: DatasetFormat,
    /// Each once, absolute and without links, in order.
    pub paths: Vec<PathBuf>,
    /// What lies among them and is none.
    pub ledger: Ledger,
}

/// Why there are no shards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardsError {
    /// What is wrong.
    pub message: String,
    /// What to do, where that is known.
    pub hint: Option<String>,
}

fn error<T>(message: String, hint: impl Into<Option<String>>) -> Result<T, ShardsError> {
    Err(ShardsError { message, hint: hint.into() })
}

/// The shards that paths name, each as it is written and below `root` where it is relative.
///
/// # Errors
/// Where a path leads nowhere, to something that is no data set, or to one of another format than the others.
pub fn shards(root: &Path, written: &[String]) -> Result<Shards, ShardsError> {
    let mut all =
        Shards { format: DatasetFormat::Tar, paths: Vec::new(), ledger: Ledger::default() };
    let mut first: Option<(DatasetFormat, PathBuf)> = None;
    let mut seen = BTreeSet::new();
    for written in written {
        for path in named(root, written)? {
            let (format, paths) = look(&path, &mut all.ledger)?;
            let (other, before) = first.get_or_insert_with(|| (format, path.clone()));
            if *other != format {
                let message = format!(
                    "{} is {}, and {} is {}",
                    before.display(),
                    noun(*other),
                    path.display(),
                    noun(format)
                );
                return error(message, "make a data set of each".to_owned());
            }
            for path in paths {
                if !seen.insert(path.clone()) {
                    let message = format!("{} is named twice", path.display());
                    return error(message, format!("name it once in {}", CONFIGURATION));
                }
                all.paths.push(path);
            }
            if all.paths.len() > MOST {
                return error(format!("`{written}` names more than {MOST} shards"), None);
            }
            all.format = format;
        }
    }
    Ok(all)
}

fn noun(format: DatasetFormat) -> &'static str {
    match format {
        DatasetFormat::Tar => "a tar archive",
        DatasetFormat::Folder => "a folder of pictures",
        DatasetFormat::Words => "a list of words",
    }
}

/// What a path names, without links.
fn named(root: &Path, written: &str) -> Result<Vec<PathBuf>, ShardsError> {
    let place = format!("the path stands in {}", CONFIGURATION);
    let real = |path: &Path, name: &str| {
        path.canonicalize().map_err(|cause| ShardsError {
            message: format!("`{name}` cannot be read ({cause})"),
            hint: Some(place.clone()),
        })
    };
    // A name with such characters in it goes first.
    if let Ok(path) = root.join(written).canonicalize() {
        return Ok(vec![path]);
    }
    let mut found = Vec::new();
    for name in braces(written)? {
        if !name.contains(['*', '?', '[']) {
            found.push(real(&root.join(&name), &name)?);
            continue;
        }
        // The garden's own path is no pattern.
        let inside = Path::new(&name).is_relative();
        let root = glob::Pattern::escape(&root.to_string_lossy());
        let pattern = if inside { format!("{root}/{name}") } else { name.clone() };
        let paths = glob::glob(&pattern).map_err(|cause| ShardsError {
            message: format!("`{name}` is not a pattern ({cause})"),
            hint: Some("such as `shards/s-*.tar`".to_owned()),
        })?;
        let before = found.len();
        for path in paths {
            let path = path.map_err(|cause| ShardsError {
                message: format!("`{name}` cannot be followed ({cause})"),
                hint: None,
            })?;
            found.push(real(&path, &path.display().to_string())?);
        }
        if found.len() == before {
            return error(format!("no file is named as `{name}`"), place);
        }
    }
    Ok(found)
}

/// A name for each choice of its braces.
fn braces(written: &str) -> Result<Vec<String>, ShardsError> {
    let group = written.find('{').and_then(|open| {
        let close = open + written.cut(open..).find('}')?;
        let choices = choices(written.cut(open + 1..close))?;
        Some((written.cut(..open), choices, written.cut(close + 1..)))
    });
    let Some((before, choices, after)) = group else { return Ok(vec![written.to_owned()]) };
    let after = braces(after)?;
    if choices.len().saturating_mul(after.len()) > MOST {
        return error(format!("`{written}` names more than {MOST} shards"), None);
    }
    let one = |choice: &String| {
        after.iter().map(|after| format!("{before}{choice}{after}")).collect::<Vec<_>>()
    };
    Ok(choices.iter().flat_map(one).collect())
}

/// What stands in braces: `000..012`, or `train,test`; `None` where it is neither.
fn choices(inside: &str) -> Option<Vec<String>> {
    if inside.contains(',') {
        return Some(inside.split(',').map(str::to_owned).collect());
    }
    let (from, to) = inside.split_once("..")?;
    let (first, last): (u64, u64) = (from.parse().ok()?, to.parse().ok()?);
    let padded = from.len() > 1 && from.starts_with('0') || to.len() > 1 && to.starts_with('0');
    let width = if padded { from.len().max(to.len()) } else { 0 };
    let one = |number: u64| format!("{number:0width$}");
    let count = first.abs_diff(last).saturating_add(1);
    if count > MOST as u64 {
        // More than may be: the caller counts.
        return Some(vec![String::new(); MOST + 1]);
    }
    Some(match first <= last {
        true => (first..=last).map(one).collect(),
        false => (last..=first).rev().map(one).collect(),
    })
}

fn is_archive(name: &str) -> bool {
    let name = name.to_lowercase();
    ARCHIVES.iter().any(|ending| name.ends_with(ending))
}

/// What lies at a path that is there: the format, and the shards of which it consists.
fn look(path: &Path, ledger: &mut Ledger) -> Result<(DatasetFormat, Vec<PathBuf>), ShardsError> {
    if path.is_dir() {
        return in_folder(path, ledger);
    }
    if !path.is_file() {
        return error(format!("{} is not a file or a folder", path.display()), KNOWN.to_owned());
    }
    let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase());
    let name = name.unwrap_or_default();
    let packed = [".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.lz4", ".zip", ".7z", ".rar"];
    let table = [".parquet", ".csv", ".tsv", ".json", ".jsonl", ".arrow", ".h5", ".hdf5"];
    let hint = match name.as_str() {
        name if is_archive(name) => return Ok((DatasetFormat::Tar, vec![path.to_owned()])),
        name if name.ends_with(".txt") => {
            return Ok((DatasetFormat::Words, vec![path.to_owned()]));
        }
        name if packed.iter().any(|ending| name.ends_with(ending)) => {
            "unpack it into a folder, and name that".to_owned()
        }
        name if table.iter().any(|ending| name.ends_with(ending)) => {
            format!("tables are not read; {KNOWN}")
        }
        name if ending::split(name).is_some_and(|(_, e)| Ending::of(e) == Ending::Picture) => {
            "name the folder that the picture lies in".to_owned()
        }
        _ => KNOWN.to_owned(),
    };
    error(format!("{} is not a data set", path.display()), hint)
}

/// A folder of pictures, or one of archives.
fn in_folder(
    path: &Path,
    ledger: &mut Ledger,
) -> Result<(DatasetFormat, Vec<PathBuf>), ShardsError> {
    let (found, _) = folder::walk(path).map_err(|cause| ShardsError {
        message: format!("{} cannot be read ({cause})", path.display()),
        hint: None,
    })?;
    let kind = |name: &str| ending::split(name).map_or(Ending::Other, |(_, e)| Ending::of(e));
    let visible = |name: &str| !name.rsplit('/').next().unwrap_or(name).starts_with('.');
    let usable: Vec<_> = found.iter().filter(|f| f.refused.is_none() && visible(&f.name)).collect();
    if usable.iter().any(|found| kind(&found.name) == Ending::Picture) {
        return Ok((DatasetFormat::Folder, vec![path.to_owned()]));
    }
    let archives: Vec<PathBuf> =
        usable.iter().filter(|f| is_archive(&f.name)).map(|f| f.path.clone()).collect();
    if archives.is_empty() {
        let unread = usable.iter().find_map(|found| match kind(&found.name) {
            Ending::Unread(format) => Some(format!(
                "{format} is not read: convert the pictures, for instance to PNG ({})",
                found.name
            )),
            _ => None,
        });
        let links = found.iter().find_map(|f| f.refused.map(|why| format!("{why} ({})", f.name)));
        let endings = || format!("files that count end in {}", ending::PICTURES.join(", "));
        let hint = unread.or(links).unwrap_or_else(endings);
        return error(format!("{} has no pictures", path.display()), hint);
    }
    for other in &found {
        let why = match other.refused {
            Some(why) if is_archive(&other.name) => {
                ledger.lose(What::Part, why, &*other.name);
                continue;
            }
            None if is_archive(&other.name) => continue,
            _ => "it lies in a folder of archives",
        };
        ledger.entries += 1;
        ledger.lose(What::Other, why, &*other.name);
    }
    let real = |path: PathBuf| path.canonicalize().unwrap_or(path);
    Ok((DatasetFormat::Tar, archives.into_iter().map(real).collect()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn lay(files: &[&str]) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().expect("a folder");
        let root = dir.path().canonicalize().expect("a folder");
        for name in files {
            let path = root.join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(path, name).expect("written");
        }
        (dir, root)
    }

    fn found(root: &Path, written: &[&str]) -> Vec<String> {
        let written: Vec<String> = written.iter().map(|text| (*text).to_owned()).collect();
        let found = shards(root, &written).unwrap_or_else(|error| panic!("{error:?}"));
        let name = |path: &PathBuf| {
            path.strip_prefix(root).expect("inside").to_string_lossy().into_owned()
        };
        found.paths.iter().map(name).collect()
    }

    fn wrong(root: &Path, written: &[&str]) -> String {
        let written: Vec<String> = written.iter().map(|text| (*text).to_owned()).collect();
        let error = shards(root, &written).expect_err("no shards");
        format!("{} / {}", error.message, error.hint.unwrap_or_default())
    }

    #[test]
    fn shards_are_named_by_lists_ranges_patterns_and_folders() {
        let names = ["t/s-000.tar", "t/s-001.tar", "t/s-002.TGZ", "t/stats.json", "u/a.png"];
        let (_dir, root) = lay(&[&names[..], &["odd{1,2}.tar", "v/w.tar.zst"]].concat());
        let three = ["t/s-000.tar", "t/s-001.tar", "t/s-002.TGZ"];
        assert_eq!(found(&root, &["t/s-{000..001}.tar"]), three[..2]);
        assert_eq!(found(&root, &["t/s-{001..000}.tar"]), [three[1], three[0]]);
        assert_eq!(found(&root, &["t/s-00{0,1}.tar"]), three[..2]);
        assert_eq!(found(&root, &["t/s-*.tar"]), three[..2]);
        assert_eq!(found(&root, &["t/s-00?.*"]), three);
        assert_eq!(found(&root, &["t"]), three);
        assert_eq!(found(&root, &["v/w.tar.zst", "t/s-001.tar"]), ["v/w.tar.zst", "t/s-001.tar"]);
        assert_eq!(found(&root, &["u"]), ["u"]);
        assert_eq!(found(&root, &["odd{1,2}.tar"]), ["odd{1,2}.tar"], "a file of that very name");
        let of_archives = shards(&root, &["t".to_owned()]).expect("shards");
        assert_eq!(of_archives.ledger.lost[0].names, ["stats.json"]);
    }

    #[test]
    fn what_is_no_data_set_is_said() {
        let (_dir, root) =
            lay(&["a.tar", "b.zip", "c.parquet", "d.png", "e/x.avif", "w.txt", "f/readme.md"]);
        for (written, expected) in [
            (&["s-{0..2}.tar"][..], "`s-0.tar` cannot be read"),
            (&["s-*.tar"], "no file is named as `s-*.tar`"),
            (&["a.tar", "w.txt"], "w.txt is a list of words"),
            (&["a.tar", "?.tar"], "is named twice"),
            (&["b.zip"], "unpack it"),
            (&["c.parquet"], "tables are not read"),
            (&["d.png"], "name the folder"),
            (&["e"], "AVIF is not read"),
            (&["f"], "has no pictures"),
            (&["s-{0..99999999999}.tar"], "more than 100000 shards"),
        ] {
            let said = wrong(&root, written);
            assert!(said.contains(expected), "{written:?}: {said}");
        }
    }
}
