//! Scans that share a pass: a scan in; the scans of other layers that waiting requests need of the same shard out.

use neuronotes_core::dataset::ShardRef;
use neuronotes_core::digest::Digest;
use neuronotes_core::request::Request;

use super::Queue;
use crate::kind::Measure;

/// The most scans that join the pass of another one. Each keeps its rows in memory until the shard is done.
const MOST: usize = 15;

/// A scan that waiting requests need.
#[derive(Debug, Clone, PartialEq)]
pub struct Companion {
    /// The scan.
    pub scan: Request,
    /// The keys of the requests that need it.
    pub wanted_by: Vec<Digest>,
}

impl Queue {
    /// Scans that waiting requests need and that can share a pass with this one, the most urgent first.
    pub fn companions(&self, scan: &Request) -> Vec<Companion> {
        let Some(batch_key) = Measure::batch_key(scan) else { return Vec::new() };
        let shown = |request: &Request| {
            let shards = request.dataset.as_ref().map(|dataset| dataset.shards.iter());
            shards.into_iter().flatten().map(ShardRef::shown).next()
        };
        // Most requests are told apart without taking a digest.
        let is_near = |other: &&Request| {
            other.kind == scan.kind
                && other.model.digest == scan.model.digest
                && other.params != scan.params
                && shown(other) == shown(scan)
        };
        let state = self.gather(self.state());
        let mut places: Vec<usize> = (0..state.waiting.len()).collect();
        places.sort_by_key(|at| (state.place(&state.waiting[*at].key), *at));
        let mut found: Vec<Companion> = Vec::new();
        for waiting in places.into_iter().map(|at| &state.waiting[at]) {
            let all = std::iter::once(&waiting.request).chain(&waiting.request.uses);
            for other in all.filter(is_near) {
                if Measure::batch_key(other) != Some(batch_key) {
                    continue;
                }
                let has_room = found.len() < MOST;
                match found.iter_mut().find(|known| known.scan.params == other.params) {
                    Some(known) => known.wanted_by.push(waiting.key),
                    None if has_room => {
                        let wanted_by = vec![waiting.key];
                        found.push(Companion { scan: other.clone(), wanted_by });
                    }
                    None => {}
                }
            }
        }
        found
    }

    /// The waiting requests that need this very scan, the most urgent first.
    pub fn waiting_for(&self, scan: &Request) -> Vec<Digest> {
        let same = |other: &Request| {
            other.kind == scan.kind
                && other.model.digest == scan.model.digest
                && other.params == scan.params
                && other.dataset == scan.dataset
        };
        let state = self.state();
        let mut places: Vec<usize> = (0..state.waiting.len()).collect();
        places.sort_by_key(|at| (state.place(&state.waiting[*at].key), *at));
        let waiting = places.into_iter().map(|at| &state.waiting[at]);
        let needs = waiting.filter(|one| same(&one.request) || one.request.uses.iter().any(same));
        needs.map(|one| one.key).collect()
    }

    /// Whether one of these requests waits.
    pub fn has_any(&self, keys: &[Digest]) -> bool {
        self.state().waiting.iter().any(|waiting| keys.contains(&waiting.key))
    }
}

#[cfg(test)]
mod tests {
    use neuronotes_core::dataset::{DatasetRef, Labels, Table, format};
    use neuronotes_core::kind::scan;
    use neuronotes_core::model::{Conventions, ModelRef, Place, Precision};
    use neuronotes_core::protocol::Command;
    use neuronotes_core::request::Inputs;
    use serde_json::json;

    use super::*;
    use crate::queue::Capacity;

    fn scans(layer: &str, precision: Precision) -> Vec<Request> {
        let digest = Digest::of(b"m");
        let conventions = Conventions::default();
        let model = ModelRef { name: "m".into(), path: "/m".into(), digest, conventions };
        let shard = |name: &str| ShardRef::new(name.into(), Digest::of(name.as_bytes()));
        let (format, labels) = (&format::tar::FORMAT, Labels::Files);
        let shards = vec![shard("a"), shard("b")];
        let data = DatasetRef {
            name: "d".into(),
            format,
            labels,
            table: Table::default(),
            draw: None,
            captions: false,
            shards,
        };
        let place = Place::Layer(layer.into());
        scan::requests(&model, &data, &place, &Inputs::default(), precision)
    }

    /// A figure that uses scans.
    fn figure(uses: Vec<Request>, unit: u32) -> Request {
        let params = json!({ "unit": unit });
        let params = params.as_object().expect("a map").clone();
        let (kind, first) = ("activation_histogram".to_owned(), uses[0].clone());
        Request { kind, impl_version: 1, params, uses, ..first }
    }

    #[test]
    fn other_layers_of_the_same_shard_join_while_a_request_waits_for_them() {
        let queue = Queue::new(Capacity::of(tch::Device::Cpu));
        let (one, two) = (scans("one", Precision::F32), scans("two", Precision::F32));
        let wanted = [
            figure(two.clone(), 1),
            figure(two.clone(), 2),
            figure(scans("half", Precision::Bf16), 3),
            figure(one.clone(), 4),
            scans("three", Precision::F32).remove(1),
        ];
        for request in &wanted {
            let command = Command::Run { request: Box::new(request.clone()), halve: false };
            queue.obey(command);
        }
        let keys: Vec<Digest> = wanted.iter().map(Request::key).collect();
        let found = queue.companions(&one[1]);
        assert_eq!(found.len(), 2);
        assert_eq!((&found[0].scan, &found[0].wanted_by), (&two[1], &keys[..2].to_vec()));
        assert_eq!((&found[1].scan, &found[1].wanted_by), (&wanted[4], &vec![keys[4]]));
        assert_eq!(queue.companions(&one[0]).len(), 1, "of the other shard");
        queue.obey(Command::Cancel { key: keys[0] });
        assert!(queue.has_any(&found[0].wanted_by));
        queue.obey(Command::Cancel { key: keys[1] });
        assert!(!queue.has_any(&found[0].wanted_by));
        assert_eq!(queue.waiting_for(&one[1]), [keys[3]]);
        assert_eq!(queue.waiting_for(&wanted[4]), [keys[4]]);
        assert_eq!(queue.companions(&figure(two, 1)), [], "it is no scan");
    }
}
