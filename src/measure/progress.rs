//! Progress of measurements and downloads in a terminal: a bar with rate and time left, or lines if there is no
//! terminal.

mod pool;
mod reading;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{
    DecimalBytes, HumanDuration, MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle,
};
use neuronotes_core::dataset::ShardRef;
use neuronotes_core::digest::Digest;
use neuronotes_core::kind::term::DIRECTION;
use neuronotes_core::model::Place;
use neuronotes_core::protocol::Event;
use neuronotes_core::request::Request;
use neuronotes_core::say;

use crate::field::direction_shown;
use crate::measure::remote::Overview;
use crate::measure::schedule::duration;
use crate::measure::{CopyProgress, Watcher};
use crate::weights::fetch::{self, Doing};
use pool::PoolBar;
pub use reading::Reading;

/// Shows the progress of measurements.
#[derive(Debug)]
pub struct Bars {
    bars: MultiProgress,
    /// What the lab is working on: one request, or several together.
    at: BTreeMap<Digest, About>,
    current: Option<Current>,
    pool: PoolBar,
    terminal: bool,
}

/// One bar for everything that the lab is working on: events of several requests alternate, and a bar for each would
/// flicker.
#[derive(Debug)]
struct Current {
    said: String,
    stage: String,
    template: String,
    bar: ProgressBar,
}

/// The parts of a request that several requests can have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
struct About {
    kind: String,
    layer: Option<String>,
    whole: String,
}

impl Default for Bars {
    fn default() -> Self {
        Self::new()
    }
}

impl Bars {
    /// Progress on standard error.
    pub fn new() -> Self {
        let terminal = say::has_cursor();
        let target = match terminal {
            true => ProgressDrawTarget::stderr(),
            false => ProgressDrawTarget::hidden(),
        };
        let bars = MultiProgress::with_draw_target(target);
        Self { bars, at: BTreeMap::new(), current: None, pool: PoolBar::default(), terminal }
    }

    fn say(&self, line: &str) {
        if self.terminal {
            let _ = self.bars.println(say::name(line));
        } else {
            say::err(say::name(line));
        }
    }

    fn close(&mut self) {
        if let Some(current) = self.current.take() {
            current.bar.finish_and_clear();
            self.bars.remove(&current.bar);
        }
    }
}

/// What a scan looks at: `visual.layer4.0.add over emoji`.
pub fn subject(scan: &Request) -> String {
    let dataset = scan.dataset.as_ref().map_or("", |dataset| &dataset.name);
    format!("{} over {dataset}", place(scan).unwrap_or_default())
}

/// A short description of a request.
pub fn describe(request: &Request) -> String {
    let text = |name: &str| {
        request.params.get(name).map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned))
    };
    let mut words = request.kind.clone();
    let direction = request.params.get(DIRECTION);
    let direction = direction.map(|terms| direction_shown(terms, &request.inputs));
    match (place(request), text("unit"), direction) {
        (Some(layer), Some(unit), _) => words.push_str(&format!(" of {layer} unit {unit}")),
        (Some(layer), None, Some(of)) => words.push_str(&format!(" of {of} in {layer}")),
        (Some(layer), None, None) => words.push_str(&format!(" in {layer}")),
        (None, _, Some(of)) => words.push_str(&format!(" of {of}")),
        (None, _, None) => {}
    }
    if let Some(dataset) = &request.dataset {
        words.push_str(&format!(" over {}", dataset.name));
        if let [ShardRef { piece: Some(piece), .. }] = &dataset.shards[..] {
            words.push_str(&format!(", piece {} of {}", piece.number + 1, piece.of));
        }
    }
    words
}

/// The layer's canonical name, or the dictionary's name.
fn place(request: &Request) -> Option<String> {
    let place = Place::of(&request.params)?;
    Some(request.inputs.place_name(&place).to_owned())
}

impl About {
    fn of(request: &Request) -> Self {
        let (kind, layer) = (request.kind.clone(), place(request));
        Self { kind, layer, whole: describe(request) }
    }
}

/// A short description of several requests: `feature_vis of 16 targets in visual.layer4.0.add`.
fn together<'a>(all: impl ExactSizeIterator<Item = &'a About> + Clone) -> String {
    let count = all.len();
    let mut rest = all.clone();
    let Some(first) = rest.next() else { return String::new() };
    if count == 1 {
        return first.whole.clone();
    }
    let same_kind = rest.clone().all(|other| other.kind == first.kind);
    let same_layer = rest.all(|other| other.layer == first.layer);
    match (same_kind, same_layer, &first.layer) {
        (true, true, Some(layer)) => format!("{} of {count} targets in {layer}", first.kind),
        (true, ..) => format!("{count} of {}", first.kind),
        (false, ..) => format!("{count} figures"),
    }
}

