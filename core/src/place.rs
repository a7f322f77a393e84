//! Safe paths below a folder.
//!
//! Everything that is written, removed or read back by name alone goes through here: the output folder, the store,
//! the caches and frozen results. Lists of such names may have come with somebody else's garden.

use std::fs::{self, File, Metadata};
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};
use std::thread;
use std::time::{Duration, SystemTime};

/// The path of `relative` below `folder`.
///
/// The folder itself may be a link, since the user named it. Below it, links are followed only if they lead to
/// another place below it. The last component is not resolved, because renaming and removing act on a link, not on
/// its target.
///
/// # Errors
/// If the path is absolute or empty, contains `..`, or has a link in it that leads out of the folder.
pub fn below(folder: &Path, relative: impl AsRef<Path>) -> io::Result<PathBuf> {
    let mut path = folder.to_owned();
    let mut parts = relative.as_ref().components().peekable();
    if parts.peek().is_none() {
        return Err(astray("an empty path names no file".to_owned()));
    }
    // A path that does not exist contains no links.
    let mut is_there = true;
    while let Some(part) = parts.next() {
        let Component::Normal(part) = part else {
            let shown = relative.as_ref().display();
            return Err(astray(format!("the path `{shown}` leads out of the folder")));
        };
        path.push(part);
        if !is_there || parts.peek().is_none() {
            continue;
        }
        match fs::symlink_metadata(&path) {
            Ok(meta) if meta.is_symlink() => stays(folder, &path)?,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => is_there = false,
            Err(error) => return Err(error),
        }
    }
    Ok(path)
}

/// Checks that a link below a folder leads to a place below it.
fn stays(folder: &Path, link: &Path) -> io::Result<()> {
    let (real, target) = (folder.canonicalize()?, link.canonicalize());
    match target {
        Ok(target) if target.starts_with(&real) => Ok(()),
        _ => Err(astray(format!("{} is a link that leads out of the folder", link.display()))),
    }
}

fn astray(why: String) -> io::Error {
    io::Error::other(why)
}

/// Checks that a path below a folder contains no links at all.
///
/// # Errors
/// If it contains one.
pub fn unlinked(folder: &Path, relative: impl AsRef<Path>) -> io::Result<()> {
    let mut path = folder.to_owned();
    for part in relative.as_ref().components() {
        path.push(part);
        if fs::symlink_metadata(&path).is_ok_and(|meta| meta.is_symlink()) {
            return Err(astray(format!("{} is a link", path.display())));
        }
    }
    Ok(())
}

/// Whether the path is a folder, not a link to one.
pub fn is_folder(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|meta| meta.is_dir())
}

/// How often a file is read that a network file system gives only in part, or under a handle that has gone stale.
const READINGS: u32 = 4;
/// The pause before it is read again.
const PAUSE: Duration = Duration::from_millis(5);

/// The bytes of a regular file of limited size. Links, devices and pipes are not opened, so nothing can block.
///
/// Over NFS, a file that another machine replaced counts as not found (it is looked for once more), and one that is shorter
/// than its length is read again.
///
/// # Errors
/// If it is not a regular file, is too large, or cannot be read.
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    read_timed(path, most).map(|(bytes, _)| bytes)
}

/// The same, with the time at which the file was last written to, which is that of the file that was read.
///
/// # Errors
/// As for [`read`].
pub fn read_timed(path: &Path, most: u64) -> io::Result<(Vec<u8>, SystemTime)> {
    let mut left = READINGS;
    loop {
        left -= 1;
        match read_once(path, most) {
            Ok((bytes, meta)) if left == 0 || bytes.len() as u64 >= meta.len() => {
                return Ok((bytes, meta.modified()?));
            }
            Err(error) if error.kind() == io::ErrorKind::StaleNetworkFileHandle => {
                if left == 0 {
                    return Err(io::ErrorKind::NotFound.into());
                }
            }
            Err(error) => return Err(error),
            Ok(_) => {}
        }
        thread::sleep(PAUSE);
    }
}

fn read_once(path: &Path, most: u64) -> io::Result<(Vec<u8>, Metadata)> {
    let meta = fs::symlink_metadata(path)?;
    let longer = || io::Error::from(io::ErrorKind::FileTooLarge);
    if !meta.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
    }
    if meta.len() > most {
        return Err(longer());
    }
    let mut bytes = Vec::with_capacity(usize::try_from(meta.len()).unwrap_or(0));
    // It may have grown since.
    let mut file = File::open(path)?;
    (&mut file).take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most { Err(longer()) } else { Ok((bytes, file.metadata()?)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_below_its_folder_or_is_refused() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let folder = dir.path().join("output");
        fs::create_dir_all(folder.join("a/b")).expect("folders");
        fs::create_dir(dir.path().join("outside")).expect("a folder");
        let is = |relative: &str| below(&folder, relative).ok();
        assert_eq!(is("a.html"), Some(folder.join("a.html")));
        assert_eq!(is("a/b/c/new.html"), Some(folder.join("a/b/c/new.html")));
        for wrong in ["../secret", "a/../../b", "a/..", "..", "/etc/passwd", "", ".", "a/../c"] {
            assert_eq!(is(wrong), None, "{wrong}");
        }
    }

    #[test]
    #[cfg(unix)]
    fn a_link_is_followed_only_where_it_stays_below() {
        use std::os::unix::fs::symlink;
        let dir = tempfile::tempdir().expect("a temporary folder");
        let folder = dir.path().join("output");
        fs::create_dir_all(folder.join("real/deep")).expect("folders");
        fs::create_dir(dir.path().join("outside")).expect("a folder");
        for (target, link) in [
            ("real/deep", "inner"),
            ("../outside", "outer"),
            ("nowhere", "dangling"),
            ("deep/../..", "real/up"),
        ] {
            symlink(target, folder.join(link)).expect("a link");
        }
        let is = |relative: &str| below(&folder, relative).is_ok();
        assert!(is("inner/a.html") && is("real/up/a.html"));
        assert!(!is("outer/a.html") && !is("dangling/a.html") && !is("outer/x/y"));
        // A link itself can be replaced and removed.
        assert!(is("outer"));
        assert!(unlinked(&folder, "real/deep").is_ok() && unlinked(&folder, "none/at/all").is_ok());
        assert!(unlinked(&folder, "inner").is_err() && unlinked(&folder, "real/up/x").is_err());
        // The folder itself may be a link.
        symlink("output", dir.path().join("named")).expect("a link");
        assert!(below(&dir.path().join("named"), "inner/a.html").is_ok());
        assert!(below(&dir.path().join("named"), "outer/a.html").is_err());
    }

    #[test]
    fn only_regular_files_of_a_length_are_read() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let file = dir.path().join("a");
        fs::write(&file, "12345").expect("a file");
        assert_eq!(read(&file, 5).expect("bytes"), b"12345");
        assert!(read(&file, 4).is_err() && read(dir.path(), 9).is_err());
        #[cfg(unix)]
        {
            let link = dir.path().join("link");
            std::os::unix::fs::symlink("/dev/zero", &link).expect("a link");
            assert!(read(&link, 9).is_err() && read(Path::new("/dev/zero"), 9).is_err());
        }
    }
}
