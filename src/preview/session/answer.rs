//! Responses to browsers: the page or file at a path, or an error page.

use super::Session;
use crate::diagnostic::Diagnostic;
use crate::guard;
use crate::preview::broken;
use crate::preview::message::Answer;
use crate::site::Served;

impl Session {
    /// The response to a request for `path`, so many folders deep.
    pub(super) fn answer(&mut self, path: &str, depth: usize) -> Answer {
        let made = guard::run("answering a browser", path, || self.made(path, depth));
        made.unwrap_or_else(|panicked| self.broken(&Diagnostic::of_panic(path, &panicked), depth))
    }

    fn made(&mut self, path: &str, depth: usize) -> Answer {
        let named = self.site.named(path);
        if named.strip_suffix("/index.html") == Some(path) {
            // Its links are relative to the folder.
            return Answer::Moved;
        }
        // The shown progress of measurements may be outdated.
        self.site.look_at_running(&named);
        match self.site.page(&named) {
            Some(Ok(page)) => {
                self.tabs.handed_out(path, &page);
                Answer::Page(page.html, page.digest)
            }
            Some(Err(problem)) => self.broken(&problem, depth),
            None => match self.site.file(path) {
                Some(Served::Bytes(bytes)) => Answer::Bytes(bytes),
                Some(Served::File(file)) => Answer::File(file),
                Some(Served::Blob(digest)) => Answer::Blob(digest),
                None => {
                    let moved = self.moved.to(&named, &self.site);
                    match self.site.not_found(depth, moved) {
                        Ok(html) => Answer::Missing(html),
                        Err(problem) => self.broken(&problem, depth),
                    }
                }
            },
        }
    }

    fn broken(&self, problem: &Diagnostic, depth: usize) -> Answer {
        Answer::Broken(broken::page(problem, depth, self.site.stylesheet()))
    }
}
