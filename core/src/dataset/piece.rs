//! Pieces of a large shard, each of which is scanned by itself. Input: a listing. Output: ranges of its rows, with
//! their digests.
//!
//! The names of the pictures decide where a shard is cut, and the names and bytes of its pictures what a piece is. So
//! a picture that is added, removed or changed makes one piece another, and the others stay as they are.

use std::io;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::ledger::Ledger;
use super::listing::Listing;
use super::sample::Sample;
use crate::digest::Digest;
use crate::files::FileDigests;

/// Most pictures of a piece; a shard with more is cut. No piece of it has less than a quarter of that.
pub const LARGEST: usize = 4096;

/// Which pictures of a shard a piece has. Only its digest is part of a key: where it lies in its shard decides nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Piece {
    /// Its place among the pieces, from 0.
    pub number: usize,
    /// How many pieces the shard has.
    pub of: usize,
    /// Its first row in the shard.
    pub first: usize,
    /// How many rows it has.
    pub count: usize,
    /// The key of its first picture, by which it is found again after other pieces have changed.
    pub key: String,
}

impl Piece {
    /// Its rows in a listing of its shard, which may have changed elsewhere; `None` if it is not there.
    pub fn rows(&self, samples: &[Sample]) -> Option<Range<usize>> {
        let is_first = |sample: &Sample| sample.key == self.key;
        let first = match samples.get(self.first).is_some_and(is_first) {
            true => self.first,
            false => samples.iter().position(is_first)?,
        };
        Some(first..first.checked_add(self.count)?).filter(|rows| rows.end <= samples.len())
    }

    /// Its part of the shard's ledger. What was skipped is told with the first piece.
    pub fn ledger(&self, whole: &Ledger, samples: &[Sample]) -> Ledger {
        let count = |said: fn(&Sample) -> bool| samples.iter().filter(|s| said(s)).count() as u64;
        let pictures = samples.len() as u64;
        let rest = match self.number {
            0 => whole.clone(),
            _ => Ledger::default(),
        };
        Ledger {
            entries: pictures + rest.entries.saturating_sub(rest.pictures),
            pictures,
            captions: count(|sample| sample.caption.is_some()),
            labels: count(|sample| sample.label.is_some()),
            ..rest
        }
    }
}

/// Cuts a shard into pieces of at most `most` pictures, in order, each with the digest of its pictures.
///
/// # Errors
/// If a picture cannot be read.
pub fn pieces(
    listing: &Listing,
    digests: &mut FileDigests,
    most: usize,
) -> io::Result<Vec<(Piece, Digest)>> {
    let cuts = cut(&hashes(listing), most.max(1));
    let of = cuts.len();
    let piece = |(number, rows): (usize, Range<usize>)| {
        let digest = listing.shown_in(rows.clone(), digests)?;
        let key = listing.samples.get(rows.start).map(|sample| sample.key.clone());
        let (first, count, key) = (rows.start, rows.len(), key.unwrap_or_default());
        Ok((Piece { number, of, first, count, key }, digest))
    };
    cuts.into_iter().enumerate().map(piece).collect()
}

/// How many pieces of at most [`LARGEST`] pictures a shard has, without reading them.
pub fn count(listing: &Listing) -> usize {
    match listing.samples.len() {
        0..=LARGEST => 1,
        _ => cut(&hashes(listing), LARGEST).len(),
    }
}

/// A hash of each name, in order.
fn hashes(listing: &Listing) -> Vec<Digest> {
    listing.samples.iter().map(|sample| Digest::of(sample.key.as_bytes())).collect()
}

