//! `neuronotes jobs`: lists, follows and cancels the workers that `--on PROFILE` started.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;
use std::time::Instant;

use clap::{Args, Subcommand};
use neuronotes_core::pool::{Ledger, Pool, Seen};
use neuronotes_core::problem::Problem;
use neuronotes_core::say;
use neuronotes_core::suggest;

use super::format::{Format, count, count_units};
use super::garden::{Garden, root};
use crate::config::Profile;
use crate::engine::open::engine;
use crate::engine::{Engine, Job, Place};
use crate::workspace::Workspace;

mod listed;

use listed::Listed;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    garden: Garden,
    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List again every few seconds, until no worker is left
    ///
    /// Ctrl-C ends the listing, not the workers.
    Follow {
        /// A profile of `run` [default: all]
        profile: Option<String>,
        #[command(flatten)]
        garden: Garden,
        /// Output format
        #[arg(long, value_enum, default_value_t = Format::Human)]
        format: Format,
    },
    /// Cancel all workers, running and waiting, and remove the work that is left
    ///
    /// What has been measured is in the result store and stays there. The figures that were waiting are measured when they
    /// are asked for again.
    Cancel {
        /// A profile of `run` [default: all]
        profile: Option<String>,
        /// Leave the work where it is, for workers that are started later
        #[arg(long)]
        leave_units: bool,
        #[command(flatten)]
        garden: Garden,
        /// Output format
        #[arg(long, value_enum, default_value_t = Format::Human)]
        format: Format,
    },
}

/// A profile whose pool is in the garden's store.
struct Crew {
    name: String,
    pool: Pool,
    engine: Box<dyn Engine>,
    /// What the engine said last, and when it was asked.
    jobs: Result<Vec<Job>, String>,
    asked: Option<Instant>,
}

