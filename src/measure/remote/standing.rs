//! Where each open request of a pool stands, and how long everything will take.

use neuronotes_core::digest::Digest;
use neuronotes_core::kind::scan;

use super::keeper::{Keeper, Known};
use super::view::{Spot, View};

impl Keeper {
    /// Where everything stands.
    pub fn view(&self) -> View {
        let mut view = View {
            waiting: self.crew.waiting(&self.seen),
            workers: self.seen.len(),
            done: self.done,
            all: self.done + self.open.len(),
            trouble: self.trouble.clone(),
            ..View::default()
        };
        let running = self.running.iter();
        view.running = running
            .map(|(key, (host, at))| {
                (*key, (super::status::running(host, &at.words()), at.fraction()))
            })
            .collect();
        let mut units: Vec<(&Known, Option<f64>)> =
            self.units.values().map(|unit| (unit, self.seconds(unit))).collect();
        let is_held = |unit: &Known| self.begun.get(&unit.named.id).is_some_and(|by| by.is_held);
        // As workers take them.
        units.sort_by(|(a, of_a), (b, of_b)| {
            (!is_held(a), a.named.rank)
                .cmp(&(!is_held(b), b.named.rank))
                .then(of_b.unwrap_or(0.0).total_cmp(&of_a.unwrap_or(0.0)))
        });
        let workers = match view.workers {
            0 => (self.most as usize).min(units.len()),
            n => n,
        };
        let workers = workers.max(1) as f64;
        let (mut sum, mut before) = (Some(0.0), 0);
        for (unit, own) in units {
            sum = sum.zip(own).map(|(sum, own)| sum + own);
            let seconds = sum.zip(own).map(|(sum, own)| f64::max(sum / workers, own));
            let open = unit.keys.iter().filter_map(|key| self.open.get(key));
            let open = open.filter(|open| !self.running.contains_key(&open.key));
            let mut count = 0;
            for open in open {
                count += 1;
                view.spots.insert(open.key, self.spot(&open.key, unit, before, seconds));
            }
            if !is_held(unit) {
                before += count;
            }
        }
        for key in self.open.keys().filter(|key| !self.running.contains_key(key)) {
            view.spots.entry(*key).or_insert(Spot::Queued { before, seconds: None });
        }
        view.left = sum.map(|sum| sum / workers);
        view
    }

    fn spot(&self, key: &Digest, unit: &Known, before: usize, seconds: Option<f64>) -> Spot {
        let needs = self.open.get(key).map(|open| open.needs.as_slice()).unwrap_or_default();
        if !needs.is_empty() {
            let is_scan = |need: &Digest| {
                self.open.get(need).is_some_and(|open| open.request.kind == scan::NAME)
            };
            let all = self.needed.get(key).copied().unwrap_or(0);
            let scans = needs.iter().all(is_scan);
            return Spot::Needs { left: needs.len(), all, scans, seconds };
        }
        match self.begun.get(&unit.named.id) {
            Some(by) if by.is_held => Spot::Begun { host: by.host.clone(), seconds },
            Some(by) => Spot::Lost { again: self.crew.waits_again(&by.job) },
            None => Spot::Queued { before, seconds },
        }
    }

    /// Seconds that are left of a unit of work by estimate.
    fn seconds(&self, unit: &Known) -> Option<f64> {
        let open = unit.keys.iter().filter_map(|key| self.open.get(key));
        open.map(|open| {
            let done = self.running.get(&open.key).map_or(0.0, |(_, at)| at.fraction());
            open.seconds.map(|seconds| seconds * (1.0 - done))
        })
        .sum()
    }
}
