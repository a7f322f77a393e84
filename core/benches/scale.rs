//! How many requests a second the store and a pool carry: a pool with units of work of requests that are no work in; a line of JSON
//! out.
//!
//! Workers are processes of this program that do what a worker and its lab do to the store: they list the units of work, claim one,
//! claim each of its requests, commit a small result, write the journal and their status, and remove the unit of work. There is no
//! lab, and nothing is measured, so that all the time is the store's. A client tails the journals meanwhile.

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
use neuronotes_core::store::{Claimed, Claims, Record, Store};
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
        (Some(number), Some(store)) => work(store, *number),
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
                .arg(format!("--worker={number}"))
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

/// Works until no unit of work is left.
fn work(folder: &Path, number: u32) -> Result<()> {
    let store = Store::open(folder)?;
    let pool = Pool::open(&store, POOL)?;
    let claims = Claims::new(&store);
    let name = format!("w{number}");
    let mut journal = Journal::open(&pool, &name)?;
    let mut status = status(&name);
    let mut said: Option<Instant> = None;
    let mut pause = PAUSE[0];
    loop {
        let units = pool.units()?;
        if units.is_empty() {
            break;
        }
        let mut measured = false;
        for named in &units {
            let Claimed::Mine(_claim) = claims.claim(&named.id) else { continue };
            // Its worker may have finished it since it was listed.
            let Some(unit) = pool.read_unit(named) else { continue };
            measured = true;
            status.phase = Phase::Working { unit: named.id };
            for request in &unit.requests {
                if said.is_none_or(|said| said.elapsed() >= Seen::EVERY) {
                    pool.write_status(&status)?;
                    said = Some(Instant::now());
                }
                status.done += one(&store, &claims, request, &mut journal, &name)?;
            }
            finish(&pool, named)?;
            break;
        }
        if measured {
            pause = PAUSE[0];
        } else {
            thread::sleep(pause);
            pause = (pause * 2).min(PAUSE[1]);
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

fn finish(pool: &Pool, named: &Named) -> Result<()> {
    Ok(pool.remove_unit(&named.id)?)
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
