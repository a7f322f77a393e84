//! Open pages and the versions they have. A page that does not receive its updates is disconnected; its browser
//! reconnects and catches up.

use std::collections::{BTreeMap, BTreeSet};

use neuronotes_core::digest::Digest;

use super::message::Tab;
use super::news::{News, Patch, Phases};
use crate::site::Rendered;
use crate::view::LinkView;

/// Maximum size of a patch; with larger changes the page is fetched again.
const LONGEST: usize = 256 << 10;

/// The open pages.
#[derive(Debug, Default)]
pub struct Tabs {
    open: BTreeMap<u64, Open>,
    /// The last version of each open page; `None` if the garden had no such page.
    shown: BTreeMap<String, Option<Rendered>>,
    /// The new places of open pages that are gone, as far as they were sent.
    moved: BTreeMap<String, LinkView>,
}

#[derive(Debug)]
struct Open {
    tab: Tab,
    seen: BTreeSet<Digest>,
}

impl Tabs {
    /// A page was opened. If `most` are already open, the oldest one is told to stop.
    pub fn open(&mut self, tab: Tab, generation: u64, most: usize) {
        while self.open.len() >= most.max(1)
            && let Some(first) = self.open.keys().next().copied()
        {
            self.tell_one(first, &News::Rest);
            self.close(first);
        }
        let hello = News::Hello { tab: tab.id, generation };
        let _ = tab.news.try_send(hello.text());
        self.open.insert(tab.id, Open { tab, seen: BTreeSet::new() });
    }

    /// A page was closed.
    pub fn close(&mut self, id: u64) {
        if let Some(open) = self.open.remove(&id)
            && !self.open.values().any(|other| other.tab.page == open.tab.page)
        {
            self.shown.remove(&open.tab.page);
            self.moved.remove(&open.tab.page);
        }
    }

    /// A page has these figures visible. Returns whether that has changed.
    pub fn seen(&mut self, id: u64, keys: Vec<Digest>) -> bool {
        let keys = keys.into_iter().collect();
        let open = self.open.get_mut(&id);
        open.is_some_and(|open| std::mem::replace(&mut open.seen, keys) != open.seen)
    }

    /// Figures that are visible anywhere.
    pub fn visible(&self) -> BTreeSet<Digest> {
        self.open.values().flat_map(|open| &open.seen).copied().collect()
    }

    /// The paths of open pages.
    pub fn pages(&self) -> BTreeSet<String> {
        self.open.values().map(|open| open.tab.page.clone()).collect()
    }

    /// A page was served: later updates refer to this version.
    pub fn handed_out(&mut self, path: &str, page: &Rendered) {
        if self.open.values().any(|open| open.tab.page == path) {
            self.shown.insert(path.to_owned(), Some(page.clone()));
        }
    }

    /// Sends a page's new version to those who show it.
    ///
    /// `moved` is the new place of a page that is gone.
    pub fn show(
        &mut self,
        path: &str,
        now: Option<&Rendered>,
        generation: u64,
        times: Phases,
        moved: Option<LinkView>,
    ) {
        let before = self.shown.insert(path.to_owned(), now.cloned());
        let told = match &moved {
            Some(moved) => self.moved.insert(path.to_owned(), moved.clone()),
            None => self.moved.remove(path),
        };
        let news = match (before.flatten(), now) {
            (Some(before), Some(now)) if before.digest == now.digest => return,
            (Some(before), Some(now)) => {
                let patch = Patch::between(&before, now, generation, times);
                match patch.lines.iter().map(|line| line.len()).sum::<usize>() {
                    ..LONGEST => News::Patch(patch),
                    _ => News::Fetch { generation },
                }
            }
            (None, Some(_)) => News::Fetch { generation },
            (None, None) if told == moved => return,
            (_, None) => News::Gone { generation, moved },
        };
        self.send(&news, |tab| tab.page == path);
    }

    /// Sends an update to all pages.
    pub fn tell(&mut self, news: &News<'_>) {
        self.send(news, |_| true);
    }

    /// Sends an update to one page.
    pub fn tell_one(&mut self, id: u64, news: &News<'_>) {
        self.send(news, |tab| tab.id == id);
    }

    fn send(&mut self, news: &News<'_>, to: impl Fn(&Tab) -> bool) {
        let text = news.text();
        self.open.retain(|_, open| !to(&open.tab) || open.tab.news.try_send(text.clone()).is_ok());
    }
}