/// Ranges of at most `most`. A range that is too long is cut before the smallest hash of its middle half, so that one
/// more or less of them rarely moves a cut.
fn cut(hashes: &[Digest], most: usize) -> Vec<Range<usize>> {
    let (mut done, mut open) = (Vec::new(), Vec::new());
    open.push(0..hashes.len());
    while let Some(rows) = open.pop() {
        let quarter = rows.len() / 4;
        let middle = rows.start + quarter..rows.end - quarter;
        match middle.min_by_key(|at| hashes[*at]).filter(|at| *at > rows.start) {
            Some(at) if rows.len() > most => open.extend([at..rows.end, rows.start..at]),
            _ => done.push(rows),
        }
    }
    done
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;

    use super::*;
    use crate::dataset::{Reading, format, list};

    #[test]
    fn a_picture_more_or_less_changes_one_piece() {
        let names: Vec<String> = (0..30_000).map(|at| format!("{at:06}")).collect();
        let sets = |names: &[String]| -> BTreeSet<Vec<String>> {
            let hashes: Vec<Digest> = names.iter().map(|n| Digest::of(n.as_bytes())).collect();
            let cuts = cut(&hashes, LARGEST);
            assert_eq!(cuts.iter().map(Range::len).sum::<usize>(), names.len());
            assert!(cuts.windows(2).all(|pair| pair[0].end == pair[1].start), "in order");
            let is_fit = |cut: &Range<usize>| (LARGEST / 4..=LARGEST).contains(&cut.len());
            assert!(cuts.iter().all(is_fit), "{cuts:?}");
            cuts.into_iter().map(|cut| names[cut].to_vec()).collect()
        };
        let before = sets(&names);
        assert!((8..30).contains(&before.len()), "{}", before.len());
        let mut changed = Vec::new();
        for at in (0..30_000).step_by(1500) {
            let (mut more, mut less) = (names.clone(), names.clone());
            more.insert(at, format!("{at:06}-another"));
            less.remove(at);
            for other in [more, less] {
                changed.push(before.difference(&sets(&other)).count());
            }
        }
        assert!(changed.iter().all(|count| *count >= 1), "{changed:?}");
        let one = changed.iter().filter(|count| **count == 1).count();
        assert!(one >= changed.len() - 2, "{changed:?}");
        assert_eq!(cut(&[], LARGEST).len(), 1);
    }

    #[test]
    fn a_piece_is_the_names_and_bytes_of_its_pictures_and_is_found_where_it_moves() {
        let dir = tempfile::tempdir().expect("a folder");
        let write = |name: String, text: &str| fs::write(dir.path().join(name), text);
        for at in 0..40 {
            write(format!("{at:02}.png"), &format!("picture {at}")).expect("written");
        }
        let mut digests = FileDigests::default();
        let mut cut = || {
            let listing = list(dir.path(), &format::folder::FORMAT, &Reading::default());
            let listing = listing.expect("a listing");
            let pieces = pieces(&listing, &mut digests, 10).expect("pieces");
            (listing, pieces)
        };
        let (_, before) = cut();
        assert!(before.len() > 4 && before.iter().all(|(piece, _)| piece.count <= 10));
        let third = before[2].0.clone();
        assert_eq!((third.number, third.of), (2, before.len()));
        // Captions are no part of it.
        write("00.txt".into(), "a caption").expect("written");
        let (listing, now) = cut();
        assert_eq!(now, before);
        let sum = now.iter().fold(Ledger::default(), |mut sum, (piece, _)| {
            let rows = piece.rows(&listing.samples).expect("rows");
            sum.merge(&piece.ledger(&listing.ledger, &listing.samples[rows]));
            sum
        });
        assert_eq!(sum, listing.ledger);
        // Another picture's bytes change its piece alone.
        write(format!("{}.png", third.key), "another picture").expect("written");
        let (_, now) = cut();
        let same = |(a, b): (&(Piece, Digest), &(Piece, Digest))| a.1 == b.1;
        let kept: Vec<bool> = before.iter().zip(&now).map(same).collect();
        assert_eq!(kept.iter().filter(|kept| !**kept).count(), 1);
        assert!(!kept[2]);
        // Others are found after it moved.
        fs::remove_file(dir.path().join("01.png")).expect("removed");
        let listing =
            list(dir.path(), &format::folder::FORMAT, &Reading::default()).expect("a listing");
        let last = before[before.len() - 1].clone();
        let rows = last.0.rows(&listing.samples).expect("rows");
        assert_eq!(rows.start, last.0.first - 1);
        let found = listing.shown_in(rows, &mut FileDigests::default()).expect("a digest");
        assert_eq!(found, last.1);
        let gone = Piece { key: "01".into(), ..last.0 };
        assert_eq!(gone.rows(&listing.samples), None);
    }
}
