//! Scans for comparison with a visualised unit: those that the notes request anyway. They depend on the plan alone,
//! so that pages do not depend on what else is in the store.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use neuronotes_core::digest::Digest;
use neuronotes_core::kind::{About, Kind, scan};
use neuronotes_core::model::{Place, Precision};
use neuronotes_core::request::Request;

use super::wanted::{Measurement, Target};

/// What a scan must have in common with a measurement: weights, conventions, precision, place.
type Shared = (Digest, String, &'static str, Place);

fn shared(request: &Request, place: &Place) -> Shared {
    let conventions = serde_json::to_string(&request.model.conventions).unwrap_or_default();
    (request.model.digest, conventions, Precision::name(request.precision), place.clone())
}

/// The scan of each layer for comparison: the data set's name and the scan's key.
#[derive(Debug, Default)]
pub(super) struct Baselines(BTreeMap<Shared, (String, Digest)>);

impl Baselines {
    /// The requested scans: for each layer that of the data set `preferred`, or else of the first by name.
    pub(super) fn of(requests: &[(Digest, Arc<Request>)], preferred: Option<&str>) -> Self {
        // A data set of several shards has several scans; only one that is whole can be compared with.
        let mut scans: BTreeMap<Shared, BTreeMap<&str, BTreeSet<Digest>>> = BTreeMap::new();
        let used = requests.iter().flat_map(|(_, request)| &request.uses);
        for used in used.filter(|used| used.kind == scan::NAME) {
            let place = Place::of(&used.params);
            let Some((place, dataset)) = place.zip(used.dataset.as_ref()) else { continue };
            let of_layer = scans.entry(shared(used, &place)).or_default();
            of_layer.entry(&dataset.name).or_default().insert(used.key());
        }
        let chosen = scans.into_iter().filter_map(|(layer, of_layer)| {
            let whole = |name: &str| {
                let keys = of_layer.get(name).filter(|keys| keys.len() == 1)?;
                Some((name.to_owned(), *keys.first()?))
            };
            let found = preferred.and_then(whole);
            Some((layer, found.or_else(|| of_layer.keys().find_map(|name| whole(name)))?))
        });
        Self(chosen.collect())
    }

    /// The scan that a measurement of a unit can be compared with.
    pub(super) fn find(&self, measurement: &Measurement) -> Option<(String, Digest)> {
        // A visualised feature is measured before its ReLU, and a scan after it.
        let comparable = |target: &&Target| target.unit.is_some() && target.over.is_none();
        let target = measurement.target.as_ref().filter(comparable)?;
        let about = Kind::named(&measurement.request.kind)?.about;
        let found = self.0.get(&shared(&measurement.request, &target.place))?;
        (about == About::Target).then(|| found.clone())
    }
}
