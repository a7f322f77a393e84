//! A session: requests in, one after the other; committed records out.
//!
//! Holds what is worth keeping between requests: the device, models that were used, and digests of files. What another
//! process is at it does not measure a second time, but waits for. Knows nothing of how requests arrive.

use std::cell::RefCell;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use jiff::{Timestamp, Unit};
use neuronotes_core::dataset::Format;
use neuronotes_core::digest::Digest;
use neuronotes_core::files::FileDigests;
use neuronotes_core::model::parts;
use neuronotes_core::protocol::ELSEWHERE;
use neuronotes_core::request::Request;
use neuronotes_core::store::{Claim, Claimed, Claims, Provenance, Record, Store};

use crate::device::{Device, LIBTORCH};
use crate::failure::Failure;
use crate::kind::{Measure, Run};
use crate::monitor::{Monitor, Progress};
use crate::resident::Residents;
use crate::workbench::Workbench;

/// How often it is looked for what another process measures.
const LOOK: Duration = Duration::from_millis(100);

/// What is kept between requests.
#[derive(Debug)]
pub struct Session {
    store: Store,
    pub(crate) device: Device,
    digests: RefCell<FileDigests>,
    pub(crate) residents: RefCell<Residents>,
    claims: Claims,
}

impl Session {
    /// A session on a device that commits to a store.
    pub fn new(store: Store, device: Device) -> Self {
        let residents = RefCell::new(Residents::on(&device));
        let (claims, digests) = (Claims::new(&store), RefCell::default());
        Self { store, device, digests, residents, claims }
    }

    /// The same with so much memory for models that stay, in bytes.
    pub fn with_memory(self, budget: u64) -> Self {
        Self { residents: RefCell::new(Residents::within(budget)), ..self }
    }

    /// The store that records are committed to.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Measures a request and what it uses, as far as the store does not have them yet.
    ///
    /// # Errors
    /// Where it was cancelled or cannot be measured. No error and no panic below reaches further.
    pub fn measure(&self, request: &Request, monitor: &mut dyn Monitor) -> Result<Record, Failure> {
        self.measure_together(&[request], &mut [monitor], &mut |_, _| {}).remove(0)
    }

