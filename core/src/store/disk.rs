//! A store on disk: its folders, and how files in it are written, read and set aside.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use super::error::{StoreError, io_error};
use crate::cut::Cut as _;
use crate::digest::Digest;
use crate::{file, place};

/// A store on disk.
#[derive(Debug, Clone)]
pub struct Store {
    /// Its folder `v1`.
    pub(super) root: PathBuf,
    /// Whether it is frozen: it is only read, and has only what pages need.
    pub(super) frozen: bool,
    /// Whether results here may lack what pages do not show.
    pub(super) shown_only: bool,
    /// How many damaged files were found, by this store and its clones.
    damage: Arc<AtomicU64>,
}

/// The folders in `v1`.
pub(super) const FOLDERS: [&str; 10] = [
    "blobs", "records", "figures", "indexes", "claims", "failures", "partial", "tmp", "roots",
    POOLS,
];
/// The folder of pools of workers: see [`pool`](crate::pool).
pub const POOLS: &str = "pools";
/// The folder of a pool's units of work.
pub const UNITS: &str = "units";
/// Marks a store whose results may lack what pages do not show, beside its folder `v1`.
const SHOWN_ONLY: &str = "shown-only.txt";
const SHOWN_ONLY_SAYS: &str = "Some results in this store were pulled from an object store without what only measuring needs.\n\
    `neuronotes store sync URL --pull --all` brings the rest.\n";
/// Most bytes of a record, a drawing or a failure.
pub(super) const LONGEST: u64 = 64 << 20;
/// Most bytes of a list of the results that a garden uses.
pub(super) const LONGEST_ROOT: u64 = 512 << 20;

/// What is written to try a store out.
const TRIED: &[u8] = b"written, read and removed again";

