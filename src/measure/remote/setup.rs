//! A profile of the configuration in; what a client of its pool starts with out.

use neuronotes_core::problem::Problem;
use neuronotes_core::store::Store;
use neuronotes_core::suggest;

use super::keeper::Setup;
use super::paths::Paths;
use crate::config::{Config, EngineName, FILE, Profile};
use crate::engine::Place;
use crate::engine::open::engine;
use crate::measure::lab;

/// The name that always is a profile.
const LOCAL: &str = "local";

/// The profile of this name; `None` for the lab of this machine: `local`, unless it is configured to be more than that.
///
/// # Errors
/// If there is no such profile.
pub fn profile<'a>(config: &'a Config, name: &str) -> Result<Option<&'a Profile>, Problem> {
    match config.run.get(name) {
        Some(profile) if *profile == Profile::new(EngineName::Local, profile.span.clone()) => {
            Ok(None)
        }
        Some(profile) => Ok(Some(profile)),
        None if name == LOCAL => Ok(None),
        None => {
            let message = format!("{FILE} has no profile `{name}` under `run`");
            let known = config.run.keys().map(String::as_str).chain([LOCAL]);
            let known = (!config.run.is_empty()).then_some(known);
            let hint = known.and_then(|known| suggest::hint(name, known)).unwrap_or_else(|| {
                format!(
                    "add one, such as `run: {{ {name}: {{ engine: slurm, workers: 8, gpus: 1 }} }}`"
                )
            });
            Err(Problem { message, hint: Some(hint) })
        }
    }
}

/// What a client of the pool of this profile starts with; `None` for the lab of this machine.
///
/// # Errors
/// If there is no such profile, or its engine, its program or its folder cannot be used.
pub fn setup(config: &Config, name: &str, store: &Store) -> Result<Option<Setup>, Problem> {
    let Some(profile) = profile(config, name)? else { return Ok(None) };
    let found = || {
        lab::find().map_err(|error| {
            let hint = "set `lab:` in the profile to the program's path on the workers' machines";
            Problem { message: error.message, hint: Some(hint.to_owned()) }
        })
    };
    let place = Place::of(store, name, profile, found)?;
    Ok(Some(Setup {
        store: store.clone(),
        name: name.to_owned(),
        engine: engine(profile, place)?,
        workers: profile.workers,
        device: profile.device.clone(),
        paths: Paths::of(config, name),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_is_the_lab_of_this_machine_unless_it_says_more() {
        let mut config = Config::default();
        assert_eq!(profile(&config, "local"), Ok(None));
        let plain = Profile::new(EngineName::Local, 3..8);
        config.run.insert("local".into(), plain.clone());
        assert_eq!(profile(&config, "local"), Ok(None));
        let two = Profile { workers: 2, ..plain };
        config.run.insert("two".into(), two.clone());
        assert_eq!(profile(&config, "two"), Ok(Some(&two)));
        let none = profile(&config, "tow").expect_err("no such profile");
        assert!(none.message.contains("no profile `tow`"), "{none}");
        assert!(none.hint.is_some_and(|hint| hint.contains("two")));
        let none = profile(&Config::default(), "cluster").expect_err("no such profile");
        assert!(none.hint.is_some_and(|hint| hint.contains("run: { cluster:")));
    }
}
