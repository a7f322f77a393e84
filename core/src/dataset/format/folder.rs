//! A folder of pictures, each with files beside it that describe it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::entry::{Format, Samples, Shard};
use crate::dataset::ending::Ending;
use crate::dataset::group::{self, Naming};
use crate::dataset::ledger::{Ledger, What};
use crate::dataset::listing::{Listing, Malformed, rules};
use crate::dataset::loose::Loose;
use crate::dataset::reading::Reading;
use crate::dataset::sheet::Sheet;
use crate::dataset::{file, walk};
use crate::file::open_in;

/// Folders with at least one picture.
pub static FORMAT: Format = Format {
    name: "folder",
    noun: "a folder of pictures",
    summary: "folder of pictures",
    accepts: "a folder of pictures",
    doc: "A folder with all its subfolders: pictures, ordered by path, and beside them files with their captions and \
          labels.",
    covers: "the names and bytes of all files that are not hidden",
    shard: Shard::Folder { holds: |name| Ending::of_name(name) == Ending::Picture },
    samples: Samples::Pictures,
    has_columns: false,
    digest: |digests, path, _| digests.folder(path),
    pictures: Some(|digests, path, _| digests.pictures(path)),
    hint: None,
    list,
};

fn list(path: &Path, reading: &Reading) -> Result<Listing, Malformed> {
    let mut sheet = Sheet::default();
    let root = path.canonicalize().map_err(Malformed::Io)?;
    let (files, is_new) = files(path, &mut sheet.ledger).map_err(Malformed::Io)?;
    let mut read = |place: &PathBuf, bytes: u64| {
        let file = open_in(&root, place).and_then(|file| file::bytes_at(&file, 0, bytes));
        file.map_err(|error| error.to_string())
    };
    sheet.add(&files, Naming::Folder, reading.labels, &mut read);
    Ok(Listing {
        samples: sheet.samples,
        ledger: sheet.ledger,
        rules: rules(sheet.is_new || is_new),
        columns: Vec::new(),
        drawn: None,
        pictures: Box::new(Loose { root, places: sheet.places }),
    })
}

/// The files of a folder that may be read, and whether the first rules would have read others.
fn files(root: &Path, ledger: &mut Ledger) -> io::Result<(Vec<group::File<PathBuf>>, bool)> {
    let (found, hidden) = walk::walk(root)?;
    let mut files = Vec::new();
    let mut is_new = false;
    for found in found {
        ledger.entries += 1;
        if let Some(why) = found.refused {
            let what = group::meant(&found.name);
            // The first rules followed links wherever they led.
            is_new |= what != What::Other;
            ledger.lose(what, why, found.name);
            continue;
        }
        let bytes = fs::metadata(&found.path)?.len();
        // The first rules did not distinguish names that differ only in bytes that are not UTF-8.
        let is_new = !crate::file::is_text(&found.path);
        files.push(group::File { name: found.name, place: found.path, bytes, is_new });
    }
    for name in hidden {
        ledger.lose(What::Other, "hidden, since the name begins with a dot", name + "/");
    }
    Ok((files, is_new))
}
