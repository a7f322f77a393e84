//! Scans to compare a visualised unit with: those that the notes ask for anyway. Decided by the plan alone, so that a
//! page does not depend on what else lies in the store.

use std::collections::{BTreeMap, BTreeSet};

use super::{Measurement, Plan, Wanted};
use crate::analysis::{About, Kind, scan};
use crate::digest::Digest;
use crate::request::{Precision, Request};

/// What a scan must share with a measurement, as text: weights and how they are read, arithmetic, layer.
type Shared = (Digest, String, &'static str, String);

fn shared(request: &Request, layer: &str) -> Shared {
    let conventions = serde_json::to_string(&request.model.conventions).unwrap_or_default();
    (request.model.digest, conventions, Precision::name(request.precision), layer.to_owned())
}

impl Plan {
    /// Gives every measurement of a unit the scan that it can be compared with: of the data set `preferred`, else of
    /// the first by name.
    pub(super) fn set_baselines(&mut self, preferred: Option<&str>) {
        // A data set of several shards has several scans; only one that is whole can be compared with.
        let mut scans: BTreeMap<Shared, BTreeMap<String, BTreeSet<Digest>>> = BTreeMap::new();
        let used = self.requests.iter().flat_map(|(_, request)| &request.uses);
        for used in used.filter(|used| used.kind == scan::NAME) {
            let layer = used.params.get("layer").and_then(|layer| layer.as_str());
            let Some((layer, dataset)) = layer.zip(used.dataset.as_ref()) else { continue };
            let of_layer = scans.entry(shared(used, layer)).or_default();
            of_layer.entry(dataset.name.clone()).or_default().insert(used.key());
        }
        let find = |measurement: &Measurement| {
            let target = measurement.target.as_ref().filter(|target| target.unit.is_some())?;
            let about = Kind::named(&measurement.request.kind)?.about;
            let of_layer = scans.get(&shared(&measurement.request, &target.layer))?;
            let whole = |name: &str| {
                let keys = of_layer.get(name).filter(|keys| keys.len() == 1)?;
                Some((name.to_owned(), *keys.first()?))
            };
            let found = preferred.and_then(whole);
            let found = found.or_else(|| of_layer.keys().find_map(|name| whole(name)));
            found.filter(|_| about == About::Target)
        };
        for wanted in self.wanted.iter_mut().flatten() {
            match wanted {
                Wanted::Measurement(measurement) => measurement.baseline = find(measurement),
                Wanted::Sweep(sweep) => {
                    for cell in &mut sweep.cells {
                        cell.measurement.baseline = find(&cell.measurement);
                    }
                }
                Wanted::Nothing(_) => {}
            }
        }
    }
}
