//! The data for templates: plain, fully resolved, and escaped if it is HTML.
//!
//! Fields of HTML end in `_html`; a template writes them with the filter `safe`, and escapes all others. Addresses
//! (`href`) are relative to the page that holds them and percent-encoded. A figure's drawing is a
//! `Drawing`: templates see all its fields, write its `svg` with `safe`, and get the address of an image with the filter `url`.

mod claim;
mod legible;
mod part;
mod review;
mod reviewed;
mod site;

use std::collections::BTreeMap;

use serde::Serialize;

pub use claim::{ClaimView, ClaimsView};
pub use legible::{legible, legible_json};
pub use part::{
    BacklinkView, CardView, ContentsView, DateView, LinkView, MentionView, ProblemView,
    ThumbnailView, UsedView,
};
pub use review::{TroubleGroupView, TroubledView, TroublesView};
pub use reviewed::{DiscussView, ReviewView};
pub use site::{
    GraphView, GroupView, HeadView, HomeView, IndexGroupView, IndexItemView, IndexView, LinkedView,
    ListView, MetaView, NavView, NotFoundView, NoteView, RedirectView, SelfCitationView, SiteView,
    UnitFigureView, UnitView, WayView,
};

use crate::figure::{Drawing, Picture};

/// A figure, for `figure.html`.
#[derive(Debug, Clone, Serialize)]
pub struct FigureView<'a> {
    /// The block's id, unique on the page.
    pub id: String,
    /// Its number in the note, from 1.
    pub number: usize,
    /// `Figure 2`, or on other pages `Figure 2 of Faces`.
    pub label: String,
    /// The kind's name; empty if it is unknown.
    pub kind: String,
    /// `text`, `middle`, `page` or `screen`.
    pub width: String,
    /// Title above the figure.
    pub title: Option<String>,
    /// Caption below it, as HTML.
    pub caption_html: Option<String>,
    /// The note's description; `None` to use the drawing's own.
    pub alt: Option<String>,
    /// Its state.
    pub state: FigureState<'a>,
    /// Its provenance; empty until it is measured.
    pub provenance: Vec<FactView>,
    /// The block as written in the note, for copying.
    pub yaml: String,
    /// `yaml` with its fence, to paste into a note.
    pub fenced: String,
    /// `fenced` with all defaults written out; `None` if the block has them all.
    pub complete: Option<String>,
    /// The request key, 64 digits; empty if the block has an error. For several measurements, a common key.
    pub key: String,
    /// The request keys of the measurements of a sweep.
    pub keys: Vec<String>,
    /// Files with its numbers, if it has any.
    pub data: Option<DataView>,
    /// What it is compared with that nobody chose.
    pub controls: Vec<ControlView<'a>>,
    /// Who decided that it has no such controls, in words; empty if nobody did.
    pub controls_off: &'static str,
    /// Which controls it lacks and why, in words; empty if it lacks none, or has none at all.
    pub controls_lacking: String,
    /// The units that its drawing refers to, by the drawing's references.
    pub units: BTreeMap<String, UnitNameView<'a>>,
    /// What the note expects of it, and what became of that; `None` if it expects nothing.
    pub claims: Option<ClaimsView>,
    /// Links to the places that mention this figure.
    pub mentions: Vec<LinkView>,
    /// The address for a remark on it, if the garden has one.
    pub discuss: Option<String>,
}

/// A control of a figure: what it is compared with that nobody chose.
#[derive(Debug, Clone, Serialize)]
pub struct ControlView<'a> {
    /// Its id, unique on the page.
    pub id: String,
    /// Its heading.
    pub title: String,
    /// For readers: `Figure 2, controls`.
    pub label: String,
    /// `None`: a drawing describes itself.
    pub alt: Option<String>,
    /// Its state.
    pub state: FigureState<'a>,
    /// The request key, 64 digits; empty if it has an error. For several measurements, a common key.
    pub key: String,
    /// Files with its numbers, if it has any.
    pub data: Option<DataView>,
    /// The units that its drawing refers to, by the drawing's references.
    pub units: BTreeMap<String, UnitNameView<'a>>,
}

/// What a unit that a drawing names is called here.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UnitNameView<'a> {
    /// Channel or feature, from 0.
    pub unit: u32,
    /// Its name in the first note that declares it, if any does.
    pub name: Option<String>,
    /// The address of that note, or else of the unit's page, if it has one.
    pub href: Option<String>,
    /// Its picture in a figure of the garden that is about it.
    pub picture: Option<&'a Picture>,
}

/// Addresses of files with a figure's numbers.
#[derive(Debug, Clone, Serialize)]
pub struct DataView {
    /// The address of its table as comma-separated values.
    pub csv: String,
    /// The address of its whole result as JSON.
    pub json: String,
}

/// The state of a figure.
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
        /// Progress in words.
        status: String,
        /// The last result of this block, which is shown dimmed meanwhile, or the one of the images scanned so far.
        stale: Option<&'a Drawing>,
        /// If it is of those, which they are: `of 4,096 of 50,000 images`.
        so_far: Option<&'a str>,
    },
    /// It cannot be measured or drawn.
    Failed {
        /// The problem.
        problem: ProblemView,
    },
    /// It is a sweep: several measurements, each with its own state.
    Sweep {
        /// The measurements.
        items: Vec<SweepItemView<'a>>,
        /// Number of columns on a wide screen.
        wide: usize,
        /// Number of columns on a small screen.
        narrow: usize,
        /// The number of measured ones in words; empty if all are.
        status: String,
    },
}

/// One measurement of several.
#[derive(Debug, Clone, Serialize)]
pub struct SweepItemView<'a> {
    /// The request key, 64 digits.
    pub key: String,
    /// Its values in the sweep.
    pub caption: String,
    /// The address of the unit's page, if it measures a unit.
    pub href: Option<String>,
    /// The note's description; `None` to use the pictures' own.
    pub alt: Option<String>,
    /// Its state.
    pub state: SweepItemState<'a>,
}

/// The state of one measurement among several.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum SweepItemState<'a> {
    /// It is measured and drawn.
    Done {
        /// Its pictures, one or more.
        pictures: Vec<&'a Picture>,
        /// Its value.
        value: &'a str,
        /// Its full caption line.
        note: &'a str,
    },
    /// It is not measured yet; only in the preview.
    Waiting {
        /// Progress in words.
        status: String,
        /// The last result, which is shown dimmed meanwhile, or the one of the images scanned so far.
        stale: Option<StaleView<'a>>,
        /// If it is of those, which they are.
        so_far: Option<&'a str>,
    },
    /// It cannot be measured or drawn.
    Failed {
        /// The problem.
        problem: ProblemView,
    },
}

/// The last result of one measurement of several.
#[derive(Debug, Clone, Serialize)]
pub struct StaleView<'a> {
    /// Its pictures, one or more.
    pub pictures: Vec<&'a Picture>,
    /// Its value.
    pub value: &'a str,
}

/// One line of a figure's provenance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FactView {
    /// `layer`.
    pub name: String,
    /// `image_block_4/0/Add_6`.
    pub value: String,
    /// The address of what it names, if that has one: a unit's page, or another figure.
    pub href: Option<String>,
}