impl Store {
    /// Opens the store in `folder`, usually `.neuronotes/store`, and makes its folders. A store that cannot be written to
    /// can still be read; writing to it fails.
    ///
    /// # Errors
    /// Fails if its folders cannot be made for another reason, or if one of them is a link.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let root = folder.join("v1");
        for name in FOLDERS {
            let path = root.join(name);
            // Collection must not follow a link out of the store.
            place::unlinked(folder, Path::new("v1").join(name)).map_err(io_error("use", &path))?;
            if let Err(source) = fs::create_dir_all(&path)
                && !file::is_unwritable(&source)
            {
                return Err(StoreError::Io { what: "make", path, source });
            }
        }
        Ok(Self { root, frozen: false, shown_only: false, damage: Arc::default() })
    }

    /// The store of frozen results in `folder`, which is never changed.
    pub fn frozen(folder: &Path) -> Self {
        Self { root: folder.join("v1"), frozen: true, shown_only: true, damage: Arc::default() }
    }

    /// The same store as pages see it: if results were brought here without what pages do not show, they exist all the same. For
    /// measuring, which may use everything, they do not.
    #[must_use]
    pub fn for_pages(mut self) -> Self {
        self.shown_only |= fs::symlink_metadata(self.folder().join(SHOWN_ONLY)).is_ok();
        self
    }

    /// The same store as pages see it, marked as one whose results may lack what pages do not show.
    ///
    /// # Errors
    /// Fails if the file system reports an error.
    pub fn shown_only(&self) -> Result<Self, StoreError> {
        let path = self.folder().join(SHOWN_ONLY);
        if fs::symlink_metadata(&path).is_err() {
            self.write(&path, SHOWN_ONLY_SAYS.as_bytes())?;
        }
        Ok(self.clone().for_pages())
    }

    /// Whether the store is frozen.
    pub fn is_frozen(&self) -> bool {
        self.frozen
    }

    /// How many damaged files were found so far. If it grows, stored results may have to be measured again.
    pub fn damage(&self) -> u64 {
        self.damage.load(Ordering::Relaxed)
    }

    /// Counts a damaged file outside the store, such as a copy of a picture.
    pub fn met_damage(&self) {
        self.damage.fetch_add(1, Ordering::Relaxed);
    }

    /// The folder that [`Store::open`] was given.
    pub fn folder(&self) -> &Path {
        self.root.parent().unwrap_or(&self.root)
    }

    pub(super) fn sharded(&self, kind: &str, digest: &Digest, suffix: &str) -> PathBuf {
        let hex = digest.hex();
        self.root.join(kind).join(hex.cut(..2)).join(format!("{hex}{suffix}"))
    }

    /// The path of the blob with this digest, whether it exists or not.
    pub fn blob_path(&self, digest: &Digest) -> PathBuf {
        self.sharded("blobs", digest, "")
    }

    /// The path of the record with this key, whether it exists or not.
    pub fn record_path(&self, key: &Digest) -> PathBuf {
        self.sharded("records", key, ".json")
    }

    /// The path of the picture that a running request shows.
    pub fn partial_path(&self, key: &Digest) -> PathBuf {
        self.root.join("partial").join(format!("{key}.png"))
    }

    /// Replaces the picture that a running request shows.
    ///
    /// # Errors
    /// Fails if the file system reports an error.
    pub fn put_partial(&self, key: &Digest, png: &[u8]) -> Result<PathBuf, StoreError> {
        let path = self.partial_path(key);
        // No sync: this picture is worth nothing after a crash.
        file::replace(&self.root.join("tmp"), &path, png).map_err(io_error("write", &path))?;
        Ok(path)
    }

    /// Writes a file and waits until it is on disk.
    pub(super) fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
        let temporary = self.place(path)?;
        file::write_through(&temporary, path, bytes).map_err(io_error("write", path))
    }

    /// Writes a file without waiting for the disk, which takes seconds while others write much. A power cut may damage it,
    /// which is noticed when it is read.
    pub(super) fn write_unsynced(&self, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
        let temporary = self.place(path)?;
        file::replace(&temporary, path, bytes).map_err(io_error("write", path))
    }

    /// Makes the folder of a file that is about to be written; returns the folder for the temporary one.
    pub(super) fn place(&self, path: &Path) -> Result<PathBuf, StoreError> {
        if self.frozen {
            let source = io::Error::from(io::ErrorKind::ReadOnlyFilesystem);
            return Err(StoreError::Io {
                what: "change frozen results in",
                path: path.to_owned(),
                source,
            });
        }
        if let Some(within) = path.parent().and_then(|folder| folder.strip_prefix(&self.root).ok())
        {
            place::unlinked(&self.root, within).map_err(io_error("write", path))?;
        }
        let temporary = self.root.join("tmp");
        for folder in [path.parent().unwrap_or(&self.root), &temporary] {
            fs::create_dir_all(folder).map_err(io_error("make", folder))?;
        }
        Ok(temporary)
    }

    /// The bytes of one of its files, or `None` if there is no such file. Anything but a regular file of at most `most`
    /// bytes is set aside.
    pub(super) fn read(&self, path: &Path, most: u64) -> Option<Vec<u8>> {
        match place::read(path, most) {
            Ok(bytes) => Some(bytes),
            Err(error) => {
                use io::ErrorKind::{FileTooLarge, InvalidInput};
                if matches!(error.kind(), FileTooLarge | InvalidInput) {
                    self.set_aside(path);
                }
                None
            }
        }
    }

    /// What `make` makes of one of its files, or `None` if there is no such file. One that is damaged is read once more, since a
    /// network file system may have given half of it; if it still is, it is set aside.
    pub(super) fn read_whole<T>(
        &self,
        path: &Path,
        most: u64,
        make: impl Fn(Vec<u8>) -> Option<T>,
    ) -> Option<T> {
        for _ in 0..2 {
            if let Some(made) = make(self.read(path, most)?) {
                return Some(made);
            }
        }
        self.set_aside(path);
        None
    }

    /// Makes a network file system look again for what another machine may have stored under a key: it remembers for a
    /// while that a name was missing, until somebody lists the folder.
    pub fn refresh(&self, key: &Digest) {
        list_again(&self.record_path(key));
    }

    /// Tries it out: a file is written, read back and removed.
    ///
    /// # Errors
    /// If that fails, because the disk is full, for example, or the file system is away.
    pub fn try_out(&self) -> io::Result<()> {
        let file = file::unique(&self.root.join("tmp"), TRIED)?;
        match fs::read(&file)? == TRIED {
            true => file.close(),
            false => Err(io::Error::other("a file was not read back as it was written")),
        }
    }

    /// Moves a damaged file to `tmp/`, where it stays for a day.
    pub(super) fn set_aside(&self, path: &Path) {
        if let (false, Some(name)) = (self.frozen, path.file_name()) {
            let aside = self.root.join("tmp").join(format!("bad-{}", name.to_string_lossy()));
            match fs::rename(path, &aside) {
                Ok(()) => {
                    // Touching a pipe would block.
                    if fs::symlink_metadata(&aside).is_ok_and(|meta| meta.is_file()) {
                        let _ = file::touch(&aside);
                    }
                    self.met_damage();
                }
                // Another process was faster.
                Err(error) if error.kind() == io::ErrorKind::NotFound => self.met_damage(),
                Err(_) => {}
            }
        }
    }
}

/// Lists the folder of a file: see [`Store::refresh`].
pub(super) fn list_again(path: &Path) {
    if let Some(Ok(mut names)) = path.parent().map(fs::read_dir) {
        let _ = names.next();
    }
}

/// When a file was last written or marked as used; 1970 if that is unknown.
pub(super) fn modified(meta: &fs::Metadata) -> SystemTime {
    meta.modified().unwrap_or(SystemTime::UNIX_EPOCH)
}