/// The look of a bar; of a stage without steps, such as waiting for another process, only the words.
fn template(unit: &str, total: u64) -> String {
    match total {
        0 => "  {msg}".to_owned(),
        _ => {
            format!("  {{msg}} [{{bar:24}}] {{pos}}/{{len}} {unit}s, {{per_sec}}, {{prefix}} left")
        }
    }
}

impl Watcher for Bars {
    fn copy_progress(&mut self) -> Box<CopyProgress> {
        let copying = CopyBar::new(self.terminal);
        Box::new(move |done, all| copying.step(done, all))
    }

    fn announce(&mut self, line: &str) {
        self.say(&format!("  {line}"));
    }

    fn ready(&mut self, device: &str, device_name: &str) {
        self.say(&format!("measuring on {device} ({device_name})"));
    }

    fn pool(&mut self, overview: &Overview, left: Option<f64>) {
        let line = self.pool.show(&self.bars, overview, left);
        if let Some(line) = line.filter(|_| !self.terminal) {
            self.say(&line);
        }
    }

    fn cancels(&mut self) -> bool {
        self.pool.close(&self.bars);
        self.terminal && pool::is_to_be_cancelled()
    }

    fn progress(&mut self, request: &Request, event: &Event, left: Option<f64>) {
        let Event::Progress { key, stage, step, total, unit, .. } = event else { return };
        self.at.entry(*key).or_insert_with(|| About::of(request));
        let said = format!("{}: {stage}", together(self.at.values()));
        let current = self.current.get_or_insert_with(|| {
            let bar = self.bars.add(ProgressBar::new(*total).with_position(*step));
            bar.enable_steady_tick(Duration::from_millis(500));
            Current { said: String::new(), stage: stage.clone(), template: String::new(), bar }
        });
        let template = template(unit, *total);
        if current.template != template {
            if let Ok(style) = ProgressStyle::with_template(&template) {
                current.bar.set_style(style.progress_chars("=> "));
            }
            current.template = template;
        }
        if current.stage != *stage {
            // Another stage has another rate.
            current.stage.clone_from(stage);
            current.bar.reset();
            // What was done before does not count for the rate.
            current.bar.set_position(*step);
            current.bar.reset_eta();
        }
        if current.said != said {
            current.bar.set_message(say::name(&said).into_owned());
            current.said = said;
        }
        current.bar.set_length(*total);
        current.bar.set_position(*step);
        // Time left for all requests, if it can be estimated; otherwise for this stage.
        let left = left.unwrap_or_else(|| current.bar.eta().as_secs_f64());
        current.bar.set_prefix(duration(left));
    }

    fn ended(&mut self, request: &Request, outcome: Result<f64, &str>) {
        self.at.remove(&request.key());
        if self.at.is_empty() {
            self.close();
        }
        let what = describe(request);
        match outcome {
            Ok(seconds) => self.say(&format!("  measured {what} ({seconds:.1} s)")),
            Err(message) => {
                let first = message.lines().next().unwrap_or_default();
                self.say(&format!("  failed   {what}: {first}"));
            }
        }
    }
}

/// Making new copies takes long; existing ones are only counted and not worth reporting.
#[derive(Debug)]
struct CopyBar {
    bar: ProgressBar,
    terminal: bool,
    begun: Instant,
    said: Mutex<Instant>,
}

/// Shorter work is not reported.
const SHORT: Duration = Duration::from_millis(500);

impl CopyBar {
    fn new(terminal: bool) -> Self {
        let bar = if terminal { ProgressBar::new(0) } else { ProgressBar::hidden() };
        let template = "  smaller copies of pictures [{bar:24}] {pos}/{len}, {per_sec}, {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        let now = Instant::now();
        Self { bar, terminal, begun: now, said: Mutex::new(now) }
    }

    fn step(&self, done: usize, all: usize) {
        let took = self.begun.elapsed();
        if took < SHORT {
            return;
        }
        if self.terminal {
            self.bar.set_length(all as u64);
            self.bar.set_position(done as u64);
            return;
        }
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.elapsed() >= EVERY || done == all {
            *said = Instant::now();
            let rate = done as f64 / took.as_secs_f64();
            let left = duration((all - done.min(all)) as f64 / rate);
            say::err(format_args!(
                "  smaller copies of pictures: {done} of {all}, {rate:.1}/s, {left} left"
            ));
        }
    }
}

