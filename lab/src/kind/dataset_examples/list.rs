//! A list of images while it is made: what was asked, and the activations that it is made from.

use image::RgbImage;
use neuronotes_core::dataset::Sample;
use neuronotes_core::kind::dataset_examples::Params;

use crate::failure::Failure;
use crate::gallery::Gallery;
use crate::kind::target::Target;
use crate::table::Scanned;
use crate::workbench::Workbench;

/// The shard and the row of an image in the scans.
pub(super) type Place = (usize, usize);

/// What is listed, and where its numbers are.
#[derive(Debug, Clone, Copy)]
pub(super) struct List<'a> {
    pub params: &'a Params,
    pub target: &'a Target,
    pub scans: &'a [Scanned],
}

impl List<'_> {
    /// The activation of an image.
    pub(super) fn activation(&self, (shard, row): Place) -> f64 {
        self.scans[shard].activations[row]
    }

    /// The key of an image.
    pub(super) fn key(&self, (shard, row): Place) -> &str {
        self.scans[shard].keys.key(row)
    }
}

/// An image that is shown.
#[derive(Debug)]
pub(super) struct Kept {
    pub place: Place,
    pub picture: RgbImage,
    pub sample: Sample,
    /// The quantile that it stands at.
    pub quantile: Option<f64>,
    /// The number of images that are folded into it.
    pub alike: Option<u64>,
}

impl Kept {
    /// An image by itself.
    ///
    /// # Errors
    /// If its picture cannot be read.
    pub(super) fn of(
        bench: &mut Workbench<'_>,
        list: &List<'_>,
        place: Place,
        gallery: &mut Gallery,
    ) -> Result<Self, Failure> {
        bench.monitor.check()?;
        let (picture, sample) = gallery.sample(bench, place.0, list.key(place))?;
        Ok(Self { place, picture, sample, quantile: None, alike: None })
    }
}
