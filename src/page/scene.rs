//! Everything that pages are made of.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use neuronotes_core::digest::Digest;
use serde::Serialize;

use super::cited::Cited;
use super::index::Index;
use super::known::Known;
use super::settled::Settled;
use super::value::Quoted;
use crate::bibliography::library::Works;
use crate::config::Config;
use crate::garden::Garden;
use crate::garden::dates::GitDates;
use crate::note::Note;
use crate::picture::smaller::Smaller;
use crate::plan::{NamedUnit, Plan};
use crate::workspace::Reviews;

/// The home page.
pub const HOME: &str = "index.html";

/// Assets that every page links to, relative to the site's root; their names contain their digests.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Assets {
    /// The style sheet of every page.
    pub stylesheet: String,
    /// The style sheet of figures.
    pub figures: String,
    /// The style sheet of pages that list others.
    pub lists: String,
    /// The style sheet of claims.
    pub claims: String,
    /// The style sheet of boxes and dialogs.
    pub boxes: String,
    /// The script of every page.
    pub script: String,
    /// The search script.
    pub find: String,
    /// The script that enlarges pictures.
    pub zoom: String,
    /// The script of figures that readers can sort, filter and turn.
    pub figure_script: String,
    /// The script that draws maps of units.
    pub map: String,
    /// The script of the whole graph.
    pub graph: String,
    /// The style sheet of reviews.
    pub review: String,
    /// The script by which readers write about a sentence.
    pub review_script: String,
}

/// Everything that pages are made of.
pub struct Scene<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// All notes, in the garden's order.
    pub notes: &'a [&'a Note],
    /// The notes with their resolved links.
    pub garden: &'a Garden,
    /// The measurements that they request.
    pub plan: &'a Plan,
    /// For each note and each of its blocks, the outcome.
    pub figures: &'a [Arc<[Settled]>],
    /// For each note and each of its blocks, the outcomes of its controls.
    pub controls: &'a [Arc<[Vec<Settled>]>],
    /// For each note, the replacements of its values.
    pub quoted: &'a [Quoted],
    /// Widths and heights of pictures in the notes folder.
    pub sizes: &'a BTreeMap<String, (u32, u32)>,
    /// Smaller copies of pictures, as far as there are any.
    pub smaller: &'a Smaller,
    /// Dates from git.
    pub git: &'a GitDates,
    /// The reviews of notes.
    pub reviews: &'a Reviews,
    /// The assets of every page.
    pub assets: &'a Assets,
    /// The bibliography.
    pub works: Option<&'a Works>,
    /// HTML of the line after every note, from [`super::footer`].
    pub footer: Option<String>,
    /// The digest of all templates in use.
    pub templates: Digest,
    /// Whether this is for the preview.
    pub preview: bool,
    /// Data about all notes, collected on first use.
    pub shared: Shared,
}

/// Data about all notes, collected on first use.
#[derive(Debug, Default)]
pub struct Shared {
    pub(super) index: OnceLock<Index>,
    /// Whether there are tags and units.
    pub(super) has: OnceLock<(bool, bool)>,
    /// The path of the page of all notes by trouble.
    pub(super) review: OnceLock<String>,
    /// Units that have a page.
    pub(super) known: OnceLock<BTreeMap<NamedUnit, Known>>,
    /// For each unit, the note and the block of each figure that is about it or names it.
    pub(super) uses: OnceLock<BTreeMap<NamedUnit, BTreeSet<(usize, usize)>>>,
    /// For each note, its formatted citations.
    pub(super) cited: OnceLock<Vec<OnceLock<Arc<Cited>>>>,
}
