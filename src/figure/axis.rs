//! An axis of numbers: from values to the part of it that is drawn, and its ticks with their labels.

use neuronotes_core::number::{number, thousands, tick};

/// An axis of numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// What its numbers are, in plain text.
    pub label: String,
    /// Whether equal ratios have equal lengths.
    log: bool,
    /// Whether fractions are written in percent.
    percent: bool,
    /// What it shows at least.
    covering: Option<(f64, f64)>,
}

impl Axis {
    /// An axis on which equal differences have equal lengths.
    pub fn linear(label: &str) -> Self {
        Self { label: label.to_owned(), log: false, percent: false, covering: None }
    }

    /// An axis on which equal ratios have equal lengths; for positive numbers.
    pub fn log(label: &str) -> Self {
        Self { log: true, ..Self::linear(label) }
    }

    /// The same axis, which shows at least the numbers between two.
    pub fn covering(self, low: f64, high: f64) -> Self {
        Self { covering: Some((low, high)), ..self }
    }

    /// The same axis with fractions written in percent.
    pub fn in_percent(self) -> Self {
        Self { percent: true, ..self }
    }

    /// The part of the axis that holds these values, with a fraction of its length as air beyond them.
    ///
    /// # Errors
    /// If a value is not finite, or not positive on a logarithmic axis.
    pub fn span(&self, values: impl Iterator<Item = f64>, air: f64) -> Result<Span, String> {
        let (mut low, mut high, mut whole) = (f64::INFINITY, f64::NEG_INFINITY, true);
        for value in values {
            if !value.is_finite() {
                return Err(format!("a number of “{}” is not finite", self.label));
            }
            if self.log && value <= 0.0 {
                let value = number(value, 3);
                return Err(format!(
                    "{value} has no place on the logarithmic axis “{}”",
                    self.label
                ));
            }
            (low, high) = (low.min(value), high.max(value));
            whole &= value.fract() == 0.0;
        }
        let scaled = |value: f64| if self.log { value.ln() } else { value };
        let back = |value: f64| if self.log { value.exp() } else { value };
        let (start, end) = (scaled(low), scaled(high));
        let room = match end - start {
            span if span > start.abs().max(end.abs()) * 1e-9 => span * air,
            // All values are equal: they are in the middle.
            _ if self.log || start == 0.0 => 0.5,
            _ => start.abs() / 2.0,
        };
        let (least, most) = self.covering.unwrap_or((f64::INFINITY, f64::NEG_INFINITY));
        let from = if least <= low { least } else { back(start - room) };
        let to = if most >= high { most } else { back(end + room) };
        Ok(Span { from: scaled(from), to: scaled(to), log: self.log, percent: self.percent, whole })
    }

    /// A value in words, with so many decimals unless it is a whole number.
    pub fn exact(&self, value: f64, digits: usize) -> String {
        match () {
            () if value.fract() == 0.0 && value.abs() < 1e7 => number(value, 0),
            () if self.log => scientific(value, 2),
            () => tick(value, digits),
        }
    }
}

/// The part of an axis that is drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// Its ends; their logarithms on a logarithmic axis.
    from: f64,
    to: f64,
    log: bool,
    percent: bool,
    /// Whether only whole numbers are on it.
    whole: bool,
}

impl Span {
    /// Where a value is: 0 at the start of the axis, 1 at its end.
    pub fn place(&self, value: f64) -> f64 {
        let value = if self.log { value.ln() } else { value };
        ((value - self.from) / (self.to - self.from)).clamp(0.0, 1.0)
    }

    /// About `most` round values on it, with their labels.
    pub fn ticks(&self, most: usize) -> Vec<(f64, String)> {
        let powers = if self.log { self.powers(most) } else { Vec::new() };
        if powers.len() > 1 {
            return powers.into_iter().map(|value| (value, self.power_label(value))).collect();
        }
        let (from, to) = match self.log {
            true => (self.from.exp(), self.to.exp()),
            false => (self.from, self.to),
        };
        let mut step = round_step((to - from) / most.max(1) as f64);
        if self.whole {
            step = step.max(1.0);
        }
        // A rounding must not cost the tick at the end.
        let first = (from / step - 1e-6).ceil();
        let last = (to / step + 1e-6).floor();
        let count = if last >= first { (last - first) as usize + 1 } else { 0 };
        let value = |n: usize| (first + n as f64) * step;
        (0..count.min(4 * most)).map(value).map(|at| (at, self.label(at, step))).collect()
    }

