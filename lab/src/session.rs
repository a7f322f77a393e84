//! A session: requests in, one after the other; committed records out.
//!
//! Looks into the store first, claims what is missing so that no other process measures it too, and measures what a request
//! uses before the request itself. Waits for what another process is measuring. Knows nothing of how requests arrive.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::{Duration, Instant};

use jiff::{Timestamp, Unit};
use neuronotes_core::digest::Digest;
use neuronotes_core::kind::scan;
use neuronotes_core::protocol::ELSEWHERE;
use neuronotes_core::request::Request;
use neuronotes_core::say;
use neuronotes_core::store::{Claim, Claimed, Claims, Provenance, Record, Store};

use crate::device::{Device, LIBTORCH};
use crate::failure::Failure;
use crate::kept::Kept;
use crate::kind::{Measure, Run};
use crate::monitor::{BEGINNING, Monitor, Progress, Stoppable};
use crate::scans::Scans;
use crate::threads::{self, Fixed};
use crate::workbench::{Results, Workbench};

/// How often to look for what another process measures.
const LOOK: Duration = Duration::from_millis(100);

/// A store, and what is kept between requests.
#[derive(Debug)]
pub struct Session {
    store: Store,
    kept: Kept,
    claims: Claims,
    /// Records of scans that were read: a question to a data set looks at that of each shard several times.
    known: RefCell<HashMap<Digest, Record>>,
}

/// Most records of scans that are kept.
const MOST_KNOWN: usize = 1024;

impl Session {
    /// A session on a device that commits to a store.
    pub fn new(store: Store, device: Device) -> Self {
        let claims = Claims::new(&store);
        let kept = Kept::on(device, store.clone());
        Self { store, kept, claims, known: RefCell::default() }
    }

    /// Sets the memory for loaded models, in bytes.
    pub fn with_memory(self, budget: u64) -> Self {
        Self { kept: self.kept.with_memory(budget), ..self }
    }

    /// The device that measures.
    pub fn device(&self) -> &Device {
        &self.kept.device
    }

    /// The store that records are committed to.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Measures a request and what it uses, as far as the store does not have them yet.
    ///
    /// # Errors
    /// If it was cancelled or cannot be measured. A panic below becomes an error too.
    pub fn measure(&self, request: &Request, monitor: &mut dyn Monitor) -> Result<Record, Failure> {
        self.measure_together(&[request], &mut [monitor], &mut |_, _| {}).remove(0)
    }

    /// Measures requests that can be measured together ([`Measure::batch_key`]), one monitor each. `ended` is called with each
    /// result, by the request's place, as soon as it is known.
    pub fn measure_together(
        &self,
        requests: &[&Request],
        monitors: &mut [&mut dyn Monitor],
        ended: &mut dyn FnMut(usize, &Result<Record, Failure>),
    ) -> Vec<Result<Record, Failure>> {
        let mut results: Vec<Option<Result<Record, Failure>>> =
            requests.iter().map(|_| None).collect();
        let mut ended = |at: usize, result: &Result<Record, Failure>| {
            if let Err(failure) = result {
                if failure.is_of_memory() {
                    // The next one, or the same by halves, may need their room.
                    self.kept.unload();
                }
                // The picture of an unfinished state.
                let _ = fs::remove_file(self.store.partial_path(&requests[at].key()));
            }
            ended(at, result);
        };
        let _fixed = Fixed::on(self.kept.device.torch);
        let whole = catch_unwind(AssertUnwindSafe(|| {
            self.ensure_together(requests, monitors, &mut results, &mut ended);
        }));
        let broken = whole.err().map(|panic| Failure::of_panic(panic.as_ref()));
        for (at, result) in results.iter_mut().enumerate().filter(|(_, result)| result.is_none()) {
            let failure = broken.clone().unwrap_or_else(|| Failure::new("nothing was measured"));
            ended(at, result.insert(Err(failure)));
        }
        results.into_iter().flatten().collect()
    }

