//! Smaller copies of pictures that pages show: pictures in, files in the program's cache out, each made once and kept as
//! soon as it is made.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::Sink;
use crate::cut::Cut as _;
use crate::diagnostic::{Diagnostic, Severity};
use crate::digest::{Digest, FileDigests};
use crate::figure::Image;
use crate::file::write_atomic;
use crate::guard;
use crate::page::Thumbnail;
use crate::picture::{self, Copied};
use crate::store::Store;

/// Pixels across and down, where it is a picture.
pub(super) type Size = Option<(u32, u32)>;

/// Raised when the same picture gives other copies.
const VERSION: &str = "2";

/// A smaller copy of a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Copy {
    /// Pixels across.
    pub(super) width: u32,
    /// Pixels down.
    pub(super) height: u32,
    /// Where it is in the site.
    pub(super) path: String,
    /// Where its bytes are.
    pub(super) from: PathBuf,
}

/// A file that notes point to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Linked {
    /// Where it lies.
    pub(super) from: PathBuf,
    /// Of its bytes.
    pub(super) digest: Digest,
    /// Where it is a picture.
    pub(super) size: Size,
}

/// Copies of a picture.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Copies {
    /// Those that take fewer bytes than the picture, by width.
    pub(super) made: Vec<Copy>,
    /// Why there can be none, where something is wrong with the picture.
    pub(super) fault: Option<String>,
}

/// The copies of all pictures of a site.
#[derive(Debug, Default)]
pub(super) struct Smaller {
    /// Of each file that notes point to.
    files: BTreeMap<String, Vec<Copy>>,
    /// Of each stored picture that lists show.
    thumbnails: BTreeMap<Digest, Copy>,
    /// Files with which something is wrong.
    pub(super) faults: BTreeMap<String, String>,
}

impl Smaller {
    /// Makes what is not kept yet, on all cores, each picture's as soon as a core is free; `cache` is the folder of copies.
    pub(super) fn make(
        linked: &BTreeMap<String, Linked>,
        leads: Vec<&Image>,
        cache: &Path,
        store: &Store,
        sink: &dyn Sink,
    ) -> Self {
        let all = linked.len() + leads.len();
        let done = AtomicUsize::new(0);
        let count = || sink.copied(done.fetch_add(1, Ordering::Relaxed) + 1, all);
        let copied: Vec<(&String, Copies)> = linked
            .par_iter()
            .map(|(path, linked)| {
                let copies =
                    guard::run("making copies of the picture", path, || linked.copies(cache));
                let copies = copies.unwrap_or_else(|panicked| Copies {
                    fault: Some(panicked.to_string()),
                    ..Copies::default()
                });
                count();
                (path, copies)
            })
            .collect();
        let small = leads.par_iter().filter_map(|image| {
            let name = image.digest.hex();
            // Where there is none, the picture itself is shown.
            let small = guard::run("making a thumbnail", &name, || thumbnail(image, cache, store));
            let small = small.ok().flatten();
            count();
            Some((image.digest, small?))
        });
        let mut made = Self { thumbnails: small.collect(), ..Self::default() };
        for (path, copies) in copied {
            made.faults.extend(copies.fault.map(|fault| (path.clone(), fault)));
            made.files.insert(path.clone(), copies.made);
        }
        made
    }

    /// Every copy.
    pub(super) fn all(&self) -> impl Iterator<Item = &Copy> {
        self.files.values().flatten().chain(self.thumbnails.values())
    }

    /// What pages offer of each file: widths, and paths in the site.
    pub(super) fn variants(&self) -> BTreeMap<String, Vec<(u32, String)>> {
        let offered = |copies: &Vec<Copy>| {
            copies.iter().map(|copy| (copy.width, copy.path.clone())).collect()
        };
        self.files.iter().map(|(path, copies)| (path.clone(), offered(copies))).collect()
    }

    /// What lists show of each stored picture.
    pub(super) fn shown(&self) -> BTreeMap<Digest, Thumbnail> {
        let shown = |copy: &Copy| Thumbnail {
            path: copy.path.clone(),
            width: copy.width,
            height: copy.height,
        };
        self.thumbnails.iter().map(|(digest, copy)| (*digest, shown(copy))).collect()
    }
}

