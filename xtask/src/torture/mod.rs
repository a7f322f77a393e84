//! `cargo xtask torture`: kills programs at random moments, damages files and fills disks, and checks that nothing
//! breaks, is lost or is shown wrong.
//!
//! A garden with quick figures is edited, built, served and cleaned up by several processes that share its store. At
//! random moments some of them, or their labs, are killed with SIGKILL. In some rounds, files of the store and caches
//! are first corrupted, truncated, emptied, removed or swapped; in some, the program's own folder or the site's
//! folder is on an almost full disk. After each round:
//!
//! - every record, output and drawing in the store is readable; after damage, once it was verified;
//! - every committed result is there, except those that a collection may remove and those that were damaged;
//! - undamaged results were not measured again, and damaged ones have the same outputs as before;
//! - no lab outlives the program that started it;
//! - a build then succeeds, and its site equals that of a clean build, byte for byte, without measuring anything;
//!   after damage, everything is drawn again and equals what the first build showed.

mod cast;
mod damage;
pub mod dice;
mod disk;
mod garden;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::Torture;
use crate::programs::{Compiled, Programs, compile};
use crate::run::repository;
use crate::say::{say, seconds};
use cast::{Killed, Part, Player};
use damage::{Damage, Results};
use dice::Dice;
use garden::Garden;

/// Longest delay before a kill in milliseconds: about the duration of a build.
const LONGEST_WAIT: u64 = 800;

/// Runs `torture`.
pub fn torture(arguments: &Torture) -> Result<i32> {
    let repository = repository()?;
    let programs = match &arguments.programs {
        Some(folder) => Programs::of(folder)?,
        None => match compile(&repository)? {
            Compiled::Failed(code) => return Ok(code),
            Compiled::Programs(programs) => programs,
        },
    };
    let disks = disk::can_be_made();
    if !disks {
        say(format_args!(
            "this machine does not allow mounting: rounds with full disks are skipped"
        ));
    }
    let seed = arguments.seed.unwrap_or_else(dice::seed);
    say(format_args!("{} rounds; --seed {seed} repeats them, except for timing", arguments.rounds));
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
        let checked = match dice.below(4) {
            0 => damaged(&garden, &programs, &mut dice, &mut told, &mut committed),
            1 if disks => full(&garden, &programs, &mut dice, &mut told)
                .and_then(|()| garden.check(&programs, &mut committed, Lost::Nothing)),
            _ => round(&garden, &programs, &mut dice, &mut told)
                .and_then(|lost| garden.check(&programs, &mut committed, lost)),
        };
        if let Err(error) = checked {
            bar.abandon();
            let kept = garden.keep();
            bail!(
                "round {number} of seed {seed}: {error:#}\nthe garden was kept in {}",
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
        "{} rounds of seed {seed} in {}: {}; every record is intact, every page equals a clean build's, nothing was lost or shown wrong",
        arguments.rounds,
        seconds(begun.elapsed()),
        told.line(),
    ));
    Ok(0)
}

/// Counts of what was done so far.
#[derive(Debug, Default)]
struct Told {
    programs: u64,
    labs: u64,
    ended: u64,
    collections: u64,
    damaged: u64,
    disks: u64,
}

impl Told {
    fn line(&self) -> String {
        let Self { programs, labs, ended, collections, damaged, disks } = self;
        format!(
            "{programs} programs and {labs} labs killed, {ended} ended by themselves, {collections} collections, \
             {damaged} files damaged, {disks} full disks"
        )
    }
}

/// Which results may be missing afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    /// None.
    Nothing,
    /// Results that no note uses.
    Unwanted,
    /// Results that were damaged.
    Damaged,
}

/// Runs a round with files damaged beforehand, and checks the outcome.
fn damaged(
    garden: &Garden,
    programs: &Programs,
    dice: &mut Dice,
    told: &mut Told,
    committed: &mut BTreeSet<PathBuf>,
) -> Result<()> {
    // So that what is damaged is what pages show.
    garden.edit(dice)?;
    garden.build(programs)?;
    let state = garden.state();
    let before = Results::of(&state)?;
    let damage = Damage::cause(&state, dice)?;
    told.damaged += damage.count();
    let mut checked = || -> Result<()> {
        let parts: &[Part] = match dice.below(4) {
            0 => &[Part::Serve],
            1 => &[Part::Build, Part::Build],
            2 => &[Part::Build],
            _ => &[],
        };
        play(parts, 0, garden, programs, dice, told)?;
        let shown = garden.build_anew(programs, dice)?;
        garden.verify_twice(programs)?;
        garden.check(programs, committed, Lost::Damaged)?;
        garden.check_shown(&shown)?;
        before.check(&Results::of(&state)?, &damage, &state)
    };
    checked().with_context(|| format!("after damage:\n{}", damage.told.join("\n")))
}

/// Builds or verifies on an almost full disk.
fn full(garden: &Garden, programs: &Programs, dice: &mut Dice, told: &mut Told) -> Result<()> {
    for _ in 0..3 {
        garden.edit(dice)?;
    }
    let folder = match dice.below(4) {
        0 => garden.root().join("output"),
        _ => garden.state(),
    };
    // Room for a few results, or for less than any page.
    let room = match dice.below(3) {
        0 => 0,
        1 => dice.below(40),
        _ => dice.below(400),
    };
    let killed = (dice.below(4) == 0).then(|| 1 + dice.below(2 * LONGEST_WAIT));
    let mut command = programs.command();
    command.arg("build").arg("--root").arg(garden.root());
    let ended = disk::run(&command, &folder, room, killed)?;
    told.disks += 1;
    told.ended += u64::from(ended);
    told.programs += u64::from(!ended);
    Ok(())
}

/// Runs one round.
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
        // Everything that is wanted exists, and everything is old, so a collection may remove only unwanted results.
        garden.build(programs)?;
        garden.age()?;
        told.collections += 1;
        lost = Lost::Unwanted;
    }
    let edits = if lost == Lost::Nothing { dice.below(3) } else { 0 };
    play(parts, edits, garden, programs, dice, told)?;
    Ok(lost)
}

/// Starts programs, edits the garden meanwhile, kills some of them, and waits for all.
fn play(
    parts: &[Part],
    edits: u64,
    garden: &Garden,
    programs: &Programs,
    dice: &mut Dice,
    told: &mut Told,
) -> Result<()> {
    let mut players = Vec::new();
    for part in parts {
        players.push(Player::start(*part, programs, garden)?);
        std::thread::sleep(Duration::from_millis(dice.below(60)));
    }
    for _ in 0..edits {
        std::thread::sleep(Duration::from_millis(dice.below(LONGEST_WAIT / 4)));
        garden.edit(dice)?;
    }
    if !players.is_empty() {
        std::thread::sleep(Duration::from_millis(dice.below(LONGEST_WAIT)));
    }
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
    Ok(())
}
