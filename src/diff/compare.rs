//! The comparison of two sides.

use std::collections::BTreeMap;

use super::difference::{Difference, Group, SCHEMA, Same};
use super::figure::{self, Compared};
use super::pair::{Pair, pairs, touched};
use super::side::Sides;
use super::{claim, link, sentence, text};

/// Compares two sides. Nothing is measured; missing results are listed.
pub fn compare(sides: &mut Sides) -> Difference {
    let all = pairs(sides);
    compare_pairs(sides, &all)
}

/// Compares one note, by its later path; all are compared if there is none of that path.
pub fn compare_note(sides: &mut Sides, path: &str) -> Difference {
    let all = pairs(sides);
    let notes = sides.b.site.read_notes();
    let is_it = |pair: &&Pair| pair.b.is_some_and(|at| notes[at].path == path);
    let one: Vec<Pair> = all.iter().filter(is_it).copied().collect();
    compare_pairs(sides, &one)
}

fn compare_pairs(sides: &mut Sides, all: &[Pair]) -> Difference {
    let touched = touched(sides, all);
    sides.a.site.look_up(touched.iter().filter_map(|pair| pair.a));
    sides.b.site.look_up(touched.iter().filter_map(|pair| pair.b));
    let sides = &*sides;
    let notes: Vec<_> = touched.iter().filter_map(|pair| text::compare(sides, *pair)).collect();
    let mut compared = Compared::default();
    touched.iter().for_each(|pair| figure::compare(sides, *pair, &mut compared));
    let Compared { mut figures, missing, mut same, same_bytes, .. } = compared;
    figures.sort_by(|x, y| {
        y.size
            .total_cmp(&x.size)
            .then_with(|| (&x.note, &x.id, &x.at).cmp(&(&y.note, &y.id, &y.at)))
    });
    let looked: usize =
        touched.iter().filter_map(|pair| pair.b).map(|at| sides.b.measurements(at)).sum();
    let total: usize =
        all.iter().filter_map(|pair| pair.b).map(|at| sides.b.measurements(at)).sum();
    same += total - looked;
    let mut groups: BTreeMap<Vec<String>, Vec<String>> = BTreeMap::new();
    for figure in figures.iter().filter(|figure| !figure.causes.is_empty()) {
        groups.entry(figure.causes.clone()).or_default().push(figure.name());
    }
    let mut causes: Vec<Group> =
        groups.into_iter().map(|(causes, figures)| Group { causes, figures }).collect();
    causes.sort_by_key(|group| std::cmp::Reverse(group.figures.len()));
    let both = [&sides.a, &sides.b];
    let mut remarks: Vec<String> = both.iter().flat_map(|side| side.remarks.clone()).collect();
    remarks.dedup();
    Difference {
        schema: SCHEMA,
        a: sides.a.label.clone(),
        b: sides.b.label.clone(),
        claims: touched.iter().flat_map(|pair| claim::compare(sides, *pair)).collect(),
        sentences: touched.iter().flat_map(|pair| sentence::compare(sides, *pair)).collect(),
        causes,
        figures,
        missing,
        links: link::compare(sides, all),
        remarks,
        same: Same { notes: all.len() - notes.len(), figures: same, same_bytes },
        notes,
    }
}
