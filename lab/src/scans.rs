//! The scans that a request uses: how far those of each data set are, all together.
//!
//! A data set is scanned piece by piece. Its progress is told over all of its pictures, not anew for each piece.

use std::collections::{BTreeMap, BTreeSet};

use neuronotes_core::canonical::canonical_json;
use neuronotes_core::digest::Digest;
use neuronotes_core::kind::scan;
use neuronotes_core::request::Request;
use serde_json::Value;

use crate::monitor::{Monitor, PartOf};

/// The scans that a request uses.
#[derive(Debug, Default)]
pub struct Scans {
    sets: BTreeMap<String, Set>,
    stored: BTreeSet<Digest>,
}

/// The scans of one layer over one data set, in pictures.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Set {
    shards: usize,
    /// Pictures that are scanned.
    done: u64,
    /// All pictures.
    total: u64,
}

impl Scans {
    /// The scans among `uses`. `is_stored` says by a key whether the store has one.
    pub fn of(uses: &[Request], is_stored: impl Fn(&Digest) -> bool) -> Self {
        let mut scans = Self::default();
        for used in uses {
            let Some((name, count)) = named(used) else { continue };
            let set = scans.sets.entry(name).or_default();
            set.shards += 1;
            set.total += count;
        }
        scans.sets.retain(|_, set| set.shards > 1);
        for used in uses {
            if let Some((name, count)) = named(used)
                && let Some(set) = scans.sets.get_mut(&name)
                && is_stored(&used.key())
            {
                set.done += count;
                scans.stored.insert(used.key());
            }
        }
        scans
    }

    /// The scans of the same set as this one, if there are several and the sizes of all are known.
    pub fn of_set(&self, used: &Request) -> Option<Set> {
        self.sets.get(&named(used)?.0).copied()
    }

    /// This one is there.
    pub fn done(&mut self, used: &Request) {
        if let Some((name, count)) = named(used)
            && let Some(set) = self.sets.get_mut(&name)
            && self.stored.insert(used.key())
        {
            set.done += count;
        }
    }
}

impl Set {
    /// What watches one of these scans, which is not there yet.
    pub fn watched<'m>(&self, whole: &'m mut dyn Monitor) -> PartOf<'m> {
        PartOf { whole, before: self.done, total: self.total }
    }
}

/// What a scan has in common with those of other shards of its data set, and its number of pictures; `None` if that is
/// not known, or if it is no scan.
fn named(request: &Request) -> Option<(String, u64)> {
    let dataset = request.dataset.as_ref().filter(|_| request.kind == scan::NAME)?;
    let count = scan::images(request)?;
    let name = (&dataset.name, Value::Object(request.params.clone()));
    Some((canonical_json(&serde_json::json!(name)), count))
}

#[cfg(test)]
mod tests {
    use neuronotes_core::dataset::{DatasetRef, Labels, ShardRef, Table, format};
    use neuronotes_core::model::{Conventions, ModelRef, Place, Precision};
    use neuronotes_core::request::Inputs;
    use neuronotes_core::store::{Record, Store};

    use super::*;
    use crate::monitor::Progress;

    /// Remembers the steps of what it watches.
    #[derive(Default)]
    struct Steps(Vec<(u64, u64)>);

    impl Monitor for Steps {
        fn progress(&mut self, progress: &Progress<'_>) {
            self.0.push((progress.step, progress.total));
        }

        fn stopped(&self) -> bool {
            false
        }
    }

    #[test]
    fn progress_is_told_over_all_shards_and_begins_where_the_store_ends() {
        let dir = tempfile::tempdir().expect("a folder");
        let store = Store::open(dir.path()).expect("a store");
        let model = ModelRef {
            name: "m".into(),
            path: "/m".into(),
            digest: Digest::of(b"m"),
            conventions: Conventions::default(),
        };
        let shard = |name: &str, count: u64| ShardRef {
            count: Some(count),
            ..ShardRef::new(name.into(), Digest::of(name.as_bytes()))
        };
        let (format, labels) = (&format::tar::FORMAT, Labels::Files);
        let shards = vec![shard("a", 10), shard("b", 20), shard("c", 30)];
        let data = DatasetRef {
            name: "d".into(),
            format,
            labels,
            table: Table::default(),
            draw: None,
            captions: false,
            shards,
        };
        let of = |layer: &str, data: &DatasetRef| {
            let (place, inputs) = (Place::Layer(layer.into()), Inputs::default());
            scan::requests(&model, data, &place, &inputs, Precision::F32)
        };
        let (one, other) = (of("one", &data), of("other", &data.shard(0)));
        let stored = &one[2];
        let record = Record::new(stored.key(), &stored.kind, 2, stored.canonical());
        store.commit(&record).expect("stored");
        let uses = [one.clone(), other.clone()].concat();
        let is_stored = |key: &Digest| store.record(key).is_some();
        let mut scans = Scans::of(&uses, is_stored);
        assert_eq!(scans.of_set(&other[0]), None, "a single one is its own whole");
        let mut steps = Steps::default();
        for used in &one[..2] {
            let mut part = scans.of_set(used).expect("several").watched(&mut steps);
            part.progress(&Progress::beginning(crate::monitor::BEGINNING));
            for step in [0, 10] {
                let unit = "image";
                part.progress(&Progress { stage: "s", step, total: 20, unit, picture: None });
            }
            scans.done(used);
            scans.done(used);
        }
        assert_eq!(steps.0, [(30, 60), (40, 60), (40, 60), (50, 60)]);
        assert_eq!(scans.of_set(&one[2]).expect("several").done, 60);
        let mut unknown = data;
        unknown.shards[0].count = None;
        let scans = Scans::of(&of("one", &unknown), is_stored);
        assert_eq!(scans.of_set(&of("one", &unknown)[0]), None);
    }
}
