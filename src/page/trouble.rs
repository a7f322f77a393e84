//! What is wrong, unproven or open in a note, for the page of all reviews and for `check`.

use jiff::civil::Date;
use neuronotes_core::kind::controlled::FIELD;
use serde::Serialize;

use super::draft::{Draft, View};
use super::reviewed::day;
use super::scene::Scene;
use super::settled::Settled;
use crate::claim::Verdict;
use crate::config::layout::without_ending;
use crate::diagnostic::Diagnostic;
use crate::note::Block;
use crate::plan::{Controlled, controlled};
use crate::review::{Change, Standing, Verdict as Opinion};
use crate::view::{LinkView, TroubleGroupView, TroubledView, TroublesView};

/// Most notes listed in a group, and most troubles of a note in it.
const MOST: usize = 200;
const MOST_OF_ONE: usize = 12;

/// A kind of trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A claim does not hold.
    Claim,
    /// A figure has failed.
    Failed,
    /// A reviewer does not agree, and nothing has changed since.
    Disagreed,
    /// Something has changed since a review.
    Stale,
    /// Nobody has reviewed it.
    Unreviewed,
    /// It is to be reviewed again.
    Due,
    /// A figure is not measured.
    Unmeasured,
    /// Somebody turned a figure's controls off.
    Controls,
    /// A link leads nowhere, or may lead to several notes.
    Links,
    /// A numeral in prose that neither a value nor a claim covers.
    Number,
    /// A question in a callout.
    Question,
    /// A task in a callout.
    Todo,
}

/// The kinds in the order of the page: name, title, and what it means.
const KINDS: [(Kind, &str, &str, &str); 12] = [
    (
        Kind::Claim,
        "claim",
        "Claims that do not hold",
        "What was measured is not what the note expects.",
    ),
    (
        Kind::Failed,
        "failed",
        "Figures that failed",
        "They cannot be measured or drawn; the note shows why.",
    ),
    (
        Kind::Disagreed,
        "disagreed",
        "Reviewers’ remarks",
        "A reviewer disagrees, or has minor remarks, and nothing has changed since.",
    ),
    (
        Kind::Stale,
        "stale",
        "Changed since reviewed",
        "The text, a figure’s result or a claim is not what the reviewer saw.",
    ),
    (
        Kind::Unreviewed,
        "unreviewed",
        "Not reviewed",
        "No reviewer has read the whole note. `neuronotes review NOTE --by NAME` records a review.",
    ),
    (Kind::Due, "due", "Due again", "The last review is older than the note or the garden allows."),
    (Kind::Unmeasured, "unmeasured", "Not measured yet", "The figure has no result."),
    (
        Kind::Controls,
        FIELD,
        "Controls off",
        "Controls of these figures were turned off, so only what the author chose is shown.",
    ),
    (Kind::Links, "links", "Links", "They lead nowhere, or not clearly to one note."),
    (
        Kind::Number,
        "number",
        "Typed numbers",
        "Numerals in the prose of notes with figures that neither a value nor a claim covers.",
    ),
    (
        Kind::Question,
        "question",
        "Open questions",
        "Callouts “[!question]”. One that is answered becomes “[!success]” or is removed.",
    ),
    (
        Kind::Todo,
        "todo",
        "To do",
        "Callouts “[!todo]”. One that is done becomes “[!done]” or is removed.",
    ),
];

/// One trouble of a note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Trouble {
    /// Its kind.
    #[serde(rename = "trouble")]
    pub kind: Kind,
    /// What is wrong, in one line.
    pub message: String,
    /// The line in the note, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// The anchor on the note's page, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anchor: Option<String>,
    /// The address of what differs since a review, relative to the page of all notes by trouble; only in the preview.
    #[serde(skip)]
    pub difference: Option<String>,
}

impl<'a> Scene<'a> {
    /// Whether notes of the garden are reviewed: then those that are not are in trouble.
    pub fn is_reviewed(&self) -> bool {
        !self.reviews.is_empty() || self.config.review != Default::default()
    }

