//! The anchors of a note that a link's fragment may refer to, indexed by name.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;

use neuronotes_core::cut::Cut as _;

use super::block::Block;
use super::outline::{Anchor, Heading};
use super::{heading, slug};

/// The parts of a note that have names.
pub(super) struct Named<'n> {
    /// The whole text.
    pub(super) source: &'n str,
    pub(super) headings: &'n [Heading],
    pub(super) blocks: &'n [Block],
    /// Blocks named by `^id`.
    pub(super) anchors: &'n [Anchor],
    /// Anchors in raw HTML.
    pub(super) marks: &'n [String],
    /// Earlier anchors of headings, each with the heading's anchor or text.
    pub(super) earlier: &'n BTreeMap<String, String>,
}

/// The places of a note by name. Of several with the same name, the first counts.
#[derive(Clone)]
pub(super) struct Places {
    /// Headings by anchor and text.
    headings: HashMap<String, usize>,
    /// Headings by the slugs of their texts.
    slugs: HashMap<String, usize>,
    /// Headings by Markdown source.
    sources: HashMap<String, usize>,
    /// Ids of blocks.
    blocks: HashSet<String>,
    /// Ids of named blocks (`^id`).
    anchors: HashSet<String>,
    /// Ids in HTML.
    marks: HashSet<String>,
    /// The note's earlier anchors, by slug.
    moved: HashMap<String, String>,
}

/// Indexes a note's parts.
impl fmt::Debug for Places {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Places")
    }
}

impl Places {
    pub(super) fn of(named: &Named<'_>) -> Self {
        let mut places = Self {
            headings: HashMap::new(),
            slugs: HashMap::new(),
            sources: HashMap::new(),
            blocks: named.blocks.iter().map(|block| block.id.clone()).collect(),
            anchors: named.anchors.iter().map(|anchor| anchor.id.clone()).collect(),
            marks: named.marks.iter().cloned().collect(),
            moved: HashMap::new(),
        };
        for (index, known) in named.headings.iter().enumerate() {
            places.headings.entry(known.id.clone()).or_insert(index);
            places.headings.entry(known.text.clone()).or_insert(index);
            places.slugs.entry(slug(&known.text)).or_insert(index);
            let source = heading::source(named.source.cut(known.span.clone()));
            places.sources.entry(heading::linked(source)).or_insert(index);
        }
        for (old, now) in named.earlier {
            places.moved.entry(slug(old)).or_insert_with(|| now.to_string());
        }
        places
    }

    /// The anchor that a fragment refers to in the indexed note, which has these headings.
    pub(super) fn anchor(&self, headings: &[Heading], fragment: &str) -> Option<String> {
        if let Some(id) = fragment.strip_prefix('^') {
            if self.anchors.contains(id) {
                return Some(fragment.to_owned());
            }
            return self.blocks.get(id).cloned();
        }
        let wanted = slug(fragment);
        let id = |index: &usize| headings.get(*index).map(|heading| heading.id.clone());
        let heading = self.headings.get(fragment).or_else(|| self.slugs.get(&wanted));
        let own = heading.and_then(id);
        let own = own.or_else(|| self.blocks.get(fragment).cloned());
        let own = own.or_else(|| self.marks.get(fragment).cloned());
        let by_source = || self.sources.get(&heading::linked(fragment)).and_then(id);
        let moved = || self.headings.get(self.moved.get(&wanted)?).and_then(id);
        own.or_else(by_source).or_else(moved)
    }
}