    /// Powers of ten on a logarithmic axis, and twice and five times these where there is room.
    fn powers(&self, most: usize) -> Vec<f64> {
        let (from, to) = (self.from / std::f64::consts::LN_10, self.to / std::f64::consts::LN_10);
        let decades = to - from;
        let factors: &[f64] = if decades * 3.0 <= most as f64 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let every = (decades / most.max(1) as f64).ceil().max(1.0) as i32;
        let exponents = (from.floor() as i32..=to.ceil() as i32).filter(|n| n % every == 0);
        let all = exponents.flat_map(|n| factors.iter().map(move |f| f * 10f64.powi(n)));
        let inside = |value: &f64| {
            let at = value.ln();
            at >= self.from - 1e-9 && at <= self.to + 1e-9
        };
        all.filter(inside).collect()
    }

    fn label(&self, value: f64, step: f64) -> String {
        let digits = |step: f64| (-(step.log10() + 1e-9).floor()).clamp(0.0, 12.0) as usize;
        let value = if value.abs() < step * 1e-6 { 0.0 } else { value };
        match () {
            () if self.percent => format!("{} %", tick(value * 100.0, digits(step * 100.0))),
            () if self.whole && (0.0..1e7).contains(&value) => thousands(value.round() as u64),
            () => tick(value, digits(step)),
        }
    }

    fn power_label(&self, value: f64) -> String {
        match () {
            () if self.percent => format!("{} %", scientific(value * 100.0, 0)),
            () => scientific(value, 0),
        }
    }
}

/// A positive number, written with a power of ten if it is small or large.
fn scientific(value: f64, digits: usize) -> String {
    match value {
        value if (1e-3..1e5).contains(&value) => {
            let decimals = (-value.log10().floor()).max(0.0) as usize + digits;
            let text = format!("{value:.decimals$}");
            match text.parse::<f64>() {
                Ok(whole) if whole >= 1e3 && whole.fract() == 0.0 => thousands(whole as u64),
                _ => text,
            }
        }
        value => format!("{value:.digits$e}").replace("e-", "e−"),
    }
}

/// The round number that is at least `step`: 1, 2 or 5 times a power of ten.
fn round_step(step: f64) -> f64 {
    if !(step.is_finite() && step > 0.0) {
        return 1.0;
    }
    let power = 10f64.powf(step.log10().floor());
    let factor = step / power;
    power * [1.0, 2.0, 5.0].into_iter().find(|round| factor <= round + 1e-9).unwrap_or(10.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis, values: &[f64]) -> Vec<String> {
        let span = axis.span(values.iter().copied(), 0.0).expect("a span");
        span.ticks(7).into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn ticks_are_round_numbers() {
        assert_eq!(labels(&Axis::linear("x"), &[0.0, 1.0]), ["0", "1"]);
        assert_eq!(
            labels(&Axis::linear("x"), &[0.0, 0.7]),
            ["0", "0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7"]
        );
        assert_eq!(labels(&Axis::linear("x"), &[1.0, 16.0]), ["5", "10", "15"]);
        assert_eq!(labels(&Axis::linear("x"), &[-0.5, 0.5]), ["−0.4", "−0.2", "0", "0.2", "0.4"]);
        assert_eq!(
            labels(&Axis::linear("x").in_percent(), &[0.5, 0.9]),
            ["50 %", "60 %", "70 %", "80 %", "90 %"]
        );
    }

    #[test]
    fn a_logarithmic_axis_has_powers_of_ten() {
        assert_eq!(labels(&Axis::log("x"), &[1.0, 16.0]), ["1", "2", "5", "10"]);
        let small = labels(&Axis::log("x"), &[1e-5, 1.0]);
        assert_eq!(small, ["1e−5", "1e−4", "0.001", "0.01", "0.1", "1"]);
        assert_eq!(labels(&Axis::log("x"), &[10.0, 10_000.0]), ["10", "100", "1,000", "10,000"]);
    }

    #[test]
    fn an_axis_covers_what_it_was_told_to_and_all_values() {
        let axis = Axis::linear("AUC").covering(0.5, 1.0);
        let span = axis.span([0.6, 0.9].into_iter(), 0.1).expect("a span");
        assert_eq!([span.place(0.5), span.place(1.0)], [0.0, 1.0]);
        let below = axis.span([0.4, 0.9].into_iter(), 0.0).expect("a span");
        assert_eq!([below.place(0.4), below.place(1.0)], [0.0, 1.0]);
        let alike = Axis::linear("x").span([3.0, 3.0].into_iter(), 0.0).expect("a span");
        assert!((alike.place(3.0) - 0.5).abs() < 1e-9);
        assert!(Axis::log("x").span([0.0].into_iter(), 0.0).is_err());
        assert!(Axis::linear("x").span([f64::NAN].into_iter(), 0.0).is_err());
    }
}
