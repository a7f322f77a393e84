//! The owner of the garden during a preview: takes in each change, keeps the lab at what is still wanted, and tells open
//! pages.

mod answer;
mod recover;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use super::moved::{Before, Moved};
use super::news::{News, Phases, partial};
use super::tabs::Tabs;
use super::{Message, Question};
use crate::build;
use crate::config;
use crate::diagnostic::{Diagnostic, summary};
use crate::digest::Digest;
use crate::schedule::{Rank, Scheduler, Told, Wish};
use crate::site::{Live, Progress};
use crate::view::LinkView;
use crate::watch::{Change, Watch};
use crate::workspace::Workspace;

/// Least time between two messages about one measurement.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);
/// How often what is said of waiting measurements is said anew.
const WAITING_EVERY: Duration = Duration::from_secs(1);
/// Notes that are settled in one go while nothing else is to be done: a millisecond or two.
const SOME: usize = 16;

/// A preview's state.
pub struct Session {
    live: Live,
    watch: Watch,
    scheduler: Scheduler,
    tabs: Tabs,
    /// Counts changes; pages can tell what is newer.
    generation: u64,
    /// The note that was saved last: its figures come after those that are seen.
    saved: Option<String>,
    /// What was wished last.
    wished: Vec<(Digest, Rank)>,
    told: BTreeMap<Digest, Instant>,
    /// When the waiting ones were last told of.
    waiting: Instant,
    pictures: u64,
    /// Something is to be settled, said or saved when there is time.
    idle: bool,
    /// The store is to be told what the garden wants.
    unremembered: bool,
    problems: Vec<Diagnostic>,
    /// Whether the terminal shows every problem.
    all: bool,
    outside: Vec<Diagnostic>,
    device: String,
    /// Pages that are gone.
    moved: Moved,
    /// Whether there ever was a `neuronotes.yaml`.
    configured: bool,
}

impl Session {
    /// A session over a garden that has just been read.
    pub fn new(workspace: Workspace, sender: Sender<Message>, watch: Watch, all: bool) -> Self {
        let device = workspace.config.device.clone();
        let news = move |news| drop(sender.send(Message::Lab(news)));
        let scheduler = Scheduler::new(workspace.store.clone(), device.clone(), news);
        let progress = Progress { preview: true, ..Progress::default() };
        let mut session = Self {
            live: Live::new(workspace, progress),
            watch,
            scheduler,
            tabs: Tabs::default(),
            generation: 0,
            saved: None,
            wished: Vec::new(),
            told: BTreeMap::new(),
            waiting: Instant::now(),
            pictures: 0,
            idle: true,
            unremembered: true,
            problems: Vec::new(),
            all,
            outside: Vec::new(),
            device,
            moved: Moved::default(),
            configured: false,
        };
        session.configured = session.is_configured();
        session.watch_folders();
        session.wish();
        session
    }