    /// Measures what the store does not have. A result stays `None` only if a measurement panics.
    fn ensure_together(
        &self,
        requests: &[&Request],
        monitors: &mut [&mut dyn Monitor],
        results: &mut [Option<Result<Record, Failure>>],
        ended: &mut dyn FnMut(usize, &Result<Record, Failure>),
    ) {
        let mut open: Vec<usize> = (0..requests.len()).collect();
        while !open.is_empty() {
            let (mut begun, mut theirs) = (Vec::new(), Vec::new());
            let mut measure = None;
            for at in open {
                match self.begin(requests[at], &mut *monitors[at]) {
                    Ok(Begun::Stored(record)) => ended(at, results[at].insert(Ok(*record))),
                    Ok(Begun::Mine(how, claim)) => {
                        measure = Some(how);
                        begun.push((at, claim));
                    }
                    Ok(Begun::Theirs) => theirs.push(at),
                    Err(failure) => ended(at, results[at].insert(Err(failure))),
                }
            }
            match measure {
                Some(measure) => {
                    let joining = self.joining(measure, &begun, requests, monitors);
                    self.run(measure, begun, joining, requests, monitors, results, ended);
                }
                None if !theirs.is_empty() => thread::sleep(LOOK),
                None => {}
            }
            open = theirs;
        }
    }

    /// Begins scans that other requests will need and that share the pass of the one that was begun.
    fn joining(
        &self,
        measure: &Measure,
        begun: &[(usize, Claim)],
        requests: &[&Request],
        monitors: &[&mut dyn Monitor],
    ) -> Vec<Joining> {
        let Some((first, _)) = begun.first().filter(|_| measure.name == scan::NAME) else {
            return Vec::new();
        };
        let known: Vec<Digest> = requests.iter().map(|request| request.key()).collect();
        let mut joining = Vec::new();
        for (request, mut monitor) in monitors[*first].companions(requests[*first]) {
            if known.contains(&request.key()) {
                continue;
            }
            // One that fails to begin fails again, and is reported, when it is its own turn.
            if let Ok(Begun::Mine(_, claim)) = self.begin(&request, &mut *monitor) {
                joining.push(Joining { request, monitor, _claim: claim });
            }
        }
        joining
    }

    /// Measures the requests that were begun, and those that join them.
    #[allow(clippy::too_many_arguments)]
    fn run(
        &self,
        measure: &Measure,
        begun: Vec<(usize, Claim)>,
        mut joining: Vec<Joining>,
        requests: &[&Request],
        monitors: &mut [&mut dyn Monitor],
        results: &mut [Option<Result<Record, Failure>>],
        ended: &mut dyn FnMut(usize, &Result<Record, Failure>),
    ) {
        let started = Timestamp::now().round(Unit::Second).unwrap_or_default();
        let clock = Instant::now();
        let count = (begun.len() + joining.len()) as f64;
        let is_begun = |at: usize| begun.iter().any(|(other, _)| *other == at);
        let chosen = requests.iter().zip(monitors).enumerate().filter(|(at, _)| is_begun(*at));
        let mut benches: Vec<Workbench<'_>> = chosen
            .map(|(_, (request, monitor))| {
                Workbench::new(request, &mut **monitor, &self.store, &self.kept, self)
            })
            .collect();
        benches.extend(joining.iter_mut().map(|Joining { request, monitor, .. }| {
            Workbench::new(request, &mut **monitor, &self.store, &self.kept, self)
        }));
        let measured = match measure.run {
            Run::Alone(run) => benches.iter_mut().map(run).collect(),
            Run::Together { run, .. } => run(&mut benches),
        };
        let seconds = || clock.elapsed().as_secs_f64() / count;
        let mut all = benches.into_iter().zip(measured);
        for ((at, claim), (bench, result)) in begun.into_iter().zip(&mut all) {
            warn_if_taken(&bench.request.key(), &claim);
            let result = result.and_then(|()| self.commit(bench, started, seconds()));
            // Processes that wait for it now find the result, or can measure it.
            drop(claim);
            ended(at, results[at].insert(result));
        }
        for (bench, result) in all {
            // As when it begins.
            let _ = result.and_then(|()| self.commit(bench, started, seconds()));
        }
    }