    /// The troubles of a note, in the order of [`KINDS`] and of the text. Reviews are due only on a day that is given.
    pub fn troubles(&self, index: usize, today: Option<Date>) -> Vec<Trouble> {
        let note = self.notes[index];
        let mut all = Vec::new();
        let start = Place { line: 1, column: 1, anchor: None };
        for (block, settled) in note.blocks.iter().zip(&*self.figures[index]) {
            let (line, column) = note.lines.position(&note.source, block.span.start);
            let place = Place { line, column, anchor: Some(block.id.clone()) };
            if let Some(problem) = failed(settled) {
                all.push(place.trouble(Kind::Failed, format!("{}: {}", block.id, problem.message)));
            }
            if is_unmeasured(settled) {
                all.push(place.trouble(Kind::Unmeasured, format!("{} is not measured", block.id)));
            }
            if let Some(message) = self.uncontrolled(block) {
                // At the field, where the block is what turns them off.
                let field = block.fields.get(FIELD).map_or(&block.span, |field| &field.span);
                let (line, column) = note.lines.position(&note.source, field.start);
                let place = Place { line, column, anchor: Some(block.id.clone()) };
                all.push(place.trouble(Kind::Controls, message));
            }
        }
        for judged in &self.quoted[index].claims {
            let (Some(block), Verdict::Fails) =
                (note.blocks.get(judged.block), judged.judgement.verdict)
            else {
                continue;
            };
            let Some(claim) = block.claims.get(judged.claim) else { continue };
            let (line, column) = note.lines.position(&note.source, claim.span.start);
            let place = Place { line, column, anchor: Some(block.id.clone()) };
            let measured = &judged.judgement.measured;
            let message = format!("{}: {}, but {measured}", block.id, claim.text);
            all.push(place.trouble(Kind::Claim, message));
        }
        if !note.blocks.is_empty() {
            for numeral in note.typed_numerals() {
                let (line, column) = note.lines.position(&note.source, numeral.span.start);
                let place = Place { line, column, anchor: None };
                let message = format!("line {line}: {}", numeral.text);
                all.push(place.trouble(Kind::Number, message));
            }
        }
        let standings = self.standings(index);
        for Standing { stamp, changes } in &standings {
            let whose = match &stamp.figure {
                Some(id) => format!("{} on {}, of figure {id}", stamp.by, day(stamp)),
                None => format!("{} on {}", stamp.by, day(stamp)),
            };
            if !changes.is_empty() {
                let changes: Vec<String> = changes.iter().map(said).collect();
                let message = format!("{} since {whose}", changes.join(", "));
                let one = stamp.figure.clone();
                let place = Place { anchor: one, ..start.clone() };
                let difference = self.difference(self.review_page(), index, stamp);
                all.push(Trouble { difference, ..place.trouble(Kind::Stale, message) });
            } else if stamp.verdict != Opinion::Agree {
                let remark = stamp.message.as_ref().map(|message| format!(": {message}"));
                let message =
                    format!("{whose}: {}{}", stamp.verdict.shown(), remark.unwrap_or_default());
                let place = Place { anchor: stamp.figure.clone(), ..start.clone() };
                all.push(place.trouble(Kind::Disagreed, message));
            }
        }
        let whole = || standings.iter().filter(|standing| standing.stamp.figure.is_none());
        if whole().next().is_none() && self.is_reviewed() {
            all.push(start.trouble(Kind::Unreviewed, "nobody has reviewed it".to_owned()));
        }
        if let (Some(last), Some(today)) = (whole().next(), today)
            && let Some(due) = self.due(index, last.stamp).filter(|due| *due <= today)
        {
            let message =
                format!("due since {due}, last by {} on {}", last.stamp.by, day(last.stamp));
            all.push(start.trouble(Kind::Due, message));
        }
        for problem in &self.garden.problems[index] {
            let place = Place { line: problem.line, column: problem.column, anchor: None };
            all.push(place.trouble(Kind::Links, problem.message.clone()));
        }
        for open in &note.open {
            let (line, column) = note.lines.position(&note.source, open.span.start);
            let kind = if open.is_question { Kind::Question } else { Kind::Todo };
            let place = Place { line, column, anchor: None };
            all.push(place.trouble(kind, self.filled(index, &open.text)));
        }
        all.sort_by_key(|trouble| (trouble.kind, trouble.line, trouble.column));
        all
    }

    /// Who turned the controls of a block's figure off, if somebody did.
    fn uncontrolled(&self, block: &Block) -> Option<String> {
        let id = &block.id;
        match controlled(self.config, block) {
            Controlled::OffHere => Some(format!("{id}: the block turns controls off")),
            Controlled::OffEverywhere => Some(format!("{id}: the garden turns controls off")),
            Controlled::On | Controlled::Never | Controlled::Unset => None,
        }
    }

