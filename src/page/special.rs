//! The graph, the page for missing addresses, and redirects.

use std::collections::BTreeSet;

use super::draft::{Draft, View};
use super::feed;
use super::path::{GRAPH, NOT_FOUND};
use super::scene::{HOME, Scene};
use crate::garden::{self, Target, href};
use crate::note::file_slug;
use crate::view::{
    CardView, GraphView, HeadView, LinkView, LinkedView, NotFoundView, RedirectView, WayView,
};

/// Most notes listed below the graph, those with the most links.
const MOST: usize = 100;
/// Number of listed notes that one of them links to, and that link to it.
const NAMED: usize = 12;
/// Most notes listed on the page for a wrong address, the newest ones.
const NEWEST: usize = 5;

impl<'a> Scene<'a> {
    /// Pairs of linked notes, each once, the smaller index first.
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
        let mut outgoing = vec![BTreeSet::new(); self.notes.len()];
        let mut incoming = vec![BTreeSet::new(); self.notes.len()];
        for (to, links) in self.garden.incoming.iter().enumerate() {
            for from in links.iter().map(|link| link.from).filter(|from| *from != to) {
                outgoing[from].insert(to);
                incoming[to].insert(from);
            }
        }
        let link = |note: &usize| LinkView {
            title: self.notes[*note].title.clone(),
            href: self.href(page, &self.garden.pages[*note], None),
        };
        let way = |title: &'static str, notes: &BTreeSet<usize>| WayView {
            title,
            notes: notes.iter().take(NAMED).map(link).collect(),
            more: notes.len().saturating_sub(NAMED),
        };
        let item = |note: &usize| {
            let ways = [way("Links to", &outgoing[*note]), way("Linked from", &incoming[*note])];
            let ways = ways.into_iter().filter(|way| !way.notes.is_empty()).collect();
            LinkedView { note: link(note), ways }
        };
        let view = GraphView {
            site: self.site(page),
            head: self.list_head(page, "How the notes are linked."),
            script: href(page, &self.assets.graph, None),
            data: href(page, feed::GRAPH_DATA, None),
            notes: self.notes.len(),
            links: pairs.len(),
            most: order.iter().take(MOST).map(item).collect(),
        };
        self.draft(page, None, View::Graph(Box::new(view)))
    }

    /// A note among its neighbours.
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
        if self.preview {
            return self.missing_draft(0, None);
        }
        let mut site = self.site(page);
        // It is shown at any address, so its links must not be relative to that.
        let root = self.config.base_path();
        let asked = [
            &mut site.home,
            &mut site.stylesheet,
            &mut site.claims,
            &mut site.boxes,
            &mut site.script,
            &mut site.find,
            &mut site.zoom,
            &mut site.figure_script,
            &mut site.map,
            &mut site.review,
            &mut site.review_script,
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
        let mut notes = self.newest_cards(page);
        for card in &mut notes {
            card.href.insert_str(0, &root);
        }
        let view = NotFoundView { site, head: HeadView::default(), moved: None, notes };
        self.draft(page, None, View::NotFound(Box::new(view)))
    }

    /// The same for the preview. Everything is relative, because the path below which a proxy serves it is unknown;
    /// `depth` is the number of folders in the requested path. `moved` is the title and new page of a note that was
    /// renamed.
    pub fn missing_draft(&self, depth: usize, moved: Option<(String, String)>) -> Draft<'a> {
        // Folders that no page is in.
        let page = format!("{}{NOT_FOUND}", "?/".repeat(depth));
        let mut site = self.site(&page);
        NOT_FOUND.clone_into(&mut site.page);
        let notes = self.newest_cards(&page);
        let moved = moved.map(|(title, to)| LinkView { title, href: self.href(&page, &to, None) });
        let view = NotFoundView { site, head: HeadView::default(), moved, notes };
        self.draft(NOT_FOUND, None, View::NotFound(Box::new(view)))
    }

    /// The newest notes, reduced to titles and excerpts.
    fn newest_cards(&self, page: &str) -> Vec<CardView> {
        let newest = self.index().newest.iter().take(NEWEST);
        let bare = |note: &usize| CardView {
            picture: None,
            tags: vec![],
            more_tags: 0,
            ..self.card(page, *note)
        };
        newest.map(bare).collect()
    }

    /// Old addresses of notes: those in front matter, and those that their aliases would have.
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
                // An alias with folders is a path from the root, such as the old path of a note that was moved.
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
