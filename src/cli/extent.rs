//! How large a data set is, and what a scan of it costs: its pictures in; their sizes, bytes and seconds out.

use std::io::Cursor;
use std::path::Path;

use indicatif::DecimalBytes;
use neuronotes_core::dataset::{LARGEST_PICTURE, Listing};
use neuronotes_core::kind::scan;
use neuronotes_core::number::thousands;
use serde::Serialize;

use crate::measure::schedule::{Timings, duration};
use crate::resource::Resources;
use crate::workspace::Workspace;

/// The most pictures of a shard whose headers are read for their sizes.
const SAMPLED: usize = 2000;
/// How much of a picture is read first for its size, in bytes.
const HEADER: u64 = 64 << 10;

/// How large pictures are.
#[derive(Debug, Default, Serialize)]
pub(super) struct Extent {
    /// Bytes of all encoded pictures.
    pub(super) bytes: u64,
    /// Widths and heights of those whose headers were read, in pixels.
    #[serde(skip)]
    sizes: Vec<(u32, u32)>,
    /// How many these are.
    sampled: usize,
    /// The smallest by area, the median, and the largest; missing if no header could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    sides: Option<[(u32, u32); 3]>,
}

impl Extent {
    /// Adds a shard.
    pub(super) fn add(&mut self, listing: &Listing) {
        let count = listing.samples.len();
        self.bytes += (0..count).filter_map(|row| listing.size(row).ok()).sum::<u64>();
        let rows = (0..count).step_by(count.div_ceil(SAMPLED).max(1));
        self.sizes.extend(rows.filter_map(|row| dimensions(listing, row)));
        self.sampled = self.sizes.len();
        self.sizes.sort_by_key(|&(width, height)| (u64::from(width) * u64::from(height), width));
        let last = self.sampled.saturating_sub(1);
        let at = |at: usize| self.sizes.get(at).copied();
        self.sides = at(0).zip(at(self.sampled / 2)).zip(at(last)).map(|((a, b), c)| [a, b, c]);
    }

    /// `8 × 8 to 640 × 480 pixels, median 96 × 96; 1.2 MB in all`.
    pub(super) fn text(&self, pictures: u64) -> Option<String> {
        let [smallest, median, largest] = self.sides?;
        let size = |(width, height): (u32, u32)| format!("{width} × {height}");
        let sides = match smallest == largest {
            true => format!("{} pixels", size(smallest)),
            false => {
                format!("{} to {} pixels, median {}", size(smallest), size(largest), size(median))
            }
        };
        let sampled = match (self.sampled as u64) < pictures {
            true => format!(" (of {} of them)", thousands(self.sampled as u64)),
            false => String::new(),
        };
        Some(format!("{sides}{sampled}; {} in all", DecimalBytes(self.bytes)))
    }
}

/// The width and height of a row's picture, from its header, not turned as its metadata may ask.
fn dimensions(listing: &Listing, row: usize) -> Option<(u32, u32)> {
    // The header is nearly always at the start; a picture is read whole only if it is not.
    [HEADER, LARGEST_PICTURE].into_iter().find_map(|most| {
        let start = listing.first(row, most).ok()?;
        let reader = image::ImageReader::new(Cursor::new(start)).with_guessed_format().ok()?;
        reader.into_dimensions().ok()
    })
}

/// What scanning a data set with the garden's default model costs, layer by layer.
#[derive(Debug, Serialize)]
pub(super) struct Scan {
    /// The model's name.
    model: String,
    /// Bytes for each image, at the layer with the fewest units and at that with the most.
    bytes_an_image: [u64; 2],
    /// Seconds for each image, and the device; missing if this model has scanned nothing on this machine yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds_an_image: Option<(f64, String)>,
}

impl Scan {
    /// The cost for the garden in `root`; `None` if there is no garden, or its default model cannot be used.
    pub(super) fn of(root: &Path) -> Option<Self> {
        let mut workspace = Workspace::open(root).ok()?;
        let name = workspace.config.defaults.model.clone();
        let name = name.unwrap_or_else(|| crate::bundled::MODEL.to_owned());
        let mut resources = Resources::default();
        let model = resources.model(&workspace.config, &mut workspace.digests, &name).ok()?;
        let layers = model.architecture.layers();
        let units = layers.iter().map(|layer| layer.units);
        let of = |units: u32| scan::bytes(units, model.architecture.embedding);
        let bytes_an_image = [of(units.clone().min()?), of(units.max()?)];
        let timings = Timings::of(&workspace.store);
        let seconds = timings.of_an_image(&model.reference.digest);
        let seconds_an_image = seconds.map(|(seconds, device)| (seconds, device.to_owned()));
        Some(Self { model: name, bytes_an_image, seconds_an_image })
    }

    /// `each layer of emoji takes 448 to 1280 B per picture, 670 kB to 1.9 MB in all; about 12 s on cpu`.
    pub(super) fn text(&self, images: u64) -> String {
        let range = |[least, most]: [u64; 2]| match least == most {
            true => DecimalBytes(least).to_string(),
            false => format!("{} to {}", DecimalBytes(least), DecimalBytes(most)),
        };
        let each = range(self.bytes_an_image);
        let all = range(self.bytes_an_image.map(|bytes| bytes.saturating_mul(images)));
        let time = match &self.seconds_an_image {
            Some((seconds, device)) => {
                format!("about {} on {device}", duration(seconds * images as f64))
            }
            None => "the time is unknown until this model has scanned something".to_owned(),
        };
        format!("each layer of {} takes {each} per picture, {all} in all; {time}", self.model)
    }
}
