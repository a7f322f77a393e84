//! What measures for a preview: the lab of this machine, or the workers of a profile, also after the configuration has changed.

use std::sync::mpsc::Sender;

use neuronotes_core::problem::Problem;
use neuronotes_core::store::Store;

use crate::config::{Config, Profile};
use crate::measure::measurer::{Measurer, News};
use crate::measure::remote::setup::setup;
use crate::measure::remote::{Paths, PoolNews, Remote};
use crate::measure::schedule::{LabNews, Scheduler};
use crate::preview::message::Message;

/// What measures, as far as the configuration says.
#[derive(Debug)]
pub struct Means {
    /// The name of the profile.
    on: Option<String>,
    device: String,
    /// The profile, and paths on its workers' machines.
    there: (Option<Profile>, Paths),
    sender: Sender<Message>,
}

impl Means {
    /// What a configuration says.
    pub fn of(config: &Config, on: Option<String>, sender: Sender<Message>) -> Self {
        let mut means = Self { on, device: String::new(), there: (None, Paths::default()), sender };
        means.follow(config);
        means
    }

    /// Takes over a changed configuration; returns whether the device and the workers are others.
    pub(super) fn follow(&mut self, config: &Config) -> (bool, bool) {
        let there = self.on.as_ref().map(|name| {
            let profile = config.run.get(name).cloned();
            // Where it is written is no difference.
            let profile = profile.map(|profile| Profile { span: 0..0, ..profile });
            (profile, Paths::of(config, name))
        });
        let there = there.unwrap_or_default();
        let changed = (self.device != config.device, self.there != there);
        self.device.clone_from(&config.device);
        self.there = there;
        changed
    }

    /// What measures.
    ///
    /// # Errors
    /// If the workers cannot be used.
    pub fn measurer(&self, config: &Config, store: &Store) -> Result<Measurer, Problem> {
        let pool = match &self.on {
            Some(name) => setup(config, name, store)?,
            None => None,
        };
        let sender = self.sender.clone();
        Ok(match pool {
            Some(pool) => Measurer::There(Box::new(Remote::new(pool, of_pool(sender)))),
            None => {
                let tell =
                    move |news: LabNews| drop(sender.send(Message::Measured(News::Lab(news))));
                let scheduler = Scheduler::new(store.clone(), config.device.clone(), tell);
                Measurer::Here(Box::new(scheduler.with_partial_results()))
            }
        })
    }

    /// A measurer of which everything fails for this reason.
    pub fn refused(&self, problem: Problem, store: &Store) -> Measurer {
        Measurer::There(Box::new(Remote::refused(problem, store, of_pool(self.sender.clone()))))
    }
}

/// Passes the news of a pool on.
fn of_pool(sender: Sender<Message>) -> impl Fn(PoolNews) + Send + Sync + 'static {
    move |news| drop(sender.send(Message::Measured(News::Pool(Box::new(news)))))
}
