//! A worker's time: its limit in; what fits into the rest out.
//!
//! The end is computed from the worker's own start. An engine's signal may come earlier or not at all.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp, Unit};

/// Time kept for ending properly: at most this, and at most a tenth of the whole.
const MARGIN: Duration = Duration::from_secs(30);
/// Estimates are exceeded by this factor now and then.
const SLACK: f64 = 1.1;

/// The time that a worker has.
#[derive(Debug, Clone, Copy)]
pub struct Time {
    start: Instant,
    started: Timestamp,
    /// The whole time, less the margin.
    whole: Option<Duration>,
}

impl Time {
    /// Starts now; `minutes` is the engine's limit, if there is one.
    pub fn new(minutes: Option<f64>) -> Self {
        let limit = minutes.map(|minutes| Duration::from_secs_f64(minutes * 60.0));
        let whole = limit.map(|limit| limit.saturating_sub(MARGIN.min(limit / 10)));
        let started = Timestamp::now().round(Unit::Second).unwrap_or_default();
        Self { start: Instant::now(), started, whole }
    }

    /// When it started, RFC 3339.
    pub fn started(&self) -> String {
        self.started.to_string()
    }

    /// When it is over, RFC 3339.
    pub fn ends(&self) -> Option<String> {
        let whole = SignedDuration::try_from(self.whole?).ok()?;
        Some(self.started.checked_add(whole).ok()?.to_string())
    }

    /// What is left; `None` without a limit.
    pub fn left(&self) -> Option<Duration> {
        self.whole.map(|whole| whole.saturating_sub(self.start.elapsed()))
    }

    /// Whether it is over.
    pub fn is_over(&self) -> bool {
        self.left() == Some(Duration::ZERO)
    }

    /// Whether work of these estimated seconds fits. Work without an estimate is begun in the first half only: what takes longer
    /// than a worker's whole time can then be told from what was begun too late.
    pub fn fits(&self, seconds: Option<f64>) -> bool {
        let (Some(left), Some(whole)) = (self.left(), self.whole) else { return true };
        match seconds {
            Some(seconds) => seconds * SLACK <= left.as_secs_f64(),
            None => left >= whole / 2,
        }
    }

    /// Whether something that began then had nearly the whole time.
    pub fn was_whole_since(&self, begun: Instant) -> bool {
        self.whole.is_some_and(|whole| begun.elapsed() >= whole.mul_f64(0.8))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_depends_on_what_is_left_and_without_an_estimate_on_the_half() {
        let free = Time::new(None);
        assert!(free.fits(Some(1e9)) && free.fits(None) && !free.is_over());
        assert_eq!(free.ends(), None);
        let mut hour = Time::new(Some(60.0));
        assert!(hour.fits(Some(3000.0)) && !hour.fits(Some(3500.0)) && hour.fits(None));
        hour.start -= Duration::from_secs(2400);
        assert!(hour.fits(Some(600.0)) && !hour.fits(Some(1200.0)) && !hour.fits(None));
        assert!(!hour.was_whole_since(hour.start));
        hour.start -= Duration::from_secs(1200);
        assert!(hour.is_over() && !hour.fits(Some(0.1)) && hour.was_whole_since(hour.start));
        // A tenth of a short time is kept.
        assert_eq!(Time::new(Some(1.0)).whole, Some(Duration::from_secs(54)));
        assert!(hour.ends().is_some_and(|ends| ends > hour.started()));
    }
}
