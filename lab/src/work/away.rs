//! A store that is away: the wait until it can be used again.

use std::io;
use std::time::{Duration, Instant};

use neuronotes_core::file;
use neuronotes_core::pool::{Phase, Pool};
use neuronotes_core::store::Store;

use super::report::{Report, log};
use super::signal;
use super::take::listed;
use super::time::Time;

/// Pauses between two tries: the first, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
/// How long a worker whose time has no limit waits.
const LONGEST: Duration = Duration::from_secs(60 * 60);
/// How often a pause looks whether the worker is to end.
const STEP: Duration = Duration::from_millis(100);

/// Waits until the store is back. Returns `false` if the worker is to end before.
pub fn wait(store: &Store, pool: &Pool, why: &io::Error, time: &Time, report: &mut Report) -> bool {
    let hint = file::hint(why).map(|hint| format!("; {hint}")).unwrap_or_default();
    log(format_args!("the store cannot be used ({why}){hint}; waiting for it"));
    let (since, mut next) = (Instant::now(), PAUSES.0);
    let what = format!("the store cannot be used ({why})");
    loop {
        report.turn(Phase::Idle { why: what.clone() });
        if !pause(next, time) || (time.left().is_none() && since.elapsed() >= LONGEST) {
            return false;
        }
        next = (next * 2).min(PAUSES.1);
        if store.try_out().is_ok() && listed(pool).is_ok() {
            let seconds = since.elapsed().as_secs();
            log(format_args!("the store can be used again after {seconds} s"));
            return true;
        }
    }
}

/// Waits; returns `false`, before the time is over, if the worker is to end.
pub fn pause(length: Duration, time: &Time) -> bool {
    let until = Instant::now() + length;
    loop {
        if signal::came().is_some() || time.is_over() {
            return false;
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return true;
        }
        std::thread::sleep(left.min(STEP));
    }
}
