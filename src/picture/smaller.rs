//! Smaller copies of pictures on pages, cached in the program's folder as soon as each is made.
//!
//! A cached copy's name contains the digests of its picture and of its own bytes, so a damaged or swapped copy is
//! noticed and made again.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use neuronotes_core::cut::Cut as _;
use neuronotes_core::digest::Digest;
use neuronotes_core::file::{self, write_atomic};
use neuronotes_core::files::FileDigests;
use neuronotes_core::place;
use neuronotes_core::store::Store;
use rayon::prelude::*;

use super::EncodedCopy;
use crate::diagnostic::{Diagnostic, Severity};
use crate::figure::Image;
use crate::guard;
use crate::picture;

/// Width and height in pixels, if it is a picture.
pub(crate) type Size = Option<(u32, u32)>;

/// Maximum size of a file that notes link to, in bytes.
pub(crate) const LARGEST_FILE: u64 = 1 << 30;

/// Bump when the same picture gives different copies.
const VERSION: &str = "2";

/// A smaller copy of a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Copy {
    /// Width in pixels.
    pub(crate) width: u32,
    /// Height in pixels.
    pub(crate) height: u32,
    /// Path in the site.
    pub(crate) path: String,
    /// Path of its file.
    pub(crate) from: PathBuf,
    /// The first digits of its digest.
    seal: String,
}

/// The folder of copies, and its contents.
struct CopyCache {
    folder: PathBuf,
    names: BTreeSet<String>,
}

/// A file that notes link to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Linked {
    /// Its path.
    pub(crate) from: PathBuf,
    /// The digest of its bytes.
    pub(crate) digest: Digest,
    /// Its size, if it is a picture.
    pub(crate) size: Size,
}

/// Copies of a picture.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Copies {
    /// Copies that are smaller in bytes than the picture, by width.
    pub(crate) made: Vec<Copy>,
    /// Why there are none, if there is a problem with the picture.
    pub(crate) fault: Option<String>,
}

/// The copies of all pictures of a site.
#[derive(Debug, Default)]
pub(crate) struct Smaller {
    /// The copies of each file that notes link to.
    files: BTreeMap<String, Vec<Copy>>,
    /// The thumbnails of stored pictures, for lists.
    thumbnails: BTreeMap<Digest, Copy>,
    /// Files with problems.
    pub(crate) faults: BTreeMap<String, String>,
}

impl Smaller {
    /// Has no copies at all.
    pub(crate) const NONE: Self =
        Self { files: BTreeMap::new(), thumbnails: BTreeMap::new(), faults: BTreeMap::new() };

    /// Makes missing copies on all cores; `cache` is the folder of copies. `progress` is called with the number of
    /// finished pictures and their total.
    pub(crate) fn make(
        linked: &BTreeMap<&str, &Linked>,
        leads: Vec<&Image>,
        cache: &Path,
        store: &Store,
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Self {
        let kept = CopyCache::of(cache);
        let all = linked.len() + leads.len();
        let done = AtomicUsize::new(0);
        let count = || progress(done.fetch_add(1, Ordering::Relaxed) + 1, all);
        let copied: Vec<(&str, Copies)> = linked
            .par_iter()
            .map(|(path, linked)| {
                let copies =
                    guard::run("making copies of the picture", path, || linked.copies(&kept));
                let copies = copies.unwrap_or_else(|panicked| Copies {
                    fault: Some(panicked.to_string()),
                    ..Copies::default()
                });
                count();
                (*path, copies)
            })
            .collect();
        let small = leads.par_iter().filter_map(|image| {
            let name = image.digest.hex();
            // If there is none, the picture itself is shown.
            let small = guard::run("making a thumbnail", &name, || thumbnail(image, &kept, store));
            let small = small.ok().flatten();
            count();
            Some((image.digest, small?))
        });
        let mut made = Self { thumbnails: small.collect(), ..Self::default() };
        for (path, copies) in copied {
            made.faults.extend(copies.fault.map(|fault| (path.to_owned(), fault)));
            made.files.insert(path.to_owned(), copies.made);
        }
        made
    }

    /// All copies.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Copy> {
        self.files.values().flatten().chain(self.thumbnails.values())
    }

