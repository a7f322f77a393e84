//! Text files of words or phrases, one per line, each drawn as a picture of itself.

use std::io;
use std::path::Path;

use super::entry::{Format, Samples, Shard};
use crate::dataset::file;
use crate::dataset::ledger::Ledger;
use crate::dataset::listing::{Listing, Malformed, Pictures, rules};
use crate::dataset::reading::Reading;
use crate::dataset::sample::Sample;
use crate::dataset::word::words;
use crate::encoding;
use crate::file::open;
use crate::lettering::needs_shaping;
use crate::sniff;

/// Most bytes of a list.
const LARGEST: u64 = 64 << 20;

/// Lists of words.
pub static FORMAT: Format = Format {
    name: "words",
    noun: "a list of words",
    summary: "list of words, each drawn as a picture of itself",
    accepts: "a `.txt` list of words",
    doc: "A text file with one word or phrase per line; each is drawn as a picture.",
    covers: "the bytes of the file",
    shard: Shard::File { endings: &[".txt"], gathered: false },
    samples: Samples::Words,
    has_columns: false,
    digest: |digests, path, _| digests.digest(path),
    pictures: None,
    hint: None,
    list,
};

fn list(path: &Path, reading: &Reading) -> Result<Listing, Malformed> {
    let file = open(path).map_err(Malformed::Io)?;
    let length = file.metadata().map_err(Malformed::Io)?.len();
    if length > LARGEST {
        let most = LARGEST >> 20;
        return Err(Malformed::Form(format!("it has {length} bytes, more than {most} MiB")));
    }
    let bytes = file::bytes_at(&file, 0, length).map_err(Malformed::Io)?;
    if let Some(found) = sniff::stand_in(&bytes) {
        return Err(Malformed::Instead(found));
    }
    let text = encoding::text(&bytes).map_err(Malformed::Form)?;
    let utf16 = encoding::is_marked(&bytes) && bytes[0] != 0xef;
    let mut listing = of_words(words(&text));
    listing.ledger.entries = text.lines().count() as u64;
    listing.rules = listing.rules.max(rules(utf16));
    match &reading.draw {
        None => Ok(listing),
        Some(draw) => draw.drawings(listing).map_err(Malformed::Form),
    }
}

/// A listing of these words.
pub fn of_words<'a>(words: impl IntoIterator<Item = &'a str>) -> Listing {
    let sample =
        |word: &str| Sample { key: word.to_owned(), caption: Some(word.to_owned()), label: None };
    let samples: Vec<Sample> = words.into_iter().map(sample).collect();
    let count = samples.len() as u64;
    let is_new = samples.iter().any(|sample| needs_shaping(&sample.key));
    let ledger = Ledger { entries: count, pictures: count, captions: count, ..Ledger::default() };
    let (rules, columns) = (rules(is_new), Vec::new());
    Listing { samples, ledger, rules, columns, drawn: None, pictures: Box::new(Unstored) }
}

/// Words have no encoded pictures.
#[derive(Debug)]
struct Unstored;

impl Pictures for Unstored {
    fn size(&self, _: usize) -> Option<u64> {
        None
    }

    fn read(&self, _: usize, _: u64) -> io::Result<Vec<u8>> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
