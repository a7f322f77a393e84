//! Where a request stands in a pool, in a few words for pages and terminals.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::measure::schedule::duration;

/// What requests wait for that no worker has begun.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Waiting {
    /// Nothing has been submitted yet.
    #[default]
    Nothing,
    /// The first worker's check-up: what it checks, if it says so.
    Check(Option<String>),
    /// The engine's jobs, none of which has started.
    Engine {
        /// The engine's name.
        engine: String,
        /// Why it has not started them.
        reason: Option<String>,
        /// Since when.
        since: Option<Timestamp>,
    },
    /// Jobs that will never start.
    Hopeless {
        /// The engine's name.
        engine: String,
        /// Why, and what to do.
        why: String,
    },
    /// The engine, which has started workers and preempted them, or has lost them.
    Again,
    /// An answer of the engine.
    Answer {
        /// The engine's name.
        engine: String,
        /// Since when there has been none.
        since: Timestamp,
    },
    /// One of so many workers.
    Worker(usize),
}

impl Waiting {
    /// In words, without the request's own place.
    pub fn words(&self) -> String {
        match self {
            Self::Nothing => "queued".to_owned(),
            Self::Check(None) => "checking the first worker".to_owned(),
            Self::Check(Some(what)) => format!("checking the first worker: {what}"),
            Self::Engine { engine, reason, since } => {
                let reason = reason.as_ref().map(|reason| format!(": {reason}"));
                let since = since.map(|since| format!(", since {}", clock(since)));
                format!(
                    "waiting in {engine}{}{}",
                    reason.unwrap_or_default(),
                    since.unwrap_or_default()
                )
            }
            Self::Hopeless { engine, why } => format!("waiting in {engine} in vain: {why}"),
            Self::Again => "preempted, will go on".to_owned(),
            Self::Answer { engine, since } => {
                format!("{engine} has not answered since {}", clock(*since))
            }
            Self::Worker(running) => format!("waiting for a worker ({running} running)"),
        }
    }

    /// The same for a request with so many others before it, and seconds until its result.
    pub fn words_for(&self, before: usize, seconds: Option<f64>) -> String {
        let words = self.words();
        if !matches!(self, Self::Worker(_) | Self::Nothing) {
            return words;
        }
        let before = if before == 0 { String::new() } else { format!(", {before} before it") };
        format!("{words}{before}{}", about(seconds))
    }
}

/// `running on gpu-07: optimising: step 300 of 4096, 40 s left`.
pub fn running(host: &str, words: &str) -> String {
    format!("running on {host}: {words}")
}

/// Of a request whose unit of work a worker has begun, and which has not had its turn.
pub fn next_on(host: &str, seconds: Option<f64>) -> String {
    format!("waiting on {host} for its turn{}", about(seconds))
}

/// Of a request that needs results which are measured before it.
pub fn needs(left: usize, scans: bool, seconds: Option<f64>) -> String {
    let what = match (left, scans) {
        (1, true) => "1 scan that it uses".to_owned(),
        (n, true) => format!("{n} scans that it uses"),
        (1, false) => "1 result that it uses".to_owned(),
        (n, false) => format!("{n} results that it uses"),
    };
    format!("waiting for {what}{}", about(seconds))
}

/// Times are rounded, since estimates are rough and each change of the text is sent to the page.
fn about(seconds: Option<f64>) -> String {
    let coarse = |s: f64| if s < 15.0 { s.ceil() } else { (s / 5.0).round() * 5.0 };
    seconds.map(|s| format!(", about {}", duration(coarse(s)))).unwrap_or_default()
}

/// A time of day here.
pub fn clock(time: Timestamp) -> String {
    time.to_zoned_datetime(TimeZone::system()).strftime("%H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_says_what_it_waits_for() {
        let since: Timestamp = "2026-01-01T14:02:00Z".parse().expect("a time");
        let at = clock(since);
        let slurm = || "Slurm".to_owned();
        let waiting = |reason: Option<&str>, since| Waiting::Engine {
            engine: slurm(),
            reason: reason.map(str::to_owned),
            since,
        };
        for (waiting, words) in [
            (Waiting::Nothing, "queued, 3 before it, about 7 min".to_owned()),
            (Waiting::Check(None), "checking the first worker".to_owned()),
            (Waiting::Check(Some("the weights of RN50x4".into())), {
                "checking the first worker: the weights of RN50x4".to_owned()
            }),
            (
                waiting(Some("Priority"), Some(since)),
                format!("waiting in Slurm: Priority, since {at}"),
            ),
            (waiting(None, None), "waiting in Slurm".to_owned()),
            (
                Waiting::Hopeless { engine: slurm(), why: "PartitionTimeLimit".into() },
                "waiting in Slurm in vain: PartitionTimeLimit".to_owned(),
            ),
            (Waiting::Again, "preempted, will go on".to_owned()),
            (
                Waiting::Answer { engine: slurm(), since },
                format!("Slurm has not answered since {at}"),
            ),
            (
                Waiting::Worker(3),
                "waiting for a worker (3 running), 3 before it, about 7 min".to_owned(),
            ),
        ] {
            assert_eq!(waiting.words_for(3, Some(400.0)), words);
        }
        assert_eq!(Waiting::Worker(1).words_for(0, None), "waiting for a worker (1 running)");
    }

    #[test]
    fn a_request_in_a_worker_says_where_and_how_far_it_is() {
        let words = "optimising: step 300 of 4096, 40 s left";
        assert_eq!(
            running("gpu-07", words),
            "running on gpu-07: optimising: step 300 of 4096, 40 s left"
        );
        assert_eq!(next_on("gpu-07", Some(41.0)), "waiting on gpu-07 for its turn, about 40 s");
        assert_eq!(needs(1, true, None), "waiting for 1 scan that it uses");
        assert_eq!(needs(28, true, Some(300.0)), "waiting for 28 scans that it uses, about 5 min");
        assert_eq!(needs(2, false, None), "waiting for 2 results that it uses");
    }
}
