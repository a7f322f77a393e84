//! The page of a unit: its figures and the notes that mention it.

use super::draft::{Draft, View};
use super::index::Unit;
use super::scene::{HOME, Scene};
use super::settled::Settled;
use crate::figure::{Drawing, Picture};
use crate::garden::href;
use crate::plan::Wanted;
use crate::view::{FigureState, FigureView, LinkView, UnitFigureView, UnitView};

/// Most figures on one page; the notes have them all.
const MOST: usize = 40;

impl<'a> Scene<'a> {
    pub(super) fn unit_draft(&self, page: &str) -> Draft<'a> {
        let index = self.index();
        let none = Unit::default();
        let unit = index.units.get(page).unwrap_or(&none);
        let mut figures = Vec::new();
        let mut shown = Vec::new();
        for (note, block, cell) in measured(unit).take(MOST) {
            let id = &self.notes[note].blocks[block].id;
            let Some(figure) = self.unit_figure(page, note, block, cell) else { continue };
            let title = self.figure_label(page, note, Some(id)).unwrap_or_default();
            let source =
                LinkView { title, href: self.href(page, &self.garden.pages[note], Some(id)) };
            figures.push(figure);
            shown.push(UnitFigureView { html: String::new(), source });
        }
        let layer = index.layers.get(&(unit.model.clone(), unit.layer.clone()));
        let layer = layer.map_or(&[][..], Vec::as_slice);
        let own = layer.binary_search_by(|(number, path)| {
            number.cmp(&unit.unit).then_with(|| path.as_str().cmp(page))
        });
        let at = own.unwrap_or(0);
        let beside = |at: Option<usize>| {
            let (number, path) = layer.get(at?)?;
            Some(LinkView { title: unit.numbered(*number), href: href(page, path, None) })
        };
        let title = unit.title();
        let named = unit.names.first().map(|name| format!(" · {name}")).unwrap_or_default();
        let about =
            format!("{title}{named}, {} of {}: its figures and notes.", unit.layer, unit.model);
        let view = UnitView {
            site: self.site(page),
            head: self.list_head(page, &about),
            title,
            is_feature: unit.is_feature,
            names: unit.names.clone(),
            model: unit.model.clone(),
            layer: unit.layer.clone(),
            claims: figures.iter().any(|figure| figure.claims.is_some()),
            figures: shown,
            notes: unit.notes.keys().map(|note| self.card(page, *note)).collect(),
            previous: beside(at.checked_sub(1)),
            next: beside(Some(at + 1)),
        };
        self.draft(page, None, View::Unit(Box::new(view), figures))
    }

    /// A figure on the unit's page; for a sweep, only this unit's measurement. `None` if nothing is drawn.
    fn unit_figure(
        &self,
        page: &str,
        note: usize,
        block: usize,
        cell: Option<usize>,
    ) -> Option<FigureView<'a>> {
        let prefix = format!("n{}-", note + 1);
        let mut figure = self.figure_view(note, block, page, &prefix);
        figure.id = format!("{prefix}{}", figure.id);
        figure.mentions.clear();
        // They stand in the note.
        figure.controls.clear();
        figure.width = "text".to_owned();
        if let Some(cell) = cell {
            let Wanted::Sweep(sweep) = self.plan.wanted(note).get(block)? else { return None };
            let figures: &'a [Settled] = &self.figures[note];
            let Settled::Sweep(cells) = figures.get(block)? else { return None };
            let (wanted, settled) = (sweep.cells.get(cell)?, cells.get(cell)?);
            figure.id = format!("{}-{cell}", figure.id);
            figure.key = wanted.measurement.key.hex();
            figure.keys.clear();
            figure.caption_html = Some(crate::note::escape(&self.plan.caption(wanted)));
            figure.alt = None;
            // They may be about other measurements of it.
            figure.claims = None;
            let Settled::Done { drawing, .. } = settled else { return None };
            figure.units = self.unit_names(page, [&**drawing]);
            figure.state = FigureState::Done { drawing };
            figure.provenance = self.cell_facts(page, settled, wanted);
            figure.data = self.data_view(page, settled);
        }
        matches!(figure.state, FigureState::Done { .. }).then_some(figure)
    }

    /// The first picture that was measured for a unit.
    pub(super) fn unit_picture(&self, unit: &Unit) -> Option<&'a Picture> {
        self.picture_of(measured(unit))
    }

    /// The first picture of these figures, each with its note, its block and the cell of a sweep.
    pub(super) fn picture_of(
        &self,
        figures: impl Iterator<Item = (usize, usize, Option<usize>)>,
    ) -> Option<&'a Picture> {
        let all: &'a [std::sync::Arc<[Settled]>] = self.figures;
        let drawings = figures.filter_map(|(note, block, cell)| {
            let settled = all[note].get(block)?;
            match (settled, cell) {
                (Settled::Sweep(cells), Some(cell)) => match cells.get(cell)? {
                    Settled::Done { drawing, .. } => Some(&**drawing),
                    _ => None,
                },
                (Settled::Done { drawing, .. }, _) => Some(&**drawing),
                _ => None,
            }
        });
        let mut pictures = drawings.filter_map(Drawing::first_picture);
        let first = pictures.next()?;
        // A visualisation is more informative than a picture of a data set.
        Some(std::iter::once(first).chain(pictures).find(|p| p.synthetic).unwrap_or(first))
    }

    /// The preview of a unit's page.
    pub(super) fn unit_fragment(&self, unit: &Unit) -> String {
        let mut html = String::new();
        if let Some(picture) = self.unit_picture(unit) {
            let class = if picture.synthetic { " class=\"synthetic\"" } else { "" };
            let image = &picture.image;
            html.push_str(&format!(
                "<p><img{class} src=\"{}\" alt=\"\" width=\"{}\" height=\"{}\"></p>",
                crate::note::escape(&href(HOME, &image.file(), None)),
                image.width,
                image.height
            ));
        }
        let names = unit.names.join(", ");
        let notes = match unit.notes.len() {
            1 => "One note mentions it.".to_owned(),
            count => format!("{count} notes mention it."),
        };
        let text = format!("{} of {}. {notes}", unit.layer, unit.model);
        if !names.is_empty() {
            html.push_str(&format!("<p><b>{}</b></p>", crate::note::escape(&names)));
        }
        html.push_str(&format!("<p>{}</p>", crate::note::escape(&text)));
        html
    }
}

/// All figures of a unit, in the order of the notes.
fn measured(unit: &Unit) -> impl Iterator<Item = (usize, usize, Option<usize>)> {
    let notes = unit.notes.iter();
    notes.flat_map(|(note, blocks)| blocks.iter().map(|(block, cell)| (*note, *block, *cell)))
}
