//! `cargo xtask torture`: programs killed at random moments; afterwards nothing is broken and nothing is lost.
//!
//! A garden whose figures take moments is edited, built, served and collected by several processes that share its store.
//! At random moments some of them, or the labs that they have started, are killed with SIGKILL. After each round:
//!
//! - every record, output and drawing in the store reads whole;
//! - every result that was ever committed is there, but for those that a collection may take;
//! - no lab outlives the program that started it;
//! - a build then succeeds, and its site is byte for byte the site of a clean build, of which nothing is measured.

mod cast;
pub mod dice;
mod garden;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::Torture;
use crate::programs::{Compiled, Programs, compile};
use crate::run::repository;
use crate::say::{say, seconds};
use cast::{Killed, Part, Player};
use dice::Dice;
use garden::Garden;

/// How long a kill may wait, in milliseconds: about as long as a build takes.
const LONGEST_WAIT: u64 = 800;

/// Performs `torture`.
pub fn torture(arguments: &Torture) -> Result<i32> {
    let repository = repository()?;
    let programs = match compile(&repository)? {
        Compiled::Failed(code) => return Ok(code),
        Compiled::Programs(programs) => programs,
    };
    let seed = arguments.seed.unwrap_or_else(dice::seed);
    say(format_args!(
        "{} rounds; --seed {seed} repeats them as far as time allows",
        arguments.rounds
    ));
    let mut dice = Dice::new(seed);
    let garden = Garden::new(&repository, &mut dice)?;
    let bar = ProgressBar::new(arguments.rounds);
    if let Ok(style) =
        ProgressStyle::with_template("{wide_bar} {pos}/{len} rounds, {per_sec}, {eta} left: {msg}")
    {
        bar.set_style(style);
    }
    let mut told = Told::default();
    let mut committed = BTreeSet::new();
    let begun = Instant::now();
    for number in 0..arguments.rounds {
        let round = round(&garden, &programs, &mut dice, &mut told);
        let checked = round.and_then(|lost| garden.check(&programs, &mut committed, lost));
        if let Err(error) = checked {
            bar.abandon();
            let kept = garden.keep();
            bail!(
                "round {number} of seed {seed}: {error:#}\nthe garden is kept in {}",
                kept.display()
            );
        }
        bar.set_message(told.line());
        bar.inc(1);
        if bar.is_hidden() && (number + 1) % 25 == 0 {
            let left = begun
                .elapsed()
                .mul_f64((arguments.rounds - number - 1) as f64 / (number + 1) as f64);
            say(format_args!("{} rounds, {} left: {}", number + 1, seconds(left), told.line()));
        }
    }
    bar.finish_and_clear();
    say(format_args!(
        "{} rounds in {}: {}; every record whole, every page that of a clean build, nothing lost",
        arguments.rounds,
        seconds(begun.elapsed()),
        told.line(),
    ));
    Ok(0)
}

/// What was done so far.
#[derive(Debug, Default)]
struct Told {
    programs: u64,
    labs: u64,
    ended: u64,
    collections: u64,
}

impl Told {
    fn line(&self) -> String {
        let Self { programs, labs, ended, collections } = self;
        format!(
            "{programs} programs and {labs} labs killed, {ended} ended by themselves, {collections} collections"
        )
    }
}

/// Whether results may be gone afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    /// None.
    Nothing,
    /// Those that no note asks for.
    Unwanted,
}

/// Plays one round.
fn round(garden: &Garden, programs: &Programs, dice: &mut Dice, told: &mut Told) -> Result<Lost> {
    // So that there is something to measure.
    for _ in 0..3 {
        garden.edit(dice)?;
    }
    let parts: &[Part] = match dice.below(9) {
        0..3 => &[Part::Build],
        3 => &[Part::Serve],
        4 => &[Part::Build, Part::Build],
        5 => &[Part::Serve, Part::Build],
        6 => &[Part::Verify, Part::Build],
        7 => &[Part::Collect],
        _ => &[Part::Collect, Part::Build],
    };
    let mut lost = Lost::Nothing;
    if parts.contains(&Part::Collect) {
        // All that is wanted is there, and everything is old: what goes now was not wanted.
        garden.build(programs)?;
        garden.age()?;
        told.collections += 1;
        lost = Lost::Unwanted;
    }
    let mut players = Vec::new();
    for part in parts {
        players.push(Player::start(*part, programs, garden)?);
        std::thread::sleep(Duration::from_millis(dice.below(60)));
    }
    // Meanwhile somebody edits; not where all has to stay wanted.
    for _ in 0..dice.below(3) {
        std::thread::sleep(Duration::from_millis(dice.below(LONGEST_WAIT / 4)));
        if lost == Lost::Nothing {
            garden.edit(dice)?;
        }
    }
    std::thread::sleep(Duration::from_millis(dice.below(LONGEST_WAIT)));
    for player in &mut players {
        match dice.below(5) {
            0 | 1 => player.kill(Killed::Program, told),
            2 => player.kill(Killed::Lab, told),
            3 => player.kill(Killed::Both, told),
            _ => {}
        }
    }
    for player in players {
        player.end(told)?;
    }
    Ok(lost)
}