    /// Removes copies that do not match their names; returns whether there were any.
    pub(crate) fn drop_damaged(&mut self, digests: &mut FileDigests) -> bool {
        let mut dropped = false;
        let mut is_whole = |copy: &Copy| {
            let found = digests.digest(&copy.from);
            let is_it = found.is_ok_and(|digest| digest.hex().starts_with(&copy.seal));
            if !is_it {
                dropped = true;
                let _ = fs::remove_file(&copy.from);
            }
            is_it
        };
        self.files.values_mut().for_each(|copies| copies.retain(&mut is_whole));
        self.thumbnails.retain(|_, copy| is_whole(copy));
        dropped
    }

    /// The copies of a file that notes link to, by width.
    pub(crate) fn of_file(&self, path: &str) -> &[Copy] {
        self.files.get(path).map_or(&[], Vec::as_slice)
    }

    /// The thumbnail of a stored picture; `None` if the picture itself is small enough.
    pub(crate) fn thumbnail(&self, picture: &Digest) -> Option<&Copy> {
        self.thumbnails.get(picture)
    }
}

/// The warning that a picture is published without copies.
pub(crate) fn fault(file: String, reason: &str) -> Diagnostic {
    let message = format!("no smaller copies of the picture are made: {reason}");
    let problem = Diagnostic { severity: Severity::Warning, ..Diagnostic::of_file(file, message) };
    problem.hint(Some("it is published as it is; browsers may not show it".to_owned()))
}

/// The file extensions of copies, and of a file that says why there is no copy.
const ENDINGS: [&str; 4] = ["jpg", "png", "webp", NONE];
const NONE: &str = "none";

/// Reads a file that notes link to.
///
/// # Errors
/// If the file cannot be read.
pub(crate) fn linked(from: &Path, digests: &mut FileDigests) -> io::Result<Linked> {
    let length = fs::metadata(from)?.len();
    if length > LARGEST_FILE {
        return Err(file::Refused::Large(length, LARGEST_FILE).into());
    }
    let digest = digests.digest(from)?;
    // Only the header is read; a file that is not a picture has no size.
    let name = from.to_string_lossy();
    let size = guard::run("reading the header of the picture", &name, || picture::size(from));
    let size = size.map_err(|panicked| io::Error::other(panicked.to_string()))?;
    Ok(Linked { from: from.to_owned(), digest, size })
}

impl Linked {
    /// The copies that a page offers to browsers.
    fn copies(&self, kept: &CopyCache) -> Copies {
        let widths = self.size.map(|(width, _)| picture::variants(width)).unwrap_or_default();
        copies(&self.digest, &widths, kept, || file::read(&self.from, LARGEST_FILE).ok())
    }
}

/// The thumbnail of a stored picture.
fn thumbnail(image: &Image, kept: &CopyCache, store: &Store) -> Option<Copy> {
    let useful = picture::is_well_below(picture::THUMBNAIL, image.width);
    let widths = if useful { &[picture::THUMBNAIL][..] } else { &[] };
    copies(&image.digest, widths, kept, || store.blob(&image.digest)).made.pop()
}