    /// The page of all notes by trouble.
    pub(super) fn review_draft(&self, page: &str) -> Draft<'a> {
        let notes = 0..self.notes.len();
        let troubles: Vec<Vec<Trouble>> =
            notes.clone().map(|index| self.troubles(index, None)).collect();
        let link = |index: usize, anchor: Option<&str>, title: String| LinkView {
            title,
            href: self.href(page, &self.garden.pages[index], anchor),
        };
        let group =
            |(kind, id, title, intro): &(Kind, &'static str, &'static str, &'static str)| {
                let of =
                    |index: usize| troubles[index].iter().filter(|trouble| trouble.kind == *kind);
                let concerned: Vec<usize> =
                    notes.clone().filter(|index| of(*index).next().is_some()).collect();
                // The heading says everything of a note that nobody has reviewed.
                let most = if *kind == Kind::Unreviewed { 0 } else { MOST_OF_ONE };
                let one = |index: &usize| {
                    let item = |trouble: &Trouble| {
                        let place =
                            link(*index, trouble.anchor.as_deref(), trouble.message.clone());
                        let href = trouble.difference.clone().unwrap_or(place.href);
                        LinkView { href, ..place }
                    };
                    TroubledView {
                        note: link(*index, None, self.notes[*index].title.clone()),
                        anchor: match kind {
                            Kind::Stale => self.review_anchor(*index),
                            _ => String::new(),
                        },
                        items: of(*index).take(most).map(item).collect(),
                        more: of(*index).count().saturating_sub(MOST_OF_ONE),
                        command: self.command(*index, *kind),
                    }
                };
                let shown = concerned.iter().take(MOST).map(one).collect();
                TroubleGroupView {
                    id,
                    title,
                    intro,
                    notes: shown,
                    more: concerned.len().saturating_sub(MOST),
                }
            };
        let groups = KINDS.iter().map(group).filter(|group| !group.notes.is_empty());
        let is_current = |index: &usize| {
            let standings = self.standings(*index);
            standings.iter().any(|one| one.stamp.figure.is_none() && !one.is_stale())
        };
        let view = TroublesView {
            site: self.site(page),
            head: self.list_head(page, "What is wrong, unproven or open in the notes."),
            count: self.notes.len(),
            current: notes.clone().filter(is_current).count(),
            groups: groups.collect(),
        };
        self.draft(page, None, View::Review(Box::new(view)))
    }

    /// The command that shows the difference to a review, or makes one.
    fn command(&self, index: usize, kind: Kind) -> String {
        let name = without_ending(&self.notes[index].path);
        let quoted = match name.chars().all(|c| c.is_alphanumeric() || "-_./".contains(c)) {
            true => name.to_owned(),
            false => format!("'{}'", name.replace('\'', "'\\''")),
        };
        match kind {
            Kind::Stale | Kind::Due => format!("neuronotes review {quoted} --by NAME"),
            _ => String::new(),
        }
    }
}

/// Where a trouble is.
#[derive(Debug, Clone)]
struct Place {
    line: usize,
    column: usize,
    anchor: Option<String>,
}

impl Place {
    fn trouble(&self, kind: Kind, message: String) -> Trouble {
        let Self { line, column, anchor } = self.clone();
        Trouble { kind, message, line, column, anchor, difference: None }
    }
}

fn said(change: &Change) -> String {
    match change {
        Change::Text => "text changed".to_owned(),
        Change::Figure(id) => format!("figure {id} changed"),
        Change::New(id) => format!("figure {id} is new"),
        Change::Gone(id) => format!("figure {id} is gone"),
        Change::Claims => "claims changed".to_owned(),
    }
}

/// The problem of a figure, or of the first measurement of a sweep that has one.
fn failed(settled: &Settled) -> Option<&Diagnostic> {
    match settled {
        Settled::Failed(problem) => Some(problem),
        Settled::Sweep(cells) => cells.iter().find_map(failed),
        Settled::Done { .. } | Settled::Waiting { .. } | Settled::Missing(_) => None,
    }
}

fn is_unmeasured(settled: &Settled) -> bool {
    match settled {
        Settled::Waiting { .. } | Settled::Missing(_) => true,
        Settled::Sweep(cells) => cells.iter().any(is_unmeasured),
        Settled::Done { .. } | Settled::Failed(_) => false,
    }
}
