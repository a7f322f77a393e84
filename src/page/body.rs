//! A note's text on a page, with resolved links, figures, values and citations, and with embedded parts of other
//! notes.

use std::collections::{BTreeSet, HashSet};
use std::ops::Range;

use neuronotes_core::digest::Digest;
use serde::Serialize;

use super::backlink;
use super::claim;
use super::path::tag_page;
use super::scene::Scene;
use crate::config::Remote;
use crate::diagnostic::Diagnostic;
use crate::garden::{Target, href, link_anchor};
use crate::language;
use crate::note::{self, Body, ClaimShown, HeadingShown, Note, Parts, ResolvedLink, ShownValue};
use crate::render::Renderer;
use crate::view::{FigureView, SiteView};

/// Maximum depth and number of embeds on a page; further ones become links.
const DEEPEST: usize = 6;
const MOST: usize = 200;

/// A note's text, or a part of it, on a page.
pub struct BodyDraft<'a> {
    note: &'a Note,
    site: SiteView,
    part: Option<Range<usize>>,
    prefix: String,
    headings: Vec<HeadingShown>,
    links: Vec<ResolvedLink>,
    figures: Vec<FigureView<'a>>,
    values: Vec<ShownValue>,
    citations: Vec<String>,
    claims: Vec<ClaimShown>,
    embeds: Vec<EmbedDraft<'a>>,
    new_tab: bool,
    closed: bool,
    directed: bool,
}

/// A part of another note that is embedded in a note.
struct EmbedDraft<'a> {
    /// Its id on the page, the target of backlinks.
    id: String,
    /// Its source.
    source: String,
    title: String,
    /// Whether it is a figure, which has its own label.
    is_figure: bool,
    body: BodyDraft<'a>,
}

#[derive(Serialize)]
struct Inputs<'a> {
    templates: Digest,
    page: &'a str,
    note: Digest,
    formulas: &'a [String],
    part: &'a Option<Range<usize>>,
    prefix: &'a str,
    headings: &'a [HeadingShown],
    links: &'a [ResolvedLink],
    figures: &'a [FigureView<'a>],
    values: &'a [ShownValue],
    citations: &'a [String],
    claims: &'a [ClaimShown],
    embeds: Vec<(&'a str, &'a str, &'a str, bool, Digest)>,
    new_tab: bool,
    #[serde(skip_serializing_if = "is_open")]
    closed: bool,
    directed: bool,
    preview: bool,
}

/// Whether pages may load external content; pages' keys do not cover this.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_open(closed: &bool) -> bool {
    !*closed
}

impl BodyDraft<'_> {
    /// Whether it contains figures.
    pub fn has_figures(&self) -> bool {
        !self.figures.is_empty() || self.embeds.iter().any(|embed| embed.body.has_figures())
    }

    /// Whether it says what became of claims.
    pub fn has_claims(&self) -> bool {
        let fails =
            |link: &ResolvedLink| matches!(link, ResolvedLink::Internal { fails: true, .. });
        !self.claims.is_empty()
            || self.figures.iter().any(|figure| figure.claims.is_some())
            || self.links.iter().any(fails)
            || self.values.iter().any(|value| value.fails)
            || self.embeds.iter().any(|embed| embed.body.has_claims())
    }

    /// Digest of everything that decides the HTML.
    pub fn key(&self, templates: Digest) -> Digest {
        let embed = |embed: &'_ EmbedDraft<'_>| embed.body.key(templates);
        let embeds = self.embeds.iter();
        let inputs = Inputs {
            templates,
            page: &self.site.page,
            note: self.note.digest,
            formulas: &self.note.formulas,
            part: &self.part,
            prefix: &self.prefix,
            headings: &self.headings,
            links: &self.links,
            figures: &self.figures,
            values: &self.values,
            citations: &self.citations,
            claims: &self.claims,
            embeds: embeds
                .map(|e| (&*e.id, &*e.source, &*e.title, e.is_figure, embed(e)))
                .collect(),
            new_tab: self.new_tab,
            closed: self.closed,
            directed: self.directed,
            preview: self.site.preview,
        };
        Digest::of(&serde_json::to_vec(&inputs).expect("views are plain data"))
    }

    /// The HTML.
    ///
    /// # Errors
    /// If one of the garden's templates has an error.
    pub fn render(&self, renderer: &Renderer) -> Result<Body, Diagnostic> {
        let mut figures = Vec::with_capacity(self.figures.len());
        for figure in &self.figures {
            figures.push(renderer.figure(figure, &self.site)?);
        }
        let mut embeds = Vec::with_capacity(self.embeds.len());
        for embed in &self.embeds {
            embeds.push(embed.render(renderer)?);
        }
        let page = &self.site.page;
        let tags = |tag: &str| href(page, &tag_page(tag), None);
        let parts = Parts {
            headings: &self.headings,
            links: &self.links,
            figures: &figures,
            embeds: &embeds,
            values: &self.values,
            citations: &self.citations,
            claims: &self.claims,
            names: None,
            formulas: &self.note.formulas,
            tags: Some(&tags),
            html_ids: Some(&self.note.html_ids),
            skip_title: self.note.title_in_body,
            prefix: &self.prefix,
            part: self.part.clone(),
            new_tab: self.new_tab,
            closed: self.closed,
            directed: self.directed,
        };
        Ok(note::body(self.note.markdown(), parts))
    }
}

