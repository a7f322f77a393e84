//! Pictures decoded ahead: a list of pictures in; batches of pixels as a network sees them out, in order.
//!
//! All cores decode and resize while the network looks at an earlier batch, and the system reads the files of later batches
//! meanwhile. Each picture's pixels are written once, at their place in the batch. Queues are bounded, so that memory does not
//! grow with the number of pictures. A picture that cannot be decoded is listed with the reason. Knows nothing of models.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{channel, sync_channel};
use std::thread;

use rayon::iter::{IndexedParallelIterator as _, IntoParallelIterator as _, ParallelIterator as _};
use rayon::slice::ParallelSliceMut as _;

use crate::clip::preprocess::prepare;
use crate::dataset::Shard;
use crate::failure::Failure;
use crate::picture::Picture;

/// Batches decoded ahead.
const AHEAD: usize = 2;
/// Batches whose files the system is asked to read, beyond those that are being decoded.
const EXPECTED: usize = 4;

/// A list of pictures.
pub trait Pictures: Sync {
    /// How many there are.
    fn count(&self) -> usize;

    /// The picture at that place.
    ///
    /// # Errors
    /// Why it cannot be read or decoded.
    fn picture(&self, at: usize) -> Result<Picture, String>;

    /// Says that the picture at that place will be wanted soon, so that its file can be read meanwhile.
    fn expect(&self, _at: usize) {}
}

impl Pictures for [Picture] {
    fn count(&self) -> usize {
        self.len()
    }

    fn picture(&self, at: usize) -> Result<Picture, String> {
        Ok(self[at].clone())
    }
}

/// Rows of shards.
impl Pictures for [(&dyn Shard, usize)] {
    fn count(&self) -> usize {
        self.len()
    }

    fn picture(&self, at: usize) -> Result<Picture, String> {
        let (shard, row) = self[at];
        shard.picture(row)
    }

    fn expect(&self, at: usize) {
        let (shard, row) = self[at];
        shard.expect(row);
    }
}

/// A picture that was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Its place.
    pub at: usize,
    /// Why.
    pub why: String,
}

/// Decoded pictures.
#[derive(Debug)]
pub struct Decoded {
    /// The places that were looked at.
    pub places: Range<usize>,
    /// Those of the pictures.
    pub good: Vec<usize>,
    /// `[good, side, side, 3]`, 8-bit RGB.
    pub pixels: Vec<u8>,
    /// Those that are missing.
    pub skipped: Vec<Skipped>,
}

/// Decodes all pictures, `chunk` at a time, as squares of `side` pixels, and hands them to `visit` in order.
///
/// # Errors
/// The first error of `visit`; nothing is decoded any more then.
pub fn feed<P: Pictures + ?Sized>(
    pictures: &P,
    side: u32,
    chunk: usize,
    mut visit: impl FnMut(&Decoded) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let (count, chunk) = (pictures.count(), chunk.max(1));
    let chunks = || (0..count).step_by(chunk).map(move |start| start..(start + chunk).min(count));
    thread::scope(|scope| {
        let (expect, expected) = sync_channel(EXPECTED);
        scope.spawn(move || {
            for places in chunks() {
                places.for_each(|at| pictures.expect(at));
                // The other end is gone if the pass was abandoned.
                if expect.send(()).is_err() {
                    return;
                }
            }
        });
        let (send, receive) = sync_channel(AHEAD);
        let (give_back, used) = channel();
        scope.spawn(move || {
            for places in chunks() {
                let _ = expected.recv();
                let buffer = used.try_recv().unwrap_or_default();
                if send.send(decoded(pictures, places, side, buffer)).is_err() {
                    return;
                }
            }
        });
        for decoded in receive {
            visit(&decoded)?;
            let _ = give_back.send(decoded.pixels);
        }
        Ok(())
    })
}

/// The pictures at these places, in a buffer that is used again.
fn decoded<P: Pictures + ?Sized>(
    pictures: &P,
    places: Range<usize>,
    side: u32,
    mut pixels: Vec<u8>,
) -> Decoded {
    let bytes = side as usize * side as usize * 3;
    pixels.resize(places.len() * bytes, 0);
    let parts = pixels.par_chunks_mut(bytes.max(1));
    let results: Vec<Result<(), String>> = parts
        .zip(places.clone().into_par_iter())
        // One at a time, because they differ in size.
        .with_max_len(1)
        .map(|(part, at)| {
            let picture = decode(pictures, at, side)?;
            part.copy_from_slice(&picture);
            Ok(())
        })
        .collect();
    let (mut good, mut skipped) = (Vec::new(), Vec::new());
    for (row, (at, result)) in places.clone().zip(results).enumerate() {
        match result {
            Ok(()) => {
                let to = good.len() * bytes;
                if row > good.len() {
                    pixels.copy_within(row * bytes..(row + 1) * bytes, to);
                }
                good.push(at);
            }
            Err(why) => skipped.push(Skipped { at, why }),
        }
    }
    pixels.truncate(good.len() * bytes);
    Decoded { places, good, pixels, skipped }
}

