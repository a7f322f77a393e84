//! The graph, the page for what is not there, and pages that lead to where something is now.

use super::sheet::GRAPH;
use super::{Draft, HOME, Scene, draft::View};
use crate::garden::{self, Target, href};
use crate::note::file_slug;
use crate::view::{GraphView, HeadView, IndexItemView, LinkView, NotFoundView, RedirectView};

/// So many of the most linked notes are listed below the graph.
const MOST: usize = 100;
/// So many of the newest notes are on the page for what is not there.
const NEWEST: usize = 5;

impl<'a> Scene<'a> {
    /// Pairs of notes of which one links to the other, each once, the smaller first.
    pub(super) fn pairs(&self) -> Vec<(usize, usize)> {
        let mut pairs: Vec<(usize, usize)> = Vec::new();
        for (to, incoming) in self.garden.incoming.iter().enumerate() {
            let from = incoming.iter().map(|incoming| incoming.from);
            pairs.extend(from.map(|from| (from.min(to), from.max(to))));
        }
        pairs.sort_unstable();
        pairs.dedup();
        pairs
    }

    pub(super) fn graph_draft(&self, page: &str) -> Draft<'a> {
        let pairs = self.pairs();
        let mut degrees = vec![0; self.notes.len()];
        for (a, b) in &pairs {
            degrees[*a] += 1;
            degrees[*b] += 1;
        }
        let mut order: Vec<usize> = (0..self.notes.len()).collect();
        order.sort_by(|a, b| {
            let titles = || self.notes[*a].title.cmp(&self.notes[*b].title);
            degrees[*b].cmp(&degrees[*a]).then_with(titles)
        });
        let item = |note: &usize| IndexItemView {
            title: self.notes[*note].title.clone(),
            href: self.href(page, &self.garden.pages[*note], None),
            note: String::new(),
            count: degrees[*note],
            picture: None,
        };
        let view = GraphView {
            site: self.site(page),
            head: self.list_head(page, "How the notes are linked."),
            script: href(page, &self.assets.graph, None),
            data: href(page, super::feed::GRAPH_DATA, None),
            notes: self.notes.len(),
            links: pairs.len(),
            most: order.iter().take(MOST).map(item).collect(),
        };
        self.draft(page, None, View::Graph(Box::new(view)))
    }

    /// The note among the notes that it links to and that link to it.
    pub(super) fn local_graph(&self, index: usize) -> Option<String> {
        let mut near: std::collections::BTreeMap<usize, (bool, bool)> = Default::default();
        for incoming in &self.garden.incoming[index] {
            near.entry(incoming.from).or_default().0 = true;
        }
        let captions = self.garden.caption_links[index].iter().flatten();
        for target in self.garden.links[index].iter().chain(captions) {
            if let Target::Note { index: to, .. } = target
                && *to != index
            {
                near.entry(*to).or_default().1 = true;
            }
        }
        let page = &self.garden.pages[index];
        let neighbour = |(note, (incoming, outgoing)): (&usize, &(bool, bool))| garden::Neighbour {
            title: self.notes[*note].title.clone(),
            href: self.href(page, &self.garden.pages[*note], None),
            incoming: *incoming,
            outgoing: *outgoing,
        };
        let neighbours: Vec<garden::Neighbour> = near.iter().map(neighbour).collect();
        let whole = href(page, GRAPH, None);
        garden::local_svg(&self.notes[index].title, &neighbours, &whole)
    }

    pub(super) fn not_found_draft(&self, page: &str) -> Draft<'a> {
        let newest = self.index().newest.iter().take(NEWEST);
        let mut site = self.site(page);
        // Shown at any address, so that nothing on it may be relative to it.
        let root = self.config.base_path();
        let asked = [
            &mut site.home,
            &mut site.stylesheet,
            &mut site.boxes,
            &mut site.script,
            &mut site.find,
        ];
        for address in asked {
            address.insert_str(0, &root);
        }
        for nav in &mut site.nav {
            nav.href.insert_str(0, &root);
        }
        if let Some(feed) = &mut site.feed {
            feed.insert_str(0, &root);
        }
        site.root.clone_from(&root);
        let mut notes: Vec<_> = newest.map(|note| self.card(page, *note)).collect();
        for card in &mut notes {
            card.href.insert_str(0, &root);
            card.picture = None;
            card.tags.clear();
        }
        let view = NotFoundView { site, head: HeadView::default(), notes };
        self.draft(page, None, View::NotFound(Box::new(view)))
    }

    /// Old addresses of notes: those that they name, and those that their other names would have.
    pub(super) fn redirects(&self) -> Vec<(usize, String)> {
        let mut old = Vec::new();
        for (index, note) in self.notes.iter().enumerate() {
            let written = note.front.redirect_from.iter();
            old.extend(written.filter_map(|path| Some((index, garden::redirect(path)?))));
            let folder = self.garden.pages[index].rsplit_once('/').map(|(folder, _)| folder);
            for alias in &note.front.aliases {
                let parts: Vec<String> =
                    alias.split('/').filter(|p| !p.is_empty()).map(file_slug).collect();
                let name = format!("{}.html", parts.join("/"));
                // One with folders in it is a path from the root, as a note that was moved had it.
                let beside = folder.filter(|_| parts.len() == 1);
                old.push((index, beside.map_or(name.clone(), |folder| format!("{folder}/{name}"))));
            }
        }
        old.retain(|(_, path)| path != HOME);
        old
    }

    pub(super) fn redirect_draft(&self, page: &str, note: usize) -> Draft<'a> {
        let to = &self.garden.pages[note];
        let view = RedirectView {
            site: self.site(page),
            head: HeadView {
                canonical: self.config.absolute(&self.shown_path(to)),
                kind: "website",
                ..HeadView::default()
            },
            to: LinkView { title: self.notes[note].title.clone(), href: self.href(page, to, None) },
        };
        self.draft(page, None, View::Redirect(Box::new(view)))
    }
}
