//! What a note says now, by digests; and the reviews of a note, with what has changed since.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::path::DIFFERENCE;
use super::scene::Scene;
use super::settled::Settled;
use super::value::Judged;
use crate::garden::{self, dates};
use crate::note::file_slug;
use crate::review::{self, Change, Seen, Stamp, Standing};
use crate::view::{DiscussView, LinkView, ReviewView};

impl Scene<'_> {
    /// A note as it reads now.
    ///
    /// Its text is the words of title, headings, prose and captions with their values, whatever the line breaks. Of a figure only the
    /// result counts: the bytes of numbers and pictures, not when or where they were measured.
    pub fn seen(&self, index: usize) -> Seen {
        let note = self.notes[index];
        let headings = note.headings.iter().map(|heading| &heading.shown);
        let captions = note.blocks.iter().map(|block| &block.caption_text);
        let texts = note.texts.iter().chain(headings).chain(captions);
        let mut words = note.title.clone();
        for text in texts {
            for word in self.filled(index, text).split_whitespace() {
                words.push(' ');
                words.push_str(word);
            }
            words.push('\n');
        }
        let figures = note.blocks.iter().zip(&*self.figures[index]);
        let figures = figures.map(|(block, settled)| (block.id.clone(), result(settled)));
        Seen {
            text: Some(review::short(words.as_bytes())),
            figures: figures.collect(),
            claims: self.claims_digest(index),
        }
    }

    /// The digest of a note's claims, each with whether it holds; `None` if there are none.
    fn claims_digest(&self, index: usize) -> Option<String> {
        let blocks = &self.notes[index].blocks;
        let line = |judged: &Judged| {
            let block = blocks.get(judged.block)?;
            let claim = block.claims.get(judged.claim)?;
            let (id, cell, verdict) = (&block.id, judged.cell, judged.judgement.verdict.name());
            Some(format!("{id} {cell:?} {} {verdict}", claim.text))
        };
        let lines: Vec<String> = self.quoted[index].claims.iter().filter_map(line).collect();
        (!lines.is_empty()).then(|| review::short(lines.join("\n").as_bytes()))
    }

    /// The last reviews of a note, the newest first, with what has changed since.
    pub fn standings(&self, index: usize) -> Vec<Standing<'_>> {
        match self.reviews.of(&self.notes[index].path) {
            [] => Vec::new(),
            stamps => review::standings(stamps, &self.seen(index)),
        }
    }

    /// The day on which a note is to be reviewed again, if it or the garden says how long a review counts.
    pub(super) fn due(&self, index: usize, stamp: &Stamp) -> Option<Date> {
        let own = self.notes[index].front.review_in;
        own.or(self.config.review.within)?.after(day(stamp))
    }

    /// The reviews of a note for its page.
    pub(super) fn review_views(&self, page: &str, index: usize) -> Vec<ReviewView> {
        let view = |standing: Standing<'_>| {
            let Standing { stamp, changes } = standing;
            let to = |id: &String| LinkView { title: id.clone(), href: format!("#{id}") };
            let due = self.due(index, stamp).filter(|_| stamp.figure.is_none());
            ReviewView {
                by: stamp.by.clone(),
                on: dates::view(day(stamp)),
                verdict: stamp.verdict.word(),
                shown: stamp.verdict.shown(),
                figure: stamp.figure.as_ref().map(to),
                message: stamp.message.clone(),
                command: self.difference_command(stamp, &changes),
                changes: self.changes(page, index, (stamp, &changes)),
                due: due.map(dates::view),
            }
        };
        self.standings(index).into_iter().map(view).collect()
    }

    /// Changes since a stamp, each with a link to the difference where there is one, else to the place.
    fn changes(
        &self,
        page: &str,
        index: usize,
        (stamp, changes): (&Stamp, &[Change]),
    ) -> Vec<LinkView> {
        let anchor = format!("group-{}", self.review_anchor(index));
        let place = garden::href(page, self.review_page(), Some(&anchor));
        let link = |change: &Change| {
            let (title, href) = match change {
                Change::Text => ("text changed since".to_owned(), place.clone()),
                Change::Claims => ("claims changed since".to_owned(), place.clone()),
                Change::Figure(id) => (format!("figure {id} changed since"), format!("#{id}")),
                Change::New(id) => (format!("figure {id} is new"), format!("#{id}")),
                Change::Gone(id) => (format!("figure {id} is gone"), place.clone()),
            };
            let part = match change {
                Change::Text => "text",
                Change::Claims => "claims",
                Change::Figure(_) | Change::New(_) | Change::Gone(_) => "figures",
            };
            let difference = self.difference(page, index, stamp);
            let href = difference.map_or(href, |difference| format!("{difference}#{part}"));
            LinkView { title, href }
        };
        changes.iter().map(link).collect()
    }

    /// The address of the page of what differs in a note since it was reviewed. Only the preview can compute one, and
    /// only since a commit.
    pub(super) fn difference(&self, page: &str, index: usize, stamp: &Stamp) -> Option<String> {
        let commit = stamp.commit.as_ref().filter(|_| self.preview)?;
        let [of, since] = [&self.garden.pages[index], commit]
            .map(|text| utf8_percent_encode(text, NON_ALPHANUMERIC));
        Some(format!("{}?page={of}&since={since}", garden::href(page, DIFFERENCE, None)))
    }

    /// The command that shows what changed since a stamp; empty where a page does, or no commit is known.
    fn difference_command(&self, stamp: &Stamp, changes: &[Change]) -> String {
        let is_known = !self.preview && !changes.is_empty();
        let commit = stamp.commit.as_ref().filter(|commit| is_known && is_hash(commit));
        commit.map(|commit| format!("neuronotes diff {commit}")).unwrap_or_default()
    }

    /// The address for a remark on a figure of a note, if the garden has one. The text says what was read: the address of
    /// the page, if that is known, and the digest of what it said.
    pub(super) fn discuss_figure(&self, index: usize, figure: &str) -> Option<String> {
        self.remark(index, Some(figure), "")
    }

    /// The addresses for a remark on a note, and on a sentence of it.
    pub(super) fn discuss(&self, index: usize) -> Option<DiscussView> {
        let whole = self.remark(index, None, "")?;
        Some(DiscussView { whole, quoting: self.remark(index, None, "> {quote}")? })
    }

    fn remark(&self, index: usize, figure: Option<&str>, begins: &str) -> Option<String> {
        self.config.review.url.as_ref()?;
        let note = self.notes[index];
        let title = match figure {
            Some(id) => format!("{}, figure {id}: ", note.title),
            None => format!("{}: ", note.title),
        };
        let page = &self.garden.pages[index];
        let anchor = figure.map(|id| format!("#{id}")).unwrap_or_default();
        let place =
            self.config.absolute(&self.shown_path(page)).unwrap_or_else(|| note.file.clone());
        let body =
            format!("{begins}\n\n---\n{place}{anchor}\nas read: {}\n", self.seen(index).digest());
        self.config.review.address(&title, &body)
    }

    /// The anchor of a note on the page of all reviews, after `group-`.
    pub(super) fn review_anchor(&self, index: usize) -> String {
        let page = self.garden.pages[index].trim_end_matches(".html");
        format!("note-{}", file_slug(&page.replace('/', "-")))
    }
}

/// Whether a text is a commit's hash: files of reviews can be written by anybody.
fn is_hash(commit: &str) -> bool {
    !commit.is_empty() && commit.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The day of a stamp, in UTC, so that every machine makes the same page.
pub(super) fn day(stamp: &Stamp) -> Date {
    stamp.on.to_zoned_datetime(TimeZone::UTC).date()
}

/// The digest of a figure's result; `None` if it has none.
fn result(settled: &Settled) -> Option<String> {
    match settled {
        Settled::Done { record, .. } => {
            let shown = record.outputs.iter().filter(|(name, output)| output.is_shown(name));
            let lines: Vec<String> =
                shown.map(|(name, output)| format!("{name} {}", output.digest)).collect();
            Some(review::short(lines.join("\n").as_bytes()))
        }
        Settled::Sweep(cells) => {
            let all: Option<Vec<String>> = cells.iter().map(result).collect();
            Some(review::short(all?.join("\n").as_bytes()))
        }
        Settled::Waiting { .. } | Settled::Failed(_) | Settled::Missing(_) => None,
    }
}
