//! A worker: takes units of work from a pool, one after the other, and has a lab measure them.
//!
//! It is a process of its own beside the lab, which it starts as a child: what kills the lab leaves the worker, which finds out
//! the request at fault. It does no work with libtorch and knows nothing of engines; whoever started it may end it at any
//! moment, and nothing is lost, since the store alone says what is done.

mod away;
mod check;
mod child;
mod measure;
mod report;
mod signal;
mod take;
mod time;
mod unit;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use neuronotes_core::lab::LabError;
use neuronotes_core::pool::{Phase, Pool};
use neuronotes_core::problem::Problem;
use neuronotes_core::store::{Claims, Store};

use crate::device::DeviceChoice;
use check::Check;
use child::Child;
use report::{Report, log};
use take::{Shelf, Take};
use time::Time;

/// Pauses between two looks for work: the first, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// How a worker is started.
#[derive(Debug, Clone)]
pub struct Options {
    /// The store's folder.
    pub store: PathBuf,
    /// The pool's name.
    pub pool: String,
    /// The device that measures.
    pub device: DeviceChoice,
    /// Threads of one operation on the processor.
    pub threads: Option<u16>,
    /// The engine's limit in minutes.
    pub minutes: Option<f64>,
    /// How long the worker stays without work.
    pub idle: Duration,
    /// The probe to be checked first.
    pub probe: Option<String>,
}

/// Why a worker ends.
enum End {
    /// As it should.
    Well(String),
    /// No lab can be used here.
    Unusable(LabError),
}

/// How a unit of work ended.
enum Outcome {
    /// Every request of it is stored or has failed, or nobody wants it any more.
    Over,
    /// The worker must end.
    End(End),
}

struct Worker {
    options: Options,
    store: Store,
    pool: Pool,
    claims: Claims,
    time: Time,
    child: Child,
    report: Report,
    shelf: Shelf,
    /// When it last looked whether its unit of work is still wanted, and when it last listed all of them for that.
    looked: Instant,
    listed: Instant,
}

/// Runs a worker to its end.
pub fn run(options: Options) -> ExitCode {
    signal::listen();
    let mut worker = match Worker::open(options) {
        Ok(worker) => worker,
        Err(problem) => {
            log(problem);
            return ExitCode::FAILURE;
        }
    };
    worker.report.turn(Phase::Starting);
    let end = worker.run();
    let (why, code) = match end {
        End::Well(why) => (why, ExitCode::SUCCESS),
        End::Unusable(LabError { message, hint, .. }) => {
            let hint = hint.map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
            (format!("no lab can be used here: {message}{hint}"), ExitCode::FAILURE)
        }
    };
    let (done, failed) = worker.report.counts();
    log(format_args!("the worker ends: {why}; {done} measured, {failed} failed"));
    worker.report.turn(Phase::Leaving { why });
    worker.child.stop();
    worker.report.close();
    code
}

impl Worker {
    fn open(options: Options) -> Result<Self, Problem> {
        let time = Time::new(options.minutes);
        let inside = options.store.join("v1");
        if !inside.is_dir() {
            let message = format!("there is no store in {}", options.store.display());
            return Err(Problem::new(message).hint(
                "set `store` of the profile to the store as workers see it; `neuronotes store sync` copies it where nothing is shared",
            ));
        }
        let store = Store::open(&options.store)
            .map_err(|error| Problem::new(error.to_string()).hint(error.hint()))?;
        let pool = Pool::open(&store, &options.pool)
            .map_err(|error| Problem::new(format!("the pool cannot be used ({error})")))?;
        let claims = Claims::new(&store);
        let mut arguments = vec!["--device".to_owned(), options.device.to_string()];
        arguments.extend(["--store".to_owned(), options.store.display().to_string()]);
        if let Some(threads) = options.threads {
            arguments.extend(["--threads".to_owned(), threads.to_string()]);
        }
        let report = Report::new(pool.clone(), &time);
        let (child, shelf, now) = (Child::new(arguments), Shelf::default(), Instant::now());
        let (looked, listed) = (now, now);
        Ok(Self { options, store, pool, claims, time, child, report, shelf, looked, listed })
    }

    /// Checks what it is asked to check, then works until there is a reason to end.
    fn run(&mut self) -> End {
        let (name, host) = (self.report.worker().to_owned(), self.report.host().to_owned());
        log(format_args!("worker {name} of the pool {} on {host}", self.pool.name()));
        if let Some(nonce) = self.options.probe.clone() {
            let Self { store, pool, claims, child, time, report, .. } = self;
            let device = self.options.device;
            let check = Check { store, pool, claims, child, time, report, device };
            match check.run(&nonce) {
                Some(true) => log("the check-up found no problem"),
                Some(false) => return End::Well("its check-up found problems".to_owned()),
                None => return self.reason(),
            }
        }
        let (mut idle, mut pause) = (Instant::now(), PAUSES.0);
        loop {
            if let Some(end) = self.is_to_end() {
                return end;
            }
            match self.shelf.take(&self.pool, &self.store, &self.claims, &self.time) {
                Ok(Take::Taken(taken)) => {
                    if let Outcome::End(end) = self.measure(*taken) {
                        return end;
                    }
                    (idle, pause) = (Instant::now(), PAUSES.0);
                    continue;
                }
                Ok(Take::Others { held, waiting }) => {
                    idle = Instant::now();
                    let why = others(held, waiting);
                    self.report.turn(Phase::Idle { why });
                }
                Ok(Take::TooLong { count }) => {
                    let left = self.time.left().unwrap_or_default().as_secs();
                    return End::Well(format!(
                        "{left} s are left of its time, which is too short for each of {count} units of work"
                    ));
                }
                Ok(Take::Nothing) => {
                    if idle.elapsed() >= self.options.idle {
                        return End::Well("no unit of work is left".to_owned());
                    }
                    self.report.turn(Phase::Idle { why: "no unit of work is left".to_owned() });
                }
                Err(error) => {
                    if !self.wait_for_store(&error) {
                        return self.reason();
                    }
                    idle = Instant::now();
                }
            }
            if !away::pause(pause, &self.time) {
                return self.reason();
            }
            pause = (pause * 2).min(PAUSES.1);
        }
    }

    fn wait_for_store(&mut self, error: &std::io::Error) -> bool {
        away::wait(&self.store, &self.pool, error, &self.time, &mut self.report)
    }

    fn is_to_end(&self) -> Option<End> {
        (signal::came().is_some() || self.time.is_over()).then(|| self.reason())
    }

    /// Why it must end.
    fn reason(&self) -> End {
        let over = || if self.time.is_over() { "its time is over" } else { "the store is away" };
        End::Well(signal::came().unwrap_or_else(over).to_owned())
    }
}

/// What a worker waits for that finds nothing to take.
fn others(held: usize, waiting: usize) -> String {
    match (held, waiting) {
        (_, 0) => "other workers measure all that is left".to_owned(),
        _ => "everything left needs what other workers measure".to_owned(),
    }
}