    /// Finds out whether a request must be measured here, and if so measures what it uses.
    fn begin(&self, request: &Request, monitor: &mut dyn Monitor) -> Result<Begun, Failure> {
        let key = request.key();
        if let Some(record) = self.stored(&key).or_else(|| self.renamed(request)) {
            return Ok(Begun::Stored(Box::new(record)));
        }
        let measure = Measure::of(&request.kind, request.impl_version)?;
        monitor.check()?;
        let Claimed::Mine(claim) = self.claims.claim(&key) else {
            monitor.progress(&Progress::beginning(ELSEWHERE));
            return if monitor.waits() { Ok(Begun::Theirs) } else { Err(Failure::Elsewhere) };
        };
        // It may have been stored between the look-up and the claim, by another machine too.
        self.store.refresh(&key);
        if let Some(record) = self.store.record(&key) {
            return Ok(Begun::Stored(Box::new(record)));
        }
        // Left by a measurement that was interrupted.
        let _ = fs::remove_file(self.store.partial_path(&key));
        monitor.progress(&Progress::beginning(BEGINNING));
        let mut scans = Scans::of(&request.uses, |key| self.stored(key).is_some());
        for used in &request.uses {
            let is_scan = used.kind == scan::NAME;
            if is_scan && self.stored(&used.key()).is_some() {
                scans.done(used);
                continue;
            }
            if is_scan {
                let mut measure = |part: &Request, stops: &dyn Fn() -> bool| {
                    self.measure(part, &mut Stoppable(stops))
                };
                monitor.before_scan(&mut measure);
            }
            match scans.of_set(used) {
                Some(part) => self.record(used, &mut part.watched(monitor))?,
                None => self.record(used, monitor)?,
            };
            scans.done(used);
        }
        monitor.check()?;
        Ok(Begun::Mine(measure, claim))
    }

    /// The stored record under a key.
    fn stored(&self, key: &Digest) -> Option<Record> {
        let mut known = self.known.borrow_mut();
        if let Some(record) = known.get(key) {
            if self.store.holds(record) {
                return Some(record.clone());
            }
            known.remove(key);
        }
        let record = self.store.record(key)?;
        if record.kind == scan::NAME {
            if known.len() >= MOST_KNOWN {
                known.clear();
            }
            known.insert(*key, record.clone());
        }
        Some(record)
    }

    /// A record under the key that a request had when keys covered captions too; it is committed under the new key.
    fn renamed(&self, request: &Request) -> Option<Record> {
        let mut record = self.store.record(&request.former()?.key())?;
        (record.key, record.request) = (request.key(), request.canonical());
        self.store.commit(&record).ok()?;
        Some(record)
    }

    fn commit(
        &self,
        bench: Workbench<'_>,
        started: Timestamp,
        seconds: f64,
    ) -> Result<Record, Failure> {
        bench.check_unchanged()?;
        let (request, mut record) = (bench.request, bench.record);
        record.provenance = Provenance {
            device: self.kept.device.label.clone(),
            device_name: self.kept.device.name.clone(),
            threads: threads::workers().try_into().unwrap_or(0),
            instructions: self.kept.device.instructions.clone(),
            libtorch: LIBTORCH.to_owned(),
            lab: env!("CARGO_PKG_VERSION").to_owned(),
            started: started.to_string(),
            seconds,
            model: request.model.name.clone(),
            dataset: request.dataset.as_ref().map(|dataset| dataset.name.clone()),
        };
        self.store.commit(&record)?;
        self.kept.save();
        Ok(record)
    }
}

impl Results for Session {
    fn record(&self, request: &Request, monitor: &mut dyn Monitor) -> Result<Record, Failure> {
        let mut results = [None];
        self.ensure_together(&[request], &mut [monitor], &mut results, &mut |_, _| {});
        let [result] = results;
        result.unwrap_or_else(|| Err(Failure::new("nothing was measured")))
    }
}

/// Says that another process took a claim over while its request was measured here. The result is committed all the same: it is as
/// good as the other's, which may never come, and whichever is written last replaces the first as a whole.
fn warn_if_taken(key: &Digest, claim: &Claim) {
    if let Some(holder) = claim.taken_by() {
        let why = "it was not renewed for a while, because this process was stopped or the store was away";
        let key = key.short();
        say::err(format_args!(
            "neuronotes-lab: the claim to {key} was lost ({why}); it is now held by {holder}; the result is committed all the same"
        ));
    }
}

/// A scan that joins another one's pass.
struct Joining {
    request: Request,
    monitor: Box<dyn Monitor>,
    /// Held until it is stored.
    _claim: Claim,
}

/// What to do about a request.
enum Begun {
    /// Nothing: it is stored.
    Stored(Box<Record>),
    /// Measure it in this way; what it uses has been measured.
    Mine(&'static Measure, Claim),
    /// Wait: another process is measuring it.
    Theirs,
}
