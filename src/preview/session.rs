//! The preview's main loop: processes changes, keeps the lab working on what is wanted, and updates open pages.

mod answer;
mod data;
mod follow;
mod means;
mod measured;
mod recover;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use neuronotes_core::digest::Digest;
use neuronotes_core::problem::Problem;
use neuronotes_core::say;

use super::message::{Message, Question};
use super::moved::{Before, Moved};
use super::news::{News, Phases};
use super::remembered::Remembered;
use super::reported::Reported;
use super::tabs::Tabs;
use crate::config;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::summary::summary;
use crate::measure::measurer::{Measurer, News as Measured};
use crate::measure::schedule::{Rank, Wish};
use crate::site::{Progress, Site};
use crate::view::{LinkView, ProblemView};
use crate::watch::{Change, Watch};
use crate::workspace::Workspace;

/// Pause if files temporarily cannot be read.
const LATER: Duration = Duration::from_millis(400);
/// Number of notes that are settled at once when idle: a millisecond or two.
const SOME: usize = 16;

use means::Means;

/// How much is shown.
#[derive(Debug, Clone, Copy)]
pub struct Shown {
    /// Whether the terminal shows every problem.
    pub all: bool,
    /// Maximum number of open pages.
    pub most: usize,
}

/// A preview's state.
pub struct Session {
    site: Site,
    watch: Watch,
    measurer: Measurer,
    means: Means,
    tabs: Tabs,
    /// Maximum number of open pages.
    most: usize,
    /// Version of the garden, which counts changes.
    generation: u64,
    /// The note that was saved last: its figures come after visible ones.
    saved: Option<String>,
    /// The last wanted requests.
    wished: Vec<(Digest, Rank)>,
    told: BTreeMap<Digest, Instant>,
    /// The measurement whose progress the terminal shows, and when it last did.
    said: Option<(Digest, Instant)>,
    /// When waiting requests' estimates were last sent.
    waiting: Instant,
    pictures: u64,
    /// Work to do when idle: settling, reporting or saving.
    idle: bool,
    /// Whether the list of used results must be saved to the store.
    unremembered: bool,
    remembered: Remembered,
    reported: Reported,
    /// Whether the terminal shows every problem.
    all: bool,
    outside: Vec<Diagnostic>,
    /// Pages that are gone.
    moved: Moved,
    /// Whether there ever was a `neuronotes.yaml`.
    configured: bool,
    /// A change that could not be processed because files temporarily cannot be read, and when to retry.
    later: Option<(Change, Instant)>,
    /// When weights and data are looked at again.
    looks: Instant,
}

impl Session {
    /// A session for a garden that has just been read, measured by the workers of the profile `on`, else by the lab of this
    /// machine.
    ///
    /// # Errors
    /// If the workers cannot be used.
    pub fn new(
        workspace: Workspace,
        sender: Sender<Message>,
        watch: Watch,
        shown: Shown,
        on: Option<String>,
    ) -> Result<Self, Problem> {
        let Shown { all, most } = shown;
        let means = Means::of(&workspace.config, on, sender);
        let measurer = means.measurer(&workspace.config, &workspace.store)?;
        let progress = Progress { preview: true, ..Progress::default() };
        let mut session = Self {
            site: Site::new(workspace, progress),
            watch,
            measurer,
            means,
            tabs: Tabs::default(),
            most,
            generation: 0,
            saved: None,
            wished: Vec::new(),
            told: BTreeMap::new(),
            said: None,
            waiting: Instant::now(),
            pictures: 0,
            idle: true,
            unremembered: true,
            remembered: Remembered::start(),
            reported: Reported::default(),
            all,
            outside: Vec::new(),
            moved: Moved::default(),
            configured: false,
            later: None,
            looks: Instant::now(),
        };
        session.configured = session.is_configured();
        session.watch_folders();
        session.wish();
        Ok(session)
    }

