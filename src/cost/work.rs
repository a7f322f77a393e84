//! What the workers of a pool would have to do: missing requests in; units of work, hours and bytes out. Nothing is put or submitted.

use std::collections::{BTreeMap, BTreeSet};

use indicatif::DecimalBytes;
use neuronotes_core::digest::Digest;
use neuronotes_core::number::thousands;
use neuronotes_core::problem::Problem;
use neuronotes_core::request::Request;
use neuronotes_core::store::Store;

use super::Cost;
use crate::measure::remote::group;
use crate::measure::schedule::{Rank, Timings, Wish, duration};

/// What has to be measured.
#[derive(Debug, Default, PartialEq)]
pub struct Work {
    /// By kind.
    kinds: BTreeMap<String, Share>,
    /// How many units of work they are.
    units: usize,
    /// How many requests the notes make whose results are stored.
    stored: usize,
    /// Most workers.
    workers: u32,
    /// GPUs of each worker, if the profile asks for them.
    gpus: Option<u32>,
    /// Bytes that scans will take.
    bytes: u64,
    /// The device that the estimates come from.
    device: String,
}

/// What has to be measured of one kind.
#[derive(Debug, Default, PartialEq)]
struct Share {
    requests: usize,
    units: usize,
    /// Of those that have an estimate.
    seconds: f64,
    /// How many have none.
    unknown: usize,
}

impl Work {
    /// What these requests cost, with what they use, for so many workers with so many GPUs each. `stored` is the number of other
    /// requests, and `scans` what the scans among them take.
    pub fn of(
        requests: &[(Digest, Request)],
        store: &Store,
        scans: &[Cost],
        stored: usize,
        workers: u32,
        gpus: Option<u32>,
    ) -> Self {
        let timings = Timings::of(store);
        let wish = |(key, request): &(Digest, Request)| {
            let (request, rank) = (request.clone(), Rank::Rest);
            Wish { key: *key, request, rank }
        };
        let wishes: Vec<Wish> = requests.iter().map(wish).collect();
        let open = group::open(&wishes, &timings, &mut |key| store.record(key).is_some());
        let mut work = Self { stored, workers, gpus, ..Self::default() };
        for open in &open {
            let share = work.kinds.entry(open.request.kind.clone()).or_default();
            share.requests += 1;
            share.seconds += open.seconds.unwrap_or(0.0);
            share.unknown += usize::from(open.seconds.is_none());
        }
        let pieces = group::pieces(open, workers);
        work.units = pieces.len();
        for piece in &pieces {
            let kinds: BTreeSet<&String> =
                piece.unit.requests.iter().map(|one| &one.kind).collect();
            for kind in kinds {
                work.kinds.entry(kind.clone()).or_default().units += 1;
            }
        }
        work.bytes = scans.iter().map(Cost::bytes_in_all).sum();
        timings.device().clone_into(&mut work.device);
        work
    }

    fn unknown(&self) -> usize {
        self.kinds.values().map(|share| share.unknown).sum()
    }

    fn requests(&self) -> usize {
        self.kinds.values().map(|share| share.requests).sum()
    }

    /// Hours of workers by estimate, as far as there are any.
    fn worker_hours(&self) -> f64 {
        self.kinds.values().map(|share| share.seconds).sum::<f64>() / 3600.0
    }

    /// The same, each worker counted as often as it has GPUs, and once if it has none.
    pub fn gpu_hours(&self) -> f64 {
        self.worker_hours() * f64::from(self.gpus.unwrap_or(1).max(1))
    }