/// That a picture is published as it is, and why.
pub(super) fn fault(file: String, reason: &str) -> Diagnostic {
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
pub(super) fn linked(from: &Path, digests: &mut FileDigests) -> io::Result<Linked> {
    let digest = digests.digest(from)?;
    // Only the header is read; a file that is no picture has no size.
    let name = from.to_string_lossy();
    let size = guard::run("reading the header of the picture", &name, || picture::size(from));
    let size = size.map_err(|panicked| io::Error::other(panicked.to_string()))?;
    Ok(Linked { from: from.to_owned(), digest, size })
}

impl Linked {
    /// The copies that a page offers. `cache` is their folder.
    pub(super) fn copies(&self, cache: &Path) -> Copies {
        let widths = self.size.map(|(width, _)| picture::variants(width)).unwrap_or_default();
        copies(&self.digest, &widths, cache, || fs::read(&self.from).ok())
    }
}

/// The copy of a stored picture that lists show.
fn thumbnail(image: &Image, cache: &Path, store: &Store) -> Option<Copy> {
    let useful = picture::is_well_below(picture::THUMBNAIL, image.width);
    let widths = if useful { &[picture::THUMBNAIL][..] } else { &[] };
    copies(&image.digest, widths, cache, || store.blob(&image.digest)).made.pop()
}

/// Copies at these widths: those that are kept, and the others made by one decoding.
fn copies(
    digest: &Digest,
    widths: &[u32],
    cache: &Path,
    bytes: impl FnOnce() -> Option<Vec<u8>>,
) -> Copies {
    let mut copies = Copies::default();
    let mut missing = Vec::new();
    for width in widths {
        match kept(digest, *width, cache) {
            Some(Kept::Copy(copy)) => copies.made.push(copy),
            Some(Kept::None(fault)) => copies.fault = fault.or(copies.fault),
            None => missing.push(*width),
        }
    }
    if missing.is_empty() {
        return copies;
    }
    let Some(bytes) = bytes() else { return copies };
    let keep = |name: &str, bytes: &[u8]| {
        fs::create_dir_all(cache)?;
        write_atomic(&cache.join(name), bytes)
    };
    match picture::copies(&bytes, &missing) {
        Ok(made) => {
            let is_made = |width: &u32| made.iter().any(|copy| copy.width == *width);
            for width in missing.iter().filter(|width| !is_made(width)) {
                let _ = keep(&file(digest, *width, NONE), &[]);
            }
            for Copied { width, height, bytes: copy, ending } in made {
                // One that takes as much would only cost time; the picture itself will do.
                let (ending, copy) =
                    if copy.len() < bytes.len() { (ending, &*copy) } else { (NONE, &[][..]) };
                let file = file(digest, width, ending);
                // Without a place to keep it, the picture itself has to do.
                if keep(&file, copy).is_ok() && ending != NONE {
                    copies.made.push(Copy::of(&file, width, height, cache));
                }
            }
            copies.made.sort_by_key(|copy| copy.width);
        }
        Err(picture::Unfit::Moves) => {
            for width in missing {
                let _ = keep(&file(digest, width, NONE), &[]);
            }
        }
        Err(picture::Unfit::Broken(reason)) => {
            for width in missing {
                let _ = keep(&file(digest, width, NONE), reason.as_bytes());
            }
            copies.fault = Some(reason);
        }
    }
    copies
}

impl Copy {
    fn of(file: &str, width: u32, height: u32, cache: &Path) -> Self {
        Self { width, height, from: cache.join(file), path: format!("figures/smaller/{file}") }
    }
}

fn file(digest: &Digest, width: u32, ending: &str) -> String {
    format!("{}-{width}-{VERSION}.{ending}", digest.hex().cut(..20))
}

/// What an earlier run left.
enum Kept {
    Copy(Copy),
    /// That there is none, and why, where something is wrong.
    None(Option<String>),
}

fn kept(digest: &Digest, width: u32, cache: &Path) -> Option<Kept> {
    let names = ENDINGS.iter().map(|ending| (ending, file(digest, width, ending)));
    let (ending, file) = names.into_iter().find(|(_, file)| cache.join(file).is_file())?;
    let path = cache.join(&file);
    if *ending == NONE {
        let reason = fs::read_to_string(path).ok()?;
        return Some(Kept::None(Some(reason).filter(|reason| !reason.is_empty())));
    }
    // Of another size it is no copy of ours, and is made again.
    let (across, height) = picture::size(&path)?;
    (across == width).then(|| Kept::Copy(Copy::of(&file, width, height, cache)))
}
