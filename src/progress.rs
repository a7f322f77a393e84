//! Measurements in a terminal: a bar with a rate and the time left; a line each where there is no terminal.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::measure::Watcher;
use crate::protocol::Event;
use crate::request::Request;

/// Tells people how measurements go.
#[derive(Debug)]
pub struct Bars {
    bars: MultiProgress,
    current: Option<Current>,
    terminal: bool,
}

#[derive(Debug)]
struct Current {
    what: String,
    stage: String,
    bar: ProgressBar,
}

impl Default for Bars {
    fn default() -> Self {
        Self::new()
    }
}

impl Bars {
    /// On standard error.
    pub fn new() -> Self {
        let terminal = std::io::stderr().is_terminal();
        Self { bars: MultiProgress::new(), current: None, terminal }
    }

    fn say(&self, line: &str) {
        if self.terminal {
            let _ = self.bars.println(line);
        } else {
            eprintln!("{line}");
        }
    }

    fn close(&mut self) {
        if let Some(current) = self.current.take() {
            current.bar.finish_and_clear();
            self.bars.remove(&current.bar);
        }
    }
}

/// What a request measures, in a few words.
pub fn describe(request: &Request) -> String {
    let text = |name: &str| {
        request.params.get(name).map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned))
    };
    let mut words = request.kind.clone();
    if let (Some(layer), Some(unit)) = (text("layer"), text("unit")) {
        words.push_str(&format!(" of {layer} unit {unit}"));
    }
    if let Some(dataset) = &request.dataset {
        words.push_str(&format!(" over {}", dataset.name));
    }
    words
}

impl Watcher for Bars {
    fn ready(&mut self, device: &str, device_name: &str) {
        self.say(&format!("measuring on {device} ({device_name})"));
    }

    fn progress(&mut self, request: &Request, event: &Event) {
        let Event::Progress { stage, step, total, unit, .. } = event else { return };
        let what = describe(request);
        let same = self.current.as_ref().is_some_and(|c| c.what == what && c.stage == *stage);
        if !same {
            self.close();
            let bar = self.bars.add(ProgressBar::new(*total));
            let template = format!(
                "  {{msg}} [{{bar:24}}] {{pos}}/{{len}} {unit}s, {{per_sec}}, {{eta}} left"
            );
            if let Ok(style) = ProgressStyle::with_template(&template) {
                bar.set_style(style.progress_chars("=> "));
            }
            bar.set_message(format!("{what}: {stage}"));
            bar.enable_steady_tick(Duration::from_millis(500));
            self.current = Some(Current { what, stage: stage.clone(), bar });
        }
        if let Some(current) = &self.current {
            current.bar.set_length(*total);
            current.bar.set_position(*step);
        }
    }

    fn ended(&mut self, request: &Request, outcome: Result<f64, &str>) {
        self.close();
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
