//! Keeps a store and an object store equal as long as the program runs.

use std::thread;
use std::time::{Duration, Instant};

use neuronotes_core::problem::Problem;
use neuronotes_core::store::Store;

use super::files::Files;
use super::memory::lock;
use super::pair::{Options, Pair, Report, Side};
use super::remote::Remote;
use super::take::Taking;

/// The pause between two looks.
const PAUSE: Duration = Duration::from_secs(2);
/// The longest pause while the object store cannot be used.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How often everything is compared, beside what is known to have changed.
const FULL: Duration = Duration::from_secs(300);

/// What a listener hears.
#[derive(Debug)]
pub enum News<'a> {
    /// Something has moved.
    Moved(&'a Report),
    /// The object store cannot be used for now; it is tried again.
    Trouble(&'a Problem),
    /// It can be used again.
    Again,
}

/// Moves what is to be moved again and again. It ends only if that cannot begin.
///
/// # Errors
/// If either store cannot be used at first.
pub fn follow(
    store: &Store,
    remote: &Remote,
    options: &Options,
    hear: &mut dyn FnMut(News<'_>),
) -> Result<std::convert::Infallible, Problem> {
    remote.check()?;
    let _lock = lock(store, &remote.url)?;
    let sync = Pair::new(store, remote);
    let mut following =
        Following { files: Files::open(&sync, options.side)?, taking: None, options, full: None };
    let mut pause = PAUSE;
    loop {
        match following.round() {
            Ok(()) => {
                if pause > PAUSE {
                    hear(News::Again);
                }
                pause = PAUSE;
            }
            Err(problem) if following.full.is_none() => return Err(problem),
            Err(problem) => {
                if pause == PAUSE {
                    hear(News::Trouble(&problem));
                }
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
        let report = std::mem::take(&mut *sync.report());
        if report != Report::default() {
            hear(News::Moved(&report));
        }
        thread::sleep(pause);
    }
}

struct Following<'a> {
    files: Files<'a>,
    taking: Option<Taking>,
    options: &'a Options,
    /// When everything was compared last.
    full: Option<Instant>,
}

impl Following<'_> {
    fn round(&mut self) -> Result<(), Problem> {
        let sync = self.files.sync;
        let quiet = |_: &'static str, _, _| {};
        let full = self.full.is_none_or(|last| last.elapsed() >= FULL);
        if self.options.push {
            // First what is told, then the results: a journal names only what is there.
            let told = self.files.snapshot()?;
            match full {
                true => sync.push(false, &quiet)?,
                false => sync.push_new()?,
            }
            self.files.push(told, false)?;
        }
        if self.options.pull {
            let there = self.files.there()?;
            match self.options.side {
                Side::Client if full => sync.pull(&self.options.wanted, false, &quiet)?,
                Side::Client => {}
                Side::Worker => {
                    let holder = self.files.memory.holder.clone();
                    let taking = self.taking.get_or_insert_with(|| Taking::new(&holder));
                    taking.round(&mut self.files, &there)?;
                }
            }
            self.files.pull_from(&there, self.options.wanted.is_shown(), false)?;
        }
        self.files.remember()?;
        if full {
            self.full = Some(Instant::now());
        }
        Ok(())
    }
}