    /// Lines for people.
    pub fn lines(&self, pool: &str) -> Vec<String> {
        if self.units == 0 {
            return vec![format!("{pool}: nothing to measure, {} results stored", self.stored)];
        }
        let workers = match self.workers {
            1 => "1 worker".to_owned(),
            n => format!("at most {n} workers"),
        };
        let mut lines = vec![format!(
            "{pool}: {} in {} for {workers}; {} stored already",
            counted(self.requests(), "request"),
            counted(self.units, "unit of work"),
            thousands(self.stored as u64)
        )];
        let width = self.kinds.keys().map(String::len).max().unwrap_or(0);
        for (kind, share) in &self.kinds {
            let time = match (share.requests - share.unknown, share.unknown) {
                (0, _) => "no estimate".to_owned(),
                (_, 0) => format!("about {}", duration(share.seconds)),
                (_, n) => format!("about {}, and {n} without an estimate", duration(share.seconds)),
            };
            let (requests, units) =
                (counted(share.requests, "request"), counted(share.units, "unit of work"));
            lines.push(format!("  {kind:width$}  {requests} in {units}, {time}"));
        }
        let unknown = self.unknown();
        if unknown < self.requests() {
            let gpus = match self.gpus {
                Some(gpus @ 1..) => {
                    format!(", {} GPU-hours with {gpus} each", hours(self.gpu_hours()))
                }
                _ => String::new(),
            };
            let (all, device) = (hours(self.worker_hours()), &self.device);
            lines
                .push(format!("in all {all} worker-hours{gpus}, by what was measured on {device}"));
        }
        if unknown > 0 {
            lines.push(format!(
                "nothing like {} was measured before: how long that takes is not known",
                counted(unknown, "request")
            ));
        }
        if self.bytes > 0 {
            lines.push(format!("scans take {} in the store", DecimalBytes(self.bytes)));
        }
        lines
    }

    /// Refuses more than so many GPU-hours. What has no estimate is not counted, unless nothing has one.
    ///
    /// # Errors
    /// If it is more, or nothing is known.
    pub fn within(&self, limit: f64) -> Result<(), Problem> {
        let unknown = self.unknown();
        if self.units > 0 && unknown == self.requests() {
            let message = format!(
                "how long {} will take is not known, so the limit of {} GPU-hours cannot be kept",
                counted(unknown, "request"),
                hours(limit)
            );
            let hint =
                "measure one figure of each kind first, with `--only`, or leave out `--limit`";
            return Err(Problem::new(message).hint(hint.to_owned()));
        }
        if self.gpu_hours() > limit {
            let more = match unknown {
                0 => String::new(),
                n => format!(", and {} without an estimate", counted(n, "request")),
            };
            let message = format!(
                "this would take {} GPU-hours by estimate{more}: more than the limit of {}",
                hours(self.gpu_hours()),
                hours(limit)
            );
            let hint = "raise `--limit`, or measure less at once with `--only`; `--dry-run` lists the parts";
            return Err(Problem::new(message).hint(hint.to_owned()));
        }
        Ok(())
    }
}

fn counted(count: usize, what: &str) -> String {
    let what = match (count, what.split_once(' ')) {
        (1, _) => what.to_owned(),
        (_, Some((noun, rest))) => format!("{noun}s {rest}"),
        (_, None) => format!("{what}s"),
    };
    format!("{} {what}", thousands(count as u64))
}

/// Two digits that count.
fn hours(hours: f64) -> String {
    match hours {
        h if h >= 10.0 => thousands(h.round() as u64),
        h if h >= 1.0 => format!("{h:.1}"),
        h => format!("{h:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work() -> Work {
        let share = |requests, units, seconds, unknown| Share { requests, units, seconds, unknown };
        Work {
            kinds: [
                ("scan".to_owned(), share(40, 3, 540.0, 0)),
                ("feature_vis".to_owned(), share(160, 64, 11_880.0, 0)),
                ("probe".to_owned(), share(3, 1, 0.0, 3)),
                ("unit_rank".to_owned(), share(2, 1, 30.0, 1)),
            ]
            .into(),
            units: 69,
            stored: 31,
            workers: 8,
            gpus: Some(2),
            bytes: 1_640_000_000,
            device: "cuda:0".into(),
        }
    }

    #[test]
    fn work_is_listed_by_kind_with_what_is_not_known() {
        insta::assert_snapshot!(work().lines("slurm").join("\n"));
        let none = Work { stored: 3, ..Work::default() };
        assert_eq!(none.lines("slurm"), ["slurm: nothing to measure, 3 results stored"]);
    }

    #[test]
    fn more_than_the_limit_is_refused_and_what_is_not_known_at_all_too() {
        let mut work = work();
        assert_eq!(work.within(7.0), Ok(()));
        let refused = work.within(6.0).expect_err("more").to_string();
        assert!(
            refused.contains("6.9 GPU-hours") && refused.contains("4 requests without"),
            "{refused}"
        );
        work.kinds.retain(|kind, _| kind == "probe");
        let refused = work.within(1000.0).expect_err("unknown").to_string();
        assert!(refused.contains("is not known"), "{refused}");
        assert_eq!(Work::default().within(0.0), Ok(()), "nothing costs nothing");
    }
}