    /// Does what messages say until nobody can send any more.
    pub fn run(&mut self, messages: &Receiver<Message>) {
        loop {
            let pause = match (self.idle, self.scheduler.next_tick()) {
                (true, _) => Duration::ZERO,
                (false, Some(at)) => at.saturating_duration_since(Instant::now()),
                (false, None) => Duration::from_secs(3600),
            };
            match messages.recv_timeout(pause) {
                Ok(message) => self.guarded(|session| session.hear(message)),
                Err(RecvTimeoutError::Timeout) if self.idle => self.guarded(Self::tidy),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if self.scheduler.next_tick().is_some_and(|at| at <= Instant::now()) {
                self.guarded(|session| {
                    let told = session.scheduler.tick();
                    session.take(told);
                });
            }
        }
    }

    fn hear(&mut self, message: Message) {
        match message {
            Message::Changed(change) => self.change(&change),
            Message::Lab(news) => {
                let told = self.scheduler.hear(news);
                self.take(told);
            }
            Message::Browser(Question::Page { path, depth, answer }) => {
                let _ = answer.send(self.answer(&path, depth));
            }
            Message::Browser(Question::Open(tab)) => {
                let id = tab.id;
                self.tabs.open(tab, self.generation);
                if !self.outside.is_empty() {
                    let problems = self.outside.iter().map(Diagnostic::view).collect();
                    self.tabs.tell_one(id, &News::Problems { problems });
                }
            }
            Message::Browser(Question::Close(tab)) => {
                self.tabs.close(tab);
                self.wish();
            }
            Message::Browser(Question::Seen(tab, keys)) => {
                if self.tabs.seen(tab, keys) {
                    self.wish();
                }
            }
            Message::Browser(Question::Retry(key)) => {
                self.scheduler.retry(&key);
                self.live.progress.failed.remove(&key);
                self.live.ended(&key);
                self.wish();
                self.show(Phases::default());
            }
            Message::Browser(Question::Lost) => {
                self.live.lost();
                self.wish();
                self.show(Phases::default());
            }
        }
    }

    /// Takes in a change on disk.
    fn change(&mut self, change: &Change) {
        let mut times = Phases { settled: change.first.elapsed().into(), ..Phases::default() };
        let touched = match change.all || change.paths.contains("") {
            true => self.live.workspace.refresh(),
            false => self.live.workspace.apply(change.paths.iter().map(String::as_str)),
        };
        if touched.is_empty() {
            return;
        }
        self.generation += 1;
        if let Some(saved) = touched.notes.first() {
            self.saved = Some(saved.clone());
        }
        if touched.config {
            // What failed may have failed for what was configured.
            self.scheduler.retry_all();
            self.live.progress.failed.clear();
            let device = &self.live.workspace.config.device;
            if self.device != *device {
                self.device.clone_from(device);
                self.scheduler.set_device(device.clone());
            }
        }
        let before = Before::of(&self.live, &touched.notes);
        self.live.update(&touched);
        self.moved.take(before, &self.live, &touched.notes);
        self.configured |= self.is_configured();
        times.read = change.first.elapsed().into();
        self.show(times);
        self.say_outside();
        self.wish();
        if !touched.notes.is_empty() || touched.config {
            self.watch_folders();
        }
        self.idle = true;
    }

    /// Watches where notes, files and pictures lie now.
    fn watch_folders(&mut self) {
        let _ = self.watch.widen(&self.live.workspace.layout, &self.live.plan().folders());
    }

    /// Asks for what is missing: what is seen first, then the note that was saved, then the rest.
    fn wish(&mut self) {
        let missing = self.live.missing();
        let visible = self.tabs.visible();
        let saved = self.saved.as_ref().map(|note| self.live.requests_of(note)).unwrap_or_default();
        let rank = |key: &Digest| match () {
            () if visible.contains(key) => Rank::Visible,
            () if saved.contains(key) => Rank::Saved,
            () => Rank::Rest,
        };
        let wished: Vec<(Digest, Rank)> =
            missing.iter().map(|(key, _)| (*key, rank(key))).collect();
        if wished == self.wished {
            return;
        }
        self.wished = wished;
        self.unremembered = true;
        self.idle = true;
        let wishes =
            missing.into_iter().map(|(key, request)| Wish { key, rank: rank(&key), request });
        self.scheduler.want(wishes.collect());
        let wanted: BTreeSet<Digest> = self.wished.iter().map(|(key, _)| *key).collect();
        self.live.progress.running.retain(|key, _| wanted.contains(key));
        self.told.retain(|key, _| wanted.contains(key));
        self.fail();
        self.tell_waiting();
    }

    /// Takes in what the scheduler told.
    fn take(&mut self, told: Vec<Told>) {
        let mut ended = false;
        for told in told {
            match told {
                Told::Ready { device, device_name } => {
                    eprintln!("measuring on {device} ({device_name})");
                    // What had failed for want of a lab waits again.
                    ended = true;
                }
                Told::Progress { key, status, fraction, picture } => {
                    let first = !self.told.contains_key(&key);
                    let due = self.told.get(&key).is_none_or(|at| at.elapsed() >= PROGRESS_EVERY);
                    if first || due || picture.is_some() {
                        self.told.insert(key, Instant::now());
                        self.pictures += 1;
                        let count = self.pictures;
                        let picture = picture.and_then(|path| partial(&key, &path, count));
                        let news = News::Progress { key, status: &status, fraction, picture };
                        self.tabs.tell(&news);
                    }
                    self.live.progress.running.insert(key, status);
                }
                Told::Done { key, .. } | Told::Failed { key } => {
                    self.live.progress.running.remove(&key);
                    self.told.remove(&key);
                    self.live.ended(&key);
                    ended = true;
                }
            }
        }
        if ended {
            self.fail();
            // At once, so that no page shows a failure that is none any more.
            self.generation += 1;
            self.show(Phases::default());
            self.wish();
            self.idle = true;
        }
        if self.waiting.elapsed() >= WAITING_EVERY {
            self.tell_waiting();
        }
    }

    /// Takes over what failed of what is wished for.
    fn fail(&mut self) {
        for (key, _) in &self.wished {
            let failed = self.scheduler.failed(key);
            let reason = failed.map(|reason| (reason.message.clone(), reason.hint.clone()));
            let known = self.live.progress.failed.get(key);
            if known != reason.as_ref() {
                match reason {
                    Some(reason) => drop(self.live.progress.failed.insert(*key, reason)),
                    None => drop(self.live.progress.failed.remove(key)),
                }
                self.live.ended(key);
                self.idle = true;
            }
        }
    }

    /// Says of those that wait how long they will.
    fn tell_waiting(&mut self) {
        self.waiting = Instant::now();
        let visible = self.tabs.visible();
        for (key, _) in &self.wished {
            if self.told.contains_key(key) {
                continue;
            }
            let Some(status) = self.scheduler.status(key) else { continue };
            let known = self.live.progress.running.insert(*key, status.clone());
            if known.as_ref() != Some(&status) && visible.contains(key) {
                let news =
                    News::Progress { key: *key, status: &status, fraction: 0.0, picture: None };
                self.tabs.tell(&news);
            }
        }
    }

    /// Tells open pages what they are now.
    fn show(&mut self, times: Phases) {
        let begun = Instant::now();
        for path in self.tabs.pages() {
            let page = self.live.named(&path);
            let now = self.live.page(&page).and_then(Result::ok);
            let since = Duration::from_micros(times.read.micros()) + begun.elapsed();
            let times = Phases { rendered: since.into(), ..times };
            let moved = match &now {
                Some(_) => None,
                None => self.moved.to(&page, &self.live),
            };
            // Relative to the site's root.
            let moved =
                moved.map(|(title, page)| LinkView { title, href: self.live.href("", &page) });
            self.tabs.show(&path, now.as_ref(), self.generation, times, moved);
        }
    }

    fn is_configured(&self) -> bool {
        self.live.workspace.root.join(config::FILE).exists()
    }

    /// What is wrong with the garden as a preview sees it: a configuration that went away while it runs.
    fn unconfigured(&self) -> Option<Diagnostic> {
        (self.configured && !self.is_configured()).then(|| {
            let message = "the configuration was removed: what it said of models, data and addresses no longer holds";
            let hint = "restore the file, or restart the preview to go on without it".to_owned();
            Diagnostic::of_file(config::FILE, message.to_owned()).hint(Some(hint))
        })
    }

    /// Does what can wait: sees what is wrong with notes that nobody looks at, says it, and saves what was learnt.
    fn tidy(&mut self) {
        if self.live.settle_some(SOME) {
            return;
        }
        self.idle = false;
        let problems: Vec<Diagnostic> =
            self.unconfigured().into_iter().chain(self.live.problems()).collect();
        let known: HashSet<&Diagnostic> = self.problems.iter().collect();
        let new = problems.iter().filter(|problem| !known.contains(problem));
        let new: Vec<Diagnostic> = new.cloned().collect();
        let summary = summary(&new, self.all);
        for problem in summary.shown {
            let source = self.live.workspace.source(&problem.file);
            eprintln!("{}\n", problem.terminal(source, false));
        }
        for line in &summary.rest {
            eprintln!("{line}");
        }
        if !summary.rest.is_empty() {
            eprintln!("hint: `--all` shows every one of them\n");
        }
        if problems.is_empty() && !self.problems.is_empty() {
            eprintln!("all is well again");
        }
        self.problems = problems;
        self.say_outside();
        self.live.workspace.save_digests();
        if std::mem::take(&mut self.unremembered) {
            let missing = self.wished.iter().map(|(key, _)| *key).collect();
            // Where it cannot be written, a collection elsewhere may take what is wanted here; it is measured again.
            let _ = build::remember(&self.live.workspace, self.live.plan(), &missing);
        }
    }

    /// Tells open pages what is wrong where no page can show it.
    fn say_outside(&mut self) {
        let outside: Vec<Diagnostic> =
            self.unconfigured().into_iter().chain(self.live.problems_outside()).collect();
        if outside != self.outside {
            let problems = outside.iter().map(Diagnostic::view).collect();
            self.tabs.tell(&News::Problems { problems });
            self.outside = outside;
        }
    }
}
