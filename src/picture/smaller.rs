//! Smaller copies of pictures that pages show: pictures in, files in the program's cache out, each made once and kept as
//! soon as it is made.
//!
//! A kept copy's name says of which picture it is, and what its bytes are: one that is damaged, or lies under another's
//! name, is noticed and made again.

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

/// Pixels across and down, where it is a picture.
pub(crate) type Size = Option<(u32, u32)>;

/// Most bytes of a file that notes point to.
pub(crate) const LARGEST_FILE: u64 = 1 << 30;

/// Raised when the same picture gives other copies.
const VERSION: &str = "2";

/// A smaller copy of a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Copy {
    /// Pixels across.
    pub(crate) width: u32,
    /// Pixels down.
    pub(crate) height: u32,
    /// Where it is in the site.
    pub(crate) path: String,
    /// Where its bytes are.
    pub(crate) from: PathBuf,
    /// The beginning of their digest.
    seal: String,
}

/// The folder of copies, and what is in it.
struct CopyCache {
    folder: PathBuf,
    names: BTreeSet<String>,
}

/// A file that notes point to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Linked {
    /// Where it lies.
    pub(crate) from: PathBuf,
    /// The digest of its bytes.
    pub(crate) digest: Digest,
    /// Where it is a picture.
    pub(crate) size: Size,
}

/// Copies of a picture.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Copies {
    /// Those that take fewer bytes than the picture, by width.
    pub(crate) made: Vec<Copy>,
    /// Why there can be none, where something is wrong with the picture.
    pub(crate) fault: Option<String>,
}

/// The copies of all pictures of a site.
#[derive(Debug, Default)]
pub(crate) struct Smaller {
    /// The copies of each file that notes point to.
    files: BTreeMap<String, Vec<Copy>>,
    /// The thumbnail of each stored picture that lists show.
    thumbnails: BTreeMap<Digest, Copy>,
    /// Files with which something is wrong.
    pub(crate) faults: BTreeMap<String, String>,
}

impl Smaller {
    /// No copies at all.
    pub(crate) const NONE: Self =
        Self { files: BTreeMap::new(), thumbnails: BTreeMap::new(), faults: BTreeMap::new() };

    /// Makes what is not kept yet, on all cores, each picture's as soon as a core is free; `cache` is the folder of copies.
    /// `progress` is told how many pictures are done, out of how many.
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
            // Where there is none, the picture itself is shown.
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

    /// Every copy.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Copy> {
        self.files.values().flatten().chain(self.thumbnails.values())
    }

    /// Takes away copies that are not what their names say; whether there were any.
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

    /// The copies of a file that notes point to, by width.
    pub(crate) fn of_file(&self, path: &str) -> &[Copy] {
        self.files.get(path).map_or(&[], Vec::as_slice)
    }

    /// The copy of a stored picture that lists show; none where the picture itself will do.
    pub(crate) fn thumbnail(&self, picture: &Digest) -> Option<&Copy> {
        self.thumbnails.get(picture)
    }
}

/// That a picture is published as it is, and why.
pub(crate) fn fault(file: String, reason: &str) -> Diagnostic {
    let message = format!("no smaller copies of the picture are made: {reason}");
    let problem = Diagnostic { severity: Severity::Warning, ..Diagnostic::of_file(file, message) };
    problem.hint(Some("it is published as it is; browsers may not show it".to_owned()))
}

/// The endings that copies may have, and that of a note that a copy is no use, with the reason.
const ENDINGS: [&str; 4] = ["jpg", "png", "webp", NONE];
const NONE: &str = "none";

/// Looks at a file that notes point to.
///
/// # Errors
/// Where the file cannot be read.
pub(crate) fn linked(from: &Path, digests: &mut FileDigests) -> io::Result<Linked> {
    let length = fs::metadata(from)?.len();
    if length > LARGEST_FILE {
        return Err(file::Refused::Large(length, LARGEST_FILE).into());
    }
    let digest = digests.digest(from)?;
    // Only the header is read; a file that is no picture has no size.
    let name = from.to_string_lossy();
    let size = guard::run("reading the header of the picture", &name, || picture::size(from));
    let size = size.map_err(|panicked| io::Error::other(panicked.to_string()))?;
    Ok(Linked { from: from.to_owned(), digest, size })
}

impl Linked {
    /// The copies that a page offers.
    fn copies(&self, kept: &CopyCache) -> Copies {
        let widths = self.size.map(|(width, _)| picture::variants(width)).unwrap_or_default();
        copies(&self.digest, &widths, kept, || file::read(&self.from, LARGEST_FILE).ok())
    }
}

/// The copy of a stored picture that lists show.
fn thumbnail(image: &Image, kept: &CopyCache, store: &Store) -> Option<Copy> {
    let useful = picture::is_well_below(picture::THUMBNAIL, image.width);
    let widths = if useful { &[picture::THUMBNAIL][..] } else { &[] };
    copies(&image.digest, widths, kept, || store.blob(&image.digest)).made.pop()
}

/// Copies at these widths: those that are kept, and the others made by one decoding.
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
                // One that takes as much would only cost time; the picture itself will do.
                let (ending, copy) =
                    if copy.len() < bytes.len() { (ending, &*copy) } else { (NONE, &[][..]) };
                // Without a place to keep it, the picture itself has to do.
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

/// The name of a copy up to what its bytes are.
fn stem(digest: &Digest, width: u32) -> String {
    format!("{}-{width}-{VERSION}", digest.hex().cut(..SEAL))
}

/// Where a copy is in the site.
fn published(digest: &Digest, width: u32, ending: &str) -> String {
    format!("figures/smaller/{}.{ending}", stem(digest, width))
}

/// Digits of a digest in a name.
const SEAL: usize = 20;
/// Bytes of the longest reason why there is no copy.
const LONGEST_REASON: u64 = 64 << 10;

/// What an earlier run left.
enum Cached {
    Copy(Copy),
    /// That there is none, and why, where something is wrong.
    None(Option<String>),
}

impl CopyCache {
    fn of(folder: &Path) -> Self {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        Self { folder: folder.to_owned(), names }
    }

    /// What is kept of a picture at a width. Whether a copy is what its name says is seen later, where digests of files
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
        // Of another size it is no copy of ours, and is made again.
        let (across, height) = picture::size(&path)?;
        let (published, seal) = (published(digest, width, ending), seal.to_owned());
        let copy = || Copy { width, height, path: published, from: path, seal };
        (across == width).then(|| Cached::Copy(copy()))
    }

    /// Keeps a copy, or the reason why there is none; says where, and the beginning of its digest.
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
        // What another version kept under a name that says nothing of its bytes.
        for ending in ENDINGS {
            let _ = fs::remove_file(self.folder.join(format!("{}.{ending}", stem(digest, width))));
        }
        Ok((path, seal))
    }
}
