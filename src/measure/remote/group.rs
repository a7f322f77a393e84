//! Requests to units of work: what one worker measures together, minutes long.
//!
//! In: wanted requests. Out: each of them and of those that they use, once, without what is stored; and these, cut into
//! units of work. It knows neither pools nor engines.

use std::collections::HashMap;

use neuronotes_core::canonical::canonical_json;
use neuronotes_core::dataset::DatasetRef;
use neuronotes_core::digest::Digest;
use neuronotes_core::kind::{OF_TARGET, scan};
use neuronotes_core::pool::Unit;
use neuronotes_core::request::Request;

use crate::measure::schedule::{Rank, Timings, Wish};

/// Seconds that a unit of work takes at most, unless one request takes longer. Less is lost with a worker, and more is spent on
/// claims and on loading.
const LONG: f64 = 180.0;
/// Seconds below which work is not cut further to give more workers something to do.
const SHORT: f64 = 20.0;
/// Most requests in a unit of work.
const MOST: usize = 64;
/// Most requests in a unit of work if nobody knows how long they take.
const UNKNOWN: f64 = 8.0;
/// Most requests that those of a unit of work use, each counted as often as it is used: they are written out in its file.
const MOST_USED: usize = 8192;

/// A request without a result, which is wanted or used by one that is.
#[derive(Debug, Clone, PartialEq)]
pub struct Open {
    /// The request key.
    pub key: Digest,
    /// The request.
    pub request: Request,
    /// The highest urgency of those that want it.
    pub rank: Rank,
    /// The keys of results that it uses and that are not stored.
    pub needs: Vec<Digest>,
    /// Seconds that it will take by itself; `None` if nothing like it was measured before.
    pub seconds: Option<f64>,
}

/// A unit of work to be put into a pool.
#[derive(Debug, Clone, PartialEq)]
pub struct Piece {
    /// The unit of work, with paths as they are here.
    pub unit: Unit,
    /// Its urgency.
    pub rank: Rank,
}

/// The wanted requests and all that they use, each once, behind what it uses, without what `is_stored` accepts.
pub fn open(
    wishes: &[Wish],
    timings: &Timings,
    is_stored: &mut dyn FnMut(&Digest) -> bool,
) -> Vec<Open> {
    let mut wishes: Vec<&Wish> = wishes.iter().collect();
    wishes.sort_by_key(|wish| wish.rank);
    let mut found = Found { timings, is_stored, seen: HashMap::new(), open: Vec::new() };
    for Wish { key, request, rank } in wishes {
        found.visit(*key, request, *rank);
    }
    found.open
}

/// The open requests that were found so far.
struct Found<'a> {
    timings: &'a Timings,
    is_stored: &'a mut dyn FnMut(&Digest) -> bool,
    /// All keys, and whether they are open.
    seen: HashMap<Digest, bool>,
    open: Vec<Open>,
}

impl Found<'_> {
    /// Adds a request, unless it is stored; returns whether it is open. The most urgent come first, so that the first to ask
    /// for something decides its urgency.
    fn visit(&mut self, key: Digest, request: &Request, rank: Rank) -> bool {
        if let Some(is_open) = self.seen.get(&key) {
            return *is_open;
        }
        let is_open = !(self.is_stored)(&key);
        self.seen.insert(key, is_open);
        if is_open {
            let mut needs = Vec::new();
            for used in &request.uses {
                let key = used.key();
                if self.visit(key, used, rank) {
                    needs.push(key);
                }
            }
            needs.sort_unstable();
            needs.dedup();
            let seconds = self.timings.estimate(request);
            self.open.push(Open { key, request: request.clone(), rank, needs, seconds });
        }
        is_open
    }
}

/// What requests have in common that may be in one unit of work.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Class {
    /// Scans of one pass have different urgencies and are measured together all the same.
    rank: Option<Rank>,
    kind: String,
    version: u32,
    /// Model, conventions, precision, and the recipe of what is not about a data set.
    shared: String,
    /// The data set without its shards for a scan.
    dataset: Option<Digest>,
    /// What must be measured first: a unit of work waits for all that its requests need.
    needs: Vec<Digest>,
}

