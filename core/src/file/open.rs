//! Opens files whose paths a garden provides; all such files are opened here.
//!
//! Pipes, sockets and devices are never opened, so nothing can block on them. A file that is replaced between the
//! check and opening is checked again. A file that must be in a folder is checked with all links resolved.

use std::fs::{self, File, FileType, Metadata, OpenOptions};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::away;

/// Why a file is not read, other than an error of the file system.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is not a regular file.
    #[error("it is {0}, not a file")]
    Other(&'static str),
    /// It is outside the folder.
    #[error("it is outside the garden")]
    Outside,
    /// It is too large.
    #[error("it has {}; the limit is {}", bytes(*.0), bytes(*.1))]
    Large(u64, u64),
}

impl From<Refused> for io::Error {
    fn from(refused: Refused) -> Self {
        Self::new(io::ErrorKind::InvalidInput, refused)
    }
}

impl Refused {
    /// The refusal behind an I/O error, if there is one.
    pub fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Other(_) => "replace it with a file, or remove it from the garden",
            Self::Outside => "copy its target into the garden",
            Self::Large(..) => "make it smaller, or remove it from the garden",
        }
    }
}

/// What to do about an unreadable file, if known.
pub fn hint(error: &io::Error) -> Option<&'static str> {
    match Refused::of(error) {
        Some(refused) => Some(refused.hint()),
        None if error.kind() == io::ErrorKind::PermissionDenied => Some("make it readable"),
        None => away::hint(error),
    }
}

/// A size in bytes for people.
fn bytes(count: u64) -> String {
    match count {
        0..0x1_0000 => format!("{count} bytes"),
        0x1_0000..0x10_0000 => format!("{} KiB", count >> 10),
        0x10_0000..0x4000_0000 => format!("{} MiB", count >> 20),
        _ => format!("{} GiB", count >> 30),
    }
}

/// The kind of something that is not a file.
fn kind(kind: FileType) -> Refused {
    Refused::Other(match kind {
        kind if kind.is_dir() => "a folder",
        kind if kind.is_symlink() => "a link",
        _ => special(kind),
    })
}

#[cfg(unix)]
fn special(kind: FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt as _;
    match kind {
        kind if kind.is_fifo() => "a pipe",
        kind if kind.is_socket() => "a socket",
        _ => "a device",
    }
}

#[cfg(not(unix))]
fn special(_: FileType) -> &'static str {
    "a device"
}

/// Opens a regular file, following links: for paths given by the user or the configuration.
///
/// # Errors
/// Errors of the file system, or if it is not a regular file.
pub fn open(path: &Path) -> io::Result<File> {
    opened(path, true)
}

/// Opens a regular file in the folder `root`, whose path contains no links.
///
/// # Errors
/// As for [`open()`], and if the file is outside the folder.
pub fn open_in(root: &Path, path: &Path) -> io::Result<File> {
    if let Some(file) = plain(root, path) {
        return Ok(file);
    }
    let real = within(root, path)?;
    let file = opened(&real, false)?;
    // A folder on the way may have been swapped for a link meanwhile.
    match same(&file.metadata()?, &fs::symlink_metadata(within(root, &real)?)?) {
        true => Ok(file),
        false => Err(Refused::Outside.into()),
    }
}

/// Opens the file in one step if its path contains no links, and hence is not outside the folder; most files of a
/// garden are opened this way.
#[cfg(target_os = "linux")]
fn plain(root: &Path, path: &Path) -> Option<File> {
    use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2};
    let rest = path.strip_prefix(root).ok()?;
    let named = |part| matches!(part, std::path::Component::Normal(_));
    if !rest.components().all(named) || !fs::metadata(path).ok()?.is_file() {
        return None;
    }
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = openat2(CWD, path, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS).ok()?;
    let file = File::from(file);
    file.metadata().is_ok_and(|meta| meta.is_file()).then_some(file)
}

#[cfg(not(target_os = "linux"))]
fn plain(_: &Path, _: &Path) -> Option<File> {
    None
}

/// The path with all links resolved; it must be in the folder `root`, whose path contains no links.
///
/// # Errors
/// If it is outside the folder or does not exist.
pub fn within(root: &Path, path: &Path) -> io::Result<PathBuf> {
    let real = path.canonicalize()?;
    if real.starts_with(root) { Ok(real) } else { Err(Refused::Outside.into()) }
}

/// The content of a file of limited size.
///
/// # Errors
/// As for [`open()`], and if the file is too large.
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    bounded(open(path)?, most)
}

/// The content of a file of limited size in the folder `root`.
///
/// # Errors
/// As for [`open_in`], and if the file is too large.
pub fn read_in(root: &Path, path: &Path, most: u64) -> io::Result<Vec<u8>> {
    bounded(open_in(root, path)?, most)
}