    /// The same for requests that keep each other company ([`Measure::company`]), one monitor each. `ended` is told of
    /// each, by its place, as soon as it is known.
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
                    self.residents.borrow_mut().clear();
                }
                // The picture of a state that leads nowhere.
                let _ = fs::remove_file(self.store.partial_path(&requests[at].key()));
            }
            ended(at, result);
        };
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

    /// The stored record, or a new one.
    pub(crate) fn ensure(
        &self,
        request: &Request,
        monitor: &mut dyn Monitor,
    ) -> Result<Record, Failure> {
        let mut results = [None];
        self.ensure_together(&[request], &mut [monitor], &mut results, &mut |_, _| {});
        let [result] = results;
        result.unwrap_or_else(|| Err(Failure::new("nothing was measured")))
    }

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
                    self.run(measure, begun, requests, monitors, results, ended);
                }
                None if !theirs.is_empty() => thread::sleep(LOOK),
                None => {}
            }
            open = theirs;
        }
    }

    /// Measures what was begun.
    fn run(
        &self,
        measure: &Measure,
        begun: Vec<(usize, Claim)>,
        requests: &[&Request],
        monitors: &mut [&mut dyn Monitor],
        results: &mut [Option<Result<Record, Failure>>],
        ended: &mut dyn FnMut(usize, &Result<Record, Failure>),
    ) {
        let started = Timestamp::now().round(Unit::Second).unwrap_or_default();
        let clock = Instant::now();
        let count = begun.len() as f64;
        let is_begun = |at: usize| begun.iter().any(|(other, _)| *other == at);
        let chosen = requests.iter().zip(monitors).enumerate().filter(|(at, _)| is_begun(*at));
        let mut benches: Vec<Workbench<'_>> = chosen
            .map(|(_, (request, monitor))| Workbench::new(request, &mut **monitor, self))
            .collect();
        let measured = match measure.run {
            Run::Alone(run) => benches.iter_mut().map(run).collect(),
            Run::Together { run, .. } => run(&mut benches),
        };
        for (((at, claim), bench), result) in begun.into_iter().zip(benches).zip(measured) {
            let seconds = clock.elapsed().as_secs_f64() / count;
            let result = result.and_then(|()| self.commit(bench, started, seconds));
            // Whoever waits for it finds it, or may try.
            drop(claim);
            ended(at, results[at].insert(result));
        }
    }

    /// Sees whether a request has to be measured here, and measures what it uses.
    fn begin(&self, request: &Request, monitor: &mut dyn Monitor) -> Result<Begun, Failure> {
        let key = request.key();
        let stored = || {
            let record = self.store.record(&key).or_else(|| self.renamed(request));
            record.map(|record| Begun::Stored(Box::new(record)))
        };
        if let Some(stored) = stored() {
            return Ok(stored);
        }
        let measure = Measure::of(&request.kind, request.impl_version)?;
        monitor.check()?;
        let Claimed::Mine(claim) = self.claims.claim(&key) else {
            monitor.progress(&Progress::beginning(ELSEWHERE));
            return if monitor.waits() { Ok(Begun::Theirs) } else { Err(Failure::Elsewhere) };
        };
        // It may have come between the look and the claim.
        if let Some(stored) = stored() {
            return Ok(stored);
        }
        // What a measurement left that was broken off.
        let _ = fs::remove_file(self.store.partial_path(&key));
        monitor.progress(&Progress::beginning("beginning"));
        for used in &request.uses {
            self.ensure(used, monitor)?;
        }
        monitor.check()?;
        Ok(Begun::Mine(measure, claim))
    }

    /// What is stored under the key that a request had when keys covered captions too, now under its own.
    fn renamed(&self, request: &Request) -> Option<Record> {
        let mut record = self.store.record(&request.former()?.key())?;
        (record.key, record.request) = (request.key(), request.canonical());
        self.store.commit(&record).ok()?;
        Some(record)
    }

    fn commit(
        &self,
        mut bench: Workbench<'_>,
        started: Timestamp,
        seconds: f64,
    ) -> Result<Record, Failure> {
        bench.check_unchanged()?;
        let (request, mut record) = (bench.request, bench.record);
        record.provenance = Provenance {
            device: self.device.label.clone(),
            device_name: self.device.name.clone(),
            threads: tch::get_num_threads().try_into().unwrap_or(0),
            libtorch: LIBTORCH.to_owned(),
            lab: env!("CARGO_PKG_VERSION").to_owned(),
            started: started.to_string(),
            seconds,
            model: request.model.name.clone(),
            dataset: request.dataset.as_ref().map(|dataset| dataset.name.clone()),
        };
        self.store.commit(&record)?;
        Ok(record)
    }

    /// The digest of an input.
    pub(crate) fn digest(&self, path: &Path, sort: Input) -> Result<Digest, Failure> {
        let mut digests = self.digests.borrow_mut();
        let digest = match sort {
            Input::Weights => parts::digest(&mut digests, path),
            Input::File => digests.digest(path),
            Input::Shard(format) => (format.digest)(&mut digests, path),
            Input::Pictures(format) => {
                (format.pictures.unwrap_or(format.digest))(&mut digests, path)
            }
        };
        digest.map_err(|error| {
            Failure::outside(format!("{} cannot be read ({error})", path.display()))
        })
    }
}

/// What a path is read as, which decides what its digest covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Input {
    /// Weights: a file, or all parts of an index.
    Weights,
    /// One file.
    File,
    /// A shard of a data set.
    Shard(&'static Format),
    /// The pictures of a shard, whatever describes them.
    Pictures(&'static Format),
}

/// What is to be done about a request.
enum Begun {
    /// Nothing: this is stored.
    Stored(Box<Record>),
    /// It is to be measured in this way; what it uses is there.
    Mine(&'static Measure, Claim),
    /// Another process is at it.
    Theirs,
}