impl Class {
    fn of(open: &Open) -> Self {
        let request = &open.request;
        let is_scan = request.kind == scan::NAME;
        let dataset = request.dataset.as_ref().map(|dataset| match is_scan {
            true => DatasetRef { shards: Vec::new(), ..dataset.clone() }.content(),
            false => dataset.content(),
        });
        let mut params = request.params.clone();
        OF_TARGET.iter().for_each(|name| drop(params.remove(*name)));
        let recipe = dataset.is_none().then_some(params);
        let model = &request.model;
        let shared =
            serde_json::json!([model.digest, model.conventions, request.precision, recipe]);
        Self {
            rank: (!is_scan).then_some(open.rank),
            kind: request.kind.clone(),
            version: request.impl_version,
            shared: canonical_json(&shared),
            dataset,
            needs: open.needs.clone(),
        }
    }
}

/// Requests that cannot be torn apart without doing work twice: scans of several layers over one shard, or a single request.
struct Bundle {
    requests: Vec<Open>,
    rank: Rank,
}

impl Bundle {
    /// Seconds, with a guess for what has no estimate.
    fn cost(&self) -> f64 {
        self.requests.iter().map(cost).sum()
    }

    fn used(&self) -> usize {
        self.requests.iter().map(|open| open.request.uses.len()).sum()
    }
}

fn cost(open: &Open) -> f64 {
    open.seconds.unwrap_or(LONG / UNKNOWN)
}

/// Cuts open requests into units of work for so many workers, the most urgent first.
pub fn pieces(open: Vec<Open>, workers: u32) -> Vec<Piece> {
    let all: f64 = open.iter().map(cost).sum();
    let pace = (all / f64::from(workers.max(1))).clamp(SHORT, LONG);
    let mut places = HashMap::new();
    let mut classes: Vec<Vec<Bundle>> = Vec::new();
    let mut passes: HashMap<(usize, Option<Digest>), usize> = HashMap::new();
    for open in open {
        let pass = (open.request.kind == scan::NAME)
            .then(|| open.request.dataset.as_ref().map(DatasetRef::content))
            .flatten();
        let at = *places.entry(Class::of(&open)).or_insert_with(|| {
            classes.push(Vec::new());
            classes.len() - 1
        });
        let class = &mut classes[at];
        let known = pass.and_then(|pass| passes.get(&(at, Some(pass))));
        match known.and_then(|place| class.get_mut(*place)) {
            Some(bundle) => {
                bundle.rank = bundle.rank.min(open.rank);
                bundle.requests.push(open);
            }
            None => {
                passes.insert((at, pass), class.len());
                class.push(Bundle { rank: open.rank, requests: vec![open] });
            }
        }
    }
    let mut pieces: Vec<Piece> = Vec::new();
    for mut class in classes {
        class.sort_by_key(|bundle| bundle.rank);
        let mut rest = class.into_iter().peekable();
        while let Some(rank) = rest.peek().map(|bundle| bundle.rank) {
            let alike = std::iter::from_fn(|| rest.next_if(|bundle| bundle.rank == rank));
            pieces.extend(cut(alike.collect(), pace).into_iter().map(|part| piece(part, rank)));
        }
    }
    pieces.sort_by_key(|piece| piece.rank);
    pieces
}

/// Cuts bundles into parts of about equal length.
fn cut(bundles: Vec<Bundle>, pace: f64) -> Vec<Vec<Bundle>> {
    let all: f64 = bundles.iter().map(Bundle::cost).sum();
    let parts = (all / pace).ceil().max(1.0);
    let target = all / parts;
    let mut done: Vec<Vec<Bundle>> = Vec::new();
    let (mut before, mut sum, mut count, mut used) = (0.0, 0.0, 0, 0);
    for bundle in bundles {
        let (cost, more) = (bundle.cost(), bundle.requests.len());
        let is_full = before + cost / 2.0 > target * done.len() as f64 + 1e-6
            || sum + cost > LONG + 1e-6
            || count + more > MOST
            || used + bundle.used() > MOST_USED;
        if done.is_empty() || is_full {
            done.push(Vec::new());
            (sum, count, used) = (0.0, 0, 0);
        }
        before += cost;
        (sum, count, used) = (sum + cost, count + more, used + bundle.used());
        if let Some(part) = done.last_mut() {
            part.push(bundle);
        }
    }
    done
}

fn piece(bundles: Vec<Bundle>, rank: Rank) -> Piece {
    let requests: Vec<Open> = bundles.into_iter().flat_map(|bundle| bundle.requests).collect();
    let seconds = requests.iter().map(|open| open.seconds).sum();
    let requests = requests.into_iter().map(|open| open.request).collect();
    Piece { unit: Unit { requests, seconds, halve: false }, rank }
}

#[cfg(test)]
mod tests;
