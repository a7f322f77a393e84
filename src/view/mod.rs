//! What templates see: plain data, everything already resolved, escaped where it is HTML.
//!
//! Fields of HTML end in `_html`; a template writes them with the filter `safe`, and escapes all others. Addresses
//! (`href`) are relative to the page that holds them and percent-encoded. A figure's drawing is a
//! [`Drawing`]: templates see all its fields, write its `svg` with `safe`, and get the address of an image with the filter `url`.

mod legible;
mod site;

use serde::Serialize;

pub use legible::{legible, legible_json};
pub use site::{
    GraphView, GroupView, HeadView, HomeView, IndexGroupView, IndexItemView, IndexView, LinkView,
    LinkedView, ListView, MetaView, NavView, NotFoundView, NoteView, RedirectView,
    SelfCitationView, SiteView, UnitFigureView, UnitView, WayView,
};

use crate::diagnostic::{Diagnostic, Severity};
use crate::figure::{Drawing, Picture};

/// A note in a list.
#[derive(Debug, Clone, Serialize)]
pub struct CardView {
    /// The note's title.
    pub title: String,
    /// The address of its page.
    pub href: String,
    /// Last change, else when it was written.
    pub date: Option<DateView>,
    /// The first sentences, plain text.
    pub excerpt: String,
    /// The note's first picture.
    pub picture: Option<ThumbnailView>,
    /// The first ones, in the note's order.
    pub tags: Vec<LinkView>,
    /// How many tags more it has.
    pub more_tags: usize,
}

/// A day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DateView {
    /// `2025-04-22`.
    pub iso: String,
    /// `April 22, 2025`.
    pub shown: String,
}

/// An entry of the contents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ContentsView {
    /// The heading's anchor.
    pub id: String,
    /// The heading with its code and mathematics, without its links.
    pub title_html: String,
    /// Headings below it.
    pub children: Vec<ContentsView>,
}

/// A note that mentions this one.
#[derive(Debug, Clone, Serialize)]
pub struct BacklinkView {
    /// Its title.
    pub title: String,
    /// The address of its page.
    pub href: String,
    /// Each sentence that does.
    pub mentions: Vec<MentionView>,
}

/// One sentence that mentions this note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MentionView {
    /// The address of the sentence.
    pub href: String,
    /// The sentence, the link in it as `<mark>`.
    pub sentence_html: String,
    /// The section or figure of this note that it mentions, where it is one.
    pub place: Option<LinkView>,
}

/// Something wrong, at its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProblemView {
    /// `error` or `warning`.
    pub severity: &'static str,
    /// `notes/piggy-bank.md:12:5`.
    pub place: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

impl From<&Diagnostic> for ProblemView {
    fn from(problem: &Diagnostic) -> Self {
        Self {
            severity: match problem.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            },
            place: problem.place(),
            message: problem.message.clone(),
            hint: problem.hint.clone(),
        }
    }
}

/// A figure, for `figure.html`.
#[derive(Debug, Clone, Serialize)]
pub struct FigureView<'a> {
    /// The block's id, unique on the page.
    pub id: String,
    /// Counted through the note, from 1.
    pub number: usize,
    /// `Figure 2`; elsewhere than in its own note `Figure 2 of Faces`.
    pub label: String,
    /// The kind's name; empty where the block has none that is known.
    pub kind: String,
    /// `text`, `middle`, `page` or `screen`.
    pub width: String,
    /// Above the figure.
    pub title: Option<String>,
    /// Below it.
    pub caption_html: Option<String>,
    /// What it shows, in the words of the note; none where the drawing's own text stands.
    pub alt: Option<String>,
    /// What stands in the figure's place.
    pub state: FigureState<'a>,
    /// How it was made, for a reader; empty until it is measured.
    pub provenance: Vec<FactView>,
    /// The block as it stands in the note, to copy.
    pub yaml: String,
    /// `yaml` with its fence, to paste into a note.
    pub fenced: String,
    /// `fenced` with all defaults written out; none if the block leaves none out.
    pub complete: Option<String>,
    /// The request key, 64 digits; empty where the block is faulty. Of several, one that stands for all.
    pub key: String,
    /// The request keys of the measurements of a sweep.
    pub keys: Vec<String>,
    /// Files with its numbers, where it shows any.
    pub data: Option<DataView>,
    /// Notes that mention this figure, each at the place where it does.
    pub mentions: Vec<LinkView>,
}

/// Addresses of files with a figure's numbers.
#[derive(Debug, Clone, Serialize)]
pub struct DataView {
    /// The address of its table as comma-separated values.
    pub csv: String,
    /// The address of its whole result as JSON.
    pub json: String,
}

/// What stands in a figure's place.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FigureState<'a> {
    /// It is measured and drawn.
    Done {
        /// The drawing.
        drawing: &'a Drawing,
    },
    /// It is not measured yet; only in the preview.
    Waiting {
        /// Reserved height in pixels at a width of 640.
        height: u32,
        /// What is known of its progress, for a person.
        status: String,
        /// The last result of this block, shown dimmed meanwhile.
        stale: Option<&'a Drawing>,
    },
    /// It cannot be measured or drawn.
    Failed {
        /// Why.
        problem: ProblemView,
    },
    /// It is several measurements, each in its own state.
    Sweep {
        /// The measurements.
        items: Vec<SweepItemView<'a>>,
        /// Columns of the grid, where there is room.
        wide: usize,
        /// Columns on a small screen.
        narrow: usize,
        /// How many are measured; empty where all are.
        status: String,
    },
}

/// One measurement of several.
#[derive(Debug, Clone, Serialize)]
pub struct SweepItemView<'a> {
    /// The request key, 64 digits.
    pub key: String,
    /// Which values are its own.
    pub caption: String,
    /// The address of the unit's page, if it measures a unit.
    pub href: Option<String>,
    /// What it shows, in the words of the note; none where the pictures' own texts stand.
    pub alt: Option<String>,
    /// What stands in its place.
    pub state: SweepItemState<'a>,
}

/// What stands in the place of one measurement of several.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum SweepItemState<'a> {
    /// It is measured and drawn.
    Done {
        /// Its pictures, one or more.
        pictures: Vec<&'a Picture>,
        /// What is to be said of it.
        value: &'a str,
        /// The whole line that stands below a figure of its own.
        note: &'a str,
    },
    /// It is not measured yet; only in the preview.
    Waiting {
        /// What is known of its progress, for a person.
        status: String,
        /// The last result, shown dimmed meanwhile.
        stale: Option<StaleView<'a>>,
    },
    /// It cannot be measured or drawn.
    Failed {
        /// Why.
        problem: ProblemView,
    },
}

/// The last result of one measurement of several.
#[derive(Debug, Clone, Serialize)]
pub struct StaleView<'a> {
    /// Its pictures, one or more.
    pub pictures: Vec<&'a Picture>,
    /// What was said of it.
    pub value: &'a str,
}

/// A picture in a list of notes or units.
#[derive(Debug, Clone, Serialize)]
pub struct ThumbnailView {
    /// Its file, relative to the site's root.
    pub file: String,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Whether enlarging must keep its pixels sharp.
    pub synthetic: bool,
}

/// One line of a figure's provenance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FactView {
    /// `layer`.
    pub name: String,
    /// `image_block_4/0/Add_6`.
    pub value: String,
    /// The address of what it names, where that has one: a unit's page, or another figure.
    pub href: Option<String>,
}
