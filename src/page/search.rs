//! Each page's contribution to the search index: the text of a note and its sections, its figures with their texts,
//! its references, tags and units.

use neuronotes_core::cut::Cut as _;

use super::index::{Tag, Unit};
use super::scene::{HOME, Scene};
use super::settled::Settled;
use crate::figure::Drawing;
use crate::search::{Entry, Field, Indexed, Page, indexed};

/// Digits of a figure's key by which the search finds it.
const KEY_DIGITS: usize = 8;
/// Most bytes of the text of a figure that are indexed.
const MOST_WRITTEN: usize = 1200;

impl Scene<'_> {
    /// A note's contribution.
    pub fn indexed(&self, index: usize) -> Indexed {
        let note = self.notes[index];
        let text = |number: usize| {
            let text = note.texts.get(number).map_or("", String::as_str);
            self.filled(index, text.trim_end())
        };
        // A title that is a heading is not a section.
        let first = usize::from(note.title_in_body);
        let mut head = text(0);
        if first == 1 {
            head.push_str(&text(1));
        }
        let mut fields = vec![(Field::Title, note.title.clone())];
        fields.extend(note.front.aliases.iter().map(|alias| (Field::Title, alias.clone())));
        fields.extend(note.tags.iter().map(|tag| (Field::Tag, format!("#{tag}"))));
        let units = self.plan.named(index).iter();
        fields.extend(units.map(|named| {
            (
                Field::Tag,
                format!("{} {} {} {}", named.unit.1.noun(), named.unit.2, named.name, named.layer),
            )
        }));
        let mut entries = vec![Entry { anchor: String::new(), heading: None, text: head, fields }];
        for (number, heading) in note.headings.iter().enumerate().skip(first) {
            let shown = self.filled(index, &heading.shown);
            entries.push(Entry {
                anchor: heading.id.clone(),
                heading: Some(shown.clone()),
                text: text(number + 1),
                fields: vec![(Field::Heading, shown)],
            });
        }
        let settled = self.figures[index].iter();
        for ((block, wanted), settled) in
            note.blocks.iter().zip(self.plan.wanted(index)).zip(settled)
        {
            let caption = self.filled(index, block.caption_text.trim());
            let mut fields = vec![(Field::Caption, caption.clone())];
            fields
                .extend(block.fields.text("title").map(|title| (Field::Caption, title.to_owned())));
            for measurement in wanted.measurements() {
                fields.push((Field::Name, measurement.key.hex().cut(..KEY_DIGITS).to_owned()));
                if let Some((_, place, unit)) = measurement.named() {
                    let (shown, layer) = (measurement.layer_shown(), place.layer());
                    fields.push((Field::Tag, format!("{} {unit} {shown} {layer}", place.noun())));
                }
            }
            entries.push(Entry {
                anchor: block.id.clone(),
                heading: Some(format!("Figure {}", block.number)),
                text: [caption, written(settled), self.names_in(settled).join(" · ")]
                    .join(" ")
                    .trim()
                    .to_owned(),
                fields,
            });
        }
        for (key, reference) in self.reference_texts(index) {
            entries.push(Entry {
                anchor: crate::bibliography::anchor(&key),
                heading: Some("Reference".to_owned()),
                fields: vec![(Field::Name, key), (Field::Caption, reference.clone())],
                text: reference,
            });
        }
        let path = self.garden.pages[index].clone();
        indexed(&Page { path, title: note.title.clone(), entries })
    }

    /// The contributions of units' pages.
    pub fn indexed_units(&self) -> Vec<Indexed> {
        let page = |(path, unit): (&String, &Unit)| {
            let title = unit.title();
            let names = unit.names.join(", ");
            let text = format!("{} of {} {names}", unit.layer, unit.model);
            let number = unit.unit.to_string();
            let fields =
                vec![(Field::Title, title.clone()), (Field::Tag, names), (Field::Name, number)];
            let head = Entry { anchor: String::new(), heading: None, text, fields };
            indexed(&Page { path: path.clone(), title, entries: vec![head] })
        };
        self.index().units.iter().map(page).collect()
    }

    /// The contributions of tags' pages.
    pub fn indexed_tags(&self) -> Vec<Indexed> {
        let page = |(path, tag): (&String, &Tag)| {
            let title = format!("#{}", tag.name);
            let text = match tag.notes.len() {
                1 => "One note has this tag.".to_owned(),
                count => format!("{count} notes have this tag."),
            };
            let fields = vec![(Field::Title, title.clone()), (Field::Tag, title.clone())];
            let head = Entry { anchor: String::new(), heading: None, text, fields };
            indexed(&Page { path: path.clone(), title, entries: vec![head] })
        };
        self.index().tags.iter().map(page).collect()
    }

    /// Notes in the order of the index.
    pub fn indexed_order(&self) -> Vec<usize> {
        let home = self.garden.pages.iter().position(|page| page == HOME);
        home.into_iter().chain((0..self.notes.len()).filter(|index| Some(*index) != home)).collect()
    }
}

/// The text in a figure, as one line.
fn written(settled: &Settled) -> String {
    let drawings = settled.drawings();
    let mut seen = std::collections::BTreeSet::new();
    let texts = drawings.into_iter().flat_map(Drawing::texts).filter(|text| seen.insert(*text));
    let mut line = String::new();
    for text in texts {
        if line.len() + text.len() > MOST_WRITTEN {
            break;
        }
        if !line.is_empty() {
            line.push_str(" · ");
        }
        line.push_str(text);
    }
    line
}