impl Drop for CopyBar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Interval of progress lines without a terminal.
const EVERY: Duration = Duration::from_secs(5);

/// Shows the progress of a download on standard error.
#[derive(Debug)]
pub struct Transfer {
    name: String,
    terminal: bool,
    current: Option<Stretch>,
}

/// Bytes received in the current attempt.
#[derive(Debug)]
struct Stretch {
    doing: Doing,
    bar: ProgressBar,
    begun: Instant,
    first: u64,
    said: Instant,
}

impl Transfer {
    /// Progress of downloading `name`.
    pub fn of(name: &str) -> Self {
        let terminal = say::has_cursor();
        Self { name: name.to_owned(), terminal, current: None }
    }

    fn begin(&self, doing: Doing, done: u64, total: Option<u64>) -> Stretch {
        let bar = if self.terminal { ProgressBar::no_length() } else { ProgressBar::hidden() };
        let template = match total {
            Some(_) => {
                "  {msg} [{bar:24}] {decimal_bytes} of {decimal_total_bytes}, {decimal_bytes_per_sec}, {eta} left"
            }
            None => "  {msg} {decimal_bytes}, {decimal_bytes_per_sec}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_message(format!("{} {}", word(doing), self.name));
        // Bytes that are already there do not count for the rate.
        bar.set_position(done);
        bar.reset_eta();
        bar.enable_steady_tick(Duration::from_millis(500));
        let now = Instant::now();
        Stretch { doing, bar, begun: now, first: done, said: now }
    }
}

fn word(doing: Doing) -> &'static str {
    match doing {
        Doing::Checking => "checking",
        Doing::Fetching => "fetching",
        Doing::Copying => "copying",
    }
}

/// `12.1 MB of 421.3 MB, 3.2 MB/s, 2 minutes left`, as far as known.
fn line(done: u64, total: Option<u64>, came: u64, took: Duration) -> String {
    let rate = came as f64 / took.as_secs_f64().max(1e-3);
    let whole = total.map(|total| format!(" of {}", DecimalBytes(total))).unwrap_or_default();
    let left = total.filter(|_| rate > 0.0).map(|total| {
        let seconds = (total.saturating_sub(done) as f64 / rate).min(1e9);
        format!(", {} left", HumanDuration(Duration::from_secs_f64(seconds.min(1e12))))
    });
    let left = left.unwrap_or_default();
    format!("{}{whole}, {}/s{left}", DecimalBytes(done), DecimalBytes(rate as u64))
}

impl fetch::Watcher for Transfer {
    fn say(&mut self, line: &str) {
        self.rest();
        say::err(line);
    }

    fn step(&mut self, doing: Doing, done: u64, total: Option<u64>) {
        let current = match self.current.take() {
            Some(current) if current.doing == doing => current,
            _ => {
                self.rest();
                self.begin(doing, done, total)
            }
        };
        let current = self.current.insert(current);
        match total {
            Some(total) => current.bar.set_length(total),
            None => current.bar.unset_length(),
        }
        current.bar.set_position(done);
        if !self.terminal && current.said.elapsed() >= EVERY {
            let came = done.saturating_sub(current.first);
            let line = line(done, total, came, current.begun.elapsed());
            say::err(format_args!("  {} {}: {line}", word(doing), self.name));
            current.said = Instant::now();
        }
    }

    fn rest(&mut self) {
        if let Some(current) = self.current.take() {
            current.bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_that_are_measured_together_are_said_in_one_line() {
        let about = |kind: &str, layer: Option<&str>| About {
            kind: kind.into(),
            layer: layer.map(str::to_owned),
            whole: format!("{kind} of something"),
        };
        let one = about("feature_vis", Some("a"));
        assert_eq!(together([one.clone()].iter()), "feature_vis of something");
        assert_eq!(together([one.clone(), one.clone()].iter()), "feature_vis of 2 targets in a");
        let other = about("feature_vis", Some("b"));
        assert_eq!(together([one.clone(), other].iter()), "2 of feature_vis");
        assert_eq!(together([one, about("zero_shot", None)].iter()), "2 figures");
    }

    #[test]
    fn a_line_says_how_far_how_fast_and_how_long() {
        let seconds = Duration::from_secs;
        let half = line(210_000_000, Some(420_000_000), 10_000_000, seconds(5));
        assert_eq!(half, "210.00 MB of 420.00 MB, 2.00 MB/s, 2 minutes left");
        assert_eq!(line(1_000_000, None, 1_000_000, seconds(4)), "1.00 MB, 250.00 kB/s");
        assert_eq!(line(0, Some(10), 0, seconds(0)), "0 B of 10 B, 0 B/s");
    }
}
