//! Link previews: short excerpts of pages and of their parts, many of them in one file.
//!
//! A file of previews is a script, since a page opened from a disk cannot load anything else. Only places that a link
//! points to have a preview of their own.

mod rebase;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::index::Unit;
use super::scene::Scene;
use crate::note::{Body, Note};
use crate::view::legible_json;
use neuronotes_core::cut::Cut as _;
use neuronotes_core::digest::Digest;
use rebase::rebased;

/// Approximate number of pages per file.
const IN_A_FILE: usize = 16;
/// Maximum number of blocks in a preview.
const MOST_BLOCKS: usize = 6;

/// The previews in one file.
#[derive(Debug, Default)]
pub struct Shard {
    /// Path relative to the site's root.
    pub path: String,
    /// The notes with previews in it.
    pub notes: Vec<usize>,
    /// The units with previews in it, by path of their pages.
    pub units: Vec<String>,
}

/// The number of files for so many notes: a power of two.
pub(super) fn shards(notes: usize) -> usize {
    notes.div_ceil(IN_A_FILE).next_power_of_two()
}

/// The index of the file with a page's previews: FNV-1a of the page's path.
fn shard_of(page: &str, shards: usize) -> usize {
    let mut hash: u32 = 0x811c_9dc5;
    for byte in page.bytes() {
        hash = (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    }
    hash as usize % shards.max(1)
}

fn name(number: usize) -> String {
    format!("previews/{number}")
}

/// The previews of one page.
type Pieces = BTreeMap<String, String>;

#[derive(Serialize)]
struct Inputs<'a> {
    pages: Vec<(&'a str, &'a str, Option<Digest>, BTreeSet<&'a str>)>,
    units: Vec<(&'a str, String)>,
}

impl Scene<'_> {
    /// All files of previews.
    pub fn preview_shards(&self) -> Vec<Shard> {
        let count = shards(self.notes.len());
        let mut all: Vec<Shard> = (0..count)
            .map(|number| Shard { path: format!("{}.js", name(number)), ..Shard::default() })
            .collect();
        for (index, page) in self.garden.pages.iter().enumerate() {
            all[shard_of(page, count)].notes.push(index);
        }
        for page in self.index().units.keys() {
            all[shard_of(page, count)].units.push(page.clone());
        }
        all
    }

    /// The file of previews at a path.
    pub fn preview_shard(&self, path: &str) -> Option<Shard> {
        self.preview_shards().into_iter().find(|shard| shard.path == path)
    }

    /// Digest of everything that decides a file of previews, given the keys of its notes' bodies.
    pub fn shard_key(&self, shard: &Shard, bodies: &dyn Fn(usize) -> Option<Digest>) -> Digest {
        let pages = shard.notes.iter().map(|index| {
            let page = self.garden.pages[*index].as_str();
            (page, self.notes[*index].title.as_str(), bodies(*index), self.asked(*index))
        });
        let units = shard.units.iter().map(|page| (page.as_str(), self.fragment_of_unit(page)));
        self.key(None, &Inputs { pages: pages.collect(), units: units.collect() })
    }

    /// Makes a file of previews from bodies; a note whose body could not be rendered has none.
    pub fn shard(
        &self,
        shard: &Shard,
        bodies: &mut dyn FnMut(usize) -> Option<std::sync::Arc<Body>>,
    ) -> String {
        let mut pages: BTreeMap<&str, Pieces> = BTreeMap::new();
        for index in &shard.notes {
            let Some(body) = bodies(*index) else { continue };
            let page = &self.garden.pages[*index];
            let mut pieces = pieces(self.notes[*index], &body, &self.asked(*index), page);
            pieces.insert("title".to_owned(), self.notes[*index].title.clone());
            pages.insert(page, pieces);
        }
        for page in &shard.units {
            let unit = self.index().units.get(page);
            let title = ("title".to_owned(), unit.map(Unit::title).unwrap_or_default());
            let whole = (String::new(), self.fragment_of_unit(page));
            pages.insert(page, [title, whole].into());
        }
        let json = legible_json(serde_json::to_string(&pages).unwrap_or_default());
        let name = shard.path.trim_end_matches(".js");
        format!("neuronotes.take(\"{name}\",{json});\n")
    }

    fn fragment_of_unit(&self, page: &str) -> String {
        self.index().units.get(page).map(|unit| self.unit_fragment(unit)).unwrap_or_default()
    }

    /// The places of a note that other notes link to.
    fn asked(&self, index: usize) -> BTreeSet<&str> {
        self.garden.incoming[index].iter().filter_map(|incoming| incoming.to.as_deref()).collect()
    }
}

/// The preview of a whole page, and one for each requested place.
fn pieces(note: &Note, body: &Body, asked: &BTreeSet<&str>, page: &str) -> Pieces {
    let mut pieces = Pieces::new();
    let taken = |from: usize, whole: bool| {
        let blocks = body.blocks.get(from..).unwrap_or_default();
        let mut html = String::new();
        for (number, block) in blocks.iter().enumerate().take(MOST_BLOCKS) {
            // A section's preview ends with the section; that of a note with a short beginning continues into the next
            // section.
            let is_heading = block.heading.is_some() && number > 0;
            if words::suffices(&html) || (is_heading && !whole) {
                break;
            }
            if !is_heading {
                html.push_str(body.html.cut(block.place.clone()));
            }
        }
        rebased(&words::first(&html), page)
    };
    let mut opening = taken(0, true);
    // The first picture, wherever it stands.
    if !opening.contains("<img ")
        && let Some(at) = body.html.find("<img ")
    {
        let tag = body.html.cut(at..at + rebase::tag_end(body.html.cut(at..)));
        opening = format!("<p class=\"preview-picture\">{}</p>{opening}", rebased(tag, page));
    }
    pieces.insert(String::new(), opening);
    for anchor in asked {
        let heading = note.headings.iter().position(|heading| heading.id == *anchor);
        let figure = note.blocks.iter().position(|block| block.id == *anchor);
        let span = note.part(Some(anchor)).filter(|_| anchor.starts_with('^'));
        let at = body.blocks.iter().position(|block| match (heading, figure, &span) {
            (Some(heading), _, _) => block.heading == Some(heading),
            (None, Some(figure), _) => block.figures.contains(&figure),
            (None, None, Some(span)) => {
                block.span.start <= span.start && span.end <= block.span.end
            }
            _ => false,
        });
        let Some(at) = at else { continue };
        let piece = match heading {
            Some(_) => taken(at, false),
            None => rebased(body.html.cut(body.blocks[at].place.clone()), page),
        };
        pieces.insert((*anchor).to_owned(), piece);
    }
    pieces
}