/// The content of an open file of limited size; it may grow while it is read.
///
/// # Errors
/// If it cannot be read or is too large.
pub fn bounded(file: File, most: u64) -> io::Result<Vec<u8>> {
    let length = file.metadata()?.len();
    if length > most {
        return Err(Refused::Large(length, most).into());
    }
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
    let read = file.take(most.saturating_add(1)).read_to_end(&mut bytes)? as u64;
    if read > most { Err(Refused::Large(read, most).into()) } else { Ok(bytes) }
}

/// Decodes bytes as text.
///
/// # Errors
/// If they are not UTF-8.
pub fn text(bytes: Vec<u8>) -> io::Result<String> {
    String::from_utf8(bytes)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8"))
}

fn opened(path: &Path, follow: bool) -> io::Result<File> {
    // A pipe would wait for its writer, and a device may do something: they are looked at before they are opened.
    let before = fs::metadata(path)?;
    if !before.is_file() {
        return Err(kind(before.file_type()).into());
    }
    let mut options = OpenOptions::new();
    options.read(true);
    unwaiting(&mut options, follow);
    let file = options.open(path)?;
    let after = file.metadata()?;
    if after.is_file() { Ok(file) } else { Err(kind(after.file_type()).into()) }
}

#[cfg(unix)]
fn unwaiting(options: &mut OpenOptions, follow: bool) {
    use std::os::unix::fs::OpenOptionsExt as _;
    let last = if follow { 0 } else { libc::O_NOFOLLOW };
    options.custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY | last);
}

#[cfg(not(unix))]
fn unwaiting(_: &mut OpenOptions, _: bool) {}

#[cfg(unix)]
fn same(a: &Metadata, b: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (a.dev(), a.ino()) == (b.dev(), b.ino())
}

#[cfg(not(unix))]
fn same(a: &Metadata, b: &Metadata) -> bool {
    (a.len(), a.modified().ok()) == (b.len(), b.modified().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(result: io::Result<Vec<u8>>) -> String {
        result.expect_err("refused").to_string()
    }

    #[test]
    fn a_file_is_no_longer_than_it_may_be_whatever_it_says() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = dir.path().join("a.txt");
        fs::write(&path, [b'a'; 100]).expect("a file");
        assert_eq!(read(&path, 100).expect("read").len(), 100);
        assert_eq!(refused(read(&path, 99)), "it has 100 bytes; the limit is 99 bytes");
        let sparse = File::create(dir.path().join("b.txt")).expect("a file");
        sparse.set_len(50 << 30).expect("a length");
        let found = refused(read(&dir.path().join("b.txt"), 16 << 20));
        assert_eq!(found, "it has 50 GiB; the limit is 16 MiB");
        assert_eq!(refused(read(dir.path(), 100)), "it is a folder, not a file");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_file_that_says_less_than_it_has_is_bounded_too() {
        assert!(refused(read(Path::new("/proc/self/maps"), 10)).contains("it has 11 bytes"));
    }

    #[test]
    #[cfg(unix)]
    fn nothing_but_files_inside_is_opened_and_nothing_waits() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let outside = tempfile::tempdir().expect("a temporary folder");
        let root = dir.path().canonicalize().expect("a folder");
        fs::write(outside.path().join("secret"), "Xyzzy").expect("a file");
        fs::create_dir(root.join("in")).expect("a folder");
        fs::write(root.join("in/a"), "a").expect("a file");
        let link = |to: &Path, name: &str| {
            std::os::unix::fs::symlink(to, root.join(name)).expect("a link");
        };
        link(&root.join("in/a"), "b");
        link(&root.join("in"), "also");
        link(&outside.path().join("secret"), "c");
        link(outside.path(), "out");
        link(Path::new("/dev/zero"), "zero");
        let inside = |name: &str| read_in(&root, &root.join(name), 100);
        for name in ["in/a", "b", "also/a", "in/../b"] {
            assert_eq!(inside(name).expect(name), b"a", "{name}");
        }
        for name in ["c", "out/secret", "in/../../../etc/passwd", "zero"] {
            let why = inside(name).expect_err(name);
            assert!(
                matches!(Refused::of(&why), Some(Refused::Outside)) || name.contains("etc"),
                "{name}: {why}"
            );
        }
        assert_eq!(read(&root.join("c"), 100).expect("named"), b"Xyzzy");
        assert_eq!(refused(read(&root.join("zero"), 100)), "it is a device, not a file");
        let _socket =
            std::os::unix::net::UnixListener::bind(root.join("socket")).expect("a socket");
        assert_eq!(refused(inside("socket")), "it is a socket, not a file");
        let made = std::process::Command::new("mkfifo").arg(root.join("pipe")).status();
        assert!(made.expect("mkfifo").success());
        assert_eq!(refused(inside("pipe")), "it is a pipe, not a file");
        assert_eq!(refused(read(&root.join("pipe"), 1)), "it is a pipe, not a file");
    }
}