pub(super) fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    match arguments.command {
        None => {
            let mut crews = crews(arguments.garden.root, None)?;
            list(&mut crews, arguments.format);
        }
        Some(Command::Follow { profile, garden, format }) => {
            let mut crews = crews(garden.root, profile.as_deref())?;
            for crew in &mut crews {
                // Nothing would ever be heard of an engine that is not there.
                crew.engine.find()?;
            }
            follow(&mut crews, format);
        }
        Some(Command::Cancel { profile, leave_units, garden, format }) => {
            for crew in &mut crews(garden.root, profile.as_deref())? {
                crew.engine.find()?;
                crew.cancel(leave_units, format)?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The profiles of a garden, or the one of this name, whose workers have been started at some time.
fn crews(garden: Option<PathBuf>, only: Option<&str>) -> anyhow::Result<Vec<Crew>> {
    let workspace = Workspace::open(&root(garden)?)?;
    let profiles = &workspace.config.run;
    if let Some(name) = only.filter(|name| !profiles.contains_key(*name)) {
        let message = format!("`run` has no profile `{name}`");
        let hint = suggest::hint(name, profiles.keys()).or_else(|| Some(ADD.to_owned()));
        return Err(Problem::new(message).hint(hint).into());
    }
    if profiles.is_empty() {
        let message = "this garden has no workers on other machines: neuronotes.yaml has no `run`";
        return Err(Problem::new(message).hint(ADD).into());
    }
    let pools = Pool::all(&workspace.store);
    for pool in pools.iter().filter(|pool| !profiles.contains_key(*pool) && only.is_none()) {
        let units = Pool::open(&workspace.store, pool)?.units()?.len();
        if units > 0 {
            let units = count_units(units);
            say::err(format_args!("`{pool}`, which `run` no longer has, has {units} left"));
        }
    }
    let wanted = profiles.iter().filter(|(name, _)| only.is_none_or(|only| only == *name));
    let used: Vec<_> = wanted.filter(|(name, _)| pools.contains(name)).collect();
    if used.is_empty() {
        let names: Vec<String> = profiles.keys().map(|name| format!("--on {name}")).collect();
        let names = only.map_or_else(|| names.join("` or `"), |name| format!("--on {name}"));
        say::err(format_args!(
            "no workers have been started so far: `neuronotes build {names}` does"
        ));
    }
    let open = |(name, profile): (&String, &Profile)| Crew::open(&workspace, name, profile);
    used.into_iter().map(open).collect()
}

/// How to begin.
const ADD: &str = "add a profile, such as run: { cluster: { engine: slurm, workers: 4, partition: gpu, time: 4h } }";

fn list(crews: &mut [Crew], format: Format) {
    for listed in crews.iter_mut().map(Crew::listed) {
        listed.say(format);
    }
}

/// Lists again whenever something is different, until nobody works or waits.
fn follow(crews: &mut [Crew], format: Format) {
    let mut last: BTreeMap<String, Listed> = BTreeMap::new();
    loop {
        let mut is_anybody_left = false;
        for crew in crews.iter_mut() {
            let listed = crew.listed();
            is_anybody_left |= listed.is_anybody_left();
            if last.get(&listed.profile) != Some(&listed) {
                listed.say(format);
                last.insert(listed.profile.clone(), listed);
            }
        }
        if !is_anybody_left {
            return;
        }
        thread::sleep(Seen::EVERY);
    }
}

impl Crew {
    fn open(workspace: &Workspace, name: &str, profile: &Profile) -> anyhow::Result<Self> {
        let store = &workspace.store;
        let pool = Pool::open(store, name)?;
        let there = profile.store.clone().unwrap_or_else(|| store.folder().to_owned());
        let place = Place {
            pool: name.to_owned(),
            jobs: pool.job_name()?,
            logs: pool.path("logs"),
            logs_there: there.join("v1/pools").join(name).join("logs"),
            store: there,
            // No job is submitted here.
            lab: PathBuf::new(),
        };
        let engine = engine(profile, place)?;
        Ok(Self { name: name.to_owned(), pool, engine, jobs: Ok(Vec::new()), asked: None })
    }

    /// What is there now. The engine is asked as often as it may be.
    fn listed(&mut self) -> Listed {
        let interval = self.engine.interval();
        if self.asked.is_none_or(|asked| asked.elapsed() >= interval) {
            self.jobs = self.engine.jobs().map_err(|no_news| no_news.to_string());
            self.asked = Some(Instant::now());
        }
        let workers = self.pool.workers().unwrap_or_default();
        let ledger = self.pool.ledger();
        let units = self.pool.units().map_or(0, |units| units.len());
        let (name, engine) = (self.name.clone(), self.engine.name());
        Listed::new(name, engine, self.jobs.clone(), &workers, &ledger, units)
    }

    fn cancel(&mut self, leave_units: bool, format: Format) -> Result<(), Problem> {
        let failed = |error: std::io::Error| {
            Problem::new(format!("the work of `{}` cannot be removed ({error})", self.name))
        };
        // Its number is for people; cancelling does not need it.
        let alive = self.engine.jobs().map(|jobs| jobs.iter().filter(|job| job.is_alive()).count());
        self.engine.cancel()?;
        // By this a client that is waiting for them knows that they are not to be replaced.
        let ledger = Ledger { submitted: Vec::new(), ..self.pool.ledger() };
        self.pool.put_ledger(&ledger).map_err(failed)?;
        let units = self.pool.units().map_err(failed)?;
        if !leave_units {
            for unit in &units {
                self.pool.remove_unit(&unit.id).map_err(failed)?;
            }
        }
        let alive = alive.ok();
        if format == Format::Json {
            let removed = if leave_units { 0 } else { units.len() };
            let said = serde_json::json!({
                "profile": self.name, "engine": self.engine.name(), "cancelled": alive,
                "units_removed": removed, "units_left": units.len() - removed,
            });
            say::json(&said.to_string());
            return Ok(());
        }
        let jobs = alive.map_or_else(|| "all workers".to_owned(), |alive| count(alive, "worker"));
        let rest = match (units.len(), leave_units) {
            (0, _) => "no work was left".to_owned(),
            (left, true) => {
                format!("{} left for workers that are started later", count_units(left))
            }
            (left, false) => format!("{} removed", count_units(left)),
        };
        say::out(&format!("{}: {jobs} cancelled; {rest}\n", self.name));
        Ok(())
    }
}
