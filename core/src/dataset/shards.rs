//! Finds the shards of a data set. Input: its paths in the configuration: files and folders by name, lists in braces
//! (`s-{000..009}.tar`, `{train,test}.tar`), patterns (`s-*.tar`), folders of archives. Output: the shards, in order.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::ending::{self, Ending};
use super::format::{self, FORMATS, Format};
use super::walk::walk;
use crate::cut::Cut as _;
use crate::dataset::ledger::{Ledger, What};
use crate::file::read_hint;
use crate::problem::Problem;

/// Where data sets are named.
const CONFIGURATION: &str = "neuronotes.yaml";
/// Most shards of a data set.
const MOST: usize = 100_000;

/// The shards of a data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shards {
    /// How they are read.
    pub format: &'static Format,
    /// Each shard once, in order, as an absolute path without links.
    pub paths: Vec<PathBuf>,
    /// What was found among them and skipped.
    pub ledger: Ledger,
}

fn error<T>(message: String, hint: impl Into<Option<String>>) -> Result<T, Problem> {
    Err(Problem { message, hint: hint.into() })
}

/// Finds the shards that paths name. Relative paths start in `root`.
///
/// # Errors
/// Fails if a path names nothing, something that is not a data set, or a shard of another format than the others.
pub fn shards(root: &Path, written: &[String]) -> Result<Shards, Problem> {
    let mut all = Shards { format: FORMATS[0], paths: Vec::new(), ledger: Ledger::default() };
    let mut first: Option<(&'static Format, PathBuf)> = None;
    let mut seen = BTreeSet::new();
    for written in written {
        for path in named(root, written)? {
            let (format, paths) = look(&path, &mut all.ledger)?;
            let (other, before) = first.get_or_insert_with(|| (format, path.clone()));
            if *other != format {
                let message = format!(
                    "all parts of a data set have one format, but {} is {}, and {} is {}",
                    before.display(),
                    other.noun,
                    path.display(),
                    format.noun
                );
                return error(message, "make a data set of each".to_owned());
            }
            for path in paths {
                if !seen.insert(path.clone()) {
                    let message = format!("`path` names {} more than once", path.display());
                    return error(message, format!("name it once in {CONFIGURATION}"));
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

/// The paths that a written path names, without links.
fn named(root: &Path, written: &str) -> Result<Vec<PathBuf>, Problem> {
    let place = format!("the path is set in {}", CONFIGURATION);
    let real = |path: &Path, name: &str| {
        path.canonicalize().map_err(|cause| Problem {
            hint: Some(read_hint(&cause).map_or_else(|| place.clone(), str::to_owned)),
            message: match cause.kind() {
                std::io::ErrorKind::NotFound => format!("`{name}` was not found"),
                _ => format!("`{name}` cannot be read ({cause})"),
            },
        })
    };
    // A file whose name has braces or stars in it takes precedence.
    if let Ok(path) = root.join(written).canonicalize() {
        return Ok(vec![path]);
    }
    let mut found = Vec::new();
    for name in braces(written)? {
        if !name.contains(['*', '?', '[']) {
            found.push(real(&root.join(&name), &name)?);
            continue;
        }
        // The garden's own path is not part of the pattern.
        let inside = Path::new(&name).is_relative();
        let root = glob::Pattern::escape(&root.to_string_lossy());
        let pattern = if inside { format!("{root}/{name}") } else { name.clone() };
        let paths = glob::glob(&pattern).map_err(|cause| Problem {
            message: format!("`{name}` is not a pattern ({cause})"),
            hint: Some("such as `shards/s-*.tar`".to_owned()),
        })?;
        let before = found.len();
        for path in paths {
            let path = path.map_err(|cause| Problem {
                hint: read_hint(cause.error()).map(str::to_owned),
                message: format!("`{name}` cannot be followed ({cause})"),
            })?;
            found.push(real(&path, &path.display().to_string())?);
        }
        if found.len() == before {
            return error(format!("no file matches `{name}`"), place);
        }
    }
    Ok(found)
}

/// A name for each choice of its braces.
fn braces(written: &str) -> Result<Vec<String>, Problem> {
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

/// The choices in braces, `000..012` or `train,test`; `None` if it is neither.
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
        // Too many; the caller reports it.
        return Some(vec![String::new(); MOST + 1]);
    }
    Some(match first <= last {
        true => (first..=last).map(one).collect(),
        false => (last..=first).rev().map(one).collect(),
    })
}

/// The format and the shards of an existing path.
fn look(path: &Path, ledger: &mut Ledger) -> Result<(&'static Format, Vec<PathBuf>), Problem> {
    if path.is_dir() {
        return in_folder(path, ledger);
    }
    if !path.is_file() {
        return error(format!("{} is not a file or a folder", path.display()), format::known());
    }
    let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase());
    let name = name.unwrap_or_default();
    if let Some(format) = Format::of_file(&name) {
        return Ok((format, vec![path.to_owned()]));
    }
    let packed = [".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.lz4", ".zip", ".7z", ".rar"];
    let table = [".json", ".arrow", ".feather", ".h5", ".hdf5", ".xlsx", ".ods"];
    let hint = match name.as_str() {
        name if packed.iter().any(|ending| name.ends_with(ending)) => {
            "unpack it into a folder, and name that".to_owned()
        }
        name if [".csv.gz", ".tsv.gz", ".csv.zst"].iter().any(|ending| name.ends_with(ending)) => {
            "unpack it, and name the table".to_owned()
        }
        name if table.iter().any(|ending| name.ends_with(ending)) => {
            "write it as a table in CSV or Parquet, and name that".to_owned()
        }
        name if Ending::of_name(name) == Ending::Picture => {
            "name the folder that the picture lies in".to_owned()
        }
        _ => format::known(),
    };
    error(format!("{} is not a data set", path.display()), hint)
}

/// The format and the shards of a folder: of pictures, or of archives.
fn in_folder(path: &Path, ledger: &mut Ledger) -> Result<(&'static Format, Vec<PathBuf>), Problem> {
    let (found, _) = walk(path).map_err(|cause| Problem {
        hint: read_hint(&cause).map(str::to_owned),
        message: format!("{} cannot be read ({cause})", path.display()),
    })?;
    let visible = |name: &str| !name.rsplit('/').next().unwrap_or(name).starts_with('.');
    let usable: Vec<_> = found.iter().filter(|f| f.refused.is_none() && visible(&f.name)).collect();
    if let Some(format) = Format::of_folder(usable.iter().map(|found| &*found.name)) {
        return Ok((format, vec![path.to_owned()]));
    }
    // Tools that write archives write tables beside them.
    let is_there =
        |format: &&&Format| usable.iter().any(|f| Format::gathered(&f.name) == Some(**format));
    let Some(format) = FORMATS.iter().copied().find(|format| is_there(&format)) else {
        if found.is_empty() {
            let hint = "put pictures into it; if it is on a network share or another disk, check that this is connected";
            return error(format!("the folder {} is empty", path.display()), hint.to_owned());
        }
        let unread = usable.iter().find_map(|found| match Ending::of_name(&found.name) {
            Ending::Unread(format) => Some(format!(
                "{format} is not supported: convert the pictures to PNG, for example ({})",
                found.name
            )),
            _ => None,
        });
        let links = found.iter().find_map(|f| f.refused.map(|why| format!("{why} ({})", f.name)));
        let endings = || format!("names of pictures end in .{}", ending::PICTURES.join(", ."));
        let hint = unread.or(links).unwrap_or_else(endings);
        return error(format!("{} has no pictures", path.display()), hint);
    };
    let is_shard = |name: &str| Format::gathered(name) == Some(format);
    let shards: Vec<PathBuf> =
        usable.iter().filter(|f| is_shard(&f.name)).map(|f| f.path.clone()).collect();
    for other in &found {
        let why = match other.refused {
            Some(why) if is_shard(&other.name) => {
                ledger.lose(What::Part, why, &*other.name);
                continue;
            }
            None if is_shard(&other.name) => continue,
            _ => "it is in a folder of archives or tables",
        };
        ledger.entries += 1;
        ledger.lose(What::Other, why, &*other.name);
    }
    let real = |path: PathBuf| path.canonicalize().unwrap_or(path);
    Ok((format, shards.into_iter().map(real).collect()))
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
        let (_dir, made) = lay(&["00000.parquet", "00000.tar", "00000_stats.json", "0.csv"]);
        assert_eq!(found(&made, &["."]), ["00000.tar"], "as img2dataset writes it");
        let (_dir, made) = lay(&["data/test-0.parquet", "data/train-0.parquet", "README.md"]);
        assert_eq!(found(&made, &["."]), ["data/test-0.parquet", "data/train-0.parquet"]);
        let of_archives = shards(&root, &["t".to_owned()]).expect("shards");
        assert_eq!(of_archives.ledger.lost[0].names, ["stats.json"]);
    }

    #[test]
    fn what_is_no_data_set_is_said() {
        let (_dir, root) = lay(&[
            "a.tar",
            "b.zip",
            "c.json",
            "d.png",
            "e/x.avif",
            "w.txt",
            "f/readme.md",
            "t.csv.gz",
        ]);
        fs::create_dir(root.join("g")).expect("a folder");
        for (written, expected) in [
            (&["s-{0..2}.tar"][..], "`s-0.tar` was not found"),
            (&["s-*.tar"], "no file matches `s-*.tar`"),
            (&["a.tar", "w.txt"], "w.txt is a list of words"),
            (&["a.tar", "?.tar"], "more than once"),
            (&["b.zip"], "unpack it"),
            (&["c.json"], "write it as a table in CSV or Parquet"),
            (&["t.csv.gz"], "unpack it, and name the table"),
            (&["d.png"], "name the folder"),
            (&["e"], "AVIF is not supported"),
            (&["f"], "has no pictures"),
            (&["g"], "g is empty"),
            (&["s-{0..99999999999}.tar"], "more than 100000 shards"),
        ] {
            let said = wrong(&root, written);
            assert!(said.contains(expected), "{written:?}: {said}");
        }
    }
}
