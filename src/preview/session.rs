//! The owner of the garden during a preview: composes it anew after each change, keeps the lab at what is
//! still wanted, and tells open pages.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};
use std::time::{Duration, Instant};

use super::Message;
use super::server::{Board, News, Served};
use crate::diagnostic::Diagnostic;
use crate::digest::Digest;
use crate::lab::{self, Lab, LabError, LabEvent};
use crate::measure::{Suspects, Verdict};
use crate::protocol::Event;
use crate::site::{self, Content, Progress};
use crate::watch::Watch;
use crate::workspace::Workspace;

/// An emptied or vanished note is believed only when it is still so after this time: some editors truncate
/// a file before they write it, or remove it before they rename another to its name.
const DISBELIEF: Duration = Duration::from_millis(150);
/// Least time between two messages about one measurement.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);

/// A preview's state.
pub struct Session {
    workspace: Workspace,
    board: Arc<Board>,
    sender: Sender<Message>,
    watch: Watch,
    lab: Option<Lab>,
    /// Which lab it is: news of an earlier one mean nothing.
    lab_number: u64,
    lab_is_up: bool,
    /// Why the lab said it cannot work.
    unusable: Option<LabError>,
    /// Requests that the lab has.
    asked: BTreeSet<Digest>,
    /// What it is at, and what an earlier one died at.
    suspects: Suspects,
    progress: Progress,
    told: BTreeMap<Digest, Instant>,
    /// Rendered pages, by path, with their keys.
    pages: BTreeMap<String, (Digest, Arc<[u8]>)>,
    problems: Vec<Diagnostic>,
    config_text: String,
    /// The device that the lab was started for.
    device: String,
}

impl Session {
    /// A session over a garden that has just been read.
    pub fn new(
        workspace: Workspace,
        board: Arc<Board>,
        sender: Sender<Message>,
        watch: Watch,
    ) -> Self {
        Self {
            config_text: workspace.config_text.clone(),
            device: workspace.config.device.clone(),
            workspace,
            board,
            sender,
            watch,
            lab: None,
            lab_number: 0,
            lab_is_up: false,
            unusable: None,
            asked: BTreeSet::new(),
            suspects: Suspects::default(),
            progress: Progress { preview: true, ..Progress::default() },
            told: BTreeMap::new(),
            pages: BTreeMap::new(),
            problems: Vec::new(),
        }
    }

    /// Does what messages say until nobody can send any more.
    pub fn run(&mut self, messages: &Receiver<Message>) {
        while let Ok(first) = messages.recv() {
            let mut changed = false;
            let mut ended = false;
            for message in std::iter::once(first).chain(messages.try_iter()) {
                match message {
                    // Any change is a reason to look at everything.
                    Message::Changed(change) => changed |= change.all || !change.paths.is_empty(),
                    Message::Lab(number, event) if number == self.lab_number => {
                        ended |= self.hear(event);
                    }
                    Message::Lab(..) => {}
                }
            }
            if changed {
                self.look();
            }
            if changed || ended {
                self.compose();
            }
        }
    }

    /// Reads the garden again after a change.
    fn look(&mut self) {
        let _ = self.watch.cover();
        if self.workspace.refresh() {
            std::thread::sleep(DISBELIEF);
            self.workspace.refresh();
        }
        // What failed for want of a lab is tried again after each change, what the configuration may have
        // been at fault for after a change of it.
        if self.config_text != self.workspace.config_text {
            self.config_text.clone_from(&self.workspace.config_text);
            self.progress.failed.clear();
        }
        // What is being measured goes on, unless another device is asked for.
        if self.device != self.workspace.config.device {
            self.device.clone_from(&self.workspace.config.device);
            self.end_lab();
            self.suspects = Suspects::default();
        }
        if self.lab.is_none() {
            self.progress.failed.clear();
        }
    }

    /// Composes the site, asks for what is missing, and tells open pages what changed.
    pub fn compose(&mut self) {
        let wishes = site::wishes(&mut self.workspace);
        let _ = self.watch.pictures(&wishes.plan.folders);
        let wanted: BTreeSet<Digest> = wishes.missing.iter().map(|(key, _)| *key).collect();
        for key in self.asked.difference(&wanted).copied().collect::<Vec<_>>() {
            self.asked.remove(&key);
            if let Some(lab) = &mut self.lab {
                lab.cancel(key);
            }
        }
        self.progress.running.retain(|key, _| wanted.contains(key));
        self.suspects.retain(&wanted);
        for (key, request) in &wishes.missing {
            let open = !self.asked.contains(key) && !self.progress.failed.contains_key(key);
            if !open || !self.suspects.may_ask(key) {
                continue;
            }
            match self.lab() {
                Ok(lab) => {
                    lab.run(request);
                    self.asked.insert(*key);
                }
                Err(error) => {
                    let reason = (error.message, error.hint);
                    let keys = wishes.missing.iter().map(|(key, _)| (*key, reason.clone()));
                    self.progress.failed.extend(keys);
                    break;
                }
            }
        }
        let pages = &self.pages;
        let current = |path: &str, key: Digest| pages.get(path).is_some_and(|(old, _)| *old == key);
        let site = site::compose(&mut self.workspace, &wishes, &self.progress, &current);
        self.progress.stale.extend(site.drawings);
        self.publish(site.files, &site.kept);
        self.workspace.save_digests();
        self.say(site.problems);
    }

