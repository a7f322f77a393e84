//! What scans cost before they are made: missing requests in; images, bytes and seconds out.

pub mod work;

use std::collections::HashSet;
use std::fmt;

use indicatif::DecimalBytes;
use neuronotes_core::digest::Digest;
use neuronotes_core::kind::scan;
use neuronotes_core::number::thousands;
use neuronotes_core::request::Request;
use neuronotes_core::store::Store;

use crate::measure::progress::subject;
use crate::measure::schedule::{Timings, duration};
use crate::resource::Resources;

/// The scans of one layer over one data set.
#[derive(Debug, Clone, PartialEq)]
pub struct Cost {
    /// `visual.layer4.0.add over emoji`.
    what: String,
    /// How many scans there are: one for each shard or piece.
    scans: usize,
    images: u64,
    /// Bytes in the store for each image.
    bytes: u64,
    /// Seconds that they will take; `None` if no scan with this model was measured before.
    seconds: Option<f64>,
}

/// The scans that are measured for requests, as far as the sizes of their data sets and models are known.
pub fn of_scans(requests: &[(Digest, Request)], store: &Store, resources: &Resources) -> Vec<Cost> {
    let timings = Timings::of(store);
    let mut costs: Vec<Cost> = Vec::new();
    let mut seen = HashSet::new();
    let mut open: Vec<&Request> = requests.iter().rev().map(|(_, request)| request).collect();
    while let Some(request) = open.pop() {
        open.extend(request.uses.iter().rev());
        if request.kind != scan::NAME {
            continue;
        }
        let (Some(images), Some((units, embedding))) =
            (scan::images(request), resources.sizes(request))
        else {
            continue;
        };
        let key = request.key();
        if !seen.insert(key) || store.record(&key).is_some() {
            continue;
        }
        let (what, bytes) = (subject(request), scan::bytes(units, embedding));
        let seconds = timings.estimate(request);
        match costs.iter_mut().find(|cost| cost.what == what && cost.bytes == bytes) {
            Some(cost) => {
                cost.scans += 1;
                cost.images += images;
                cost.seconds = cost.seconds.zip(seconds).map(|(sum, one)| sum + one);
            }
            None => costs.push(Cost { what, scans: 1, images, bytes, seconds }),
        }
    }
    costs
}

impl Cost {
    /// Bytes in the store.
    pub fn bytes_in_all(&self) -> u64 {
        self.images.saturating_mul(self.bytes)
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, scans, images, bytes, seconds } = self;
        write!(f, "to be scanned: {what}: {} images", thousands(*images))?;
        if *scans > 1 {
            write!(f, " in {scans} parts")?;
        }
        let all = DecimalBytes(images.saturating_mul(*bytes));
        write!(f, ", {} an image, {all} in all", DecimalBytes(*bytes))?;
        match seconds {
            Some(seconds) => write!(f, ", about {}", duration(*seconds)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cost_is_told_in_a_line() {
        let mut cost = Cost {
            what: "visual.layer4 over web".into(),
            scans: 1,
            images: 1494,
            bytes: 1280,
            seconds: None,
        };
        assert_eq!(
            cost.to_string(),
            "to be scanned: visual.layer4 over web: 1,494 images, 1.28 kB an image, 1.91 MB in all"
        );
        (cost.scans, cost.images, cost.seconds) = (612, 1_281_167, Some(10_000.0));
        assert_eq!(
            cost.to_string(),
            "to be scanned: visual.layer4 over web: 1,281,167 images in 612 parts, 1.28 kB an image, 1.64 GB in all, about 3 h"
        );
    }
}