    /// Processes messages until all senders are gone, or the program is interrupted.
    pub fn run(&mut self, messages: &Receiver<Message>) {
        loop {
            let again = self.later.as_ref().map(|(_, at)| *at);
            let looks = self.looks_at_data();
            let pause = match [self.measurer.next_tick(), again, looks].into_iter().flatten().min()
            {
                _ if self.idle => Duration::ZERO,
                Some(at) => at.saturating_duration_since(Instant::now()),
                None => Duration::from_secs(3600),
            };
            match messages.recv_timeout(pause) {
                Ok(Message::Measured(Measured::Interrupted)) => return self.leave(),
                Ok(message) => self.guarded(|session| session.hear(message)),
                Err(RecvTimeoutError::Timeout) if self.idle => self.guarded(Self::tidy),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if self.site.met_damage() {
                self.site.lost();
                self.wish();
                self.show(Phases::default());
            }
            if self.measurer.next_tick().is_some_and(|at| at <= Instant::now()) {
                self.guarded(|session| {
                    let told = session.measurer.tick();
                    session.take(told);
                });
            }
            if self.looks_at_data().is_some_and(|at| at <= Instant::now()) {
                self.guarded(Self::look_at_data);
            }
            if let Some((change, _)) = self.later.take_if(|(_, at)| *at <= Instant::now()) {
                self.change(change);
            }
        }
    }

    fn hear(&mut self, message: Message) {
        match message {
            Message::Changed(change) => self.change(change),
            Message::Measured(news) => {
                let told = self.measurer.hear(news);
                self.take(told);
            }
            Message::Browser(Question::Page { path, depth, answer }) => {
                let _ = answer.send(self.answer(&path, depth));
            }
            Message::Browser(Question::Open(tab)) => {
                let id = tab.id;
                self.tabs.open(tab, self.generation, self.most);
                if !self.outside.is_empty() {
                    let problems = self.outside.iter().map(ProblemView::from).collect();
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
                self.measurer.retry(&key);
                self.site.progress.failed.remove(&key);
                self.site.ended(&key);
                self.wish();
                self.show(Phases::default());
            }
            Message::Browser(Question::Lost) => self.site.workspace.store.met_damage(),
        }
    }

    /// Processes a change on disk together with a postponed one. If files temporarily cannot be opened, the garden
    /// stays as it is and the change is postponed.
    fn change(&mut self, change: Change) {
        let change = match self.later.take() {
            Some((waiting, _)) => waiting.and(change),
            None => change,
        };
        if !self.site.workspace.can_read() {
            self.later = Some((change, Instant::now() + LATER));
            return;
        }
        let mut times = Phases { settled: change.first.elapsed().into(), ..Phases::default() };
        let touched = match change.all || change.paths.contains("") {
            true => self.site.workspace.refresh(),
            false => self.site.workspace.apply(change.paths.iter().map(String::as_str)),
        };
        if let Some(paths) = self.site.workspace.to_read_again() {
            let again = Change { paths, all: false, first: Instant::now() };
            self.later = Some((again, Instant::now() + LATER));
        }
        if touched.is_empty() {
            return;
        }
        self.generation += 1;
        if let Some(saved) = touched.notes.first() {
            self.saved = Some(saved.clone());
        }
        if touched.config {
            // Failures may have been caused by the old configuration.
            self.measurer.retry_all();
            self.site.progress.failed.clear();
            self.follow_means();
        }
        let before = Before::of(&self.site, &touched.notes);
        self.site.update(&touched);
        self.moved.take(before, &self.site, &touched.notes);
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

    /// Watches the current folders of notes, files and pictures.
    fn watch_folders(&mut self) {
        let _ = self.watch.widen(&self.site.workspace.layout, &self.site.plan().folders());
    }

    /// Requests missing results: visible figures first, then those of the note saved last, then the rest.
    fn wish(&mut self) {
        let missing = self.site.missing();
        if self.site.arrived() {
            self.generation += 1;
            self.show(Phases::default());
            self.idle = true;
        }
        let visible = self.tabs.visible();
        let saved = self.saved.as_ref().map(|note| self.site.requests_of(note)).unwrap_or_default();
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
        self.measurer.want(wishes.collect());
        let wanted: BTreeSet<Digest> = self.wished.iter().map(|(key, _)| *key).collect();
        self.site.progress.running.retain(|key, _| wanted.contains(key));
        self.site.progress.partial.retain(|key, _| wanted.contains(key));
        self.told.retain(|key, _| wanted.contains(key));
        self.fail();
        self.tell_waiting();
    }

    /// Updates open pages.
    fn show(&mut self, times: Phases) {
        let begun = Instant::now();
        for path in self.tabs.pages() {
            let page = self.site.named(&path);
            let now = self.site.page(&page).and_then(Result::ok);
            let since = Duration::from_micros(times.read.micros()) + begun.elapsed();
            let times = Phases { rendered: since.into(), ..times };
            let moved = match &now {
                Some(_) => None,
                None => self.moved.to(&page, &self.site),
            };
            // Relative to the site's root.
            let moved =
                moved.map(|(title, page)| LinkView { title, href: self.site.href("", &page) });
            self.tabs.show(&path, now.as_ref(), self.generation, times, moved);
        }
    }

    fn is_configured(&self) -> bool {
        self.site.workspace.root.join(config::FILE).exists()
    }

    /// Problems of the preview itself: the configuration was removed while it is running.
    fn unconfigured(&self) -> Option<Diagnostic> {
        (self.configured && !self.is_configured()).then(|| {
            let message =
                "the configuration was removed; its models, data and addresses no longer apply";
            let hint = "restore the file, or restart the preview to continue without it".to_owned();
            Diagnostic::of_file(config::FILE, message.to_owned()).hint(Some(hint))
        })
    }

    /// Does postponed work: finds problems in notes that are not open, reports them, and saves what was learnt.
    fn tidy(&mut self) {
        if self.site.settle_some(SOME) {
            return;
        }
        self.idle = false;
        let unconfigured = self.unconfigured().into_iter();
        let beside = unconfigured.chain(self.site.problems_beside()).collect();
        let was_well = self.reported.is_empty();
        let new = self.reported.take(self.site.problems_by_note(), beside).problems;
        let summary = summary(&new, self.all);
        for problem in summary.shown {
            let source = self.site.workspace.source(&problem.file);
            say::err(format_args!("{}\n", problem.terminal(source, false)));
        }
        for line in &summary.rest {
            say::err(say::name(line));
        }
        if !summary.rest.is_empty() {
            say::err("hint: `--all` shows all of them\n");
        }
        if self.reported.is_empty() && !was_well {
            say::err("all problems are fixed");
        }
        self.say_outside();
        self.site.workspace.save_digests();
        if std::mem::take(&mut self.unremembered) {
            let missing = self.wished.iter().map(|(key, _)| *key).collect();
            self.remembered.take(&self.site.workspace, self.site.plan(), &missing);
        }
    }

    /// Sends open pages the problems that no page can show.
    fn say_outside(&mut self) {
        let outside: Vec<Diagnostic> =
            self.unconfigured().into_iter().chain(self.site.problems_outside()).collect();
        if outside != self.outside {
            let problems = outside.iter().map(ProblemView::from).collect();
            self.tabs.tell(&News::Problems { problems });
            self.outside = outside;
        }
    }
}