impl EmbedDraft<'_> {
    fn render(&self, renderer: &Renderer) -> Result<String, Diagnostic> {
        let body = self.body.render(renderer)?.html;
        let (source, title) = (note::escape(&self.source), note::escape(&self.title));
        let id = note::escape(&self.id);
        let source = format!(
            "<p class=\"embed-source\"><a class=\"internal\" href=\"{source}\">{title}</a></p>"
        );
        Ok(match self.is_figure {
            true => {
                format!("<div class=\"embed embed-figure\" id=\"{id}\">\n{body}{source}</div>\n")
            }
            false => format!(
                "<div class=\"embed\" id=\"{id}\" role=\"group\" aria-label=\"{title}\">\n{source}{body}</div>\n"
            ),
        })
    }
}

impl<'a> Scene<'a> {
    /// The text of a note on a page.
    pub(super) fn body(&self, index: usize, page: &str) -> BodyDraft<'a> {
        self.part_of(index, page, None, "", &mut 0, 0)
    }

    fn part_of(
        &self,
        index: usize,
        page: &str,
        part: Option<Range<usize>>,
        prefix: &str,
        count: &mut usize,
        depth: usize,
    ) -> BodyDraft<'a> {
        let note = self.notes[index];
        let mut links = self.resolved(index, page);
        let mut embeds = Vec::new();
        for embedded in self.garden.embeds(index, part.as_ref(), self.notes) {
            let too_many = depth >= DEEPEST || *count >= MOST;
            if too_many || self.garden.is_endless(index, &embedded, self.notes) {
                continue;
            }
            *count += 1;
            let other = self.notes[embedded.note];
            let (start, end) = embedded.part;
            let inner = format!("{prefix}e{}-", embedded.link + 1);
            let part = Some(start..end);
            let body = self.part_of(embedded.note, page, part, &inner, count, depth + 1);
            let anchor = embedded.anchor.as_deref();
            let block = anchor.and_then(|id| other.blocks.iter().find(|block| block.id == id));
            let title = match block {
                Some(block) => format!("Figure {} of {}", block.number, other.title),
                None => other.title.clone(),
            };
            let source = self.href(page, &self.garden.pages[embedded.note], anchor);
            links[embedded.link] = ResolvedLink::Embed { number: embeds.len() };
            let id = format!("{prefix}{}", link_anchor(embedded.link));
            embeds.push(EmbedDraft { id, source, title, is_figure: block.is_some(), body });
        }
        let mut figures = self.figure_views(index, page, prefix);
        if !prefix.is_empty() {
            for figure in &mut figures {
                figure.id = format!("{prefix}{}", figure.id);
                // Mentions of a figure are shown in its own note only.
                figure.mentions.clear();
            }
        }
        BodyDraft {
            note,
            site: self.site(page),
            part,
            prefix: prefix.to_owned(),
            headings: self.headings(index, page, prefix.is_empty()),
            links,
            figures,
            values: self.values(index, page),
            citations: self.citations(index, page),
            claims: self.doubtful(index, page),
            embeds,
            new_tab: self.config.open_external_links_in_new_tab,
            closed: self.config.remote == Remote::Forbid,
            directed: self.direction(index) == "rtl"
                || language::has_right_to_left(note.markdown()),
        }
    }

    fn headings(&self, index: usize, page: &str, at_home: bool) -> Vec<HeadingShown> {
        let note = self.notes[index];
        let ids = note.headings.iter().map(|heading| &heading.id);
        let ids = ids.chain(note.blocks.iter().map(|block| &block.id)).chain(&note.html_ids);
        let mut taken: BTreeSet<String> = ids.cloned().collect();
        // Most headings are mentioned nowhere, and a note may have thousands.
        let incoming = self.garden.incoming[index].iter();
        let mentioned: HashSet<&str> = incoming.filter_map(|i| i.to.as_deref()).collect();
        let shown = note.headings.iter().map(|heading| {
            let old = note.front.anchors.iter();
            let old = old.filter(|(_, now)| **now == heading.text || **now == heading.id);
            // An earlier anchor that is now another heading's leads to that.
            let moved: Vec<String> = old
                .map(|(old, _)| note::slug(old))
                .filter(|old| taken.insert(old.clone()))
                .collect();
            let mentions = match at_home && mentioned.contains(heading.id.as_str()) {
                true => self.mentions_of(index, page, &heading.id),
                false => Vec::new(),
            };
            HeadingShown { id: heading.id.clone(), moved, after_html: backlink::line(&mentions) }
        });
        shown.collect()
    }

    /// The replacements of a note's values on a page.
    pub(super) fn values(&self, index: usize, page: &str) -> Vec<ShownValue> {
        let shown = self.quoted[index].shown.iter();
        shown
            .map(|value| ShownValue {
                text: value.text.clone(),
                html: value.html.clone(),
                fails: value.judgement.as_ref().is_some_and(claim::fails),
                href: value
                    .figure
                    .as_ref()
                    .map(|(note, id)| self.href(page, &self.garden.pages[*note], Some(id))),
            })
            .collect()
    }

    pub(super) fn target(&self, page: &str, target: &Target, id: Option<String>) -> ResolvedLink {
        match target {
            Target::Note { index, anchor } => ResolvedLink::Internal {
                href: self.href(page, &self.garden.pages[*index], anchor.as_deref()),
                id,
                label: self.figure_label(page, *index, anchor.as_deref()),
                fails: self.leads_to_doubt(target),
            },
            Target::File { path, fragment } => ResolvedLink::File {
                href: href(page, &self.garden.routes.file(path), fragment.as_deref()),
                size: self.sizes.get(path).copied(),
                variants: self
                    .smaller
                    .of_file(path)
                    .iter()
                    .map(|copy| (copy.width, href(page, &copy.path, None)))
                    .collect(),
            },
            Target::External => ResolvedLink::External,
            Target::Unresolved => ResolvedLink::Unresolved,
        }
    }

    /// A page's name for a figure: `Figure 2`, or `Figure 2 of Faces` if it is another note's.
    pub(super) fn figure_label(
        &self,
        page: &str,
        index: usize,
        anchor: Option<&str>,
    ) -> Option<String> {
        let note = self.notes[index];
        let block = note.blocks.iter().find(|block| Some(block.id.as_str()) == anchor)?;
        let number = block.number;
        Some(match self.garden.pages[index] == page {
            true => format!("Figure {number}"),
            false => format!("Figure {number} of {}", note.title),
        })
    }

    fn resolved(&self, index: usize, page: &str) -> Vec<ResolvedLink> {
        let targets = self.garden.links[index].iter().enumerate();
        targets.map(|(n, target)| self.target(page, target, Some(link_anchor(n)))).collect()
    }
}