/// Copies at these widths: cached ones, and the others made from one decoding.
fn copies(
    digest: &Digest,
    widths: &[u32],
    kept: &CopyCache,
    bytes: impl FnOnce() -> Option<Vec<u8>>,
) -> Copies {
    let mut copies = Copies::default();
    let mut missing = Vec::new();
    for width in widths {
        match kept.kept(digest, *width) {
            Some(Cached::Copy(copy)) => copies.made.push(copy),
            Some(Cached::None(fault)) => copies.fault = fault.or(copies.fault),
            None => missing.push(*width),
        }
    }
    if missing.is_empty() {
        return copies;
    }
    let Some(bytes) = bytes() else { return copies };
    let keep = |width: u32, ending: &str, bytes: &[u8]| kept.keep(digest, width, ending, bytes);
    match picture::copies(&bytes, &missing) {
        Ok(made) => {
            let is_made = |width: &u32| made.iter().any(|copy| copy.width == *width);
            for width in missing.iter().filter(|width| !is_made(width)) {
                let _ = keep(*width, NONE, &[]);
            }
            for EncodedCopy { width, height, bytes: copy, ending } in made {
                // A copy that is not smaller in bytes only costs time; the picture itself is used.
                let (ending, copy) =
                    if copy.len() < bytes.len() { (ending, &*copy) } else { (NONE, &[][..]) };
                // If the copy cannot be cached, the picture itself is used.
                if let Ok((from, seal)) = keep(width, ending, copy)
                    && ending != NONE
                {
                    let path = published(digest, width, ending);
                    copies.made.push(Copy { width, height, path, from, seal });
                }
            }
            copies.made.sort_by_key(|copy| copy.width);
        }
        Err(picture::Unfit::Moves) => {
            for width in missing {
                let _ = keep(width, NONE, &[]);
            }
        }
        Err(picture::Unfit::Broken(reason)) => {
            for width in missing {
                let _ = keep(width, NONE, reason.as_bytes());
            }
            copies.fault = Some(reason);
        }
    }
    copies
}

/// The name of a copy without the digest of its bytes.
fn stem(digest: &Digest, width: u32) -> String {
    format!("{}-{width}-{VERSION}", digest.hex().cut(..SEAL))
}

/// The path of a copy in the site.
fn published(digest: &Digest, width: u32, ending: &str) -> String {
    format!("figures/smaller/{}.{ending}", stem(digest, width))
}

/// Number of a digest's digits in a name.
const SEAL: usize = 20;
/// Maximum size of a file that says why there is no copy, in bytes.
const LONGEST_REASON: u64 = 64 << 10;

/// The result of an earlier run.
enum Cached {
    Copy(Copy),
    /// There is none, with the reason if there is a problem.
    None(Option<String>),
}

impl CopyCache {
    fn of(folder: &Path) -> Self {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        Self { folder: folder.to_owned(), names }
    }

    /// The cached copy of a picture at a width. Whether it matches its name is checked later, when digests of files
    /// are known.
    fn kept(&self, digest: &Digest, width: u32) -> Option<Cached> {
        let start = format!("{}-", stem(digest, width));
        let names = self.names.range(start.clone()..).take_while(|name| name.starts_with(&start));
        names.filter_map(|name| self.one(digest, width, name, name.cut(start.len()..))).next()
    }

    fn one(&self, digest: &Digest, width: u32, name: &str, rest: &str) -> Option<Cached> {
        let (seal, ending) = rest.split_once('.')?;
        let path = self.folder.join(name);
        if seal.len() != SEAL || !ENDINGS.contains(&ending) {
            return None;
        }
        if ending == NONE {
            let reason = place::read(&path, LONGEST_REASON).ok()?;
            let is_whole = Digest::of(&reason).hex().starts_with(seal);
            let reason = is_whole.then(|| String::from_utf8(reason).ok())??;
            return Some(Cached::None(Some(reason).filter(|reason| !reason.is_empty())));
        }
        if !fs::symlink_metadata(&path).is_ok_and(|meta| meta.is_file()) {
            return None;
        }
        // A file of another size is not one of these copies, and is made again.
        let (across, height) = picture::size(&path)?;
        let (published, seal) = (published(digest, width, ending), seal.to_owned());
        let copy = || Copy { width, height, path: published, from: path, seal };
        (across == width).then(|| Cached::Copy(copy()))
    }

    /// Caches a copy or the reason why there is none; returns its path and the first digits of its digest.
    fn keep(
        &self,
        digest: &Digest,
        width: u32,
        ending: &str,
        bytes: &[u8],
    ) -> io::Result<(PathBuf, String)> {
        let seal = Digest::of(bytes).hex().cut(..SEAL).to_owned();
        let path = self.folder.join(format!("{}-{seal}.{ending}", stem(digest, width)));
        fs::create_dir_all(&self.folder)?;
        write_atomic(&path, bytes)?;
        // Copies of earlier versions, whose names contain no digest of their bytes.
        for ending in ENDINGS {
            let _ = fs::remove_file(self.folder.join(format!("{}.{ending}", stem(digest, width))));
        }
        Ok((path, seal))
    }
}
