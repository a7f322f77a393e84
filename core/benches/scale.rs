//! How many requests a second the store and a pool carry: a pool with units of work of requests that are no work in; a line of JSON
//! out.
//!
//! Workers are processes of this program that do what a worker and its lab do to the store: they list the units of work, claim one,
//! claim each of its requests, commit a small result, write the journal and their status, and remove the unit of work. There is no
//! lab, and nothing is measured, so that all the time is the store's. A client tails the journals meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use neuronotes_core::digest::Digest;
use neuronotes_core::model::Conventions;
use neuronotes_core::pool::{Entry, Journal, Named, Phase, Pool, Seen, Status, Tail, Unit};
use neuronotes_core::protocol::Event;
use neuronotes_core::request::Request;
use neuronotes_core::store::{Claim, Claimed, Claims, Record, Store};
use serde_json::json;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The name of the pool.
const POOL: &str = "scale";
/// The kind that the requests are said to be of.
const KIND: &str = "feature_vis";
/// How long a worker waits at first, and at most, when others have all units of work.
const PAUSE: [Duration; 2] = [Duration::from_millis(50), Duration::from_secs(2)];

#[derive(Debug, Parser)]
struct Arguments {
    /// Requests of all units of work together
    #[arg(long, default_value_t = 10_000)]
    requests: u32,
    /// Requests of a unit of work
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..))]
    unit: u32,
    /// Workers
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    workers: u32,
    /// Seconds for which a worker does not try a unit of work again that another holds, unless nothing else is left
    #[arg(long, default_value_t = 0.0)]
    remember: f64,
    /// The folder of the store, which must be empty [default: a temporary one]
    #[arg(long)]
    store: Option<PathBuf>,
    /// Be the worker of this number
    #[arg(long, hide = true, requires = "store")]
    worker: Option<u32>,
    /// Only print where this program lies
    #[arg(long)]
    r#where: bool,
    /// Cargo says this to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match (&arguments.worker, &arguments.store) {
        _ if arguments.r#where => {
            std::env::current_exe().map(|path| println!("{}", path.display())).map_err(Into::into)
        }
        (Some(number), Some(store)) => work(store, *number, arguments.remember),
        _ => measure(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Puts the units of work, starts the workers, and waits until the journals have everything.
fn measure(arguments: &Arguments) -> Result<()> {
    let temporary = tempfile::tempdir()?;
    let folder = arguments.store.as_deref().unwrap_or(temporary.path());
    let store = Store::open(folder)?;
    let pool = Pool::open(&store, POOL)?;
    let all: Vec<u32> = (0..arguments.requests).collect();
    let putting = Instant::now();
    let units = all.chunks(arguments.unit as usize);
    let count = units.len();
    for numbers in units {
        let requests = numbers.iter().map(|number| request(*number)).collect::<Result<_>>()?;
        pool.put_unit(&Unit { requests, seconds: Some(1.0), halve: false }, 1)?;
    }
    let putting = putting.elapsed();
    let program = std::env::current_exe()?;
    let mut tail = Tail::default();
    let begun = Instant::now();
    let mut workers: Vec<Child> = (0..arguments.workers)
        .map(|number| {
            Command::new(&program)
                .arg("--store")
                .arg(folder)
                .args([format!("--worker={number}"), format!("--remember={}", arguments.remember)])
                .stdin(Stdio::null())
                .spawn()
        })
        .collect::<std::io::Result<_>>()?;
    let (mut done, mut last) = (0, Duration::ZERO);
    while done < arguments.requests as usize {
        thread::sleep(Duration::from_millis(200));
        let entries = tail.read(&pool)?;
        if !entries.is_empty() {
            done += entries.len();
            last = begun.elapsed();
        }
        let ended = workers.iter_mut().all(|worker| matches!(worker.try_wait(), Ok(Some(_))));
        if ended && tail.read(&pool)?.is_empty() && done < arguments.requests as usize {
            return Err(format!("all workers have ended after {done} requests").into());
        }
    }
    for worker in &mut workers {
        if !worker.wait()?.success() {
            return Err("a worker failed".into());
        }
    }
    let stored = all.iter().filter(|number| {
        request(**number).is_ok_and(|request| store.record(&request.key()).is_some())
    });
    let stored = stored.count();
    if stored != all.len() || done != all.len() {
        return Err(format!("{done} journal entries and {stored} results for {}", all.len()).into());
    }
    let line = json!({
        "requests": arguments.requests,
        "units": count,
        "workers": arguments.workers,
        "putting": putting.as_secs_f64(),
        "seconds": last.as_secs_f64(),
    });
    println!("{line}");
    Ok(())
}

/// What a worker knows of the units of work.
#[derive(Default)]
struct Shelf {
    /// Those that it has read.
    units: BTreeMap<Digest, Unit>,
    /// When others were found to hold them.
    held: BTreeMap<Digest, Instant>,
}

impl Shelf {
    /// Claims the next unit of work as a worker does: it reads each once, and tries them in order. `None` if others have all of
    /// them; an empty pool is the end.
    fn take(&mut self, pool: &Pool, claims: &Claims, remember: f64) -> Result<Take> {
        let listed = pool.units()?;
        if listed.is_empty() {
            return Ok(Take::Nothing);
        }
        let ids: BTreeSet<Digest> = listed.iter().map(|named| named.id).collect();
        self.units.retain(|id, _| ids.contains(id));
        for named in &listed {
            if !self.units.contains_key(&named.id)
                && let Some(unit) = pool.read_unit(named)
            {
                self.units.insert(named.id, unit);
            }
        }
        self.held.retain(|id, since| {
            ids.contains(id) && since.elapsed() < Duration::from_secs_f64(remember)
        });
        let known: BTreeSet<Digest> = self.held.keys().copied().collect();
        let (later, first): (Vec<Named>, Vec<Named>) =
            listed.into_iter().partition(|named| known.contains(&named.id));
        for named in first.into_iter().chain(later) {
            let Claimed::Mine(claim) = claims.claim(&named.id) else {
                self.held.insert(named.id, Instant::now());
                continue;
            };
            // Its worker may have finished it since it was listed.
            let now = pool.units()?.into_iter().find(|now| now.id == named.id);
            if let Some(unit) = now.and_then(|now| pool.read_unit(&now)) {
                return Ok(Take::Taken { id: named.id, unit: Box::new(unit), _claim: claim });
            }
        }
        Ok(Take::Others)
    }
}

enum Take {
    Taken { id: Digest, unit: Box<Unit>, _claim: Claim },
    Others,
    Nothing,
}

/// Works until no unit of work is left.
fn work(folder: &Path, number: u32, remember: f64) -> Result<()> {
    let store = Store::open(folder)?;
    let pool = Pool::open(&store, POOL)?;
    let claims = Claims::new(&store);
    let name = format!("w{number}");
    let mut journal = Journal::open(&pool, &name)?;
    let mut status = status(&name);
    let mut said: Option<Instant> = None;
    let mut pause = PAUSE[0];
    let mut shelf = Shelf::default();
    loop {
        match shelf.take(&pool, &claims, remember)? {
            Take::Nothing => break,
            Take::Others => {
                thread::sleep(pause);
                pause = (pause * 2).min(PAUSE[1]);
            }
            Take::Taken { id, unit, _claim } => {
                pause = PAUSE[0];
                status.phase = Phase::Working { unit: id };
                for request in &unit.requests {
                    if said.is_none_or(|said| said.elapsed() >= Seen::EVERY) {
                        pool.write_status(&status)?;
                        said = Some(Instant::now());
                    }
                    status.done += one(&store, &claims, request, &mut journal, &name)?;
                }
                pool.remove_unit(&id)?;
            }
        }
    }
    pool.remove_status(&name)?;
    Ok(())
}

/// What a lab does to the store for a request, and its worker to the journal.
fn one(
    store: &Store,
    claims: &Claims,
    request: &Request,
    journal: &mut Journal,
    name: &str,
) -> Result<u64> {
    let key = request.key();
    if store.record(&key).is_some() {
        return Ok(0);
    }
    let Claimed::Mine(_claim) = claims.claim(&key) else { return Ok(0) };
    let mut record = Record::new(key, KIND, request.impl_version, request.canonical());
    record.set_result(store, &json!({ "key": key, "value": 1.0 }))?;
    store.commit(&record)?;
    let event = Event::Done { key, seconds: 0.0 };
    journal.append(&Entry { event, host: name.to_owned(), job: None, log: None })?;
    Ok(1)
}

fn request(number: u32) -> Result<Request> {
    Ok(serde_json::from_value(json!({
        "kind": KIND, "impl_version": 2, "params": { "unit": number },
        "model": {
            "name": "m", "path": "/m", "digest": Digest::of(b"m"), "conventions": Conventions::default(),
        },
        "precision": "f32",
    }))?)
}

fn status(name: &str) -> Status {
    Status {
        worker: name.to_owned(),
        host: name.to_owned(),
        pid: std::process::id(),
        job: None,
        restarts: 0,
        started: "2026-01-01T00:00:00Z".to_owned(),
        ends: None,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        device: None,
        phase: Phase::Starting,
        at: Vec::new(),
        done: 0,
        failed: 0,
    }
}
