//! Timings of finished requests, from which the duration of others is estimated.
//!
//! Requests are grouped by kind, model, data set and device. A group keeps the seconds per unit of work of its last
//! requests; the estimate is their median times the request's units of work, which its kind states. If the group has
//! none yet, the kind's other groups on that device are used.
//!
//! Scans are grouped by model and device, whatever their data set, and a unit of their work is an image.
//!
//! The numbers come from the provenance of records and are cached in a small file; losing it affects estimates only.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use neuronotes_core::digest::Digest;
use neuronotes_core::file;
use neuronotes_core::kind::{Kind, scan};
use neuronotes_core::place;
use neuronotes_core::request::Request;
use neuronotes_core::store::{Record, Store};

/// Number of timings that are kept per group.
const RECENT: usize = 9;
/// Maximum size of the file of timings in bytes.
const LONGEST: u64 = 16 << 20;
/// Seconds that no unit of work can take: thirty years.
const LONGEST_WORK: f64 = 1e9;

/// What stands for the data set in the name of a group of scans.
const IMAGES: &str = "images";

/// The contents of the file.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Kept {
    /// The device that measured last.
    device: String,
    /// Seconds per unit of work, by group.
    classes: BTreeMap<String, VecDeque<f64>>,
}

/// Timings of requests.
#[derive(Debug)]
pub struct Timings {
    path: PathBuf,
    kept: Kept,
    changed: bool,
}

impl Timings {
    /// Reads the timings of a store.
    pub fn of(store: &Store) -> Self {
        let path = store.folder().join("timings.json");
        let kept = place::read(&path, LONGEST).ok();
        let kept = kept.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let mut kept: Kept = kept.unwrap_or_default();
        for recent in kept.classes.values_mut() {
            recent.retain(|seconds| (0.0..=LONGEST_WORK).contains(seconds));
            recent.truncate(RECENT);
        }
        Self { path, kept, changed: false }
    }

    /// The lab measures on this device, `cpu` or `cuda:N`; returns whether it differs from the last.
    pub fn set_device(&mut self, device: &str) -> bool {
        let other = self.kept.device != device;
        device.clone_into(&mut self.kept.device);
        other
    }

    /// The device that measured last; empty if none did.
    pub fn device(&self) -> &str {
        &self.kept.device
    }

    /// Records a measured request.
    pub fn add(&mut self, request: &Request, record: &Record) {
        let device = &record.provenance.device;
        let Some(work) = work(request) else { return };
        let seconds = record.provenance.seconds / work;
        if !(0.0..=LONGEST_WORK).contains(&seconds) {
            return;
        }
        let recent = self.kept.classes.entry(class(request, device)).or_default();
        recent.push_back(seconds);
        if recent.len() > RECENT {
            recent.pop_front();
        }
        self.changed = true;
    }

    /// Seconds that a request will take by itself, without the results that it depends on; `None` if nothing similar
    /// was ever measured.
    pub fn estimate(&self, request: &Request) -> Option<f64> {
        let device = &self.kept.device;
        let own = self.kept.classes.get(&class(request, device)).and_then(median);
        let typical = own.or_else(|| {
            let of_kind = |name: &str| {
                let words: Vec<&str> = name.split(' ').collect();
                let is_of = |at: usize, word: &str| words.get(at) == Some(&word);
                // A model's pace is not another one's, and earlier versions did not count images.
                is_of(0, &request.kind) && is_of(3, device) && request.kind != scan::NAME
            };
            let alike = self.kept.classes.iter().filter(|(name, _)| of_kind(name));
            median(&alike.flat_map(|(_, recent)| recent.iter().copied()).collect())
        })?;
        Some(typical * work(request)?)
    }

    /// Seconds that a model's scans took for each image on the device that measured last, and the device; `None` if
    /// there were none.
    pub fn of_an_image(&self, model: &Digest) -> Option<(f64, &str)> {
        let device = &self.kept.device;
        let group = format!("{} {} {IMAGES} {device}", scan::NAME, model.short());
        Some((median(self.kept.classes.get(&group)?)?, device))
    }

    /// Writes what was added since the last time.
    pub fn save(&mut self) {
        if std::mem::take(&mut self.changed)
            && let Ok(bytes) = serde_json::to_vec(&self.kept)
        {
            let folder = self.path.parent().unwrap_or(Path::new("."));
            let _ = file::replace(folder, &self.path, &bytes);
        }
    }
}

impl Drop for Timings {
    fn drop(&mut self) {
        self.save();
    }
}

fn class(request: &Request, device: &str) -> String {
    if request.kind == scan::NAME {
        return format!("{} {} {IMAGES} {device}", request.kind, request.model.digest.short());
    }
    let data = request.dataset.as_ref().map(|dataset| dataset.content());
    let data = data.as_ref().map_or_else(|| "-".to_owned(), Digest::short);
    format!("{} {} {data} {device}", request.kind, request.model.digest.short())
}

/// Units of work, as the kind counts them; `None` for a scan whose number of images is not known.
fn work(request: &Request) -> Option<f64> {
    if request.kind == scan::NAME {
        return scan::images(request).filter(|images| *images > 0).map(|images| images as f64);
    }
    Some(Kind::named(&request.kind).map_or(1.0, |kind| (kind.work)(&request.params)))
}

fn median(recent: &VecDeque<f64>) -> Option<f64> {
    let mut sorted: Vec<f64> = recent.iter().copied().collect();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use neuronotes_core::store::Provenance;
    use serde_json::json;

    use super::*;

    fn request(model: &[u8], steps: u32, size: u32) -> Request {
        let request = json!({
            "kind": "feature_vis", "impl_version": 2, "params": { "steps": steps, "size": size },
            "model": {
                "name": "m", "path": "/m", "digest": Digest::of(model),
                "conventions": neuronotes_core::model::Conventions::default(),
            },
            "precision": "f32",
        });
        serde_json::from_value(request).expect("a request")
    }

    fn record(request: &Request, seconds: f64) -> Record {
        let mut record = Record::new(request.key(), &request.kind, 2, request.canonical());
        record.provenance = Provenance { device: "cpu".into(), seconds, ..Provenance::default() };
        record
    }

    #[test]
    fn estimates_follow_steps_and_size_and_outlive_the_process() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let store = Store::open(dir.path()).expect("a store");
        let mut timings = Timings::of(&store);
        timings.set_device("cpu");
        let small = request(b"m", 100, 100);
        assert_eq!(timings.estimate(&small), None);
        for seconds in [2.0, 50.0, 2.0] {
            timings.add(&small, &record(&small, seconds));
        }
        let near = |timings: &Timings, request: &Request, seconds: f64| {
            let found = timings.estimate(request).expect("an estimate");
            assert!((found - seconds).abs() < 1e-6, "{found} is not {seconds}");
        };
        near(&timings, &small, 2.0);
        near(&timings, &request(b"m", 300, 200), 24.0);
        // Another model has none of its own yet.
        near(&timings, &request(b"other", 100, 100), 2.0);
        drop(timings);
        let mut timings = Timings::of(&store);
        near(&timings, &small, 2.0);
        for _ in 0..RECENT {
            timings.add(&small, &record(&small, 4.0));
        }
        near(&timings, &small, 4.0);
        timings.set_device("cuda:0");
        assert_eq!(timings.estimate(&small), None, "another device has another pace");
    }
}
