//! Smaller copies of pictures that notes show: a picture in, files in the program's cache out, each made once.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::digest::{Digest, FileDigests};
use crate::file::write_atomic;
use crate::picture;

/// Pixels across and down, where it is a picture.
pub(super) type Size = Option<(u32, u32)>;

/// A smaller copy of a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Smaller {
    /// Pixels across.
    pub(super) width: u32,
    /// Where it is in the site.
    pub(super) path: String,
    /// Where its bytes are.
    pub(super) from: PathBuf,
}

/// A file that notes point to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Linked {
    /// Of its bytes.
    pub(super) digest: Digest,
    /// Where it is a picture.
    pub(super) size: Size,
    /// By width.
    pub(super) smaller: Vec<Smaller>,
}

/// The endings that copies may have.
const ENDINGS: [&str; 3] = ["jpg", "png", "webp"];

/// Looks at a file that notes point to. `cache` is the folder of copies.
///
/// # Errors
/// Where the file cannot be read.
pub(super) fn linked(from: &Path, cache: &Path, digests: &mut FileDigests) -> io::Result<Linked> {
    let digest = digests.digest(from)?;
    // Only the header is read; a file that is no picture has no size.
    let size = image::image_dimensions(from).ok();
    let widths = size.map(|(width, _)| picture::variants(width)).unwrap_or_default();
    let smaller = widths.into_iter().filter_map(|width| smaller(from, cache, &digest, width));
    Ok(Linked { digest, size, smaller: smaller.collect() })
}

/// A copy of that width; none where it cannot be made, and then the picture itself has to do.
fn smaller(from: &Path, cache: &Path, digest: &Digest, width: u32) -> Option<Smaller> {
    let name = format!("{}-{width}", &digest.hex()[..20]);
    let known = ENDINGS.iter().find(|ending| cache.join(format!("{name}.{ending}")).is_file());
    let ending = match known {
        Some(ending) => *ending,
        None => {
            let (bytes, ending) = picture::shrunk(&fs::read(from).ok()?, width).ok()?;
            fs::create_dir_all(cache).ok()?;
            write_atomic(&cache.join(format!("{name}.{ending}")), &bytes).ok()?;
            ending
        }
    };
    let file = format!("{name}.{ending}");
    Some(Smaller { width, from: cache.join(&file), path: format!("figures/smaller/{file}") })
}
