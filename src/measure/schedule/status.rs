//! A request's progress in a few words.

use std::path::PathBuf;

/// The last progress of a request that has begun.
#[derive(Debug, Clone, PartialEq)]
pub struct Running {
    pub stage: String,
    pub step: u64,
    pub total: u64,
    pub unit: String,
    pub seconds_left: Option<f64>,
    pub picture: Option<PathBuf>,
}

impl Running {
    /// The finished part of this stage.
    pub fn fraction(&self) -> f64 {
        if self.total == 0 { 0.0 } else { self.step as f64 / self.total as f64 }
    }

    /// `optimising: step 30 of 512, 12 s left`.
    pub fn words(&self) -> String {
        let Self { stage, step, total, unit, .. } = self;
        if *total == 0 {
            return stage.clone();
        }
        let left = self.seconds_left.map(|s| format!(", {} left", duration(s)));
        let pace = self.pace().map(|pace| format!(", {pace} images/s"));
        let (pace, left) = (pace.unwrap_or_default(), left.unwrap_or_default());
        format!("{stage}: {unit} {step} of {total}{pace}{left}")
    }

    /// Images per second, from the time left.
    fn pace(&self) -> Option<String> {
        let left = self.seconds_left.filter(|left| *left > 0.0 && self.unit == "image")?;
        match self.total.saturating_sub(self.step) as f64 / left {
            0.0 => None,
            pace if pace < 10.0 => Some(format!("{pace:.1}")),
            pace => Some(format!("{pace:.0}")),
        }
    }
}

/// `queued, 3 before it, about 40 s`. Times are rounded, since estimates are rough and each change of the text is
/// sent to the page.
pub fn queued(before: usize, seconds: Option<f64>) -> String {
    let before = match before {
        0 => String::new(),
        n => format!(", {n} before it"),
    };
    let coarse = |s: f64| if s < 15.0 { s.ceil() } else { (s / 5.0).round() * 5.0 };
    let about = seconds.map(|s| format!(", about {}", duration(coarse(s)))).unwrap_or_default();
    format!("queued{before}{about}")
}

/// `40 s`, `12 min`, `3 h`.
pub fn duration(seconds: f64) -> String {
    match seconds {
        s if s >= 5400.0 => format!("{:.0} h", s / 3600.0),
        s if s >= 90.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.0} s", s.max(1.0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_says_what_is_known_and_no_more() {
        let mut running = Running {
            stage: "scanning emoji".into(),
            step: 300,
            total: 1494,
            unit: "image".into(),
            seconds_left: None,
            picture: None,
        };
        assert_eq!(running.words(), "scanning emoji: image 300 of 1494");
        running.seconds_left = Some(0.2);
        assert_eq!(running.words(), "scanning emoji: image 300 of 1494, 5970 images/s, 1 s left");
        running.seconds_left = Some(995.0);
        assert_eq!(running.words(), "scanning emoji: image 300 of 1494, 1.2 images/s, 17 min left");
        running.step = 1494;
        running.seconds_left = Some(0.0);
        assert_eq!(running.words(), "scanning emoji: image 1494 of 1494, 1 s left");
        running.unit = "step".into();
        assert_eq!(running.words(), "scanning emoji: step 1494 of 1494, 1 s left");
        running.total = 0;
        assert_eq!((running.words(), running.fraction()), ("scanning emoji".into(), 0.0));
        assert_eq!(queued(0, None), "queued");
        assert_eq!(queued(3, Some(41.4)), "queued, 3 before it, about 40 s");
        assert_eq!(queued(1, Some(400.0)), "queued, 1 before it, about 7 min");
        assert_eq!(duration(9000.0), "2 h");
    }
}