/// A picture as the network sees it: `side * side * 3` bytes.
fn decode<P: Pictures + ?Sized>(pictures: &P, at: usize, side: u32) -> Result<Vec<u8>, String> {
    // A decoder that panics over a damaged picture is an error about that picture too.
    catch_unwind(AssertUnwindSafe(|| Ok(prepare(pictures.picture(at)?, side)?.into_raw())))
        .unwrap_or_else(|_| Err("its decoder crashed".into()))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use image::{Rgb, RgbImage};

    use super::*;

    /// Pictures of a colour each, of which every seventh is damaged; remembers what happened.
    struct Colours {
        count: usize,
        expected: Mutex<Vec<bool>>,
        decoded: AtomicUsize,
    }

    impl Colours {
        fn new(count: usize) -> Self {
            let expected = Mutex::new(vec![false; count]);
            Self { count, expected, decoded: AtomicUsize::new(0) }
        }
    }

    impl Pictures for Colours {
        fn count(&self) -> usize {
            self.count
        }

        fn picture(&self, at: usize) -> Result<Picture, String> {
            assert!(self.expected.lock().expect("unpoisoned")[at], "{at} was not expected");
            self.decoded.fetch_add(1, Ordering::Relaxed);
            match at % 7 {
                3 => Err("damaged".into()),
                5 if at > 100 => panic!("crashed"),
                _ => Ok(RgbImage::from_pixel(4, 4, Rgb([at as u8, 0, 1])).into()),
            }
        }

        fn expect(&self, at: usize) {
            self.expected.lock().expect("unpoisoned")[at] = true;
        }
    }

    #[test]
    fn pictures_come_in_order_and_the_damaged_ones_are_listed() {
        let pictures = Colours::new(150);
        let (mut seen, mut skipped) = (Vec::new(), Vec::new());
        feed(&pictures, 2, 16, |batch| {
            let colours = batch.pixels.chunks_exact(12).map(|pixels| pixels[0]);
            seen.extend(batch.good.iter().copied().zip(colours));
            skipped.extend(batch.skipped.clone());
            Ok(())
        })
        .expect("fed");
        let is_damaged = |at: &usize| at % 7 == 3 || at % 7 == 5 && *at > 100;
        let good: Vec<(usize, u8)> =
            (0..150).filter(|at| !is_damaged(at)).map(|at| (at, at as u8)).collect();
        assert_eq!(seen, good);
        let damaged: Vec<usize> = skipped.iter().map(|skipped| skipped.at).collect();
        assert_eq!(damaged, (0..150).filter(is_damaged).collect::<Vec<_>>());
        for Skipped { at, why } in skipped {
            assert_eq!(why, if at % 7 == 3 { "damaged" } else { "its decoder crashed" });
        }
    }

    #[test]
    fn queues_are_bounded_and_an_error_ends_all() {
        let pictures = Colours::new(100_000);
        let mut visited = 0;
        let error = feed(&pictures, 2, 10, |batch| {
            visited += batch.places.len();
            // The one that is visited, those that wait, and the one that is being decoded.
            let ahead = pictures.decoded.load(Ordering::Relaxed) - (visited - 10);
            assert!(ahead <= 10 * (AHEAD + 3), "{ahead} decoded ahead");
            std::thread::sleep(std::time::Duration::from_millis(2));
            if visited >= 200 { Err(Failure::new("enough")) } else { Ok(()) }
        });
        assert_eq!(error.expect_err("an error").to_string(), "enough");
        let expected = pictures.expected.lock().expect("unpoisoned");
        let expected = expected.iter().filter(|expected| **expected).count();
        assert!(expected <= 200 + 10 * (AHEAD + EXPECTED + 4), "{expected} expected");
    }

    #[test]
    fn no_pictures_are_no_batch() {
        let none = |_: &Decoded| Err(Failure::new("a batch"));
        assert!(feed(&[] as &[Picture], 2, 10, none).is_ok());
    }
}
