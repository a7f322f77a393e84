//! The labelling sheet: images of a data set in; what its page shows out, which says nothing of their activations.

use std::collections::BTreeSet;

use neuronotes_core::labelling::{Sheet, Shown};

use crate::failure::Failure;
use crate::gallery::Gallery;
use crate::kind::category::Names;
use crate::kind::inline::source;
use crate::monitor::Progress;
use crate::workbench::Workbench;

/// Longest side of an image on the sheet, in pixels.
const SIDE: u32 = 240;
/// A PNG of more bytes becomes a JPEG.
const LARGEST_PNG: usize = 24 << 10;

/// The sheet of these images, in an order by lot. `answers` are the labels to choose from.
///
/// # Errors
/// If an image cannot be read or encoded.
pub(super) fn of(
    bench: &mut Workbench<'_>,
    names: &Names<'_>,
    drawn: &BTreeSet<(usize, usize)>,
    seed: u64,
    answers: Vec<String>,
) -> Result<Sheet, Failure> {
    let mut places: Vec<(usize, usize)> = drawn.iter().copied().collect();
    places.sort_by_cached_key(|place| names.lot(*place, seed, "shown"));
    let mut gallery = Gallery::default();
    let mut shown = Vec::new();
    for (step, place) in places.iter().enumerate() {
        bench.monitor.check()?;
        let stage = "making the labelling sheet";
        let (step, total) = (step as u64, places.len() as u64);
        bench.monitor.progress(&Progress { stage, step, total, unit: "image", picture: None });
        let key = names.key(*place);
        let [(shard, row)] = gallery.find(bench, &[(place.0, key)])?[..] else {
            return Err(Failure::new(format!("`{key}` is not in the data set")));
        };
        let cannot = |why: String| Failure::new(format!("`{key}` cannot be shown ({why})"));
        let picture = shard.picture(row).map_err(cannot)?;
        let name = names.name(*place).into_owned();
        shown.push(Shown { name, source: source(picture, SIDE, LARGEST_PNG)? });
    }
    Ok(Sheet::new(answers, shown))
}