    fn publish(&mut self, files: BTreeMap<String, Content>, kept: &BTreeMap<String, Digest>) {
        let mut served = BTreeMap::new();
        let mut changed = Vec::new();
        let mut pages = BTreeMap::new();
        for path in kept.keys() {
            if let Some((key, html)) = self.pages.remove(path) {
                served.insert(path.clone(), Served::Bytes(Arc::clone(&html)));
                pages.insert(path.clone(), (key, html));
            }
        }
        for (path, content) in files {
            match content {
                Content::Page { key, html: Ok(html) } => {
                    let html: Arc<[u8]> = html.into_bytes().into();
                    served.insert(path.clone(), Served::Bytes(Arc::clone(&html)));
                    changed.push(path.clone());
                    pages.insert(path, (key, html));
                }
                // The last good page stands until the template is mended.
                Content::Page { html: Err(_), .. } => {
                    if let Some((_, html)) = self.pages.remove(&path) {
                        served.insert(path, Served::Bytes(html));
                    }
                }
                Content::Bytes(bytes) => drop(served.insert(path, Served::Bytes(bytes.into()))),
                Content::Copy { from, .. } => drop(served.insert(path, Served::File(from))),
            }
        }
        changed.extend(self.pages.keys().filter(|path| !served.contains_key(*path)).cloned());
        self.pages = pages;
        // First what is served, then the news of it: a page that asks at once must get the new one.
        self.board.publish(served);
        if !changed.is_empty() {
            self.board.tell(&News::Site { pages: &changed });
        }
    }

    /// Prints problems that were not there before.
    fn say(&mut self, problems: Vec<Diagnostic>) {
        for problem in problems.iter().filter(|problem| !self.problems.contains(problem)) {
            eprintln!("{}\n", problem.terminal(self.workspace.source(&problem.file), false));
        }
        if problems.is_empty() && !self.problems.is_empty() {
            eprintln!("all is well again");
        }
        self.problems = problems;
    }

    fn lab(&mut self) -> Result<&mut Lab, LabError> {
        if self.lab.is_none() {
            let program = lab::find()?;
            self.lab_number += 1;
            self.lab_is_up = false;
            self.unusable = None;
            let number = self.lab_number;
            let store = self.workspace.store.folder().to_owned();
            let device = self.workspace.config.device.clone();
            let wrap = move |event| Message::Lab(number, event);
            self.lab = Some(Lab::start(&program, &store, &device, self.sender.clone(), wrap)?);
        }
        self.lab.as_mut().ok_or(LabError { message: "there is no lab".into(), hint: None })
    }

    fn end_lab(&mut self) {
        self.lab = None;
        self.lab_number += 1;
        self.asked.clear();
        self.progress.running.clear();
    }

    /// Takes in what the lab said; whether a measurement has ended.
    fn hear(&mut self, event: LabEvent) -> bool {
        match event {
            LabEvent::Said(Event::Ready { device, device_name, .. }) => {
                self.lab_is_up = true;
                eprintln!("measuring on {device} ({device_name})");
                false
            }
            LabEvent::Said(Event::Unusable { message, hint }) => {
                self.unusable = Some(LabError { message, hint });
                false
            }
            LabEvent::Said(Event::Progress {
                key,
                stage,
                step,
                total,
                seconds_left,
                picture,
                unit,
            }) => {
                if self.asked.contains(&key) {
                    self.suspects.begin(key);
                }
                let left =
                    seconds_left.map(|s| format!(", {} left", seconds(s))).unwrap_or_default();
                let status = format!("{stage}: {unit} {step} of {total}{left}");
                let first = self.progress.running.insert(key, status.clone()).is_none();
                let id = key.hex();
                let picture = picture.map(|path| {
                    self.board.show_partial(&id, path);
                    format!("-/partial/{id}?{step}")
                });
                let due = self.told.get(&key).is_none_or(|told| told.elapsed() >= PROGRESS_EVERY);
                if first || due || picture.is_some() {
                    self.told.insert(key, Instant::now());
                    let fraction = if total == 0 { 0.0 } else { step as f64 / total as f64 };
                    self.board.tell(&News::Progress {
                        key: id,
                        status: &status,
                        fraction,
                        picture,
                    });
                }
                false
            }
            LabEvent::Said(Event::Done { key, .. } | Event::Cancelled { key }) => {
                self.finish(key);
                true
            }
            LabEvent::Said(Event::Failed { key, message, hint }) => {
                self.finish(key);
                self.progress.failed.insert(key, (message, hint));
                true
            }
            LabEvent::Gone(cause) => {
                self.bury(cause);
                true
            }
        }
    }

    fn finish(&mut self, key: Digest) {
        self.asked.remove(&key);
        self.progress.running.remove(&key);
        self.told.remove(&key);
        self.suspects.end(&key);
    }

    /// The lab is gone: what it was at has failed, where it was at one; the rest is asked of the next lab, unless
    /// this one never came up, for then the next would not either.
    fn bury(&mut self, cause: LabError) {
        let cause = self.unusable.take().unwrap_or(cause);
        let victims: Vec<Digest> = match self.suspects.died(self.lab_is_up) {
            Verdict::One(key) => vec![key],
            Verdict::Several => vec![],
            Verdict::Nobody if !self.lab_is_up => self.asked.iter().copied().collect(),
            Verdict::Nobody => self.asked.iter().next().copied().into_iter().collect(),
        };
        for key in victims {
            self.suspects.end(&key);
            self.progress.failed.insert(key, (cause.message.clone(), cause.hint.clone()));
        }
        self.end_lab();
    }
}

fn seconds(seconds: f64) -> String {
    if seconds >= 90.0 {
        format!("{:.0} min", seconds / 60.0)
    } else {
        format!("{:.0} s", seconds.max(1.0))
    }
}
